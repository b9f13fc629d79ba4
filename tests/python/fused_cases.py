# SPDX-License-Identifier: BSD-3-Clause
"""Arguments of the fused operators, and their composition from torch's operations in double precision."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from equiheat.nn import _composition
from equiheat.nn.functional import cross_attention_reconstruction_loss

OPERATORS = torch.ops.equiheat
GRADIENTS = ("query", "key", "value", "weight", "bias", "residual")


def processor_has(name: str) -> bool:
    x = torch.zeros(1, 1, 1)
    try:
        OPERATORS.cross_attention(x, x, x, 1, 1.0, "", name)
    except ValueError:
        return False
    return True


INSTRUCTIONS = [
    name for name in ("portable", "emulated_bf16", "avx2", "avx512", "avx512_bf16", "amx_bf16") if processor_has(name)
]


def made(batch=2, queries=5, keys=3, heads=2, head=4, pixels=6, dtype=torch.float64, seed=0, **more) -> dict[str, Any]:
    """Arguments; what may have a gradient asks for one."""
    g = torch.Generator().manual_seed(seed)
    width = heads * head
    shapes = {
        "query": (batch, queries, width),
        "key": (batch, keys, width),
        "value": (batch, keys, width),
        "weight": (pixels, width),
        "bias": (pixels,),
        "target": (batch, queries, pixels),
        "residual": (batch, queries, width),
    }
    x: dict[str, Any] = {n: torch.randn(s, generator=g, dtype=torch.float64).to(dtype) for n, s in shapes.items()}
    for name in GRADIENTS:
        x[name].requires_grad_()
    return {**x, "num_heads": heads, **more}


def representable(x: dict[str, Any]) -> dict[str, Any]:
    """The same with floating numbers that bfloat16 holds exactly."""

    def convert(v: Any) -> Any:
        if not isinstance(v, Tensor) or not v.is_floating_point():
            return v
        return v.detach().bfloat16().to(v.dtype).requires_grad_(v.requires_grad)

    return {name: convert(v) for name, v in x.items()}


def in_double(x: dict[str, Any]) -> dict[str, Any]:
    def convert(v: Any) -> Any:
        if not isinstance(v, Tensor) or not v.is_floating_point():
            return v
        return v.detach().double().requires_grad_(v.requires_grad)

    return {name: convert(v) for name, v in x.items() if name != "arithmetic"}


def composed(
    *, query, key, value, weight, bias, target, num_heads, residual=None, scale=None, mask=None, grid=None, mean=None,
    std=None, normalize_patches=False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    scale = (query.shape[2] // num_heads) ** -0.5 if scale is None else scale
    mixed = _composition.attention(query, key, value, num_heads, scale)
    mixed = mixed if residual is None else mixed + residual
    if target.dtype == torch.uint8:
        target = target.double() / 255
    wanted = _composition.patches_of(
        target, grid=grid, mean=mean or [0] * 3, std=std or [1] * 3, normalize_patches=normalize_patches
    )
    return _composition.reconstruction_loss(mixed, weight, bias, wanted, mask)


def error(found: Tensor, expected: Tensor) -> float:
    """Relative, in the Euclidean norm."""
    assert found.shape == expected.shape
    size = expected.double().norm().item()
    return (found.double() - expected.double()).norm().item() / (size or 1)


def run(function, x: dict[str, Any]) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    names = [n for n in GRADIENTS if x.get(n) is not None]
    for name in names:
        x[name].grad = None
    loss, prediction = function(**x)
    loss.backward()
    return loss.detach(), prediction.detach(), {name: x[name].grad for name in names}


def without_cancellation(x: dict[str, Any]) -> dict[str, Any]:
    """The same with numbers whose sums and errors do not cancel, for shapes of few terms."""

    def convert(name: str, v: Any) -> Any:
        return v.detach().abs().requires_grad_(v.requires_grad) if name in GRADIENTS and v is not None else v

    return {name: convert(name, v) for name, v in x.items()} | {"target": -x["target"].abs()}


def compare(x: dict[str, Any], tolerance: float, *, few: bool = False) -> None:
    """Loss, prediction and gradients, in relative errors of Euclidean norms.

    few: query's and key's gradients are differences that may cancel; their errors then relate to what is subtracted.
    """
    found = run(lambda **a: cross_attention_reconstruction_loss(**a, return_prediction=True), x)
    expected = run(composed, in_double(x))
    assert abs(found[0].item() - expected[0].item()) <= tolerance * abs(expected[0].item())
    output = 4e-3 if x["query"].dtype == torch.bfloat16 else 0
    assert error(found[1], expected[1]) <= tolerance + output
    key, value = (x[n].detach().double().norm().item() for n in ("key", "value"))
    for name, gradient in expected[2].items():
        assert found[2][name].dtype == x[name].dtype
        limit = (tolerance + output) * gradient.norm().item()
        if few and name in ("query", "key"):
            other = key if name == "query" else x["query"].detach().double().norm().item()
            scale = x.get("scale") or (x["query"].shape[2] // x["num_heads"]) ** -0.5
            limit += tolerance * scale * other * value * mixed_gradient(x).norm().item()
        assert (found[2][name] - gradient).norm().item() <= limit, name


def mixed_gradient(x: dict[str, Any]) -> Tensor:
    """Gradient of what the head reads."""
    double = in_double(x)
    residual = double.get("residual")
    double["residual"] = torch.zeros_like(double["query"]) if residual is None else residual.detach()
    double["residual"].requires_grad_()
    composed(**double)[0].backward()
    gradient: Tensor = double["residual"].grad
    return gradient
