# SPDX-License-Identifier: BSD-3-Clause
"""Every public estimator, how to make a small one, and what it says about samples."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

import equiheat as ht
from equiheat import classification, cluster, decomposition, graph, mixture, naive_bayes, preprocessing, regression

PACKAGES = (cluster, classification, decomposition, graph, mixture, naive_bayes, preprocessing, regression)
Estimator = Any


def similar(x: ht.DNDarray) -> ht.DNDarray:
    """A similarity for graphs."""
    return ht.spatial.rbf(x, sigma=2.0)


@dataclass(frozen=True)
class Case:
    """How to make an estimator, what `fit` takes beside samples, and which method answers for samples."""

    make: Callable[[], Estimator]
    target: str = ""  # "classes", "values", "control" or none
    answer: str = "predict"
    seeded: bool = False
    local: bool = False  # the result depends on where the samples are, by design
    passes: bool = False  # NaN in samples to transform stays where it is, as in scikit-learn's scalers
    unsigned: bool = False  # the signs (and the order of eigenvalues) are free

    @property
    def name(self) -> str:
        return type(self.make()).__name__


_C, _D, _P, _R = cluster, decomposition, preprocessing, regression
CASES = [
    Case(lambda: _C.KMeans(2, init="kmeans++", random_state=3), seeded=True),
    Case(lambda: _C.KMedians(2, init="kmedians++", random_state=3), seeded=True),
    Case(lambda: _C.KMedoids(2, init="kmedoids++", random_state=3), seeded=True),
    Case(lambda: _C.BatchParallelKMeans(2, random_state=3), seeded=True, local=True),
    Case(lambda: _C.BatchParallelKMedians(2, random_state=3), seeded=True, local=True),
    Case(lambda: _C.DBSCAN(1.0, min_samples=2), answer="labels_"),
    Case(lambda: _C.Spectral(1, gamma=0.1, random_state=3, eigen_solver="full"), answer="labels_", seeded=True),
    Case(lambda: classification.KNeighborsClassifier(1), "classes"),
    Case(classification.LogisticRegression, "classes"),
    Case(naive_bayes.GaussianNB, "classes"),
    Case(lambda: mixture.GaussianMixture(1, random_state=3), seeded=True),
    Case(lambda: _D.PCA(1, svd_solver="full"), answer="transform", unsigned=True),
    Case(lambda: _D.IncrementalPCA(1), answer="transform", unsigned=True),
    Case(lambda: _D.DMD(svd_rank=1), answer="rom_eigenvalues_", unsigned=True),
    Case(lambda: _D.DMDc(svd_rank=1), "control", "rom_eigenvalues_", unsigned=True),
    Case(lambda: _R.Lasso(0.1), "values"),
    Case(lambda: _R.ElasticNet(0.1), "values"),
    Case(lambda: _R.Ridge(0.5), "values"),
    Case(_R.LinearRegression, "values"),
    Case(_P.StandardScaler, answer="transform", passes=True),
    Case(_P.MinMaxScaler, answer="transform", passes=True),
    Case(_P.MaxAbsScaler, answer="transform", passes=True),
    Case(_P.RobustScaler, answer="transform", passes=True),
    Case(_P.Normalizer, answer="transform"),
    Case(lambda: _P.OneHotEncoder(handle_unknown="ignore"), answer="transform"),
    Case(_P.PolynomialFeatures, answer="transform"),
]


def public_estimators() -> set[str]:
    """Names of all classes with `fit` that the packages offer."""

    names = [m.name for package in PACKAGES for m in pkgutil.iter_modules(package.__path__, package.__name__ + ".")]
    modules = [*PACKAGES, *map(import_module, names)]
    classes = [cls for module in modules for cls in vars(module).values() if inspect.isclass(cls)]
    found = {cls.__name__ for cls in classes if issubclass(cls, ht.BaseEstimator) and hasattr(cls, "fit")}
    bases = {"BaseEstimator", "Components", "Dynamics", "ColumnScaler", "KCluster", "KMedianCluster"}
    return {name for name in found - bases if name[0] != "_"}


def targets(case: Case, values: np.ndarray) -> np.ndarray | None:
    """What `fit` takes beside the samples, as NumPy array."""
    n = len(values)
    if case.target == "classes":
        return np.arange(n) % 2
    if case.target == "values":
        return values[:, 0] - 2.0 * values[:, -1] + 0.1 * np.cos(np.arange(n))
    if case.target == "control":
        return np.sin(np.arange(values.shape[1]))[None]
    return None


def fitted(case: Case, x: Any, y: Any) -> Estimator:
    """The estimator, fitted to samples."""
    model = case.make()
    if isinstance(model, _D.IncrementalPCA):
        return model.partial_fit(x)
    return model.fit(x) if y is None else model.fit(x, y)


def answer(case: Case, model: Estimator, x: Any) -> np.ndarray:
    """What the fitted estimator says of samples, as NumPy array."""
    found = getattr(model, case.answer)
    found = found(x) if callable(found) and not isinstance(found, ht.DNDarray) else found
    values = np.asarray(found.numpy() if isinstance(found, ht.DNDarray) else found)
    if not case.unsigned:
        return values
    return np.sort(np.abs(values)) if values.ndim == 1 else np.abs(values)
