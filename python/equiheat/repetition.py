# SPDX-License-Identifier: BSD-3-Clause
"""Arrays repeated: whole, entry by entry, to a shape, and as overlapping windows."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import _core, manipulation
from equiheat._base import ArrayBase, wrap
from equiheat._function import native
from equiheat._sanitize import ShapeLike, sanitize_shape

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["repeat", "resize", "sliding_window_view", "tile", "unfold"]


def tile(x: DNDarray, reps: int | Sequence[int]) -> DNDarray:
    """The array repeated whole along its axes.

    Parameters
    ----------
    x
        Array of any shape, dtype and split.
    reps
        Repetitions per axis. Fewer than axes: for the last ones; more: x gets axes in front.

    Returns
    -------
    DNDarray
        Of extents ``reps[i] * x.shape[i]``.

    Raises
    ------
    TypeError, ValueError
        For repetitions that are no integers, or negative.

    Notes
    -----
    Distribution: the split follows its axis; repeated along it the result is balanced. Communication: none beside
    the split; along it one alltoallv, or one allgather of x where every rank's part of the result holds all of it.

    Examples
    --------
    >>> ht.tile(ht.arange(3, split=0), 2).numpy().tolist()
    [0, 1, 2, 0, 1, 2]
    """
    core = native(x, "tile")
    try:
        times = [operator.index(n) for n in (reps if isinstance(reps, (Sequence, np.ndarray)) else (reps,))]
    except TypeError:
        raise TypeError(f"tile: reps must be integers, is {reps!r}") from None
    times = [1] * (core.ndim - len(times)) + times
    if len(times) > core.ndim:
        core = _core.expand_dims(core, list(range(len(times) - core.ndim)))
    return wrap(_core.tile(core, times))


def repeat(a: DNDarray, repeats: Any, axis: int | None = None) -> DNDarray:
    """Every entry of an axis several times in a row.

    Parameters
    ----------
    a
        Array of any shape, dtype and split.
    repeats
        A number for all entries, or integers (list, NumPy array, DNDarray of any split), one for each entry.
    axis
        Default: the elements of a in C order.

    Returns
    -------
    DNDarray

    Raises
    ------
    TypeError, ValueError
        For repeats that are no integers, negative, or as many as neither 1 nor the axis.

    Notes
    -----
    Distribution: the split of a (0 without an axis); along the split entries stay on their rank. Communication:
    none; for one number per entry along the split one number per rank, and the repeats to where the entries are.

    Examples
    --------
    >>> ht.repeat(ht.arange(3, split=0), [2, 0, 1]).numpy().tolist()
    [0, 0, 2]
    """
    core = native(a, "repeat", "a")
    if axis is None:
        core, axis = manipulation.ravel(wrap(core))._core, 0
    times = _repeats(core, repeats)
    if isinstance(times, int):
        return wrap(_core.repeat(core, times, axis))
    return wrap(_core.repeat_each(core, times, axis))


def _repeats(core: _core.Array, repeats: Any) -> int | _core.Array:
    if not isinstance(repeats, (ArrayBase, list, tuple, np.ndarray, torch.Tensor)):
        try:
            return operator.index(repeats)
        except TypeError:
            raise TypeError(f"repeat: repeats must be integers, is {type(repeats)}") from None
    times = native(repeats, "repeat", "repeats", core)
    if times.local.dtype.is_floating_point or times.local.dtype.is_complex:
        raise TypeError(f"repeat: repeats must be integers, has dtype {times.local.dtype}")
    return int(times.resplit(None).local) if times.size == 1 and times.ndim < 2 else times


def resize(a: DNDarray, new_shape: ShapeLike) -> DNDarray:
    """The elements of a in C order, repeated or cut to fill a shape.

    Distribution: split 0 if a is split. Communication: that of `ravel`, `tile` and `reshape`; nothing is gathered
    unless every rank's part of the result holds all of a.
    """
    core = native(a, "resize", "a")
    shape = sanitize_shape(new_shape, "resize")
    size = int(np.prod(shape))
    if core.size == 0 and size > 0:
        zeros = torch.zeros(shape, dtype=core.local.dtype, device=core.local.device)
        return wrap(_core.replicated_like(core, zeros).resplit(None if core.split is None or not shape else 0))
    flat = manipulation.ravel(wrap(core))
    times = -(-size // max(core.size, 1))
    return manipulation.reshape(tile(flat, times)[:size], shape)


def unfold(a: DNDarray, axis: int, size: int, step: int = 1) -> DNDarray:
    """Windows of `size` entries of an axis, one every `step` entries, along a new last axis.

    Parameters
    ----------
    a
        Array of any shape, dtype and split, at least one axis.
    axis
        The axis; its extent becomes the number of windows, ``(extent - size) // step + 1``.
    size
        From 1 to the axis's extent.
    step
        Positive.

    Returns
    -------
    DNDarray
        Shape ``(..., windows, ..., size)``; where nothing was sent it shares a's memory.

    Raises
    ------
    ValueError
        For a size or step out of range.

    Notes
    -----
    Distribution: the split of a; a rank has the windows that start in its rows. Communication: along the split a halo
    of size - 1 rows, from as many ranks as hold them; else none.

    Examples
    --------
    >>> ht.unfold(ht.arange(5, split=0), 0, 3, 2).numpy().tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    return wrap(_core.windows(native(a, "unfold", "a"), axis, operator.index(size), operator.index(step)))


def sliding_window_view(x: DNDarray, window_shape: ShapeLike, axis: int | Sequence[int] | None = None) -> DNDarray:
    """NumPy's windows: `unfold` with step 1 along several axes, the windows' axes last. Communication: as `unfold`."""
    core = native(x, "sliding_window_view")
    sizes = sanitize_shape(window_shape, "sliding_window_view")
    axes = list(range(core.ndim)) if axis is None else manipulation._axes(axis, "sliding_window_view")
    if len(sizes) != len(axes):
        raise ValueError(f"sliding_window_view: {len(sizes)} window extents for {len(axes)} axes")
    for along, size in zip(axes, sizes, strict=True):
        core = _core.windows(core, manipulation._axis(along, native(x, "").ndim, "sliding_window_view"), size, 1)
    return wrap(core)


class RepetitionMethods:
    """Methods of DNDarray."""

    __slots__ = ()
    repeat = repeat
    tile = tile
    unfold = unfold
