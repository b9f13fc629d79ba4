# SPDX-License-Identifier: BSD-3-Clause
"""The whole protocol: transformation regression and linear classification of one or several frozen encoders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

import equiheat as ht
from equiheat.ssl.options import check_kinds
from equiheat.ssl.probes.classification import fit_classifier
from equiheat.ssl.probes.families import DEFAULT_FAMILIES, FAMILIES, ProbeRanges
from equiheat.ssl.probes.features import FrozenEncoder, ImageRows
from equiheat.ssl.probes.metrics import RegressionScore, r2_score
from equiheat.ssl.probes.mlp import MlpConfig, fit_mlp
from equiheat.ssl.probes.neighbours import effective_rank, knn_accuracy
from equiheat.ssl.probes.ridge import DEFAULT_PENALTIES, fit_ridge

__all__ = ["METHODS", "ProbeConfig", "ProbeRow", "probe_encoder"]

METHODS = ("ridge", "mlp")
#: Also known: least squares without penalty.
KNOWN_METHODS = (*METHODS, "linear")

#: Called as ``report(what, done, of)`` between pieces of work.
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ProbeConfig:
    """What is probed and how.

    Parameters
    ----------
    families
        Transformation families, each probed by itself.
    methods
        Regressors: "ridge", "mlp", "linear" (ridge without penalty to speak of).
    ranges
        From what the transformations are drawn; its padding is the border rule.
    pairs
        Most pairs (x, g(x)) for fitting; one per training image, spread evenly over the set.
    test_pairs
        Most pairs for scoring; one per test image.
    holdout
        Share of the fitting rows on which penalties and the stopping time are chosen.
    classify
        Whether to fit the linear classifier where the folder has classes, and ask the nearest neighbours.
    neighbours
        How many of them vote.
    mlp
        Options of the perceptron.
    batch_size
        Images of one pass through the encoder on each rank.
    seed
        Of the transformations and the hold-out.
    """

    families: tuple[str, ...] = DEFAULT_FAMILIES
    methods: tuple[str, ...] = METHODS
    ranges: ProbeRanges = field(default_factory=ProbeRanges)
    pairs: int = 6000
    test_pairs: int = 3000
    holdout: float = 1 / 6
    classify: bool = True
    neighbours: int = 20
    mlp: MlpConfig = field(default_factory=MlpConfig)
    batch_size: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        check_kinds(self)
        for name, known in (("families", FAMILIES), ("methods", KNOWN_METHODS)):
            if not getattr(self, name):
                raise ValueError(f"ProbeConfig: {name} is empty; use some of {', '.join(known)}")
            unknown = [v for v in getattr(self, name) if v not in known]
            if unknown:
                raise ValueError(f"ProbeConfig: unknown {name} {unknown[0]!r}; use {', '.join(known)}")
        if not 0 < self.holdout < 1:
            raise ValueError(f"ProbeConfig: holdout is {self.holdout}; use a share between 0 and 1")
        for name in ("pairs", "test_pairs", "batch_size", "neighbours"):
            if getattr(self, name) < 1:
                raise ValueError(f"ProbeConfig: {name} is {getattr(self, name)}; use 1 or more")


@dataclass(frozen=True)
class ProbeRow:
    """Scores of one part of one encoder's features.

    Attributes
    ----------
    encoder, part : str
        Names.
    dims : int
        Feature columns of the part (a pair has twice as many).
    scores : mapping
        ``scores[family][method]`` is a ``RegressionScore``.
    top1 : float or None
        Test accuracy of the linear classifier; None without classes.
    knn : float or None
        That of the nearest neighbours by cosine.
    effective_rank : float or None
        Of the features of the images to score on, at most `dims`.
    """

    encoder: str
    part: str
    dims: int
    scores: Mapping[str, Mapping[str, RegressionScore]]
    top1: float | None
    knn: float | None = None
    effective_rank: float | None = None

    def mean(self, method: str) -> float:
        """Mean over the families of the R² averaged over each family's parameters."""
        means = [by_method[method].mean for by_method in self.scores.values()]
        return sum(means) / len(means)


def probe_encoder(
    encoder: FrozenEncoder,
    train: ImageRows,
    test: ImageRows,
    *,
    classes: int = 0,
    config: ProbeConfig | None = None,
    report: Report | None = None,
) -> list[ProbeRow]:
    """Score every part of one frozen encoder.

    For each family the features of an image and of its transformed copy, side by side, are the input from which ridge
    regression and a perceptron predict the parameters of the transformation; R² is taken on images that were not used
    for fitting.

    Parameters
    ----------
    encoder : FrozenEncoder
        What is judged.
    train, test : ImageRows
        Images to fit and to score on, spread over the same ranks.
    classes : int
        Number of classes; below 2 there is no classification.
    config : ProbeConfig, optional
        Options.
    report : callable, optional
        Told of progress on every rank.

    Returns
    -------
    list of ProbeRow
        One per part, in the encoder's order. The same on every rank, and for any number of ranks to rounding.

    Raises
    ------
    ValueError
        If there are too few images to fit, hold out and score on.

    Notes
    -----
    Communication: that of ``fit_ridge``, ``fit_mlp`` and ``fit_classifier``, where features never leave their rank;
    for the nearest neighbours each rank's training features go round once.
    """
    config = ProbeConfig() if config is None else config
    return _Session(encoder, train, test, classes, config, report or (lambda *_: None)).run()


MIN_IMAGES = 12
#: No spectrum of more columns (raw pixels) is computed.
MOST_COLUMNS = 8192


class _Session:
    """One encoder's run through the protocol: features once, then every family, part and method."""

    def __init__(
        self,
        encoder: FrozenEncoder,
        train: ImageRows,
        test: ImageRows,
        classes: int,
        config: ProbeConfig,
        report: Report,
    ) -> None:
        if train.total < MIN_IMAGES or test.total < 2:
            raise ValueError(
                f"probe: {train.total} images to fit on and {test.total} to score on are too few; "
                f"use at least {MIN_IMAGES} and 2"
            )
        for rows, name in ((train.total, "images"), (min(train.total, config.pairs), "pairs")):
            _check_holdout(_chosen(train.total, rows), config, name)
        self.encoder, self.config, self.report = encoder, config, report
        self.train, self.test, self.classes = train, test, classes
        self.classify = config.classify and classes >= 2
        per_part = len(config.families) + self.classify
        self.done, self.steps = 0, 1 + len(config.families) + per_part * len(encoder.parts)

    def run(self) -> list[ProbeRow]:
        self._tick("features of the images")
        plain_train = self.encoder.features(self.train.images, batch_size=self.config.batch_size)
        plain_test = self.encoder.features(self.test.images, batch_size=self.config.batch_size)
        parts = self.encoder.parts
        scores: dict[str, dict[str, dict[str, RegressionScore]]] = {part: {} for part in parts}
        for family in self.config.families:
            pairs = self._pairs(family, plain_train, plain_test)
            for part, columns in parts.items():
                self._tick(f"{family}, {part} features")
                scores[part][family] = self._regress(pairs, columns)
        rows = []
        for part, columns in parts.items():
            train, test = plain_train[:, columns], plain_test[:, columns]
            top1 = self._classify(train, test, part) if self.classify else None
            knn = self._neighbours(train, test) if self.classify else None
            rank = effective_rank(test, self.test.total, self.test.comm) if test.shape[1] <= MOST_COLUMNS else None
            rows.append(ProbeRow(self.encoder.name, part, train.shape[1], scores[part], top1, knn, rank))
        return rows

    def _tick(self, what: str) -> None:
        self.report(f"{self.encoder.name}: {what}", self.done, self.steps)
        self.done += 1

    def _pairs(self, family: str, plain_train: Tensor, plain_test: Tensor) -> _Pairs:
        """Features of (x, g(x)) and parameters of a family, for the rows to fit, held out and to score on."""
        self._tick(f"features under {family}")
        chosen, total = _every(self.train, self.config.pairs)
        fit = _side(self.encoder, self.train, plain_train, chosen, total, family, self.config)
        chosen, total = _every(self.test, self.config.test_pairs)
        return _Pairs(fit, _side(self.encoder, self.test, plain_test, chosen, total, family, self.config))

    def _regress(self, pairs: _Pairs, columns: slice) -> dict[str, RegressionScore]:
        fit, hold = pairs.train.split(columns, self.config)
        x_test, y_test = pairs.test.arrays(columns)
        scores = {}
        for method in self.config.methods:
            if method in ("ridge", "linear"):
                penalties = DEFAULT_PENALTIES if method == "ridge" else (1e-9,)
                prediction = fit_ridge(*fit, *hold, penalties=penalties).predict(x_test)
            else:
                prediction = fit_mlp(*fit, *hold, config=self.config.mlp).predict(x_test)
            scores[method] = r2_score(prediction, y_test)
        return scores

    def _neighbours(self, x_train: Tensor, x_test: Tensor) -> float:
        labels, wanted = self.train.labels, self.test.labels
        options = {"classes": self.classes, "neighbours": self.config.neighbours}
        return knn_accuracy(x_train, labels, x_test, wanted, comm=self.train.comm, **options)

    def _classify(self, x_train: Tensor, x_test: Tensor, part: str) -> float:
        self._tick(f"classes, {part} features")
        held = _holdout(self.train.indices, self.config)
        rows = self.train
        classifier = fit_classifier(
            rows.spread(x_train[~held]),
            rows.spread(rows.labels[~held]),
            rows.spread(x_train[held]),
            rows.spread(rows.labels[held]),
            classes=self.classes,
        )
        return classifier.accuracy(self.test.spread(x_test), self.test.spread(self.test.labels))


@dataclass(frozen=True)
class _Side:
    """Local rows of one set under one family: features of x and g(x), parameters, the images' numbers."""

    plain: Tensor
    moved: Tensor
    parameters: Tensor
    rows: ImageRows

    def arrays(self, columns: slice, mask: Tensor | None = None) -> tuple[ht.DNDarray, ht.DNDarray]:
        x = torch.cat([self.plain[:, columns], self.moved[:, columns]], dim=1)
        y = self.parameters
        if mask is not None:
            x, y = x[mask], y[mask]
        return self.rows.spread(x), self.rows.spread(y)

    def split(
        self, columns: slice, config: ProbeConfig
    ) -> tuple[tuple[ht.DNDarray, ht.DNDarray], tuple[ht.DNDarray, ht.DNDarray]]:
        held = _holdout(self.rows.indices, config)
        return self.arrays(columns, ~held), self.arrays(columns, held)


@dataclass(frozen=True)
class _Pairs:
    train: _Side
    test: _Side


def _side(
    encoder: FrozenEncoder,
    rows: ImageRows,
    plain: Tensor,
    chosen: Tensor,
    total: int,
    family: str,
    config: ProbeConfig,
) -> _Side:
    some = rows.where(chosen, total)
    moved, parameters = encoder.transformed_features(
        some, family, config.ranges, seed=config.seed, batch_size=config.batch_size
    )
    return _Side(plain[chosen], moved, parameters, some)


def _every(rows: ImageRows, most: int) -> tuple[Tensor, int]:
    """Local mask of at most `most` rows spread evenly over the set, and their number on all ranks."""
    if rows.total <= most:
        return torch.ones(len(rows.indices), dtype=torch.bool), rows.total
    return _is_chosen(rows.indices, rows.total, most), most


def _is_chosen(indices: Tensor, total: int, most: int) -> Tensor:
    return indices * most // total != (indices - 1) * most // total


def _chosen(total: int, most: int) -> Tensor:
    """Numbers of the rows that `_every` takes on all ranks together."""
    indices = torch.arange(total)
    return indices if total <= most else indices[_is_chosen(indices, total, most)]


def _check_holdout(indices: Tensor, config: ProbeConfig, name: str) -> None:
    """Penalties are chosen on the held-out rows and fitted on the others: neither may be empty."""
    held = int(_holdout(indices, config).sum())
    if not 0 < held < len(indices):
        raise ValueError(
            f"probe: holdout {config.holdout:g} keeps {held} of {len(indices)} {name} to fit on apart; some must be "
            "held out and some left: use another probe.holdout or more images"
        )


def _holdout(indices: Tensor, config: ProbeConfig) -> Tensor:
    """Local mask of the held-out rows: fixed by their numbers, so equal on any number of ranks."""
    return torch.frac(indices.double() * _GOLDEN_RATIO + config.seed * _SQRT_TWO) < config.holdout


# Multiples of an irrational number fill the unit interval evenly: every stretch of rows gives its share.
_GOLDEN_RATIO = 0.6180339887498949
_SQRT_TWO = 1.4142135623730951
