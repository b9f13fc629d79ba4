# SPDX-License-Identifier: BSD-3-Clause
"""NumPy's reductions with ``where=`` and ``initial=``, and ``ufunc.reduce`` without a reduction here."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from equiheat import _core, conversion
from equiheat._base import wrap
from equiheat._function import to_write
from equiheat.communication import Communicator
from equiheat.numpy_blocks import as_ours
from equiheat.reductions import root_of_spread

__all__: list[str] = []

_NEUTRAL = {"sum": 0, "prod": 1, "nansum": 0, "nanprod": 1, "count_nonzero": 0, "any": False, "all": True}
_COMBINED = {"sum": "add", "prod": "multiply", "nansum": "add", "nanprod": "multiply", "count_nonzero": "add",
             "any": "logical_or", "all": "logical_and", "max": "maximum", "min": "minimum", "amax": "maximum",
             "amin": "minimum", "nanmax": "fmax", "nanmin": "fmin"}  # fmt: skip
_MOMENTS = ("mean", "var", "std", "nanmean", "nanvar", "nanstd")
#: What short real numbers are added up in.
_WIDER = {torch.float16: torch.float32, torch.bfloat16: torch.float32}
#: Universal functions whose order of evaluation is free.
_FREE_ORDER = ("bitwise_and", "bitwise_or", "bitwise_xor", "fmax", "fmin", "gcd", "hypot", "lcm", "logaddexp",
               "logaddexp2", "logical_xor")  # fmt: skip


def _ht() -> Any:
    return importlib.import_module("equiheat")


def is_restricted(name: str, options: dict[str, Any]) -> bool:
    """Whether a call of NumPy's reduction `name` has a mask or a first value, for which ours have no argument."""
    if not options or (name not in _COMBINED and name not in _MOMENTS):
        return False
    return not (_is_default(options.get("where")) and _is_default(options.get("initial")))


def _is_default(value: Any) -> bool:
    return value is None or value is True or value is np._NoValue


def restricted(
    name: str, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *,
    initial: Any = None, where: Any = True, ddof: float = 0, correction: Any = None, **rest: Any,
) -> Any:  # fmt: skip
    """A reduction of the elements where `where` holds, and of `initial`.

    Distribution and communication are those of the reduction; a mask is brought to the layout of the array.
    """
    unknown = [key for key, value in rest.items() if value is not np._NoValue]
    if unknown:
        raise TypeError(f"{name}: {', '.join(unknown)} together with where or initial is not supported for DNDarrays")
    x = as_ours(a) if isinstance(a, np.ndarray) else _ht().asarray(a)
    if dtype is not None and dtype is not np._NoValue:
        x = x.astype(dtype if isinstance(dtype, torch.dtype) else np.dtype(dtype))
    keep = keepdims is True
    first = None if initial is np._NoValue else initial
    if name in _MOMENTS:
        reduced = correction if correction not in (None, np._NoValue) else ddof
        mask = as_ours(where)
        if name.startswith("nan"):
            mask = ~_ht().isnan(x) & mask
        result = _moment(name.removeprefix("nan"), x, axis, keep, mask, reduced)
    else:
        result = _masked(name, x, axis, keep, first, where)
    if out is None or out is np._NoValue:
        return result
    _core.assign(to_write(out, name), result._core, None, name)
    return out


def _masked(name: str, x: Any, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
    ht = _ht()
    filling = _NEUTRAL.get(name, initial)
    if where is not True:
        if filling is None:
            raise ValueError(
                f"{name}: the reduction has no identity, so to use a where mask one has to specify 'initial'"
            )
        x = ht.where(as_ours(where), x, filling)
    if x.size == 0 and initial is not None and name not in _NEUTRAL:
        shape = np.sum(np.empty(x.shape, bool), axis=axis, keepdims=keepdims).shape
        return ht.full(shape, initial, dtype=x.dtype)
    result = getattr(ht, name.removeprefix("a") if name in ("amax", "amin") else name)(x, axis=axis, keepdims=keepdims)
    return result if initial is None else getattr(ht, _COMBINED[name])(result, initial)


def _moment(name: str, x: Any, axis: Any, keepdims: bool, mask: Any, ddof: float) -> Any:
    ht = _ht()
    chosen = ht.broadcast_to(ht.asarray(mask), x.shape)

    def total(values: Any, keep: bool) -> Any:
        return ht.sum(ht.where(chosen, values, 0), axis=axis, keepdims=keep)

    kind = x.larray.dtype
    inexact = kind.is_floating_point or kind.is_complex
    values = x.astype(_WIDER.get(kind, kind) if inexact else torch.float64)
    count = ht.sum(chosen, axis=axis, keepdims=True).astype(ht.real(values).dtype)
    result = mean = total(values, True) / count
    if name != "mean":
        result = total(ht.abs(values - mean) ** 2, True) / ht.maximum(count - ddof, 0)
        result = result if name == "var" else root_of_spread(result)
        kind = result.larray.dtype if kind.is_complex else kind
    result = result.astype(kind if inexact else torch.float32, copy=False)
    return result if keepdims else _without(result, axis)


def _without(x: Any, axis: Any) -> Any:
    return _ht().reshape(x, ()) if axis is None else _ht().squeeze(x, axis)


# ---------------------------------------------------------------------- ufunc.reduce
def reduce_by_halves(ufunc: np.ufunc, call: Callable[[Any, Any], Any], x: Any, axis: Any, keepdims: bool,
                     initial: Any, where: Any) -> Any:  # fmt: skip
    """``ufunc.reduce`` along axes in log2(n) steps of whole halves; NotImplemented where the order counts.

    Along the split half of the array moves in the first step, a quarter in the next, ...
    """
    if ufunc.__name__ not in _FREE_ORDER:
        return NotImplemented
    ht = _ht()
    x = x.astype(_result_type(call, x))
    first = None if initial is np._NoValue else initial
    neutral = _identity(ufunc, x)
    filling = first if neutral is None else neutral
    if where is not True:
        if filling is None:
            raise ValueError(f"{ufunc.__name__}: the reduction has no identity, so to use a where mask one has to "
                             "specify 'initial'")  # fmt: skip
        x = ht.where(as_ours(where), x, filling)
    result = x.reshape((math.prod(x.shape),)) if axis is None else x
    given = (0 if axis is None else axis,) if not isinstance(axis, tuple) else axis
    axes = sorted((i % result.ndim for i in given), reverse=True)
    for place in axes:
        result = _folded(ufunc, call, result, place, filling)
        result = result if neutral is None else call(result, neutral)  # gcd(0, -3) is 3
    result = result if first is None else call(result, first)
    if not keepdims:
        return result
    return result.reshape((1,) * x.ndim) if axis is None else ht.expand_dims(result, tuple(reversed(axes)))


def _result_type(call: Callable[[Any, Any], Any], x: Any) -> Any:
    nothing = _ht().zeros((0,), dtype=x.dtype, split=None)
    return call(nothing, nothing).dtype


def _identity(ufunc: np.ufunc, x: Any) -> Any:
    if ufunc.identity is None or x.larray.is_floating_point():
        return ufunc.identity
    return np.asarray(ufunc.identity).astype(x.dtype.dtype).item()  # all bits of -1


def _folded(ufunc: np.ufunc, call: Callable[[Any, Any], Any], x: Any, axis: int, filling: Any) -> Any:
    ht = _ht()
    n = x.shape[axis]

    def part(low: int, high: int) -> Any:
        return x[(*(slice(None),) * axis, slice(low, high))]

    if n == 0:
        if filling is None:
            raise ValueError(f"zero-size array to reduction operation {ufunc.__name__} which has no identity")
        return ht.full((*x.shape[:axis], *x.shape[axis + 1 :]), filling, dtype=x.dtype)
    while n > 1:
        half = n // 2
        joined = call(part(0, half), part(half, 2 * half))
        x = ht.concatenate([joined, part(2 * half, n)], axis) if n % 2 else joined
        n -= half
    return x[(*(slice(None),) * axis, 0)]


# ---------------------------------------------------------------------- ufunc.accumulate
def accumulate_blocks(ufunc: np.ufunc, call: Callable[[Any, Any], Any], x: Any, axis: int) -> Any:
    """``ufunc.accumulate`` by NumPy in each block; NotImplemented where the grouping counts. No gradients.

    Along the split an allgather of one row of every rank tells what the blocks in front come to.
    """
    if ufunc.__name__ not in (*_FREE_ORDER, "maximum", "minimum", "logical_and", "logical_or"):
        return NotImplemented
    if x.ndim == 0:
        raise TypeError(f"{ufunc.__name__}.accumulate: the array needs an axis, has none")
    if not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(axis, x.ndim)
    axis %= x.ndim
    core = x.astype(_result_type(call, x))._core
    found = ufunc.accumulate(conversion.for_numpy(core.local), axis)
    if core.split == axis:
        last = found.take([-1], axis) if found.shape[axis] else np.zeros_like(found, shape=_one_along(found, axis))
        rows = Communicator._of(core.comm).allgather(torch.from_numpy(last).to(core.local.device)).cpu().numpy()
        before = [row for row, n in zip(rows[: core.comm.rank], core.counts, strict=False) if n]
        found = ufunc(functools.reduce(ufunc, before), found) if before else found
    local = torch.from_numpy(np.ascontiguousarray(found)).to(core.local.device, core.local.dtype)
    return wrap(core.with_local(local))


def _one_along(block: Any, axis: int) -> tuple[int, ...]:
    return tuple(1 if k == axis else n for k, n in enumerate(block.shape))
