# SPDX-License-Identifier: BSD-3-Clause
"""Least squares and ridge regression."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from equiheat import _core
from equiheat._base import wrap
from equiheat.linalg._operands import ArrayLike, check_finite, native_pair

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class LeastSquares(NamedTuple):
    """Result of `lstsq`, in NumPy's order."""

    x: DNDarray
    residuals: DNDarray
    rank: int
    s: DNDarray


class Ridge(NamedTuple):
    """Result of `ridge`: predictions are ``x @ coef + intercept``."""

    coef: DNDarray
    intercept: DNDarray


def lstsq(a: ArrayLike, b: ArrayLike, rcond: float | None = None) -> LeastSquares:
    """The x of least norm among those that minimise ``norm(b - a @ x)``, as `numpy.linalg.lstsq`.

    Parameters
    ----------
    a : array
        (m, n), any shape, rank and split; integers and half precision are computed in float32.
    b : array
        (m,) or (m, k), any split.
    rcond : float, optional
        Singular values up to ``rcond * s[0]`` count as zero. None: machine precision times max(m, n); -1: machine
        precision.

    Returns
    -------
    LeastSquares
        Named tuple of

        * ``x`` (n,) or (n, k): replicated if m >= n; split 0 if m < n and a is split;
        * ``residuals`` (k,), (1,) for 1-D b: squared residuals; (0,) if the rank is below n or m <= n;
        * ``rank`` : int;
        * ``s`` (min(m, n),): singular values of a, largest first.

    Raises
    ------
    ValueError
        a not 2-D, b not 1-D or 2-D, different numbers of rows.
    LinAlgError
        a has NaN or infinite entries, on all ranks.

    Distribution
    ------------
    By `qr` of a (of its transpose if m < n), whose R (min(m, n) squared) and its singular value decomposition are on
    every rank; a is redistributed first unless its longer axis is split. Beyond that: one allreduce of (n, k).

    Differentiable in x and residuals as long as the rank does not change; s has no gradient.
    """
    left, right = native_pair("lstsq", ("a", "b"), a, b)
    check_finite(left, "lstsq")
    x, residuals, rank, s = _core.lstsq(left, right, rcond)
    return LeastSquares(wrap(x), wrap(residuals), rank, wrap(s))


def ridge(
    x: ArrayLike,
    y: ArrayLike,
    alpha: float | Iterable[float],
    *,
    fit_intercept: bool = True,
    method: Literal["cholesky", "qr"] = "cholesky",
    precise: bool = True,
) -> Ridge:
    """Minimise ``norm(y - x @ coef - intercept)**2 + alpha * norm(coef)**2`` for every target.

    Parameters
    ----------
    x : array
        (n, d) samples, any split; split 0 needs no redistribution.
    y : array
        (n,) or (n, t) targets.
    alpha : float or iterable of float
        Penalty, finite and >= 0. Several ones are solved from one reduction of the data.
    fit_intercept : bool
        Fit an intercept, which is not penalised. Without it ``intercept`` is zero.
    method : {'cholesky', 'qr'}
        Cholesky of the Gram matrix, or QR of x, which does not square its condition number and gives the solution of
        least norm for alpha = 0.
    precise : bool
        Means, Gram matrix and solution in float64 for float32 samples too; the result has the samples' dtype.

    Returns
    -------
    Ridge
        Named tuple of ``coef`` (d,) or (d, t) and ``intercept`` () or (t,), with a leading axis of alphas if there
        are several. Replicated.

    Raises
    ------
    ValueError
        Shapes that do not match, no samples, alpha negative, infinite or empty, unknown method; with 'cholesky' a
        Gram matrix that is not positive definite (on all ranks alike).

    Distribution
    ------------
    One allreduce of d + t means with `fit_intercept`; then one allreduce of (d, d + t) for 'cholesky', `qr` of x and
    one allreduce of (min(n, d), t) for 'qr'. Differentiable in x and y.
    """
    several = isinstance(alpha, Iterable)
    alphas = [float(value) for value in alpha] if isinstance(alpha, Iterable) else [float(alpha)]
    samples = native_pair("ridge", ("x", "y"), x, y)
    coef, intercept = _core.ridge(*samples, alphas, several, fit_intercept, method, precise)
    return Ridge(wrap(coef), wrap(intercept))
