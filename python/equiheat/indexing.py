# SPDX-License-Identifier: BSD-3-Clause
"""Reading and writing parts of an array with NumPy's index expressions."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from equiheat import _core
from equiheat._base import ArrayBase, unwrap, wrap
from equiheat.core._mirror import mirror
from equiheat.errors import AxisError

if TYPE_CHECKING:
    from types import EllipsisType

    from equiheat.array import DNDarray

    ArrayLike: TypeAlias = DNDarray | np.ndarray | Tensor | list[Any]
    Index: TypeAlias = int | slice | EllipsisType | ArrayLike | None
    Value: TypeAlias = DNDarray | np.ndarray | Tensor | list[Any] | complex

_PLAIN = frozenset((int, slice, type(None), type(Ellipsis)))
_REAL = frozenset((int, float))
_view = _core.basic_view
_write = _core.basic_write


def getitem(x: DNDarray, key: Index | tuple[Index, ...]) -> DNDarray:
    """x[key], by NumPy's rules.

    Parameters
    ----------
    x
        Array of any shape, dtype and split.
    key
        Integers, slices of any step, ``...``, None, boolean masks over one or more axes, and integers of any shape.
        Arrays may be DNDarrays (of any split), NumPy's, torch's, lists or, inside a key, tuples.

    Returns
    -------
    DNDarray
        Shares x's memory where NumPy's would and nothing was sent. To change x, write ``x[key] = value``.

    Raises
    ------
    IndexError
        As NumPy, on every rank.

    Notes
    -----
    Distribution: slices keep the split, with the blocks cut as they lie. An integer on the split axis makes the
    result replicated. A mask over the split axis gives an unbalanced result split along the new axis. Arrays of
    integers (and masks beside them, which count as the integers they stand for) beside the split keep it; on the
    split axis, or for a replicated x, the result is split as they are; integers that every rank has, on the split
    axis, give a balanced result split along their longest axis.

    Communication: none for integers and slices beside the split, and slices along it with a positive step; one
    alltoallv for a negative one; one broadcast of the result for an integer on the split axis; for a mask over the
    split axis one number per rank, and one alltoallv of the masked axes where the split is not the first of them.
    Arrays of integers on the split axis: one alltoallv of the result, and before it, if they are split, one of the
    positions asked for; neither x nor a split index is ever on one rank as a whole. A split index beside the split
    of x goes round, one rank's part at a time.

    Examples
    --------
    >>> x = ht.arange(12, split=0).reshape(4, 3)
    >>> x[[3, 0], [2, 1]].numpy().tolist()
    [11, 1]
    """
    view = _view(x, key)
    return wrap(_core.getitem(x._core, _entries(x._core, key))) if view is None else cast("DNDarray", view)


def setitem(x: DNDarray, key: Index | tuple[Index, ...], value: Value) -> None:
    """x[key] = value, by NumPy's rules; keys as in `getitem`.

    Parameters
    ----------
    x
        Array of any shape, dtype and split. Its layout and dtype stay.
    key
        See `getitem`. Of an element named more than once the last value in C order stays.
    value
        A scalar, or an array that broadcasts to x[key]; cast to x's dtype. A DNDarray of another layout is
        redistributed.

    Raises
    ------
    IndexError, ValueError
        As NumPy, on every rank: an index out of bounds, a value that does not broadcast.
    OverflowError, TypeError
        For a scalar that x's dtype cannot hold.

    Notes
    -----
    Communication: every rank writes what it owns; the value's rows go where they are written in one alltoallv, if
    they are not there, as do the positions of a split index. A mask sends one number per rank. Differentiable as
    torch's in-place writes are: a leaf that requires grad refuses, anything else records the write.
    """
    if _write(x, key, value):
        return
    core = x._core
    # A number in a real array is converted where it is written; other dtypes have bounds to check.
    plain = type(value) in _REAL and core.local.dtype.is_floating_point
    written = float(value) if plain else _value(core, value)  # type: ignore[arg-type]
    x._core = _core.setitem(core, _entries(core, key), written)


def take(x: DNDarray, indices: ArrayLike | int, axis: int | None = None, *, mode: str = "raise") -> DNDarray:
    """Entries `indices` of one axis, in their order; without an axis, of x in C order.

    Parameters
    ----------
    x
        Array of any shape, dtype and split.
    indices
        Integers of any shape, which takes the place of the axis; negative ones count from the end.
    axis
        The axis.
    mode
        For an index out of bounds: ``"raise"``, ``"wrap"`` round, or ``"clip"`` to the ends, negative ones to 0.

    Raises
    ------
    IndexError
        For an index out of bounds.

    Notes
    -----
    Distribution and communication: as ``x[:, indices]``, see `getitem`.
    """
    if axis is None:
        return getitem(x.reshape(-1), _in_bounds(indices, x.size, mode))
    ndim = unwrap(x, "take").ndim
    if not -ndim <= axis < ndim:
        raise AxisError(f"take: axis {axis} is out of bounds for {ndim}-dimensional array")
    return getitem(x, (*[slice(None)] * (axis % ndim), _in_bounds(indices, x.shape[axis], mode)))


def _in_bounds(indices: Any, size: int, mode: str) -> Any:
    """Indices of `take` that indexing itself takes."""
    if mode == "raise":
        return indices
    if mode not in ("wrap", "clip"):
        raise ValueError(f"take: mode must be 'raise', 'wrap' or 'clip', is {mode!r}")
    core = indices._core if isinstance(indices, ArrayBase) else None
    local = torch.as_tensor(np.asarray(indices)) if core is None else core.local
    if local.is_floating_point() or local.is_complex() or local.dtype == torch.bool:
        raise IndexError(f"take: indices must be integers, have dtype {local.dtype}")
    wide = local.to(torch.int64)
    wide = wide.remainder(max(size, 1)) if mode == "wrap" else wide.clamp(0, max(size - 1, 0))
    return wide.numpy() if core is None else wrap(core.with_local(wide))


def nonzero(x: DNDarray) -> tuple[DNDarray, ...]:
    """Where x is not zero: one int64 array of positions per axis, in C order.

    Distribution: split 0 (unbalanced) if x is split. Communication: as `reshape` to 1-D, and one number per rank.
    ValueError for a 0-d array.
    """
    return tuple(wrap(core) for core in _core.nonzero(unwrap(x, "nonzero")))


def _entries(core: _core.Array, key: Any) -> tuple[Any, ...]:
    """The key as the core takes it: int, slice, None, Ellipsis, Array."""
    if type(key) in _PLAIN:
        return (key,)
    if type(key) is not tuple:
        return _with_empty_masks(core, (_entry(core, key),))
    if _PLAIN.issuperset(map(type, key)):
        return key
    return _with_empty_masks(core, tuple(entry if type(entry) in _PLAIN else _entry(core, entry) for entry in key))


def _axes_of(entry: Any) -> int:
    """How many axes of the array an entry of a key speaks of."""
    if entry is None or entry is Ellipsis:
        return 0
    return entry.ndim if isinstance(entry, _core.Array) and entry.local.dtype == torch.bool else 1


def _with_empty_masks(core: _core.Array, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Masks with an axis of no elements choose nothing, whatever the array's length there: as positions, none."""
    if not any(isinstance(e, _core.Array) and e.size == 0 and e.local.dtype == torch.bool for e in key):
        return key
    rest = core.ndim - sum(map(_axes_of, key))
    found: list[Any] = []
    axis = 0
    for entry in key:
        spans = max(rest, 0) if entry is Ellipsis else _axes_of(entry)
        extents = core.gshape[axis : axis + spans]
        axis += spans
        mask = isinstance(entry, _core.Array) and entry.size == 0 and entry.local.dtype == torch.bool
        pairs = list(zip(entry.gshape, extents, strict=False)) if mask else []
        fits = len(pairs) == spans and any(n != m for n, m in pairs) and all(n in (0, m) for n, m in pairs)
        nothing = torch.zeros(0, dtype=torch.int64, device=core.local.device)
        found += [_core.replicated_like(core, nothing)] * spans if fits else [entry]
    return tuple(found)


def _entry(core: _core.Array, entry: Any) -> Any:
    if isinstance(entry, ArrayBase):
        array = entry._core
    elif isinstance(entry, (bool, np.bool_, list, tuple, range, np.ndarray, Tensor)):
        array = _core.replicated_like(core, _index_tensor(entry))
    else:
        return _integer(entry)
    dtype = array.local.dtype
    if dtype == torch.bool:
        return array
    if dtype.is_floating_point or dtype.is_complex:
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    return int(array.local) if array.ndim == 0 else array


def _integer(entry: Any) -> int:
    try:
        return operator.index(entry)
    except TypeError:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays "
            f"are valid indices, got {type(entry)}"
        ) from None


def _index_tensor(entry: Any) -> Tensor:
    if isinstance(entry, Tensor):
        return entry.detach()
    plain = _core.tensor_of(entry)  # of numbers in lists, without NumPy
    if plain is not None and not plain.is_floating_point():
        return plain
    array = np.asarray(entry)
    if array.size == 0 and isinstance(entry, (list, tuple, range)):
        array = array.astype(np.int64)
    if array.dtype.kind not in "biu":
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    return torch.from_numpy(np.array(array))  # a copy: torch takes no negative strides


def _value(core: _core.Array, value: Any) -> _core.Array:
    if isinstance(value, ArrayBase):
        return value._core
    if isinstance(value, Tensor):
        return _core.replicated_like(core, value)
    if isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic):
        return _core.replicated_like(core, _scalar(value, core.local.dtype))
    array = np.array(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"setitem: cannot write a value of {type(value)} and dtype {array.dtype} into an array")
    return _core.replicated_like(core, torch.from_numpy(array))


def _scalar(value: complex, dtype: torch.dtype) -> Tensor:
    """A Python number in an array's dtype; Python's own errors where it does not fit."""
    if dtype.is_complex:
        return torch.tensor(complex(value), dtype=dtype)
    if isinstance(value, complex):
        raise TypeError(f"setitem: cannot write the complex number {value} into an array of {dtype}")
    if dtype.is_floating_point:
        return torch.tensor(float(value), dtype=dtype)
    if dtype == torch.bool:
        return torch.tensor(bool(value))
    limits, number = torch.iinfo(dtype), int(value)
    if not limits.min <= number <= limits.max:
        raise OverflowError(f"setitem: Python integer {number} out of bounds for {dtype}")
    return torch.tensor(number, dtype=dtype)


__getattr__, _ = mirror(__name__, "equiheat")  # what Heat's module of this name has more
