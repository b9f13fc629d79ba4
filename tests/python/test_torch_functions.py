# SPDX-License-Identifier: BSD-3-Clause
"""Functions of torch on arrays: torch's own results, in every split, where the names of NumPy mean something else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import equiheat as ht
from equiheat.testing import all_splits, assert_equal, uneven_counts, with_counts

F = torch.nn.functional
VALUE = np.random.default_rng(0).normal(size=(3, 4))
OTHER = np.random.default_rng(1).normal(size=(4, 5))
T, P = torch.tensor(VALUE), torch.tensor(OTHER)
INDEX = torch.tensor([[0, 3], [1, 1], [2, 0]])


def arrays(value: np.ndarray = VALUE) -> Any:
    size = ht.get_comm().size
    for split in all_splits(value.ndim):
        yield with_counts(value, split, None)
        if split is not None and size > 1:
            yield with_counts(value, split, uneven_counts(value.shape[split], size, 1))


def whole(x: Any) -> Any:
    """Results as NumPy's arrays, and tuples of them; no tensor may come out of arrays."""
    if isinstance(x, ht.DNDarray):
        return x.numpy()
    return tuple(whole(part) for part in x) if isinstance(x, (tuple, list)) else x


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, (tuple, list)):
        assert isinstance(found, tuple) and len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
        return
    if isinstance(expected, torch.Tensor):
        expected = expected.numpy()
        assert isinstance(found, np.ndarray) and found.shape == expected.shape and found.dtype == expected.dtype
    tolerance = 1e-6 if getattr(expected, "dtype", None) == np.float32 else 1e-12
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


CALLS: dict[str, Any] = {
    "sum, kept": lambda x: torch.sum(x, 1, True), "mean": lambda x: torch.mean(x, [0, 1], keepdim=True),
    "prod": lambda x: torch.prod(x, 1, keepdim=True), "sum, type": lambda x: torch.sum(x, 0, dtype=torch.float32),
    "max": lambda x: torch.max(x, 1), "min": lambda x: torch.min(x, dim=0, keepdim=True),
    "max of two": lambda x: torch.max(x, x * 0), "max of all": torch.max, "amax": lambda x: torch.amax(x, dim=(0, 1)),
    "argmax": lambda x: torch.argmax(x, 1, True), "aminmax": torch.aminmax,
    "std": torch.std, "std, axis": lambda x: torch.std(x, 1), "std, biased": lambda x: torch.std(x, False),
    "std, axis, biased": lambda x: torch.std(x, 0, unbiased=False, keepdim=True),
    "var": lambda x: torch.var(x, dim=-1, correction=0), "var_mean": lambda x: torch.var_mean(x, 1),
    "std_mean": lambda x: torch.std_mean(x, 0, keepdim=True), "median": torch.median,
    "median, axis": lambda x: torch.median(x, 1), "nanmedian": lambda x: torch.nanmedian(x, 0),
    "sort": lambda x: torch.sort(x), "sort, down": lambda x: torch.sort(x, 0, True), "msort": torch.msort,
    "argsort": lambda x: torch.argsort(x, 0, True), "topk": lambda x: torch.topk(x, 2, dim=1, largest=False),
    "kthvalue": lambda x: torch.kthvalue(x, 2, 0, True), "gather": lambda x: torch.gather(x, 1, INDEX),
    "permute": lambda x: torch.permute(x, (1, 0)), "transpose": lambda x: torch.transpose(x, 0, 1), "t": torch.t,
    "movedim": lambda x: torch.movedim(x, 0, 1), "unsqueeze": lambda x: torch.unsqueeze(x, -1),
    "squeeze": lambda x: torch.squeeze(x, 0), "squeeze one": lambda x: torch.squeeze(x[None], (0, 1)),
    "reshape": lambda x: torch.reshape(x, shape=(2, -1)), "unflatten": lambda x: torch.unflatten(x, 1, (2, 2)),
    "split": lambda x: torch.split(x, 2), "split, lengths": lambda x: torch.split(x, [1, 3], dim=1),
    "chunk": lambda x: torch.chunk(x, 3, dim=1), "tensor_split": lambda x: torch.tensor_split(x, 2, 1),
    "unbind": lambda x: torch.unbind(x, 1), "narrow": lambda x: torch.narrow(x, 1, 1, 2),
    "select": lambda x: torch.select(x, 1, -1),
    "index_select": lambda x: torch.index_select(x, 1, torch.tensor([2, 0])),
    "stack": lambda x: torch.stack([x, T], dim=-1), "stack, tensor first": lambda x: torch.stack([T, x]),
    "vstack": lambda x: torch.vstack([x, T]), "cat": lambda x: torch.cat([x, T], axis=1),
    "concat": lambda x: torch.concat([T, x], dim=1), "where": lambda x: torch.where(x > 0, 1.0, x),
    "where of a tensor": lambda x: T.where(x > 0, 0.0), "masked_fill": lambda x: torch.masked_fill(x, x > 0, 2),
    "masked_select": lambda x: torch.masked_select(x, x > 0), "nonzero": lambda x: torch.nonzero(x > 0),
    "nonzero, tuple": lambda x: torch.nonzero(x > 0, as_tuple=True), "roll": lambda x: torch.roll(x, (1, 2), (0, 1)),
    "clamp": lambda x: torch.clamp(x, max=0.5), "clamp_min": lambda x: torch.clamp_min(x, 0.0),
    "add": lambda x: torch.add(x, T, alpha=2), "sub": lambda x: torch.sub(x, T, alpha=3),
    "rsub": lambda x: torch.rsub(x, 1), "floor": lambda x: torch.div(x, 0.3, rounding_mode="floor"),
    "trunc": lambda x: torch.div(x, 0.3, rounding_mode="trunc"), "lerp": lambda x: torch.lerp(x, T * 2, 0.25),
    "addcmul": lambda x: torch.addcmul(x, T, x, value=2), "erf": torch.erf, "numel": torch.numel,
    "mm": lambda x: torch.mm(x, P), "mv": lambda x: torch.mv(x, P[:, 0]), "addmm": lambda x: torch.addmm(x @ P, x, P),
    "bmm": lambda x: torch.bmm(x[None], P[None]), "tensordot": lambda x: torch.tensordot(x, P, 1),
    "norm": lambda x: torch.norm(x, 1, 1), "vector_norm": lambda x: torch.linalg.vector_norm(x, 3, dim=0),
    "normalize": lambda x: F.normalize(x, dim=0), "logsumexp": lambda x: torch.logsumexp(x, 0, keepdim=True),
    "gradient": lambda x: torch.gradient(x, dim=0), "triu": lambda x: torch.triu(x, diagonal=1),
    "svd": lambda x: torch.svd(x)[1], "v of svd": lambda x: torch.svd(x).V.abs(),
    "meshgrid": lambda x: torch.meshgrid(x[0], x[1], indexing="ij"), "fftn": lambda x: torch.fft.fftn(x, dim=(0,)).real,
    "repeat_interleave": lambda x: torch.repeat_interleave(x, 2, dim=1), "is_complex": torch.is_complex,
    "view": lambda x: x.view(x.shape[0], 2, -1).permute(2, 0, 1),
    "methods": lambda x: x.chunk(2, 1)[1].clamp(min=0).pow(2).sum(1).unsqueeze(1) + x.relu().softmax(1).amax(0),
    "more methods": lambda x: x.sigmoid().rsqrt().log_softmax(0).unflatten(1, (2, 2)).contiguous(),
    "glu": lambda x: F.glu(x, 1), "softmin": lambda x: F.softmin(x, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_as_torch(name: str) -> None:
    expected = CALLS[name](T)
    for x in arrays():
        same(whole(CALLS[name](x)), expected)


def test_medians_of_missing_values() -> None:
    value = VALUE.copy()
    value[0, 1] = value[2, 3] = value[1, :3] = np.nan
    for x in arrays(value):
        for call in (torch.median, torch.nanmedian):
            same(whole(call(x)), call(torch.tensor(value)))
        same(whole(torch.nanmedian(x, 1)), torch.nanmedian(torch.tensor(value), 1))
        np.testing.assert_array_equal(torch.median(x, 1)[0].numpy(), torch.tensor(value).median(1)[0].numpy())


def test_gradients_go_to_one_of_equal_extremes() -> None:
    for x in arrays(np.zeros((3, 4))):
        leaf = x.requires_grad_()
        torch.max(leaf, 1).values.sum().backward()
        np.testing.assert_array_equal(leaf.grad.numpy().sum(1), [1, 1, 1])
        assert set(np.unique(leaf.grad.numpy())) == {0, 1}


def test_names_that_mean_something_else_are_refused() -> None:
    x = ht.ones((4, 4), split=0)
    for call in (lambda: torch.svd(x, some=False), lambda: torch.put(x, INDEX, T), lambda: F.unfold(x[None, None], 2),
                 lambda: torch.norm(x, "nuc"), lambda: torch.mm(x, x[0]), lambda: x.view(torch.int64),
                 lambda: torch.mode(x)):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="must sum to 4"):
        torch.split(x, [1, 2])


def test_no_images() -> None:
    for split in all_splits(4):
        x = ht.zeros((0, 4, 6, 5), split=split)
        for layer in (torch.nn.GroupNorm(2, 4), torch.nn.Softmax(0), torch.nn.PixelShuffle(2), torch.nn.GLU(1)):
            assert_equal(layer(x), layer(torch.zeros(0, 4, 6, 5)).detach().numpy(), 0)
