# SPDX-License-Identifier: BSD-3-Clause
"""Linear classification of frozen features: multinomial logistic regression by full-batch L-BFGS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

import equiheat as ht
from equiheat.communication import Communicator
from equiheat.ssl.probes._rows import alike, mean_std, split_rows, sum_over_ranks

__all__ = ["LinearClassifier", "fit_classifier"]


@dataclass(frozen=True)
class LinearClassifier:
    """Logits ``standardise(x) @ weight + bias``; replicated.

    Attributes
    ----------
    weight : torch.Tensor of shape (d, classes)
    bias : torch.Tensor of shape (classes,)
    penalty : float
        The chosen weight of ``|weight|² / 2``.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor
    penalty: float

    def predict(self, features: ht.DNDarray) -> ht.DNDarray:
        """Class numbers of shape (n,), split=0 like `features`. No communication where these are split so."""
        features = split_rows(features)
        logits = ((features.larray.float() - self.mean) / self.std) @ self.weight + self.bias
        return ht.array(logits.argmax(dim=1), is_split=0, comm=features.comm)

    def accuracy(self, features: ht.DNDarray, labels: ht.DNDarray) -> float:
        """Share of rows whose most likely class is the label. Communication: one number."""
        features, labels = alike(features, labels)
        hits = (self.predict(features).larray == labels.larray).sum().double()
        (total,) = sum_over_ranks([hits], features.comm)
        return float(total) / features.shape[0]


def fit_classifier(
    features: ht.DNDarray,
    labels: ht.DNDarray,
    holdout_features: ht.DNDarray,
    holdout_labels: ht.DNDarray,
    *,
    classes: int,
    penalties: Sequence[float] = (1e-1, 1e-2, 1e-3, 1e-4),
    max_iter: int = 100,
) -> LinearClassifier:
    """Multinomial logistic regression on standardised features, penalty chosen by hold-out accuracy.

    Parameters
    ----------
    features, holdout_features : DNDarray of shape (n, d) and (m, d), split=0
        Rows may be spread unevenly; ranks may have none.
    labels, holdout_labels : DNDarray of shape (n,) and (m,), integers, split=0
        Class numbers 0 to ``classes - 1``. Those spread unlike the features are redistributed, as are features of
        another split.
    classes : int
        Number of classes, at least 2.
    penalties : sequence of float
        Candidates, 0 or more, tried from the largest down, each from the solution before.
    max_iter : int
        Most L-BFGS iterations for each.

    Returns
    -------
    LinearClassifier
        Replicated.

    Raises
    ------
    ValueError
        If there are fewer than 2 classes, a set is empty, row counts disagree, a label lies outside the classes, a
        penalty is negative, or a feature is NaN or infinite (on all ranks).

    Notes
    -----
    Communication: (d + 1) x classes numbers per evaluation of loss and gradient.
    """
    if classes < 2:
        raise ValueError(f"fit_classifier: classes is {classes}; use 2 or more")
    if features.shape[0] == 0 or holdout_features.shape[0] == 0:
        raise ValueError(
            f"fit_classifier: {features.shape[0]} rows to fit, {holdout_features.shape[0]} held out; need 1"
        )
    for name, a, b in (("labels", features, labels), ("holdout_labels", holdout_features, holdout_labels)):
        if tuple(b.shape) != (a.shape[0],):
            raise ValueError(
                f"fit_classifier: {name} have shape {tuple(b.shape)}; expected ({a.shape[0]},), as features"
            )
    if not penalties or not all(p >= 0 for p in penalties):
        raise ValueError(f"fit_classifier: penalties is {tuple(penalties)}; use one or more numbers, 0 or more")
    features, labels = alike(features, labels)
    holdout_features, holdout_labels = alike(holdout_features, holdout_labels)
    mean, std = mean_std(features.larray, features.shape[0], features.comm)
    x, y = (features.larray.float() - mean) / std, labels.larray.long()
    bad = ((y < 0) | (y >= classes)).sum() + ((holdout_labels.larray < 0) | (holdout_labels.larray >= classes)).sum()
    (bad,) = sum_over_ranks([bad], features.comm)
    if int(bad) > 0:
        raise ValueError(f"fit_classifier: {int(bad)} labels lie outside 0 to {classes - 1}")
    problem = _Problem(x, y, features.shape[0], features.comm)
    weight, bias = x.new_zeros(x.shape[1], classes), x.new_zeros(classes)
    best: tuple[float, LinearClassifier] | None = None
    for penalty in sorted(penalties, reverse=True):
        weight, bias = problem.minimise(weight, bias, penalty, max_iter)
        fit = LinearClassifier(weight, bias, mean, std, penalty)
        score = fit.accuracy(holdout_features, holdout_labels)
        if best is None or score > best[0]:
            best = (score, fit)
    assert best is not None
    return best[1]


@dataclass(frozen=True)
class _Problem:
    """The penalised mean cross-entropy over all ranks' rows."""

    x: torch.Tensor
    y: torch.Tensor
    total: int
    comm: Communicator

    def minimise(
        self, weight: torch.Tensor, bias: torch.Tensor, penalty: float, max_iter: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        w, b = weight.clone().requires_grad_(), bias.clone().requires_grad_()
        optimizer = torch.optim.LBFGS(
            [w, b], max_iter=max_iter, history_size=20, tolerance_change=1e-7, line_search_fn="strong_wolfe"
        )

        def closure() -> torch.Tensor:
            loss = torch.nn.functional.cross_entropy(self.x @ w + b, self.y, reduction="sum") / self.total
            loss_sum, w.grad, b.grad = sum_over_ranks([loss, *torch.autograd.grad(loss, [w, b])], self.comm)
            w.grad += penalty * w.detach()
            return loss_sum + penalty / 2 * w.detach().square().sum()

        optimizer.step(closure)
        return w.detach(), b.detach()
