# SPDX-License-Identifier: BSD-3-Clause
"""Metrics against scikit-learn, for every pair of layouts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.metrics as theirs
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat import metrics as ours
from equiheat.testing import assert_equal, uneven_counts, with_counts

SIZE = ht.get_comm().size
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 40) * 2 - 1
GUESSES = np.where(RNG.random(40) < 0.7, LABELS, RNG.integers(0, 4, 40))
WEIGHTS = RNG.random(40)
TARGETS = RNG.standard_normal((40, 2)) + 5
PREDICTED = TARGETS + 0.3 * RNG.standard_normal((40, 2))


def laid_out(a: Any, seed: int) -> list[ht.DNDarray]:
    return [ht.array(a), ht.array(a, split=0), with_counts(a, 0, uneven_counts(len(a), SIZE, seed))]


def pairs(a: Any, b: Any) -> Any:
    for x in laid_out(a, 1):
        for y in laid_out(b, 2):
            yield x, y


CLASSIFICATION: list[tuple[str, dict[str, Any]]] = [
    ("accuracy_score", {}),
    ("accuracy_score", {"normalize": False}),
    ("balanced_accuracy_score", {}),
    ("balanced_accuracy_score", {"adjusted": True}),
    *(
        (f"{name}_score", {"average": a})
        for name in ("precision", "recall", "f1")
        for a in ("micro", "macro", "weighted")
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "options"), CLASSIFICATION)
def test_classification(name: str, options: dict[str, Any]) -> None:
    expected = getattr(theirs, name)(LABELS, GUESSES, **options)
    weighted = getattr(theirs, name)(LABELS, GUESSES, sample_weight=WEIGHTS, **options)
    for x, y in pairs(LABELS, GUESSES):
        assert getattr(ours, name)(x, y, **options) == pytest.approx(expected)
        assert getattr(ours, name)(x, y, sample_weight=ht.array(WEIGHTS, split=0), **options) == pytest.approx(weighted)


def test_confusion_matrix() -> None:
    for x, y in pairs(LABELS, GUESSES):
        assert_equal(ours.confusion_matrix(x, y), theirs.confusion_matrix(LABELS, GUESSES), split=None)
        for normalize in ("true", "pred", "all"):
            assert_equal(
                ours.confusion_matrix(x, y, normalize=normalize),
                theirs.confusion_matrix(LABELS, GUESSES, normalize=normalize),
            )
    expected = theirs.confusion_matrix(LABELS, GUESSES, labels=[3, -1, 9])
    assert_equal(ours.confusion_matrix(x, y, labels=[3, -1, 9]), expected)
    weighted = theirs.confusion_matrix(LABELS, GUESSES, sample_weight=WEIGHTS)
    assert_equal(ours.confusion_matrix(x, y, sample_weight=WEIGHTS), weighted)


def test_scores_of_classes() -> None:
    binary, guess = (LABELS > 0).astype(int), (GUESSES > 0).astype(int)
    for name in ("precision_score", "recall_score", "f1_score"):
        for x, y in pairs(binary, guess):
            assert getattr(ours, name)(x, y) == pytest.approx(getattr(theirs, name)(binary, guess))
            assert getattr(ours, name)(x, y, pos_label=0) == pytest.approx(
                getattr(theirs, name)(binary, guess, pos_label=0)
            )
        found = getattr(ours, name)(ht.array(LABELS, split=0), GUESSES, average=None)
        assert_equal(found, getattr(theirs, name)(LABELS, GUESSES, average=None, zero_division=0))
        with pytest.raises(ValueError, match="classes"):
            getattr(ours, name)(LABELS, GUESSES)
        with pytest.raises(ValueError, match="average"):
            getattr(ours, name)(LABELS, GUESSES, average="mean")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("average", ["micro", "macro", "weighted", None])
@pytest.mark.parametrize("zero", [1.0, np.nan, "warn"])
def test_chosen_classes_and_classes_without_samples(average: str | None, zero: Any) -> None:
    for labels in (None, [3, -1, 9], [7, 9]):
        for name in ("precision_score", "recall_score", "f1_score"):
            options: dict[str, Any] = {"average": average, "zero_division": zero, "labels": labels}
            expected = getattr(theirs, name)(LABELS, GUESSES, **options)
            found = getattr(ours, name)(ht.array(LABELS, split=0), GUESSES, **options)
            assert_equal(found if average is None else ht.array(found), expected)


def test_a_positive_class_that_is_none() -> None:
    twos, labels = np.array([0, 2, 2, 0]), ht.array([2, 0, 2, 0], split=0)
    for name in ("precision_score", "recall_score", "f1_score"):
        with pytest.raises(ValueError, match="pos_label=1"):
            getattr(ours, name)(twos, labels)
        assert getattr(ours, name)(twos[:1], labels[1:2]) == 0.0  # a single class: as scikit-learn


@pytest.mark.parametrize("kind", ["bool", "uint16", "uint32", "uint64"])
def test_labels_that_torch_does_not_search(kind: str) -> None:
    high = np.array(2**63 if kind == "uint64" else 0, kind)
    true, guess = (np.arange(n, n + 12).astype("uint8") % (2 if kind == "bool" else 3) + high for n in (0, 4))
    true, guess = true.astype(kind), guess.astype(kind)
    samples = np.random.default_rng(0).standard_normal((12, 2))
    for x, y in pairs(true, guess):
        assert ours.accuracy_score(x, y) == theirs.accuracy_score(true, guess)
        assert_equal(ours.confusion_matrix(x, y), theirs.confusion_matrix(true, guess))
        assert ours.adjusted_rand_score(x, y) == pytest.approx(theirs.adjusted_rand_score(true, guess))
        silhouettes = ht.cluster.metrics.silhouette_samples(ht.array(samples, split=0), x)
        np.testing.assert_allclose(silhouettes.numpy(), theirs.silhouette_samples(samples, true))


def test_labels_of_different_types() -> None:
    wide = np.array([0, 1, 44, 300])
    narrow = ht.array([0, 1, 44, 44], dtype=ht.uint8, split=0)
    expected = theirs.confusion_matrix([0, 1, 44, 44], wide, labels=[300, 44])
    assert_equal(ours.confusion_matrix(narrow, wide, labels=[300, 44]), expected)
    assert_equal(ours.confusion_matrix(narrow, narrow, labels=[300, 44]), [[0, 0], [0, 2]])
    large = np.array([2**24, 2**24 + 1])
    assert ours.adjusted_rand_score(large, ht.array([0.0, 1.0], split=0)) == 1.0
    assert_equal(ours.confusion_matrix(large, ht.array(large.astype("float32"), split=0)), [[1, 0], [1, 0]])


@pytest.mark.filterwarnings("ignore")
def test_a_single_class_and_a_single_sample() -> None:
    assert np.isnan(ours.balanced_accuracy_score(ht.array([1, 1], split=0), [1, 1], adjusted=True))
    assert np.isnan(ours.r2_score(ht.array([1.0], split=0), [1.0]))
    assert ours.explained_variance_score(ht.array([1.0], split=0), [1.0]) == 1.0


@pytest.mark.parametrize("weights", [[0.0, 0.0, 0.0], [1.0, np.nan, 1.0]])
def test_weights_that_are_none(weights: list[float]) -> None:
    y = ht.array([1, 0, 1], split=0)
    for name in ("accuracy_score", "f1_score", "confusion_matrix", "log_loss", "mean_squared_error", "r2_score"):
        with pytest.raises(ValueError, match="sample_weight"):
            getattr(ours, name)(y, y, sample_weight=ht.array(weights, split=0))


def test_log_loss() -> None:
    shares = RNG.dirichlet(np.ones(3), 40)
    for x in laid_out(LABELS, 1):
        for y in (ht.array(shares), ht.array(shares, split=0), ht.array(shares, split=1)):
            assert ours.log_loss(x, y) == pytest.approx(theirs.log_loss(LABELS, shares))
            assert ours.log_loss(x, y, normalize=False) == pytest.approx(
                theirs.log_loss(LABELS, shares, normalize=False)
            )
    binary = (LABELS > 0).astype(int)
    assert ours.log_loss(ht.array(binary, split=0), shares[:, 0]) == pytest.approx(
        theirs.log_loss(binary, shares[:, 0])
    )
    with pytest.raises(ValueError, match="2 columns for 3 classes"):
        ours.log_loss(LABELS, shares[:, :2])


REGRESSION = (
    *("mean_squared_error", "root_mean_squared_error", "mean_absolute_error"),
    *("r2_score", "explained_variance_score"),
)


@pytest.mark.parametrize("name", REGRESSION)
def test_regression(name: str) -> None:
    mine, reference = getattr(ours, name), getattr(theirs, name)
    for x, y in pairs(TARGETS, PREDICTED):
        assert mine(x, y) == pytest.approx(reference(TARGETS, PREDICTED))
        assert_equal(mine(x, y, multioutput="raw_values"), reference(TARGETS, PREDICTED, multioutput="raw_values"))
        assert mine(x, y, sample_weight=ht.array(WEIGHTS, split=0), multioutput=[0.3, 0.7]) == pytest.approx(
            reference(TARGETS, PREDICTED, sample_weight=WEIGHTS, multioutput=[0.3, 0.7])
        )
    far = TARGETS[:, 0] + 1e6
    near = far + 0.1 * PREDICTED[:, 1]
    assert mine(ht.array(far, split=0), near) == pytest.approx(reference(far, near), rel=1e-8)
    with pytest.raises(ValueError, match="NaN"):
        mine(far, far * np.nan)
    with pytest.raises(ValueError, match="y_pred has"):
        mine(far, far[1:])


def test_variance_weighted_and_constant_targets() -> None:
    for x, y in pairs(TARGETS, PREDICTED):
        assert ours.r2_score(x, y, multioutput="variance_weighted") == pytest.approx(
            theirs.r2_score(TARGETS, PREDICTED, multioutput="variance_weighted")
        )
    constant = np.full(5, 2.0)
    for guess in (constant, constant + 1.0):
        assert ours.r2_score(ht.array(constant, split=0), guess) == theirs.r2_score(constant, guess)
        assert ours.max_error(ht.array(constant, split=0), guess) == theirs.max_error(constant, guess)


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 5), st.integers(0, 9))
def test_partitions(n: int, a: int, b: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, a, n), rng.integers(0, b, n) * 7
    x, y = with_counts(first, 0, uneven_counts(n, SIZE, seed)), ht.array(second, split=0)
    assert ours.adjusted_rand_score(x, y) == pytest.approx(theirs.adjusted_rand_score(first, second), abs=1e-9)
    expected = theirs.normalized_mutual_info_score(first, second)
    assert ours.normalized_mutual_info_score(x, y) == pytest.approx(expected, abs=1e-9)
    assert ours.adjusted_rand_score(x, first + 3) == pytest.approx(1.0)


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="40 entries, y_pred has 39"):
        ours.accuracy_score(LABELS, GUESSES[1:])
    with pytest.raises(TypeError, match="y_true"):
        ours.accuracy_score("labels", GUESSES)
    with pytest.raises(ValueError, match="1-D"):
        ours.accuracy_score(TARGETS, PREDICTED)
    with pytest.raises(ValueError, match="NaN"):
        ours.confusion_matrix(np.array([1.0, np.nan]), np.array([1.0, 1.0]))
