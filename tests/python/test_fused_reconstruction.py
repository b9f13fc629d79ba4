# SPDX-License-Identifier: BSD-3-Clause
"""The fused operators against their composition from torch's operations in double precision."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from fused_cases import GRADIENTS, INSTRUCTIONS, compare, error, made, representable, without_cancellation
from hypothesis import example, given

from equiheat.nn import _composition
from equiheat.nn.functional import cross_attention, cross_attention_reconstruction_loss

pytestmark = pytest.mark.ranks(1, 2)  # of each rank alone


@pytest.fixture(params=INSTRUCTIONS)
def instructions(request, monkeypatch):
    monkeypatch.setenv("EQUIHEAT_INSTRUCTIONS", request.param)
    return request.param


OPTIONS = st.fixed_dictionaries(
    {
        "batch": st.integers(1, 5),
        "queries": st.sampled_from([1, 2, 6, 33, 49]),
        "keys": st.sampled_from([1, 3, 16, 49, 70]),
        "heads": st.integers(1, 3),
        "head": st.sampled_from([1, 5, 16, 24, 32, 48]),
        "pixels": st.sampled_from([1, 3, 31, 48, 200, 403]),
        "seed": st.integers(0, 1000),
    }
)


@given(OPTIONS, st.booleans(), st.booleans(), st.booleans(), st.sampled_from([None, 0.7]))
@example({"batch": 1, "queries": 196, "keys": 197, "heads": 2, "head": 64, "pixels": 97}, True, True, True, None)
@example({"batch": 1, "queries": 3, "keys": 1100, "heads": 1, "head": 128, "pixels": 5}, True, True, False, None)
def test_equals_the_composition(instructions, sizes, residual, bias, mask, scale):
    x = made(**sizes, dtype=torch.float32, scale=scale)
    if not residual:
        del x["residual"]
    if not bias:
        x["bias"] = None
    if mask:
        x["mask"] = torch.arange(sizes["batch"] * sizes["queries"]).view(sizes["batch"], -1) % 3 != 1
    few = min(sizes["batch"] * sizes["queries"] // 2, sizes["pixels"], sizes["keys"], sizes["head"]) < 16
    if few:
        x = without_cancellation(x)
    compare(x, 2e-6, few=few)
    if instructions.endswith("_bf16"):
        x |= {"arithmetic": torch.bfloat16}
        coarse = few or scale is not None  # the errors of large scores are large, too
        compare(representable(x), 2e-2 if coarse else 5e-3, few=few)
        compare(x, 2e-2 if coarse else 1e-2, few=few)  # rounding the inputs adds to that of what is computed


@given(
    st.integers(0, 3), st.sampled_from([(1, 1), (2, 3), (4, 4)]), st.sampled_from([(1, 1), (4, 4), (3, 5), (8, 8)]),
    st.booleans(), st.booleans(), st.sampled_from([1, 3, 4]),
)  # fmt: skip
def test_images_are_cut_while_they_are_read(instructions, batch, grid, patch, byte, normalize, channels):
    pixels = channels * patch[0] * patch[1]
    if normalize and pixels == 1:
        return
    x = made(batch, grid[0] * grid[1], 7, 2, 8, pixels, torch.float32)
    g = torch.Generator().manual_seed(1)
    shape = (batch, channels, grid[0] * patch[0], grid[1] * patch[1])
    image = torch.randint(0, 256, shape, generator=g, dtype=torch.uint8)
    x["target"] = image if byte else image.float() / 255
    scale = {"mean": [0.4, 0.5, 0.6, 0.1][:channels], "std": [0.2, 0.3, 0.25, 1.0][:channels]}
    compare({**x, "grid": grid, "normalize_patches": normalize, **scale}, 4e-6 if normalize else 2e-6)
    # Channels last in memory, and a view.
    x["target"] = x["target"].to(memory_format=torch.channels_last)
    compare({**x, "grid": grid, "normalize_patches": normalize, **scale}, 4e-6 if normalize else 2e-6)


@pytest.mark.parametrize("sizes", [{}, {"queries": 1, "keys": 1}, {"queries": 7, "keys": 4, "heads": 3, "head": 5}])
@pytest.mark.parametrize("prediction", [False, True])
def test_gradients_in_double(sizes, prediction):
    x = made(**sizes, mask=None)
    tensors = {n: x.pop(n) for n in GRADIENTS}
    assert torch.autograd.gradcheck(
        lambda *a: cross_attention_reconstruction_loss(
            **dict(zip(tensors, a, strict=True)), **x, return_prediction=prediction
        ),
        tuple(tensors.values()),
    )


def test_gradients_of_attention_alone():
    x = made(queries=7, keys=4, heads=3, head=5)
    operands = tuple(x[n] for n in ("query", "key", "value"))
    assert torch.autograd.gradcheck(lambda *a: cross_attention(*a, num_heads=3, scale=0.4), operands)


@given(OPTIONS)
def test_attention_alone(instructions, sizes):
    x = made(**sizes, dtype=torch.float32)
    operands = [x[n] for n in ("query", "key", "value")]
    upstream = torch.randn_like(x["query"])
    cross_attention(*operands, num_heads=sizes["heads"]).backward(upstream)
    doubles = [v.detach().double().requires_grad_() for v in operands]
    expected = _composition.attention(*doubles, sizes["heads"], sizes["head"] ** -0.5)
    expected.backward(upstream.double())
    assert error(cross_attention(*operands, num_heads=sizes["heads"]).detach(), expected.detach()) < 2e-6
    for found, wanted in zip(operands, doubles, strict=True):
        # With one key the gradients of scores are differences of equal numbers.
        assert (found.grad - wanted.grad).norm() <= 2e-6 * wanted.grad.norm() + 1e-6 * upstream.norm()
