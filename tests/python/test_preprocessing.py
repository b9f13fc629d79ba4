# SPDX-License-Identifier: BSD-3-Clause
"""Scalers against scikit-learn, for every layout of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.preprocessing as theirs
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import equiheat as ht
from equiheat import preprocessing as ours
from equiheat.testing import all_layouts, assert_equal, gradcheck, uneven_counts, with_counts

SIZE = ht.get_comm().size
CASES: dict[str, dict[str, Any]] = {
    "StandardScaler": {},
    "StandardScaler without mean": {"with_mean": False},
    "StandardScaler without std": {"with_std": False},
    "MinMaxScaler": {},
    "MinMaxScaler to (-2, 3)": {"feature_range": (-2.0, 3.0)},
    "MinMaxScaler clipped": {"clip": True},
    "MaxAbsScaler": {},
    "RobustScaler": {},
    "RobustScaler of deciles": {"quantile_range": (10.0, 90.0), "unit_variance": True},
    "RobustScaler without centering": {"with_centering": False},
    "RobustScaler without scaling": {"with_scaling": False},
    "Normalizer": {},
    "Normalizer l1": {"norm": "l1"},
    "Normalizer max": {"norm": "max"},
}
ATTRIBUTES = (
    *("mean_", "var_", "scale_", "min_", "data_min_", "data_max_", "data_range_", "max_abs_", "center_"),
    *("n_samples_seen_", "n_features_in_"),
)


def made(library: Any, case: str, **more: Any) -> Any:
    return getattr(library, case.split()[0])(**CASES[case], **more)


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_real_data(case: str, dtype: str) -> None:
    values = datasets.load_wine()["data"].astype(dtype)
    values[:, 4] = 7.25  # a constant feature
    values[3] = 0  # and a sample without a norm
    values[3, 4] = 7.25
    exact = values.astype("float64")  # float32 is rounded once, not in between
    reference = made(theirs, case).fit(exact)
    expected = reference.transform(exact).astype(dtype)
    tol = 1e-12 if dtype == "float64" else 2e-6
    for x in all_layouts(values):
        scaler = made(ours, case)
        scaled = scaler.fit_transform(x)
        assert_equal(scaled, expected, rtol=tol, atol=tol, split=x.split, dtype=dtype)
        for name in ATTRIBUTES:
            if getattr(reference, name, None) is not None:
                found = getattr(scaler, name)
                found = found.numpy() if isinstance(found, ht.DNDarray) else found
                np.testing.assert_allclose(found, getattr(reference, name), rtol=10 * tol, atol=1e-12)
        if not case.startswith("Normalizer") and "clipped" not in case:
            back = scaler.inverse_transform(scaled)
            assert_equal(back, values, rtol=10 * tol, atol=tol * np.abs(values).max(), split=x.split)  # rounded once


@given(st.data(), st.sampled_from(list(CASES)), st.integers(1, 20), st.integers(1, 9), st.integers(0, 5))
def test_random_samples(data: st.DataObject, case: str, n: int, f: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(3.0, 2.0, (n, f))
    split = data.draw(st.sampled_from([None, 0, 1]))
    counts = None if split is None else uneven_counts(values.shape[split], SIZE, seed)
    x = with_counts(values, split, counts)
    fresh = values * 1.5 - 1
    y = with_counts(fresh, split, counts)
    reference = made(theirs, case).fit(values)
    assert_equal(made(ours, case).fit(x).transform(y), reference.transform(fresh), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", ["StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"])
def test_far_from_zero(case: str) -> None:
    values = (np.random.default_rng(0).standard_normal((200, 3)) + 1e6).astype("float32")
    exact = values.astype("float64")
    expected = made(theirs, case).fit(exact).transform(exact)
    for x in all_layouts(values):
        assert_equal(made(ours, case).fit_transform(x), expected.astype("float32"), rtol=1e-6, atol=1e-6)


def test_moments_far_from_zero() -> None:
    values = (np.random.default_rng(0).standard_normal((1000, 2)) + 1e6).astype("float32")
    exact = values.astype("float64")
    for x in all_layouts(values):
        scaler = ours.StandardScaler().fit(x)
        np.testing.assert_allclose(scaler.mean_.numpy(), exact.mean(0), rtol=1e-13)
        np.testing.assert_allclose(scaler.var_.numpy(), exact.var(0), rtol=1e-9)


def test_weights() -> None:
    rng = np.random.default_rng(0)
    values, w = rng.standard_normal((30, 3)), rng.random(30)
    w[4] = 0
    reference = theirs.StandardScaler().fit(values, sample_weight=w)
    for x in all_layouts(values):
        for split in (None, 0):
            scaler = ours.StandardScaler().fit(x, sample_weight=ht.array(w, split=split))
            assert_equal(scaler.mean_, reference.mean_, rtol=1e-12, atol=1e-12)
            assert_equal(scaler.var_, reference.var_, rtol=1e-12)


@pytest.mark.parametrize("case", list(CASES))
def test_in_place_and_integers(case: str) -> None:
    whole = np.arange(24).reshape(6, 4) ** 2
    expected = made(theirs, case).fit_transform(whole.astype("float64"))
    for x in all_layouts(whole.astype("float64")):
        scaler = made(ours, case, copy=False).fit(x)
        assert scaler.transform(x) is x
        assert_equal(x, expected, rtol=1e-12, atol=1e-12)
    x = ht.array(whole, split=0)
    assert_equal(made(ours, case).fit_transform(x), expected, rtol=1e-6, atol=1e-6, dtype="float32")
    with pytest.raises(TypeError, match="copy=False"):
        made(ours, case, copy=False).fit_transform(x)


@pytest.mark.parametrize("case", ["StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "Normalizer"])
def test_conventions_and_errors(case: str) -> None:
    scaler = made(ours, case)
    assert clone(scaler).get_params() == scaler.get_params()
    x = ht.array(np.random.default_rng(0).standard_normal((5, 3)), split=0)
    if case != "Normalizer":
        with pytest.raises(ht.NotFittedError, match=case):
            scaler.transform(x)
        with pytest.raises(ValueError, match="2 features"):
            scaler.fit(x).transform(x[:, :2])
        for bad in (np.nan, np.inf):
            for y in all_layouts(np.array([[1.0, 2.0], [3.0, bad], [4.0, 5.0]])):
                with pytest.raises(ValueError, match="NaN or infinity"):
                    scaler.fit(y)
    with pytest.raises(ValueError, match="2-D"):
        scaler.fit(x[:, 0])
    with pytest.raises(TypeError, match="real"):
        scaler.fit(ht.ones((2, 2), dtype=ht.complex64))
    piped = make_pipeline(clone(scaler), ht.cluster.KMeans(2, random_state=0)).fit(x)
    assert piped.predict(x).shape == (5,)


def test_sketch() -> None:
    values = np.random.default_rng(0).standard_normal((2000, 2))
    exact = np.median(values, axis=0)
    for split in (None, 0, 1):
        scaler = ours.RobustScaler(sketched=True, sketch_size=0.2).fit(ht.array(values, split=split))
        assert np.abs(scaler.center_.numpy() - exact).max() < 0.3
        assert (scaler.center_.numpy() != exact).any()


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_norms_that_have_no_squares_in_single_precision(norm: str) -> None:
    values = np.array([[3e30, -4e30], [3e-30, 4e-30], [0, 0], [3e38, 3e38]], np.float32)
    sizes = np.linalg.norm(values.astype(np.float64), {"l1": 1, "l2": 2, "max": np.inf}[norm], axis=1, keepdims=True)
    expected = values / np.where(sizes == 0, 1, sizes)
    for x in all_layouts(values):
        assert_equal(ours.Normalizer(norm).transform(x), expected, 1e-6, split=x.split, dtype="float32")


def test_bad_parameters() -> None:
    x = ht.ones((3, 2), split=0)
    for scaler in (
        ours.MinMaxScaler((1.0, 1.0)),
        ours.RobustScaler(quantile_range=(75.0, 25.0)),
        ours.RobustScaler(sketched=True, sketch_size=2.0),
        ours.Normalizer("l3"),
    ):
        with pytest.raises(ValueError, match=r"is \(1.0, 1.0\)|is \(75.0, 25.0\)|is 2.0|is 'l3'"):
            scaler.fit(x)


@pytest.mark.parametrize("case", ["StandardScaler", "MinMaxScaler", "Normalizer"])
@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradient_of_transform(case: str, split: int | None) -> None:
    values = np.random.default_rng(0).standard_normal((5, 3))
    scaler = made(ours, case).fit(ht.array(values))
    gradcheck(scaler.transform, values, splits=[split])
