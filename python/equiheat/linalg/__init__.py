# SPDX-License-Identifier: BSD-3-Clause
"""Linear algebra on split arrays: products, norms, QR, least squares, ridge regression."""

from __future__ import annotations

from equiheat.linalg._decompositions import QR as QR
from equiheat.linalg._decompositions import qr as qr
from equiheat.linalg._norms import matrix_norm as matrix_norm
from equiheat.linalg._norms import norm as norm
from equiheat.linalg._norms import vector_norm as vector_norm
from equiheat.linalg._operands import ArrayLike as ArrayLike
from equiheat.linalg._products import dot as dot
from equiheat.linalg._products import matmul as matmul
from equiheat.linalg._products import matrix_transpose as matrix_transpose
from equiheat.linalg._products import outer as outer
from equiheat.linalg._products import trace as trace
from equiheat.linalg._products import tril as tril
from equiheat.linalg._products import triu as triu
from equiheat.linalg._products import vdot as vdot
from equiheat.linalg._products import vecdot as vecdot
from equiheat.linalg._regression import LeastSquares as LeastSquares
from equiheat.linalg._regression import Ridge as Ridge
from equiheat.linalg._regression import lstsq as lstsq
from equiheat.linalg._regression import ridge as ridge
