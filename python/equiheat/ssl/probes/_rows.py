# SPDX-License-Identifier: BSD-3-Clause
"""The one place where probes meet the communicator: sums over ranks of a few small tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

import equiheat as ht
from equiheat.communication import Communicator


def sum_over_ranks(tensors: Sequence[Tensor], comm: Communicator) -> list[Tensor]:
    """Add up tensors over all ranks in one message.

    Every rank receives the same bits: the sum is broadcast from one rank, because line searches and early stopping
    branch on it, and ranks that branch differently would wait for each other for ever.

    Parameters
    ----------
    tensors : sequence of torch.Tensor
        Local contributions, same shapes and one dtype on every rank.
    comm : Communicator
        Ranks that take part. Collective.

    Returns
    -------
    list of torch.Tensor
        Sums, shaped like the inputs.
    """
    flat = torch.cat([t.detach().reshape(-1) for t in tensors])
    if comm.size > 1:
        flat = comm.bcast(comm.allreduce(flat, "sum"), 0)
    sums = torch.split(flat, [t.numel() for t in tensors])
    return [s.reshape(t.shape) for s, t in zip(sums, tensors, strict=True)]


def refuse_nan(sums: Tensor) -> None:
    """Raise where a sum over all ranks' rows, the same on every rank, tells of a value that is not finite."""
    if not bool(sums.isfinite().all()):
        raise ValueError("probe: features or targets hold NaN or infinity; did the run that made the encoder diverge?")


def split_rows(x: ht.DNDarray) -> ht.DNDarray:
    """The array with its rows spread over the ranks; unchanged where they are. Collective where they are not."""
    return x if x.split == 0 else x.resplit(0)


def alike(rows: ht.DNDarray, others: ht.DNDarray) -> tuple[ht.DNDarray, ht.DNDarray]:
    """Two arrays with their rows on the same ranks, those of the first; of other lengths as they are.

    Collective where the layouts, which every rank knows, ask for it.
    """
    rows, others = split_rows(rows), split_rows(others)
    if rows.shape[0] == others.shape[0] and rows.counts_displs() != others.counts_displs():
        others = ht.redistribute(others, target_map=rows.counts_displs()[0])
    return rows, others


def mean_std(local: Tensor, total: int, comm: Communicator) -> tuple[Tensor, Tensor]:
    """Column means and standard deviations over all ranks' rows, float32; constant columns get 1.

    Two passes, so that a large mean costs no accuracy. Communication: two sums of d numbers.
    """
    rows = local.double()
    (column_sums,) = sum_over_ranks([rows.sum(dim=0)], comm)
    refuse_nan(column_sums)
    mean = column_sums / total
    (squares,) = sum_over_ranks([(rows - mean).square().sum(dim=0)], comm)
    std = (squares / total).sqrt()
    std = torch.where(std > 1e-6 * mean.abs() + 1e-30, std, torch.ones_like(std))
    return mean.float(), std.float()
