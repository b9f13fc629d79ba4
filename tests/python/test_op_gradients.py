# SPDX-License-Identifier: BSD-3-Clause
"""Gradients of element-wise operations, reductions and running totals, through every distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from layouts import distribute, replicated
from op_cases import combinations

import equiheat as ht

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


REDUCED = {
    "sum": lambda x, axis: x.sum(axis), "prod": lambda x, axis: x.prod(axis), "mean": lambda x, axis: x.mean(axis),
    "max": lambda x, axis: x.max(axis), "min": lambda x, axis: x.min(axis), "var": lambda x, axis: x.var(axis),
    "std": lambda x, axis: x.std(axis, ddof=1), "nansum": lambda x, axis: ht.nansum(x, axis),
    "cumsum": lambda x, axis: x.cumsum(axis), "cumprod": lambda x, axis: x.cumprod(axis),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REDUCED))
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_gradients_of_reductions(name: str, axis: int | None) -> None:
    torch.manual_seed(2)
    rows = 4 if axis is not None or name not in ("prod", "cumprod") else 3
    t = (torch.rand(rows, 3, dtype=torch.float64) + 0.3).requires_grad_()
    for split in (None, 0, 1):

        def loss(s: torch.Tensor, split: int | None = split) -> torch.Tensor:
            return weighted(REDUCED[name](replicated(s).resplit(split) * 1.5, axis))

        assert torch.autograd.gradcheck(loss, (t,))


#: A rank of few rows starts no window, or has no entry of the diagonal; adjoints of what came before are of all ranks.
NOTHING_LEFT = {
    "diff": lambda x: ht.diff(x, axis=0), "gradient": lambda x: ht.gradient(x, axis=0),
    "trapezoid": lambda x: ht.trapezoid(x, axis=0), "windows": lambda x: ht.sliding_window_view(x, 3, 0),
    "diagonal": lambda x: ht.linalg.diagonal(ht.flip(x, 0), offset=-3), "einsum": lambda x: ht.einsum("ii->i", x),
}  # fmt: skip


@pytest.mark.parametrize("name", list(NOTHING_LEFT))
def test_gradients_where_a_rank_has_nothing_of_the_result(name: str) -> None:
    torch.manual_seed(3)
    t = torch.rand(5, 5, dtype=torch.float64)
    others = ht.get_comm().size - 1
    weights = torch.rand(NOTHING_LEFT[name](replicated(t)).shape, dtype=torch.float64).numpy()
    for first in (5, 4, 1, 0):
        gradients = []
        counts = [first, *[0] * (others - 1), 5 - first] if others else [5]
        for x in (replicated(t.clone()), distribute(t.numpy(), 0, counts)):
            (NOTHING_LEFT[name](x.requires_grad_()) * weights).sum().backward()
            gradients.append(x.grad.numpy())
        np.testing.assert_allclose(gradients[1], gradients[0])


def test_gradient_of_a_whole_coordinate_beside_a_split_one() -> None:
    x, y = ht.arange(3, dtype=ht.float64).requires_grad_(), ht.arange(4, dtype=ht.float64, split=0)
    weights = np.arange(12.0).reshape(3, 4)
    for grid in (ht.meshgrid(x, y, indexing="ij"), ht.meshgrid(x, y, indexing="ij", copy=False)):
        x.grad = None
        (grid[0] * weights).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), weights.sum(1))


def test_gradient_of_a_tied_extreme_is_shared() -> None:
    t = torch.tensor([1.0, 3.0, 3.0, 0.0, 3.0], dtype=torch.float64, requires_grad=True)
    replicated(t).resplit(0).max().larray.backward()
    assert t.grad is not None
    np.testing.assert_allclose(t.grad.sum(), 1.0)
    assert (t.grad[[0, 3]] == 0).all()


@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradient_of_a_deviation_of_equal_elements(split: int | None) -> None:
    """As torch's, it is 0: standardising columns of which one is constant must not spoil the others."""
    values = np.column_stack([np.arange(4.0), np.full(4, 2.0)])
    t = torch.tensor(values, requires_grad=True)
    t.std(0, correction=0).sum().backward()
    for deviation in (ht.std, ht.nanstd):
        x = ht.array(values, split=split).requires_grad_()
        deviation(x, 0).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), t.grad, rtol=1e-12, atol=1e-15)


def test_gradient_through_in_place_and_out() -> None:
    t = torch.arange(1.0, 7.0, dtype=torch.float64).reshape(3, 2).requires_grad_()

    def loss(s: torch.Tensor) -> torch.Tensor:
        x = replicated(s).resplit(0) * 1.0
        x *= replicated(s).resplit(1)
        out = ht.zeros((3, 2), dtype=ht.float64, split=1)
        ht.exp(x * 0.1, out=out)
        return weighted(out)

    assert torch.autograd.gradcheck(loss, (t,))


def test_a_leaf_is_not_changed_in_place() -> None:
    x = ht.ones((4, 2), split=0)
    x.requires_grad_()
    with pytest.raises(RuntimeError, match=r"add.*in place"):
        x += 1


def test_the_derivative_by_a_complex_exponent_of_zero() -> None:
    b = ht.zeros(2, dtype=ht.complex128).requires_grad_()
    (ht.array([2 + 1j, -3j]) ** b).real.sum().backward()
    np.testing.assert_allclose(b.grad.numpy(), np.conj(np.log(np.array([2 + 1j, -3j]))), rtol=1e-6)
