# SPDX-License-Identifier: BSD-3-Clause
"""Linear algebra on split arrays: products, norms, factorisations, systems, eigenvalues, singular values."""

from __future__ import annotations

import importlib

from equiheat.linalg._approximate import isvd as isvd
from equiheat.linalg._approximate import reigh as reigh
from equiheat.linalg._approximate import rsvd as rsvd
from equiheat.linalg._contractions import kron as kron
from equiheat.linalg._contractions import multi_dot as multi_dot
from equiheat.linalg._contractions import tensordot as tensordot
from equiheat.linalg._decompositions import QR as QR
from equiheat.linalg._decompositions import qr as qr
from equiheat.linalg._eigen import EighResult as EighResult
from equiheat.linalg._eigen import EigResult as EigResult
from equiheat.linalg._eigen import eig as eig
from equiheat.linalg._eigen import eigh as eigh
from equiheat.linalg._eigen import eigvals as eigvals
from equiheat.linalg._eigen import eigvalsh as eigvalsh
from equiheat.linalg._einsum import einsum as einsum
from equiheat.linalg._hierarchical import hsvd as hsvd
from equiheat.linalg._hierarchical import hsvd_rank as hsvd_rank
from equiheat.linalg._hierarchical import hsvd_rtol as hsvd_rtol
from equiheat.linalg._iterative import cg as cg
from equiheat.linalg._iterative import condest as condest
from equiheat.linalg._iterative import lanczos as lanczos
from equiheat.linalg._methods import LinalgMethods as LinalgMethods
from equiheat.linalg._norms import cond as cond
from equiheat.linalg._norms import matrix_norm as matrix_norm
from equiheat.linalg._norms import norm as norm
from equiheat.linalg._norms import vector_norm as vector_norm
from equiheat.linalg._operands import ArrayLike as ArrayLike
from equiheat.linalg._operators import expm as expm
from equiheat.linalg._operators import matrix_exp as matrix_exp
from equiheat.linalg._operators import matrix_power as matrix_power
from equiheat.linalg._polar import PolarResult as PolarResult
from equiheat.linalg._polar import polar as polar
from equiheat.linalg._products import diagonal as diagonal
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
from equiheat.linalg._svd import SVDResult as SVDResult
from equiheat.linalg._svd import matrix_rank as matrix_rank
from equiheat.linalg._svd import pinv as pinv
from equiheat.linalg._svd import svd as svd
from equiheat.linalg._svd import svdvals as svdvals
from equiheat.linalg._systems import LinAlgError as LinAlgError
from equiheat.linalg._systems import SlogdetResult as SlogdetResult
from equiheat.linalg._systems import cholesky as cholesky
from equiheat.linalg._systems import det as det
from equiheat.linalg._systems import inv as inv
from equiheat.linalg._systems import slogdet as slogdet
from equiheat.linalg._systems import solve as solve
from equiheat.linalg._systems import solve_triangular as solve_triangular
from equiheat.linalg._vectors import cross as cross
from equiheat.linalg._vectors import dot as dot
from equiheat.linalg._vectors import inner as inner
from equiheat.linalg._vectors import matvec as matvec
from equiheat.linalg._vectors import projection as projection
from equiheat.linalg._vectors import vecmat as vecmat

#: What `equiheat` itself offers too. Not `diagonal`, which works on the last two axes here, on the first two there.
__all__ = [
    "cg",
    "cholesky",
    "cond",
    "condest",
    "cross",
    "det",
    "dot",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "einsum",
    "expm",
    "hsvd",
    "hsvd_rank",
    "hsvd_rtol",
    "inner",
    "inv",
    "isvd",
    "kron",
    "lanczos",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "matvec",
    "norm",
    "outer",
    "pinv",
    "polar",
    "projection",
    "qr",
    "reigh",
    "rsvd",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "tril",
    "triu",
    "vdot",
    "vecdot",
    "vecmat",
    "vector_norm",
]


def __getattr__(name: str) -> object:
    """Heat's modules, which build on this package, and `transpose`."""
    if name in ("basics", "randomized", "solver", "svdtools"):
        return importlib.import_module(f"equiheat.core.linalg.{name}")
    if name == "transpose":
        return importlib.import_module("equiheat.manipulation").transpose
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
