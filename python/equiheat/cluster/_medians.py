# SPDX-License-Identifier: BSD-3-Clause
"""Lloyd's iteration with medians instead of means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from equiheat import _core
from equiheat._progress import Progress
from equiheat._samples import replicated

#: Medians (k, f) of the present clusters to the next centres.
Update = Callable[[_core.Array], _core.Array]


#: Rows of a cluster per rank below which its samples are brought together by columns.
_SHORT = 8192


def medians(x: _core.Array, labels: _core.Array, centers: _core.Array, rng: np.random.Generator) -> _core.Array:
    """Median of each cluster by features: (k, f), replicated; of a cluster without samples a sample drawn at random.

    Each rank puts its rows into the order of their clusters. Collective: one allgather of k numbers per rank; then for
    small clusters one alltoallv of the samples and one allgather of the medians, else per cluster what `median` sends.
    """
    k = centers.gshape[0]
    sizes = torch.bincount(labels.local, minlength=k)
    rows = x.with_local(x.local.index_select(0, torch.argsort(labels.local, stable=True)))
    ranks = x.comm.size if x.split == 0 else 1
    table = sizes.unsqueeze(0)
    if ranks > 1:
        table = _core.Array(table, [ranks, k], 0, [1] * ranks, x.comm).resplit(None).local
    by_columns = ranks > 1 and x.gshape[0] < _SHORT * ranks * k
    found = _of_columns(rows, table) if by_columns else _of_clusters(rows, table)
    for cluster in (table.sum(0) == 0).nonzero().flatten().tolist():
        found[cluster] = _core.gather_rows(x, [int(rng.integers(x.gshape[0]))]).local[0]
    return replicated(found.to(centers.local.dtype), x)._core


def _median(x: _core.Array) -> torch.Tensor:
    return _core.quantile(x, [0.5], [0], "linear", False, False).local[0]


def _of_clusters(rows: _core.Array, table: torch.Tensor) -> torch.Tensor:
    """Every cluster as an array of its own. `table`: its rows on each rank."""
    sizes = table[rows.comm.rank if len(table) > 1 else 0].tolist()
    found = torch.zeros((len(sizes), rows.gshape[1]), dtype=rows.local.dtype, device=rows.local.device)
    for cluster, piece in enumerate(torch.split(rows.local, sizes)):
        counts = table[:, cluster].tolist()
        if sum(counts):
            shape = [sum(counts), rows.gshape[1]]
            found[cluster] = _median(
                _core.Array(piece, shape, rows.split, counts if rows.split == 0 else None, rows.comm)
            )
    return found


def _of_columns(rows: _core.Array, table: torch.Tensor) -> torch.Tensor:
    """Every rank finds the medians of some of the features, with all samples of these."""
    columns, k = rows.resplit(1), table.shape[1]
    own = columns.local.shape[1]
    pieces = torch.split(columns.local, table.flatten().tolist())
    found = torch.zeros((k, own), dtype=rows.local.dtype, device=rows.local.device)
    for cluster in range(k):
        members = torch.cat(pieces[cluster::k])
        if len(members):
            found[cluster] = _median(_core.Array(members, list(members.shape), None, None, rows.comm))
    return _core.Array(found, [k, rows.gshape[1]], 1, columns.counts, rows.comm).resplit(None).local


def iterate(
    x: _core.Array, centers: _core.Array, update: Update, max_iter: int, tol: float, seed: int,
    bar: Progress | None = None,
) -> tuple[_core.Array, int]:  # fmt: skip
    """Centres after at most `max_iter` iterations of assignment and medians, and their number. Stops when the sum of
    squared moves is at most `tol`. Collective.
    """
    rng = np.random.default_rng(seed)
    for iteration in range(1, max_iter + 1):
        labels, _ = _core.assign_rows(x, centers, None, "manhattan")
        moved = update(medians(x, labels, centers, rng))
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
