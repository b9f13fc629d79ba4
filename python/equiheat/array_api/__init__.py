# SPDX-License-Identifier: BSD-3-Clause
# ruff: noqa: F403
"""The Python array API standard, version 2025.12: what ``x.__array_namespace__()`` gives.

All functions of the standard with its signatures, types and meaning, the `linalg` and `fft` extensions and inspection
included, on the same arrays as everything else in equiheat. Where Heat's meaning differs, the function here has the
standard's: default types are NumPy's (float64, complex128, int64), ``std`` and ``var``
take `correction`, sums of unsigned integers are uint64.

Code that was written for the standard never says `split`; arrays it makes follow the default split
(`equiheat.set_default_split`), and results lie as told in docs/distribution.md.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import equiheat
from equiheat.array_api import _creation, _dtypes, _elementwise, _manipulation, _searching, _statistics, fft, linalg
from equiheat.array_api._creation import *
from equiheat.array_api._dtypes import *
from equiheat.array_api._elementwise import *
from equiheat.array_api._info import __array_namespace_info__
from equiheat.array_api._manipulation import *
from equiheat.array_api._searching import *
from equiheat.array_api._statistics import *
from equiheat.array_api.linalg import matmul, matrix_transpose, tensordot, vecdot
from equiheat.constants import e, inf, nan, newaxis, pi

__array_api_version__ = "2025.12"

# fmt: off
__all__ = [
    "__array_api_version__", "__array_namespace_info__", "e", "fft", "inf", "linalg", "matmul", "matrix_transpose",
    "nan", "newaxis", "pi", "tensordot", "vecdot",
]
# fmt: on
for _module in (_creation, _dtypes, _elementwise, _manipulation, _searching, _statistics):
    __all__ += _module.__all__
del _module


#: Beyond the standard, for libraries that look for them (``hasattr(xp, "median")``).
_BEYOND = (
    "allclose", "average", "bfloat16", "bincount", "corrcoef", "cov", "cpu", "cumprod", "cumsum", "einsum", "float16",
    "gpu", "gradient", "isclose", "median", "nan_to_num", "nanmax", "nanmean", "nanmedian", "nanmin", "nanprod",
    "nanstd", "nansum", "nanvar", "pad", "percentile", "quantile", "transpose",
)  # fmt: skip


def _with_dtype(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """The function with NumPy's argument `dtype`, in which it computes; xarray gives it."""

    @functools.wraps(reduce)
    def reduced(x: Any, axis: Any = None, dtype: Any = None, **options: Any) -> Any:
        return reduce(x if dtype is None else x.astype(dtype), axis, **options)

    return reduced


def __getattr__(name: str) -> Any:
    if name in ("nanmean", "nanstd", "nanvar"):
        return _with_dtype(getattr(equiheat, name))
    if name == "special":
        return importlib.import_module("equiheat.array_api.special")
    if name in _BEYOND:
        return getattr(equiheat, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
