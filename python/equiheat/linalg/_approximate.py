# SPDX-License-Identifier: BSD-3-Clause
"""Truncated decompositions: randomised and incremental."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from equiheat import _core, manipulation, random
from equiheat._base import wrap
from equiheat.linalg._decompositions import orthonormal, qr
from equiheat.linalg._eigen import EighResult, eigh
from equiheat.linalg._operands import ArrayLike, adjoint, at_least, matrix_operand, natives
from equiheat.linalg._products import matmul
from equiheat.linalg._svd import SVDResult, svd

if TYPE_CHECKING:
    from equiheat.array import DNDarray


# ---------------------------------------------------------------------- randomised
def _range(a: DNDarray, columns: int, power_iter: int) -> DNDarray:
    """Orthonormal columns whose span approximates that of a's leading singular vectors."""
    columns = min(columns, *a.shape)
    omega = random.randn(a.shape[1], columns, split=0 if a.split == 1 else None, comm=a.comm).astype(a.dtype)
    q = orthonormal(matmul(a, omega))
    for _ in range(power_iter):
        q = orthonormal(matmul(a, orthonormal(matmul(adjoint(a), q))))
    return q


def rsvd(
    A: ArrayLike, svd_rank: int, n_oversamples: int = 10, power_iter: int = 0, qr_procs_to_merge: int = 2
) -> SVDResult:
    """Randomised truncated singular value decomposition.

    Parameters
    ----------
    A : array
        (m, n), any split.
    svd_rank : int
        Number of singular values.
    n_oversamples : int
        Further random directions, which are dropped in the end.
    power_iter : int
        Power iterations: more of them for slowly falling singular values.
    qr_procs_to_merge : int
        Accepted for Heat's programs.

    Returns
    -------
    SVDResult
        Named tuple (U, S, Vh) of (m, k), (k,), (k, n). U is split 0 if A is split 0, Vh split 1 if A is split 1; the
        rest is replicated.

    Raises
    ------
    TypeError, ValueError
        A number that is no integer, or too small.

    Notes
    -----
    Halko, Martinsson, Tropp, SIAM Review 53, 2011, algorithms 4.4 and 5.1: 2 + 2 power_iter products with A, as
    many `qr` of k + n_oversamples columns, and the decomposition of a (k + n_oversamples, n) matrix by `svd`. The
    random numbers are those of `equiheat.random`. Differentiable but for the choice of directions.

    Examples
    --------
    >>> ht.linalg.rsvd(ht.eye(5, split=0), 2).S.round(4).tolist()
    [1.0, 1.0]
    """
    a = matrix_operand(A, "rsvd")
    k = at_least(svd_rank, 1, "rsvd", "svd_rank")
    extra = at_least(n_oversamples, 0, "rsvd", "n_oversamples")
    q = _range(a, k + extra, at_least(power_iter, 0, "rsvd", "power_iter"))
    factors = svd(matmul(adjoint(q), a))
    assert isinstance(factors, SVDResult)
    u = matmul(q, factors.U)[:, :k]
    rows = 0 if a.split == 0 else None
    columns = 1 if a.split == 1 else None
    return SVDResult(u.resplit(rows), factors.S[:k], factors.Vh[:k].resplit(columns))


def reigh(
    A: ArrayLike, n_eigenvalues: int, n_oversamples: int = 10, power_iter: int = 0, qr_procs_to_merge: int = 2
) -> EighResult:
    """Randomised eigenvalues of largest magnitude of a Hermitian matrix, with eigenvectors.

    Parameters
    ----------
    A : array
        (n, n), any split.
    n_eigenvalues : int
        How many.
    n_oversamples, power_iter, qr_procs_to_merge : int
        As for `rsvd`.

    Returns
    -------
    EighResult
        Named tuple (eigenvalues, eigenvectors) of (k,) and (n, k), by falling magnitude. Eigenvectors are split 0 if A
        is split, eigenvalues are replicated.

    Raises
    ------
    TypeError, ValueError
        A number that is no integer, or too small; A is not square.

    Notes
    -----
    Halko, Martinsson, Tropp, SIAM Review 53, 2011, algorithms 4.4 and 5.3; cost as `rsvd`.

    Examples
    --------
    >>> ht.linalg.reigh(ht.eye(5, split=0), 2).eigenvalues.round(4).tolist()
    [1.0, 1.0]
    """
    a = matrix_operand(A, "reigh")
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"reigh: A must be square, has shape {a.shape}")
    k = at_least(n_eigenvalues, 1, "reigh", "n_eigenvalues")
    extra = at_least(n_oversamples, 0, "reigh", "n_oversamples")
    q = _range(a, k + extra, at_least(power_iter, 0, "reigh", "power_iter"))
    small = matmul(adjoint(q), matmul(a, q)).resplit(None)
    values, vectors = eigh((small + adjoint(small)) * 0.5)
    order = torch.argsort(values.larray.abs(), descending=True)[:k].tolist()
    basis = matmul(q, wrap(_core.Array(vectors.larray[:, order], [q.shape[1], len(order)], None, None, a._core.comm)))
    chosen = wrap(_core.Array(values.larray[order], [len(order)], None, None, a._core.comm))
    return EighResult(chosen, basis.resplit(None if a.split is None else 0))


# ---------------------------------------------------------------------- incremental
def isvd(
    new_data: ArrayLike, U_old: ArrayLike, S_old: ArrayLike, Vt_old: ArrayLike, maxrank: int | None = None
) -> SVDResult:
    """The singular value decomposition of ``[X, new_data]`` from that of X.

    Parameters
    ----------
    new_data : array
        (m, k): columns to add, split None or 0 (or 1: it is redistributed).
    U_old, S_old, Vt_old : array
        (m, r), (r,), (r, n): the factors of X.
    maxrank : int, optional
        Keep at most that many singular values; all min(r + k, m, n + k) by default.

    Returns
    -------
    SVDResult
        Named tuple (U, S, Vh) of (m, s), (s,), (s, n + k). U is split 0 if U_old or new_data is
        split, S and Vh are replicated.

    Raises
    ------
    ValueError
        Shapes that do not match, maxrank below 1.

    Notes
    -----
    Brand, Linear Algebra Appl. 415, 2006: one `qr` of ``[U_old, new_data]`` and `svd` of a matrix of order r + k. Exact
    to rounding without truncation.

    Examples
    --------
    >>> U, S, Vh = ht.linalg.svd(ht.eye(3, split=0)[:, :2])
    >>> ht.linalg.isvd(ht.eye(3, split=0)[:, 2:], U, S, Vh).S.round(4).tolist()
    [1.0, 1.0, 1.0]
    """
    names = ("new_data", "U_old", "S_old", "Vt_old")
    cores = [_core.to_factorable(core) for core in natives("isvd", names, (new_data, U_old, S_old, Vt_old))]
    new, u, s, vt = (wrap(core) for core in cores)
    shapes = [x.shape for x in (new, u, s, vt)]
    ranks = [x.ndim for x in (new, u, s, vt)]
    if ranks != [2, 2, 1, 2] or new.shape[0] != u.shape[0] or not u.shape[1] == s.shape[0] == vt.shape[0]:
        raise ValueError(f"isvd: shapes of new_data, U_old, S_old and Vt_old do not match: {shapes}")
    m, (r, n), k = u.shape[0], vt.shape, new.shape[1]
    split = 0 if u.split is not None or new.split is not None else None
    q, triangle = qr(manipulation.concatenate([u.resplit(split), new.resplit(split)], 1))
    assert q is not None
    upper = triangle.resplit(None)
    head = manipulation.concatenate([upper[:, :r] * s.resplit(None), upper[:, r:]], 1)
    inner = svd(head)
    assert isinstance(inner, SVDResult)
    keep = min(r + k, m, n + k) if maxrank is None else min(at_least(maxrank, 1, "isvd", "maxrank"), r + k, m, n + k)
    left = matmul(inner.Vh[:keep, :r], vt.resplit(None))
    vh = manipulation.concatenate([left, inner.Vh[:keep, r:]], 1)
    return SVDResult(matmul(q, inner.U)[:, :keep], inner.S[:keep], vh)
