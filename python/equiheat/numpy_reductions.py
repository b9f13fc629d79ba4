# SPDX-License-Identifier: BSD-3-Clause
"""NumPy's reductions with ``where=`` and ``initial=``, and ``ufunc.reduce`` without a reduction here."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from equiheat import _core
from equiheat.numpy_blocks import as_ours

__all__: list[str] = []

_NEUTRAL = {"sum": 0, "prod": 1, "any": False, "all": True}
_COMBINED = {"sum": "add", "prod": "multiply", "any": "logical_or", "all": "logical_and", "max": "maximum",
             "min": "minimum", "amax": "maximum", "amin": "minimum"}  # fmt: skip
_MOMENTS = ("mean", "var", "std")
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
    x = _ht().asarray(a) if dtype is None else _ht().asarray(a).astype(np.dtype(dtype))
    keep = keepdims is True
    first = None if initial is np._NoValue else initial
    if name in _MOMENTS:
        reduced = correction if correction not in (None, np._NoValue) else ddof
        result = _moment(name, x, axis, keep, as_ours(where), reduced)
    else:
        result = _masked(name, x, axis, keep, first, where)
    if out is None or out is np._NoValue:
        return result
    _core.assign(out._core, result._core, None, name)
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

    values = x * 1.0
    count = ht.sum(chosen, axis=axis, keepdims=True).astype(ht.real(values).dtype)
    mean = total(values, True) / count
    if name == "mean":
        return mean if keepdims else _without(mean, axis)
    deviations = total(ht.abs(values - mean) ** 2, True) / ht.maximum(count - ddof, 0)
    result = deviations if name == "var" else ht.sqrt(deviations)
    return result if keepdims else _without(result, axis)


def _without(x: Any, axis: Any) -> Any:
    return _ht().reshape(x, ()) if axis is None else _ht().squeeze(x, axis)


# ---------------------------------------------------------------------- ufunc.reduce
def reduce_by_halves(ufunc: np.ufunc, call: Callable[[Any, Any], Any], x: Any, axis: Any) -> Any:
    """``ufunc.reduce`` along axes in log2(n) steps of whole halves; NotImplemented where the order counts.

    Along the split half of the array moves in the first step, a quarter in the next, ...
    """
    if ufunc.__name__ not in _FREE_ORDER:
        return NotImplemented
    if axis is None:
        return reduce_by_halves(ufunc, call, x.reshape((math.prod(x.shape),)), 0)
    axes = sorted((i % x.ndim for i in (axis if isinstance(axis, tuple) else (axis,))), reverse=True)
    for place in axes:
        x = _folded(ufunc, call, x, place)
    return x


def _folded(ufunc: np.ufunc, call: Callable[[Any, Any], Any], x: Any, axis: int) -> Any:
    ht = _ht()
    n = x.shape[axis]
    if n == 0 and ufunc.identity is None:
        raise ValueError(f"zero-size array to reduction operation {ufunc.__name__} which has no identity")
    if n == 0:
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        return ht.full(shape, ufunc.identity, dtype=call(x, x).dtype)
    if n == 1 and ufunc.__name__ == "logical_xor":
        x = x.astype(bool)

    def part(low: int, high: int) -> Any:
        return x[(*(slice(None),) * axis, slice(low, high))]

    while n > 1:
        half = n // 2
        joined = call(part(0, half), part(half, 2 * half))
        x = ht.concatenate([joined, part(2 * half, n)], axis) if n % 2 else joined
        n -= half
    return x[(*(slice(None),) * axis, 0)]
