# SPDX-License-Identifier: BSD-3-Clause
"""The transformation families whose parameters a probe reads back from a pair of features."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from equiheat.ssl.augment import MEMBERS, Augmentation, AugmentConfig
from equiheat.ssl.options import check_interval, check_kinds, check_range

__all__ = ["DEFAULT_FAMILIES", "FAMILIES", "Family", "ProbeRanges", "transformed"]

# Streams of random numbers, apart from those of training (views 0 and 1).
_VIEW = {"rotation": 101, "translation": 102, "color": 103, "blur": 104, "crop": 105, "all": 106}


@dataclass(frozen=True)
class ProbeRanges:
    """Ranges from which the probes draw, one family at a time.

    Parameters
    ----------
    rotation
        Largest angle, degrees, either way.
    translation
        Largest shift along each axis, fraction of the image side (0.125 is 4 of 32 pixels).
    brightness
        Strength s of the colour family: the factor is drawn from 1 - s to 1 + s. Its four parameters vary together.
    contrast
        Likewise.
    saturation
        Likewise.
    hue
        Largest shift in turns of the colour circle.
    blur
        Smallest and largest sigma in pixels.
    crop
        Smallest and largest area of the square crop.
    padding
        "reflection" (default), "border" or "zeros". Zeros leave black corners from which even an untrained encoder
        reads the angle and the shift.
    """

    rotation: float = 45.0
    translation: float = 0.125
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.1
    blur: tuple[float, float] = (0.1, 1.5)
    crop: tuple[float, float] = (0.4, 1.0)
    padding: str = "reflection"

    def __post_init__(self) -> None:
        check_kinds(self)
        check_range(self, "rotation translation brightness contrast saturation hue", 0, above=True)
        check_range(self, "blur crop", 0)
        check_interval(self, "blur crop")
        for family in MEMBERS:
            if family != "flip":
                self.config(family)  # which knows the upper limits

    def config(self, family: str) -> AugmentConfig:
        """The augmentation that draws this family alone."""
        everything = AugmentConfig(
            crop=self.crop,
            rotation=self.rotation,
            translation=self.translation,
            brightness=self.brightness,
            contrast=self.contrast,
            saturation=self.saturation,
            hue=self.hue,
            blur=self.blur,
            padding=self.padding,
        )
        return everything.only(*COMBINED) if family == "all" else everything.only(family)


@dataclass(frozen=True)
class Family:
    """A transformation family: its name and the parameters to regress, in column order."""

    name: str
    parameters: tuple[str, ...]


#: What the family "all" does at once.
COMBINED = ("rotation", "translation", "color", "blur")

FAMILIES = {
    family.name: family
    for family in (
        Family("rotation", ("rotation",)),
        Family("translation", ("translation_x", "translation_y")),
        Family("color", ("brightness", "contrast", "saturation", "hue")),
        Family("blur", ("blur_sigma",)),
        Family("crop", ("crop_top", "crop_left", "crop_size")),
        Family(
            "all",
            ("rotation", "translation_x", "translation_y", "brightness", "contrast", "saturation", "hue", "blur_sigma"),
        ),
    )
}

#: The four families of the published tables.
DEFAULT_FAMILIES = ("rotation", "translation", "color", "blur")


def transformed(
    images: torch.Tensor, indices: torch.Tensor, family: str, ranges: ProbeRanges, *, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Transform every image by its own draw of one family.

    Parameters
    ----------
    images
        Shape (B, 3, H, W), uint8 or floating in 0 to 1.
    indices
        Shape (B,), int64: global numbers of the images. With `seed` they fix the draw.
    family
        A key of ``FAMILIES``.
    ranges
        From what to draw.
    seed
        Names the stream.

    Returns
    -------
    tuple of torch.Tensor
        Transformed images (B, 3, H, W), floating in 0 to 1, and parameters (B, k) in the family's column order.
    """
    if family not in FAMILIES:
        raise ValueError(f"probe: unknown transformation family {family!r}; use {', '.join(FAMILIES)}")
    augmentation = Augmentation(ranges.config(family), seed=seed)
    parameters = augmentation.sample(indices, epoch=0, view=_VIEW[family])
    columns = [parameters[name] for name in FAMILIES[family].parameters]
    return augmentation.apply(images, parameters), torch.stack(columns, dim=1)
