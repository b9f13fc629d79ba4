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
    prediction, target : DNDarray of shape (n, k), split=0
        Predicted and true values, distributed alike.

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
    residual = target - prediction
    rss = _column_sums(residual * residual)
    mean = _column_sums(target) / target.shape[0]
    centred = target - ht.array(mean, comm=target.comm)
    tss = _column_sums(centred * centred)
    shifted = target - ht.array(mean.mean(), comm=target.comm)
    pooled_tss = _column_sums(shifted * shifted).sum()
    return RegressionScore(
        pooled=_ratio(float(rss.sum()), float(pooled_tss)),
        per_parameter=tuple(_ratio(float(r), float(t)) for r, t in zip(rss, tss, strict=True)),
    )


def _column_sums(x: ht.DNDarray) -> torch.Tensor:
    """Sum over the rows, replicated, in double precision."""
    local: torch.Tensor = ht.sum(x.astype(ht.float64), axis=0).larray
    return local


def _ratio(rss: float, tss: float) -> float:
    if tss == 0.0:
        return 1.0 if rss == 0.0 else 0.0
    return 1.0 - rss / tss
