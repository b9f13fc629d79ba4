# SPDX-License-Identifier: BSD-3-Clause
"""Gradients of element-wise operations, reductions and running totals, through every distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from op_cases import combinations

import equiheat as ht
from equiheat import _core
from equiheat._base import wrap

GRADIENTS = {
    "exp": ht.exp, "sin": ht.sin, "log": lambda x: ht.log(x * x + 1), "sqrt": lambda x: ht.sqrt(x * x + 1),
    "absolute": ht.absolute, "square": ht.square, "sinc": ht.sinc, "tanh": ht.tanh, "cbrt": ht.cbrt,
    "clip": lambda x: ht.clip(x, -1.0, 1.0), "where": lambda x: ht.where(x > 0, x * x, -x),
}  # fmt: skip


def weighted(x: ht.DNDarray) -> torch.Tensor:
    """One global scalar with a different weight for every element."""
    weights = np.arange(1.0, x.size + 1).reshape(x.shape) / max(x.size, 1)
    return (x * weights).sum().larray


@pytest.mark.parametrize("name", list(GRADIENTS))
@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradients_of_functions(name: str, split: int | None) -> None:
    def loss(t: torch.Tensor) -> torch.Tensor:
        return weighted(GRADIENTS[name](ht.DNDarray.resplit(replicated(t), split)))

    torch.manual_seed(0)
    t = torch.randn(5, 3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(loss, (t,))


def replicated(t: torch.Tensor) -> ht.DNDarray:
    """A tensor that every rank holds whole."""
    return wrap(_core.Array(t, list(t.shape), None, None, ht.get_comm().core))


@pytest.mark.parametrize("name", ["add", "multiply", "divide", "power", "maximum", "hypot", "arctan2", "logaddexp"])
def test_gradients_of_operations(name: str) -> None:
    torch.manual_seed(1)
    a = (torch.rand(5, 3, dtype=torch.float64) + 0.5).requires_grad_()
    b = (torch.rand(3, dtype=torch.float64) + 0.7).requires_grad_()
    for pa, pb in combinations((None, 0, 1), (None, 0)):

        def loss(s: torch.Tensor, t: torch.Tensor, pa: int | None = pa, pb: int | None = pb) -> torch.Tensor:
            x, y = replicated(s).resplit(pa), replicated(t).resplit(pb)
            return weighted(getattr(ht, name)(x, y))

        assert torch.autograd.gradcheck(loss, (a, b))
