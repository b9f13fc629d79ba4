# SPDX-License-Identifier: BSD-3-Clause
"""Counting elements in bins."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from math import ceil, isfinite, log2, sqrt
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from equiheat import _core
from equiheat._base import ArrayBase, wrap
from equiheat._function import Operand, deliver, native, whole_number
from equiheat.reductions import std
from equiheat.selection import percentile
from equiheat.sets import _places

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["bincount", "histc", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]


def bincount(x: Operand, weights: Operand | None = None, minlength: int = 0) -> DNDarray:
    """How often 0, 1, 2, ... occur in a 1-D array of non-negative integers, or the sums of their weights.

    Parameters
    ----------
    x : DNDarray
        1-D, bool or integer.
    weights : DNDarray, optional
        Real, the shape of `x`.
    minlength : int
        Least length of the result.

    Returns
    -------
    DNDarray
        Replicated; int64, or float64 with weights (float32 for such weights, as in Heat). Length: the largest element
        plus 1, or `minlength`.

    Raises
    ------
    ValueError
        For negative elements, another number of axes, or weights of another shape.
    TypeError
        Unless `x` holds integers.

    Notes
    -----
    Communication: allreduces of the range and of the counts if `x` is split; weights split otherwise are
    redistributed. Not differentiable.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.bincount(ht.array([0, 1, 1, 3], split=0)).numpy()
    array([1, 2, 0, 1])
    """
    core = native(x, "bincount")
    beside = None if weights is None else native(weights, "bincount", "weights", core)
    counts = _core.bincount(core, beside, whole_number("bincount", "minlength", minlength))
    if beside is None or beside.local.dtype != torch.float32:
        return wrap(counts)
    return wrap(counts.with_local(counts.local.to(torch.float32)))


def histogram(
    a: Operand,
    bins: Any = 10,
    range: tuple[float, float] | None = (0, 0),
    normed: bool | None = None,
    weights: Operand | None = None,
    density: bool | None = None,
) -> tuple[DNDarray, DNDarray]:
    """Counts of elements in bins, and the bins' edges.

    Parameters
    ----------
    a : DNDarray
        Real or integer, of any shape and split; counted as if flattened.
    bins : int, array of edges, or str
        Number of bins of equal width; ascending edges; or one of NumPy's rules ("auto", "fd", "doane", "scott",
        "rice", "sturges", "sqrt").
    range : (float, float), optional
        Lower and upper edge of bins of equal width; None or (0, 0): the smallest and the largest element. Elements
        outside are not counted.
    normed, density : bool
        Return the probability density instead: counts by bin width by their sum.
    weights : DNDarray, optional
        Real, the shape of `a`: sums of weights instead of counts.

    Returns
    -------
    (DNDarray, DNDarray)
        Replicated: int64 counts (float64 with weights or density) and edges.

    Raises
    ------
    ValueError
        If edges do not ascend, the range is not finite, or shapes differ.

    Notes
    -----
    Bins are half open but for the last, which includes its upper edge; the edges decide, not a rounded division.
    Communication: one allreduce of the counts, and of the range where it is sought. Not differentiable.

    Examples
    --------
    >>> import equiheat as ht
    >>> counts, edges = ht.histogram(ht.array([1.0, 2.0, 1.0, 4.0], split=0), bins=[0, 1, 2, 4])
    >>> counts.numpy()
    array([0, 2, 2])
    """
    core = native(a, "histogram", "a")
    edges, even = _edges(core, bins, range, weights, "histogram")
    beside = None if weights is None else native(weights, "histogram", "weights", core)
    counts = wrap(_core.histogram(core, edges.astype(np.float64).tolist(), even, beside))
    limits = _replicated(edges, core)
    if density or normed:
        widths = _replicated(np.diff(edges).astype(np.float64), core)
        counts = counts / widths / counts.sum()
    return counts, limits


def histogram_bin_edges(
    a: Operand, bins: Any = 10, range: tuple[float, float] | None = None, weights: Operand | None = None
) -> DNDarray:
    """The edges that `histogram` would use. Replicated.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.histogram_bin_edges(ht.array([0.0, 4.0], split=0), bins=4).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    core = native(a, "histogram_bin_edges", "a")
    return _replicated(_edges(core, bins, range, weights, "histogram_bin_edges")[0], core)


def histc(input: Operand, bins: int = 100, min: float = 0, max: float = 0, out: DNDarray | None = None) -> DNDarray:
    """Counts in bins of equal width between `min` and `max` (both 0: the smallest and the largest element).

    As torch's: the dtype of `input` (float32 for integers); elements outside and NaN are not counted. Replicated.
    Communication: one allreduce of the counts, and of the range where it is sought.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.histc(ht.array([1.0, 2.0, 1.0], split=0), bins=4, min=0, max=3).tolist()
    [0.0, 2.0, 1.0, 0.0]
    """
    core = native(input, "histc", "input")
    _check_bins(bins, "histc")
    lower, upper = float(min), float(max)
    if lower == upper == 0:
        lower, upper = _extent(core, "histc")
    if not lower <= upper or not isfinite(lower) or not isfinite(upper):
        raise ValueError(f"histc: min must not be above max and both finite, got {min} and {max}")
    if lower == upper:
        lower, upper = lower - 1, upper + 1
    counts = wrap(_core.histogram(core, np.linspace(lower, upper, bins + 1).tolist(), True, None))
    kind = core.local.dtype if core.local.dtype.is_floating_point else torch.float32
    return deliver(wrap(counts._core.with_local(counts._core.local.to(kind))), out, True, "histc")


def histogramdd(
    sample: Operand,
    bins: Any = 10,
    range: Sequence[tuple[float, float] | None] | None = None,
    density: bool | None = None,
    weights: Operand | None = None,
) -> tuple[DNDarray, list[DNDarray]]:
    """Counts of points in a grid of bins, and the edges along every axis.

    Parameters
    ----------
    sample : DNDarray
        (n, d): n points; or a sequence of d coordinate arrays of shape (n,).
    bins : int, or sequence of d numbers or edges
    range : sequence of (float, float) or None, optional
        Lower and upper edges per axis; None: the smallest and the largest element.
    density : bool
        Divide by the volume of each bin and the sum.
    weights : DNDarray, optional
        (n,): sums of weights instead of counts.

    Returns
    -------
    (DNDarray, list of DNDarray)
        Replicated: float64 counts, as in NumPy, of shape (bins, ...), and d arrays of edges.

    Notes
    -----
    Communication: that of `bincount` and of the ranges. Not differentiable.
    """
    axes = _coordinates(sample)
    every = list(bins) if hasattr(bins, "__len__") and not isinstance(bins, str) else [bins] * len(axes)
    if len(every) != len(axes):
        raise ValueError(f"histogramdd: bins must have one entry for each of {len(axes)} axes, has {len(every)}")
    ranges = [None] * len(axes) if range is None else list(range)
    edges = [
        _edges(x._core, b, r, None, "histogramdd")[0].astype(np.float64)
        for x, b, r in zip(axes, every, ranges, strict=True)
    ]
    flat: Any = 0
    for x, limits in zip(axes, edges, strict=True):
        # Places 0 and len(edges) hold what is outside; the last bin includes its upper edge.
        place = _places(_replicated(limits, x._core)._core, x, True, False, None, "histogramdd")
        place = place - (x == float(limits[-1])).astype(torch.int64)
        flat = flat * (len(limits) + 1) + place
    shape = [len(limits) + 1 for limits in edges]
    counts = bincount(flat, weights, int(np.prod(shape))).reshape(shape)
    counts = counts[tuple(slice(1, -1) for _ in edges)].astype(torch.float64)
    if density:
        counts = counts / counts.sum()
        for axis, limits in enumerate(edges):
            widths = np.diff(limits).reshape([-1 if i == axis else 1 for i in builtins.range(len(edges))])
            counts = counts / _replicated(widths, counts._core)
    return counts, [_replicated(limits, counts._core) for limits in edges]


def histogram2d(
    x: Operand,
    y: Operand,
    bins: Any = 10,
    range: Sequence[tuple[float, float] | None] | None = None,
    density: bool | None = None,
    weights: Operand | None = None,
) -> tuple[DNDarray, DNDarray, DNDarray]:
    """Counts of points (x, y) in a grid of bins, and both axes' edges. Otherwise as `histogramdd`.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([0.0, 0.5, 1.0], split=0)
    >>> ht.histogram2d(x, x, bins=2)[0].tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    if hasattr(bins, "__len__") and not isinstance(bins, str) and len(bins) != 2:
        bins = [bins, bins]  # the same edges for both
    counts, edges = histogramdd([x, y], bins, range, density, weights)
    return counts, edges[0], edges[1]


def _coordinates(sample: Any) -> list[DNDarray]:
    if isinstance(sample, (list, tuple)):
        return [wrap(native(x, "histogramdd", "sample")) for x in sample]
    points = wrap(native(sample, "histogramdd", "sample"))
    if points.ndim != 2:
        raise ValueError(f"histogramdd: sample must have shape (n, d), has {points.shape}")
    points = points if points.split in (None, 0) else points.resplit(0)
    return [points[:, i] for i in builtins.range(points.shape[1])]


def _replicated(values: np.ndarray[Any, Any], like: _core.Array) -> DNDarray:
    return wrap(_core.replicated_like(like, torch.from_numpy(np.ascontiguousarray(values))))


def _check_bins(bins: Any, fn: str) -> None:
    whole_number(fn, "bins", bins, 1)


def _extent(core: _core.Array, fn: str) -> tuple[float, float]:
    """Smallest and largest element; (0, 1) for none. Collective."""
    least, greatest, nans = _core.value_range(core)
    if nans or not isfinite(least) or not isfinite(greatest):
        raise ValueError(f"{fn}: the range of the elements, [{least}, {greatest}] and {nans} NaN, is not finite")
    return (0.0, 1.0) if least > greatest else (least, greatest)


def _edges(core: _core.Array, bins: Any, range: Any, weights: Any, fn: str) -> tuple[np.ndarray[Any, Any], bool]:
    """Edges of all bins, and whether they are about equally spaced. Collective where it must look at elements."""
    if not isinstance(bins, str) and (isinstance(bins, ArrayBase) or np.ndim(bins) == 1):
        edges = np.asarray(wrap(bins._core).numpy() if isinstance(bins, ArrayBase) else bins)
        if edges.ndim != 1 or edges.size < 1 or not np.all(edges[:-1] <= edges[1:]):
            raise ValueError(f"{fn}: bins must be 1-dimensional and ascend monotonically")
        return edges, False
    if range is None or (range[0] == 0 and range[1] == 0):
        lower, upper = _extent(core, fn)
    else:
        lower, upper = float(range[0]), float(range[1])
        if not lower <= upper or not isfinite(lower) or not isfinite(upper):
            raise ValueError(f"{fn}: range must be finite and its maximum not below its minimum, is {range}")
    if lower == upper:
        lower, upper = lower - 0.5, upper + 0.5
    count = _rule(core, bins, (lower, upper), weights, fn) if isinstance(bins, str) else bins
    _check_bins(count, fn)
    kind = {torch.float32: np.float32, torch.float16: np.float16}.get(core.local.dtype, np.float64)
    return np.linspace(lower, upper, int(count) + 1, dtype=kind), True


def _rule(core: _core.Array, name: str, limits: tuple[float, float], weights: Any, fn: str) -> int:
    """NumPy's rules for the number of bins. Collective."""
    if name not in ("auto", "fd", "doane", "scott", "rice", "sturges", "sqrt"):
        raise ValueError(f"{fn}: bins must be a number, edges, or a rule (auto, fd, doane, ...); is {name!r}")
    if weights is not None:
        raise TypeError(f"{fn}: a rule for the number of bins takes no weights")
    x = wrap(core)
    x = x[(x >= limits[0]) & (x <= limits[1])] if x.ndim else x
    n = x.size
    if n == 0:
        return 1
    width = _width(x, name, n, float(_core.value_range(x._core)[1] - _core.value_range(x._core)[0]))
    if width and core.local.dtype not in (torch.float16, torch.float32, torch.float64, torch.bfloat16):
        width = max(width, 1.0)
    return ceil((limits[1] - limits[0]) / width) if width else 1


def _width(x: DNDarray, name: str, n: int, span: float) -> float:
    if name == "sqrt":
        return span / sqrt(n)
    if name == "rice":
        return span / (2.0 * n ** (1.0 / 3))
    if name == "sturges":
        return span / (log2(n) + 1.0)
    if name == "scott":
        return cast(float, (24.0 * np.pi**0.5 / n) ** (1.0 / 3.0) * std(x).item())
    if name == "doane":
        spread = float(std(x).item())
        if n <= 2 or spread == 0:
            return 0.0
        third = float((((x - x.mean()) / spread) ** 3).mean().item())
        return cast(
            float, span / (1.0 + log2(n) + np.log2(1.0 + abs(third) / sqrt(6.0 * (n - 2) / ((n + 1.0) * (n + 3)))))
        )
    upper, lower = percentile(x, [75, 25]).tolist()
    width = 2.0 * (upper - lower) * n ** (-1.0 / 3.0)
    if name == "fd":
        return cast(float, width)
    # auto: the narrower of Freedman-Diaconis (never narrower than half of sqrt's) and Sturges
    sturges = _width(x, "sturges", n, span)
    return min(max(width, _width(x, "sqrt", n, span) / 2), sturges)
