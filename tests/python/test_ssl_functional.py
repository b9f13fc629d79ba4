# SPDX-License-Identifier: BSD-3-Clause
"""Cross-attention reconstruction against a NumPy transcription of its formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from equiheat.nn.functional import cross_attention_reconstruction_loss as loss_of
from equiheat.nn.positions import from_patches, grid_positions, to_patches
from equiheat.nn.reconstruction import CrossAttentionReconstruction


def inputs(batch=2, queries=5, keys=3, width=8, pixels=6, dtype=torch.float64):
    g = torch.Generator().manual_seed(0)
    shapes = {
        "query": (batch, queries, width),
        "key": (batch, keys, width),
        "value": (batch, keys, width),
        "weight": (pixels, width),
        "bias": (pixels,),
        "target": (batch, queries, pixels),
        "residual": (batch, queries, width),
    }
    return {name: torch.randn(shape, generator=g, dtype=dtype).requires_grad_() for name, shape in shapes.items()}


def in_numpy(x, heads, scale):
    q, k, v, w, b, t, r = (
        x[n].detach().numpy() for n in ("query", "key", "value", "weight", "bias", "target", "residual")
    )
    out = np.empty_like(q)
    size = q.shape[2] // heads
    for image in range(q.shape[0]):
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores = q[image][:, part] @ k[image][:, part].T * scale
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            out[image][:, part] = weights / weights.sum(axis=1, keepdims=True) @ v[image][:, part]
    prediction = (out + r) @ w.T + b
    return ((prediction - t) ** 2).mean(), prediction


@pytest.mark.parametrize(("heads", "scale"), [(1, None), (2, None), (4, 0.3)])
def test_equals_numpy(heads, scale):
    x = inputs()
    loss, prediction = loss_of(**x, num_heads=heads, scale=scale, return_prediction=True)
    expected, pixels = in_numpy(x, heads, (8 // heads) ** -0.5 if scale is None else scale)
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-12)
    np.testing.assert_allclose(prediction.detach().numpy(), pixels, rtol=1e-12)
    assert torch.equal(loss, loss_of(**x, num_heads=heads, scale=scale))


def test_gradients():
    x = inputs()
    names = list(x)
    assert torch.autograd.gradcheck(
        lambda *a: loss_of(**dict(zip(names, a, strict=True)), num_heads=2), tuple(x.values())
    )


def test_empty_batch_is_zero_with_zero_gradients():
    x = inputs(batch=0)
    loss = loss_of(**x, num_heads=2)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(x["weight"].grad, torch.zeros_like(x["weight"]))


def test_bf16_autocast_keeps_the_loss_in_float32():
    x = inputs(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(**x, num_heads=2)
    assert loss.dtype == torch.float32
    assert abs(loss.item() / loss_of(**x, num_heads=2).item() - 1) < 0.02


@pytest.mark.parametrize("kind", [torch.float16, torch.float64])
@pytest.mark.parametrize("normalize", [False, True])
def test_images_of_another_precision_are_compared_in_that_of_the_loss(kind, normalize):
    x = {**inputs(dtype=torch.float32), "target": torch.rand(2, 3, 5, 2, dtype=torch.float64).to(kind)}
    options = {"num_heads": 2, "grid": (5, 1), "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.1)}
    loss = loss_of(**x, **options, normalize_patches=normalize)
    exact = {name: v.detach().double() for name, v in x.items()}
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(loss_of(**exact, **options, normalize_patches=normalize).item(), rel=2e-6)
    half = {name: v if name == "target" else v.detach().half() for name, v in x.items()}
    assert loss_of(**half, **options, normalize_patches=normalize).dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"key": torch.zeros(2, 3, 7)}, ValueError, r"key has shape \(2, 3, 7\); expected \(2, 3, 8\)"),
        ({"value": torch.zeros(2, 4, 8)}, ValueError, r"value has shape \(2, 4, 8\); expected \(2, 3, 8\)"),
        ({"bias": torch.zeros(5)}, ValueError, r"bias has shape \(5,\); expected \(6,\)"),
        ({"target": torch.zeros(2, 5, 5)}, ValueError, "target has shape"),
        ({"residual": torch.zeros(1, 5, 8)}, ValueError, "residual has shape"),
        ({"query": torch.zeros(5, 8)}, ValueError, "query has shape .* expected 3 axes"),
        ({"key": torch.zeros(2, 0, 8), "value": torch.zeros(2, 0, 8)}, ValueError, "at least one key"),
        ({"num_heads": 3}, ValueError, "num_heads is 3; it must divide the width 8"),
        ({"num_heads": 0}, ValueError, "num_heads is 0"),
        ({"target": torch.zeros(2, 5, 6, dtype=torch.float64)}, TypeError, "target has dtype torch.float64 but query"),
        ({"query": torch.zeros(2, 5, 8, dtype=torch.int64)}, TypeError, "query has dtype torch.int64"),
        ({"weight": torch.zeros(6, 8, device="meta")}, ValueError, "weight is on meta but query is on cpu"),
    ],
)
def test_bad_input_is_named(change, error, text):
    with pytest.raises(error, match=text):
        loss_of(**{**inputs(dtype=torch.float32), "num_heads": 2, **change})


@pytest.mark.parametrize("path", ["native", "torch"])
def test_patches_of_one_value_have_no_spread(path):
    x = {
        **inputs(dtype=torch.float32),
        "weight": torch.ones(1, 8),
        "bias": torch.ones(1),
        "target": torch.ones(2, 5, 1),
    }
    x["target"].requires_grad_(path == "torch")
    with pytest.raises(ValueError, match="patches of more than one value"):
        loss_of(**x, num_heads=2, normalize_patches=True)


def test_patches_there_and_back():
    images = torch.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
    patches = to_patches(images, (2, 3))
    assert patches.shape == (2, 6, 12)
    assert torch.equal(patches[0, 4].reshape(2, 2, 3), images[0, :, 2:4, 2:4].permute(1, 2, 0))
    assert torch.equal(from_patches(patches, (2, 3), (4, 6)), images)
    with pytest.raises(ValueError, match="do not divide into a grid of 3 x 4"):
        to_patches(images, (3, 4))


@pytest.mark.parametrize("dim", [4, 6, 8])
def test_positions_differ_from_cell_to_cell(dim):
    table = grid_positions((3, 4), dim)[0]
    assert table.shape == (12, dim)
    assert torch.pdist(table).min() > 1e-3


@pytest.mark.parametrize("place", ["before", "after", "both", "none"])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("residual", [True, False])
def test_decoder_uses_its_context(place, depth, residual):
    torch.manual_seed(0)
    decoder = CrossAttentionReconstruction(
        query_dim=6,
        context_dim=4,
        grid=(2, 2),
        pixels=12,
        width=8,
        num_heads=2,
        depth=depth,
        place=place,
        residual=residual,
    )
    query, context, target = torch.randn(3, 4, 6), torch.randn(3, 4, 4), torch.randn(3, 4, 12)
    loss, prediction = decoder(query, context, target)
    torch.testing.assert_close(loss, (prediction - target).square().mean())
    assert not torch.allclose(prediction, decoder(query, context.flip(0), target)[1])
    loss.backward()
    assert all(p.grad is not None for p in decoder.parameters())


def test_decoder_without_attention_sees_queries_only():
    decoder = CrossAttentionReconstruction(query_dim=6, context_dim=4, grid=(2, 2), pixels=12, width=8, attention=False)
    loss, prediction = decoder(torch.randn(3, 4, 6), None, torch.randn(3, 4, 12))
    loss.backward()
    assert prediction.shape == (3, 4, 12)
    with pytest.raises(ValueError, match="residual and token queries are needed"):
        CrossAttentionReconstruction(
            query_dim=6, context_dim=4, grid=(2, 2), pixels=12, attention=False, residual=False
        )
