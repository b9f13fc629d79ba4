# SPDX-License-Identifier: BSD-3-Clause
"""Figures of frozen features that nothing is fitted for: nearest neighbours, effective rank."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.ssl.probes._rows import sum_over_ranks

__all__ = ["effective_rank", "knn_accuracy", "nearest"]


def nearest(queries: Tensor, keys: Tensor, values: Tensor, count: int, comm: Communicator) -> tuple[Tensor, Tensor]:
    """The ``count`` keys of all ranks with the largest product with each query, best first, ties by rank and row.

    Parameters
    ----------
    queries
        Shape (n_r, d): this rank's.
    keys, values
        Shape (m_r, d) and (m_r, ...): this rank's keys, and what is wanted of the nearest ones.
    count
        At most the number of keys on all ranks.
    comm
        Ranks. Every rank's keys go round once, a block at a time: memory for one rank's keys beside the own.

    Returns
    -------
    (Tensor, Tensor)
        Scores (n_r, count) and values (n_r, count, ...).
    """
    scores = queries.new_full((len(queries), 0), 0.0)
    found = values.new_zeros((len(queries), 0, *values.shape[1:]))
    sizes = comm.allgatherv(torch.tensor([len(keys)], dtype=torch.int64)).tolist()
    for root, size in enumerate(sizes):
        block, told = _block(keys, values, root, size, comm)
        scores = torch.cat((scores, queries @ block.T), dim=1)
        found = torch.cat((found, told[None].expand(len(queries), *told.shape)), dim=1)
        scores, order = scores.sort(dim=1, descending=True, stable=True)
        scores, order = scores[:, :count], order[:, :count]
        found = found[torch.arange(len(queries))[:, None], order]
    return scores, found


def _block(keys: Tensor, values: Tensor, root: int, size: int, comm: Communicator) -> tuple[Tensor, Tensor]:
    if comm.size == 1:
        return keys, values
    own = comm.rank == root
    block = comm.bcast(keys if own else keys.new_empty((size, keys.shape[1])), root)
    told = comm.bcast(values if own else values.new_empty((size, *values.shape[1:])), root)
    return block, told


def knn_accuracy(
    train: Tensor,
    labels: Tensor,
    test: Tensor,
    wanted: Tensor,
    *,
    classes: int,
    comm: Communicator,
    neighbours: int = 20,
    temperature: float = 0.07,
) -> float:
    """Share of the test rows of all ranks whose class the nearest training rows tell.

    Cosines to the ``neighbours`` nearest vote with weight exp(cosine / temperature) (Wu et al., CVPR 2018).

    Parameters
    ----------
    train, labels, test, wanted
        This rank's rows (m_r, d), (m_r,), (n_r, d), (n_r,).
    classes
        Number of classes.
    comm
        Ranks. Every rank's training rows go round once.

    Raises
    ------
    ValueError
        On every rank, when there are no training rows, a label lies outside the classes, or nobody would vote.
    """
    count = int(comm.allreduce(torch.tensor([len(train)], dtype=torch.int64)))
    right = 0.0
    if neighbours < 1 or not temperature > 0:
        raise ValueError(f"knn_accuracy: neighbours is {neighbours}, temperature {temperature}; use 1 or more, above 0")
    bad = torch.cat((labels, wanted)).long()
    (bad,) = sum_over_ranks([((bad < 0) | (bad >= classes)).sum()], comm)
    if int(bad) > 0:
        raise ValueError(f"knn_accuracy: {int(bad)} labels lie outside 0 to {classes - 1}")
    if count == 0:
        raise ValueError("knn_accuracy: there are no training rows; need 1 or more")
    train, test = (F.normalize(x.to(torch.promote_types(x.dtype, torch.float32)), dim=1) for x in (train, test))
    chunks = max(1, -(-int(comm.allreduce(torch.tensor([len(test)], dtype=torch.int64), "max")) // 1024))
    for x, y in zip(_cut(test, chunks), _cut(wanted, chunks), strict=True):  # every rank the same number of rounds
        scores, told = nearest(x, train, labels, min(neighbours, count), comm)
        weight = ((scores - scores.amax(dim=1, keepdim=True)) / temperature).exp()  # of the nearest 1, lest it overflow
        votes = weight.new_zeros(len(x), classes).scatter_add_(1, told.long(), weight)
        right += float((votes.argmax(dim=1) == y).sum()) if len(x) else 0.0
    good, rows = sum_over_ranks([torch.tensor([right]).double(), torch.tensor([float(len(test))]).double()], comm)
    return float(good / rows.clamp(min=1))


def _cut(x: Tensor, parts: int) -> list[Tensor]:
    ends = [len(x) * n // parts for n in range(parts + 1)]
    return [x[start:stop] for start, stop in itertools.pairwise(ends)]


def effective_rank(rows: Tensor, total: int, comm: Communicator) -> float:
    """``exp(-sum p log p)``, p the normalised eigenvalues of the covariance of all ranks' rows (n_r, d).

    Communication: sums of d and d² doubles.
    """
    x = rows.double()
    (sums,) = sum_over_ranks([x.sum(dim=0)], comm)
    x = x - sums / total
    (covariance,) = sum_over_ranks([x.T @ x], comm)
    values = torch.linalg.eigvalsh(covariance).clamp(min=0)
    p = values / values.sum().clamp(min=1e-300)
    return float(torch.exp(-torch.xlogy(p, p).sum()))
