# SPDX-License-Identifier: BSD-3-Clause
"""Order along an axis: sorting, the k largest, partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import Operand, deliver, native, pair, whole_number
from equiheat.errors import AxisError

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["argpartition", "argsort", "partition", "sort", "topk"]

_KINDS = (None, "quicksort", "mergesort", "heapsort", "stable")


def sort(
    a: Operand,
    axis: int | None = -1,
    *args: Any,
    descending: bool | None = False,
    out: DNDarray | None = None,
    return_sort_indices: bool = False,
    **kwargs: Any,
) -> Any:
    """Sorted copy along an axis; a pair with the order where `return_sort_indices`.

    Parameters
    ----------
    a : DNDarray
        Of any dtype. NaN comes last, complex numbers are ordered lexicographically, as in NumPy.
    axis : int, optional
        Along which to sort; None: the flattened array.
    descending : bool
        The reverse order: NaN first. Equal elements stay in the order of their indices.
    out : DNDarray, optional
        Where to write the sorted values; any split, the result's shape.
    return_sort_indices : bool
        Also return the order, as `argsort` does.
    *args, **kwargs
        NumPy's and the array API's `kind`, `order` and `stable`, which change nothing: the order is always stable.

    Returns
    -------
    DNDarray, or (DNDarray, DNDarray)
        Values with the dtype of `a`, and int64 indices.

    Raises
    ------
    ValueError
        If the axis is out of bounds, or `kind` is unknown.

    Notes
    -----
    Distribution: that of `a`, balanced or not; split 0 for the flattened array. Communication: none unless `axis` is
    the split. Then a sample sort with exact splitters, found by bits / 8 allreduces of 255 counts per rank; every
    element travels once (twice where there are at least two lines per rank). Memory: the input, the result and two
    blocks. Differentiable. Source: Cheng, Shah, Gilbert, Edelman, "A novel parallel sorting algorithm for
    contemporary architectures" (2007).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([3, 1, 2], split=0)
    >>> ht.sort(x).numpy()
    array([1, 2, 3])
    >>> ht.sort(x, descending=True, return_sort_indices=True)[1].numpy()
    array([0, 2, 1])
    """
    _check_options("sort", args, kwargs)
    core = native(a, "sort", "a")
    values, indices = _core.sort(core, _axis(axis, "sort"), bool(descending), True, return_sort_indices)
    result = deliver(wrap(cast(_core.Array, values)), out, True, "sort")
    return (result, wrap(cast(_core.Array, indices))) if return_sort_indices else result


def argsort(a: Operand, axis: int | None = -1, *args: Any, descending: bool | None = None, **kwargs: Any) -> DNDarray:
    """The order that sorts along an axis, stable: int64 indices into the global axis.

    Parameters are those of `sort`. Distribution and communication as `sort`, with indices beside the keys.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.argsort(ht.array([3.0, 1.0, 2.0], split=0)).numpy()
    array([1, 2, 0])
    """
    _check_options("argsort", args, kwargs)
    core = native(a, "argsort", "a")
    indices = _core.sort(core, _axis(axis, "argsort"), bool(descending), False, True)[1]
    return wrap(cast(_core.Array, indices))


def _axis(axis: Any, fn: str) -> int | None:
    if axis is None:
        return None
    try:
        return cast(int, axis.__index__())
    except AttributeError:
        raise TypeError(f"{fn}: axis must be None or an integer, is {type(axis)}") from None


def _check_options(fn: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """NumPy's options of a sort, none of which changes the result of a stable one."""
    given = dict(zip(("kind", "order"), args, strict=False))
    if len(args) > 2:
        raise TypeError(f"{fn}: at most kind and order may follow axis, got {len(args)} arguments")
    for name, value in {**given, **kwargs}.items():
        if name not in ("kind", "order", "stable"):
            raise TypeError(f"{fn}: unknown argument {name!r}; the order takes kind, order, stable and descending")
        if name == "kind" and value not in _KINDS:
            raise ValueError(f"{fn}: kind must be one of {_KINDS[1:]}, is {value!r}")
        if name == "order" and value is not None:
            raise ValueError(f"{fn}: order names fields of structured arrays, which there are not; got {value!r}")


def topk(
    a: Operand,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
    out: tuple[DNDarray, DNDarray] | None = None,
) -> tuple[DNDarray, DNDarray]:
    """The k largest (or smallest) elements along an axis and their indices, best first.

    Parameters
    ----------
    a : DNDarray
        Real, integer or complex; NaN counts as largest.
    k : int
        How many, at most the extent of the axis.
    dim : int
        The axis.
    largest : bool
        False: the smallest.
    sorted : bool
        Accepted for compatibility; the result is sorted either way. Equal elements come by ascending index.
    out : (DNDarray, DNDarray), optional
        Where to write values and indices.

    Returns
    -------
    (DNDarray, DNDarray)
        Values, and int64 indices along the axis.

    Raises
    ------
    TypeError
        If k or dim is no integer.
    ValueError
        Unless 0 <= k <= extent; for an `out` that is no pair.

    Notes
    -----
    Distribution: the split of `a`; balanced along `dim`. Communication: none unless `dim` is the split; then one
    allgather of k candidates per rank, or a sort where that is more than a block. Values are differentiable.

    Examples
    --------
    >>> import equiheat as ht
    >>> values, indices = ht.topk(ht.array([3, 9, 5, 9], split=0), 2)
    >>> values.numpy(), indices.numpy()
    (array([9, 9]), array([1, 3]))
    """
    first, second = pair("topk", out)
    number, axis = whole_number("topk", "k", k), whole_number("topk", "dim", dim, None)
    values, indices = (wrap(core) for core in _core.topk(native(a, "topk", "a"), number, axis, bool(largest)))
    return deliver(values, first, True, "topk"), deliver(indices, second, True, "topk")


def _check_kth(fn: str, core: _core.Array, kth: int | Sequence[int], axis: int | None) -> None:
    if axis is None:
        extent = core.size
    else:
        shape = core.gshape or (1,)
        if not -len(shape) <= axis < len(shape):
            raise AxisError(f"{fn}: axis {axis} is out of bounds for {len(core.gshape)}-dimensional array")
        extent = shape[axis]
    positions: Sequence[int] = kth if isinstance(kth, Sequence) else [kth]
    for k in positions:
        if not -extent <= k < extent:
            raise ValueError(f"{fn}: kth {k} is out of bounds for an axis of {extent} elements")


def partition(a: Operand, kth: int | Sequence[int], axis: int | None = -1) -> DNDarray:
    """A copy with the elements at `kth` where sorting would put them, smaller ones before, larger ones behind.

    All positions are put in order, which fulfils that for every `kth`; cost and distribution are those of `sort`.
    ValueError for a `kth` out of bounds.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.partition(ht.array([7, 1, 5], split=0), 1)[1].item()
    5
    """
    _check_kth("partition", native(a, "partition", "a"), kth, axis)
    return cast("DNDarray", sort(a, axis))


def argpartition(a: Operand, kth: int | Sequence[int], axis: int | None = -1) -> DNDarray:
    """The indices that `partition` would take; int64. Otherwise as `partition`."""
    _check_kth("argpartition", native(a, "argpartition", "a"), kth, axis)
    return argsort(a, axis)


class SortingMethods:
    """Methods of DNDarray."""

    __slots__ = ()
    argsort = argsort
    topk = topk
    argpartition = argpartition

    def sort(self, axis: int = -1, kind: str | None = None, order: None = None, *, descending: bool = False) -> None:
        """Sort this array in place, as NumPy's method does; the layout stays. See `equiheat.sort`."""
        x = cast("DNDarray", self)
        deliver(cast("DNDarray", sort(x, axis, kind, order, descending=descending)), x, True, "sort")
