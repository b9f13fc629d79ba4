# SPDX-License-Identifier: BSD-3-Clause
"""Activations, dropout, softmax, linear maps and padding of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from equiheat import blocks
from equiheat._base import wrap
from equiheat.construction import asarray
from equiheat.linalg import matmul
from equiheat.manipulation import concatenate
from equiheat.nn._spatial import block_of, result
from equiheat.padding import pad as padded
from equiheat.random import rand
from equiheat.rounding import clip

#: Functions of each element alone: a rank takes its block.
ACTIVATIONS: tuple[Callable[..., Any], ...] = (
    F.celu, F.elu, F.gelu, F.hardshrink, F.hardsigmoid, F.hardswish, F.hardtanh, F.leaky_relu, F.logsigmoid, F.mish,
    F.relu, F.relu6, F.selu, F.silu, F.softplus, F.softshrink, F.softsign, F.tanhshrink, F.threshold, torch.celu,
    torch.relu, torch.rsqrt, torch.selu, torch.sigmoid,
)  # fmt: skip
_PADDING = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def activation(func: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of an activation. With ``inplace=True`` the block itself is overwritten, as torch does."""

    def rule(input: Any, *args: Any, **kwargs: Any) -> Any:
        core = block_of(input, func.__name__)
        return result(core, func(core.local, *args, **kwargs), core.gshape)

    return rule


def prelu(input: Any, weight: Tensor) -> Any:
    """The rule of ``torch.prelu``: one slope, or one for each channel."""
    core = block_of(input, "prelu")
    if weight.numel() > 1 and (core.ndim < 2 or weight.numel() != core.gshape[1]):
        raise ValueError(f"prelu: weight has {weight.numel()} values, input the shape {tuple(core.gshape)}")
    if core.split == 1 and weight.numel() > 1:
        core = core.resplit(0)
    return result(core, torch.prelu(core.local, blocks.entered(core, weight)), core.gshape)


def _probability(name: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p must lie in [0, 1], is {p}")


def _dropped(input: Any, p: float, shape: Sequence[int], split: int | None) -> Any:
    kept = rand(*shape, split=split, comm=input.comm) >= p
    return input * kept.astype(input.dtype) * (1 / (1 - p) if p < 1 else 0.0)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """The rule of ``torch.nn.functional.dropout``: zeros drawn by `equiheat.random`, the same for any distribution.
    `inplace` is a promise that the input is not used again.
    """
    _probability("dropout", p)
    core = block_of(input, "dropout")
    return _dropped(input, p, core.gshape, core.split) if training and p > 0 else input


def channel_dropout(name: str) -> Callable[..., Any]:
    """The rule of ``torch.nn.functional.dropout1d``, ``dropout2d`` and ``dropout3d``: whole channels are zeroed."""

    def rule(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        _probability(name, p)
        core = block_of(input, name)
        shape = [n if k < 2 else 1 for k, n in enumerate(core.gshape)]
        split = core.split if core.split is not None and core.split < 2 else None
        return _dropped(input, p, shape, split) if training and p > 0 else input

    return rule


def _softmax(input: Any, dim: int | None, dtype: torch.dtype | None, log: bool) -> Any:
    name = "log_softmax" if log else "softmax"
    core = block_of(input, name)
    if dim is None or not -core.ndim <= dim < core.ndim:
        raise ValueError(f"{name}: dim must be an axis of the input, from {-core.ndim} to {core.ndim - 1}, is {dim}")
    axis = dim % core.ndim
    if core.split != axis:
        return result(core, getattr(torch, name)(core.local, axis, dtype), core.gshape)
    if 0 in core.gshape:
        return result(core, core.local if dtype is None else core.local.to(dtype), core.gshape)
    shifted = input if dtype is None else result(core, core.local.to(dtype), core.gshape)
    with torch.no_grad():
        largest = shifted.max(axis, keepdims=True)
    shifted = shifted - largest
    powers = shifted.exp()
    total = powers.sum(axis, keepdims=True)
    return shifted - total.log() if log else powers / total


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: torch.dtype | None = None) -> Any:
    """The rule of ``torch.nn.functional.softmax``."""
    return _softmax(input, dim, dtype, log=False)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: torch.dtype | None = None) -> Any:
    """The rule of ``torch.nn.functional.log_softmax``."""
    return _softmax(input, dim, dtype, log=True)


def plain(rule: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of ``torch.softmax`` and ``torch.log_softmax``, whose third argument is the dtype."""
    return lambda input, dim, dtype=None: rule(input, dim, dtype=dtype)


def linear(input: Any, weight: Tensor, bias: Tensor | None = None) -> Any:
    """The rule of ``torch.nn.functional.linear``; along a split last axis by `equiheat.matmul`."""
    core = block_of(input, "linear")
    if core.ndim == 0 or core.gshape[-1] != weight.shape[-1]:
        raise ValueError(f"linear: input {tuple(core.gshape)} must end in the weight's {weight.shape[-1]} features")
    shape = [*core.gshape[:-1], *weight.shape[:-1]]
    if core.split is None or core.split < core.ndim - 1:
        local = F.linear(core.local, blocks.entered(core, weight), blocks.entered(core, bias))
        return result(core, local, shape)
    turned = weight.mT if weight.dim() > 1 else weight
    product = matmul(input, wrap(blocks.array(turned, turned.shape, None, None, core)))
    return product if bias is None else product + wrap(blocks.array(bias, bias.shape, None, None, core))


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """The rule of ``torch.nn.functional.pad``: pairs of numbers from the last axis on; negative ones cut off."""
    core, widths = block_of(input, "pad"), list(pad)
    if len(widths) % 2 or len(widths) > 2 * core.ndim:
        raise ValueError(f"pad: pad must have two numbers for each of at most {core.ndim} axes, is {tuple(widths)}")
    if mode not in _PADDING:
        raise ValueError(f"pad: mode must be one of {sorted(_PADDING)}, is {mode!r}")
    pairs = [(0, 0)] * (core.ndim - len(widths) // 2) + list(zip(widths[-2::-2], widths[::-2], strict=True))
    cut = [slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(core.gshape, pairs, strict=True)]
    kept = input[tuple(cut)] if min(widths, default=0) < 0 else input
    return padded(kept, [(max(a, 0), max(b, 0)) for a, b in pairs], _PADDING[mode], value or 0)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The rule of ``torch.flatten``: axes start_dim to end_dim become one."""
    core = block_of(input, "flatten")
    if core.ndim == 0:
        return input.reshape((1,))
    for dim in (start_dim, end_dim):
        if not -core.ndim <= dim < core.ndim:
            raise IndexError(f"flatten: axis {dim} is out of range for an array of {core.ndim} axes")
    first, last = start_dim % core.ndim, end_dim % core.ndim
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} lies behind end_dim {end_dim}")
    shape = core.gshape
    length = 1
    for n in shape[first : last + 1]:
        length *= n
    return input.reshape((*shape[:first], length, *shape[last + 1 :]))


def cat(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None, out: None = None) -> Any:
    """The rule of ``torch.cat``; tensors beside arrays count as replicated."""
    return concatenate([asarray(x) for x in tensors], axis=dim if axis is None else axis)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: torch.dtype | None = None) -> Any:
    """The rule of ``torch.nn.functional.softmin``."""
    return _softmax(-input, dim, dtype, log=False)


def glu(input: Any, dim: int = -1) -> Any:
    """The rule of ``torch.nn.functional.glu``: half of an axis times the sigmoid of the other half."""
    core = block_of(input, "glu")
    if core.ndim == 0 or core.gshape[dim] % 2:
        raise ValueError(f"glu: axis {dim} of the input {tuple(core.gshape)} has no halves")
    half, axis = core.gshape[dim] // 2, dim % core.ndim
    at = [slice(None)] * axis
    return input[(*at, slice(half))] * torch.sigmoid(input[(*at, slice(half, None))])


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: None = None) -> Any:
    """The rule of ``torch.nn.functional.normalize``: vectors along an axis, of length 1."""
    return input / clip(torch.norm(input, p, dim, keepdim=True), eps)
