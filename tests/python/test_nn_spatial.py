# SPDX-License-Identifier: BSD-3-Clause
"""Layers on split images: values and gradients of torch's layers on the whole image."""

from __future__ import annotations

import copy
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
    return copy.deepcopy(whole), whole


CONVOLUTIONS = [
    ("Conv2d", (2, 3, 3), {"padding": 1}, (2, 2, 7, 6)),
    ("Conv2d", (2, 4, (3, 2)), {"stride": (2, 3), "padding": (2, 1), "groups": 2}, (1, 2, 9, 8)),
    ("Conv2d", (2, 2, 3), {"dilation": 2, "padding": "same", "bias": False}, (1, 2, 8, 5)),
    ("Conv2d", (1, 2, 3), {"padding": 2, "padding_mode": "reflect", "stride": 2}, (1, 1, 6, 7)),
    ("Conv2d", (1, 2, 4), {"padding": 1, "padding_mode": "circular"}, (1, 1, 6, 7)),
    ("Conv2d", (1, 2, 4), {"padding": (1, 2), "padding_mode": "replicate"}, (1, 1, 6, 7)),
    ("Conv1d", (2, 3, 5), {"padding": 2, "stride": 2}, (2, 2, 9)),
    ("Conv3d", (1, 2, 3), {"padding": 1, "stride": 2}, (1, 1, 5, 4, 6)),
    ("ConvTranspose2d", (2, 3, 3), {"padding": 1}, (2, 2, 5, 4)),
    ("ConvTranspose2d", (4, 2, 2), {"stride": 2, "groups": 2}, (1, 4, 5, 3)),
    ("ConvTranspose2d", (1, 2, 3), {"stride": 2, "padding": 1, "output_padding": 1}, (1, 1, 4, 5)),
    ("ConvTranspose2d", (1, 1, (1, 2)), {"stride": (4, 3), "output_padding": (3, 2), "bias": False}, (1, 1, 3, 4)),
    ("ConvTranspose2d", (1, 1, 4), {"stride": 3, "padding": 3, "dilation": 2}, (1, 1, 5, 4)),
    ("ConvTranspose1d", (1, 2, 5), {"stride": 2, "padding": 4}, (1, 1, 7)),
    ("ConvTranspose3d", (1, 2, 2), {"stride": 2}, (1, 1, 3, 2, 4)),
    ("Conv2d", (2, 3, 3), {"padding": 1}, (2, 7, 6)),  # one image
    ("ConvTranspose2d", (2, 3, 3), {"stride": 2}, (2, 4, 5)),
]


@pytest.mark.parametrize(("name", "args", "options", "shape"), CONVOLUTIONS)
def test_convolutions(name: str, args: Any, options: Any, shape: Any) -> None:
    compare(*pair(name, *args, **options), np.random.default_rng(0).normal(size=shape))


POOLS = [
    ("MaxPool2d", (3,), {"stride": 2, "padding": 1}, (2, 7, 6)),
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
    ("AdaptiveAvgPool1d", (4,), {}, (2, 1, 7)),
    ("AdaptiveMaxPool2d", ((3, 4),), {}, (1, 1, 7, 6)),
    ("AdaptiveMaxPool2d", (1,), {}, (2, 2, 5, 6)),
    ("AdaptiveMaxPool1d", (9,), {}, (2, 1, 4)),
    ("AdaptiveAvgPool3d", ((1, 2, None),), {}, (1, 1, 3, 5, 2)),
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
    ({"scale_factor": 1.7, "mode": "nearest-exact"}, (1, 1, 5, 6)),
    ({"size": (3, 9), "mode": "area"}, (1, 2, 7, 6)),
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


class Instances(torch.nn.Module):
    """InstanceNorm2d, which asks tensors for their size."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = (torch.nn.Parameter(torch.randn(2).double()) for _ in range(2))
        self.mean, self.var = torch.zeros(2).double(), torch.ones(2).double()

    def forward(self, x: Any) -> Any:
        norm = torch.nn.functional.instance_norm
        return norm(x, self.mean, self.var, self.weight, self.bias, use_input_stats=self.training)


def test_instance_normalisation() -> None:
    whole = Instances()
    layer, value = copy.deepcopy(whole), np.random.default_rng(0).normal(size=(3, 2, 5, 4))
    compare(layer, whole, value, 1e-8)
    for _ in range(sum(1 for _ in arrays(value)) - 1):
        whole(torch.tensor(value))
    for name in ("mean", "var"):
        np.testing.assert_allclose(getattr(layer, name).numpy(), getattr(whole, name).numpy(), rtol=1e-9)
    compare(layer.eval(), whole.eval(), value, 1e-8)


HALF = [
    ("BatchNorm2d", (4,)), ("GroupNorm", (2, 4)), ("LayerNorm", (5,)), ("LayerNorm", ((6, 5),)), ("RMSNorm", (5,)),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("name", "args"), HALF)
def test_statistics_of_half_precision_are_taken_in_single(name: str, args: Any, training: bool) -> None:
    layer = getattr(torch.nn, name)(*args).train(training)
    value = 8 + torch.tensor(np.random.default_rng(0).normal(size=(2, 4, 6, 5))).bfloat16()
    for split in all_splits(4):
        for parameters in (torch.float32, torch.bfloat16):
            mine = copy.deepcopy(layer).to(parameters)
            expected = copy.deepcopy(mine)(value).detach()
            found = mine(ht.array(value, split=split)).resplit(None).larray.detach()
            assert found.dtype == torch.bfloat16
            torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", ["mse_loss", "huber_loss"])
def test_weighted_losses(name: str) -> None:
    value, weight = np.random.default_rng(0).normal(size=(4, 3)), torch.arange(12.0).reshape(4, 3).double()
    loss = getattr(torch.nn.functional, name)
    for reduction in ("mean", "sum"):
        expected = loss(torch.tensor(value), torch.ones(4, 3).double(), weight=weight, reduction=reduction)
        for x in arrays(value):
            found = loss(x, torch.ones(4, 3).double(), weight=weight, reduction=reduction)
            assert_equal(found, expected.numpy(), 1e-12)
        with pytest.raises(ValueError, match="weight"):
            loss(x, torch.ones(4, 3).double(), weight=weight[0])


def test_types_are_checked_before_messages_on_ranks_without_images() -> None:
    whole = (np.arange(120) % 17).reshape(1, 2, 12, 5)
    for x in arrays(whole):
        found = torch.nn.MaxPool2d(3, 2, 1)(x)
        assert_equal(found, torch.nn.MaxPool2d(3, 2, 1)(torch.tensor(whole)).numpy(), 0)
        for layer in (torch.nn.BatchNorm2d(2), torch.nn.GroupNorm(1, 2), torch.nn.LayerNorm(5), torch.nn.RMSNorm(5),
                      torch.nn.AdaptiveAvgPool2d(2)):  # fmt: skip
            with pytest.raises(TypeError, match=r"must have a floating type, has torch\.int64"):
                layer(x)
        with pytest.raises(TypeError, match=r"input has the type torch\.int64, the weight torch\.float32"):
            torch.nn.Conv2d(2, 1, 1)(x)


ELSEWHERE = [
    ("LayerNorm", (4,), {}, (3, 2, 4)),
    ("LayerNorm", ((2, 4),), {"bias": False}, (3, 2, 4)),
    ("LayerNorm", (5,), {"elementwise_affine": False}, (5,)),
    ("GroupNorm", (2, 4), {"affine": False}, (3, 4, 5, 2)),
    ("GroupNorm", (2, 4), {}, (5, 4)),
    ("GLU", (1,), {}, (3, 4, 2)),
    ("RMSNorm", (4,), {}, (3, 2, 4)),
    ("RMSNorm", ((2, 4),), {"eps": 1e-3}, (3, 2, 4)),
    ("PixelShuffle", (2,), {}, (2, 8, 3, 5)),
    ("PixelUnshuffle", (2,), {}, (2, 3, 6, 10)),
    ("ChannelShuffle", (2,), {}, (3, 4, 3, 2)),
    ("Softmin", (1,), {}, (3, 4, 2)),
    ("Unflatten", (1, (2, 2)), {}, (3, 4, 2)),
    ("Linear", (4, 3), {}, (3, 2, 4)),
    ("Linear", (4, 3), {"bias": False}, (4,)),
    ("Softmax", (1,), {}, (3, 4, 2)),
    ("LogSoftmax", (-1,), {}, (3, 5)),
    ("PReLU", (), {}, (3, 4)),
    ("PReLU", (4,), {}, (3, 4, 2)),
    ("Flatten", (), {}, (3, 4, 2)),
    ("Flatten", (0, 1), {}, (3, 4, 2)),
    ("ZeroPad2d", ((1, 2, 0, -1),), {}, (1, 2, 4, 3)),
    ("ReflectionPad1d", (2,), {}, (1, 2, 4)),
    ("CircularPad2d", (1,), {}, (1, 2, 4, 3)),
    ("ReplicationPad3d", (1,), {}, (1, 2, 2, 3, 2)),
    ("ConstantPad1d", ((2, 1), 3.5), {}, (2, 4)),
    *[(name, (), {}, (3, 4)) for name in (
        "CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "LeakyReLU",
        "LogSigmoid", "Mish", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh",
        "Tanhshrink",
    )],
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "options", "shape"), ELSEWHERE)
def test_layers_of_any_array(name: str, args: Any, options: Any, shape: Any) -> None:
    compare(*pair(name, *args, **options), np.random.default_rng(0).normal(size=shape), 1e-8)


def test_activations_in_place() -> None:
    for x in arrays(np.random.default_rng(0).normal(size=(3, 4))):
        wanted = np.maximum(x.numpy(), 0)
        assert_equal(torch.nn.ReLU(inplace=True)(x), wanted, 0)
        assert_equal(x, wanted, 0)


@pytest.mark.parametrize(("name", "one"), [("Dropout", (3, 4, 2, 2)), ("Dropout2d", (3, 4, 1, 1))])
def test_dropout(name: str, one: tuple[int, ...]) -> None:
    layer = getattr(torch.nn, name)(0.25)
    expected = None
    for split in all_splits(4):
        ht.random.seed(5)
        x = ht.ones((3, 4, 2, 2), split=split)
        y = layer(x)
        expected = y.numpy() if expected is None else expected
        np.testing.assert_array_equal(y.numpy(), expected)
        assert y.split == split and y.dtype == ht.float32
    assert expected is not None
    kept = np.broadcast_to(expected[tuple(slice(n) for n in one)], expected.shape)
    np.testing.assert_array_equal(kept, expected)
    assert 0.4 < (expected > 0).mean() < 1 and np.allclose(expected[expected > 0], 4 / 3)
    assert layer.eval()(x) is x


LOSSES = [
    ("MSELoss", {}), ("L1Loss", {"reduction": "sum"}), ("SmoothL1Loss", {"beta": 0.5}), ("HuberLoss", {"delta": 0.7}),
    ("BCEWithLogitsLoss", {}), ("MSELoss", {"reduction": "none"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), LOSSES)
def test_losses_of_elements(name: str, options: Any) -> None:
    rng = np.random.default_rng(0)
    value, target = rng.normal(size=(4, 3)), rng.uniform(size=(4, 3))
    _compare_losses(getattr(torch.nn, name)(**options), value, target)


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4, 2)])
@pytest.mark.parametrize(
    "options",
    [{}, {"label_smoothing": 0.1}, {"ignore_index": 1}, {"reduction": "sum"}, {"reduction": "none"},
     {"weight": torch.tensor([0.5, 2.0, 1.5], dtype=torch.float64)}],
)  # fmt: skip
def test_losses_of_classes(shape: Any, options: Any) -> None:
    rng = np.random.default_rng(0)
    value, labels = rng.normal(size=shape), rng.integers(0, 3, size=(shape[0], *shape[2:]))
    _compare_losses(torch.nn.CrossEntropyLoss(**options), value, labels)
    if "label_smoothing" not in options:
        _compare_losses(torch.nn.NLLLoss(**options), value, labels)
    if "ignore_index" not in options:
        _compare_losses(torch.nn.CrossEntropyLoss(**options), value, rng.uniform(size=shape))


def _compare_losses(loss: torch.nn.Module, value: np.ndarray, target: np.ndarray) -> None:
    reference = torch.tensor(value, requires_grad=True)
    expected = loss(reference, torch.tensor(target))
    expected.sum().backward()
    for x in arrays(value):
        for y in (*arrays(target), torch.tensor(target)):
            leaf = ht.array(x, copy=True).requires_grad_()
            found = loss(leaf, y)
            assert_equal(found, expected.detach().numpy(), 1e-10)
            found.sum().backward()
            assert_equal(leaf.grad, reference.grad.numpy(), 1e-10)


class Block(torch.nn.Module):
    """A residual block, an up-sampling path beside it, and a head, written for tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(2, 4, 3, padding=1)
        self.norm = torch.nn.GroupNorm(2, 4)
        self.down = torch.nn.Conv2d(4, 4, 2, stride=2)
        self.up = torch.nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.head = torch.nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        x = torch.nn.functional.relu(self.norm(self.first(x)), inplace=True)
        y = torch.nn.functional.silu(self.up(torch.nn.functional.max_pool2d(self.down(x), 1)))
        z = torch.cat([x + y, torch.sigmoid(y)], dim=1)
        return self.head(torch.flatten(torch.nn.functional.adaptive_avg_pool2d(z, 1), 1))


def test_a_model_made_for_tensors() -> None:
    torch.manual_seed(0)
    whole = Block().double()
    compare(copy.deepcopy(whole), whole, np.random.default_rng(0).normal(size=(3, 2, 6, 8)), 1e-8)


def test_a_model_of_torchvision() -> None:
    models = pytest.importorskip("torchvision").models
    whole = models.resnet18(num_classes=3).double().eval()
    value = np.random.default_rng(0).normal(size=(2, 3, 41, 32))
    compare(copy.deepcopy(whole), whole, value, 1e-6)


def test_a_whole_encoder() -> None:
    torch.manual_seed(3)
    nn = ht.nn
    whole = nn.Sequential(
        nn.Conv2d(1, 4, 5, 2, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 3, 3, 1, 1),
        nn.GELU(), nn.Upsample(scale_factor=2, mode="bilinear"), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1),
    ).double()  # fmt: skip
    compare(copy.deepcopy(whole), whole, np.random.default_rng(0).normal(size=(2, 1, 33, 21)), 1e-8)


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
    with pytest.raises(ValueError, match=r"must have 4 axes \(N, C, ...\), or 3 without N, has"):
        layer(ht.ones((4, 4), split=0))
    with pytest.raises(ValueError, match="input has 2 channels, the weight takes 1"):
        layer(ht.ones((1, 2, 4, 4), split=2))
    with pytest.raises(ValueError, match="kernel is larger than the padded image"):
        layer(ht.ones((1, 1, 2, 4), split=2))
    with pytest.raises(TypeError, match="conv2d: input must be a DNDarray"):
        torch.conv2d(x, ht.ones((2, 1, 3, 3), dtype=ht.float64))  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="padding must not be negative"):
        torch.conv1d(ht.ones((1, 1, 4), split=2), torch.ones(1, 1, 2), padding=-1)
    with pytest.raises(IndexError, match="out of range"):
        torch.flatten(ht.ones((2, 3), split=0), 2)
    with pytest.raises(ValueError, match="the result would have the shape"):
        torch.nn.ConvTranspose1d(1, 1, 2, padding=3).double()(ht.ones((1, 1, 2), split=2, dtype=ht.float64))
    with pytest.raises(ValueError, match="must be less than the stride"):
        torch.nn.ConvTranspose1d(1, 1, 2, output_padding=1).double()(ht.ones((1, 1, 2), split=2, dtype=ht.float64))
    with pytest.raises(ValueError, match="4 channels do not make 3 groups"):
        torch.nn.functional.group_norm(ht.ones((1, 4)), 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must end in the weight's 2 features"):
        torch.nn.Linear(2, 3)(ht.ones((1, 4), split=1))
    with pytest.raises(ValueError, match=r"target \(3,\) does not fit input \(4, 2\)"):
        torch.nn.CrossEntropyLoss()(ht.ones((4, 2), split=0), ht.zeros(3, dtype=ht.int64))
    with pytest.raises(TypeError, match="no implementation found"):
        torch.nn.MaxPool1d(2, return_indices=True)(ht.ones((1, 1, 4), split=2))
    with pytest.raises(ValueError, match="mode 'linear' does not fit 2"):
        ht.nn.functional.interpolate(ht.ones((1, 1, 2, 4), split=2), size=3, mode="linear")
