# SPDX-License-Identifier: BSD-3-Clause
"""Dual numbers: a derivative forwards is that of the whole array, or refused; it is never lost."""

from __future__ import annotations

import pytest
import torch
from layouts import replicated, size
from test_second_derivatives import FUNCTIONS, REFUSED, Function
from torch.autograd import forward_ad

import equiheat as ht

# torch.autograd.forward_ad loads rules that torch still compiles by torch.jit.
pytestmark = [pytest.mark.filterwarnings(f"ignore:`torch.jit:{w}") for w in ("DeprecationWarning", "FutureWarning")]

LOCAL: dict[str, Function] = {
    "elementwise": lambda x: ht.exp(x) * x,
    "columns": lambda x: (x * x).sum(1),
    "slice": lambda x: x[:, 1:] ** 2,
}


def loss(function: Function, x: ht.DNDarray) -> ht.DNDarray:
    """A weighted sum."""
    result = function(x)
    weights = ht.arange(result.size, dtype=ht.float64).reshape(result.shape) + 1
    return (result * weights).sum()


def by_gradient(function: Function, t: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """The derivative in a direction, backwards, of the whole array."""
    t = t.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(function, replicated(t)).larray, t)
    return (gradient * direction).sum()


def by_dual_numbers(function: Function, x: ht.DNDarray, direction: ht.DNDarray) -> torch.Tensor | None:
    """The same forwards; None where it was refused."""
    with forward_ad.dual_level():
        x.larray = forward_ad.make_dual(x.larray, direction.larray)
        try:
            result = loss(function, x).larray
        except NotImplementedError as refusal:
            if "a dual number" not in str(refusal):
                raise
            return None
        return forward_ad.unpack_dual(result).tangent


@pytest.mark.parametrize("split", [None, 0, 1])
@pytest.mark.parametrize("name", [*FUNCTIONS, *LOCAL])
def test_no_tangent_is_lost(name: str, split: int | None) -> None:
    torch.manual_seed(0)
    function = {**FUNCTIONS, **LOCAL}[name]
    t, direction = torch.rand(5, 3, dtype=torch.float64) + 0.5, torch.rand(5, 3, dtype=torch.float64)
    found = by_dual_numbers(function, replicated(t).resplit(split), replicated(direction).resplit(split))
    if found is not None:
        torch.testing.assert_close(found, by_gradient(function, t, direction))
    else:
        assert size() > 1 or name not in LOCAL


@pytest.mark.parametrize("name", list(REFUSED))
def test_no_tangent_is_lost_in_factorisations(name: str) -> None:
    torch.manual_seed(1)
    t, direction = torch.rand(20, 20, dtype=torch.float64), torch.rand(20, 20, dtype=torch.float64)
    found = by_dual_numbers(REFUSED[name], replicated(t).resplit(0), replicated(direction).resplit(0))
    if found is not None:
        torch.testing.assert_close(found, by_gradient(REFUSED[name], t, direction))
