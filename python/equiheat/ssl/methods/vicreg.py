# SPDX-License-Identifier: BSD-3-Clause
"""VICReg: variance-invariance-covariance regularisation (Bardes, Ponce, LeCun, ICLR 2022)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.ssl.encoders import Features
from equiheat.ssl.losses import vicreg_terms
from equiheat.ssl.methods.base import NONE, Method, Others
from equiheat.ssl.methods.projector import projector
from equiheat.ssl.options import check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class VICRegConfig:
    """Options of VICReg.

    Parameters
    ----------
    projector
        Widths of the projection head. The paper has three times 8192; 512 fits small encoders and batches.
    invariance, variance, covariance
        Weights of the terms.
    eps
        Added to the variance under the square root.
    """

    projector: tuple[int, ...] = (512, 512, 512)
    invariance: float = 25.0
    variance: float = 25.0
    covariance: float = 1.0
    eps: float = 1e-4

    def __post_init__(self) -> None:
        check_kinds(self)
        check_range(self, "projector", 1)
        check_range(self, "invariance variance covariance", 0)
        check_range(self, "eps", 0, above=True)


class VICReg(Method):
    """``loss = a invariance(z1, z2) + b variance(z1, z2) + c covariance(z1, z2)`` with z = projector(pooled).

    Parameters
    ----------
    dim
        Pooled features it is given.
    config
        Weights and projector.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    def __init__(self, dim: int, config: VICRegConfig | None = None, *, comm: Communicator | None = None) -> None:
        super().__init__(comm=comm)
        self.config = VICRegConfig() if config is None else config
        self.projector = projector(dim, self.config.projector, comm=comm)

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """Terms of the loss over the global batch. Collective."""
        config = self.config
        z1, z2 = self.projector(torch.cat((first.pooled, second.pooled))).chunk(2)
        terms = vicreg_terms(z1, z2, comm=self.comm, eps=config.eps)
        loss = (
            config.invariance * terms.invariance
            + config.variance * terms.variance
            + config.covariance * terms.covariance
        )
        return {"loss": loss, **terms._asdict()}
