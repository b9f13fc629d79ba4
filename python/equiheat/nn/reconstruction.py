# SPDX-License-Identifier: BSD-3-Clause
"""Decoder that reconstructs the pixels of one view from its own tokens and those of another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

from torch import Tensor, nn

from equiheat.nn._composition import patches_of, reconstruction_loss
from equiheat.nn._fused import pixel_scale
from equiheat.nn.attention import CrossAttention
from equiheat.nn.functional import cross_attention_reconstruction_loss
from equiheat.nn.positions import grid_positions

MlpPlace = Literal["before", "after", "both", "none"]


def mlp(dim: int, ratio: float) -> nn.Sequential:
    """Norm, expand, GELU, contract."""
    hidden = int(dim * ratio)
    return nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))


class DecoderBlock(nn.Module):
    """``x = x + mlp(x)``; ``x = [x +] attention(norm(x), norm(context))``; ``x = x + mlp(x)``: each part optional.

    Parameters
    ----------
    dim, num_heads, ratio
        Width E, attention heads, hidden width of an MLP as a multiple of E.
    attention
        Without it the block sees no context at all.
    residual
        Add x to the attention's output.
    place
        Where the MLPs stand.
    output
        With an output projection after the attention.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        ratio: float,
        attention: bool,
        residual: bool,
        place: MlpPlace,
        output: bool,
    ) -> None:
        super().__init__()
        self.before = mlp(dim, ratio) if place in ("before", "both") else None
        self.norm: nn.Module = nn.LayerNorm(dim) if attention else nn.Identity()
        self.attention = CrossAttention(dim, num_heads=num_heads, output=output) if attention else None
        self.after = mlp(dim, ratio) if place in ("after", "both") else None
        self.residual = residual

    def enter(self, x: Tensor) -> Tensor:
        """The part before the attention."""
        return x if self.before is None else x + self.before(x)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """X (B, Nq, E), keys and values (B, Nk, E), both normed already."""
        x = self.enter(x)
        if self.attention is not None:
            mixed = self.attention(self.norm(x), keys, values)
            x = x + mixed if self.residual else mixed
        return x if self.after is None else x + self.after(x)


class Compared(NamedTuple):
    """How pixels become the values compared with."""

    grid: tuple[int, int] | None
    mean: Sequence[float] | None
    std: Sequence[float] | None
    normalize_patches: bool


class CrossAttentionReconstruction(nn.Module):
    """Cross-attention reconstruction of image patches, with its loss.

    Queries and context are embedded linearly to width E; the position embedding is added to queries and keys. ``depth``
    pre-norm blocks follow, then a linear head to the P pixels of a patch. Where no MLP follows the last attention, that
    attention, the residual, the head and the mean squared error are one call of
    `equiheat.nn.functional.cross_attention_reconstruction_loss`.

    Parameters
    ----------
    query_dim, context_dim
        Features of the query tokens and of the context tokens.
    grid
        (rows, columns) of the tokens of one view.
    pixels
        P, values per patch.
    width, num_heads, depth, ratio
        Size of the decoder.
    place
        Where the MLPs of a block stand: "before" the attention (on the queries), "after" it, "both" or "none".
    residual
        The query's features are added to the attention's output. Without it all content comes from the context.
    attention
        False removes the attention: the decoder then sees the query tokens only.
    learned_query
        Queries are the position embedding alone, not tokens.
    """

    def __init__(
        self,
        *,
        query_dim: int,
        context_dim: int,
        grid: tuple[int, int],
        pixels: int,
        width: int = 128,
        num_heads: int = 4,
        depth: int = 1,
        ratio: float = 2.0,
        place: MlpPlace = "before",
        residual: bool = True,
        attention: bool = True,
        learned_query: bool = False,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f"CrossAttentionReconstruction: depth is {depth}; expected 1 or more")
        if not attention and (learned_query or not residual):
            raise ValueError(
                "CrossAttentionReconstruction: without attention the residual and token queries are needed"
            )
        self.grid = grid
        self.fused = attention and place in ("before", "none")
        self.embed_query = None if learned_query else nn.Linear(query_dim, width)
        self.embed_context = nn.Linear(context_dim, width) if attention else None
        self.context_norm = nn.LayerNorm(width) if attention else None
        self.position = nn.Parameter(grid_positions(grid, width))
        self.key_position = nn.Parameter(grid_positions(grid, width)) if attention else None
        self.blocks = nn.ModuleList(
            DecoderBlock(
                width,
                num_heads=num_heads,
                ratio=ratio,
                attention=attention,
                residual=residual,
                place=place,
                output=number < depth - 1 or not self.fused,
            )
            for number in range(depth)
        )
        self.head = nn.Linear(width, pixels)

    def forward(
        self,
        query: Tensor,
        context: Tensor | None,
        target: Tensor,
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        normalize_patches: bool = False,
        return_prediction: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Predict and compare.

        Parameters
        ----------
        query
            Shape (B, N, query_dim): tokens of the view to reconstruct.
        context
            Shape (B, k N, context_dim): tokens of k views; None only without attention.
        target
            Patches (B, N, P), or images (B, C, H, W), which are cut into patches while they are compared.
        mean, std
            Per channel: images are compared as (image - mean) / std.
        normalize_patches
            Compare with patches of mean 0 and variance 1.
        return_prediction
            Without it the second result is an empty tensor, and the prediction is never held as a whole.

        Returns
        -------
        (Tensor, Tensor)
            Mean squared error over the local batch (a scalar), and the prediction (B, N, P).
        """
        x = self.position.expand(query.shape[0], -1, -1)
        x = x if self.embed_query is None else x + self.embed_query(query)
        keys, values = self._context(context, like=x)
        for block in self.blocks[: -1 if self.fused else None]:
            x = block(x, keys, values)
        compared = Compared(self.grid if target.dim() == 4 else None, mean, std, normalize_patches)
        if self.fused:
            return self._fused_end(x, keys, values, target, compared, return_prediction)
        mean, std = pixel_scale("CrossAttentionReconstruction", target, compared.grid, mean, std)
        wanted = patches_of(target, grid=compared.grid, mean=mean, std=std, normalize_patches=normalize_patches)
        return reconstruction_loss(x, self.head.weight, self.head.bias, wanted, None)

    def _context(self, context: Tensor | None, like: Tensor) -> tuple[Tensor, Tensor]:
        if self.embed_context is None or self.context_norm is None or self.key_position is None:
            return like, like
        if context is None:
            raise ValueError("CrossAttentionReconstruction: context is None; this decoder attends to context tokens")
        values = self.embed_context(context)
        views = values.shape[1] // self.key_position.shape[1]
        keys = self.context_norm(values + self.key_position.repeat(1, views, 1))
        return keys, self.context_norm(values)

    def _fused_end(
        self,
        x: Tensor,
        keys: Tensor,
        values: Tensor,
        target: Tensor,
        compared: Compared,
        return_prediction: bool,
    ) -> tuple[Tensor, Tensor]:
        block: DecoderBlock = self.blocks[-1]  # type: ignore[assignment]
        assert block.attention is not None
        x = block.enter(x)
        query, key, value = block.attention.project(block.norm(x), keys, values)
        error = partial(
            cross_attention_reconstruction_loss,
            query,
            key,
            value,
            self.head.weight,
            self.head.bias,
            target,
            num_heads=block.attention.num_heads,
            residual=x if block.residual else None,
            **compared._asdict(),
        )
        if return_prediction:
            loss, prediction = error(return_prediction=True)
            return loss, prediction
        alone: Tensor = error()
        return alone, x.new_empty(0)
