# SPDX-License-Identifier: BSD-3-Clause
"""Clustering of each rank's samples by itself, and of the centres found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor

from equiheat import _core
from equiheat._samples import check_finite, positive, replicated, samples, seed_of, whole_rows
from equiheat.cluster._kcluster import _Centered
from equiheat.cluster._medians import iterate, keep, real
from equiheat.communication import Communicator

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class _BatchParallelKCluster(_Centered):
    """Base class of batch-parallel clusterings; see its subclasses."""

    _plus_plus: ClassVar[str]

    def __init__(
        self, n_clusters: int, init: str, max_iter: int, tol: float, random_state: Any, n_procs_to_merge: int | None
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_procs_to_merge = n_procs_to_merge

    def fit(self, x: DNDarray, y: Any = None) -> Self:
        """Find the clusters of samples. y is ignored.

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers. Split 1 is redistributed; replicated samples are one batch.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity in x, fewer samples than clusters, parameters out of range.
        """
        fn = f"{type(self).__name__}.fit"
        core = real(whole_rows(samples(x, fn)))
        self._check(core, fn)
        check_finite(core, fn)
        comm = Communicator._of(core.comm)
        alone = _core.Communicator.self()
        spread = core.split == 0 and comm.size > 1
        seed = seed_of(self.random_state)
        batch = _core.Array(core.local.contiguous(), list(core.local.shape), None, None, alone)
        centers, weights, iterations = self._cluster(batch, None, seed + (comm.rank if spread else 0))
        if spread:
            centers, iterations = self._merge(centers, weights, iterations, seed, comm)
        self._found(replicated(centers, core)._core)
        self._iterations = iterations
        return self

    def _check(self, core: _core.Array, fn: str) -> None:
        positive(self.n_clusters, fn, "n_clusters")
        positive(self.max_iter, fn, "max_iter")
        if self.init not in (self._plus_plus, "++"):
            raise ValueError(f"{fn}: init must be {self._plus_plus!r}, is {self.init!r}")
        if self.tol <= 0:
            raise ValueError(f"{fn}: tol must be positive, is {self.tol}")
        if self.n_procs_to_merge is not None and self.n_procs_to_merge < 2:
            raise ValueError(f"{fn}: n_procs_to_merge must be at least 2, is {self.n_procs_to_merge}")
        if self.n_clusters > core.gshape[0]:
            raise ValueError(f"{fn}: n_clusters = {self.n_clusters} for {core.gshape[0]} samples; at most one each")

    def _cluster(self, x: _core.Array, weights: Tensor | None, seed: int) -> tuple[Tensor, Tensor, int]:
        """Centres of samples that this rank has alone, what each stands for, iterations. Few samples are centres
        themselves. Local.
        """
        n = x.gshape[0]
        given = torch.ones(n, dtype=torch.float64) if weights is None else weights
        if n <= self.n_clusters:
            return x.local, given, 0
        w = None if weights is None else _core.Array(weights, [n], None, None, x.comm)
        first = _core.plus_plus_centers(x, self.n_clusters, w, self._metric, seed)
        if self._metric == "euclidean":
            centers, labels, _, iterations = _core.kmeans(x, first, w, self.max_iter, float(self.tol))
        else:
            centers, iterations = iterate(x, first, keep, self.max_iter, float(self.tol), seed)
            labels, _ = _core.assign_rows(x, centers, None, self._metric)
        counts = torch.zeros(self.n_clusters, dtype=torch.float64).index_add_(0, labels.local.cpu(), given)
        return centers.local, counts, iterations

    def _merge(
        self, centers: Tensor, weights: Tensor, iterations: int, seed: int, comm: Communicator
    ) -> tuple[Tensor, int]:
        """Centres of the centres of groups of ranks, then of groups of groups, and so on. Collective."""
        group = self.n_procs_to_merge or comm.size
        step = 1
        while step < comm.size:
            leads = comm.rank % step == 0
            peers = comm.split(comm.rank // (step * group) if leads else -1, comm.rank)
            if peers is not None:
                rows, masses = peers.allgatherv(centers.contiguous()), peers.allgatherv(weights)
                alone = _core.Array(rows, list(rows.shape), None, None, _core.Communicator.self())
                centers, weights, more = self._cluster(alone, masses, seed)
                iterations += more
            step *= group
        shape = comm.bcast(torch.tensor([centers.shape[0], iterations]))
        if comm.rank != 0:
            centers = centers.new_empty((int(shape[0]), centers.shape[1]))
        return comm.bcast(centers.contiguous()), int(shape[1])


class BatchParallelKMeans(_BatchParallelKCluster):
    """k-means of each rank's samples, and of all the centres found, weighted by the samples they stand for.

    Not the clusters that k-means of all samples would find, but hardly any messages: one gather of the centres.

    Parameters
    ----------
    n_clusters : int
        Number of clusters.
    init : {'k-means++'}
        First centres, of the samples and of the centres.
    max_iter : int
        Iterations at most, of each clustering.
    tol : float
        As in `KMeans`.
    random_state : int, numpy.random.Generator or None
        Seed; each rank uses another one made from it.
    n_procs_to_merge : int, optional
        Merge the centres of this many ranks at a time, over a tree; by default those of all ranks at once.

    Attributes
    ----------
    cluster_centers_ : DNDarray
        (n_clusters, f), replicated.
    n_iter_ : int
        Iterations on rank 0.
    functional_value_ : float
        Sum of squared distances of the samples of the last `predict` to their centres.

    References
    ----------
    Alguliyev, Aliguliyev and Sukhostat, "Parallel batch k-means for big data clustering", Computers & Industrial
    Engineering 152 (2021).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0], [1.0], [9.0], [9.0]], split=0)
    >>> sorted(ht.cluster.BatchParallelKMeans(2, random_state=1).fit(x).cluster_centers_.tolist())
    [[1.0], [9.0]]
    """

    _metric = "euclidean"
    _plus_plus = "k-means++"

    def __init__(
        self,
        n_clusters: int = 8,
        init: str = "k-means++",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: Any = None,
        n_procs_to_merge: int | None = None,
    ) -> None:
        super().__init__(n_clusters, init, max_iter, tol, random_state, n_procs_to_merge)


class BatchParallelKMedians(_BatchParallelKCluster):
    """k-medians of each rank's samples, and of all the centres found; otherwise as `BatchParallelKMeans`.

    Parameters
    ----------
    n_clusters, max_iter, random_state, n_procs_to_merge
        As in `BatchParallelKMeans`.
    init : {'k-medians++'}
        First centres, of the samples and of the centres.
    tol : float
        As in `KMedians`.

    Attributes
    ----------
    cluster_centers_ : DNDarray
        (n_clusters, f), replicated.
    n_iter_ : int
        Iterations on rank 0.
    functional_value_ : float
        Sum of Manhattan distances of the samples of the last `predict` to their centres.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0], [1.0], [9.0], [9.0]], split=0)
    >>> sorted(ht.cluster.BatchParallelKMedians(2, random_state=1).fit(x).cluster_centers_.tolist())
    [[1.0], [9.0]]
    """

    _metric = "manhattan"
    _plus_plus = "k-medians++"

    def __init__(
        self,
        n_clusters: int = 8,
        init: str = "k-medians++",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: Any = None,
        n_procs_to_merge: int | None = None,
    ) -> None:
        super().__init__(n_clusters, init, max_iter, tol, random_state, n_procs_to_merge)
