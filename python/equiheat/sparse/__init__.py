# SPDX-License-Identifier: BSD-3-Clause
"""Sparse matrices split over the ranks: rows compressed (`DCSR_matrix`) or columns compressed (`DCSC_matrix`).

Distribution
------------
A DCSR_matrix has split None or 0, a DCSC_matrix None or 1; the transpose of one is the other around the same memory.
Every rank has whole rows (columns) and knows how many entries each rank has. Within a row (column) entries are in
order and every place occurs once; zeros may be stored.

Splits of results (N: None; a, b sparse, x dense; the first of a row is the left operand)::

    a + b, a * b         split of the first operand that is split; the other is sliced, or moved by one alltoallv
    DCSR[0] @ x[N,0,1]   0, extents of a        DCSR[N] @ x[N,0,1]   N, 0, 1
    DCSC[1] @ x[N,0,1]   0, balanced            DCSC[N] @ x[N,0,1]   N, 0, 1
    x[N,0,1] @ DCSC[1]   1, extents of a        x[N,0,1] @ DCSC[N]   N, 0, 1
    x[N,0,1] @ DCSR[0]   1, balanced            x[N,0,1] @ DCSR[N]   N, 0, 1
    a @ b                a's format; split if either is
    a.sum(axis)          0 if a is split (extents of a along its split, else balanced); replicated without axis
    a.max(axis), a.min(axis), a.diagonal()    as a.sum
    a * x, a.multiply(x) a's; x broadcasts, and is redistributed to a's extents
    a[rows, columns]     a's, balanced along chosen rows (columns) of the compressed axis

A product with a vector is split 0 if either operand is split.

Communication
-------------
Products fetch only the rows of the second operand that a rank's own entries name (for the transposed cases: send only
the rows of the result they touch), in one alltoallv. Which these are is found out at the first product and kept with
the matrix, so that iterations pay for one message per pair of ranks. Formats are converted by one alltoallv of the
entries.

Differentiable: products with a dense operand, in that operand. Sparse matrices live on the CPU.
"""

from __future__ import annotations

from equiheat.sparse.arithmetics import add as add
from equiheat.sparse.arithmetics import matmul as matmul
from equiheat.sparse.arithmetics import mul as mul
from equiheat.sparse.dcsx_matrix import DCSC_matrix as DCSC_matrix
from equiheat.sparse.dcsx_matrix import DCSR_matrix as DCSR_matrix
from equiheat.sparse.factories import sparse_csc_matrix as sparse_csc_matrix
from equiheat.sparse.factories import sparse_csr_matrix as sparse_csr_matrix
from equiheat.sparse.manipulations import to_dense as to_dense
from equiheat.sparse.manipulations import to_sparse_csc as to_sparse_csc
from equiheat.sparse.manipulations import to_sparse_csr as to_sparse_csr

# fmt: off
__all__ = [
    "DCSC_matrix", "DCSR_matrix", "add", "matmul", "mul", "sparse_csc_matrix", "sparse_csr_matrix", "to_dense",
    "to_sparse_csc", "to_sparse_csr",
]
# fmt: on
