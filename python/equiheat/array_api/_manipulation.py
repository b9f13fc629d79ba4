# SPDX-License-Identifier: BSD-3-Clause
"""Shapes, axes, order and repetition, with the standard's names and results."""

from __future__ import annotations

import builtins
import math
from typing import Any

import torch

from equiheat import manipulation
from equiheat.array_api._heat import Array, Axis, ht, moved

# fmt: off
__all__ = [
    "broadcast_arrays", "broadcast_shapes", "broadcast_to", "concat", "expand_dims", "flip", "moveaxis",
    "permute_dims", "repeat", "reshape", "roll", "squeeze", "stack", "tile", "unstack",
]
# fmt: on

Shape = Any


def broadcast_arrays(*arrays: Array) -> tuple[Array, ...]:
    """Every array broadcast to the common shape; see `equiheat.broadcast_to`."""
    return ht.broadcast_arrays(*arrays)


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes have together; ValueError if they do not broadcast. Local."""
    common: list[int] = []
    for shape in shapes:
        common = manipulation._common_shape(common, list(shape))
    return tuple(common)


def broadcast_to(x: Array, /, shape: Shape) -> Array:
    """X repeated along new axes and axes of length 1; see `equiheat.broadcast_to`."""
    return ht.broadcast_to(x, shape)


def concat(arrays: Any, /, *, axis: int | None = 0) -> Array:
    """Arrays behind one another along an axis, flattened first for None; see `equiheat.concatenate`."""
    if axis is None:
        return ht.concatenate([ht.reshape(x, (-1,)) for x in arrays], axis=0)
    return ht.concatenate(list(arrays), axis=axis)


def expand_dims(x: Array, /, axis: int | tuple[int, ...]) -> Array:
    """Axes of length 1 at the given positions of the result; IndexError for one out of range. Local."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    ndim = x.ndim + len(axes)
    for one in axes:
        if not -ndim <= one < ndim:
            raise IndexError(f"expand_dims: axis {one} is out of bounds for a result of {ndim} axes")
    return ht.expand_dims(x, axis)


def flip(x: Array, /, *, axis: Axis = None) -> Array:
    """Reversed along axes, all without; see `equiheat.flip`."""
    return ht.flip(x, axis)


def moveaxis(x: Array, source: Any, destination: Any, /) -> Array:
    """Axes at other positions; see `equiheat.moveaxis`."""
    return ht.moveaxis(x, source, destination)


def permute_dims(x: Array, /, axes: tuple[int, ...]) -> Array:
    """The axes in another order; see `equiheat.transpose`."""
    return ht.transpose(x, tuple(axes))


def repeat(x: Array, repeats: Any, /, *, axis: int | None = None) -> Array:
    """Every element, or entry along an axis, several times in a row; see `equiheat.repeat`."""
    return moved(x, lambda bits: ht.repeat(bits, repeats, axis))


def reshape(x: Array, /, shape: Shape, *, copy: builtins.bool | None = None) -> Array:
    """Another shape for the same elements in C order; see `equiheat.reshape`.

    Parameters
    ----------
    copy
        True: always; None: only if needed; False: never: ValueError, on all ranks, if the block of any would have to
        move or be copied (which costs one allreduce of a number if x is split).

    Notes
    -----
    Distribution: where `shape` has the split axis, with as many elements in front of it and behind it, it stays the
    split axis at its new number, nothing is sent, and the result is a view where it can be one (SciPy's integrators
    write through it).
    """
    result: Array = ht.reshape(x, shape, new_split=_kept_axis(x, shape))
    mine, before = result.larray, x.larray
    shares = mine.data_ptr() == before.data_ptr()
    stays = mine.numel() == before.numel() and (shares or mine.numel() == 0)
    if copy is False and not _everywhere(x, stays):
        raise ValueError(f"reshape: copy=False, but shape {x.shape} to {shape} needs a copy of split {x.split} blocks")
    return result.copy() if copy and shares else result


def _kept_axis(x: Array, shape: Shape) -> int | None:
    """The axis of `shape` that is the split axis of x, with as many elements in front of it and behind it; or None."""
    extents = list(shape) if isinstance(shape, (tuple, list)) else []
    split = x.split
    if split is None or x.size == 0 or 0 in extents:
        return None
    extents = [-x.size // math.prod(extents) if n == -1 else n for n in extents]
    behind = math.prod(x.shape[split + 1 :])
    fits = [k for k, n in enumerate(extents) if n == x.shape[split] and math.prod(extents[k + 1 :]) == behind]
    return min(fits, key=lambda k: abs(k - split), default=None) if math.prod(extents) == x.size else None


def _everywhere(x: Array, holds: builtins.bool) -> builtins.bool:
    """Whether it holds on all ranks: in one reshape, blocks stay on some and move on others."""
    if not x.is_distributed():
        return holds
    return builtins.bool(x.comm.allreduce(torch.tensor(holds, dtype=torch.int32), "min"))


def roll(x: Array, /, shift: Any, *, axis: Axis = None) -> Array:
    """Elements moved along axes, those over the end back in front; see `equiheat.roll`."""
    return ht.roll(x, shift, axis)


def squeeze(x: Array, /, axis: Any) -> Array:
    """Without axes of length 1; ValueError for a longer one. Local."""
    return ht.squeeze(x, axis)


def stack(arrays: Any, /, *, axis: int = 0) -> Array:
    """Arrays of one shape along a new axis; see `equiheat.stack`."""
    return ht.stack(list(arrays), axis=axis)


def tile(x: Array, repetitions: tuple[int, ...], /) -> Array:
    """X repeated whole along each axis; see `equiheat.tile`."""
    return ht.tile(x, repetitions)


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The entries along an axis, without it; see `equiheat.unstack`."""
    return tuple(ht.unstack(x, axis=axis))
