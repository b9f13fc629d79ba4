# SPDX-License-Identifier: BSD-3-Clause
"""Sums of products over chosen axes: tensordot, kron, chains of products."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, manipulation
from equiheat._base import wrap
from equiheat.errors import AxisError
from equiheat.linalg._operands import ArrayLike, native_pair, natives
from equiheat.linalg._products import matmul

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _together(core: _core.Array, axes: Sequence[int]) -> list[int]:
    """The axes in an order in which they can be flattened where they are: a split one first. Local."""
    return sorted(axes, key=lambda axis: axis != core.split)


def _flat(core: _core.Array, groups: list[list[int]], split: int | None) -> DNDarray:
    """One axis for every group of axes. Local if a split axis is the first of its group."""
    moved = _core.permute(core, [axis for group in groups for axis in group])
    return wrap(_core.reshape(moved, [prod(core.gshape[axis] for axis in group) for group in groups], False, split))


def _group_of(core: _core.Array, groups: list[list[int]]) -> int | None:
    return next((i for i, group in enumerate(groups) if core.split in group), None)


def _axis_of(group: int | None, sizes: list[int]) -> int | None:
    """The axis of the result on which a split of that group goes; a group without axes (of a vector) passes it on."""
    order = [] if group is None else [group, 1, 2, 0]
    return next((sum(sizes[:g]) for g in order if sizes[g]), None)


def contract(
    a: _core.Array, b: _core.Array, batch: list[tuple[int, int]], summed: list[tuple[int, int]]
) -> tuple[DNDarray, list[int], list[int]]:
    """The product over pairs of axes: axes of the batch, then the free ones of a and of b; and which those are."""
    free_a = _together(a, [i for i in range(a.ndim) if i not in [p for p, _ in batch + summed]])
    free_b = _together(b, [i for i in range(b.ndim) if i not in [p for _, p in batch + summed]])
    lead = a if a.split is not None else b
    side = 0 if lead is a else 1
    summed = sorted(summed, key=lambda pair: pair[side] != lead.split)
    batch_order = sorted(batch, key=lambda pair: pair[side] != lead.split)
    groups_a = [[p for p, _ in batch_order], free_a, [p for p, _ in summed]]
    groups_b = [[p for _, p in batch_order], [p for _, p in summed], free_b]
    shape = [a.gshape[p] for p, _ in batch_order] + [a.gshape[i] for i in free_a] + [b.gshape[i] for i in free_b]
    split_a, split_b = _group_of(a, groups_a), _group_of(b, groups_b)
    left, right = _flat(a, groups_a, split_a), _flat(b, groups_b, split_b)
    if not batch:
        left, right = manipulation.squeeze(left, 0), manipulation.squeeze(right, 0)
    product = matmul(left, right)
    group = None if product.split is None else product.split + (not batch)
    split = _axis_of(group, [len(batch), len(free_a), len(free_b)])
    result = wrap(_core.reshape(product._core, shape, False, split))
    places = [p for p, _ in batch_order]
    if places != [p for p, _ in batch]:
        order = [places.index(p) for p, _ in batch]
        result = manipulation.transpose(result, order + list(range(len(batch), result.ndim)))
    return result, free_a, free_b


def ordered(result: DNDarray, present: list[Any], wanted: list[Any]) -> DNDarray:
    """The axes labelled `present` in the order `wanted`. Local."""
    if present == wanted:
        return result
    return manipulation.transpose(result, [present.index(label) for label in wanted])


def tensordot(
    a: ArrayLike, b: ArrayLike, axes: int | tuple[int | Sequence[int], int | Sequence[int]] | list[Any] = 2
) -> DNDarray:
    """Sum of products over pairs of axes, as `numpy.tensordot`.

    Parameters
    ----------
    a, b : array
        Any shapes and splits.
    axes : int or (axes of a, axes of b)
        Pairs of axes of equal extents; an integer k pairs the last k of a with the first k of b.

    Returns
    -------
    DNDarray
        The other axes of a, then those of b. Split along the axis that `matmul` of the flattened operands would be;
        where no axis of that operand is left, along the first of the other's.

    Raises
    ------
    ValueError
        Axes out of bounds or given twice, different numbers of axes or extents.

    Notes
    -----
    One `matmul`, whose cost it has; axes are put in an order that keeps the split where it is. Differentiable.

    Examples
    --------
    >>> a = ht.ones((2, 3, 4), split=1)
    >>> ht.linalg.tensordot(a, a, axes=([1, 2], [1, 2])).tolist()
    [[12.0, 12.0], [12.0, 12.0]]
    """
    left, right = native_pair("tensordot", ("a", "b"), a, b)
    first, second = _pairs(axes, left, right)
    dtype = _core.promote(left.local.dtype, right.local.dtype)
    if left.split is None and right.split is None and dtype not in _NOT_MULTIPLIED:
        product = torch.tensordot(left.local.to(dtype), right.local.to(dtype), dims=(first, second))
        return wrap(_core.Array(product, list(product.shape), None, None, left.comm))
    result, free_a, free_b = contract(left, right, [], list(zip(first, second, strict=True)))
    present: list[Any] = [("a", i) for i in free_a] + [("b", i) for i in free_b]
    return ordered(result, present, sorted(present))


#: Types for which torch has no products.
_NOT_MULTIPLIED = (torch.bool, torch.uint16, torch.uint32, torch.uint64)


def _pairs(axes: Any, a: _core.Array, b: _core.Array) -> tuple[list[int], list[int]]:
    if hasattr(axes, "__index__"):
        k = axes.__index__()
        if k < 0 or k > min(a.ndim, b.ndim):
            raise ValueError(f"tensordot: axes={k} needs that many axes; the operands have {a.ndim} and {b.ndim}")
        first, second = list(range(a.ndim - k, a.ndim)), list(range(k))
    else:
        first, second = ([x] if hasattr(x, "__index__") else list(x) for x in axes)
    if len(first) != len(second):
        raise ValueError(f"tensordot: axes {first} of a and {second} of b must be as many")
    pairs = []
    for x, chosen, name in ((a, first, "a"), (b, second, "b")):
        if any(not -x.ndim <= axis < x.ndim for axis in chosen):
            raise AxisError(f"tensordot: axes {chosen} of {name} are out of bounds for {x.ndim} dimensions")
        normal = [axis % x.ndim for axis in chosen]
        if len(set(normal)) < len(normal):
            raise ValueError(f"tensordot: axes {chosen} of {name} repeat")
        pairs.append(normal)
    for i, j in zip(*pairs, strict=True):
        if a.gshape[i] != b.gshape[j]:
            raise ValueError(
                f"tensordot: axis {i} of a has extent {a.gshape[i]}, axis {j} of b {b.gshape[j]}; they must be equal"
            )
    return pairs[0], pairs[1]


def kron(a: ArrayLike, b: ArrayLike) -> DNDarray:
    """Kronecker product: every element of a times the whole of b, as `numpy.kron`.

    Parameters
    ----------
    a, b : array
        Any shapes and splits; the one with fewer axes gets leading ones.

    Returns
    -------
    DNDarray
        Extents are products of extents. Split as a; if a is replicated, as b.

    Notes
    -----
    A split b beside a split a is gathered: every block of the result needs all of it. Differentiable.

    Examples
    --------
    >>> ht.linalg.kron(ht.array([1, 10], split=0), [1, 2, 3]).tolist()
    [1, 2, 3, 10, 20, 30]
    """
    left, right = native_pair("kron", ("a", "b"), a, b)
    ndim = max(left.ndim, right.ndim)
    x, y = (
        wrap(_core.reshape(c, [1] * (ndim - c.ndim) + list(c.gshape), False, _shifted(c, ndim))) for c in (left, right)
    )
    split = x.split if x.split is not None else y.split
    if x.split is None and y.split is not None:  # blocks of b's axis recur for every element of a's
        y = y.resplit(None)
        x = x.resplit(split)
    pairs = manipulation.expand_dims(x, [2 * i + 1 for i in range(ndim)]) * manipulation.expand_dims(
        y, [2 * i for i in range(ndim)]
    )
    shape = [m * n for m, n in zip(x.shape, y.shape, strict=True)]
    return wrap(_core.reshape(pairs._core, shape, False, split if ndim else None))


def _shifted(core: _core.Array, ndim: int) -> int | None:
    return None if core.split is None else core.split + ndim - core.ndim


def multi_dot(arrays: Sequence[ArrayLike]) -> DNDarray:
    """Product of several matrices in the order that costs the fewest multiplications, as `numpy.linalg.multi_dot`.

    Parameters
    ----------
    arrays : sequence of array
        Two or more; 2-D, but the first and the last may be 1-D.

    Returns
    -------
    DNDarray
        As the chain of `matmul`.

    Raises
    ------
    ValueError
        Fewer than two arrays, wrong numbers of dimensions, shapes that do not match.

    Notes
    -----
    The order is found by dynamic programming (Cormen et al., Introduction to Algorithms, 15.2) from the shapes; the
    products are `matmul`'s.

    Examples
    --------
    >>> a = ht.ones((2, 3), split=0)
    >>> ht.linalg.multi_dot([a, a.T, a]).shape
    (2, 3)
    """
    if len(arrays) < 2:
        raise ValueError(f"multi_dot: needs at least two arrays, has {len(arrays)}")
    cores = natives("multi_dot", tuple(f"array {i}" for i in range(len(arrays))), tuple(arrays))
    last = len(cores) - 1
    for i, core in enumerate(cores):
        if core.ndim != 2 and not (core.ndim == 1 and i in (0, last)):
            raise ValueError(f"multi_dot: array {i} has {core.ndim} dimensions; 2 are needed (1 at the ends)")
    sizes = [core.gshape[0] if core.ndim == 2 else 1 for core in cores[:1]]
    sizes += [core.gshape[0] for core in cores[1:]]
    sizes.append(cores[-1].gshape[1] if cores[-1].ndim == 2 else 1)
    cuts = _best_cuts(sizes)

    def product(i: int, j: int) -> DNDarray:
        if i == j:
            return wrap(cores[i])
        return matmul(product(i, cuts[i, j]), product(cuts[i, j] + 1, j))

    return product(0, last)


def _best_cuts(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to cut the chain of matrices i..j, of extents sizes[i] x sizes[i + 1]."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    cuts: dict[tuple[int, int], int] = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            offers = [(cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)]
            cost[i, j], cuts[i, j] = min(offers)
    return cuts
