# SPDX-License-Identifier: BSD-3-Clause
"""Losses on embeddings: pure functions of the global batch, and the reductions that give them one."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.data.sharding import share
from equiheat.nn.functional import all_gather, all_reduce


def invariance(z1: Tensor, z2: Tensor) -> Tensor:
    """Mean of ``(z1 - z2)^2`` over all elements; z1, z2 (B, D)."""
    return F.mse_loss(z1, z2)


def variance(z: Tensor, *, target: float = 1.0, eps: float = 1e-4) -> Tensor:
    """Mean over the D features of ``max(0, target - sqrt(var(z_d) + eps))``; z (B, D), unbiased variance."""
    return F.relu(target - (z.var(dim=0) + eps).sqrt()).mean()


def covariance(z: Tensor, columns: tuple[int, int] | None = None) -> Tensor:
    """Sum of the squared off-diagonal elements of the covariance matrix of z (B, D), divided by D.

    ``columns = (start, stop)`` takes the part of the sum over those columns of the matrix: the parts of a partition add
    up to the whole.
    """
    count, dim = z.shape
    start, stop = (0, dim) if columns is None else columns
    centered = z - z.mean(dim=0)
    block = centered.T @ centered[:, start:stop] / (count - 1)
    diagonal = block.diagonal(-start)
    return (block.square().sum() - diagonal.square().sum()) / dim


class VICRegTerms(NamedTuple):
    """The three terms of VICReg over the global batch, unweighted."""

    invariance: Tensor
    variance: Tensor
    covariance: Tensor


def vicreg_terms(z1: Tensor, z2: Tensor, *, comm: Communicator, eps: float = 1e-4) -> VICRegTerms:
    """Terms of VICReg (Bardes, Ponce, LeCun 2022) over the batches of all ranks.

    Parameters
    ----------
    z1, z2
        Shape (B_r, D): this rank's embeddings of the two views.
    comm
        Ranks that share the batch.

    Returns
    -------
    VICRegTerms
        Scalars, the same on every rank, in float32 at least, also under autocast. Variance is the mean over the two
        views, covariance their sum: the form for which the weights 25, 25, 1 were published. Collective: one allgather
        of (B_r, 2 D) numbers and one allreduce of 2; each rank computes its share of the columns of the covariance
        matrices.
    """
    if z1.dim() != 2 or z1.shape != z2.shape:
        raise ValueError(
            f"vicreg_terms: z1 has shape {tuple(z1.shape)}, z2 {tuple(z2.shape)}; expected the same (B, D)"
        )
    with torch.autocast(z1.device.type, enabled=False):
        return _terms(z1, z2, comm, eps)


def _terms(z1: Tensor, z2: Tensor, comm: Communicator, eps: float) -> VICRegTerms:
    dim = z1.shape[1]
    z1, z2 = (z.to(torch.promote_types(z.dtype, torch.float32)) for z in (z1, z2))
    whole = all_gather(torch.cat((z1, z2), dim=1), comm)
    if whole.shape[0] < 2:
        raise ValueError(f"vicreg_terms: the global batch has {whole.shape[0]} images; a variance needs 2 or more")
    all1, all2 = whole[:, :dim], whole[:, dim:]
    part = share(dim, comm)
    near = (z1 - z2).square().sum() / (whole.shape[0] * dim)
    far = covariance(all1, part) + covariance(all2, part)
    near, far = all_reduce(torch.stack((near, far)), comm).unbind()
    spread = (variance(all1, eps=eps) + variance(all2, eps=eps)) / 2
    return VICRegTerms(near, spread, far)


def full_precision(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors in float32 at least."""
    return tuple(x.to(torch.promote_types(x.dtype, torch.float32)) for x in tensors)


def first_row(count: int, comm: Communicator) -> int:
    """Number of this rank's first row in the global batch. Collective: one allgatherv of a number."""
    if comm.size == 1:
        return 0
    return int(comm.allgatherv(torch.tensor([count], dtype=torch.int64))[: comm.rank].sum())


def batch_mean(values: Tensor, *, comm: Communicator) -> Tensor:
    """Mean over the global batch of one value per row (B_r,); a rank may hold none. Collective: one allreduce."""
    count = torch.tensor(float(values.shape[0]), dtype=values.dtype, device=values.device)
    total, count = all_reduce(torch.stack((values.sum(), count)), comm).unbind()
    return total / count.detach().clamp(min=1)


def cosine_distance(x: Tensor, y: Tensor) -> Tensor:
    """``1 - cos(x_i, y_i)`` per row, float32 at least; x, y (B, D)."""
    x, y = full_precision(x, y)
    return 1 - F.cosine_similarity(x, y, dim=1, eps=1e-8)


def global_mean(local_mean: Tensor, count: int, *, comm: Communicator) -> Tensor:
    """Mean over the global batch from the ranks' means over ``count`` images each. Collective: one allreduce.

    A rank with count 0 adds nothing, whatever its mean.
    """
    if comm.size == 1:
        return local_mean
    total = comm.allreduce(torch.tensor([count], dtype=torch.int64, device=local_mean.device))
    return all_reduce(local_mean * (count / max(int(total), 1)), comm)
