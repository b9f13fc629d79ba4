# SPDX-License-Identifier: BSD-3-Clause
"""Image encoders: a small ResNet with CIFAR stem, a small ViT, and any timm model.

Every encoder maps images (B, 3, H, W) with values 0 to 1 to ``Features(tokens (B, N, D), pooled (B, D))``; it
normalises by its own ``mean`` and ``std``, so nobody downstream has to remember them.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from equiheat.nn.batchnorm import BatchNorm
from equiheat.nn.functional import cross_attention

#: Channel mean and standard deviation that fit natural images; an encoder built with others keeps them in its state.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Features(NamedTuple):
    """What an encoder returns: ``tokens`` (B, N, D) in row-major order of the patch grid, ``pooled`` (B, D)."""

    tokens: Tensor
    pooled: Tensor

    def part(self, start: int, stop: int) -> Features:
        """Features start to stop of both."""
        return Features(self.tokens[..., start:stop], self.pooled[..., start:stop])

    def halves(self) -> tuple[Features, Features]:
        """The first and the second half of the batch, when two views were encoded as one batch."""
        (tokens1, tokens2), (pooled1, pooled2) = self.tokens.chunk(2), self.pooled.chunk(2)
        return Features(tokens1, pooled1), Features(tokens2, pooled2)


class Encoder(nn.Module):
    """Normalises the images, runs the backbone, pools.

    Parameters
    ----------
    backbone
        Maps normalised images (B, 3, H, W) to tokens (B, N, D).
    name, options
        What ``build_encoder`` was called with; kept for checkpoints.
    dim
        D, features per token.
    grid
        (rows, columns) of the tokens; N = rows * columns.
    image_size
        Side of the images it was built for.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        *,
        name: str,
        options: dict[str, Any],
        dim: int,
        grid: tuple[int, int],
        image_size: int,
        mean: tuple[float, ...] = MEAN,
        std: tuple[float, ...] = STD,
    ) -> None:
        super().__init__()
        _check_statistics(mean, std)
        self.backbone = backbone
        self.name, self.options = name, options
        self.dim, self.grid, self.image_size = dim, grid, image_size
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def patch(self, needed_by: str) -> int:
        """Side of the square of pixels that a token stands for.

        Raises
        ------
        ValueError
            In the name of ``needed_by``, where the tokens do not divide the image.
        """
        rows = self.grid[0]
        if self.image_size % rows:
            raise ValueError(
                f"{needed_by}: {self.name} has {rows} rows of tokens for images of {self.image_size} pixels; expected "
                "a divisor: use another image_size"
            )
        return self.image_size // rows

    def normalize(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W) from [0, 1] to zero mean and unit spread per channel."""
        return (images - self.mean) / self.std

    def forward(self, images: Tensor) -> Features:
        """Encode images (B, 3, H, W) with values 0 to 1."""
        if images.dim() != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise ValueError(
                f"Encoder: images have shape {tuple(images.shape)} and dtype {images.dtype}; "
                "expected (B, 3, H, W) of a floating type, values 0 to 1"
            )
        tokens = self.backbone(self.normalize(images))
        return Features(tokens, tokens.mean(dim=1))


def _check_statistics(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    if len(mean) != 3 or not all(map(math.isfinite, mean)):
        raise ValueError(f"Encoder: mean is {mean}; expected three numbers, one a channel")
    if len(std) != 3 or not all(0 < x < math.inf for x in std):
        raise ValueError(f"Encoder: std is {std}; expected three positive numbers, one a channel")


class ResidualBlock(nn.Module):
    """``relu(norm(conv(relu(norm(conv(x))))) + shortcut(x))`` with 3x3 convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = BatchNorm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = BatchNorm(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), BatchNorm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(self.conv1(x)).relu_()
        return (self.norm2(self.conv2(y)) + self.shortcut(x)).relu_()


class ResNet(nn.Module):
    """Residual network with a 3x3 stem and no pooling before the last feature map.

    Parameters
    ----------
    stem
        (channels, stride) of the stem.
    stages
        One (channels, blocks, stride) per stage.
    """

    def __init__(self, stem: tuple[int, int], stages: list[tuple[int, int, int]]) -> None:
        super().__init__()
        width, stride = stem
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, stride, 1, bias=False), BatchNorm(width), nn.ReLU(inplace=True)
        )
        blocks: list[nn.Module] = []
        for channels, count, stride in stages:
            for number in range(count):
                blocks.append(ResidualBlock(width, channels, stride if number == 0 else 1))
                width = channels
        self.blocks = nn.Sequential(*blocks)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """He initialisation of the convolutions."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 3, H, W) to tokens (B, h * w, C): the cells of the last feature map."""
        x = self.blocks(self.stem(x.contiguous(memory_format=torch.channels_last)))
        return x.flatten(2).transpose(1, 2)


def self_attention(qkv: Tensor, heads: int) -> Tensor:
    """Attention from queries, keys and values side by side, (B, N, 3 D) to (B, N, D).

    On processors by the operator that reads them where they lie; in graphs that are to be exported by torch's own.
    """
    exported = torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined]
    if qkv.device.type == "cpu" and not exported:
        return cross_attention(*qkv.chunk(3, dim=2), num_heads=heads)
    q, k, v = qkv.unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    return nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class TransformerBlock(nn.Module):
    """Pre-norm: ``x + attention(norm(x))``, then ``x + mlp(norm(x))``."""

    def __init__(self, dim: int, heads: int, ratio: float = 4.0) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.project = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        hidden = int(dim * ratio)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.project(self_attention(self.qkv(self.norm1(x)), self.heads))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Patch embedding, learned positions, ``depth`` blocks, final norm; no class token.

    Parameters
    ----------
    image_size, patch
        Pixels; the patch must divide the image side.
    dim, depth, heads
        Width, number of blocks, attention heads.
    """

    def __init__(self, *, image_size: int, patch: int, dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, dim, patch, patch)
        self.position = nn.Parameter(torch.zeros(1, (image_size // patch) ** 2, dim))
        self.blocks = nn.Sequential(*(TransformerBlock(dim, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 3, H, W) to tokens (B, N, D)."""
        cells = self.embed(x)
        return self.norm(self.blocks(cells.flatten(2).transpose(1, 2) + self._position(cells.shape[2:])))

    def _position(self, grid: torch.Size) -> Tensor:
        """Position embedding of a grid: as learned, or interpolated for images of another size (small crops)."""
        side = int(self.position.shape[1] ** 0.5)
        if tuple(grid) == (side, side):
            return self.position
        learned = self.position.transpose(1, 2).unflatten(2, (side, side))
        other = nn.functional.interpolate(learned, tuple(grid), mode="bicubic", align_corners=False)
        return other.flatten(2).transpose(1, 2)


_RESNETS: dict[str, tuple[tuple[int, int], list[tuple[int, int, int]]]] = {
    "resnet-lite": ((16, 2), [(32, 1, 1), (64, 1, 2), (128, 1, 2)]),
    "resnet18-cifar": ((64, 1), [(64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2)]),
}
_VITS: dict[str, dict[str, int]] = {
    "vit-micro-p4": {"patch": 4, "dim": 96, "depth": 4, "heads": 3},
    "vit-micro-p8": {"patch": 8, "dim": 96, "depth": 4, "heads": 3},
    "vit-tiny-p4": {"patch": 4, "dim": 192, "depth": 12, "heads": 3},
    "vit-tiny-p8": {"patch": 8, "dim": 192, "depth": 12, "heads": 3},
    "vit-small-p16": {"patch": 16, "dim": 384, "depth": 12, "heads": 6},
}
ENCODERS = (*_RESNETS, *_VITS)


def build_encoder(
    name: str,
    *,
    image_size: int = 32,
    seed: int | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    pretrained: bool = False,
) -> Encoder:
    """Build an encoder by name; no communication.

    Parameters
    ----------
    name
        One of ``ENCODERS``, or ``timm:<model>`` for any timm model (needs the extra ``equiheat[timm]``).
    image_size
        Side of the images in pixels.
    seed
        Seed of the initial weights; the global random state is left as it was. None uses the global random state.
    mean, std
        Channel statistics by which the encoder normalises its input, for images from 0 to 1. When omitted: those of
        timm's configuration of the model (``timm:`` names), else ImageNet's.
    pretrained
        Load timm's weights (``timm:`` names only).

    Returns
    -------
    Encoder
        With ``dim``, ``grid`` and ``image_size``. The weights are the same on every rank when ``seed`` is given.
    """
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        backbone = _build_backbone(name, image_size, pretrained)
    own: dict[str, tuple[float, ...]] = getattr(backbone, "statistics", {})
    mean, std = mean or own.get("mean", MEAN), std or own.get("std", STD)
    options = {"image_size": image_size}
    with torch.no_grad():
        backbone.eval()
        tokens = backbone(torch.zeros(1, 3, image_size, image_size))
        backbone.train()
    grid = _grid(name, tokens.shape[1])
    return Encoder(
        backbone,
        name=name,
        options=options,
        dim=tokens.shape[2],
        grid=grid,
        image_size=image_size,
        mean=mean,
        std=std,
    )


def _build_backbone(name: str, image_size: int, pretrained: bool) -> nn.Module:
    if name.startswith("timm:"):
        from equiheat.ssl.timm_encoder import TimmBackbone

        return TimmBackbone(name.removeprefix("timm:"), image_size=image_size, pretrained=pretrained)
    if pretrained:
        raise ValueError(f"build_encoder: pretrained weights exist for timm: names only, not for {name!r}")
    if name in _RESNETS:
        return ResNet(*_RESNETS[name])
    if name in _VITS:
        patch = _VITS[name]["patch"]
        if image_size % patch:
            raise ValueError(f"build_encoder: image_size is {image_size}; {name} needs a multiple of {patch}")
        return VisionTransformer(image_size=image_size, **_VITS[name])
    raise ValueError(f"build_encoder: unknown encoder {name!r}; use one of {', '.join(ENCODERS)} or timm:<model>")


def _grid(name: str, count: int) -> tuple[int, int]:
    side = int(count**0.5)
    if side * side != count:
        raise ValueError(f"build_encoder: {name} gives {count} tokens, which is no square grid")
    return side, side
