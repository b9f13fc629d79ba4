# SPDX-License-Identifier: BSD-3-Clause
"""Coefficients of determination of predictions whose rows lie on several ranks."""

from __future__ import annotations

from dataclasses import dataclass

import torch

import equiheat as ht

__all__ = ["RegressionScore", "r2_score"]


@dataclass(frozen=True)
class RegressionScore:
    """R² of a regression with several targets.

    Attributes
    ----------
    pooled : float
        ``1 - RSS / TSS`` with both sums, and the one mean, taken over all elements of the target matrix (the
        definition of the SIE evaluation scripts). Dominated by the targets of largest variance, and inflated where
        the targets' means differ: predicting the right mean of each already explains their differences.
    per_parameter : tuple of float
        R² of every target column by itself.
    """

    pooled: float
    per_parameter: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Plain average of the per-parameter scores."""
        return sum(self.per_parameter) / len(self.per_parameter)


def r2_score(prediction: ht.DNDarray, target: ht.DNDarray) -> RegressionScore:
    """Pooled and per-parameter R².

    Parameters
    ----------
    prediction, target : DNDarray of shape (n, k) or (n,)
        Predicted and true values.

    Returns
    -------
    RegressionScore
        A constant target has R² 1 if it is met exactly and 0 otherwise.

    Raises
    ------
    ValueError
        If the shapes differ or there are no rows.

    Notes
    -----
    Communication: four reductions of k numbers.
    """
    if tuple(prediction.shape) != tuple(target.shape):
        raise ValueError(
            f"r2_score: prediction has shape {tuple(prediction.shape)} but target has shape {tuple(target.shape)}"
        )
    if target.shape[0] == 0:
        raise ValueError("r2_score: target has 0 rows; at least 1 is needed")
    if target.ndim == 1:
        prediction, target = prediction.reshape((-1, 1)), target.reshape((-1, 1))
    prediction, target = prediction.astype(ht.float64), target.astype(ht.float64)
    residual = target - prediction
    rss = _column_sums(residual * residual)
    mean = _column_sums(target) / target.shape[0]
    tss, pooled_tss = _spread(target, mean), _spread(target, mean.mean()).sum()
    return RegressionScore(
        pooled=_ratio(float(rss.sum()), float(pooled_tss)),
        per_parameter=tuple(_ratio(float(r), float(t)) for r, t in zip(rss, tss, strict=True)),
    )


def _column_sums(x: ht.DNDarray) -> torch.Tensor:
    """Sum over the rows, replicated, in double precision."""
    local: torch.Tensor = ht.sum(x, axis=0).larray
    return local


def _spread(target: ht.DNDarray, mean: torch.Tensor) -> torch.Tensor:
    """Sums of squared distances of the columns to a mean; 0 where they are but the rounding of that mean."""
    centred = target - ht.array(mean, comm=target.comm)
    rounding = target.shape[0] * (target.shape[0] * torch.finfo(torch.float64).eps * mean).square()
    sums = _column_sums(centred * centred)
    return torch.where(sums <= rounding, 0.0, sums)


def _ratio(rss: float, tss: float) -> float:
    if tss == 0.0:
        return 1.0 if rss == 0.0 else 0.0
    return 1.0 - rss / tss
