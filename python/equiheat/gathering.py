# SPDX-License-Identifier: BSD-3-Clause
"""Elements read and written by number, by mask and by choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from equiheat import _core, conditional, grids, indexing, manipulation, reductions, repetition
from equiheat._base import unwrap, wrap
from equiheat._function import native, to_write
from equiheat.manipulation import _axis

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = [
    "argwhere",
    "choose",
    "compress",
    "copyto",
    "extract",
    "flatnonzero",
    "index_add",
    "place",
    "put",
    "put_along_axis",
    "putmask",
    "scatter",
    "scatter_add",
    "select",
    "take_along_axis",
]


# ---------------------------------------------------------------------- by number
def take_along_axis(arr: DNDarray, indices: Any, axis: int | None = -1) -> DNDarray:
    """Entries of one axis, chosen for every line of the others: what `argsort` along that axis gives sorts the array.

    Parameters
    ----------
    arr
        Array of any shape, dtype and split.
    indices
        Integers; as many axes as arr, extents that broadcast but for `axis`; of any split.
    axis
        None: the elements of arr in C order, and 1-D indices.

    Returns
    -------
    DNDarray
        Of the indices' extent along the axis.

    Raises
    ------
    IndexError
        For a number out of bounds, on every rank.

    Notes
    -----
    Distribution: the split of arr unless that is the axis, then the indices' split, or the longest axis. Communication:
    none but for indices laid out otherwise; on the split axis one alltoallv of requests (if the indices are split) and
    one of the result.

    Examples
    --------
    >>> x = ht.array([[3, 1, 2]], split=1)
    >>> ht.take_along_axis(x, ht.array([[1, 2, 0]], split=1), 1).numpy().tolist()
    [[1, 2, 3]]
    """
    core = native(arr, "take_along_axis", "arr")
    if axis is None:
        core, axis = manipulation.ravel(wrap(core))._core, 0
    return wrap(_core.take_along(core, _integers(indices, core, "take_along_axis"), axis))


def put_along_axis(arr: DNDarray, indices: Any, values: Any, axis: int | None, *, mode: str = "assign") -> None:
    """Write `values` where `take_along_axis` reads, in place.

    Parameters
    ----------
    arr
        Array of any shape, dtype and split.
    indices
        As of `take_along_axis`.
    values
        A number or an array that broadcasts to the indices.
    axis
        None: the elements of arr in C order.
    mode
        ``"assign"`` or ``"add"``. Of equal numbers the last is assigned, all are added.
    """
    core = to_write(arr, "put_along_axis", "arr")
    if mode not in ("assign", "add"):
        raise ValueError(f"put_along_axis: mode must be 'assign' or 'add', is {mode!r}")
    where = _integers(indices, core, "put_along_axis")
    given = indexing._value(core, values)
    if axis is None:
        core = _with_axes(core)
        numbers = grids.bounded(wrap(_wrapped(where, core.size)), core.size, "raise", "put_along_axis", IndexError)
        places = grids.unravel_index(numbers, core.gshape)
        _write(core, list(range(core.ndim)), [p._core for p in places], given, mode == "add")
    else:
        _core.put_along(core, where, given, axis, mode == "add")


def _wrapped(core: _core.Array, size: int) -> _core.Array:
    """Negative numbers counted from the end."""
    local = core.local.to(torch.int64)
    return core.with_local(torch.where(local < 0, local + size, local))


def _with_axes(core: _core.Array) -> _core.Array:
    """A 0-d array as one of an element, in the same memory."""
    return core if core.ndim else _core.expand_dims(core, [0])


def _write(core: _core.Array, axes: list[int], places: list[_core.Array], given: _core.Array, add: bool) -> None:
    """Values, broadcast, to places on all axes."""
    if given.ndim and places:
        given = _core.broadcast_to(given, list(places[0].gshape))
    _core.put_at(core, axes, places, given, add)


def _integers(indices: Any, core: _core.Array, fn: str) -> _core.Array:
    out = native(indices, fn, "indices", core)
    dtype = out.local.dtype
    if dtype.is_floating_point or dtype.is_complex or dtype == torch.bool:
        raise IndexError(f"{fn}: indices must be integers, have dtype {dtype}")
    return out


def scatter(x: DNDarray, axis: int, index: Any, src: Any) -> DNDarray:
    """A copy of x with `src` written along an axis at the places in `index`, as torch's scatter.

    ``out[i, index[i, j], ...] = src[i, j, ...]`` for every place of index, whose extents may be smaller than x's
    beside the axis. Of equal places the last counts. Communication: as `put_along_axis`.
    """
    return _scattered(x, axis, index, src, False)


def scatter_add(x: DNDarray, axis: int, index: Any, src: Any) -> DNDarray:
    """As `scatter`, added to what is there; equal places add up."""
    return _scattered(x, axis, index, src, True)


def _scattered(x: DNDarray, axis: int, index: Any, src: Any, add: bool) -> DNDarray:
    core = native(x, "scatter")
    core = core.with_local(core.local.clone())
    axis = _axis(axis, core.ndim, "scatter")
    where = _integers(index, core, "scatter")
    if where.ndim != core.ndim:
        raise ValueError(f"scatter: index has {where.ndim} axes, the array {core.ndim}; they must have the same number")
    given = indexing._value(core, src)
    if given.ndim:
        given = _core.getitem(given, tuple(slice(0, n) for n in where.gshape))
    part = tuple(slice(None) if k == axis else slice(0, n) for k, n in enumerate(where.gshape))
    _core.put_along(_core.getitem(core, part), where, given, axis, add)
    return wrap(core)


def index_add(x: DNDarray, axis: int, index: Any, source: Any, *, alpha: complex = 1) -> DNDarray:
    """A copy of x with ``alpha * source``'s entries added to the entries `index` of an axis; equal numbers add up.

    Parameters
    ----------
    x
        Array of any shape, dtype and split.
    axis
        The axis.
    index
        1-D integers, any split.
    source
        As x, but of the index's extent along the axis; or what broadcasts to that.

    Notes
    -----
    Distribution: the layout of x. Communication: along the split one alltoallv of the source, and of the index if it
    is split.
    """
    core = native(x, "index_add")
    core = core.with_local(core.local.clone())
    axis = _axis(axis, core.ndim, "index_add")
    where = _integers(index, core, "index_add")
    if where.ndim != 1:
        raise ValueError(f"index_add: index must be 1-D, has shape {where.gshape}")
    given = indexing._value(core, source)
    if alpha != 1:
        given = (wrap(given) * alpha)._core
    if given.ndim:
        shape = [where.gshape[0] if k == axis else n for k, n in enumerate(core.gshape)]
        given = _core.broadcast_to(given, shape)
    _core.put_at(core, [axis], [where], given, True)
    return wrap(core)


def put(a: DNDarray, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write values to elements given by their flat numbers, in place.

    Parameters
    ----------
    a
        Array of any shape, dtype and split.
    ind
        Integers of any shape and split; negative ones count from the end unless `mode` says otherwise.
    v
        Values, repeated or cut to the number of elements.
    mode
        For numbers out of bounds: ``"raise"``, ``"wrap"`` or ``"clip"``.

    Notes
    -----
    Communication: that of ``a[...] = v`` with as many split arrays of integers as a has axes.
    """
    core = _with_axes(to_write(a, "put", "a"))
    where = _integers(ind, core, "put")
    if mode == "raise":
        where = _wrapped(where, core.size)
    numbers = manipulation.ravel(grids.bounded(wrap(where), core.size, mode, "put", IndexError))
    given = manipulation.ravel(wrap(indexing._value(core, v)))
    if given.size > 1 or given.size == 0:
        given = repetition.resize(given, (numbers.size,))
    if numbers.size:
        places = grids.unravel_index(numbers, core.gshape)
        _write(core, list(range(core.ndim)), [p._core for p in places], given._core, False)


# ---------------------------------------------------------------------- by mask
def argwhere(x: Any) -> DNDarray:
    """Where x is not zero: (number of them, axes) int64, in C order. Distribution and communication: as `nonzero`."""
    core = native(x, "argwhere")
    if core.ndim == 0:
        found = int(bool(core.local))
        return wrap(_core.replicated_like(core, torch.zeros((found, 0), dtype=torch.int64)))
    return manipulation.stack(list(map(wrap, _core.nonzero(core))), 1)


def flatnonzero(a: Any) -> DNDarray:
    """Flat numbers, in C order, of the elements that are not zero. Distribution and communication: as `nonzero`."""
    flat = manipulation.ravel(wrap(native(a, "flatnonzero", "a")))
    return wrap(_core.nonzero(flat._core)[0])


def compress(condition: Any, a: DNDarray, axis: int | None = None) -> DNDarray:
    """Entries of an axis (default: elements in C order) where a 1-D condition holds, which may be shorter than it.

    Distribution and communication: as ``a[mask]``.
    """
    core = native(a, "compress", "a")
    mask = native(condition, "compress", "condition", core)
    if mask.ndim != 1:
        raise ValueError(f"compress: condition must be a 1-d array, has shape {mask.gshape}")
    if axis is None:
        core, axis = manipulation.ravel(wrap(core))._core, 0
    axis = _axis(axis, core.ndim, "compress")
    holds = mask.with_local(mask.local.ne(0))
    n = core.gshape[axis]
    if holds.size > n:
        if int(reductions.sum(wrap(holds)[n:])):
            raise IndexError(f"compress: condition holds beyond the {n} entries of axis {axis}")
        holds = _core.getitem(holds, (slice(0, n),))
    before = [slice(None)] * axis
    return wrap(_core.getitem(_core.getitem(core, (*before, slice(0, holds.size))), (*before, holds)))


def extract(condition: Any, arr: DNDarray) -> DNDarray:
    """Elements, in C order, where the condition (of as many elements) is not zero; as `compress` of both in C order."""
    return compress(manipulation.ravel(wrap(native(condition, "extract", "condition"))), arr)


def place(arr: DNDarray, mask: Any, vals: Any) -> None:
    """Write `vals`, repeated or cut, to the elements where the mask holds, in C order, in place."""
    core = unwrap(arr, "place", "arr")
    where = native(mask, "place", "mask", core)
    holds = wrap(where.with_local(where.local.ne(0)))
    given = manipulation.ravel(wrap(indexing._value(core, vals)))
    n = int(reductions.sum(holds))
    if n and given.size == 0:
        raise ValueError("place: cannot insert from an empty array")
    if n:
        arr[holds] = repetition.resize(given, (n,)) if given.size > 1 else given


def putmask(a: DNDarray, mask: Any, values: Any) -> None:
    """Where the mask holds write the elements of `values`, repeated to a's shape, in place."""
    core = unwrap(a, "putmask", "a")
    given = wrap(indexing._value(core, values))
    if given.size > 1 and given.shape != a.shape:
        given = repetition.resize(given, a.shape)
    copyto(a, given, where=mask)


def copyto(dst: DNDarray, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Write `src`, broadcast, into dst where `where` holds; dst keeps its dtype and layout.

    TypeError where `casting` (NumPy's names) does not allow the types. Communication: src's redistribution.
    """
    core = unwrap(dst, "copyto", "dst")
    given = indexing._value(core, src)
    source = torch.tensor(src) if type(src) in (bool, int, float, complex) else given.local
    if not _castable(source, core.local, casting):
        raise TypeError(f"copyto: cannot cast from {source.dtype} to {core.local.dtype} by the rule {casting!r}")
    wide = _core.broadcast_to(given, list(core.gshape))
    if where is True:
        dst[...] = wrap(wide)
        return
    mask = native(where, "copyto", "where", core)
    holds = wrap(_core.broadcast_to(mask.with_local(mask.local.ne(0)), list(core.gshape)))
    dst[...] = conditional.select(holds, wrap(wide.with_local(wide.local.to(core.local.dtype))), dst)


def _castable(source: Tensor, target: Tensor, casting: str) -> bool:
    if casting == "unsafe" or source.dtype == target.dtype:
        return True
    if casting == "same_kind":
        return torch.can_cast(source.dtype, target.dtype)
    if casting == "safe":
        return torch.promote_types(source.dtype, target.dtype) == target.dtype
    return False


# ---------------------------------------------------------------------- by choice
def choose(a: Any, choices: Sequence[Any], out: DNDarray | None = None, mode: str = "raise") -> DNDarray:
    """Element by element, the array whose number stands in a; all broadcast.

    Parameters
    ----------
    a
        Integers.
    choices
        Arrays, or one array whose entries along axis 0 they are.
    out
        Where to write the result.
    mode
        For numbers out of bounds: ``"raise"``, ``"wrap"`` or ``"clip"``.

    Notes
    -----
    Distribution and communication: as `where`.
    """
    numbers = grids.bounded(wrap(native(a, "choose", "a")), len(choices), mode, "choose")
    result = None
    for k in range(len(choices)):
        result = conditional.select(numbers == k, choices[k], choices[k] if result is None else result)
    if result is None:
        raise ValueError("choose: needs at least one choice")
    return _delivered(result, out)


def _delivered(result: DNDarray, out: DNDarray | None) -> DNDarray:
    if out is None:
        return result
    copyto(out, result, casting="unsafe")
    return out


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> DNDarray:
    """Element by element, the choice of the first condition that holds, else `default`; all broadcast.

    Distribution and communication: as `where`.
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"select: list of cases must be same length as list of conditions and not empty, are {len(choicelist)} and "
            f"{len(condlist)}"
        )
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        if native(condition, "select", "condition").local.dtype != torch.bool:
            raise TypeError("select: conditions must be boolean arrays")
        result = conditional.select(condition, choice, result)
    return result


class GatheringMethods:
    """Methods of DNDarray."""

    __slots__ = ()
    choose = choose
    put = put
    scatter = scatter

    def compress(self, condition: Any, axis: int | None = None) -> DNDarray:
        """`compress` of this array."""
        return compress(condition, self, axis)  # type: ignore[arg-type]
