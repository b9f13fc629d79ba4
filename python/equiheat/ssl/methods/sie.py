# SPDX-License-Identifier: BSD-3-Clause
"""SIE: split invariant and equivariant features, a hypernetwork that moves the latter (Garrido et al., ICML 2023)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from equiheat.communication import Communicator
from equiheat.nn.functional import all_gather
from equiheat.ssl.encoders import Features
from equiheat.ssl.losses import batch_mean, full_precision, variance, vicreg_terms
from equiheat.ssl.methods.base import NONE, Method, Others
from equiheat.ssl.methods.conditions import AUGMENTATIONS, relative, width
from equiheat.ssl.methods.projector import projector
from equiheat.ssl.options import check_fraction, check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class SIEConfig:
    """Options of SIE.

    Parameters
    ----------
    projector
        Widths of each of the two projection heads. The paper has three times 1024.
    equi_fraction
        Share of the features that is equivariant, the last ones.
    conditions
        Parameters the predictor is told; 3DIEBench: ("quaternion",), or with "floor_hue" and "light_hue".
    invariance, equivariance, variance, predicted_variance, covariance
        Weights of the terms.
    """

    projector: tuple[int, ...] = (256, 256, 256)
    equi_fraction: float = 0.5
    conditions: tuple[str, ...] = AUGMENTATIONS
    invariance: float = 10.0
    equivariance: float = 4.5
    variance: float = 10.0
    predicted_variance: float = 10.0
    covariance: float = 1.0

    def __post_init__(self) -> None:
        check_kinds(self)
        if not self.conditions:
            raise ValueError("SIEConfig: conditions is empty; SIE needs to be told how the views differ")
        check_range(self, "projector", 1)
        check_fraction(self)
        check_range(self, "invariance equivariance variance predicted_variance covariance", 0)


class SIE(Method):
    """VICReg on the invariant part; on the equivariant part the second view's embedding is predicted from the first's.

    ``loss = a mse(i1, i2) + e mse(M(t) e1, e2) + v variance([i, e]) + p variance(M(t) e1) + c covariance([i, e])`` with
    i, e the projections of the two parts, t how the views differ, M(t) a matrix that is linear in t (no bias).

    Parameters
    ----------
    dim
        Features it is given.
    config
        Options.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    def __init__(self, dim: int, config: SIEConfig | None = None, *, comm: Communicator | None = None) -> None:
        super().__init__(comm=comm)
        self.config = config = SIEConfig() if config is None else config
        self.equi_dim = min(max(round(dim * config.equi_fraction), 1), dim - 1)
        self.inv_dim = dim - self.equi_dim
        self.inv = projector(self.inv_dim, config.projector, comm=comm)
        self.equi = projector(self.equi_dim, config.projector, comm=comm)
        self.size = config.projector[-1] if config.projector else self.equi_dim
        self.hypernetwork = nn.Linear(width(config.conditions), self.size**2, bias=False)

    def parts(self, dim: int) -> dict[str, tuple[int, int]]:
        """The invariant and the equivariant columns."""
        return {"inv": (0, self.inv_dim), "equi": (self.inv_dim, self.inv_dim + self.equi_dim)}

    def predict(self, embedding: Tensor, conditions: Tensor) -> Tensor:
        """``M(t_b) e_b`` for every row b of (B, d) and (B, k)."""
        matrices = self.hypernetwork(conditions).view(-1, self.size, self.size)
        return torch.einsum("bij,bj->bi", matrices, embedding)

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """Terms of the loss over the global batch. Collective."""
        config, pooled = self.config, torch.cat((first.pooled, second.pooled))
        i1, i2 = self.inv(pooled[:, : self.inv_dim]).chunk(2)
        e1, e2 = self.equi(pooled[:, self.inv_dim :]).chunk(2)
        predicted = self.predict(e1, relative(views, config.conditions))
        terms = sie_terms((i1, i2), (e1, e2), predicted, comm=self.comm)
        loss = sum(getattr(config, name) * term for name, term in terms.items())
        assert isinstance(loss, Tensor)
        return {"loss": loss, **terms}


def sie_terms(
    inv: tuple[Tensor, Tensor], equi: tuple[Tensor, Tensor], predicted: Tensor, *, comm: Communicator
) -> dict[str, Tensor]:
    """The five unweighted terms over the global batch, of (B_r, d) each. Collective: 2 allgathers, 3 allreduces."""
    (i1, i2), (e1, e2), (predicted,) = full_precision(*inv), full_precision(*equi), full_precision(predicted)
    with torch.autocast(i1.device.type, enabled=False):
        regular = vicreg_terms(torch.cat((i1, e1), dim=1), torch.cat((i2, e2), dim=1), comm=comm)
        return {
            "invariance": batch_mean((i1 - i2).square().mean(dim=1), comm=comm),
            "equivariance": batch_mean((predicted - e2).square().mean(dim=1), comm=comm),
            "variance": regular.variance,
            "predicted_variance": variance(all_gather(predicted, comm)),
            "covariance": regular.covariance,
        }
