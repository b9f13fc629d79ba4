# SPDX-License-Identifier: BSD-3-Clause
"""Gaussian naive Bayes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat import _core, arithmetic, exponential, reductions, rounding
from equiheat._base import as_core, wrap
from equiheat._labels import codes, distinct, labels_like
from equiheat._samples import (
    check_features,
    check_finite,
    check_weights,
    finite,
    replicated,
    rowwise,
    samples,
    weights,
    whole_rows,
)
from equiheat.base import BaseEstimator, ClassificationMixin

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["GaussianNB"]


class GaussianNB(ClassificationMixin, BaseEstimator):
    """Classes whose features are independent and normally distributed.

    Parameters
    ----------
    priors : array, optional
        (classes,): their probabilities; by default the shares of the samples.
    var_smoothing : float
        Share of the largest variance of a feature that is added to all variances.

    Attributes
    ----------
    classes_ : DNDarray
        (classes,): the labels, ascending.
    class_count_, class_prior_ : DNDarray
        (classes,) float64: samples, or the sums of their weights; probabilities.
    theta_, var_ : DNDarray
        (classes, f) float64: means and variances. `sigma_` is another name of `var_`.
    epsilon_ : float
        What was added to the variances.
    n_features_in_ : int
        Features.

    Notes
    -----
    Fitting is one pass over the samples of each rank, in double precision about a sample of the class, so that an
    offset costs no digits, and two allreduces of classes * (f + 1) numbers. `partial_fit` of batches gives what `fit`
    of all samples gives, up to rounding (`epsilon_` is that of all samples seen; scikit-learn's is the last batch's).
    All fitted arrays are replicated.

    References
    ----------
    Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[-1.0, -1.0], [-2.0, -1.0], [1.0, 1.0], [2.0, 1.0]], split=0)
    >>> nb = ht.naive_bayes.GaussianNB().fit(x, ht.array([3, 3, 7, 7], split=0))
    >>> nb.predict(ht.array([[-0.8, -1.0], [3.0, 2.0]])).tolist(), nb.theta_.tolist()
    ([3, 7], [[-1.5, -1.0], [1.5, 1.0]])
    """

    classes_: DNDarray | None = None
    class_count_: DNDarray | None = None
    class_prior_: DNDarray | None = None
    theta_: DNDarray | None = None
    var_: DNDarray | None = None
    epsilon_: float | None = None
    _m2: torch.Tensor

    def __init__(self, priors: Any = None, var_smoothing: float = 1e-9) -> None:
        self.priors = priors
        self.var_smoothing = var_smoothing

    @property
    def sigma_(self) -> DNDarray | None:
        """Heat's name of `var_`."""
        return self.var_

    def fit(self, x: DNDarray, y: DNDarray, sample_weight: DNDarray | None = None) -> Self:
        """Find the means and variances of the classes.

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers, any split.
        y : DNDarray
            (n,) labels, any split.
        sample_weight : DNDarray, optional
            (n,): what each sample counts.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity; priors that are negative, of another number or do not add up to 1.
        """
        rows = whole_rows(samples(x, "GaussianNB.fit"))
        classes = distinct(y, rows, "GaussianNB.fit")
        self._forget(classes, rows)
        return self._learn(rows, y, sample_weight, "GaussianNB.fit")

    def partial_fit(
        self, x: DNDarray, y: DNDarray, classes: DNDarray | None = None, sample_weight: DNDarray | None = None
    ) -> Self:
        """Learn from further samples; parameters, costs and errors as those of `fit`.

        Parameters
        ----------
        x, y, sample_weight : DNDarray
            As in `fit`.
        classes : DNDarray
            All labels that will occur. Needed in the first call, the same or None in later ones.

        Raises
        ------
        ValueError
            No classes in the first call, others in a later one, labels that are none of them.
        """
        fn = "GaussianNB.partial_fit"
        rows = whole_rows(samples(x, fn))
        given = None if classes is None else as_core(classes, rows.comm)
        known = None if given is None else torch.unique(given.resplit(None).local)
        if self.classes_ is None:
            if known is None:
                raise ValueError(f"{fn}: classes must be given in the first call")
            self._forget(known, rows)
        elif known is not None and known.tolist() != self.classes_.larray.tolist():
            raise ValueError(f"{fn}: classes are {known.tolist()}, but were {self.classes_.tolist()} in the first call")
        check_features(rows, self._fitted("n_features_in_"), fn)
        return self._learn(rows, y, sample_weight, fn)

    def _forget(self, classes: torch.Tensor, rows: _core.Array) -> None:
        """No samples seen, of these classes. Local."""
        shape = (len(classes), rows.gshape[1])
        self.n_features_in_ = shape[1]
        self.classes_ = replicated(classes, rows)
        self.class_count_ = replicated(torch.zeros(shape[0], dtype=torch.float64), rows)
        self.theta_ = replicated(torch.zeros(shape, dtype=torch.float64), rows)
        self._m2 = torch.zeros(shape, dtype=torch.float64)

    def _learn(self, rows: _core.Array, y: Any, sample_weight: Any, fn: str) -> Self:
        """Merge the moments of these samples with those of the ones before. Collective."""
        priors = self._given_priors(fn)
        classes, before, mean = (self._fitted(n).larray for n in ("classes_", "class_count_", "theta_"))
        which = codes(labels_like(y, rows, fn), classes, rows, fn)
        if not 0 <= self.var_smoothing < math.inf:
            raise ValueError(f"{fn}: var_smoothing must be a number from 0 on, is {self.var_smoothing}")
        w = weights(sample_weight, rows, fn)
        check_weights(w, fn)
        with finite(fn, x=rows, sample_weight=w):
            count, new, m2 = (s.local.cpu() for s in _core.class_statistics(rows, which._core, len(classes), w))
        total = before + count
        share = (count / total.clamp_min(1e-300)).unsqueeze(1)
        shift = new - mean
        self._m2 = self._m2 + m2 + shift.square() * before.unsqueeze(1) * share
        mean = mean + shift * share
        self.class_count_, self.theta_ = replicated(total, rows), replicated(mean, rows)
        overall = (total / total.sum()) @ mean
        spread = (self._m2 + total.unsqueeze(1) * (mean - overall).square()).sum(0) / total.sum()
        self.epsilon_ = self.var_smoothing * float(spread.max())
        self.var_ = replicated(self._m2 / total.clamp_min(1e-300).unsqueeze(1) + self.epsilon_, rows)
        self.class_prior_ = replicated(total / total.sum() if priors is None else priors, rows)
        return self

    def _given_priors(self, fn: str) -> torch.Tensor | None:
        if self.priors is None:
            return None
        given = as_core(self.priors, None)
        n = self._fitted("classes_").shape[0]
        if given is None or tuple(given.gshape) != (n,):
            raise ValueError(f"{fn}: priors must be {n} numbers, one per class, is {self.priors!r}")
        priors = given.resplit(None).local.to(torch.float64)
        if bool((priors < 0).any()) or not math.isclose(float(priors.sum()), 1.0, rel_tol=1e-5):
            raise ValueError(f"{fn}: priors must be positive and add up to 1, are {priors.tolist()}")
        return priors

    def _joint(self, x: Any, method: str) -> tuple[_core.Array, _core.Array]:
        """The samples as rows, and log P(class) + log P(sample | class): (n, classes) float64. Collective."""
        var, theta, prior = (self._fitted(n) for n in ("var_", "theta_", "class_prior_"))
        rows = whole_rows(self._matrix(x, method))
        check_finite(rows, f"GaussianNB.{method}")
        logs = prior.larray.log() - 0.5 * (2.0 * torch.pi * var.larray).log().sum(1)
        constant = replicated(logs, rows)._core
        return rows, _core.class_log_likelihood(rows, theta._core, replicated(1.0 / var.larray, rows)._core, constant)

    def predict(self, x: DNDarray) -> DNDarray:
        """The most probable class of each sample.

        Parameters
        ----------
        x : DNDarray
            (n, f), any split.

        Returns
        -------
        DNDarray
            (n,) labels, split 0 if x is split. Local but for one allreduce of one number (the check for NaN); split 1
            is redistributed first.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features; NaN or infinity in x.
        """
        _, joint = self._joint(x, "predict")
        labels: torch.Tensor = self._fitted("classes_").larray
        return rowwise(labels[joint.local.argmax(1)], joint)

    def predict_log_proba(self, x: DNDarray) -> DNDarray:
        """Logarithms of `predict_proba`; communication and errors as in `predict`."""
        rows, joint = self._joint(x, "predict_log_proba")
        found = torch.log_softmax(joint.local, 1)
        return rowwise(found if rows.local.dtype == torch.float64 else found.to(torch.float32), rows)

    def predict_proba(self, x: DNDarray) -> DNDarray:
        """The probabilities of the classes.

        Parameters
        ----------
        x : DNDarray
            (n, f), any split.

        Returns
        -------
        DNDarray
            (n, classes), float32 or float64 as x, split as `predict` is. Communication and errors as in `predict`.
        """
        return exponential.exp(self.predict_log_proba(x))

    def logsumexp(
        self,
        a: DNDarray,
        axis: int | tuple[int, ...] | None = None,
        b: DNDarray | None = None,
        keepdims: bool = False,
        return_sign: bool = False,
    ) -> Any:
        """``log(sum(b * exp(a)))`` without overflow, as `scipy.special.logsumexp`.

        Parameters
        ----------
        a : DNDarray
            Any shape and split.
        axis : int or tuple of int, optional
            Axes to sum over; all by default.
        b : DNDarray, optional
            Factors; may be negative, broadcast with a.
        keepdims : bool
            Keep the axes with length 1.
        return_sign : bool
            Return the pair (logarithm of the magnitude, sign of the sum); without it a negative sum gives NaN.

        Notes
        -----
        Two allreduces of the result's size where the split axis is summed over.
        """
        high = reductions.max(a, axis, keepdims=True)
        high = wrap(high._core.with_local(torch.where(torch.isfinite(high.larray), high.larray, 0.0)))
        terms = exponential.exp(a - high)
        if b is not None:
            terms = terms * b
        total = reductions.sum(terms, axis, keepdims=keepdims)
        shift = high if keepdims else reductions.sum(high, axis)
        if not return_sign:
            return exponential.log(total) + shift
        return exponential.log(rounding.abs(total)) + shift, arithmetic.sign(total)
