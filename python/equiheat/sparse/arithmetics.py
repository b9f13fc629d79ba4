# SPDX-License-Identifier: BSD-3-Clause
"""Sums and products of sparse matrices."""

from __future__ import annotations

from typing import Any

from equiheat.sparse._operators import Operators
from equiheat.sparse.dcsx_matrix import DCSC_matrix, DCSR_matrix

__all__ = ["add", "matmul", "mul"]


def _binary(fn: str, t1: Any, t2: Any, orientation: str) -> Any:
    if orientation not in ("row", "col"):
        raise ValueError(f"{fn}: orientation must be 'row' or 'col', is {orientation!r}")
    first, second = (t1, t2) if isinstance(t1, Operators) else (t2, t1)
    if not isinstance(first, Operators):
        raise TypeError(f"{fn}: one operand must be a sparse matrix, they are {type(t1)} and {type(t2)}")
    left: Any = first.tocsr() if orientation == "row" else first.tocsc()
    result = left._combined("add" if fn == "add" else "multiply", second)
    if result is NotImplemented:
        raise TypeError(f"{fn}: operands must be sparse matrices or numbers, one is {type(second)}")
    return result


def add(
    t1: DCSR_matrix | DCSC_matrix | complex, t2: DCSR_matrix | DCSC_matrix | complex, orientation: str = "row"
) -> DCSR_matrix | DCSC_matrix:
    """Sum of two sparse matrices; a number is added to the stored entries only.

    Parameters
    ----------
    t1, t2 : DCSR_matrix, DCSC_matrix or number
        Of one shape; one of them a matrix. Any splits.
    orientation : {"row", "col"}
        Format of the result: DCSR_matrix or DCSC_matrix. Operands of the other one are converted.

    Returns
    -------
    DCSR_matrix or DCSC_matrix
        Entries where either operand has one, zeros that come out included; common dtype; split of the first operand
        that is split.

    Raises
    ------
    TypeError
        If neither is a sparse matrix, or one is something else than a matrix or number.
    ValueError
        For different shapes.

    Notes
    -----
    Communication: one number per rank; an operand distributed otherwise comes by one alltoallv, a replicated one is
    sliced.

    Examples
    --------
    >>> a = ht.sparse.sparse_csr_matrix([[1, 0], [0, 2]], split=0)
    >>> ht.sparse.add(a, a).to_dense().tolist()
    [[2, 0], [0, 4]]
    """
    return _binary("add", t1, t2, orientation)


def mul(
    t1: DCSR_matrix | DCSC_matrix | complex, t2: DCSR_matrix | DCSC_matrix | complex, orientation: str = "row"
) -> DCSR_matrix | DCSC_matrix:
    """Element-wise product of two sparse matrices, or of one with a number: entries where both have one.

    Otherwise as `add`.

    Examples
    --------
    >>> a = ht.sparse.sparse_csr_matrix([[1, 0], [0, 2]], split=0)
    >>> ht.sparse.mul(a, 3).to_dense().tolist()
    [[3, 0], [0, 6]]
    """
    return _binary("mul", t1, t2, orientation)


def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product, one operand of which is sparse at least; as ``x1 @ x2``.

    Parameters
    ----------
    x1, x2 : DCSR_matrix, DCSC_matrix, DNDarray or anything `ht.array` takes
        (m, k) and (k, n), or vectors where dense. Any splits.

    Returns
    -------
    DNDarray
        Dense, if one operand is; differentiable in it. See the package for splits and communication.
    DCSR_matrix or DCSC_matrix
        In x1's format, if both are sparse.

    Raises
    ------
    TypeError
        If neither is sparse.
    ValueError
        If the shapes do not match.

    References
    ----------
    Gustavson, Two fast algorithms for sparse matrices, ACM Trans. Math. Softw. 4 (1978), for sparse times sparse.

    Examples
    --------
    >>> a = ht.sparse.sparse_csr_matrix([[1, 0], [0, 2]], split=0)
    >>> ht.sparse.matmul(a, ht.array([5, 7], split=0)).tolist()
    [5, 14]
    >>> (a @ a).to_dense().tolist()
    [[1, 0], [0, 4]]
    """
    if isinstance(x1, Operators):
        return x1.__matmul__(x2)
    if isinstance(x2, Operators):
        return x2.__rmatmul__(x1)
    raise TypeError(f"matmul: one operand must be a sparse matrix, they are {type(x1)} and {type(x2)}")
