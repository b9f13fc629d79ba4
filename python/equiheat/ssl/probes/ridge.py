# SPDX-License-Identifier: BSD-3-Clause
"""Ridge regression in closed form on rows that lie on several ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

import equiheat as ht
from equiheat.ssl.probes._rows import alike, refuse_nan, split_rows

__all__ = ["DEFAULT_PENALTIES", "RidgeFit", "fit_ridge"]

#: Penalties tried, per row and standardised feature, from nearly none to nearly everything.
DEFAULT_PENALTIES = tuple(10.0 ** (k / 2) for k in range(-10, 5))


@dataclass(frozen=True)
class RidgeFit:
    """A fitted affine map.

    Attributes
    ----------
    weight : torch.Tensor of shape (d, k), float64
        Coefficients for unstandardised features. Replicated.
    bias : torch.Tensor of shape (k,), float64
        Intercepts. Replicated.
    penalty : float
        The penalty with the smallest hold-out error.
    holdout_mse : float
        Its mean squared error on the hold-out, in units of each target's variance.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    penalty: float
    holdout_mse: float

    def predict(self, features: ht.DNDarray) -> ht.DNDarray:
        """Values of shape (n, k), split=0 like `features`. No communication where these are split so."""
        features = split_rows(features)
        local = features.larray.to(self.weight.dtype) @ self.weight + self.bias
        return ht.array(local, is_split=0, comm=features.comm)


@dataclass(frozen=True)
class _Moments:
    """Everything ridge regression needs to know of a set of rows: count and X'X, X'Y, Y'Y with intercept row."""

    count: int
    gram: torch.Tensor

    def __add__(self, other: _Moments) -> _Moments:
        return _Moments(self.count + other.count, self.gram + other.gram)


def fit_ridge(
    features: ht.DNDarray,
    targets: ht.DNDarray,
    holdout_features: ht.DNDarray,
    holdout_targets: ht.DNDarray,
    *,
    penalties: Sequence[float] = DEFAULT_PENALTIES,
) -> RidgeFit:
    """Ridge regression with intercept, penalty chosen on a hold-out, then refitted on all rows.

    Features are standardised and targets scaled to unit variance, so one penalty means the same for every column.
    All penalties come from one eigendecomposition of the correlation matrix; hold-out errors and the refit need no
    second look at the rows.

    Parameters
    ----------
    features, holdout_features : DNDarray of shape (n, d) and (m, d), split=0
        Rows may be spread unevenly; ranks may have none.
    targets, holdout_targets : DNDarray of shape (n, k) and (m, k), split=0
        Those spread unlike the features are redistributed, as are features of another split.
    penalties : sequence of float
        Candidates, all positive.

    Returns
    -------
    RidgeFit
        Replicated.

    Raises
    ------
    ValueError
        If a penalty is not positive, or row or column counts disagree, or a set is empty, or a feature or target is NaN
        or infinite.

    Notes
    -----
    Communication: two sums of (1 + d + k)² doubles (rows to fit, hold-out). No rank holds rows of another.
    Memory: O((1 + d + k)²) on every rank beside its own rows.
    """
    _check(features, targets, holdout_features, holdout_targets, penalties)
    d = features.shape[1]
    fit, hold = _moments(features, targets), _moments(holdout_features, holdout_targets)
    scale = _Scaling.of(fit, d)
    errors = [_error(hold, *scale.undo(w)) for w in _solve(fit, scale, penalties)]
    scores = [float((e / hold.count / scale.target_std**2).mean()) for e in errors]
    best = min(range(len(scores)), key=scores.__getitem__)
    both = fit + hold
    scale = _Scaling.of(both, d)
    weight, bias = scale.undo(_solve(both, scale, [penalties[best]])[0])
    return RidgeFit(weight, bias, float(penalties[best]), scores[best])


@dataclass(frozen=True)
class _Scaling:
    """Means and standard deviations of features and targets; constant columns keep scale 1."""

    mean: torch.Tensor
    std: torch.Tensor
    target_mean: torch.Tensor
    target_std: torch.Tensor

    @staticmethod
    def of(moments: _Moments, d: int) -> _Scaling:
        mean = moments.gram[0, 1:] / moments.count
        var = torch.diagonal(moments.gram)[1:] / moments.count - mean**2
        # Rounding leaves a variance of about eps * mean² on a constant column.
        constant = var <= 1e-12 * (mean**2 + 1e-300)
        std = torch.where(constant, torch.ones_like(var), var.clamp_min(0).sqrt())
        return _Scaling(mean[:d], std[:d], mean[d:], std[d:])

    def undo(self, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """From standardised to original units: (weight, bias)."""
        raw = weight * self.target_std / self.std[:, None]
        return raw, self.target_mean - self.mean @ raw


def _moments(x: ht.DNDarray, y: ht.DNDarray) -> _Moments:
    """Gram matrix of [1, X, Y]: one distributed product, one sum over the ranks."""
    x, y = alike(x, y)
    features, targets = x.larray.double(), y.larray.double()
    ones = features.new_ones(features.shape[0], 1)
    rows = ht.array(torch.cat([ones, features, targets], dim=1), is_split=0, comm=x.comm)
    gram = ht.matmul(ht.linalg.matrix_transpose(rows), rows).resplit(None).larray
    refuse_nan(gram)
    return _Moments(x.shape[0], gram)


def _solve(moments: _Moments, scale: _Scaling, penalties: Sequence[float]) -> list[torch.Tensor]:
    """Standardised coefficients (d, k) for every penalty."""
    d, n = scale.mean.numel(), moments.count
    corr = moments.gram[1 : d + 1, 1 : d + 1] / n - torch.outer(scale.mean, scale.mean)
    corr = corr / torch.outer(scale.std, scale.std)
    cross = moments.gram[1 : d + 1, d + 1 :] / n - torch.outer(scale.mean, scale.target_mean)
    cross = cross / torch.outer(scale.std, scale.target_std)
    values, vectors = torch.linalg.eigh(corr)
    projected = vectors.T @ cross
    return [vectors @ (projected / (values.clamp_min(0) + p)[:, None]) for p in penalties]


def _error(moments: _Moments, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Sum of squared residuals of every target, from the Gram matrix alone: a'Ga with a = [-bias, -weight, e_k]."""
    k = bias.numel()
    a = torch.cat([-bias[None], -weight, torch.eye(k, dtype=weight.dtype)])
    return ((moments.gram @ a) * a).sum(dim=0).clamp_min(0)


def _check(
    x: ht.DNDarray, y: ht.DNDarray, holdout_x: ht.DNDarray, holdout_y: ht.DNDarray, penalties: Sequence[float]
) -> None:
    """Refuse what cannot be fitted; looks at replicated metadata only."""
    for name, a in {
        "features": x,
        "targets": y,
        "holdout_features": holdout_x,
        "holdout_targets": holdout_y,
    }.items():
        if a.ndim != 2 or a.shape[0] == 0:
            raise ValueError(f"fit_ridge: {name} has shape {tuple(a.shape)}; need two axes and at least one row")
    for name, a, b in (("targets", x, y), ("holdout_targets", holdout_x, holdout_y)):
        if a.shape[0] != b.shape[0]:
            raise ValueError(f"fit_ridge: {name} has {b.shape[0]} rows but its features have {a.shape[0]}")
    for name, a, b in (("holdout_features", x, holdout_x), ("holdout_targets", y, holdout_y)):
        if a.shape[1] != b.shape[1]:
            raise ValueError(f"fit_ridge: {name} has {b.shape[1]} columns, the rows to fit have {a.shape[1]}")
    if not penalties or not all(p > 0 for p in penalties):  # NaN too
        raise ValueError(f"fit_ridge: penalties must be positive and at least one, got {list(penalties)}")
