# SPDX-License-Identifier: BSD-3-Clause
"""Statistics against NumPy and SciPy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat.testing import assert_equal, gradcheck, uneven_counts, with_counts
from equiheat.testing.strategies import pairs, shapes

REALS = ("bool", "uint8", "int32", "int64", "float32", "float64")


def axes_of(draw: Any, ndim: int) -> Any:
    """None, one axis or several."""
    if ndim == 0:
        return None
    chosen = draw(st.lists(st.integers(-ndim, ndim - 1), max_size=ndim, unique_by=lambda a: a % ndim))
    return None if not chosen else chosen[0] if len(chosen) == 1 else tuple(chosen)


def quiet(fn: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy and SciPy warn about samples that are too small."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return fn(*args, **kwargs)


def tolerance(value: np.ndarray) -> float:
    return 1e-9 if value.dtype == np.float64 else 2e-4


@given(pairs(shapes(0, 3, 9), (*REALS, "complex64", "complex128")), st.data(), st.booleans(), st.sampled_from([0, 1]))
def test_var(pair: Any, data: Any, keepdims: bool, ddof: int) -> None:
    x, value = pair
    axis = axes_of(data.draw, value.ndim)
    wide = value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)
    expected = quiet(np.var, wide, axis, ddof=ddof, keepdims=keepdims)
    got = ht.var(x, axis, ddof, keepdims=keepdims)
    assert_equal(
        got, quiet(np.asarray(expected).astype, np.float64), tolerance(value) if value.dtype != np.complex128 else 1e-9
    )


@given(st.integers(0, 400), st.integers(0, 80), st.booleans(), st.sampled_from(["float32", "float64"]), st.data())
def test_moments_of_blocks(n: int, m: int, transposed: bool, dtype: str, data: Any) -> None:
    """Sizes around those of the kernel's blocks; means far from zero; memory in both orders."""
    value = np.random.default_rng(n).normal(1e4 if dtype == "float64" else 50, 1, (n, m)).astype(dtype)
    split = data.draw(st.sampled_from([None, 0, 1]))
    counts = None if split is None else uneven_counts(value.shape[split], ht.get_comm().size, m)
    x = with_counts(value, split, counts)
    if transposed:
        x, value = x.T, value.T
    for axis in (None, 0, 1):
        wide = value.astype(np.float64)
        assert_equal(ht.var(x, axis), quiet(np.var, wide, axis), 1e-9 if dtype == "float64" else 2e-5)
        for ours, theirs in ((ht.skew, scipy.stats.skew), (ht.kurtosis, scipy.stats.kurtosis)):
            if value.shape[0 if axis is None else axis] > 8 and value.size:
                got = ours(x, axis, unbiased=False)
                assert_equal(got, quiet(theirs, wide, axis, bias=True), 1e-6 if dtype == "float64" else 1e-4)


def test_var_keeps_digits() -> None:
    """A mean a million times the spread: no cancellation."""
    value = np.random.default_rng(0).normal(1e6, 1, (5000, 3))
    for x in (ht.array(value, split=0), ht.array(value, split=1), ht.array(value)):
        np.testing.assert_allclose(ht.var(x, 0).numpy(), value.var(0), rtol=1e-10)
        np.testing.assert_allclose(ht.var(x).item(), value.var(), rtol=1e-10)


@given(pairs(shapes(1, 3, 9), REALS), st.data(), st.booleans(), st.booleans())
def test_skew_and_kurtosis(pair: Any, data: Any, unbiased: bool, fischer: bool) -> None:
    x, value = pair
    axis = data.draw(st.sampled_from([None, *range(value.ndim)]))
    n = value.size if axis is None else value.shape[axis]
    wide = value.astype(np.float64)
    if n < 4 or value.size == 0 or np.any(wide.var(axis) < 1e-6):
        return
    expected = quiet(scipy.stats.skew, wide, axis, bias=not unbiased)
    assert_equal(ht.skew(x, axis, unbiased), expected, tolerance(value))
    expected = quiet(scipy.stats.kurtosis, wide, axis, fisher=fischer, bias=not unbiased)
    assert_equal(ht.kurtosis(x, axis, unbiased, fischer), expected, tolerance(value) * 10)
    assert ht.skew(x, axis, keepdims=True).shape == np.var(value, axis, keepdims=True).shape


def test_skew_refuses_complex_numbers() -> None:
    with pytest.raises(TypeError, match="skew: complex64"):
        ht.skew(ht.ones(3, dtype=ht.complex64))


@given(pairs(shapes(0, 3, 5), (*REALS, "complex64")), st.data(), st.sampled_from([0, 1]))
def test_arg_extremes(pair: Any, data: Any, largest: int) -> None:
    x, value = pair
    if value.dtype.kind == "c":
        return
    axis = data.draw(st.sampled_from([None, *range(value.ndim)]))
    if value.size == 0:
        return
    ours, theirs = ((ht.argmin, np.argmin), (ht.argmax, np.argmax))[largest]
    assert_equal(ours(x, axis), theirs(value, axis))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("n", [1, 3, 31, 32, 33, 64, 127, 2047, 2048, 2049, 6000])
def test_first_extreme_of_many(dtype: str, n: int) -> None:
    rng = np.random.default_rng(n)
    value = rng.integers(0, 5, (3, n)).astype(dtype)
    values = [value]
    if dtype.startswith("float"):
        for special in (np.nan, np.inf, -np.inf):
            other = value.copy()
            other[:, rng.integers(0, n, 2)] = special
            values.append(other)
    for v in values:
        for split in (None, 0, 1):
            x = ht.array(v, split=split)
            for ours, theirs in ((ht.argmin, np.argmin), (ht.argmax, np.argmax)):
                assert_equal(ours(x, 1), theirs(v, 1))
                assert_equal(ours(x), theirs(v))
        if dtype == "int64":
            assert_equal(ht.min(ht.array(v, split=1), 1), v.min(1))


@given(pairs(shapes(0, 3, 6)), st.data(), st.booleans())
def test_average(pair: Any, data: Any, keepdims: bool) -> None:
    x, value = pair
    axis = axes_of(data.draw, value.ndim)
    if value.size == 0:  # NumPy fails, with a ZeroDivisionError
        return
    got, total = ht.average(x, axis, returned=True, keepdims=keepdims)
    wide = value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)
    expected, weight = np.average(wide, axis, returned=True, keepdims=keepdims)
    assert_equal(got, expected, tolerance(value))
    np.testing.assert_array_equal(total.numpy(), weight)
    same = data.draw(pairs(value.shape, ("int32", "float32", "float64"), low=1))
    check_average(x, wide, axis, same, keepdims)
    if isinstance(axis, int):
        check_average(x, wide, axis, data.draw(pairs((value.shape[axis],), ("int32", "float64"), low=1)), keepdims)
    if isinstance(axis, tuple):
        extents = tuple(value.shape[a] for a in axis)
        check_average(x, wide, axis, data.draw(pairs(extents, ("float64",), low=1)), keepdims)


def check_average(x: Any, value: np.ndarray, axis: Any, weights: Any, keepdims: bool) -> None:
    w, weight = weights
    got, total = ht.average(x, axis, w, returned=True, keepdims=keepdims)
    expected, sums = np.average(value, axis, weight.astype(float), returned=True, keepdims=keepdims)
    assert_equal(got, expected, 1e-3)
    np.testing.assert_allclose(total.numpy(), sums, rtol=1e-5)
    assert_equal(ht.average(x, axis, w, keepdims=keepdims), expected, 1e-3)


def test_average_refuses() -> None:
    x = ht.ones((4, 3), split=0)
    with pytest.raises(ZeroDivisionError, match="weights add up to 0"):
        ht.average(x, 0, ht.array([1.0, -1, 1, -1], split=0))
    with pytest.raises(TypeError, match="axis must be given"):
        ht.average(x, weights=[1.0, 2, 3])
    with pytest.raises(ValueError, match=r"weights of shape \(3,\) do not match axis 0"):
        ht.average(x, 0, [1.0, 2, 3])
    with pytest.raises(ValueError, match="out of bounds"):
        ht.average(x, 2, [1.0, 2, 3])
    assert x.average(1, [1, 1, 2]).shape == (4,)


@given(st.data(), st.booleans(), st.booleans(), st.sampled_from([None, 0, 1, 2]))
def test_cov(data: Any, rowvar: bool, bias: bool, ddof: int | None) -> None:
    names = ("int32", "float32", "float64", "complex128")
    n, k = data.draw(st.integers(4, 9)), data.draw(st.integers(1, 5))
    shape = (k, n) if rowvar else (n, k)
    x, value = data.draw(pairs(shape, names))
    y, other = data.draw(pairs((2, n) if rowvar else (n, 2), names)) if data.draw(st.booleans()) else (None, None)
    wide = value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)
    expected = quiet(np.cov, wide, other, rowvar, bias, ddof)
    got = ht.cov(x, y, rowvar, bias, ddof)
    assert_equal(got, expected, 1e-4)
    spread = np.cov(wide, other, rowvar)
    if np.all(np.diag(np.atleast_2d(spread)).real > 1e-3):
        assert_equal(ht.corrcoef(x, y, rowvar), quiet(np.corrcoef, wide, other, rowvar), 1e-4)


@given(pairs((3, 7), ("float64",)), pairs((7,), ("int32",), low=1), pairs((7,), ("float64",), low=1))
def test_weighted_cov(x: Any, often: Any, much: Any) -> None:
    for f, a in ((often, None), (None, much), (often, much)):
        expected = np.cov(x[1], fweights=f and f[1], aweights=a and a[1])
        assert_equal(ht.cov(x[0], fweights=f and f[0], aweights=a and a[0]), expected, 1e-9)


def test_cov_of_one_variable() -> None:
    value = np.arange(6.0) ** 2
    assert_equal(ht.cov(ht.array(value, split=0)), np.cov(value))
    assert_equal(ht.corrcoef(ht.array(value, split=0)), np.corrcoef(value))
    assert_equal(ht.cov(ht.array(value, split=0), value[::-1].copy()), np.cov(value, value[::-1]))
    with pytest.raises(ValueError, match="at most 2 dimensions"):
        ht.cov(ht.ones((2, 2, 2)))
    with pytest.raises(TypeError, match="ddof must be an integer"):
        ht.cov(ht.ones((2, 2)), ddof=1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("split", [None, 0, 1])
@pytest.mark.parametrize(
    "fn",
    [
        lambda x: ht.var(x, 0),
        lambda x: ht.std(x),
        lambda x: ht.skew(x, 0),
        lambda x: ht.kurtosis(x),
        lambda x: ht.average(x, 1, ht.array([1.0, 2, 3], dtype=ht.float64, split=0)),
        lambda x: ht.cov(x, rowvar=False),
        lambda x: ht.corrcoef(x),
    ],
)
def test_gradients(fn: Any, split: int | None) -> None:
    assert gradcheck(fn, np.random.default_rng(1).normal(size=(5, 3)), splits=[split], uneven=True)
