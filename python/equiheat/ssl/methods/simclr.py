# SPDX-License-Identifier: BSD-3-Clause
"""SimCLR: contrast of two views against the rest of the batch (Chen, Kornblith, Norouzi, Hinton, ICML 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.nn.functional import all_gather, all_reduce
from equiheat.ssl.encoders import Features
from equiheat.ssl.losses import first_row, full_precision
from equiheat.ssl.methods.base import NONE, Method, Others
from equiheat.ssl.methods.projector import projector
from equiheat.ssl.options import check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class SimCLRConfig:
    """Options of SimCLR.

    Parameters
    ----------
    projector
        Widths of the projection head. The paper has (2048, 128).
    temperature
        Of the softmax. The paper's best is 0.1 on ImageNet at batch 4096, 0.5 on CIFAR-10.
    """

    projector: tuple[int, ...] = (512, 128)
    temperature: float = 0.2

    def __post_init__(self) -> None:
        check_kinds(self)
        check_range(self, "projector", 1)
        check_range(self, "temperature", 0, above=True)


def nt_xent(z1: Tensor, z2: Tensor, *, temperature: float, comm: Communicator) -> Tensor:
    """Normalised temperature-scaled cross entropy over the batches of all ranks.

    Mean over all 2 N embeddings i of ``-log(exp(s(i, j) / t) / sum_{k != i} exp(s(i, k) / t))``, j the other view of
    the same image, s the cosine.

    Parameters
    ----------
    z1, z2
        Shape (B_r, D): this rank's embeddings of the two views.
    temperature
        t.
    comm
        Ranks that share the batch.

    Returns
    -------
    Tensor
        A scalar, the same on every rank, in float32 at least. Collective: one allgather of (B_r, 2, D) numbers, one
        allreduce of a number; each rank compares its own rows with all.
    """
    with torch.autocast(z1.device.type, enabled=False):
        z1, z2 = (F.normalize(z, dim=1) for z in full_precision(z1, z2))
        whole = all_gather(torch.stack((z1, z2), dim=1), comm)
        total, start = whole.shape[0], first_row(z1.shape[0], comm)
        keys = whole.transpose(0, 1).reshape(2 * total, -1)
        own = torch.arange(start, start + z1.shape[0], device=z1.device)
        itself, partner = torch.cat((own, own + total)), torch.cat((own + total, own))
        logits = torch.cat((z1, z2)) @ keys.T / temperature
        logits = logits.scatter(1, itself[:, None], float("-inf"))
        return all_reduce(F.cross_entropy(logits, partner, reduction="sum"), comm) / (2 * total)


class SimCLR(Method):
    """``loss = nt_xent(projector(pooled1), projector(pooled2))``.

    Parameters
    ----------
    dim
        Pooled features it is given.
    config
        Projector and temperature.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    def __init__(self, dim: int, config: SimCLRConfig | None = None, *, comm: Communicator | None = None) -> None:
        super().__init__(comm=comm)
        self.config = SimCLRConfig() if config is None else config
        self.projector = projector(dim, self.config.projector, comm=comm)

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """Terms of the loss over the global batch. Collective."""
        z1, z2 = self.projector(torch.cat((first.pooled, second.pooled))).chunk(2)
        return {"loss": nt_xent(z1, z2, temperature=self.config.temperature, comm=self.comm)}
