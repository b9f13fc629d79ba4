# SPDX-License-Identifier: BSD-3-Clause
"""Polar decomposition."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import native
from equiheat.linalg._decompositions import orthonormal
from equiheat.linalg._eigen import eigh
from equiheat.linalg._halley import hermitian_factor, unitary_factor
from equiheat.linalg._norms import vector_norm
from equiheat.linalg._operands import DOUBLE, ArrayLike, adjoint
from equiheat.linalg._svd import SVDResult, svd

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class PolarResult(NamedTuple):
    """Result of `polar`: the matrix is ``U @ H``."""

    U: DNDarray
    H: DNDarray


def polar(
    A: ArrayLike,
    r: int | None = None,
    calcH: bool = True,
    condition_estimate: float = 1.0e16,
    silent: bool = True,
    r_max: int = 8,
) -> PolarResult | DNDarray:
    """Polar decomposition ``A = U @ H``: U with orthonormal columns, H Hermitian and positive semidefinite.

    Parameters
    ----------
    A : array
        (m, n) with m >= n, any split; real or complex.
    r, r_max, silent
        Accepted for Heat's programs: the iteration has one fixed degree, and nothing is printed.
    calcH : bool
        False: U alone.
    condition_estimate : float
        An upper bound of the condition number, for a large split matrix: a smaller one saves iterations. Up to 1:
        the worst case is assumed.

    Returns
    -------
    PolarResult or DNDarray
        Named tuple (U, H). A split matrix: U split as A, H too if the matrix is large, else replicated.

    Raises
    ------
    ValueError
        A is not a matrix or has fewer rows than columns.

    Notes
    -----
    From the singular value decomposition; large split matrices in double precision (see `svd`) by the QR-based
    dynamically weighted Halley iteration (Nakatsukasa, Bai, Gygi, SIAM J. Matrix Anal. Appl. 31, 2010), backward
    stable, at most six steps: two or three by QR of a (m + n, n) matrix, the rest by Cholesky, each about five times
    m * n elements received.

    Examples
    --------
    >>> ht.linalg.polar(ht.array([[0.0, 2.0], [3.0, 0.0]], split=0)).H.round(4).tolist()
    [[3.0, 0.0], [0.0, 2.0]]
    """
    core = _core.to_factorable(native(A, "polar", "A"))
    if core.ndim != 2 or core.gshape[0] < core.gshape[1]:
        raise ValueError(f"polar: A must be a matrix with at least as many rows as columns, has shape {core.gshape}")
    if _core.is_large_svd(core) and core.local.dtype not in DOUBLE:
        u = _completed(unitary_factor(wrap(core), condition_estimate), wrap(core))
        return PolarResult(u, hermitian_factor(u, wrap(core))) if calcH else u
    u, h = _from_svd(wrap(core))
    return PolarResult(u, h) if calcH else u


def _completed(u: DNDarray, a: DNDarray) -> DNDarray:
    """U with orthonormal columns also where the matrix is singular."""
    n = u.shape[1]
    if abs(vector_norm(u).item() ** 2 - n) <= 1e-10 * n:
        return u
    v = eigh(hermitian_factor(u, a)).eigenvectors[:, ::-1]
    return (orthonormal(u @ v) @ adjoint(v)).resplit(u.split)


def _from_svd(a: DNDarray) -> tuple[DNDarray, DNDarray]:
    factors = svd(a)
    assert isinstance(factors, SVDResult)
    u, s, vh = factors
    v = wrap(_core.adjoint(vh._core))
    return u @ vh, (v * s) @ vh
