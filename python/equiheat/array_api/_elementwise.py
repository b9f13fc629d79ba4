# SPDX-License-Identifier: BSD-3-Clause
"""Element-wise functions of the standard.

Each is the function of `equiheat` named in its docstring: result split, communication and gradients are told there.
One of two operands may be a Python number, which adapts to the array's dtype. Integers in a function of reals give
float32 (the standard leaves it open).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from equiheat import _core, promotion
from equiheat.array_api._heat import Array, Operand, ht
from equiheat.dtypes import integer

# fmt: off
__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "ceil",
    "clip",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "hypot",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "pow",
    "real",
    "reciprocal",
    "remainder",
    "round",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "trunc",
]
# fmt: on


def _named(function: Callable[..., Any], name: str, doc: str) -> None:
    function.__name__ = function.__qualname__ = name
    function.__module__ = "equiheat.array_api"
    function.__doc__ = doc


def _unary(name: str, heat: str) -> Callable[[Array], Array]:
    fast = _core.unary[heat]

    def function(x: Array, /) -> Array:
        return cast("Array", fast(x))

    _named(function, name, f"Element-wise `equiheat.{heat}` of x.")
    return function


def _binary(name: str, heat: str) -> Callable[[Operand, Operand], Array]:
    fast = _core.binary[heat]

    def function(x1: Operand, x2: Operand, /) -> Array:
        return cast("Array", fast(x1, x2))

    _named(function, name, f"Element-wise `equiheat.{heat}` of x1 and x2, which broadcast.")
    return function


abs = _unary("abs", "absolute")
acos = _unary("acos", "arccos")
acosh = _unary("acosh", "arccosh")
asin = _unary("asin", "arcsin")
asinh = _unary("asinh", "arcsinh")
atan = _unary("atan", "arctan")
atanh = _unary("atanh", "arctanh")
bitwise_invert = _unary("bitwise_invert", "invert")
ceil = _unary("ceil", "ceil")
conj = _unary("conj", "conjugate")
cos = _unary("cos", "cos")
cosh = _unary("cosh", "cosh")
exp = _unary("exp", "exp")
expm1 = _unary("expm1", "expm1")
floor = _unary("floor", "floor")
imag = _unary("imag", "imag")
isfinite = _unary("isfinite", "isfinite")
isinf = _unary("isinf", "isinf")
isnan = _unary("isnan", "isnan")
log = _unary("log", "log")
log10 = _unary("log10", "log10")
log1p = _unary("log1p", "log1p")
log2 = _unary("log2", "log2")
logical_not = _unary("logical_not", "logical_not")
negative = _unary("negative", "negative")
positive = _unary("positive", "positive")
real = _unary("real", "real")
reciprocal = _unary("reciprocal", "reciprocal")
sign = _unary("sign", "sign")
signbit = _unary("signbit", "signbit")
sin = _unary("sin", "sin")
sinh = _unary("sinh", "sinh")
sqrt = _unary("sqrt", "sqrt")
square = _unary("square", "square")
tan = _unary("tan", "tan")
tanh = _unary("tanh", "tanh")
trunc = _unary("trunc", "trunc")

add = _binary("add", "add")
atan2 = _binary("atan2", "arctan2")
bitwise_and = _binary("bitwise_and", "bitwise_and")
bitwise_left_shift = _binary("bitwise_left_shift", "left_shift")
bitwise_or = _binary("bitwise_or", "bitwise_or")
bitwise_right_shift = _binary("bitwise_right_shift", "right_shift")
bitwise_xor = _binary("bitwise_xor", "bitwise_xor")
copysign = _binary("copysign", "copysign")
divide = _binary("divide", "divide")
equal = _binary("equal", "eq")
floor_divide = _binary("floor_divide", "floor_divide")
greater = _binary("greater", "gt")
greater_equal = _binary("greater_equal", "ge")
hypot = _binary("hypot", "hypot")
less = _binary("less", "lt")
less_equal = _binary("less_equal", "le")
logaddexp = _binary("logaddexp", "logaddexp")
logical_and = _binary("logical_and", "logical_and")
logical_or = _binary("logical_or", "logical_or")
logical_xor = _binary("logical_xor", "logical_xor")
maximum = _binary("maximum", "maximum")
minimum = _binary("minimum", "minimum")
multiply = _binary("multiply", "multiply")
nextafter = _binary("nextafter", "nextafter")
not_equal = _binary("not_equal", "ne")
pow = _binary("pow", "power")
remainder = _binary("remainder", "remainder")
subtract = _binary("subtract", "subtract")


def round(x: Array, /) -> Array:
    """Nearest integers, halves to even, in the dtype of x. Local."""
    return ht.round(x)


def _bound(x: Array, value: Operand) -> Operand:
    """A Python integer beyond the range of an integer array bounds it at the end of the range."""
    if not isinstance(value, int) or isinstance(value, bool) or not issubclass(x.dtype, integer):
        return value
    limits = promotion.iinfo(x.dtype)
    return limits.min if value < limits.min else limits.max if value > limits.max else value


def clip(x: Array, /, min: Operand = None, max: Operand = None) -> Array:
    """X with values below `min` moved to it and values above `max` moved to that, in the dtype of x.

    Bounds are numbers or arrays that broadcast with x; None is no bound. Distribution and communication as
    `equiheat.maximum`.
    """
    if min is None and max is None:
        return x.copy()
    return ht.clip(x, _bound(x, min), _bound(x, max)).astype(x.dtype, copy=False)
