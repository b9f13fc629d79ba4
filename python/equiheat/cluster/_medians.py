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


def medians(x: _core.Array, labels: _core.Array, centers: _core.Array, rng: np.random.Generator) -> _core.Array:
    """Median of each cluster by features: (k, f), replicated; of a cluster without samples a sample drawn at random.

    Each rank puts its rows into the order of their clusters; every cluster is then selected from as an array of its
    own. Collective: one allgather of k numbers per rank, and per cluster what `median` sends.
    """
    k = centers.gshape[0]
    sizes = torch.bincount(labels.local, minlength=k)
    rows = x.local.index_select(0, torch.argsort(labels.local, stable=True))
    ranks = x.comm.size if x.split == 0 else 1
    table = sizes.unsqueeze(0)
    if ranks > 1:
        table = _core.Array(table, [ranks, k], 0, [1] * ranks, x.comm).resplit(None).local
    found = []
    for cluster, piece in enumerate(torch.split(rows, sizes.tolist())):
        counts = table[:, cluster].tolist()
        if sum(counts) == 0:
            found.append(_core.gather_rows(x, [int(rng.integers(x.gshape[0]))]).local[0])
            continue
        members = _core.Array(piece, [sum(counts), x.gshape[1]], x.split, counts if x.split == 0 else None, x.comm)
        found.append(_core.quantile(members, [0.5], [0], "linear", False, False).local[0])
    return replicated(torch.stack(found).to(centers.local.dtype), x)._core


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
