# SPDX-License-Identifier: BSD-3-Clause
"""Logistic regression against scikit-learn, for every layout of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.pipeline import make_pipeline

import equiheat as ht
from equiheat.classification import LogisticRegression
from equiheat.testing import all_layouts, assert_equal, gradcheck, uneven_counts, with_counts

SIZE = ht.get_comm().size
EXACT: dict[str, Any] = {"tol": 1e-9, "max_iter": 500}


def reference(values: Any, y: Any, w: Any = None, **options: Any) -> Any:
    """To the minimum: of standardised features, whose scale a change of the penalty undoes."""
    return Theirs(solver="newton-cholesky", tol=1e-10, max_iter=1000, **options).fit(values, y, w)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_real_data(name: str, dtype: str) -> None:
    data = getattr(datasets, f"load_{name}")()
    columns = slice(None) if name == "iris" else slice(None, None, 4)  # of the others many are nearly dependent
    values, y = data["data"][::3, columns].astype(dtype), data["target"][::3] * 5 - 3
    exact = values.astype("float64")
    theirs = reference(exact, y, C=0.5)
    tol = 1e-5
    for x in all_layouts(values):
        ours = LogisticRegression(0.5, **EXACT).fit(x, ht.array(y, split=0))
        assert_equal(ours.coef_, theirs.coef_, rtol=tol, atol=tol, split=None, dtype=dtype)
        assert_equal(ours.intercept_, theirs.intercept_, rtol=tol, atol=10 * tol, dtype=dtype)
        split = 0 if x.split == 0 else None
        assert_equal(ours.predict(x), theirs.predict(exact), split=split)
        assert_equal(ours.predict_proba(x), theirs.predict_proba(exact), rtol=1e-4, atol=1e-5, split=split, dtype=dtype)
        assert_equal(ours.decision_function(x), theirs.decision_function(exact), rtol=1e-4, atol=1e-4)
        assert ours.score(x, ht.array(y, split=0)) == pytest.approx(theirs.score(exact, y))
        assert ours.classes_.tolist() == theirs.classes_.tolist()


@given(st.data(), st.integers(4, 25), st.integers(1, 4), st.integers(2, 4), st.booleans(), st.integers(0, 5))
def test_random_samples(data: st.DataObject, n: int, f: int, classes: int, intercept: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, y = rng.standard_normal((n, f)) * 3 + 1, rng.permutation(np.arange(n) % classes)
    weights = data.draw(st.sampled_from([None, rng.random(n) + 0.1]))
    balanced = data.draw(st.sampled_from([None, "balanced", {0: 2.0}]))
    options = {"C": 0.7, "fit_intercept": intercept, "class_weight": balanced}
    theirs = reference(values, y, weights, **options)
    split = data.draw(st.sampled_from([None, 0, 1]))
    x = with_counts(values, split, None if split is None else uneven_counts(values.shape[split], SIZE, seed))
    ours = LogisticRegression(**options, **EXACT)
    ours.fit(x, ht.array(y, split=0), None if weights is None else ht.array(weights, split=0))
    assert_equal(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-6)
    assert_equal(ours.intercept_, np.broadcast_to(theirs.intercept_, ours.intercept_.shape), rtol=1e-5, atol=1e-6)


def test_far_from_zero_in_single_precision() -> None:
    rng = np.random.default_rng(0)
    near = rng.standard_normal((60, 2)) * 4
    y = (near[:, 0] + rng.standard_normal(60) > 0).astype(int)
    far = (near + 1e6).astype("float32")
    exact = far.astype("float64") - 1e6
    theirs = reference(exact, y)
    for x in all_layouts(far):
        ours = LogisticRegression(**EXACT).fit(x, y)
        assert_equal(ours.coef_, theirs.coef_.astype("float32"), rtol=1e-5)
        assert_equal(ours.predict_proba(x), theirs.predict_proba(exact).astype("float32"), rtol=1e-4, atol=1e-5)


def test_constant_and_duplicate_features() -> None:
    column = np.arange(8.0)
    values = np.stack([np.full(8, 3.0), column, column], 1)
    y = column > 3
    theirs = reference(values, y)
    for x in all_layouts(values):
        ours = LogisticRegression(**EXACT).fit(x, y)
        assert_equal(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-6)
        assert_equal(ours.predict(x), y)


def test_conventions_and_errors(capfd: Any) -> None:
    values, y = datasets.load_iris(return_X_y=True)
    x = ht.array(values, split=0)
    model = LogisticRegression(verbose=True)
    assert is_classifier(model)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(ht.NotFittedError):
        model.predict(x)
    model.fit(x, y)
    assert ("LogisticRegression [" in capfd.readouterr().err) == (ht.get_comm().rank == 0)
    assert (
        make_pipeline(ht.preprocessing.StandardScaler(), clone(model).set_params(verbose=False)).fit(x, y).score(x, y)
        > 0.9
    )
    with pytest.warns(ht.ConvergenceWarning, match="max_iter = 2"):
        LogisticRegression(max_iter=2).fit(x, y)
    with pytest.raises(ValueError, match="one class"):
        LogisticRegression().fit(x, y * 0)
    with pytest.raises(ValueError, match="C must"):
        LogisticRegression(C=0.0).fit(x, y)
    with pytest.raises(ValueError, match="class_weight"):
        LogisticRegression(class_weight="even").fit(x, y)
    for weight in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError, match="class_weight must be numbers from 0 on"):
            LogisticRegression(class_weight={int(y[0]): weight}).fit(x, y)
    with pytest.raises(ValueError, match="3 features"):
        model.predict(x[:, :3])
    values[3, 2] = np.nan
    for bad in all_layouts(values):
        with pytest.raises(ValueError, match="NaN or infinity"):
            LogisticRegression().fit(bad, y)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradient_of_probabilities(split: int | None) -> None:
    values, y = datasets.load_iris(return_X_y=True)
    model = LogisticRegression().fit(ht.array(values, split=0), y)
    assert gradcheck(model.predict_proba, values[::40], splits=[split])


def test_balance_with_a_class_of_no_weight() -> None:
    """It counts nothing on any rank; one rank alone used to divide by zero and leave the others waiting."""
    values = np.random.default_rng(0).standard_normal((8, 3))
    labels, weights = np.array([0, 1, 1, 0, 2, 2, 1, 0]), np.array([1.0, 1, 1, 1, 0, 0, 1, 1])
    expected = LogisticRegression(**EXACT).fit(values, labels, weights * 2 / 3).coef_
    for x in all_layouts(values):
        found = LogisticRegression(class_weight="balanced", **EXACT).fit(x, labels, weights).coef_
        assert_equal(found, expected.numpy(), 1e-4, split=None)
