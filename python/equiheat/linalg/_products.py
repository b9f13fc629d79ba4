# SPDX-License-Identifier: BSD-3-Clause
"""Products of matrices and vectors, and functions of their diagonals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, manipulation
from equiheat._base import unwrap, wrap
from equiheat._function import deliver, native, torch_dtype
from equiheat.linalg._operands import ArrayLike, native_pair

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def matmul(a: ArrayLike, b: ArrayLike, allow_resplit: bool = False) -> DNDarray:
    r"""Matrix product ``a @ b`` over the last two axes, batch axes broadcast; 1-D operands as in NumPy.

    Parameters
    ----------
    a : array
        (..., m, k) or (k,), any dtype, any split, any extents. NumPy and torch arrays count as replicated.
    b : array
        (..., k, n) or (k,).
    allow_resplit : bool
        Accepted for Heat's programs. The cheapest way is always taken, and operands are never changed.

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

        a \ b     N   0   1
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
    return wrap(_core.matmul(*native_pair("matmul", ("a", "b"), a, b)))


def vdot(x1: ArrayLike, x2: ArrayLike) -> DNDarray:
    """Sum of conj(x1) * x2 over all elements.

    Parameters
    ----------
    x1, x2 : array
        Of one shape; any splits: x2 is redistributed to x1's layout. Others of one size are flattened, as in NumPy.

    Returns
    -------
    DNDarray
        0-d, replicated; dtype by promotion. Collective: one allreduce of one element. Differentiable.
    """
    left, right = native_pair("vdot", ("x1", "x2"), x1, x2)
    if left.gshape != right.gshape and left.size == right.size:
        left, right = (manipulation.ravel(wrap(core))._core for core in (left, right))
    return wrap(_core.vdot(left, right))


def vecdot(x1: ArrayLike, x2: ArrayLike, axis: int | None = None, keepdims: bool | None = None) -> DNDarray:
    """Sum of conj(x1) * x2 along an axis.

    Parameters
    ----------
    x1, x2 : array
        Shapes that broadcast.
    axis : int, optional
        Axis of the broadcast shape; by default the last one.
    keepdims : bool, optional
        Keep the axis with extent 1.

    Returns
    -------
    DNDarray
        The broadcast shape without `axis`; split as a sum's result. Collective: one allreduce of the result where
        `axis` is split. Differentiable.

    Examples
    --------
    >>> ht.vecdot(ht.ones((2, 3), split=0), ht.ones(3)).tolist()
    [3.0, 3.0]
    """
    axis = -1 if axis is None else axis
    left, right = native_pair("vecdot", ("x1", "x2"), x1, x2)
    product = wrap(_core.vecdot(left, right, axis))
    if not keepdims:
        return product
    return manipulation.expand_dims(product, axis % max(left.ndim, right.ndim))


def outer(a: ArrayLike, b: ArrayLike, out: DNDarray | None = None, split: int | None = None) -> DNDarray:
    """Products of all pairs: ``out[i, j] = a[i] * b[j]``.

    Parameters
    ----------
    a, b : array
        (m,) and (n,); more axes are flattened.
    out : DNDarray, optional
        Where to write the result.
    split : int, optional
        Split of the result.

    Returns
    -------
    DNDarray
        (m, n): by default split 0 if a is split, else 1 if b is. Collective: where both are split, one of them
        circulates. Differentiable.

    Examples
    --------
    >>> ht.outer(ht.array([1, 2], split=0), ht.array([3, 4])).tolist()
    [[3, 4], [6, 8]]
    """
    left, right = (
        core if core.ndim == 1 else manipulation.ravel(wrap(core))._core
        for core in native_pair("outer", ("a", "b"), a, b)
    )
    product = wrap(_core.outer(left, right))
    if split is not None:
        product = product.resplit(split)
    return deliver(product, out, True, "outer")


def matrix_transpose(x: DNDarray) -> DNDarray:
    """The last two axes swapped; the split follows its axis. Local, a view of the same memory. Differentiable.

    Parameters
    ----------
    x : DNDarray
        (..., m, n); ValueError for fewer than 2 dimensions.
    """
    return wrap(_core.matrix_transpose(unwrap(x, "matrix_transpose")))


def trace(
    a: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: DNDarray | None = None
) -> DNDarray:
    """Sum along the diagonals of the matrices in `axis1` and `axis2`.

    Parameters
    ----------
    a : array
        At least 2-D.
    offset : int
        The diagonal: positive ones lie above the main one.
    axis1, axis2 : int
        Axes of rows and columns.
    dtype : dtype, optional
        Type to add up in, and of the result.
    out : DNDarray, optional
        Where to write the result.

    Returns
    -------
    DNDarray
        The other axes, 0-d for a matrix; integers of less than 64 bits give int64. Replicated if `axis1` or `axis2`
        is split (Collective: one allreduce of the result), else split as a. Differentiable.

    Examples
    --------
    >>> ht.trace(ht.eye(3, split=0)).item()
    3.0
    """
    core = native(a, "trace", "a")
    wanted = None if dtype is None else torch_dtype(dtype)
    core = core if wanted is None else core.with_local(core.local.to(wanted))
    if core.local.dtype == torch.uint64:  # torch does not add them up; the bits are those of signed sums
        signed = _core.trace(core.with_local(core.local.view(torch.int64)), offset, axis1, axis2)
        return deliver(wrap(signed.with_local(signed.local.view(torch.uint64))), out, True, "trace")
    result = wrap(_core.trace(core, offset, axis1, axis2))
    return deliver(result if wanted is None else result.astype(wanted, copy=False), out, True, "trace")


def diagonal(x: ArrayLike, /, *, offset: int = 0) -> DNDarray:
    """Diagonals of the matrices in the last two axes.

    Parameters
    ----------
    x : array
        (..., m, n).
    offset : int
        The diagonal: positive ones lie above the main one.

    Returns
    -------
    DNDarray
        (..., k). Split as x along a batch axis; along the diagonal, each entry where it was, if x is split within the
        matrices. Local, a view. Differentiable.

    Raises
    ------
    ValueError
        Fewer than 2 dimensions.

    Examples
    --------
    >>> ht.linalg.diagonal(ht.array([[1, 2], [3, 4]], split=0)).tolist()
    [1, 4]
    """
    return wrap(_core.matrix_diagonal(native(x, "diagonal"), offset))


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
