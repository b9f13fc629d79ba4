# SPDX-License-Identifier: BSD-3-Clause
"""Multi-head attention of split tokens: what ``torch.nn.MultiheadAttention`` and ``torch.nn.Transformer`` call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from equiheat.nn.elementwise import linear
from equiheat.nn.sequences import attend

_NAME = "multi_head_attention_forward"


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:
    """The rule of ``torch.nn.functional.multi_head_attention_forward``: tokens (L, N, E) or (L, E), split or not.

    Communication: that of `scaled_dot_product_attention`, and of `linear`. Masks are tensors that every rank holds.

    Raises
    ------
    NotImplementedError
        For added biases of keys and values, and keys and values that are given.
    """
    if bias_k is not None or bias_v is not None or add_zero_attn or static_k is not None or static_v is not None:
        raise NotImplementedError(f"{_NAME}: bias_k, bias_v, add_zero_attn and static_k, static_v: not for DNDarrays")
    if query.shape[-1] != embed_dim_to_check or embed_dim_to_check % num_heads:
        raise ValueError(f"{_NAME}: {query.shape[-1]} features are not {embed_dim_to_check} in {num_heads} heads")
    is_batched = query.ndim == 3
    given = [x if is_batched else x.reshape((x.shape[0], 1, x.shape[1])) for x in (query, key, value)]
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    weights = separate if use_separate_proj_weight else in_proj_weight.chunk(3)  # type: ignore[union-attr]
    biases = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
    q, k, v = (_heads(linear(x, w, b), num_heads) for x, w, b in zip(given, weights, biases, strict=True))
    mask = _joined(attn_mask, key_padding_mask, q)
    p = dropout_p if training else 0.0
    if is_causal and key_padding_mask is None and not need_weights:
        mixed, shares = attend(q, k, v, None, p, True)
    else:
        mixed, shares = attend(q, k, v, mask, p, False, need_weights=need_weights)
    out = linear(mixed.permute(2, 0, 1, 3).reshape((q.shape[2], q.shape[0], -1)), out_proj_weight, out_proj_bias)
    out = out if is_batched else out.reshape((out.shape[0], out.shape[2]))
    if not need_weights:
        return out, None
    shares = shares.mean(1) if average_attn_weights else shares
    return out, shares if is_batched else shares[0]


def _heads(x: Any, heads: int) -> Any:
    """(L, N, E) as (N, heads, L, E / heads)."""
    return x.reshape((x.shape[0], x.shape[1], heads, -1)).permute(1, 2, 0, 3)


def _joined(attn_mask: Tensor | None, key_padding_mask: Tensor | None, q: Any) -> Tensor | None:
    """Both masks as numbers to add to scores (N, heads, L, S). True is what must not be looked at."""
    batch, heads = q.shape[:2]
    masks = []
    if attn_mask is not None:
        masks.append(attn_mask if attn_mask.dim() == 2 else attn_mask.unflatten(0, (-1, heads)))
    if key_padding_mask is not None:
        masks.append(key_padding_mask.reshape(batch, 1, 1, -1))
    dtype = q.larray.dtype
    added = [torch.zeros_like(m, dtype=dtype).masked_fill(m, -torch.inf) if m.dtype == torch.bool else m for m in masks]
    return sum(added[1:], added[0]) if added else None
