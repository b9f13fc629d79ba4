# SPDX-License-Identifier: BSD-3-Clause
"""Two augmented views of a batch, with the transformations that made them."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from equiheat.ssl.augment import MEMBERS, Augmentation, AugmentConfig, identity_parameters, to_float


class Views(NamedTuple):
    """Two views of one batch.

    ``first`` and ``second`` are images (B, 3, H, W), 0 to 1; ``parameters1`` and ``parameters2`` what was done to them
    (methods such as ECR never look at these). The others are there where they were asked for: ``local`` small crops (L,
    B, 3, h, w), ``original`` the images before augmentation, ``middle`` images (K, B, 3, H, W) on the way to the
    second view. ``indices`` (B,), ``epoch`` and ``seed`` key the draws.
    """

    first: Tensor
    second: Tensor
    parameters1: dict[str, Tensor]
    parameters2: dict[str, Tensor]
    local: Tensor | None = None
    original: Tensor | None = None
    middle: Tensor | None = None
    indices: Tensor = torch.empty(0, dtype=torch.int64)
    epoch: int = 0
    seed: int = 0


class TwoViews:
    """Makes the views of a batch.

    Parameters
    ----------
    first, second
        Augmentations of the two views.
    seed
        Names the stream of draws.
    local
        Augmentation of small crops; None without.
    local_crops, local_size
        How many small crops, and their side in pixels.
    original
        Also hand on the images themselves.
    middle
        Number K of images on the way to the second view.
    moved
        Families of augmentations (see `AugmentConfig.only`) of that way, of which ``second`` must do one: image k of K
        has all others in full, these to the fraction k / (K + 1).
    """

    def __init__(
        self,
        first: AugmentConfig,
        second: AugmentConfig,
        *,
        seed: int = 0,
        local: AugmentConfig | None = None,
        local_crops: int = 0,
        local_size: int = 0,
        original: bool = False,
        middle: int = 0,
        moved: tuple[str, ...] = (),
    ) -> None:
        self.seed, self.original, self.middle = seed, original, middle
        self.first, self.second = Augmentation(first, seed=seed), Augmentation(second, seed=seed)
        self.local = None if local is None or local_crops == 0 else Augmentation(local, seed=seed)
        self.local_crops, self.local_size = local_crops, local_size
        unknown = [name for name in moved if name not in MEMBERS]
        if unknown:
            raise ValueError(f"TwoViews: unknown family {unknown[0]!r} in moved; use {', '.join(MEMBERS)}")
        drawn = set(self.second.sample(torch.arange(1)))
        if middle and not any(drawn & set(MEMBERS[name].parameters) for name in moved):
            raise ValueError(
                f"TwoViews: moved (tir.families of a recipe) is {moved}, none of which the second view (view2) does; "
                "switch one of them on there, or name others"
            )
        self.moved = moved

    def __call__(self, images: Tensor, indices: Tensor, epoch: int, partner: Tensor | None = None) -> Views:
        """Views of images (B, 3, H, W) with global sample numbers ``indices`` (B,) in an epoch.

        ``partner`` (B, 3, H, W): the images of the second view, where a data set gives pairs.
        """
        indices = indices.to(images.device)
        first, parameters1 = self.first(images, indices, epoch, 1)
        other = images if partner is None else partner
        second, parameters2, middle = self._second(other, indices, epoch)
        return Views(
            first,
            second,
            parameters1,
            parameters2,
            local=self._local(images, indices, epoch),
            original=to_float(images) if self.original else None,
            middle=middle,
            indices=indices,
            epoch=epoch,
            seed=self.seed,
        )

    def _second(self, images: Tensor, indices: Tensor, epoch: int) -> tuple[Tensor, dict[str, Tensor], Tensor | None]:
        if self.middle == 0:
            return *self.second(images, indices, epoch, 2), None
        parameters = self.second.sample(indices, epoch, 2)
        names = {name for family in self.moved for name in MEMBERS[family].parameters}
        start = self.second.apply(images, {name: x for name, x in parameters.items() if name not in names})
        way = {name: x for name, x in parameters.items() if name in names}
        steps = [self.second.apply(start, part_of(way, k / (self.middle + 1))) for k in range(1, self.middle + 2)]
        return steps[-1], parameters, torch.stack(steps[:-1])

    def _local(self, images: Tensor, indices: Tensor, epoch: int) -> Tensor | None:
        if self.local is None:
            return None
        size = (self.local_size, self.local_size)
        crops = [self.local(images, indices, epoch, 10 + number)[0] for number in range(self.local_crops)]
        small = [F.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False) for x in crops]
        return torch.stack(small)


def part_of(parameters: dict[str, Tensor], fraction: float) -> dict[str, Tensor]:
    """Parameters of a fraction of the way from the identity to these."""
    unchanged = identity_parameters()
    return {name: unchanged[name] + fraction * (x - unchanged[name]) for name, x in parameters.items()}


def local_view(view: AugmentConfig, scale: tuple[float, float]) -> AugmentConfig:
    """The augmentation of a view with another range of crop areas."""
    return replace(view, crop=scale)
