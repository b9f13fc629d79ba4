# SPDX-License-Identifier: BSD-3-Clause
"""Axes added, arrays joined in more ways, entries put in and taken out."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import _core, indexing, manipulation
from equiheat._base import ArrayBase, wrap
from equiheat._function import native
from equiheat.errors import AxisError
from equiheat.manipulation import _axis

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = [
    "append",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block",
    "broadcast_shapes",
    "delete",
    "dstack",
    "insert",
    "rollaxis",
    "shape",
    "trim_zeros",
]


# ---------------------------------------------------------------------- shapes
def shape(a: Any) -> tuple[int, ...]:
    """Global shape of an array. Local."""
    return native(a, "shape", "a").gshape


def broadcast_shapes(*shapes: int | Sequence[int]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to; ValueError if they do not. Local."""
    common: list[int] = []
    for given in shapes:
        one = list(given) if isinstance(given, Sequence) else [operator.index(given)]
        common = manipulation._common_shape(common, one)
    return tuple(common)


def _one_or_all(arrays: list[DNDarray]) -> Any:
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least 1 axis; several arrays give a tuple. Local."""
    return _one_or_all([manipulation._at_least(native(x, "atleast_1d"), 1) for x in arys])


def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least 2 axes, new ones in front; several arrays give a tuple. Local."""
    return _one_or_all([manipulation._at_least(native(x, "atleast_2d"), 2) for x in arys])


def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least 3 axes: (1, n, 1) from 1-D, (m, n, 1) from 2-D; several arrays give a tuple. Local."""
    out = []
    for x in arys:
        core = native(x, "atleast_3d")
        added = {0: [0, 1, 2], 1: [0, 2], 2: [2]}.get(core.ndim)
        out.append(wrap(_core.expand_dims(core, added) if added else core))
    return _one_or_all(out)


def rollaxis(a: DNDarray, axis: int, start: int = 0) -> DNDarray:
    """Axis `axis` moved in front of axis `start`. Local; the split follows its axis."""
    ndim = native(a, "rollaxis", "a").ndim
    axis = _axis(axis, ndim, "rollaxis")
    if not -ndim <= start <= ndim:
        raise AxisError(f"rollaxis: start {start} is out of bounds for {ndim}-dimensional array")
    start += ndim if start < 0 else 0
    return manipulation.moveaxis(a, axis, start - 1 if axis < start else start)


# ---------------------------------------------------------------------- joining
def dstack(arrays: Sequence[Any]) -> DNDarray:
    """Joined along axis 2, after `atleast_3d`; see `concatenate`."""
    return manipulation.concatenate([atleast_3d(x) for x in arrays], 2)


def block(arrays: Any) -> DNDarray:
    """An array from nested lists of blocks: the innermost lists are joined along the last axis, the next along the one
    before it. Distribution and communication: as `concatenate`.
    """
    if isinstance(arrays, tuple):
        raise TypeError("block: arrays is a tuple; only lists can be used to arrange blocks")
    depth = _depth(arrays)
    ndim = max(depth, *(native(x, "block").ndim for x in _leaves(arrays)))
    return _assemble(arrays, depth, ndim)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(part) for part in arrays}
    if not depths:
        raise ValueError("block: lists of blocks cannot be empty")
    if len(depths) > 1:
        raise ValueError(f"block: list depths are mismatched: {sorted(depths)}")
    return depths.pop() + 1


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for part in arrays for leaf in _leaves(part)] if isinstance(arrays, list) else [arrays]


def _assemble(arrays: Any, depth: int, ndim: int) -> DNDarray:
    if depth == 0:
        return manipulation._at_least(native(arrays, "block"), ndim)
    parts = [_assemble(part, depth - 1, ndim) for part in arrays]
    return manipulation.concatenate(parts, -depth)


def append(arr: DNDarray, values: Any, axis: int | None = None) -> DNDarray:
    """`values` behind arr along an axis; without one, both in C order. Communication: as `concatenate`."""
    core = native(arr, "append", "arr")
    more = native(values, "append", "values", core)
    if axis is None:
        return manipulation.concatenate([manipulation.ravel(wrap(core)), manipulation.ravel(wrap(more))])
    return manipulation.concatenate([wrap(core), wrap(more)], axis)


# ---------------------------------------------------------------------- entries
def _numbers(obj: Any, extent: int, fn: str) -> np.ndarray[Any, Any]:
    """Places that a slice, an integer, integers or a mask mean, on the host: few compared with the array."""
    if isinstance(obj, slice):
        return np.arange(*obj.indices(extent))
    if isinstance(obj, ArrayBase):
        obj = obj._core.resplit(None).local.cpu().numpy()
    numbers = np.asarray(obj)
    if numbers.dtype == bool:
        if numbers.shape != (extent,):
            raise ValueError(f"{fn}: a mask must have the axis's {extent} entries, has shape {numbers.shape}")
        return np.flatnonzero(numbers)
    if numbers.size == 0:
        numbers = numbers.astype(np.int64)
    if numbers.dtype.kind not in "iu":
        raise IndexError(f"{fn}: obj must be integers, a slice or a mask, has dtype {numbers.dtype}")
    return numbers.astype(np.int64)


def _bounded(numbers: np.ndarray[Any, Any], low: int, high: int, axis: int, extent: int) -> None:
    bad = numbers[(numbers < low) | (numbers > high)]
    if bad.size:
        raise IndexError(f"index {bad.flat[0]} is out of bounds for axis {axis} with size {extent}")


def delete(arr: DNDarray, obj: Any, axis: int | None = None) -> DNDarray:
    """The array without some entries of an axis.

    Parameters
    ----------
    arr
        Array of any shape, dtype and split.
    obj
        Their numbers: an integer, integers, a slice or a mask.
    axis
        Default: of the elements in C order.

    Raises
    ------
    IndexError
        For a number out of bounds.

    Notes
    -----
    Distribution: the split of arr (0 without an axis); rows stay where they are, so extents may differ.
    Communication: one number per rank along the split, else none.

    Examples
    --------
    >>> ht.delete(ht.arange(5, split=0), [0, -1]).numpy().tolist()
    [1, 2, 3]
    """
    core = native(arr, "delete", "arr")
    if axis is None:
        core, axis = manipulation.ravel(wrap(core))._core, 0
    axis = _axis(axis, core.ndim, "delete")
    n = core.gshape[axis]
    numbers = _numbers(obj, n, "delete").ravel()
    _bounded(numbers, -n, n - 1, axis, n)
    along = core.split == axis and core.counts is not None
    counts = core.counts if along and core.counts is not None else None
    first = sum(counts[: core.comm.rank]) if counts is not None else 0
    own = counts[core.comm.rank] if counts is not None else n
    local = np.where(numbers < 0, numbers + n, numbers) - first
    keep = torch.ones(own, dtype=torch.bool)
    keep[torch.from_numpy(local[(local >= 0) & (local < own)])] = False
    mask = _core.Array(keep.to(core.local.device), [n], 0 if along else None, counts, core.comm)
    return wrap(_core.getitem(core, (*[slice(None)] * axis, mask)))


def insert(arr: DNDarray, obj: Any, values: Any, axis: int | None = None) -> DNDarray:
    """The array with `values` put in front of some entries of an axis.

    Parameters
    ----------
    arr
        Array of any shape, dtype and split.
    obj
        The entries' numbers, counted in arr: an integer, integers, a slice or a mask.
    values
        What to put in, cast to arr's dtype; broadcast as in ``x[..., obj, ...] = values``.
    axis
        Default: of the elements in C order.

    Raises
    ------
    IndexError
        For a number out of bounds.

    Notes
    -----
    Distribution: the split of arr (0 without an axis), balanced along it. Communication: along the split one alltoallv
    of arr and one of the values.

    Examples
    --------
    >>> ht.insert(ht.arange(3, split=0), 1, 7).numpy().tolist()
    [0, 7, 1, 2]
    """
    core = native(arr, "insert", "arr")
    if axis is None:
        core, axis = manipulation.ravel(wrap(core))._core, 0
    axis = _axis(axis, core.ndim, "insert")
    n = core.gshape[axis]
    numbers = _numbers(obj, n, "insert")
    _bounded(numbers, -n, n, axis, n)
    given = wrap(native(values, "insert", "values", core))
    if numbers.ndim == 0:
        given = manipulation._at_least(given._core, core.ndim)
        given = manipulation.moveaxis(given, 0, axis)
        numbers = np.full(given.shape[axis], numbers)
    numbers = np.where(numbers < 0, numbers + n, numbers).ravel()
    order = np.argsort(numbers, kind="stable")
    places = numbers.copy()
    places[order] += np.arange(len(numbers))
    moves, read, written = [], 0, 0
    for start in (*np.sort(numbers).tolist(), n):
        if start > read:
            moves.append((read, written, start - read))
        written += start - read + 1
        read = start
    out = wrap(_core.move_to(core, axis, n + len(numbers), moves))
    indexing.setitem(out, (*[slice(None)] * axis, places), given)
    return out


def trim_zeros(filt: DNDarray, trim: str = "fb") -> DNDarray:
    """The array without the zeros in front (``"f"`` in trim) and behind (``"b"``), along every axis. Collective."""
    core = native(filt, "trim_zeros", "filt")
    if set(trim.lower()) - set("fb"):
        raise ValueError(f"trim_zeros: trim must be made of 'f' and 'b', is {trim!r}")
    parts = []
    for coordinates, n in zip(_core.nonzero(core), core.gshape, strict=True):
        if coordinates.size == 0:
            return wrap(_core.getitem(core, (slice(0, 0),) * core.ndim))
        x = wrap(coordinates)
        first = int(x.min()) if "f" in trim.lower() else 0
        parts.append(slice(first, int(x.max()) + 1 if "b" in trim.lower() else n))
    return wrap(_core.getitem(core, tuple(parts)))
