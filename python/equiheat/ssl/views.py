# SPDX-License-Identifier: BSD-3-Clause
"""Two augmented views of a batch, with the transformations that made them."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from equiheat.ssl.augment import Augmentation, AugmentConfig


class Views(NamedTuple):
    """Two views of one batch.

    ``first`` and ``second`` are images (B, 3, H, W), 0 to 1; ``parameters1`` and ``parameters2`` what was done to them
    (methods such as ECR never look at these).
    """

    first: Tensor
    second: Tensor
    parameters1: dict[str, Tensor]
    parameters2: dict[str, Tensor]


class TwoViews:
    """Makes the views of a batch.

    Parameters
    ----------
    first, second
        Augmentations of the two views.
    seed
        Names the stream of draws.
    """

    def __init__(self, first: AugmentConfig, second: AugmentConfig, *, seed: int = 0) -> None:
        self.first, self.second = Augmentation(first, seed=seed), Augmentation(second, seed=seed)

    def __call__(self, images: Tensor, indices: Tensor, epoch: int) -> Views:
        """Views of images (B, 3, H, W) with global sample numbers ``indices`` (B,) in an epoch."""
        first, parameters1 = self.first(images, indices, epoch, 1)
        second, parameters2 = self.second(images, indices, epoch, 2)
        return Views(first, second, parameters1, parameters2)
