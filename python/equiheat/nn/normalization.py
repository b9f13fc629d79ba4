# SPDX-License-Identifier: BSD-3-Clause
"""Normalisation of arrays whose statistics may need elements of several ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from equiheat import blocks
from equiheat._base import wrap
from equiheat.manipulation import broadcast_to
from equiheat.nn._spatial import block_of, check_floating, result


def _beside(core: blocks.Array, values: Tensor, shape: Sequence[int]) -> Any:
    """A tensor that all ranks hold alike as an array of this shape."""
    return wrap(blocks.array(values.reshape(list(shape)), shape, None, None, core))


def _scaled(y: Any, core: blocks.Array, weight: Tensor | None, bias: Tensor | None, shape: Sequence[int]) -> Any:
    if weight is not None:
        y = y * _beside(core, weight, shape)
    y = y if bias is None else y + _beside(core, bias, shape)
    own = core.local.dtype
    return y.astype(own) if core.local.is_floating_point() and y._core.local.dtype != own else y


def _wide(input: Any) -> Any:
    """Half precision as float32, for statistics; results become half precision again."""
    return input.astype(torch.float32) if input._core.local.dtype in (torch.float16, torch.bfloat16) else input


def _channels(core: blocks.Array) -> list[int]:
    return [1, core.gshape[1], *(1,) * (core.ndim - 2)]


def _check_channels(name: str, core: blocks.Array, **values: Tensor | None) -> None:
    if core.ndim < 2:
        raise ValueError(f"{name}: input must have the axes (N, C, ...), has shape {tuple(core.gshape)}")
    for argument, value in values.items():
        if value is not None and value.numel() != core.gshape[1]:
            raise ValueError(f"{name}: input has {core.gshape[1]} channels, {argument} {value.numel()} values")


@torch.no_grad()
def _track(running: Tensor | None, value: Any, momentum: float) -> None:
    if running is not None:
        whole = value.resplit(None).larray.detach().reshape(-1)
        running.lerp_(whole.to(running), momentum)


def batch_norm(
    input: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """The rule of ``torch.nn.functional.batch_norm``."""
    core = block_of(input, "batch_norm")
    check_floating("batch_norm", core)
    _check_channels("batch_norm", core, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    shape, input = _channels(core), _wide(input)
    if training:
        count = input.size // max(shape[1], 1)
        if count == 1:
            raise ValueError(f"batch_norm: needs more than 1 value per channel to train, input is {tuple(input.shape)}")
        axes = tuple(k for k in range(core.ndim) if k != 1)
        mean = input.mean(axes, keepdims=True)
        centered = input - mean
        var = (centered * centered).mean(axes, keepdims=True)
        _track(running_mean, mean, momentum)
        _track(running_var, var * (count / max(count - 1, 1)), momentum)
    elif running_mean is None or running_var is None:
        raise ValueError("batch_norm: needs running_mean and running_var where training is False")
    else:
        centered, var = input - _beside(core, running_mean, shape), _beside(core, running_var, shape)
    return _scaled(centered / (var + eps) ** 0.5, core, weight, bias, shape)


def _ending_in(name: str, input: Any, normalized_shape: Sequence[int]) -> tuple[blocks.Array, list[int]]:
    """The array, checked to end in these extents."""
    core, wanted = block_of(input, name), list(normalized_shape)
    check_floating(name, core)
    if not wanted or list(core.gshape[max(core.ndim - len(wanted), 0) :]) != wanted:
        raise ValueError(f"{name}: input {tuple(core.gshape)} does not end in normalized_shape {tuple(wanted)}")
    return core, wanted


def layer_norm(
    input: Any,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    """The rule of ``torch.nn.functional.layer_norm``."""
    core, wanted = _ending_in("layer_norm", input, normalized_shape)
    first = core.ndim - len(wanted)
    if core.split is None or core.split < first:
        own = blocks.entered(core, weight), blocks.entered(core, bias)
        return result(core, F.layer_norm(core.local, wanted, *own, eps), core.gshape)
    axes = tuple(range(first, core.ndim))
    input = _wide(input)
    centered = input - input.mean(axes, keepdims=True)
    var = (centered * centered).mean(axes, keepdims=True)
    return _scaled(centered / (var + eps) ** 0.5, core, weight, bias, wanted)


def group_norm(
    input: Any, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Any:
    """The rule of ``torch.nn.functional.group_norm``."""
    core = block_of(input, "group_norm")
    check_floating("group_norm", core)
    _check_channels("group_norm", core, weight=weight, bias=bias)
    n, channels = core.gshape[:2]
    if num_groups < 1 or channels % num_groups:
        raise ValueError(f"group_norm: {channels} channels do not make {num_groups} groups")
    if core.split == 1:
        input = input.resplit(2 if core.ndim > 2 else 0)
        core = input._core
    if core.split is None or core.split == 0:
        own = blocks.entered(core, weight), blocks.entered(core, bias)
        return result(core, F.group_norm(core.local, num_groups, *own, eps), core.gshape)

    def over_group(x: Any) -> Any:
        """Means over the images and their group's channels, one for each channel."""
        mean = (
            x.mean(tuple(range(2, core.ndim))).reshape((n, num_groups, channels // num_groups)).mean(2, keepdims=True)
        )
        each = broadcast_to(mean, (n, num_groups, channels // num_groups))
        return each.reshape((n, channels, *(1,) * (core.ndim - 2)))

    input = _wide(input)
    centered = input - over_group(input)
    return _scaled(centered / (over_group(centered * centered) + eps) ** 0.5, core, weight, bias, _channels(core))


def instance_norm(
    input: Any,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """The rule of ``torch.nn.functional.instance_norm``: every channel of every image by itself."""
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    core = block_of(input, "instance_norm")
    _check_channels("instance_norm", core, running_mean=running_mean, weight=weight, bias=bias)
    count, axes = math.prod(core.gshape[2:]), tuple(range(2, core.ndim))
    if count == 1 or not axes:
        raise ValueError(f"instance_norm: needs more than 1 place in an image, input is {tuple(core.gshape)}")
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            mean = input.detach().mean(axes, keepdims=True)
            var = ((input.detach() - mean) ** 2).mean(axes) * (count / max(count - 1, 1))
            _track(running_mean, mean.mean(0), momentum)
            _track(running_var, var.mean(0), momentum)
    return group_norm(input, core.gshape[1], weight, bias, eps)


def rms_norm(
    input: Any, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Any:
    """The rule of ``torch.nn.functional.rms_norm``."""
    core, wanted = _ending_in("rms_norm", input, normalized_shape)
    first = core.ndim - len(wanted)
    if core.split is None or core.split < first:
        return result(core, F.rms_norm(core.local, wanted, blocks.entered(core, weight), eps), core.gshape)
    least = torch.finfo(core.local.dtype).eps if eps is None else eps
    input = _wide(input)
    power = (input * input).mean(tuple(range(first, core.ndim)), keepdims=True)
    return _scaled(input / (power + least) ** 0.5, core, weight, None, wanted)
