# SPDX-License-Identifier: BSD-3-Clause
"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import native
from equiheat.linalg._operands import ArrayLike, check_finite

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class EighResult(NamedTuple):
    """Result of `eigh`: ``A @ eigenvectors = eigenvectors * eigenvalues``."""

    eigenvalues: DNDarray
    eigenvectors: DNDarray


class EigResult(NamedTuple):
    """Result of `eig`: ``A @ eigenvectors = eigenvectors * eigenvalues``."""

    eigenvalues: DNDarray
    eigenvectors: DNDarray


def eigh(A: ArrayLike, r_max_zolopd: int = 8, silent: bool = True, *, UPLO: str = "L") -> EighResult:
    """Eigenvalues and orthonormal eigenvectors of Hermitian matrices.

    Parameters
    ----------
    A : array
        (..., n, n), any split; integers and half precision are computed in float32.
    r_max_zolopd, silent
        Accepted for Heat's programs: no polar decomposition is used, and nothing is printed.
    UPLO : {'L', 'U'}
        The triangle that counts; on a GPU a large split matrix is read as a whole.

    Returns
    -------
    EighResult
        Named tuple (eigenvalues, eigenvectors). Eigenvalues (..., n) are real and ascending, as NumPy's; replicated,
        or split along batch axes. Eigenvectors are the columns of an array split as A.

    Raises
    ------
    LinAlgError
        Not square; no convergence (NaN or infinite entries), on all ranks.
    ValueError
        Unknown UPLO.

    Notes
    -----
    A split matrix of at most 2**19 elements (2**20 in single precision) is gathered. A larger one: Householder
    tridiagonalisation with delayed updates on columns dealt out over ranks (Dongarra, Hammarling, Sorensen, J. Comput.
    Appl. Math. 27, 1989), two collectives of n elements per column; divide and conquer (Cuppen, Numer. Math. 36, 1981;
    Gu and Eisenstat, SIAM J. Matrix Anal. Appl. 16, 1995) with rows of the eigenvectors on every rank, n elements per
    level; the reflections, n**2 / 2 elements received per rank. No rank holds more than three blocks.

    A stack split within its matrices is dealt out along axis 0 and back. Differentiable where eigenvalues differ;
    through a large split matrix once.

    Examples
    --------
    >>> ht.linalg.eigh(ht.array([[2.0, 0.0], [0.0, 1.0]], split=0)).eigenvalues.tolist()
    [1.0, 2.0]
    """
    values, vectors = _core.eigh(native(A, "eigh", "A"), _is_upper(UPLO, "eigh"), True)
    assert vectors is not None
    return EighResult(wrap(values), wrap(vectors))


def _is_upper(uplo: str, fn: str) -> bool:
    if uplo.upper() not in ("L", "U"):
        raise ValueError(f"{fn}: UPLO must be 'L' or 'U', is {uplo!r}")
    return uplo.upper() == "U"


def eigvalsh(a: ArrayLike, UPLO: str = "L") -> DNDarray:
    """Eigenvalues of Hermitian matrices, ascending.

    Parameters
    ----------
    a : array
        (..., n, n), any split.
    UPLO : {'L', 'U'}
        As for `eigh`.

    Returns
    -------
    DNDarray
        (..., n), real: split as a along a batch axis, else replicated.

    Raises
    ------
    LinAlgError
        As `eigh`.

    Notes
    -----
    Up to order 4096 on fewer than six ranks every rank holds the whole matrix (one allgather): LAPACK's reduction in
    two stages, for eigenvalues alone, is faster than ours on a few ranks. Else a split matrix is made tridiagonal as in
    `eigh`; every rank finds its share of the eigenvalues by bisection (Golub, Van Loan: Matrix Computations, 8.4), and
    one allgather puts them together.

    Examples
    --------
    >>> ht.linalg.eigvalsh(ht.array([[2.0, 0.0], [0.0, 1.0]], split=0)).tolist()
    [1.0, 2.0]
    """
    return wrap(_core.eigh(native(a, "eigvalsh", "a"), _is_upper(UPLO, "eigvalsh"), False)[0])


def eig(a: ArrayLike) -> EigResult:
    """Eigenvalues and eigenvectors of general square matrices.

    Parameters
    ----------
    a : array
        (..., n, n), any split; integers and half precision are computed in float32.

    Returns
    -------
    EigResult
        Named tuple (eigenvalues, eigenvectors), complex also where all eigenvalues are real. Eigenvalues are
        replicated, or split along batch axes; eigenvectors, in columns, are split as a.

    Raises
    ------
    LinAlgError
        Not square; NaN or infinite entries, no convergence, on all ranks.

    Notes
    -----
    By LAPACK on matrices whole on a rank. One split matrix is gathered on every rank, whatever its size: n**2 elements
    must fit there. Where the matrix is Hermitian use `eigh`, which does not gather.

    Examples
    --------
    >>> ht.linalg.eig(ht.array([[1.0, 0.0], [0.0, 2.0]], split=0)).eigenvalues.real.tolist()
    [1.0, 2.0]
    """
    values, vectors = _core.eig(_checked(a, "eig"), True)
    assert vectors is not None
    return EigResult(wrap(values), wrap(vectors))


def eigvals(a: ArrayLike) -> DNDarray:
    """Eigenvalues of general square matrices, complex, in no particular order.

    Parameters
    ----------
    a : array
        (..., n, n), any split.

    Returns
    -------
    DNDarray
        (..., n). As `eig`, one split matrix is gathered.

    Raises
    ------
    LinAlgError
        As `eig`.

    Examples
    --------
    >>> ht.linalg.eigvals(ht.array([[1.0, 0.0], [0.0, 2.0]], split=0)).real.tolist()
    [1.0, 2.0]
    """
    return wrap(_core.eig(_checked(a, "eigvals"), False)[0])


def _checked(a: ArrayLike, fn: str) -> _core.Array:
    """Square and finite matrices: LAPACK's checks are those of the ranks that have them."""
    core = native(a, fn, "a")
    _core.check_square(core, fn)
    check_finite(core, fn)
    return core
