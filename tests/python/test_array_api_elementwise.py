# SPDX-License-Identifier: BSD-3-Clause
"""The standard's element-wise functions and operators against NumPy: replicated, split along the first or last axis."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from array_api_cases import (
    ALL,
    BOOL,
    COMPLEX,
    FLOATS,
    INTEGERS,
    NUMERIC,
    REALS,
    assert_same,
    call,
    distribute,
    few,
    pairs,
    shapes,
    splits,
    values,
)
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat import array_api as xp

pytestmark = [pytest.mark.ranks(1, 2), pytest.mark.filterwarnings("ignore")]
ANY_REAL = INTEGERS + REALS
UNARY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "expm1", "log", "log10",
                     "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh", "reciprocal"), FLOATS),
    **dict.fromkeys(("abs", "isfinite", "isinf", "isnan", "negative", "positive", "round", "sign", "square"), NUMERIC),
    **dict.fromkeys(("ceil", "floor", "trunc"), ANY_REAL),
    **dict.fromkeys(("conj", "real"), FLOATS),
    "imag": COMPLEX, "bitwise_invert": BOOL + INTEGERS, "logical_not": BOOL, "signbit": REALS,
}  # fmt: skip
BINARY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("add", "subtract", "multiply"), NUMERIC),
    **dict.fromkeys(("atan2", "copysign", "hypot", "logaddexp", "nextafter"), REALS),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), BOOL + INTEGERS),
    **dict.fromkeys(("equal", "not_equal"), ALL),
    **dict.fromkeys(("greater", "greater_equal", "less", "less_equal", "maximum", "minimum", "remainder",
                     "floor_divide"), ANY_REAL),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), BOOL),
    "divide": FLOATS,
}  # fmt: skip
OPERATORS = {
    "add": NUMERIC, "sub": NUMERIC, "mul": NUMERIC, "truediv": FLOATS, "floordiv": ANY_REAL, "mod": ANY_REAL,
    "and_": BOOL + INTEGERS, "or_": BOOL + INTEGERS, "xor": BOOL + INTEGERS, "lt": ANY_REAL, "le": ANY_REAL,
    "gt": ANY_REAL, "ge": ANY_REAL, "eq": ALL, "ne": ALL,
}  # fmt: skip


@st.composite
def operands(draw: st.DrawFn, names: tuple[str, ...], special: bool = True) -> Any:
    """Two arrays of one kind that broadcast, and their values."""
    shape = draw(shapes())
    first = draw(values(shape, names, special))
    kind = tuple(n for n in names if np.dtype(n).kind == first.dtype.kind)
    cut = draw(st.integers(0, len(shape)))
    other = tuple(1 if draw(st.booleans()) else n for n in shape[cut:])
    second = draw(values(other, kind, special))
    if draw(st.booleans()):
        first, second = second, first
    return distribute(first, draw(splits)), distribute(second, draw(splits)), first, second


@pytest.mark.parametrize("name", UNARY)
@few
@given(data=st.data())
def test_functions_of_one_array(name: str, data: st.DataObject) -> None:
    x, value = data.draw(pairs(names=UNARY[name], special=True))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(value)
    if name == "sign" and value.dtype.kind == "c":
        expected = np.where(value == 0, 0, value / np.abs(np.where(value == 0, 1, value))).astype(value.dtype)
    assert_same(call(name, x), expected)


def test_sign_of_complex_numbers_whose_magnitude_overflows() -> None:
    for name, largest in (("complex64", 3e38), ("complex128", 1.5e308)):
        value = np.array([complex(largest, largest), complex(-largest, 0), complex(0.75 * largest, -largest)], name)
        for split in (None, 0):
            expected = np.array([complex(0.5**0.5, 0.5**0.5), -1, complex(0.6, -0.8)], name)
            assert_same(xp.sign(distribute(value, split)), expected)


@pytest.mark.parametrize("name", BINARY)
@few
@given(data=st.data())
def test_functions_of_two_arrays(name: str, data: st.DataObject) -> None:
    x, y, a, b = data.draw(operands(BINARY[name]))
    if name in ("floor_divide", "remainder") and a.dtype.kind == "f":
        infinite = ~np.isfinite(a)
        a = np.where(infinite, 1, a).astype(a.dtype)  # the standard leaves room there
        x = distribute(a, x.split)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(a, b)
    assert_same(call(name, x, y), expected)


@pytest.mark.parametrize("name", ["bitwise_left_shift", "bitwise_right_shift"])
@few
@given(data=st.data())
def test_shifts(name: str, data: st.DataObject) -> None:
    x, value = data.draw(pairs(names=INTEGERS))
    bits = data.draw(values(value.shape, (value.dtype.name,), low=0, high=7))
    assert_same(call(name, x, distribute(bits, data.draw(splits))), getattr(np, name)(value, bits))


@few
@given(data=st.data())
def test_pow(data: st.DataObject) -> None:
    x, value = data.draw(pairs(names=NUMERIC, low=-3, high=3))
    exponent = data.draw(values(value.shape, (value.dtype.name,), low=0, high=3))
    with np.errstate(all="ignore"):
        assert_same(xp.pow(x, distribute(exponent, data.draw(splits))), np.pow(value, exponent))
        assert_same(xp.pow(x, 2), np.pow(value, 2))
        assert_same(x**3, value**3)


@few
@given(data=st.data())
def test_clip(data: st.DataObject) -> None:
    x, value = data.draw(pairs(names=ANY_REAL))
    low, high = sorted((data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9))))
    bounds = data.draw(values(value.shape, (value.dtype.name,)))
    assert_same(xp.clip(x, low, high), np.clip(value, low, high))
    assert_same(xp.clip(x, min=low), np.clip(value, low, None))
    assert_same(xp.clip(x, max=distribute(bounds, data.draw(splits))), np.clip(value, None, bounds))
    assert_same(xp.clip(x), value)
    assert_same(xp.clip(x, -(2**70), 2**70) if value.dtype.kind in "ui" else xp.clip(x), value)


@pytest.mark.parametrize("name", OPERATORS)
@few
@given(data=st.data())
def test_operators(name: str, data: st.DataObject) -> None:
    function = getattr(operator, name)
    x, y, a, b = data.draw(operands(OPERATORS[name], special=False))
    number = {"b": True, "u": 3, "i": 3, "f": 1.5, "c": 2j}[a.dtype.kind]
    with np.errstate(all="ignore"):
        assert_same(function(x, y), function(a, b))
        assert_same(function(x, number), function(a, number))
        assert_same(function(number, x), function(number, a))


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "ipow", "ifloordiv", "imod", "iand", "ior", "ixor"])
@few
@given(data=st.data())
def test_operators_in_place(name: str, data: st.DataObject) -> None:
    kind = INTEGERS if name in ("iand", "ior", "ixor") else ANY_REAL
    x, value = data.draw(pairs(names=kind))
    other = data.draw(values(value.shape, (value.dtype.name,), low=1, high=3))
    result = getattr(operator, name)(x, distribute(other, data.draw(splits)))
    assert result is x
    with np.errstate(all="ignore"):
        assert_same(x, getattr(operator, name)(value, other))


@few
@given(data=st.data())
def test_python_scalars_in_functions(data: st.DataObject) -> None:
    x, value = data.draw(pairs(names=REALS))
    for name in ("add", "maximum", "atan2", "hypot", "less", "copysign", "logaddexp", "floor_divide"):
        with np.errstate(all="ignore"):
            assert_same(call(name, x, 2.0), getattr(np, name)(value, 2.0))
            assert_same(call(name, 2.0, x), getattr(np, name)(2.0, value))


def test_unary_operators_and_scalars() -> None:
    value = np.array([[1.5, -2.0], [0.0, 3.0]])
    for split in (None, 0, -1):
        x = distribute(value, split)
        assert_same(-x, -value)
        assert_same(+x, value)
        assert_same(abs(x), abs(value))
        assert_same(~(x > 0), ~(value > 0))
        assert_same(x.T, value.T)
        assert_same(x.mT, value.T)
        assert_same(x @ x, value @ value)
        x @= x
        assert_same(x, value @ value)
    one = ht.array(np.float64(2.5))
    assert (float(one), int(one), bool(one), complex(one)) == (2.5, 2, True, 2.5 + 0j)
    assert [10, 20, 30][ht.array(np.int8(1))] == 20
    for bad in (ht.array(np.float64(1)), ht.array(True)):
        with pytest.raises(TypeError):
            operator.index(bad)
    with pytest.raises(TypeError):
        float(ht.array(1j))
    with pytest.raises((TypeError, ValueError)):
        distribute(value, 0) @ 3
