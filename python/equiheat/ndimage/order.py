# SPDX-License-Identifier: BSD-3-Clause
"""Filters by order: minimum, maximum, median, percentile of every entry's neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import native
from equiheat._sliding import sliding_extreme
from equiheat.ndimage._arguments import around, array_of, axis_of, beyond_of, per_axis
from equiheat.stencils import map_ordered, whole_number

if TYPE_CHECKING:
    from equiheat.array import DNDarray

Pick = Callable[[Tensor, Tensor], Tensor]


def element(fn: str, ndim: int, size: Any, footprint: Any) -> np.ndarray[Any, Any]:
    """Which neighbours count, of a size or a footprint."""
    if footprint is None and size is None:
        raise ValueError(f"{fn}: no size and no footprint given")
    if footprint is not None:
        shape = array_of(footprint).astype(bool)
    else:
        shape = np.ones([whole_number(fn, "size", n, 1) for n in per_axis(fn, "size", size, ndim)], bool)
    if shape.ndim != ndim or not shape.any():
        raise ValueError(f"{fn}: footprint must have {ndim} axes and an entry that is true, has shape {shape.shape}")
    return shape


def views(u: Tensor, places: np.ndarray[Any, Any]) -> list[Tensor]:
    """The part of a block with its frame that lies at each true place of the window."""
    extents = [n - m + 1 for n, m in zip(u.shape, places.shape, strict=True)]
    return [u[tuple(slice(int(i), int(i) + n) for i, n in zip(at, extents, strict=True))] for at in np.argwhere(places)]


def _sums(u: Tensor, places: np.ndarray[Any, Any], heights: np.ndarray[Any, Any]) -> list[Tensor]:
    """Neighbours with their heights added, integers in a type that holds the sums. Local."""
    if not u.is_floating_point():
        u = u.to(torch.float64 if heights.dtype.kind == "f" else torch.int64)
    return [p + h for p, h in zip(views(u, places), heights[places].tolist(), strict=True)]


def extreme(
    fn: str,
    core: _core.Array,
    places: np.ndarray[Any, Any],
    heights: np.ndarray[Any, Any] | None,
    pick: Pick,
    beyond: tuple[str, float],
    origin: Any,
) -> DNDarray:
    """The extreme of neighbours, each with its height added; a box goes axis by axis."""
    kind = core.local.dtype
    if heights is not None and kind == torch.uint64:  # beyond what double precision tells apart
        heights = heights.astype(np.int64)

    def box(u: Tensor) -> Tensor:
        for axis, n in enumerate(places.shape):
            u = sliding_extreme(u, axis, n, pick)
        return u

    def general(u: Tensor) -> Tensor:
        parts = views(u, places) if heights is None else _sums(u, places, heights)
        result = parts[0]
        for part in parts[1:]:
            result = pick(result, part)
        if heights is not None and not kind.is_floating_point and kind not in (torch.bool, torch.uint64):
            result = result.clamp(torch.iinfo(kind).min, torch.iinfo(kind).max)
        return result.to(u.dtype) if len(parts) > 1 else result.to(u.dtype, copy=True)

    fn_of_block = box if heights is None and places.all() else general
    return map_ordered(core, *around(fn, places.shape, origin), beyond, fn_of_block)


def _extremes(
    fn: str, input: Any, size: Any, footprint: Any, pick: Pick, mode: Any, cval: float, origin: Any
) -> DNDarray:
    core = native(input, fn, "input")
    places = element(fn, core.ndim, size, footprint)
    if isinstance(mode, str):
        return extreme(fn, core, places, None, pick, beyond_of(fn, core, mode, cval), origin)
    if not places.all():
        raise ValueError(f"{fn}: one mode per axis goes with a size, not with a footprint")
    modes, shifts = (per_axis(fn, n, v, core.ndim) for n, v in (("mode", mode), ("origin", origin)))
    x = wrap(core)
    for axis, n in enumerate(places.shape):
        x = _along(fn, x, n, axis, pick, modes[axis], cval, shifts[axis])
    return x


def minimum_filter(
    input: Any, size: Any = None, footprint: Any = None, mode: Any = "reflect", cval: float = 0.0, origin: Any = 0
) -> DNDarray:
    """Minimum of every entry's neighbours.

    Parameters
    ----------
    input
        Array of any real dtype and split.
    size
        Extents of the window: one number, or one per axis.
    footprint
        Instead of a size: a bool array of the input's number of axes that says which neighbours count.
    mode, cval, origin
        As for `correlate`; with a size also one mode per axis. cval must be a value of the input's dtype.

    Returns
    -------
    DNDarray
        Of the input's dtype, shape and distribution.

    Raises
    ------
    ValueError
        For neither size nor footprint, an unknown mode, an origin outside of the window, a cval the dtype has not.

    Notes
    -----
    Communication: along the split the rows a block lacks. Boxes take a number of passes that grows with the logarithm
    of their extents, other footprints one per entry. Differentiable: gradients are shared between equals.

    Examples
    --------
    >>> ht.ndimage.minimum_filter(ht.array([3, 1, 2, 5], split=0), 3).tolist()
    [1, 1, 1, 2]
    """
    return _extremes("minimum_filter", input, size, footprint, torch.minimum, mode, cval, origin)


def maximum_filter(
    input: Any, size: Any = None, footprint: Any = None, mode: Any = "reflect", cval: float = 0.0, origin: Any = 0
) -> DNDarray:
    """Maximum of every entry's neighbours; see `minimum_filter`."""
    return _extremes("maximum_filter", input, size, footprint, torch.maximum, mode, cval, origin)


def _along(fn: str, input: Any, size: int, axis: int, pick: Pick, mode: str, cval: float, origin: int) -> DNDarray:
    core = native(input, fn, "input")
    k = axis_of(fn, axis, core.ndim)
    places = np.ones([whole_number(fn, "size", size, 1) if j == k else 1 for j in range(core.ndim)], bool)
    shifts = [origin if j == k else 0 for j in range(core.ndim)]
    return extreme(fn, core, places, None, pick, beyond_of(fn, core, mode, cval), shifts)


def minimum_filter1d(
    input: Any, size: int, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> DNDarray:
    """Minimum of `size` neighbours along an axis; see `minimum_filter`."""
    return _along("minimum_filter1d", input, size, axis, torch.minimum, mode, cval, origin)


def maximum_filter1d(
    input: Any, size: int, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> DNDarray:
    """Maximum of `size` neighbours along an axis; see `minimum_filter`."""
    return _along("maximum_filter1d", input, size, axis, torch.maximum, mode, cval, origin)


def _ranked(
    fn: str, input: Any, rank_of: Callable[[int], int], size: Any, footprint: Any, mode: str, cval: float, origin: Any
) -> DNDarray:
    core = native(input, fn, "input")
    places = element(fn, core.ndim, size, footprint)
    rank = rank_of(int(places.sum()))

    def pick(u: Tensor) -> Tensor:
        return torch.stack(views(u, places)).sort(0).values[rank]

    return map_ordered(core, *around(fn, places.shape, origin), beyond_of(fn, core, mode, cval), pick)


def rank_filter(
    input: Any,
    rank: int,
    size: Any = None,
    footprint: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """The neighbour of that rank in ascending order, negative ones from the largest; see `minimum_filter`.

    Memory: the window's number of entries times the block.
    """

    def chosen(n: int) -> int:
        if not -n <= rank < n:
            raise ValueError(f"rank_filter: rank {rank} does not fit a window of {n} entries")
        return rank % n

    return _ranked("rank_filter", input, chosen, size, footprint, mode, cval, origin)


def median_filter(
    input: Any, size: Any = None, footprint: Any = None, mode: Any = "reflect", cval: float = 0.0, origin: Any = 0
) -> DNDarray:
    """Median of every entry's neighbours, the upper one of an even number; see `rank_filter`."""
    return _ranked("median_filter", input, lambda n: n // 2, size, footprint, mode, cval, origin)


def percentile_filter(
    input: Any,
    percentile: float,
    size: Any = None,
    footprint: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """The neighbour at that percentile, negative ones from the top; see `rank_filter`."""
    if not -100 <= percentile <= 100:
        raise ValueError(f"percentile_filter: percentile must be from -100 to 100, is {percentile}")
    part = percentile + 100 if percentile < 0 else percentile
    rank_of = lambda n: n - 1 if part == 100 else int(float(n) * part / 100.0)  # noqa: E731
    return _ranked("percentile_filter", input, rank_of, size, footprint, mode, cval, origin)
