# SPDX-License-Identifier: BSD-3-Clause
"""The fused operators on GPUs, where there is one, and what keeps them from it."""

from __future__ import annotations

import pytest
import torch
from fused_cases import GRADIENTS, composed, error, in_double, made, run

from equiheat.nn import _fused
from equiheat.nn.functional import cross_attention, cross_attention_reconstruction_loss

needs_gpu = pytest.mark.skipif(
    not torch.cuda.is_available() or not _fused._runs_on_gpu(0), reason="no GPU that this build has kernels for"
)
TOLERANCE = {torch.float32: 2e-6, torch.bfloat16: 5e-3, torch.float16: 1e-3}


def on_gpu(x, dtype):
    def convert(v):
        if not isinstance(v, torch.Tensor):
            return v
        v = v.detach().cuda()
        return v.to(dtype) if v.is_floating_point() else v

    moved = {name: convert(v) for name, v in x.items()}
    for name in GRADIENTS:
        if moved.get(name) is not None:
            moved[name].requires_grad_()
    return moved


SHAPES = [
    {"batch": 3, "queries": 64, "keys": 64, "heads": 3, "head": 32, "pixels": 192},
    {"batch": 2, "queries": 196, "keys": 197, "heads": 2, "head": 64, "pixels": 97},
    {"batch": 300, "queries": 16, "keys": 20, "heads": 2, "head": 24, "pixels": 48},
    {"batch": 1, "queries": 1100, "keys": 300, "heads": 1, "head": 128, "pixels": 20},
]


@needs_gpu
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("mask", [False, True])
def test_equals_the_composition(sizes, dtype, mask):
    x = made(**sizes, dtype=torch.float32)
    if mask:
        x["mask"] = torch.arange(sizes["batch"] * sizes["queries"]).view(sizes["batch"], -1) % 3 != 1
    x = on_gpu(x, dtype)
    found = run(lambda **a: cross_attention_reconstruction_loss(**a, return_prediction=True), x)
    expected = run(composed, in_double(x))
    limit = TOLERANCE[dtype] + (0 if dtype == torch.float32 else 4e-3)
    assert abs(found[0].item() / expected[0].item() - 1) <= TOLERANCE[dtype]
    assert error(found[1], expected[1]) <= limit
    for name, gradient in expected[2].items():
        assert found[2][name].dtype == dtype
        assert error(found[2][name], gradient) <= limit, name
    again = run(lambda **a: (cross_attention_reconstruction_loss(**a), torch.zeros(0)), x)
    assert torch.equal(again[2]["weight"], found[2]["weight"])


@needs_gpu
@pytest.mark.parametrize("normalize", [False, True])
def test_images_of_bytes(normalize):
    x = made(3, 12, 12, 2, 16, 48, torch.float32)
    x["target"] = torch.randint(0, 256, (3, 3, 12, 16), dtype=torch.uint8)
    options = {"grid": (3, 4), "normalize_patches": normalize, "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25]}
    x = on_gpu(x, torch.float32)
    found = run(lambda **a: (cross_attention_reconstruction_loss(**a, **options), torch.zeros(0)), x)
    expected = run(lambda **a: composed(**a, **options), in_double(x))
    assert abs(found[0].item() / expected[0].item() - 1) <= 4e-6
    for name, gradient in expected[2].items():
        assert error(found[2][name], gradient) <= 4e-6, name


@needs_gpu
def test_attention_alone():
    x = on_gpu(made(2, 70, 50, 2, 32, dtype=torch.float32), torch.float32)
    operands = [x[n] for n in ("query", "key", "value")]
    upstream = torch.randn_like(x["query"])
    mixed = cross_attention(*operands, num_heads=2)
    mixed.backward(upstream)
    doubles = [v.detach().double().requires_grad_() for v in operands]
    wanted = cross_attention(*doubles, num_heads=2)
    wanted.backward(upstream.double())
    assert error(mixed, wanted) <= 2e-6
    for found, expected in zip(operands, doubles, strict=True):
        assert error(found.grad, expected.grad) <= 2e-6


@needs_gpu
def test_half_precision_gradients_survive_a_small_factor():
    x = on_gpu(made(64, 64, 64, 2, 32, 192, torch.float32), torch.float16)
    loss = cross_attention_reconstruction_loss(**x)
    (loss * 2**16).backward()
    expected = run(composed, in_double(x))[2]
    assert error(x["query"].grad.float() / 2.0**16, expected["query"]) < 1e-2


def test_without_kernels_torch_computes():
    x = made(dtype=torch.float32)
    meta = {n: v.to("meta") if isinstance(v, torch.Tensor) else v for n, v in x.items()}
    tensors = {n: v for n, v in meta.items() if isinstance(v, torch.Tensor)}
    assert not _fused.loss_applies(tensors, 2)
    assert _fused.loss_applies({n: v for n, v in x.items() if isinstance(v, torch.Tensor)}, 2)
