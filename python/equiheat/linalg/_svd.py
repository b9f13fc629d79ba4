# SPDX-License-Identifier: BSD-3-Clause
"""Singular values and what follows from them: pseudoinverse, rank, condition number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from equiheat import _core, manipulation
from equiheat._base import wrap
from equiheat._function import native
from equiheat.conditional import where
from equiheat.linalg._decompositions import orthonormal, qr
from equiheat.linalg._eigen import eigh, eigvalsh
from equiheat.linalg._halley import hermitian_factor, unitary_factor
from equiheat.linalg._operands import DOUBLE, ArrayLike, adjoint
from equiheat.linalg._products import matmul

if TYPE_CHECKING:
    from equiheat.array import DNDarray


#: Least singular value, relative to the largest, at which the roundoff of squares in double precision is that of single
#: precision: sqrt(2**-53 / 2**-23).
_ORTHONORMAL = 3e-5


class SVDResult(NamedTuple):
    """Result of `svd`: the matrix is ``U * S @ Vh``."""

    U: DNDarray
    S: DNDarray
    Vh: DNDarray


def svd(
    A: ArrayLike,
    full_matrices: bool = False,
    compute_uv: bool = True,
    qr_procs_to_merge: int = 2,
    r_max_zolopd: int = 8,
) -> SVDResult | DNDarray:
    """Singular value decomposition ``A = U @ diag(S) @ Vh`` of the matrices in the last two axes.

    Parameters
    ----------
    A : array
        (..., m, n), any shape and split; integers and half precision are computed in float32.
    full_matrices : bool
        U (m, m) and Vh (n, n) instead of k = min(m, n) columns and rows. False by default, as in Heat.
    compute_uv : bool
        False: the singular values alone, as `svdvals`.
    qr_procs_to_merge, r_max_zolopd : int
        Accepted for Heat's programs. The triangles of all ranks are merged at once; the polar decomposition needs no
        groups of ranks.

    Returns
    -------
    SVDResult or DNDarray
        Named tuple (U, S, Vh); S is real, largest first.

    Raises
    ------
    LinAlgError
        Fewer than 2 dimensions; no convergence (NaN or infinite entries), on all ranks.

    Notes
    -----
    One matrix split over ranks: S is replicated, U of a tall and Vh of a wide matrix are split as A, the other
    factor is replicated. If min(m, n) is at most 1024, in double precision 4096 on up to 5 ranks and 512 on more: by
    LAPACK on every rank, of tall and wide matrices of R of `qr` along the longer axis (one allgather of triangles).
    Larger ones, by distributed products and factorisations, with all factors split as A: in single precision `eigh` of
    the products of columns in double precision, whose squares hold all that single precision does; in double precision
    polar decomposition and `eigh` (Higham and Papadimitriou, Parallel Comput. 20, 1994; Nakatsukasa and Higham, SIAM J.
    Sci. Comput. 35, 2013). Both are backward stable.

    A stack split within its matrices is dealt out along axis 0 and its results stay so. Differentiable where
    singular values differ, but not through a large split matrix.

    Examples
    --------
    >>> ht.linalg.svd(ht.array([[3.0, 0.0], [0.0, 4.0]], split=0)).S.tolist()
    [4.0, 3.0]
    """
    core = native(A, "svd", "A")
    if not compute_uv:
        return svdvals(A)
    if core.ndim == 2 and _core.is_large_svd(core):
        return _large_svd(wrap(_core.to_factorable(core)), full_matrices)
    u, s, vh = _core.svd(core, full_matrices, True)
    assert u is not None and vh is not None
    return SVDResult(wrap(u), wrap(s), wrap(vh))


def svdvals(x: ArrayLike) -> DNDarray:
    """Singular values of the matrices in the last two axes, largest first.

    Parameters
    ----------
    x : array
        (..., m, n), any split.

    Returns
    -------
    DNDarray
        (..., min(m, n)), real: split as x along a batch axis, else replicated. Cost and derivatives: `svd`.

    Raises
    ------
    LinAlgError
        Fewer than 2 dimensions; no convergence, on all ranks.

    Examples
    --------
    >>> ht.linalg.svdvals(ht.array([[3.0, 0.0], [0.0, 4.0]], split=0)).tolist()
    [4.0, 3.0]
    """
    core = native(x, "svdvals")
    if core.ndim == 2 and _core.is_large_svd(core):
        return _large_singular_values(wrap(_core.to_factorable(core)))
    return wrap(_core.svd(core, False, False)[1])


def _polar_of_longer_side(a: DNDarray) -> tuple[DNDarray | None, DNDarray, DNDarray]:
    """(q, u, h) with a = q @ u @ h, m >= n; q is None if a is nearly square."""
    q = None
    if a.shape[0] > 1.2 * a.shape[1]:
        q, a = qr(a)
    u = unitary_factor(a, 0.0)
    return q, u, hermitian_factor(u, a)


def _large_svd(a: DNDarray, full: bool) -> SVDResult:
    if a.requires_grad:
        raise NotImplementedError("svd: a large split matrix has no gradient here; resplit it to None first")
    if a.shape[0] < a.shape[1]:
        v, s, uh = _large_svd(wrap(_core.adjoint(a._core)), full)
        return SVDResult(wrap(_core.adjoint(uh._core)), s, wrap(_core.adjoint(v._core)))
    if a.larray.dtype in DOUBLE:
        return _svd_by_products(a, full)
    q, u, h = _polar_of_longer_side(a)
    values, vectors = eigh(h)
    order = slice(None, None, -1)
    v = vectors[:, order]
    # Columns of singular values near zero are not orthonormal yet; the others stay as they are.
    u = orthonormal(u @ v, complete=full and q is None)
    if q is not None:
        u = q @ u
        if full:
            u = orthonormal(u, complete=True)
    vh = wrap(_core.adjoint(v._core))
    return SVDResult(u.resplit(a.split), values[order].clip(0, None), vh.resplit(a.split))


def _as(x: DNDarray, dtype: torch.dtype) -> DNDarray:
    return wrap(x._core.astype(dtype))


def _products_of_columns(a: DNDarray) -> tuple[DNDarray, DNDarray]:
    """The matrix of single precision in double, and its Gram matrix."""
    wide = _as(a, DOUBLE[a.larray.dtype])
    return wide, matmul(adjoint(wide), wide)


def _svd_by_products(a: DNDarray, full: bool) -> SVDResult:
    wide, gram = _products_of_columns(a)
    values, vectors = eigh(gram)
    v = vectors[:, ::-1]
    s = values[::-1].clip(0, None).sqrt()
    kind, largest = torch.finfo(torch.float64), s[0].item()
    u = _as(wide @ v / s.clip(max(kind.eps * largest, kind.tiny), None), a.larray.dtype)
    # The products of two columns of u err by the roundoff of the squares over their singular values.
    if (full and a.shape[0] > a.shape[1]) or s[-1].item() <= _ORTHONORMAL * largest:
        u = orthonormal(u, complete=full)
    vh = _as(adjoint(v), a.larray.dtype)
    return SVDResult(u.resplit(a.split), _as(s, torch.float32), vh.resplit(a.split))


def _large_singular_values(a: DNDarray) -> DNDarray:
    if a.requires_grad:
        raise NotImplementedError("svdvals: a large split matrix has no gradient here; resplit it to None first")
    if a.shape[0] < a.shape[1]:
        a = wrap(_core.adjoint(a._core))
    if a.larray.dtype in DOUBLE:
        return _as(eigvalsh(_products_of_columns(a)[1])[::-1].clip(0, None).sqrt(), torch.float32)
    return eigvalsh(_polar_of_longer_side(a)[2])[::-1].clip(0, None)


# ---------------------------------------------------------------------- what follows
def _cutoff(s: DNDarray, shape: tuple[int, ...], rtol: Any, fn: str) -> DNDarray:
    """The largest singular value times rtol, with a last axis of extent 1."""
    if rtol is None:
        rtol = torch.finfo(s._core.local.dtype).eps * max(shape[-2:], default=0)
    elif not isinstance(rtol, (int, float)):
        rtol = wrap(native(rtol, fn, "rtol", s._core))
        rtol = manipulation.expand_dims(rtol, -1) if rtol.ndim else rtol
    return s.max(axis=-1, keepdims=True) * rtol


def pinv(a: ArrayLike, rcond: Any = None, *, rtol: Any = None, hermitian: bool = False) -> DNDarray:
    """Moore-Penrose pseudoinverse of the matrices in the last two axes.

    Parameters
    ----------
    a : array
        (..., m, n), any split.
    rcond, rtol : float or array, optional
        Singular values up to ``rtol * largest`` count as zero; machine precision times max(m, n) by default. Two names
        of one parameter, NumPy's and the standard's.
    hermitian : bool
        a is Hermitian: by `eigh` instead of `svd`.

    Returns
    -------
    DNDarray
        (..., n, m); one split matrix: split along the axis of the same length, so that a tall matrix split 0 gives
        a wide one split 1.

    Raises
    ------
    ValueError
        Both rcond and rtol.
    LinAlgError
        As `svd`.

    Notes
    -----
    `svd` and one product of its factors. Differentiable at constant rank.

    Examples
    --------
    >>> ht.linalg.pinv(ht.array([[2.0, 0.0], [0.0, 0.0]], split=0)).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    if rcond is not None and rtol is not None:
        raise ValueError(f"pinv: rcond={rcond!r} and rtol={rtol!r} are one parameter; give one of them")
    core = _core.to_factorable(native(a, "pinv", "a"))
    if core.ndim >= 2 and 0 in core.gshape[-2:]:
        empty = _core.matrix_transpose(core)
        return wrap(empty.with_local(torch.zeros_like(empty.local)))
    u, s, vh = _hermitian_svd(wrap(core)) if hermitian else _factors(wrap(core))
    small = s <= _cutoff(s, core.gshape, rcond if rtol is None else rtol, "pinv")
    reciprocal = _inverted(s, small)
    v, uh = wrap(_core.adjoint(vh._core)), wrap(_core.adjoint(u._core))
    scaled = v * reciprocal.reshape((*reciprocal.shape[:-1], 1, reciprocal.shape[-1]))
    return matmul(scaled, uh)


def _inverted(s: DNDarray, small: DNDarray) -> DNDarray:
    regular: Any = where(small, 1.0, s)
    inverse: Any = where(small, 0.0, regular.reciprocal())
    return inverse.astype(s.dtype)


def _factors(a: DNDarray) -> SVDResult:
    result = svd(a)
    assert isinstance(result, SVDResult)
    return result


def _hermitian_svd(a: DNDarray) -> tuple[DNDarray, DNDarray, DNDarray]:
    """As `svd`, but not in the order of the singular values."""
    values, vectors = eigh(a)
    signs = values.sign()
    u = vectors * signs.reshape((*signs.shape[:-1], 1, signs.shape[-1]))
    return u, values.abs(), wrap(_core.adjoint(vectors._core))


def matrix_rank(A: ArrayLike, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> DNDarray:
    """Number of singular values above a bound.

    Parameters
    ----------
    A : array
        (..., m, n), any split; a vector has rank 1 unless it is zero.
    tol : float or array, optional
        The bound itself.
    hermitian : bool
        A is Hermitian: by `eigvalsh`.
    rtol : float or array, optional
        The bound as a multiple of the largest singular value; machine precision times max(m, n) by default.

    Returns
    -------
    DNDarray
        (...) int64. Cost: `svdvals`.

    Raises
    ------
    ValueError
        Both tol and rtol.

    Examples
    --------
    >>> ht.linalg.matrix_rank(ht.ones((3, 4), split=1)).item()
    1
    """
    if tol is not None and rtol is not None:
        raise ValueError(f"matrix_rank: tol={tol!r} and rtol={rtol!r} exclude each other; give one of them")
    core = native(A, "matrix_rank", "A")
    if core.ndim < 2:
        return (wrap(core) != 0).any().astype(torch.int64)
    s = eigvalsh(wrap(core)).abs() if hermitian else svdvals(wrap(core))
    if s.shape[-1] == 0:
        return (s > 0).sum(axis=-1)
    if tol is None:
        bound = _cutoff(s, core.gshape, rtol, "matrix_rank")
    else:
        bound = wrap(native(tol, "matrix_rank", "tol", core))
        bound = bound.reshape((*bound.shape, 1)) if bound.ndim else bound
    return (s > bound).sum(axis=-1)
