# SPDX-License-Identifier: BSD-3-Clause
"""Memory through DLPack: which of another library's torch cannot share, and what may go wrong on the way out."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import torch
import torch.utils.dlpack

_CPU = 1  # kDLCPU
_READ_ONLY = 1  # DLPACK_FLAG_BITMASK_READ_ONLY


class _Tensor(ctypes.Structure):
    """DLTensor of dlpack.h."""

    _fields_ = [
        ("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("ndim", ctypes.c_int32), ("dtype", ctypes.c_uint32),
        ("shape", ctypes.c_void_p), ("strides", ctypes.POINTER(ctypes.c_int64)), ("byte_offset", ctypes.c_uint64),
    ]  # fmt: skip


class _Versioned(ctypes.Structure):
    """DLManagedTensorVersioned; before DLPack 1.0 a managed tensor began with the tensor and had no flags."""

    _fields_ = [
        ("version", ctypes.c_uint32 * 2), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64), ("tensor", _Tensor),
    ]  # fmt: skip


_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.argtypes = [ctypes.py_object, ctypes.c_char_p]
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def _described(capsule: Any) -> tuple[bool, bool]:
    """Whether its memory must not be written, and whether an axis runs backwards. Local."""
    if _is_valid(capsule, b"dltensor_versioned"):
        managed = _Versioned.from_address(_pointer(capsule, b"dltensor_versioned"))
        tensor, read_only = managed.tensor, bool(managed.flags & _READ_ONLY)
    else:
        tensor, read_only = _Tensor.from_address(_pointer(capsule, b"dltensor")), False
    strides = tensor.strides[: tensor.ndim] if tensor.strides else []
    return read_only, any(stride < 0 for stride in strides)


def _exported(x: Any) -> Any:
    try:
        return x.__dlpack__(max_version=(1, 0))
    except TypeError:  # a library from before DLPack 1.0
        return x.__dlpack__()


def tensor_on(x: Any, copy: bool | None) -> torch.Tensor:
    """A tensor on the memory of an array with ``__dlpack__``, or on a copy where torch cannot share it. Local.

    torch knows no read-only memory, which it would write, and ends the process at negative strides.

    Raises
    ------
    BufferError
        With ``copy=False`` for such memory.
    """
    if x.__dlpack_device__()[0] != _CPU:
        return torch.utils.dlpack.from_dlpack(x)
    capsule = _exported(x)
    read_only, backwards = _described(capsule)
    if copy is False and (read_only or backwards):
        what = "read-only memory" if read_only else "negative strides"
        raise BufferError(f"from_dlpack: copy=False, but an array with {what} must be copied")
    if backwards:
        return torch.from_numpy(np.from_dlpack(x).copy())
    tensor = torch.utils.dlpack.from_dlpack(capsule)
    return tensor.clone() if read_only else tensor


def capsule_of(
    block: torch.Tensor,
    stream: int | None,
    max_version: tuple[int, int] | None,
    dl_device: tuple[Any, int] | None,
    copy: bool | None,
) -> Any:
    """A block's capsule for another library; BufferError where it cannot have one, whatever torch raises. Local."""
    if block.device.type == "cpu" and stream is not None:
        raise ValueError(f"__dlpack__: memory of the CPU has no streams, stream must be None, is {stream!r}")
    try:
        return block.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)
    except (RuntimeError, ValueError, AssertionError) as error:
        raise BufferError(f"__dlpack__: a block on {block.device} cannot be exported as asked for: {error}") from error
