# SPDX-License-Identifier: BSD-3-Clause
"""The fused operators as torch's machinery meets them: compilation, autocast, graphs, strides, errors, ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fused_cases import GRADIENTS, OPERATORS, compare, composed, error, in_double, made, run
from torch import Tensor
from torch.library import opcheck

import equiheat as ht
from equiheat.nn.functional import cross_attention_reconstruction_loss
from equiheat.nn.positions import to_patches
from equiheat.optim.gradients import average_gradients


def arguments(x: dict[str, Any], prediction: bool = False) -> tuple[Any, ...]:
    names = ("query", "key", "value", "weight", "bias", "target", "residual")
    return (*(x[n] for n in names), None, x["num_heads"], 0.5, [], [], [], False, prediction, "", "")


# torch 2.14's opcheck reads .grad of tensors it cloned itself, and warns of it
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.ranks(1, 2)  # nothing is sent
@pytest.mark.parametrize("prediction", [False, True])
def test_operator_check(prediction):
    x = made(dtype=torch.float32)
    opcheck(OPERATORS.cross_attention_reconstruction_loss.default, arguments(x, prediction))
    inner = OPERATORS._cross_attention_reconstruction.default
    detached = {n: v.detach() if isinstance(v, Tensor) else v for n, v in x.items()}
    opcheck(inner, (*arguments(detached, prediction), [True, False, True, True, False, True]))
    opcheck(OPERATORS.cross_attention.default, (x["query"], x["key"], x["value"], 2, 0.5, "", ""))


@pytest.mark.parametrize("dynamic", [False, True])
def test_compiles_whole(dynamic):
    torch._dynamo.reset()
    compiled = torch.compile(
        lambda **a: (cross_attention_reconstruction_loss(**a), None),
        fullgraph=True,
        dynamic=dynamic,
        backend="aot_eager",
    )
    for batch in (2, 3):
        x = made(batch, dtype=torch.float32)
        expected = run(lambda **a: (cross_attention_reconstruction_loss(**a), torch.zeros(0)), x)
        found = run(lambda **a: (compiled(**a)[0], torch.zeros(0)), x)
        assert torch.equal(found[0], expected[0])
        for name, gradient in expected[2].items():
            torch.testing.assert_close(found[2][name], gradient, rtol=1e-6, atol=1e-7)


def test_without_gradients_only_the_loss():
    x = made(dtype=torch.float32)
    loss = cross_attention_reconstruction_loss(**x)
    with torch.no_grad():
        plain = cross_attention_reconstruction_loss(**x)
    with torch.inference_mode():
        frozen = cross_attention_reconstruction_loss(**x)
    assert loss.requires_grad and not plain.requires_grad
    assert loss.item() == plain.item() == frozen.item()


def test_gradients_only_where_they_are_asked_for():
    x = made(dtype=torch.float32)
    expected = run(lambda **a: (cross_attention_reconstruction_loss(**a), torch.zeros(0)), x)[2]
    for name in GRADIENTS:
        alone = {n: v.detach() if isinstance(v, Tensor) else v for n, v in x.items()}
        alone[name].requires_grad_()
        cross_attention_reconstruction_loss(**alone).backward()
        assert torch.equal(alone[name].grad, expected[name]), name


def test_accumulation_scaling_and_a_kept_graph():
    x = made(dtype=torch.float32)
    once = run(lambda **a: (cross_attention_reconstruction_loss(**a), torch.zeros(0)), x)[2]
    once = {n: g.clone() for n, g in once.items()}
    for name in GRADIENTS:
        x[name].grad = None
    loss = cross_attention_reconstruction_loss(**x)
    (loss * 1024).backward(retain_graph=True)
    loss.backward(retain_graph=True)
    (loss * 3).backward()
    cross_attention_reconstruction_loss(**x).backward()
    for name, gradient in once.items():
        torch.testing.assert_close(x[name].grad, 1029 * gradient, rtol=1e-5, atol=1e-6)


def test_gradients_of_gradients_are_refused():
    x = made()
    with pytest.raises(NotImplementedError, match="gradients of gradients"):
        torch.autograd.grad(cross_attention_reconstruction_loss(**x), x["query"], create_graph=True)


@pytest.mark.parametrize("residual", [torch.float32, torch.bfloat16])
def test_autocast_changes_the_arithmetic_and_casts_nothing(residual):
    x = made(batch=4, queries=20, keys=20, heads=2, head=32, pixels=48, dtype=torch.float32)
    expected = run(composed, in_double(x))
    x["residual"] = x["residual"].detach().to(residual).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss, _, gradients = run(lambda **a: (cross_attention_reconstruction_loss(**a), torch.zeros(0)), x)
    assert loss.dtype == torch.float32
    assert abs(loss.item() / expected[0].item() - 1) < 5e-3
    for name, gradient in gradients.items():
        assert gradient.dtype == x[name].dtype
        assert error(gradient, expected[2][name]) < 1e-2, name


def test_any_strides():
    x = made(4, 6, 6, dtype=torch.float32)
    for name in ("query", "key", "target"):
        x[name] = x[name].detach().transpose(0, 1).contiguous().transpose(0, 1)
    x["value"] = x["value"].detach().transpose(1, 2).contiguous().transpose(1, 2)
    x["weight"] = x["weight"].detach().t().contiguous().t().requires_grad_()
    x["residual"] = x["residual"].detach()[:1, :1].expand(4, 6, 8)
    x["query"].requires_grad_(), x["key"].requires_grad_(), x["value"].requires_grad_()
    x["residual"] = x["residual"].requires_grad_()
    compare(x, 2e-6)


def test_nan_stays_in_its_image():
    x = made(3, dtype=torch.float32)
    with torch.no_grad():
        x["query"][1, 2, 3] = float("nan")
    loss, prediction = cross_attention_reconstruction_loss(**x, return_prediction=True)
    loss.backward()
    assert loss.isnan()
    assert prediction[1, 2].isnan().all() and not prediction[[0, 2]].isnan().any()
    assert x["weight"].grad.isnan().any() and not x["query"].grad[[0, 2]].isnan().any()
    x = made(3, dtype=torch.float32, mask=torch.tensor([[True] * 5, [True, True, False, True, True], [True] * 5]))
    x["target"][1, 2] = float("nan")
    assert cross_attention_reconstruction_loss(**x).isfinite()


@pytest.mark.parametrize("sizes", [{"batch": 0}, {"queries": 0}, {"mask": torch.zeros(2, 5, dtype=torch.bool)}])
def test_nothing_counts(sizes):
    x = made(dtype=torch.float32, **sizes)
    loss = cross_attention_reconstruction_loss(**x)
    loss.backward()
    assert loss.item() == 0
    assert all(torch.equal(x[n].grad, torch.zeros_like(x[n])) for n in GRADIENTS)


def test_the_same_bits_again():
    x = made(5, 20, 20, 2, 32, 48, torch.float32)
    first = run(lambda **a: (cross_attention_reconstruction_loss(**a), torch.zeros(0)), x)
    first = (first[0].clone(), {n: g.clone() for n, g in first[2].items()})
    again = run(lambda **a: (cross_attention_reconstruction_loss(**a), torch.zeros(0)), x)
    assert torch.equal(first[0], again[0])
    assert all(torch.equal(g, again[2][n]) for n, g in first[1].items())


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        ({"mask": torch.ones(2, 4, dtype=torch.bool)}, ValueError, r"mask has shape \(2, 4\); expected \(2, 5\)"),
        ({"mask": torch.ones(2, 5)}, TypeError, "mask has dtype torch.float32; expected torch.bool"),
        ({"grid": (2, 2)}, ValueError, r"grid is \(2, 2\); expected rows \* columns = 5"),
        ({"grid": (1, 5)}, ValueError, r"target has shape \(2, 5, 6\); with a grid expected images"),
        ({"grid": (1, 5), "target": torch.zeros(2, 3, 2, 4)}, ValueError, "does not divide into a grid of 1 x 5"),
        ({"mean": [0.5]}, ValueError, "expected a grid beside them"),
        (
            {"grid": (1, 5), "target": torch.zeros(2, 3, 2, 5), "std": [1.0]},
            ValueError,
            "std has 1 entries; expected 3",
        ),
        ({"arithmetic": torch.float16}, ValueError, "arithmetic is torch.float16"),
        ({"target": torch.zeros(2, 5, 6, dtype=torch.uint8)}, TypeError, "target has dtype torch.uint8"),
    ],
)
def test_bad_input_is_named(change, kind, text):
    with pytest.raises(kind, match=text):
        cross_attention_reconstruction_loss(**{**made(dtype=torch.float32), **change})


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize("bad", [torch.zeros(0), torch.zeros(2, 5, 7), torch.zeros(2, 5, 8, dtype=torch.int64)])
def test_the_operator_itself_checks_too(place, bad):
    values = list(
        arguments({n: v.detach() if isinstance(v, Tensor) else v for n, v in made(dtype=torch.float32).items()})
    )
    values[place] = bad
    with pytest.raises((ValueError, TypeError)):
        OPERATORS.cross_attention_reconstruction_loss(*values)
    with pytest.raises(ValueError, match="this processor has"):
        OPERATORS.cross_attention(*(torch.zeros(1, 2, 4),) * 3, 1, 1.0, "", "mmx")


def test_gradients_average_over_ranks():
    comm = ht.get_comm()
    x = made(2 * comm.size, dtype=torch.float32)
    whole = run(lambda **a: (cross_attention_reconstruction_loss(**a), torch.zeros(0)), x)[2]["weight"].clone()
    rows = slice(2 * comm.rank, 2 * comm.rank + 2)
    weight = torch.nn.Parameter(x["weight"].detach().clone())
    batched = ("query", "key", "value", "target", "residual")
    mine = {n: v[rows].detach() if n in batched else v for n, v in x.items()}
    cross_attention_reconstruction_loss(**{**mine, "weight": weight}).backward()
    average_gradients([weight], comm=comm)
    torch.testing.assert_close(weight.grad, whole, rtol=1e-5, atol=1e-6)


class Decoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(8, 6)

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        return cross_attention_reconstruction_loss(x, x, x, self.head.weight, self.head.bias, target, num_heads=2)


@pytest.mark.filterwarnings("ignore")
def test_in_distributed_data_parallel():
    comm = ht.get_comm()
    torch.distributed.init_process_group("equiheat")
    try:
        torch.manual_seed(0)
        alone = Decoder()
        wrapped = torch.nn.parallel.DistributedDataParallel(alone)
        torch.manual_seed(comm.rank)
        x, target = torch.randn(2, 5, 8), torch.randn(2, 5, 6)
        wrapped(x, target).backward()
        found = alone.head.weight.grad.clone()
        alone.head.weight.grad = None
        alone(x, target).backward()
        average_gradients([alone.head.weight], comm=comm)
        torch.testing.assert_close(found, alone.head.weight.grad)
    finally:
        torch.distributed.destroy_process_group()


def test_extra_memory_does_not_grow_with_the_batch():
    def peak(batch: int) -> int:
        x = made(batch, 32, 32, 2, 16, 192, torch.float32)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
            cross_attention_reconstruction_loss(**x)
        events = [e.nbytes() for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
        gradients = sum(x[n].numel() * 4 for n in GRADIENTS)
        return sum(e for e in events if e > 0) - gradients

    # A batch of 64 predictions is 1.5 MB.
    assert peak(64) - peak(32) < 64 * 32 * 192


def test_training_compares_with_images():
    decoder = ht.nn.CrossAttentionReconstruction(
        query_dim=6, context_dim=6, grid=(2, 2), pixels=48, width=8, num_heads=2
    )
    images, tokens = torch.rand(3, 3, 8, 8), torch.randn(3, 4, 6)
    loss, empty = decoder(tokens, tokens, images, mean=[0.5] * 3, std=[0.2] * 3, return_prediction=False)
    expected, _ = decoder(tokens, tokens, to_patches((images - 0.5) / 0.2, (2, 2)))
    assert empty.numel() == 0
    torch.testing.assert_close(loss, expected)
