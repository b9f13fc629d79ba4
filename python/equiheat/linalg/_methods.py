# SPDX-License-Identifier: BSD-3-Clause
"""Methods of the array class."""

from __future__ import annotations

from equiheat.linalg._decompositions import qr
from equiheat.linalg._eigen import eig, eigh
from equiheat.linalg._norms import norm
from equiheat.linalg._products import matmul, outer, trace, tril, triu
from equiheat.linalg._svd import svd
from equiheat.linalg._systems import cholesky, det, inv
from equiheat.linalg._vectors import dot


class LinalgMethods:
    """Linear algebra of `DNDarray`."""

    __slots__ = ()

    cholesky = cholesky
    det = det
    dot = dot
    eig = eig
    eigh = eigh
    inv = inv
    matmul = matmul
    norm = norm
    outer = outer
    qr = qr
    svd = svd
    trace = trace
    tril = tril
    triu = triu
