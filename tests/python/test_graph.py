# SPDX-License-Identifier: BSD-3-Clause
"""Laplacians against SciPy's, spectral clustering against scikit-learn's, for every layout of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.cluster
from scipy.sparse import csgraph
from sklearn import datasets
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel

import equiheat as ht
from equiheat.testing import all_layouts, assert_equal, gradcheck

SAMPLES = np.random.default_rng(0).standard_normal((9, 2))


def rbf(x: ht.DNDarray) -> ht.DNDarray:
    return ht.spatial.rbf(x, sigma=1.0)


def reference(a: Any, definition: str) -> Any:
    """By SciPy; vertices without edges have the row of I, not of zeros."""
    a = a - np.diag(np.diag(a))
    if definition == "simple":
        return csgraph.laplacian(a)
    if definition == "norm_sym":
        found = csgraph.laplacian(a, normed=True)
    else:
        degree = a.sum(1)
        found = -a / np.where(degree > 0, degree, 1)[:, None]
    np.fill_diagonal(found, 1.0)
    return found


@pytest.mark.parametrize("definition", ["simple", "norm_sym", "norm_rw"])
@pytest.mark.parametrize("weighted", [True, False])
def test_laplacian(definition: str, weighted: bool) -> None:
    similar = rbf_kernel(SAMPLES, gamma=0.5)
    for x in all_layouts(SAMPLES):
        split = None if x.split is None else 0
        whole = ht.graph.Laplacian(rbf, weighted, definition).construct(x)
        assert_equal(whole, reference(similar, definition), atol=1e-12, split=split)
        for key, edges in (("lower", similar > 0.4), ("upper", similar < 0.4)):
            graph = ht.graph.Laplacian(rbf, weighted, definition, "eNeighbour", key, 0.4)
            weights = np.where(edges, similar if weighted else 1.0, 0.0)
            assert_equal(graph.construct(x), reference(weights, definition), atol=1e-12, split=split)


def test_vertex_without_edges() -> None:
    x = ht.array([[0.0], [0.1], [50.0]], split=0)
    for definition, own in (("simple", 0.0), ("norm_sym", 1.0), ("norm_rw", 1.0)):
        graph = ht.graph.Laplacian(ht.spatial.cdist, False, definition, "eNeighbour", "upper", 1.0)
        assert graph.construct(x).numpy()[2].tolist() == [0.0, 0.0, own]


@pytest.mark.parametrize("split", [None, 0])
def test_gradient(split: int | None) -> None:
    for definition in ("simple", "norm_sym", "norm_rw"):
        assert gradcheck(ht.graph.Laplacian(rbf, True, definition).construct, SAMPLES[:4], splits=[split])


def test_wrong_options() -> None:
    for wrong in ({"definition": "normed"}, {"mode": "kNN"}, {"threshold_key": "both"}, {"neighbours": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ht.graph.Laplacian(rbf, **wrong)
    with pytest.raises(ValueError, match="similarity gave"):
        ht.graph.Laplacian(lambda x: x).construct(ht.ones((3, 2), split=0))


# ---------------------------------------------------------------------- spectral clustering
def circles() -> tuple[Any, Any]:
    return datasets.make_circles(80, factor=0.3, noise=0.04, random_state=1)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["randomized", "lanczos", "full"])
def test_circles(solver: str) -> None:
    values, labels = circles()
    theirs = sklearn.cluster.SpectralClustering(2, gamma=20.0, random_state=0).fit(values)
    assert adjusted_rand_score(labels, theirs.labels_) == 1.0
    for x in all_layouts(values):
        ours = ht.cluster.Spectral(2, gamma=20.0, eigen_solver=solver, lanczos_n_iter=60, random_state=0).fit(x)
        assert adjusted_rand_score(labels, ours.labels_.numpy()) == 1.0
        assert ours.labels_.split == (None if x.split is None else 0)
        assert_equal(ours.predict(x), ours.labels_.numpy())


def test_eigenvalues_and_new_samples() -> None:
    values, labels = circles()
    exact = np.linalg.eigvalsh(csgraph.laplacian(rbf_kernel(values, gamma=20.0), normed=True))
    x = ht.array(values, split=0)
    ours = ht.cluster.Spectral(3, gamma=20.0, eigen_solver="full", random_state=0).fit(x)
    np.testing.assert_allclose(ours.eigenvalues_.numpy(), exact[:3], atol=1e-9)
    ours = ht.cluster.Spectral(2, gamma=20.0, random_state=0).fit(x)
    new, inside = datasets.make_circles(30, factor=0.3, noise=0.04, random_state=7)
    for y in all_layouts(new):
        assert adjusted_rand_score(inside, ours.predict(y).numpy()) == 1.0
    assert adjusted_rand_score(labels, ours.labels_.numpy()) == 1.0


def test_number_of_clusters_by_the_gap() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([center + 0.1 * rng.standard_normal((12, 2)) for center in (0.0, 4.0, 8.0)])
    for x in all_layouts(values):
        ours = ht.cluster.Spectral(gamma=1.0, reigh_rank=20, random_state=0).fit(x)
        assert ours.n_clusters_ == 3
        assert adjusted_rand_score(np.repeat([0, 1, 2], 12), ours.labels_.numpy()) == 1.0


def test_distances_below_a_threshold() -> None:
    values, labels = circles()
    assert euclidean_distances(values).max() > 1.0
    model = ht.cluster.Spectral(
        2, metric="euclidean", laplacian="eNeighbour", threshold=0.35, eigen_solver="full", random_state=0
    )
    for x in all_layouts(values):
        assert adjusted_rand_score(labels, model.fit(x).labels_.numpy()) == 1.0


def test_conventions_and_errors() -> None:
    model = ht.cluster.Spectral(2, random_state=1, max_iter=7)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(max_iter=9, gamma=2.0).get_params()["max_iter"] == 9
    x = ht.array(circles()[0], split=0)
    with pytest.raises(ht.NotFittedError):
        model.predict(x)
    assert model.fit_predict(x).shape == (80,)
    for wrong, message in (
        ({"n_clusters": 81}, "at most one each"),
        ({"metric": "cosine"}, "metric"),
        ({"eigen_solver": "best"}, "eigen_solver"),
        ({"assign_labels": "discretize"}, "assign_labels"),
        ({"n_clusters": 5, "reigh_rank": 3}, "reigh_rank"),
    ):
        with pytest.raises(ValueError, match=message):
            ht.cluster.Spectral(**wrong).fit(x)
    bad = circles()[0]
    bad[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity"):
        ht.cluster.Spectral(2).fit(ht.array(bad, split=0))
