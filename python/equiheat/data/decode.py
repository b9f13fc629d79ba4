# SPDX-License-Identifier: BSD-3-Clause
"""Decode image files of any kind to square RGB bytes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})


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
        pixels become white, 16-bit values are scaled to 8 bits.

    Raises
    ------
    OSError, SyntaxError, ValueError
        When the file is no image that Pillow can read to its end.
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
        rgb = _fit(_to_rgb(image), size)
    return torch.from_numpy(np.array(rgb, dtype=np.uint8)).permute(2, 0, 1).contiguous(), mode


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max(initial=0.0) > 255 else 255.0
        image = Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _fit(image: Image.Image, size: int) -> Image.Image:
    if image.size == (size, size):
        return image
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
