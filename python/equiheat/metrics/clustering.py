# SPDX-License-Identifier: BSD-3-Clause
"""Measures of the agreement of two partitions, whatever their labels are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from equiheat.metrics._pairs import classes_of, contingency, label_pair

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["adjusted_rand_score", "normalized_mutual_info_score"]


def _table(labels_true: Any, labels_pred: Any, fn: str) -> torch.Tensor:
    true, guess = label_pair(labels_true, labels_pred, fn)
    return contingency(true, guess, classes_of([true], fn), classes_of([guess], fn), None, fn)


def adjusted_rand_score(labels_true: DNDarray, labels_pred: DNDarray) -> float:
    """Share of pairs of samples that both partitions keep together or both keep apart, corrected for chance.

    Parameters
    ----------
    labels_true, labels_pred : DNDarray
        (n,) labels.

    Returns
    -------
    float
        1 for equal partitions, about 0 for independent ones. Two allgathers of labels, one allreduce of their table.

    References
    ----------
    Hubert and Arabie, "Comparing partitions", J. Classification 2 (1985).

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.adjusted_rand_score(ht.array([0, 0, 1, 1], split=0), ht.array([7, 7, 3, 3]))
    1.0
    """
    table = _table(labels_true, labels_pred, "adjusted_rand_score")
    n = float(table.sum())
    together = float(table.square().sum())
    rows, columns = float(table.sum(1).square().sum()), float(table.sum(0).square().sum())
    both = together - n  # ordered pairs that both keep together, and so on
    first, second = rows - together, columns - together
    apart = n * n - rows - columns + together
    if first == 0 and second == 0:
        return 1.0
    return (
        2.0 * (both * apart - first * second) / ((both + second) * (second + apart) + (both + first) * (first + apart))
    )


def normalized_mutual_info_score(labels_true: DNDarray, labels_pred: DNDarray) -> float:
    """What one partition says about the other, as a share of the mean of their entropies.

    Parameters
    ----------
    labels_true, labels_pred : DNDarray
        (n,) labels.

    Returns
    -------
    float
        Between 0 and 1. Communication as `adjusted_rand_score`.

    Examples
    --------
    >>> import equiheat as ht
    >>> round(ht.metrics.normalized_mutual_info_score(ht.array([0, 0, 1, 1], split=0), ht.array([7, 7, 3, 3])), 6)
    1.0
    """
    share = _table(labels_true, labels_pred, "normalized_mutual_info_score")
    if share.shape[0] == share.shape[1] == 1:
        return 1.0
    share = share / share.sum()
    rows, columns = share.sum(1, keepdim=True), share.sum(0, keepdim=True)
    mutual = float((share * (share.clamp_min(1e-300) / (rows * columns)).log()).sum())
    entropy = sum(float(-(p * p.clamp_min(1e-300).log()).sum()) for p in (rows, columns))
    return min(1.0, max(0.0, 2.0 * mutual / entropy)) if entropy > 0 else 0.0
