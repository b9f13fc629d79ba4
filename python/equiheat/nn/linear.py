# SPDX-License-Identifier: BSD-3-Clause
"""Linear layers whose products are computed by what is fastest on this processor."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from equiheat.local_products import has_native_products, local_product, native_linear

_LEAST = 1 << 18  #: multiplications below which nothing is gained


class _Product(torch.autograd.Function):
    """``x weight^T + bias`` and its three gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.has_bias = bias is not None
        rows = native_linear(x.reshape(-1, x.shape[-1]), weight, bias)
        if rows is None:
            return nn.functional.linear(x, weight, bias)
        return rows.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        rows = gradients[0].reshape(-1, weight.shape[0])
        wanted = ctx.needs_input_grad
        of_x = local_product(rows, weight).view(x.shape) if wanted[0] else None
        of_weight = local_product(rows.t(), x.reshape(-1, x.shape[-1])) if wanted[1] else None
        return of_x, of_weight, rows.sum(0) if ctx.has_bias and wanted[2] else None


def _applies(x: Tensor, weight: Tensor) -> bool:
    return (
        has_native_products()
        and x.dtype == weight.dtype
        and x.dtype in (torch.float32, torch.float64)
        and x.device.type == "cpu"
        and x.numel() * weight.shape[0] >= _LEAST
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # type: ignore[attr-defined]
    )


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x weight^T + bias``, as `torch.nn.functional.linear`.

    torch multiplies by MKL, which uses no more than AVX2 on processors of AMD. Where those have AVX-512, a native
    kernel computes this and its gradients in half the time, float32 and float64. Elsewhere, in other dtypes, under
    autocast and for little: torch's.

    Parameters
    ----------
    x
        Shape (..., K).
    weight
        Shape (N, K).
    bias
        Shape (N,).

    Returns
    -------
    Tensor
        Shape (..., N); no communication. Differentiable, twice too. ``EQUIHEAT_NATIVE_PRODUCTS=0``
        leaves all to torch, 1 takes the kernel on any processor with AVX-512.
    """
    if _applies(x, weight):
        product: Tensor = _Product.apply(x, weight, bias)
        return product
    return nn.functional.linear(x, weight, bias)


class Linear(nn.Linear):
    """`torch.nn.Linear` by `linear`: same parameters, same values."""

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)


def with_fast_products(module: nn.Module) -> nn.Module:
    """The module, with every `torch.nn.Linear` in it turned into a `Linear`; parameters and names stay.

    For modules that are trained in float32 or float64 on processors; a `Trainer` does it with its model. Layers of
    other classes, also of ones derived from `torch.nn.Linear`, are left alone.
    """
    for part in module.modules():
        if type(part) is nn.Linear:
            part.__class__ = Linear
    return module
