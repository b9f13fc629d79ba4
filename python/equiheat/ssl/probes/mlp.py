# SPDX-License-Identifier: BSD-3-Clause
"""Regression by a small multi-layer perceptron on rows that lie on several ranks."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

import equiheat as ht
from equiheat.communication import Communicator
from equiheat.ssl.options import check_kinds, check_range
from equiheat.ssl.probes._rows import alike, mean_std, split_rows, sum_over_ranks

__all__ = ["MlpConfig", "MlpFit", "fit_mlp"]


@dataclass(frozen=True)
class MlpConfig:
    """How the perceptron is trained.

    Parameters
    ----------
    hidden
        Widths of the hidden layers.
    epochs
        Most passes over the rows.
    batch_size
        Rows of one *global* step, whatever the number of ranks.
    learning_rate
        Of AdamW; it falls to zero along half a cosine.
    weight_decay
        Of AdamW.
    patience
        Passes without a better hold-out error before it stops. The best weights are kept.
    seed
        Of the initial weights and the order of the rows.
    """

    hidden: tuple[int, ...] = (256, 256)
    epochs: int = 60
    batch_size: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    patience: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        check_kinds(self)
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"MlpConfig: {name} is {getattr(self, name)}; use 1 or more")
        check_range(self, "hidden", 1)
        check_range(self, "learning_rate", 0, above=True)
        check_range(self, "weight_decay", 0)


class _Scale(NamedTuple):
    """Means and standard deviations of the columns, replicated."""

    feature_mean: torch.Tensor
    feature_std: torch.Tensor
    target_mean: torch.Tensor
    target_std: torch.Tensor


@dataclass(frozen=True)
class MlpFit:
    """A trained perceptron, replicated, that maps raw features to targets in their own units.

    Attributes
    ----------
    network : torch.nn.Module
        Acts on standardised features, gives standardised targets.
    scale : tuple of torch.Tensor
        Means and standard deviations of features and targets.
    epochs : int
        Passes done before it stopped.
    holdout_mse : float
        Smallest mean squared error on the hold-out, in units of each target's variance.
    """

    network: nn.Module
    scale: _Scale
    epochs: int
    holdout_mse: float

    def predict(self, features: ht.DNDarray) -> ht.DNDarray:
        """Values of shape (n, k), split=0 like `features`. No communication where these are split so."""
        features = split_rows(features)
        with torch.no_grad():
            z = (features.larray.float() - self.scale.feature_mean) / self.scale.feature_std
            y = self.network(z) * self.scale.target_std + self.scale.target_mean
        return ht.array(y, is_split=0, comm=features.comm)


def fit_mlp(
    features: ht.DNDarray,
    targets: ht.DNDarray,
    holdout_features: ht.DNDarray,
    holdout_targets: ht.DNDarray,
    *,
    config: MlpConfig | None = None,
) -> MlpFit:
    """Train a perceptron by AdamW on the mean squared error of standardised targets.

    The rows stay where they are. A global step takes the next `batch_size` rows of one global permutation; every rank
    contributes the gradient of those it owns, so the result does not depend on the number of ranks (to rounding).

    Parameters
    ----------
    features, holdout_features : DNDarray of shape (n, d) and (m, d), split=0
        Rows may be spread unevenly; ranks may have none.
    targets, holdout_targets : DNDarray of shape (n, k) and (m, k), split=0
        Those spread unlike the features are redistributed, as are features of another split.
    config : MlpConfig, optional
        Options of the training.

    Returns
    -------
    MlpFit
        Replicated: the weights with the smallest hold-out error.

    Raises
    ------
    ValueError
        If a set is empty, row counts disagree, or a feature or target is NaN or infinite.

    Notes
    -----
    Communication: one sum of all gradients (a few hundred kB) per step, one number per pass.
    """
    config = MlpConfig() if config is None else config
    features, targets = alike(features, targets)
    holdout_features, holdout_targets = alike(holdout_features, holdout_targets)
    for name, a, b in (
        ("targets", features, targets),
        ("holdout_targets", holdout_features, holdout_targets),
    ):
        if a.shape[0] != b.shape[0] or a.shape[0] == 0:
            raise ValueError(f"fit_mlp: {name} has {b.shape[0]} rows, its features {a.shape[0]}; need equal counts")
    scale = _Scale(*_mean_std(features), *_mean_std(targets))
    network = _network(features.shape[1], targets.shape[1], config)
    training = _Training(network, config, steps=math.ceil(features.shape[0] / config.batch_size))
    rows = _Rows.of(features, targets, scale)
    holdout = _Rows.of(holdout_features, holdout_targets, scale)
    best, best_state, waited, epoch = _mean_error(network, holdout), copy.deepcopy(network.state_dict()), 0, 0
    for epoch in range(1, config.epochs + 1):
        for local in rows.batches(config.batch_size, seed=config.seed + epoch):
            training.step(rows, local)
        error = _mean_error(network, holdout)
        waited += 1
        if error < best:
            best, best_state, waited = error, copy.deepcopy(network.state_dict()), 0
        if waited >= config.patience or not math.isfinite(error):
            break
    network.load_state_dict(best_state)
    return MlpFit(network, scale, epochs=epoch, holdout_mse=best)


@dataclass(frozen=True)
class _Rows:
    """Standardised local rows, and which global rows they are."""

    x: torch.Tensor
    y: torch.Tensor
    start: int
    total: int
    comm: Communicator

    @staticmethod
    def of(features: ht.DNDarray, targets: ht.DNDarray, scale: _Scale) -> _Rows:
        x = (features.larray.float() - scale.feature_mean) / scale.feature_std
        y = (targets.larray.float() - scale.target_mean) / scale.target_std
        counts = torch.zeros(features.comm.size, dtype=torch.int64)
        counts[features.comm.rank] = x.shape[0]
        (counts,) = sum_over_ranks([counts], features.comm)
        start = int(counts[: features.comm.rank].sum())
        return _Rows(x, y, start, features.shape[0], features.comm)

    def batches(self, size: int, *, seed: int) -> Iterator[tuple[torch.Tensor, int]]:
        """Local row numbers of each global batch, and how many rows the whole batch has."""
        order = torch.randperm(self.total, generator=torch.Generator().manual_seed(seed)) - self.start
        for chunk in order.split(size):
            yield chunk[(chunk >= 0) & (chunk < self.x.shape[0])], len(chunk)


class _Training:
    """Optimiser, schedule and the step with gradients summed over the ranks."""

    def __init__(self, network: nn.Module, config: MlpConfig, *, steps: int) -> None:
        self.network = network
        self.parameters = list(network.parameters())
        self.optimizer = torch.optim.AdamW(self.parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps * config.epochs)

    def step(self, rows: _Rows, batch: tuple[torch.Tensor, int]) -> None:
        local, count = batch
        self.optimizer.zero_grad()
        loss = (self.network(rows.x[local]) - rows.y[local]).square().sum() / (count * rows.y.shape[1])
        gradients = torch.autograd.grad(loss, self.parameters)
        for p, g in zip(self.parameters, sum_over_ranks(gradients, rows.comm), strict=True):
            p.grad = g
        self.optimizer.step()
        self.schedule.step()


def _network(inputs: int, outputs: int, config: MlpConfig) -> nn.Sequential:
    """Linear-ReLU stack; equal weights on every rank because they are drawn from the seed alone."""
    generator = torch.Generator().manual_seed(config.seed)
    widths = [inputs, *config.hidden]
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [_linear(a, b, generator), nn.ReLU()]
    head = _linear(widths[-1], outputs, generator)
    nn.init.zeros_(head.weight)  # starts at the targets' mean: a hopeless regression ends at R² 0, not below
    return nn.Sequential(*layers, head)


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


@torch.no_grad()
def _mean_error(network: nn.Module, rows: _Rows) -> float:
    squares = (network(rows.x) - rows.y).double().square().sum()
    (total,) = sum_over_ranks([squares], rows.comm)
    return float(total) / (rows.total * rows.y.shape[1])


def _mean_std(x: ht.DNDarray) -> tuple[torch.Tensor, torch.Tensor]:
    return mean_std(x.larray, x.shape[0], x.comm)
