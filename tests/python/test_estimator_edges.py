# SPDX-License-Identifier: BSD-3-Clause
"""Every estimator at the edges: fewer samples than ranks, constants, duplicates, NaN, seeds, parameters, offsets."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from estimator_cases import CASES, Case, answer, fitted, public_estimators, targets
from layouts import distribute, size
from scipy import stats
from sklearn.base import clone

import equiheat as ht

pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(11)
every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
DATA = {
    "two rows": np.array([[0.5, 1.0, -2.0], [1.5, -1.0, 3.0]]),
    "constant": np.full((7, 3), 2.5),
    "one constant column": np.column_stack([RNG.normal(size=9), np.full(9, 1e3), RNG.normal(size=9)]),
    "duplicates": np.repeat(np.array([[0.0, 1.0], [5.0, -1.0], [2.0, 8.0]]), 3, axis=0),
    "ordinary": RNG.normal(size=(13, 3)) + np.repeat([[0.0], [6.0]], [6, 7], axis=0),
}


def layouts(values: np.ndarray) -> Iterator[ht.DNDarray]:
    """Split by rows (evenly, all on the last rank, all on the first) and by columns."""
    n, p = len(values), size()
    yield distribute(values, 0)
    yield distribute(values, 0, [0] * (p - 1) + [n])
    yield distribute(values, 0, [n] + [0] * (p - 1))
    yield distribute(values, 1)


def result(case: Case, x: Any, y: np.ndarray | None) -> np.ndarray:
    return answer(case, fitted(case, x, None if y is None else ht.array(y)), x)


def test_no_estimator_is_left_out() -> None:
    assert public_estimators() == {case.name for case in CASES}


@every
@pytest.mark.parametrize("data", DATA)
def test_any_samples_in_any_layout(case: Case, data: str) -> None:
    values = DATA[data]
    y = targets(case, values)
    expected = result(case, ht.array(values), y)
    assert expected.dtype.kind in "iub" or np.isfinite(expected).all()
    for x in layouts(values):
        found = result(case, x, y)
        assert found.shape == expected.shape
        assert found.dtype.kind in "iub" or np.isfinite(found).all()
        if not case.local:
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@every
@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_what_is_no_number_is_an_error_that_names_the_argument(case: Case, bad: float) -> None:
    values = DATA["ordinary"].copy()
    y = targets(case, values)
    model = fitted(case, ht.array(values), None if y is None else ht.array(y))
    values[-1, 1] = bad
    for split in (None, 0, 1):
        x = ht.array(values, split=split)
        with pytest.raises(ValueError, match=rf"{case.name}\.\w+: [xX] contains NaN or infinity"):
            fitted(case, x, None if y is None else ht.array(y))
        if case.passes:
            found = np.isfinite(answer(case, model, x))
            np.testing.assert_array_equal(found, np.isfinite(values))
        elif callable(getattr(type(model), case.answer, None)):
            with pytest.raises(ValueError, match=rf"{case.name}\.\w+: [xX] contains NaN or infinity"):
                answer(case, model, x)


@pytest.mark.parametrize("case", [c for c in CASES if c.target], ids=lambda case: case.name)
def test_targets_that_are_no_numbers(case: Case) -> None:
    values = DATA["ordinary"]
    y = np.asarray(targets(case, values), dtype=np.float64)
    y.flat[-1] = np.nan
    for split in (None, 0):
        with pytest.raises(ValueError, match=rf"{case.name}\.fit: [yC] contains NaN or infinity"):
            fitted(case, ht.array(values, split=split), ht.array(y))


@every
def test_parameters_go_round(case: Case) -> None:
    model = case.make()
    before = model.get_params()
    other = type(model)(**model.get_params(deep=False))
    assert repr(other) == repr(model)
    assert repr(clone(model)) == repr(model)
    assert clone(model) is not model
    assert model.set_params(**before) is model
    assert model.get_params() == before
    with pytest.raises(ValueError, match="no_such"):
        model.set_params(no_such=1)
    assert model.get_params() == before


@every
def test_parameters_stay_after_fit(case: Case) -> None:
    values = DATA["ordinary"]
    y = targets(case, values)
    model = fitted(case, ht.array(values, split=0), None if y is None else ht.array(y))
    assert model.get_params() == case.make().get_params()
    copy = clone(model)
    assert not copy.__sklearn_is_fitted__()
    assert model.__sklearn_is_fitted__()


@every
def test_fitted_estimators_are_pickled(case: Case) -> None:
    values = DATA["ordinary"]
    y = targets(case, values)
    for split in (None, 0):
        x = ht.array(values, split=split)
        model = fitted(case, x, None if y is None else ht.array(y))
        restored = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(answer(case, restored, x), answer(case, model, x))


@every
def test_nothing_works_before_fit(case: Case) -> None:
    x = ht.array(DATA["ordinary"], split=0)
    methods = ("predict", "transform", "inverse_transform", "predict_proba", "score_samples")
    tried = 0
    for name in methods:
        method = getattr(case.make(), name, None)
        if method is None or case.name == "Normalizer":
            continue
        tried += 1
        args = (x, x) if case.target == "control" else (x,)
        with pytest.raises(ht.NotFittedError, match=rf"{case.name}.*not fitted.*fit"):
            method(*args)
    assert tried or case.name in ("DBSCAN", "Normalizer")


@pytest.mark.parametrize("case", [c for c in CASES if c.seeded], ids=lambda case: case.name)
def test_one_seed_one_result(case: Case) -> None:
    values = DATA["ordinary"]
    expected = result(case, ht.array(values), None)
    before = ht.random.get_state()
    for x in (ht.array(values), *layouts(values)):
        first, second = result(case, x, None), result(case, x, None)
        np.testing.assert_array_equal(first, second)
        if not case.local:
            np.testing.assert_array_equal(first, expected)
    assert ht.random.get_state() == before


FAR = (1e6 + RNG.gamma(2.0, 3.0, size=(501, 4))).astype(np.float32)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("split", [None, 0, 1])
def test_moments_far_from_zero(axis: int | None, split: int | None) -> None:
    x, exact = ht.array(FAR, split=split), FAR.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = {
            "mean": (ht.mean(x, axis), exact.mean(axis)),
            "var": (ht.var(x, axis), exact.var(axis)),
            "std": (ht.std(x, axis, ddof=1), exact.std(axis, ddof=1)),
            "skew": (ht.skew(x, axis, unbiased=False), stats.skew(exact, axis)),
            "kurtosis": (ht.kurtosis(x, axis, unbiased=False), stats.kurtosis(exact, axis)),
        }
    for name, (found, expected) in pairs.items():
        if name == "kurtosis":  # 3 is taken off: the digits are those of the fourth moment
            found, expected = found + 3, expected + 3
        got = found.numpy() if isinstance(found, ht.DNDarray) else found
        np.testing.assert_allclose(np.asarray(got, np.float64), expected, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_scaler_far_from_zero(split: int | None) -> None:
    x, exact = ht.array(FAR, split=split), FAR.astype(np.float64)
    scaler = ht.preprocessing.StandardScaler().fit(x)
    np.testing.assert_allclose(scaler.var_.numpy(), exact.var(0), rtol=1e-6)
    np.testing.assert_allclose(scaler.mean_.numpy(), exact.mean(0), rtol=1e-6)
    expected = (exact - exact.mean(0)) / exact.std(0)
    scaled = scaler.transform(x)
    np.testing.assert_allclose(scaled.numpy(), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(scaler.inverse_transform(scaled).numpy(), FAR, rtol=1e-6)


@pytest.mark.parametrize("case", [c for c in CASES if hasattr(c.make(), "verbose")], ids=lambda case: case.name)
def test_progress_is_drawn_on_rank_0_and_changes_nothing(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    values = DATA["ordinary"]
    x, y = distribute(values, 0), targets(case, values)
    more = [] if y is None else [ht.array(y)]
    quiet, loud = (case.make().set_params(verbose=verbose).fit(x, *more) for verbose in (False, True))
    lines = capsys.readouterr().err.splitlines()
    assert bool(lines) == (ht.get_comm().rank == 0)
    assert all(line.startswith(f"{case.name} [") for line in lines)
    np.testing.assert_array_equal(answer(case, loud, x), answer(case, quiet, x))
    if lines and hasattr(loud, "n_iter_"):  # the last line says where it stopped
        assert f" {loud.n_iter_}/" in lines[-1]


def weighted() -> dict[str, Any]:
    x, y = DATA["ordinary"], np.arange(13) % 2
    return {
        "KMeans": lambda w: ht.cluster.KMeans(2, random_state=0).fit(ht.array(x, split=0), sample_weight=w),
        "StandardScaler": lambda w: ht.preprocessing.StandardScaler().fit(ht.array(x, split=0), sample_weight=w),
        "GaussianNB": lambda w: ht.naive_bayes.GaussianNB().fit(ht.array(x, split=0), ht.array(y), sample_weight=w),
        "DBSCAN": lambda w: ht.cluster.DBSCAN().fit(ht.array(x, split=0), sample_weight=w),
    }


@pytest.mark.parametrize("name", weighted())
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers(name: str, bad: float) -> None:
    w = np.ones(13)
    w[3] = bad
    for split in (None, 0):
        with pytest.raises(ValueError, match="sample_weight contains NaN or infinity"):
            weighted()[name](ht.array(w, split=split))


def test_parameters_without_meaning() -> None:
    x, y = ht.array(DATA["ordinary"], split=0), ht.array(np.arange(13) % 2, split=0)
    with pytest.raises(ValueError, match="var_smoothing"):
        ht.naive_bayes.GaussianNB(var_smoothing=-1).fit(x, y)
    with pytest.raises(ValueError, match="init contains NaN"):
        ht.cluster.KMeans(2, init=np.array([[0.0, 0, 0], [np.nan, 0, 0]])).fit(x)
    with pytest.raises(ValueError, match=r"the classes \[1\] are not in class_weight"):
        ht.classification.LogisticRegression(class_weight={0: 1.0, 7: 1.0}).fit(x, y)
    for weights in ({0: 2.0}, {0: 1.0, 1: 2.0, 7: 3.0}):  # as in scikit-learn: a fold need not have all classes
        assert ht.classification.LogisticRegression(class_weight=weights).fit(x, y).classes_.tolist() == [0, 1]
    for sigma in (0, np.nan):
        with pytest.raises(ValueError, match="sigma"):
            ht.spatial.rbf(x, sigma=sigma)
    assert ht.decomposition.PCA(np.float32(0.5)).fit(x).n_components_ == ht.decomposition.PCA(0.5).fit(x).n_components_
