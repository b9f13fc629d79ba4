# SPDX-License-Identifier: BSD-3-Clause
"""What KMeans, KMedians and KMedoids share: parameters, first centres, assignment of new samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from equiheat import _core
from equiheat._base import as_core, wrap
from equiheat._samples import check_finite, positive, samples, seed_of, whole_rows
from equiheat.base import BaseEstimator, ClusteringMixin

if TYPE_CHECKING:
    from equiheat.array import DNDarray

#: Options of `init`, by the name each is known under.
_PLUS_PLUS = ("k-means++", "k-medians++", "k-medoids++", "++")
_OVERSAMPLED = ("probability_based", "k-means||", "kmeans++", "kmedians++", "kmedoids++")


def _ratio(oversampling: Any) -> float:
    """The factor that is asked for; None, or the y that pipelines pass in its place, is 2. Local."""
    return float(oversampling) if isinstance(oversampling, (int, float)) else 2.0


class _Centered(ClusteringMixin, BaseEstimator):
    """Clusters that are what is nearest to their centres."""

    _metric: ClassVar[str] = "euclidean"
    n_clusters: int
    init: Any
    max_iter: int
    random_state: Any

    _centers: DNDarray | None = None
    _iterations: int | None = None
    _value: float | None = None

    @property
    def cluster_centers_(self) -> DNDarray | None:
        """(n_clusters, f), replicated; None before `fit`."""
        return self._centers

    @property
    def n_iter_(self) -> int | None:
        """Iterations made; of clusterings of batches those on rank 0, of its samples and of mergers it took part in."""
        return self._iterations

    @property
    def functional_value_(self) -> float | None:
        """The objective for the samples of the last `predict` (or, where it finds labels, `fit`); None before."""
        return self._value

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` was called. Local."""
        return self._centers is not None

    def _found(self, centers: _core.Array) -> None:
        """These are the centres. Local."""
        self._centers, self.n_features_in_ = wrap(centers), centers.gshape[1]

    def predict(self, x: DNDarray) -> DNDarray:
        """Index of the nearest centre for each sample.

        Parameters
        ----------
        x : DNDarray
            (n, f).

        Returns
        -------
        DNDarray
            (n,) int64, split 0 if x is split. One allreduce of one number (`functional_value_`); split 1 is
            redistributed first.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features, NaN or infinity in x.
        """
        core = self._matrix(x, "predict")
        labels, self._value = _core.assign_rows(core, self._fitted("cluster_centers_")._core, None, self._metric)
        if not math.isfinite(self._value):
            check_finite(core, f"{type(self).__name__}.predict")
        return wrap(labels)


class KCluster(_Centered):
    """Base class of clusterings around centres; see its subclasses."""

    _labels: DNDarray | None = None
    _inertia: float | None = None

    @property
    def labels_(self) -> DNDarray | None:
        """(n,) int64: index of the centre nearest to each sample, split as the samples; None before `fit`."""
        return self._labels

    @property
    def inertia_(self) -> float | None:
        """The sum over the samples of their (for k-means squared) distance to the nearest centre."""
        return self._inertia

    def _samples(self, x: Any, oversampling: float | None, iter_multiplier: float) -> _core.Array:
        """The checked samples as whole rows. Collective where they are split along features."""
        fn = type(self).__name__
        core = samples(x, fn)
        positive(self.n_clusters, fn, "n_clusters")
        positive(self.max_iter, fn, "max_iter")
        if self.n_clusters > core.gshape[0]:
            raise ValueError(f"{fn}: n_clusters = {self.n_clusters} for {core.gshape[0]} samples; at most one each")
        if _ratio(oversampling) < 2:
            raise ValueError(f"{fn}: oversampling must be at least 2, is {oversampling}")
        if iter_multiplier < 1:
            raise ValueError(f"{fn}: iter_multiplier must be at least 1, is {iter_multiplier}")
        return whole_rows(core)

    def _first_centers(
        self, x: _core.Array, weights: _core.Array | None, oversampling: float | None, iter_multiplier: float
    ) -> _core.Array:
        """(n_clusters, f), replicated, by `init`. Collective."""
        given = None if isinstance(self.init, str) else as_core(self.init, x.comm)
        if given is not None:
            expected = (self.n_clusters, x.gshape[1])
            if tuple(given.gshape) != expected:
                raise ValueError(f"{type(self).__name__}: init must have shape {expected}, has {tuple(given.gshape)}")
            given = given.resplit(None)
            if not bool(torch.isfinite(given.local).all()):
                raise ValueError(f"{type(self).__name__}: init contains NaN or infinity")
            return given
        seed = seed_of(self.random_state)
        if self.init == "random":
            rows = np.random.default_rng(seed).choice(x.gshape[0], self.n_clusters, replace=False, shuffle=False)
            return _core.gather_rows(x, rows.tolist())
        if self.init in _PLUS_PLUS:
            return _core.plus_plus_centers(x, self.n_clusters, weights, self._metric, seed)
        if self.init in _OVERSAMPLED:
            return self._oversampled(x, _ratio(oversampling), iter_multiplier, seed)
        if self.init == "batchparallel":
            return self._by_batches(x, seed)
        raise ValueError(
            f"{type(self).__name__}: init must be 'random', 'k-means++', 'probability_based', 'batchparallel' or an "
            f"array, is {self.init!r}"
        )

    def _oversampled(self, x: _core.Array, oversampling: float, iter_multiplier: float, seed: int) -> _core.Array:
        """k-means||: candidates, weighted by the samples near them, and a clustering of those. Collective."""
        rounds = max(1, round(iter_multiplier * math.log(max(x.gshape[0], 2))))
        expected = oversampling * self.n_clusters
        rows, weights = _core.oversample(x, expected, min(rounds, 8), self._metric, seed)
        if rows.gshape[0] < self.n_clusters:  # fewer distinct samples than clusters
            return _core.plus_plus_centers(x, self.n_clusters, None, self._metric, seed)
        return _core.plus_plus_centers(rows, self.n_clusters, weights, self._metric, seed + 1)

    def _by_batches(self, x: _core.Array, seed: int) -> _core.Array:
        raise NotImplementedError(f"{type(self).__name__}: init='batchparallel' is for KMeans and KMedians")

    def score(self, x: DNDarray, y: Any = None) -> float:
        """The negative of the objective for these samples, as in scikit-learn. y is ignored."""
        self.predict(x)
        return -float(self._value or 0.0)
