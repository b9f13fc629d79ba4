# SPDX-License-Identifier: BSD-3-Clause
"""k-medians."""

from __future__ import annotations

from typing import Any

from equiheat import _core
from equiheat._base import wrap
from equiheat.cluster._medians import KMedianCluster


class KMedians(KMedianCluster):
    """Clusters around medians, in Manhattan distance.

    Parameters
    ----------
    n_clusters : int
        Number of clusters.
    init : {'random', 'k-medians++', 'probability_based', 'batchparallel'} or array
        First centres, as for `KMeans`, with distances in place of their squares.
    max_iter : int
        Iterations at most.
    tol : float
        Stop when the sum of squared moves of the centres is at most this.
    random_state : int, numpy.random.Generator or None
        Seed of `init` and of the samples that replace centres without samples.
    verbose : bool
        Draw a progress bar on rank 0.

    Attributes
    ----------
    cluster_centers_ : DNDarray
        (n_clusters, f), replicated: exact medians by features.
    labels_ : DNDarray
        (n,) int64, split as the samples.
    inertia_, functional_value_ : float
        Sum of the samples' Manhattan distances to their centres.
    n_iter_ : int
        Iterations made.

    Notes
    -----
    An iteration is one fused pass that finds the nearest centres, a copy of the samples in the order of their clusters,
    and the medians. Below about 8192 samples per rank and cluster each rank has some of the columns of all samples (one
    alltoallv before the first iteration) and an iteration sends one label per sample; else there is a selection
    (`ht.median`) per cluster, whose messages are counts, not samples.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0], [2.0], [30.0], [10.0], [11.0], [12.0]], split=0)
    >>> ht.cluster.KMedians(n_clusters=2, init=ht.array([[0.0], [9.0]])).fit(x).cluster_centers_.tolist()
    [[1.5], [11.5]]
    """

    def __init__(
        self,
        n_clusters: int = 8,
        init: Any = "random",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: Any = None,
        *,
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    def _by_batches(self, x: _core.Array, seed: int) -> _core.Array:
        from equiheat.cluster.batchparallelclustering import BatchParallelKMedians

        batches = BatchParallelKMedians(self.n_clusters, max_iter=self.max_iter, random_state=seed)
        return batches.fit(wrap(x))._fitted("cluster_centers_")._core
