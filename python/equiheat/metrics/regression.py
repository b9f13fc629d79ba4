# SPDX-License-Identifier: BSD-3-Clause
"""Measures of predicted numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from equiheat._samples import replicated
from equiheat.communication import Communicator
from equiheat.metrics._pairs import target_pair, total, weights_beside

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = [
    "explained_variance_score",
    "max_error",
    "mean_absolute_error",
    "mean_squared_error",
    "r2_score",
    "root_mean_squared_error",
]


class _Errors:
    """Targets and errors of this rank's samples, (n, t) float64, and sums over all samples."""

    def __init__(self, y_true: Any, y_pred: Any, sample_weight: Any, fn: str) -> None:
        true, guess = target_pair(y_true, y_pred, fn)
        self.like, self.true = true, true.local
        self.errors = self.true - guess.local
        w = weights_beside(sample_weight, true, fn)
        self._w = torch.ones(len(self.true), dtype=torch.float64) if w is None else w

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Weighted means of the columns. Collective: one allreduce."""
        sums = torch.cat([(values * self._w.unsqueeze(1)).sum(0), self._w.sum().reshape(1)])
        sums = total(sums, self.like)
        return sums[:-1] / sums[-1]

    def averaged(self, scores: torch.Tensor, multioutput: Any, fn: str, weights: torch.Tensor | None = None) -> Any:
        """One number of one per target. Local."""
        if isinstance(multioutput, str):
            if multioutput == "raw_values":
                return replicated(scores, self.like)
            if multioutput == "variance_weighted" and weights is not None:
                return float((scores * weights).sum() / weights.sum()) if float(weights.sum()) else float(scores.mean())
            if multioutput != "uniform_average":
                raise ValueError(f"{fn}: unknown multioutput {multioutput!r}")
            return float(scores.mean())
        w = torch.as_tensor(multioutput, dtype=torch.float64)
        if w.shape != scores.shape:
            raise ValueError(f"{fn}: multioutput has {w.numel()} weights for {scores.numel()} targets")
        return float((scores * w).sum() / w.sum())


def mean_squared_error(
    y_true: DNDarray, y_pred: DNDarray, *, sample_weight: DNDarray | None = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of the squared errors.

    Parameters
    ----------
    y_true, y_pred : DNDarray
        (n,) or (n, targets) numbers.
    sample_weight : DNDarray, optional
        (n,): what each sample counts.
    multioutput : {'uniform_average', 'raw_values'} or array
        Mean over the targets, one number for each, or a mean with these weights.

    Returns
    -------
    float, or DNDarray (targets,)
        One allreduce of targets + 1 numbers, beside the check for NaN.

    Raises
    ------
    ValueError
        Shapes that do not match, NaN or infinity.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.mean_squared_error(ht.array([3.0, -0.5, 2.0, 7.0], split=0), ht.array([2.5, 0.0, 2.0, 8.0]))
    0.375
    """
    e = _Errors(y_true, y_pred, sample_weight, "mean_squared_error")
    return e.averaged(e.mean(e.errors.square()), multioutput, "mean_squared_error")


def root_mean_squared_error(
    y_true: DNDarray, y_pred: DNDarray, *, sample_weight: DNDarray | None = None, multioutput: Any = "uniform_average"
) -> Any:
    """Root of the mean squared error of each target. Otherwise as `mean_squared_error`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.root_mean_squared_error(ht.array([3.0, 1.0], split=0), ht.array([1.0, -1.0]))
    2.0
    """
    e = _Errors(y_true, y_pred, sample_weight, "root_mean_squared_error")
    return e.averaged(e.mean(e.errors.square()).sqrt(), multioutput, "root_mean_squared_error")


def mean_absolute_error(
    y_true: DNDarray, y_pred: DNDarray, *, sample_weight: DNDarray | None = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of the errors' magnitudes. Otherwise as `mean_squared_error`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.mean_absolute_error(ht.array([3.0, -0.5, 2.0, 7.0], split=0), ht.array([2.5, 0.0, 2.0, 8.0]))
    0.5
    """
    e = _Errors(y_true, y_pred, sample_weight, "mean_absolute_error")
    return e.averaged(e.mean(e.errors.abs()), multioutput, "mean_absolute_error")


def max_error(y_true: DNDarray, y_pred: DNDarray) -> float:
    """Largest magnitude of an error.

    Parameters
    ----------
    y_true, y_pred : DNDarray
        (n,) numbers.

    Returns
    -------
    float
        One allreduce of one number, beside the check for NaN.

    Raises
    ------
    ValueError
        More than one target, shapes that do not match, NaN or infinity.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.max_error(ht.array([3.0, 2.0, 7.0], split=0), ht.array([4.0, 2.0, 7.0]))
    1.0
    """
    e = _Errors(y_true, y_pred, None, "max_error")
    if e.errors.shape[1] != 1:
        raise ValueError(f"max_error: one target is needed, there are {e.errors.shape[1]}")
    largest = e.errors.abs().max().reshape(1) if e.errors.numel() else torch.zeros(1, dtype=torch.float64)
    return float(Communicator._of(e.like.comm).allreduce(largest, "max") if e.like.is_distributed else largest)


def _explained(
    y_true: Any, y_pred: Any, sample_weight: Any, multioutput: Any, force_finite: bool, centred: bool, fn: str
) -> Any:
    """1 - (mean square, or variance, of the errors) / (variance of the targets). Collective: three allreduces."""
    e = _Errors(y_true, y_pred, sample_weight, fn)
    mean = e.mean(torch.cat([e.true, e.errors], 1))
    t = e.true.shape[1]
    errors = e.errors - mean[t:] if centred else e.errors
    squares = e.mean(torch.cat([(e.true - mean[:t]).square(), errors.square()], 1))
    spread, left = squares[:t], squares[t:]
    scores = 1.0 - left / spread
    if not centred and e.like.gshape[0] < 2:
        scores = torch.full_like(scores, torch.nan)
    elif force_finite:
        scores = torch.where(spread > 0, scores, torch.where(left > 0, 0.0, 1.0))
    return e.averaged(scores, multioutput, fn, spread)


def r2_score(
    y_true: DNDarray,
    y_pred: DNDarray,
    *,
    sample_weight: DNDarray | None = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """R squared: 1 for exact predictions, 0 for the mean, negative for worse ones; NaN of a single sample.

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As in `mean_squared_error`.
    multioutput : {'uniform_average', 'raw_values', 'variance_weighted'} or array
        As there; or a mean weighted by the variances of the targets.
    force_finite : bool
        For constant targets 1 if exact, else 0, instead of NaN and minus infinity.

    Returns
    -------
    float, or DNDarray (targets,)
        Two allreduces of 2 targets + 1 numbers, beside the check for NaN.

    Raises
    ------
    ValueError
        As `mean_squared_error`.

    Examples
    --------
    >>> import equiheat as ht
    >>> round(ht.metrics.r2_score(ht.array([3.0, -0.5, 2.0, 7.0], split=0), ht.array([2.5, 0.0, 2.0, 8.0])), 4)
    0.9486
    """
    return _explained(y_true, y_pred, sample_weight, multioutput, force_finite, False, "r2_score")


def explained_variance_score(
    y_true: DNDarray,
    y_pred: DNDarray,
    *,
    sample_weight: DNDarray | None = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """As `r2_score`, of predictions whose mean error is forgiven.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.explained_variance_score(ht.array([1.0, 2.0], split=0), ht.array([2.0, 3.0]))
    1.0
    """
    fn = "explained_variance_score"
    return _explained(y_true, y_pred, sample_weight, multioutput, force_finite, True, fn)
