# SPDX-License-Identifier: BSD-3-Clause
"""Least squares with a penalty on magnitudes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat import _core, reductions
from equiheat._base import wrap
from equiheat._samples import check_finite, finite, positive, samples
from equiheat.base import BaseEstimator, RegressionMixin
from equiheat.regression._linear import predictions, targets

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["Lasso"]


class Lasso(RegressionMixin, BaseEstimator):
    """Minimises ``norm(y - x @ theta)**2 / (2 n) + lam * sum(abs(theta[1:]))``.

    As in Heat the first column of x is taken to be that of the intercept (all ones): its coefficient is not penalised.
    With `fit_intercept` x has features only.

    Parameters
    ----------
    lam : float
        The penalty; scikit-learn's alpha.
    max_iter : int
        Sweeps over all coefficients, at most.
    tol : float, optional
        Stop when a sweep moved theta by less, as root mean square; None: never.
    fit_intercept : bool
        Fit an intercept beside the columns of x, all of which are penalised. x and y are centred for it.

    Attributes
    ----------
    theta : DNDarray
        (f, t): all coefficients, the intercept first; (f + 1, t) with `fit_intercept`.
    coef_, intercept_ : DNDarray
        theta[1:], theta[0]; without the last axis where y was 1-D.
    n_iter_ : int
        Sweeps made. `n_iter` is another name.
    n_features_in_ : int
        Columns of x.

    Notes
    -----
    Coordinate descent on the Gram matrix: one pass over the samples of each rank, in double precision, one allreduce of
    (f + t)**2 numbers; the sweeps send nothing and cost f**2 each. With `fit_intercept` one allreduce of f + t numbers
    more. Heat's update leaves out the division by the mean square of a column and so needs columns with mean square 1;
    here any columns will do, with the same result for those. Fitted arrays are replicated, in the type of x.

    References
    ----------
    Friedman, Hastie, Hoefling, Tibshirani, "Pathwise coordinate optimization", Ann. Appl. Stat. 1 (2007).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0, -1.0], [1.0, 0.0], [1.0, 1.0]], split=0)
    >>> ht.regression.Lasso(lam=0.0).fit(x, ht.array([1.0, 3.0, 5.0], split=0)).theta.round(4).tolist()
    [[3.0], [2.0]]
    """

    _multi_output = True
    n_iter_: int | None = None
    _theta: DNDarray | None = None
    _flat: bool = True

    def __init__(
        self,
        lam: float | None = 0.1,
        max_iter: int | None = 100,
        tol: float | None = 1e-6,
        *,
        fit_intercept: bool = False,
    ) -> None:
        self.lam = lam
        self.max_iter = max_iter
        self.tol = tol
        self.fit_intercept = fit_intercept

    @property
    def lam(self) -> float | None:
        """The penalty."""
        return self._lam

    @lam.setter
    def lam(self, value: float | None) -> None:
        self._lam = value

    @property
    def theta(self) -> DNDarray | None:
        """All coefficients, the intercept first; None before `fit`."""
        return self._theta

    @property
    def coef_(self) -> DNDarray | None:
        """Coefficients but for the intercept; None before `fit`."""
        if self._theta is None:
            return None
        return self._theta[1:, 0] if self._flat else self._theta[1:]

    @property
    def intercept_(self) -> DNDarray | None:
        """The intercept; None before `fit`."""
        if self._theta is None:
            return None
        return self._theta[0, 0] if self._flat else self._theta[0]

    @property
    def n_iter(self) -> int | None:
        """Heat's name of `n_iter_`."""
        return self.n_iter_

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` was called. Local."""
        return self._theta is not None

    def fit(self, x: DNDarray, y: DNDarray) -> Self:
        """Find the coefficients.

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers, any split.
        y : DNDarray
            (n,) or (n, t) targets, any split; every column is fitted by itself.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity, shapes that do not match, a negative penalty.
        """
        core = samples(x, "Lasso.fit")
        y2, self._flat = targets(y, core, "Lasso.fit")
        penalty = 0.0 if self.lam is None else float(self.lam)
        if not penalty >= 0:
            raise ValueError(f"Lasso.fit: lam must not be negative, is {self.lam}")
        sweeps = positive(100 if self.max_iter is None else self.max_iter, "Lasso.fit", "max_iter")
        tol = -1.0 if self.tol is None else float(self.tol)
        first = 0 if self.fit_intercept else 1
        options = (penalty, 0.0, first, sweeps, tol, self.fit_intercept)
        with finite("Lasso.fit", x=core, y=y2):
            theta, intercept, self.n_iter_ = _core.lasso(core, y2, *options)
        self.n_features_in_ = core.gshape[1]
        whole = torch.cat([intercept.local.unsqueeze(0), theta.local]) if self.fit_intercept else theta.local
        whole = whole.to(torch.float64 if core.local.dtype == torch.float64 else torch.float32)
        self._theta = wrap(_core.Array(whole, list(whole.shape), None, None, core.comm))
        self._exact = (theta.local, intercept.local)
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
        check_finite(core, "Lasso.predict")
        return predictions(core, *self._exact, self._flat)

    def rmse(self, gt: DNDarray, yest: DNDarray) -> float:
        """Root of the mean squared difference of two arrays, the same number on every rank. One allreduce."""
        difference = gt - yest
        return float(reductions.mean(difference * difference)) ** 0.5

    def soft_threshold(self, rho: Any) -> Any:
        """``sign(rho) * max(abs(rho) - lam, 0)`` of a number or, by elements, of an array."""
        lam = 0.0 if self.lam is None else float(self.lam)
        if isinstance(rho, (int, float)):
            return rho - min(max(rho, -lam), lam)
        return rho - rho.clip(-lam, lam)
