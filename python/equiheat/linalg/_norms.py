# SPDX-License-Identifier: BSD-3-Clause
"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from equiheat import _core
from equiheat._base import unwrap, wrap

if TYPE_CHECKING:
    from equiheat.array import DNDarray

Order = float | Literal["fro", "nuc"] | None


def _axes(axis: int | Sequence[int] | None, ndim: int) -> list[int]:
    if axis is None:
        return list(range(ndim))
    return [axis] if isinstance(axis, int) else list(axis)


def vector_norm(
    x: DNDarray, *, axis: int | Sequence[int] | None = None, keepdims: bool = False, ord: float = 2
) -> DNDarray:
    """``sum(abs(x)**ord)**(1/ord)`` over axes; the largest and smallest magnitude for +-inf, the non-zeros for 0.

    Parameters
    ----------
    x : DNDarray
        Any shape; integers count as float32.
    axis : int or sequence of int, optional
        Axes to sum over; all by default.
    keepdims : bool
        Keep them with extent 1.
    ord : float
        Order.

    Returns
    -------
    DNDarray
        Real; split as a sum's result. Collective: one allreduce of the result where the split is summed over.
        Differentiable; the derivative at zero is taken as zero.

    Raises
    ------
    ValueError
        An axis out of bounds or given twice; ord of +-inf over no elements.
    """
    core = unwrap(x, "vector_norm")
    return wrap(_core.vector_norm(core, float(ord), _axes(axis, core.ndim), keepdims))


def matrix_norm(
    x: DNDarray, *, axis: tuple[int, int] = (-2, -1), keepdims: bool = False, ord: Order = "fro"
) -> DNDarray:
    """Norm of the matrices in two axes.

    Parameters
    ----------
    x : DNDarray
        At least 2-D.
    axis : (int, int)
        Axes of rows and columns.
    keepdims : bool
        Keep them with extent 1.
    ord : {'fro', None, 1, -1, inf, -inf}
        'fro' or None: root of the sum of squares; 1, -1: largest, smallest column sum of magnitudes; inf, -inf: of row
        sums.

    Returns
    -------
    DNDarray
        Real; split as a sum's result. Collective: one allreduce of at most a row or column. Differentiable.

    Raises
    ------
    NotImplementedError
        ord 2, -2 and 'nuc', which need singular values: `lstsq` returns them.
    """
    core = unwrap(x, "matrix_norm")
    if len(axis) != 2:
        raise ValueError(f"matrix_norm: axis must be two axes, is {axis!r}")
    rows, columns = (a % core.ndim if -core.ndim <= a < core.ndim else a for a in axis)
    if ord is None or ord == "fro":
        return wrap(_core.vector_norm(core, 2.0, [rows, columns], keepdims))
    if ord in (2, -2, "nuc"):
        raise NotImplementedError(f"matrix_norm: ord={ord!r} needs singular values; use 'fro', 1, -1, inf or -inf")
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"matrix_norm: unknown ord {ord!r}; choose 'fro', 1, -1, inf or -inf")
    summed, compared = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = _core.vector_norm(core, 1.0, [summed], True)
    extreme = _core.vector_norm(sums, math.copysign(math.inf, ord), [compared], True)
    return wrap(extreme if keepdims else _core.vector_norm(extreme, 1.0, [rows, columns], False))


def norm(x: DNDarray, ord: Order = None, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> DNDarray:
    """NumPy's norm: of all elements, of the vectors along an axis, or of the matrices in two axes.

    Parameters
    ----------
    x : DNDarray
        Any shape; with `ord` and without `axis` 1-D or 2-D.
    ord : float or 'fro', optional
        See `vector_norm` and `matrix_norm`; by default the root of the sum of squares.
    axis : int or (int, int), optional
        One axis: vectors; two: matrices; none: the whole array.
    keepdims : bool
        Keep the axes with extent 1.

    Returns
    -------
    DNDarray
        Real; split as a sum's result. Collective: one allreduce of the result where the split is summed over.
    """
    core = unwrap(x, "norm")
    axes = _axes(axis, core.ndim)
    if axis is None and ord is None:
        return vector_norm(x, keepdims=keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return vector_norm(x, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) == 2:
        return matrix_norm(x, axis=(axes[0], axes[1]), keepdims=keepdims, ord=ord)
    raise ValueError(f"norm: ord={ord!r} over {len(axes)} axes is not defined; give one axis, or two for matrices")
