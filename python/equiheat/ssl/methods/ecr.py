# SPDX-License-Identifier: BSD-3-Clause
"""ECR: equivariant features by cross-attention reconstruction (Wang, Krajsek, Scharr, arXiv 2412.03314).

The features of the encoder are split: the first part is invariant and goes to the base method, the last part is
equivariant. A decoder reconstructs one view's pixels: the queries come from that view's equivariant part, keys and
values from the other view. Total loss = base loss + weight * mean squared error. No transformation parameter is ever
used, and the decoder is thrown away after training.

The abstract leaves several choices open; each is an option of `ECRConfig`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.nn.functional import all_gather
from equiheat.nn.positions import from_patches, to_patches
from equiheat.nn.reconstruction import CrossAttentionReconstruction, MlpPlace
from equiheat.ssl.encoders import Encoder, Features
from equiheat.ssl.losses import first_row, global_mean
from equiheat.ssl.methods.auxiliary import Auxiliary, equi_dim
from equiheat.ssl.methods.base import NONE, Method, Others
from equiheat.ssl.options import check_fraction, check_kinds, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class ECRConfig:
    """Options of ECR.

    Parameters
    ----------
    weight
        Lambda, the weight of the reconstruction loss beside the base method's.
    equi_fraction
        Share of the features that is equivariant (rounded to whole features). 0.5 is the published split 256 + 256.
    target
        View to reconstruct: "v2" (the more strongly transformed one), "v1", or "both" (mean of the two losses).
    query
        What asks: "pooled" (the mean of the reconstructed view's equivariant tokens, at every position: how the view
        was transformed, not what is where), "target" (these tokens themselves; with a residual they can carry the
        whole image, and the other view is hardly used), "other" (tokens of the other view) or "position" (learned
        position queries alone).
    context
        Tokens of the other view that answer: "inv" (content from there, the transformation from the query: neither part
        can be dropped), "equi", "all", or "both" (equivariant tokens of both views).
    keys
        "other" is the method. Control arms: "none" (the same decoder without keys and values), "shuffled" (keys and
        values of another image of the batch), "self" (keys and values of the reconstructed view itself).
    residual
        Add the query's features to the attention output. Off, all content comes from the context.
    stop_gradient
        No gradient through keys and values.
    width, num_heads, depth, ratio
        Size of the decoder: width, attention heads, blocks, hidden width of an MLP as a multiple of the width. Two
        blocks kept more of the classes than one at the same R² (experiments/README.md).
    mlp
        Where the MLPs stand: "before" the attention, "after" it, "both" or "none".
    norm_pix
        Normalise each target patch to zero mean and unit spread. Off by default: it removes the patch's mean colour,
        part of what the features should keep.
    """

    weight: float = 10.0
    equi_fraction: float = 0.5
    target: Literal["v1", "v2", "both"] = "v2"
    query: Literal["pooled", "target", "other", "position"] = "pooled"
    context: Literal["inv", "equi", "all", "both"] = "inv"
    keys: Literal["other", "none", "shuffled", "self"] = "other"
    residual: bool = True
    stop_gradient: bool = False
    width: int = 128
    num_heads: int = 4
    depth: int = 2
    ratio: float = 2.0
    mlp: MlpPlace = "before"
    norm_pix: bool = False

    def __post_init__(self) -> None:
        check_kinds(self)
        check_fraction(self)
        check_range(self, "width num_heads depth", 1)
        check_range(self, "weight", 0)
        check_range(self, "ratio", 0, above=True)
        if self.keys in ("none", "self") and self.query not in ("target", "pooled"):
            raise ValueError(f"ECRConfig: keys={self.keys!r} needs query='target' or 'pooled', not {self.query!r}")
        if self.keys == "none" and not self.residual:
            raise ValueError("ECRConfig: keys='none' without residual leaves the decoder no input; set residual=True")

    def equi_dim(self, dim: int) -> int:
        """Equivariant features of an encoder with ``dim`` features; at least 1 is left to each part."""
        return equi_dim(dim, self.equi_fraction)


class ECR(Auxiliary):
    """Wraps a base method.

    Parameters
    ----------
    base
        Method on the invariant part: built for ``encoder.dim - config.equi_dim(encoder.dim)`` features.
    encoder
        Gives the token grid, the number of features and the pixel normalisation.
    config
        Options.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    def __init__(
        self,
        base: Method,
        encoder: Encoder,
        config: ECRConfig | None = None,
        *,
        comm: Communicator | None = None,
    ) -> None:
        config = ECRConfig() if config is None else config
        super().__init__(base, encoder, config.equi_fraction, comm=comm)
        self.config = config
        self.grid = encoder.grid
        self.normalize = encoder.normalize
        self.pixel_mean: list[float] = encoder.mean.flatten().tolist()
        self.pixel_std: list[float] = encoder.std.flatten().tolist()
        equi = self.dim - self.inv_dim
        context_dim = {"equi": equi, "both": equi, "inv": self.inv_dim, "all": self.dim}[config.context]
        self.decoder = CrossAttentionReconstruction(
            query_dim=equi,
            context_dim=context_dim,
            grid=self.grid,
            pixels=3 * encoder.patch("ECR") ** 2,
            width=config.width,
            num_heads=config.num_heads,
            depth=config.depth,
            ratio=config.ratio,
            place=config.mlp,
            residual=config.residual,
            attention=config.keys != "none",
            learned_query=config.query == "position",
        )

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """The base's terms, ``reconstruction`` and the total ``loss``, over the global batch. Collective."""
        inv = self.inv_dim
        terms = self.base(first.part(0, inv), second.part(0, inv), views, others.part(0, inv))
        error = self.reconstruction(first, second, views)
        return {
            **terms,
            "loss": terms["loss"] + self.config.weight * error,
            "base": terms["loss"],
            "reconstruction": error,
        }

    def reconstruction(self, first: Features, second: Features, views: Views, *, keys: str | None = None) -> Tensor:
        """Mean squared error over the global batch; ``keys`` overrides the option of that name. Collective."""
        second_view, first_view = (second, first, views.second), (first, second, views.first)
        pairs = {"v2": [second_view], "v1": [first_view], "both": [first_view, second_view]}[self.config.target]
        errors = [self._decode(own, other, images, keys)[0] for own, other, images in pairs]
        return global_mean(torch.stack(errors).mean(), views.first.shape[0], comm=self.comm)

    @torch.no_grad()
    def shuffled_reconstruction(self, first: Features, second: Features, views: Views) -> Tensor:
        """The error with keys and values of other images: near the true one, the decoder ignores the other view."""
        return self.reconstruction(first, second, views, keys="shuffled")

    @torch.no_grad()
    def reconstruct(self, first: Features, second: Features, views: Views) -> Tensor:
        """Predicted images (B, 3, H, W), 0 to 1, of the target view ("both": of the second view)."""
        own, other, images = (second, first, views.second)
        if self.config.target == "v1":
            own, other, images = first, second, views.first
        prediction = self._decode(own, other, images, None, return_prediction=True)[1]
        if self.config.norm_pix:
            patches = to_patches(self.normalize(images), self.grid)
            prediction = prediction * _spread(patches) + patches.mean(dim=2, keepdim=True)
        pixels = from_patches(prediction.float(), self.grid, (images.shape[2], images.shape[3]))
        zero, one = self.normalize(torch.zeros_like(pixels)), self.normalize(torch.ones_like(pixels))
        return ((pixels - zero) / (one - zero)).clamp(0, 1)

    def _decode(
        self, own: Features, other: Features, images: Tensor, keys: str | None, *, return_prediction: bool = False
    ) -> tuple[Tensor, Tensor]:
        asking = other if self.config.query == "other" else own
        query = asking.tokens[..., self.inv_dim :]
        if self.config.query == "pooled":
            query = asking.pooled[:, None, self.inv_dim :].expand(query.shape)
        return self.decoder(
            query,
            self._context(own, other, keys or self.config.keys),
            images,
            mean=self.pixel_mean,
            std=self.pixel_std,
            normalize_patches=self.config.norm_pix,
            return_prediction=return_prediction,
        )

    def _context(self, own: Features, other: Features, keys: str) -> Tensor | None:
        if self.config.keys == "none":
            return None
        source = own if keys == "self" else other
        start = 0 if self.config.context == "all" else self.inv_dim
        start, stop = (0, self.inv_dim) if self.config.context == "inv" else (start, self.dim)
        tokens = source.tokens[..., start:stop]
        if self.config.stop_gradient:
            tokens = tokens.detach()
        if keys == "shuffled":
            tokens = next_image(tokens, self.comm)
        if self.config.context == "both":
            tokens = torch.cat((tokens, own.tokens[..., start:stop]), dim=1)
        return tokens


def next_image(x: Tensor, comm: Communicator) -> Tensor:
    """Row i becomes row i + 1 of the global batch, cyclically: every image gets another one's. Collective."""
    if comm.size == 1:
        return x.roll(-1, 0)
    whole = all_gather(x, comm).roll(-1, 0)
    start = first_row(x.shape[0], comm)
    return whole[start : start + x.shape[0]]


def _spread(patches: Tensor) -> Tensor:
    return (patches.var(dim=2, keepdim=True) + 1e-6).sqrt()
