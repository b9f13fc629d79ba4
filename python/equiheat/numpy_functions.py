# SPDX-License-Identifier: BSD-3-Clause
"""Functions that NumPy has and `equiheat` has not: ``np.polyval(p, x)``, ``np.unwrap(x)``, ``np.piecewise(x, ...)``.

Each is a few operations of ours, whose layouts and communication it has. What takes or makes functions of NumPy arrays
(`apply_along_axis`, `i0`) runs in NumPy on this rank's block.
"""

from __future__ import annotations

import importlib
import math
import os
import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib import scimath, stride_tricks

from equiheat import _core, numpy_ranges
from equiheat._base import ArrayBase
from equiheat._function import to_write
from equiheat.numpy_blocks import apply_along_axis, as_ours, as_type, block_by_block

__all__: list[str] = []


def _ht() -> Any:
    return importlib.import_module("equiheat")


# ---------------------------------------------------------------------- shapes and types only
def is_ours(x: Any) -> bool:
    return isinstance(x, ArrayBase)


def _stand_in(x: Any) -> Any:
    """A NumPy array of the same shape and type, without memory."""
    return np.broadcast_to(np.zeros((), x.dtype.dtype), x.shape) if is_ours(x) else x


def _by_metadata(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy that looks at shapes and types. Local."""
    return lambda *args, **kwargs: func(*map(_stand_in, args), **kwargs)


def _result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """NumPy's dtype of what the operation gives here. Local."""
    weak = [isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic) for x in arrays_and_dtypes]
    given = [x if number or isinstance(x, ArrayBase) else np.result_type(x)
             for x, number in zip(arrays_and_dtypes, weak, strict=True)]  # fmt: skip
    found: np.dtype[Any] = _ht().result_type(*given).dtype
    return found


def _min_scalar_type(a: Any) -> np.dtype[Any]:
    return np.min_scalar_type(a.numpy() if a.ndim == 0 else _stand_in(a))


def _indices_from(name: str) -> Callable[..., Any]:
    def function(arr: Any, k: int = 0) -> Any:
        if arr.ndim != 2:
            raise ValueError(f"{name}_from: the array must have 2 axes, has {arr.ndim}")
        return getattr(_ht(), name)(arr.shape[0], k, arr.shape[1])

    return function


def _diag_indices_from(arr: Any) -> Any:
    if arr.ndim < 2 or len(set(arr.shape)) > 1:
        raise ValueError(f"diag_indices_from: all of at least 2 axes must have one length, the shape is {arr.shape}")
    return (_ht().arange(arr.shape[0], dtype=np.int64),) * arr.ndim


def as_subscripts(operands: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """Subscripts and arrays of ``np.einsum("ij,jk", a, b)``, or of ``np.einsum(a, [0, 1], b, [1, 2], [0, 2])``."""
    if isinstance(operands[0], str):
        return operands[0], operands[1:]
    arrays, lists = operands[: len(operands) // 2 * 2 : 2], operands[1::2]
    wanted = "->" + _letters(operands[-1]) if len(operands) % 2 else ""
    return ",".join(map(_letters, lists)) + wanted, arrays


def _letters(labels: Any) -> str:
    if not all(x is Ellipsis or (hasattr(x, "__index__") and 0 <= x < 52) for x in labels):
        raise ValueError(f"einsum: labels must be integers from 0 to 51 or Ellipsis, are {labels!r}")
    return "".join("..." if x is Ellipsis else string.ascii_letters.swapcase()[x] for x in labels)


# ---------------------------------------------------------------------- matrices
def _matrix_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """Of the last two axes, where `trace` takes the first two."""
    return _ht().trace(x, offset, -2, -1, dtype)


def _qr(a: Any, mode: str = "reduced") -> Any:
    factors = _ht().linalg.qr(a, mode)
    return factors.R if mode == "r" else factors


# ---------------------------------------------------------------------- polynomials and phases
def _polyval(p: Any, x: Any) -> Any:
    """Horner's rule; every rank takes the coefficients whole."""
    ht = _ht()
    at = ht.asarray(x)
    value = ht.zeros_like(at)
    for coefficient in p.numpy() if is_ours(p) else np.asarray(p):
        value = value * at + coefficient
    return value


def _polyfit(x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None,
             cov: Any = False) -> Any:  # fmt: skip
    """Least squares on powers of x in columns of length one, as NumPy."""
    if full or cov:
        raise TypeError("polyfit: full and cov are not supported for DNDarrays; the coefficients alone are")
    ht = _ht()
    x, y = (ht.asarray(a) for a in (x, y))
    x, y = (a if a.dtype == np.float32 else a.astype(np.float64) for a in (x, y))
    if x.ndim != 1 or y.ndim not in (1, 2) or len(x) != len(y) or not len(x) or deg < 0:
        raise TypeError(f"polyfit: x (n,), y (n,) or (n, k) and deg >= 0 are needed, got {x.shape}, {y.shape}, {deg}")
    columns = ht.vander(x, deg + 1)
    if w is not None:
        weights = ht.asarray(w)
        columns, y = columns * weights[:, None], y * (weights[:, None] if y.ndim == 2 else weights)
    lengths = ht.sqrt(ht.sum(columns * columns, axis=0))
    cutoff = len(x) * np.finfo(x.dtype.dtype).eps if rcond is None else rcond
    coefficients = ht.linalg.lstsq(columns / lengths, y, rcond=cutoff)[0]
    return coefficients / (lengths[:, None] if y.ndim == 2 else lengths)


def _unwrap(p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """A scan of the jumps that are left out."""
    ht = _ht()
    dtype = np.result_type(_stand_in(p), period)
    x = p.astype(dtype)
    if not x.shape[axis]:
        return x
    start = [slice(None)] * x.ndim
    start[axis] = slice(0, 1)
    steps = ht.diff(x, axis=axis, prepend=x[tuple(start)])
    exact = dtype.kind in "iu"
    half = period // 2 if exact else period / 2
    folded = ht.remainder(steps + half, period) - half
    if not exact or period % 2 == 0:
        folded = ht.where((folded == -half) & (steps > 0), half, folded)
    jumps = ht.where(ht.abs(steps) < (period / 2 if discont is None else discont), 0, folded - steps)
    return x + ht.cumsum(jumps, axis % x.ndim)


def _of_replicated(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function of coefficients, which every rank must have whole: NumPy's. Local."""

    def function(*args: Any, **kwargs: Any) -> Any:
        for x in args:
            if isinstance(x, ArrayBase) and x._core.split is not None:
                raise TypeError(
                    f"{func.__name__}: the coefficients are split; x.resplit(None) gives them to every rank"
                )
        ht = _ht()
        result = func(*[x.numpy() if is_ours(x) else x for x in args], **kwargs)
        with ht.default_split(None):
            return tuple(map(ht.asarray, result)) if isinstance(result, tuple) else ht.asarray(result)

    return function


# ---------------------------------------------------------------------- element by element
def _piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Functions see the elements that their condition selects, as a vector in global order."""
    ht = _ht()
    value = ht.asarray(x)
    single = isinstance(condlist, bool) or (is_ours(condlist) and condlist.ndim == value.ndim)
    conditions = [ht.asarray(c).astype(bool) for c in ([condlist] if single else condlist)]
    if len(funclist) == len(conditions) + 1:
        rest = ~conditions[0]
        for c in conditions[1:]:
            rest = rest & ~c
        conditions.append(rest)
    if len(funclist) != len(conditions):
        raise ValueError(f"piecewise: {len(conditions)} conditions need as many functions or one more, "
                         f"there are {len(funclist)}")  # fmt: skip
    result = ht.zeros_like(value)
    for condition, function in zip(conditions, funclist, strict=True):
        result[condition] = function(value[condition], *args, **kw) if callable(function) else function
    return result


def _real_if_close(a: Any, tol: float = 100) -> Any:
    ht = _ht()
    if not a.larray.is_complex():
        return a
    limit = np.finfo(a.dtype.dtype).eps * tol if tol > 1 else tol
    return ht.real(a) if bool((ht.abs(ht.imag(a)) < limit).all()) else a


def _outside(name: str, x: Any) -> Any:
    """Where the real function is not defined."""
    return _ht().abs(x) > 1 if name in ("arccos", "arcsin", "arctanh") else x < 0


def _complex_where_needed(name: str, x: Any) -> Any:
    """`x` in a complex type if an element needs it, which one allreduce tells."""
    value = _ht().asarray(x)
    if value.larray.is_complex() or not bool(_outside(name, value).any()):
        return value
    return value.astype(np.complex64 if value.dtype in (np.float32, np.int8, np.int16) else np.complex128)


def _scimath(name: str) -> Callable[..., Any]:
    return lambda x: getattr(_ht(), name)(_complex_where_needed(name, x))


def _scimath_power(x: Any, p: Any) -> Any:
    exponent = _ht().asarray(p)
    if not exponent.larray.is_complex() and bool((exponent < 0).any()):
        exponent = exponent * 1.0
    return _ht().power(_complex_where_needed("power", x), exponent)


def _scimath_logn(n: Any, x: Any) -> Any:
    base = _scimath("log")(n) if isinstance(n, ArrayBase) else scimath.log(n)
    return _scimath("log")(x) / base


# ---------------------------------------------------------------------- without NaN
def _nan_extreme(name: str, filling: float) -> Callable[..., Any]:
    def function(a: Any, axis: int | None = None, out: Any = None, *, keepdims: Any = False) -> Any:
        ht = _ht()
        if not a.larray.is_floating_point():  # integers have no NaN, and reals no room for all of them
            return getattr(ht, name)(a, axis=axis, out=out, keepdims=keepdims is True)
        missing = ht.isnan(a)
        if bool(missing.all(axis).any()):
            raise ValueError(f"nan{name}: All-NaN slice encountered")
        return getattr(ht, name)(ht.where(missing, filling, a), axis=axis, out=out, keepdims=keepdims is True)

    return function


def _nan_scan(name: str, filling: int) -> Callable[..., Any]:
    def function(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        ht = _ht()
        return getattr(ht, name)(ht.where(ht.isnan(a), filling, a), axis, dtype, out)

    return function


# ---------------------------------------------------------------------- the rest
def _concatenate(arrays: Sequence[Any], axis: int | None = 0, out: Any = None, *, dtype: Any = None,
                 casting: str = "same_kind") -> Any:  # fmt: skip
    ht = _ht()
    with ht.default_split(None):  # NumPy arrays beside ours are replicated
        given = [ht.asarray(a) for a in arrays]
    joined = ht.concatenate([a.reshape((-1,)) for a in given] if axis is None else given, 0 if axis is None else axis)
    if dtype is not None:
        joined = as_type("concatenate", joined, np.dtype(dtype), casting)
    if out is None:
        return joined
    _core.assign(to_write(out, "concatenate"), as_type("concatenate", joined, out.dtype, casting)._core, None,
                 "concatenate")  # fmt: skip
    return out


def _reshape(a: Any, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: bool | None = None) -> Any:
    ht, wanted = _ht(), newshape if shape is None else shape
    if copy is None:
        return ht.reshape(ht.asarray(a), wanted, order="F" if order == "F" else "C")
    x, extents = ht.asarray(a), tuple(np.atleast_1d(wanted).tolist())
    if order == "F":  # the other order of a transpose is its own
        return ht.transpose(_reshape(ht.transpose(x), extents[::-1], copy=copy))
    return x.__array_namespace__().reshape(x, extents, copy=copy)


def _array_equiv(a1: Any, a2: Any) -> bool:
    ht = _ht()
    a, b = ht.asarray(a1), ht.asarray(a2)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return bool((a == b).all())


def _apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    value = _ht().asarray(a)
    for axis in [axes] if np.ndim(axes) == 0 else axes:
        result = func(value, axis)
        if result.ndim != value.ndim:
            result = _ht().expand_dims(result, axis)
        if result.ndim != value.ndim:
            raise ValueError("apply_over_axes: function is not returning an array of the correct shape")
        value = result
    return value


def _sliding_windows(x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False,
                     writeable: bool = False) -> Any:  # fmt: skip
    return _ht().sliding_window_view(x, window_shape, axis)


def _tensorinv(a: Any, ind: int = 2) -> Any:
    if ind <= 0:
        raise ValueError(f"tensorinv: ind must be positive, is {ind}")
    rows = math.prod(a.shape[:ind])
    return _ht().linalg.inv(a.reshape((rows, -1))).reshape((*a.shape[ind:], *a.shape[:ind]))


def _tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    ht = _ht()
    a, b = ht.asarray(a), ht.asarray(b)
    if axes is not None:
        last = [axis % a.ndim for axis in axes]
        a = a.transpose([*(i for i in range(a.ndim) if i not in last), *last])
    shape = a.shape[b.ndim :]
    size = math.prod(shape)
    if a.size != size**2:
        raise np.linalg.LinAlgError(f"tensorsolve: a of shape {a.shape} must have {size} x {size} elements")
    return ht.linalg.solve(a.reshape((size, size)), b.reshape((-1,))).reshape(shape)


def _elementwise(func: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: block_by_block(func, (x,), {})


def _save(file: Any, arr: Any, allow_pickle: bool = True) -> None:
    """Every rank writes its part; the name gets NumPy's suffix."""
    name = os.fspath(file)
    _ht().save(arr, name if name.endswith(".npy") else f"{name}.npy")


# ---------------------------------------------------------------------- like=
def _replicated_like(func: Callable[..., Any]) -> Callable[..., Any]:
    """``np.fromiter(..., like=x)``: NumPy reads, the same on every rank; the result takes the default split."""
    return lambda *args, **kwargs: _ht().asarray(func(*args, **kwargs))


def _converted(func: Callable[..., Any]) -> Callable[..., Any]:
    """``np.asarray(values, like=x)``: NumPy finds shape and type of what is not ours."""

    def function(a: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        ht = _ht()
        if isinstance(a, (list, tuple)) and any(isinstance(x, ArrayBase) for x in a):
            a = ht.stack(as_ours(a))
        if not isinstance(a, ArrayBase):
            return ht.asarray(func(a, dtype, *args, **kwargs))
        return (ht.array if func is np.array else ht.asarray)(a, dtype=None if dtype is None else np.dtype(dtype))

    return function


_CONVERSIONS = (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.require)
_COEFFICIENTS = (np.poly, np.polyadd, np.polyder, np.polydiv, np.polyint, np.polymul, np.polysub, np.roots)
_FILES = (np.frombuffer, np.fromfile, np.fromfunction, np.fromiter, np.fromstring, np.genfromtxt, np.loadtxt)
_MADE = (np.arange, np.empty, np.eye, np.full, np.identity, np.ones, np.tri, np.zeros)
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.apply_along_axis: apply_along_axis,
    np.apply_over_axes: _apply_over_axes,
    np.array2string: lambda a, *args, **kwargs: str(a),
    np.array_equiv: _array_equiv,
    np.astype: lambda x, dtype, /, *, copy=True, device=None: x.astype(np.dtype(dtype), copy),
    np.common_type: _by_metadata(np.common_type),
    np.concatenate: _concatenate,
    np.diag_indices_from: _diag_indices_from,
    np.einsum_path: _by_metadata(np.einsum_path),
    np.geomspace: numpy_ranges.geomspace,
    np.i0: _elementwise(np.i0),
    np.linspace: numpy_ranges.linspace,
    np.logspace: numpy_ranges.logspace,
    np.min_scalar_type: _min_scalar_type,
    np.nanargmax: _nan_extreme("argmax", -np.inf),
    np.nanargmin: _nan_extreme("argmin", np.inf),
    np.nancumprod: _nan_scan("cumprod", 1),
    np.nancumsum: _nan_scan("cumsum", 0),
    np.piecewise: _piecewise,
    np.polyfit: _polyfit,
    np.polyval: _polyval,
    np.real_if_close: _real_if_close,
    np.reshape: _reshape,
    np.result_type: _result_type,
    np.save: _save,
    np.tril_indices_from: _indices_from("tril_indices"),
    np.triu_indices_from: _indices_from("triu_indices"),
    np.unwrap: _unwrap,
    np.linalg.qr: _qr,
    np.linalg.tensorinv: _tensorinv,
    np.linalg.tensorsolve: _tensorsolve,
    np.linalg.trace: _matrix_trace,
    stride_tricks.sliding_window_view: _sliding_windows,
    scimath.logn: _scimath_logn,
    scimath.power: _scimath_power,
    **{getattr(scimath, n): _scimath(n) for n in ("arccos", "arcsin", "arctanh", "log", "log10", "log2", "sqrt")},
    **{func: _replicated_like(func) for func in (*_FILES, *_MADE)},
    **{func: _of_replicated(func) for func in _COEFFICIENTS},
    **{func: _converted(func) for func in _CONVERSIONS},
}  # fmt: skip
#: Those that run in NumPy on this rank alone.
LOCAL = {
    np.apply_along_axis, np.common_type, np.einsum_path, np.i0, np.min_scalar_type, *_COEFFICIENTS,
    *_CONVERSIONS, *_FILES, *_MADE,
}  # fmt: skip
