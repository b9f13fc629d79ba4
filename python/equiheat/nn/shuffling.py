# SPDX-License-Identifier: BSD-3-Clause
"""Pixels of split images that become channels, channels that become pixels or change their order.

Composed of reshapes, because torch's own operators have no gradient where a block is empty.
"""

from __future__ import annotations

from typing import Any

import torch

from equiheat import blocks
from equiheat.nn._spatial import block_of, counts_for, image, result


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """The rule of ``torch.pixel_shuffle``: r * r channels become r times the rows and columns. Local."""
    core, r = image("pixel_shuffle", input, 2), upscale_factor
    n, channels, height, width = core.gshape
    if r < 1 or channels % (r * r):
        raise ValueError(f"pixel_shuffle: {channels} channels do not make squares of {r} x {r} pixels")
    along = core.split is not None and core.split >= 2
    counts = [c * r for c in core.counts] if along and core.counts is not None else None
    shape = [n, channels // (r * r), height * r, width * r]
    h, w = core.local.shape[2:]
    pixels = core.local.reshape(core.local.shape[0], shape[1], r, r, h, w)
    local = pixels.permute(0, 1, 4, 2, 5, 3).reshape(core.local.shape[0], shape[1], h * r, w * r)
    return result(core, local, shape, counts)


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """The rule of ``torch.pixel_unshuffle``; rows move so that no square lies on two ranks."""
    core, r = image("pixel_unshuffle", input, 2), downscale_factor
    n, channels, height, width = core.gshape
    if r < 1 or height % r or width % r:
        raise ValueError(f"pixel_unshuffle: {height} x {width} pixels do not make squares of {r} x {r}")
    rows, counts = core.local, None
    if core.split is not None and core.split >= 2:
        counts = counts_for(core, core.gshape[core.split] // r)
        begins = [r * sum(counts[:rank]) for rank in range(len(counts))]
        ends = [b + r * c for b, c in zip(begins, counts, strict=True)]
        rows = blocks.window(core, core.split, begins, ends)
        if core.split == 2:
            height = rows.shape[2]
        else:
            width = rows.shape[3]
    shape = [n, channels * r * r, core.gshape[2] // r, core.gshape[3] // r]
    squares = rows.reshape(rows.shape[0], channels, height // r, r, width // r, r)
    local = squares.permute(0, 1, 3, 5, 2, 4).reshape(rows.shape[0], shape[1], height // r, width // r)
    return result(core, local, shape, counts)


def channel_shuffle(input: Any, groups: int) -> Any:
    """The rule of ``torch.channel_shuffle``."""
    core = image("channel_shuffle", input, max(block_of(input, "channel_shuffle").ndim - 2, 1))
    if groups < 1 or core.gshape[1] % groups:
        raise ValueError(f"channel_shuffle: {core.gshape[1]} channels do not make {groups} groups")
    return result(core, torch.channel_shuffle(core.local, groups), core.gshape)
