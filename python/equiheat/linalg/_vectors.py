# SPDX-License-Identifier: BSD-3-Clause
"""Products in which at least one operand is a vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equiheat import _core, dtypes, manipulation, promotion
from equiheat._base import wrap
from equiheat._function import deliver
from equiheat.linalg._contractions import tensordot
from equiheat.linalg._operands import ArrayLike, native_pair

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def dot(a: ArrayLike, b: ArrayLike, out: DNDarray | None = None) -> DNDarray:
    """Inner product of vectors, matrix product of matrices, as `numpy.dot`; a 0-d operand scales the other one.

    Parameters
    ----------
    a, b : array
        More than 2 axes: the sum over the last axis of a and the second to last of b, as `tensordot`.
    out : DNDarray, optional
        Where to write the result.

    Returns
    -------
    DNDarray
        0-d and replicated for two vectors; else split as `matmul`. Collective.

    Examples
    --------
    >>> ht.dot(ht.array([1, 2, 3], split=0), ht.array([1, 1, 1])).item()
    6
    """
    left, right = native_pair("dot", ("a", "b"), a, b)
    if left.ndim == 0 or right.ndim == 0:
        product = wrap(left) * wrap(right)
    elif left.ndim <= 2 and right.ndim <= 2:
        product = wrap(_core.matmul(left, right))
    else:
        product = tensordot(wrap(left), wrap(right), axes=(left.ndim - 1, max(0, right.ndim - 2)))
    return deliver(product, out, True, "dot")


def matvec(x1: ArrayLike, x2: ArrayLike) -> DNDarray:
    """Matrices times vectors, as `numpy.matvec`.

    Parameters
    ----------
    x1 : array
        (..., m, n), any split.
    x2 : array
        (..., n), any split. Batch axes broadcast.

    Returns
    -------
    DNDarray
        (..., m): split 0 for one matrix if an operand is split. Collective: `matmul`'s cost. Differentiable.

    Examples
    --------
    >>> ht.linalg.matvec(ht.eye(2, split=0), ht.array([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    left, right = native_pair("matvec", ("x1", "x2"), x1, x2)
    if right.ndim == 1:
        return wrap(_core.matmul(left, right))
    return manipulation.squeeze(wrap(_core.matmul(left, _core.expand_dims(right, [-1]))), -1)


def vecmat(x1: ArrayLike, x2: ArrayLike) -> DNDarray:
    """Conjugated vectors times matrices, as `numpy.vecmat`.

    Parameters
    ----------
    x1 : array
        (..., m), any split.
    x2 : array
        (..., m, n), any split. Batch axes broadcast.

    Returns
    -------
    DNDarray
        (..., n). Collective: `matmul`'s cost. Differentiable.

    Examples
    --------
    >>> ht.linalg.vecmat(ht.array([1.0, 2.0]), ht.eye(2, split=0)).tolist()
    [1.0, 2.0]
    """
    left, right = native_pair("vecmat", ("x1", "x2"), x1, x2)
    if left.local.is_complex():
        left = left.with_local(left.local.conj())
    if left.ndim == 1:
        return wrap(_core.matmul(left, right))
    return manipulation.squeeze(wrap(_core.matmul(_core.expand_dims(left, [-2]), right)), -2)


def inner(a: ArrayLike, b: ArrayLike) -> DNDarray:
    """Sums of products over the last axes, without conjugation, as `numpy.inner`.

    Parameters
    ----------
    a, b : array
        (..., n) each, any split; a 0-d operand scales the other one.

    Returns
    -------
    DNDarray
        The other axes of a, then those of b. Collective: `matmul`'s cost. Differentiable.

    Examples
    --------
    >>> ht.linalg.inner(ht.array([1, 2, 3], split=0), [1, 0, 1]).item()
    4
    """
    left, right = native_pair("inner", ("a", "b"), a, b)
    if left.ndim == 0 or right.ndim == 0:
        return wrap(left) * wrap(right)
    if right.ndim == 1:
        return wrap(_core.matmul(left, right))
    if left.ndim <= 2 and right.ndim == 2:
        return wrap(_core.matmul(left, _core.matrix_transpose(right)))
    return tensordot(wrap(left), wrap(right), axes=(-1, -1))


def projection(a: ArrayLike, b: ArrayLike) -> DNDarray:
    """The part of vector a along vector b: ``(a . b) / (b . b) * b``.

    Parameters
    ----------
    a, b : array
        1-D, of one length, any splits.

    Returns
    -------
    DNDarray
        (n,), split as b. Collective: two allreduces of one number. Differentiable.

    Raises
    ------
    ValueError
        The operands are not 1-D.

    Examples
    --------
    >>> ht.linalg.projection(ht.array([1.0, 1.0], split=0), ht.array([2.0, 0.0], split=0)).tolist()
    [1.0, 0.0]
    """
    left, right = native_pair("projection", ("a", "b"), a, b)
    if left.ndim != 1 or right.ndim != 1:
        raise ValueError(f"projection: a and b must be 1-dimensional, have {left.ndim} and {right.ndim} dimensions")
    return wrap(_core.vdot(right, left)) / wrap(_core.vdot(right, right)) * wrap(right)


def _without_split(x: DNDarray, axis: int) -> DNDarray:
    """Split along another axis than `axis`, or replicated. Collective."""
    if x.split != axis:
        return x
    return x.resplit(next((i for i in range(x.ndim) if i != axis), None))


def cross(
    a: ArrayLike, b: ArrayLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = -1
) -> DNDarray:
    """Cross product of 3-vectors; a 2-vector counts as one whose third component is zero, as in `numpy.cross`.

    Parameters
    ----------
    a, b : array
        Vectors along one axis of each; the other axes broadcast.
    axisa, axisb, axisc : int
        Axes of the vectors in a, b and the result.
    axis : int, optional
        One axis for all three, unless it is -1 and one of them is not.

    Returns
    -------
    DNDarray
        Without the axis of vectors if both are 2-vectors: the third component. Split as an element-wise product.

    Raises
    ------
    ValueError
        Vectors of another length than 2 or 3.
    TypeError
        Vectors of bool.

    Notes
    -----
    Local unless the layouts differ or the vectors themselves are split: then one alltoallv. Differentiable.

    Examples
    --------
    >>> ht.cross(ht.array([1, 0, 0], split=0), [0, 1, 0]).tolist()
    [0, 0, 1]
    """
    if axis is not None and axis != -1:
        axisa = axisb = axisc = axis
    left, right = (wrap(core) for core in native_pair("cross", ("a", "b"), a, b))
    kind = promotion.result_type(left, right)
    if kind is dtypes.bool:
        raise TypeError("cross: a and b are bool, which has no difference; expected numbers")
    if kind in (dtypes.uint16, dtypes.uint32, dtypes.uint64):  # of which torch has no products
        left, right = left.astype(dtypes.int64), right.astype(dtypes.int64)
        return cross(left, right, axisa, axisb, axisc, axis).astype(kind)
    x, y = manipulation.moveaxis(left, axisa, -1), manipulation.moveaxis(right, axisb, -1)
    lengths = (x.shape[-1], y.shape[-1])
    if any(n not in (2, 3) for n in lengths):
        raise ValueError(f"cross: vectors must have 2 or 3 components, have {lengths[0]} and {lengths[1]}")
    ndim = max(x.ndim, y.ndim)
    x, y = (
        _without_split(manipulation.expand_dims(z, list(range(ndim - z.ndim))) if z.ndim < ndim else z, ndim - 1)
        for z in (x, y)
    )
    if lengths == (2, 2):
        return x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
    x, y = (_third_zero(z) for z in (x, y))
    product = wrap(_core.cross(x._core, y._core, -1))
    return manipulation.moveaxis(product, -1, axisc)


def _third_zero(x: DNDarray) -> DNDarray:
    if x.shape[-1] == 3:
        return x
    return manipulation.concatenate([x, x[..., :1] * 0], -1)
