# SPDX-License-Identifier: BSD-3-Clause
"""Who owns which rows of an array.

All functions are differentiable and leave their input alone, but for `balance` and the ones whose name ends in an
underscore.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from equiheat import _core
from equiheat._base import unwrap, wrap

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def resplit(arr: DNDarray, axis: int | None = None) -> DNDarray:
    """The same array split along `axis` under the chunk rule, or replicated for None.

    On three ranks, a (6, 6) array from split 0 to split 1::

        0 0 0 0 0 0        0 0 1 1 2 2
        0 0 0 0 0 0        0 0 1 1 2 2
        1 1 1 1 1 1   ->   0 0 1 1 2 2
        1 1 1 1 1 1        0 0 1 1 2 2
        2 2 2 2 2 2        0 0 1 1 2 2
        2 2 2 2 2 2        0 0 1 1 2 2

    Collective: one alltoallv from axis to axis, one allgather to None, nothing from None. The result never shares
    memory with arr. An array without axes stays replicated for any axis.
    """
    core = unwrap(arr, "resplit", "arr")
    return wrap(_core.resplit(core, axis if core.ndim else None))


def resplit_(arr: DNDarray, axis: int | None = None) -> DNDarray:
    """`resplit` in place; returns the array itself. Collective.

    The old block goes back to the system piece by piece as it is sent, unless something else looks at its memory: from
    axis to axis both together need at most 1.25 times the larger one.
    """
    return _replace(arr, _consumed(arr, "resplit_", axis if arr.ndim else None, None))


def balance(array: DNDarray, copy: bool = False) -> DNDarray:
    """The same array under the chunk rule along its split. Collective: one alltoallv if anything moves.

    As in Heat the array itself is balanced and returned, unless copy=True.
    """
    if copy:
        return wrap(_core.resplit(unwrap(array, "balance", "array"), array.split))
    return _replace(array, _consumed(array, "balance", unwrap(array, "balance", "array").split, None))


def balance_(array: DNDarray) -> None:
    """`balance` in place. Collective."""
    if not unwrap(array, "balance_", "array").is_balanced:
        balance(array, copy=False)


def redistribute(
    arr: DNDarray,
    lshape_map: Tensor | Sequence[Sequence[int]] | None = None,
    target_map: Tensor | Sequence[Sequence[int]] | Sequence[int] | None = None,
) -> DNDarray:
    """The same array with given extents along its split. Collective: one alltoallv if anything moves.

    Parameters
    ----------
    arr
        An array; a replicated one stays as it is.
    lshape_map
        Heat's hint of the present block shapes. They are always known here, so it is checked and not needed.
    target_map
        Wanted block shapes, (ranks, ndim), of which the column of the split counts, or just the wanted extents along
        the split, one per rank. Default: the chunk rule.

    Raises
    ------
    TypeError
        If a map is no table of integers.
    ValueError
        If the extents do not add up to the array's.
    """
    core, counts = _target(arr, lshape_map, target_map)
    return wrap(_core.resplit(core, core.split) if counts is None else _core.redistribute(core, counts))


def _target(arr: DNDarray, lshape_map: Any, target_map: Any) -> tuple[_core.Array, list[int] | None]:
    """The native array and the extents wanted, None for the chunk rule."""
    core = unwrap(arr, "redistribute", "arr")
    if core.split is None or core.counts is None:
        return core, None
    if lshape_map is not None and _counts(lshape_map, core, "lshape_map") != list(core.counts):
        raise ValueError(f"redistribute: lshape_map {lshape_map} is not the array's, {core.counts} along its split")
    return core, None if target_map is None else _counts(target_map, core, "target_map")


def redistribute_(
    arr: DNDarray,
    lshape_map: Tensor | Sequence[Sequence[int]] | None = None,
    target_map: Tensor | Sequence[Sequence[int]] | Sequence[int] | None = None,
) -> None:
    """`redistribute` in place; memory as for `resplit_`. Collective."""
    core, counts = _target(arr, lshape_map, target_map)
    split = core.split
    del core
    _replace(arr, _consumed(arr, "redistribute_", split, counts))


def collect(arr: DNDarray, target_rank: int = 0) -> DNDarray:
    """The same array, all of it on one rank; the others have no rows. Collective: one alltoallv.

    For arrays that are known to fit. A replicated array is everywhere anyway and is returned as it is.
    """
    core = unwrap(arr, "collect", "arr")
    size = core.comm.size
    if not hasattr(target_rank, "__index__"):
        raise TypeError(f"collect: target_rank must be an integer, is {type(target_rank)}")
    if not 0 <= target_rank < size:
        raise ValueError(f"collect: target_rank {target_rank} must be one of the {size} ranks")
    if core.split is None:
        return arr
    counts = [core.gshape[core.split] if rank == target_rank else 0 for rank in range(size)]
    return wrap(_core.redistribute(core, counts))


def collect_(arr: DNDarray, target_rank: int = 0) -> None:
    """`collect` in place. Collective."""
    core = collect(arr, target_rank)._core
    _check_leaf(arr._core, "collect_", core.split, core.counts)
    _replace(arr, core)


def _references(holder: Any) -> tuple[int, int, int]:
    """How many hold the native array, its tensor in Python, and its tensor in C++.

    Once Python has looked at a tensor, its object there lives on and may be one of the holders.
    """
    core = sys.getrefcount(holder._core)
    return core, sys.getrefcount(holder._core.local), holder._core.holders


class _Holder:
    """Holds a native array, as a DNDarray does."""

    def __init__(self, core: _core.Array) -> None:
        self._core = core


def _consumed(arr: DNDarray, fn: str, axis: int | None, counts: list[int] | None) -> _core.Array:
    """The native array under another layout; the present one is read for the last time if only `arr` holds it."""
    core = unwrap(arr, fn, "arr")
    _check_leaf(core, fn, axis, counts)
    alone = _Holder(core.with_local(torch.zeros(()).expand(core.local.shape)))
    del core
    last_reader = _references(arr) == _references(alone)
    return arr._core.consume(axis, counts, last_reader)


def _check_leaf(core: _core.Array, fn: str, axis: int | None, counts: Sequence[int] | None) -> None:
    """A leaf under another layout would be none, and its gradient lost. Local."""
    if not (torch.is_grad_enabled() and core.local.requires_grad and core.local.is_leaf):
        return
    is_same_axis = core.split == axis or (isinstance(axis, int) and core.split == axis + core.ndim)
    if not is_same_axis or not (core.is_balanced if counts is None else core.counts == list(counts)):
        raise RuntimeError(
            f"{fn}: an array that requires gradients itself cannot be changed in place; use resplit or redistribute, "
            "or torch.no_grad()"
        )


def _keep_leaf(old: _core.Array, new: _core.Array) -> None:
    """What was a leaf before its layout changed unrecorded stays one, with its gradient. Collective."""
    if new.local.requires_grad or not (old.local.requires_grad and old.local.is_leaf):
        return
    new.local.requires_grad_()
    if old.local.grad is not None:
        gradient = _core.resplit(old.with_local(old.local.grad), new.split)
        new.local.grad = gradient.local if new.counts is None else _core.redistribute(gradient, new.counts).local


def _replace(x: DNDarray, core: _core.Array) -> DNDarray:
    _keep_leaf(x._core, core)
    x._core = core
    x._halo_prev = x._halo_next = None  # they belonged to the old blocks
    return x


def _counts(given: Tensor | Sequence[Sequence[int]] | Sequence[int], core: _core.Array, name: str) -> list[int]:
    """Extents along the split from Heat's map of block shapes, or from the extents themselves."""
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        raise TypeError(f"redistribute: {name} must be a tensor or a sequence, is {type(given)}")
    rows: list[Any] = given.tolist() if isinstance(given, Tensor) else list(given)
    if len(rows) != core.comm.size:
        raise ValueError(f"redistribute: {name} has {len(rows)} rows for {core.comm.size} ranks; give one per rank")
    if all(isinstance(row, int) for row in rows):
        return rows
    if any(len(row) != core.ndim for row in rows):
        raise ValueError(f"redistribute: {name} must be ({core.comm.size}, {core.ndim}) for shape {core.gshape}")
    return [index(row[core.split or 0]) for row in rows]  # the other columns may be 0, as in Heat's examples
