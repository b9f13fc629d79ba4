# SPDX-License-Identifier: BSD-3-Clause
"""Barlow Twins: cross-correlation of two views towards the identity (Zbontar, Jing, Misra, LeCun, Deny, ICML 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.data.sharding import share
from equiheat.nn.functional import all_gather, all_reduce
from equiheat.ssl.encoders import Features
from equiheat.ssl.losses import full_precision
from equiheat.ssl.methods.base import NONE, Method, Others
from equiheat.ssl.methods.projector import projector
from equiheat.ssl.options import check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class BarlowConfig:
    """Options of Barlow Twins.

    Parameters
    ----------
    projector
        Widths of the projection head. The paper has three times 8192.
    redundancy
        Lambda, the weight of the off-diagonal elements.
    scale
        Factor of the whole loss, which grows with the projector's width; it only matters beside an auxiliary loss.
    eps
        Added to the variance under the square root.
    """

    projector: tuple[int, ...] = (512, 512, 512)
    redundancy: float = 0.0051
    scale: float = 1.0
    eps: float = 1e-5

    def __post_init__(self) -> None:
        check_kinds(self)
        check_range(self, "projector", 1)
        check_range(self, "redundancy", 0)
        check_range(self, "scale eps", 0, above=True)


def cross_correlation_terms(z1: Tensor, z2: Tensor, *, comm: Communicator, eps: float = 1e-5) -> tuple[Tensor, Tensor]:
    """``sum_i (1 - C_ii)^2`` and ``sum_{i != j} C_ij^2`` of the cross-correlation C of z1, z2 (B_r, D) over all ranks.

    Embeddings are standardised by the mean and biased variance of the global batch. Collective: one allgather of
    (B_r, 2 D) numbers, one allreduce of 2; each rank computes its share of the columns of C.
    """
    with torch.autocast(z1.device.type, enabled=False):
        whole = all_gather(torch.cat(full_precision(z1, z2), dim=1), comm)
        if whole.shape[0] < 2:
            raise ValueError(f"Barlow Twins: the global batch has {whole.shape[0]} images; correlations need 2 or more")
        centered = whole - whole.mean(dim=0)
        scaled = centered * (centered.square().mean(dim=0) + eps).rsqrt()
        start, stop = share(z1.shape[1], comm)
        dim = z1.shape[1]
        block = scaled[:, :dim].T @ scaled[:, dim + start : dim + stop] / whole.shape[0]
        diagonal = block.diagonal(-start)
        on, off = (1 - diagonal).square().sum(), block.square().sum() - diagonal.square().sum()
        on, off = all_reduce(torch.stack((on, off)), comm).unbind()
        return on, off


class BarlowTwins(Method):
    """``loss = scale (sum_i (1 - C_ii)^2 + redundancy sum_{i != j} C_ij^2)``.

    Parameters
    ----------
    dim
        Pooled features it is given.
    config
        Projector and weights.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    def __init__(self, dim: int, config: BarlowConfig | None = None, *, comm: Communicator | None = None) -> None:
        super().__init__(comm=comm)
        self.config = BarlowConfig() if config is None else config
        self.projector = projector(dim, self.config.projector, comm=comm)

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """Terms of the loss over the global batch. Collective."""
        z1, z2 = self.projector(torch.cat((first.pooled, second.pooled))).chunk(2)
        on, off = cross_correlation_terms(z1, z2, comm=self.comm, eps=self.config.eps)
        loss = self.config.scale * (on + self.config.redundancy * off)
        return {"loss": loss, "invariance": on, "redundancy": off}
