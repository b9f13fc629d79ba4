# SPDX-License-Identifier: BSD-3-Clause
"""k-means of mini-batches (Sculley 2010), with scikit-learn's rules for stopping."""

from __future__ import annotations

import numpy as np
import torch

from equiheat import _core
from equiheat.communication import Communicator

_PATIENCE = 10  # steps without a better smoothed inertia


class MiniBatches:
    """Centres that are the means of all samples they were given.

    Parameters
    ----------
    rows
        All samples, split 0 or replicated.
    weights
        What each counts, distributed as the rows; None: 1.
    centers
        (k, f), replicated.
    tol
        Stop when the smoothed sum of squared moves, relative to the mean variance of the features, is less; 0: never.
    counts
        (k,) float64: weight of the samples that each centre stands for; None: none yet.
    """

    def __init__(
        self,
        rows: _core.Array,
        weights: _core.Array | None,
        centers: _core.Array,
        tol: float,
        counts: torch.Tensor | None = None,
    ) -> None:
        self.rows, self.weights, self.like = rows, weights, centers
        self.means = centers.local.double()
        self.counts = torch.zeros(len(self.means), dtype=torch.float64) if counts is None else counts.clone()
        self.least = 0.0
        if tol > 0:
            _, _, variance, _, _ = _core.column_statistics(rows, None, "KMeans.fit")
            self.least = tol * float(variance.local.mean())
        self.smoothed = self.best = float("inf")
        self._moved: float | None = None
        self._waited = 0
        self._first = True

    def centers(self) -> _core.Array:
        """The centres in the samples' type. Local."""
        dtype = self.rows.local.dtype if self.rows.local.is_floating_point() else torch.float32
        return _core.Array(self.means.to(dtype), list(self.means.shape), None, None, self.rows.comm)

    def learn(self, batch: _core.Array, weights: _core.Array | None) -> tuple[float, float]:
        """Move the centres towards these samples; (inertia, weight) of them before the move. Collective: two
        allreduces.
        """
        k, f = self.means.shape
        labels, inertia = _core.assign_rows(batch, self.centers(), weights, "euclidean")
        own = torch.ones(labels.local.shape[0], dtype=torch.float64) if weights is None else weights.local.double()
        sums = torch.zeros((k, f + 1), dtype=torch.float64)
        values = torch.cat([batch.local.double() * own.unsqueeze(1), own.unsqueeze(1)], 1)
        sums.index_add_(0, labels.local, values)
        if batch.is_distributed:
            sums = Communicator._of(batch.comm).allreduce(sums)
        self.counts = self.counts + sums[:, f]
        share = torch.where(self.counts > 0, 1.0 / self.counts.clamp_min(1e-300), 0.0).unsqueeze(1)
        self.means = self.means + (sums[:, :f] - sums[:, f:] * self.means) * share
        return inertia, float(sums[:, f].sum())

    def step(self, numbers: np.ndarray) -> bool:
        """One step with the samples of these numbers; whether it is time to stop. Collective."""
        before = self.means
        batch = _drawn(self.rows, numbers)
        inertia, weight = self.learn(batch, None if self.weights is None else _drawn(self.weights, numbers))
        n = self.rows.gshape[0]
        moved = float((self.means - before).square().sum())
        per_sample = inertia / max(weight, 1e-300)
        if self._first:  # scikit-learn looks away from the first step, too
            self._first = False
            return False
        share = min(1.0, 2.0 * len(numbers) / (n + 1))
        self.smoothed = (
            per_sample if self.smoothed == float("inf") else self.smoothed * (1 - share) + per_sample * share
        )
        self._moved = moved if self._moved is None else self._moved * (1 - share) + moved * share
        if self.least > 0 and self._moved <= self.least:
            return True
        if self.smoothed < self.best:
            self.best, self._waited = self.smoothed, 0
            return False
        self._waited += 1
        return self._waited >= _PATIENCE


def _drawn(x: _core.Array, numbers: np.ndarray) -> _core.Array:
    """The rows of these numbers, each where it is. Local."""
    chosen = np.sort(numbers)
    shape = [len(chosen), *x.gshape[1:]]
    if x.split is None or x.counts is None:
        return _core.Array(x.local.index_select(0, torch.from_numpy(chosen)), shape, None, None, x.comm)
    edges = np.cumsum([0, *x.counts])
    places = np.searchsorted(chosen, edges)
    rank = x.comm.rank
    own = torch.from_numpy(chosen[places[rank] : places[rank + 1]] - edges[rank])
    return _core.Array(x.local.index_select(0, own), shape, 0, np.diff(places).tolist(), x.comm)
