# SPDX-License-Identifier: BSD-3-Clause
"""k-medians."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from equiheat import _core
from equiheat._base import wrap
from equiheat._progress import Progress
from equiheat._samples import check_finite, seed_of
from equiheat.cluster._kcluster import KCluster
from equiheat.cluster._medians import iterate, keep, real
from equiheat.communication import Communicator

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class KMedians(KCluster):
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
    and the medians: of small clusters after one alltoallv of the samples, of large ones by a selection (`ht.median`)
    per cluster, whose messages are counts, not samples.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0], [2.0], [30.0], [10.0], [11.0], [12.0]], split=0)
    >>> ht.cluster.KMedians(n_clusters=2, init=ht.array([[0.0], [9.0]])).fit(x).cluster_centers_.tolist()
    [[1.5], [11.5]]
    """

    _metric = "manhattan"

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

    def fit(self, x: DNDarray, oversampling: float | None = 2, iter_multiplier: float = 1, *, y: Any = None) -> Self:
        """Find the clusters of samples. y is ignored.

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers, any split.
        oversampling, iter_multiplier : float
            As in `KMeans.fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity in x, fewer samples than clusters, an unknown `init` or one of the wrong shape.
        """
        core = real(self._samples(x, oversampling, iter_multiplier))
        check_finite(core, "KMedians.fit")
        first = self._first_centers(core, None, oversampling, iter_multiplier)
        first = first.with_local(first.local.to(core.local.dtype))
        seed = seed_of(self.random_state)
        with Progress("KMedians", self.max_iter, self.verbose, Communicator._of(core.comm)) as bar:
            centers, self._iterations = iterate(core, first, keep, self.max_iter, self.tol, seed, bar)
        labels, self._inertia = _core.assign_rows(core, centers, None, "manhattan")
        self._found(centers)
        self._labels, self._value = wrap(labels), self._inertia
        return self

    def _by_batches(self, x: _core.Array, seed: int) -> _core.Array:
        from equiheat.cluster.batchparallelclustering import BatchParallelKMedians

        batches = BatchParallelKMedians(self.n_clusters, max_iter=self.max_iter, random_state=seed)
        return batches.fit(wrap(x))._fitted("cluster_centers_")._core
