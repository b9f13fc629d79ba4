# SPDX-License-Identifier: BSD-3-Clause
"""Batched image augmentations whose parameters come back exactly.

``sample`` draws one set of parameters per image, ``apply`` is a pure function of images and parameters. The draws are
keyed by (seed, epoch, view, global sample index), so the same global batch gives the same views at any rank count.

Order of operations, always: crop-resize, flip, rotation, translation (these four as *one* warp with one bilinear
interpolation), then brightness, contrast, saturation, hue, then Gaussian blur.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from equiheat.data.counter import uniform
from equiheat.ssl.color import jitter_color
from equiheat.ssl.options import check_kinds, check_range
from equiheat.ssl.warp import PADDING, gaussian_blur, warp

# One draw number per parameter: turning one operation off never moves the draws of another.
_DRAWS = {
    name: number
    for number, name in enumerate(
        (
            "crop_scale",
            "crop_top",
            "crop_left",
            "flip",
            "rotation",
            "translation_x",
            "translation_y",
            "brightness",
            "contrast",
            "saturation",
            "hue",
            "blur_sigma",
            "color_gate",
            "blur_gate",
            "rotation_gate",
            "translation_gate",
        )
    )
}

#: parameters -> what they mean, for tables and reports.
UNITS = {
    "crop_top": "top edge, fraction of the height",
    "crop_left": "left edge, fraction of the width",
    "crop_size": "side, fraction of the image side",
    "flip": "1 = mirrored left-right",
    "rotation": "radians, counter-clockwise",
    "translation_x": "fraction of the width, rightwards",
    "translation_y": "fraction of the height, downwards",
    "brightness": "factor, 1 = unchanged",
    "contrast": "factor, 1 = unchanged",
    "saturation": "factor, 1 = unchanged",
    "hue": "turns of the colour circle, 0 = unchanged",
    "blur_sigma": "pixels, 0 = none",
}


class Family(NamedTuple):
    """A family of augmentations: the options of `AugmentConfig` that switch it on, the parameters it has."""

    options: tuple[str, ...]
    parameters: tuple[str, ...]


_COLOR = ("brightness", "contrast", "saturation", "hue")
MEMBERS = {
    "crop": Family(("crop",), ("crop_top", "crop_left", "crop_size")),
    "flip": Family(("flip",), ("flip",)),
    "rotation": Family(("rotation",), ("rotation",)),
    "translation": Family(("translation",), ("translation_x", "translation_y")),
    "color": Family(_COLOR, _COLOR),
    "blur": Family(("blur",), ("blur_sigma",)),
}


def identity_parameters() -> dict[str, float]:
    """Value of every parameter that leaves an image as it is."""
    ones = ("crop_size", "brightness", "contrast", "saturation")
    return {name: float(name in ones) for name in UNITS}


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of one view's augmentations. The default is the identity: every operation is off.

    Parameters
    ----------
    crop
        Smallest and largest *area* of the square crop as a fraction of the image; None = no crop.
    flip
        Probability of a left-right mirror.
    rotation
        Largest angle in degrees, drawn from [-rotation, rotation].
    translation
        Largest shift along each axis as a fraction of the image side (0.125 is 4 of 32 pixels).
    brightness, contrast, saturation
        Strength s: the factor is drawn from [max(0, 1 - s), 1 + s].
    hue
        Largest hue shift in turns (0.5 = all hues).
    blur
        Smallest and largest sigma in pixels; None = no blur.
    color_probability, blur_probability, rotation_probability, translation_probability
        Chance that the operation happens for an image; otherwise its parameters are the identity's.
    padding
        What lies outside the image: "reflection" (default), "border" or "zeros". Zeros leave black corners that tell
        the angle and the shift to anybody who looks at them.
    """

    crop: tuple[float, float] | None = None
    flip: float = 0.0
    rotation: float = 0.0
    translation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    blur: tuple[float, float] | None = None
    color_probability: float = 1.0
    blur_probability: float = 1.0
    rotation_probability: float = 1.0
    translation_probability: float = 1.0
    padding: str = "reflection"

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.padding not in PADDING:
            raise ValueError(f"AugmentConfig: padding is {self.padding!r}; use one of {', '.join(PADDING)}")
        if self.crop is not None and not 0 < self.crop[0] <= self.crop[1] <= 1:
            raise ValueError(f"AugmentConfig: crop is {self.crop}; use 0 < smallest <= largest <= 1")
        if self.blur is not None and not 0 <= self.blur[0] <= self.blur[1]:
            raise ValueError(f"AugmentConfig: blur is {self.blur}; use 0 <= smallest <= largest (sigma in pixels)")
        if not 0 <= self.hue <= 0.5:
            raise ValueError(f"AugmentConfig: hue is {self.hue}; use 0 to 0.5 (turns)")
        check_range(self, "rotation brightness contrast saturation blur", 0)
        check_range(self, "translation", 0, 1)
        for name in (
            "flip",
            "color_probability",
            "blur_probability",
            "rotation_probability",
            "translation_probability",
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"AugmentConfig: {name} is {getattr(self, name)}; use a probability, 0 to 1")

    def only(self, *families: str) -> AugmentConfig:
        """Copy with every operation off but the named families: crop, flip, rotation, translation, color, blur."""
        unknown = [name for name in families if name not in MEMBERS]
        if unknown:
            raise ValueError(f"AugmentConfig.only: unknown family {unknown[0]!r}; use {', '.join(MEMBERS)}")
        kept = {field for family in families for field in MEMBERS[family].options}
        default = AugmentConfig()
        off = {f: getattr(default, f) for family in MEMBERS.values() for f in family.options if f not in kept}
        return replace(self, **off)


#: First view of the small-image recipe: crop, mirror, colour.
WEAK_VIEW = AugmentConfig(crop=(0.65, 1.0), flip=0.5, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)
#: Second view: the same, and rotation, translation and blur.
STRONG_VIEW = replace(WEAK_VIEW, rotation=45.0, translation=0.125, blur=(0.1, 1.5))


class Augmentation:
    """One view's augmentation.

    Parameters
    ----------
    config
        Ranges of the parameters.
    seed
        Names the stream of draws.

    Examples
    --------
    >>> view = Augmentation(AugmentConfig(rotation=45.0), seed=0)
    >>> parameters = view.sample(torch.arange(8), epoch=0, view=1)
    >>> images = view.apply(torch.rand(8, 3, 32, 32), parameters)
    """

    def __init__(self, config: AugmentConfig, *, seed: int = 0) -> None:
        self.config = config
        self.seed = seed

    def sample(self, indices: Tensor, epoch: int = 0, view: int = 0) -> dict[str, Tensor]:
        """Draw the parameters of every image; no communication.

        Parameters
        ----------
        indices
            Shape (B,), int64: *global* sample numbers.
        epoch, view
            Part of the key: other values give fresh draws.

        Returns
        -------
        dict[str, Tensor]
            One float32 tensor of shape (B,) per parameter of the operations that are on; meanings in ``UNITS``.
        """
        draws = uniform((self.seed, epoch, view), indices, len(_DRAWS))
        u = {name: draws[:, number] for name, number in _DRAWS.items()}
        return {**self._geometry(u), **self._appearance(u)}

    def _geometry(self, u: dict[str, Tensor]) -> dict[str, Tensor]:
        config, parameters = self.config, {}
        if config.crop is not None:
            low, high = config.crop
            size = (low + (high - low) * u["crop_scale"]).sqrt()
            parameters["crop_size"] = size
            parameters["crop_top"] = (1 - size) * u["crop_top"]
            parameters["crop_left"] = (1 - size) * u["crop_left"]
        if config.flip > 0:
            parameters["flip"] = (u["flip"] < config.flip).float()
        if config.rotation > 0:
            gate = (u["rotation_gate"] < config.rotation_probability).float()
            parameters["rotation"] = gate * (2 * u["rotation"] - 1) * (config.rotation * torch.pi / 180)
        if config.translation > 0:
            gate = (u["translation_gate"] < config.translation_probability).float()
            for name in ("translation_x", "translation_y"):
                parameters[name] = gate * (2 * u[name] - 1) * config.translation
        return parameters

    def _appearance(self, u: dict[str, Tensor]) -> dict[str, Tensor]:
        config, parameters = self.config, {}
        colored = (u["color_gate"] < config.color_probability).float()
        for name in ("brightness", "contrast", "saturation"):
            strength = getattr(config, name)
            if strength > 0:
                low = max(0.0, 1 - strength)
                factor = low + (1 + strength - low) * u[name]
                parameters[name] = 1 + colored * (factor - 1)
        if config.hue > 0:
            parameters["hue"] = colored * (2 * u["hue"] - 1) * config.hue
        if config.blur is not None:
            low, high = config.blur
            gate = (u["blur_gate"] < config.blur_probability).float()
            parameters["blur_sigma"] = gate * (low + (high - low) * u["blur_sigma"])
        return parameters

    def apply(self, images: Tensor, parameters: dict[str, Tensor]) -> Tensor:
        """Transform a batch; a pure function of its arguments and the padding rule.

        Parameters
        ----------
        images
            Shape (B, 3, H, W), uint8 (0 to 255) or floating (0 to 1).
        parameters
            As ``sample`` returns them; a key that is absent means the identity.

        Returns
        -------
        Tensor
            Shape (B, 3, H, W), 0 to 1; the images' floating type, float32 for bytes. Half precision is computed in
            float32, since it cannot tell the pixels of a large image apart.
        """
        unknown = sorted(set(parameters) - set(UNITS))
        if unknown:
            raise ValueError(f"Augmentation.apply: unknown parameter {unknown[0]!r}; known: {', '.join(UNITS)}")
        images = to_float(images)
        moved = images.to(torch.promote_types(images.dtype, torch.float32))
        moved = warp(moved, parameters, padding=self.config.padding)
        moved = jitter_color(moved, parameters)
        if "blur_sigma" in parameters:
            moved = gaussian_blur(moved, parameters["blur_sigma"])
        return moved.to(images.dtype)

    def __call__(
        self, images: Tensor, indices: Tensor, epoch: int = 0, view: int = 0
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Sample and apply: returns (images, parameters)."""
        parameters = self.sample(indices.to(images.device), epoch, view)
        return self.apply(images, parameters), parameters


def to_float(images: Tensor) -> Tensor:
    """Images as floats in 0 to 1 (uint8 is divided by 255)."""
    if images.dim() != 4 or images.shape[1] != 3:
        raise ValueError(f"augment: images have shape {tuple(images.shape)}; expected (B, 3, H, W)")
    if images.dtype == torch.uint8:
        return images.to(torch.float32).div_(255)
    if not images.is_floating_point():
        raise TypeError(f"augment: images have dtype {images.dtype}; expected uint8 or a floating type")
    return images
