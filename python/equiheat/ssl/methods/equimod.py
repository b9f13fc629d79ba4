# SPDX-License-Identifier: BSD-3-Clause
"""EquiMod: contrast, and a predictor of how an augmentation moves the embedding (Devillers, Lefort, ICLR 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from equiheat.communication import Communicator
from equiheat.ssl.encoders import Features
from equiheat.ssl.methods.base import NONE, Method, Others
from equiheat.ssl.methods.conditions import AUGMENTATIONS, of_view, relative, width
from equiheat.ssl.methods.projector import projector
from equiheat.ssl.methods.simclr import nt_xent
from equiheat.ssl.options import check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class EquiModConfig:
    """Options of EquiMod.

    Parameters
    ----------
    projector
        Widths of each of the two projection heads: for invariance, for equivariance.
    temperature, equi_temperature
        Of the two softmaxes.
    weight
        Of the equivariance loss beside SimCLR's.
    conditions
        Parameters the predictor is told.
    action
        Width of the embedding of the conditions.
    hidden
        Width of the predictor's hidden layer; 0: it is linear.
    source
        What is moved: the "original" image's embedding towards each view's (the paper), or the "first" view's towards
        the second's (data without originals, such as 3DIEBench).
    """

    projector: tuple[int, ...] = (512, 128)
    temperature: float = 0.2
    equi_temperature: float = 0.2
    weight: float = 1.0
    conditions: tuple[str, ...] = AUGMENTATIONS
    action: int = 128
    hidden: int = 0
    source: Literal["original", "first"] = "original"

    def __post_init__(self) -> None:
        check_kinds(self)
        if not self.conditions:
            raise ValueError("EquiModConfig: conditions is empty; EquiMod needs to be told how the views differ")
        check_range(self, "projector action", 1)
        check_range(self, "temperature equi_temperature", 0, above=True)
        check_range(self, "weight hidden", 0)


class EquiMod(Method):
    """``loss = nt_xent(z1, z2) + weight nt_xent(moved, reached)``.

    z are projections for invariance; "reached" are the views' projections for equivariance, "moved" those of the source
    after the predictor, which is told the augmentation; the other images of the batch are the negatives of both.

    Parameters
    ----------
    dim
        Features it is given.
    config
        Options.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    def __init__(self, dim: int, config: EquiModConfig | None = None, *, comm: Communicator | None = None) -> None:
        super().__init__(comm=comm)
        self.config = config = EquiModConfig() if config is None else config
        self.uses_original = config.source == "original"
        self.inv = projector(dim, config.projector, comm=comm)
        self.equi = projector(dim, config.projector, comm=comm)
        size = config.projector[-1] if config.projector else dim
        self.action = nn.Sequential(nn.Linear(width(config.conditions), config.action), nn.ReLU(inplace=True))
        widths = (config.hidden, size) if config.hidden else (size,)
        self.predictor = projector(size + config.action, widths, comm=comm)

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """Terms of the loss over the global batch. Collective."""
        config, pooled = self.config, torch.cat((first.pooled, second.pooled))
        z1, z2 = self.inv(pooled).chunk(2)
        invariance = nt_xent(z1, z2, temperature=config.temperature, comm=self.comm)
        moved, reached = self._moved(pooled, views, others)
        equivariance = nt_xent(moved, reached, temperature=config.equi_temperature, comm=self.comm)
        loss = invariance + config.weight * equivariance
        return {"loss": loss, "invariance": invariance, "equivariance": equivariance}

    def _moved(self, pooled: Tensor, views: Views, others: Others) -> tuple[Tensor, Tensor]:
        names, count = self.config.conditions, views.first.shape[0]
        if self.config.source == "first":
            y1, y2 = self.equi(pooled).chunk(2)
            return self.predictor(torch.cat((y1, self.action(relative(views, names))), dim=1)), y2
        if others.original is None:
            raise ValueError(
                "EquiMod: others.original is None; expected the features of the images without augmentation: make the "
                "views with TwoViews(..., original=True), or take source='first'"
            )
        y = self.equi(torch.cat((pooled, others.original.pooled)))
        told = [of_view(parameters, names, views.first) for parameters in (views.parameters1, views.parameters2)]
        source = y[2 * count :].repeat(2, 1)
        return self.predictor(torch.cat((source, self.action(torch.cat(told))), dim=1)), y[: 2 * count]
