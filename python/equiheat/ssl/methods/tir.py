# SPDX-License-Identifier: BSD-3-Clause
"""TIR: reconstruction of images on the way between the views (Wang, Quercia, et al., AAAI 2026, arXiv 2503.18753).

The second view is made in two steps: u = A(image), then a transformation g. K images on the way from u to g(u), with
1 / (K + 1), 2 / (K + 1), ... of g's parameters, are the targets of K light decoders, each of which reads the
equivariant tokens of both views side by side. Total loss = base loss + weight * mean squared error. No parameter is
ever told.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from equiheat.communication import Communicator
from equiheat.ssl.augment import MEMBERS
from equiheat.ssl.encoders import Encoder, Features
from equiheat.ssl.losses import batch_mean
from equiheat.ssl.methods.auxiliary import Auxiliary
from equiheat.ssl.methods.base import NONE, Method, Others
from equiheat.ssl.options import check_fraction, check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class TIRConfig:
    """Options of TIR.

    Parameters
    ----------
    weight
        Lambda. The paper has 1, and above 5 it saw instability; its features and images are larger.
    equi_fraction
        Share of the features that is equivariant: the paper has 1/2 (VICReg), 1/4 (iBOT, DINOv2).
    intermediate
        K, images on the way. The paper's best is 2.
    families
        The transformation g: families of `AugmentConfig.only`. The second view's other augmentations come before it.
    width
        Channels of the decoders.
    """

    weight: float = 1.0
    equi_fraction: float = 0.5
    intermediate: int = 2
    families: tuple[str, ...] = ("rotation", "translation")
    width: int = 64

    def __post_init__(self) -> None:
        check_kinds(self)
        check_fraction(self)
        check_range(self, "intermediate width", 1)
        check_range(self, "weight", 0)
        if not self.families:
            raise ValueError(f"TIRConfig: families is empty; use some of {', '.join(MEMBERS)}")


class ImageDecoder(nn.Module):
    """One linear layer and four convolutions on the grid of the tokens; the last gives the pixels of each patch.

    Parameters
    ----------
    dim
        Features of a token.
    grid
        (rows, columns) of the tokens.
    patch
        Side of a patch in pixels.
    width
        Channels between the layers.
    """

    def __init__(self, dim: int, *, grid: tuple[int, int], patch: int, width: int) -> None:
        super().__init__()
        self.grid, self.patch = grid, patch
        self.enter = nn.Linear(dim, width)
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [nn.GELU(), nn.Conv2d(width, width, 3, padding=1)]
        layers += [nn.GELU(), nn.Conv2d(width, 3 * patch**2, 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, N, dim) to images (B, 3, H, W)."""
        x: Tensor = self.enter(tokens).transpose(1, 2).unflatten(2, self.grid)
        return pixel_shuffle(self.layers(x), self.patch)


def pixel_shuffle(x: Tensor, patch: int) -> Tensor:
    """(B, 3 p p, h, w) to (B, 3, h p, w p); torch's own has no gradient for a rank that holds no image."""
    batch, _, rows, columns = x.shape
    blocks = x.view(batch, 3, patch, patch, rows, columns).permute(0, 1, 4, 2, 5, 3)
    return blocks.reshape(batch, 3, rows * patch, columns * patch)


class TIR(Auxiliary):
    """Wraps a base method.

    Parameters
    ----------
    base
        Method on the invariant part.
    encoder
        Gives the token grid, the number of features and the pixel normalisation.
    config
        Options.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    def __init__(
        self, base: Method, encoder: Encoder, config: TIRConfig | None = None, *, comm: Communicator | None = None
    ) -> None:
        self_config = TIRConfig() if config is None else config
        super().__init__(base, encoder, self_config.equi_fraction, comm=comm)
        self.config = self_config
        self.normalize = encoder.normalize
        patch = encoder.patch("TIR")
        self.decoders = nn.ModuleList(
            ImageDecoder(2 * (self.dim - self.inv_dim), grid=encoder.grid, patch=patch, width=self.config.width)
            for _ in range(self.config.intermediate)
        )

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """The base's terms, ``reconstruction`` and the total ``loss``, over the global batch. Collective."""
        terms = self.base(
            first.part(0, self.inv_dim), second.part(0, self.inv_dim), views, others.part(0, self.inv_dim)
        )
        if views.middle is None or len(views.middle) != len(self.decoders):
            raise ValueError(
                f"TIR: views.middle is missing; expected {len(self.decoders)} images on the way: make the views with "
                f"TwoViews(..., middle={len(self.decoders)}, moved={self.config.families})"
            )
        wanted = self.normalize(views.middle.flatten(0, 1)).unflatten(0, views.middle.shape[:2])
        errors = (self._decode(first, second) - wanted).float().square().mean(dim=(0, 2, 3, 4))
        error = batch_mean(errors, comm=self.comm)
        total = terms["loss"] + self.config.weight * error
        return {**terms, "loss": total, "base": terms["loss"], "reconstruction": error}

    def _decode(self, first: Features, second: Features) -> Tensor:
        both = torch.cat((first.tokens[..., self.inv_dim :], second.tokens[..., self.inv_dim :]), dim=2)
        return torch.stack([decoder(both) for decoder in self.decoders])

    @torch.no_grad()
    def reconstruct(self, first: Features, second: Features, views: Views) -> Tensor:
        """Predicted images (B, 3, H, W), 0 to 1, of the last image on the way."""
        pixels = self._decode(first, second)[-1].float()
        zero, one = self.normalize(torch.zeros_like(pixels)), self.normalize(torch.ones_like(pixels))
        return ((pixels - zero) / (one - zero)).clamp(0, 1)
