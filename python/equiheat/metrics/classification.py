# SPDX-License-Identifier: BSD-3-Clause
"""Measures of predicted classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core
from equiheat._labels import codes, places
from equiheat._samples import check_finite, replicated, rowwise, whole_rows
from equiheat.metrics._pairs import (
    beside,
    classes_of,
    column,
    contingency,
    core_of,
    label_pair,
    same_length,
    total,
    weights_beside,
)

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = [
    "accuracy_score",
    "balanced_accuracy_score",
    "confusion_matrix",
    "f1_score",
    "log_loss",
    "precision_score",
    "recall_score",
]


def accuracy_score(
    y_true: DNDarray, y_pred: DNDarray, *, normalize: bool = True, sample_weight: DNDarray | None = None
) -> float:
    """Share of samples whose class was predicted.

    Parameters
    ----------
    y_true, y_pred : DNDarray
        (n,) classes.
    normalize : bool
        False: their number (or weight).
    sample_weight : DNDarray, optional
        (n,): what each sample counts.

    Returns
    -------
    float
        One allreduce of two numbers.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.accuracy_score(ht.array([0, 1, 2, 3], split=0), ht.array([0, 2, 2, 3]))
    0.75
    """
    true, guess = label_pair(y_true, y_pred, "accuracy_score")
    w = weights_beside(sample_weight, true, "accuracy_score")
    hits = (true.local == guess.local).double()
    w = torch.ones_like(hits) if w is None else w
    right, everything = total(torch.stack([(hits * w).sum(), w.sum()]), true).tolist()
    return right / everything if normalize else right


def confusion_matrix(
    y_true: DNDarray,
    y_pred: DNDarray,
    *,
    labels: Any = None,
    sample_weight: DNDarray | None = None,
    normalize: str | None = None,
) -> DNDarray:
    """How often each class was taken for each.

    Parameters
    ----------
    y_true, y_pred : DNDarray
        (n,) classes.
    labels : array, optional
        The classes, in the order wanted; all that occur, ascending, by default. Pairs with others are left out.
    sample_weight : DNDarray, optional
        (n,): what each sample counts.
    normalize : {'true', 'pred', 'all'}, optional
        Shares of the rows, of the columns, or of everything.

    Returns
    -------
    DNDarray
        (classes, classes), replicated: row i, column j has the samples of class i for which j was predicted; int64, or
        float64 with weights or shares. One allgather of classes and one allreduce of the matrix.

    Raises
    ------
    ValueError
        An unknown `normalize`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.confusion_matrix(ht.array([2, 0, 2, 2, 0, 1], split=0), ht.array([0, 0, 2, 2, 0, 2])).tolist()
    [[2, 0, 0], [0, 0, 1], [1, 0, 2]]
    """
    if normalize not in (None, "true", "pred", "all"):
        raise ValueError(f"confusion_matrix: normalize must be None, 'true', 'pred' or 'all', is {normalize!r}")
    true, table, classes = _table(y_true, y_pred, sample_weight, "confusion_matrix")
    if labels is not None:
        padded = torch.nn.functional.pad(table, (0, 1, 0, 1))
        place = _chosen(labels, classes, true, "confusion_matrix")
        table = padded[place][:, place]
    if normalize is None:
        return replicated(table if sample_weight is not None else table.long(), true)
    whole = {"true": table.sum(1, keepdim=True), "pred": table.sum(0, keepdim=True), "all": table.sum()}[normalize]
    return replicated((table / whole).nan_to_num(0.0), true)


def _chosen(labels: Any, classes: torch.Tensor, like: _core.Array, fn: str) -> torch.Tensor:
    """Places of these labels among the classes; of one that does not occur the place behind them. Local, unless the
    labels are split.
    """
    wanted = column(labels, fn, "labels", like).resplit(None).local
    place, known = places(wanted, classes)
    return torch.where(known, place, len(classes))


def _table(y_true: Any, y_pred: Any, w: Any, fn: str) -> tuple[_core.Array, torch.Tensor, torch.Tensor]:
    """(labels of this rank, table of pairs, classes). Collective."""
    true, guess = label_pair(y_true, y_pred, fn)
    classes = classes_of([true, guess], fn)
    return true, contingency(true, guess, classes, classes, weights_beside(w, true, fn), fn), classes


def balanced_accuracy_score(
    y_true: DNDarray, y_pred: DNDarray, *, sample_weight: DNDarray | None = None, adjusted: bool = False
) -> float:
    """Mean of the shares predicted of each class, whatever its size.

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As in `accuracy_score`.
    adjusted : bool
        0 for guesses at random, 1 for a perfect prediction.

    Returns
    -------
    float
        Communication as `confusion_matrix`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.balanced_accuracy_score(ht.array([0, 0, 0, 1], split=0), ht.array([0, 0, 0, 0]))
    0.5
    """
    _, table, _ = _table(y_true, y_pred, sample_weight, "balanced_accuracy_score")
    present = table.sum(1) > 0
    shares = (table.diagonal() / table.sum(1))[present]
    if not adjusted:
        return float(shares.mean())
    chance = 1.0 / len(shares)
    return float((shares.mean() - chance) / (1.0 - chance))


def _shares(
    y_true: Any, y_pred: Any, labels: Any, pos_label: Any, average: str | None, w: Any, zero: Any, fn: str, which: str
) -> Any:
    """Precision, recall or F1 by scikit-learn's averages. Collective as `confusion_matrix`."""
    if average not in (None, "binary", "micro", "macro", "weighted"):
        raise ValueError(f"{fn}: average must be None, 'binary', 'micro', 'macro' or 'weighted', is {average!r}")
    true, table, classes = _table(y_true, y_pred, w, fn)
    columns = [table.diagonal(), table.sum(0), table.sum(1)]
    if average == "binary":
        own = _positive_class(classes, pos_label, fn)
        columns = [v[own] for v in columns] if len(own) else [v.new_zeros(1) for v in columns]
    elif labels is not None:
        chosen = _chosen(labels, classes, true, fn)
        columns = [torch.nn.functional.pad(v, (0, 1))[chosen] for v in columns]
    if average == "micro":
        columns = [v.sum().reshape(1) for v in columns]
    hits, predicted, support = columns
    above, below = {"precision": (hits, predicted), "recall": (hits, support), "f1": (2 * hits, predicted + support)}[
        which
    ]
    scores = torch.where(below > 0, above / below.clamp_min(1e-300), 0.0 if zero == "warn" else float(zero))
    return replicated(scores, true) if average is None else _averaged(scores, support, average, float(scores[0]))


def _positive_class(classes: torch.Tensor, pos_label: Any, fn: str) -> torch.Tensor:
    """The place of the class that counts among one or two; of none if it does not occur beside a single other. Local.

    Raises
    ------
    ValueError
        More than two classes, or two others.
    """
    if len(classes) > 2:
        raise ValueError(f"{fn}: {len(classes)} classes, but average='binary'; choose another average")
    own = (classes == pos_label).nonzero().flatten()
    if len(own) == 0 and len(classes) == 2:
        raise ValueError(f"{fn}: pos_label={pos_label!r} is none of the classes {classes.tolist()}")
    return own


def _averaged(scores: torch.Tensor, support: torch.Tensor, average: str, alone: float) -> float:
    """Mean of the scores that are numbers; `alone` where no class counts. Local."""
    weights = torch.where(scores.isnan(), 0.0, support if average == "weighted" else torch.ones_like(scores))
    everything = float(weights.sum())
    return float((scores.nan_to_num() * weights).sum()) / everything if everything else alone


def precision_score(
    y_true: DNDarray,
    y_pred: DNDarray,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: DNDarray | None = None,
    zero_division: float | str = 0.0,
) -> Any:
    """Share of the samples predicted as a class that are of it.

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As in `accuracy_score`.
    labels : array, optional
        The classes that count, in the order wanted; all that occur, ascending, by default. Not for 'binary'.
    pos_label : number
        The class that counts for ``average='binary'``.
    average : {'binary', 'micro', 'macro', 'weighted'} or None
        Of one class; of all samples together; mean over classes; the same weighted by their samples; an array of all.
    zero_division : float or 'warn'
        For classes without samples that count; NaN leaves them out of means. 'warn' (scikit-learn's default) is 0.

    Returns
    -------
    float, or DNDarray (classes,)
        Communication as `confusion_matrix`.

    Raises
    ------
    ValueError
        An unknown average; for 'binary' more than two classes, or two without `pos_label`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.precision_score(ht.array([0, 1, 1, 0], split=0), ht.array([1, 1, 1, 0])) * 3
    2.0
    """
    fn = "precision_score"
    return _shares(y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, fn, "precision")


def recall_score(
    y_true: DNDarray,
    y_pred: DNDarray,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: DNDarray | None = None,
    zero_division: float | str = 0.0,
) -> Any:
    """Share of the samples of a class that are predicted as it. Parameters and communication: `precision_score`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.recall_score(ht.array([0, 1, 1, 0], split=0), ht.array([1, 1, 0, 0]))
    0.5
    """
    fn = "recall_score"
    return _shares(y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, fn, "recall")


def f1_score(
    y_true: DNDarray,
    y_pred: DNDarray,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: DNDarray | None = None,
    zero_division: float | str = 0.0,
) -> Any:
    """Harmonic mean of precision and recall. Parameters and communication: `precision_score`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.metrics.f1_score(ht.array([0, 1, 1, 0], split=0), ht.array([1, 1, 0, 0]))
    0.5
    """
    return _shares(y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, "f1_score", "f1")


def log_loss(
    y_true: DNDarray,
    y_pred: DNDarray,
    *,
    normalize: bool = True,
    sample_weight: DNDarray | None = None,
    labels: Any = None,
) -> float:
    """Mean of the negative logarithm of the probability that was given to the class of each sample.

    Parameters
    ----------
    y_true : DNDarray
        (n,) classes.
    y_pred : DNDarray
        (n, classes) probabilities, of the classes ascending; or (n,) of the second of two classes.
    normalize : bool
        False: the sum.
    sample_weight : DNDarray, optional
        (n,): what each sample counts.
    labels : array, optional
        The classes, where not all occur in y_true.

    Returns
    -------
    float
        One allreduce of two numbers beside what finds the classes.

    Raises
    ------
    ValueError
        Another number of classes than columns.

    Examples
    --------
    >>> import equiheat as ht
    >>> round(ht.metrics.log_loss(ht.array([0, 1], split=0), ht.array([[0.9, 0.1], [0.2, 0.8]])), 4)
    0.1643
    """
    fn = "log_loss"
    true = column(y_true, fn, "y_true")
    given = whole_rows(core_of(y_pred, fn, "y_pred", true))
    same_length(true, given, fn, ("y_true", "y_pred"))
    if true.split is None and given.split is not None:
        true = beside(true, given)
    given = beside(given, true)
    check_finite(given, fn, "the probabilities")
    known = [true] if labels is None else [core_of(labels, fn, "labels", true).resplit(None)]
    classes = classes_of(known, fn)
    share = given.local.double()
    if share.ndim == 1 or share.shape[1] == 1:
        share = share.reshape(-1, 1)
        share = torch.cat([1 - share, share], 1)
    if share.shape[1] != len(classes):
        raise ValueError(f"{fn}: y_pred has {share.shape[1]} columns for {len(classes)} classes; pass labels")
    own = codes(true.local, classes, true, fn).larray
    eps = torch.finfo(given.local.dtype if given.local.is_floating_point() else torch.float64).eps
    losses = -(share / share.sum(1, keepdim=True)).clamp(eps, 1 - eps).gather(1, own.unsqueeze(1)).squeeze(1).log()
    w = weights_beside(sample_weight, true, fn)
    w = torch.ones_like(losses) if w is None else w
    summed, everything = total(torch.stack([(losses * w).sum(), w.sum()]), rowwise(losses, true)._core).tolist()
    return summed / everything if normalize else summed
