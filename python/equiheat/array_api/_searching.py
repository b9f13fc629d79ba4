# SPDX-License-Identifier: BSD-3-Clause
"""Searching, sets, sorting and indexing functions of the standard."""

from __future__ import annotations

import builtins
from typing import Any, NamedTuple

from equiheat.array_api._dtypes import default_of
from equiheat.array_api._heat import Array, Axis, Operand, ht, is_array

# fmt: off
__all__ = [
    "argmax", "argmin", "argsort", "count_nonzero", "isin", "nonzero", "searchsorted", "sort", "take",
    "take_along_axis", "unique_all", "unique_counts", "unique_inverse", "unique_values", "where",
]
# fmt: on


class UniqueAll(NamedTuple):
    """Distinct elements, where each occurs first, which one each element is, how often each occurs."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """Distinct elements and how often each occurs."""

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """Distinct elements and which one each element is."""

    values: Array
    inverse_indices: Array


def argmax(x: Array, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Array:
    """Index of the first largest element along an axis, or of the flattened array; see `equiheat.argmax`."""
    return ht.argmax(x, axis, keepdims=keepdims)


def argmin(x: Array, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Array:
    """Index of the first smallest element along an axis, or of the flattened array; see `equiheat.argmin`."""
    return ht.argmin(x, axis, keepdims=keepdims)


def count_nonzero(x: Array, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Array:
    """Number of elements that are not zero, over axes; int64; see `equiheat.count_nonzero`."""
    return ht.count_nonzero(x, axis=axis, keepdims=keepdims)


def nonzero(x: Array, /) -> tuple[Array, ...]:
    """Indices of the elements that are not zero, one array per axis; ValueError for 0-d; see `equiheat.nonzero`."""
    if x.ndim == 0:
        raise ValueError("nonzero: x is 0-d; it must have at least one axis")
    return tuple(ht.nonzero(x))


def searchsorted(x1: Array, x2: Operand, /, *, side: str = "left", sorter: Array | None = None) -> Array:
    """Where the values x2 would be inserted into the sorted 1-D array x1; see `equiheat.searchsorted`."""
    return ht.searchsorted(x1, x2, side=side, sorter=sorter)


def where(condition: Array, x1: Operand = None, x2: Operand = None, /) -> Any:
    """x1 where the condition holds, else x2; see `equiheat.where`. Two Python numbers give their default type.

    Beyond the standard, the condition alone gives `nonzero` of it, as in NumPy (scikit-learn does that).
    """
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise TypeError("where: x1 and x2 must be given both, or neither")
    if not is_array(x1) and not is_array(x2):
        kind = ht.promote_types(default_of(x1), default_of(x2))
        with ht.default_split(None):
            x1 = ht.full((), x1, dtype=kind, device=condition.device, comm=condition.comm)
    return ht.where(condition, x1, x2)


def isin(x1: Operand, x2: Operand, /, *, invert: builtins.bool = False) -> Array:
    """Whether each element of x1 is in x2, or is not for `invert`; see `equiheat.isin`."""
    return ht.isin(x1, x2, invert=invert)


def unique_all(x: Array, /) -> UniqueAll:
    """Distinct elements in ascending order with first indices, inverse and counts; see `equiheat.unique`."""
    return UniqueAll(*ht.unique_all(x))


def unique_counts(x: Array, /) -> UniqueCounts:
    """Distinct elements in ascending order and their counts; see `equiheat.unique`."""
    return UniqueCounts(*ht.unique_counts(x))


def unique_inverse(x: Array, /) -> UniqueInverse:
    """Distinct elements in ascending order and which one each element is; see `equiheat.unique`."""
    return UniqueInverse(*ht.unique_inverse(x))


def unique_values(x: Array, /) -> Array:
    """Distinct elements in ascending order; see `equiheat.unique`."""
    return ht.unique_values(x)


def sort(x: Array, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> Array:
    """Sorted along an axis; see `equiheat.sort`."""
    return ht.sort(x, axis=axis, descending=descending)


def argsort(x: Array, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> Array:
    """Indices that sort along an axis; equal elements stay in order; see `equiheat.argsort`."""
    return ht.argsort(x, axis=axis, descending=descending)


def take(x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
    """Entries along an axis, which 1-D arrays need not name; see `equiheat.take`."""
    if axis is None and x.ndim != 1:
        raise ValueError(f"take: axis must be given for an array of {x.ndim} axes")
    return ht.take(x, indices, 0 if axis is None else axis)


def take_along_axis(x: Array, indices: Array, /, *, axis: int = -1) -> Array:
    """The entries along an axis that indices of the same number of axes name; see `equiheat.take_along_axis`."""
    return ht.take_along_axis(x, indices, axis)
