# SPDX-License-Identifier: BSD-3-Clause
"""Pooling of images that are split over ranks along an axis of the image, or along the batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from equiheat import blocks
from equiheat.nn._spatial import Taps, along_split, check_floating, image, result, tuple_of


def _taps(
    name: str, axes: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> list[Taps]:
    kernel = tuple_of(kernel_size, axes)
    strides = kernel if stride is None or stride == () else tuple_of(stride, axes)
    pads = tuple_of(padding, axes)
    for k, p in zip(kernel, pads, strict=True):
        if p > k // 2:
            raise ValueError(f"{name}: padding {p} is more than half of the kernel's {k}")
    each = zip(kernel, strides, tuple_of(dilation, axes), pads, strict=True)
    return [Taps(k, s, d, p, p, ceil_mode) for k, s, d, p in each]


def _windows(core: blocks.Array, taps: list[Taps], fill: float) -> tuple[Tensor, list[int] | None, int | None]:
    """The block with all the padding there is, its result's extents along the split, and this rank's."""
    counts, own = None, None
    rows = core.local
    if core.split is not None and core.split >= 2:
        window = along_split(core, taps[core.split - 2], "constant", fill)
        rows, counts, own = window.rows, window.counts, window.own
    padding: list[int] = []
    for k in reversed(range(len(taps))):
        if core.split == k + 2:
            padding += [0, 0]
            continue
        t, n = taps[k], core.gshape[k + 2]
        padding += [t.before, (t.results(n) - 1) * t.stride + t.reach - n - t.before]
    return F.pad(rows, padding, value=fill), counts, own


def _valid(taps: Taps, n: int, first: int, count: int, like: Tensor, inside_padding: bool) -> Tensor:
    """How many entries of each window are averaged over, as torch counts them along one axis."""
    begins = torch.arange(first, first + count, device=like.device) * taps.stride - taps.before
    last = n + taps.after if inside_padding else n
    ends = (begins + taps.reach).clamp(max=last)
    return (ends - (begins if inside_padding else begins.clamp(min=0))).to(like.dtype)


def _shape(core: blocks.Array, taps: list[Taps], name: str) -> list[int]:
    extents = [t.results(n) for t, n in zip(taps, core.gshape[2:], strict=True)]
    if 0 in extents:
        raise ValueError(f"{name}: the kernel is larger than the padded image {tuple(core.gshape[2:])}")
    return [*core.gshape[:2], *extents]


def _least(dtype: torch.dtype) -> float:
    return -torch.inf if dtype.is_floating_point else torch.iinfo(dtype).min


def max_pool(axes: int) -> Callable[..., Any]:
    """The rule of ``torch.nn.functional.max_pool1d``, ``max_pool2d`` or ``max_pool3d``."""
    name = f"max_pool{axes}d"

    def rule(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        if return_indices:
            raise TypeError(f"{name}: return_indices is not supported for DNDarrays")
        core, taps = image(name, input, axes), _taps(name, axes, kernel_size, stride, padding, dilation, ceil_mode)
        shape = _shape(core, taps, name)
        rows, counts, own = _windows(core, taps, _least(core.local.dtype))
        kernel, strides, dilations = ([getattr(t, key) for t in taps] for key in ("kernel", "stride", "dilation"))
        local: Tensor = getattr(F, name)(rows, kernel, strides, 0, dilations)
        return result(core, local if own is None else local.narrow(core.split or 0, 0, own), shape, counts)

    return rule


def avg_pool(axes: int) -> Callable[..., Any]:
    """The rule of ``torch.nn.functional.avg_pool1d``, ``avg_pool2d`` or ``avg_pool3d``."""
    name = f"avg_pool{axes}d"

    def rule(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Any:
        core, taps = image(name, input, axes), _taps(name, axes, kernel_size, stride, padding, 1, ceil_mode)
        shape = _shape(core, taps, name)
        rows, counts, own = _windows(core, taps, 0.0)
        mean: Tensor = getattr(F, name)(rows, [t.kernel for t in taps], [t.stride for t in taps])
        mean = mean if own is None else mean.narrow(core.split or 0, 0, own)
        if divisor_override is not None:
            local = mean * (math.prod(t.kernel for t in taps) / divisor_override)
        else:
            local = _averaged(core, mean, taps, counts, count_include_pad)
        return result(core, local, shape, counts)

    return rule


def _averaged(
    core: blocks.Array, mean: Tensor, taps: list[Taps], counts: list[int] | None, inside_padding: bool
) -> Tensor:
    """Means over whole windows become means over the entries that count."""
    for k, t in enumerate(taps):
        first = sum(counts[: core.comm.rank]) if counts is not None and core.split == k + 2 else 0
        valid = _valid(t, core.gshape[k + 2], first, mean.shape[k + 2], mean, inside_padding)
        mean = mean * (t.kernel / valid).view([-1 if j == k + 2 else 1 for j in range(mean.dim())])
    return mean


def adaptive_avg_pool(axes: int) -> Callable[..., Any]:
    """The rule of ``torch.nn.functional.adaptive_avg_pool1d``, ``adaptive_avg_pool2d`` or ``adaptive_avg_pool3d``.

    Output size 1 is the mean of the image, on every rank.
    """
    name = f"adaptive_avg_pool{axes}d"

    def rule(input: Any, output_size: Any) -> Any:
        core = image(name, input, axes)
        check_floating(name, core)
        x: Any = result(core, core.local, core.gshape)
        for axis, n in enumerate(_sizes(name, core, output_size, axes), start=2):
            if n != x.shape[axis]:
                x = x.mean(axis, keepdims=True) if n == 1 else _adapted(x._core, axis, n)
        return x

    return rule


def adaptive_max_pool(axes: int) -> Callable[..., Any]:
    """The rule of ``torch.nn.functional.adaptive_max_pool1d``, ``adaptive_max_pool2d`` or ``adaptive_max_pool3d``."""
    name = f"adaptive_max_pool{axes}d"

    def rule(input: Any, output_size: Any, return_indices: bool = False) -> Any:
        if return_indices:
            raise TypeError(f"{name}: return_indices is not supported for DNDarrays")
        core = image(name, input, axes)
        x: Any = result(core, core.local, core.gshape)
        for axis, n in enumerate(_sizes(name, core, output_size, axes), start=2):
            if n != x.shape[axis]:
                x = _adapted(x._core, axis, n, _largest)
        return x

    return rule


def _sizes(name: str, core: blocks.Array, output_size: Any, axes: int) -> list[int]:
    given = zip(tuple_of(output_size, axes), core.gshape[2:], strict=True)
    sizes = [n if size is None else int(size) for size, n in given]
    if min(sizes) < 0 or 0 in core.gshape[1:]:
        raise ValueError(f"{name}: {tuple(core.gshape)} cannot be pooled to {tuple(sizes)}")
    return sizes


def _means(rows: Tensor, axis: int, begins: list[int], ends: list[int]) -> Tensor:
    weights = rows.new_zeros((len(begins), rows.shape[axis]))
    for i, (b, e) in enumerate(zip(begins, ends, strict=True)):
        weights[i, b:e] = 1.0 / (e - b)
    return torch.tensordot(rows, weights, dims=([axis], [1])).movedim(-1, axis)


def _largest(rows: Tensor, axis: int, begins: list[int], ends: list[int]) -> Tensor:
    pieces = [rows.narrow(axis, b, e - b).max(axis).values for b, e in zip(begins, ends, strict=True)]
    return torch.stack(pieces, axis) if pieces else rows.narrow(axis, 0, 0)


def _adapted(core: blocks.Array, axis: int, n: int, of: Callable[..., Tensor] = _means) -> Any:
    """Means, or what else, of n overlapping pieces of an axis."""
    length, first, counts = core.gshape[axis], 0, None
    rows, own = core.local, n
    begins, ends = [i * length // n for i in range(n)], [-(-(i + 1) * length // n) for i in range(n)]
    if core.split == axis:
        size = core.comm.size
        counts = [n // size + (rank < n % size) for rank in range(size)]
        starts = [sum(counts[:rank]) for rank in range(size)]
        froms = [begins[s] if c else 0 for s, c in zip(starts, counts, strict=True)]
        tos = [ends[s + c - 1] if c else 0 for s, c in zip(starts, counts, strict=True)]
        rows = blocks.window(core, axis, froms, tos, "constant", 0.0)
        first, own, offset = starts[core.comm.rank], counts[core.comm.rank], froms[core.comm.rank]
        begins, ends = [b - offset for b in begins], [e - offset for e in ends]
    mine = slice(first, first + own)
    local = of(rows, axis, begins[mine], ends[mine])
    shape = [n if k == axis else m for k, m in enumerate(core.gshape)]
    return result(core, local, shape, counts)
