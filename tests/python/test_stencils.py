# SPDX-License-Identifier: BSD-3-Clause
"""Stencils against NumPy on the padded whole array; halo exchange in two halves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat.testing import all_layouts, assert_equal, gradcheck, uneven_counts, with_counts
from equiheat.testing.strategies import pairs, shapes

NUMPY = {"constant": "constant", "periodic": "wrap", "reflect": "reflect", "symmetric": "symmetric", "edge": "edge"}
BOUNDARIES = st.sampled_from(list(NUMPY))


def padded(value: np.ndarray, before: list[int], behind: list[int], boundary: str, fill: float) -> np.ndarray:
    if 0 in value.shape:  # NumPy continues no empty axis; its result has no entries that look at it
        return np.zeros([n + b + a for n, b, a in zip(value.shape, before, behind, strict=True)], value.dtype)
    options = {"constant_values": fill} if boundary == "constant" else {}
    return np.pad(value, list(zip(before, behind, strict=True)), NUMPY[boundary], **options)


def lowest(u: Any, before: list[int], behind: list[int], pick: Any) -> Any:
    """The extreme of the two corners of the frame: it shows rows that come from the wrong place."""
    first = u[tuple(slice(0, n - b - a) for n, b, a in zip(u.shape, before, behind, strict=True))]
    last = u[tuple(slice(b + a, n) for n, b, a in zip(u.shape, before, behind, strict=True))]
    return pick(first, 2 * last)


@given(st.data(), BOUNDARIES)
def test_functions(data: Any, boundary: str) -> None:
    shape = data.draw(shapes(1, 3, 6))
    x, value = data.draw(pairs(shape, ("int64", "float32", "float64")))
    widths = [(data.draw(st.integers(0, 4)), data.draw(st.integers(0, 4))) for _ in shape]
    before, behind = [w[0] for w in widths], [w[1] for w in widths]
    expected = lowest(padded(value, before, behind, boundary, 3), before, behind, np.minimum)
    got = ht.stencil(lambda u: lowest(u, before, behind, torch.minimum), x, widths, boundary, 3)
    assert_equal(got, expected, split=x.split)
    assert x.split is None or got.counts_displs() == x.counts_displs()


@given(st.data(), BOUNDARIES)
def test_weights(data: Any, boundary: str) -> None:
    shape = data.draw(shapes(1, 3, 9))
    x, value = data.draw(pairs(shape, ("int32", "float32", "float64", "complex128")))
    extents = [2 * data.draw(st.integers(0, 3)) + 1 for _ in shape]
    weights = np.random.default_rng(data.draw(st.integers(0, 99))).integers(-3, 4, extents).astype(float)
    reach = [n // 2 for n in extents]
    whole = padded(value, reach, reach, boundary, 2)
    expected = np.zeros(shape, np.result_type(value.dtype, np.float32))
    for at in np.ndindex(*extents):
        expected += weights[at] * whole[tuple(slice(i, i + n) for i, n in zip(at, shape, strict=True))]
    assert_equal(ht.stencil(weights, x, None, boundary, 2), expected, 1e-4 if value.dtype != np.float64 else 1e-10)


def test_parts_make_up_the_block() -> None:
    """fn sees the interior first, and no entry twice."""
    rng = np.random.default_rng(0)
    value = rng.normal(size=(24, 20, 5))
    for x in all_layouts(value):
        seen: list[int] = []

        def fn(u: torch.Tensor, seen: list[int] = seen) -> torch.Tensor:
            inner = u[2:-1, 1:-2]
            seen.append(inner.numel())
            return inner + u[:-3, :-3]

        frame = [(2, 1), (1, 2), (0, 0)]
        whole = np.pad(value, frame, "wrap")
        got = ht.stencil(fn, x, frame, "periodic")
        assert_equal(got, value + whole[:-3, :-3])
        assert sum(seen) == x.larray.numel()
        if min(x.larray.shape[:2]) > 8:  # a block about as thin as its frame has a small interior
            assert seen[0] == max(seen)


def test_long_rows_and_many_threads() -> None:
    """Rows longer than the kernel's tiles, blocks worth several threads."""
    rng = np.random.default_rng(0)
    for dtype in ("float32", "float64"):
        value = rng.normal(size=(300, 701)).astype(dtype)
        weights = rng.normal(size=(5, 5))
        expected = scipy.signal.correlate2d(value.astype(float), weights, "same", "wrap")
        for x in all_layouts(value):
            assert_equal(
                ht.stencil(weights, x, None, "periodic"), expected.astype(dtype), 1e-4 if dtype == "float32" else 1e-10
            )


def test_out_and_accumulate() -> None:
    value = np.random.default_rng(0).normal(size=(9, 7))
    weights = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0.0]])
    expected = scipy.signal.correlate2d(value, weights, "same")
    for x in all_layouts(value):
        out = ht.ones_like(x)
        assert ht.stencil(weights, x, out=out, accumulate=True) is out
        assert_equal(out, 1 + expected)
        ht.stencil(weights, x, out=out)
        assert_equal(out, expected)


@pytest.mark.parametrize("splits", [(None,), (0,), (1,)])
@pytest.mark.parametrize("boundary", list(NUMPY))
def test_gradients(splits: Any, boundary: str) -> None:
    value = np.random.default_rng(0).normal(size=(4, 3))
    weights = np.random.default_rng(1).normal(size=(5, 3))
    assert gradcheck(lambda x: ht.stencil(weights, x, None, boundary), value, splits=splits, uneven=True)
    fn = lambda u: u[:-2] * u[1:-1] ** 2 + torch.sin(u[2:])  # noqa: E731
    assert gradcheck(lambda x: ht.stencil(fn, x, [1, 0], boundary), value, splits=splits, uneven=True)


def test_laplacian() -> None:
    value = np.random.default_rng(0).normal(size=(6, 5))
    whole = np.pad(value, 1, "edge")
    rows = (whole[:-2, 1:-1] - 2 * value + whole[2:, 1:-1]) / 0.25
    columns = (whole[1:-1, :-2] - 2 * value + whole[1:-1, 2:]) / 4.0
    for x in all_layouts(value):
        assert_equal(ht.laplacian(x, (0.5, 2.0)), rows + columns)
    assert_equal(ht.laplacian(x, np.float32(2.0)), ht.laplacian(x, 2.0).numpy())
    assert_equal(ht.laplacian(x, np.array([0.5, 2.0])), rows + columns)
    assert gradcheck(lambda x: ht.laplacian(x, 2.0, "periodic"), value, splits=(0,), uneven=True)


@pytest.mark.parametrize("boundary", list(NUMPY))
@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "complex128"])
def test_halo_exchange(boundary: str, dtype: str) -> None:
    value = (np.random.default_rng(0).normal(size=(7, 5)) * 9).astype(dtype)
    for split in (0, 1):
        x = with_counts(value, split, uneven_counts(value.shape[split], ht.get_comm().size))
        before, behind = 2, 9
        whole = padded(
            value, [before * (split == k) for k in (0, 1)], [behind * (split == k) for k in (0, 1)], boundary, 1
        )
        halo = ht.HaloExchange(x, [(before, behind)][0], boundary, 1)
        other = ht.HaloExchange(x, 1, boundary, 1)
        first = x.counts_displs()[1][x.comm.rank]
        last = first + x.larray.shape[split]
        for _ in range(2):
            halo.start(x)
            small = other(x)
            large = halo.finish()
            rows = np.take(whole, range(first, first + before), split)
            np.testing.assert_array_equal(large[0].numpy(), rows)
            np.testing.assert_array_equal(small[0].numpy(), np.take(rows, [1], split))
            rows = np.take(whole, range(last + before, last + before + behind), split)
            np.testing.assert_array_equal(large[1].numpy(), rows)
            np.testing.assert_array_equal(small[1].numpy(), np.take(rows, [0], split))


def test_heat_equation() -> None:
    """Many steps, between arrays that take turns, equal to the serial program."""
    value = np.random.default_rng(0).random((30, 17))
    weights = 0.1 * np.array([[0, 1, 0], [1, 6, 1], [0, 1, 0.0]])
    for x in all_layouts(value):
        serial, here, there = value, x, ht.empty_like(x)
        for _ in range(20):
            serial = scipy.signal.correlate2d(serial, weights, "same")
            ht.stencil(weights, here, out=there)
            here, there = there, here
        assert_equal(here, serial, 1e-12)


def test_errors() -> None:
    x = ht.ones((4, 3), split=0)
    with pytest.raises(ValueError, match="boundary must be one of constant, periodic"):
        ht.stencil(lambda u: u, x, 1, "mirror")
    with pytest.raises(ValueError, match="width has 1 entries for 2 axes"):
        ht.stencil(lambda u: u, x, [1])
    with pytest.raises(ValueError, match="width must be at least 0, is -1"):
        ht.stencil(lambda u: u, x, -1)
    with pytest.raises(ValueError, match="fn gave a tensor of shape"):
        ht.stencil(lambda u: u, x, 1)
    with pytest.raises(ValueError, match="one odd extent for each of the 2 axes"):
        ht.stencil(np.ones((2, 3)), x)
    with pytest.raises(ValueError, match="accumulate adds to out"):
        ht.stencil(np.ones((3, 3)), x, accumulate=True)
    with pytest.raises(ValueError, match="out must have the shape, dtype and distribution"):
        ht.stencil(np.ones((3, 3)), x, out=ht.ones((4, 3), split=1))
    with pytest.raises(ValueError, match="out must not be x itself"):
        ht.stencil(np.ones((3, 3)), x, out=x)
    with pytest.raises(ValueError, match="has split None"):
        ht.HaloExchange(ht.ones(3, split=None))


@given(st.data(), BOUNDARIES)
def test_steps_are_repetitions(data: Any, boundary: str) -> None:
    """Sweeps of several steps: blocks of more rows than the stencil reaches, and of fewer."""
    columns = data.draw(st.lists(st.integers(1, 7), max_size=2))
    shape = (data.draw(st.integers(1, 60)), *columns)
    x, value = data.draw(pairs(shape, ("float32", "float64")))
    reach = [data.draw(st.integers(0, 2)) for _ in shape]
    weights = np.random.default_rng(data.draw(st.integers(0, 99))).uniform(-0.5, 0.5, [2 * r + 1 for r in reach])
    steps = data.draw(st.integers(2, 11))
    expected = value.astype(np.float64)
    for _ in range(steps):
        whole = padded(expected, reach, reach, boundary, 2)
        terms = (
            weights[at] * whole[tuple(slice(i, i + n) for i, n in zip(at, shape, strict=True))]
            for at in np.ndindex(weights.shape)
        )
        expected = sum(terms, np.zeros(shape))
    scale = np.abs(expected).max(initial=1)
    tolerance = 1e-4 if value.dtype == np.float32 else 1e-11
    out = ht.empty_like(x)
    for got in (ht.stencil(weights, x, boundary=boundary, value=2, steps=steps),
                ht.stencil(weights, x, boundary=boundary, value=2, steps=steps, out=out)):  # fmt: skip
        assert got.split == x.split and got.dtype == x.dtype
        np.testing.assert_allclose(got.numpy(), expected, rtol=0, atol=tolerance * scale * steps)
    assert_equal(x, value)


def test_steps_in_threads() -> None:
    value = np.random.default_rng(3).normal(size=(400, 33)).astype(np.float32)
    weights = np.random.default_rng(4).uniform(-0.2, 0.2, (3, 5))
    x = ht.array(value, split=0)
    one = ht.stencil(weights, x, boundary="periodic", steps=19).numpy()
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert np.array_equal(ht.stencil(weights, x, boundary="periodic", steps=19).numpy(), one)
    finally:
        torch.set_num_threads(threads)


def test_steps_have_gradients() -> None:
    value = np.random.default_rng(5).normal(size=(9, 4))
    assert gradcheck(lambda x: ht.stencil([[0.5], [0.25], [-0.5]], x, boundary="reflect", steps=3), value)


@pytest.mark.parametrize("options", [{"steps": 0}, {"steps": 2.5}, {"steps": 2, "accumulate": True}])
def test_bad_steps(options: dict[str, Any]) -> None:
    x = ht.ones((4, 4), split=0)
    if "accumulate" in options:
        options = options | {"out": ht.zeros_like(x)}
    with pytest.raises((ValueError, TypeError), match="stencil: "):
        ht.stencil([[1.0, 2.0, 1.0]], x, **options)
    with pytest.raises((ValueError, TypeError), match=r"stencil: .*steps"):
        ht.stencil(lambda u: u, x, 0, steps=2)


def test_what_a_type_has_not_is_refused_on_all_ranks() -> None:
    x = ht.arange(8, dtype=ht.uint8, split=0)
    for call in (
        lambda: ht.stencil(lambda u: u[2:], x, 1, "constant", 300),
        lambda: ht.HaloExchange(x, 1, "constant", -1),
        lambda: ht.rolling(x, 2, boundary="constant", value=256).max(),
    ):
        with pytest.raises(ValueError, match="must be from 0 to 255 for uint8"):
            call()
    assert_equal(ht.rolling(x, 2, boundary="constant", value=-1.5).mean()[:2], np.float32([-0.75, 0.5]))
    with pytest.raises(TypeError, match="weights must be real"):
        ht.stencil(np.array([1, 2j, 3]), x)
