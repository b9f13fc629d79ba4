# SPDX-License-Identifier: BSD-3-Clause
"""Cross-attention as a layer."""

from __future__ import annotations

from torch import Tensor, nn

from equiheat.nn.functional import cross_attention


class CrossAttention(nn.Module):
    """Projections of queries and of keys and values, and the attention between them.

    ``y = output(attention(query(x), key(c), value(c)))``

    Parameters
    ----------
    dim
        Features E of x and of the result.
    context_dim
        Features of the context c; E when omitted.
    num_heads
        Divides E.
    output
        With an output projection; without it the heads are only put side by side.
    """

    def __init__(self, dim: int, *, num_heads: int, context_dim: int | None = None, output: bool = True) -> None:
        super().__init__()
        if num_heads < 1 or dim % num_heads:
            raise ValueError(f"CrossAttention: num_heads is {num_heads}; it must divide dim {dim}")
        context_dim = dim if context_dim is None else context_dim
        self.num_heads = num_heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(context_dim, dim, bias=False)  # softmax does not see a bias of the keys
        self.value = nn.Linear(context_dim, dim)
        self.output: nn.Module = nn.Linear(dim, dim) if output else nn.Identity()

    def project(self, x: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, Nq, E), keys and values (B, Nk, E)."""
        return self.query(x), self.key(keys), self.value(values)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor | None = None) -> Tensor:
        """Attend from x (B, Nq, E) to keys (B, Nk, C); values are the keys' inputs when omitted."""
        query, key, value = self.project(x, keys, keys if values is None else values)
        mixed: Tensor = self.output(cross_attention(query, key, value, num_heads=self.num_heads))
        return mixed
