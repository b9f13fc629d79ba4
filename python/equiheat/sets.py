# SPDX-License-Identifier: BSD-3-Clause
"""Distinct elements, set operations, and places in sorted arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch

from equiheat import _core
from equiheat._base import ArrayBase, wrap
from equiheat._function import Operand, deliver, native
from equiheat.arithmetic import subtract
from equiheat.comparison import eq, ne
from equiheat.logical import logical_and, logical_not
from equiheat.manipulation import concatenate
from equiheat.sorting import _axis, argsort

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = [
    "bucketize",
    "digitize",
    "in1d",
    "intersect1d",
    "isin",
    "lexsort",
    "searchsorted",
    "setdiff1d",
    "setxor1d",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class UniqueAll(NamedTuple):
    """Distinct elements, their first indices, which one each element is, how often they occur."""

    values: DNDarray
    indices: DNDarray
    inverse_indices: DNDarray
    counts: DNDarray


class UniqueCounts(NamedTuple):
    """Distinct elements and how often they occur."""

    values: DNDarray
    counts: DNDarray


class UniqueInverse(NamedTuple):
    """Distinct elements and which one each element is."""

    values: DNDarray
    inverse_indices: DNDarray


def unique(
    a: Operand,
    sorted: bool = False,
    return_inverse: bool = False,
    axis: int | None = None,
    *,
    return_index: bool = False,
    return_counts: bool = False,
    equal_nan: bool = True,
) -> Any:
    """Distinct elements in ascending order, or distinct slices along an axis in lexicographic order.

    Parameters
    ----------
    a : DNDarray
        Of any dtype, shape and split.
    sorted : bool
        Accepted for compatibility; the result is sorted either way.
    return_inverse : bool
        Also return where each element (slice) is in the result: int64, the shape and layout of `a` (1-D).
    axis : int, optional
        Along which to compare slices; None: elements.
    return_index : bool
        Also return the index of each first occurrence, in the flattened array without an axis.
    return_counts : bool
        Also return how often each occurs.
    equal_nan : bool
        NaN equals NaN. Slices with NaN are always distinct, as in NumPy.

    Returns
    -------
    DNDarray, or tuple in the order (values, indices, inverse, counts)
        Values have the dtype of `a`, the others are int64.

    Notes
    -----
    Distribution: split 0 (`axis`) and balanced if `a` is split. Each rank sends the distinct rows of its block only:
    one allgather of at most P^2 samples, one alltoallv, and one back for the inverse. An array split along another
    axis than `axis` is redistributed first. Not differentiable. Source: Shi and Schaeffer, "Parallel sorting by
    regular sampling" (1992).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([3, 1, 3, 2, 1], split=0)
    >>> ht.unique(x).numpy()
    array([1, 2, 3])
    >>> values, counts = ht.unique(x, return_counts=True)
    >>> counts.numpy()
    array([2, 1, 2])
    """
    along = _axis(axis, "unique")
    core = native(a, "unique", "a")
    found = _core.unique(core, along, return_index, return_inverse, return_counts, equal_nan and along is None)
    if not (return_index or return_inverse or return_counts):
        return wrap(found[0])
    return tuple(wrap(part) for part in found if part is not None)


def unique_all(x: Operand, /) -> UniqueAll:
    """`unique` with indices, inverse and counts; every NaN is distinct. The array API standard's.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.unique_all(ht.array([2, 1, 2], split=0)).inverse_indices.numpy()
    array([1, 0, 1])
    """
    kwargs = {"return_index": True, "return_inverse": True, "return_counts": True}
    return UniqueAll(*unique(x, equal_nan=False, **kwargs))


def unique_counts(x: Operand, /) -> UniqueCounts:
    """`unique` with counts; every NaN is distinct. The array API standard's."""
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False))


def unique_inverse(x: Operand, /) -> UniqueInverse:
    """`unique` with the inverse; every NaN is distinct. The array API standard's."""
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False))


def unique_values(x: Operand, /) -> DNDarray:
    """`unique` where every NaN is distinct. The array API standard's."""
    return cast("DNDarray", unique(x, equal_nan=False))


def searchsorted(
    a: Operand, v: Operand, side: str = "left", sorter: Operand | None = None, *, out_int32: bool = False
) -> DNDarray:
    """Where values would be inserted into a sorted array so that it stays sorted.

    Parameters
    ----------
    a : DNDarray
        1-D, ascending (NaN last) unless `sorter` is given; may be split.
    v : DNDarray
        Values; may be split, of any shape.
    side : "left" or "right"
        Before or behind equal elements.
    sorter : array of int, optional
        The order that sorts `a`, as of `argsort`.
    out_int32 : bool
        Return int32 instead of int64.

    Returns
    -------
    DNDarray
        int64 with the shape and layout of `v`.

    Raises
    ------
    ValueError
        `a` is not 1-D, `sorter` has another shape, `side` is another word.

    Notes
    -----
    Communication: none if `a` is replicated. One allreduce of v's size if only `a` is split; if both are, an
    allgather of a value per rank and two alltoallv of v's elements: no array is gathered. Not differentiable.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.searchsorted(ht.array([1, 3, 5], split=0), ht.array([0, 3, 9], split=0)).numpy()
    array([0, 1, 3])
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', is {side!r}")
    core = native(a, "searchsorted", "a")
    if sorter is not None:
        order = native(sorter, "searchsorted", "sorter", core)
        if list(order.gshape) != list(core.gshape):
            raise ValueError(f"searchsorted: sorter has shape {tuple(order.gshape)}, a {tuple(core.gshape)}")
        core = wrap(core)[wrap(order)]._core
    return _places(core, v, side == "right", out_int32, None, "searchsorted")


def _places(
    a: _core.Array, v: Operand, right: bool, out_int32: bool, out: DNDarray | None, fn: str, turned: int | None = None
) -> DNDarray:
    """Places of v in a; counted from the end of `turned` elements if given."""
    result = wrap(_core.searchsorted(a, _beside(v, a, fn), right))
    if turned is not None:
        result = subtract(turned, result)
    if out_int32:
        result = wrap(result._core.with_local(result._core.local.to(torch.int32)))
    return deliver(result, out, True, fn)


def _beside(v: Operand, a: _core.Array, fn: str, argument: str = "v") -> _core.Array:
    """Values as an array, a Python number as one that is compared with a's elements exactly. Local."""
    if type(v) not in (int, float):
        return native(v, fn, argument, a)
    return _core.Array(_number_beside(v, a.local.dtype), [], None, None, a.comm)


def _number_beside(v: float, kind: torch.dtype) -> torch.Tensor:
    """A number in this dtype if it holds it, else in float64, infinite if it is beyond all integers of the dtype."""
    if kind.is_floating_point or kind.is_complex:
        held = not abs(v) > torch.finfo(kind).max or v in (math.inf, -math.inf)
        return torch.tensor(float(v), dtype=kind if held else torch.float64)
    if isinstance(v, int):
        whole = torch.int64 if kind == torch.bool else kind
        limits = torch.iinfo(whole)
        if limits.min <= v <= limits.max:
            return torch.tensor(v, dtype=whole)
        v = math.inf if v > 0 else -math.inf
    return torch.tensor(v, dtype=torch.float64)


def digitize(x: Operand, bins: Operand, right: bool = False) -> DNDarray:
    """The bin of each element: i where bins[i - 1] <= x < bins[i]; bins[i - 1] < x <= bins[i] for `right`.

    `bins` is 1-D and ascending or descending (then with the comparisons turned round); ValueError otherwise. int64,
    the layout of `x`. Communication: that of `searchsorted`, and one of the bins if they are split.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.digitize(ht.array([0.2, 6.4, 3.0], split=0), [0.0, 1.0, 2.5, 4.0]).numpy()
    array([1, 4, 3])
    """
    array = native(x, "digitize")
    edges = native(bins, "digitize", "bins", array)
    if edges.ndim != 1:
        raise ValueError(f"digitize: bins must be 1-dimensional, has shape {tuple(edges.gshape)}")
    last = edges.gshape[0]
    lower, upper = wrap(edges)[: last - 1], wrap(edges)[1:] if last else wrap(edges)
    if last < 2 or bool((upper >= lower).all()):
        return _places(edges, wrap(array), not right, False, None, "digitize")
    if not bool((upper <= lower).all()):
        raise ValueError("digitize: bins must ascend or descend monotonically")
    return _places(_core.flip(edges, [0]), wrap(array), not right, False, None, "digitize", last)


def bucketize(
    input: Operand, boundaries: Operand, out_int32: bool = False, right: bool = False, out: DNDarray | None = None
) -> DNDarray:
    """The bucket of each element, as torch counts: boundaries[i - 1] < x <= boundaries[i]; <= and < for `right`.

    `boundaries` is 1-D and ascending. int64 (int32 for `out_int32`), the layout of `input`. Communication: that of
    `searchsorted`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.bucketize(ht.array([3, 6, 9], split=0), [1, 3, 5, 7, 9]).numpy()
    array([1, 3, 4])
    """
    array = native(input, "bucketize", "input")
    edges = native(boundaries, "bucketize", "boundaries", array)
    return _places(edges, wrap(array), right, out_int32, out, "bucketize")


# ---------------------------------------------------------------------- sets
def isin(
    element: Operand, test_elements: Operand, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> DNDarray:
    """Whether each element is among the test elements; the shape and layout of `element`.

    `assume_unique` and `kind` are accepted for compatibility. NaN is in nothing. A Python number is compared exactly;
    one beyond the range of an array of integers is in none. Communication: that of `unique` of the
    test elements and of `searchsorted`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.isin(ht.array([1, 2, 5], split=0), [5, 1]).tolist()
    [True, False, True]
    """
    if kind not in (None, "sort", "table"):
        raise ValueError(f"isin: kind must be None, 'sort' or 'table', is {kind!r}")
    if isinstance(test_elements, ArrayBase):
        array = wrap(_beside(element, test_elements._core, "isin", "element"))
    else:
        array = wrap(native(element, "isin", "element"))
    among = unique(wrap(_beside(test_elements, array._core, "isin", "test_elements")))
    below = _core.searchsorted(among._core, array._core, False)
    found = ne(wrap(_core.searchsorted(among._core, array._core, True)), wrap(below))
    if array._core.local.dtype.is_floating_point or array._core.local.dtype.is_complex:
        found = logical_and(found, eq(array, array))
    return logical_not(found) if invert else found


def in1d(ar1: Operand, ar2: Operand, assume_unique: bool = False, invert: bool = False) -> DNDarray:
    """`isin` of the flattened array."""
    return isin(_flat(ar1, "in1d"), ar2, assume_unique, invert)


def _flat(x: Operand, fn: str) -> DNDarray:
    core = native(x, fn)
    return wrap(core) if core.ndim == 1 else wrap(_core.reshape(core, [core.size], False, _first(core)))


def _first(core: _core.Array) -> int | None:
    return None if core.split is None else 0


def union1d(ar1: Operand, ar2: Operand) -> DNDarray:
    """Distinct elements of both arrays, ascending. Communication: that of `concatenate` and `unique`."""
    return cast("DNDarray", unique(concatenate((_flat(ar1, "union1d"), _flat(ar2, "union1d")))))


def intersect1d(ar1: Operand, ar2: Operand, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """Distinct elements that are in both arrays, ascending; with `return_indices` their first indices in each, too.

    `assume_unique` is accepted for compatibility. Communication: that of `unique` and `isin`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.intersect1d(ht.array([3, 1, 2, 1], split=0), [1, 3, 4]).numpy()
    array([1, 3])
    """
    first, index1 = unique(_flat(ar1, "intersect1d"), return_index=True)
    second, index2 = unique(_flat(ar2, "intersect1d"), return_index=True)
    mask = isin(first, second)
    common = first[mask]
    return (common, index1[mask], index2[isin(second, first)]) if return_indices else common


def setdiff1d(ar1: Operand, ar2: Operand, assume_unique: bool = False) -> DNDarray:
    """Distinct elements of the first array that are not in the second, ascending; in their order, not made distinct,
    for `assume_unique`. Communication: that of `unique` and `isin`.
    """
    values = _flat(ar1, "setdiff1d")
    values = values if assume_unique else unique(values)
    return values[isin(values, ar2, invert=True)]


def setxor1d(ar1: Operand, ar2: Operand, assume_unique: bool = False) -> DNDarray:
    """Distinct elements that are in one array only, ascending. Communication: that of `union1d` and `isin`."""
    first, second = unique(_flat(ar1, "setxor1d")), unique(_flat(ar2, "setxor1d"))
    both = union1d(first, second)
    return both[logical_not(logical_and(isin(both, first), isin(both, second)))]


def lexsort(keys: Any, axis: int = -1) -> DNDarray:
    """The order that sorts by several keys along an axis, the last key first: int64, stable.

    `keys` is a sequence of arrays of one shape, or an array whose first axis counts them. Each key is replaced by its
    place among the distinct ones (`unique`); the combined places are sorted (`argsort`). Communication: theirs.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.lexsort((ht.array([9, 4, 0], split=0), ht.array([1, 5, 1], split=0))).numpy()
    array([2, 0, 1])
    """
    arrays = [wrap(native(key, "lexsort", "keys")) for key in keys]
    if not arrays or any(key.shape != arrays[0].shape for key in arrays):
        raise ValueError(f"lexsort: keys must be arrays of one shape, have {[key.shape for key in arrays]}")
    order = None
    for key in reversed(arrays):
        values, places = unique(key, return_inverse=True)
        if order is not None:
            places = unique(order * max(values.shape[0], 1) + places, return_inverse=True)[1]
        order = places
    return argsort(order, axis)


class SetMethods:
    """Methods of DNDarray."""

    __slots__ = ()
    unique = unique
    searchsorted = searchsorted
    digitize = digitize
