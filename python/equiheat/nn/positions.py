# SPDX-License-Identifier: BSD-3-Clause
"""Positions of the cells of a patch grid."""

from __future__ import annotations

import torch
from torch import Tensor


def grid_positions(grid: tuple[int, int], dim: int) -> Tensor:
    """Two-dimensional sine-cosine embedding.

    Parameters
    ----------
    grid
        (rows, columns).
    dim
        Features E; a quarter each for sine and cosine of the row and of the column, the rest is zero.

    Returns
    -------
    Tensor
        Shape (1, rows * columns, dim), float32, row-major.
    """
    quarter = dim // 4
    frequency = 10000.0 ** -(torch.arange(quarter) / max(quarter, 1))
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    angles = torch.cat([axis.reshape(-1, 1) * frequency for axis in (rows, columns)], dim=1)
    table = torch.cat((angles.sin(), angles.cos()), dim=1)
    return torch.nn.functional.pad(table, (0, dim - table.shape[1])).unsqueeze(0)


def to_patches(images: Tensor, grid: tuple[int, int]) -> Tensor:
    """Cut images (B, C, H, W) into patches (B, rows * columns, ph * pw * C), row-major, channel last in a patch."""
    batch, channels, height, width = images.shape
    rows, columns = grid
    if height % rows or width % columns:
        raise ValueError(
            f"to_patches: images of {height} x {width} pixels do not divide into a grid of {rows} x {columns}"
        )
    cells = images.view(batch, channels, rows, height // rows, columns, width // columns)
    return cells.permute(0, 2, 4, 3, 5, 1).reshape(batch, rows * columns, channels * height * width // (rows * columns))


def from_patches(patches: Tensor, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Inverse of ``to_patches``: (B, N, P) to (B, C, H, W) with (H, W) = size."""
    rows, columns = grid
    height, width = size[0] // rows, size[1] // columns
    channels = patches.shape[2] // (height * width)
    cells = patches.view(patches.shape[0], rows, columns, height, width, channels)
    return cells.permute(0, 5, 1, 3, 2, 4).reshape(patches.shape[0], channels, *size)
