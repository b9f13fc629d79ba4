# SPDX-License-Identifier: BSD-3-Clause
"""Truth, bits and kinds of numbers, element-wise."""

from __future__ import annotations

from equiheat._function import binary, unary
from equiheat.core._mirror import mirror

_BOOL = "bool."

logical_and = binary("logical_and", "True where both are not zero.", dtype=_BOOL, parameters="x, y")
logical_or = binary("logical_or", "True where one is not zero.", dtype=_BOOL, parameters="x, y")
logical_xor = binary("logical_xor", "True where exactly one is not zero.", dtype=_BOOL, parameters="x, y")
logical_not = unary("logical_not", "True where x is zero.", dtype=_BOOL)
bitwise_and = binary("bitwise_and", "Bits set in both; bool and integers only.")
bitwise_or = binary("bitwise_or", "Bits set in one; bool and integers only.")
bitwise_xor = binary("bitwise_xor", "Bits set in exactly one; bool and integers only.")
invert = unary("invert", "Bits flipped; bool and integers only.", dtype="The dtype of the input.")
bitwise_not = invert
left_shift = binary("left_shift", "Bits of t1 moved up by t2 places; 0 once all are out.")
right_shift = binary("right_shift", "Bits of t1 moved down by t2 places; 0 or -1 once all are out.")
isfinite = unary("isfinite", "True where x is neither infinite nor NaN.", dtype=_BOOL)
isinf = unary("isinf", "True where x is infinite.", dtype=_BOOL)
isnan = unary("isnan", "True where x is NaN.", dtype=_BOOL)
isposinf = unary("isposinf", "True where x is infinity.", dtype=_BOOL)
isneginf = unary("isneginf", "True where x is minus infinity.", dtype=_BOOL)


__getattr__, _ = mirror(__name__, "equiheat")  # what Heat's module of this name has more
