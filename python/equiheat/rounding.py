# SPDX-License-Identifier: BSD-3-Clause
"""Rounding, magnitudes and bounds, element-wise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import DType, Mask, Operand, deliver, native, torch_dtype, unary
from equiheat.arithmetic import maximum, minimum
from equiheat.core._mirror import mirror

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_SAME = "The dtype of the input."
_NUMBERS = (float, int)
_PLAIN = (torch.float32, torch.float64)

floor = unary("floor", "Largest integer not above x, element-wise.", dtype=_SAME)
ceil = unary("ceil", "Smallest integer not below x, element-wise.", dtype=_SAME)
trunc = unary("trunc", "x without its fraction, element-wise.", dtype=_SAME)
fix = trunc
rint = unary("rint", "Nearest integer, halves to even.")
fabs = unary("fabs", "Magnitude of real numbers.")
_absolute = unary("absolute", "Magnitude, element-wise.", dtype="The dtype of the input; the real one of complex.")


def absolute(x: Operand, out: DNDarray | None = None, dtype: DType = None, *, where: Mask = True) -> DNDarray:
    """Magnitude, element-wise, as `dtype` if given; the real dtype of complex input.

    Distribution: the split and extents of x. Communication: none.
    """
    result = _absolute(x)
    return deliver(_as(result, dtype), out, where, "absolute")


abs = absolute


def round(x: Operand, decimals: int = 0, out: DNDarray | None = None, dtype: DType = None) -> DNDarray:
    """Rounded to `decimals` places, halves to even, as `dtype` if given; negative decimals round tens, hundreds, ...

    Distribution: the split and extents of x. Communication: none.
    """
    if not isinstance(decimals, int):
        raise TypeError(f"round: decimals must be an integer, is {decimals!r}")
    return deliver(_as(wrap(_core.round(native(x, "round"), decimals)), dtype), out, True, "round")


around = round


def clip(
    x: Operand,
    min: Operand = None,
    max: Operand = None,
    out: DNDarray | None = None,
    *,
    a_min: Operand = None,
    a_max: Operand = None,
) -> DNDarray:
    """X with values below `min` moved to it and values above `max` moved to that; None is no bound.

    Bounds are numbers, also beyond what x's integers can be, or arrays that broadcast; with min > max everything is
    max. NaN stays. `a_min` and `a_max` are NumPy's older names. Distribution and communication as `maximum`.
    """
    core = native(x, "clip")
    min, max = (min if a_min is None else a_min), (max if a_max is None else a_max)
    # One pass where the bounds cannot change the type.
    if type(min) in _NUMBERS and type(max) in _NUMBERS and core.local.dtype in _PLAIN:
        return deliver(wrap(_core.clip(core, min, max)), out, True, "clip")
    dtype, result = core.local.dtype, wrap(core)
    if not (dtype.is_floating_point or dtype.is_complex or dtype == torch.bool):
        limits = torch.iinfo(dtype)  # a number beyond them bounds nothing
        min = None if type(min) is int and min < limits.min else min
        max = None if type(max) is int and max > limits.max else max
    if min is not None:
        result = maximum(result, min)
    if max is not None:
        result = minimum(result, max)
    return deliver(result, out, True, "clip")


def _as(x: DNDarray, dtype: DType) -> DNDarray:
    wanted = torch_dtype(dtype)
    return x if wanted is None else wrap(x._core.with_local(x._core.local.to(wanted)))


__getattr__, _ = mirror(__name__, "equiheat.arithmetic", "equiheat")  # what Heat's module of this name has more
