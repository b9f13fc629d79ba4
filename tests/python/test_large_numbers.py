# SPDX-License-Identifier: BSD-3-Clause
"""Python numbers beyond the range of an array's type, against NumPy."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from layouts import check

import equiheat as ht
from equiheat import array_api as xp

pytestmark = pytest.mark.filterwarnings("ignore")
COMPARISONS = ["lt", "le", "gt", "ge", "eq", "ne"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
#: Ends of every type and beyond them.
ENDS = [s * 2**n + d for n in (7, 8, 15, 31, 32, 53, 63, 64) for d in (-1, 0, 1) for s in (1, -1)] + [2**70, -(2**70)]


def ends_of(dtype: str) -> np.ndarray:
    """The ends and the middle of an integer type."""
    info = np.iinfo(dtype)
    middle = [0, 1, info.max // 2, info.max // 2 + 1]
    return np.array([info.min, info.min + 1, *middle, info.max - 1, info.max], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float16", "complex64"])
@pytest.mark.parametrize("number", [1e39, -1e300, 3.4028235e38, 3.40282355e38, 3.5e38, 10**40])
def test_reals_beyond_a_narrow_type_are_infinite(dtype: str, number: float) -> None:
    a = np.array([1, 2, 0.5, -3, 0], dtype)
    with np.errstate(all="ignore"):
        wide = np.array(float(number)).astype(dtype)
        for split in (None, 0):
            x = ht.array(a, split=split)
            check(x * number, a * wide, split)
            check(number + x, wide + a, split)
            check(x == number, a == wide, split)
            check(ht.where(x == 2, x, number), np.where(a == 2, a, wide), split)
            check(ht.full_like(x, float(number)), np.full_like(a, wide), split)
            check(ht.full((3, 2), float(number), dtype=dtype, split=split), np.full((3, 2), wide), split)
            check(ht.pad(x, 1, constant_values=number), np.pad(a, 1, constant_values=wide), split)
            x *= number
            check(x, a * wide, split)


@pytest.mark.parametrize("number", [1e300, -1e300, 2**200, -(2**200)])
def test_real_functions_of_numbers_beyond_float32(number: float) -> None:
    a = np.array([1, 2, 0.5, -3, 0], np.float32)
    wide = np.float32(np.inf if number > 0 else -np.inf)
    x = ht.array(a, split=0)
    with np.errstate(all="ignore"):
        for name in ("maximum", "minimum", "fmax", "fmin", "copysign", "remainder", "floor_divide", "power"):
            check(getattr(ht, name)(x, number), getattr(np, name)(a, wide), 0)
        for name in COMPARISONS:
            check(getattr(operator, name)(x, number), getattr(operator, name)(a, wide), 0)
    check(ht.clip(x, -1, abs(number)), np.clip(a, -1, None), 0)
    check(ht.clip(x, -abs(number), 1.0), np.clip(a, None, np.float32(1)), 0)


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 2**70, -(2**70), 10**300])
def test_integers_beyond_64_bits_are_reals_to_reals(number: int) -> None:
    a = np.array([1, -2, 0.5, 2.0**70, -(2.0**70)])
    for split in (None, 0):
        x = ht.array(a, split=split)
        for name in ("add", "sub", "mul", "truediv", "mod", *COMPARISONS):
            function = getattr(operator, name)
            check(function(x, number), function(a, float(number)), split)
            check(function(number, x), function(float(number), a), split)
        check(ht.atan2(x, number), np.arctan2(a, float(number)), split)
        check(ht.full_like(x, number), np.full_like(a, float(number)), split)
        check(xp.isin(x, number), np.isin(a, float(number)), split)
    check(xp.full((2,), number, dtype=xp.float64), np.full(2, float(number)))
    check(xp.asarray(number, dtype=xp.float64), np.asarray(float(number)))
    check(xp.asarray([[number, 1]], dtype=xp.complex128), np.array([[float(number), 1]], complex))
    with pytest.raises(OverflowError, match="float"):
        ht.array(a) * 10**400


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons_with_any_integer_are_exact(dtype: str, name: str) -> None:
    a, compare = ends_of(dtype), getattr(operator, name)
    x = ht.array(a, split=0)
    for number in [*ENDS, 10**400, -(10**400)]:
        check(compare(x, number), compare(a, number), 0)
        check(compare(number, x), compare(number, a), 0)
    flags = np.array([True, False])
    for number in (2**63, 2**70, -(2**70)):
        check(compare(ht.array(flags), number), compare(flags.astype(int), number))


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
def test_comparisons_of_signed_with_uint64_are_exact(name: str, dtype: str) -> None:
    ours = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal"}
    a, b = np.repeat(ends_of(dtype), 8), np.tile(ends_of("uint64"), 8)
    compare = getattr(np, ours[name])
    for left, right in ((None, None), (0, None), (None, 0), (0, 0)):
        x, y = ht.array(a, split=left), ht.array(b, split=right)
        check(getattr(ht, name)(x, y), compare(a, b))
        check(getattr(ht, name)(y, x), compare(b, a))
    check(getattr(ht, name)(ht.array(a[:, None], split=0), ht.array(b)), compare(a[:, None], b), 0)


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin", "floor_divide", "remainder", "fmod", "gcd"])
@pytest.mark.parametrize(("dtype", "number"), [("uint8", 300), ("uint8", -1), ("int64", 2**63), ("int16", -(2**15) - 1),
                                               ("uint64", 2**64), ("int32", 2**70), ("uint64", -1)])  # fmt: skip
def test_an_integer_type_refuses_integers_beyond_it(name: str, dtype: str, number: int) -> None:
    """They wrapped: the maximum of uint8 and 300 was 44."""
    x = ht.array(np.array([1, 2, 3], dtype), split=0)
    for call in (lambda: getattr(ht, name)(x, number), lambda: getattr(ht, name)(number, x),
                 lambda: ht.where(x > 1, x, number), lambda: ht.where(x > 1, number, x),
                 lambda: ht.pad(x, 1, constant_values=number)):  # fmt: skip
        with pytest.raises(OverflowError):
            call()
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    for end in (low, high):
        check(ht.maximum(x, end), np.maximum(x.numpy(), end), 0)
        check(ht.where(x > 1, x, end), np.where(x.numpy() > 1, x.numpy(), np.array(end, dtype)), 0)


def test_refusals_name_function_and_number() -> None:
    with pytest.raises(OverflowError, match="maximum: the integer 300 is out of bounds for uint8"):
        ht.maximum(ht.array(np.array([1], np.uint8)), 300)
    for made, dtype in ((lambda: xp.full((2,), 2**63), "int64"), (lambda: ht.full_like(ht.arange(2), 2**63), "int32")):
        with pytest.raises(OverflowError, match=f"full.*: fill_value {2**63} is out of bounds for {dtype}"):
            made()
    with pytest.raises(OverflowError, match="full: fill_value 300 is out of bounds for uint8"):
        ht.full((2,), 300, dtype=ht.uint8)
    with pytest.raises(TypeError, match="complex"):
        xp.asarray([1j], dtype=xp.float32)


def test_powers_of_uint64() -> None:
    bases = np.array([0, 1, 2, 3, 5, 6, 2**32 + 1, 2**63, 2**63 + 1, 2**64 - 1], np.uint64)
    exponents = np.array([0, 1, 2, 63, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1], np.uint64)
    wanted = np.array([[pow(int(b), int(e), 2**64) for e in exponents] for b in bases], np.uint64)
    for left, right in ((None, None), (0, None), (None, 0), (0, 0)):
        x, y = ht.array(bases[:, None], split=left), ht.array(exponents, split=right)
        check(xp.pow(x, y), wanted)
    for i, exponent in enumerate(exponents):
        check(ht.array(bases, split=0) ** int(exponent), wanted[:, i], 0)
        check(int(bases[3]) ** ht.array(exponents, split=0), wanted[3], 0)


@pytest.mark.parametrize("exponent", [0.5, -0.5])
def test_powers_of_a_half_are_no_roots(exponent: float) -> None:
    a = np.array([-np.inf, -0.0, 4.0, np.nan, np.inf])
    with np.errstate(all="ignore"):
        expected = np.power(a, np.full(5, exponent))  # of a number NumPy takes the root, which the standard does not
    for split in (None, 0):
        x = ht.array(a, split=split)
        for ours in (x**exponent, ht.power(x, ht.array(exponent)), np.power(x, exponent)):
            np.testing.assert_array_equal(ours.numpy(), expected)
            np.testing.assert_array_equal(np.signbit(ours.numpy()[:3]), np.signbit(expected[:3]))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_common_divisors_of_the_least_integer(dtype: str) -> None:
    least = np.iinfo(dtype).min
    a, b = np.array([least, least, -6], dtype), np.array([40, least + 1, 4], dtype)
    for split in (None, 0):
        check(ht.gcd(ht.array(a, split=split), ht.array(b, split=split)), np.gcd(a, b), split)


def test_truth_values_are_whole() -> None:
    a = np.array([True, False, True])
    for fn in ("ceil", "floor", "trunc"):
        check(getattr(ht, fn)(ht.array(a, split=0)), getattr(np, fn)(a), 0)
