# SPDX-License-Identifier: BSD-3-Clause
"""k-medoids."""

from __future__ import annotations

from typing import Any

from equiheat import _core
from equiheat.cluster._medians import KMedianCluster, Update


class KMedoids(KMedianCluster):
    """Clusters around samples: k-medians whose centres are moved to the nearest sample, in Manhattan distance.

    Heat's method of this name; not PAM, which tries all exchanges of centres.

    Parameters
    ----------
    n_clusters : int
        Number of clusters.
    init : {'random', 'k-medoids++', 'probability_based'} or array
        First centres, as for `KMedians`.
    max_iter : int
        Iterations at most; it stops earlier when the centres stay.
    random_state : int, numpy.random.Generator or None
        Seed of `init` and of the samples that replace centres without samples.
    verbose : bool
        Draw a progress bar on rank 0.

    Attributes
    ----------
    cluster_centers_ : DNDarray
        (n_clusters, f), replicated: rows of x.
    labels_ : DNDarray
        (n,) int64, split as the samples.
    inertia_, functional_value_ : float
        Sum of the samples' Manhattan distances to their centres.
    n_iter_ : int
        Iterations made.

    Notes
    -----
    Beyond an iteration of `KMedians`: one pass over the samples for the row nearest to each median, one allgather of
    n_clusters distances per rank, one allreduce of the rows.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0], [2.0], [4.0], [10.0], [11.0], [30.0]], split=0)
    >>> ht.cluster.KMedoids(n_clusters=2, init=ht.array([[0.0], [9.0]])).fit(x).cluster_centers_.tolist()
    [[2.0], [11.0]]
    """

    def __init__(
        self,
        n_clusters: int = 8,
        init: Any = "random",
        max_iter: int = 300,
        random_state: Any = None,
        *,
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.random_state = random_state
        self.verbose = verbose

    def _next(self, x: _core.Array) -> Update:
        def snap(medians: _core.Array) -> _core.Array:
            _, rows = _core.nearest_rows(medians, x, 1, "manhattan")
            return _core.gather_rows(x, rows.local.flatten().tolist())

        return snap
