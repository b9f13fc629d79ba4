# SPDX-License-Identifier: BSD-3-Clause
"""Tensors from whatever a user calls an array: numbers, nested sequences, NumPy arrays, torch tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from equiheat import _core, dtypes
from equiheat._base import holds_arrays


def as_tensor(obj: Any, dtype: Any, device: torch.device, ndmin: int) -> tuple[Tensor, bool]:
    """A tensor of `obj`'s values, and whether its memory is its own (no alias of the caller's).

    Python numbers give int64, float32 or complex64 unless `dtype` says otherwise; NumPy arrays and torch tensors
    keep their type. A torch tensor stays in its autograd graph.
    """
    plain = _core.tensor_of(obj) if dtype is None and ndmin == 0 else None
    if plain is not None:
        return (plain if device.type == "cpu" else plain.to(device)), True
    wanted = None if dtype is None else dtypes.torch_dtype(dtype)
    source, owned = _source(obj, wanted)
    if source.is_complex() and wanted is not None and _is_python(obj):
        _check_complex(wanted)
    target = _default_dtype(obj, source) if wanted is None else wanted
    unchanged = source.dtype == target and source.device == device
    tensor = source if unchanged else source.to(device=device, dtype=target)
    owned = owned or tensor is not source
    if abs(ndmin) > tensor.dim():
        tensor = tensor.reshape((1,) * (abs(ndmin) - tensor.dim()) + tuple(tensor.shape))
    return tensor, owned


def _check_complex(wanted: torch.dtype) -> None:
    """TypeError for Python's complex numbers as reals or integers, as NumPy's; arrays are cast as ever."""
    if not (wanted.is_complex or wanted == torch.bool):
        raise TypeError(f"array: complex numbers have no value in {dtypes.from_torch(wanted).__name__}; take .real")


def _default_dtype(obj: Any, tensor: Tensor) -> torch.dtype:
    """Python floats mean float32, as in Heat and torch; values that had a precision keep it."""
    if tensor.dtype not in (torch.float64, torch.complex128) or not _is_python(obj):
        return tensor.dtype
    return torch.float32 if tensor.dtype == torch.float64 else torch.complex64


def _is_python(obj: Any) -> bool:
    """Whether the first number in nested sequences is one of Python's own, or there is none."""
    while isinstance(obj, (list, tuple, range)):
        if len(obj) == 0:
            return True
        obj = obj[0]
    return isinstance(obj, (bool, int, float, complex)) and not isinstance(obj, np.generic)


def _source(obj: Any, wanted: torch.dtype | None) -> tuple[Tensor, bool]:
    if isinstance(obj, Tensor):
        dtypes.from_torch(obj.dtype)  # a type we have, or TypeError
        return obj, False
    if isinstance(obj, np.ndarray):
        return _from_numpy(obj)
    if isinstance(obj, (list, tuple)):
        if obj and isinstance(obj[0], Tensor):
            return _stacked(obj), True
        if holds_arrays(obj):
            raise TypeError("array: a sequence of DNDarrays is no block of this rank; use ht.stack or ht.concatenate")
        return _from_numpy(_to_numpy(obj, wanted), owned=True)
    return _from_numpy(_to_numpy(obj, wanted), owned=not hasattr(obj, "__array_interface__") and not _has_buffer(obj))


def _has_buffer(obj: Any) -> bool:
    try:
        memoryview(obj)
    except TypeError:
        return False
    return True


def _stacked(tensors: Any) -> Tensor:
    """A sequence of tensors along a new first axis, in their graph."""
    if not all(isinstance(t, Tensor) for t in tensors):
        raise TypeError("array: tensors and other objects cannot be mixed in one sequence")
    try:
        return torch.stack(list(tensors))
    except RuntimeError as error:
        shapes = [tuple(t.shape) for t in tensors]
        raise ValueError(f"array: tensors in a sequence must have equal shapes and devices, got {shapes}") from error


def _to_numpy(obj: Any, wanted: torch.dtype | None) -> np.ndarray[Any, Any]:
    try:
        values = np.asarray(obj)
        if values.dtype != object or not _is_python(obj) or wanted is None:
            return values
        if wanted.is_floating_point or wanted.is_complex:  # integers beyond 64 bits have a value there
            return values.astype(np.complex128 if wanted.is_complex else np.float64)
        return values
    except ValueError as error:
        raise ValueError(f"array: the nested sequences do not form a rectangular array ({error})") from None
    except OverflowError as error:
        raise ValueError(f"array: an integer does not fit into int64 ({error})") from None


def _from_numpy(a: np.ndarray[Any, Any], owned: bool = False) -> tuple[Tensor, bool]:
    if not a.dtype.isnative:
        a, owned = a.astype(a.dtype.newbyteorder("=")), True
    if a.dtype.char in "qQ":  # C's long long, which torch does not know beside long
        a = a.view(a.dtype.str)
    if dtypes._find(a.dtype) is None:
        what = f"elements of NumPy's type {a.dtype} (no numbers, or integers beyond int64)"
        raise TypeError(f"array: {what} are not supported; the types are {dtypes._names()}")
    if not a.flags.writeable or min(a.strides, default=0) < 0:
        # torch has neither negative strides nor read-only memory.
        a, owned = a.copy(), True
    return torch.from_numpy(a), owned
