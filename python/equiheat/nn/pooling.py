# SPDX-License-Identifier: BSD-3-Clause
"""Pooling of images that are split over ranks along an axis of the image, or along the batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from equiheat import blocks
from equiheat.nn._spatial import Taps, along_split, image, result, tuple_of


def _taps(layer: Any, axes: int) -> list[Taps]:
    kernel = tuple_of(layer.kernel_size, axes)
    stride = kernel if layer.stride is None else tuple_of(layer.stride, axes)
    padding = tuple_of(layer.padding, axes)
    dilation = tuple_of(getattr(layer, "dilation", 1), axes)
    for k, p in zip(kernel, padding, strict=True):
        if p > k // 2:
            raise ValueError(f"{type(layer).__name__}: padding {p} is more than half of the kernel's {k}")
    return [Taps(k, s, d, p, p, layer.ceil_mode) for k, s, d, p in zip(kernel, stride, dilation, padding, strict=True)]


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
    return torch.nn.functional.pad(rows, padding, value=fill), counts, own


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


def _pooled(layer: Any, x: Any, axes: int, kind: str) -> Any:
    core, taps = image(layer, x, axes), _taps(layer, axes)
    shape = _shape(core, taps, type(layer).__name__)
    kernel, stride, dilation = ([getattr(t, name) for t in taps] for name in ("kernel", "stride", "dilation"))
    rows, counts, own = _windows(core, taps, -torch.inf if kind == "max" else 0.0)
    if kind == "max":
        local: Tensor = getattr(torch.nn.functional, f"max_pool{axes}d")(rows, kernel, stride, 0, dilation)
    else:
        local = getattr(torch.nn.functional, f"avg_pool{axes}d")(rows, kernel, stride)
    if own is not None:
        local = local.narrow(core.split or 0, 0, own)
    if kind == "average":
        local = _averaged(layer, core, local, taps, counts)
    return result(core, local, shape, counts)


def _averaged(layer: Any, core: blocks.Array, mean: Tensor, taps: list[Taps], counts: list[int] | None) -> Tensor:
    """Means over whole windows become means over the entries that count."""
    divisor = getattr(layer, "divisor_override", None)
    volume = 1
    for t in taps:
        volume *= t.kernel
    if divisor:
        return mean * (volume / divisor)
    for k, t in enumerate(taps):
        first = sum(counts[: core.comm.rank]) if counts is not None and core.split == k + 2 else 0
        valid = _valid(t, core.gshape[k + 2], first, mean.shape[k + 2], mean, layer.count_include_pad)
        mean = mean * (t.kernel / valid).view([-1 if j == k + 2 else 1 for j in range(mean.dim())])
    return mean


class MaxPool1d(torch.nn.MaxPool1d):
    """``torch.nn.MaxPool1d`` for DNDarrays of any split; see `MaxPool2d`."""

    def forward(self, input: Any) -> Any:
        return super().forward(input) if isinstance(input, Tensor) else _pooled(self, input, 1, "max")


class MaxPool2d(torch.nn.MaxPool2d):
    """``torch.nn.MaxPool2d`` for images (N, C, H, W) that are DNDarrays of any split.

    Parameters as torch's; indices are not returned. Values, distribution, communication and gradients as `Conv2d` has
    them.

    Examples
    --------
    >>> ht.nn.MaxPool2d(2)(ht.ones((1, 1, 4, 4), split=2)).shape
    (1, 1, 2, 2)
    """

    def forward(self, input: Any) -> Any:
        return super().forward(input) if isinstance(input, Tensor) else _pooled(self, input, 2, "max")


class MaxPool3d(torch.nn.MaxPool3d):
    """``torch.nn.MaxPool3d`` for DNDarrays of any split; see `MaxPool2d`."""

    def forward(self, input: Any) -> Any:
        return super().forward(input) if isinstance(input, Tensor) else _pooled(self, input, 3, "max")


class AvgPool1d(torch.nn.AvgPool1d):
    """``torch.nn.AvgPool1d`` for DNDarrays of any split; see `AvgPool2d`."""

    def forward(self, input: Any) -> Any:
        if isinstance(input, Tensor):
            return super().forward(input)
        return _pooled(_Single(self), input, 1, "average")


class AvgPool2d(torch.nn.AvgPool2d):
    """``torch.nn.AvgPool2d`` for images (N, C, H, W) that are DNDarrays of any split. Parameters as torch's; values,
    distribution, communication and gradients as `Conv2d` has them.

    Examples
    --------
    >>> ht.nn.AvgPool2d(2)(ht.ones((1, 1, 4, 4), split=2)).shape
    (1, 1, 2, 2)
    """

    def forward(self, input: Any) -> Any:
        return super().forward(input) if isinstance(input, Tensor) else _pooled(self, input, 2, "average")


class AvgPool3d(torch.nn.AvgPool3d):
    """``torch.nn.AvgPool3d`` for DNDarrays of any split; see `AvgPool2d`."""

    def forward(self, input: Any) -> Any:
        return super().forward(input) if isinstance(input, Tensor) else _pooled(self, input, 3, "average")


class _Single:
    """The options of a 1-D layer, as plain numbers."""

    def __init__(self, layer: torch.nn.AvgPool1d) -> None:
        self.kernel_size, self.stride, self.padding = layer.kernel_size, layer.stride, layer.padding
        self.ceil_mode, self.count_include_pad = layer.ceil_mode, layer.count_include_pad


class AdaptiveAvgPool2d(torch.nn.AdaptiveAvgPool2d):
    """``torch.nn.AdaptiveAvgPool2d`` for images (N, C, H, W) that are DNDarrays of any split.

    Output size 1 is the mean of the image, on every rank. Else each output along the split lies where `Conv2d` would
    have it, and the rows its mean is over come from the ranks that hold them. Differentiable.

    Examples
    --------
    >>> ht.nn.AdaptiveAvgPool2d(1)(ht.ones((1, 3, 8, 8), split=2)).shape
    (1, 3, 1, 1)
    """

    def forward(self, input: Any) -> Any:
        if isinstance(input, Tensor):
            return super().forward(input)
        core = image(self, input, 2)
        wanted = self.output_size if isinstance(self.output_size, (tuple, list)) else (self.output_size,) * 2
        x: Any = result(core, core.local, core.gshape)
        for axis, n in zip((2, 3), wanted, strict=True):
            if n is not None and n != x.shape[axis]:
                x = x.mean(axis, keepdims=True) if n == 1 else _adapted(x._core, axis, int(n))
        return x


def _adapted(core: blocks.Array, axis: int, n: int) -> Any:
    """Means of n overlapping pieces of an axis."""
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
    weights = rows.new_zeros((own, rows.shape[axis]))
    for i in range(own):
        b, e = begins[first + i], ends[first + i]
        weights[i, b:e] = 1.0 / (e - b)
    local = torch.tensordot(rows, weights, dims=([axis], [1])).movedim(-1, axis)
    shape = [n if k == axis else m for k, m in enumerate(core.gshape)]
    return result(core, local, shape, counts)


__all__ = [
    "AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d",
]  # fmt: skip
