# SPDX-License-Identifier: BSD-3-Clause
"""SimSiam: a predictor and a stopped gradient, without teacher or negatives (Chen, He, CVPR 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.ssl.encoders import Features
from equiheat.ssl.losses import batch_mean, cosine_distance
from equiheat.ssl.methods.base import NONE, Method, Others
from equiheat.ssl.methods.projector import projector
from equiheat.ssl.options import check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class SimSiamConfig:
    """Options of SimSiam.

    Parameters
    ----------
    projector
        Widths of the projection head, whose result is normalised over the batch. The paper has three times 2048.
    hidden
        Width of the bottleneck of the predictor. The paper has a quarter of the projector's width.
    """

    projector: tuple[int, ...] = (512, 512, 512)
    hidden: int = 128

    def __post_init__(self) -> None:
        check_kinds(self)
        check_range(self, "projector hidden", 1)


def simsiam_loss(p1: Tensor, p2: Tensor, z1: Tensor, z2: Tensor, *, comm: Communicator) -> Tensor:
    """``-(cos(p1, stop(z2)) + cos(p2, stop(z1))) / 2``, mean over all ranks' rows; (B_r, D) each. Collective."""
    distances = cosine_distance(p1, z2.detach()) + cosine_distance(p2, z1.detach())
    return batch_mean(distances, comm=comm) / 2 - 1


class SimSiam(Method):
    """``loss = simsiam_loss(h(z1), h(z2), z1, z2)`` with z = projector(pooled), h the predictor.

    Parameters
    ----------
    dim
        Pooled features it is given.
    config
        Projector and predictor.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    def __init__(self, dim: int, config: SimSiamConfig | None = None, *, comm: Communicator | None = None) -> None:
        super().__init__(comm=comm)
        self.config = config = SimSiamConfig() if config is None else config
        self.projector = projector(dim, config.projector, comm=comm, last_norm=True)
        width = config.projector[-1] if config.projector else dim
        self.predictor = projector(width, (config.hidden, width), comm=comm)

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """Terms of the loss over the global batch. Collective."""
        z = self.projector(torch.cat((first.pooled, second.pooled)))
        (p1, p2), (z1, z2) = self.predictor(z).chunk(2), z.chunk(2)
        return {"loss": simsiam_loss(p1, p2, z1, z2, comm=self.comm)}
