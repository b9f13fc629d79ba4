# SPDX-License-Identifier: BSD-3-Clause
"""Distances of all pairs against SciPy, for every pair of splits."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import distance as scipy_distance

import equiheat as ht
from equiheat.testing import assert_equal, gradcheck, uneven_counts, with_counts
from equiheat.testing import strategies as ehst

SIZE = ht.get_comm().size
PAIRS = list(itertools.product((None, 0, 1), repeat=2))


def expected_split(pair: tuple[Any, Any]) -> int | None:
    return 0 if pair[0] is not None else 1 if pair[1] is not None else None


def values(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape)


def by_name(name: str, a: Any, b: Any) -> np.ndarray[Any, Any]:
    d = scipy_distance.cdist(a, b, "cityblock" if name == "manhattan" else "euclidean")
    return np.exp(-(d**2) / (2 * 1.5**2)) if name == "rbf" else d


CALLS: dict[str, Any] = {
    "cdist": lambda x, y, fast: ht.spatial.cdist(x, y, quadratic_expansion=fast),
    "manhattan": lambda x, y, fast: ht.spatial.manhattan(x, y, expand=fast),
    "rbf": lambda x, y, fast: ht.spatial.rbf(x, y, sigma=1.5, quadratic_expansion=fast),
}


@given(st.data(), st.sampled_from(list(CALLS)), st.sampled_from(PAIRS), st.booleans(), st.booleans())
def test_every_pair_of_splits(data: st.DataObject, name: str, pair: Any, fast: bool, single: bool) -> None:
    n, m, f = data.draw(st.tuples(*[st.integers(0, 40)] * 2, st.integers(1, 20)))
    a, b = values(n, f), values(m, f, seed=1)
    if single:
        a, b = a.astype("float32"), b.astype("float32")
    seed = data.draw(st.integers(0, 9))
    x, y = (
        with_counts(v, s, None if s is None or seed == 0 else uneven_counts(v.shape[s], SIZE, seed))
        for v, s in zip((a, b), pair, strict=True)
    )
    d = CALLS[name](x, y, fast)
    expected = by_name(name, a.astype("float64"), b.astype("float64")).astype(a.dtype)
    tol = 2e-3 if single and fast else 1e-5 if single else 1e-7 if fast else 1e-12
    assert_equal(d, expected, rtol=tol, atol=tol, split=expected_split(pair))


@pytest.mark.parametrize("rows", [70, 6])
@pytest.mark.parametrize("name", CALLS)
def test_operands_that_are_gathered_and_that_circulate(name: str, rows: int) -> None:
    """Many rows of few features, and few rows."""
    a, b = np.random.default_rng(0).standard_normal((rows, 3)), np.random.default_rng(1).standard_normal((45, 3))
    d = CALLS[name](ht.array(a, split=0), ht.array(b, split=0), False)
    assert_equal(d, by_name(name, a, b), rtol=1e-12, split=0)


@pytest.mark.parametrize("name", list(CALLS))
@pytest.mark.parametrize("split", [None, 0, 1])
def test_without_y(name: str, split: int | None) -> None:
    a = values(37, 5)
    d = CALLS[name](ht.array(a, split=split), None, False)
    assert_equal(d, by_name(name, a, a), rtol=1e-12, split=None if split is None else 0)
    assert np.all(np.diag(d.numpy()) == (1 if name == "rbf" else 0))


def test_small_distances_far_from_zero() -> None:
    a = (1e6 + np.arange(12).reshape(6, 2) / 4).astype("float32")
    assert_equal(ht.spatial.cdist(ht.array(a, split=0)), scipy_distance.cdist(a, a).astype("float32"), rtol=1e-6)


@given(ehst.pairs((5, 3), ("bool", "uint8", "int32", "int64", "float16", "float32", "float64")))
def test_dtypes(pair: tuple[ht.DNDarray, Any]) -> None:
    x, a = pair
    expected = scipy_distance.cdist(a.astype("float64"), a.astype("float64"))
    dtype = "float64" if a.dtype == np.float64 else "float32"
    assert_equal(ht.spatial.cdist(x), expected.astype(dtype), rtol=1e-5, atol=1e-6, dtype=dtype)


def test_nan_stays_where_it_is() -> None:
    a = values(7, 3)
    a[2, 1] = np.nan
    for fast in (False, True):
        d = ht.spatial.cdist(ht.array(a, split=0), quadratic_expansion=fast).numpy()
        assert np.isnan(d[2]).all()
        assert np.isnan(d[:, 2]).all()
        assert np.isnan(d).sum() == 13


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("name", list(CALLS))
def test_gradients(name: str, pair: Any, fast: bool) -> None:
    gradcheck(lambda x, y: CALLS[name](x, y, fast), values(5, 3), values(4, 3, seed=1), splits=pair, uneven=fast)


def test_numpy_operands_and_errors() -> None:
    a = values(4, 2)
    assert_equal(ht.spatial.cdist(ht.array(a, split=0), a), scipy_distance.cdist(a, a), split=0)
    assert_equal(ht.spatial.cdist(a.tolist(), a), scipy_distance.cdist(a, a), dtype="float64")
    x = ht.array(a, split=0)
    with pytest.raises(ValueError, match="y has 3"):
        ht.spatial.cdist(x, ht.ones((2, 3)))
    with pytest.raises(ValueError, match="2-D"):
        ht.spatial.manhattan(ht.ones(3))
    with pytest.raises(TypeError, match="real"):
        ht.spatial.cdist(ht.ones((2, 2), dtype=ht.complex64))
    with pytest.raises(ValueError, match="sigma"):
        ht.spatial.rbf(x, sigma=0.0)
    with pytest.raises(TypeError, match="X must be"):
        ht.spatial.cdist("abc")  # type: ignore[arg-type]
