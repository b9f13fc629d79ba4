# SPDX-License-Identifier: BSD-3-Clause
"""Parameters, scores and predicates of estimators, with scikit-learn's own functions on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import make_pipeline

import equiheat as ht
from equiheat.testing import all_layouts, assert_equal


class Shift(ht.TransformMixin, ht.BaseEstimator):
    def __init__(self, by: Any = 1.0, *, inner: Any = None) -> None:
        self.by = by
        self.inner = inner

    def fit(self, x: ht.DNDarray) -> Shift:
        self.by_ = x.mean(0) * 0 + self.by
        return self

    def transform(self, x: ht.DNDarray) -> ht.DNDarray:
        return x + self._fitted("by_")


class Sign(ht.ClassificationMixin, ht.BaseEstimator):
    def fit(self, x: ht.DNDarray, y: ht.DNDarray) -> Sign:
        self.classes_ = (0, 1)
        return self

    def predict(self, x: ht.DNDarray) -> ht.DNDarray:
        return (x[:, 0] > 0) * 1


class FirstColumn(ht.RegressionMixin, ht.BaseEstimator):
    def fit(self, x: ht.DNDarray, y: ht.DNDarray) -> FirstColumn:
        return self

    def predict(self, x: ht.DNDarray) -> ht.DNDarray:
        return x[:, 0]


class Halves(ht.ClusteringMixin, ht.BaseEstimator):
    def fit(self, x: ht.DNDarray) -> Halves:
        self.labels_ = (x[:, 0] > 0) * 1
        return self


def test_parameters() -> None:
    outer = Shift(2.0, inner=Shift(3.0))
    assert outer.get_params(deep=False) == {"by": 2.0, "inner": outer.inner}
    assert outer.get_params()["inner__by"] == 3.0
    assert outer.set_params(by=4.0, inner__by=5.0) is outer
    assert (outer.by, outer.inner.by) == (4.0, 5.0)
    assert outer.set_params(inner={"by": 6.0}).inner.by == 6.0
    assert repr(outer) == "Shift(by=4.0, inner=Shift(by=6.0))"
    assert repr(Shift()) == "Shift()"
    with pytest.raises(ValueError, match="'of'"):
        outer.set_params(by=0.0, of=1)
    assert outer.by == 4.0


def test_clone_makes_an_unfitted_copy() -> None:
    first = Shift(ht.ones(3), inner=Shift(7.0)).fit(ht.zeros((4, 3), split=0))
    second = clone(first)
    assert second is not first
    assert second.inner is not first.inner
    assert second.inner.by == 7.0
    assert_equal(second.by, np.ones(3, np.float32))
    with pytest.raises(ht.NotFittedError, match="call fit first"):
        second.transform(ht.zeros((4, 3)))


def test_pipeline_of_scikit_learn() -> None:
    values = np.random.default_rng(0).standard_normal((7, 2))
    y = (values[:, 0] > 0).astype(int)
    for x in all_layouts(values):
        pipe = make_pipeline(Shift(0.0), Sign()).fit(x, ht.array(y))
        assert_equal(pipe.predict(x), y)
        assert pipe.score(x, ht.array(y, split=0)) == 1.0


def test_scores() -> None:
    rng = np.random.default_rng(1)
    values, weights = rng.standard_normal((9, 2)), rng.random(9)
    targets = values[:, 0] + 0.3 * rng.standard_normal(9)
    classes = (targets > 0).astype(int)
    w = ht.array(weights, split=0)
    for x in all_layouts(values):
        regression, classifier = FirstColumn(), Sign()
        assert regression.score(x, ht.array(targets)) == pytest.approx(r2_score(targets, values[:, 0]))
        expected = r2_score(targets, values[:, 0], sample_weight=weights)
        assert regression.score(x, ht.array(targets, split=0), w) == pytest.approx(expected)
        found = (values[:, 0] > 0).astype(int)
        assert classifier.score(x, ht.array(classes)) == pytest.approx(accuracy_score(classes, found))
        expected = accuracy_score(classes, found, sample_weight=weights)
        assert classifier.score(x, ht.array(classes, split=0), w) == pytest.approx(expected)
        assert_equal(Halves().fit_predict(x), found)
    constant = ht.ones(9)
    assert FirstColumn().score(ht.ones((9, 1)), constant) == 1.0
    assert FirstColumn().score(ht.zeros((9, 1)), constant) == 0.0


def test_predicates() -> None:
    kinds = {ht.is_classifier: Sign, ht.is_transformer: Shift, ht.is_clusterer: Halves, ht.is_regressor: FirstColumn}
    for check, cls in kinds.items():
        assert [check(other()) for other in kinds.values()] == [other is cls for other in kinds.values()]
    assert ht.is_estimator(Shift())
    assert not ht.is_estimator(3)
    for method in (Sign().fit_predict, FirstColumn().fit_predict):
        assert method(ht.ones((2, 1), split=0), ht.ones(2)).shape == (2,)
