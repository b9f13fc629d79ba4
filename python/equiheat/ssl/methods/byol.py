# SPDX-License-Identifier: BSD-3-Clause
"""BYOL: predict a slowly moving teacher's embedding of the other view (Grill et al., NeurIPS 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from equiheat.communication import Communicator
from equiheat.ssl.encoders import Features
from equiheat.ssl.losses import batch_mean, cosine_distance
from equiheat.ssl.methods.base import NONE, Method, Others, cosine, teacher_of
from equiheat.ssl.methods.projector import projector
from equiheat.ssl.options import check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class BYOLConfig:
    """Options of BYOL.

    Parameters
    ----------
    projector
        Widths of the projection head. The paper has (4096, 256).
    hidden
        Width of the predictor's hidden layer. The paper has 4096.
    momentum
        Share of itself that the teacher keeps in a step, at the start; it rises to 1 along a cosine. The paper's
        0.996 is for 300,000 steps; runs of a few thousand want less.
    """

    projector: tuple[int, ...] = (512, 128)
    hidden: int = 512
    momentum: float = 0.99

    def __post_init__(self) -> None:
        check_kinds(self)
        check_range(self, "projector hidden", 1)
        check_range(self, "momentum", 0, 1)


def byol_loss(q1: Tensor, q2: Tensor, t1: Tensor, t2: Tensor, *, comm: Communicator) -> Tensor:
    """``|q1 - t2|^2 + |q2 - t1|^2`` of the normalised rows, mean over the batches of all ranks.

    q1, q2 (B_r, D) are the student's predictions, t1, t2 the teacher's embeddings, which get no gradient. Collective.
    """
    distances = cosine_distance(q1, t2.detach()) + cosine_distance(q2, t1.detach())
    return 2 * batch_mean(distances, comm=comm)


class BYOL(Method):
    """``loss = byol_loss(q(z1), q(z2), t1, t2)``: z the student's projections, t the teacher's, q the predictor.

    Parameters
    ----------
    dim
        Pooled features it is given.
    config
        Projector, predictor and momentum.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    uses_teacher = True

    def __init__(self, dim: int, config: BYOLConfig | None = None, *, comm: Communicator | None = None) -> None:
        super().__init__(comm=comm)
        self.config = config = BYOLConfig() if config is None else config
        self.projector = projector(dim, config.projector, comm=comm)
        width = config.projector[-1] if config.projector else dim
        self.predictor = projector(width, (config.hidden, width), comm=comm)
        self.teacher = teacher_of(self.projector)

    @property
    def momentum(self) -> float:
        """Rises to 1 along a cosine."""
        return cosine(self.config.momentum, 1.0, self.progress)

    def teacher_pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """The projector and the teacher's."""
        return [(self.projector, self.teacher)]

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """Terms of the loss over the global batch. Collective."""
        if others.teacher is None:
            raise ValueError("BYOL: others.teacher is None; expected the teacher's features of both views")
        q1, q2 = self.predictor(self.projector(torch.cat((first.pooled, second.pooled)))).chunk(2)
        with torch.no_grad():
            t1, t2 = self.teacher(torch.cat((others.teacher[0].pooled, others.teacher[1].pooled))).chunk(2)
        return {"loss": byol_loss(q1, q2, t1, t2, comm=self.comm)}
