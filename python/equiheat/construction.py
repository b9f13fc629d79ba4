# SPDX-License-Identifier: BSD-3-Clause
"""Arrays from values the user has: `array` and `asarray`."""

from __future__ import annotations

import contextlib
import operator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from equiheat import _core, dtypes
from equiheat._base import ArrayBase, holds_arrays, unwrap, wrap
from equiheat._convert import as_tensor
from equiheat._function import native
from equiheat._sanitize import DeviceLike, ordered, sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.defaults import split_of_new
from equiheat.devices import sanitize_device

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["array", "asarray"]

_NEEDS_COPY = "array: copy=False, but this input, dtype, split or device needs a copy; leave copy out"


def array(
    obj: Any,
    dtype: Any = None,
    copy: bool | None = None,
    ndmin: int = 0,
    order: str = "C",
    split: int | None = None,
    is_split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Array from numbers, nested sequences, NumPy arrays, torch tensors or DNDarrays.

    Parameters
    ----------
    obj
        With `split`, or neither: the same object on every rank, of which each keeps its chunk. With `is_split`:
        each rank's own block. DNDarrays in sequences are stacked.
    dtype
        Default: that of `obj`; Python integers give int64, Python floats float32, Python complex numbers complex64.
    copy
        False shares memory with `obj` or raises ValueError; True and None copy, so that operations in place never
        change the caller's data. A torch tensor that requires grad stays part of its graph in any case.
    ndmin
        Least number of axes; axes of length 1 are put in front. Negative numbers count as positive ones.
    order
        "C" or "F": order of the axes in each rank's memory. Values and indices do not depend on it.
    split
        Axis to split along; default: that of `obj` if it is a DNDarray, else the default split (None unless set).
    is_split
        Axis along which the blocks that the ranks pass lie behind one another. They may differ in length there
        and be empty; a common dtype is found by promotion.
    device
        "cpu", "gpu" or a `Device`; default: that of `obj` if it is a tensor, else the default device.
    comm
        The ranks; None: those of `obj` if it is a DNDarray, else the default communicator.

    Returns
    -------
    DNDarray
        With `split`: balanced. With `is_split`: the ranks keep the blocks they gave.

    Raises
    ------
    ValueError
        If both `split` and `is_split` are given, an axis is out of range, nested sequences are ragged, or (on every
        rank, naming all shapes) the blocks do not fit together.
    TypeError
        If `obj` does not hold numbers, or Python's complex ones and `dtype` is real.

    Notes
    -----
    Distribution: no communication with `split` (backward through a split tensor gathers its gradient); with
    `is_split` one allgather of the shapes. Collective with `is_split`.

    Examples
    --------
    >>> ht.array([[1, 2], [3, 4]], split=0).shape
    (2, 2)
    """
    return _make(obj, dtype, copy is not False, ndmin, order, split, is_split, device, comm)


def asarray(
    obj: Any,
    dtype: Any = None,
    copy: bool | None = None,
    order: str = "C",
    is_split: int | None = None,
    device: DeviceLike = None,
) -> DNDarray:
    """As `array`, but sharing memory with `obj` where that is possible; a DNDarray that fits is returned itself.

    Parameters
    ----------
    obj, dtype, order, is_split, device
        As for `array`.
    copy
        None: only if needed; True: always; False: never (ValueError if it is needed).
    """
    if copy is not True and isinstance(obj, ArrayBase) and order == "C" and is_split in (None, obj._core.split):
        local = obj._core.local
        if _converted(local, dtype, device) is local:
            return obj  # type: ignore[return-value]
    return _make(obj, dtype, copy, 0, order, None, is_split, device, None)


def _make(
    obj: Any, dtype: Any, copy: bool | None, ndmin: int, order: str, split: int | None, is_split: int | None,
    device: DeviceLike, comm: Any,
) -> DNDarray:  # fmt: skip
    """copy: True always, None if needed, False never."""
    if split is not None and is_split is not None:
        raise ValueError("array: split and is_split are mutually exclusive parameters")
    if is_split is None and isinstance(obj, (list, tuple)) and holds_arrays(obj):
        if copy is False:
            raise ValueError("array: a sequence of DNDarrays is stacked, which needs a copy")
        obj = wrap(native(obj, "array", "obj"))
    if isinstance(obj, ArrayBase):
        return ordered(_from_array(obj, dtype, copy, ndmin, split, is_split, device, comm), order, "array")
    ranks = sanitize_comm(comm).core
    if is_split is not None:
        return ordered(_from_blocks(obj, dtype, copy, ndmin, is_split, device, ranks), order, "array")
    tensor, owned = as_tensor(obj, dtype, _device(obj, device), ndmin)
    if copy is False and owned:
        raise ValueError(_NEEDS_COPY)
    axis = sanitize_split(split_of_new(split, tensor.dim()), tensor.dim(), "array")
    # A chunk that is a view would keep the whole alive, also where the whole is ours.
    is_chunk = axis is not None and ranks.size > 1
    core = _core.from_global(tensor, axis, (copy is True and not owned) or (is_chunk and copy is not False), ranks)
    return ordered(core, order, "array")


def _device(obj: Any, device: DeviceLike) -> torch.device:
    """The device asked for; a tensor's own if none is."""
    if device is None and isinstance(obj, Tensor):
        return obj.device
    return sanitize_device(device).torch_device


def _converted(local: Tensor, dtype: Any, device: DeviceLike) -> Tensor:
    """`local` itself where it is already what was asked for."""
    return local.to(
        dtype=local.dtype if dtype is None else dtypes.torch_dtype(dtype),
        device=local.device if device is None else sanitize_device(device).torch_device,
    )


def _from_array(
    x: Any,
    dtype: Any,
    copy: bool | None,
    ndmin: int,
    split: int | None,
    is_split: int | None,
    device: DeviceLike,
    comm: Any,
) -> _core.Array:
    """From a DNDarray: cast, redistributed if another split is asked for."""
    core = unwrap(x)
    if comm is not None and sanitize_comm(comm).core.fortran_handle != core.comm.fortran_handle:
        raise NotImplementedError("array: a DNDarray cannot move to another communicator; use its numpy() or larray")
    axis = sanitize_split(split if is_split is None else is_split, core.ndim, "array")
    if is_split is not None and axis != core.split:
        raise ValueError(
            f"array: is_split={is_split}, but the DNDarray has split {core.split}; use split= to change it"
        )
    if axis is not None and axis != core.split:
        core = core.resplit(axis)
    local = _converted(core.local, dtype, device)
    fresh = local is not x._core.local
    if copy is False and fresh:
        raise ValueError(_NEEDS_COPY)
    core = core.with_local(local.clone() if copy is True and not fresh else local)
    return core if abs(ndmin) <= core.ndim else _prepend_axes(core, abs(ndmin) - core.ndim)


def _prepend_axes(core: _core.Array, number: int) -> _core.Array:
    ones = (1,) * number
    split = None if core.split is None else core.split + number
    local = core.local.reshape(ones + tuple(core.local.shape))
    return _core.Array(local, ones + tuple(core.gshape), split, core.counts, core.comm)


def _from_blocks(
    obj: Any,
    dtype: Any,
    copy: bool | None,
    ndmin: int,
    is_split: int,
    device: DeviceLike,
    comm: _core.Communicator,
) -> _core.Array:
    """array(is_split=): a rank whose input is bad must not leave the others waiting."""
    axis = operator.index(is_split)
    try:
        tensor, owned = as_tensor(obj, dtype, _device(obj, device), ndmin)
        if copy is False and owned:
            raise ValueError(_NEEDS_COPY)
    except Exception:
        with contextlib.suppress(ValueError):  # the error by which the other ranks learn of this one
            _core.from_blocks(None, axis, comm)
        raise
    if copy is True and not owned:
        tensor = tensor.clone(memory_format=torch.contiguous_format)
    return _core.from_blocks(tensor, axis, comm)
