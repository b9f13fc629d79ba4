# SPDX-License-Identifier: BSD-3-Clause
"""Operations written into their first operand, which keeps its dtype, shape and split.

Every one is a function (``ht.in_place.add_(x, y)``) and a method (``x.add_(y)``). TypeError if the dtype of the array
cannot hold the result. Communication is that of the operation, and of one redistribution if the result lies otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from equiheat import arithmetic, reductions
from equiheat._function import Operand, named
from equiheat._operators import in_place, in_place_unary

if TYPE_CHECKING:
    from equiheat.array import DNDarray

# fmt: off
__all__ = [
    "add_", "bitwise_and_", "bitwise_not_", "bitwise_or_", "bitwise_xor_", "copysign_", "cumprod_", "cumproduct_",
    "cumsum_", "div_", "divide_", "floor_divide_", "floordiv_", "fmod_", "gcd_", "hypot_", "invert_", "lcm_",
    "left_shift_", "mod_", "mul_", "multiply_", "nan_to_num_", "neg_", "negative_", "pow_", "power_", "remainder_",
    "right_shift_", "sub_", "subtract_",
]
# fmt: on


def _method(name: str) -> Callable[[DNDarray, Operand], DNDarray]:
    """The function behind ``+=``, which leaves operands it does not know to their class; a method has no such one."""
    update = in_place(name)

    def function(t1: DNDarray, t2: Operand) -> DNDarray:
        result = update(t1, t2)
        if result is NotImplemented:
            raise TypeError(f"{name}_: operand must be a DNDarray, a number or an array of numbers, is {type(t2)}")
        return result

    return named(function, name, update.__doc__ or "")


add_ = _method("add")
sub_ = subtract_ = _method("subtract")
mul_ = multiply_ = _method("multiply")
div_ = divide_ = _method("divide")
floordiv_ = floor_divide_ = _method("floor_divide")
mod_ = remainder_ = _method("remainder")
fmod_ = _method("fmod")
pow_ = power_ = _method("power")
gcd_ = _method("gcd")
lcm_ = _method("lcm")
hypot_ = _method("hypot")
copysign_ = _method("copysign")
bitwise_and_ = _method("bitwise_and")
bitwise_or_ = _method("bitwise_or")
bitwise_xor_ = _method("bitwise_xor")
left_shift_ = _method("left_shift")
right_shift_ = _method("right_shift")
neg_ = negative_ = in_place_unary("negative")
invert_ = bitwise_not_ = in_place_unary("invert")


def nan_to_num_(
    t: DNDarray, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> DNDarray:
    """`nan_to_num` written into this array. Local."""
    return arithmetic.nan_to_num(t, nan, posinf, neginf, t)


def cumsum_(t: DNDarray, axis: int) -> DNDarray:
    """`cumsum` written into this array. Collective along the split."""
    return reductions.cumsum(t, axis, None, t)


def cumprod_(t: DNDarray, axis: int) -> DNDarray:
    """`cumprod` written into this array. Collective along the split."""
    return reductions.cumprod(t, axis, None, t)


cumproduct_ = cumprod_


class InPlaceMethods:
    """The functions as methods of arrays."""

    __slots__ = ()

    add_ = add_
    sub_ = subtract_ = sub_
    mul_ = multiply_ = mul_
    div_ = divide_ = div_
    floordiv_ = floor_divide_ = floordiv_
    mod_ = remainder_ = mod_
    fmod_ = fmod_
    pow_ = power_ = pow_
    gcd_ = gcd_
    lcm_ = lcm_
    hypot_ = hypot_
    copysign_ = copysign_
    bitwise_and_ = bitwise_and_
    bitwise_or_ = bitwise_or_
    bitwise_xor_ = bitwise_xor_
    left_shift_ = left_shift_
    right_shift_ = right_shift_
    neg_ = negative_ = neg_
    invert_ = bitwise_not_ = invert_
    nan_to_num_ = nan_to_num_
    cumsum_ = cumsum_
    cumprod_ = cumproduct_ = cumprod_
