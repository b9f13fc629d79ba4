# SPDX-License-Identifier: BSD-3-Clause
"""Truncated decompositions: randomised, hierarchical, incremental."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from equiheat import _core, manipulation, random
from equiheat._base import wrap
from equiheat._function import native
from equiheat.linalg._decompositions import orthonormal, qr
from equiheat.linalg._eigen import EighResult, eigh
from equiheat.linalg._operands import ArrayLike, natives
from equiheat.linalg._products import matmul
from equiheat.linalg._svd import SVDResult, svd

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _matrix(A: ArrayLike, fn: str) -> DNDarray:
    core = _core.to_factorable(native(A, fn, "A"))
    if core.ndim != 2:
        raise ValueError(f"{fn}: A must be a matrix, has {core.ndim} dimensions")
    return wrap(core)


def _adjoint(x: DNDarray) -> DNDarray:
    return wrap(_core.adjoint(x._core))


def _at_least(value: int, least: int, fn: str, name: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{fn}: {name} must be an integer, is {value!r}")
    if value.__index__() < least:
        raise ValueError(f"{fn}: {name} must be at least {least}, is {value!r}")
    return value.__index__()


# ---------------------------------------------------------------------- randomised
def _range(a: DNDarray, columns: int, power_iter: int) -> DNDarray:
    """Orthonormal columns whose span approximates that of a's leading singular vectors."""
    columns = min(columns, *a.shape)
    omega = random.randn(a.shape[1], columns, split=0 if a.split == 1 else None, comm=a.comm).astype(a.dtype)
    q = orthonormal(matmul(a, omega))
    for _ in range(power_iter):
        q = orthonormal(matmul(a, orthonormal(matmul(_adjoint(a), q))))
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
    >>> ht.linalg.rsvd(ht.eye(5, split=0), 2).S.tolist()
    [1.0, 1.0]
    """
    a = _matrix(A, "rsvd")
    k = _at_least(svd_rank, 1, "rsvd", "svd_rank")
    extra = _at_least(n_oversamples, 0, "rsvd", "n_oversamples")
    q = _range(a, k + extra, _at_least(power_iter, 0, "rsvd", "power_iter"))
    factors = svd(matmul(_adjoint(q), a))
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
    a = _matrix(A, "reigh")
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"reigh: A must be square, has shape {a.shape}")
    k = _at_least(n_eigenvalues, 1, "reigh", "n_eigenvalues")
    extra = _at_least(n_oversamples, 0, "reigh", "n_oversamples")
    q = _range(a, k + extra, _at_least(power_iter, 0, "reigh", "power_iter"))
    small = matmul(_adjoint(q), matmul(a, q)).resplit(None)
    values, vectors = eigh((small + _adjoint(small)) * 0.5)
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
    keep = min(r + k, m, n + k) if maxrank is None else min(_at_least(maxrank, 1, "isvd", "maxrank"), r + k, m, n + k)
    left = matmul(inner.Vh[:keep, :r], vt.resplit(None))
    vh = manipulation.concatenate([left, inner.Vh[:keep, r:]], 1)
    return SVDResult(matmul(q, inner.U)[:, :keep], inner.S[:keep], vh)


# ---------------------------------------------------------------------- hierarchical
def hsvd_rank(
    A: ArrayLike,
    maxrank: int,
    compute_sv: bool = False,
    maxmergedim: int | None = None,
    safetyshift: int = 5,
    silent: bool = True,
) -> tuple[DNDarray, ...]:
    """Hierarchical singular value decomposition truncated to `maxrank` singular values.

    As `hsvd` with at most `maxrank` values; the other parameters are explained there.

    Examples
    --------
    >>> U, S, Vh, error = ht.linalg.hsvd_rank(ht.ones((4, 6), split=1), 1, compute_sv=True)
    >>> S.round(3).tolist()
    [4.899]
    """
    return hsvd(A, maxrank, maxmergedim, None, safetyshift, None, compute_sv, silent, True)


def hsvd_rtol(
    A: ArrayLike,
    rtol: float,
    compute_sv: bool = False,
    maxrank: int | None = None,
    maxmergedim: int | None = None,
    safetyshift: int = 5,
    no_of_merges: int | None = None,
    silent: bool = True,
) -> tuple[DNDarray, ...]:
    """Hierarchical singular value decomposition with a relative error of at most `rtol` in the Frobenius norm.

    As `hsvd`; a bound on the rank by `maxrank` or `maxmergedim` can make the error larger.

    Examples
    --------
    >>> U, error = ht.linalg.hsvd_rtol(ht.ones((4, 6), split=1), 1e-3)
    >>> U.shape
    (4, 1)
    """
    return hsvd(A, maxrank, maxmergedim, rtol, safetyshift, no_of_merges, compute_sv, silent, True)


def hsvd(
    A: ArrayLike,
    maxrank: int | None = None,
    maxmergedim: int | None = None,
    rtol: float | None = None,
    safetyshift: int = 0,
    no_of_merges: int | None = 2,
    compute_sv: bool = False,
    silent: bool = True,
    warnings_off: bool = False,
) -> tuple[DNDarray, ...]:
    """Truncated singular value decomposition by local ones that are merged up a tree of ranks.

    Parameters
    ----------
    A : array
        (m, n), any split.
    maxrank : int, optional
        At most that many singular values.
    maxmergedim : int, optional
        At most that many columns in a merge; more are truncated before it.
    rtol : float, optional
        Bound of the relative error in the Frobenius norm.
    safetyshift : int
        Further singular values kept on the way, but not in the result.
    no_of_merges : int, optional
        Ranks merged at a node of the tree; 2 by default.
    compute_sv : bool
        Return singular values and right singular vectors too.
    silent, warnings_off : bool
        Accepted for Heat's programs: nothing is printed.

    Returns
    -------
    tuple of DNDarray
        (U, error), or (U, S, Vh, error) with `compute_sv`. U of A split 1 or None and Vh of A split 0 are replicated,
        the other factor is split as A. error is 0-d: an upper estimate of the relative error, ``norm(A - U @ U.T @ A)
        / norm(A)``.

    Raises
    ------
    ValueError
        A is not a matrix; a parameter out of range.

    Notes
    -----
    Iwen and Ong, SIAM J. Matrix Anal. Appl. 37, 2016; error control by Himpe, Leibner, Rave, SIAM J. Sci. Comput. 40,
    2018. log2(p) messages of (m, rank) elements (m the extent that is not split), one broadcast of U, one product.

    Examples
    --------
    >>> U, error = ht.linalg.hsvd(ht.ones((4, 6), split=1), maxrank=1)
    >>> U.shape
    (4, 1)
    """
    a = _matrix(A, "hsvd").detach()
    for name, value, least in (
        ("maxrank", maxrank, 1),
        ("maxmergedim", maxmergedim, 2),
        ("no_of_merges", no_of_merges, 2),
    ):
        if value is not None:
            _at_least(value, least, "hsvd", name)
    _at_least(safetyshift, 0, "hsvd", "safetyshift")
    rows = a.split == 0
    turned = _adjoint(a) if rows else a
    tree = _Tree(turned, maxrank, maxmergedim, rtol, safetyshift, no_of_merges or 2)
    basis, error = tree.run()
    comm = a._core.comm
    u = wrap(_core.Array(basis, list(basis.shape), None, None, comm))
    estimate = wrap(_core.Array(error, [], None, None, comm))
    if not rows and not compute_sv:
        return u, estimate
    scaled = matmul(_adjoint(turned), u)
    sizes = wrap(_core.vector_norm(scaled._core, 2.0, [0], False))
    v = scaled / sizes.clip(torch.finfo(sizes._core.local.dtype).tiny, None)
    left, right = (v, u) if rows else (u, v)
    return (left, sizes, _adjoint(right), estimate) if compute_sv else (left, estimate)


class _Tree:
    """The merges of one decomposition: of the columns of all ranks, from the leaves to rank 0."""

    def __init__(
        self,
        a: DNDarray,
        maxrank: int | None,
        maxmergedim: int | None,
        rtol: float | None,
        shift: int,
        arity: int,
    ) -> None:
        self.local = a.larray
        self.comm = a.comm
        self.shared = a.split is not None and a.comm.size > 1
        self.norm = _core.vector_norm(a._core, 2.0, [0, 1], False).local
        self.maxrank = min(a.shape) if maxrank is None else maxrank
        self.shift = shift
        self.arity = arity
        if maxmergedim is not None:
            self.maxrank = min(self.maxrank, max(1, maxmergedim // arity - shift))
        # The squared errors of the 2 p - 1 nodes of a binary tree add up.
        nodes = 2 * a.comm.size - 1 if self.shared else 1
        self.atol = None if rtol is None else float(self.norm.item()) * rtol / math.sqrt(nodes)
        self.error = self.norm.new_zeros(())

    def truncate(self, block: torch.Tensor, last: bool) -> torch.Tensor:
        """Left singular vectors times singular values; without the values at the root."""
        u, s, _ = torch.linalg.svd(block, full_matrices=False)
        noise = torch.finfo(s.dtype).eps * max(block.shape) * (s[0] if len(s) else 0)
        rank = min(self.maxrank, int((s > noise).sum()))
        if self.atol is not None:
            tails = s.square().flip(0).cumsum(0).flip(0)
            rank = min(rank, int((tails > self.atol**2).sum()))
        rank = max(rank, min(1, len(s)))
        kept = rank if last else min(len(s), rank + self.shift)
        self.error = self.error + s[kept:].square().sum()
        return u[:, :kept] if last else u[:, :kept] * s[:kept]

    def run(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The basis and the relative error, on every rank."""
        if not self.shared:
            basis = self.truncate(self.local, last=True)
            return basis, self._relative()
        block = self.truncate(self.local, last=False)
        rank, size, stride = self.comm.rank, self.comm.size, 1
        while stride < size:
            step = stride * self.arity
            if rank % step:
                if rank % stride == 0:
                    self._send(block, rank - rank % step)
                break
            others = range(rank + stride, min(rank + step, size), stride)
            blocks = [block, *(self._receive(peer, block) for peer in others)]
            stride = step
            block = self.truncate(torch.cat(blocks, 1), last=stride >= size)
        return self._broadcast(block)

    def _relative(self) -> torch.Tensor:
        return self.error.sqrt() / self.norm.clamp_min(torch.finfo(self.norm.dtype).tiny)

    def _send(self, block: torch.Tensor, peer: int) -> None:
        columns = torch.tensor([block.shape[1]])
        self.comm.send(columns, peer)
        self.comm.send(torch.cat([block.reshape(-1), self.error.reshape(1).to(block.dtype)]), peer)

    def _receive(self, peer: int, like: torch.Tensor) -> torch.Tensor:
        columns = torch.zeros(1, dtype=torch.int64)
        self.comm.recv(columns, peer)
        rows = like.shape[0]
        packed = like.new_empty(rows * int(columns) + 1)
        self.comm.recv(packed, peer)
        self.error = self.error + packed[-1].real
        return packed[:-1].reshape(rows, int(columns))

    def _broadcast(self, block: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        columns = torch.tensor([block.shape[1]])
        columns = self.comm.bcast(columns, 0)
        basis = block.contiguous() if self.comm.rank == 0 else block.new_empty((block.shape[0], int(columns)))
        basis = self.comm.bcast(basis, 0)
        return basis, self.comm.bcast(self._relative().contiguous(), 0)
