# SPDX-License-Identifier: BSD-3-Clause
"""Gaussian mixtures against scikit-learn's from the same beginning, for every layout of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as Theirs

import equiheat as ht
from equiheat.mixture import GaussianMixture
from equiheat.testing import all_layouts, assert_equal, uneven_counts, with_counts

SIZE = ht.get_comm().size
KINDS = ("full", "tied", "diag", "spherical")
FITTED = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")


def beginning(values: Any, k: int, kind: str, seed: int = 0) -> dict[str, Any]:
    f = values.shape[1]
    rows = np.random.default_rng(seed).choice(len(values), k, replace=False)
    one = {"full": np.tile(np.eye(f), (k, 1, 1)), "tied": np.eye(f), "diag": np.ones((k, f)), "spherical": np.ones(k)}
    return {
        "means_init": values[rows],
        "weights_init": np.full(k, 1.0 / k),
        "precisions_init": one[kind] / values.var(),
        "covariance_type": kind,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_real_data(kind: str) -> None:
    values = datasets.load_iris()["data"]
    first = beginning(values, 3, kind)
    theirs = Theirs(3, **first).fit(values)
    for x in all_layouts(values):
        ours = GaussianMixture(3, **first).fit(x)
        assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
        assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_)
        for name in FITTED:
            assert_equal(getattr(ours, name), getattr(theirs, name), rtol=1e-7, atol=1e-9, split=None)
        split = None if x.split is None else 0
        assert_equal(ours.predict(x), theirs.predict(values), split=split)
        assert_equal(ours.predict_proba(x), theirs.predict_proba(values), atol=1e-8, split=split)
        assert_equal(ours.score_samples(x), theirs.score_samples(values), rtol=1e-8, split=split)
        for name in ("score", "bic", "aic"):
            assert getattr(ours, name)(x) == pytest.approx(getattr(theirs, name)(values))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::equiheat.ConvergenceWarning")
@given(st.data(), st.integers(6, 30), st.integers(1, 4), st.integers(1, 3), st.sampled_from(KINDS), st.integers(0, 5))
def test_random_samples(data: st.DataObject, n: int, f: int, k: int, kind: str, seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal((n, f)) * 2 + 3
    options = {**beginning(values, k, kind, seed), "max_iter": 6, "reg_covar": 1e-2}
    theirs = Theirs(k, **options).fit(values)
    split = data.draw(st.sampled_from([None, 0, 1]))
    x = with_counts(values, split, None if split is None else uneven_counts(values.shape[split], SIZE, seed))
    ours = GaussianMixture(k, **options).fit(x)
    for name in FITTED:
        assert_equal(getattr(ours, name), getattr(theirs, name), rtol=1e-6, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("init", ["kmeans", "k-means++", "random_from_data"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_beginning(init: str, kind: str) -> None:
    values, labels = datasets.make_blobs(90, 2, centers=[[0, 0], [9, 0], [0, 9]], cluster_std=0.5, random_state=0)
    found = []
    for x in all_layouts(values):
        ours = GaussianMixture(3, init_params=init, covariance_type=kind, n_init=3, random_state=1).fit(x)
        assert adjusted_rand_score(labels, ours.fit_predict(x).numpy()) == 1.0
        found.append(ours.means_.numpy())
        np.testing.assert_allclose(found[-1], found[0], rtol=1e-6, atol=1e-6)
    drawn, component = ours.sample(2000)
    for c in range(3):
        np.testing.assert_allclose(drawn.numpy()[component.numpy() == c].mean(0), ours.means_.numpy()[c], atol=0.15)


def test_far_from_zero_in_single_precision() -> None:
    values, _ = datasets.make_blobs(90, 2, centers=[[0, 0], [90, 0]], cluster_std=5.0, random_state=0)
    far = (values + 1e6).astype("float32")
    exact = far.astype("float64") - 1e6
    theirs = Theirs(2, random_state=0, means_init=[[0, 0], [90, 0]]).fit(exact)
    for x in all_layouts(far):
        ours = GaussianMixture(2, random_state=0, means_init=[[1e6, 1e6], [1e6 + 90, 1e6]]).fit(x)
        np.testing.assert_allclose(ours.covariances_.numpy(), theirs.covariances_, rtol=1e-3)
        np.testing.assert_allclose(ours.means_.numpy() - 1e6, theirs.means_, rtol=1e-3, atol=1e-2)


def test_conventions_and_errors(capfd: Any) -> None:
    values = datasets.load_iris()["data"]
    x = ht.array(values, split=0)
    model = GaussianMixture(2, random_state=0, verbose=True)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(ht.NotFittedError):
        model.predict(x)
    model.fit(x)
    assert ("GaussianMixture [" in capfd.readouterr().err) == (ht.get_comm().rank == 0)
    with pytest.raises(ValueError, match="3 features"):
        model.predict(x[:, :3])
    with pytest.warns(ht.ConvergenceWarning, match="max_iter = 1"):
        GaussianMixture(3, max_iter=1, random_state=0).fit(x)
    for wrong, message in (
        ({"n_components": 151}, "at most one each"),
        ({"covariance_type": "round"}, "covariance_type"),
        ({"init_params": "best"}, "init_params"),
        ({"means_init": np.ones((3, 3)), "n_components": 3}, "means_init"),
        ({"weights_init": np.ones(2), "n_components": 2}, "add up"),
        ({"reg_covar": -1.0}, "negative"),
    ):
        with pytest.raises(ValueError, match=message):
            GaussianMixture(**wrong).fit(x)
    with pytest.raises(ValueError, match="positive definite"):
        GaussianMixture(1, reg_covar=0.0).fit(ht.ones((9, 2), split=0))
    values[7, 1] = np.nan
    for bad in all_layouts(values):
        with pytest.raises(ValueError, match="NaN or infinity"):
            GaussianMixture(2).fit(bad)
