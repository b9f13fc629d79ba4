# SPDX-License-Identifier: BSD-3-Clause
"""Exponentials and logarithms, element-wise."""

from __future__ import annotations

from equiheat._function import binary, unary
from equiheat.core._mirror import mirror

_FLOAT = "The common dtype; float32 for integers."

exp = unary("exp", "Exponential, element-wise.")
exp2 = unary("exp2", "2**x, element-wise.")
expm1 = unary("expm1", "exp(x) - 1, exact for small x.")
log = unary("log", "Natural logarithm, element-wise; NaN of negative numbers.")
log2 = unary("log2", "Logarithm to base 2, element-wise.")
log10 = unary("log10", "Logarithm to base 10, element-wise.")
log1p = unary("log1p", "log(1 + x), exact for small x.")
logaddexp = binary("logaddexp", "log(exp(t1) + exp(t2)) without overflow.", dtype=_FLOAT, parameters="x1, x2")
logaddexp2 = binary("logaddexp2", "log2(2**t1 + 2**t2) without overflow.", dtype=_FLOAT, parameters="x1, x2")


__getattr__, _ = mirror(__name__, "equiheat")  # what Heat's module of this name has more
