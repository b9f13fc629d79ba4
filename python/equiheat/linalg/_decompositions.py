# SPDX-License-Identifier: BSD-3-Clause
"""Factorisations of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import native
from equiheat.linalg._operands import ArrayLike

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class QR(NamedTuple):
    """Result of `qr`: ``Q @ R`` is the matrix. Q is None in mode 'r'."""

    Q: DNDarray | None
    R: DNDarray


def qr(A: ArrayLike, mode: Literal["reduced", "complete", "r"] = "reduced", procs_to_merge: int = 2) -> QR:
    """QR factorisation ``A = Q @ R``, Q with orthonormal columns, R upper triangular.

    The diagonal of R is real and not negative, so that the factors of a matrix of full rank are the same at any
    number of ranks.

    Parameters
    ----------
    A : DNDarray
        (..., m, n), any shape and split; integers and half precision are computed in float32.
    mode : {'reduced', 'complete', 'r'}
        Q (m, k) and R (k, n) with k = min(m, n); Q (m, m) and R (m, n); R alone.
    procs_to_merge : int
        Accepted for Heat's programs: the triangles of all ranks are merged at once.

    Returns
    -------
    QR
        Named tuple (Q, R); Q is None in mode 'r'.

    Raises
    ------
    ValueError
        Fewer than 2 dimensions, unknown mode.
    NotImplementedError
        The gradient of mode 'complete' with m > n.

    Distribution
    ------------
    A split 0: Q split 0, R replicated. A split 1: both split 1. A replicated or split along a batch axis: both alike.
    A stack split within its matrices is redistributed along axis 0 and back; R stays split 0 if the rows were split.

    Tall matrices: a local factorisation and one of the stacked local triangles: one allgather, at most twice the size
    of a rank's block. With few columns, far from dependent: CholeskyQR2 (Yamamoto et al., ETNA 44, 2015), as accurate,
    with two allreduces of n * n + 1 elements; the second Gram matrix tells whether it is safe. Others, and those not
    much longer than wide, are gathered if they have at most 2**20 elements (2**18 on more than 3 ranks). Larger ones:
    columns are dealt out in panels of 64, which makes one alltoallv there and one back; each panel is broadcast twice.
    Peak memory per rank: three blocks, and R where it is replicated.

    Differentiable in modes 'reduced' and 'r' if the first k columns are linearly independent.
    """
    if not hasattr(procs_to_merge, "__index__"):
        raise TypeError(f"qr: procs_to_merge must be an integer, is {type(procs_to_merge)}")
    q, r = _core.qr(native(A, "qr", "A"), mode)
    return QR(None if q is None else wrap(q), wrap(r))


def orthonormal(a: DNDarray, complete: bool = False) -> DNDarray:
    """Q of `qr`. Collective."""
    q, _ = _core.qr(a._core, "complete" if complete else "reduced")
    assert q is not None
    return wrap(q)
