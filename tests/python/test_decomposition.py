# SPDX-License-Identifier: BSD-3-Clause
"""Principal components against scikit-learn and dynamic modes against their definitions, for every layout."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
import sklearn.decomposition as theirs
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import equiheat as ht
from equiheat.decomposition import DMD, PCA, DMDc, IncrementalPCA
from equiheat.testing import all_layouts, assert_equal, gradcheck, uneven_counts, with_counts

SIZE = ht.get_comm().size
SHOWN = ("explained_variance_", "explained_variance_ratio_", "singular_values_")


def check_pca(ours: Any, reference: Any, x: ht.DNDarray, values: Any, tol: float) -> None:
    """Everything both have; components up to the choice within equal variances."""
    for name in SHOWN:
        scale = float(np.max(np.abs(getattr(reference, name)))) or 1.0
        assert_equal(getattr(ours, name), getattr(reference, name), rtol=tol, atol=tol * scale, split=None)
    assert_equal(ours.components_, reference.components_, rtol=tol, atol=10 * tol)
    np.testing.assert_allclose(ours.mean_.numpy(), reference.mean_, rtol=1e-9, atol=1e-9)
    assert ours.noise_variance_ == pytest.approx(reference.noise_variance_, rel=100 * tol, abs=tol)
    split = 0 if x.split == 0 else None
    scores = reference.transform(values)
    spread = float(np.abs(scores).max())
    assert_equal(ours.transform(x), scores, rtol=tol, atol=10 * tol * spread, split=split)
    back = reference.inverse_transform(scores)
    assert_equal(ours.inverse_transform(ht.array(scores, split=0)), back, rtol=tol, atol=10 * tol * np.abs(back).max())


@pytest.mark.parametrize("solver", ["full", "hierarchical", "randomized", "covariance_eigh"])
@pytest.mark.parametrize("whiten", [False, True])
def test_real_data(solver: str, whiten: bool) -> None:
    values = datasets.load_wine()["data"]
    reference = theirs.PCA(4, whiten=whiten, svd_solver="full").fit(values)
    for x in all_layouts(values):
        ours = PCA(4, whiten=whiten, svd_solver=solver, random_state=0, iterated_power=7).fit(x)
        check_pca(
            ours, reference, x, values, {"hierarchical": 1e-4, "randomized": 1e-6}.get(solver, 1e-8)
        )  # the others approximate
        assert (ours.n_components_, ours.n_samples_, ours.n_features_in_) == (4, 178, 13)
        assert ours.components_.split == (1 if x.split == 1 else None)


@pytest.mark.parametrize("solver", ["full", "hierarchical", "covariance_eigh"])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_share_of_variance(solver: str, share: float) -> None:
    values = datasets.load_iris()["data"]
    reference = theirs.PCA(share, svd_solver="full").fit(values)
    for x in all_layouts(values):
        ours = PCA(share, svd_solver=solver).fit(x)
        assert ours.total_explained_variance_ratio_ >= share
        assert ours.n_components_ >= reference.n_components_
        if solver != "hierarchical":
            assert ours.n_components_ == reference.n_components_


@given(st.data(), st.integers(2, 20), st.integers(1, 9), st.integers(0, 5))
def test_random_samples(data: st.DataObject, n: int, f: int, seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal((n, f)) * np.arange(1, f + 1)
    k = data.draw(st.integers(1, min(n - 1, f)))
    split = data.draw(st.sampled_from([None, 0, 1]))
    counts = None if split is None else uneven_counts(values.shape[split], SIZE, seed)
    x = with_counts(values, split, counts)
    solver = data.draw(st.sampled_from(["full", "hierarchical", "covariance_eigh"]))
    check_pca(PCA(k, svd_solver=solver).fit(x), theirs.PCA(k, svd_solver="full").fit(values), x, values, 1e-6)


def test_far_from_zero_in_single_precision() -> None:
    rng = np.random.default_rng(0)
    values = (rng.standard_normal((200, 4)) * [4, 3, 2, 1] + 1e6).astype("float32")
    reference = theirs.PCA(2, svd_solver="full").fit(values.astype("float64"))
    for x in all_layouts(values):
        ours = PCA(2, svd_solver="full").fit(x)
        np.testing.assert_allclose(ours.explained_variance_.numpy(), reference.explained_variance_, rtol=1e-5)
        np.testing.assert_allclose(ours.mean_.numpy(), reference.mean_, rtol=1e-12)
        assert_equal(ours.transform(x), reference.transform(values.astype("float64")).astype("float32"), 1e-4, 1e-4)


def test_constant_and_duplicate_columns() -> None:
    column = np.arange(6.0)
    values = np.stack([np.full(6, 7.0), column, column], 1)
    for x in all_layouts(values):
        for solver in ("full", "hierarchical", "covariance_eigh"):
            ours = PCA(1, svd_solver=solver).fit(x)
            assert_equal(ours.components_, np.array([[0.0, 0.5**0.5, 0.5**0.5]]), atol=1e-9)
            assert ours.total_explained_variance_ratio_ == pytest.approx(1.0)
        same = PCA(1).fit(x[:1] * 0 + ht.zeros((3, 3), split=x.split, dtype=ht.float64))
        assert same.explained_variance_.tolist() == [0.0]


@pytest.mark.parametrize("batch", [40, 25])
@pytest.mark.parametrize("k", [None, 3])
def test_incremental(batch: int, k: int | None) -> None:
    values = datasets.load_iris()["data"]
    reference = theirs.IncrementalPCA(k, batch_size=batch).fit(values)
    for x in all_layouts(values):
        ours = IncrementalPCA(k, batch_size=batch).fit(x)
        check_pca(ours, reference, x, values, 1e-8)
        np.testing.assert_allclose(ours.var_.numpy(), reference.var_, rtol=1e-10)
        assert ours.n_samples_seen_ == 150
    parts = IncrementalPCA(k)
    for first in range(0, 150, 50):
        parts.partial_fit(ht.array(values[first : first + 50], split=0))
    reference = theirs.IncrementalPCA(k, batch_size=50).fit(values)
    np.testing.assert_allclose(parts.singular_values_.numpy(), reference.singular_values_, rtol=1e-9)


def test_incremental_from_a_file(tmp_path: pathlib.Path, comm: Any) -> None:
    path = comm.bcast(str(tmp_path / "x.h5") if comm.rank == 0 else None, 0)
    values = datasets.load_wine()["data"]
    ht.save_hdf5(ht.array(values, split=0), path, "DATA")
    ours = IncrementalPCA(3).fit(path, 30)
    reference = theirs.IncrementalPCA(3, batch_size=30).fit(values)
    np.testing.assert_allclose(ours.components_.numpy(), reference.components_, rtol=1e-6, atol=1e-8)
    with pytest.raises(KeyError, match="other"):
        IncrementalPCA(3).fit(path, 30, "other")
    with pytest.raises(ValueError, match="no HDF5"):
        IncrementalPCA(3).fit(path + ".csv", 30)


def test_conventions_and_errors() -> None:
    x = ht.array(datasets.load_iris()["data"], split=0)
    for model in (PCA(2, random_state=3), IncrementalPCA(2)):
        assert clone(model).get_params() == model.get_params()
        with pytest.raises(ht.NotFittedError):
            model.transform(x)
        assert make_pipeline(ht.preprocessing.StandardScaler(), model).fit_transform(x).shape == (150, 2)
        with pytest.raises(ValueError, match="3 features"):
            model.transform(x[:, :3])
        with pytest.raises(ValueError, match="5 components"):
            model.inverse_transform(ht.ones((2, 5)))
    bad = datasets.load_iris()["data"]
    bad[5, 1] = np.nan
    for y in all_layouts(bad):
        with pytest.raises(ValueError, match="NaN or infinity"):
            PCA(2).fit(y)
    for wrong, message in (
        ({"n_components": 5}, "at most 4"),
        ({"n_components": 1.5}, "between 0 and 1"),
        ({"svd_solver": "best"}, "svd_solver"),
        ({"n_components": 0.5, "svd_solver": "randomized"}, "share of variance"),
    ):
        with pytest.raises(ValueError, match=message):
            PCA(**wrong).fit(x)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradient_of_transform(split: int | None) -> None:
    model = PCA(2, svd_solver="full").fit(ht.array(datasets.load_iris()["data"], split=0))
    assert gradcheck(model.transform, np.random.default_rng(0).standard_normal((5, 4)), splits=[split])


# ---------------------------------------------------------------------- dynamic modes
def series(features: int = 5, steps: int = 12, rank: int = 5, controls: int = 0, seed: int = 0) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((features, rank)))[0]
    a = basis @ (np.linalg.qr(rng.standard_normal((rank, rank)))[0] * 0.95) @ basis.T
    b = basis @ rng.standard_normal((rank, max(1, controls)))
    c = rng.standard_normal((max(1, controls), steps)) * (controls > 0)
    x = np.empty((features, steps))
    x[:, 0] = basis @ rng.standard_normal(rank)
    for t in range(steps - 1):
        x[:, t + 1] = a @ x[:, t] + b @ c[:, t]
    return x, a, b, c


def sorted_values(values: Any) -> Any:
    return np.array(sorted(np.asarray(values), key=lambda z: (round(z.real, 6), round(z.imag, 6))))


OPTIONS: list[dict[str, Any]] = [
    {},
    {"svd_rank": 3},
    {"svd_tol": 1e-9},
    {"svd_solver": "hierarchical", "svd_rank": 3},
    {"svd_solver": "hierarchical", "svd_tol": 1e-8},
    {"svd_solver": "randomized", "svd_rank": 3},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_dmd(options: dict[str, Any]) -> None:
    x, a, _, _ = series(rank=3)
    expected = sorted_values([v for v in np.linalg.eigvals(a) if abs(v) > 1e-6])
    later = np.stack([np.linalg.matrix_power(a, t) @ x[:, 0] for t in range(4)], 1)
    for data in all_layouts(x):
        dmd = DMD(**options).fit(data)
        assert dmd.n_modes_ == 3
        np.testing.assert_allclose(sorted_values(dmd.rom_eigenvalues_.numpy()), expected, atol=1e-8)
        modes = dmd.dmdmodes_.numpy()
        np.testing.assert_allclose(a @ modes, modes * dmd.rom_eigenvalues_.numpy(), atol=1e-7)
        split = 0 if data.split == 0 else None
        assert dmd.rom_basis_.split == split
        for y in all_layouts(x[:, :2]):
            assert_equal(dmd.predict_next(y, 2), a @ a @ x[:, :2], atol=1e-7, split=split)
            found = dmd.predict(y, [0, 3])
            assert_equal(found[0], later[:, [0, 3]], atol=1e-7)
        assert_equal(dmd.predict(ht.array(x[:, 0]), 4), later, atol=1e-7, split=split)
        assert_equal(dmd.predict_next(ht.array(x[:, 0], split=0)), later[:, 1], atol=1e-7, split=split)


@pytest.mark.parametrize("rank", [None, 5])
def test_dmdc(rank: int | None) -> None:
    x, a, b, c = series(controls=2, steps=15)
    for data in all_layouts(x):
        for control in (ht.array(c), ht.array(c, split=1)):
            dmd = DMDc(svd_rank=rank).fit(data, control)
            basis = dmd.rom_basis_.numpy()
            np.testing.assert_allclose(basis @ dmd.rom_transfer_matrix_.numpy() @ basis.T, a, atol=1e-8)
            np.testing.assert_allclose(basis @ dmd.rom_control_matrix_.numpy(), b, atol=1e-8)
            np.testing.assert_allclose(
                a @ dmd.dmdmodes_.numpy(), dmd.dmdmodes_.numpy() * dmd.rom_eigenvalues_.numpy(), atol=1e-7
            )
        assert (dmd.n_modes_, dmd.n_modes_system_) == (5, 7)
        assert_equal(dmd.predict(ht.array(x[:, 0]), control), x[None], atol=1e-7, split=1 if data.split == 0 else None)
        assert dmd.predict(ht.array(x[:, :3].T, split=0), ht.array(c[:, 0])).shape == (3, 5, 1)


def test_wrong_dynamics() -> None:
    x = ht.array(series()[0], split=1)
    for wrong, message in (
        ({"svd_solver": "best"}, "svd_solver"),
        ({"svd_rank": 2, "svd_tol": 0.1}, "exclude"),
        ({"svd_solver": "hierarchical"}, "needs svd_rank"),
        ({"svd_solver": "randomized", "svd_tol": 0.1}, "needs svd_rank"),
        ({"svd_rank": 0}, "positive"),
        ({"svd_tol": -1.0}, "positive"),
    ):
        with pytest.raises(ValueError, match=message):
            DMD(**wrong).fit(x)
    with pytest.raises(ValueError, match="2 steps"):
        DMD().fit(x[:, :1])
    with pytest.raises(ValueError, match="12 steps, C has 11"):
        DMDc().fit(x, x[:, 1:])
    bad = series()[0]
    bad[0, 7] = np.inf
    with pytest.raises(ValueError, match="NaN or infinity"):
        DMD().fit(ht.array(bad, split=1))
    with pytest.raises(ht.NotFittedError):
        DMD().predict_next(x)
    dmd = DMD().fit(x)
    with pytest.raises(ValueError, match="4 features"):
        dmd.predict_next(x[:4])
    with pytest.raises(ValueError, match="from 0 on"):
        dmd.predict(x[:, 0], [-1])
    assert clone(DMD(svd_rank=2)).get_params() == {"svd_solver": "full", "svd_rank": 2, "svd_tol": None}
