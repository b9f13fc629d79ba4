# SPDX-License-Identifier: BSD-3-Clause
"""Clusterings against scikit-learn and against their definitions, for every layout of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.cluster
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.base import clone

import equiheat as ht
from equiheat.cluster.metrics import silhouette_samples, silhouette_score
from equiheat.testing import all_layouts, assert_equal, uneven_counts, with_counts

SIZE = ht.get_comm().size
REAL = {"iris": datasets.load_iris, "wine": datasets.load_wine, "digits": datasets.load_digits}
METHODS: dict[str, Any] = {
    "KMeans": ht.cluster.KMeans,
    "KMedians": ht.cluster.KMedians,
    "KMedoids": ht.cluster.KMedoids,
    "BatchParallelKMeans": ht.cluster.BatchParallelKMeans,
    "BatchParallelKMedians": ht.cluster.BatchParallelKMedians,
}


def blobs(n: int = 60, f: int = 3, k: int = 4, seed: int = 0, spread: float = 0.1) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    centers = np.arange(k)[:, None] * 4.0 + rng.standard_normal((k, f)) * 0.3
    labels = rng.permutation(np.arange(n) % k)
    return centers[labels] + spread * rng.standard_normal((n, f)), labels, centers


def same_partition(found: ht.DNDarray, labels: Any) -> bool:
    return sklearn.metrics.adjusted_rand_score(labels, found.numpy()) == 1.0


# ---------------------------------------------------------------------- k-means
@pytest.mark.parametrize("name", list(REAL))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_kmeans_is_scikit_learns(name: str, dtype: str) -> None:
    values = REAL[name]()["data"].astype(dtype)
    k = 10 if name == "digits" else 3
    init = values[:: len(values) // k][:k].copy()
    theirs = sklearn.cluster.KMeans(k, init=init, n_init=1, algorithm="lloyd").fit(values)
    tol = 1e-9 if dtype == "float64" else 1e-4
    for x in all_layouts(values):
        ours = ht.cluster.KMeans(k, init=ht.array(init)).fit(x)
        assert ours.n_iter_ == theirs.n_iter_
        assert_equal(ours.labels_, theirs.labels_.astype("int64"), split=None if x.split is None else 0)
        assert_equal(ours.cluster_centers_, theirs.cluster_centers_, rtol=tol, atol=tol, split=None, dtype=dtype)
        assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=tol)
        assert_equal(ours.predict(x), theirs.predict(values).astype("int64"))
        assert ours.score(x) == pytest.approx(theirs.score(values), rel=max(tol, 1e-5))


@given(st.data(), st.integers(1, 30), st.integers(1, 9), st.integers(1, 20), st.integers(0, 5))
def test_kmeans_of_random_samples(data: st.DataObject, n: int, f: int, k: int, seed: int) -> None:
    k = min(k, n)
    values = np.random.default_rng(seed).standard_normal((n, f))
    init = values[np.random.default_rng(seed).choice(n, k, replace=False)]
    theirs = sklearn.cluster.KMeans(k, init=init, n_init=1, max_iter=5, tol=0.0).fit(values)
    split = data.draw(st.sampled_from([None, 0, 1]))
    counts = None if split is None else uneven_counts(values.shape[split], SIZE, seed)
    ours = ht.cluster.KMeans(k, init=init, max_iter=5, tol=0.0).fit(with_counts(values, split, counts))
    assert_equal(ours.labels_, theirs.labels_.astype("int64"))
    assert_equal(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9, atol=1e-9)


def test_kmeans_with_weights() -> None:
    values, _, _ = blobs(40, spread=1.5)
    w = np.random.default_rng(3).random(40)
    theirs = sklearn.cluster.KMeans(4, init=values[:4], n_init=1).fit(values, sample_weight=w)
    for x in all_layouts(values):
        ours = ht.cluster.KMeans(4, init=values[:4]).fit(x, sample_weight=ht.array(w, split=0))
        assert_equal(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9)
        assert ours.inertia_ == pytest.approx(theirs.inertia_)


def test_kmeans_far_from_zero() -> None:
    values, labels, _ = blobs(90, 4)
    far = (values + 1e6).astype("float32")
    exact = far.astype("float64")
    for x in all_layouts(far):
        km = ht.cluster.KMeans(4, init="k-means++", random_state=1).fit(x)
        assert same_partition(km.labels_, labels)
        centers = km.cluster_centers_.numpy().astype("float64")
        expected = np.stack([exact[km.labels_.numpy() == c].mean(0) for c in range(4)])
        np.testing.assert_allclose(centers, expected, rtol=1e-7)
        assert km.inertia_ == pytest.approx(float(((exact - expected[km.labels_.numpy()]) ** 2).sum()), rel=1e-2)


def test_centre_that_loses_its_samples() -> None:
    values = np.concatenate([np.zeros((5, 2)), np.ones((5, 2)), [[9.0, 9.0]]])
    init = np.array([[0.0, 0.0], [1.0, 1.0], [500.0, 500.0]])
    for x in all_layouts(values):
        km = ht.cluster.KMeans(3, init=init).fit(x)
        assert sorted(km.cluster_centers_.numpy()[:, 0].tolist()) == [0.0, 1.0, 9.0]
        assert km.inertia_ == 0.0
    km = ht.cluster.KMeans(3, init=init).fit(ht.array(values[:5], split=0))
    assert km.inertia_ == 0.0


@pytest.mark.parametrize("init", ["random", "k-means++", "kmeans++", "probability_based", "batchparallel"])
@pytest.mark.parametrize("method", ["KMeans", "KMedians", "KMedoids"])
def test_every_init(method: str, init: str) -> None:
    values, labels, _ = blobs(50)
    if (method, init) == ("KMedoids", "batchparallel"):
        with pytest.raises(NotImplementedError, match="batchparallel"):
            METHODS[method](4, init=init).fit(ht.array(values))
        return
    found = []
    for x in all_layouts(values):
        fitted = METHODS[method](4, init=init, random_state=7).fit(x)
        assert fitted.cluster_centers_.shape == (4, 3)
        found.append(fitted.cluster_centers_.numpy())
        if init not in ("random", "batchparallel"):
            assert same_partition(fitted.labels_, labels)
        if init != "batchparallel":
            np.testing.assert_allclose(found[-1], found[0], rtol=1e-6)


# ---------------------------------------------------------------------- medians and medoids
def reference_medians(values: Any, centers: Any, medoids: bool) -> Any:
    for _ in range(300):
        labels = np.abs(values[:, None] - centers).sum(2).argmin(1)
        new = np.stack([np.median(values[labels == c], axis=0) for c in range(len(centers))])
        if medoids:
            new = values[np.abs(values[:, None] - new).sum(2).argmin(0)]
        if ((new - centers) ** 2).sum() <= (0.0 if medoids else 1e-4):
            centers = new
            break
        centers = new
    return centers, np.abs(values[:, None] - centers).sum(2)


@pytest.mark.parametrize("method", ["KMedians", "KMedoids"])
@pytest.mark.parametrize("spread", [0.1, 2.0])
def test_medians(method: str, spread: float) -> None:
    values, _, _ = blobs(47, 3, spread=spread)
    init = values[:4]
    centers, distances = reference_medians(values, init, method == "KMedoids")
    for x in all_layouts(values):
        ours = METHODS[method](4, init=init).fit(x)
        assert_equal(ours.cluster_centers_, centers, rtol=1e-12, split=None)
        assert_equal(ours.labels_, distances.argmin(1))
        assert ours.inertia_ == pytest.approx(distances.min(1).sum())
        if method == "KMedoids":
            assert all((values == row).all(1).any() for row in ours.cluster_centers_.numpy())


# ---------------------------------------------------------------------- batch-parallel
@pytest.mark.parametrize("merge", [None, 2, 3])
@pytest.mark.parametrize("method", ["BatchParallelKMeans", "BatchParallelKMedians"])
def test_batch_parallel(method: str, merge: int | None) -> None:
    values, labels, _ = blobs(80)
    for x in all_layouts(values):
        fitted = METHODS[method](4, random_state=3, n_procs_to_merge=merge).fit(x)
        predicted = fitted.predict(x)
        assert_equal(fitted.cluster_centers_, fitted.cluster_centers_.numpy(), split=None)
        assert same_partition(predicted, labels)
        assert fitted.functional_value_ > 0


@pytest.mark.parametrize("method", list(METHODS))
def test_fewer_samples_than_ranks(method: str) -> None:
    for x in all_layouts(np.array([[0.0, 1.0], [5.0, 5.0]])):
        fitted = METHODS[method](2, random_state=0).fit(x)
        assert sorted(fitted.cluster_centers_.numpy()[:, 0].tolist()) == [0.0, 5.0]


@pytest.mark.parametrize("method", list(METHODS))
def test_duplicates_and_integers(method: str) -> None:
    values = np.repeat([[1, 2], [7, 8]], 6, axis=0)
    for x in all_layouts(values):
        fitted = METHODS[method](2, init=METHODS[method]().init.replace("random", "++"), random_state=0).fit(x)
        assert sorted(fitted.cluster_centers_.numpy()[:, 1].tolist()) == [2.0, 8.0]
        assert same_partition(fitted.predict(x), [0] * 6 + [1] * 6)


# ---------------------------------------------------------------------- conventions and errors
@pytest.mark.parametrize("method", list(METHODS))
def test_conventions(method: str) -> None:
    model = METHODS[method](n_clusters=3, random_state=5)
    assert clone(model).get_params() == model.get_params()
    assert repr(model) == f"{method}(n_clusters=3, random_state=5)"
    assert model.cluster_centers_ is None
    x = ht.array(blobs(30)[0], split=0)
    with pytest.raises(ht.NotFittedError, match=method):
        model.predict(x)
    assert model.fit(x) is model
    assert model.fit_predict(x).shape == (30,)
    assert isinstance(model.n_iter_, int)
    with pytest.raises(ValueError, match="2 features"):
        model.predict(x[:, :2])
    assert clone(model).cluster_centers_ is None


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_samples(method: str, bad: float) -> None:
    values = blobs(30)[0]
    values[17, 1] = bad
    for x in all_layouts(values):
        with pytest.raises(ValueError, match="NaN or infinity"):
            METHODS[method](2, random_state=0).fit(x)
    x = ht.array(values, split=0)
    with pytest.raises(ValueError, match="n_clusters = 31"):
        METHODS[method](31).fit(x)
    with pytest.raises(ValueError, match="2-D"):
        METHODS[method](2).fit(x[:, 0])
    with pytest.raises(ValueError, match="positive"):
        METHODS[method](0).fit(x)
    with pytest.raises(ValueError, match="init"):
        METHODS[method](2, init="best").fit(x)
    with pytest.raises(TypeError, match="real"):
        METHODS[method](2).fit(ht.ones((4, 4), dtype=ht.complex64))


# ---------------------------------------------------------------------- silhouette
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_silhouette(metric: str) -> None:
    values = datasets.load_iris()["data"]
    labels = datasets.load_iris()["target"] * 3 - 1
    labels[5] = 77
    expected = sklearn.metrics.silhouette_samples(values, labels, metric=metric)
    for x in all_layouts(values):
        for y in (ht.array(labels), ht.array(labels, split=0)):
            assert_equal(silhouette_samples(x, y, metric=metric), expected, rtol=1e-9, atol=1e-12)
        assert silhouette_score(x, labels, metric=metric) == pytest.approx(expected.mean())
        part = silhouette_score(x, labels, metric=metric, sample_size=70, random_state=1)
        assert part == pytest.approx(silhouette_score(x, y, metric=metric, sample_size=70, random_state=1))
    with pytest.raises(ValueError, match="number of labels is 1"):
        silhouette_score(x, np.zeros(150, dtype=int))
