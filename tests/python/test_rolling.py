# SPDX-License-Identifier: BSD-3-Clause
"""Statistics of sliding windows against NumPy's view of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

import equiheat as ht
from equiheat.testing import all_layouts, assert_equal, gradcheck
from equiheat.testing.strategies import pairs, shapes

STATISTICS = {
    "sum": np.sum, "mean": np.mean, "min": np.min, "max": np.max, "median": np.median, "var": np.var, "std": np.std,
}  # fmt: skip


def windows(value: np.ndarray, n: int, axis: int, center: bool, boundary: str) -> np.ndarray:
    behind = (n - 1) // 2 if center else 0
    widths = [(n - 1 - behind, behind) if k == axis else (0, 0) for k in range(value.ndim)]
    return sliding_window_view(np.pad(value, widths, boundary), n, axis)


@given(st.data(), st.booleans(), st.sampled_from(list(STATISTICS)))
def test_with_a_boundary(data: Any, center: bool, name: str) -> None:
    x, value = data.draw(pairs(data.draw(shapes(1, 3, 8, 1)), ("int64", "float64")))
    axis, n = data.draw(st.integers(0, value.ndim - 1)), data.draw(st.integers(1, 11))
    expected = STATISTICS[name](windows(value, n, axis, center, "symmetric"), axis=-1)
    got = getattr(ht.rolling(x, n, axis, center=center, boundary="symmetric"), name)()
    assert_equal(got, expected, 1e-7 if name == "std" else 1e-10, split=x.split)


@given(st.data(), st.booleans(), st.sampled_from(list(STATISTICS)))
def test_whole_windows_only(data: Any, center: bool, name: str) -> None:
    x, value = data.draw(pairs(data.draw(shapes(1, 2, 9, 1)), ("float64",)))
    axis, n = data.draw(st.integers(0, value.ndim - 1)), data.draw(st.integers(1, 6))
    behind = (n - 1) // 2 if center else 0
    expected = np.full(value.shape, np.nan)
    if n <= value.shape[axis]:
        place = [slice(None)] * value.ndim
        place[axis] = slice(n - 1 - behind, value.shape[axis] - behind)
        expected[tuple(place)] = STATISTICS[name](sliding_window_view(value, n, axis), axis=-1)
    assert_equal(getattr(ht.rolling(x, n, axis, center=center), name)(), expected, 1e-7)


def test_variance_of_numbers_far_from_zero() -> None:
    """Distances to each window's mean, not differences of squares."""
    value = 1e9 + np.random.default_rng(0).normal(size=200)
    for x in all_layouts(value):
        expected = windows(value, 13, 0, True, "edge").var(axis=-1, ddof=1)
        assert_equal(ht.rolling(x, 13, center=True, boundary="edge").var(1), expected, 1e-5)


def test_apply() -> None:
    value = np.random.default_rng(0).normal(size=(7, 3))
    for x in all_layouts(value):
        got = ht.rolling(x, 3, 0, boundary="periodic").apply(lambda w: w.prod(-1))
        assert_equal(got, windows(value, 3, 0, False, "wrap").prod(-1))


@pytest.mark.parametrize("name", ["sum", "mean", "var", "min", "median"])
def test_gradients(name: str) -> None:
    value = np.random.default_rng(0).normal(size=(5, 2))
    program = lambda x: getattr(ht.rolling(x, 3, 0, center=True, boundary="reflect"), name)()  # noqa: E731
    assert gradcheck(program, value, splits=(0,), uneven=True)


def test_errors() -> None:
    x = ht.ones(4, split=0)
    with pytest.raises(ValueError, match="window must be at least 1, is 0"):
        ht.rolling(x, 0)
    with pytest.raises(ValueError, match="axis 1 is out of bounds"):
        ht.rolling(x, 2, 1)
    with pytest.raises(ValueError, match="ddof 2 leaves nothing"):
        ht.rolling(x, 2).var(2)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "uint32", "uint64"])
def test_small_and_unsigned_types(dtype: str) -> None:
    """Sums need more bits than their terms; torch neither adds nor compares the wide unsigned types."""
    value = np.array([1, 0, 250, 249, 3, 250], dtype=dtype)
    expected = np.lib.stride_tricks.sliding_window_view(np.pad(value, (2, 0), mode="edge"), 3)
    for x in all_layouts(value):
        r = ht.rolling(x, 3, boundary="edge")
        assert_equal(r.sum(), expected.sum(1, dtype=np.uint64 if dtype == "uint64" else np.int64), split=x.split)
        assert_equal(r.min(), expected.min(1), split=x.split)
        assert_equal(r.max(), expected.max(1), split=x.split)
        assert ht.rolling(x, 3).sum().numpy()[2:].tolist() == expected.sum(1, dtype=float)[2:].tolist()


def test_variance_of_complex_numbers_is_real() -> None:
    value = np.array([1 + 2j, 3 - 1j, 0.5j, -2, 4 + 4j])
    expected = np.lib.stride_tricks.sliding_window_view(np.pad(value, (2, 0), mode="edge"), 3).var(1)
    for x in all_layouts(value):
        assert_equal(ht.rolling(x, 3, boundary="edge").var(), expected, 1e-9)
