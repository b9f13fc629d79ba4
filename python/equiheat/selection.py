# SPDX-License-Identifier: BSD-3-Clause
"""Elements at places of the sorted order, without sorting: quantiles, percentiles, medians."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import _core, random
from equiheat._base import wrap
from equiheat._function import Axis, Operand, deliver, native, truth
from equiheat.conditional import select
from equiheat.gathering import take_along_axis
from equiheat.indexing import take
from equiheat.logical import isnan, logical_not
from equiheat.manipulation import broadcast_to, moveaxis, reshape, squeeze, stack
from equiheat.reductions import _axes, cumsum
from equiheat.reductions import any as any_of
from equiheat.reductions import max as largest
from equiheat.reductions import min as smallest
from equiheat.sorting import argsort, sort
from equiheat.statistics import _weights as shaped_weights

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]


def percentile(
    x: Operand,
    q: Any,
    axis: Axis = None,
    out: DNDarray | None = None,
    interpolation: str = "linear",
    keepdims: bool = False,
    sketched: bool = False,
    sketch_size: float = 1.0,
    *,
    method: str | None = None,
    weights: Operand | None = None,
) -> DNDarray:
    """Percentiles of the elements over axes, by selection instead of sorting.

    Parameters
    ----------
    x : DNDarray
        Real, integer or bool.
    q : number or array of numbers
        In [0, 100], the same on all ranks.
    axis : int or tuple of int, optional
        Axes to reduce; all without.
    out : DNDarray, optional
        Where to write the result; any split, the result's shape.
    interpolation, method : str
        NumPy's thirteen, as "linear", "lower", "midpoint", "hazen"; `method` is NumPy's name of the argument.
    keepdims : bool
        Keep reduced axes with length 1.
    sketched : bool
        Estimate from a random part of the elements: each entry along the (first) axis with probability
        `sketch_size`, drawn from the library's generator.
    sketch_size : float
        In (0, 1].
    weights : DNDarray, optional
        How much each element counts, for method "inverted_cdf" alone, as in NumPy: of the shape of `x`, or with one
        axis for each of `axis` in that order. Not negative. By sorting; not differentiable.

    Returns
    -------
    DNDarray
        Shape of `q`, then that of a reduction. float32 for bool and integers (float64 for int64), else the dtype of
        `x`, which methods that pick an element always keep. NaN where there is a NaN, or no element.

    Raises
    ------
    ValueError
        If `q` is out of range, `method` is unknown or takes no weights, weights are negative or fit no shape.
    ZeroDivisionError
        If the weights of a line add up to 0.
    TypeError
        For complex numbers.

    Notes
    -----
    Distribution: replicated if the split is among the axes, else split as before. Communication: none unless the
    split is among the axes. Then all percentiles are found together by radix selection on order-preserving integers:
    an allreduce of each line's range and about bits / 12 allreduces of 4096 counts (short lines: one alltoallv).
    Nothing is sorted, and only elements that share their leading digits with a wanted one are copied.
    Differentiable (then by sorting).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.arange(11, dtype=ht.float64, split=0)
    >>> ht.percentile(x, 25).item()
    2.5
    >>> ht.percentile(x, [0, 50, 100]).numpy()
    array([ 0.,  5., 10.])
    """
    array = native(x, "percentile")
    if truth("percentile", "sketched", sketched):
        if weights is not None:
            raise ValueError("percentile: sketched=True takes no weights")
        array, axis = _sketch(array, axis, sketch_size, "percentile")
    return _quantiles(array, q, 100.0, axis, out, method or interpolation, keepdims, False, "percentile", weights)


def quantile(
    x: Operand,
    q: Any,
    axis: Axis = None,
    out: DNDarray | None = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Operand | None = None,
) -> DNDarray:
    """Quantiles, with `q` in [0, 1]. Otherwise as `percentile`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.quantile(ht.array([3.0, 1.0, 2.0, 4.0], split=0), 0.5).item()
    2.5
    """
    return _quantiles(native(x, "quantile"), q, 1.0, axis, out, method, keepdims, False, "quantile", weights)


def nanpercentile(
    x: Operand,
    q: Any,
    axis: Axis = None,
    out: DNDarray | None = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Operand | None = None,
) -> DNDarray:
    """Percentiles of what is not NaN; NaN of nothing. Otherwise as `percentile`; not differentiable."""
    return _quantiles(native(x, "nanpercentile"), q, 100.0, axis, out, method, keepdims, True, "nanpercentile", weights)


def nanquantile(
    x: Operand,
    q: Any,
    axis: Axis = None,
    out: DNDarray | None = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Operand | None = None,
) -> DNDarray:
    """Quantiles of what is not NaN; NaN of nothing. Otherwise as `quantile`; not differentiable."""
    return _quantiles(native(x, "nanquantile"), q, 1.0, axis, out, method, keepdims, True, "nanquantile", weights)


def median(
    x: Operand,
    axis: Axis = None,
    keepdims: bool = False,
    sketched: bool = False,
    sketch_size: float = 1.0,
    *,
    out: DNDarray | None = None,
) -> DNDarray:
    """The middle element, or the mean of the two middle ones. Otherwise as `percentile`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.median(ht.array([[5.0, 1.0], [2.0, 4.0], [3.0, 9.0]], split=0), axis=0).tolist()
    [3.0, 4.0]
    """
    array = native(x, "median")
    if truth("median", "sketched", sketched):
        array, axis = _sketch(array, axis, sketch_size, "median")
    return _quantiles(array, 0.5, 1.0, axis, out, "linear", keepdims, False, "median")


def nanmedian(x: Operand, axis: Axis = None, out: DNDarray | None = None, *, keepdims: bool = False) -> DNDarray:
    """The median of what is not NaN; NaN of nothing. Otherwise as `median`; not differentiable."""
    return _quantiles(native(x, "nanmedian"), 0.5, 1.0, axis, out, "linear", keepdims, True, "nanmedian")


def _fractions(q: Any, whole: float, fn: str) -> tuple[list[float], tuple[int, ...] | None]:
    """Quantiles in [0, 1], and their shape (None: one number)."""
    if isinstance(q, (int, float)):
        values, shape = [float(q)], None
    else:
        array = np.asarray(q.numpy() if hasattr(q, "numpy") else q)
        if array.dtype.kind not in "buif":
            raise TypeError(f"{fn}: q must be a number or an array of numbers, is {type(q)}")
        values, shape = array.astype(np.float64).reshape(-1).tolist(), (array.shape or None)
    for value in values:
        if not 0 <= value <= whole:
            raise ValueError(f"{fn}: q must be between 0 and {whole:g}, got {value:g}")
    return [value / whole for value in values], shape


def _quantiles(
    x: _core.Array,
    q: Any,
    whole: float,
    axis: Axis,
    out: DNDarray | None,
    method: str,
    keepdims: bool,
    skip_nan: bool,
    fn: str,
    weights: Operand | None = None,
) -> DNDarray:
    values, shape = _fractions(q, whole, fn)
    axes = _axes(axis)
    if weights is not None:
        if method != "inverted_cdf":
            raise ValueError(f"{fn}: weights need method='inverted_cdf', it is {method!r}")
        rows = _weighted(wrap(x), values, axis, weights, keepdims, skip_nan, fn)._core
    elif torch.is_grad_enabled() and x.local.requires_grad:
        if skip_nan:
            raise NotImplementedError(f"{fn}: has no gradient; use {fn[3:]}, or detach the array")
        rows = _in_graph(wrap(x), values, axes, method, keepdims)._core
    else:
        rows = _core.quantile(x, values, axes, method, skip_nan, bool(keepdims))
    if shape is None:
        rows = _core.squeeze(rows, [0])
    elif len(shape) > 1:
        split = None if rows.split is None else rows.split - 1 + len(shape)
        rows = _core.reshape(rows, [*shape, *rows.gshape[1:]], False, split)
    return deliver(wrap(rows), out, True, fn)


def _in_graph(x: DNDarray, q: list[float], axes: list[int] | None, method: str, keepdims: bool) -> DNDarray:
    """One row for each q, in the graph of x: the lines are sorted."""
    lines = _lines(x, axes)
    n = lines.shape[-1]
    lower, upper, weight = _core.quantile_positions(method, q, n)
    ordered = sort(lines, -1)
    low, high, last = (take(ordered, rows, -1).resplit(_kept_split(ordered)) for rows in (lower, upper, [n - 1]))
    result = low + (high - low) * torch.tensor(weight, dtype=low._core.local.dtype) if any(weight) else low
    return _as_rows(moveaxis(select(isnan(last), np.nan, result), -1, 0), x, axes, keepdims)


def _reduced(x: DNDarray, axes: list[int] | None) -> list[int]:
    return list(range(x.ndim)) if axes is None else sorted(a % x.ndim for a in axes)


def _lines(x: DNDarray, axes: list[int] | None) -> DNDarray:
    """The reduced axes as one, the last."""
    reduced = _reduced(x, axes)
    kept = [x.shape[a] for a in range(x.ndim) if a not in reduced]
    n = int(np.prod([x.shape[a] for a in reduced], dtype=np.int64))
    return reshape(moveaxis(x, reduced, list(range(len(kept), x.ndim))), (*kept, n))


def _as_rows(result: DNDarray, x: DNDarray, axes: list[int] | None, keepdims: bool) -> DNDarray:
    """One row for each quantile in the shape of a reduction of x."""
    reduced = _reduced(x, axes)
    shape = [1 if a in reduced else x.shape[a] for a in range(x.ndim) if keepdims or a not in reduced]
    split = result.split if result.split is None or not keepdims else x.split + 1  # type: ignore[operator]
    return wrap(_core.reshape(result._core, [result.shape[0], *shape], False, split))


def _weighted(
    x: DNDarray, q: list[float], axis: Axis, weights: Operand, keepdims: bool, skip_nan: bool, fn: str
) -> DNDarray:
    """One row for each q: the smallest element at which the share of the weights reaches it."""
    if x._core.local.dtype.is_complex:
        raise TypeError(f"{fn}: complex numbers have no order")
    logical, axes = x._core.local.dtype == torch.bool, _axes(axis)
    lines = _lines(x.astype(torch.uint8) if logical else x, axes)
    spread = broadcast_to(shaped_weights(x, axis, weights, fn), x.shape)
    heavy = _lines(spread.astype(torch.float64).resplit(x.split), axes)
    if any_of(heavy < 0).item():
        raise ValueError(f"{fn}: weights must not be negative")
    if not lines.shape[-1]:
        return wrap(_core.quantile(x._core, q, axes, "inverted_cdf", skip_nan, bool(keepdims)))
    known = logical_not(isnan(lines))
    heavy = select(known, heavy, 0.0) if skip_nan else heavy
    order = argsort(lines, -1)
    lines, known = take_along_axis(lines, order, -1), take_along_axis(known, order, -1)
    share = cumsum(take_along_axis(heavy, order, -1), -1)
    total = largest(share, -1, None, True)
    nothing, share = total == 0, share / total
    if not skip_nan and any_of(nothing).item():
        raise ZeroDivisionError(f"{fn}: the weights of a line add up to 0")
    kind = lines._core.local.dtype
    beyond = torch.inf if kind.is_floating_point else torch.iinfo(kind).max
    rows = []
    for fraction in q:
        there = share > 0 if fraction == 0 else share >= fraction
        there = there & known if skip_nan else there
        rows.append(smallest(select(there, lines, beyond), -1, None, False))
    result = stack(rows, 0)
    if kind.is_floating_point and skip_nan:
        result = select(squeeze(nothing, -1), np.nan, result)
    return _as_rows(result.astype(torch.bool) if logical else result, x, axes, keepdims)


def _kept_split(x: DNDarray) -> int | None:
    """The split but for the last axis."""
    return None if x.split == x.ndim - 1 else x.split


def _sketch(x: _core.Array, axis: Axis, size: float, fn: str) -> tuple[_core.Array, Axis]:
    """A random part of the entries along the (first) axis. Collective if that is the split."""
    if not isinstance(size, (int, float)) or not 0 < size <= 1:
        raise ValueError(f"{fn}: sketch_size must be above 0 and at most 1, is {size!r}")
    axes = _axes(axis)
    if axes is None or x.ndim == 0:
        x, along = _core.reshape(x, [x.size], False, None if x.split is None else 0), 0
    else:
        along = axes[0] % x.ndim if axes else 0
    split = 0 if x.split == along else None
    chosen = random.rand(x.gshape[along], split=split, comm=wrap(x).comm) < size
    part = _core.getitem(x, (*[slice(None)] * along, chosen._core))
    return (part if part.gshape[along] else x), (0 if axes is None else axis)


class SelectionMethods:
    """Methods of DNDarray."""

    __slots__ = ()
    median = median
    percentile = percentile
    quantile = quantile
