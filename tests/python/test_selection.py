# SPDX-License-Identifier: BSD-3-Clause
"""Quantiles against NumPy, whose results for the values in float64 are the truth."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import equiheat as ht
from equiheat.testing import all_layouts, gradcheck, uneven_counts, with_counts
from equiheat.testing.strategies import counts

METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
pytestmark = pytest.mark.filterwarnings("ignore")


def values_of(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).normal(size=shape) * 30).astype(dtype)


def close(x: ht.DNDarray, wanted: Any, note: str) -> None:
    got = x.numpy()
    assert got.shape == np.shape(wanted), note
    rtol = {"float16": 2e-3, "float32": 2e-6}.get(got.dtype.name, 1e-12)
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol, err_msg=note)


def real(v: np.ndarray) -> np.ndarray:
    return v.astype(np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_percentile(dtype: str) -> None:
    wanted = dtype if dtype.startswith("f") else "float64" if dtype == "int64" else "float32"
    for shape in [(1,), (7,), (2500,), (5, 3), (2, 3, 4)]:
        v = values_of(shape, dtype)
        for x in all_layouts(v):
            for axis in [None, *range(v.ndim), tuple(range(v.ndim))]:
                note = f"{dtype} {shape} axis {axis} split {x.split}"
                for q in (30, [0, 50, 99.5, 100]):
                    result = ht.percentile(x, q, axis)
                    close(result, np.percentile(real(v), q, axis=axis), note)
                    assert result.dtype == np.dtype(wanted), note
                result = ht.median(x, axis, True)
                close(result, np.median(real(v), axis=axis, keepdims=True), note)
                reduced = range(v.ndim) if axis is None else np.atleast_1d(axis)
                assert result.split == (None if x.split in reduced else x.split), note


@pytest.mark.parametrize("method", METHODS)
def test_methods(method: str) -> None:
    q = np.array([0, 0.1, 0.2, 0.25, 0.3, 0.5, 0.77, 0.9, 1.0])
    for n in (1, 2, 5, 10, 11, 1500):
        v = values_of((n,), "float64", n)
        whole = (v * 100).astype(np.int64)
        for x, y in zip(all_layouts(v), all_layouts(whole), strict=True):
            close(ht.quantile(x, q, method=method), np.quantile(v, q, method=method), f"{method} {n}")
            result = ht.percentile(y, 100 * q, interpolation=method)
            expected = np.quantile(whole, q, method=method)
            close(result, expected, f"{method} {n}")
            assert result.dtype == expected.dtype


@given(data=st.data())
def test_any_layout(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 30), min_size=1, max_size=3)))
    v = values_of(shape, data.draw(st.sampled_from(DTYPES)), data.draw(st.integers(0, 99)))
    split = data.draw(st.sampled_from([None, *range(v.ndim)]))
    extents = None if split is None else data.draw(counts(shape[split], ht.get_comm().size))
    x = with_counts(v, split, extents)
    axis = data.draw(st.sampled_from([None, *range(v.ndim), tuple(range(v.ndim))[:2]]))
    q = data.draw(st.lists(st.floats(0, 100), min_size=1, max_size=3))
    keepdims = data.draw(st.booleans())
    # NumPy's float32 positions are not the truth for float32 values: ours are found in double precision
    close(ht.percentile(x, q, axis, keepdims=keepdims), np.percentile(real(v), q, axis=axis, keepdims=keepdims), "")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "int16", "float16", "uint8"])
def test_long_lines(dtype: str) -> None:
    """Found by counting digits over ranks: few and many values, many quantiles, lines of several batches."""
    rng = np.random.default_rng(5)
    n = 30_000
    for v in (values_of((n,), dtype), rng.integers(0, 3, n).astype(dtype), np.zeros(n, dtype)):
        for x in (with_counts(v, 0), with_counts(v, 0, uneven_counts(n, ht.get_comm().size, 2))):
            close(ht.median(x), np.median(real(v)), dtype)
            q = np.linspace(0, 100, 41)
            close(ht.percentile(x, q), np.percentile(real(v), q), dtype)
    v = values_of((9000, 20), dtype)
    close(ht.percentile(with_counts(v, 0), [1, 50], 0), np.percentile(real(v), [1, 50], axis=0), dtype)


def test_extreme_values() -> None:
    top, bottom = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    v = np.array([top, bottom, 0, top - 1, bottom + 1, 5, -5])
    w = np.array([np.inf, -np.inf, 0.0, -0.0, 1e-300, -1e300, 2.0])
    for x, y in zip(all_layouts(np.repeat(v, 300)), all_layouts(np.repeat(w, 300)), strict=True):
        for q in (0, 0.2, 0.5, 0.9, 1):
            assert ht.quantile(x, q, method="lower").item() == np.sort(np.repeat(v, 300))[int(2099 * q)]
            assert ht.quantile(y, q, method="higher").item() == np.quantile(np.repeat(w, 300), q, method="higher")


def test_nan() -> None:
    v = values_of((200, 5), "float64")
    v[::3, 1] = np.nan
    v[:, 2] = np.nan
    v[7, 0] = np.nan
    long = np.repeat(v, 30, 0)
    for values in (v, v.astype(np.float32), long):
        for x in all_layouts(values) if values is not long else [with_counts(long, 0)]:
            for axis in (None, 0, 1):
                note = f"axis {axis} split {x.split}"
                close(ht.nanmedian(x, axis), np.nanmedian(real(values), axis=axis), note)
                close(ht.nanpercentile(x, [3, 50], axis), np.nanpercentile(real(values), [3, 50], axis=axis), note)
                close(ht.nanquantile(x, 0.3, axis), np.nanquantile(real(values), 0.3, axis=axis), note)
                close(ht.median(x, axis), np.median(real(values), axis=axis), note)


def test_nothing() -> None:
    for x in all_layouts(np.zeros((0, 3))):
        close(ht.median(x, 0), np.full(3, np.nan), "no rows")
        assert ht.median(x, 1).shape == (0,)
        assert np.isnan(ht.median(x).item())
    with pytest.raises(ValueError, match="no elements over the axes"):
        ht.percentile(ht.zeros(0, dtype=ht.int32, split=0), 50, interpolation="lower")


def test_gradients() -> None:
    v = np.random.default_rng(1).normal(size=(7, 3))
    for split in (None, 0, 1):
        for axis in (0, 1, None):

            def program(x: ht.DNDarray, axis: Any = axis) -> Any:
                return ht.percentile(x, [20, 70], axis, keepdims=axis == 1)

            assert gradcheck(program, v, splits=[split], uneven=True)
        assert gradcheck(lambda x: ht.median(x, 0), v, splits=[split])
    x = with_counts(v, 0)
    assert x._core.local.requires_grad is False


def test_sketch() -> None:
    ht.random.seed(3)
    v = np.random.default_rng(0).normal(size=(20_000, 2))
    for x in (with_counts(v, None), with_counts(v, 0), with_counts(v, 1)):
        for axis in (None, 0):
            estimate = ht.median(x, axis, sketched=True, sketch_size=0.2).numpy()
            assert np.all(np.abs(estimate - np.median(v, axis)) < 0.1)
            assert np.any(estimate != np.median(v, axis))  # only a part was looked at
        close(ht.percentile(x, 10, 0, sketched=True), np.percentile(v, 10, 0), "everything")
        with pytest.raises(ValueError, match="sketch_size must be above 0"):
            ht.percentile(x, 10, sketched=True, sketch_size=1.5)


def test_spellings_and_errors() -> None:
    v = np.arange(12.0).reshape(4, 3)
    x = with_counts(v, 0)
    q = np.array([[10, 20], [30, 40]])
    for y in (q, q.tolist(), ht.array(q), ht.array(q, split=0)):
        close(ht.percentile(x, y, 1), np.percentile(v, q, axis=1), "2-d q")
        assert ht.percentile(x, y, 1).split == 2
    out = ht.zeros(3, dtype=ht.float64, split=0)
    assert x.median(0, out=out) is out
    close(out, np.median(v, 0), "out")
    close(x.percentile(5), np.percentile(v, 5), "method")
    close(ht.median([3, 1, 2]), 2, "list")
    errors: list[tuple[Any, Any, str]] = [
        (lambda: ht.percentile(x, 101), ValueError, "q must be between 0 and 100, got 101"),
        (lambda: ht.quantile(x, [0.5, -1]), ValueError, "q must be between 0 and 1, got -1"),
        (lambda: ht.percentile(x, "a"), TypeError, "q must be a number"),
        (lambda: ht.percentile(x, 5, 2), ValueError, "axis 2 is out of bounds"),
        (lambda: ht.percentile(x, 5, interpolation="cubic"), ValueError, "method must be one of"),
        (lambda: ht.median(ht.array([1j])), TypeError, "complex"),
    ]
    for call, error, text in errors:
        with pytest.raises(error, match=text):
            call()


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32", "float64"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (2, 0)], ids=str)
def test_weights(axis: Any, dtype: str) -> None:
    a = values_of((5, 4, 3), dtype)
    wide = a.astype("uint8" if dtype == "bool" else dtype)
    some = (5,) if axis is None else tuple(a.shape[i] for i in np.atleast_1d(axis))
    rng = np.random.default_rng(1)
    every = [rng.integers(1, 4, a.shape) * 0.5] + ([] if axis is None else [rng.integers(1, 4, some)])
    for weights in every:
        for q in (0.5, [0.0, 0.3, 1.0]):
            wanted = np.quantile(wide, q, axis, weights=weights, method="inverted_cdf", keepdims=True)
            for x in all_layouts(a):
                w = ht.array(weights, split=0)
                got = ht.quantile(x, q, axis, weights=w, method="inverted_cdf", keepdims=True)
                close(got, wanted, f"{x.split} {q}")
                got = ht.nanpercentile(x, np.multiply(q, 100), axis, weights=weights, method="inverted_cdf")
                close(got, wanted.reshape(got.shape), f"{x.split} {q}")


def test_weights_and_nan() -> None:
    a, w = np.array([[3.0, np.nan, 1.0], [np.nan] * 3, [np.inf, 2.0, 5.0]]), np.array([1.0, 2.0, 0.0])
    for x in all_layouts(a):
        close(ht.quantile(x, 0.5, 1, weights=w, method="inverted_cdf"), [np.nan, np.nan, 2.0], str(x.split))
        close(ht.nanquantile(x, 0.0, 1, weights=w, method="inverted_cdf"), [3.0, np.nan, 2.0], str(x.split))


def test_weights_that_do_not_fit() -> None:
    x = ht.arange(4, split=0)
    for error, weights, method in (
        (ValueError, [1, 2, 3, 4], "linear"),
        (ValueError, [1, -2, 3, 4], "inverted_cdf"),
        (TypeError, [1, 2], "inverted_cdf"),
        (ZeroDivisionError, [0, 0, 0, 0], "inverted_cdf"),
    ):
        with pytest.raises(error):
            ht.quantile(x, 0.5, weights=weights, method=method)
