# SPDX-License-Identifier: BSD-3-Clause
"""Our estimators in scikit-learn's pipelines, cross validation and searches, against its own on NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn import datasets, model_selection
from sklearn import decomposition as their_decomposition
from sklearn import linear_model as their_linear
from sklearn import naive_bayes as their_bayes
from sklearn import neighbors as their_neighbors
from sklearn import preprocessing as their_preprocessing
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline, make_union

import equiheat as ht
from equiheat import classification, decomposition, naive_bayes, preprocessing, regression

pytestmark = pytest.mark.ranks(1, 2)
WINE, DIABETES = datasets.load_wine(return_X_y=True), datasets.load_diabetes(return_X_y=True)
EXACT = {"tol": 1e-8, "max_iter": 1000}
CLASSIFIERS = [
    (classification.LogisticRegression(**EXACT), their_linear.LogisticRegression(**EXACT)),
    (classification.KNeighborsClassifier(), their_neighbors.KNeighborsClassifier()),
    (naive_bayes.GaussianNB(), their_bayes.GaussianNB()),
]
REGRESSORS = [
    (regression.Ridge(0.1), their_linear.Ridge(0.1)),
    (regression.LinearRegression(), their_linear.LinearRegression()),
    (regression.Lasso(0.1, 2000, 1e-12, fit_intercept=True), their_linear.Lasso(0.1, tol=1e-10, max_iter=5000)),
    (regression.ElasticNet(0.1, tol=1e-12), their_linear.ElasticNet(0.1, tol=1e-10, max_iter=5000)),
]


def name(value: Any) -> str:
    return type(value[0]).__name__


@pytest.fixture(autouse=True, params=[False, True], ids=["converted", "dispatched"])
def whole(request: pytest.FixtureRequest) -> Iterator[None]:
    """scikit-learn looks at labels through NumPy; with dispatch on at everything else through the array API."""
    with ht.whole_interchange(), sklearn.config_context(array_api_dispatch=request.param):
        yield


def both(data: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[ht.DNDarray, ht.DNDarray]]:
    """Samples and targets, replicated and split."""
    for split in (None, 0):
        yield ht.array(data[0], split=split), ht.array(data[1], split=split)


def pipeline(scaler: Any, reduction: Any, classifier: Any) -> Any:
    return make_pipeline(scaler.StandardScaler(), reduction.PCA(5, svd_solver="full"), classifier)


OURS = pipeline(preprocessing, decomposition, CLASSIFIERS[0][0])
THEIRS = pipeline(their_preprocessing, their_decomposition, CLASSIFIERS[0][1])


def test_pipeline() -> None:
    expected = clone(THEIRS).fit(*WINE)
    for x, y in both(WINE):
        model = clone(clone(OURS).fit(x, y)).fit(x, y)
        assert model.predict(x).split == x.split
        np.testing.assert_array_equal(model.predict(x).numpy(), expected.predict(WINE[0]))
        np.testing.assert_allclose(model.predict_proba(x).numpy(), expected.predict_proba(WINE[0]), atol=1e-6)
        assert model.score(x, y) == pytest.approx(expected.score(*WINE), abs=1e-12)
        union = make_union(preprocessing.StandardScaler(), preprocessing.MaxAbsScaler()).fit(x)
        assert union.transform(x).shape == (178, 26)


@pytest.mark.parametrize("scoring", [None, "accuracy", "f1_macro"])
def test_cross_validation_of_a_pipeline(scoring: str | None) -> None:
    expected = model_selection.cross_val_score(THEIRS, *WINE, cv=3, scoring=scoring)
    for x, y in both(WINE):
        found = model_selection.cross_val_score(OURS, x, y, cv=3, scoring=scoring)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("scoring", [None, "neg_mean_squared_error"])
@pytest.mark.parametrize("pair", REGRESSORS, ids=name)
def test_cross_validation_of_regressions(pair: tuple[Any, Any], scoring: str | None) -> None:
    expected = model_selection.cross_val_score(pair[1], *DIABETES, cv=3, scoring=scoring)
    for x, y in both(DIABETES):
        found = model_selection.cross_val_score(pair[0], x, y, cv=3, scoring=scoring)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_searches() -> None:
    grid = {"pca__n_components": [2, 5], "logisticregression__C": [0.01, 1.0]}
    expected = model_selection.GridSearchCV(THEIRS, grid, cv=3).fit(*WINE)
    for x, y in both(WINE):
        found = model_selection.GridSearchCV(OURS, grid, cv=3).fit(x, y)
        assert found.best_params_ == expected.best_params_
        np.testing.assert_allclose(found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"], 1e-6)
        assert found.predict(x).split == x.split
        clusters = model_selection.GridSearchCV(ht.cluster.KMeans(random_state=0), {"n_clusters": [2, 3]}, cv=3).fit(x)
        assert clusters.best_params_ == {"n_clusters": 3}


def test_targets_that_are_transformed() -> None:
    theirs = TransformedTargetRegressor(their_linear.Ridge(), transformer=their_preprocessing.StandardScaler())
    expected = theirs.fit(*DIABETES).predict(DIABETES[0])
    for x, y in both(DIABETES):
        model = TransformedTargetRegressor(regression.Ridge(), transformer=preprocessing.StandardScaler())
        np.testing.assert_allclose(np.asarray(model.fit(x, y).predict(x)), expected, rtol=1e-6)


@pytest.mark.parametrize("pair", [*CLASSIFIERS, *REGRESSORS], ids=name)
def test_scores_with_weights(pair: tuple[Any, Any]) -> None:
    data = (WINE[0] / WINE[0].std(0), WINE[1]) if pair in CLASSIFIERS else DIABETES
    w = np.random.default_rng(0).random(len(data[1]))
    expected = clone(pair[1]).fit(*data).score(*data, w)
    for x, y in both(data):
        model = clone(pair[0]).fit(x, y)
        for weights in (ht.array(w), ht.array(w, split=0), w, w.tolist()):
            assert model.score(x, y, weights) == pytest.approx(expected, rel=1e-6)
        assert model.score(data[0], data[1].tolist(), sample_weight=w) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("pair", REGRESSORS, ids=name)
def test_scores_of_several_targets(pair: tuple[Any, Any]) -> None:
    targets = np.stack([DIABETES[1], np.sqrt(DIABETES[1])], 1)
    w = np.random.default_rng(0).random(len(targets))
    theirs = clone(pair[1]).fit(DIABETES[0], targets)
    for x, y in both((DIABETES[0], targets)):
        model = clone(pair[0]).fit(x, y)
        np.testing.assert_allclose(model.predict(x).numpy(), theirs.predict(DIABETES[0]), rtol=1e-4)
        assert model.score(x, y, w) == pytest.approx(theirs.score(DIABETES[0], targets, w), rel=1e-5)
