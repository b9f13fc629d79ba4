# SPDX-License-Identifier: BSD-3-Clause
"""Between dense arrays and sparse matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from equiheat import _core
from equiheat._base import unwrap, wrap
from equiheat.linalg import matrix_transpose as transpose
from equiheat.sparse._operators import Operators, check_kind
from equiheat.sparse.dcsx_matrix import DCSC_matrix, DCSR_matrix

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["to_dense", "to_sparse_csc", "to_sparse_csr"]


def _two_axes(array: Any, fn: str) -> DNDarray:
    x = wrap(unwrap(array, fn, "array"))
    if x.ndim != 2:
        raise ValueError(f"{fn}: the array must have 2 dimensions, has shape {x.shape}")
    check_kind(x.dtype.torch_type())
    return x


def to_sparse_csr(array: DNDarray) -> DCSR_matrix:
    """The entries of an array that are not zero, with compressed rows.

    Parameters
    ----------
    array : DNDarray
        (n, m), any dtype, any split.

    Returns
    -------
    DCSR_matrix
        Split 0 with the array's extents; for split 1 balanced, by one alltoallv of the array; else replicated.

    Raises
    ------
    ValueError
        For other than two dimensions.
    TypeError
        For uint16, uint32 and uint64.

    Examples
    --------
    >>> a = ht.array([[0, 3], [4, 0]], split=0).to_sparse_csr()
    >>> a.nnz, a.split
    (2, 0)
    """
    return DCSR_matrix._of(_core.sparse_from_dense(_two_axes(array, "to_sparse_csr")._core))


def to_sparse_csc(array: DNDarray) -> DCSC_matrix:
    """The entries of an array that are not zero, with compressed columns: split 1 with the array's extents, for split
    0 balanced by one alltoallv of the array. Otherwise as `to_sparse_csr`.

    Examples
    --------
    >>> a = ht.array([[0, 3], [4, 0]], split=1).to_sparse_csc()
    >>> a.data.tolist()
    [4, 3]
    """
    return DCSC_matrix._of(_core.sparse_from_dense(transpose(_two_axes(array, "to_sparse_csc"))._core))


def to_dense(sparse_matrix: DCSR_matrix | DCSC_matrix, order: str = "C", out: DNDarray | None = None) -> DNDarray:
    """A sparse matrix as an array of the same distribution.

    Parameters
    ----------
    sparse_matrix : DCSR_matrix or DCSC_matrix
    order : {"C", "F"}
        Order of the axes in each rank's memory.
    out : DNDarray, optional
        To write to; its shape and split must be those of the matrix.

    Returns
    -------
    DNDarray
        Local, unless `out` has other extents.

    Raises
    ------
    TypeError
        For anything else than a sparse matrix.
    ValueError
        If the shape or the split of `out` differ.

    Examples
    --------
    >>> a = ht.sparse.sparse_csr_matrix([[1, 0], [0, 2]], split=0)
    >>> ht.sparse.to_dense(a).tolist()
    [[1, 0], [0, 2]]
    """
    if not isinstance(sparse_matrix, Operators):
        raise TypeError(f"to_dense: sparse_matrix must be a sparse matrix, is {type(sparse_matrix)}")
    return sparse_matrix.to_dense(order, out)


class SparseMethods:
    """Methods of DNDarray."""

    __slots__ = ()

    def to_sparse_csr(self) -> DCSR_matrix:
        """See `sparse.to_sparse_csr`."""
        return to_sparse_csr(cast("DNDarray", self))

    def to_sparse_csc(self) -> DCSC_matrix:
        """See `sparse.to_sparse_csc`."""
        return to_sparse_csc(cast("DNDarray", self))
