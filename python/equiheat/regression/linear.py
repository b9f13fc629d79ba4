# SPDX-License-Identifier: BSD-3-Clause
"""Least squares, with scikit-learn's penalties and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import check_finite, finite, positive, samples
from equiheat.base import BaseEstimator, RegressionMixin
from equiheat.regression._linear import predictions, targets

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["ElasticNet", "LinearRegression", "Ridge"]


class _Linear(RegressionMixin, BaseEstimator):
    """Predictions ``x @ coef_ + intercept_``; subclasses find the coefficients."""

    _multi_output = True
    coef_: DNDarray | None = None
    intercept_: DNDarray | None = None
    _exact: tuple[torch.Tensor, torch.Tensor]
    _flat: bool = True

    def _solve(self, x: _core.Array, y: _core.Array, fn: str) -> tuple[torch.Tensor, torch.Tensor]:
        """(f, t) and (t,), float64, the same on every rank."""
        raise NotImplementedError

    def fit(self, x: DNDarray, y: DNDarray) -> Self:
        """Find the coefficients.

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers, any split.
        y : DNDarray
            (n,) or (n, t) targets, any split.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity, shapes that do not match, parameters out of range.
        """
        fn = f"{type(self).__name__}.fit"
        core = samples(x, fn)
        y2, self._flat = targets(y, core, fn)
        coef, intercept = self._exact = self._solve(core, y2, fn)
        dtype = torch.float64 if core.local.dtype == torch.float64 else torch.float32
        self.n_features_in_ = core.gshape[1]
        shown = (coef[:, 0], intercept[0]) if self._flat else (coef.t().contiguous(), intercept)
        self.coef_, self.intercept_ = (
            wrap(_core.Array(t.to(dtype).clone(), list(t.shape), None, None, core.comm)) for t in shown
        )
        return self

    def predict(self, x: DNDarray) -> DNDarray:
        """Targets of samples.

        Parameters
        ----------
        x : DNDarray
            (n, f), any split.

        Returns
        -------
        DNDarray
            (n,), or (n, t) where y was 2-D; split 0 if x is split 0, else replicated. One allreduce of one
            number; one of (n, t) where x is split 1. Differentiable.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features, NaN or infinity in x.
        """
        core = self._matrix(x, "predict")
        check_finite(core, f"{type(self).__name__}.predict")
        return predictions(core, *self._exact, self._flat)


class ElasticNet(_Linear):
    """Minimises ``norm(y - x w - b)**2 / (2 n) + alpha * (l1_ratio * |w|_1 + (1 - l1_ratio) / 2 * norm(w)**2)``.

    Parameters
    ----------
    alpha : float
        The penalty.
    l1_ratio : float
        Share of the penalty on magnitudes, in [0, 1].
    fit_intercept : bool
        Fit the intercept b, which is not penalised.
    max_iter : int
        Sweeps over all coefficients, at most.
    tol : float
        Stop when a sweep moved the coefficients by less, as root mean square.

    Attributes
    ----------
    coef_, intercept_ : DNDarray
        (f,) and (); (t, f) and (t,) for y with t columns. Replicated, in the type of x.
    n_iter_ : int
        Sweeps made.
    n_features_in_ : int
        Features.

    Notes
    -----
    Cost as that of `Lasso`.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[-1.0], [0.0], [1.0]], split=0)
    >>> ht.regression.ElasticNet(alpha=0.0).fit(x, ht.array([1.0, 3.0, 5.0], split=0)).coef_.round(4).tolist()
    [2.0]
    """

    n_iter_: int | None = None

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-6,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    def _solve(self, x: _core.Array, y: _core.Array, fn: str) -> tuple[torch.Tensor, torch.Tensor]:
        alpha, ratio = float(self.alpha), float(self.l1_ratio)
        if not (alpha >= 0 and 0 <= ratio <= 1):
            raise ValueError(f"{fn}: alpha must be >= 0 and l1_ratio in [0, 1], are {self.alpha}, {self.l1_ratio}")
        sweeps = positive(self.max_iter, fn, "max_iter")
        options = (alpha * ratio, alpha * (1 - ratio), 0, sweeps, float(self.tol), self.fit_intercept)
        with finite(fn, x=x, y=y):
            theta, intercept, self.n_iter_ = _core.lasso(x, y, *options)
        return theta.local, intercept.local


class Ridge(_Linear):
    """Minimises ``norm(y - x w - b)**2 + alpha * norm(w)**2``.

    Parameters
    ----------
    alpha : float
        The penalty.
    fit_intercept : bool
        Fit the intercept b, which is not penalised.

    Attributes
    ----------
    coef_, intercept_ : DNDarray
        (f,) and (); (t, f) and (t,) for y with t columns. Replicated, in the type of x.
    n_features_in_ : int
        Features.

    Notes
    -----
    `ht.linalg.ridge` of centred samples in double precision: one pass over the samples of each rank, an allreduce of
    f + t means and one of (f, f + t) products. For alpha = 0 by QR, as `LinearRegression`. A double-precision copy of
    float32 samples is made.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[-1.0], [0.0], [1.0]], split=0)
    >>> ht.regression.Ridge(2.0).fit(x, ht.array([1.0, 3.0, 5.0], split=0)).coef_.round(4).tolist()
    [1.0]
    """

    def __init__(self, alpha: float = 1.0, *, fit_intercept: bool = True) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def _penalty(self) -> float:
        return float(self.alpha)

    def _solve(self, x: _core.Array, y: _core.Array, fn: str) -> tuple[torch.Tensor, torch.Tensor]:
        check_finite(x, fn)
        check_finite(y, fn, "y")
        penalty = self._penalty()
        wide = [a if a.local.dtype == torch.float64 else wrap(a).astype(torch.float64)._core for a in (x, y)]
        method = "cholesky" if penalty > 0 else "qr"
        found = _core.ridge(wide[0], wide[1], [penalty], False, self.fit_intercept, method, True)
        coef, intercept = (a.resplit(None).local.detach() for a in found)
        return coef, intercept


class LinearRegression(Ridge):
    """Least squares: minimises ``norm(y - x w - b)**2``; the w of least norm if there are several.

    Parameters
    ----------
    fit_intercept : bool
        Fit the intercept b.

    Attributes
    ----------
    coef_, intercept_ : DNDarray
        (f,) and (); (t, f) and (t,) for y with t columns. Replicated, in the type of x.
    n_features_in_ : int
        Features.

    Notes
    -----
    By QR of the centred samples (`ht.linalg.ridge`), which does not square their condition number.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[-1.0], [0.0], [1.0]], split=0)
    >>> ht.regression.LinearRegression().fit(x, ht.array([1.0, 3.0, 5.0], split=0)).coef_.round(4).tolist()
    [2.0]
    """

    def __init__(self, *, fit_intercept: bool = True) -> None:
        self.fit_intercept = fit_intercept

    def _penalty(self) -> float:
        return 0.0
