# SPDX-License-Identifier: BSD-3-Clause
"""Linear systems, inverses, determinants, Cholesky factors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import deliver, native
from equiheat.errors import LinAlgError as LinAlgError
from equiheat.errors import MatrixError
from equiheat.linalg._operands import ArrayLike, native_pair

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _of_square(compute: Callable[[_core.Array], _core.Array], a: ArrayLike, fn: str) -> DNDarray:
    """The result for a regular matrix; programs written for Heat catch RuntimeError for others."""
    try:
        return wrap(compute(native(a, fn, "a")))
    except LinAlgError as error:
        raise MatrixError(str(error)) from None


class SlogdetResult(NamedTuple):
    """Result of `slogdet`: the determinant is ``sign * exp(logabsdet)``."""

    sign: DNDarray
    logabsdet: DNDarray


def solve(A: ArrayLike, b: ArrayLike, out: DNDarray | None = None) -> DNDarray:
    """The x with ``A @ x = b``, as `numpy.linalg.solve`.

    Parameters
    ----------
    A : array
        (..., n, n), any split; integers and half precision are computed in float32.
    b : array
        (n,): one vector, or (..., n, k), any split. Batch axes broadcast. Only a 1-D b is a vector: (m, n) beside
        (m, n, n) are m rows of one matrix, as in NumPy 2.
    out : DNDarray, optional
        Where to write the result.

    Returns
    -------
    DNDarray
        Shape of b, with the broadcast batch axes. Split as b if that is split; split 0 if only a matrix A is; stacks
        along the batch axis that is split.

    Raises
    ------
    LinAlgError
        On all ranks, if a matrix is exactly singular, or not square.
    ValueError
        Shapes that do not match.

    Notes
    -----
    Elimination with partial pivoting. A matrix split over ranks is gathered up to 2**20 elements (2**18 on more than 3
    ranks). A larger one is dealt out in panels of 64 columns, which makes one alltoallv; every panel is broadcast once
    with l and once with u: n**2 elements received per rank in all, while the columns at hand are updated. Peak memory
    per rank: three blocks of A, two of b. b is redistributed by columns and back. A batch axis that is split costs
    nothing.

    Differentiable; through a large split matrix once, by way of its inverse.

    Examples
    --------
    >>> A = ht.array([[2.0, 1.0], [1.0, 3.0]], split=0)
    >>> ht.linalg.solve(A, ht.array([3.0, 4.0])).tolist()
    [1.0, 1.0]
    """
    return deliver(wrap(_core.solve(*native_pair("solve", ("A", "b"), A, b))), out, True, "solve")


def solve_triangular(A: ArrayLike, b: ArrayLike, *, lower: bool = False, unit_diagonal: bool = False) -> DNDarray:
    """The x with ``A @ x = b`` for triangular A, as `scipy.linalg.solve_triangular`.

    Parameters
    ----------
    A : array
        (..., n, n), any split. The other triangle is not looked at.
    b : array
        (n,) or (..., n, k), any split. Batch axes broadcast.
    lower : bool
        Use the lower triangle instead of the upper one.
    unit_diagonal : bool
        Take the diagonal as ones.

    Returns
    -------
    DNDarray
        Shape and split as `solve`'s. A zero on the diagonal gives inf or NaN.

    Raises
    ------
    LinAlgError
        A is not square.
    ValueError
        Shapes that do not match.

    Notes
    -----
    As `solve` without the elimination: half of its communication. Differentiable; in b alone for a large split A.

    Examples
    --------
    >>> A = ht.array([[2.0, 1.0], [0.0, 4.0]], split=1)
    >>> ht.linalg.solve_triangular(A, ht.array([3.0, 4.0])).tolist()
    [1.0, 1.0]
    """
    left, right = native_pair("solve_triangular", ("A", "b"), A, b)
    return wrap(_core.solve_triangular(left, right, not lower, unit_diagonal))


def inv(a: ArrayLike) -> DNDarray:
    """Inverse of the matrices in the last two axes.

    Parameters
    ----------
    a : array
        (..., n, n), any split; integers and half precision are computed in float32.

    Returns
    -------
    DNDarray
        Shape and split of a.

    Raises
    ------
    LinAlgError
        On all ranks, if a matrix is exactly singular, or not square.

    Notes
    -----
    1.5 n**2 elements received per rank for a large split matrix: its factors, and the lower one once more for the
    columns of the identity, whose zeros cost nothing. Differentiable.

    Examples
    --------
    >>> ht.linalg.inv(ht.array([[2.0, 0.0], [0.0, 4.0]], split=0)).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return _of_square(_core.inv, a, "inv")


def _widened(a: ArrayLike, fn: str) -> tuple[_core.Array, bool]:
    """complex64 as complex128, and whether: torch's quotients of complex numbers below 1e-38 are NaN."""
    core = native(a, fn, "a")
    narrow = core.local.dtype == torch.complex64
    return (core.with_local(core.local.to(torch.complex128)) if narrow else core), narrow


def det(a: ArrayLike) -> DNDarray:
    """Determinant of the matrices in the last two axes.

    Parameters
    ----------
    a : array
        (..., n, n), any split; integers and half precision are computed in float32, complex64 in complex128.

    Returns
    -------
    DNDarray
        (...): split as a along a batch axis, else replicated; 0-d for a matrix.

    Raises
    ------
    LinAlgError
        The matrices are not square.

    Notes
    -----
    By elimination: n**2 / 2 elements received per rank for a large split matrix, and two allreduces of one number.
    Use `slogdet` where the result may overflow. Differentiable; for a large split matrix where it is regular.

    Examples
    --------
    >>> ht.linalg.det(ht.array([[2.0, 0.0], [0.0, 4.0]], split=0)).item()
    8.0
    """
    core, narrow = _widened(a, "det")
    value = _of_square(_core.det, wrap(core), "det")
    return value.astype(torch.complex64) if narrow else value


def slogdet(a: ArrayLike) -> SlogdetResult:
    """Sign and logarithm of the magnitude of the determinant.

    Parameters
    ----------
    a : array
        (..., n, n), any split; integers and half precision are computed in float32, complex64 in complex128.

    Returns
    -------
    SlogdetResult
        Named tuple (sign, logabsdet), each (...): split as a along a batch axis, else replicated. The sign of a
        complex determinant is a number of magnitude 1; a singular matrix has sign 0 and logarithm -inf.

    Raises
    ------
    LinAlgError
        The matrices are not square.

    Notes
    -----
    Communication as `det`. Differentiable.

    Examples
    --------
    >>> ht.linalg.slogdet(ht.array([[0.0, 1.0], [1.0, 0.0]], split=0)).sign.item()
    -1.0
    """
    core, narrow = _widened(a, "slogdet")
    sign, logabsdet = (wrap(x) for x in _core.slogdet(core))
    if narrow:
        return SlogdetResult(sign.astype(torch.complex64), logabsdet.astype(torch.float32))
    return SlogdetResult(sign, logabsdet)


def cholesky(a: ArrayLike, *, upper: bool = False) -> DNDarray:
    """The triangular factor of Hermitian positive definite matrices: ``L @ L.conj().T = a``.

    Parameters
    ----------
    a : array
        (..., n, n), any split. Only its lower triangle is looked at.
    upper : bool
        Return the upper factor U with ``U.conj().T @ U = a`` instead.

    Returns
    -------
    DNDarray
        Shape and split of a; zero in the other triangle.

    Raises
    ------
    LinAlgError
        On all ranks, if a matrix is not positive definite, or not square.

    Notes
    -----
    A large split matrix is dealt out in panels of columns (one alltoallv in, one out), each broadcast once:
    n**2 / 2 elements received per rank. Differentiable; the gradient is symmetric.

    Examples
    --------
    >>> ht.linalg.cholesky(ht.array([[4.0, 2.0], [2.0, 5.0]], split=0)).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    return wrap(_core.cholesky(native(a, "cholesky", "a"), upper))
