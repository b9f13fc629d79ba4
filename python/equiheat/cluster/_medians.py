# SPDX-License-Identifier: BSD-3-Clause
"""Lloyd's iteration with medians instead of means, and what KMedians and KMedoids share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._progress import Progress
from equiheat._samples import check_finite, replicated, seed_of
from equiheat.cluster._kcluster import KCluster
from equiheat.communication import Communicator

if TYPE_CHECKING:
    from equiheat.array import DNDarray

#: Medians (k, f) of the present clusters to the next centres.
Update = Callable[[_core.Array], _core.Array]


#: Rows of a cluster per rank below which every rank finds the medians of some of the columns.
_SHORT = 8192


def by_columns(x: _core.Array, k: int) -> _core.Array | None:
    """The samples split by columns, where clusters are small: one alltoallv for all iterations. None where not."""
    if x.split != 0 or x.comm.size == 1:
        return x  # every rank has all columns
    return x.resplit(1) if x.gshape[0] < _SHORT * x.comm.size * k else None


def medians(
    x: _core.Array, columns: _core.Array | None, labels: _core.Array, centers: _core.Array, rng: np.random.Generator
) -> _core.Array:
    """Median of each cluster by features: (k, f), replicated; of a cluster without samples a sample drawn at random.

    Collective: with `columns` one allgather of the labels and one of the medians, else one of k numbers per rank and
    per cluster what `median` sends.
    """
    k = centers.gshape[0]
    found, sizes = _of_clusters(x, labels, k) if columns is None else _of_columns(columns, labels, k)
    for cluster in (sizes == 0).nonzero().flatten().tolist():
        found[cluster] = _core.gather_rows(x, [int(rng.integers(x.gshape[0]))]).local[0]
    return replicated(found.to(centers.local.dtype), x)._core


def _median(x: _core.Array) -> torch.Tensor:
    return _core.quantile(x, [0.5], [0], "linear", False, False).local[0]


def _in_order(x: torch.Tensor, labels: torch.Tensor, k: int) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
    """The rows of each cluster, and how many these are."""
    sizes = torch.bincount(labels, minlength=k)
    short = labels.cpu().numpy().astype(np.min_scalar_type(k))  # NumPy counts those of one and two bytes
    order = torch.from_numpy(np.argsort(short, kind="stable")).to(x.device)
    return torch.split(x.index_select(0, order), sizes.tolist()), sizes


def _of_clusters(x: _core.Array, labels: _core.Array, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Medians and sizes: every cluster is an array of its own, split as x."""
    pieces, own = _in_order(x.local, labels.local, k)
    table = _core.Array(own.unsqueeze(0), [x.comm.size, k], 0, [1] * x.comm.size, x.comm).resplit(None).local
    sizes = table.sum(0)
    found = x.local.new_zeros((k, x.gshape[1]))
    for cluster in sizes.nonzero().flatten().tolist():
        shape = [int(sizes[cluster]), x.gshape[1]]
        found[cluster] = _median(_core.Array(pieces[cluster], shape, 0, table[:, cluster].tolist(), x.comm))
    return found, sizes


def _of_columns(columns: _core.Array, labels: _core.Array, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Medians and sizes: every rank finds the medians of its columns, with all samples of these."""
    pieces, sizes = _in_order(columns.local, labels.resplit(None).local, k)
    found = columns.local.new_zeros((k, columns.local.shape[1]))
    for cluster, piece in enumerate(pieces):
        if len(piece):
            found[cluster] = _median(_core.Array(piece, list(piece.shape), None, None, columns.comm))
    if columns.split == 1:
        found = _core.Array(found, [k, columns.gshape[1]], 1, columns.counts, columns.comm).resplit(None).local
    return found, sizes


def iterate(
    x: _core.Array, centers: _core.Array, update: Update, max_iter: int, tol: float, seed: int,
    bar: Progress | None = None,
) -> tuple[_core.Array, int]:  # fmt: skip
    """Centres after at most `max_iter` iterations of assignment and medians, and their number. Stops when the sum of
    squared moves is at most `tol`. Collective.
    """
    rng = np.random.default_rng(seed)
    columns = by_columns(x, centers.gshape[0])
    for iteration in range(1, max_iter + 1):
        labels, _ = _core.assign_rows(x, centers, None, "manhattan")
        moved = update(medians(x, columns, labels, centers, rng))
        shift = float((moved.local - centers.local).double().square().sum())
        centers = moved
        if bar is not None:
            bar.update(iteration, f"moved {shift:.3g}")
        if shift <= tol:
            break
    return centers, iteration


def keep(centers: _core.Array) -> _core.Array:
    """The medians are the centres. Local."""
    return centers


def real(x: _core.Array) -> _core.Array:
    """Samples in a type that has medians between two of its values. Local."""
    if x.local.dtype in (torch.float32, torch.float64):
        return x
    return x.with_local(x.local.to(torch.float32))


class KMedianCluster(KCluster):
    """What KMedians and KMedoids share: the fit."""

    _metric = "manhattan"
    tol: float = 0.0
    verbose: bool

    def _next(self, x: _core.Array) -> Update:
        """From medians of clusters of x to centres."""
        return keep

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
        check_finite(core, f"{type(self).__name__}.fit")
        first = self._first_centers(core, None, oversampling, iter_multiplier)
        first = first.with_local(first.local.to(core.local.dtype))
        seed = seed_of(self.random_state)
        with Progress(type(self).__name__, self.max_iter, self.verbose, Communicator._of(core.comm)) as bar:
            centers, self._iterations = iterate(core, first, self._next(core), self.max_iter, self.tol, seed, bar)
        labels, self._inertia = _core.assign_rows(core, centers, None, "manhattan")
        self._found(centers)
        self._labels, self._value = wrap(labels), self._inertia
        return self
