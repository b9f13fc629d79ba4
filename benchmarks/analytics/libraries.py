# SPDX-License-Identifier: BSD-3-Clause
"""The problems in the words of each library. A function takes (rows, rows of the distance matrix), makes the data, and
gives calls by the name of the problem; arrays that hold data already are no part of a call.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import problems as p

Calls = dict[str, Callable[[], Any]]


def _arrays(m: Any, rows: int, pairs: int, **where: Any) -> tuple[Any, ...]:
    values = p.samples(rows)
    x, y = p.regression(values)
    return (
        m.array(values, split=0, **where), m.array(p.first_centers(values), **where), m.array(x, split=0, **where),
        m.array(y[:, None], split=0, **where), m.array(values[:pairs], split=0, **where),
    )  # fmt: skip


def _moments(m: Any, x: Any) -> list[Any]:
    return [f(x, axis=axis) for axis in (None, 0) for f in (m.mean, m.std)]


def heat_like(m: Any, rows: int, pairs: int, **where: Any) -> Calls:
    """Heat and equiheat: the same calls. `where` goes to `array`."""
    values, first, x, y, part = _arrays(m, rows, pairs, **where)
    return {
        "k-means": lambda: m.cluster.KMeans(p.CLUSTERS, init=first, max_iter=p.ITERATIONS, tol=-1.0).fit(values),
        "moments": lambda: _moments(m, values),
        "lasso": lambda: m.regression.Lasso(lam=p.PENALTY, max_iter=p.SWEEPS, tol=None).fit(x, y),
        "distances": lambda: m.spatial.cdist(part, part, quadratic_expansion=True),
    }


def equiheat(rows: int, pairs: int) -> Calls:
    """equiheat, and what Heat has no calls for: neighbours without a matrix of distances."""
    import equiheat as ht

    return heat_like(ht, rows, pairs)


def heat(rows: int, pairs: int) -> Calls:
    """Heat 1.8."""
    from heat_import import import_heat

    return heat_like(import_heat(), rows, pairs)


def scikit_learn(rows: int, pairs: int) -> Calls:
    """scikit-learn, and NumPy for moments."""
    from sklearn.cluster import KMeans
    from sklearn.linear_model import Lasso
    from sklearn.metrics.pairwise import euclidean_distances

    values = p.samples(rows)
    first = p.first_centers(values)
    x, y = p.regression(values)
    part = values[:pairs].copy()
    options = {"max_iter": p.SWEEPS, "tol": 0.0, "selection": "cyclic"}
    return {
        "k-means": lambda: KMeans(p.CLUSTERS, init=first, n_init=1, max_iter=p.ITERATIONS, tol=0.0).fit(values),
        "lasso": lambda: Lasso(p.PENALTY, **options).fit(x[:, 1:], y),
        "lasso, Gram matrix": lambda: Lasso(p.PENALTY, precompute=True, **options).fit(x[:, 1:], y),
        "distances": lambda: euclidean_distances(part),
    }


def numpy(rows: int, pairs: int) -> Calls:
    """NumPy and SciPy, as one would write it."""
    from scipy.spatial.distance import cdist

    values = p.samples(rows)
    first = p.first_centers(values)
    x, y = p.regression(values)
    part = values[:pairs].copy()

    def kmeans() -> np.ndarray:
        centers = first.copy()
        for _ in range(p.ITERATIONS):
            labels = ((centers**2).sum(1) - 2 * values @ centers.T).argmin(1)
            sums = np.stack([np.bincount(labels, values[:, f], p.CLUSTERS) for f in range(p.FEATURES)], 1)
            centers = (sums / np.bincount(labels, minlength=p.CLUSTERS)[:, None]).astype(np.float32)
        return centers

    def lasso() -> np.ndarray:
        theta = np.zeros(x.shape[1], np.float32)
        left = y.copy()
        squares = (x**2).mean(0)
        for _ in range(p.SWEEPS):
            for j in range(len(theta)):
                rho = x[:, j] @ left / len(y) + squares[j] * theta[j]
                new = rho / squares[j] if j == 0 else np.sign(rho) * max(abs(rho) - p.PENALTY, 0.0) / squares[j]
                left -= x[:, j] * (new - theta[j])
                theta[j] = new
        return theta

    return {
        "k-means": kmeans,
        "moments": lambda: [f(values, axis=axis) for axis in (None, 0) for f in (np.mean, np.std)],
        "lasso": lasso,
        "distances": lambda: cdist(part, part),
    }


def dask(rows: int, pairs: int) -> Calls:
    """Dask on threads of one process; dask-ml where it has the problem."""
    import dask
    import dask.array as da

    threads = 2
    values = p.samples(rows)
    first = p.first_centers(values)
    x, y = p.regression(values)
    chunk = rows // threads
    dx, dlasso, dy = (da.from_array(a, chunks=(chunk, *a.shape[1:])) for a in (values, x, y))
    part = da.from_array(values[:pairs].copy(), chunks=(pairs // threads, p.FEATURES))
    dx, dlasso, dy, part = dask.persist(dx, dlasso, dy, part)

    def lasso() -> np.ndarray:
        gram, c = dask.compute(dlasso.T @ dlasso / rows, dlasso.T @ dy / rows)
        theta = np.zeros(len(c))
        for _ in range(p.SWEEPS):
            for j in range(len(theta)):
                rho = c[j] - gram[j] @ theta + gram[j, j] * theta[j]
                theta[j] = rho / gram[j, j] if j == 0 else np.sign(rho) * max(abs(rho) - p.PENALTY, 0) / gram[j, j]
        return theta

    calls: Calls = {
        "moments": lambda: dask.compute(*[f(axis=axis) for axis in (None, 0) for f in (dx.mean, dx.std)]),
        "lasso, Gram matrix": lasso,
    }
    try:
        from dask_ml.cluster import KMeans
        from dask_ml.linear_model import LinearRegression
        from dask_ml.metrics import pairwise_distances
    except Exception as error:
        warnings.warn(f"dask-ml cannot be imported: {error}", stacklevel=1)
        calls |= _dask_by_hand(da, dx, first, part)
        return calls
    calls["k-means"] = lambda: KMeans(p.CLUSTERS, init=first, max_iter=p.ITERATIONS, tol=0.0).fit(dx)
    calls["lasso"] = lambda: LinearRegression(
        penalty="l1", C=1 / (p.PENALTY * rows), solver="proximal_grad", max_iter=p.SWEEPS, fit_intercept=False
    ).fit(dlasso, dy)
    calls["distances"] = lambda: pairwise_distances(part, np.asarray(part)).compute()
    return calls


def _dask_by_hand(da: Any, x: Any, first: np.ndarray, part: Any) -> Calls:
    """With dask.array alone."""

    def kmeans() -> np.ndarray:
        centers = first
        for _ in range(p.ITERATIONS):
            labels = da.argmin((centers**2).sum(1) - 2 * x @ centers.T, axis=1)
            ones = (labels[:, None] == np.arange(p.CLUSTERS)[None]).astype(np.float32)
            sums, counts = da.compute(ones.T @ x, ones.sum(0))
            centers = (sums / counts[:, None]).astype(np.float32)
        return centers

    def distances() -> np.ndarray:
        squares = (part**2).sum(1)
        return da.sqrt(da.maximum(squares[:, None] + squares[None] - 2 * part @ part.T, 0)).compute()

    return {"k-means": kmeans, "distances": distances}


LIBRARIES = {"equiheat": equiheat, "heat": heat, "scikit-learn": scikit_learn, "numpy": numpy, "dask": dask}
