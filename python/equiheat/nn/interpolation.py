# SPDX-License-Identifier: BSD-3-Clause
"""Images of another size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from equiheat import blocks
from equiheat.nn._spatial import counts_for, image, result
from equiheat.nn.pooling import adaptive_avg_pool

_SAMPLED = ("nearest", "nearest-exact", "area")
_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """``torch.nn.functional.interpolate`` for images (N, C, ...) that are DNDarrays of any split.

    Parameters
    ----------
    input
        Images of one to three spatial axes.
    size, scale_factor
        One of them: extents of the result, or how many times the input's; one number or one per spatial axis.
    mode
        "nearest", "nearest-exact", "area", or "linear", "bilinear", "trilinear" for one, two, three spatial axes.
    align_corners
        As torch's: whether the first and last entries lie on those of the input.
    recompute_scale_factor
        As torch's: whether results lie as for the size that a scale factor gives.
    antialias
        For tensors alone.

    Returns
    -------
    DNDarray
        The values torch gives for the whole image; distribution as convolutions have it (see `equiheat.nn.rules`).

    Raises
    ------
    ValueError
        For both or neither of size and scale_factor, or a mode that does not fit the axes.

    Notes
    -----
    Communication: along a split axis of the image the rows a rank's results lie between, one alltoallv.
    Differentiable.

    Examples
    --------
    >>> ht.nn.functional.interpolate(ht.ones((1, 1, 4, 4), split=2), scale_factor=2).shape
    (1, 1, 8, 8)
    """
    if isinstance(input, Tensor):
        return torch.nn.functional.interpolate(
            input, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias
        )
    axes = input.ndim - 2
    if not 1 <= axes <= 3:
        raise ValueError(f"interpolate: input must have the axes (N, C, ...), has shape {tuple(input.shape)}")
    if antialias:
        raise ValueError("interpolate: antialias is not supported for DNDarrays")
    if mode not in _SAMPLED and _LINEAR.get(mode) != axes:
        raise ValueError(
            f"interpolate: mode {mode!r} does not fit {axes} spatial axes; use one of {_SAMPLED} or {_LINEAR}"
        )
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor")
    given = size if scale_factor is None else scale_factor
    values = list(given) if isinstance(given, (tuple, list)) else [given] * axes
    if len(values) != axes:
        raise ValueError(f"interpolate: {len(values)} sizes for {axes} spatial axes; give one, or one for each")
    if align_corners is not None and mode in _SAMPLED:
        raise ValueError(f"interpolate: align_corners does not fit mode {mode!r}")
    core = image("interpolate", input, axes)
    if mode == "area":
        sizes = values if scale_factor is None else [int(n * v) for n, v in zip(core.gshape[2:], values, strict=True)]
        return adaptive_avg_pool(axes)(input, tuple(sizes))
    sampled = {"nearest": 0.0, "nearest-exact": 0.5}.get(mode)
    for k, value in enumerate(values):
        n = core.gshape[k + 2]
        extent = int(value) if scale_factor is None else int(n * value)
        if extent < 1:
            raise ValueError(f"interpolate: the result would have {extent} entries along axis {k + 2}")
        scale = n / extent if scale_factor is None or recompute_scale_factor else 1.0 / value
        core = _resized(core, k + 2, extent, scale, bool(align_corners) if sampled is None else sampled)
    return result(core, core.local, core.gshape)


def _places(n: int, scale: float, extent: int, corners: bool, first: int, count: int, dtype: torch.dtype) -> Tensor:
    """Where results lie in the input, between entries."""
    i = torch.arange(first, first + count, dtype=dtype)
    if corners:
        return i * ((n - 1) / (extent - 1) if extent > 1 else 0.0)
    return ((i + 0.5) * scale - 0.5).clamp(min=0)


def _sources(
    n: int, extent: int, scale: float, how: bool | float, first: int, count: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The entries on both sides of each result, and how far towards the second one it lies.
    `how`: whether corners are aligned, or, of the nearest entry, where in a result its place is.
    """
    if not isinstance(how, bool):
        at = ((torch.arange(first, first + count, dtype=dtype) + how) * scale).floor().long().clamp(max=n - 1)
        return at, at, None
    place = _places(n, scale, extent, how, first, count, dtype)
    low = place.floor().long().clamp(max=n - 1)
    return low, (low + 1).clamp(max=n - 1), (place - low).clamp(0, 1)


def _resized(core: blocks.Array, axis: int, extent: int, scale: float, how: bool | float) -> blocks.Array:
    n, dtype = core.gshape[axis], torch.float64 if core.local.dtype == torch.float64 else torch.float32
    counts, rows, first, count, offset = core.counts, core.local, 0, extent, 0
    if core.split == axis:
        counts = counts_for(core, extent)
        starts = [sum(counts[:rank]) for rank in range(len(counts))]
        begins, ends = [], []
        for s, c in zip(starts, counts, strict=True):
            low, high, _ = _sources(n, extent, scale, how, s, c, dtype)
            begins.append(int(low[0]) if c else 0)
            ends.append(int(high[-1]) + 1 if c else 0)
        rank = core.comm.rank
        rows = blocks.window(core, axis, begins, ends, "constant", 0.0)
        first, count, offset = starts[rank], counts[rank], begins[rank]
    low, high, weight = _sources(n, extent, scale, how, first, count, dtype)
    low, high = (i.to(rows.device) - offset for i in (low, high))
    local = rows.index_select(axis, low)
    if weight is not None:
        factor = weight.to(local).view([-1 if k == axis else 1 for k in range(local.dim())])
        local = local * (1 - factor) + rows.index_select(axis, high) * factor
    shape = [extent if k == axis else m for k, m in enumerate(core.gshape)]
    return blocks.array(local, shape, core.split, counts, core)
