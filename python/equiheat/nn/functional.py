# SPDX-License-Identifier: BSD-3-Clause
"""Operators on plain tensors: cross-attention with its reconstruction loss, and differentiable collectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

import torch
from torch import Tensor

from equiheat.nn import _composition
from equiheat.nn._fused import attention_applies, check_attention, check_loss, loss_applies, pixel_scale
from equiheat.nn.collectives import all_gather as all_gather
from equiheat.nn.collectives import all_reduce as all_reduce
from equiheat.nn.interpolation import interpolate as interpolate
from equiheat.nn.linear import linear as linear

_ARITHMETIC = {None: "", torch.float32: "float32", torch.bfloat16: "bfloat16"}


def cross_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    num_heads: int,
    scale: float | None = None,
    arithmetic: torch.dtype | None = None,
) -> Tensor:
    """``concat_h softmax(scale Q_h K_h^T) V_h``.

    On processors one native operator, forwards and backwards, that never holds the attention matrix of a batch.

    Parameters
    ----------
    query
        Shape (B, Nq, E).
    key, value
        Shape (B, Nk, E).
    num_heads
        Heads of E / num_heads features each.
    scale
        Factor of the scores; ``(E / num_heads) ** -0.5`` when omitted.
    arithmetic
        torch.bfloat16: products of bfloat16 with sums in float32, where the processor has them. torch.float32. When
        omitted, the inputs' or autocast's.

    Returns
    -------
    Tensor
        Shape (B, Nq, E), query's dtype; no communication. Zeros where Nk is 0. Gradients of gradients are not
        implemented.

    Raises
    ------
    ValueError, TypeError
        For shapes, dtypes or devices that do not fit; the message names the argument.
    """
    check_attention("cross_attention", query, key, value, num_heads)
    scale = (query.shape[2] // num_heads) ** -0.5 if scale is None else scale
    if not attention_applies(query, key, value, num_heads):
        return _composition.attention(query, key, value, num_heads, scale)
    return torch.ops.equiheat.cross_attention(query, key, value, num_heads, scale, _name_of(arithmetic), "")


@overload
def cross_attention_reconstruction_loss(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    *,
    num_heads: int,
    residual: Tensor | None = ...,
    scale: float | None = ...,
    return_prediction: Literal[False] = ...,
    mask: Tensor | None = ...,
    grid: tuple[int, int] | None = ...,
    mean: Sequence[float] | None = ...,
    std: Sequence[float] | None = ...,
    normalize_patches: bool = ...,
    arithmetic: torch.dtype | None = ...,
) -> Tensor: ...
@overload
def cross_attention_reconstruction_loss(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    *,
    num_heads: int,
    residual: Tensor | None = ...,
    scale: float | None = ...,
    return_prediction: Literal[True],
    mask: Tensor | None = ...,
    grid: tuple[int, int] | None = ...,
    mean: Sequence[float] | None = ...,
    std: Sequence[float] | None = ...,
    normalize_patches: bool = ...,
    arithmetic: torch.dtype | None = ...,
) -> tuple[Tensor, Tensor]: ...


def cross_attention_reconstruction_loss(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    *,
    num_heads: int,
    residual: Tensor | None = None,
    scale: float | None = None,
    return_prediction: bool = False,
    mask: Tensor | None = None,
    grid: tuple[int, int] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    normalize_patches: bool = False,
    arithmetic: torch.dtype | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Mean squared error of pixels predicted by cross-attention.

    ``prediction = (attention(query, key, value) + residual) weight^T + bias``, loss = mean of
    ``(prediction - target)^2`` over all elements.

    On processors one native operator that computes the loss and, when something requires a gradient, all gradients in
    the same pass: neither the attention matrix nor the prediction nor its error exists as a whole (the page
    "The fused reconstruction" of the documentation). Backward only scales the gradients.

    Parameters
    ----------
    query
        Shape (B, Nq, E), projected.
    key, value
        Shape (B, Nk, E), projected; Nk >= 1.
    weight, bias
        Pixel head, shapes (P, E) and (P,); bias may be None.
    target
        Shape (B, Nq, P); or, with `grid`, images (B, C, H, W) of a floating dtype or of bytes (uint8, 0 to 255 for 0
        to 1), read patch by patch as `equiheat.nn.positions.to_patches` orders them, without a patchified copy.
    num_heads
        Divides E.
    residual
        Shape (B, Nq, E); added to the attention output before the head.
    scale
        Factor of the attention scores; ``(E / num_heads) ** -0.5`` when omitted.
    return_prediction
        Return (loss, prediction) instead of the loss. The prediction is differentiable; its gradient costs a second
        pass over the attention.
    mask
        Shape (B, Nq), bool: the tokens whose error counts.
    grid
        (rows, columns) of the patches when the target is images; rows * columns = Nq.
    mean, std
        One number per channel: images are compared as (image - mean) / std. 0 and 1 when omitted.
    normalize_patches
        Compare with patches of mean 0 and unbiased variance 1 (epsilon 1e-6).
    arithmetic
        torch.bfloat16: products of bfloat16 with sums in float32, where the processor has them. torch.float32. When
        omitted, the inputs' or autocast's.

    Returns
    -------
    Tensor or (Tensor, Tensor)
        The loss, a scalar (0 with zero gradients when B or Nq is 0 or no token counts), float32 or float64; and the
        prediction of shape (B, Nq, P). Local to the rank: no communication. All floating inputs have one dtype and one
        device; under autocast float32 and bfloat16 may be mixed. NaN and infinity propagate. Gradients of gradients are
        not implemented.

    Raises
    ------
    ValueError, TypeError
        For shapes, dtypes or devices that do not fit; the message names the argument.
    """
    tensors = {"query": query, "key": key, "value": value, "weight": weight, "target": target}
    tensors |= {name: x for name, x in (("bias", bias), ("residual", residual), ("mask", mask)) if x is not None}
    check_loss(_NAME, tensors, num_heads, grid)
    scale = (query.shape[2] // num_heads) ** -0.5 if scale is None else scale
    mean, std = pixel_scale(_NAME, target, grid, mean, std)
    if loss_applies(tensors, num_heads):
        factor = [1 / (x * (255 if target.dtype == torch.uint8 else 1)) for x in std]
        offset = [-m / s for m, s in zip(mean, std, strict=True)]
        loss, prediction = torch.ops.equiheat.cross_attention_reconstruction_loss(
            query, key, value, weight, bias, target, residual, mask, num_heads, scale, list(grid or ()), factor,
            offset, normalize_patches, return_prediction, _name_of(arithmetic), "",
        )  # fmt: skip
    else:
        mixed = _composition.attention(query, key, value, num_heads, scale)
        mixed = mixed if residual is None else mixed + residual
        wanted = _composition.patches_of(target, grid=grid, mean=mean, std=std, normalize_patches=normalize_patches)
        loss, prediction = _composition.reconstruction_loss(mixed, weight, bias, wanted, mask)
    return (loss, prediction) if return_prediction else loss


_NAME = "cross_attention_reconstruction_loss"


def _name_of(arithmetic: torch.dtype | None) -> str:
    if arithmetic not in _ARITHMETIC:
        raise ValueError(f"arithmetic is {arithmetic}; expected torch.float32, torch.bfloat16 or None")
    return _ARITHMETIC[arithmetic]


def __getattr__(name: str) -> Any:
    """Torch's functions, as Heat has them."""
    if not name.startswith("_") and hasattr(torch.nn.functional, name):
        return getattr(torch.nn.functional, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}, nor has torch.nn.functional")
