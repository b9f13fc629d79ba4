# SPDX-License-Identifier: BSD-3-Clause
"""The four problems of the HeAT paper (Goetz et al. 2020) at the shape of its SUSY data, and their parameters."""

from __future__ import annotations

import numpy as np

FEATURES = 18
CLUSTERS = 8
ITERATIONS = 30  # of k-means
SWEEPS = 20  # of coordinate descent
PENALTY = 0.05
NEIGHBOURS = 10
NAMES = ("k-means", "moments", "lasso", "distances")


def samples(rows: int) -> np.ndarray:
    """(rows, 18) float32 around few centres that overlap, so that k-means does not end before its last iteration."""
    rng = np.random.default_rng(1)
    centers = rng.standard_normal((CLUSTERS, FEATURES), dtype=np.float32) * np.float32(0.25)
    values = rng.standard_normal((rows, FEATURES), dtype=np.float32)
    values += centers[rng.integers(0, CLUSTERS, rows)]
    return values


def first_centers(values: np.ndarray) -> np.ndarray:
    """The same first centres for all libraries."""
    return values[: CLUSTERS * 100 : 100].copy()


def regression(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A column of ones in front, as Heat's Lasso wants it, unit variance, and targets of few of the features."""
    x = (values - values.mean(0, dtype=np.float64).astype(np.float32)) / values.std(0, dtype=np.float64).astype(
        np.float32
    )
    rng = np.random.default_rng(2)
    coef = np.where(np.arange(FEATURES) % 3 == 0, rng.standard_normal(FEATURES), 0).astype(np.float32)
    y = x @ coef + rng.standard_normal(len(x), dtype=np.float32) * np.float32(0.5)
    return np.concatenate([np.ones((len(x), 1), np.float32), x], 1), y
