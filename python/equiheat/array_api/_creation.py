# SPDX-License-Identifier: BSD-3-Clause
"""New arrays with the standard's default types: float64, complex128, int64 (Heat's are float32 and int32).

Arrays are split along the default split (`equiheat.set_default_split`). `device` is a `Device`, "cpu" or "gpu".
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import torch

from equiheat import creation, dtypes
from equiheat._base import wrap
from equiheat.array_api._dtypes import complex128, default_of, float64, int64
from equiheat.array_api._heat import Array, Device, DType, ht, is_array
from equiheat.interchange import from_dlpack

# fmt: off
__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "linspace", "meshgrid",
    "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
]
# fmt: on

Shape = Any


def asarray(obj: Any, /, *, dtype: DType = None, device: Device = None, copy: builtins.bool | None = None) -> Array:
    """An array of numbers, nested sequences, NumPy arrays, tensors, buffers or DNDarrays.

    Parameters
    ----------
    obj
        The same on every rank. A sequence may hold DNDarrays, which are stacked.
    dtype, device
        Default: those of `obj`; Python numbers give bool, int64, float64 or complex128.
    copy
        None: only if needed; True: always; False: never (ValueError if it is needed).

    Returns
    -------
    DNDarray
        A DNDarray keeps its split, others are split along the default split.

    Raises
    ------
    OverflowError
        If an integer `dtype` does not hold an integer.
    TypeError
        For complex numbers as a real `dtype`.
    """
    if is_array(obj) or isinstance(obj, (np.ndarray, torch.Tensor)):
        return ht.asarray(obj, dtype=dtype, device=device, copy=copy)
    if isinstance(obj, (list, tuple)) and any(map(is_array, obj)):
        parts = [asarray(part, dtype=dtype, device=device) for part in obj]
        return ht.stack([part.astype(result_of(parts)) for part in parts])
    python = isinstance(obj, (builtins.bool, builtins.int, builtins.float, builtins.complex, list, tuple))
    if copy is False and python:
        raise ValueError("asarray: copy=False, but Python numbers have no memory to share; leave copy out")
    # Integers beyond int64 beside small ones are float64 to NumPy unless it is told their type.
    wanted = dtypes.torch_dtype(dtype) if python and dtype is not None else None
    whole = wanted is not None and not (wanted.is_floating_point or wanted.is_complex or wanted == torch.bool)
    if wanted is not None and not whole:
        return ht.asarray(obj, dtype=dtype, device=device, copy=copy)
    values = np.asarray(obj, dtype=str(wanted).removeprefix("torch.") if whole else None)
    return ht.asarray(values, dtype=dtype, device=device, copy=copy)


def result_of(arrays: list[Array]) -> DType:
    """The common type of arrays."""
    return ht.result_type(*[a.dtype for a in arrays])


def arange(
    start: builtins.float,
    /,
    stop: builtins.float | None = None,
    step: builtins.float = 1,
    *,
    dtype: DType = None,
    device: Device = None,
) -> Array:
    """Evenly spaced values from `start` (0 where only one number is given) to below `stop`. Local.

    Default dtype: int64 if all arguments are integers, else float64.
    """
    first, last = (0, start) if stop is None else (start, stop)
    numbers = [creation._real(n, "arange") for n in (first, last, step)]  # arrays of one number, too
    if dtype is None:
        dtype = int64 if all(isinstance(n, int) for n in numbers) else float64
    return ht.arange(*numbers, dtype=dtype, device=device)


def empty(shape: Shape, *, dtype: DType = None, device: Device = None) -> Array:
    """Undefined values, float64 unless another dtype is given. Local."""
    return ht.empty(shape, dtype=float64 if dtype is None else dtype, device=device)


def zeros(shape: Shape, *, dtype: DType = None, device: Device = None) -> Array:
    """Zeros, float64 unless another dtype is given. Local."""
    return ht.zeros(shape, dtype=float64 if dtype is None else dtype, device=device)


def ones(shape: Shape, *, dtype: DType = None, device: Device = None) -> Array:
    """Ones, float64 unless another dtype is given. Local."""
    return ht.ones(shape, dtype=float64 if dtype is None else dtype, device=device)


def full(shape: Shape, fill_value: Any, *, dtype: DType = None, device: Device = None) -> Array:
    """One value everywhere; default dtype: bool, int64, float64 or complex128 after the value, or its own. Local."""
    if dtype is None:
        dtype = fill_value.dtype if hasattr(fill_value, "dtype") else default_of(fill_value)
    # As torch's: `ht.float32` is Heat's default there, which a complex number may change.
    return ht.full(shape, fill_value, dtype=dtypes.torch_dtype(dtype), device=device)


def empty_like(x: Array, /, *, dtype: DType = None, device: Device = None) -> Array:
    """Undefined values in the shape of x, with its dtype, device and distribution unless given. Local."""
    return ht.empty_like(x, dtype=dtype, device=device)


def zeros_like(x: Array, /, *, dtype: DType = None, device: Device = None) -> Array:
    """Zeros in the shape of x, with its dtype, device and distribution unless given. Local."""
    return ht.zeros_like(x, dtype=dtype, device=device)


def ones_like(x: Array, /, *, dtype: DType = None, device: Device = None) -> Array:
    """Ones in the shape of x, with its dtype, device and distribution unless given. Local."""
    return ht.ones_like(x, dtype=dtype, device=device)


def full_like(x: Array, /, fill_value: Any, *, dtype: DType = None, device: Device = None) -> Array:
    """One value in the shape of x, with its dtype, device and distribution unless given. Local."""
    return ht.full_like(x, fill_value, dtype=dtype, device=device)


def eye(
    n_rows: builtins.int,
    n_cols: builtins.int | None = None,
    /,
    *,
    k: builtins.int = 0,
    dtype: DType = None,
    device: Device = None,
) -> Array:
    """Ones on diagonal `k` (positive: above the main one), zeros elsewhere. Local.

    Examples
    --------
    >>> ht.array_api.eye(2, 3, k=1).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    x = zeros((n_rows, n_rows if n_cols is None else n_cols), dtype=dtype, device=device)
    core = x._core
    offset = 0 if core.counts is None else sum(core.counts[: core.comm.rank])
    # Entry (i, j) of the block is (i + offset, j) or (i, j + offset) of the array.
    core.local.diagonal(k + offset if core.split == 0 else k - offset).fill_(1)
    return x


def linspace(
    start: builtins.complex,
    stop: builtins.complex,
    /,
    num: builtins.int,
    *,
    dtype: DType = None,
    device: Device = None,
    endpoint: builtins.bool = True,
) -> Array:
    """`num` evenly spaced values from `start` to `stop`, the latter included unless `endpoint` is False. Local.

    Computed in float64; default dtype float64, complex128 where an end is complex.
    """
    ends = (complex(start), complex(stop))
    if not any(isinstance(end, builtins.complex) for end in (start, stop)):
        kind = float64 if dtype is None else dtype
        return ht.linspace(start, stop, num, endpoint, False, _inside(kind), device=device).astype(kind, copy=False)
    parts = [
        ht.linspace(part(ends[0]), part(ends[1]), num, endpoint, False, float64, device=device)
        for part in (lambda z: z.real, lambda z: z.imag)
    ]
    block = torch.complex(parts[0]._core.local, parts[1]._core.local)
    return wrap(parts[0]._core.with_local(block)).astype(complex128 if dtype is None else dtype, copy=False)


def _inside(dtype: DType) -> DType:
    """The type a line is computed in: a complex one by way of float64."""
    return float64 if dtypes.torch_dtype(dtype).is_complex else dtype


def meshgrid(*arrays: Array, indexing: str = "xy") -> tuple[Array, ...]:
    """Coordinate arrays over the grid of 1-D arrays; see `equiheat.meshgrid`."""
    return tuple(ht.meshgrid(*arrays, indexing=indexing))


def tril(x: Array, /, *, k: builtins.int = 0) -> Array:
    """The matrices of x on and below diagonal `k`, zero above; see `equiheat.tril`."""
    return ht.tril(x, k)


def triu(x: Array, /, *, k: builtins.int = 0) -> Array:
    """The matrices of x on and above diagonal `k`, zero below; see `equiheat.triu`."""
    return ht.triu(x, k)
