# SPDX-License-Identifier: BSD-3-Clause
"""Gradients of gradients through every distribution: those of the whole array, or a refusal on all ranks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from layouts import replicated

import equiheat as ht
from equiheat import _core

Function = Callable[[ht.DNDarray], ht.DNDarray]
ROW = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)

FUNCTIONS: dict[str, Function] = {
    "sum": lambda x: x.sum() ** 2,
    "sum of columns": lambda x: x.sum(0) ** 3,
    "sum of rows": lambda x: x.sum(1) ** 3,
    "mean": lambda x: x.mean(0) ** 2,
    "var": lambda x: x.var(0) ** 2,
    "std": lambda x: x.std() ** 3,
    "prod": lambda x: x.prod(0),
    "max": lambda x: (x * x).max(0) ** 2,
    "min": lambda x: x.min() ** 3,
    "nansum": lambda x: ht.nansum(x, axis=0) ** 2,
    "norm": lambda x: ht.linalg.norm(x) ** 3,
    "cumsum": lambda x: ht.cumsum(x, 0) ** 2,
    "cumprod": lambda x: ht.cumprod(x, 0),
    "trace": lambda x: ht.trace(x) ** 2,
    "cov": lambda x: ht.cov(x, rowvar=False) ** 2,
    "matmul": lambda x: (x @ x.T) ** 2,
    "einsum": lambda x: ht.einsum("ij,ik->jk", x, x) ** 2,
    "vdot": lambda x: ht.vdot(x, x * x),
    "row beside": lambda x: (x * x.sum(0)) ** 2,
    "roll": lambda x: (x * ht.roll(x, 1, 0)) ** 2,
    "concatenate": lambda x: ht.concatenate([x, x * x], axis=0) ** 2,
    "pad": lambda x: ht.pad(x, 1, mode="edge") ** 3,
    "indexing": lambda x: x[[0, 2, 2]] ** 3,
    "sort": lambda x: ht.sort(x, axis=0)[0].cumsum(0) ** 2,
    "softmax": lambda x: torch.softmax(x, 0) ** 2,  # type: ignore[dict-item]
}


def curvature(function: Function, t: torch.Tensor, split: int | None) -> torch.Tensor:
    """The Hessian of a weighted sum of the function times a vector."""
    result = function(replicated(t).resplit(split))
    weights = ht.arange(result.size, dtype=ht.float64).reshape(result.shape) + 1
    loss = (result * weights).sum().larray
    (gradient,) = torch.autograd.grad(loss, t, create_graph=True)
    direction = torch.linspace(-1, 1, t.numel(), dtype=t.dtype).reshape(t.shape)
    return torch.autograd.grad((gradient * direction).sum(), t)[0]


@pytest.mark.parametrize("name", list(FUNCTIONS))
@pytest.mark.parametrize("split", [0, 1])
def test_the_gradient_of_a_gradient_is_that_of_the_whole_array(name: str, split: int) -> None:
    torch.manual_seed(0)
    t = (torch.rand(5, 3, dtype=torch.float64) + 0.5).requires_grad_()
    torch.testing.assert_close(curvature(FUNCTIONS[name], t, split), curvature(FUNCTIONS[name], t, None))


def test_torchs_grad_takes_arrays() -> None:
    x = ht.arange(3, dtype=ht.float64, split=0)
    x.requires_grad = True
    weight = ht.ones(3, dtype=ht.float64)
    weight.requires_grad = True
    loss = ((x**2 * weight).sum()) ** 2
    by_x, by_weight = torch.autograd.grad(loss, (x, weight), create_graph=True)
    assert by_x.split == 0
    assert by_x.numpy().tolist() == [0, 20, 40]
    assert by_weight.numpy().tolist() == [0, 10, 40]
    rows = [torch.autograd.grad(by_x, x, ht.eye(3, dtype=ht.float64)[i], retain_graph=True)[0] for i in range(3)]
    assert ht.stack(rows).numpy().tolist() == [[20, 0, 0], [0, 28, 16], [0, 16, 52]]
    with pytest.raises(RuntimeError, match=r"an output has shape \(3,\); give the grad_outputs"):
        torch.autograd.grad(x**2, x)
    with pytest.raises(NotImplementedError, match="is_grads_batched"):
        torch.autograd.grad(loss, x, is_grads_batched=True)


@pytest.mark.filterwarnings("ignore:Using backward")  # torch's, of the cycle that the last line breaks
def test_backward_records_the_gradients_graph() -> None:
    x = ht.arange(4, dtype=ht.float64, split=0)
    x.requires_grad = True
    (x.sum() ** 3).backward(create_graph=True)
    assert torch.autograd.grad(x.grad.sum(), x)[0].numpy().tolist() == [144.0] * 4
    x.grad = None  # what holds the graph


def positive(x: ht.DNDarray) -> ht.DNDarray:
    """A matrix of full rank, positive definite, split as x."""
    return x @ x.T.resplit(None) / x.shape[0] + ht.eye(x.shape[0], dtype=ht.float64, split=x.split)


REFUSED: dict[str, Function] = {
    "inv": lambda x: ht.linalg.inv(positive(x)),
    "det": lambda x: ht.linalg.slogdet(positive(x))[1],
    "cholesky": lambda x: ht.linalg.cholesky(positive(x)),
    "eigh": lambda x: ht.linalg.eigvalsh(positive(x)),
    "solve": lambda x: ht.linalg.solve(positive(x), x),
    "lstsq": lambda x: ht.linalg.lstsq(x[:, :3], x[:, 3:])[0],
    "qr": lambda x: ht.linalg.qr(x[:, :3])[1],
}


@pytest.mark.ranks(2, 3)
@pytest.mark.parametrize("name", list(REFUSED))
def test_a_second_derivative_by_messages_is_refused_on_every_rank(name: str) -> None:
    before = _core.linalg_tuning(0, 4, 4)
    try:
        torch.manual_seed(1)
        t = torch.randn(20, 20, dtype=torch.float64).requires_grad_()
        with pytest.raises(RuntimeError, match=rf"{name}: no second derivative"):
            curvature(REFUSED[name], t, 0)
        first = torch.autograd.grad((REFUSED[name](replicated(t).resplit(0)) ** 2).sum().larray, t)[0]
        whole = torch.autograd.grad((REFUSED[name](replicated(t)) ** 2).sum().larray, t)[0]
        torch.testing.assert_close(first, whole)
    finally:
        _core.linalg_tuning(*before)


def test_a_solution_has_second_derivatives_by_its_right_side() -> None:
    before = _core.linalg_tuning(0, 4, 4)
    try:
        torch.manual_seed(2)
        whole = replicated(torch.randn(20, 20, dtype=torch.float64))
        rows = whole.resplit(0)
        t = torch.randn(20, 3, dtype=torch.float64).requires_grad_()
        expected = curvature(lambda b: ht.linalg.solve(whole, b) ** 2, t, None)
        torch.testing.assert_close(curvature(lambda b: ht.linalg.solve(rows, b) ** 2, t, 0), expected)
    finally:
        _core.linalg_tuning(*before)
