# SPDX-License-Identifier: BSD-3-Clause
"""NumPy's ranges whose ends are arrays of ours: ``np.linspace(x, y, 5)``, ``np.logspace``, ``np.geomspace``.

Local: an element of the ends is a line of the result, which is split as they are.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from equiheat.numpy_blocks import as_ours

__all__: list[str] = []


def _ht() -> Any:
    return importlib.import_module("equiheat")


def _ends(start: Any, stop: Any) -> tuple[Any, Any]:
    """Both of one shape and inexact type."""
    ht = _ht()
    with ht.default_split(None):  # NumPy arrays beside ours are replicated
        a, b = ht.broadcast_arrays(*(ht.asarray(as_ours(x)) for x in (start, stop)))
    a, b = a * 1.0, b * 1.0
    kind = ht.promote_types(a.dtype, b.dtype)
    return a.astype(kind), b.astype(kind)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
             axis: int = 0, *, device: Any = None) -> Any:  # fmt: skip
    """``np.linspace``; integers become float32."""
    ht = _ht()
    if num < 0:
        raise ValueError(f"linspace: number of samples, {num}, must be non-negative")
    a, b = _ends(start, stop)
    intervals = num - 1 if endpoint else num
    step = (b - a) / intervals if intervals > 0 else (b - a) * np.nan
    places = ht.arange(num, dtype=ht.real(a).dtype, split=None).reshape((num,) + (1,) * a.ndim)
    result = places * (step if intervals > 0 else b - a) + a
    if endpoint and num > 1:
        result[-1] = b
    if dtype is not None:
        kind = np.dtype(dtype)
        result = (ht.floor(result) if kind.kind in "iu" else result).astype(kind)
    result = ht.moveaxis(result, 0, axis)
    return (result, step) if retstep else result


def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None,
             axis: int = 0) -> Any:  # fmt: skip
    """``np.logspace`` of one base."""
    if np.ndim(base):
        raise TypeError("logspace: an array of bases is not supported for DNDarrays")
    result = _ht().power(base, linspace(start, stop, num, endpoint, axis=axis))
    return result if dtype is None else result.astype(np.dtype(dtype))


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """``np.geomspace`` of real numbers, pairs of one sign."""
    ht = _ht()
    a, b = _ends(start, stop)
    if a.larray.is_complex():
        raise TypeError("geomspace: complex numbers are not supported for DNDarrays")
    if bool((a * b <= 0).any()):
        raise ValueError("geomspace: start and stop must be of one sign, and not 0")
    sign = ht.sign(a)
    result = sign * ht.exp(linspace(ht.log(a * sign), ht.log(b * sign), num, endpoint))
    if num > 0:
        result[0] = a
    if endpoint and num > 1:
        result[-1] = b
    result = ht.moveaxis(result, 0, axis)
    return result if dtype is None else result.astype(np.dtype(dtype))
