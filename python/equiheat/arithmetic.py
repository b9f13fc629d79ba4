# SPDX-License-Identifier: BSD-3-Clause
"""Arithmetic, element-wise. Integer division by zero gives 0, as in NumPy; integers wrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from equiheat import _core
from equiheat._base import ArrayBase, wrap
from equiheat._function import Mask, Operand, binary, deliver, native, pair, unary

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_SAME = "The dtype of the input."

add = binary("add", "Sum, element-wise.")
subtract = binary("subtract", "Difference, element-wise; not of bool.")
sub = subtract
multiply = binary("multiply", "Product, element-wise.")
mul = multiply
divide = binary("divide", "Quotient, element-wise.", dtype="The common dtype; float32 for integers.")
div = divide
true_divide = divide
floor_divide = binary("floor_divide", "Quotient rounded down, element-wise; integers by 0 give 0.")
floordiv = floor_divide
remainder = binary("remainder", "Rest of `floor_divide`, with the sign of the divisor; integers by 0 give 0.")
mod = remainder
fmod = binary("fmod", "Rest of the division rounded to zero, with the sign of the dividend.")
power = binary("power", "First to the power of the second; ValueError for integers to negative integers.")
pow = power
float_power = binary("float_power", "Power in at least float64.", dtype="float64 or complex128.")
hypot = binary("hypot", "sqrt(t1**2 + t2**2) without overflow.", dtype="The common dtype; float32 for integers.")
copysign = binary("copysign", "t1 with the sign of t2.", dtype="The common dtype; float32 for integers.")
nextafter = binary("nextafter", "The next number from t1 towards t2.", dtype="The common dtype; float32 for integers.")
heaviside = binary("heaviside", "0 below zero, 1 above, t2 at zero.", dtype="The common dtype; float32 for integers.")
gcd = binary("gcd", "Greatest common divisor of integers.")
lcm = binary("lcm", "Least common multiple of integers.")
maximum = binary("maximum", "The larger of two, element-wise; NaN if one is NaN.", parameters="x1, x2")
minimum = binary("minimum", "The smaller of two, element-wise; NaN if one is NaN.", parameters="x1, x2")
fmax = binary("fmax", "The larger of two, element-wise; the other one if one is NaN.")
fmin = binary("fmin", "The smaller of two, element-wise; the other one if one is NaN.")

negative = unary("negative", "Numerical negative, element-wise; not of bool.", dtype=_SAME, parameter="a")
neg = negative
positive = unary("positive", "A copy, element-wise; not of bool.", dtype=_SAME, parameter="a")
pos = positive
sign = unary("sign", "-1, 0 or 1; x / abs(x) of complex numbers.", dtype=_SAME)
sgn = sign
square = unary("square", "Square, element-wise.", dtype=_SAME)
sqrt = unary("sqrt", "Square root, element-wise; NaN of negative numbers.")
cbrt = unary("cbrt", "Cube root, element-wise.")
reciprocal = unary("reciprocal", "1 / x, element-wise.")
signbit = unary("signbit", "True where the sign bit is set, -0.0 included.", dtype="bool.")


def divmod(
    t1: Operand,
    t2: Operand,
    out1: DNDarray | None = None,
    out2: DNDarray | None = None,
    /,
    out: tuple[DNDarray | None, DNDarray | None] = (None, None),
    *,
    where: Mask = True,
) -> tuple[DNDarray, DNDarray]:
    """``(floor_divide(t1, t2), remainder(t1, t2))``.

    Distribution and communication as `floor_divide`. TypeError for results given twice, by place and by `out`;
    ValueError for an `out` that is no pair.
    """
    first, second = pair("divmod", out)
    if out1 is not None or out2 is not None:
        if first is not None or second is not None:
            raise TypeError("divmod: out is given by place and by name; give one of them")
        first, second = out1, out2
    return floor_divide(t1, t2, first, where=where), remainder(t1, t2, second, where=where)


def modf(x: Operand, out: tuple[DNDarray, DNDarray] | None = None) -> tuple[DNDarray, DNDarray]:
    """Fractional and integral part, both with the sign of x; float32 for integers. Split as x; no communication."""
    first, second = pair("modf", out)
    fractional, integral = map(wrap, _core.modf(native(x, "modf")))
    return deliver(fractional, first, True, "modf"), deliver(integral, second, True, "modf")


def frexp(x: Operand) -> tuple[DNDarray, DNDarray]:
    """Mantissa in [0.5, 1) and int32 exponent of two: x = mantissa * 2**exponent. Split as x; no communication."""
    mantissa, exponent = _core.frexp(native(x, "frexp"))
    return wrap(mantissa), wrap(exponent)


def ldexp(t1: Operand, t2: Operand, /, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray:
    """t1 * 2**t2 in the dtype of t1 (float32 for integers); t2 must be integers.

    Distribution and communication as `add`.
    """
    first = native(t1, "ldexp", "t1")
    second = native(t2, "ldexp", "t2", first)
    return deliver(wrap(_core.ldexp(first, second)), out, where, "ldexp")


def nan_to_num(
    a: Operand,
    nan: float | None = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
    out: DNDarray | None = None,
    *,
    copy: bool = True,
) -> DNDarray:
    """NaN and infinities replaced; None stands for 0, the largest and the lowest finite number of the dtype.

    ``copy=False`` writes into a.

    Split and dtype as a; no communication.
    """
    if out is None and not copy and isinstance(a, ArrayBase):
        out = cast("DNDarray", a)
    return deliver(
        wrap(_core.nan_to_num(native(a, "nan_to_num"), 0.0 if nan is None else nan, posinf, neginf)),
        out,
        True,
        "nan_to_num",
    )
