# SPDX-License-Identifier: BSD-3-Clause
"""Batch normalisation and activations of images that are DNDarrays."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from equiheat import blocks
from equiheat._base import ArrayBase, wrap
from equiheat.nn.batchnorm import BatchNorm


def _per_channel(core: blocks.Array, values: Tensor) -> Any:
    """One value per channel, beside an array of images."""
    shape = [1, -1] + [1] * (core.ndim - 2)
    block = values.view(shape)
    return wrap(blocks.array(block, block.shape, None, None, core))


def _normalized(layer: Any, x: Any) -> Any:
    core = x._core
    if core.ndim < 2 or core.gshape[1] != layer.num_features:
        raise ValueError(
            f"{type(layer).__name__}: x has shape {tuple(core.gshape)}; expected (N, {layer.num_features}, ...)"
        )
    if layer.training or layer.running_mean is None:
        axes = tuple(k for k in range(core.ndim) if k != 1)
        mean = x.mean(axes, keepdims=True)
        centered = x - mean
        var = (centered * centered).mean(axes, keepdims=True)
        if layer.training and layer.running_mean is not None:
            _track(layer, mean, var, x.size // max(layer.num_features, 1))
    else:
        mean, var = _per_channel(core, layer.running_mean), _per_channel(core, layer.running_var)
        centered = x - mean
    y = centered / (var + layer.eps) ** 0.5
    if layer.weight is not None:
        y = y * _per_channel(core, layer.weight) + _per_channel(core, layer.bias)
    return y


@torch.no_grad()
def _track(layer: Any, mean: Any, var: Any, count: int) -> None:
    layer.num_batches_tracked.add_(1)
    momentum = 1.0 / float(layer.num_batches_tracked) if layer.momentum is None else layer.momentum
    for running, value in ((layer.running_mean, mean), (layer.running_var, var * (count / max(count - 1, 1)))):
        whole = value.resplit(None).larray.detach().reshape(-1)
        running.lerp_(whole.to(running.dtype), momentum)


class BatchNorm1d(torch.nn.BatchNorm1d):
    """``torch.nn.BatchNorm1d`` for DNDarrays (N, C) or (N, C, L) of any split; see `BatchNorm2d`."""

    def forward(self, input: Any) -> Any:
        return _normalized(self, input) if isinstance(input, ArrayBase) else super().forward(input)


class BatchNorm2d(torch.nn.BatchNorm2d):
    """``torch.nn.BatchNorm2d`` for images (N, C, H, W) that are DNDarrays of any split.

    Parameters and state dict as torch's; all ranks hold the same. Statistics are those of all images whole: two
    allreduces of C numbers in training (none for a split along the channels, nor in evaluation). Distribution as the
    input. Differentiable; gradients of the parameters are those of the whole batch and image on every rank.

    For plain tensors, one batch on each rank, see `BatchNorm`.

    Examples
    --------
    >>> ht.nn.BatchNorm2d(3)(ht.random.rand(2, 3, 8, 8, split=2)).shape
    (2, 3, 8, 8)
    """

    def forward(self, input: Any) -> Any:
        return _normalized(self, input) if isinstance(input, ArrayBase) else super().forward(input)


class BatchNorm3d(torch.nn.BatchNorm3d):
    """``torch.nn.BatchNorm3d`` for DNDarrays (N, C, D, H, W) of any split; see `BatchNorm2d`."""

    def forward(self, input: Any) -> Any:
        return _normalized(self, input) if isinstance(input, ArrayBase) else super().forward(input)


def _pointwise(base: type[torch.nn.Module]) -> Any:
    """Torch's activation, for tensors and for arrays, whose blocks it takes one by one."""

    def forward(self: Any, input: Any) -> Any:
        if not isinstance(input, ArrayBase):
            return base.forward(self, input)
        return wrap(input._core.with_local(base.forward(self, input._core.local)))

    doc = f"``torch.nn.{base.__name__}``, element by element, for tensors and for DNDarrays of any split. Local."
    return type(base.__name__, (base,), {"forward": forward, "__doc__": doc, "__module__": __name__})


ELU = _pointwise(torch.nn.ELU)
GELU = _pointwise(torch.nn.GELU)
Hardswish = _pointwise(torch.nn.Hardswish)
Identity = _pointwise(torch.nn.Identity)
LeakyReLU = _pointwise(torch.nn.LeakyReLU)
ReLU = _pointwise(torch.nn.ReLU)
ReLU6 = _pointwise(torch.nn.ReLU6)
Sigmoid = _pointwise(torch.nn.Sigmoid)
SiLU = _pointwise(torch.nn.SiLU)
Softplus = _pointwise(torch.nn.Softplus)
Tanh = _pointwise(torch.nn.Tanh)

__all__ = [
    "ELU", "GELU", "BatchNorm", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "Hardswish", "Identity", "LeakyReLU",
    "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softplus", "Tanh",
]  # fmt: skip
