# SPDX-License-Identifier: BSD-3-Clause
"""Families of functions: one assignment per operation, with a true signature, docstring and type.

``cos = unary("cos", "Cosine, element-wise.")`` makes a plain Python function around the builtin of the native table
row ``cos``. Being a function it is a method, too: ``cos = trigonometry.cos`` in the body of `DNDarray`. The protocols
tell a type checker both uses.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, overload

import numpy as np
import torch

from equiheat import _core, dtypes
from equiheat._base import as_core, unwrap, wrap

if TYPE_CHECKING:
    from equiheat.array import DNDarray

#: What an operation takes beside arrays: numbers adapt to the array's dtype, the rest counts as replicated arrays.
Operand: TypeAlias = Any
Axis: TypeAlias = "int | tuple[int, ...] | None"
Mask: TypeAlias = "bool | DNDarray | np.ndarray | torch.Tensor"
DType: TypeAlias = Any


# ---------------------------------------------------------------------- types
class UnaryMethod(Protocol):
    """x.exp()"""

    def __call__(self, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray: ...


class Unary(Protocol):
    """exp(x)"""

    __name__: str

    def __call__(self, x: Operand, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray: ...
    @overload
    def __get__(self, instance: None, owner: Any) -> Unary: ...
    @overload
    def __get__(self, instance: DNDarray, owner: Any) -> UnaryMethod: ...


class BinaryMethod(Protocol):
    """x.atan2(y)"""

    def __call__(self, t2: Operand, /, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray: ...


class Binary(Protocol):
    """add(x, y)"""

    __name__: str

    def __call__(self, t1: Operand, t2: Operand, /, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray: ...
    @overload
    def __get__(self, instance: None, owner: Any) -> Binary: ...
    @overload
    def __get__(self, instance: DNDarray, owner: Any) -> BinaryMethod: ...


class ReductionMethod(Protocol):
    """x.max(0)"""

    def __call__(self, axis: Axis = None, out: DNDarray | None = None, keepdims: bool = False, *,
                 keepdim: bool | None = None, initial: Any = None, where: Mask = True) -> DNDarray: ...  # fmt: skip


class Reduction(Protocol):
    """max(x, 0)"""

    __name__: str

    def __call__(self, x: Operand, axis: Axis = None, out: DNDarray | None = None, keepdims: bool = False, *,
                 keepdim: bool | None = None, initial: Any = None, where: Mask = True) -> DNDarray: ...  # fmt: skip
    @overload
    def __get__(self, instance: None, owner: Any) -> Reduction: ...
    @overload
    def __get__(self, instance: DNDarray, owner: Any) -> ReductionMethod: ...


class AccumulationMethod(Protocol):
    """x.sum(0)"""

    def __call__(self, axis: Axis = None, out: DNDarray | None = None, keepdims: bool = False, *,
                 dtype: DType = None, keepdim: bool | None = None, initial: Any = None,
                 where: Mask = True) -> DNDarray: ...  # fmt: skip


class Accumulation(Protocol):
    """sum(x, 0)"""

    __name__: str

    def __call__(self, a: Operand, axis: Axis = None, out: DNDarray | None = None, keepdims: bool = False, *,
                 dtype: DType = None, keepdim: bool | None = None, initial: Any = None,
                 where: Mask = True) -> DNDarray: ...  # fmt: skip
    @overload
    def __get__(self, instance: None, owner: Any) -> Accumulation: ...
    @overload
    def __get__(self, instance: DNDarray, owner: Any) -> AccumulationMethod: ...


# ---------------------------------------------------------------------- helpers of all families
def native(x: Operand, fn: str, argument: str = "x", like: _core.Array | None = None) -> _core.Array:
    """The native array of an operand; TypeError for what is no array of numbers. Local."""
    core = as_core(x, None if like is None else like.comm)
    if core is None:
        raise TypeError(f"{fn}: {argument} must be a DNDarray, a number or an array of numbers, is {type(x)}")
    return core


def torch_dtype(dtype: DType) -> torch.dtype | None:
    """Torch's type of any dtype: torch's, NumPy's, ours or a Python type (`float` is float32). Local."""
    return dtype if dtype is None or isinstance(dtype, torch.dtype) else dtypes.torch_dtype(dtype)


def deliver(result: DNDarray, out: DNDarray | None, where: Mask, fn: str) -> DNDarray:
    """The result, written into `out` where `where` holds; without `out` the other elements are 0. Collective."""
    if out is None and where is True:
        return result
    mask = None if where is True else native(where, fn, "where", result._core)
    if out is None:
        out = wrap(result._core.with_local(torch.zeros_like(result._core.local)))
    _core.assign(to_write(out, fn), result._core, mask, fn)
    return out


def to_write(out: DNDarray, fn: str, argument: str = "out") -> _core.Array:
    """What is behind an array; elements that share memory (of a broadcast array, of windows) get their own first."""
    core = unwrap(out, fn, argument)
    if _core.elements_overlap(core):  # of this rank's block, which other ranks need not know
        core = out._core = core.with_local(core.local.clone(memory_format=torch.contiguous_format))
    return core


def pair(fn: str, out: Any) -> tuple[DNDarray | None, DNDarray | None]:
    """Where to write two results: nowhere for None, else what a pair names."""
    if out is None:
        return None, None
    if not isinstance(out, (tuple, list)):
        raise TypeError(f"{fn}: out must be a pair of DNDarrays, is {type(out)}")
    if len(out) != 2:
        raise ValueError(f"{fn}: out must be a pair of DNDarrays, has {len(out)} entries")
    return out[0], out[1]


def whole_number(fn: str, name: str, value: Any, least: int | None = 0) -> int:
    """An integer that is not smaller than `least`; bool is none."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{fn}: {name} must be an integer, is {value!r}")
    number = int(value.__index__())
    if least is not None and number < least:
        raise ValueError(f"{fn}: {name} must be at least {least}, is {number}")
    return number


def truth(fn: str, name: str, value: Any) -> bool:
    """True or False; what else has a truth value ("no" has) is a mistake."""
    if isinstance(value, (bool, int, np.bool_)):
        return bool(value)
    raise TypeError(f"{fn}: {name} must be True or False, is {value!r}")


def kept(keepdims: bool | None, keepdim: bool | None) -> bool:
    """NumPy's and torch's spelling of one option."""
    return bool(keepdims) if keepdim is None else bool(keepdim)


def named(function: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__module__ = "equiheat"
    function.__doc__ = doc
    return function


_UNARY_DOC = """{summary}

Parameters
----------
x : DNDarray
    Or a number, a NumPy or torch array, which count as replicated.
out : DNDarray, optional
    Where to write the result; any split, the result's shape.
where : bool array, optional
    Only where it holds is the result written; without `out` the other elements are 0.

Returns
-------
DNDarray
    {dtype}

Notes
-----
Distribution: the split and extents of `x`. Communication: none.
"""

_BINARY_DOC = """{summary}

Parameters
----------
t1, t2 : DNDarray
    Or numbers, which adapt to the other's dtype, or NumPy or torch arrays, which count as replicated. Shapes
    broadcast.
out : DNDarray, optional
    Where to write the result; any split, the result's shape.
where : bool array, optional
    Only where it holds is the result written; without `out` the other elements are 0.

Returns
-------
DNDarray
    {dtype}

Raises
------
ValueError
    If the shapes do not broadcast.

Notes
-----
Distribution: the split and extents of the first operand that is split and not broadcast along its split.
Communication: none for operands distributed alike, or replicated; others are redistributed by one alltoallv.
"""

_REDUCTION_DOC = """{summary}

Parameters
----------
x : DNDarray
axis : int or tuple of int, optional
    Axes to reduce; all without.
out : DNDarray, optional
    Where to write the result; any split, the result's shape.
keepdims, keepdim : bool
    Keep reduced axes with length 1.{dtype_parameter}
initial : number, optional
    Reduced together with the elements.
where : bool array, optional
    Only elements where it holds are reduced; it is brought to the layout of `x`.

Returns
-------
DNDarray
    {dtype}

Notes
-----
Distribution: replicated if the split is among the reduced axes, else split as before.
Communication: then one allreduce of the result's size, else none.
"""

_DTYPE_PARAMETER = """
dtype : data type, optional
    To compute in and return."""


def _of_a(doc: str) -> str:
    """A docstring about a parameter `a` instead of `x`."""
    return doc.replace("x : DNDarray", "a : DNDarray").replace("of `x`", "of `a`")


_FLOAT = "bool and integers become float32; real and complex dtypes stay."


# ---------------------------------------------------------------------- families
def unary(name: str, summary: str, *, dtype: str = _FLOAT, parameter: str = "x") -> Unary:
    """Function of one array for the row `name` of unary.def; Heat's name of the parameter is "x" or "a"."""
    fast = _core.unary[name]
    doc = _UNARY_DOC.format(summary=summary, dtype=dtype)

    def function_of_a(a: Operand, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray:
        if out is None and where is True:
            return cast("DNDarray", fast(a))
        return deliver(fast(a), out, where, name)

    def function(x: Operand, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray:
        if out is None and where is True:
            return cast("DNDarray", fast(x))
        return deliver(fast(x), out, where, name)

    chosen = function if parameter == "x" else function_of_a
    return cast(Unary, named(chosen, name, doc if parameter == "x" else _of_a(doc)))


def binary(
    name: str, summary: str, *, dtype: str = "The common dtype of the operands.", parameters: str = "t1, t2"
) -> Binary:
    """Function of two arrays for the row `name` of binary.def, with Heat's names of the parameters.

    These are "t1, t2" (by place only), "x, y" or "x1, x2".
    """
    fast = _core.binary[name]

    def function_of_xy(x: Operand, y: Operand, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray:
        if out is None and where is True:
            return cast("DNDarray", fast(x, y))
        return deliver(fast(x, y), out, where, name)

    def function_of_x1x2(x1: Operand, x2: Operand, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray:
        if out is None and where is True:
            return cast("DNDarray", fast(x1, x2))
        return deliver(fast(x1, x2), out, where, name)

    def function(t1: Operand, t2: Operand, /, out: DNDarray | None = None, *, where: Mask = True) -> DNDarray:
        if out is None and where is True:
            return cast("DNDarray", fast(t1, t2))
        return deliver(fast(t1, t2), out, where, name)

    chosen: Callable[..., Any] = {"x, y": function_of_xy, "x1, x2": function_of_x1x2}.get(parameters, function)
    first, second = parameters.split(", ")
    doc = _BINARY_DOC.format(summary=summary, dtype=dtype).replace("t1", first).replace("t2", second)
    return cast(Binary, named(chosen, name, doc))


def restricted(*args: Any, **kwargs: Any) -> DNDarray:
    """The reduction of what a mask leaves, and of a first value, which is built on all the others."""
    module = importlib.import_module("equiheat.numpy_reductions")
    return cast("DNDarray", module.restricted(*args, **kwargs))


def reduction(name: str, summary: str, *, dtype: str) -> Reduction:
    """Function over axes for the row `name` of reduce.def."""
    fast = _core.reductions[name]

    def function(
        x: Operand,
        axis: Axis = None,
        out: DNDarray | None = None,
        keepdims: bool = False,
        *,
        keepdim: bool | None = None,
        initial: Any = None,
        where: Mask = True,
    ) -> DNDarray:
        if where is not True or initial is not None:
            return restricted(name, x, axis, None, out, kept(keepdims, keepdim), initial=initial, where=where)
        if out is None and keepdim is None:
            return cast("DNDarray", fast(x, axis, keepdims, None))
        return deliver(fast(x, axis, kept(keepdims, keepdim), None), out, True, name)

    doc = _REDUCTION_DOC.format(summary=summary, dtype=dtype, dtype_parameter="")
    return cast(Reduction, named(function, name, doc))


def accumulation(name: str, summary: str) -> Accumulation:
    """As `reduction`, with the dtype to accumulate in."""
    fast = _core.reductions[name]

    def function(
        a: Operand,
        axis: Axis = None,
        out: DNDarray | None = None,
        keepdims: bool = False,
        *,
        dtype: DType = None,
        keepdim: bool | None = None,
        initial: Any = None,
        where: Mask = True,
    ) -> DNDarray:
        if where is not True or initial is not None:
            return restricted(
                name, a, axis, torch_dtype(dtype), out, kept(keepdims, keepdim), initial=initial, where=where
            )
        if out is None and dtype is None and keepdim is None:
            return cast("DNDarray", fast(a, axis, keepdims, None))
        return deliver(fast(a, axis, kept(keepdims, keepdim), torch_dtype(dtype)), out, True, name)

    text = "int64 for bool and integers; float16 and bfloat16 accumulate in float32."
    doc = _REDUCTION_DOC.format(summary=summary, dtype=text, dtype_parameter=_DTYPE_PARAMETER)
    return cast(Accumulation, named(function, name, _of_a(doc)))
