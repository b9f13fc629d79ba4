# SPDX-License-Identifier: BSD-3-Clause
"""LARS: SGD with a learning rate of its own for each layer (You, Gitman, Ginsburg, arXiv 1708.03888)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class LARS(torch.optim.Optimizer):
    """``v = momentum v + s (g + d w)``, ``w = w - lr v`` with ``s = trust |w| / |g + d w|`` per tensor.

    Groups with ``adapt`` false (biases, norms) have s = 1; so has a tensor of norm 0.

    Parameters
    ----------
    params
        Parameters or groups of them.
    lr, momentum, weight_decay
        As in SGD; d is the weight decay.
    trust
        Coefficient of the ratio of norms.

    Notes
    -----
    No communication: gradients are averaged over the ranks before.
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust: float = 0.001,
    ) -> None:
        if lr < 0 or not 0 <= momentum < 1 or weight_decay < 0 or trust <= 0:
            raise ValueError(
                f"LARS: lr={lr}, momentum={momentum}, weight_decay={weight_decay}, trust={trust}; "
                "expected lr, weight_decay >= 0, momentum in [0, 1), trust > 0"
            )
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust": trust, "adapt": True}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns what the closure gives."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, group)
        return loss

    def _move(self, p: Tensor, group: dict[str, Any]) -> None:
        change = p.grad.add(p, alpha=group["weight_decay"]) if p.grad is not None else p
        if group["adapt"]:
            weight, size = p.norm(), change.norm()
            ratio = group["trust"] * weight / size
            change = change * torch.where((weight > 0) & (size > 0), ratio, torch.ones_like(ratio))
        state = self.state[p]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(p)
        state["momentum_buffer"].mul_(group["momentum"]).add_(change)
        p.add_(state["momentum_buffer"], alpha=-group["lr"])
