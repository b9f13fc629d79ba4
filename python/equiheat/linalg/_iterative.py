# SPDX-License-Identifier: BSD-3-Clause
"""Iterations that need a matrix for products with vectors only."""

from __future__ import annotations

from numbers import Number, Real
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, random
from equiheat._base import wrap
from equiheat._function import deliver, native
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
    own rows of A and one allgather of n elements. A is moved to a balanced split 0 first; to all ranks if it is small
    (512 x 512), and then no step sends anything. Without gradients.

    Examples
    --------
    >>> A = ht.array([[4.0, 0.0], [0.0, 2.0]], split=0)
    >>> ht.linalg.cg(A, ht.array([1.0, 2.0]), ht.zeros(2)).round(3).tolist()
    [0.25, 1.0]
    """
    if any(isinstance(x, Number) for x in (A, b, x0)):
        raise TypeError(f"cg: A, b and x0 must be arrays, are {type(A)}, {type(b)} and {type(x0)}")
    cores = [_core.to_factorable(core) for core in natives("cg", ("A", "b", "x0"), (A, b, x0))]
    a, rhs, start = cores
    if a.ndim != 2 or rhs.ndim != 1 or start.ndim != 1 or {*a.gshape} != {*rhs.gshape, *start.gshape}:
        raise ValueError(
            f"cg: A must be (n, n), b and x0 (n,); have shapes {a.gshape}, {rhs.gshape} and {start.gshape}"
        )
    dtype = _core.promote(a.local.dtype, _core.promote(rhs.local.dtype, start.local.dtype))
    a = a.with_local(a.local.detach().to(dtype))
    right = _whole_vector(rhs, dtype)
    limit = 10 * torch.finfo(dtype).eps if rtol is None else float(rtol)
    steps = 2 * len(right) if maxiter is None else int(maxiter)
    x = _core.conjugate_gradients(a, right, _whole_vector(start, dtype), limit, steps)
    split = 0 if a.split is not None or rhs.split is not None else None
    result = wrap(_core.Array(x, list(x.shape), None, None, a.comm))
    return deliver(result if split is None else result.resplit(split), out, True, "cg")


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
    with the own rows of A, one allgather of n elements and two allreduces of at most m + 1. A is moved to a balanced
    split 0 first; to all ranks if it is small (512 x 512), and then no step sends anything. Where the Krylov space ends
    early, a random vector orthogonal to it continues it. Without gradients.

    Examples
    --------
    >>> V, T = ht.linalg.lanczos(ht.eye(4, split=0), 1, v0=ht.ones(4))
    >>> T.tolist()
    [[1.0]]
    """
    a = _core.to_factorable(native(A, "lanczos", "A"))
    if a.ndim != 2 or a.gshape[0] != a.gshape[1]:
        raise ValueError(f"lanczos: A must be a square matrix, has shape {a.gshape}")
    if isinstance(m, bool) or not isinstance(m, Real) or int(m) != m:
        raise TypeError(f"lanczos: m must be an integer, is {m!r}")
    n, m = a.gshape[0], int(m)
    if not 0 < m <= n:
        raise ValueError(f"lanczos: m must be in 1 .. {n}, is {m}")
    a = a.with_local(a.local.detach())
    first = _random_vector(n, a) if v0 is None else native(v0, "lanczos", "v0", a)
    if tuple(first.gshape) != (n,):
        raise ValueError(f"lanczos: v0 must have shape ({n},), has {first.gshape}")
    start = _whole_vector(first, a.local.dtype)
    if not bool(start.any()):
        raise ValueError("lanczos: v0 is zero")
    space = _core.KrylovSpace(a, m)
    space.append(start)
    while not space.grow():
        space.append(_random_vector(n, a).local)
    v, t = wrap(space.basis()), wrap(space.tridiagonal())
    return deliver(v, V_out, True, "lanczos"), deliver(t, T_out, True, "lanczos")


def _random_vector(n: int, like: _core.Array) -> _core.Array:
    vector = random.randn(n)._core.local.to(like.local.dtype)
    if vector.is_complex():
        vector = torch.complex(vector.real, random.randn(n)._core.local.to(vector.real.dtype))
    return _core.Array(vector, [n], None, None, like.comm)


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
