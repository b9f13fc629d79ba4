# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions of images that are split over ranks along an axis of the image, or along the batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from equiheat import blocks
from equiheat.nn._spatial import Taps, along_split, image, result

_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "periodic"}


def _taps(layer: Any, axes: int) -> list[Taps]:
    pads = layer._reversed_padding_repeated_twice
    return [
        Taps(
            layer.kernel_size[k],
            layer.stride[k],
            layer.dilation[k],
            pads[2 * (axes - 1 - k)],
            pads[2 * (axes - 1 - k) + 1],
        )
        for k in range(axes)
    ]


def _padded(core: blocks.Array, taps: list[Taps], boundary: str) -> blocks.Array:
    """With the padding of all axes that are whole on every rank."""
    whole = [core.split != k + 2 for k in range(len(taps))]
    if not any(own and (t.before or t.after) for own, t in zip(whole, taps, strict=True)):
        return core
    before = [0, 0, *(t.before * own for own, t in zip(whole, taps, strict=True))]
    after = [0, 0, *(t.after * own for own, t in zip(whole, taps, strict=True))]
    shape = [n + b + a for n, b, a in zip(core.gshape, before, after, strict=True)]
    block = blocks.framed(core, before, after, boundary, 0.0)
    return blocks.array(block, shape, core.split, core.counts, core)


def _convolved(layer: Any, x: Any, axes: int) -> Any:
    core = image(layer, x, axes)
    if core.gshape[1] != layer.in_channels:
        raise ValueError(f"{type(layer).__name__}: x has {core.gshape[1]} channels, the layer {layer.in_channels}")
    taps, boundary = _taps(layer, axes), _MODES[layer.padding_mode]
    extents = [t.results(n) for t, n in zip(taps, core.gshape[2:], strict=True)]
    if 0 in extents:
        raise ValueError(f"{type(layer).__name__}: the kernel is larger than the padded image {tuple(core.gshape[2:])}")
    shape = [core.gshape[0], layer.out_channels, *extents]
    core = _padded(core, taps, boundary)
    weight, bias = blocks.entered(core, layer.weight), blocks.entered(core, layer.bias)
    apply = getattr(torch.nn.functional, f"conv{axes}d")
    if core.split is None or core.split == 0:
        return result(core, apply(core.local, weight, bias, layer.stride, 0, layer.dilation, layer.groups), shape)
    window = along_split(core, taps[core.split - 2], boundary)
    local: Tensor = apply(window.rows, weight, bias, layer.stride, 0, layer.dilation, layer.groups)
    return result(core, local.narrow(core.split, 0, window.own), shape, window.counts)


class Conv1d(torch.nn.Conv1d):
    """``torch.nn.Conv1d`` for signals (N, C, L) that are DNDarrays of any split; see `Conv2d`."""

    def forward(self, input: Any) -> Any:
        return super().forward(input) if isinstance(input, Tensor) else _convolved(self, input, 1)


class Conv2d(torch.nn.Conv2d):
    """``torch.nn.Conv2d`` for images (N, C, H, W) that are DNDarrays of any split.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
        Those of ``torch.nn.Conv2d``, with its parameters and state dict. All ranks must hold the same parameters.

    Notes
    -----
    The result is that of torch's layer on the whole image. Its split is the input's, with the input's extents if its
    length along the split stays, else balanced. Images split along the channels are first split along their rows.

    Communication: none for a split batch. Along a split axis of the image each rank gets the rows its results look at
    and it lacks, one alltoallv, and no rank ever holds more than its part of the image and of the result: an image may
    be larger than the memory of a rank. Differentiable: the gradients of the parameters are those of the whole batch
    and image, on every rank (one allreduce for each, in backward); do not average them.

    Plain tensors are taken as torch takes them.

    Examples
    --------
    >>> x = ht.random.rand(1, 3, 32, 32, split=2)
    >>> ht.nn.Conv2d(3, 8, 3, stride=2, padding=1)(x).shape
    (1, 8, 16, 16)
    """

    def forward(self, input: Any) -> Any:
        return super().forward(input) if isinstance(input, Tensor) else _convolved(self, input, 2)


class Conv3d(torch.nn.Conv3d):
    """``torch.nn.Conv3d`` for volumes (N, C, D, H, W) that are DNDarrays of any split; see `Conv2d`."""

    def forward(self, input: Any) -> Any:
        return super().forward(input) if isinstance(input, Tensor) else _convolved(self, input, 3)


__all__ = ["Conv1d", "Conv2d", "Conv3d"]
