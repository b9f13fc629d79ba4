# SPDX-License-Identifier: BSD-3-Clause
"""Quantiles of the gamma distribution: torch has the distribution function alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_ROUNDS = 40  #: of Halley's method at most; 3 to 5 are enough for nearly all
_SMALL = 1e-8  #: a relative step after which the next one is below rounding: convergence is cubic


def log_gamma_quantile(a: float, u: Tensor) -> Tensor:
    """Logarithm of the gamma distribution's quantile of u, for shape a and scale 1.

    Halley's method on ``P(a, x) = u`` from Wilson's and Hilferty's approximation, or from the series at 0 (Abramowitz
    and Stegun 26.4.17, 6.5.29). Logarithms, since quantiles of small shapes underflow. What an element gets does not
    depend on the others.

    Parameters
    ----------
    a
        Shape, positive.
    u
        float64, in (0, 1).
    """
    shape, u = u.shape, in_whole_vectors(u, 0.5)
    series = (torch.log(u) + math.lgamma(a + 1)) / a  # P(a, x) = x^a / Gamma(a + 1) (1 - a x / (a + 1) + O(x^2))
    found = series + torch.exp(series.clamp(max=0.0)) / (a + 1)
    for lower in (True, False):  # of the two tails the smaller one has the more digits
        chosen = ((series > -20.0) & ((u < 0.5) == lower)).nonzero(as_tuple=True)
        found[chosen] = _solved(a, u[chosen], series[chosen], lower)
    return found[: shape.numel()].view(shape)


def in_whole_vectors(x: Tensor, filling: float) -> Tensor:
    """X as one axis, filled up to a multiple of 64 elements.

    torch computes the last few elements of a block with other instructions, which may round in another way; what an
    element gets would depend on where the ranks' blocks end.
    """
    return torch.nn.functional.pad(x.reshape(-1), (0, -x.numel() % 64), value=filling)


def _solved(a: float, u: Tensor, series: Tensor, lower: bool) -> Tensor:
    """Logarithms of the solutions."""
    count, u, series = u.numel(), in_whole_vectors(u, 0.5), in_whole_vectors(series, 0.0)
    root = 1 - 1 / (9 * a) + torch.special.ndtri(u) / (3 * math.sqrt(a))
    x = torch.where(root > 0.3, a * root**3, torch.exp(series.clamp(max=math.log(a))))
    active = torch.arange(count)
    for _ in range(_ROUNDS):
        before = x[active]
        after = _improved(a, in_whole_vectors(u[active], 0.5), in_whole_vectors(before, 1.0), lower)[: before.numel()]
        x[active] = after
        active = active[(after - before).abs() > _SMALL * before]
        if active.numel() == 0:
            break
    return torch.log(x)[:count]


def _improved(a: float, u: Tensor, x: Tensor, lower: bool) -> Tensor:
    """One step; to no less than half of x, no more than twice x + 1."""
    shape = torch.full((), a, dtype=u.dtype)
    density = torch.exp((a - 1) * torch.log(x) - x - math.lgamma(a))
    miss = torch.special.gammainc(shape, x) - u if lower else (1 - u) - torch.special.gammaincc(shape, x)
    newton = miss / density.clamp(min=1e-300)
    step = newton / (1 - 0.5 * (newton * ((a - 1) / x - 1)).clamp(max=1.0))
    return torch.maximum(torch.minimum(x - step, 2 * x + 1), 0.5 * x)
