# SPDX-License-Identifier: BSD-3-Clause
"""Iterations that need a matrix for products with vectors only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, random
from equiheat._base import wrap
from equiheat._function import deliver, native
from equiheat.communication import Communicator
from equiheat.linalg._decompositions import orthonormal, qr
from equiheat.linalg._norms import matrix_norm
from equiheat.linalg._operands import ArrayLike, natives
from equiheat.linalg._products import matmul
from equiheat.linalg._systems import LinAlgError, solve_triangular

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _whole_vector(core: _core.Array, dtype: torch.dtype) -> torch.Tensor:
    whole = core if core.split is None else _core.resplit(core, None)
    return whole.local.detach().to(dtype)


def _column(vector: torch.Tensor, comm: _core.Communicator) -> _core.Array:
    return _core.Array(vector.unsqueeze(1), [len(vector), 1], None, None, comm)


def cg(
    A: ArrayLike,
    b: ArrayLike,
    x0: ArrayLike,
    out: DNDarray | None = None,
    *,
    rtol: float | None = None,
    maxiter: int | None = None,
) -> DNDarray:
    """Conjugate gradients for ``A @ x = b`` with a Hermitian positive definite A.

    Parameters
    ----------
    A : array
        (n, n), any split.
    b : array
        (n,), any split.
    x0 : array
        (n,), where to start.
    out : DNDarray, optional
        Where to write the result.
    rtol : float, optional
        Stop when the residual's norm is below ``rtol * norm(b)``; ten times machine precision by default.
    maxiter : int, optional
        Stop after that many steps; 2 n by default.

    Returns
    -------
    DNDarray
        (n,): split as b, or split 0 if only A is split.

    Raises
    ------
    ValueError
        Shapes that do not match.

    Notes
    -----
    Hestenes and Stiefel, J. Res. Natl. Bur. Stand. 49, 1952. Vectors are held whole; a step is one product with the
    local part of A and one collective of n elements. Without gradients.

    Examples
    --------
    >>> A = ht.array([[4.0, 0.0], [0.0, 2.0]], split=0)
    >>> ht.linalg.cg(A, ht.array([1.0, 2.0]), ht.zeros(2)).round(3).tolist()
    [0.25, 1.0]
    """
    cores = [_core.to_factorable(core) for core in natives("cg", ("A", "b", "x0"), (A, b, x0))]
    a, rhs, start = cores
    if a.ndim != 2 or rhs.ndim != 1 or start.ndim != 1 or {*a.gshape} != {*rhs.gshape, *start.gshape}:
        raise ValueError(
            f"cg: A must be (n, n), b and x0 (n,); have shapes {a.gshape}, {rhs.gshape} and {start.gshape}"
        )
    dtype = _core.promote(a.local.dtype, _core.promote(rhs.local.dtype, start.local.dtype))
    a = a.with_local(a.local.detach().to(dtype))
    right = _whole_vector(rhs, dtype)
    x = _conjugate_gradients(a, right, _whole_vector(start, dtype).clone(), rtol, maxiter)
    split = 0 if a.split is not None or rhs.split is not None else None
    result = wrap(_core.Array(x, list(x.shape), None, None, a.comm))
    return deliver(result if split is None else result.resplit(split), out, True, "cg")


def _conjugate_gradients(
    a: _core.Array, b: torch.Tensor, x: torch.Tensor, rtol: float | None, maxiter: int | None
) -> torch.Tensor:
    def product(v: torch.Tensor) -> torch.Tensor:
        return _core.matmul_to(a, _column(v, a.comm), None).local.squeeze(1)

    r = b - product(x)
    p = r.clone()
    square = torch.vdot(r, r).real
    limit = ((10 * torch.finfo(b.dtype).eps if rtol is None else rtol) ** 2) * torch.vdot(b, b).real
    for _ in range(2 * len(b) if maxiter is None else maxiter):
        if not bool(square > limit):
            break
        ap = product(p)
        alpha = square / torch.vdot(p, ap)
        x += alpha * p
        r -= alpha * ap
        before, square = square, torch.vdot(r, r).real
        p = r + (square / before) * p
    return x


def lanczos(
    A: ArrayLike,
    m: int,
    v0: ArrayLike | None = None,
    V_out: DNDarray | None = None,
    T_out: DNDarray | None = None,
) -> tuple[DNDarray, DNDarray]:
    """Lanczos' basis of a Krylov space of a Hermitian matrix: ``V.conj().T @ A @ V = T``, T tridiagonal.

    Parameters
    ----------
    A : array
        (n, n), any split.
    m : int
        Number of steps, at most n.
    v0 : array, optional
        (n,): the first vector; it is normalised. Random by default.
    V_out, T_out : DNDarray, optional
        Where to write V and T.

    Returns
    -------
    V : DNDarray
        (n, m) with orthonormal columns: split 0 if A is split.
    T : DNDarray
        (m, m), real, replicated.

    Raises
    ------
    TypeError
        m is not an integer.
    ValueError
        A is not square, m beyond n, v0 of another length or zero.

    Notes
    -----
    Lanczos, J. Res. Natl. Bur. Stand. 45, 1950, with full reorthogonalisation, twice, by blocks. A step is one product
    with the local part of A, one collective of n elements and two allreduces of at most m + 1. Where the Krylov space
    ends early, a random vector orthogonal to it continues it. Without gradients.

    Examples
    --------
    >>> V, T = ht.linalg.lanczos(ht.eye(4, split=0), 1, v0=ht.ones(4))
    >>> T.tolist()
    [[1.0]]
    """
    a = _core.to_factorable(native(A, "lanczos", "A"))
    if a.ndim != 2 or a.gshape[0] != a.gshape[1]:
        raise ValueError(f"lanczos: A must be a square matrix, has shape {a.gshape}")
    if isinstance(m, bool) or int(m) != m:
        raise TypeError(f"lanczos: m must be an integer, is {m!r}")
    n, m = a.gshape[0], int(m)
    if not 0 < m <= n:
        raise ValueError(f"lanczos: m must be in 1 .. {n}, is {m}")
    a = a.with_local(a.local.detach())
    first = _random_vector(n, a) if v0 is None else native(v0, "lanczos", "v0", a)
    if tuple(first.gshape) != (n,):
        raise ValueError(f"lanczos: v0 must have shape ({n},), has {first.gshape}")
    basis, t = _Krylov(a, m).run(_whole_vector(first, a.local.dtype))
    v = wrap(_core.Array(basis, [n, m], None, None, a.comm) if a.split is None else _split_rows(basis, n, m, a.comm))
    triangle = wrap(_core.Array(t, [m, m], None, None, a.comm))
    return deliver(v, V_out, True, "lanczos"), deliver(triangle, T_out, True, "lanczos")


def _split_rows(block: torch.Tensor, n: int, m: int, comm: _core.Communicator) -> _core.Array:
    return _core.Array(block, [n, m], 0, None, comm)


def _random_vector(n: int, like: _core.Array) -> _core.Array:
    vector = random.randn(n)._core.local.to(like.local.dtype)
    if vector.is_complex():
        vector = torch.complex(vector.real, random.randn(n)._core.local.to(vector.real.dtype))
    return _core.Array(vector, [n], None, None, like.comm)


class _Krylov:
    """Own rows of the basis, transposed: a vector of it is contiguous."""

    def __init__(self, a: _core.Array, m: int) -> None:
        self.a, self.m, self.n = a, m, a.gshape[0]
        self.comm = Communicator._of(a.comm)
        comm = self.comm
        rows = [self.n // comm.size + (r < self.n % comm.size) for r in range(comm.size)]
        self.shared = a.split is not None and comm.size > 1
        first = sum(rows[: comm.rank]) if self.shared else 0
        self.own = slice(first, first + rows[comm.rank]) if self.shared else slice(0, self.n)
        self.block = a.resplit(0).redistribute(rows).local if self.shared else a.local
        self.rows = a.local.new_zeros((m, self.own.stop - self.own.start))

    def _total(self, partial: torch.Tensor) -> torch.Tensor:
        return self.comm.allreduce(partial) if self.shared else partial

    def _product(self, v: torch.Tensor) -> torch.Tensor:
        whole = _core.Array(v, [self.n], 0, None, self.a.comm).resplit(None).local if self.shared else v
        return torch.mv(self.block, whole)

    def _orthogonal(self, w: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Own rows of w without its parts along the first vectors, the parts found first, and the norm of the rest."""
        known = self.rows[:count]
        first = self._total(torch.mv(known.conj(), w))
        w = torch.addmv(w, known.mT, first, alpha=-1)
        # The second parts and the square before them in one message: what is left has the difference of the squares.
        found = self._total(torch.cat([torch.mv(known.conj(), w), torch.vdot(w, w).reshape(1)]))
        second, square = found[:-1], found[-1].real
        w = torch.addmv(w, known.mT, second, alpha=-1)
        left = square - torch.vdot(second, second).real
        if bool(left < square / 2):  # digits cancel
            left = self._total(torch.vdot(w, w).real)
        return w, first, left.sqrt()

    def run(self, first: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Own rows of the basis, and T."""
        size = torch.linalg.vector_norm(first)
        if not bool(size > 0):
            raise ValueError("lanczos: v0 is zero")
        t = size.new_zeros((self.m, self.m))
        scale = float(_core.vector_norm(self.a, 2.0, [0, 1], False).local.item())
        self.rows[0] = (first / size)[self.own]
        for i in range(self.m):
            w = self._product(self.rows[i])
            if i + 1 == self.m:
                t[i, i] = self._total(torch.vdot(self.rows[i], w).real)
                break
            w, parts, beta = self._orthogonal(w, i + 1)
            t[i, i] = parts[i].real
            if bool(beta <= 10 * torch.finfo(t.dtype).eps * scale):  # the space ends here
                w, _, size = self._orthogonal(_random_vector(self.n, self.a).local[self.own], i + 1)
                self.rows[i + 1] = w / size
                continue
            self.rows[i + 1] = w / beta
            t[i, i + 1] = t[i + 1, i] = beta
        return self.rows.mT.contiguous(), t


def condest(
    A: ArrayLike, p: int | str | None = None, algorithm: str = "randomized", params: dict[str, Any] | None = None
) -> DNDarray:
    """A random upper estimate of the condition number in the Euclidean norm.

    Parameters
    ----------
    A : array
        (m, n), any split.
    p : {None, 2}
        The norm.
    algorithm : {'randomized'}
        The only one.
    params : dict, optional
        ``{"nsamples": k}``: number of random directions, 10 by default.

    Returns
    -------
    DNDarray
        0-d, replicated; inf for a singular triangle. The estimate is of the condition number in the Frobenius norm,
        which is at least as large.

    Raises
    ------
    ValueError
        Another norm, fewer than 2 dimensions, nsamples below 1.
    TypeError
        params is no such dictionary.
    NotImplementedError
        Another algorithm.

    Notes
    -----
    `qr`, then one product and one triangular system with nsamples columns (Gudmundsson, Kenney, Laub, SIAM J. Matrix
    Anal. Appl. 16, 1995).

    Examples
    --------
    >>> bool(ht.linalg.condest(ht.eye(20, split=0)) >= 1.0)
    True
    """
    if p not in (None, 2):
        raise ValueError(f"condest: p must be None or 2, is {p!r}")
    if algorithm != "randomized":
        raise NotImplementedError(f"condest: algorithm must be 'randomized', is {algorithm!r}")
    count = 10
    if params is not None:
        if not isinstance(params, dict) or not isinstance(params.get("nsamples"), int):
            raise TypeError(f"condest: params must be {{'nsamples': int}}, is {params!r}")
        count = params["nsamples"]
    if count < 1:
        raise ValueError(f"condest: nsamples must be at least 1, is {count}")
    a = wrap(_core.to_factorable(native(A, "condest", "A"))).detach()
    if a.ndim != 2:
        raise ValueError(f"condest: A must be a matrix, has {a.ndim} dimensions")
    if a.shape[0] < a.shape[1]:
        a = wrap(_core.adjoint(a._core))
    n = a.shape[1]
    count = min(count, n)
    r = qr(a, mode="r").R
    samples = random.randn(n, count, split=0 if r.split is not None else None, comm=a.comm).astype(a.dtype)
    q = orthonormal(samples)
    try:
        back = solve_triangular(r, q)
    except LinAlgError:
        return matrix_norm(r) * float("inf")
    return matrix_norm(matmul(r, q)) * matrix_norm(back) * (n / count)
