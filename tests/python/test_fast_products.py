# SPDX-License-Identifier: BSD-3-Clause
"""Native products: values and gradients of torch's, on processors where they are not the default too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import equiheat as ht
from equiheat.local_products import has_native_products, local_product
from equiheat.nn.functional import linear
from equiheat.nn.linear import Linear
from equiheat.ssl import build_encoder

pytestmark = pytest.mark.ranks(1, 2)  # of each rank alone
SHAPES = [  # of x, then the number of results
    ((256, 192), 96),
    ((8, 40, 96), 80),
    ((2, 3, 64, 64), 200),
    ((300, 7), 2000),  # thin: not worth it
    ((3, 1), 2),
    ((0, 64), 32),
    ((64, 0), 32),
    ((5, 64), 0),
]


def leaves(shape: tuple[int, ...], results: int, bias: bool) -> list[Tensor | None]:
    g = torch.Generator().manual_seed(3)
    x, w = torch.randn(shape, generator=g), torch.randn(results, shape[-1], generator=g)
    return [
        x.requires_grad_(),
        w.requires_grad_(),
        torch.randn(results, generator=g).requires_grad_() if bias else None,
    ]


def check(ours: Tensor | None, reference: Tensor | None, depth: int) -> None:
    """Equal to what float64 gives, to the rounding of a sum of so many products of about 1, however they cancel."""
    if reference is None:
        assert ours is None
        return
    assert ours is not None and ours.dtype == torch.float32
    scale = reference.abs().max().item() if reference.numel() else 1.0
    np.testing.assert_allclose(
        ours.detach().numpy(), reference.detach().numpy(), rtol=1e-5, atol=1e-7 * max(scale, depth, 1)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128, torch.bfloat16])
@pytest.mark.parametrize(("n", "k"), [(191, 300), (192, 96), (193, 96), (417, 130), (400, 95), (1000, 120)])
def test_products_with_the_own_adjoint_are_made_of_halves(n: int, k: int, dtype: torch.dtype) -> None:
    g = torch.Generator().manual_seed(n)
    whole = torch.randn(n, 2 * k, generator=g, dtype=dtype)
    for a in (whole[:, :k], whole[:, k:].contiguous().mT.contiguous().mT, whole[:, ::2], whole[:, :k].conj()):
        found = local_product(a, a.mH)
        expected = a.clone() @ a.clone().mH
        rounding = torch.finfo(dtype).eps * k
        torch.testing.assert_close(found, expected, rtol=rounding, atol=rounding)
        torch.testing.assert_close(local_product(a, a.mT), a.clone() @ a.clone().mT, rtol=rounding, atol=rounding)
        if found.dtype != torch.bfloat16 and n >= 192 and k >= 96:
            half = n // 32 * 16  # what lies above is what lies below, to the bit
            assert torch.equal(found[:half, half:], found[half:, :half].mH)
    a = whole[:, :k].clone().requires_grad_()
    local_product(a, a.mH).abs().sum().backward()
    assert a.grad is not None
    x = ht.array(whole[:, :k].clone(), split=0)
    np.testing.assert_allclose(
        (x.T @ x).astype(ht.complex128).numpy(), (whole[:, :k].mT @ whole[:, :k]).to(torch.complex128), rtol=0.1, atol=1
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("shape", "results"), SHAPES)
def test_values_and_gradients(shape: tuple[int, ...], results: int, bias: bool) -> None:
    ours = leaves(shape, results, bias)
    exact = [None if t is None else t.detach().double().requires_grad_() for t in ours]
    y, wanted = linear(*ours), nn.functional.linear(*exact)
    check(y, wanted, shape[-1])
    weights = torch.linspace(-1, 1, wanted.numel()).reshape(wanted.shape)
    (y * weights).sum().backward()
    (wanted * weights.double()).sum().backward()
    rows = int(np.prod(shape[:-1]))
    for t, e in zip(ours, exact, strict=True):
        if t is not None and e is not None:
            check(t.grad, e.grad, max(rows, results))


def test_operands_of_any_strides() -> None:
    x, w, b = torch.randn(192, 256).t(), torch.randn(96, 200)[:, 8:], torch.randn(192)[::2]
    check(linear(x, w, b), nn.functional.linear(x.double(), w.double(), b.double()), 192)


def test_gradients_of_gradients() -> None:
    for function in (linear, nn.functional.linear):
        x, w, b = leaves((128, 160), 144, True)
        assert x is not None
        assert w is not None
        (gradient,) = torch.autograd.grad(function(x, w, b).square().sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(gradient.square().sum(), w)
        if function is linear:
            found = second
    check(found, second.double(), 160 * 144)


def test_autocast_and_other_dtypes_are_torchs() -> None:
    x, w = torch.randn(256, 192), torch.randn(96, 192)
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(x, w).dtype == torch.bfloat16
    assert linear(x.double(), w.double()).dtype == torch.float64
    with pytest.raises(RuntimeError):
        linear(x, w.double())
    with pytest.raises(RuntimeError):
        linear(x, w[:, 1:])


def test_layers_of_a_module_are_turned() -> None:
    class Own(nn.Linear):
        pass

    module = nn.Sequential(nn.Linear(192, 192), nn.ReLU(), nn.Sequential(Own(192, 192), nn.Linear(192, 8)))
    x = torch.randn(128, 192)
    before, names = module(x), list(module.state_dict())
    assert ht.nn.with_fast_products(module) is module
    kinds = [type(part) for part in module.modules() if isinstance(part, nn.Linear)]
    assert kinds == [Linear, Own, Linear]
    assert list(module.state_dict()) == names
    torch.testing.assert_close(module(x), before, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_traced_graphs_have_torchs_operations_alone() -> None:
    backbone = ht.nn.with_fast_products(build_encoder("vit-micro-p8", image_size=32, seed=0).backbone).eval()
    images = torch.rand(64, 3, 32, 32)
    traced = torch.jit.trace(backbone, images)
    assert "equiheat::" not in str(traced.graph)
    assert "_Product" not in str(traced.graph)
    torch.testing.assert_close(traced(images), backbone(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("split_a", [None, 0, 1])
@pytest.mark.parametrize("split_b", [None, 0, 1])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 2e-13)])
def test_products_of_arrays(split_a: int | None, split_b: int | None, dtype: Any, tolerance: float) -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(301, 257)).astype(dtype), rng.normal(size=(257, 203)).astype(dtype)
    x, y = ht.array(a, split=split_a), ht.array(b, split=split_b)
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble)
    found = (x @ y).numpy()
    assert found.dtype == dtype
    np.testing.assert_allclose(found, exact, rtol=0, atol=tolerance)
    np.testing.assert_allclose((y.T @ x.T).numpy(), exact.T, rtol=0, atol=tolerance)
    stack = ht.array(np.stack([a, -a]), split=None if split_a is None else split_a + 1)
    np.testing.assert_allclose((stack @ y).numpy()[1], -exact, rtol=0, atol=tolerance)


@pytest.mark.ranks(1)
@pytest.mark.parametrize("choice", ["0", "1"])
def test_the_choice_of_the_environment(choice: str) -> None:
    """The other tests of this file with the kernel wherever it runs."""
    # EQUIHEAT_TEST_RESULTS: the other run has records of its own.
    others = ("PMI", "OMPI", "MPI", "HYDRA", "PMIX", "EQUIHEAT_TEST_RESULTS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    environment["EQUIHEAT_NATIVE_PRODUCTS"] = choice
    told = "from equiheat.local_products import has_native_products as here; assert not here() or " + repr(
        choice == "1"
    )
    subprocess.run([sys.executable, "-c", told], env=environment, check=True, timeout=120)
    if choice == "1" and not has_native_products():
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            str(Path(__file__)),
            "-k",
            "not choice",
        ]
        subprocess.run(command, env=environment, check=True, timeout=300)
