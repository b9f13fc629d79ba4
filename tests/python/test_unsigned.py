# SPDX-License-Identifier: BSD-3-Clause
"""uint16, uint32 and uint64, which torch stores but hardly computes with, against NumPy."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from layouts import check

import equiheat as ht

pytestmark = pytest.mark.filterwarnings("ignore")
TYPES = [np.uint16, np.uint32, np.uint64]
BINARY = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
          **{n: n for n in ("add", "subtract", "multiply", "floor_divide", "remainder", "fmod", "maximum", "minimum",
                            "fmax", "fmin", "gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor",
                            "logical_and")}}  # fmt: skip
UNARY = ["invert", "negative", "absolute", "sign", "signbit", "square", "floor", "ceil", "trunc", "isnan", "isfinite",
         "logical_not", "positive"]  # fmt: skip
OPERATORS = ["add", "sub", "mul", "floordiv", "mod", "and_", "xor", "lshift", "rshift", "lt", "le", "gt", "ge", "eq"]


def sample(dtype: type) -> np.ndarray:
    """The ends and the middle of the range, and random numbers."""
    info = np.iinfo(dtype)
    ends = [0, 1, 2, 3, info.max, info.max - 1, info.max // 2, info.max // 2 + 1, 5, 7]
    rest = np.random.default_rng(info.bits).integers(0, info.max, 27, dtype=dtype, endpoint=True)
    return np.concatenate([np.array(ends, dtype), rest]).astype(dtype)


@pytest.fixture(params=TYPES, ids=lambda t: t.__name__)
def dtype(request: pytest.FixtureRequest) -> type:
    """Each of the three."""
    return request.param


@pytest.mark.parametrize("split", [None, 0])
def test_operations_of_two_arrays(dtype: type, split: int | None) -> None:
    a, b = sample(dtype), np.roll(sample(dtype), 5)
    x, y = ht.array(a, split=split), ht.array(b, split=split)
    for ours, theirs in BINARY.items():
        check(getattr(ht, ours)(x, y), getattr(np, theirs)(a, b), split)
    bits = (np.arange(a.size) % (np.iinfo(dtype).bits + 3)).astype(dtype)
    check(ht.left_shift(x, ht.array(bits)), np.left_shift(a, bits), split)
    check(ht.right_shift(x, ht.array(bits)), np.right_shift(a, bits), split)
    check(ht.where(x > 5, x, y), np.where(a > 5, a, b), split)


@pytest.mark.parametrize("split", [None, 0])
def test_operations_of_one_array(dtype: type, split: int | None) -> None:
    a = sample(dtype)
    x = ht.array(a, split=split)
    for name in UNARY:
        check(getattr(ht, name)(x), getattr(np, name)(a), split)
    for name in ("max", "min", "any", "all", "argmax", "argmin", "count_nonzero"):
        for axis in (None, 0):
            check(getattr(ht, name)(x, axis=axis), getattr(np, name)(a, axis=axis), None)
    wide = dtype if dtype is np.uint64 else np.int64
    for name in ("sum", "prod", "cumsum", "cumprod"):
        check(getattr(ht, name)(x, axis=0), getattr(np, name)(a, axis=0, dtype=wide))
    check(x.astype(np.float64), a.astype(np.float64), split)
    check(ht.array(a.astype(np.int64), split=split).astype(dtype), a, split)


@pytest.mark.parametrize("number", [1, 3, 10])
def test_python_numbers_adapt(dtype: type, number: int) -> None:
    a = sample(dtype)
    for name in OPERATORS:
        function = getattr(operator, name)
        check(function(ht.array(a, split=0), number), function(a, number), 0)


@pytest.mark.parametrize("number", [-1, 0.5, 2**63, 2**64 - 1])
def test_comparison_with_numbers_beyond_the_range(dtype: type, number: float) -> None:
    a = sample(dtype)
    for name in ("lt", "le", "gt", "ge", "eq", "ne"):
        function = getattr(operator, name)
        check(function(ht.array(a, split=0), number), function(a, number), 0)


@pytest.mark.parametrize("split", [None, 0])
def test_indexing_and_movement(dtype: type, split: int | None) -> None:
    a = sample(dtype)
    x = ht.array(a, split=split)
    for key in (3, slice(2, 30, 3), slice(None, None, -1), [3, 1, 30]):
        check(x[key], a[key])
    check(x[x > 5], a[a > 5])
    check(ht.flip(x, 0), np.flip(a, 0))
    check(ht.roll(x, 3), np.roll(a, 3))
    check(ht.concatenate([x, x]), np.concatenate([a, a]))
    check(x[:36].reshape((6, 6)), a[:36].reshape((6, 6)))
    for target, value in ((x, ht.array(a)), (a, a.copy())):
        target[target > 5] = 3
        target[2] = 9
        target[[1, 4]] = 7
        target[5:9] = value[30:34]
    check(x, a, split)
    assert "9, " in str(x) or ht.get_comm().rank > 0


def test_factories_and_promotion(dtype: type) -> None:
    check(ht.ones((3, 2), dtype=dtype, split=0), np.ones((3, 2), dtype), 0)
    check(ht.eye(3, dtype=dtype), np.eye(3, dtype=dtype))
    check(ht.arange(5, dtype=dtype), np.arange(5, dtype=dtype))
    check(ht.full((2,), np.iinfo(dtype).max, dtype=dtype), np.full(2, np.iinfo(dtype).max, dtype))
    assert ht.array(sample(dtype)).dtype == dtype
    for other in ("uint8", "int8", "int16", "int32", "int64", "float64", "complex128"):
        assert ht.promote_types(dtype, other) == np.promote_types(dtype, other)


@pytest.mark.parametrize("split", [None, 0])
def test_searching_and_sets(dtype: type, split: int | None) -> None:
    a = sample(dtype)
    b = np.sort(a)[::3].copy()
    x, y = ht.array(a, split=split), ht.array(b, split=split)
    check(ht.isin(x, y), np.isin(a, b))
    for side in ("left", "right"):
        check(ht.searchsorted(y, x, side=side), np.searchsorted(b, a, side=side))


def test_numbers_beyond_int64_in_lists(dtype: type) -> None:
    top = int(np.iinfo(dtype).max)
    with ht.default_split(0):
        check(ht.array_api.asarray([top, 0, 1], dtype=dtype), np.array([top, 0, 1], dtype))
    with pytest.raises(OverflowError):
        ht.array_api.asarray([top + 1, 0], dtype=dtype)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.uint64])
def test_cross_products_wrap(dtype: type) -> None:
    a = np.arange(12).reshape(4, 3).astype(dtype)
    b = a[::-1] * dtype(7)
    for split in (None, 0, 1):
        x, y = ht.array(a, split=split), ht.array(b, split=split)
        for ours, theirs in ((ht.cross(x, y), np.cross(a, b)), (ht.cross(x[:, :2], y), np.cross(a[:, :2], b))):
            assert ours.dtype == dtype
            np.testing.assert_array_equal(ours.numpy(), theirs)


def test_cross_products_of_truth_values_are_refused() -> None:
    x = ht.array([True, False, True], split=0)
    with pytest.raises(TypeError, match="cross: a and b are bool"):
        ht.cross(x, x)
    np.testing.assert_array_equal(ht.cross(x, [0, 1, 0]).numpy(), np.cross([True, False, True], [0, 1, 0]))
