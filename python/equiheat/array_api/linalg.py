# SPDX-License-Identifier: BSD-3-Clause
"""Linear algebra extension of the standard: `equiheat.linalg` with the standard's signatures.

Split rules, costs and errors are those of the functions of the same name there.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from equiheat.array_api._dtypes import int64, uint16, uint32, uint64
from equiheat.array_api._heat import Array, Axis, DType, ht
from equiheat.array_api._statistics import _total
from equiheat.manipulation import _axis

# fmt: off
__all__ = [
    "cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals",
    "tensordot", "trace", "vecdot", "vector_norm",
]
# fmt: on


class EigResult(NamedTuple):
    """Eigenvalues and, as columns, eigenvectors."""

    eigenvalues: Array
    eigenvectors: Array


class EighResult(NamedTuple):
    """Eigenvalues in ascending order and, as columns, eigenvectors."""

    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """Orthonormal columns and an upper triangle."""

    Q: Array
    R: Array


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the magnitude of the determinant."""

    sign: Array
    logabsdet: Array


class SVDResult(NamedTuple):
    """Left singular vectors, singular values, right singular vectors as rows."""

    U: Array
    S: Array
    Vh: Array


def _through_int64(function: Callable[..., Array], x1: Array, x2: Array, **options: Any) -> Array:
    """A product of arrays; unsigned integers beyond 8 bits go through int64, which holds it modulo their range."""
    kind = ht.result_type(x1.dtype, x2.dtype)
    if kind not in (uint16, uint32, uint64):
        return function(x1, x2, **options)
    return function(x1.astype(int64), x2.astype(int64), **options).astype(kind)


def cholesky(x: Array, /, *, upper: builtins.bool = False) -> Array:
    """Cholesky factor, lower unless `upper`."""
    return ht.linalg.cholesky(x, upper=upper)


def cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """Cross products of vectors of three elements along an axis; other axes broadcast."""
    for x in (x1, x2):
        if x.shape[_axis(axis, x.ndim, "cross")] != 3:
            raise ValueError(f"cross: vectors have 3 elements, axis {axis} of an array of shape {x.shape} has not")
    return _through_int64(ht.linalg.cross, x1, x2, axis=axis)


def det(x: Array, /) -> Array:
    """Determinants."""
    return ht.linalg.det(x)


def diagonal(x: Array, /, *, offset: int = 0) -> Array:
    """Diagonals of the matrices in the last two axes."""
    return ht.diagonal(x, offset, -2, -1)


def eig(x: Array, /) -> EigResult:
    """Eigenvalues and eigenvectors, complex."""
    return EigResult(*ht.linalg.eig(x))


def eigh(x: Array, /) -> EighResult:
    """Eigenvalues and eigenvectors of Hermitian matrices."""
    return EighResult(*ht.linalg.eigh(x))


def eigvals(x: Array, /) -> Array:
    """Eigenvalues, complex."""
    return ht.linalg.eigvals(x)


def eigvalsh(x: Array, /) -> Array:
    """Eigenvalues of Hermitian matrices in ascending order."""
    return ht.linalg.eigvalsh(x)


def inv(x: Array, /) -> Array:
    """Inverses."""
    return ht.linalg.inv(x)


def matmul(x1: Array, x2: Array, /) -> Array:
    """Matrix products; see `equiheat.matmul`."""
    return _through_int64(ht.matmul, x1, x2)


def matrix_norm(x: Array, /, *, keepdims: builtins.bool = False, ord: Any = "fro") -> Array:
    """Norms of the matrices in the last two axes."""
    return ht.linalg.matrix_norm(x, axis=(-2, -1), keepdims=keepdims, ord=ord)


def matrix_power(x: Array, n: int, /) -> Array:
    """Integer powers of square matrices."""
    return ht.linalg.matrix_power(x, n)


def matrix_rank(x: Array, /, *, rtol: Any = None) -> Array:
    """Number of singular values above `rtol` times the largest."""
    return ht.linalg.matrix_rank(x, rtol=rtol)


def matrix_transpose(x: Array, /) -> Array:
    """The last two axes swapped."""
    return ht.matrix_transpose(x)


def outer(x1: Array, x2: Array, /) -> Array:
    """Products of all pairs of elements of two vectors."""
    if (x1.ndim, x2.ndim) != (1, 1):
        raise ValueError(f"outer: two vectors are needed, the arrays have shapes {x1.shape} and {x2.shape}")
    return _through_int64(ht.outer, x1, x2)


def pinv(x: Array, /, *, rtol: Any = None) -> Array:
    """Moore-Penrose inverses."""
    return ht.linalg.pinv(x, rtol=rtol)


def qr(x: Array, /, *, mode: Literal["reduced", "complete"] = "reduced") -> QRResult:
    """QR decompositions."""
    return QRResult(*ht.linalg.qr(x, mode=mode))


def slogdet(x: Array, /) -> SlogdetResult:
    """Signs and logarithms of the magnitudes of determinants."""
    return SlogdetResult(*ht.linalg.slogdet(x))


def solve(x1: Array, x2: Array, /) -> Array:
    """Solutions of x1 y = x2; a vector x2 is one right-hand side."""
    return ht.linalg.solve(x1, x2)


def svd(x: Array, /, *, full_matrices: builtins.bool = True) -> SVDResult:
    """Singular value decompositions."""
    return SVDResult(*ht.linalg.svd(x, full_matrices=full_matrices))


def svdvals(x: Array, /) -> Array:
    """Singular values in descending order."""
    return ht.linalg.svdvals(x)


def tensordot(x1: Array, x2: Array, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Array:
    """Sums of products over pairs of axes; see `equiheat.tensordot`."""
    return _through_int64(ht.tensordot, x1, x2, axes=axes)


def trace(x: Array, /, *, offset: int = 0, dtype: DType = None) -> Array:
    """Sums along diagonals of the matrices in the last two axes; types as `sum`."""
    return ht.trace(x, offset, -2, -1, dtype=_total(x, dtype))


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """Inner products of vectors along an axis, the first one conjugated; see `equiheat.vecdot`."""
    if x1.shape[_axis(axis, x1.ndim, "vecdot")] != x2.shape[_axis(axis, x2.ndim, "vecdot")]:
        raise ValueError(f"vecdot: axis {axis} differs in length, the arrays have shapes {x1.shape} and {x2.shape}")
    return _through_int64(ht.vecdot, x1, x2, axis=axis)


def vector_norm(x: Array, /, *, axis: Axis = None, keepdims: builtins.bool = False, ord: Any = 2) -> Array:
    """Norms of vectors over axes, of all elements without."""
    return ht.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
