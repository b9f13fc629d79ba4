# SPDX-License-Identifier: BSD-3-Clause
"""How features move under one small transformation: not at all, by a linear map, or unpredictably."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from equiheat.ssl.augment import Augmentation, AugmentConfig
from equiheat.ssl.probes._rows import sum_over_ranks
from equiheat.ssl.probes.features import FrozenEncoder, ImageRows
from equiheat.ssl.probes.ridge import fit_ridge

__all__ = ["SMALL", "EquivarianceError", "equivariance_errors"]

#: Small transformations, the same for every image: parameter and value.
SMALL = {
    "rotation": {"rotation": math.radians(10)},
    "translation": {"translation_x": 1 / 16},
    "brightness": {"brightness": 1.15},
    "blur": {"blur_sigma": 0.7},
}


class EquivarianceError(NamedTuple):
    """Of one transformation g, on images that nothing was fitted on.

    ``invariance``: mean of ``|f(g x) - f(x)|²`` over that of two different images; 0 when f does not see g.
    ``equivariance``: the share of the variance of f(g x) that is missed by the best affine map of f(x); 0 when g acts
    on the features linearly.
    """

    invariance: float
    equivariance: float


def equivariance_errors(
    encoder: FrozenEncoder, train: ImageRows, test: ImageRows, *, padding: str = "reflection", batch_size: int = 256
) -> dict[str, EquivarianceError]:
    """Errors of every transformation of `SMALL`.

    Parameters
    ----------
    encoder
        What is judged, all of its features.
    train, test
        Images to fit the maps on (a sixth is held out for the penalty), images to score on.
    padding
        Border rule.
    batch_size
        Images of one pass through the encoder.

    Returns
    -------
    dict[str, EquivarianceError]
        The same on every rank.

    Notes
    -----
    Communication: that of ``fit_ridge``, and sums of d numbers; features never leave their rank.
    """
    plain = [encoder.features(rows.images, batch_size=batch_size) for rows in (train, test)]
    errors = {}
    for name, parameters in SMALL.items():
        moved = [_moved(encoder, rows, parameters, padding, batch_size) for rows in (train, test)]
        held = train.indices % 6 == 5
        fit, hold = ((train.spread(plain[0][mask]), train.spread(moved[0][mask])) for mask in (~held, held))
        predicted = fit_ridge(*fit, *hold).predict(test.spread(plain[1])).larray
        errors[name] = EquivarianceError(*_errors(plain[1], moved[1], predicted, test))
    return errors


def _moved(
    encoder: FrozenEncoder, rows: ImageRows, parameters: dict[str, float], padding: str, batch_size: int
) -> Tensor:
    change = Augmentation(AugmentConfig(padding=padding))
    parts = [
        encoder.features(change.apply(x, {name: torch.full((len(x),), v) for name, v in parameters.items()}))
        for x in rows.images.split(batch_size)
        if len(x)
    ]
    return torch.cat(parts) if parts else encoder.features(rows.images)


def _errors(plain: Tensor, moved: Tensor, predicted: Tensor, rows: ImageRows) -> tuple[float, float]:
    """Invariance and equivariance error; column means over all ranks are taken out of the spreads."""
    x, y = plain.double(), moved.double()
    mean_x, mean_y = sum_over_ranks([x.sum(dim=0) / rows.total, y.sum(dim=0) / rows.total], rows.comm)
    squares = [(y - x).square(), (x - mean_x).square(), (y - predicted).square(), (y - mean_y).square()]
    near, spread, missed, moving = sum_over_ranks([part.sum()[None] for part in squares], rows.comm)
    tiny = 1e-300
    return float(near / (2 * spread).clamp(min=tiny)), float(missed / moving.clamp(min=tiny))
