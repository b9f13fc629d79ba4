# SPDX-License-Identifier: BSD-3-Clause
"""Attention, embeddings and models made of them on split tokens: values and gradients of torch's on all of them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import equiheat as ht
from equiheat.testing import all_layouts, assert_equal


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


Q, K, V = numbers(2, 2, 5, 4), numbers(2, 2, 7, 4, seed=1), numbers(2, 2, 7, 3, seed=2)
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "causal": {"is_causal": True},
    "mask": {"attn_mask": torch.tensor(numbers(5, 7, seed=3) > -1)},
    "mask of one row": {"attn_mask": torch.tensor(numbers(2, 1, 1, 7, seed=3))},
    "scale": {"scale": 0.3},
}


def attend(q: Any, k: Any, v: Any, options: dict[str, Any]) -> Any:
    return F.scaled_dot_product_attention(q, k, v, **options)


@pytest.mark.parametrize("name", list(OPTIONS))
def test_attention_of_split_queries(name: str) -> None:
    leaves = [torch.tensor(x, requires_grad=True) for x in (Q, K, V)]
    expected = attend(*leaves, OPTIONS[name])
    weights = torch.tensor(numbers(*expected.shape, seed=4))
    (expected * weights).sum().backward()
    for q in all_layouts(Q):
        for split in (None, 0, 2, q.split):
            found = [q.requires_grad_(), *(ht.array(x, split=split).requires_grad_() for x in (K, V))]
            q.grad = None
            y = attend(*found, OPTIONS[name])
            assert y.split == (q.split if q.split is not None else 0 if split == 0 else None) or q.split == 3
            assert_equal(y, expected.detach().numpy(), 1e-10)
            (y * ht.array(weights.numpy(), split=y.split)).sum().backward()
            for ours, theirs in zip(found, leaves, strict=True):
                assert_equal(ours.grad, theirs.grad.numpy(), 1e-10)


def test_attention_beside_tensors_and_with_fewer_heads_of_keys() -> None:
    k, v = torch.tensor(K, requires_grad=True), torch.tensor(V)
    for q in all_layouts(Q):
        assert_equal(attend(q, k, v, {}), attend(torch.tensor(Q), k, v, {}).detach().numpy(), 1e-10)
        shared = attend(q, k[:, :1], v[:, :1], {"enable_gqa": True})
        expected = attend(torch.tensor(Q), k[:, :1], v[:, :1], {"enable_gqa": True})
        assert_equal(shared, expected.detach().numpy(), 1e-10)
        bias = ht.array(numbers(5, 7, seed=5), split=0)
        expected = attend(torch.tensor(Q), k, v, {"attn_mask": torch.tensor(numbers(5, 7, seed=5))})
        assert_equal(attend(q, k, v, {"attn_mask": bias}), expected.detach().numpy(), 1e-10)


def test_attention_refuses_what_it_cannot_do() -> None:
    q, k, v = (ht.array(x, split=0) for x in (Q, K, V))
    with pytest.raises(ValueError, match="not both"):
        attend(q, k, v, {"is_causal": True, "attn_mask": torch.ones(5, 7, dtype=torch.bool)})
    with pytest.raises(ValueError, match=r"shapes \(2, 2, 5, 4\), \(2, 2, 7, 3\)"):
        attend(q, v, k, {})
    for x in all_layouts(Q):  # on every rank, those with an empty block too
        with pytest.raises(ValueError, match=r"attn_mask of shape \(4, 7\) does not fit"):
            attend(x, k, v, {"attn_mask": torch.ones(4, 7, dtype=torch.bool)})
        with pytest.raises(TypeError, match=r"attn_mask must be bool or torch\.float64"):
            attend(x, k, v, {"attn_mask": torch.ones(5, 7)})
        with pytest.raises(ValueError, match="batch axes"):
            attend(x, ht.array(K[:, [0, 0, 0]]), ht.array(V[:, [0, 0, 0]]), {})
        with pytest.raises(ValueError, match="must divide"):
            attend(x, ht.array(K[:, [0, 0, 0]]), ht.array(V[:, [0, 0, 0]]), {"enable_gqa": True})


def test_dropped_weights_are_the_same_for_any_distribution() -> None:
    ht.random.seed(3)
    expected = attend(*(ht.array(x) for x in (Q, K, V)), {"dropout_p": 0.4, "is_causal": True}).numpy()
    plain = attend(torch.tensor(Q), torch.tensor(K), torch.tensor(V), {"is_causal": True}).numpy()
    assert not np.allclose(expected, plain)
    for q in all_layouts(Q):
        ht.random.seed(3)
        assert_equal(
            attend(q, ht.array(K, split=1), ht.array(V), {"dropout_p": 0.4, "is_causal": True}), expected, 1e-10
        )


CAUSAL = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
PADDING = torch.tensor([[0, 0, 0, 0, -torch.inf], [0, -torch.inf, 0, 0, 0]], dtype=torch.float64)
LAYERS: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "encoder": (nn.TransformerEncoderLayer, {}, {}),
    "encoder, norm first": (nn.TransformerEncoderLayer, {"norm_first": True}, {"src_mask": CAUSAL, "is_causal": True}),
    "encoder, padded": (nn.TransformerEncoderLayer, {}, {"src_key_padding_mask": PADDING}),
    "decoder": (nn.TransformerDecoderLayer, {}, {"tgt_mask": CAUSAL}),
}


@pytest.mark.parametrize("name", list(LAYERS))
def test_layers_of_transformers(name: str) -> None:
    kind, options, call = LAYERS[name]
    torch.manual_seed(0)
    whole = kind(8, 2, 12, 0.0, batch_first=True, **options).double()
    layer, tokens = copy.deepcopy(whole), numbers(2, 5, 8)
    memory = [numbers(2, 3, 8, seed=1)] if name == "decoder" else []
    reference = torch.tensor(tokens, requires_grad=True)
    expected = whole(reference, *map(torch.tensor, memory), **call)
    (expected**3).sum().backward()
    for x in all_layouts(tokens):
        layer.zero_grad()
        y = layer(x.requires_grad_(), *(ht.array(m, split=x.split) for m in memory), **call)
        assert_equal(y, expected.detach().numpy(), 1e-9)
        (y**3).sum().backward()
        assert_equal(x.grad, reference.grad.numpy(), 1e-9)
        for (part, ours), theirs in zip(layer.named_parameters(), whole.parameters(), strict=True):
            np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-7, atol=1e-9, err_msg=part)


@pytest.mark.parametrize("average", [True, False])
def test_weights_of_multi_head_attention(average: bool) -> None:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(8, 2, kdim=6, vdim=4).double()
    q, k, v = numbers(5, 2, 8), numbers(7, 2, 6, seed=1), numbers(7, 2, 4, seed=2)
    mask = torch.tensor(numbers(4, 5, 7, seed=3))
    expected = layer(*map(torch.tensor, (q, k, v)), attn_mask=mask, average_attn_weights=average)
    one = layer(*(torch.tensor(x[:, 0]) for x in (q, k, v)))
    for x in all_layouts(q):
        found = layer(x, ht.array(k, split=0), ht.array(v, split=1), attn_mask=mask, average_attn_weights=average)
        for ours, theirs in zip(found, expected, strict=True):
            assert_equal(ours, theirs.detach().numpy(), 1e-10)
        for ours, theirs in zip(layer(x[:, 0], ht.array(k[:, 0]), ht.array(v[:, 0])), one, strict=True):
            assert_equal(ours, theirs.detach().numpy(), 1e-10)
    with pytest.raises(NotImplementedError, match="add_zero_attn"):
        nn.MultiheadAttention(8, 2, add_zero_attn=True).double()(x, x, x)


def test_embedding() -> None:
    torch.manual_seed(0)
    whole = nn.Embedding(9, 4, padding_idx=2).double()
    layer = copy.deepcopy(whole)
    rows = np.random.default_rng(0).integers(0, 9, size=(5, 3))
    expected = whole(torch.tensor(rows))
    (expected**3).sum().backward()
    for x in all_layouts(rows):
        layer.zero_grad()
        y = layer(x)
        assert y.split == x.split
        assert_equal(y, expected.detach().numpy())
        (y**3).sum().backward()
        np.testing.assert_allclose(layer.weight.grad.numpy(), whole.weight.grad.numpy(), rtol=1e-12)
    with pytest.raises(IndexError, match="outside the table of 9 rows"):
        layer(ht.array(rows + 1, split=0))
    with pytest.raises(TypeError, match="int64 or int32"):
        layer(ht.ones((2, 2), split=0))
    with pytest.raises(NotImplementedError, match="max_norm"):
        nn.Embedding(9, 4, max_norm=1.0)(ht.array(rows))


class Block(nn.Module):
    """A block of a vision transformer, as they are written for tensors."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        x = x + self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """Patches, a class token, positions, blocks, a head."""

    def __init__(self, tokens: int, dim: int = 8) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, dim, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, dim))
        self.position = nn.Parameter(torch.randn(1, tokens + 1, dim))
        self.blocks = nn.Sequential(Block(dim, 2), Block(dim, 4))
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), dim=1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


def test_a_vision_transformer_takes_a_split_image() -> None:
    torch.manual_seed(0)
    whole = Transformer(6).double()
    layer = copy.deepcopy(whole)
    images = numbers(2, 3, 8, 12)
    expected = whole(torch.tensor(images))
    (expected**2).sum().backward()
    for x in all_layouts(images):
        layer.zero_grad()
        y = layer(x)
        assert_equal(y, expected.detach().numpy(), 1e-9)
        (y**2).sum().backward()
        for (name, ours), theirs in zip(layer.named_parameters(), whole.parameters(), strict=True):
            np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-8, atol=1e-10, err_msg=name)


def test_two_axes_of_three_change_places() -> None:
    x = ht.arange(24, split=0).reshape((2, 3, 4))
    assert_equal(x.transpose(1, 2), np.arange(24).reshape(2, 3, 4).swapaxes(1, 2))
    assert_equal(x.transpose(2, 0, 1), np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1))
    assert ht.ones((2, 3)).transpose(0, 1).shape == (2, 3)  # NumPy's order of axes


MODELS: dict[str, tuple[Any, tuple[int, ...], dict[str, Any]]] = {
    "encoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True), 2),
        (2, 5, 8),
        {},
    ),
    "transformer": (lambda: nn.Transformer(8, 2, 1, 1, 12, 0.0, batch_first=True), (2, 5, 8), {}),
    "instance norm": (lambda: nn.InstanceNorm2d(3, affine=True), (2, 3, 5, 4), {}),
    "transposed convolution": (lambda: nn.ConvTranspose2d(3, 2, 3, 2), (2, 3, 5, 4), {"output_size": (12, 10)}),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_models_that_ask_for_sizes(name: str) -> None:
    make, shape, options = MODELS[name]
    torch.manual_seed(0)
    model, value = make().double(), numbers(*shape)
    count = 2 if name == "transformer" else 1
    expected = model(*[torch.tensor(value)] * count, **options)
    for x in all_layouts(value):
        assert_equal(model(*[x] * count, **options), expected.detach().numpy(), 1e-9)


def test_size_is_a_number_and_torchs_method() -> None:
    x = ht.ones((3, 4), split=0)
    assert x.size == 12
    assert isinstance(x.size, int)
    assert x.size() == (3, 4) == torch.Size([3, 4])
    assert [x.size(0), x.size(-1)] == [3, 4]
    assert x.view(x.size(0), -1).shape == (3, 4)
    with pytest.raises(IndexError, match="size: axis 2 is out of bounds for 2-dimensional array"):
        x.size(2)
    narrow = x.astype(ht.int16)  # a number of Python's: its type does not count
    assert (narrow + narrow.size).dtype == (narrow.size * narrow).dtype == ht.int16
    assert ht.zeros((x.size, 2), split=0).shape == (12, 2)
    assert ht.full(x.size, x.size).sum().item() == 144
    assert type(pickle.loads(pickle.dumps(x.size))) is int
