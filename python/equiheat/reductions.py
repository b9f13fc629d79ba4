# SPDX-License-Identifier: BSD-3-Clause
"""Reductions over axes: sums, extremes, moments, running totals."""

from __future__ import annotations

import builtins
from math import inf, nan
from math import prod as product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import (
    Axis,
    DType,
    Mask,
    Operand,
    accumulation,
    deliver,
    kept,
    native,
    reduction,
    restricted,
    torch_dtype,
)
from equiheat.arithmetic import divide, sqrt, square, subtract
from equiheat.conditional import select
from equiheat.logical import isfinite, isnan, logical_not
from equiheat.rounding import absolute

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_SAME = "The dtype of the input."

sum = accumulation("sum", "Sum over axes.")
prod = accumulation("prod", "Product over axes.")
nansum = accumulation("nansum", "Sum over axes, NaN counting as 0.")
nanprod = accumulation("nanprod", "Product over axes, NaN counting as 1.")
min = reduction("min", "Smallest element over axes; NaN if there is one. ValueError for none.", dtype=_SAME)
amin = min
max = reduction("max", "Largest element over axes; NaN if there is one. ValueError for none.", dtype=_SAME)
amax = max
any = reduction("any", "True if an element over the axes is not zero; False for none.", dtype="bool.")
all = reduction("all", "True if no element over the axes is zero; True for none.", dtype="bool.")
count_nonzero = reduction("count_nonzero", "Number of elements that are not zero.", dtype="int64.")


def _axes(axis: Axis) -> list[int] | None:
    if axis is None:
        return None
    if isinstance(axis, tuple):
        return [_index(a) for a in axis]
    return [_index(axis)]


def _index(axis: object) -> int:
    try:
        return axis.__index__()  # type: ignore[attr-defined]
    except AttributeError:
        raise TypeError(f"axis must be None or int or tuple, but was {type(axis)}") from None


def _few(axes: list[int] | None) -> Axis:
    return None if axes is None else tuple(axes)


def mean(
    x: Operand,
    axis: Axis | list[int] = None,
    *,
    dtype: DType = None,
    out: DNDarray | None = None,
    keepdims: bool = False,
    keepdim: bool | None = None,
    where: Mask = True,
) -> DNDarray:
    """Arithmetic mean over axes, of the elements where a mask `where` holds; NaN of nothing.

    float64 stays float64; float16 and bfloat16 accumulate in float32; integers give float32, accumulated in float64.
    Distribution: replicated if the split is among the axes, else split as before. Communication: then one allreduce
    of the result's size.
    """
    axes = _axes(tuple(axis) if isinstance(axis, list) else axis)
    if where is not True:
        return restricted("mean", x, _few(axes), torch_dtype(dtype), out, kept(keepdims, keepdim), where=where)
    core = _core.mean(native(x, "mean"), axes, kept(keepdims, keepdim), torch_dtype(dtype))
    return deliver(wrap(core), out, True, "mean")


def _freedom(ddof: Any, bessel: bool | None, fn: str) -> float:
    if isinstance(ddof, str) or not hasattr(ddof, "__float__"):
        raise TypeError(f"{fn}: ddof must be a number, is {type(ddof)}")
    return 1.0 if bessel else float(ddof)


def var(
    x: Operand,
    axis: Axis | list[int] = None,
    ddof: float = 0,
    *,
    bessel: bool | None = None,
    dtype: DType = None,
    out: DNDarray | None = None,
    keepdims: bool = False,
    keepdim: bool | None = None,
    mean: Operand | None = None,
    correction: float | None = None,
    where: Mask = True,
) -> DNDarray:
    """Mean squared deviation over axes, divided by n - ddof; of complex numbers a real one.

    A mask `where` chooses elements.
    ``bessel=True`` is ddof=1, as in Heat, whose lists of axes are taken too; `correction` is another name of ddof.
    `mean`, which must broadcast to the array, saves the time to find it.
    dtype and distribution as `mean`. Communication: if the split is among the axes one allgather of two partial
    results per rank, merged without loss of digits.
    """
    freedom = _freedom(ddof if correction is None else correction, bessel, "var")
    axes = _axes(tuple(axis) if isinstance(axis, list) else axis)
    if where is not True:
        if mean is not None:
            raise TypeError("var: mean together with where is not supported")
        keep = kept(keepdims, keepdim)
        return restricted("var", x, _few(axes), torch_dtype(dtype), out, keep, where=where, ddof=freedom)
    array = native(x, "var")
    if mean is not None:
        around = wrap(native(mean, "var", "mean", array))
        return deliver(_around(wrap(array), around, axes, kept(keepdims, keepdim), dtype, freedom), out, True, "var")
    core = _core.var(array, axes, kept(keepdims, keepdim), torch_dtype(dtype), freedom)
    return deliver(wrap(core), out, True, "var")


def _around(
    x: DNDarray, centre: DNDarray, axes: list[int] | None, keepdims: bool, dtype: DType, ddof: float
) -> DNDarray:
    """`var` with a known mean."""
    along = range(x.ndim) if axes is None else axes
    if builtins.any(a not in (1, b) for a, b in zip(centre.shape[::-1], x.shape[::-1], strict=False)) or (
        centre.ndim > x.ndim
    ):
        raise ValueError(f"var: mean of shape {centre.shape} does not broadcast to the array's, {x.shape}")
    kind = torch_dtype(dtype) or (x._core.local.dtype if _inexact(x) else torch.float32)
    x = x.astype(torch.float64 if kind in (torch.float32, torch.float64) and not _inexact(x) else kind)
    total = sum(square(absolute(subtract(x, centre))), None if axes is None else tuple(axes), None, keepdims)
    count = product(x.shape[a] for a in along)
    real = torch.empty(0, dtype=kind).abs().dtype
    return divide(total, builtins.max(count - ddof, 0.0)).astype(real, copy=False)


def std(
    x: Operand,
    axis: Axis | list[int] = None,
    ddof: float = 0,
    *,
    bessel: bool | None = None,
    dtype: DType = None,
    out: DNDarray | None = None,
    keepdims: bool = False,
    keepdim: bool | None = None,
    mean: Operand | None = None,
    correction: float | None = None,
    where: Mask = True,
) -> DNDarray:
    """Square root of `var`."""
    known: dict[str, Any] = {"mean": mean, "correction": correction, "where": where}
    spread = var(x, axis, ddof, bessel=bessel, dtype=dtype, keepdims=keepdims, keepdim=keepdim, **known)
    return deliver(root_of_spread(spread), out, True, "std")


def root_of_spread(spread: DNDarray) -> DNDarray:
    """The square root, with derivative 0 instead of infinity at 0, as torch's deviations and norms have."""
    local = spread._core.local
    if not (torch.is_grad_enabled() and local.requires_grad):
        return sqrt(spread)
    constant = local == 0
    return wrap(spread._core.with_local(local.masked_fill(constant, 1).sqrt().masked_fill(constant, 0)))


def argmax(
    x: Operand,
    axis: int | None = None,
    out: DNDarray | None = None,
    keepdims: bool = False,
    *,
    keepdim: bool | None = None,
) -> DNDarray:
    """Index (int64) of the first largest element, or of the first NaN; in the flattened array without axis.

    Distribution: replicated if the split is reduced, else split as before. Communication: then one allgather of a
    value and an index per result element and rank.
    """
    return _arg_extreme(True, x, axis, out, kept(keepdims, keepdim))


def argmin(
    x: Operand,
    axis: int | None = None,
    out: DNDarray | None = None,
    keepdims: bool = False,
    *,
    keepdim: bool | None = None,
) -> DNDarray:
    """Index (int64) of the first smallest element, or of the first NaN. Otherwise as `argmax`."""
    return _arg_extreme(False, x, axis, out, kept(keepdims, keepdim))


def _arg_extreme(largest: bool, x: Operand, axis: int | None, out: DNDarray | None, keepdims: bool) -> DNDarray:
    name = "argmax" if largest else "argmin"
    along = None if axis is None else _index(axis)
    return deliver(wrap(_core.arg_extreme(largest, native(x, name), along, keepdims)), out, True, name)


def cumsum(a: Operand, axis: int | None = None, dtype: DType = None, out: DNDarray | None = None) -> DNDarray:
    """Running sums along an axis, or along the flattened array without one; int64 for bool and integers.

    Distribution: as a; split 0 for a flattened split array. Communication: one exscan of a slice along the split.
    """
    return _scan("cumsum", a, axis, dtype, out)


def cumprod(a: Operand, axis: int | None = None, dtype: DType = None, out: DNDarray | None = None) -> DNDarray:
    """Running products along an axis. Otherwise as `cumsum`."""
    return _scan("cumprod", a, axis, dtype, out)


cumproduct = cumprod


def _scan(name: str, x: Operand, axis: int | None, dtype: DType, out: DNDarray | None) -> DNDarray:
    core, along = native(x, name), None if axis is None else _index(axis)
    result = _core.scan(name, core, along, torch_dtype(dtype))
    unsure = name == "cumprod" and result.local.dtype.is_complex and not result.local.requires_grad
    if unsure and not all(isfinite(wrap(result))).item():
        result = _factor_by_factor(core, along, result)
    return deliver(wrap(result), out, True, name)


def _factor_by_factor(x: _core.Array, axis: int | None, like: _core.Array) -> _core.Array:
    """Complex running products, multiplied one after the other from rank to rank, in the layout of `like`.

    Products with infinite parts depend on the order, and torch starts with a factor of 1 + 0j. Collective.
    """
    along = 0 if axis is None else axis % like.ndim
    if list(x.gshape) != list(like.gshape):  # flattened
        x = _core.reshape(x, list(like.gshape), False, like.split)
    x = x if like.counts is None else x.redistribute(like.counts)
    block = x.local.to(like.local.dtype).movedim(along, 0).cpu().resolve_conj().numpy()
    if x.split != along or like.counts is None:
        return like.with_local(_to_local(_running_product(block, None), along, like))
    comm, before, found = wrap(like).comm, torch.ones(1, *block.shape[1:], dtype=like.local.dtype), block
    for rank in (r for r, count in enumerate(like.counts) if count):
        if rank == comm.rank:
            found = _running_product(block, before.numpy() if builtins.any(like.counts[:rank]) else None)
            before = torch.from_numpy(found[-1:].copy())
        before = comm.bcast(before, rank)
    return like.with_local(_to_local(found, along, like))


def _running_product(block: np.ndarray[Any, Any], before: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any]:
    with np.errstate(all="ignore"):
        if before is None:
            return np.cumprod(block, 0)
        return np.cumprod(np.concatenate([before, block]), 0)[1:]


def _to_local(block: np.ndarray[Any, Any], axis: int, like: _core.Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(block)).movedim(0, axis).to(like.local.device).contiguous()


def ptp(x: Operand, axis: Axis = None, out: DNDarray | None = None, keepdims: bool = False) -> DNDarray:
    """Largest minus smallest element over axes. Communication: that of `max` and `min`."""
    return deliver(subtract(max(x, axis, None, keepdims), min(x, axis, None, keepdims)), out, True, "ptp")


def _known(x: Operand, axis: Axis, keepdims: bool) -> DNDarray:
    """Number of elements over the axes that are not NaN."""
    return count_nonzero(logical_not(isnan(x)), axis, None, keepdims)


def nanmax(x: Operand, axis: Axis = None, out: DNDarray | None = None, keepdims: bool = False) -> DNDarray:
    """`max` of what is not NaN; NaN where nothing else is. Communication: that of `max` and a count."""
    return _nan_extreme("nanmax", x, axis, out, keepdims)


def nanmin(x: Operand, axis: Axis = None, out: DNDarray | None = None, keepdims: bool = False) -> DNDarray:
    """`min` of what is not NaN; NaN where nothing else is. Communication: that of `min` and a count."""
    return _nan_extreme("nanmin", x, axis, out, keepdims)


def _nan_extreme(name: str, x: Operand, axis: Axis, out: DNDarray | None, keepdims: bool) -> DNDarray:
    array = wrap(native(x, name))
    extreme, filling = (max, -inf) if name == "nanmax" else (min, inf)
    if not _inexact(array):
        return extreme(array, axis, out, keepdims)
    result = extreme(select(isnan(array), filling, array), axis, None, keepdims)
    return deliver(select(_known(array, axis, keepdims), result, nan), out, True, name)


def nanmean(x: Operand, axis: Axis = None, out: DNDarray | None = None, keepdims: bool = False) -> DNDarray:
    """`mean` of what is not NaN; NaN of nothing. Communication: that of `sum` and a count."""
    array = wrap(native(x, "nanmean"))
    if not _inexact(array):
        return mean(array, axis, out=out, keepdims=keepdims)
    total = nansum(array, axis, None, keepdims)
    count = _known(array, axis, keepdims)
    return deliver(divide(total, _as_real(count, total)), out, True, "nanmean")


def nanvar(
    x: Operand, axis: Axis = None, ddof: float = 0, *, out: DNDarray | None = None, keepdims: bool = False
) -> DNDarray:
    """`var` of what is not NaN; NaN where that is no more than `ddof`. Communication: `nanmean`, twice."""
    array = wrap(native(x, "nanvar"))
    if not _inexact(array):
        return var(array, axis, ddof, out=out, keepdims=keepdims)
    deviation = absolute(subtract(array, nanmean(array, axis, None, True)))
    total = sum(select(isnan(array), 0.0, square(deviation)), axis, None, keepdims)  # inf - inf stays NaN
    freedom = subtract(_as_real(_known(array, axis, keepdims), total), ddof)
    return deliver(divide(total, select(freedom > 0, freedom, nan)), out, True, "nanvar")


def nanstd(
    x: Operand, axis: Axis = None, ddof: float = 0, *, out: DNDarray | None = None, keepdims: bool = False
) -> DNDarray:
    """Square root of `nanvar`."""
    return deliver(root_of_spread(nanvar(x, axis, ddof, keepdims=keepdims)), out, True, "nanstd")


def _inexact(x: DNDarray) -> bool:
    """True for real and complex numbers: what may hold NaN."""
    dtype = x._core.local.dtype
    return dtype.is_floating_point or dtype.is_complex


def _as_real(count: DNDarray, like: DNDarray) -> DNDarray:
    """A count in the real dtype of `like`, so that a quotient keeps it."""
    return wrap(count._core.with_local(count._core.local.to(like._core.local.abs().dtype)))
