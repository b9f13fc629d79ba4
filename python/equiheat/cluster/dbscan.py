# SPDX-License-Identifier: BSD-3-Clause
"""Clusters of density."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import check_weights, finite, positive, replicated, samples, weights, whole_rows
from equiheat.base import BaseEstimator, ClusteringMixin
from equiheat.communication import Communicator

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["DBSCAN"]


class DBSCAN(ClusteringMixin, BaseEstimator):
    """Clusters of samples that have many others near them; what has few is noise.

    Parameters
    ----------
    eps : float
        Samples at most this far apart are neighbours.
    min_samples : int
        A core sample has as many neighbours (or their weight), itself among them.
    metric : {'euclidean', 'manhattan'}
        Distance.

    Attributes
    ----------
    labels_ : DNDarray
        (n,) int64, split as the samples (0 if they are split 1): clusters in the order of their first core samples, -1
        for noise. A sample that is near core samples of several clusters is in the first of these.
    core_sample_indices_ : DNDarray
        Numbers of the core samples, ascending, split 0 if the samples are split.
    components_ : DNDarray
        The core samples themselves, split likewise.
    n_features_in_ : int
        Features.

    Notes
    -----
    Samples of each rank are put into an order that keeps neighbours together, and boxes around 16 of them leave out
    most pairs that are too far apart: for few features hardly more work than there are neighbours, for many all pairs,
    at the speed of `ht.spatial.cdist`. No matrix of distances is made. Blocks of samples travel round the ranks three
    times. Each rank joins its own core samples; parts of clusters on different ranks that touch are found on one of
    both ranks, and joined on all of them from the pairs of parts: an allgather of as many numbers. Results do not
    depend on the distribution. On the CPU.

    References
    ----------
    Ester, Kriegel, Sander, Xu, "A density-based algorithm for discovering clusters in large spatial databases with
    noise", KDD 1996. Patwary et al., "A new scalable parallel DBSCAN algorithm using the disjoint-set data structure",
    SC 2012.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0], [1.1], [8.0], [8.1], [8.2], [50.0]], split=0)
    >>> ht.cluster.DBSCAN(eps=0.5, min_samples=2).fit(x).labels_.tolist()
    [0, 0, 1, 1, 1, -1]
    """

    labels_: DNDarray | None = None
    core_sample_indices_: DNDarray | None = None
    components_: DNDarray | None = None

    def __init__(self, eps: float = 0.5, *, min_samples: int = 5, metric: str = "euclidean") -> None:
        self.eps = eps
        self.min_samples = min_samples
        self.metric = metric

    def fit(self, x: DNDarray, y: Any = None, sample_weight: DNDarray | None = None) -> Self:
        """Find the clusters of samples. y is ignored (pipelines pass one).

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers, any split.
        sample_weight : DNDarray, optional
            (n,): what each sample counts as a neighbour.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity in x, parameters out of range, weights whose sum is not positive.
        """
        rows = whole_rows(samples(x, "DBSCAN.fit"))
        least = positive(self.min_samples, "DBSCAN", "min_samples")
        if not self.eps > 0:
            raise ValueError(f"DBSCAN: eps must be positive, is {self.eps}")
        w = weights(sample_weight, rows, "DBSCAN.fit")
        check_weights(w, "DBSCAN.fit")
        with finite("DBSCAN.fit", x=rows, sample_weight=w):
            labels, core = _core.dbscan(
                _within_range(rows, float(self.eps)), float(self.eps), float(least), w, self.metric
            )
        self.labels_, self.n_features_in_ = wrap(labels), rows.gshape[1]
        own = core.local.nonzero().flatten()
        counts = rows.counts
        first = 0 if counts is None else sum(counts[: rows.comm.rank])
        self.core_sample_indices_ = _joined(own + first, rows)
        self.components_ = _joined(rows.local[own], rows)
        return self


def _within_range(rows: _core.Array, eps: float) -> _core.Array:
    """Samples as double precision where the square of eps is beyond their type, as distances are then. Local."""
    if eps * eps > torch.finfo(torch.float32).max and rows.local.dtype != torch.float64:
        return rows.with_local(rows.local.double())
    return rows


def _joined(block: torch.Tensor, like: _core.Array) -> DNDarray:
    """Blocks of any length, one after the other. Collective: one allgather of their lengths."""
    if like.split is None:
        return replicated(block, like)
    counts = Communicator._of(like.comm).allgather(torch.tensor([len(block)])).flatten().tolist()
    return wrap(_core.Array(block, [sum(counts), *block.shape[1:]], 0, counts, like.comm))
