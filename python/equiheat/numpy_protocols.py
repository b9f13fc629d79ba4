# SPDX-License-Identifier: BSD-3-Clause
"""NumPy's functions on arrays of equiheat: ``np.exp(x)``, ``np.add(x, ndarray)``, ``np.sum(x, axis=0)``.

A universal function becomes the operation of the same name, ``np.<name>``, ``np.linalg.<name>`` and ``np.fft.<name>``
the function of that name here, with NumPy's defaults for arguments that are not given. NumPy arrays beside our own
count as replicated. Types of results follow docs/dtypes.md. Universal functions without a counterpart (SciPy's special
functions) run in NumPy, block by block; other functions without one raise TypeError. Nothing gathers an array.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch

from equiheat import _core
from equiheat._base import ArrayBase
from equiheat._function import to_write, torch_dtype
from equiheat.numpy_blocks import as_ours, block_by_block, in_type
from equiheat.numpy_functions import FUNCTIONS, as_subscripts, is_ours
from equiheat.numpy_reductions import accumulate_blocks, is_restricted, reduce_by_halves, restricted

__all__: list[str] = []

# fmt: off
_UFUNC_NAMES = {
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
    "bitwise_not": "invert", "conj": "conjugate", "true_divide": "divide", "mod": "remainder", "abs": "absolute",
}
_REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
}
_SCANS = {"add": "cumsum", "multiply": "cumprod"}
#: Parameters under other names here.
_RENAMED = {
    "a_min": "min", "a_max": "max", "newshape": "shape", "correction": "ddof", "k": "offset", "wrap": "wrap_around",
}
#: Of no effect here: memory order of a result, subclasses, casting rules, promises about input, plans.
_WITHOUT_EFFECT = ("order", "subok", "casting", "assume_unique", "like", "optimize", "overwrite_input")
# fmt: on


def _ht() -> Any:
    return importlib.import_module("equiheat")


# ---------------------------------------------------------------------- universal functions
def _deliver(result: Any, out: Any, name: str, where: Any = True, casting: str = "same_kind") -> Any:
    """Results of a ufunc written into `out`, one or several arrays, at the places where `where` holds."""
    if out is None:
        return result
    targets = out if isinstance(out, tuple) else (out,)
    results = result if isinstance(result, tuple) else (result,)
    done = tuple(_written(r, t, name, where, casting) for r, t in zip(results, targets, strict=True))
    return done if isinstance(result, tuple) else done[0]


def _written(result: Any, target: Any, name: str, where: Any, casting: str) -> Any:
    if target is None:
        return result
    if is_ours(target):
        result = result.astype(target.dtype) if casting == "unsafe" else result
        _core.assign(to_write(target, name), result._core, None if where is True else _ht().asarray(where)._core, name)
        return target
    if result._core.is_distributed:
        raise TypeError(
            f"{name}: the result is split over {result.comm.size} ranks and does not fit into a NumPy array; "
            "leave out= away, or pass a DNDarray"
        )
    mask = _ht().asarray(where).numpy() if isinstance(where, ArrayBase) else where
    np.copyto(target, result.numpy(), casting="unsafe" if casting == "unsafe" else "same_kind", where=mask)
    return target


def _call(ufunc: np.ufunc, inputs: Sequence[Any], out: Any, options: dict[str, Any]) -> Any:
    name = ufunc.__name__
    function = getattr(_ht(), _UFUNC_NAMES.get(name, name), None)
    if function is None:
        return _in_blocks(ufunc, inputs, out, options) if ufunc.signature is None else NotImplemented
    where, dtype, casting = options.pop("where", True), options.pop("dtype", None), options.pop("casting", "same_kind")
    if name == "vecdot" and "axis" in options:  # of each operand, not of what they broadcast to
        axis = options.pop("axis")
        inputs = [_ht().moveaxis(_ht().asarray(x), axis, -1) for x in inputs]
    for ignored in _WITHOUT_EFFECT:
        options.pop(ignored, None)
    if options:
        raise TypeError(f"{name}: {', '.join(options)} is not supported for DNDarrays")
    predicate = f"{'d' * ufunc.nin}->?" in ufunc.types  # its dtype is that of the result
    if dtype is not None and not (predicate and torch_dtype(_typed(dtype)) == torch.bool):
        inputs = [in_type(name, x, _typed(dtype), casting) for x in inputs]
    target = out[0] if out else None
    if where is True or isinstance(target, np.ndarray) or (target is not None and casting == "unsafe"):
        return _deliver(function(*inputs), out, name, where, casting)
    return function(*inputs, out=target, where=where)


def _in_blocks(ufunc: np.ufunc, inputs: Sequence[Any], out: Any, options: dict[str, Any]) -> Any:
    where, casting = options.pop("where", True), options.get("casting", "same_kind")
    return _deliver(block_by_block(ufunc, inputs, options), out, ufunc.__name__, where, casting)


def _reduce(ufunc: np.ufunc, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
            initial: Any = None, where: Any = True) -> Any:  # fmt: skip
    name = _REDUCTIONS.get(ufunc.__name__)
    source = _ht().asarray(x)
    axis = None if source.ndim == 0 and axis in (0, -1) else axis
    if name is not None and (where is not True or initial is not None):
        result = restricted(name, source, axis, dtype, None, keepdims, initial=initial, where=where)
    elif name is None:
        source = source if dtype is None else source.astype(_typed(dtype))
        call = functools.partial(_pairwise, ufunc)
        result = reduce_by_halves(ufunc, call, source, axis, keepdims is True, initial, where)
    elif dtype is not None and name not in ("sum", "prod"):
        result = getattr(_ht(), name)(source.astype(_typed(dtype)), axis=axis, keepdims=keepdims)
    else:
        options = {} if dtype is None else {"dtype": dtype}
        result = getattr(_ht(), name)(source, axis=axis, keepdims=keepdims, **options)
    return result if result is NotImplemented else _deliver(result, out, ufunc.__name__)


def _accumulate(ufunc: np.ufunc, x: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    name, source = _SCANS.get(ufunc.__name__), _ht().asarray(x)
    if name is None:
        source = source if dtype is None else source.astype(_typed(dtype))
        result = accumulate_blocks(ufunc, functools.partial(_pairwise, ufunc), source, axis)
    else:
        result = getattr(_ht(), name)(source, axis, dtype)
    return result if result is NotImplemented else _deliver(result, out, ufunc.__name__)


def _pairwise(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    return _call(ufunc, (a, b), None, {})


def _family(x: Any) -> int:
    """Integers before real before complex numbers."""
    return 2 if x.larray.is_complex() else int(x.larray.is_floating_point())


def _add_at(ufunc: np.ufunc, x: Any, indices: Any, values: Any = None) -> Any:
    """Positions are indexed as x is, and what belongs to one position is added up."""
    if ufunc.__name__ not in ("add", "subtract") or not is_ours(x):
        return NotImplemented
    ht = _ht()
    added = values if is_ours(values) else as_ours(np.asarray(values))
    if _family(added) > _family(x):
        raise TypeError(f"{ufunc.__name__}.at: cannot add values of {added.dtype.__name__} to {x.dtype.__name__}")
    added = ht.negative(added.astype(x.dtype)) if ufunc.__name__ == "subtract" else added.astype(x.dtype)
    with ht.default_split(None):
        places = ht.arange(x.size, dtype=ht.int64, split=None if x.split is None else 0)
    chosen = places.reshape(x.shape, new_split=x.split)[indices]
    ht.put_along_axis(x, chosen, added, None, mode="add")
    return None


def _outer(ufunc: np.ufunc, x: Any, y: Any, **options: Any) -> Any:
    a, b = _ht().asarray(x), _ht().asarray(y)
    return _call(ufunc, (a.reshape((*a.shape, *(1,) * b.ndim)), b), options.pop("out", None), options)


def array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NumPy's universal functions on arrays: calls, ``reduce``, ``accumulate``, ``outer``, with ``out=``, and ``at``.

    Distribution and communication are those of the operation of the same name.
    """
    if method == "__call__":
        return _call(ufunc, inputs, kwargs.pop("out", None), kwargs)
    handlers: dict[str, Callable[..., Any]] = {
        "reduce": _reduce, "accumulate": _accumulate, "outer": _outer, "at": _add_at
    }  # fmt: skip
    found = handlers.get(method)
    result = NotImplemented if found is None else found(ufunc, *inputs, **kwargs)
    if result is NotImplemented:
        raise TypeError(f"{ufunc.__name__}.{method} is not supported for DNDarrays")
    return result


# ---------------------------------------------------------------------- other functions
def _sorted_values(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    ht = _ht()
    source = ht.reshape(a, (-1,)) if axis is None else a
    result = ht.sort(source, axis=0 if axis is None else axis)
    return result[0] if isinstance(result, tuple) else result


def _argsorted(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    ht = _ht()
    return ht.argsort(ht.reshape(a, (-1,)) if axis is None else a, axis=0 if axis is None else axis)


def _shape(a: Any) -> tuple[int, ...]:
    return tuple(a.shape)


def _size(a: Any, axis: int | tuple[int, ...] | None = None) -> int:
    axes = range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return math.prod(a.shape[k] for k in axes)


def _ndim(a: Any) -> int:
    return int(a.ndim)


def _is_complex(x: Any) -> bool:
    return bool(x.larray.is_complex())


def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    if not isinstance(dst, ArrayBase):
        raise TypeError("copyto: a DNDarray is not copied into a NumPy array; use x.numpy()")
    _ht().copyto(dst, as_ours(src), casting, where)


def _span(a: Any) -> tuple[int, int]:
    if not isinstance(a, ArrayBase):
        return np.lib.array_utils.byte_bounds(np.asarray(a))
    storage = a._core.local.untyped_storage()
    return storage.data_ptr(), storage.data_ptr() + storage.nbytes()


def _may_share_memory(a: Any, b: Any, max_work: Any = None) -> bool:
    """Of this rank's blocks."""
    (a_first, a_end), (b_first, b_end) = _span(a), _span(b)
    return a_first < b_end and b_first < a_end


def _outer_product(a: Any, b: Any, out: Any = None) -> Any:
    ht = _ht()
    return _deliver(ht.outer(ht.asarray(a).reshape((-1,)), ht.asarray(b).reshape((-1,))), out, "outer")


def _einsum(*operands: Any, out: Any = None, dtype: Any = None, **ignored: Any) -> Any:
    ht = _ht()
    subscripts, arrays = as_subscripts(operands)
    found = [ht.asarray(as_ours(x)) for x in arrays]
    cast = found if dtype is None else [x.astype(_typed(dtype)) for x in found]
    return _deliver(ht.einsum(subscripts, *cast), out, "einsum")


def _typed(dtype: Any) -> Any:
    """NumPy's meaning of a data type: ``float`` is float64, which is float32 in Heat."""
    return np.dtype(dtype) if dtype in (int, float, complex, "int", "float", "complex") else dtype


#: Functions whose meaning here, or whose name, is another.
_OWN: dict[str, Callable[..., Any]] = {
    "einsum": _einsum,
    "outer": _outer_product,
    "sort": _sorted_values,
    "argsort": _argsorted,
    "shape": _shape,
    "size": _size,
    "ndim": _ndim,
    "iscomplexobj": _is_complex,
    "isrealobj": lambda x: not _is_complex(x),
    "copyto": _copyto,
    "may_share_memory": _may_share_memory,
    "array_repr": lambda arr, *args, **kwargs: repr(arr),
    "array_str": lambda a, *args, **kwargs: str(a),
    "broadcast_arrays": lambda *args, subok=False: _broadcast(args),
    "atleast_1d": lambda *arrays: _at_least(1, arrays),
    "atleast_2d": lambda *arrays: _at_least(2, arrays),
}


def _broadcast(arrays: Sequence[Any]) -> tuple[Any, ...]:
    ht = _ht()
    with ht.default_split(None):  # NumPy arrays beside ours are replicated
        return tuple(ht.broadcast_arrays(*(ht.asarray(as_ours(x)) for x in arrays)))


def _at_least(ndim: int, arrays: Sequence[Any]) -> Any:
    ht = _ht()
    found = [ht.asarray(a) for a in arrays]
    grown = [x if x.ndim >= ndim else x.reshape((1,) * (ndim - x.ndim) + tuple(x.shape)) for x in found]
    return grown[0] if len(grown) == 1 else tuple(grown)


@functools.cache
def _counterpart(func: Callable[..., Any]) -> tuple[Callable[..., Any], bool] | None:
    """The function here, and whether it takes NumPy's arguments as they are."""
    module = func.__module__.removesuffix("._linalg").removesuffix("._pocketfft").removesuffix("._helper")
    name = func.__name__
    home: Any = {"numpy": _ht, "numpy.linalg": lambda: _ht().linalg, "numpy.fft": lambda: _ht().fft}.get(module)
    if func in FUNCTIONS:
        return FUNCTIONS[func], True
    if module == "numpy" and name in _OWN:
        return _OWN[name], True
    function = None if home is None else getattr(home(), name, None)
    return None if function is None else (function, False)


@functools.cache
def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter] | None:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some builtins have none
        return None


def _differs(given: Any, default: Any) -> bool:
    if given is default or given is np._NoValue:
        return False
    return not (isinstance(given, (bool, int, float, str)) and type(given) is type(default) and given == default)


def _translated(
    func: Callable[..., Any], target: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """NumPy's arguments for our function: required ones by place, others by name, defaults where ours differ."""
    theirs, ours = _parameters(func), _parameters(target)
    assert ours is not None
    if theirs is None:
        return [as_ours(value) for value in args], kwargs
    bound = inspect.signature(func).bind(*args, **kwargs)
    given = set(bound.arguments)
    bound.apply_defaults()
    places: list[Any] = []
    names: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        parameter = theirs[name]
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            places += [as_ours(x) for x in value]
            continue
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            names.update(value)
            continue
        if parameter.default is inspect.Parameter.empty and not names:
            places.append(value if places else as_ours(value))
            continue
        if name == "order" and value in ("K", "A"):
            continue
        value = _typed(value) if name == "dtype" else value
        wanted = name if name in ours else _RENAMED.get(name, name)
        if wanted in ours:
            if name in given or _differs(value, ours[wanted].default):
                names[wanted] = value
        elif name == "out":
            names[name] = value
        elif name in given and name not in _WITHOUT_EFFECT and _differs(value, parameter.default):
            raise TypeError(f"{func.__name__}: {name} is not supported for DNDarrays")
    return places, {name: value for name, value in names.items() if value is not np._NoValue}


def array_function(self: Any, func: Callable[..., Any], types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """NumPy's functions on arrays: the function of the same name here.

    Raises
    ------
    TypeError
        If there is none, or it lacks an argument that is given.
    """
    if is_restricted(func.__name__, kwargs):
        given = inspect.signature(func).bind(*args, **kwargs).arguments
        out = given.pop("out", None)
        return _deliver(restricted(func.__name__, **given), None if out is np._NoValue else out, func.__name__)
    found = _counterpart(func)
    if found is None:
        return NotImplemented
    target, same = found
    if same:
        if not isinstance(kwargs.get("out"), np.ndarray):
            return target(*args, **kwargs)
        out, casting = kwargs.pop("out"), kwargs.get("casting", "same_kind")
        return _deliver(target(*args, **kwargs), out, func.__name__, casting=casting)
    places, names = _translated(func, target, args, kwargs)
    out = names.pop("out", None)
    if isinstance(out, ArrayBase) and "out" in (_parameters(target) or ()):
        return target(*places, out=out, **names)
    return _deliver(target(*places, **names), out, func.__name__)


class NumPyMethods:
    """The protocols as methods of arrays."""

    __slots__ = ()

    __array_priority__ = 1000.0
    __array_ufunc__ = array_ufunc
    __array_function__ = array_function

    def fill(self: Any, value: Any) -> None:
        """Write one number to all elements. Local."""
        self[...] = value

    def partition(self: Any, kth: Any, axis: int = -1) -> None:
        """As `equiheat.partition`, into this array."""
        self[...] = _ht().partition(self, kth, axis)

    def tobytes(self: Any, order: str = "C") -> bytes:
        """The bytes of the whole array, on every rank. Collective: an allgather when split."""
        data: bytes = self.numpy().tobytes(order)
        return data
