# SPDX-License-Identifier: BSD-3-Clause
"""Classifiers against scikit-learn, for every layout of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import sklearn.naive_bayes
import sklearn.neighbors
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.base import clone, is_classifier

import equiheat as ht
from equiheat.classification import KNeighborsClassifier
from equiheat.naive_bayes import GaussianNB
from equiheat.testing import all_layouts, assert_equal, uneven_counts, with_counts

SIZE = ht.get_comm().size
REAL = {"iris": datasets.load_iris, "wine": datasets.load_wine, "digits": datasets.load_digits}


def mixture(n: int, f: int, classes: int, seed: int) -> tuple[Any, Any]:
    """Samples of some classes with labels 2, 5, 8, ..."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(n) % classes)
    return rng.standard_normal((n, f)) + 2.0 * codes[:, None], 2 + 3 * codes


# ---------------------------------------------------------------------- naive Bayes
@pytest.mark.parametrize("name", list(REAL))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_naive_bayes_is_scikit_learns(name: str, dtype: str) -> None:
    data = REAL[name]()
    values, labels = data["data"].astype(dtype), data["target"] * 3 - 1
    exact = values.astype("float64")
    theirs = sklearn.naive_bayes.GaussianNB().fit(exact, labels)
    tol = 1e-9 if dtype == "float64" else 1e-5
    for x in all_layouts(values):
        split = None if x.split is None else 0
        for y_split in (None, 0):
            ours = GaussianNB().fit(x, ht.array(labels, split=y_split))
            assert_equal(ours.theta_, theirs.theta_, rtol=1e-12, atol=1e-12, split=None)
            assert_equal(ours.var_, theirs.var_, rtol=1e-9, atol=1e-15)
            assert ours.sigma_ is ours.var_
            assert_equal(ours.class_prior_, theirs.class_prior_, rtol=1e-14)
            assert_equal(ours.class_count_, theirs.class_count_)
            assert_equal(ours.classes_, theirs.classes_)
            assert ours.epsilon_ == pytest.approx(theirs.epsilon_)
        assert_equal(ours.predict(x), theirs.predict(exact), split=split)
        logs = theirs.predict_log_proba(exact).astype(dtype)
        assert_equal(ours.predict_log_proba(x), logs, rtol=tol, atol=tol, split=split, dtype=dtype)
        assert_equal(ours.predict_proba(x), np.exp(logs), rtol=100 * tol, atol=tol)
        assert ours.score(x, ht.array(labels, split=0)) == pytest.approx(theirs.score(exact, labels))


@given(st.data(), st.integers(2, 30), st.integers(1, 20), st.integers(1, 4), st.integers(0, 5))
def test_naive_bayes_of_random_samples(data: st.DataObject, n: int, f: int, classes: int, seed: int) -> None:
    values, labels = mixture(n, f, min(n, classes), seed)
    w = np.random.default_rng(seed).random(n) + 0.1
    split = data.draw(st.sampled_from([None, 0, 1]))
    counts = None if split is None else uneven_counts(values.shape[split], SIZE, seed)
    x = with_counts(values, split, counts)
    y = with_counts(labels, 0, uneven_counts(n, SIZE, seed + 1))
    theirs = sklearn.naive_bayes.GaussianNB(var_smoothing=1e-3).fit(values, labels)
    ours = GaussianNB(var_smoothing=1e-3).fit(x, y)
    assert_equal(ours.var_, theirs.var_, rtol=1e-9)
    assert_equal(ours.predict(x), theirs.predict(values))
    smooth = GaussianNB(var_smoothing=0.0).fit(x, y, ht.array(w, split=0))
    expected = [np.average(values[labels == c], axis=0, weights=w[labels == c]) for c in np.unique(labels)]
    assert_equal(smooth.theta_, np.array(expected), rtol=1e-10, atol=1e-12)


def test_naive_bayes_in_batches_and_with_weights() -> None:
    values, labels = mixture(60, 3, 3, 0)
    w = np.random.default_rng(1).random(60)
    theirs = sklearn.naive_bayes.GaussianNB(priors=[0.5, 0.25, 0.25]).fit(values, labels, sample_weight=w)
    for split in (None, 0, 1):
        whole = GaussianNB(priors=[0.5, 0.25, 0.25]).fit(ht.array(values, split=split), labels, ht.array(w, split=0))
        assert_equal(whole.var_, theirs.var_, rtol=1e-7)
        parts = GaussianNB(priors=ht.array([0.5, 0.25, 0.25]))
        for part in (slice(0, 2), slice(2, 20), slice(20, 60)):
            known = np.array([8, 2, 5]) if part.start == 0 else None
            parts.partial_fit(ht.array(values[part], split=split), labels[part], known, w[part])
        for name in ("theta_", "var_", "class_count_", "class_prior_"):
            assert_equal(getattr(parts, name), getattr(whole, name).numpy(), rtol=1e-10)
        assert parts.epsilon_ == pytest.approx(whole.epsilon_)
    with pytest.raises(ValueError, match="in the first call"):
        GaussianNB().partial_fit(ht.array(values), labels)
    with pytest.raises(ValueError, match="but were"):
        parts.partial_fit(ht.array(values), labels, [1, 2, 3])
    with pytest.raises(ValueError, match="1 labels in y are none of the classes"):
        parts.partial_fit(ht.array(values[:3], split=0), ht.array([2, 5, 6], split=0))


def test_naive_bayes_far_from_zero_and_constant() -> None:
    values, labels = mixture(200, 3, 2, 0)
    far = (values + 1e6).astype("float32")
    far[:, 1] = 12345.678
    exact = far.astype("float64")
    theirs = sklearn.naive_bayes.GaussianNB().fit(exact, labels)
    for x in all_layouts(far):
        ours = GaussianNB().fit(x, labels)
        assert_equal(ours.theta_, theirs.theta_, rtol=1e-13)
        assert_equal(ours.var_, theirs.var_, rtol=1e-6)
        assert_equal(ours.predict(x), theirs.predict(exact))


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_logsumexp(axis: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 400, (5, 4)), rng.standard_normal((5, 4))
    nb = GaussianNB()
    for split in (None, 0, 1):
        x, y = ht.array(a, split=split), ht.array(b, split=0)
        assert_equal(nb.logsumexp(x, axis), scipy.special.logsumexp(a, axis), rtol=1e-12)
        assert_equal(nb.logsumexp(x, axis, keepdims=True), scipy.special.logsumexp(a, axis, keepdims=True), rtol=1e-12)
        found, sign = nb.logsumexp(x, axis, y, return_sign=True)
        expected, theirs = scipy.special.logsumexp(a, axis, b, return_sign=True)
        assert_equal(found, expected, rtol=1e-10)
        assert_equal(sign, theirs)


# ---------------------------------------------------------------------- neighbours
@pytest.mark.parametrize("name", list(REAL))
@pytest.mark.parametrize("options", [{}, {"weights": "distance"}, {"n_neighbors": 1}], ids=str)
def test_neighbours_are_scikit_learns(name: str, options: dict[str, Any]) -> None:
    data = REAL[name]()
    keep = slice(0, 300)
    order = np.random.default_rng(0).permutation(len(data["data"]))[keep]
    values, labels = (
        data["data"][order] + 1e-3 * np.random.default_rng(1).random((len(order), 1)),
        data["target"][order],
    )
    labels = labels * 2 - 1
    theirs = sklearn.neighbors.KNeighborsClassifier(**options, algorithm="brute").fit(values[20:], labels[20:])
    for x in all_layouts(values[20:]):
        ours = KNeighborsClassifier(**options).fit(x, ht.array(labels[20:], split=0))
        for fresh in all_layouts(values[:20]):
            split = None if fresh.split is None else 0
            assert_equal(ours.predict_proba(fresh), theirs.predict_proba(values[:20]), rtol=1e-9, atol=1e-12)
            assert_equal(ours.predict(fresh), theirs.predict(values[:20]), split=split)
        assert ours.score(fresh, labels[:20]) == pytest.approx(theirs.score(values[:20], labels[:20]))


@given(st.data(), st.integers(1, 20), st.integers(1, 9), st.integers(1, 5), st.integers(0, 5))
def test_neighbours_of_random_samples(data: st.DataObject, n: int, f: int, k: int, seed: int) -> None:
    k = min(k, n)
    values, labels = mixture(n, f, min(n, 3), seed)
    fresh = np.random.default_rng(seed + 1).standard_normal((7, f))
    splits = st.sampled_from([None, 0, 1])
    x, q = (
        with_counts(v, s, None if s is None else uneven_counts(v.shape[s], SIZE, seed))
        for v, s in ((values, data.draw(splits)), (fresh, data.draw(splits)))
    )
    metric = data.draw(st.sampled_from([None, ht.spatial.manhattan, lambda a, b: ht.spatial.cdist(a, b) ** 2]))
    theirs = sklearn.neighbors.KNeighborsClassifier(
        k, algorithm="brute", metric="manhattan" if metric is ht.spatial.manhattan else "euclidean"
    ).fit(values, labels)
    ours = KNeighborsClassifier(k, metric).fit(x, labels)
    assert_equal(ours.predict(q), theirs.predict(fresh))
    found, indices = ours.kneighbors(q)
    distances, expected = theirs.kneighbors(fresh)
    assert_equal(indices, expected)
    if metric is None or metric is ht.spatial.manhattan:
        assert_equal(found, distances, rtol=1e-10)


def test_one_hot_labels() -> None:
    values, labels = mixture(20, 2, 3, 0)
    codes = (labels - 2) // 3
    expected = sklearn.neighbors.KNeighborsClassifier(3).fit(values, codes).predict(values)
    for split in (None, 0, 1):
        one_hot = KNeighborsClassifier.one_hot_encoding(ht.array(codes, split=0)).resplit(split)
        assert_equal(one_hot, np.eye(3, dtype="float32")[codes], split=split, dtype="float32")
        knn = KNeighborsClassifier(3).fit(ht.array(values, split=0), one_hot)
        assert knn.outputs_2d_
        assert_equal(knn.predict(ht.array(values, split=0)), expected)
    with pytest.raises(ValueError, match="negative"):
        KNeighborsClassifier.one_hot_encoding(ht.array([-1, 2], split=0))
    with pytest.raises(TypeError, match="integers"):
        KNeighborsClassifier.one_hot_encoding(ht.array([1.0, 2.0], split=0))


# ---------------------------------------------------------------------- both
@pytest.mark.parametrize("kind", [GaussianNB, KNeighborsClassifier])
def test_conventions_and_errors(kind: Any) -> None:
    values, labels = mixture(12, 3, 2, 0)
    x, y = ht.array(values, split=0), ht.array(labels, split=0)
    fresh = kind()
    assert is_classifier(fresh)
    assert clone(fresh).get_params() == fresh.get_params()
    with pytest.raises(ht.NotFittedError, match=kind.__name__):
        fresh.predict(x)
    fresh.fit(x, y)
    assert fresh.__sklearn_is_fitted__()
    with pytest.raises(ValueError, match="2 features"):
        fresh.predict(x[:, :2])
    for dtype in ("float32", "bool", "int8"):
        labelled = clone(fresh).fit(x, y.astype(getattr(ht, dtype)))
        assert labelled.predict(x).dtype is getattr(ht, dtype)
    for bad in (np.nan, np.inf):
        for wrong in all_layouts(np.where(np.arange(36).reshape(12, 3) == 20, bad, values)):
            with pytest.raises(ValueError, match="NaN or infinity"):
                clone(fresh).fit(wrong, y)
            with pytest.raises(ValueError, match="NaN or infinity"):
                fresh.predict(wrong)
    with pytest.raises(ValueError, match="NaN"):
        clone(fresh).fit(x, ht.array(np.where(labels == 2, np.nan, 1.0), split=0))
    with pytest.raises(ValueError, match=r"12|11"):
        clone(fresh).fit(x, y[:11])
    with pytest.raises(ValueError, match="2-D"):
        clone(fresh).fit(x[:, 0], y)


def test_bad_parameters() -> None:
    x, y = ht.array([[0.0], [1.0]], split=0), ht.array([0, 1], split=0)
    for priors in ([0.5, 0.6], [-0.5, 1.5], [1.0]):
        with pytest.raises(ValueError, match="priors"):
            GaussianNB(priors=priors).fit(x, y)
    with pytest.raises(ValueError, match="3 of 2"):
        KNeighborsClassifier(3).fit(x, y).predict(x)
    with pytest.raises(ValueError, match="'other'"):
        KNeighborsClassifier(1, weights="other").fit(x, y).predict(x)
    with pytest.raises(TypeError, match="n_neighbors"):
        KNeighborsClassifier(1.5).fit(x, y).predict(x)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["uint16", "uint32", "uint64"])
def test_labels_that_torch_does_not_search(kind: str) -> None:
    labels = (np.arange(6) % 3 + 1).astype(kind)
    samples = np.arange(6)[:, None] % 3 * 9.0 + np.arange(6)[:, None]
    for x in all_layouts(samples):
        for classifier in (KNeighborsClassifier(1), GaussianNB(), ht.classification.LogisticRegression(C=1e3)):
            assert_equal(classifier.fit(x, ht.array(labels, split=0)).predict(x), labels)
        classes = [1, 2, 3]
        batches = GaussianNB().partial_fit(x, labels, classes=np.array(classes, kind))
        assert batches.partial_fit(x, labels, classes=classes).score(x, labels) == 1.0
