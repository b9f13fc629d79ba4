# SPDX-License-Identifier: BSD-3-Clause
"""Cross-attention and its reconstruction loss composed of torch's operations.

The definition the fused operators are tested against, and what computes in their place where they do not apply: half
precision, devices without kernels, a target that requires a gradient, no keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from equiheat.nn.positions import to_patches


def attention(query: Tensor, key: Tensor, value: Tensor, num_heads: int, scale: float) -> Tensor:
    """``concat_h softmax(scale Q_h K_h^T) V_h`` of (B, Nq, E) and twice (B, Nk, E)."""
    q, k, v = (x.unflatten(2, (num_heads, -1)).transpose(1, 2) for x in (query, key, value))
    weights = torch.softmax((q * scale) @ k.transpose(2, 3), dim=3)
    return (weights @ v).transpose(1, 2).flatten(2)


def patches_of(
    target: Tensor,
    *,
    grid: tuple[int, int] | None,
    mean: Sequence[float],
    std: Sequence[float],
    normalize_patches: bool,
) -> Tensor:
    """The values to compare with, (B, Nq, P), of patches or of images (B, C, H, W); float32 at least."""
    pixels = target.to(torch.promote_types(target.dtype, torch.float32))
    if grid is not None:
        pixels = pixels / 255 if target.dtype == torch.uint8 else pixels
        shift, spread = (pixels.new_tensor(x).view(1, -1, 1, 1) for x in (mean, std))
        pixels = to_patches((pixels - shift) / spread, grid)
    if normalize_patches and pixels.shape[2] < 2:
        raise ValueError("normalize_patches needs patches of more than one value")
    if normalize_patches and pixels.numel() > 0:
        spread = (pixels.var(dim=2, keepdim=True) + 1e-6).sqrt()
        pixels = (pixels - pixels.mean(dim=2, keepdim=True)) / spread
    return pixels


def reconstruction_loss(
    mixed: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Mean squared error over the counted tokens, and the prediction."""
    prediction = torch.nn.functional.linear(mixed, weight, bias)
    compared = prediction.to(torch.promote_types(prediction.dtype, torch.float32))
    squares = (compared - target.to(compared.dtype)).square()
    if mask is None:
        return squares.sum() / max(squares.numel(), 1), prediction
    counted = (mask.sum() * prediction.shape[2]).clamp(min=1)
    return squares.masked_fill(~mask.unsqueeze(2), 0).sum() / counted, prediction
