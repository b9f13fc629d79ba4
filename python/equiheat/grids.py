# SPDX-License-Identifier: BSD-3-Clause
"""Coordinates: grids, open grids, and flat numbers of elements."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import _core, creation, manipulation, reductions
from equiheat._base import ArrayBase, wrap
from equiheat._function import native
from equiheat._sanitize import ShapeLike, sanitize_shape

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["indices", "ix_", "meshgrid", "ravel_multi_index", "unravel_index"]


def meshgrid(*arrays: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> list[DNDarray]:
    """Coordinate arrays of the grid that 1-D arrays span.

    Parameters
    ----------
    *arrays
        1-D arrays (or numbers) of any split.
    indexing
        ``"xy"``: the first array runs along axis 1 and the second along axis 0; ``"ij"``: array i along axis i.
    sparse
        Leave the other axes at extent 1, for broadcasting.
    copy
        False: results may share memory between elements; writing to one then makes a copy.

    Returns
    -------
    list of DNDarray

    Raises
    ------
    ValueError
        For another `indexing`, or arrays of more axes.

    Notes
    -----
    Distribution: all results along the axis that the first split array spans; sparse ones that do not run along it are
    replicated. Communication: none if one array is split; others that are split are gathered.

    Examples
    --------
    >>> a, b = ht.meshgrid(ht.arange(2, split=0), ht.arange(3))
    >>> a.shape, a.split
    ((3, 2), 1)
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: valid values for indexing are 'xy' and 'ij', is {indexing!r}")
    like = next((x._core for x in arrays if isinstance(x, ArrayBase)), None)
    cores = [native(x, "meshgrid", f"arrays[{i}]", like) for i, x in enumerate(arrays)]
    cores = [_core.reshape(c, [1]) if c.ndim == 0 else c for c in cores]
    for i, core in enumerate(cores):
        if core.ndim != 1:
            raise ValueError(f"meshgrid: arrays must be 1-D, arrays[{i}] has shape {core.gshape}")
    lead = next((i for i, c in enumerate(cores) if c.split is not None), None)
    axes = list(range(len(cores)))
    if indexing == "xy" and len(cores) > 1:
        axes[:2] = [1, 0]
    shape = [0] * len(cores)
    for core, axis in zip(cores, axes, strict=True):
        shape[axis] = core.gshape[0]
    out = []
    for i, (core, axis) in enumerate(zip(cores, axes, strict=True)):
        open_grid = _core.expand_dims(core if i == lead else core.resplit(None), [k for k in axes if k != axis])
        if not sparse:
            open_grid = _spread(open_grid, shape, None if lead is None else (axes[lead], cores[lead].counts))
        out.append(
            wrap(
                open_grid.with_local(open_grid.local.clone(memory_format=torch.contiguous_format))
                if copy
                else open_grid
            )
        )
    return out


def _spread(core: _core.Array, shape: list[int], split: tuple[int, list[int] | None] | None) -> _core.Array:
    """Broadcast, and laid out along an axis with given extents."""
    if split is None or core.split is not None:
        return _core.broadcast_to(core, shape)
    axis, counts = split
    assert counts is not None
    rank = core.comm.rank
    whole = core.with_local(_core.enter_partial(core.local, core.comm))  # ranks take parts: gradients add up
    block = _core.broadcast_to(whole, shape).local.narrow(axis, sum(counts[:rank]), counts[rank])
    return _core.Array(block, shape, axis, counts, core.comm)


def ix_(*args: Any) -> tuple[DNDarray, ...]:
    """1-D arrays shaped so that ``x[ix_(a, b)]`` takes rows a and columns b; masks become the numbers they hold at.

    Distribution: the split follows its axis. Communication: for split masks one number per rank.
    """
    like = next((x._core for x in args if isinstance(x, ArrayBase)), None)
    out = []
    for i, given in enumerate(args):
        core = native(given, "ix_", f"args[{i}]", like)
        if core.ndim != 1:
            raise ValueError(f"ix_: cross index must be 1 dimensional, args[{i}] has shape {core.gshape}")
        if core.local.dtype == torch.bool:
            core = _core.nonzero(core)[0]
        elif core.size == 0:
            core = core.with_local(core.local.to(torch.int64))
        out.append(wrap(_core.expand_dims(core, [k for k in range(len(args)) if k != i])))
    return tuple(out)


def indices(dimensions: ShapeLike, dtype: Any = torch.int64, sparse: bool = False, *, split: int | None = None) -> Any:
    """The index of every element of an array of these extents.

    Parameters
    ----------
    dimensions
        Shape of the array.
    dtype
        Of the result.
    sparse
        A tuple of open grids instead of one array.
    split
        An axis of the array along which the result is split.

    Returns
    -------
    DNDarray or tuple of DNDarray
        Shape ``(number of axes, *dimensions)``; entry i is each element's place on axis i. Local.
    """
    shape = sanitize_shape(dimensions, "indices")
    lines = [creation.arange(n, dtype=dtype, split=0 if k == split else None) for k, n in enumerate(shape)]
    grids = meshgrid(*lines, indexing="ij", sparse=sparse, copy=False)
    if sparse:
        return tuple(grids)
    return manipulation.stack(grids) if grids else creation.zeros((0,), dtype=dtype)


# ---------------------------------------------------------------------- flat numbers
def _check_bounds(x: DNDarray, size: int, fn: str, argument: str, error: type[Exception] = ValueError) -> None:
    """`error`, on every rank, for a number outside 0, ..., size - 1. Collective if x is split."""
    if x.size and (int(reductions.min(x)) < 0 or int(reductions.max(x)) >= size):
        raise error(f"{fn}: {argument} has numbers out of bounds for a size of {size}")


def _order(order: str, ndim: int, fn: str) -> list[int]:
    if order not in ("C", "F"):
        raise ValueError(f"{fn}: order must be 'C' or 'F', is {order!r}")
    return list(range(ndim))[:: -1 if order == "C" else 1]


def unravel_index(indices: Any, shape: ShapeLike, order: str = "C") -> tuple[DNDarray, ...]:
    """The places on every axis of elements given by their flat numbers; int64, distributed as the numbers.

    ValueError for a number out of bounds. Communication: two numbers per rank, to check that.
    """
    extents = sanitize_shape(shape, "unravel_index")
    core = native(indices, "unravel_index", "indices")
    if core.local.dtype.is_floating_point or core.local.dtype == torch.bool:
        raise TypeError(f"unravel_index: indices must be integers, have dtype {core.local.dtype}")
    _check_bounds(wrap(core), int(np.prod(extents)), "unravel_index", "indices")
    rest = core.local.to(torch.int64)
    out: dict[int, DNDarray] = {}
    for axis in _order(order, len(extents), "unravel_index"):
        n = max(extents[axis], 1)
        out[axis] = wrap(core.with_local(rest.remainder(n)))
        rest = rest.div(n, rounding_mode="floor")
    return tuple(out[axis] for axis in range(len(extents)))


def ravel_multi_index(
    multi_index: Sequence[Any], dims: ShapeLike, mode: str | Sequence[str] = "raise", order: str = "C"
) -> DNDarray:
    """The flat numbers of elements given by their places on every axis; int64.

    Parameters
    ----------
    multi_index
        One integer array for each axis; they broadcast.
    dims
        Extents of the axes.
    mode
        For places out of bounds, for all axes or one for each: ``"raise"``, ``"wrap"`` or ``"clip"``.
    order
        ``"C"`` or ``"F"``.

    Notes
    -----
    Distribution: as element-wise operations. Communication: two numbers per rank and axis for ``"raise"``.
    """
    extents = sanitize_shape(dims, "ravel_multi_index")
    parts = list(multi_index)
    if len(parts) != len(extents):
        raise ValueError(f"ravel_multi_index: {len(parts)} arrays for {len(extents)} dimensions")
    modes = [mode] * len(extents) if isinstance(mode, str) else list(mode)
    like = next((x._core for x in parts if isinstance(x, ArrayBase)), None)
    flat: Any = 0
    stride = 1
    for axis in _order(order, len(extents), "ravel_multi_index"):
        x = wrap(native(parts[axis], "ravel_multi_index", f"multi_index[{axis}]", like))
        flat = flat + bounded(x, extents[axis], modes[axis], "ravel_multi_index") * stride
        stride *= extents[axis]
    return flat


def bounded(x: DNDarray, size: int, mode: str, fn: str, error: type[Exception] = ValueError) -> DNDarray:
    """Integers brought into 0, ..., size - 1 as `mode` says: refused (`error`), wrapped round or clipped; as int64."""
    local = x._core.local
    if local.dtype.is_floating_point or local.dtype.is_complex or local.dtype == torch.bool:
        raise TypeError(f"{fn}: indices must be integers, have dtype {local.dtype}")
    local = local.to(torch.int64)
    if mode == "raise":
        _check_bounds(x, size, fn, "an index", error)
    elif mode == "wrap":
        local = local.remainder(max(size, 1))
    elif mode == "clip":
        local = local.clamp(0, max(operator.index(size) - 1, 0))
    else:
        raise ValueError(f"{fn}: mode must be 'raise', 'wrap' or 'clip', is {mode!r}")
    return wrap(x._core.with_local(local))
