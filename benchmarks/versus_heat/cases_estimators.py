# SPDX-License-Identifier: BSD-3-Clause
"""Distances, clustering, regression, classification, scalers. See cases.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from cases import Calls, group, integers, normal, reference, tensor


def clusters(n: int, features: int, k: int) -> np.ndarray:
    """Points around k centres."""
    return normal(n, features) + 6 * normal(k, features)[integers(k, n)]


@group
def spatial(m: Any) -> Calls:
    points = m.array(normal(4000, 16), split=0)
    return {
        "cdist": lambda: m.spatial.cdist(points),
        "cdist quadratic": lambda: m.spatial.cdist(points, quadratic_expansion=True),
        "rbf": lambda: m.spatial.rbf(points, sigma=1.0),
        "manhattan": lambda: m.spatial.manhattan(points),
    }


@reference
def spatial_torch() -> Calls:
    points = tensor(normal(4000, 16))
    return {
        "cdist": lambda: torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist"),
        "cdist quadratic": lambda: torch.cdist(points, points, compute_mode="use_mm_for_euclid_dist"),
        "manhattan": lambda: torch.cdist(points, points, p=1),
    }


@group
def estimators(m: Any) -> Calls:
    points, few = m.array(clusters(20_000, 16, 4), split=0), m.array(clusters(5000, 16, 4), split=0)
    start = m.array(clusters(20_000, 16, 4)[:4].copy())
    x, y = m.array(normal(20_000, 10), split=0), m.array(normal(20_000), split=0)
    target, labels = m.reshape(y, (20_000, 1)), m.array(integers(4, 20_000), split=0)
    table, neighbours = m.array(normal(5000, 50), split=0), m.array(normal(2000, 16), split=0)
    classes = m.array(integers(4, 2000), split=0)
    means = {"n_clusters": 4, "max_iter": 30, "tol": 0.0}
    near = m.classification.KNeighborsClassifier(n_neighbors=5)
    near.fit(neighbours, classes)
    return {
        "KMeans given start": lambda: m.cluster.KMeans(init=start, **means).fit(points),
        "KMeans random": lambda: m.cluster.KMeans(init="random", random_state=1, **means).fit(points),
        "KMeans ++": lambda: m.cluster.KMeans(init="probability_based", random_state=1, **means).fit(points),
        "KMedians": lambda: m.cluster.KMedians(n_clusters=4, init="random", max_iter=10, random_state=1).fit(few),
        "KMedoids": lambda: m.cluster.KMedoids(n_clusters=4, init="random", max_iter=10, random_state=1).fit(few),
        "BatchParallelKMeans": lambda: m.cluster.BatchParallelKMeans(n_clusters=4, random_state=1).fit(points),
        "Lasso 20 sweeps": lambda: m.regression.Lasso(lam=0.1, max_iter=20, tol=-1.0).fit(x, target),
        "GaussianNB": lambda: m.naive_bayes.GaussianNB().fit(points, labels).predict(points),
        "KNeighbors": lambda: near.predict(neighbours),
        "PCA": lambda: m.decomposition.PCA(n_components=5, svd_solver="full").fit(points),
        "StandardScaler": lambda: m.preprocessing.StandardScaler().fit_transform(table),
        "MinMaxScaler": lambda: m.preprocessing.MinMaxScaler().fit_transform(table),
        "RobustScaler": lambda: m.preprocessing.RobustScaler().fit_transform(table),
    }
