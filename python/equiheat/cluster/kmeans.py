# SPDX-License-Identifier: BSD-3-Clause
"""k-means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import weights
from equiheat.cluster._kcluster import KCluster

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class KMeans(KCluster):
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

    Attributes
    ----------
    cluster_centers_ : DNDarray
        (n_clusters, f), replicated, in the samples' dtype.
    labels_ : DNDarray
        (n,) int64, split as the samples: the nearest of `cluster_centers_`.
    inertia_ : float
        Sum of squared distances of the samples to their centres, weighted.
    n_iter_ : int
        Iterations made.
    functional_value_ : float
        As `inertia_`, of the samples of the last `fit` or `predict`.

    Notes
    -----
    An iteration is one pass over the samples of each rank, which finds the nearest centre and adds the sample to its
    sum, in double precision and about the mean of all samples, and one allreduce of n_clusters * (f + 1) numbers. There
    is no matrix of distances: memory beyond the samples is n labels and O(n_clusters f). A cluster that loses all its
    samples takes over the one farthest from its centre. Rules for stopping and for such clusters are scikit-learn's, so
    that the same first centres give its results. Samples split along features are redistributed once.

    References
    ----------
    Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28 (1982). Arthur and Vassilvitskii,
    "k-means++: the advantages of careful seeding", SODA 2007. Bahmani et al., "Scalable k-means++", VLDB 2012.

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
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(
        self,
        x: DNDarray,
        oversampling: float | None = 2,
        iter_multiplier: float = 1,
        *,
        sample_weight: DNDarray | None = None,
    ) -> Self:
        """Find the clusters of samples.

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
            NaN or infinity in x, fewer samples than clusters, an unknown `init` or one of the wrong shape.
        """
        core = self._samples(x, oversampling, iter_multiplier)
        w = weights(sample_weight, core, "KMeans.fit")
        first = self._first_centers(core, w, oversampling, iter_multiplier)
        centers, labels, self._inertia, self._iterations = _core.kmeans(core, first, w, self.max_iter, float(self.tol))
        self._centers, self._labels, self._value = wrap(centers), wrap(labels), self._inertia
        return self

    def _by_batches(self, x: _core.Array, seed: int) -> _core.Array:
        from equiheat.cluster.batchparallelclustering import BatchParallelKMeans

        batches = BatchParallelKMeans(self.n_clusters, max_iter=self.max_iter, random_state=seed)
        return batches.fit(wrap(x))._fitted("cluster_centers_")._core

    def transform(self, x: DNDarray) -> DNDarray:
        """Distance of each sample to each centre: (n, n_clusters), split as the samples."""
        from equiheat.spatial import cdist

        return cdist(x, self._fitted("cluster_centers_"))
