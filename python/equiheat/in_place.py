# SPDX-License-Identifier: BSD-3-Clause
"""Operations written into their first operand, which keeps its dtype, shape and split.

Every one is a function (``ht.in_place.add_(x, y)``) and a method (``x.add_(y)``). TypeError if the dtype of the array
cannot hold the result. Communication is that of the operation, and of one redistribution if the result lies otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from equiheat import arithmetic, reductions
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

add_ = in_place("add")
sub_ = subtract_ = in_place("subtract")
mul_ = multiply_ = in_place("multiply")
div_ = divide_ = in_place("divide")
floordiv_ = floor_divide_ = in_place("floor_divide")
mod_ = remainder_ = in_place("remainder")
fmod_ = in_place("fmod")
pow_ = power_ = in_place("power")
gcd_ = in_place("gcd")
lcm_ = in_place("lcm")
hypot_ = in_place("hypot")
copysign_ = in_place("copysign")
bitwise_and_ = in_place("bitwise_and")
bitwise_or_ = in_place("bitwise_or")
bitwise_xor_ = in_place("bitwise_xor")
left_shift_ = in_place("left_shift")
right_shift_ = in_place("right_shift")
neg_ = negative_ = in_place_unary("negative")
invert_ = bitwise_not_ = in_place_unary("invert")


def nan_to_num_(t: DNDarray, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> DNDarray:
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
