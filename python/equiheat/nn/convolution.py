# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions of images that are split over ranks along an axis of the image, or along the batch.

No rank ever holds more than its part of the image and of the result, and the rows that its results look at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from equiheat import blocks
from equiheat.nn._spatial import Taps, along_split, counts_for, image, result, tuple_of


def _padding(name: str, value: Any, taps: list[Taps]) -> list[tuple[int, int]]:
    """Entries before and behind each axis, of torch's `padding`."""
    if value == "same":
        if any(t.stride != 1 for t in taps):
            raise ValueError(f"{name}: padding='same' needs stride 1")
        return [((t.reach - 1) // 2, t.reach - 1 - (t.reach - 1) // 2) for t in taps]
    if isinstance(value, str) and value != "valid":
        raise ValueError(f"{name}: padding must be a number, one for each axis, 'same' or 'valid', is {value!r}")
    pads = tuple_of(0 if value == "valid" else value, len(taps))
    if min(pads) < 0:
        raise ValueError(f"{name}: padding must not be negative, is {pads}")
    return [(p, p) for p in pads]


def _padded(core: blocks.Array, taps: list[Taps]) -> blocks.Array:
    """With zeros around all axes that are whole on every rank."""
    before = [0, 0, *(t.before * (core.split != k + 2) for k, t in enumerate(taps))]
    after = [0, 0, *(t.after * (core.split != k + 2) for k, t in enumerate(taps))]
    if not any(before + after):
        return core
    shape = [n + b + a for n, b, a in zip(core.gshape, before, after, strict=True)]
    return blocks.array(blocks.framed(core, before, after, "constant"), shape, core.split, core.counts, core)


def _check_types(name: str, core: blocks.Array, weight: Tensor) -> None:
    if core.local.dtype != weight.dtype and not torch.is_autocast_enabled(core.local.device.type):
        raise TypeError(f"{name}: input has the type {core.local.dtype}, the weight {weight.dtype}; they must be equal")


def _check_channels(name: str, core: blocks.Array, channels: int) -> None:
    if core.gshape[1] != channels:
        raise ValueError(f"{name}: input has {core.gshape[1]} channels, the weight takes {channels}")


def convolution(axes: int) -> Callable[..., Any]:
    """The rule of ``torch.conv1d``, ``conv2d`` or ``conv3d``."""
    name = f"conv{axes}d"
    apply = getattr(F, name)

    def rule(
        input: Any,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        core = image(name, input, axes)
        _check_channels(name, core, weight.shape[1] * groups)
        strides, dilations = tuple_of(stride, axes), tuple_of(dilation, axes)
        taps = [Taps(k, s, d) for k, s, d in zip(weight.shape[2:], strides, dilations, strict=True)]
        pads = _padding(name, padding, taps)
        taps = [Taps(t.kernel, t.stride, t.dilation, *p) for t, p in zip(taps, pads, strict=True)]
        extents = [t.results(n) for t, n in zip(taps, core.gshape[2:], strict=True)]
        if 0 in extents:
            raise ValueError(f"{name}: the kernel is larger than the padded image {tuple(core.gshape[2:])}")
        shape = [core.gshape[0], weight.shape[0], *extents]
        core = _padded(core, taps)
        _check_types(name, core, weight)
        weight, bias = blocks.entered(core, weight), blocks.entered(core, bias)
        if core.split is None or core.split == 0:
            return result(core, apply(core.local, weight, bias, strides, 0, dilations, groups), shape)
        window = along_split(core, taps[core.split - 2])
        local: Tensor = apply(window.rows, weight, bias, strides, 0, dilations, groups)
        return result(core, local.narrow(core.split, 0, window.own), shape, window.counts)

    return rule


def _sources(core: blocks.Array, t: Taps, extra: int) -> tuple[Tensor, list[int], int, int]:
    """The rows that reach this rank's results of a transposed convolution along the split, the results' extents,
    where the first of them lies in what the rows make, and how many entries that lacks.
    """
    assert core.split is not None
    counts = counts_for(core, (core.gshape[core.split] - 1) * t.stride + t.reach - 2 * t.before + extra)
    begins, ends, first, offsets = [], [], 0, []
    for count in counts:
        low, high = first + t.before, first + t.before + max(count, 1) - 1  # places in the padded result
        begins.append(min(-(-(low - t.reach + 1) // t.stride), low // t.stride))
        ends.append(high // t.stride + 1)
        offsets.append(low - begins[-1] * t.stride)
        first += count
    rank = core.comm.rank
    rows = blocks.window(core, core.split, begins, ends)
    made = (ends[rank] - begins[rank] - 1) * t.stride + t.reach
    return rows, counts, offsets[rank], max(0, offsets[rank] + counts[rank] - made)


def transposed_convolution(axes: int) -> Callable[..., Any]:
    """The rule of ``torch.conv_transpose1d``, ``conv_transpose2d`` or ``conv_transpose3d``."""
    name = f"conv_transpose{axes}d"
    apply = getattr(F, name)

    def rule(
        input: Any,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Any:
        core = image(name, input, axes)
        _check_channels(name, core, weight.shape[0])
        strides, dilations, pads = tuple_of(stride, axes), tuple_of(dilation, axes), list(tuple_of(padding, axes))
        extra = list(tuple_of(output_padding, axes))
        walk = zip(weight.shape[2:], strides, dilations, pads, strict=True)
        taps = [Taps(k, s, d, p) for k, s, d, p in walk]
        extents = [
            (n - 1) * t.stride + t.reach - 2 * t.before + e
            for n, t, e in zip(core.gshape[2:], taps, extra, strict=True)
        ]
        if any(not 0 <= e < max(t.stride, t.dilation) for e, t in zip(extra, taps, strict=True)):
            raise ValueError(f"{name}: output_padding {tuple(extra)} must be less than the stride or the dilation")
        if min(extents) < 1:
            raise ValueError(f"{name}: the result would have the shape {tuple(extents)}; take less padding")
        shape = [core.gshape[0], weight.shape[1] * groups, *extents]
        _check_types(name, core, weight)
        weight, bias = blocks.entered(core, weight), blocks.entered(core, bias)
        if core.split is None or core.split == 0:
            return result(core, apply(core.local, weight, bias, strides, pads, extra, groups, dilations), shape)
        along = core.split - 2
        rows, counts, offset, extra[along] = _sources(core, taps[along], extra[along])
        pads[along] = 0
        local: Tensor = apply(rows, weight, bias, strides, pads, extra, groups, dilations)
        return result(core, local.narrow(core.split, offset, counts[core.comm.rank]), shape, counts)

    return rule
