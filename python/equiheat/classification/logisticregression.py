# SPDX-License-Identifier: BSD-3-Clause
"""Logistic regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat import _core, exponential
from equiheat._base import wrap
from equiheat._labels import encoded
from equiheat._progress import Progress
from equiheat._samples import (
    check_finite,
    finite,
    no_weight,
    positive,
    replicated,
    rowwise,
    samples,
    vector,
    whole_rows,
)
from equiheat.base import BaseEstimator, ClassificationMixin
from equiheat.classification._logistic import Problem, minimise
from equiheat.communication import Communicator
from equiheat.regression._linear import predictions

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["LogisticRegression"]


class LogisticRegression(ClassificationMixin, BaseEstimator):
    """Class probabilities that are softmax (for two classes: logistic) functions of linear ones.

    Minimises ``sum(w_i * -log P(y_i | x_i)) + norm(coef)**2 / (2 C)``; intercepts are not penalised.

    Parameters
    ----------
    C : float
        Inverse of the penalty; infinity: none.
    tol : float
        Stop when no derivative of the mean (of scaled features) is larger, or when two steps in a row did not lower it
        by more than rounding does.
    fit_intercept : bool
        Fit intercepts.
    class_weight : {'balanced'} or dict, optional
        What samples of each class count, beside sample_weight; 'balanced': all classes together the same.
    max_iter : int
        Iterations at most; ConvergenceWarning where they do not suffice.
    verbose : bool
        Draw a progress bar on rank 0.

    Attributes
    ----------
    classes_ : DNDarray
        (classes,): the labels, ascending.
    coef_, intercept_ : DNDarray
        (classes, f) and (classes,), for two classes (1, f) and (1,); replicated, in the type of x.
    n_iter_ : int
        Iterations made.
    n_features_in_ : int
        Features.

    Notes
    -----
    L-BFGS with a strong Wolfe line search, in double precision, of features that are shifted to mean 0 and scaled to
    equal curvature on the way: offsets and unequal scales do not slow it down (the penalty is that of the coefficients
    themselves, so the minimum is scikit-learn's). Loss and gradient are one pass over blocks of the samples of each
    rank, with no (n, classes) matrix, and one allreduce of classes * (f + 1) + 1 numbers. Samples split 1 are
    redistributed.

    References
    ----------
    Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Program. 45 (1989).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0.0], [1.0], [2.0], [3.0]], split=0)
    >>> model = ht.classification.LogisticRegression().fit(x, ht.array([5, 5, 7, 7], split=0))
    >>> model.predict(ht.array([[0.5], [2.5]])).tolist()
    [5, 7]
    """

    classes_: DNDarray | None = None
    coef_: DNDarray | None = None
    intercept_: DNDarray | None = None
    n_iter_: int | None = None
    _exact: tuple[torch.Tensor, torch.Tensor]

    def __init__(
        self,
        C: float = 1.0,
        *,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        class_weight: Any = None,
        max_iter: int = 100,
        verbose: bool = False,
    ) -> None:
        self.C = C
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.verbose = verbose

    def fit(self, x: DNDarray, y: DNDarray, sample_weight: DNDarray | None = None) -> Self:
        """Find the coefficients.

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers, any split.
        y : DNDarray
            (n,) labels, any split, of at least two classes.
        sample_weight : DNDarray, optional
            (n,): what each sample counts.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity, a single class, shapes that do not match, parameters out of range.
        """
        fn = "LogisticRegression.fit"
        rows = whole_rows(samples(x, fn))
        if not self.C > 0:
            raise ValueError(f"{fn}: C must be positive, is {self.C}")
        sweeps = positive(self.max_iter, fn, "max_iter")
        classes, which = encoded(y, rows, fn)
        count = classes.shape[0]
        if count < 2:
            raise ValueError(f"{fn}: y has one class, {classes.tolist()}; at least 2 are needed")
        w, total = self._weights(sample_weight, which, classes, rows, fn)
        mass = rowwise(w, rows)._core
        with finite(fn, x=rows, sample_weight=mass):
            _, mean, variance, _, _ = _core.column_statistics(rows, mass, fn)
        penalty = 1.0 / (self.C * total)
        curvature = 0.25 * variance.local + penalty  # of the objective, about: all directions alike after scaling
        scale = torch.where(curvature > 0, curvature.sqrt(), 1.0)
        shift = mean.local if self.fit_intercept else torch.zeros_like(mean.local)
        problem = Problem(rows, which.larray, w, total, count, shift, scale, penalty, self.fit_intercept)
        with Progress("LogisticRegression", sweeps, self.verbose, problem.comm) as bar:
            theta, self.n_iter_ = minimise(problem, sweeps, self.tol, bar)
        self.classes_, self.n_features_in_ = classes, rows.gshape[1]
        coef, intercept = problem.unscaled(theta)
        self._exact = coef.t().contiguous(), intercept
        dtype = torch.float64 if rows.local.dtype == torch.float64 else torch.float32
        self.coef_, self.intercept_ = (replicated(v.to(dtype), rows) for v in (coef, intercept))
        return self

    def _weights(
        self, sample_weight: Any, which: DNDarray, classes: DNDarray, rows: _core.Array, fn: str
    ) -> tuple[torch.Tensor, float]:
        """Weights of this rank's samples, float64, and their sum over all ranks. Collective: one allreduce or two."""
        comm = Communicator._of(rows.comm)
        own = torch.ones(rows.local.shape[0], dtype=torch.float64)
        if sample_weight is not None:
            core = vector(sample_weight, rows, fn, "sample_weight")
            placed = core.resplit(None) if rows.counts is None else core.resplit(0).redistribute(rows.counts)
            own = placed.local.double()
        sums = torch.bincount(which.larray, own, minlength=classes.shape[0]).double()  # int64 of no samples
        sums = comm.allreduce(sums) if rows.is_distributed else sums
        if not float(sums.sum()) > 0:
            raise no_weight(fn)
        if self.class_weight is None:
            return own, float(sums.sum())
        if self.class_weight == "balanced":
            factors = torch.where(sums > 0, sums.sum() / (len(sums) * sums), 0.0)
        elif isinstance(self.class_weight, dict):
            without = [c for c in classes.tolist() if c not in self.class_weight]
            if without and len(self.class_weight) != len(classes) - len(without):  # a name that is none of them
                raise ValueError(f"{fn}: the classes {without} are not in class_weight, {self.class_weight}")
            factors = torch.tensor([float(self.class_weight.get(c, 1.0)) for c in classes.tolist()]).double()
            if not bool(((factors >= 0) & (factors < torch.inf)).all()):
                raise ValueError(f"{fn}: class_weight must be numbers from 0 on, is {self.class_weight}")
        else:
            raise ValueError(f"{fn}: class_weight must be None, 'balanced' or a dict, is {self.class_weight!r}")
        total = float((sums * factors).sum())
        if not total > 0:
            raise no_weight(fn)
        return own * factors[which.larray], total

    def decision_function(self, x: DNDarray) -> DNDarray:
        """The linear functions: (n, classes), for two classes (n,); split and communication as in `predict`."""
        fn = "LogisticRegression.decision_function"
        core = self._matrix(x, "decision_function")
        check_finite(core, fn)
        coef, intercept = self._exact
        return predictions(core, coef, intercept, coef.shape[1] == 1)

    def predict_log_proba(self, x: DNDarray) -> DNDarray:
        """Logarithms of `predict_proba`. Differentiable."""
        found = self.decision_function(x)._core
        if found.ndim == 1:
            margin = found.local
            return rowwise(torch.nn.functional.logsigmoid(torch.stack([-margin, margin], 1)), found)
        return wrap(found.with_local(torch.log_softmax(found.local, 1)))

    def predict_proba(self, x: DNDarray) -> DNDarray:
        """Probabilities of the classes: (n, classes), float32 or float64 as x. Split and communication as in `predict`.
        Differentiable.
        """
        return exponential.exp(self.predict_log_proba(x))

    def predict(self, x: DNDarray) -> DNDarray:
        """The most probable class of each sample.

        Parameters
        ----------
        x : DNDarray
            (n, f), any split.

        Returns
        -------
        DNDarray
            (n,) labels, split 0 if x is split 0, else replicated. One allreduce of one number; one of (n, classes)
            where x is split 1.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features, NaN or infinity in x.
        """
        found = self.decision_function(x)._core
        code = (found.local > 0).long() if found.ndim == 1 else found.local.argmax(1)
        labels: torch.Tensor = self._fitted("classes_").larray
        return rowwise(labels[code], found)
