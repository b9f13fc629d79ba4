# SPDX-License-Identifier: BSD-3-Clause
"""k-means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._progress import Progress
from equiheat._samples import (
    check_features,
    check_finite,
    check_weights,
    finite,
    positive,
    samples,
    seed_of,
    subset_rows,
    weights,
    whole_rows,
)
from equiheat.base import TransformMixin
from equiheat.cluster._kcluster import KCluster
from equiheat.cluster._minibatch import MiniBatches
from equiheat.communication import Communicator

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class KMeans(TransformMixin, KCluster):
    """Clusters around means, by Lloyd's algorithm.

    Parameters
    ----------
    n_clusters : int
        Number of clusters.
    init : {'random', 'k-means++', 'probability_based', 'batchparallel'} or array
        First centres: samples drawn at random; greedy k-means++; k-means|| (Heat's name for it), which needs fewer
        collectives than k-means++ for many clusters; the result of `BatchParallelKMeans`; or (n_clusters, f) values.
    max_iter : int
        Iterations at most.
    tol : float
        Stop when the centres moved by less: the sum of squares, relative to the mean variance of the features.
    random_state : int, numpy.random.Generator or None
        Seed of `init`; None draws one from `ht.random`. The same seed gives the same centres at any number of ranks.
    batch_size : int, optional
        Mini-batches: every step looks at so many samples, drawn at random with replacement, and moves the centres
        towards them; max_iter is in passes over all samples. None: Lloyd's algorithm.
    verbose : bool
        Draw a progress bar on rank 0.

    Attributes
    ----------
    cluster_centers_ : DNDarray
        (n_clusters, f), replicated, in the samples' dtype.
    labels_ : DNDarray
        (n,) int64, split as the samples: the nearest of `cluster_centers_`.
    inertia_ : float
        Sum of squared distances of the samples to their centres, weighted.
    n_iter_ : int
        Iterations made; with mini-batches the passes begun.
    functional_value_ : float
        As `inertia_`, of the samples of the last `fit` or `predict`.

    Notes
    -----
    An iteration is one pass over the samples of each rank, which finds the nearest centre and adds the sample to its
    sum, in double precision and about the mean of all samples, and one allreduce of n_clusters * (f + 1) numbers. There
    is no matrix of distances: memory beyond the samples is n labels and O(n_clusters f). A cluster that loses all its
    samples takes over the one farthest from its centre. Rules for stopping and for such clusters are scikit-learn's, so
    that the same first centres give its results. Samples split along features are redistributed once.

    A step of mini-batches costs batch_size / ranks samples and one allreduce of n_clusters * (f + 1) numbers; a centre
    is the mean of all samples it was given so far. It stops as scikit-learn's: after 10 steps without a better smoothed
    inertia, or at `tol`. `partial_fit` is such a step with samples of the caller's, which need not fit into memory.

    References
    ----------
    Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28 (1982). Arthur and Vassilvitskii,
    "k-means++: the advantages of careful seeding", SODA 2007. Bahmani et al., "Scalable k-means++", VLDB 2012. Sculley,
    "Web-scale k-means clustering", WWW 2010.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0, 2.0], [1.0, 4.0], [10.0, 2.0], [10.0, 4.0]], split=0)
    >>> km = ht.cluster.KMeans(n_clusters=2, init=ht.array([[1.0, 2.0], [10.0, 2.0]])).fit(x)
    >>> km.cluster_centers_.tolist(), km.labels_.tolist(), km.inertia_
    ([[1.0, 3.0], [10.0, 3.0]], [0, 0, 1, 1], 4.0)
    """

    def __init__(
        self,
        n_clusters: int = 8,
        init: Any = "random",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: Any = None,
        *,
        batch_size: int | None = None,
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.batch_size = batch_size
        self.verbose = verbose

    _counts: torch.Tensor | None = None

    def fit(
        self,
        x: DNDarray,
        oversampling: float | None = 2,
        iter_multiplier: float = 1,
        *,
        y: Any = None,
        sample_weight: DNDarray | None = None,
    ) -> Self:
        """Find the clusters of samples. y is ignored.

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers, any split.
        oversampling : float
            Candidates per round of ``init='probability_based'``, in multiples of n_clusters; at least 2.
        iter_multiplier : float
            Rounds of it, in multiples of log n (8 at most); at least 1.
        sample_weight : DNDarray, optional
            (n,): what each sample counts.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity in x, fewer samples than clusters, an unknown `init` or one of the wrong shape, weights
            whose sum is not positive.
        """
        core = self._samples(x, oversampling, iter_multiplier)
        w = weights(sample_weight, core, "KMeans.fit")
        batch = None if self.batch_size is None else positive(self.batch_size, "KMeans", "batch_size")
        check_weights(w, "KMeans.fit")
        comm = Communicator._of(core.comm)
        self._counts = None
        with Progress("KMeans", self.max_iter, self.verbose, comm) as bar:
            if batch is not None:
                self._fit_batches(core, w, min(batch, core.gshape[0]), bar)
                return self
            visit = (lambda i, moved: bar.update(i, f"moved {moved:.3g}")) if self.verbose else None
            with finite("KMeans.fit", x=core, sample_weight=w):
                first = self._first_centers(core, w, oversampling, iter_multiplier)
                found = _core.kmeans(core, first, w, self.max_iter, float(self.tol), visit)
        centers, labels, self._inertia, self._iterations = found
        self._found(centers)
        self._labels, self._value = wrap(labels), self._inertia
        return self

    def _fit_batches(self, core: _core.Array, w: _core.Array | None, size: int, bar: Progress) -> None:
        """Collective: one allreduce per step."""
        check_finite(core, "KMeans.fit")
        seed = seed_of(self.random_state)
        rng = np.random.default_rng(seed)
        some = subset_rows([core] if w is None else [core, _beside(w, core)], min(core.gshape[0], 3 * size), seed)
        beginner = type(self)(**{**self.get_params(deep=False), "random_state": seed})
        first = beginner._first_centers(some[0], some[1] if w is not None else None, 2.0, 1.0)
        run = MiniBatches(core, None if w is None else _beside(w, core), first, float(self.tol))
        steps = max(1, self.max_iter * core.gshape[0] // size)
        for step in range(1, steps + 1):
            done = run.step(rng.integers(core.gshape[0], size=size))
            self._iterations = 1 + (step * size - 1) // core.gshape[0]
            bar.update(self._iterations, f"inertia {run.smoothed:.4g} per sample")
            if done:
                break
        self._counts = run.counts
        self._keep(run.centers(), core, w)

    def partial_fit(self, x: DNDarray, y: Any = None, sample_weight: DNDarray | None = None) -> Self:
        """Move the centres towards further samples, as a step of mini-batches does. y is ignored.

        Parameters
        ----------
        x : DNDarray
            (n, f), any split; in the first call at least n_clusters samples, among which the first centres are drawn.
        sample_weight : DNDarray, optional
            (n,): what each sample counts.

        Returns
        -------
        self
            `labels_` and `inertia_` are those of these samples.

        Raises
        ------
        ValueError
            NaN or infinity in x, another number of features, too few samples in the first call.
        """
        fn = "KMeans.partial_fit"
        core = whole_rows(samples(x, fn)) if self._centers is not None else self._samples(x, 2.0, 1.0)
        check_finite(core, fn)
        w = weights(sample_weight, core, fn)
        check_weights(w, fn)
        if self._centers is None:
            first = self._first_centers(core, w, 2.0, 1.0)
            self._counts = None
        else:
            first = self._centers._core
            check_features(core, first.gshape[1], fn)
        run = MiniBatches(core, None if w is None else _beside(w, core), first, 0.0, self._counts)
        run.learn(core, run.weights)
        self._counts, self._iterations = run.counts, (self._iterations or 0) + 1
        self._keep(run.centers(), core, w)
        return self

    def _keep(self, centers: _core.Array, core: _core.Array, w: _core.Array | None) -> None:
        """Labels and inertia of these samples. Collective: one allreduce of one number."""
        labels, self._inertia = _core.assign_rows(core, centers, w, self._metric)
        self._found(centers)
        self._labels, self._value = wrap(labels), self._inertia

    def _by_batches(self, x: _core.Array, seed: int) -> _core.Array:
        from equiheat.cluster.batchparallelclustering import BatchParallelKMeans

        batches = BatchParallelKMeans(self.n_clusters, max_iter=self.max_iter, random_state=seed)
        return batches.fit(wrap(x))._fitted("cluster_centers_")._core

    def transform(self, x: DNDarray) -> DNDarray:
        """Distance of each sample to each centre: (n, n_clusters), split as the samples. Errors and communication are
        those of `predict`.
        """
        from equiheat.spatial import cdist

        core = self._matrix(x, "transform")
        check_finite(core, "KMeans.transform")
        return cdist(wrap(core), self._fitted("cluster_centers_"))


def _beside(w: _core.Array, x: _core.Array) -> _core.Array:
    """Weights, distributed as the rows of x. Collective where they are not."""
    if w.split == x.split and w.counts == x.counts:
        return w
    return w.resplit(None) if x.counts is None else w.resplit(0).redistribute(x.counts)
