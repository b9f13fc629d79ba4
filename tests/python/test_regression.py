# SPDX-License-Identifier: BSD-3-Clause
"""Linear regressions against scikit-learn, for every layout of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.linear_model as theirs
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.base import clone, is_regressor

import equiheat as ht
from equiheat import regression as ours
from equiheat.testing import all_layouts, assert_equal, gradcheck, uneven_counts, with_counts

SIZE = ht.get_comm().size
EXACT = {"max_iter": 20000, "tol": 1e-13}


def pair(kind: str, alpha: float) -> tuple[Any, Any]:
    """The same estimator of both libraries."""
    if kind == "Lasso":
        return ours.Lasso(alpha, fit_intercept=True, **EXACT), theirs.Lasso(alpha, **EXACT)
    if kind == "ElasticNet":
        return ours.ElasticNet(alpha, l1_ratio=0.3, **EXACT), theirs.ElasticNet(alpha, l1_ratio=0.3, **EXACT)
    if kind == "Ridge":
        return ours.Ridge(alpha), theirs.Ridge(alpha)
    return ours.LinearRegression(), theirs.LinearRegression()


KINDS = ("Lasso", "ElasticNet", "Ridge", "LinearRegression")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_real_data(kind: str, dtype: str) -> None:
    data = datasets.load_diabetes()
    values, y = data["data"].astype(dtype), data["target"].astype(dtype)
    exact, y_exact = values.astype("float64"), y.astype("float64")
    mine, reference = pair(kind, 0.01)
    reference.fit(exact, y_exact)
    tol = 1e-8 if dtype == "float64" else 1e-6
    for x in all_layouts(values):
        for split in (None, 0):
            found = clone(mine).fit(x, ht.array(y, split=split))
            assert_equal(found.coef_, reference.coef_, rtol=tol, atol=1e-6, split=None, dtype=dtype)
            assert_equal(found.intercept_, np.array(reference.intercept_), rtol=tol, dtype=dtype)
        split = 0 if x.split == 0 else None
        assert_equal(found.predict(x), reference.predict(exact), rtol=tol, atol=1e-6, split=split, dtype=dtype)
        assert found.score(x, ht.array(y, split=0)) == pytest.approx(reference.score(exact, y_exact), rel=1e-6)


@given(st.data(), st.sampled_from(KINDS), st.integers(2, 25), st.integers(1, 6), st.integers(1, 3), st.integers(0, 5))
def test_random_samples(data: st.DataObject, kind: str, n: int, f: int, t: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, f)) + 3.0
    y = values @ rng.standard_normal((f, t)) + rng.standard_normal((n, t))
    split = data.draw(st.sampled_from([None, 0, 1]))
    counts = None if split is None else uneven_counts(values.shape[split], SIZE, seed)
    x = with_counts(values, split, counts)
    mine, reference = pair(kind, 0.1)
    mine.fit(x, with_counts(y, 0, uneven_counts(n, SIZE, seed + 1)))
    reference.fit(values, y)
    assert_equal(mine.predict(x), reference.predict(values).reshape(n, t), rtol=1e-6, atol=1e-6)
    if n > f:
        coef = reference.coef_.reshape(t, f)
        assert_equal(mine.coef_, coef.T if kind == "Lasso" else coef, rtol=1e-6, atol=1e-7)


def test_lasso_with_a_column_of_ones() -> None:
    """Heat's way: the first coefficient is the intercept."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((50, 6))
    y = 2.0 + values @ np.array([1.0, 0, 0, -2.0, 0, 0.5]) + 0.1 * rng.standard_normal(50)
    reference = theirs.Lasso(0.1, **EXACT).fit(values, y)
    with_ones = np.concatenate([np.ones((50, 1)), values], 1)
    for x in all_layouts(with_ones):
        lasso = ours.Lasso(0.1, **EXACT).fit(x, ht.array(y, split=0))
        assert_equal(
            lasso.theta, np.concatenate([[reference.intercept_], reference.coef_])[:, None], rtol=1e-8, atol=1e-9
        )
        assert_equal(lasso.coef_, reference.coef_, rtol=1e-8, atol=1e-9)
        assert lasso.intercept_.item() == pytest.approx(reference.intercept_)
        assert_equal(lasso.predict(x), reference.predict(values), rtol=1e-8)
        column = ours.Lasso(0.1, **EXACT).fit(x, ht.array(y[:, None], split=0))
        assert_equal(column.coef_, reference.coef_[:, None], rtol=1e-8, atol=1e-9)
        assert_equal(column.predict(x), reference.predict(values)[:, None], rtol=1e-8)
        assert lasso.rmse(ht.array(y, split=0), lasso.predict(x)) == pytest.approx(
            np.sqrt(np.mean((y - reference.predict(values)) ** 2))
        )


def heat_lasso(x: Any, y: Any, lam: float, sweeps: int) -> Any:
    """Heat's algorithm, which supposes columns whose mean square is 1."""
    theta = np.zeros(x.shape[1])
    for _ in range(sweeps):
        for j in range(len(theta)):
            rho = np.mean(x[:, j] * (y - x @ theta + theta[j] * x[:, j]))
            theta[j] = rho if j == 0 else np.sign(rho) * max(abs(rho) - lam, 0.0)
    return theta


def test_lasso_after_some_sweeps_is_heats() -> None:
    data = datasets.load_diabetes()
    values = data["data"] / np.sqrt(np.mean(data["data"] ** 2, axis=0))
    x = np.concatenate([np.ones((len(values), 1)), values], 1)
    expected = heat_lasso(x, data["target"], 2.0, 7)
    for split in (None, 0, 1):
        lasso = ours.Lasso(2.0, max_iter=7, tol=None).fit(ht.array(x, split=split), ht.array(data["target"], split=0))
        assert lasso.n_iter == lasso.n_iter_ == 7
        assert_equal(lasso.theta, expected[:, None], rtol=1e-9, atol=1e-9)


def test_soft_threshold() -> None:
    lasso = ours.Lasso(0.5)
    assert [lasso.soft_threshold(v) for v in (-2.0, -0.5, 0.2, 3)] == [-1.5, 0.0, 0.0, 2.5]
    assert_equal(lasso.soft_threshold(ht.array([-2.0, 0.2, 3.0], split=0)), [-1.5, 0.0, 2.5], dtype="float32")


@pytest.mark.parametrize("kind", KINDS)
def test_far_from_zero_and_constant(kind: str) -> None:
    rng = np.random.default_rng(0)
    far = (rng.standard_normal((200, 3)) + 1e6).astype("float32")
    far[:, 1] = 12345.678
    y = far[:, 0].astype("float64") - far[:, 2] + 0.1 * rng.standard_normal(200)
    exact = far.astype("float64")
    mine, reference = pair(kind, 0.01)
    reference.fit(exact - exact.mean(0), y)
    for x in all_layouts(far):
        clone(mine).fit(x, ht.array(y, split=0))
        found = clone(mine).fit(x, ht.array(y, split=0))
        assert_equal(found.coef_, reference.coef_, rtol=1e-5, atol=1e-6, dtype="float32")
        assert_equal(found.predict(x), reference.predict(exact - exact.mean(0)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_conventions_and_errors(kind: str) -> None:
    rng = np.random.default_rng(0)
    values, y = rng.standard_normal((7, 3)), rng.standard_normal(7)
    x, t = ht.array(values, split=0), ht.array(y, split=0)
    mine, _ = pair(kind, 0.1)
    assert is_regressor(mine)
    assert clone(mine).get_params() == mine.get_params()
    with pytest.raises(ht.NotFittedError, match=kind):
        mine.predict(x)
    assert mine.fit(x, t) is mine
    assert mine.__sklearn_is_fitted__()
    with pytest.raises(ValueError, match="2 features"):
        mine.predict(x[:, :2])
    for bad in (np.nan, np.inf):
        for wrong in all_layouts(np.where(np.arange(21).reshape(7, 3) == 10, bad, values)):
            with pytest.raises(ValueError, match="NaN or infinity"):
                clone(mine).fit(wrong, t)
        with pytest.raises(ValueError, match="NaN or infinity"):
            clone(mine).fit(x, ht.array(np.where(np.arange(7) == 5, bad, y), split=0))
    with pytest.raises(ValueError, match="y must have shape"):
        clone(mine).fit(x, t[:6])
    with pytest.raises(ValueError, match="2-D"):
        clone(mine).fit(x[:, 0], t)
    whole = ht.array(np.arange(21).reshape(7, 3) % 5, split=0)
    assert clone(mine).fit(whole, ht.arange(7, split=0)).predict(whole).dtype is ht.float32


def test_bad_parameters() -> None:
    x, y = ht.ones((3, 2), split=0), ht.ones(3, split=0)
    for estimator in (ours.Lasso(-1.0), ours.ElasticNet(-1.0), ours.ElasticNet(l1_ratio=2.0), ours.Ridge(-1.0)):
        with pytest.raises(ValueError, match=r"lam|alpha"):
            estimator.fit(x, y)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradient_of_predictions(split: int | None) -> None:
    rng = np.random.default_rng(0)
    values, y = rng.standard_normal((5, 3)), rng.standard_normal(5)
    fitted = ours.Lasso(0.01, fit_intercept=True).fit(ht.array(values), ht.array(y))
    gradcheck(fitted.predict, values, splits=[split])
