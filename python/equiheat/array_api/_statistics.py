# SPDX-License-Identifier: BSD-3-Clause
"""Reductions and running totals with the standard's types and names."""

from __future__ import annotations

import builtins

from equiheat.array_api._dtypes import float64, int64, uint64
from equiheat.array_api._heat import Array, Axis, DType, ht
from equiheat.dtypes import Datatype, integer, unsignedinteger
from equiheat.dtypes import bool as boolean

# fmt: off
__all__ = [
    "all", "any", "cumulative_prod", "cumulative_sum", "diff", "max", "mean", "min", "prod", "std", "sum", "var",
]
# fmt: on


def _total(x: Array, dtype: DType) -> DType:
    """The type of a sum: 64 bits for integers, signed or not as they are; reals as they are."""
    kind: Datatype = x.dtype
    if dtype is not None or not issubclass(kind, integer):
        return dtype  # bool becomes int64 anyway
    return uint64 if issubclass(kind, unsignedinteger) else int64


def _floating(x: Array) -> Array:
    """Integers in the default type of reals, which their averages have."""
    return x.astype(float64) if issubclass(x.dtype, (integer, boolean)) else x


def sum(x: Array, /, *, axis: Axis = None, dtype: DType = None, keepdims: builtins.bool = False) -> Array:
    """Sum over axes. Integers add up in int64 or uint64, reals in their own type; see `equiheat.sum`."""
    return ht.sum(x, axis=axis, dtype=_total(x, dtype), keepdims=keepdims)


def prod(x: Array, /, *, axis: Axis = None, dtype: DType = None, keepdims: builtins.bool = False) -> Array:
    """Product over axes. Integers in int64 or uint64, reals in their own type; see `equiheat.prod`."""
    return ht.prod(x, axis=axis, dtype=_total(x, dtype), keepdims=keepdims)


def max(x: Array, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Array:
    """Largest element over axes, NaN if there is one; see `equiheat.max`."""
    return ht.max(x, axis=axis, keepdims=keepdims)


def min(x: Array, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Array:
    """Smallest element over axes, NaN if there is one; see `equiheat.min`."""
    return ht.min(x, axis=axis, keepdims=keepdims)


def mean(x: Array, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Array:
    """Arithmetic mean over axes, float64 of integers; see `equiheat.mean`."""
    return ht.mean(_floating(x), axis=axis, keepdims=keepdims)


def var(x: Array, /, *, axis: Axis = None, correction: builtins.float = 0.0, keepdims: builtins.bool = False) -> Array:
    """Variance over axes, divided by n - correction, float64 of integers; see `equiheat.var`."""
    return ht.var(_floating(x), axis=axis, ddof=correction, keepdims=keepdims)


def std(x: Array, /, *, axis: Axis = None, correction: builtins.float = 0.0, keepdims: builtins.bool = False) -> Array:
    """Standard deviation over axes, the root of `var`; see `equiheat.std`."""
    return ht.std(_floating(x), axis=axis, ddof=correction, keepdims=keepdims)


def all(x: Array, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Array:
    """Whether all elements over axes are true; see `equiheat.all`."""
    return ht.all(x, axis=axis, keepdims=keepdims)


def any(x: Array, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Array:
    """Whether any element over axes is true; see `equiheat.any`."""
    return ht.any(x, axis=axis, keepdims=keepdims)


def cumulative_sum(
    x: Array,
    /,
    *,
    axis: builtins.int | None = None,
    dtype: DType = None,
    include_initial: builtins.bool = False,
) -> Array:
    """Running sums along an axis, with a zero in front if asked for; 1-D arrays need no `axis`.

    Distribution: the split of x. Communication: see `equiheat.cumsum`; the initial value costs a concatenation.
    """
    return _scan("cumsum", 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Array,
    /,
    *,
    axis: builtins.int | None = None,
    dtype: DType = None,
    include_initial: builtins.bool = False,
) -> Array:
    """Running products along an axis, with a one in front if asked for; 1-D arrays need no `axis`.

    Distribution: the split of x. Communication: see `equiheat.cumprod`; the initial value costs a concatenation.
    """
    return _scan("cumprod", 1, x, axis, dtype, include_initial)


def _scan(
    heat: str, initial: int, x: Array, axis: builtins.int | None, dtype: DType, include_initial: builtins.bool
) -> Array:
    name = {"cumsum": "cumulative_sum", "cumprod": "cumulative_prod"}[heat]
    if axis is None and x.ndim > 1:
        raise ValueError(f"{name}: axis must be given for an array of {x.ndim} axes")
    x = x if x.ndim else x.reshape((1,))
    along = 0 if axis is None else axis
    totals: Array = getattr(ht, heat)(x, along, _total(x, dtype))
    if not include_initial:
        return totals
    shape = list(x.shape)
    shape[along] = 1
    with ht.default_split(None):
        first = ht.full(tuple(shape), initial, dtype=totals.dtype, device=x.device, comm=x.comm)
    return ht.concatenate([first, totals], axis=along % x.ndim)


def diff(
    x: Array,
    /,
    n: builtins.int = 1,
    *,
    axis: builtins.int = -1,
    prepend: Array | None = None,
    append: Array | None = None,
) -> Array:
    """Differences of neighbours along an axis, `n` times (by place, too: scikit-learn does); see `equiheat.diff`."""
    return ht.diff(x, n, axis, prepend, append)
