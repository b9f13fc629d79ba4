# SPDX-License-Identifier: BSD-3-Clause
"""Hierarchical truncated singular value decomposition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat.linalg._operands import DOUBLE, ArrayLike, adjoint, at_least, matrix_operand
from equiheat.linalg._products import matmul
from equiheat.local_products import local_product

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_GRAM = 128  # smallest extent for which the Gram matrix pays


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
    >>> round(S.item(), 3)
    4.899
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
        A is not a matrix, or contains NaN or infinity; a parameter out of range.

    Notes
    -----
    Iwen and Ong, SIAM J. Matrix Anal. Appl. 37, 2016; error control by Himpe, Leibner, Rave, SIAM J. Sci. Comput. 40,
    2018. log2(p) messages of (m, rank) elements (m the extent that is not split), one broadcast of U, one product. In
    single precision, where m is at most n / p: one sum of (m, m) Gram matrices instead, of less error.

    Examples
    --------
    >>> U, error = ht.linalg.hsvd(ht.ones((4, 6), split=1), maxrank=1)
    >>> U.shape
    (4, 1)
    """
    a = matrix_operand(A, "hsvd").detach()
    for name, value, least in (
        ("maxrank", maxrank, 1),
        ("maxmergedim", maxmergedim, 2),
        ("no_of_merges", no_of_merges, 2),
    ):
        if value is not None:
            at_least(value, least, "hsvd", name)
    at_least(safetyshift, 0, "hsvd", "safetyshift")
    if rtol is not None and not rtol >= 0:
        raise ValueError(f"hsvd: rtol must not be negative, is {rtol!r}")
    rows = a.split == 0
    turned = adjoint(a) if rows else a
    tree = _Tree(turned, maxrank, maxmergedim, rtol, safetyshift, no_of_merges or 2)
    basis, error = tree.run()
    comm = a._core.comm
    u = wrap(_core.Array(basis, list(basis.shape), None, None, comm))
    estimate = wrap(_core.Array(error, [], None, None, comm))
    if not rows and not compute_sv:
        return u, estimate
    scaled = matmul(adjoint(turned), u)
    sizes = wrap(_core.vector_norm(scaled._core, 2.0, [0], False))
    v = scaled / sizes.clip(torch.finfo(sizes._core.local.dtype).tiny, None)
    left, right = (v, u) if rows else (u, v)
    return (left, sizes, adjoint(right), estimate) if compute_sv else (left, estimate)


def _left_factors(block: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Left singular vectors, singular values, and their product; of single precision by the Gram matrix in double.

    Its eigenvalues are squares: in double precision what is lost lies below single precision's rounding, down to
    singular values of 1e-4 of the largest; half the time of a decomposition.
    """
    double = DOUBLE.get(block.dtype)
    if double is None or min(block.shape) < _GRAM:
        u, s, _ = torch.linalg.svd(block, full_matrices=False)
        return u, s, u * s
    wide = block.to(double)
    if block.shape[0] <= block.shape[1]:
        return _factors_of_gram(local_product(wide, wide.mH), block.dtype)
    s, vectors = _roots(local_product(wide.mH, wide))
    scaled = local_product(wide, vectors)
    u = scaled / s.clamp_min(torch.finfo(s.dtype).tiny)
    return u.to(block.dtype), s.to(block.real.dtype), scaled.to(block.dtype)


def _factors_of_gram(gram: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """`_left_factors` of A from A @ A.mH in double precision."""
    s, vectors = _roots(gram)
    single = {torch.complex64: torch.float32}.get(dtype, dtype)
    return vectors.to(dtype), s.to(single), (vectors * s).to(dtype)


def _roots(gram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Square roots of the eigenvalues, largest first, and the eigenvectors."""
    squares, vectors = torch.linalg.eigh(gram)
    return squares.clamp_min(0).sqrt().flip(0), vectors.flip(1)


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
        if not math.isfinite(self.norm.item()):  # the same on all ranks; a decomposition would fail on some
            raise ValueError("hsvd: A contains NaN or infinity, or its norm overflows")
        self.maxrank = min(a.shape) if maxrank is None else maxrank
        self.shift = shift
        self.arity = arity
        self.rtol = rtol
        if maxmergedim is not None:
            self.maxrank = min(self.maxrank, max(1, maxmergedim // arity - shift))
        # The squared errors of the 2 p - 1 nodes of a binary tree add up.
        nodes = 2 * a.comm.size - 1 if self.shared else 1
        self.atol = None if rtol is None else float(self.norm.item()) * rtol / math.sqrt(nodes)
        self.error = self.norm.new_zeros(())
        # Rows so few that every rank's problem would be as large as the whole one: one Gram matrix, no tree.
        self.columns = a.shape[1]
        few = _GRAM <= a.shape[0] <= self.columns // max(1, a.comm.size)
        self.by_gram = self.shared and maxmergedim is None and a.larray.dtype in DOUBLE and few

    def _from_gram(self) -> torch.Tensor:
        """The basis on rank 0, undefined on others; without a detour over truncated parts."""
        wide = self.local.to(DOUBLE[self.local.dtype])
        gram = self.comm.allreduce(local_product(wide, wide.mH))
        if self.comm.rank != 0:
            return self.local
        self.atol = None if self.rtol is None else float(self.norm.item()) * self.rtol
        return self._kept(_factors_of_gram(gram, self.local.dtype), self.columns, last=True)

    def truncate(self, block: torch.Tensor, last: bool) -> torch.Tensor:
        """Left singular vectors times singular values; without the values at the root."""
        return self._kept(_left_factors(block), max(block.shape), last)

    def _kept(self, factors: tuple[torch.Tensor, torch.Tensor, torch.Tensor], extent: int, last: bool) -> torch.Tensor:
        u, s, scaled = factors
        noise = torch.finfo(s.dtype).eps * extent * (s[0] if len(s) else 0)
        rank = min(self.maxrank, int((s > noise).sum()))
        if self.atol is not None:
            tails = s.square().flip(0).cumsum(0).flip(0)
            rank = min(rank, int((tails > self.atol**2).sum()))
        rank = max(rank, min(1, len(s)))
        kept = rank if last else min(len(s), rank + self.shift)
        self.error = self.error + s[kept:].square().sum()
        return (u if last else scaled)[:, :kept]

    def run(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The basis and the relative error, on every rank."""
        if not self.shared:
            basis = self.truncate(self.local, last=True)
            return basis, self._relative()
        if self.by_gram:
            return self._broadcast(self._from_gram())
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
