# SPDX-License-Identifier: BSD-3-Clause
"""DINO: self-distillation with a centred, sharpened teacher and small crops (Caron et al., ICCV 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from equiheat.communication import Communicator
from equiheat.ssl.encoders import Features
from equiheat.ssl.losses import batch_mean
from equiheat.ssl.methods.base import NONE, Method, Others, cosine, ramp, teacher_of
from equiheat.ssl.methods.distillation import Centre, PrototypeHead, cross_entropy, teacher_figures
from equiheat.ssl.options import check_interval, check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class DINOConfig:
    """Options of DINO.

    Parameters
    ----------
    out_dim
        Prototypes. The paper has 65536; small data sets want fewer.
    hidden, bottleneck
        Widths of the head.
    student_temperature
        Of the student's softmax.
    teacher_temperature, teacher_temperature_start, warmup
        The teacher's rises linearly from the start over this fraction of the run.
    centre_momentum
        Share of itself that the centre keeps in a step.
    momentum
        Share of itself that the teacher keeps in a step, at the start; it rises to 1 along a cosine.
    local_crops, local_size, local_scale
        Small crops beside the two views, which only the student sees: how many, their side in pixels (0: half the
        image's), smallest and largest area as fractions of the image. The paper has 8 or 10 of 96 pixels, 0.05 to 0.4.
    """

    out_dim: int = 1024
    hidden: int = 512
    bottleneck: int = 128
    student_temperature: float = 0.1
    teacher_temperature: float = 0.07
    teacher_temperature_start: float = 0.04
    warmup: float = 0.3
    centre_momentum: float = 0.9
    momentum: float = 0.99
    local_crops: int = 0
    local_size: int = 0
    local_scale: tuple[float, float] = (0.1, 0.4)

    def __post_init__(self) -> None:
        check_kinds(self)
        check_range(self, "out_dim hidden bottleneck", 1)
        check_range(self, "student_temperature teacher_temperature teacher_temperature_start", 0, above=True)
        check_range(self, "warmup centre_momentum momentum", 0, 1)
        check_range(self, "local_crops local_size", 0)
        check_range(self, "local_scale", 0, 1, above=True)
        check_interval(self, "local_scale")
        if self.local_size and not self.local_crops:
            raise ValueError(f"dino.local_size is {self.local_size}, but there are no small crops: set local_crops too")


def dino_loss(student: list[Tensor], teacher: list[Tensor], *, temperature: float, comm: Communicator) -> Tensor:
    """Mean over the pairs of *different* views, and over the global batch, of the cross entropy H(teacher, student).

    Parameters
    ----------
    student
        Scores (B_r, K) of every view, the two large ones first.
    teacher
        Distributions (B_r, K) of the two large views.
    temperature
        The student's.
    comm
        Ranks that share the batch. Collective: one allreduce.
    """
    terms = [
        cross_entropy(target, scores, temperature)
        for t, target in enumerate(teacher)
        for s, scores in enumerate(student)
        if s != t
    ]
    return batch_mean(torch.stack(terms).mean(dim=0), comm=comm)


def check_local(config: DINOConfig, others: Others) -> None:
    """Small crops that were asked for are there."""
    if len(others.local) != config.local_crops:
        raise ValueError(
            f"DINO: there are {len(others.local)} small crops, local_crops is {config.local_crops}: make views with "
            f"TwoViews(..., local=local_view(view, local_scale), local_crops={config.local_crops}, local_size=...)"
        )


class DINO(Method):
    """``loss = dino_loss(head(pooled) of all views, softmax((teacher(pooled) - centre) / t) of the two large ones)``.

    The pooled feature stands where the paper has the class token.

    Parameters
    ----------
    dim
        Pooled features it is given.
    config
        Head, temperatures, momenta, small crops.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    uses_teacher = True
    uses_local = True

    def __init__(self, dim: int, config: DINOConfig | None = None, *, comm: Communicator | None = None) -> None:
        super().__init__(comm=comm)
        self.config = config = DINOConfig() if config is None else config
        self.head = PrototypeHead(dim, hidden=config.hidden, bottleneck=config.bottleneck, out_dim=config.out_dim)
        self.teacher = teacher_of(self.head)
        self.centre = Centre(config.out_dim, momentum=config.centre_momentum, comm=self.comm)

    @property
    def momentum(self) -> float:
        """Rises to 1 along a cosine."""
        return cosine(self.config.momentum, 1.0, self.progress)

    @property
    def teacher_temperature(self) -> float:
        """Now."""
        config = self.config
        return ramp(config.teacher_temperature_start, config.teacher_temperature, self.progress, config.warmup)

    def teacher_pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """The head and the teacher's."""
        return [(self.head, self.teacher)]

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """Terms of the loss over the global batch. Collective."""
        if others.teacher is None:
            raise ValueError("DINO: others.teacher is None; expected the teacher's features of both views")
        check_local(self.config, others)
        pooled = [first.pooled, second.pooled, *(crop.pooled for crop in others.local)]
        student = list(self.head(torch.cat(pooled)).split(first.pooled.shape[0])) if len(first.pooled) else []
        student = student or [self.head(x) for x in pooled]  # this rank has no image: split gives nothing
        with torch.no_grad():
            scores = torch.stack([self.teacher(x.pooled) for x in others.teacher])
            targets = self.centre.distributions(scores, self.teacher_temperature)
        loss = dino_loss(student, list(targets), temperature=self.config.student_temperature, comm=self.comm)
        told = teacher_figures(targets, self.comm)
        if self.training:
            self.centre.update(scores)
        return {"loss": loss, **told}
