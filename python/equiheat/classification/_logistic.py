# SPDX-License-Identifier: BSD-3-Clause
"""The penalised cross-entropy of linear class functions over the samples of all ranks, and its minimum."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch

from equiheat import _core
from equiheat._progress import Progress
from equiheat.base import ConvergenceWarning
from equiheat.communication import Communicator

_BLOCK = 1 << 16  # entries of a block of samples in double precision
_ROUNDING = 64 * torch.finfo(torch.float64).eps
_TRIALS = 8  # points of a line search that are remembered


@dataclass(frozen=True)
class Problem:
    """Mean loss of coefficients of shifted and scaled features, plus the penalty of the unscaled ones.

    Attributes
    ----------
    rows
        Samples, split 0 or replicated.
    codes, weights
        Class and weight of each sample of this rank.
    total
        Sum of all weights.
    classes
        Number of classes; two share one linear function.
    shift, scale
        (f,) of the features.
    penalty
        Of half the squared coefficients, in the mean.
    """

    rows: _core.Array
    codes: torch.Tensor
    weights: torch.Tensor
    total: float
    classes: int
    shift: torch.Tensor
    scale: torch.Tensor
    penalty: float
    intercept: bool

    @property
    def comm(self) -> Communicator:
        """The ranks of the samples."""
        return Communicator._of(self.rows.comm)

    @property
    def outputs(self) -> int:
        """Linear functions."""
        return 1 if self.classes == 2 else self.classes

    def value_and_gradient(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """At theta (outputs, f + 1), the intercepts last. Collective: one allreduce."""
        sums = torch.zeros(theta.numel() + 1, dtype=torch.float64)
        gradient = sums[:-1].view_as(theta)
        step = max(1, _BLOCK // theta.shape[1])
        for first in range(0, self.rows.local.shape[0], step):
            part = slice(first, first + step)
            x = (self.rows.local[part].detach().double() - self.shift) / self.scale
            loss, slope = self._losses(torch.addmm(theta[:, -1], x, theta[:, :-1].t()), self.codes[part])
            w = self.weights[part]
            sums[-1] += (loss * w).sum()
            slope = slope * w.unsqueeze(1)
            gradient[:, :-1] += slope.t() @ x
            gradient[:, -1] += slope.sum(0)
        if self.rows.is_distributed:
            sums = self.comm.allreduce(sums)
        sums = sums / self.total
        gradient = sums[:-1].view_as(theta)
        own = theta[:, :-1] / self.scale
        gradient[:, :-1] += self.penalty * own / self.scale
        if not self.intercept:
            gradient[:, -1] = 0.0
        return sums[-1] + 0.5 * self.penalty * own.square().sum(), gradient

    def _losses(self, logits: torch.Tensor, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Losses of samples and their derivatives. Local."""
        if self.classes == 2:
            margin = logits[:, 0]
            loss = torch.nn.functional.softplus(margin) - margin * codes
            return loss, (torch.sigmoid(margin) - codes).unsqueeze(1)
        logs = torch.log_softmax(logits, 1)
        own = codes.unsqueeze(1)
        slope = logs.exp()
        slope.scatter_add_(1, own, torch.full_like(own, -1, dtype=torch.float64))
        return -logs.gather(1, own).squeeze(1), slope

    def unscaled(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Coefficients (outputs, f) and intercepts (outputs,) of the features themselves. Local."""
        coef = theta[:, :-1] / self.scale
        return coef, theta[:, -1] - coef @ self.shift


def minimise(problem: Problem, max_iter: int, tol: float, bar: Progress) -> tuple[torch.Tensor, int]:
    """The minimum from zero on, and the iterations made. Collective; the steps are the same on all ranks."""
    theta = torch.zeros((problem.outputs, problem.rows.gshape[1] + 1), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [theta], max_iter=1, max_eval=25, history_size=10, tolerance_grad=tol, tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    seen: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []  # a step begins where a trial of the last one was

    def closure() -> torch.Tensor:
        now = theta.detach()
        known = next((entry for entry in seen if torch.equal(entry[0], now)), None)
        if known is None:
            known = (now.clone(), *problem.value_and_gradient(now))
            seen.append(known)
            del seen[:-_TRIALS]
        theta.grad = known[2].clone()
        return known[1]

    least, stalled = math.inf, 0
    for iteration in range(1, max_iter + 1):
        optimizer.step(closure)
        loss = float(closure())
        stalled = stalled + 1 if least - loss <= _ROUNDING * max(1.0, abs(loss)) else 0
        least = min(least, loss)
        assert theta.grad is not None
        slope = float(theta.grad.abs().max())
        bar.update(iteration, f"loss {loss:.6g}, largest derivative {slope:.2e}")
        if slope <= tol or stalled == 2:
            return theta.detach(), iteration
    warnings.warn(
        f"LogisticRegression: no convergence in max_iter = {max_iter} iterations; raise it, or tol",
        ConvergenceWarning,
        stacklevel=3,
    )
    return theta.detach(), max_iter
