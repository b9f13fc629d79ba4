# SPDX-License-Identifier: BSD-3-Clause
"""One iteration of expectation maximisation of a mixture of normal distributions, over the samples of all ranks.

Everything is float64 and about a point near the samples' mean. A covariance is held by the Cholesky factor P of its
inverse, for which ``norm((x - mean) @ P)**2`` is the squared Mahalanobis distance: (k, f, f) for 'full' and 'tied'
(k = 1), standard deviations' inverses (k, f) for 'diag' and (k, 1) for 'spherical'.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from equiheat import _core
from equiheat.communication import Communicator

_BLOCK = 1 << 18  # numbers in the largest temporary


@dataclass(frozen=True)
class Parameters:
    """Weights (k,), means (k, f) about the shift, and Cholesky factors of the precisions."""

    weights: torch.Tensor
    means: torch.Tensor
    precisions: torch.Tensor


@dataclass(frozen=True)
class Sums:
    """Sums over the samples of all ranks.

    Attributes
    ----------
    likelihood
        Of the logarithms of the densities.
    counts, first, second
        (k,), (k, f), (k, f, f) or (k, f): responsibilities, times deviations from the means, times their products.
    """

    likelihood: float
    counts: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor


class Expectation:
    """Passes over samples.

    Parameters
    ----------
    rows
        Samples, split 0 or replicated.
    shift
        (f,) near their mean.
    kind
        'full', 'tied', 'diag' or 'spherical'.
    """

    def __init__(self, rows: _core.Array, shift: torch.Tensor, kind: str) -> None:
        self.rows, self.shift, self.kind = rows, shift, kind
        self.matrices = kind in ("full", "tied")

    def log_joint(self, x: torch.Tensor, p: Parameters) -> tuple[torch.Tensor, torch.Tensor]:
        """Log of weight times density of every component, (rows, k), and deviations from the means (k, rows, f)."""
        deviations = x.unsqueeze(0) - p.means.unsqueeze(1)
        if self.matrices:
            scaled = torch.matmul(deviations, p.precisions)
            logdet = p.precisions.diagonal(dim1=1, dim2=2).log().sum(1)
        else:
            scaled = deviations * p.precisions.unsqueeze(1)
            logdet = p.precisions.log().expand(-1, x.shape[1]).sum(1)
        constant = p.weights.log() + logdet - 0.5 * x.shape[1] * math.log(2 * math.pi)
        return constant - 0.5 * scaled.square().sum(2).t(), deviations

    def blocks(self, components: int) -> list[slice]:
        """Ranges of this rank's rows whose temporaries stay small."""
        n, f = self.rows.local.shape
        step = max(64, _BLOCK // (components * f))
        return [slice(first, min(first + step, n)) for first in range(0, n, step)]

    def block(self, part: slice) -> torch.Tensor:
        """These rows, about the shift."""
        return self.rows.local[part].detach().double() - self.shift

    def second(self, deviations: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        """Sums of products of deviations (k, rows, f) weighted by shares (k, rows)."""
        weighted = deviations * shares.unsqueeze(2)
        return torch.matmul(deviations.mT, weighted) if self.matrices else (deviations * weighted).sum(1)

    def _empty(self, k: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """One buffer and views of its parts: likelihood, counts and first, second."""
        f = self.rows.gshape[1]
        shape = (k, f, f) if self.matrices else (k, f)
        size = math.prod(shape)
        buffer = torch.zeros(1 + k * (f + 1) + size, dtype=torch.float64)
        return buffer, buffer[1 : 1 + k], buffer[1 + k : 1 + k * (f + 1)].view(k, f), buffer[-size:].view(shape)

    def _total(self, buffer: torch.Tensor, k: int) -> Sums:
        if self.rows.is_distributed:
            buffer = Communicator._of(self.rows.comm).allreduce(buffer)
        f = self.rows.gshape[1]
        second = buffer[1 + k * (f + 1) :].view((k, f, f) if self.matrices else (k, f))
        return Sums(float(buffer[0]), buffer[1 : 1 + k], buffer[1 + k : 1 + k * (f + 1)].view(k, f), second)

    def sums(self, p: Parameters) -> Sums:
        """One pass: densities, responsibilities and what the next parameters need. Collective: one allreduce."""
        k = len(p.weights)
        buffer, counts, first, second = self._empty(k)
        for part in self.blocks(k):
            joint, deviations = self.log_joint(self.block(part), p)
            density = torch.logsumexp(joint, 1)
            shares = (joint - density.unsqueeze(1)).exp_().t()
            buffer[0] += density.sum()
            counts += shares.sum(1)
            first += torch.matmul(shares.unsqueeze(1), deviations).squeeze(1)
            second += self.second(deviations, shares)
        return self._total(buffer, k)

    def sums_of_labels(self, labels: torch.Tensor, means: torch.Tensor) -> Sums:
        """The same for samples that belong to one component each, about given means. Collective: one allreduce."""
        k = len(means)
        buffer, counts, first, second = self._empty(k)
        for part in self.blocks(k):
            shares = torch.nn.functional.one_hot(labels[part], k).double().t()
            deviations = self.block(part).unsqueeze(0) - means.unsqueeze(1)
            counts += shares.sum(1)
            first += torch.matmul(shares.unsqueeze(1), deviations).squeeze(1)
            second += self.second(deviations, shares)
        return self._total(buffer, k)

    def parameters(self, s: Sums, before: torch.Tensor, reg: float) -> Parameters:
        """Weights, means and precisions of largest likelihood, from deviations from the means before. Local."""
        counts = s.counts + 10 * torch.finfo(torch.float64).eps
        step = s.first / counts.unsqueeze(1)
        means = before + step
        weights = counts / counts.sum()
        covariances = self.covariances(s, counts, step, reg)
        return Parameters(weights, means, self.cholesky(covariances))

    def covariances(self, s: Sums, counts: torch.Tensor, step: torch.Tensor, reg: float) -> torch.Tensor:
        """(k, f, f), (1, f, f), (k, f) or (k, 1): about the new means, with `reg` added to variances. Local."""
        if not self.matrices:
            variances = s.second / counts.unsqueeze(1) - step.square() + reg
            return variances.mean(1, keepdim=True) if self.kind == "spherical" else variances
        own = s.second / counts.view(-1, 1, 1) - step.unsqueeze(2) * step.unsqueeze(1)
        if self.kind == "tied":
            own = (own * (counts / counts.sum()).view(-1, 1, 1)).sum(0, keepdim=True)
        own = 0.5 * (own + own.mT)
        own.diagonal(dim1=1, dim2=2).add_(reg)
        return own

    def cholesky(self, covariances: torch.Tensor) -> torch.Tensor:
        """Factors of the precisions.

        Raises
        ------
        ValueError
            A covariance is not positive definite.
        """
        if not self.matrices:
            if bool((covariances <= 0).any()):
                raise ValueError(_SINGULAR)
            return covariances.rsqrt()
        factor, info = torch.linalg.cholesky_ex(covariances)
        if bool((info != 0).any()):
            raise ValueError(_SINGULAR)
        unit = torch.eye(covariances.shape[-1], dtype=torch.float64).expand_as(factor)
        return torch.linalg.solve_triangular(factor, unit, upper=False).mT

    def covariances_of(self, precisions: torch.Tensor) -> torch.Tensor:
        """Covariances from factors of the precisions. Local."""
        if not self.matrices:
            return precisions.pow(-2)
        return torch.linalg.inv(precisions @ precisions.mT)


_SINGULAR = (
    "GaussianMixture: a component's covariance is not positive definite: it has too few samples, or they are equal. "
    "Choose fewer components or a larger reg_covar"
)
