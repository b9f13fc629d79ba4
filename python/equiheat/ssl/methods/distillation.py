# SPDX-License-Identifier: BSD-3-Clause
"""What DINO and iBOT share: prototype head, centred and sharpened teacher, cross entropy."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from equiheat.communication import Communicator
from equiheat.ssl.losses import full_precision


class PrototypeHead(nn.Module):
    """Perceptron to a bottleneck, unit length, cosines with ``out_dim`` prototypes of unit length.

    Parameters
    ----------
    dim
        Features.
    hidden, bottleneck, out_dim
        Widths: two hidden layers, the bottleneck, the prototypes.
    """

    def __init__(self, dim: int, *, hidden: int, bottleneck: int, out_dim: int) -> None:
        super().__init__()
        widths = (dim, hidden, hidden, bottleneck)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.GELU()]
        self.mlp = nn.Sequential(*layers[:-1])
        self.prototypes = nn.Parameter(torch.empty(out_dim, bottleneck))
        nn.init.trunc_normal_(self.prototypes, std=0.02)
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., dim) to scores (..., out_dim) in -1 to 1, float32 at least."""
        (bottleneck,) = full_precision(self.mlp(x))
        with torch.autocast(x.device.type, enabled=False):
            return F.linear(F.normalize(bottleneck, dim=-1), F.normalize(self.prototypes, dim=-1))


def cross_entropy(target: Tensor, scores: Tensor, temperature: float) -> Tensor:
    """``-sum_k target_k log softmax(scores / temperature)_k`` over the last axis."""
    return -(target * F.log_softmax(scores / temperature, dim=-1)).sum(dim=-1)


class Centre(nn.Module):
    """Running mean of the teacher's scores over the global batch, and the distributions that it gives.

    Parameters
    ----------
    out_dim
        Prototypes.
    momentum
        Share of itself that the mean keeps in a step.
    comm
        Ranks that share the batch.
    """

    centre: Tensor

    def __init__(self, out_dim: int, *, momentum: float, comm: Communicator) -> None:
        super().__init__()
        self.momentum, self.comm = momentum, comm
        self.register_buffer("centre", torch.zeros(out_dim))

    @torch.no_grad()
    def distributions(self, scores: Tensor, temperature: float) -> Tensor:
        """``softmax((scores - centre) / temperature)`` over the last axis."""
        return F.softmax((scores - self.centre) / temperature, dim=-1)

    @torch.no_grad()
    def update(self, scores: Tensor) -> None:
        """Take in the scores (..., out_dim) of this rank's rows. Collective: one allreduce."""
        rows = scores.reshape(-1, scores.shape[-1])
        count = rows.new_tensor([float(rows.shape[0])])
        total = self.comm.allreduce(torch.cat((rows.sum(dim=0), count)))
        mean = total[:-1] / total[-1].clamp(min=1)
        self.centre.lerp_(mean.to(self.centre.dtype), 1 - self.momentum)


@torch.no_grad()
def teacher_figures(distributions: Tensor, comm: Communicator) -> dict[str, Tensor]:
    """Is the teacher collapsing? Of its distributions (..., B_r, K) over the global batch.

    ``teacher_entropy`` is their mean entropy: log K when all are uniform. ``teacher_spread`` is the entropy of their
    mean: 0 when all images get one prototype. Collective: one allreduce of K + 2 numbers.
    """
    rows = distributions.reshape(-1, distributions.shape[-1])
    own = rows.new_tensor([float(rows.shape[0])])
    total = comm.allreduce(torch.cat((rows.sum(dim=0), entropy(rows).sum()[None], own)))
    count = total[-1].clamp(min=1)
    return {"teacher_entropy": total[-2] / count, "teacher_spread": entropy(total[:-2] / count)}


def entropy(distributions: Tensor) -> Tensor:
    """``-sum p log p`` over the last axis."""
    return -torch.xlogy(distributions, distributions).sum(dim=-1)
