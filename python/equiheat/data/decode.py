# SPDX-License-Identifier: BSD-3-Clause
"""Decode image files of any kind to square RGB bytes."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})

#: White of Pillow's modes that are wider than 8 bits.
WHITE = {"I;16": 65535.0, "I;16L": 65535.0, "I;16B": 65535.0, "I;16N": 65535.0, "I": 65535.0, "F": 1.0}
#: As shares of white: what lies between is clamped to 0 to 1, other values are of another scale.
LOWEST, HIGHEST = -0.5, 1.5
#: Images of more pixels are refused: their bytes alone would be gigabytes.
MOST_PIXELS = 1 << 28


def decode(path: Path | BinaryIO, size: int) -> tuple[Tensor, str]:
    """Read one image, scale its shorter side to ``size``, crop the centre.

    Parameters
    ----------
    path
        An image file, by name or open.
    size
        Side of the result in pixels.

    Returns
    -------
    (Tensor, str)
        Shape (3, size, size), uint8; and Pillow's mode the file had ("RGB", "L", "RGBA", "I;16", ...). Transparent
        pixels become white; photographs are turned as their EXIF orientation says. Grey images of 16 bits (and those
        of 32-bit integers, which Pillow makes of some of them) are divided by 257, floats from 0 to 1 multiplied by
        255, whatever else a file holds: equal values stay equal from file to file.

    Raises
    ------
    OSError, SyntaxError, ValueError
        When the file is no image that Pillow can read to its end, or its numbers are of another scale.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit follows
        try:
            image = Image.open(path)
        except Image.DecompressionBombError as error:
            raise ValueError(str(error)) from error
    with image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"{image.width} x {image.height} pixels; at most {MOST_PIXELS} are read")
        image.draft("RGB", (size, size))  # JPEG: decode at a fraction of the size where that is enough
        mode = image.mode
        rgb = _fit(_to_rgb(_upright(image)), size)
    return torch.from_numpy(np.array(rgb, dtype=np.uint8)).permute(2, 0, 1).contiguous(), mode


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in WHITE:
        image = _to_bytes(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _to_bytes(image: Image.Image) -> Image.Image:
    """A grey image of wide integers or floats in 8 bits."""
    white = WHITE[image.mode]
    values = np.asarray(image, dtype=np.float64) / white
    if not np.all((values >= LOWEST) & (values <= HIGHEST)):  # NaN too
        low, high = values.min(initial=0.0) * white, values.max(initial=0.0) * white
        raise ValueError(f"values from {low:.4g} to {high:.4g} in mode {image.mode}; expected 0 to {white:g}")
    return Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))


def _upright(image: Image.Image) -> Image.Image:
    """Turned as a camera noted it; an unreadable note is none."""
    try:
        return ImageOps.exif_transpose(image) if "exif" in image.info else image
    except (ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return image


def _fit(image: Image.Image, size: int) -> Image.Image:
    if image.size == (size, size):
        return image
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
