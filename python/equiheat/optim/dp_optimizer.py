# SPDX-License-Identifier: BSD-3-Clause
"""Optimizers of models that are trained on all ranks at once."""

from __future__ import annotations

from typing import Any

import torch

from equiheat.optim.daso import DASO
from equiheat.optim.reducer import Reducer

__all__ = ["DASO", "DataParallelOptimizer"]


class DataParallelOptimizer:
    """A torch optimizer for `equiheat.nn.DataParallel`: it steps when the averages of the gradients have arrived.

    Parameters
    ----------
    torch_optimizer : torch.optim.Optimizer
        What steps.
    blocking : bool
        Overwritten by `equiheat.nn.DataParallel`, which knows whether gradients are under way.

    Raises
    ------
    TypeError
        If `blocking` is no bool.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> optimizer = ht.optim.DataParallelOptimizer(torch.optim.SGD([weight], lr=1.0))
    >>> weight.grad = torch.ones(2)
    >>> optimizer.step()
    >>> weight.tolist()
    [-1.0, -1.0]
    """

    def __init__(self, torch_optimizer: torch.optim.Optimizer, blocking: bool = False) -> None:
        if not isinstance(torch_optimizer, torch.optim.Optimizer):
            kind = type(torch_optimizer)
            raise TypeError(f"DataParallelOptimizer: torch_optimizer must be an optimizer of torch, is {kind}")
        if not isinstance(blocking, bool):
            raise TypeError(f"DataParallelOptimizer: blocking must be a bool, is {blocking!r}")
        self.torch_optimizer = torch_optimizer
        self.blocking_parameter_updates = blocking
        self.params_ref = torch_optimizer.param_groups[0]["params"]
        self._reducers: list[Reducer] = []

    def follow(self, reducer: Reducer) -> None:
        """Wait for the gradients of a reducer before stepping. Local."""
        self.blocking_parameter_updates = reducer.blocking
        self._reducers.append(reducer)

    def step(self) -> None:
        """Step with the averaged gradients. Collective if they are under way."""
        for reducer in self._reducers:
            reducer.finish()
        self.torch_optimizer.step()

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set the gradients to zero, or to None. Collective if they are under way."""
        for reducer in self._reducers:
            reducer.finish()
        self.torch_optimizer.zero_grad(set_to_none=set_to_none)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Parameters and options of the torch optimizer."""
        return self.torch_optimizer.param_groups

    def state_dict(self) -> dict[str, Any]:
        """The state of the torch optimizer, for a checkpoint; the same on all ranks after the same steps. Local."""
        return self.torch_optimizer.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict`, which all ranks must have. Local."""
        self.torch_optimizer.load_state_dict(state_dict)
