# SPDX-License-Identifier: BSD-3-Clause
"""Operators on plain tensors: cross-attention with its reconstruction loss, and differentiable collectives."""

from __future__ import annotations

from typing import Literal, overload

import torch
from torch import Tensor

from equiheat.nn.collectives import all_gather as all_gather
from equiheat.nn.collectives import all_reduce as all_reduce

_NAME = "cross_attention_reconstruction_loss"


def cross_attention(query: Tensor, key: Tensor, value: Tensor, *, num_heads: int, scale: float | None = None) -> Tensor:
    """``concat_h softmax(scale Q_h K_h^T) V_h``.

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

    Returns
    -------
    Tensor
        Shape (B, Nq, E); no communication. Zeros where Nk is 0.
    """
    scale = (query.shape[2] // num_heads) ** -0.5 if scale is None else scale
    q, k, v = (x.unflatten(2, (num_heads, -1)).transpose(1, 2) for x in (query, key, value))
    weights = torch.softmax((q * scale) @ k.transpose(2, 3), dim=3)
    return (weights @ v).transpose(1, 2).flatten(2)


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
) -> Tensor | tuple[Tensor, Tensor]:
    """Mean squared error of pixels predicted by cross-attention.

    ``prediction = (attention(query, key, value) + residual) weight^T + bias``, loss = mean of
    ``(prediction - target)^2`` over all elements.

    Parameters
    ----------
    query
        Shape (B, Nq, E), projected.
    key, value
        Shape (B, Nk, E), projected; Nk >= 1.
    weight, bias
        Pixel head, shapes (P, E) and (P,); bias may be None.
    target
        Shape (B, Nq, P).
    num_heads
        Divides E.
    residual
        Shape (B, Nq, E); added to the attention output before the head.
    scale
        Factor of the attention scores; ``(E / num_heads) ** -0.5`` when omitted.
    return_prediction
        Return (loss, prediction) instead of the loss.

    Returns
    -------
    Tensor or (Tensor, Tensor)
        The loss, a scalar (0 with zero gradients when B or Nq is 0), and the prediction of shape (B, Nq, P). Local to
        the rank: no communication. All floating inputs have one dtype and one device; under autocast they are cast.

    Raises
    ------
    ValueError, TypeError
        For shapes, dtypes or devices that do not fit; the message names the argument.
    """
    tensors = {"query": query, "key": key, "value": value, "weight": weight, "target": target}
    tensors |= {name: x for name, x in (("bias", bias), ("residual", residual)) if x is not None}
    _check_kinds(tensors)
    _check_shapes(tensors, num_heads)
    mixed = cross_attention(query, key, value, num_heads=num_heads, scale=scale)
    mixed = mixed if residual is None else mixed + residual
    prediction = torch.nn.functional.linear(mixed, weight, bias)
    difference = prediction.to(torch.promote_types(prediction.dtype, torch.float32)) - target
    loss = difference.square().sum() / max(difference.numel(), 1)
    return (loss, prediction) if return_prediction else loss


def _check_kinds(tensors: dict[str, Tensor]) -> None:
    query = tensors["query"]
    autocast = torch.is_autocast_enabled(query.device.type)
    for name, x in tensors.items():
        if not x.is_floating_point():
            raise TypeError(f"{_NAME}: {name} has dtype {x.dtype}; expected a floating dtype")
        if x.dtype != query.dtype and not autocast:
            raise TypeError(f"{_NAME}: {name} has dtype {x.dtype} but query has {query.dtype}; expected one dtype")
        if x.device != query.device:
            raise ValueError(f"{_NAME}: {name} is on {x.device} but query is on {query.device}; expected one device")


def _check_shapes(tensors: dict[str, Tensor], num_heads: int) -> None:
    query, key = tensors["query"], tensors["key"]
    for name in ("query", "key", "weight"):
        axes = 2 if name == "weight" else 3
        if tensors[name].dim() != axes:
            raise ValueError(f"{_NAME}: {name} has shape {tuple(tensors[name].shape)}; expected {axes} axes")
    batch, queries, width = query.shape
    pixels = tensors["weight"].shape[0]
    if key.shape[1] == 0:
        raise ValueError(f"{_NAME}: key has shape {tuple(key.shape)}; expected at least one key per image")
    expected = {
        "key": (batch, key.shape[1], width),
        "value": (batch, key.shape[1], width),
        "weight": (pixels, width),
        "bias": (pixels,),
        "target": (batch, queries, pixels),
        "residual": (batch, queries, width),
    }
    for name, shape in expected.items():
        if name in tensors and tuple(tensors[name].shape) != shape:
            given = tuple(tensors[name].shape)
            raise ValueError(
                f"{_NAME}: {name} has shape {given}; expected {shape} beside query {tuple(query.shape)}, "
                f"key {tuple(key.shape)} and weight {tuple(tensors['weight'].shape)}"
            )
    if num_heads < 1 or width % num_heads:
        raise ValueError(f"{_NAME}: num_heads is {num_heads}; it must divide the width {width} of query")
