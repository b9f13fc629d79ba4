# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn with array API dispatch fits and predicts on split arrays, with the results NumPy gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from array_api_cases import needs

import equiheat as ht

sklearn = pytest.importorskip("sklearn")
from sklearn import metrics, preprocessing  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # noqa: E402
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, RidgeClassifier, RidgeCV  # noqa: E402
from sklearn.naive_bayes import GaussianNB  # noqa: E402

pytestmark = [pytest.mark.ranks(1, 2, 3), pytest.mark.filterwarnings("ignore")]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6)) @ RNG.normal(size=(6, 6))
LABELS = (X[:, 0] + 0.3 * RNG.normal(size=60) > 0).astype(np.int64) + (X[:, 1] > 1)
GUESSES = (LABELS + (RNG.random(60) > 0.8)) % 3
TARGETS = X @ RNG.normal(size=(6, 2)) + 0.1 * RNG.normal(size=(60, 2))
POSITIVE = np.abs(TARGETS) + 0.1
Case = Callable[[Callable[[np.ndarray], Any]], tuple[Any, ...]]


def check(case: Case) -> None:
    """The same numbers from NumPy arrays and from arrays of ours, whole and split; results of arrays are ours."""
    expected = case(lambda a: a)
    for split in (None, 0):
        with sklearn.config_context(array_api_dispatch=True):
            found = case(lambda a, split=split: ht.array(a, split=split))  # type: ignore[misc]
        for ours, theirs in zip(found, expected, strict=True):
            assert isinstance(ours, ht.DNDarray) or np.ndim(theirs) == 0
            values = ours.numpy() if isinstance(ours, ht.DNDarray) else ours
            np.testing.assert_allclose(values, theirs, rtol=1e-6, atol=2e-7)


@pytest.mark.parametrize("solver", ["covariance_eigh", "randomized", "full"])
@needs("linalg.eigh", "linalg.svd")
def test_principal_components(solver: str) -> None:
    def case(wrap: Any) -> tuple[Any, ...]:
        model = PCA(3, svd_solver=solver, random_state=0).fit(wrap(X))
        scores = model.transform(wrap(X))
        return (model.components_, model.explained_variance_, model.explained_variance_ratio_, model.mean_, scores,
                model.inverse_transform(scores))  # fmt: skip

    check(case)


@needs("linalg.svd")
def test_ridge() -> None:
    def case(wrap: Any) -> tuple[Any, ...]:
        model = Ridge(alpha=0.5, solver="svd").fit(wrap(X), wrap(TARGETS))
        return model.coef_, model.intercept_, model.predict(wrap(X))

    check(case)


@needs("unique_values", "linalg.svd")
def test_linear_discriminant_analysis() -> None:
    def case(wrap: Any) -> tuple[Any, ...]:
        model = LinearDiscriminantAnalysis(solver="svd").fit(wrap(X), wrap(LABELS))
        x = wrap(X)
        # Directions of a singular value decomposition have no sign.
        return model.predict(x), model.decision_function(x), model.predict_proba(x), abs(model.transform(x))

    check(case)


@needs("unique_values", "diagonal")
@pytest.mark.parametrize(
    "name",
    ["accuracy_score", "zero_one_loss", "f1_score", "precision_score", "recall_score", "jaccard_score", "hamming_loss",
     "balanced_accuracy_score", "matthews_corrcoef"],
)  # fmt: skip
def test_classification_metrics(name: str) -> None:
    average = {"average": "macro"} if name in ("f1_score", "precision_score", "recall_score", "jaccard_score") else {}
    # Some count through NumPy in between: they need the whole arrays.
    with ht.whole_interchange():
        check(lambda wrap: (getattr(metrics, name)(wrap(LABELS), wrap(GUESSES), **average),))


@pytest.mark.parametrize("name", ["confusion_matrix", "cohen_kappa_score"])
def test_metrics_that_convert_to_numpy(name: str) -> None:
    with ht.whole_interchange():
        check(lambda wrap: (getattr(metrics, name)(wrap(LABELS), wrap(GUESSES)),))


@pytest.mark.parametrize(
    "name",
    ["r2_score", "mean_squared_error", "mean_absolute_error", "root_mean_squared_error", "explained_variance_score",
     "max_error", "median_absolute_error", "mean_absolute_percentage_error", "mean_squared_log_error",
     "mean_pinball_loss", "mean_tweedie_deviance", "mean_gamma_deviance"],
)  # fmt: skip
def test_regression_metrics(name: str) -> None:
    check(lambda wrap: (getattr(metrics, name)(wrap(POSITIVE[:, 0]), wrap(POSITIVE[:, 1])),))


@pytest.mark.parametrize(
    "name",
    ["cosine_similarity", "rbf_kernel", "linear_kernel", "polynomial_kernel", "sigmoid_kernel", "chi2_kernel",
     "cosine_distances", "manhattan_distances", "laplacian_kernel"],
)  # fmt: skip
def test_kernels_and_distances(name: str) -> None:
    with ht.whole_interchange():
        check(lambda wrap: (getattr(metrics.pairwise, name)(wrap(np.abs(X)), wrap(np.abs(X))),))


@pytest.mark.parametrize("name", ["StandardScaler", "MinMaxScaler", "MaxAbsScaler", "Normalizer"])
def test_scalers(name: str) -> None:
    check(lambda wrap: (getattr(preprocessing, name)().fit(wrap(X)).transform(wrap(X)),))


BINARY, SCORES = (LABELS > 0).astype(np.int64), RNG.random(60)
PROBABILITIES = RNG.dirichlet(np.ones(3), 60)


@pytest.mark.parametrize("name", ["average_precision_score", "precision_recall_curve", "roc_curve", "det_curve"])
def test_curves(name: str) -> None:
    def case(wrap: Any) -> tuple[Any, ...]:
        found = getattr(metrics, name)(wrap(BINARY), wrap(SCORES))
        return found if isinstance(found, tuple) else (found,)

    check(case)


@pytest.mark.parametrize("name", ["brier_score_loss", "d2_brier_score", "log_loss", "d2_log_loss_score"])
def test_metrics_of_probabilities(name: str) -> None:
    classes = "log" in name
    with ht.whole_interchange(classes):  # labels are one-hot encoded by NumPy
        labels, scores = (LABELS, PROBABILITIES) if classes else (BINARY, SCORES)
        check(lambda wrap: (getattr(metrics, name)(wrap(labels), wrap(scores)),))


@pytest.mark.parametrize(
    "name", ["d2_tweedie_score", "d2_pinball_score", "d2_absolute_error_score", "root_mean_squared_log_error"]
)
def test_more_regression_metrics(name: str) -> None:
    check(lambda wrap: (getattr(metrics, name)(wrap(POSITIVE[:, 0]), wrap(POSITIVE[:, 1])),))


@pytest.mark.parametrize(
    "name", ["paired_euclidean_distances", "paired_manhattan_distances", "paired_cosine_distances"]
)
def test_paired_distances(name: str) -> None:
    check(lambda wrap: (getattr(metrics.pairwise, name)(wrap(X), wrap(X[::-1].copy())),))


def test_distances_and_nearest_rows() -> None:
    check(lambda wrap: (metrics.pairwise.euclidean_distances(wrap(X), wrap(X[:9])),
                        metrics.pairwise_distances_argmin(wrap(X), wrap(X[:7]))))  # fmt: skip


def test_naive_bayes() -> None:
    def case(wrap: Any) -> tuple[Any, ...]:
        model = GaussianNB().fit(wrap(X), wrap(LABELS))
        return model.predict(wrap(X)), model.predict_proba(wrap(X))

    check(case)


@pytest.mark.parametrize("kind", [RidgeCV, RidgeClassifier, LogisticRegression, PoissonRegressor])
def test_linear_models_that_use_numpy_in_between(kind: Any) -> None:
    options = {RidgeClassifier: {"solver": "svd"}, RidgeCV: {}}.get(kind, {"tol": 1e-10})
    targets = POSITIVE[:, 0] if kind in (RidgeCV, PoissonRegressor) else BINARY

    def case(wrap: Any) -> tuple[Any, ...]:
        model = kind(**options).fit(wrap(X), wrap(targets))
        return (model.predict(wrap(X)),)

    with ht.whole_interchange(kind is not RidgeCV):
        check(case)
