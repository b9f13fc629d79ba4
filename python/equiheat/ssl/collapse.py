# SPDX-License-Identifier: BSD-3-Clause
"""Is the representation collapsing? Figures and a plain verdict."""

from __future__ import annotations

import math

import torch
from torch import Tensor


@torch.no_grad()
def spread_of_features(features: Tensor) -> dict[str, float]:
    """Figures of a batch of pooled features.

    Parameters
    ----------
    features
        Shape (B, D), B >= 2.

    Returns
    -------
    dict[str, float]
        ``feature_std`` (mean standard deviation of the dimensions), ``feature_std_min`` (smallest),
        ``dead_dimensions`` (fraction with less than a hundredth of the mean), ``effective_rank`` (exponential of the
        entropy of the covariance spectrum; at most D).
    """
    features = features.detach().double()
    std = features.std(dim=0)
    mean = std.mean()
    return {
        "feature_std": float(mean),
        "feature_std_min": float(std.min()),
        "dead_dimensions": float((std <= 0.01 * mean).double().mean()),
        "effective_rank": effective_rank(features),
    }


def effective_rank(features: Tensor) -> float:
    """``exp(-sum p log p)`` with p the eigenvalues of the covariance of features (B, D), normalised to sum 1."""
    centered = features - features.mean(dim=0)
    values = torch.linalg.eigvalsh(centered.T @ centered).clamp(min=0)
    p = values / values.sum().clamp(min=torch.finfo(values.dtype).tiny)
    return float(torch.exp(-torch.xlogy(p, p).sum()))


def teacher_verdict(entropy: float, spread: float, prototypes: int) -> str | None:
    """One plain sentence where a teacher's distributions over prototypes tell nothing; None where they do."""
    most = math.log(prototypes)
    if spread < 0.1 * most:
        return f"collapsed: the teacher gives all images the same prototype (spread {spread:.2f} of {most:.2f})"
    if entropy > 0.98 * most:
        return f"collapsed: the teacher gives all prototypes to all images alike (entropy {entropy:.2f} of {most:.2f})"
    return None


def verdict(figures: dict[str, float], dim: int, rows: int = 0) -> str:
    """One plain sentence about the figures of `spread_of_features`, of ``rows`` features (0: of many)."""
    rank, std = figures["effective_rank"], figures["feature_std"]
    most = min(dim, rows - 1) if rows else dim  # a mean is taken off
    of = f"{most}" if most == dim else f"{most}, the most that {rows} features of this batch can have; {dim} dimensions"
    if std < 1e-4 or rank < 1.5:
        return (
            f"collapsed: all images get nearly the same features (effective rank {rank:.1f} of {of}, spread {std:.2g})"
        )
    if rank < max(2.0, 0.02 * most) or figures["dead_dimensions"] > 0.5:
        dead = figures["dead_dimensions"]
        return f"at risk: few dimensions carry the features (effective rank {rank:.1f} of {of}, {dead:.0%} dead)"
    return f"healthy: effective rank {rank:.1f} of {of}, spread {std:.2g}"
