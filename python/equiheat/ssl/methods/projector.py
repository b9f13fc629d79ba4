# SPDX-License-Identifier: BSD-3-Clause
"""Projection head between the features and a joint-embedding loss."""

from __future__ import annotations

from torch import nn

from equiheat.communication import Communicator
from equiheat.nn.batchnorm import BatchNorm


def projector(
    dim: int, widths: tuple[int, ...], *, comm: Communicator | None = None, last_norm: bool = False
) -> nn.Sequential:
    """Linear, BatchNorm, ReLU per width, the last one linear alone; no biases; no width at all is the identity.

    A bias before BatchNorm, or before a loss that only sees differences from the batch's mean, has no gradient but
    rounding errors, which Adam would blow up to full steps. With ``last_norm`` the result is normalised, without scale
    and shift.
    """
    layers: list[nn.Module] = []
    for number, width in enumerate(widths):
        last = number == len(widths) - 1
        layers.append(nn.Linear(dim, width, bias=False))
        if not last:
            layers += [BatchNorm(width, comm=comm), nn.ReLU(inplace=True)]
        elif last_norm:
            layers.append(BatchNorm(width, comm=comm, affine=False))
        dim = width
    return nn.Sequential(*layers)
