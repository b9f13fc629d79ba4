# SPDX-License-Identifier: BSD-3-Clause
"""Matrices whose properties are known, to test and time linear algebra with."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import equiheat as ht
from equiheat.dtypes import canonical_heat_type

if TYPE_CHECKING:
    from equiheat.array import DNDarray
    from equiheat.communication import Communicator

__all__ = ["hermitian", "parter", "random_known_rank", "random_known_singularvalues", "random_orthogonal"]


def hermitian(
    n: builtins.int,
    dtype: Any = None,
    split: builtins.int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    positive_definite: builtins.bool = False,
) -> DNDarray:
    """A random Hermitian matrix; symmetric for a real type.

    Parameters
    ----------
    n : int
        Rows and columns.
    dtype : data type, optional
        complex64 unless given; float32, float64 or complex128.
    split : int, optional
        Axis to split.
    device, comm
        Where the matrix lies.
    positive_definite : bool
        False: R + R^H with standard normal entries in R. True: R R^H / n, a Wishart matrix.

    Returns
    -------
    DNDarray
        Shape (n, n). The same numbers at any rank count.

    Raises
    ------
    ValueError
        For a type that is not floating.

    Notes
    -----
    Communication: a transposition (one alltoallv), or the matrix product.

    Examples
    --------
    >>> x = ht.utils.data.matrixgallery.hermitian(4, ht.float64, split=0)
    >>> bool(ht.equal(x, x.T))
    True
    """
    kind = ht.complex64 if dtype is None else canonical_heat_type(dtype)
    parts: dict[Any, Any] = {
        ht.float32: ht.float32,
        ht.float64: ht.float64,
        ht.complex64: ht.float32,
        ht.complex128: ht.float64,
    }
    if kind not in parts:
        raise ValueError(f"hermitian: dtype must be float32, float64, complex64 or complex128, is {kind.__name__}")
    where = {"split": split, "device": device, "comm": comm}
    entries = ht.random.randn(n, n, dtype=parts[kind], **where)
    if kind is not parts[kind]:
        entries = entries + 1j * ht.random.randn(n, n, dtype=parts[kind], **where)
    adjoint = ht.conj(entries).T
    if positive_definite:
        product = ht.matmul(entries, adjoint) / n
        return (0.5 * (product + ht.conj(product).T.resplit(split))).resplit(split)  # rounding spoils the symmetry
    return entries + adjoint.resplit(split)


def parter(
    n: builtins.int,
    split: builtins.int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    dtype: Any = None,
) -> DNDarray:
    """The Parter matrix 1 / (j - i + 1/2), a Toeplitz matrix most of whose singular values are close to pi.

    Parameters
    ----------
    n : int
        Rows and columns.
    split : None, 0 or 1
        Axis to split; ValueError for another one.
    device, comm
        Where the matrix lies.
    dtype : data type, optional
        float32 unless given.

    Returns
    -------
    DNDarray
        Shape (n, n). Communication: none.

    References
    ----------
    S. V. Parter, On the distribution of the singular values of Toeplitz matrices, Linear Algebra and its Applications
    80 (1986).

    Examples
    --------
    >>> ht.utils.data.matrixgallery.parter(2).tolist()
    [[2.0, 0.6666666865348816], [-2.0, 2.0]]
    """
    if split not in (None, 0, 1):
        raise ValueError(f"parter: split must be None, 0 or 1, is {split!r}")
    kind = ht.float32 if dtype is None else dtype
    with ht.default_split(None):
        rows = ht.arange(n, dtype=kind, split=0 if split == 0 else None, device=device, comm=comm)
        columns = ht.arange(n, dtype=kind, split=0 if split == 1 else None, device=device, comm=comm)
    return 1.0 / (columns.expand_dims(0) - rows.expand_dims(1) + 0.5)


def random_orthogonal(
    m: builtins.int,
    n: builtins.int,
    split: builtins.int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    dtype: Any = None,
) -> DNDarray:
    """Orthonormal columns: the factor Q of a matrix of normal entries (not the uniform distribution).

    Parameters
    ----------
    m, n : int
        Rows and columns, n at most m.
    split, device, comm
        Where the matrix lies.
    dtype : data type, optional
        float32 unless given.

    Returns
    -------
    DNDarray
        Shape (m, n). Communication: a QR decomposition of a matrix split along the rows.

    Raises
    ------
    RuntimeError
        If there are more columns than rows.

    Examples
    --------
    >>> q = ht.utils.data.matrixgallery.random_orthogonal(6, 2, split=0, dtype=ht.float64)
    >>> bool(ht.allclose(q.T @ q, ht.eye(2, dtype=ht.float64)))
    True
    """
    if n > m:
        raise RuntimeError(f"random_orthogonal: {m} rows cannot hold {n} orthonormal columns")
    kind = ht.float32 if dtype is None else dtype
    entries = ht.random.randn(m, n, dtype=kind, split=None if split is None else 0, device=device, comm=comm)
    q = ht.linalg.qr(entries)[0]
    assert q is not None
    return q.resplit(split)


def random_known_singularvalues(
    m: builtins.int,
    n: builtins.int,
    singular_values: DNDarray,
    split: builtins.int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    dtype: Any = None,
) -> tuple[DNDarray, tuple[DNDarray, DNDarray, DNDarray]]:
    """A matrix U diag(s) V^T of given singular values s and random singular vectors.

    Parameters
    ----------
    m, n : int
        Rows and columns.
    singular_values : DNDarray
        1-D, at most min(m, n) of them, in any order.
    split, device, comm
        Where the matrix and its factors lie.
    dtype : data type, optional
        float32 unless given.

    Returns
    -------
    tuple
        The matrix (m, n), and (U, s, V) with as many columns as singular values.

    Raises
    ------
    RuntimeError
        If `singular_values` is no 1-D DNDarray, or too long.

    Notes
    -----
    Communication: two QR decompositions and a matrix product.

    Examples
    --------
    >>> s = ht.array([3.0, 1.0], dtype=ht.float64)
    >>> a, _ = ht.utils.data.matrixgallery.random_known_singularvalues(5, 4, s, split=0, dtype=ht.float64)
    >>> ht.round(ht.linalg.svdvals(a), 6).tolist()
    [3.0, 1.0, 0.0, 0.0]
    """
    fn = "random_known_singularvalues"
    if not isinstance(singular_values, ht.DNDarray):
        raise RuntimeError(f"{fn}: singular_values must be a DNDarray, is {type(singular_values)}")
    if singular_values.ndim != 1 or singular_values.shape[0] > min(m, n):
        raise RuntimeError(
            f"{fn}: singular_values must be 1-D with at most {min(m, n)} elements, has shape {singular_values.shape}"
        )
    r = singular_values.shape[0]
    u = random_orthogonal(m, r, split, device, comm, dtype)
    v = random_orthogonal(n, r, split, device, comm, dtype)
    scale = singular_values.resplit(None).astype(u.dtype, copy=False)
    return ht.matmul(u * scale, v.T).resplit(split), (u, singular_values, v)


def _exponential(u: DNDarray) -> DNDarray:
    return -ht.log(1 - u)


def random_known_rank(
    m: builtins.int,
    n: builtins.int,
    r: builtins.int,
    quantile_function: Callable[[DNDarray], DNDarray] = _exponential,
    split: builtins.int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    dtype: Any = None,
) -> tuple[DNDarray, tuple[DNDarray, DNDarray, DNDarray]]:
    """A random matrix of rank r, whose singular values come from a distribution, in descending order.

    Parameters
    ----------
    m, n, r : int
        Rows, columns, rank.
    quantile_function : callable
        From uniform numbers in [0, 1) to the distribution; default: the exponential one.
    split, device, comm
        Where the matrix and its factors lie.
    dtype : data type, optional
        float32 unless given.

    Returns
    -------
    tuple
        As `random_known_singularvalues`.

    Raises
    ------
    RuntimeError
        If the rank is larger than min(m, n).

    Examples
    --------
    >>> a, (u, s, v) = ht.utils.data.matrixgallery.random_known_rank(6, 5, 2, dtype=ht.float64)
    >>> int(ht.linalg.matrix_rank(a))
    2
    """
    if r > min(m, n):
        raise RuntimeError(f"random_known_rank: the rank of a {m} x {n} matrix is at most {min(m, n)}, r is {r}")
    kind = ht.float32 if dtype is None else dtype
    with ht.default_split(None):
        uniform = ht.random.rand(r, dtype=kind, device=device, comm=comm)
    values = ht.sort(quantile_function(uniform), descending=True)
    return random_known_singularvalues(m, n, values, split, device, comm, dtype)
