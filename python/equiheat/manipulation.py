# SPDX-License-Identifier: BSD-3-Clause
"""Shape and order of arrays.

All functions are differentiable and leave their input alone. Where nothing has to be sent, a result may share memory
with the input, as NumPy's views do.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any, cast

from equiheat import _core
from equiheat._base import ArrayBase, unwrap, wrap
from equiheat._function import DType, deliver, native, torch_dtype
from equiheat.errors import AxisError

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _axes(axis: Any, fn: str) -> list[int]:
    """One axis or several, as a list."""
    try:
        return [index(a) for a in axis] if isinstance(axis, (tuple, list)) else [index(axis)]
    except TypeError:
        raise TypeError(f"{fn}: axis must be None or int or tuple, but was {axis!r}") from None


def _cores(arrays: Sequence[Any], fn: str, numbers: bool = True) -> list[_core.Array]:
    """Native arrays; NumPy's arrays and sequences of numbers beside ours count as replicated."""
    if isinstance(arrays, ArrayBase) or not isinstance(arrays, Sequence):
        raise TypeError(f"{fn}: arrays must be a list or tuple of DNDarrays, is {type(arrays)}")
    like = next((x._core for x in arrays if isinstance(x, ArrayBase)), None)
    return [
        native(x, fn, f"arrays[{i}]", like) if numbers or hasattr(x, "__len__") else unwrap(x, fn, f"arrays[{i}]")
        for i, x in enumerate(arrays)
    ]


# ---------------------------------------------------------------------- shape
def reshape(a: DNDarray, *shape: int | Sequence[int], new_split: int | None = None, order: str = "C") -> DNDarray:
    """The elements of a, in C order or another, under another shape.

    Parameters
    ----------
    a
        Array of any shape, dtype and split.
    *shape
        Extents, as one sequence or one by one; one may be -1 and is worked out.
    new_split
        Split of the result; None: the number of a's split, cut to the new number of axes.
    order
        ``"F"``: the first axis runs fastest, in a and in the result. ``"C"``, as ``"A"``: the last one.

    Returns
    -------
    DNDarray

    Raises
    ------
    ValueError
        For a shape of another size, with "cannot reshape array of size 35 into shape (4, 4)".

    Notes
    -----
    Distribution: nothing is sent, and the blocks stay, where axes are cut or joined beside the split axis.
    Otherwise the result is balanced; flat pieces that change ranks travel in one alltoallv, with a resplit before
    it when the split axis stands behind longer ones, and after it when `new_split` names an axis elsewhere. No
    rank ever holds more than its share.

    Examples
    --------
    >>> ht.arange(6, split=0).reshape(2, 3).shape
    (2, 3)
    """
    extents: Any = shape[0] if len(shape) == 1 and hasattr(shape[0], "__iter__") else shape
    try:
        wanted = [index(n) for n in extents]
    except TypeError:
        raise TypeError(f"reshape: shape must be integers, got {extents!r}") from None
    core = unwrap(a, "reshape", "a")
    if _first_axis_fastest(order, "reshape"):
        behind = None if new_split is None else len(wanted) - 1 - index(new_split) % max(len(wanted), 1)
        return transpose(reshape(transpose(a), wanted[::-1], new_split=behind))
    if new_split is None:
        return wrap(_core.reshape(core, wanted))
    return wrap(_core.reshape(core, wanted, False, new_split))


def _first_axis_fastest(order: str, fn: str) -> bool:
    """Whether elements are read in Fortran's order. Memory has none here, so that "A" and "K" are "C"."""
    if order not in ("C", "F", "A", "K"):
        raise ValueError(f"{fn}: order must be 'C', 'F', 'A' or 'K', is {order!r}")
    return order == "F"


def ravel(a: DNDarray, order: str = "C") -> DNDarray:
    """The elements of a as a 1-D array, which may share a's memory; in the `order` of `reshape`.

    Distribution: split 0 if a is split, else None. Communication: as `reshape`.
    """
    return reshape(a, -1, order=order)


def flatten(a: DNDarray, order: str = "C") -> DNDarray:
    """The elements of a as a 1-D array that shares no memory with a; in the `order` of `reshape`.

    Distribution: split 0 if a is split, else None. Communication: as `reshape`.
    """
    flat = ravel(a, order)._core
    return wrap(flat.with_local(flat.local.clone()))


def expand_dims(a: DNDarray, axis: int | Sequence[int]) -> DNDarray:
    """New axes of extent 1 at `axis` of the result. Local; the split follows its axis.

    Parameters
    ----------
    a
        Array of shape (...).
    axis
        Places in the result's shape; negative ones count from its end.
    """
    return wrap(_core.expand_dims(unwrap(a, "expand_dims", "a"), _axes(axis, "expand_dims")))


def squeeze(x: DNDarray, axis: int | Sequence[int] | None = None) -> DNDarray:
    """The array without `axis` (default: all axes) of extent 1.

    Distribution: the split follows its axis; without its split axis the result is replicated (one allgather).
    ValueError for an axis that is longer.
    """
    return wrap(_core.squeeze(unwrap(x, "squeeze"), None if axis is None else _axes(axis, "squeeze")))


def broadcast_to(x: DNDarray, shape: Sequence[int]) -> DNDarray:
    """X stretched to `shape` by NumPy's rule, without copying. Writing to the result makes a copy of its own.

    Distribution: the split follows its axis. A split axis of extent 1 that is stretched is gathered first (one
    allgather) and the result is balanced.
    """
    return wrap(_core.broadcast_to(unwrap(x, "broadcast_to"), [index(n) for n in shape]))


def broadcast_arrays(*arrays: DNDarray) -> tuple[DNDarray, ...]:
    """All arrays stretched to their common shape; see `broadcast_to`."""
    common: list[int] = []
    for i, x in enumerate(arrays):
        shape = unwrap(x, "broadcast_arrays", f"arrays[{i}]").gshape
        common = _common_shape(common, list(shape))
    return tuple(broadcast_to(x, common) for x in arrays)


def _common_shape(a: list[int], b: list[int]) -> list[int]:
    n = max(len(a), len(b))
    pairs = zip([1] * (n - len(a)) + a, [1] * (n - len(b)) + b, strict=True)
    if any(x != y and 1 not in (x, y) for x, y in pairs):
        raise ValueError(f"operands could not be broadcast, input shapes {tuple(a)} {tuple(b)}")
    pairs = zip([1] * (n - len(a)) + a, [1] * (n - len(b)) + b, strict=True)
    return [y if x == 1 else x for x, y in pairs]


# ---------------------------------------------------------------------- order of axes
def transpose(a: DNDarray, axes: Sequence[int] | None = None) -> DNDarray:
    """Axis i of the result is axis axes[i] of a; without `axes`, in reversed order. Local; the split follows.

    Parameters
    ----------
    a
        Array of any shape.
    axes
        A permutation of the axes; negative ones count from the end.
    """
    turned = _core.reversed_axes(a) if axes is None else None
    if turned is not None:
        return cast("DNDarray", turned)
    return wrap(_core.permute(unwrap(a, "transpose", "a"), [] if axes is None else _axes(axes, "transpose")))


def permute_dims(x: DNDarray, axes: Sequence[int]) -> DNDarray:
    """`transpose` under its name in the array API standard."""
    return transpose(x, axes)


def swapaxes(x: DNDarray, axis1: int, axis2: int) -> DNDarray:
    """Two axes exchanged. Local; the split follows its axis."""
    ndim = unwrap(x, "swapaxes").ndim
    order = list(range(ndim))
    i, j = _axis(axis1, ndim, "swapaxes"), _axis(axis2, ndim, "swapaxes")
    order[i], order[j] = order[j], order[i]
    return transpose(x, order)


def moveaxis(x: DNDarray, source: int | Sequence[int], destination: int | Sequence[int]) -> DNDarray:
    """Axes `source` moved to places `destination`, the others in order. Local; the split follows its axis."""
    ndim = unwrap(x, "moveaxis").ndim
    start = [_axis(a, ndim, "moveaxis: source") for a in _axes(source, "moveaxis")]
    end = [_axis(a, ndim, "moveaxis: destination") for a in _axes(destination, "moveaxis")]
    if len(start) != len(end):
        raise ValueError(f"moveaxis: {len(start)} source axes for {len(end)} destinations")
    if len(set(start)) < len(start) or len(set(end)) < len(end):
        raise ValueError(f"moveaxis: an axis is given twice in source {source} or destination {destination}")
    order = [a for a in range(ndim) if a not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


def _axis(axis: int, ndim: int, fn: str) -> int:
    axis = index(axis)
    if not -ndim <= axis < ndim:
        raise AxisError(f"{fn}: axis {axis} is out of bounds for {ndim}-dimensional array")
    return axis % ndim


# ---------------------------------------------------------------------- order of elements
def flip(a: DNDarray, axis: int | Sequence[int] | None = None) -> DNDarray:
    """Elements in reversed order along `axis` (default: all axes).

    Distribution: the layout of a. Communication: one alltoallv if the split axis is among them.
    """
    core = unwrap(a, "flip", "a")
    return wrap(_core.flip(core, list(range(core.ndim)) if axis is None else _axes(axis, "flip")))


def fliplr(a: DNDarray) -> DNDarray:
    """`flip` along axis 1."""
    return flip(a, 1)


def flipud(a: DNDarray) -> DNDarray:
    """`flip` along axis 0."""
    return flip(a, 0)


def rot90(m: DNDarray, k: int = 1, axes: Sequence[int] = (0, 1)) -> DNDarray:
    """Rotated by k quarter turns in the plane of `axes`, from the first towards the second.

    Distribution: the split follows its axis. Communication: one alltoallv for every flip along the split.
    """
    ndim = unwrap(m, "rot90", "m").ndim
    if len(axes) != 2 or _axis(axes[0], ndim, "rot90") == _axis(axes[1], ndim, "rot90"):
        raise ValueError(f"rot90: axes must be two different axes, got {tuple(axes)}")
    turns = k % 4
    if turns == 2:
        return flip(m, axes)
    if turns == 1:
        return swapaxes(flip(m, axes[1]), *axes)
    return flip(swapaxes(m, *axes), axes[1]) if turns == 3 else m


def roll(x: DNDarray, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> DNDarray:
    """Elements moved on by `shift` along `axis`; those that fall off the end come back at the start.

    Parameters
    ----------
    x
        Array of any shape, dtype and split.
    shift
        One for all axes, or one per axis.
    axis
        One or several; default: roll in C order as if x were 1-D.

    Notes
    -----
    Distribution: the layout of x. Communication: one alltoallv along the split; without an axis, that of
    reshaping to 1-D and back.
    """
    core = unwrap(x, "roll")
    shifts = _axes(shift, "roll: shift")
    if axis is None:
        return wrap(_core.roll_flat(core, sum(shifts)))
    return wrap(_core.roll(core, shifts, _axes(axis, "roll")))


# ---------------------------------------------------------------------- joining
def concatenate(
    arrays: Sequence[DNDarray], axis: int | None = 0, out: DNDarray | None = None, *, dtype: DType = None
) -> DNDarray:
    """Arrays joined along an existing axis.

    Parameters
    ----------
    arrays
        Arrays whose shapes agree but for `axis`; any splits and layouts, also mixed. NumPy's arrays and sequences of
        numbers count as replicated.
    axis
        The axis that grows; None: all elements of all arrays, each array in C order.
    out
        Where to write the result; any split, the result's shape.
    dtype
        Of the result, if it is not the common one.

    Returns
    -------
    DNDarray
        In the common dtype of all.

    Notes
    -----
    Distribution: the first array that is split decides the split. Communication: if that is `axis`, one alltoallv
    and the result is balanced; else arrays that are not laid out like it are redistributed to its layout.

    Examples
    --------
    >>> ht.concatenate([ht.zeros(3, split=0), ht.ones(2)]).shape
    (5,)
    """
    cores = _cores(arrays, "concatenate", numbers=axis is None)
    if axis is None:
        cores, axis = [ravel(wrap(core))._core for core in cores], 0
    joined, kind = wrap(_core.concatenate(cores, axis)), torch_dtype(dtype)
    return deliver(joined if kind is None else joined.astype(kind), out, True, "concatenate")


concat = concatenate


def stack(arrays: Sequence[DNDarray], axis: int = 0, out: DNDarray | None = None) -> DNDarray:
    """Arrays of one shape joined along a new axis, which stands at `axis` of the result, written into `out` if given.

    Distribution: the first array that is split decides; others are redistributed to its layout.
    """
    return deliver(wrap(_core.stack(_cores(arrays, "stack"), axis)), out, True, "stack")


def _at_least(x: _core.Array, ndim: int) -> DNDarray:
    """With axes of extent 1 in front."""
    return wrap(_core.expand_dims(x, list(range(ndim - x.ndim)))) if x.ndim < ndim else wrap(x)


def hstack(arrays: Sequence[DNDarray]) -> DNDarray:
    """Joined along axis 1, or along axis 0 if 1-D; see `concatenate`."""
    rows = [_at_least(x, 1) for x in _cores(arrays, "hstack")]
    return concatenate(rows, 0 if rows and rows[0].ndim == 1 else 1)


def vstack(arrays: Sequence[DNDarray]) -> DNDarray:
    """Joined along axis 0, 1-D arrays as rows; see `concatenate`."""
    return concatenate([_at_least(x, 2) for x in _cores(arrays, "vstack")], 0)


row_stack = vstack


def column_stack(arrays: Sequence[DNDarray]) -> DNDarray:
    """Joined along axis 1, 1-D arrays as columns; see `concatenate`."""
    columns = [wrap(x) if x.ndim > 1 else expand_dims(_at_least(x, 1), 1) for x in _cores(arrays, "column_stack")]
    return concatenate(columns, 1)
