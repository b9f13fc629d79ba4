# SPDX-License-Identifier: BSD-3-Clause
"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from equiheat import _core, manipulation
from equiheat._base import wrap
from equiheat._function import native
from equiheat.conditional import select
from equiheat.errors import AxisError
from equiheat.linalg._operands import ArrayLike, identity_like
from equiheat.linalg._svd import svdvals
from equiheat.linalg._systems import LinAlgError, inv

if TYPE_CHECKING:
    from equiheat.array import DNDarray

Order = float | Literal["fro", "nuc"] | None


def _axes(axis: int | Sequence[int] | None, ndim: int) -> list[int]:
    if axis is None:
        return list(range(ndim))
    return [axis] if isinstance(axis, int) else list(axis)


def vector_norm(
    x: ArrayLike, axis: int | Sequence[int] | None = None, keepdims: bool = False, ord: float | None = None
) -> DNDarray:
    """``sum(abs(x)**ord)**(1/ord)`` over axes; the largest and smallest magnitude for +-inf, the non-zeros for 0.

    Parameters
    ----------
    x : DNDarray
        Any shape; integers count as float32.
    axis : int or sequence of int, optional
        Axes to sum over; all by default. Over none, (), the magnitude of every element.
    keepdims : bool
        Keep them with extent 1.
    ord : float, optional
        Order; 2 by default.

    Returns
    -------
    DNDarray
        Real; split as a sum's result. Collective: one allreduce of the result where the split is summed over.
        Differentiable; the derivative at zero is taken as zero.

    Raises
    ------
    ValueError
        An axis out of bounds or given twice; ord of -inf over no elements.
    """
    core = native(x, "vector_norm")
    axes, order = _axes(axis, core.ndim), 2.0 if ord is None else float(ord)
    if not axes and math.isinf(order):
        order = 1.0  # over no axes every element is a vector of its own, of any order the magnitude
    return wrap(_core.vector_norm(core, order, axes, keepdims))


def matrix_norm(
    x: ArrayLike, axis: tuple[int, int] | None = None, keepdims: bool = False, ord: Order = None
) -> DNDarray:
    """Norm of the matrices in two axes.

    Parameters
    ----------
    x : DNDarray
        At least 2-D.
    axis : (int, int), optional
        Axes of rows and columns; by default the last two.
    keepdims : bool
        Keep them with extent 1.
    ord : {'fro', None, 'nuc', 1, -1, 2, -2, inf, -inf}
        'fro' or None: root of the sum of squares; 1, -1: largest, smallest column sum of magnitudes; inf, -inf: of row
        sums; 2, -2: largest, smallest singular value; 'nuc': sum of singular values.

    Returns
    -------
    DNDarray
        Real; split as a sum's result. Differentiable.

    Raises
    ------
    ValueError
        Axes out of bounds or equal, fewer than 2 dimensions, an unknown order.

    Notes
    -----
    One allreduce of at most a row or a column; orders 2, -2 and 'nuc' cost `svdvals`.

    Examples
    --------
    >>> ht.linalg.matrix_norm(ht.array([[1.0, 2.0], [3.0, 4.0]], split=0), ord=1).item()
    6.0
    """
    core = native(x, "matrix_norm")
    axes = [-2, -1] if axis is None else list(axis)
    if len(axes) != 2:
        raise ValueError(f"matrix_norm: axis must be two axes, is {axis!r}")
    if core.ndim < 2 or any(not -core.ndim <= a < core.ndim for a in axes):
        raise AxisError(f"matrix_norm: axes {axes} are out of bounds for an array of {core.ndim} dimensions")
    rows, columns = (a % core.ndim for a in axes)
    if rows == columns:
        raise ValueError(f"matrix_norm: axis names axis {rows} twice; rows and columns must differ")
    if ord is None or ord == "fro":
        return wrap(_core.vector_norm(core, 2.0, [rows, columns], keepdims))
    if ord in (2, -2, "nuc"):
        return _spectral_norm(core, (rows, columns), keepdims, ord)
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"matrix_norm: unknown ord {ord!r}; choose 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    summed, compared = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = _core.vector_norm(core, 1.0, [summed], True)
    extreme = _core.vector_norm(sums, math.copysign(math.inf, ord), [compared], True)
    return wrap(extreme if keepdims else _core.vector_norm(extreme, 1.0, [rows, columns], False))


def _of_nothing(values: DNDarray, largest: bool) -> DNDarray:
    """The largest of no singular values is 0, as NumPy's; the smallest a ValueError."""
    return wrap(_core.vector_norm(values._core, math.inf if largest else -math.inf, [values.ndim - 1], False))


def _spectral_norm(core: _core.Array, axes: tuple[int, int], keepdims: bool, ord: Order) -> DNDarray:
    values = svdvals(manipulation.moveaxis(wrap(core), axes, (-2, -1)))
    if ord == "nuc":
        result = wrap(_core.vector_norm(values._core, 1.0, [values.ndim - 1], False))
    else:
        result = values[..., 0 if ord == 2 else -1] if values.shape[-1] else _of_nothing(values, ord == 2)
    return manipulation.expand_dims(result, sorted(axes)) if keepdims else result


def norm(x: ArrayLike, axis: int | Sequence[int] | None = None, keepdims: bool = False, ord: Order = None) -> DNDarray:
    """NumPy's norm: of all elements, of the vectors along an axis, or of the matrices in two axes.

    Parameters
    ----------
    x : DNDarray
        Any shape; with `ord` and without `axis` 1-D or 2-D.
    axis : int or (int, int), optional
        One axis: vectors; two: matrices; none: the whole array.
    keepdims : bool
        Keep the axes with extent 1.
    ord : float or {'fro', 'nuc'}, optional
        See `vector_norm` and `matrix_norm`; by default the root of the sum of squares.

    Returns
    -------
    DNDarray
        Real; split as a sum's result. Collective: one allreduce of the result where the split is summed over.
    """
    if isinstance(axis, (str, float)):  # NumPy's order of parameters
        axis, ord = None, axis
    core = native(x, "norm")
    axes = _axes(axis, core.ndim)
    if axis is None and ord is None:
        return vector_norm(x, keepdims=keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return vector_norm(x, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) == 2:
        return matrix_norm(x, axis=(axes[0], axes[1]), keepdims=keepdims, ord=ord)
    raise ValueError(f"norm: ord={ord!r} over {len(axes)} axes is not defined; give one axis, or two for matrices")


def cond(x: ArrayLike, p: Any = None) -> DNDarray:
    """Condition number: the norm of the matrices times the norm of their inverses.

    Parameters
    ----------
    x : array
        (..., m, n); square unless p is None, 2 or -2.
    p : {None, 2, -2, 1, -1, inf, -inf, 'fro', 'nuc'}
        The norm, see `matrix_norm`; None is 2.

    Returns
    -------
    DNDarray
        (...); inf for a singular matrix. Cost: `svdvals`, or `slogdet`, `inv` and two norms.

    Raises
    ------
    LinAlgError
        Fewer than 2 dimensions, no elements, or not square.

    Examples
    --------
    >>> ht.linalg.cond(ht.array([[4.0, 0.0], [0.0, 2.0]], split=0)).item()
    2.0
    """
    core = native(x, "cond")
    if core.ndim < 2 or 0 in core.gshape[-2:]:
        raise LinAlgError(f"cond: needs matrices with elements, the shape is {core.gshape}")
    array = wrap(core)
    if p is None or p in (2, -2):
        s = svdvals(array)
        size, found = s[..., 0], s[..., 0] / s[..., -1] if p != -2 else s[..., -1] / s[..., 0]
        return _infinite((found != found) & (size == size), found)  # zeros, but not NaN
    size = matrix_norm(array, ord=p)
    try:
        found = size * matrix_norm(inv(array), ord=p)
    except LinAlgError:
        if core.gshape[-1] != core.gshape[-2]:
            raise
        singular = wrap(_core.slogdet(core)[0]) == 0
        found = _infinite(singular, size * matrix_norm(inv(_regular(wrap(_core.to_factorable(core)), singular)), ord=p))
    return _infinite((found != found) & (size == size), found)


def _infinite(there: Any, values: DNDarray) -> DNDarray:
    return select(there, math.inf, values).astype(values.dtype, copy=False)


def _regular(a: DNDarray, singular: DNDarray) -> DNDarray:
    """Identities in the place of singular matrices: `inv` raises if one of a stack is."""
    return select(singular.reshape((*singular.shape, 1, 1)), identity_like(a._core), a)
