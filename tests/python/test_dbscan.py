# SPDX-License-Identifier: BSD-3-Clause
"""DBSCAN against scikit-learn, for every layout of the samples; mini-batches of k-means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.cluster as theirs
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

import equiheat as ht
from equiheat.cluster import DBSCAN, KMeans
from equiheat.testing import all_layouts, assert_equal, uneven_counts, with_counts

SIZE = ht.get_comm().size


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize(("name", "eps", "least"), [("iris", 0.5, 5), ("wine", 40.0, 4), ("moons", 0.2, 5)])
def test_real_data(name: str, eps: float, least: int, metric: str) -> None:
    moons = name == "moons"
    values = (
        datasets.make_moons(120, noise=0.05, random_state=0)[0]
        if moons
        else getattr(datasets, f"load_{name}")()["data"]
    )
    reference = theirs.DBSCAN(eps=eps, min_samples=least, metric=metric).fit(values)
    for x in all_layouts(values):
        ours = DBSCAN(eps, min_samples=least, metric=metric).fit(x)
        split = None if x.split is None else 0
        assert_equal(ours.labels_, reference.labels_, split=split)
        assert_equal(ours.core_sample_indices_, reference.core_sample_indices_, split=split)
        assert_equal(ours.components_, reference.components_, split=split)


@given(
    st.data(),
    st.integers(1, 90),
    st.integers(1, 5),
    st.integers(1, 6),
    st.sampled_from([0.2, 0.5, 1.0, 3.0]),
    st.integers(0, 9),
)
def test_random_samples(data: st.DataObject, n: int, f: int, least: int, eps: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.round(rng.standard_normal((n, f)), data.draw(st.sampled_from([1, 8])))  # also duplicates and ties
    w = data.draw(st.sampled_from([None, rng.integers(0, 3, n).astype(float)]))
    metric = data.draw(st.sampled_from(["euclidean", "manhattan"]))
    exact = values * 8  # multiples of 0.8 have no distance of exactly eps that rounds both ways
    reference = theirs.DBSCAN(eps=eps * 8.003, min_samples=least, metric=metric).fit(exact, sample_weight=w)
    split = data.draw(st.sampled_from([None, 0, 1]))
    x = with_counts(exact, split, None if split is None else uneven_counts(exact.shape[split], SIZE, seed))
    ours = DBSCAN(eps * 8.003, min_samples=least, metric=metric).fit(
        x, sample_weight=None if w is None else ht.array(w, split=0)
    )
    assert_equal(ours.labels_, reference.labels_)
    assert_equal(ours.core_sample_indices_, reference.core_sample_indices_)


def test_chain_over_all_ranks() -> None:
    values = np.random.default_rng(0).permutation(np.arange(200.0))[:, None]
    for x in all_layouts(values, dtype="float32"):
        assert_equal(DBSCAN(1.0, min_samples=3).fit(x).labels_, np.zeros(200, dtype=int))
        assert DBSCAN(0.9, min_samples=2).fit_predict(x).max().item() == -1


def test_dbscan_conventions_and_errors() -> None:
    x = ht.array(datasets.load_iris()["data"], split=0)
    model = DBSCAN(0.7)
    assert clone(model).get_params() == {"eps": 0.7, "min_samples": 5, "metric": "euclidean"}
    assert model.fit_predict(x).shape == (150,)
    for wrong, message in (
        ({"eps": 0.0}, "eps"),
        ({"min_samples": 0}, "min_samples"),
        ({"metric": "cosine"}, "metric"),
    ):
        with pytest.raises(ValueError, match=message):
            DBSCAN(**wrong).fit(x)
    values = datasets.load_iris()["data"]
    values[7, 1] = np.nan
    for bad in all_layouts(values):
        with pytest.raises(ValueError, match="NaN or infinity"):
            DBSCAN().fit(bad)


# ---------------------------------------------------------------------- mini-batches
def blobs(n: int = 300) -> tuple[Any, Any, Any]:
    centers = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
    values, labels = datasets.make_blobs(n, centers=centers, cluster_std=0.7, random_state=0)
    return values, labels, centers


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_mini_batches(init: str, weighted: bool) -> None:
    values, labels, centers = blobs()
    w = np.random.default_rng(0).random(300) + 0.5 if weighted else None
    full = theirs.KMeans(4, init=centers, n_init=1).fit(values, sample_weight=w)
    start = centers + 1.0 if init == "random" else init
    found = []
    for x in all_layouts(values):
        ours = KMeans(4, init=start, batch_size=50, random_state=3, max_iter=20)
        ours.fit(x, sample_weight=None if w is None else ht.array(w, split=0))
        assert adjusted_rand_score(labels, ours.labels_.numpy()) == 1.0
        assert full.inertia_ <= ours.inertia_ * (1 + 1e-9) <= 1.1 * full.inertia_
        found.append(ours.cluster_centers_.numpy())
        np.testing.assert_allclose(found[-1], found[0], rtol=1e-6)
        assert 1 <= ours.n_iter_ <= 20


def test_a_batch_of_all_samples_is_their_mean() -> None:
    values, _, centers = blobs()
    for x in all_layouts(values):
        model = KMeans(4, init=ht.array(centers)).partial_fit(x)
        labels = model.labels_.numpy()
        means = np.stack([values[labels == c].mean(0) for c in range(4)])
        assert_equal(model.cluster_centers_, means, rtol=1e-9, atol=1e-9)
        model.partial_fit(x[:30])
        seen = np.concatenate([values, values[:30]])
        labels = np.concatenate([labels, labels[:30]])
        assert_equal(
            model.cluster_centers_, np.stack([seen[labels == c].mean(0) for c in range(4)]), rtol=1e-9, atol=1e-9
        )
    with pytest.raises(ValueError, match="3 features"):
        model.partial_fit(ht.ones((5, 3), split=0))
    with pytest.raises(ValueError, match="at most one each"):
        KMeans(4).partial_fit(ht.ones((3, 2), split=0))
    with pytest.raises(ValueError, match="batch_size"):
        KMeans(4, batch_size=0).fit(x)


def test_progress_of_kmeans(capfd: Any) -> None:
    x = ht.array(blobs()[0], split=0)
    for options in ({}, {"batch_size": 60}):
        KMeans(4, random_state=0, verbose=True, **options).fit(x)
        assert ("KMeans [" in capfd.readouterr().err) == (ht.get_comm().rank == 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_radius_whose_square_is_no_number(dtype: str) -> None:
    near = np.array([[0.0], [1.0], [5.0]]).astype(dtype)
    for x in all_layouts(near):
        assert_equal(DBSCAN(eps=np.inf, min_samples=3).fit(x).labels_, np.zeros(3, "int64"))
    for x in all_layouts(near * np.array(1e30, dtype)):
        assert_equal(DBSCAN(eps=2e30, min_samples=2).fit(x).labels_, np.array([0, 0, -1]))
