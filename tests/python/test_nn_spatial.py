# SPDX-License-Identifier: BSD-3-Clause
"""Layers on split images: values and gradients of torch's layers on the whole image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import equiheat as ht
from equiheat.testing import all_splits, assert_equal, uneven_counts, with_counts


def arrays(value: np.ndarray) -> Any:
    """The images in every split, balanced and not."""
    size = ht.get_comm().size
    for split in all_splits(value.ndim):
        yield with_counts(value, split, None)
        if split is not None and size > 1:
            yield with_counts(value, split, uneven_counts(value.shape[split], size, 1))


def compare(layer: torch.nn.Module, whole: torch.nn.Module, value: np.ndarray, tolerance: float = 1e-10) -> None:
    """Values, and gradients of the input and of the parameters, of the same weighted sum of the results."""
    whole.zero_grad()
    reference = torch.tensor(value, requires_grad=True)
    expected = whole(reference)
    weights = torch.tensor(np.random.default_rng(7).normal(size=expected.shape))
    (expected * weights).sum().backward()
    for x in arrays(value):
        layer.zero_grad()
        leaf = x.requires_grad_()
        y = layer(leaf)
        assert_equal(y, expected.detach().numpy(), tolerance)
        (y * ht.array(weights.numpy(), split=y.split)).sum().backward()
        assert_equal(leaf.grad, reference.grad.numpy(), tolerance)
        for ours, theirs in zip(layer.parameters(), whole.parameters(), strict=True):
            np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=tolerance, atol=tolerance)


def pair(name: str, *args: Any, **options: Any) -> tuple[torch.nn.Module, torch.nn.Module]:
    torch.manual_seed(0)
    whole = getattr(torch.nn, name)(*args, **options).double()
    layer = getattr(ht.nn, name)(*args, **options).double()
    layer.load_state_dict(whole.state_dict())
    return layer, whole


CONVOLUTIONS = [
    ("Conv2d", (2, 3, 3), {"padding": 1}, (2, 2, 7, 6)),
    ("Conv2d", (2, 4, (3, 2)), {"stride": (2, 3), "padding": (2, 1), "groups": 2}, (1, 2, 9, 8)),
    ("Conv2d", (2, 2, 3), {"dilation": 2, "padding": "same", "bias": False}, (1, 2, 8, 5)),
    ("Conv2d", (1, 2, 3), {"padding": 2, "padding_mode": "reflect", "stride": 2}, (1, 1, 6, 7)),
    ("Conv2d", (1, 2, 4), {"padding": 1, "padding_mode": "circular"}, (1, 1, 6, 7)),
    ("Conv2d", (1, 2, 4), {"padding": (1, 2), "padding_mode": "replicate"}, (1, 1, 6, 7)),
    ("Conv1d", (2, 3, 5), {"padding": 2, "stride": 2}, (2, 2, 9)),
    ("Conv3d", (1, 2, 3), {"padding": 1, "stride": 2}, (1, 1, 5, 4, 6)),
]


@pytest.mark.parametrize(("name", "args", "options", "shape"), CONVOLUTIONS)
def test_convolutions(name: str, args: Any, options: Any, shape: Any) -> None:
    compare(*pair(name, *args, **options), np.random.default_rng(0).normal(size=shape))


POOLS = [
    ("MaxPool2d", (3,), {"stride": 2, "padding": 1}, (2, 2, 7, 6)),
    ("MaxPool2d", (2,), {"dilation": 2, "stride": 1}, (1, 1, 6, 5)),
    ("MaxPool2d", (3,), {"stride": 2, "ceil_mode": True}, (1, 1, 8, 6)),
    ("MaxPool1d", (2,), {}, (1, 2, 9)),
    ("MaxPool3d", (2,), {}, (1, 1, 4, 5, 6)),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1}, (2, 2, 7, 6)),
    ("AvgPool2d", ((2, 3),), {"stride": 2, "padding": 1, "count_include_pad": False}, (1, 1, 6, 5)),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, (1, 1, 8, 6)),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}, (1, 1, 8, 6)),
    ("AvgPool2d", (2,), {"divisor_override": 3}, (1, 1, 6, 6)),
    ("AvgPool1d", (3,), {"padding": 1}, (1, 2, 9)),
    ("AvgPool3d", (2,), {}, (1, 1, 4, 5, 6)),
    ("AdaptiveAvgPool2d", (1,), {}, (2, 2, 5, 6)),
    ("AdaptiveAvgPool2d", ((3, 4),), {}, (1, 1, 7, 6)),
    ("AdaptiveAvgPool2d", ((None, 9),), {}, (1, 1, 3, 5)),
]


@pytest.mark.parametrize(("name", "args", "options", "shape"), POOLS)
def test_pooling(name: str, args: Any, options: Any, shape: Any) -> None:
    compare(*pair(name, *args, **options), np.random.default_rng(0).normal(size=shape))


UPSAMPLINGS = [
    ({"scale_factor": 2}, (1, 2, 3, 5)),
    ({"size": (5, 3)}, (1, 1, 3, 7)),
    ({"scale_factor": 2, "mode": "bilinear"}, (1, 1, 4, 3)),
    ({"scale_factor": (1.7, 0.6), "mode": "bilinear"}, (1, 1, 5, 6)),
    ({"size": (9, 1), "mode": "bilinear", "align_corners": True}, (1, 1, 4, 6)),
    ({"size": 7, "mode": "linear"}, (1, 2, 4)),
    ({"scale_factor": 2, "mode": "trilinear"}, (1, 1, 2, 3, 2)),
    ({"scale_factor": 2.3, "recompute_scale_factor": True}, (1, 1, 7, 3)),
    ({"scale_factor": (2.5, 0.6), "mode": "bilinear", "recompute_scale_factor": True}, (1, 1, 5, 7)),
]


@pytest.mark.parametrize(("options", "shape"), UPSAMPLINGS)
def test_upsampling(options: Any, shape: Any) -> None:
    compare(*pair("Upsample", **options), np.random.default_rng(0).normal(size=shape))


@pytest.mark.parametrize("shape", [(3, 2, 5, 4), (2, 2, 1, 1)])
def test_batch_normalisation(shape: Any) -> None:
    layer, whole = pair("BatchNorm2d", 2)
    compare(layer, whole, np.random.default_rng(0).normal(size=shape), 1e-8)
    runs = sum(1 for _ in arrays(np.zeros(shape)))
    for _ in range(runs - 1):
        whole(torch.tensor(np.random.default_rng(0).normal(size=shape)))
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        np.testing.assert_allclose(getattr(layer, name).numpy(), getattr(whole, name).numpy(), rtol=1e-9)
    compare(layer.eval(), whole.eval(), np.random.default_rng(1).normal(size=shape), 1e-8)


def encoder(nn: Any) -> torch.nn.Module:
    torch.manual_seed(3)
    layers = [
        nn.Conv2d(1, 4, 5, 2, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 3, 3, 1, 1),
        nn.GELU(), nn.Upsample(scale_factor=2, mode="bilinear"), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1),
    ]  # fmt: skip
    return torch.nn.Sequential(*layers).double()


def test_a_whole_encoder() -> None:
    compare(encoder(ht.nn), encoder(torch.nn), np.random.default_rng(0).normal(size=(2, 1, 33, 21)), 1e-8)


@settings(max_examples=25)
@given(st.data())
def test_any_kernel_stride_padding(data: Any) -> None:
    kernel, stride, dilation = (data.draw(st.integers(1, 4)) for _ in range(3))
    padding = data.draw(st.integers(0, 5))
    n = data.draw(st.integers(max(1, dilation * (kernel - 1) + 1 - 2 * padding), 14))
    layer, whole = pair("Conv1d", 1, 1, kernel, stride=stride, padding=padding, dilation=dilation)
    value = np.random.default_rng(0).normal(size=(1, 1, n))
    with torch.no_grad():
        for x in arrays(value):
            assert_equal(layer(x), whole(torch.tensor(value)).numpy(), 1e-10)


def test_plain_tensors_and_errors() -> None:
    layer, whole = pair("Conv2d", 1, 2, 3)
    x = torch.ones(1, 1, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(layer(x), whole(x))
    with pytest.raises(ValueError, match=r"must have 4 axes \(N, C, ...\)"):
        layer(ht.ones((3, 4, 4), split=0))
    with pytest.raises(ValueError, match="x has 2 channels, the layer 1"):
        layer(ht.ones((1, 2, 4, 4), split=2))
    with pytest.raises(ValueError, match="kernel is larger than the padded image"):
        layer(ht.ones((1, 1, 2, 4), split=2))
    with pytest.raises(ValueError, match="mode 'linear' does not fit 2"):
        ht.nn.functional.interpolate(ht.ones((1, 1, 2, 4), split=2), size=3, mode="linear")
