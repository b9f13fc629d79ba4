# SPDX-License-Identifier: BSD-3-Clause
"""The array program: moments, k-means, nearest neighbours and least squares on scikit-learn's handwritten digits.

Every step is written twice, on split arrays and in NumPy, and the results are compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import equiheat as ht
from equiheat.communication import Communicator

Array = NDArray[np.float64]

CLASSES = 10
ITERATIONS = 20


@dataclass(frozen=True)
class Step:
    """One compared step: what was computed, how far from NumPy, how long it took (slowest rank; NumPy on one core)."""

    name: str
    result: str
    error: float
    tolerance: float
    seconds: float
    numpy_seconds: float

    @property
    def good(self) -> bool:
        """Whether the results agree."""
        return self.error <= self.tolerance

    def as_dict(self) -> dict[str, Any]:
        """Fields as a dictionary, with ``good``."""
        return {**asdict(self), "good": self.good}


def digits() -> tuple[Array, NDArray[np.int64]]:
    """1,797 handwritten digits of 8 x 8 pixels, and which digit each is."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return np.ascontiguousarray(pixels, dtype=np.float64), labels.astype(np.int64)


def run_arrays(comm: Communicator, report: Callable[[int, int, str], None]) -> list[Step]:
    """Run all steps. Collective; the same list on every rank but for NumPy's time, which is rank 0's."""
    pixels, labels = digits()
    steps = (_moments, _kmeans, _neighbours, _least_squares)
    results = []
    for number, step in enumerate(steps):
        report(number, len(steps), step.__doc__ or "")
        results.append(step(pixels, labels, comm))
    return results


def _moments(pixels: Array, labels: NDArray[np.int64], comm: Communicator) -> Step:
    """Moments of every pixel"""

    def ours() -> list[Array]:
        x = ht.array(pixels, split=0, comm=comm)
        return [a.numpy() for a in (x.mean(axis=0), x.var(axis=0), x.min(axis=0), x.max(axis=0))]

    def theirs() -> list[Array]:
        return [pixels.mean(0), pixels.var(0), pixels.min(0), pixels.max(0)]

    mine, numpy, times = _both(ours, theirs, comm)
    error = max(float(np.abs(a - b).max()) for a, b in zip(mine, numpy, strict=True))
    result = f"mean of the pixel means {mine[0].mean():.4f}, largest variance {mine[1].max():.3f}"
    return Step("mean, variance, min, max over 1,797 rows", result, error, 1e-10, *times)


def _kmeans(pixels: Array, labels: NDArray[np.int64], comm: Communicator) -> Step:
    """k-means"""

    def ours() -> Array:
        x = ht.array(pixels, split=0, comm=comm)
        numbers = ht.arange(CLASSES, comm=comm)
        centres = ht.array(pixels[:CLASSES], comm=comm)
        for _ in range(ITERATIONS):
            distance = (centres * centres).sum(axis=1) - 2.0 * (x @ centres.T)
            nearest = ht.argmin(distance, axis=1)
            member = (nearest.expand_dims(1) == numbers).astype(ht.float64)
            centres = (member.T @ x).resplit(None) / member.sum(axis=0).expand_dims(1)
        return centres.numpy()

    def theirs() -> Array:
        centres = pixels[:CLASSES]
        for _ in range(ITERATIONS):
            distance = (centres**2).sum(1) - 2.0 * (pixels @ centres.T)
            member = (distance.argmin(1)[:, None] == np.arange(CLASSES)).astype(np.float64)
            centres = member.T @ pixels / member.sum(0)[:, None]
        return centres

    mine, numpy, times = _both(ours, theirs, comm)
    spread = ((pixels[:, None, :] - mine) ** 2).sum(-1).min(1).mean()
    result = f"mean squared distance to the nearest of {CLASSES} centres {spread:.2f}"
    return Step(f"k-means, {ITERATIONS} iterations", result, float(np.abs(mine - numpy).max()), 1e-8, *times)


def _neighbours(pixels: Array, labels: NDArray[np.int64], comm: Communicator) -> Step:
    """Nearest neighbours"""
    n = len(pixels)

    def ours() -> float:
        x = ht.array(pixels, split=0, comm=comm)
        square = (x * x).sum(axis=1)
        distance = square.expand_dims(1) + square.resplit(None) - 2.0 * (x @ x.T)
        distance = distance + ht.where(ht.eye(n, split=0, comm=comm) > 0, float("inf"), 0.0)
        nearest = ht.argmin(distance, axis=1)
        found = ht.array(torch.from_numpy(labels)[nearest.larray], is_split=0, comm=comm)
        return float((found == ht.array(labels, split=0, comm=comm)).astype(ht.float64).mean().item())

    def theirs() -> float:
        square = (pixels**2).sum(1)
        distance = square[:, None] + square - 2.0 * (pixels @ pixels.T)
        np.fill_diagonal(distance, np.inf)
        return float((labels[distance.argmin(1)] == labels).mean())

    mine, numpy, times = _both(ours, theirs, comm)
    result = f"nearest other image shows the same digit for {100 * mine:.2f} %"
    return Step("all 3.2 million pair distances, nearest neighbour", result, abs(mine - numpy), 1e-12, *times)


def _least_squares(pixels: Array, labels: NDArray[np.int64], comm: Communicator) -> Step:
    """Least squares"""
    seen = pixels[:, pixels.std(0) > 0.5]
    design = np.concatenate([np.ones((len(seen), 1)), seen / 16.0], axis=1)
    target = (labels[:, None] == np.arange(CLASSES)).astype(np.float64)

    def ours() -> Array:
        a, b = ht.array(design, split=0, comm=comm), ht.array(target, split=0, comm=comm)
        return ht.linalg.lstsq(a, b)[0].numpy()

    def theirs() -> Array:
        return np.linalg.lstsq(design, target, rcond=None)[0]

    mine, numpy, times = _both(ours, theirs, comm)
    right = ((design @ mine).argmax(1) == labels).mean()
    result = f"linear classifier right on {100 * right:.2f} % of its images"
    return Step(f"least squares, {design.shape[1]} unknowns", result, float(np.abs(mine - numpy).max()), 1e-8, *times)


def _both(ours: Callable[[], Any], theirs: Callable[[], Any], comm: Communicator) -> tuple[Any, Any, list[float]]:
    """Results of both programs and their times: ours the slowest rank's, the better of two runs of each."""
    mine, seconds = _timed(ours, comm)
    numpy, numpy_seconds = _timed(theirs, comm)
    slowest = comm.allreduce(torch.tensor([seconds], dtype=torch.float64), "max")
    return mine, numpy, [float(slowest), numpy_seconds]


def _timed(program: Callable[[], Any], comm: Communicator) -> tuple[Any, float]:
    times = []
    for _ in range(2):
        comm.barrier()
        start = time.perf_counter()
        result = program()
        times.append(time.perf_counter() - start)
    return result, min(times)
