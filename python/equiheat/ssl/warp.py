# SPDX-License-Identifier: BSD-3-Clause
"""Geometric warp and Gaussian blur with one set of parameters per image."""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

PADDING = ("reflection", "border", "zeros")
_KEYS = ("crop_size", "crop_top", "crop_left", "flip", "rotation", "translation_x", "translation_y")


def warp(images: Tensor, parameters: dict[str, Tensor], *, padding: str = "reflection") -> Tensor:
    """Crop-resize, mirror, rotate, translate in one bilinear interpolation.

    Parameters
    ----------
    images
        Shape (B, 3, H, W), floating.
    parameters
        Any of ``crop_size``, ``crop_top``, ``crop_left`` (fractions), ``flip`` (0 or 1), ``rotation`` (radians,
        counter-clockwise), ``translation_x``, ``translation_y`` (fractions), each of shape (B,).
    padding
        "reflection", "border" or "zeros".

    Returns
    -------
    Tensor
        Shape (B, 3, H, W). Content outside the crop but inside the image is used before any padding.
    """
    if images.shape[0] == 0 or not any(key in parameters for key in _KEYS):
        return images
    height, width = images.shape[2:]
    matrix = affine_matrix(parameters, batch=images.shape[0], aspect=width / height, device=images.device)
    grid = F.affine_grid(matrix.to(images.dtype), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def affine_matrix(
    parameters: dict[str, Tensor], *, batch: int, aspect: float = 1.0, device: torch.device | str = "cpu"
) -> Tensor:
    """Map from output to input coordinates, both in [-1, 1] (x right, y down).

    With output point o, shift t, rotation R, mirror M, crop side s and crop centre c the input point is
    ``p = c + s M R^-1 (o - t)``.

    Returns
    -------
    Tensor
        Shape (batch, 2, 3), float32.
    """

    def get(name: str, default: float) -> Tensor:
        value = parameters.get(name)
        return torch.full((batch,), default, device=device) if value is None else value

    size = get("crop_size", 1.0)
    center_x = 2 * get("crop_left", 0.0) + size - 1
    center_y = 2 * get("crop_top", 0.0) + size - 1
    mirror = 1 - 2 * get("flip", 0.0)
    shift_x, shift_y = 2 * get("translation_x", 0.0), 2 * get("translation_y", 0.0)
    cos, sin = get("rotation", 0.0).cos(), get("rotation", 0.0).sin()
    # y points down, so turning the content counter-clockwise by a reads at R(a) o with this sign of sin.
    row_x = torch.stack((cos, -sin / aspect), dim=1) * (size * mirror)[:, None]
    row_y = torch.stack((sin * aspect, cos), dim=1) * size[:, None]
    linear = torch.stack((row_x, row_y), dim=1)
    shift = torch.stack((shift_x, shift_y), dim=1)[:, :, None]
    offset = torch.stack((center_x, center_y), dim=1)[:, :, None] - linear @ shift
    return torch.cat((linear, offset), dim=2)


def gaussian_blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur each image with its own sigma and reflected borders.

    Parameters
    ----------
    images
        Shape (B, C, H, W), floating.
    sigma
        Shape (B,), pixels; 0 leaves the image as it is.

    Returns
    -------
    Tensor
        Shape (B, C, H, W). Computed as ``T_h X T_w^T`` with banded matrices that hold the border rule; an
        image's kernel reaches to its own 3 sigma, whatever else is in the batch.
    """
    if images.shape[0] == 0:
        return images
    reach = (3 * sigma.float()).ceil()[:, None]
    radius = int(reach.max())
    offsets = torch.arange(-radius, radius + 1, device=images.device, dtype=torch.float32)
    # The floor keeps the quotient finite; a sigma of 0 reaches no neighbour.
    weight = torch.exp(-0.5 * (offsets / sigma.float().clamp(min=1e-3)[:, None]) ** 2) * (offsets.abs() <= reach)
    weight = (weight / weight.sum(dim=1, keepdim=True)).to(images.dtype)
    rows = _blur_matrices(weight, images.shape[2])
    columns = _blur_matrices(weight, images.shape[3])
    return rows[:, None] @ (images @ columns.transpose(1, 2)[:, None])


def _blur_matrices(weight: Tensor, size: int) -> Tensor:
    """Matrices (B, size, size) that apply the kernels weight (B, 2r + 1) along an axis."""
    taps = _taps((weight.shape[1] - 1) // 2, size, weight.device, weight.dtype)
    return (weight @ taps.flatten(1)).view(-1, size, size)


@functools.lru_cache(maxsize=16)
def _taps(radius: int, size: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """(2r + 1, size, size) one-hot: tap k of output i reads input ``reflect(i + k - r)``."""
    position = torch.arange(size, device=device)[None, :] + torch.arange(-radius, radius + 1, device=device)[:, None]
    folded = position.remainder(2 * size)
    source = torch.where(folded < size, folded, 2 * size - 1 - folded)
    return F.one_hot(source, size).to(dtype)
