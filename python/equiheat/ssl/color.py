# SPDX-License-Identifier: BSD-3-Clause
"""Colour jitter with one set of parameters per image, always in the order brightness, contrast, saturation, hue."""

from __future__ import annotations

import torch
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)


def jitter_color(images: Tensor, parameters: dict[str, Tensor]) -> Tensor:
    """Apply those of ``brightness``, ``contrast``, ``saturation`` (factors) and ``hue`` (turns) that are given.

    Parameters
    ----------
    images
        Shape (B, 3, H, W), floating, 0 to 1.
    parameters
        Tensors of shape (B,). Each step clamps to [0, 1].

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), 0 to 1.
    """
    if "brightness" in parameters:
        images = (images * _column(parameters["brightness"], images)).clamp(0, 1)
    if "contrast" in parameters:
        mean = luma(images).mean(dim=(2, 3), keepdim=True)
        images = torch.lerp(mean.expand_as(images), images, _column(parameters["contrast"], images)).clamp(0, 1)
    if "saturation" in parameters:
        images = torch.lerp(luma(images).expand_as(images), images, _column(parameters["saturation"], images)).clamp(
            0, 1
        )
    if "hue" in parameters:
        images = shift_hue(images, parameters["hue"])
    return images


def luma(images: Tensor) -> Tensor:
    """Grey value (ITU-R 601), shape (B, 1, H, W)."""
    red, green, blue = images.unbind(1)
    return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue).unsqueeze(1)


def shift_hue(images: Tensor, turns: Tensor) -> Tensor:
    """Move the hue of the HSV model by ``turns`` (shape (B,); 1 is the whole circle); value and saturation stay."""
    red, green, blue = images.unbind(1)
    value = images.amax(dim=1)
    chroma = value - images.amin(dim=1)
    scale = torch.where(chroma > 0, chroma, 1.0).reciprocal()
    sixth = torch.where(
        value == red,
        (green - blue) * scale,
        torch.where(value == green, (blue - red) * scale + 2, (red - green) * scale + 4),
    )
    sixth = sixth + 6 * turns.to(images.dtype)[:, None, None]
    # Channel n of the inverse map is value - chroma * clamp(min(k, 4 - k), 0, 1), k = (n + sixth) mod 6.
    shifts = torch.tensor((5.0, 3.0, 1.0), dtype=images.dtype, device=images.device).view(1, 3, 1, 1)
    k = (sixth[:, None] + shifts).remainder(6)
    return value[:, None] - chroma[:, None] * torch.minimum(k, 4 - k).clamp(0, 1)


def _column(factor: Tensor, like: Tensor) -> Tensor:
    return factor.to(like.dtype)[:, None, None, None]
