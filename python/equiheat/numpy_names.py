# SPDX-License-Identifier: BSD-3-Clause
"""Names of NumPy's that its programs use and Heat has not: ``ht.unwrap(x)``, ``ht.piecewise``, ``ht.mgrid[0:3, 0:4]``.

Each is what NumPy's function does when it is given an array of ours. What has no array in it (`s_`, `errstate`,
`ndindex`, ...) is NumPy's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from equiheat import conversion, creation, editing, grids, manipulation, numpy_blocks, numpy_functions, numpy_ranges
from equiheat._base import ArrayBase, wrap
from equiheat._function import native
from equiheat.construction import array, asarray

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = [
    "apply_along_axis",
    "apply_over_axes",
    "array_equiv",
    "astype",
    "c_",
    "diag_indices_from",
    "fromfunction",
    "geomspace",
    "i0",
    "identity",
    "iscomplexobj",
    "isrealobj",
    "mgrid",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "ndim",
    "ogrid",
    "piecewise",
    "polyfit",
    "polyval",
    "r_",
    "real_if_close",
    "size",
    "tril_indices_from",
    "triu_indices_from",
    "unwrap",
]


# ---------------------------------------------------------------------- shapes and types
def ndim(a: Any) -> int:
    """Number of axes. Local."""
    return native(a, "ndim", "a").ndim


def size(a: Any, axis: int | Sequence[int] | None = None) -> int:
    """Number of elements of the whole array, or along axes. Local."""
    extents = editing.shape(a)
    axes = range(len(extents)) if axis is None else [axis] if isinstance(axis, int) else axis
    return math.prod(extents[manipulation._axis(k, len(extents), "size")] for k in axes)


def iscomplexobj(x: Any) -> bool:
    """Whether the type of x is complex, whatever its values are. Local."""
    return bool(native(x, "iscomplexobj").local.dtype.is_complex)


def isrealobj(x: Any) -> bool:
    """Whether the type of x is not complex. Local."""
    return not iscomplexobj(x)


def astype(x: DNDarray, dtype: Any, /, *, copy: bool = True) -> DNDarray:
    """The elements in another type; without `copy` x itself if it has it. Local."""
    return conversion.astype(x, dtype, copy)


def real_if_close(a: Any, tol: float = 100) -> DNDarray:
    """The real part if all imaginary parts are below `tol` times the type's precision. Communication: an allreduce."""
    return _made(numpy_functions._real_if_close(asarray(a), tol))


def array_equiv(a1: Any, a2: Any) -> bool:
    """Whether both broadcast to one shape and are equal there. Communication: that of ``==`` and an allreduce."""
    return numpy_functions._array_equiv(a1, a2)


# ---------------------------------------------------------------------- made
def identity(n: int, dtype: Any = None, *, split: int | None = None) -> DNDarray:
    """The square matrix with ones on its diagonal; float32 unless told otherwise. Local."""
    return creation.eye(n, **({} if dtype is None else {"dtype": dtype}), split=split)


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> DNDarray:
    """Numbers in geometric progression, along `axis`, between two numbers or arrays of one sign.

    Distribution: of arrays as they are, else replicated. Local but for the check of the signs.
    """
    return _made(numpy_ranges.geomspace(start, stop, num, endpoint, dtype, axis))


def fromfunction(function: Callable[..., Any], shape: Sequence[int], *, dtype: Any = float, **kwargs: Any) -> Any:
    """What `function` gives for the coordinates of all elements, one array for each axis.

    The coordinates are distributed by the default split; the rest is up to the function.
    """
    places = [creation.arange(n, dtype=dtype) for n in shape]
    return function(*grids.meshgrid(*places, indexing="ij"), **kwargs)


def tril_indices_from(arr: DNDarray, k: int = 0) -> tuple[DNDarray, ...]:
    """Places on and below diagonal k of a matrix, as `tril_indices`."""
    return tuple(numpy_functions._indices_from("tril_indices")(arr, k))


def triu_indices_from(arr: DNDarray, k: int = 0) -> tuple[DNDarray, ...]:
    """Places on and above diagonal k of a matrix, as `triu_indices`."""
    return tuple(numpy_functions._indices_from("triu_indices")(arr, k))


def diag_indices_from(arr: DNDarray) -> tuple[DNDarray, ...]:
    """Places on the main diagonal of an array whose axes have one length. Local."""
    return tuple(numpy_functions._diag_indices_from(arr))


class _Grid:
    """``ht.mgrid[0:3, 0:1:5j]``: coordinates of a grid; ``ht.ogrid`` has axes of extent 1 for broadcasting.

    Distributed by the default split, as `meshgrid` of the axes.
    """

    def __init__(self, sparse: bool) -> None:
        self._sparse = sparse

    def __repr__(self) -> str:
        return "ogrid" if self._sparse else "mgrid"

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return array(np.mgrid[key])
        axes = [array(np.mgrid[k]) for k in key]
        kind = np.result_type(*(x.dtype.dtype for x in axes))
        coordinates = grids.meshgrid(*(x.astype(kind) for x in axes), indexing="ij", sparse=self._sparse)
        return tuple(coordinates) if self._sparse else manipulation.stack(coordinates)


class _Joined:
    """``ht.r_[x, 0, 1:3]``: arrays, numbers and ranges one after the other; ``ht.c_[x, y]``: as columns.

    Communication: that of `concatenate`.
    """

    def __init__(self, columns: bool) -> None:
        self._columns = columns

    def __repr__(self) -> str:
        return "c_" if self._columns else "r_"

    def __getitem__(self, key: Any) -> DNDarray:
        parts = [self._part(item) for item in (key if isinstance(key, tuple) else (key,))]
        return manipulation.concatenate(parts, -1 if self._columns else 0)

    def _part(self, item: Any) -> DNDarray:
        if isinstance(item, str):
            raise TypeError(f"{self!r}: directives such as {item!r} are not supported")
        if isinstance(item, slice):
            item = np.r_[item]
        x = wrap(native(item, repr(self)))
        x = x.reshape((1,)) if x.ndim == 0 else x
        return x.reshape((x.shape[0], 1)) if self._columns and x.ndim == 1 else x


mgrid = _Grid(sparse=False)
ogrid = _Grid(sparse=True)
r_ = _Joined(columns=False)
c_ = _Joined(columns=True)


# ---------------------------------------------------------------------- functions of arrays
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> DNDarray:
    """`func1d` of every vector along an axis; it gets NumPy vectors, those that this rank has.

    Distribution: as `arr`, which is split along another axis first if it is split along this one, by one alltoall. A
    1-D array is given to `func1d` as it is.
    """
    return _made(numpy_blocks.apply_along_axis(func1d, axis, arr, *args, **kwargs))


def apply_over_axes(func: Callable[..., Any], a: Any, axes: int | Sequence[int]) -> DNDarray:
    """``func(a, axis)`` for one axis after the other; results keep their number of axes."""
    return _made(numpy_functions._apply_over_axes(func, a, axes))


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> DNDarray:
    """For each condition a function of the elements where it holds, or a number; one more is for what remains.

    Functions get vectors of ours, in the order of the elements. Distribution: as x. Communication: that of indexing
    with masks.
    """
    return _made(numpy_functions._piecewise(x, condlist, funclist, *args, **kw))


def unwrap(p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> DNDarray:
    """Phases without jumps above half a period, or `discont`, along an axis. Communication: that of `cumsum`.

    Examples
    --------
    >>> ht.unwrap(ht.array([5, 6, 0, 1], split=0), period=7).tolist()
    [5, 6, 7, 8]
    """
    return _made(numpy_functions._unwrap(asarray(p), discont, axis, period=period))


def i0(x: Any) -> DNDarray:
    """Modified Bessel function of the first kind, order 0. Distribution: as x. Local."""
    return _made(numpy_blocks.block_by_block(np.i0, (asarray(x),), {}))


def polyval(p: Any, x: Any) -> DNDarray:
    """A polynomial at x, highest power first. Every rank takes the coefficients whole; split of x."""
    return _made(numpy_functions._polyval(p, x))


def polyfit(x: Any, y: Any, deg: int, rcond: float | None = None, *, w: Any = None) -> DNDarray:
    """Coefficients of the polynomial of degree `deg` through (x, y) by least squares, highest power first.

    `w` weighs the points. Replicated. Communication: that of `linalg.lstsq`.
    """
    return _made(numpy_functions._polyfit(x, y, deg, rcond, w=w))


def nanargmax(a: Any, axis: int | None = None, out: DNDarray | None = None, *, keepdims: bool = False) -> DNDarray:
    """`argmax` of what is not NaN; ValueError where nothing else is. Communication: two reductions more."""
    return _made(numpy_functions.FUNCTIONS[np.nanargmax](asarray(a), axis, out, keepdims=keepdims))


def nanargmin(a: Any, axis: int | None = None, out: DNDarray | None = None, *, keepdims: bool = False) -> DNDarray:
    """`argmin` of what is not NaN; ValueError where nothing else is. Communication: two reductions more."""
    return _made(numpy_functions.FUNCTIONS[np.nanargmin](asarray(a), axis, out, keepdims=keepdims))


def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: DNDarray | None = None) -> DNDarray:
    """`cumsum`, NaN counting as 0."""
    return _made(numpy_functions.FUNCTIONS[np.nancumsum](asarray(a), axis, dtype, out))


def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: DNDarray | None = None) -> DNDarray:
    """`cumprod`, NaN counting as 1."""
    return _made(numpy_functions.FUNCTIONS[np.nancumprod](asarray(a), axis, dtype, out))


def _made(result: Any) -> DNDarray:
    """The array that a function without types gave."""
    return cast("DNDarray", result) if isinstance(result, ArrayBase) else asarray(result)
