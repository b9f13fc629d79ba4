# SPDX-License-Identifier: BSD-3-Clause
"""Every row of the operation tables against NumPy: all splits, dtypes, empty and small shapes."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from op_cases import CASES, DTYPES, assert_array, combinations, layouts, make, promoted, sample, single, splits

import equiheat as ht
from equiheat import _core

pytestmark = pytest.mark.filterwarnings("ignore")

#: Where a result differs from NumPy's on purpose: (operation, kinds of input) -> why.
DEVIATIONS = {
    ("reciprocal", "bui"): "integers divide as reals; NumPy's integer reciprocal is 0 for all but 1 and -1",
    ("conjugate", "b"): "NumPy has no loop for bool and takes int8; so do we",
}
#: What NumPy computes and we refuse with a TypeError: (operation, kinds) -> why.
REFUSED = {
    **{(name, "c"): "complex numbers have no order" for name in ("maximum", "minimum", "fmax", "fmin")},
    **{(name, "c"): "complex numbers have no order" for name in ("lt", "le", "gt", "ge")},
}
#: What we compute and NumPy refuses.
EXTENDED = {
    ("angle", "b"): "NumPy has it, in float16 arithmetic",
    ("conjugate", "b"): "see above",
}
#: NumPy's name where the row has another.
NUMPY_NAMES = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
               "ge": "greater_equal"}  # fmt: skip
#: Functions of reals: integers give float32 where NumPy gives float64 (or float16 for 8 bits).
PARTS_OF_COMPLEX = {"absolute", "angle", "real", "imag"}


def numpy_function(name: str):  # type: ignore[no-untyped-def]
    return getattr(np, NUMPY_NAMES.get(name, name))


def reference(name: str, *inputs: np.ndarray):  # type: ignore[no-untyped-def]
    """NumPy's result, computed in float64 where NumPy would take float16 for 8-bit integers; None if it refuses."""
    wide = [x.astype(np.int64) if x.dtype.kind in "ui" and x.dtype.itemsize < 4 else x for x in inputs]
    try:
        result = numpy_function(name)(*inputs)
    except TypeError:
        return None
    if result.dtype.kind in "fc" and all(x.dtype.kind in "bui" for x in inputs):
        result = numpy_function(name)(*[x.astype(np.float64) if x.dtype.kind == "b" else x for x in wide])
    return result


def expected_dtype(result: np.ndarray, common: np.dtype) -> np.dtype:
    """NumPy's result dtype, but float32 for functions of integers."""
    if result.dtype.kind in "fc" and common.kind in "bui":
        return single(common)
    return result.dtype


def listed(table: dict[tuple[str, str], str], name: str, kind: str) -> bool:
    return any(op == name and kind in kinds for op, kinds in table)


_PAIRS = (
    "sub=subtract mul=multiply div=divide true_divide=divide abs=absolute mod=remainder pow=power neg=negative "
    "pos=positive asin=arcsin atan2=arctan2 less=lt greater_equal=ge not_equal=ne conj=conjugate "
    "bitwise_not=invert around=round sgn=sign deg2rad=radians rad2deg=degrees amax=max fix=trunc "
)
ALIASES = dict(pair.split("=") for pair in _PAIRS.split())


def test_names_of_tables_are_names_in_python() -> None:
    for table in (_core.unary, _core.binary, _core.reductions):
        for name in table:
            function = getattr(ht, name)
            assert function.__doc__ and function.__name__ in (name, "absolute", "angle")
    for alias, name in ALIASES.items():
        assert getattr(ht, alias) is getattr(ht, name)


@pytest.mark.parametrize("name", list(_core.unary))
def test_unary(name: str) -> None:
    function = getattr(ht, name)
    for dtype in DTYPES:
        kind = np.dtype(dtype).kind
        wanted = reference(name, sample((3,), dtype))
        if (wanted is None and not listed(EXTENDED, name, kind)) or listed(REFUSED, name, kind):
            with pytest.raises(TypeError, match=name):
                function(make(sample((3,), dtype)))
            continue
        if listed(DEVIATIONS, name, kind) or wanted is None:
            continue
        for shape in (case for d, case in CASES if d == dtype):
            values = sample(shape, dtype)
            result = reference(name, values)
            for x in layouts(values):
                got = function(x)
                note = f"{name} {dtype} {shape} split {x.split}"
                assert got.split == x.split and got._core.counts == x._core.counts, note
                assert_array(got, result, expected_dtype(np.asarray(result), np.dtype(dtype)), note)


PAIRS = [(d, d) for d in DTYPES] + [
    ("bool", "int32"), ("uint8", "int8"), ("int32", "float32"), ("int64", "float32"), ("float16", "float32"),
    ("float32", "float64"), ("float32", "complex64"), ("int64", "complex64"), ("float64", "complex64"),
    ("int16", "uint8"),
]  # fmt: skip


def binary_inputs(name: str, shape_a: tuple[int, ...], shape_b: tuple[int, ...], a: str, b: str):  # type: ignore[no-untyped-def]
    first, second = sample(shape_a, a), sample(shape_b, b, shift=5)
    if name in ("power", "float_power"):  # integer exponents must not be negative; 0 ** complex is NaN or not
        second = np.abs(second).astype(b) if np.dtype(b).kind in "bui" else second
        second = second % 7 if np.dtype(b).kind in "ui" else second
    if (
        name in ("gcd", "lcm") and first.dtype.kind in "ui" and second.dtype.kind in "ui"
    ):  # small enough for the multiple to fit
        first, second = first // 16, second // 16
    return first, second


def binary_dtype(name: str, result: np.ndarray, a: str, b: str) -> np.dtype:
    common = promoted(a, b)
    if result.dtype == bool:
        return result.dtype
    if name == "float_power":
        return np.dtype(np.complex128 if common.kind == "c" else np.float64)
    if result.dtype.kind in "fc":
        return single(common)
    return result.dtype


@pytest.mark.parametrize("name", list(_core.binary))
def test_binary(name: str) -> None:
    function = getattr(ht, name)
    shapes = [((), ()), ((5, 3), (5, 3)), ((5, 3), (3,)), ((4, 1), (1, 3)), ((), (4,)), ((0, 3), (1, 3)), ((2,), (2,))]
    for a, b in PAIRS:
        kind = promoted(a, b).kind
        refused = reference(name, *binary_inputs(name, (3,), (3,), a, b)) is None or listed(REFUSED, name, kind)
        if refused:
            with pytest.raises(TypeError, match=name):
                function(make(sample((3,), a)), make(sample((3,), b)))
            continue
        for sa, sb in shapes if a == b else shapes[1:3]:
            first, second = binary_inputs(name, sa, sb, a, b)
            result = np.asarray(reference(name, first, second))
            dtype = binary_dtype(name, result, a, b)
            for pa, pb in combinations(splits(len(sa)), splits(len(sb))):
                note = f"{name} {a} {b} {sa} {sb} splits {pa} {pb}"
                assert_array(function(make(first, pa), make(second, pb)), result, dtype, note)


@pytest.mark.parametrize(
    "name", ["add", "multiply", "floor_divide", "remainder", "lt", "power", "bitwise_xor", "divide"]
)
def test_numbers_adapt_to_the_array(name: str) -> None:
    function, oracle = getattr(ht, name), numpy_function(name)
    for dtype, number in combinations(["bool", "int8", "int32", "float16", "float32", "float64", "complex64"],
                                      [2, True, 0.5, 3 + 1j]):  # fmt: skip
        values = np.resize(sample((12,), dtype), (4, 3))
        if name == "power" and values.dtype.kind in "bi":
            values = np.abs(values) % 4
            values = values.astype(dtype)
        if name == "power":  # NumPy takes the square root for 0.5, whose value at -inf is not that of C's pow
            values = np.where(np.isneginf(values.real), 1, values).astype(dtype)
        for swap in (False, True):
            operands = (number, values) if swap else (values, number)
            try:
                result = oracle(*operands)
            except TypeError:
                result = None
            inexact = isinstance(number, (float, complex)) and not isinstance(number, bool)
            unordered = (isinstance(number, complex) or dtype == "complex64") and name == "lt"
            x = make(values, 0)
            if result is None or unordered:
                with pytest.raises(TypeError, match=name):
                    function(number, x) if swap else function(x, number)
                continue
            wanted = result.dtype
            if result.dtype.kind == "f" and values.dtype.kind in "bi":
                wanted = np.dtype(np.float32)
            if result.dtype.kind == "c" and values.dtype.kind in "bi":
                wanted = np.dtype(np.complex64)
            if result.dtype.kind in "i" and inexact:
                wanted = np.dtype(np.float32)
            note = f"{name} {dtype} {number} swapped {swap}"
            assert_array(function(number, x) if swap else function(x, number), result, wanted, note)


def test_numbers_outside_the_dtype() -> None:
    x = make(np.array([1, -2, 127], np.int8), 0)
    assert_array(x < 200, [True] * 3, bool)
    assert_array(x == 255, [False] * 3, bool)
    assert_array(x * 200, (np.array([1, -2, 127]) * 200).astype(np.int8), np.int8)
    assert_array(make(np.array([0, 200], np.uint8), 0) > -1, [True, True], bool)
    big = make(np.array([2**53, 2**53 + 1]), 0)
    assert_array(big == 2**53 + 1, [False, True], bool)
    assert_array(make(np.array([16777217], np.int32), 0) == 16777216.0, [False], bool)


def test_operators_and_foreign_operands() -> None:
    values = np.arange(6.0).reshape(3, 2)
    x = make(values, 0)
    other = np.array([1.0, 2.0])
    assert_array(x + other, values + other, float)
    assert_array(other - x, other - values, float)
    assert_array(torch.from_numpy(other) * x, other * values, float)
    assert_array(np.float64(3) / (x + 1), 3 / (values + 1), float)
    assert_array([1.0, 2.0] + x, values + other, float)  # noqa: RUF005
    assert_array(2**x, 2**values, float)
    assert_array(7 // (x + 1), 7 // (values + 1), float)
    assert_array(-x % 4, -values % 4, float)
    assert_array(abs(-x), values, float)
    assert_array(~make(values > 2, 1), ~(values > 2), bool)
    assert_array(round(x + 0.25, 1), np.round(values + 0.25, 1), float)
    quotient, rest = divmod(x, 2)
    assert_array(quotient, values // 2, float)
    assert_array(rest, values % 2, float)
    assert_array(x == "text", np.zeros((3, 2), bool), bool)
    assert_array(x != None, np.ones((3, 2), bool), bool)  # noqa: E711
    with pytest.raises(TypeError):
        x + "text"
    with pytest.raises(TypeError, match="add"):
        ht.add(x, "text")
    with pytest.raises(ValueError, match=r"add.*\(3, 2\) \(3,\)"):
        x + np.ones(3)


def test_in_place() -> None:
    values = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    for split in (None, 0, 1):
        x = make(values, split)
        before, block = x, x.larray
        x += 1
        x *= make(np.full((4, 3), 2.0), 1)  # float64 of another split
        assert x is before and x.larray is block and x.split == split
        assert_array(x, (values + 1) * 2, np.float32)
        x.sub_(1).div_(2)
        assert_array(x, ((values + 1) * 2 - 1) / 2, np.float32)
        n = make(np.arange(12).reshape(4, 3), split)
        with pytest.raises(TypeError, match="float32 to int64"):
            n += 0.5
        with pytest.raises(TypeError, match="divide"):
            n /= 2
        with pytest.raises(ValueError, match=r"\(2, 4, 3\)"):
            n += np.ones((2, 4, 3), np.int64)
        n <<= 1
        n //= 3
        assert_array(n, (np.arange(12).reshape(4, 3) << 1) // 3, np.int64)
        n.neg_()
        assert_array(n, -((np.arange(12).reshape(4, 3) << 1) // 3), np.int64)


def test_out_and_where() -> None:
    values = np.arange(12.0).reshape(4, 3)
    mask = values % 2 == 0
    for split, target in combinations((None, 0, 1), (None, 0, 1)):
        x, out = make(values, split), make(np.full((4, 3), -1.0), target)
        assert ht.exp(x, out=out, where=make(mask, target)) is out and out.split == target
        assert_array(out, np.where(mask, np.exp(values), -1), float)
        ht.add(x, 1, out)
        assert_array(out, values + 1, float)
        assert_array(ht.multiply(x, 2, where=mask), np.where(mask, values * 2, 0), float)
    with pytest.raises(ValueError, match=r"\(4, 3\).*\(3, 4\)"):
        ht.exp(make(values), out=make(np.zeros((3, 4))))
    with pytest.raises(TypeError, match="float64 to int32"):
        ht.exp(make(values), out=make(np.zeros((4, 3), np.int32)))


def test_integer_division_by_zero_and_lowest() -> None:
    for dtype in ("int8", "int32", "int64"):
        low = np.iinfo(dtype).min
        a, b = np.array([5, -5, 0, low, low, 7], dtype), np.array([0, 0, 0, -1, 1, -2], dtype)
        for name in ("floor_divide", "remainder", "fmod"):
            assert_array(getattr(ht, name)(make(a, 0), make(b, 0)), getattr(np, name)(a, b), dtype, name)
        assert_array(make(a, 0) // 0, np.zeros(6), dtype)


def test_integer_powers() -> None:
    x = make(np.array([2, 3, 4, 5]), 0)
    for exponent in (-1, np.array([1, 2, 3, -1]), make(np.array([1, 1, 1, -1]), 0)):
        with pytest.raises(ValueError, match="negative integer powers"):
            x**exponent
    with pytest.raises(ValueError, match="negative integer powers"):
        2 ** make(np.array([1, 2, -3, 1]), 0)
    assert_array(x ** make(np.array([0, 1, 2, 3]), 0), [1, 3, 16, 125], np.int64)
    assert_array(x**-1.0, 1 / np.array([2, 3, 4, 5]), np.float32)


@pytest.mark.parametrize("dtype", ["int64", "float32", "float64", "complex64"])
def test_parameters(dtype: str) -> None:
    for shape in [(), (0, 3), (5, 3)]:
        values = sample(shape, dtype)
        for x in layouts(values):
            for decimals in (0, 1, -1):
                assert_array(ht.round(x, decimals), np.round(values, decimals), dtype, f"round {decimals}")
            assert_array(
                ht.nan_to_num(x, 1.5, 2.0, -2.0), np.nan_to_num(values, nan=1.5, posinf=2.0, neginf=-2.0), dtype
            )
            assert_array(ht.nan_to_num(x), np.nan_to_num(values), dtype)
            assert_array(ht.angle(x, deg=True), np.angle(values, deg=True), single(np.dtype(dtype)).type(0).real.dtype)
            assert_array(ht.isclose(x, x + 1e-6), np.isclose(values, values + 1e-6), bool)
            assert_array(ht.isclose(x, x, equal_nan=True), np.ones(shape, bool), bool)
            if np.dtype(dtype).kind == "c":
                continue
            assert_array(ht.clip(x, -1, 3), np.clip(values, -1, 3), dtype)
            assert_array(x.clip(None, make(np.ones(shape, dtype))), np.minimum(values, 1), dtype)
            fraction, whole = ht.modf(x)
            assert_array(fraction, np.modf(values)[0], single(np.dtype(dtype)))
            assert_array(whole, np.modf(values)[1], single(np.dtype(dtype)))
            mantissa, exponent = ht.frexp(x)
            finite = np.where(np.isfinite(values), values, 1)
            assert_array(mantissa, np.frexp(values)[0], single(np.dtype(dtype)))
            assert_array(ht.where(ht.isfinite(x), exponent, np.int32(1)), np.frexp(finite)[1], np.int32)
            assert_array(ht.ldexp(mantissa, exponent), values, single(np.dtype(dtype)))


def test_where() -> None:
    condition = np.array([[True, False, True], [False, False, True]])
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([10.0, 20.0, 30.0])
    for pc, pa, pb in combinations((None, 0, 1), (None, 0, 1), (None, 0)):
        assert_array(ht.where(make(condition, pc), make(a, pa), make(b, pb)), np.where(condition, a, b), float)
    assert_array(ht.where(make(condition, 0), 0.0, make(a, 1)), np.where(condition, 0, a), np.float32)
    assert_array(ht.where(make(condition, 1), make(a), -1), np.where(condition, a, -1), np.float32)
    assert_array(ht.where(make(condition, 1), 1, 0), np.where(condition, 1, 0), np.int64)
    for kind in (ValueError, TypeError):  # NumPy's and Heat's
        with pytest.raises(kind, match="both"):
            ht.where(make(condition), 1)


def test_whole_array_comparisons() -> None:
    values = np.array([1.0, np.nan, 3.0, 4.0])
    x, y = make(values, 0), make(np.array([1.0, 2.0, 3.0, 5.0]), 0)
    assert not ht.allclose(x, x) and ht.allclose(x, x, equal_nan=True)
    assert not ht.array_equal(x, x) and ht.array_equal(x, x, equal_nan=True)
    assert not ht.array_equal(y, make(np.ones(3), 0)) and not ht.equal(y, make(np.ones(3), 0))
    assert ht.equal(y, y) and not ht.equal(x, y) and ht.equal(make(np.ones((3, 2)), 1), 1)
    assert ht.allclose(y, np.array([1.0, 2.0, 3.0, 5.0 + 1e-9]))


@st.composite
def layout_of(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[int | None, list[int] | None]:
    """A split and, sometimes, extents of its own for every rank."""
    split = draw(st.sampled_from(splits(len(shape))))
    if split is None or not draw(st.booleans()):
        return split, None
    size = ht.get_comm().size
    cuts = sorted(draw(st.lists(st.integers(0, shape[split]), min_size=size - 1, max_size=size - 1)))
    edges = [0, *cuts, shape[split]]
    return split, [b - a for a, b in itertools.pairwise(edges)]


@st.composite
def broadcasting(draw: st.DrawFn) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    """Two shapes that broadcast."""
    shape = tuple(draw(st.lists(st.integers(0, 6), max_size=3)))
    shapes = []
    for _ in range(2):
        keep = draw(st.integers(0, len(shape)))
        shapes.append(tuple(n if draw(st.booleans()) else 1 for n in shape[len(shape) - keep :]))
    return shapes, shape


@given(data=st.data())
def test_broadcasting_of_any_layouts(data: st.DataObject) -> None:
    shapes, _ = data.draw(broadcasting())
    arrays = [sample(s, data.draw(st.sampled_from(["int32", "float32", "float64"])), i) for i, s in enumerate(shapes)]
    a, b = (make(v, *data.draw(layout_of(v.shape))) for v in arrays)
    assert_array(a + b, arrays[0] + arrays[1], promoted(arrays[0].dtype.name, arrays[1].dtype.name))
    assert_array(ht.where(a > b, a, b), np.where(arrays[0] > arrays[1], *arrays),
                 promoted(arrays[0].dtype.name, arrays[1].dtype.name))  # fmt: skip


@given(data=st.data())
def test_result_keeps_the_leaders_layout(data: st.DataObject) -> None:
    values = sample((data.draw(st.integers(0, 7)), 3), "float64")
    split, counts = data.draw(layout_of(values.shape))
    a, b = make(values, split, counts), make(values, *data.draw(layout_of(values.shape)))
    result = a * b
    leader = a if a.split is not None else b
    assert result.split == leader.split and result._core.counts == leader._core.counts
    assert_array(result, values * values, float)
