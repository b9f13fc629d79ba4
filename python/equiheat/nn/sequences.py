# SPDX-License-Identifier: BSD-3-Clause
"""Attention and embeddings of arrays of tokens that are split over ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from equiheat import blocks
from equiheat._base import ArrayBase, wrap
from equiheat.nn._spatial import block_of, laid_out, result
from equiheat.nn.elementwise import dropout

_ATTENTION = "scaled_dot_product_attention"


def embedding(
    input: Any,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rule of ``torch.nn.functional.embedding``. One allreduce, which asks whether all indices are in range.

    Raises
    ------
    IndexError
        On every rank, for an index outside the table.
    NotImplementedError
        With an option that writes to the table or depends on all ranks' indices.
    """
    core = block_of(input, "embedding")
    if max_norm is not None or scale_grad_by_freq or sparse:
        raise NotImplementedError("embedding: max_norm, scale_grad_by_freq and sparse are not supported for DNDarrays")
    if core.local.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"embedding: input must be int64 or int32, is {core.local.dtype}")
    if bool(((input < 0) | (input >= len(weight))).any()):
        raise IndexError(f"embedding: an index lies outside the table of {len(weight)} rows")
    local = F.embedding(core.local, blocks.entered(core, weight), padding_idx)
    return result(core, local, [*core.gshape, weight.shape[1]])


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """The rule of ``torch.nn.functional.scaled_dot_product_attention``; the result is split as the queries.

    Split along a batch axis or heads, keys and values follow the queries (no message where they lie so). Split along
    the queries, every rank holds all keys and values, its own rows of scores and its own results: one allgather of
    each, in backward one allreduce. Queries that are split along their features are first split along their tokens.
    """
    like = next(x for x in (query, key, value) if isinstance(x, ArrayBase))._core
    q, k, v = (x if isinstance(x, ArrayBase) else wrap(_whole(x, like)) for x in (query, key, value))
    if is_causal and attn_mask is not None:
        raise ValueError(f"{_ATTENTION}: give attn_mask or is_causal, not both")
    return attend(q, k, v, attn_mask, dropout_p, is_causal, scale, enable_gqa)[0]


def attend(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any,
    dropout_p: float,
    is_causal: bool,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    need_weights: bool = False,
) -> tuple[Any, Any]:
    """Attention of arrays, and its weights if they are needed."""
    batch = _check(query._core, key._core, value._core, attn_mask, enable_gqa)
    core = _beside(query, key, value)._core
    keys, values = (_of_queries(x, core) for x in (key, value))
    mask = _rows_of_mask(attn_mask, core)
    steps = bool(dropout_p) or need_weights or not core.local.numel()  # torch's has no graph where a block is empty
    if is_causal and (steps or core.split == core.ndim - 2):
        mask, is_causal = _causal(core, keys), False
    if not steps:
        options: dict[str, Any] = {"is_causal": is_causal, "scale": scale, "enable_gqa": enable_gqa}
        local = F.scaled_dot_product_attention(core.local, keys, values, mask, **options)
        return result(core, local, [*batch, core.gshape[-2], value.shape[-1]]), None
    if enable_gqa:
        keys, values = (x.repeat_interleave(core.gshape[-3] // x.shape[-3], -3) for x in (keys, values))
    return _stepwise(core, keys, values, batch, mask, dropout_p, scale)


def _stepwise(
    core: blocks.Array,
    keys: Tensor,
    values: Tensor,
    batch: Sequence[int],
    mask: Tensor | None,
    dropout_p: float,
    scale: float | None = None,
) -> tuple[Any, Any]:
    """Attention step by step, and its weights; keys, values and mask are those of the block of queries."""
    scores = core.local @ keys.mT * (core.gshape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    shape = [*batch, core.gshape[-2]]
    weights = result(core, torch.softmax(scores, -1), [*shape, keys.shape[-2]])
    weights = dropout(weights, dropout_p) if dropout_p else weights
    return result(core, weights._core.local @ values, [*shape, values.shape[-1]]), weights


def _check(q: blocks.Array, k: blocks.Array, v: blocks.Array, mask: Any, enable_gqa: bool) -> Sequence[int]:
    """The batch axes of the result. What a rank with an empty block would not notice is refused before any message."""
    if not q.ndim == k.ndim == v.ndim >= 2:
        raise ValueError(f"{_ATTENTION}: query, key and value must have as many axes, 2 or more")
    shapes = ", ".join(str(tuple(x.gshape)) for x in (q, k, v))
    if q.gshape[-1] != k.gshape[-1] or k.gshape[-2] != v.gshape[-2]:
        raise ValueError(f"{_ATTENTION}: shapes {shapes} must be (..., L, E), (..., S, E) and (..., S, V)")
    heads = [x.gshape[-3] for x in (k, v)] if enable_gqa and q.ndim > 2 else []
    if any(n == 0 or q.gshape[-3] % n for n in heads):
        raise ValueError(
            f"{_ATTENTION}: shapes {shapes}: the heads of keys and values must divide those of the queries"
        )
    batch = _broadcast(q.gshape[:-2], *([] if enable_gqa else [k.gshape[:-2], v.gshape[:-2]]))
    if batch is None:
        raise ValueError(f"{_ATTENTION}: the batch axes of shapes {shapes} do not fit")
    if mask is None:
        return batch
    scores, dtype = (*batch, q.gshape[-2], k.gshape[-2]), q.local.dtype
    if _broadcast(mask.shape, scores) != scores:
        raise ValueError(f"{_ATTENTION}: attn_mask of shape {tuple(mask.shape)} does not fit scores of shape {scores}")
    given = mask._core.local.dtype if isinstance(mask, ArrayBase) else mask.dtype
    if given not in (torch.bool, dtype):
        raise TypeError(f"{_ATTENTION}: attn_mask must be bool or {dtype} as the queries, is {given}")
    return batch


def _broadcast(*shapes: Sequence[int]) -> tuple[int, ...] | None:
    try:
        return tuple(torch.broadcast_shapes(*shapes))
    except RuntimeError:
        return None


def _beside(q: Any, k: Any, v: Any) -> Any:
    """The queries split along an axis that can be computed block by block."""
    axis, tokens = q.split, q.ndim - 2
    if axis is None:
        axis = next((x.split for x in (k, v) if x.split is not None and x.split < tokens), None)
    if axis is None:
        return q
    is_shared = axis < tokens and q.shape[axis] == k.shape[axis] == v.shape[axis]
    wanted = axis if is_shared or axis == tokens else tokens
    return q if wanted == q.split else q.resplit(wanted)


def _whole(x: Tensor, like: blocks.Array) -> blocks.Array:
    return blocks.array(x, x.shape, None, None, like)


def _of_queries(x: Any, core: blocks.Array) -> Tensor:
    """What the queries of this rank's block look at of keys or values."""
    is_batch_axis = core.split is not None and core.split < core.ndim - 2
    return laid_out(x, core) if is_batch_axis else _everywhere(x, core)


def _causal(core: blocks.Array, keys: Tensor) -> Tensor:
    places = [torch.arange(n, device=keys.device) for n in (core.gshape[-2], keys.shape[-2])]
    rows = places[0][:, None] >= places[1]
    return _own(rows, core, 0) if core.split == core.ndim - 2 else rows


def _everywhere(x: Any, core: blocks.Array) -> Tensor:
    return blocks.entered(core, x.resplit(None)._core.local)


def _rows_of_mask(mask: Any, core: blocks.Array) -> Tensor | None:
    """The part of a mask that belongs to this rank's queries."""
    if mask is None:
        return None
    whole = _everywhere(mask, core) if isinstance(mask, ArrayBase) else blocks.entered(core, mask)
    if core.split is None:
        return whole
    axis = core.split - core.ndim + whole.dim()
    return whole if axis < 0 or whole.shape[axis] == 1 else _own(whole, core, axis)


def _own(whole: Tensor, core: blocks.Array, axis: int) -> Tensor:
    assert core.counts is not None
    return whole.narrow(axis, sum(core.counts[: core.comm.rank]), core.counts[core.comm.rank])
