# SPDX-License-Identifier: BSD-3-Clause
"""Products of matrices and vectors, and functions of their diagonals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equiheat import _core
from equiheat._base import unwrap, wrap
from equiheat.linalg._operands import ArrayLike, native_pair

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def matmul(x1: ArrayLike, x2: ArrayLike) -> DNDarray:
    r"""Matrix product ``x1 @ x2`` over the last two axes, batch axes broadcast; 1-D operands as in NumPy.

    Parameters
    ----------
    x1 : array
        (..., m, k) or (k,), any dtype, any split, any extents. NumPy and torch arrays count as replicated.
    x2 : array
        (..., k, n) or (k,).

    Returns
    -------
    DNDarray
        (..., m, n) without the axis of a 1-D operand; dtype by promotion, integers wrap as in NumPy.

    Raises
    ------
    ValueError
        For 0-d operands, and when k or the batch axes do not match.

    Distribution
    ------------
    Split of the result (rows are axis 0, columns axis 1; N is replicated)::

        x1 \ x2   N   0   1
        N         N   0   1
        0         0   0   0
        1         1   1   1

    A split batch axis stays split; a product with a vector is split 0; the product of two vectors is replicated.
    Extents are those of the operand whose axis it is, else balanced.

    Communication, in elements received per rank (p ranks): none for ``0 @ N``, ``N @ 1`` and equal batch splits. Where
    k is split in one operand, partial products are added up on their way round a ring to their owners: the size of
    the result. Two different splits: one operand circulates block by block while the blocks at hand are multiplied
    (its size), or it is redistributed (its size / p, and the result's where k is then split), whichever is cheapest.

    Peak memory per rank beyond operands and result: three blocks of what circulates. No operand is gathered.

    Differentiable, also twice: the gradients are two more products of this kind.
    """
    return wrap(_core.matmul(*native_pair("matmul", ("x1", "x2"), x1, x2)))


def dot(a: ArrayLike, b: ArrayLike) -> DNDarray:
    """Inner product of vectors, matrix product of matrices, as `matmul`; a 0-d operand scales the other one.

    Parameters
    ----------
    a, b : array
        At most 2-D each. For more axes use `matmul` (or `vecdot`), which say what they sum over.

    Returns
    -------
    DNDarray
        0-d and replicated for two vectors; else split as `matmul`. Collective.
    """
    left, right = native_pair("dot", ("a", "b"), a, b)
    if left.ndim > 2 or right.ndim > 2:
        raise ValueError(
            f"dot: needs arrays of at most 2 dimensions, has {left.ndim} and {right.ndim}; use matmul or vecdot"
        )
    if left.ndim == 0 or right.ndim == 0:
        return wrap(left) * wrap(right)
    return wrap(_core.matmul(left, right))


def vdot(x1: ArrayLike, x2: ArrayLike) -> DNDarray:
    """Sum of conj(x1) * x2 over all elements.

    Parameters
    ----------
    x1, x2 : array
        Of one shape; any splits: x2 is redistributed to x1's layout.

    Returns
    -------
    DNDarray
        0-d, replicated; dtype by promotion. Collective: one allreduce of one element. Differentiable.
    """
    return wrap(_core.vdot(*native_pair("vdot", ("x1", "x2"), x1, x2)))


def vecdot(x1: ArrayLike, x2: ArrayLike, *, axis: int = -1) -> DNDarray:
    """Sum of conj(x1) * x2 along an axis.

    Parameters
    ----------
    x1, x2 : array
        Shapes that broadcast.
    axis : int
        Axis of the broadcast shape.

    Returns
    -------
    DNDarray
        The broadcast shape without `axis`; split as a sum's result. Collective: one allreduce of the result where
        `axis` is split. Differentiable.
    """
    return wrap(_core.vecdot(*native_pair("vecdot", ("x1", "x2"), x1, x2), axis))


def outer(a: ArrayLike, b: ArrayLike) -> DNDarray:
    """Products of all pairs: ``out[i, j] = a[i] * b[j]``.

    Parameters
    ----------
    a, b : array
        1-D, (m,) and (n,).

    Returns
    -------
    DNDarray
        (m, n): split 0 if a is split, else 1 if b is. Collective: where both are split, one of them circulates.
        Differentiable.
    """
    return wrap(_core.outer(*native_pair("outer", ("a", "b"), a, b)))


def matrix_transpose(x: DNDarray) -> DNDarray:
    """The last two axes swapped; the split follows its axis. Local, a view of the same memory. Differentiable.

    Parameters
    ----------
    x : DNDarray
        (..., m, n); ValueError for fewer than 2 dimensions.
    """
    return wrap(_core.matrix_transpose(unwrap(x, "matrix_transpose")))


def trace(a: DNDarray, offset: int = 0, axis1: int = 0, axis2: int = 1) -> DNDarray:
    """Sum along the diagonals of the matrices in `axis1` and `axis2`.

    Parameters
    ----------
    a : DNDarray
        At least 2-D.
    offset : int
        The diagonal: positive ones lie above the main one.
    axis1, axis2 : int
        Axes of rows and columns.

    Returns
    -------
    DNDarray
        The other axes, 0-d for a matrix; integers of less than 64 bits give int64. Replicated if `axis1` or `axis2`
        is split (Collective: one allreduce of the result), else split as a. Differentiable.
    """
    return wrap(_core.trace(unwrap(a, "trace", "a"), offset, axis1, axis2))


def tril(m: DNDarray, k: int = 0) -> DNDarray:
    """The lower triangles: zero above diagonal `k` of the last two axes. Local, split kept. Differentiable.

    Parameters
    ----------
    m : DNDarray
        (..., rows, columns); a 1-D array counts as a row that is repeated, as in NumPy.
    k : int
        Last diagonal that is kept; positive ones lie above the main one.
    """
    return wrap(_core.tril(unwrap(m, "tril", "m"), k))


def triu(m: DNDarray, k: int = 0) -> DNDarray:
    """The upper triangles: zero below diagonal `k` of the last two axes. Local, split kept. Differentiable.

    Parameters
    ----------
    m : DNDarray
        (..., rows, columns); a 1-D array counts as a row that is repeated, as in NumPy.
    k : int
        First diagonal that is kept; positive ones lie above the main one.
    """
    return wrap(_core.triu(unwrap(m, "triu", "m"), k))
