# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions against NumPy and SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat.testing import all_layouts, assert_equal, gradcheck, uneven_counts, with_counts
from equiheat.testing.strategies import pairs

DTYPES = ("bool", "uint8", "int16", "int32", "int64", "float32", "float64", "complex64", "complex128")
MODES = st.sampled_from(["full", "same", "valid"])


@given(st.data(), MODES, st.integers(1, 3))
def test_convolve(data: Any, mode: str, stride: int) -> None:
    a, signal = data.draw(pairs((data.draw(st.integers(1, 17)),), DTYPES))
    v, kernel = data.draw(pairs((data.draw(st.integers(1, 17)),), DTYPES))
    expected = np.convolve(signal, kernel, mode)[::stride]
    got = ht.convolve(a, v, mode, stride)
    assert_equal(got, expected, 1e-4)
    assert got.dtype == ht.promote_types(a.dtype, v.dtype)
    longer, other = (a, v) if signal.size >= kernel.size else (v, a)
    assert got.split == (longer.split if longer.split is not None else other.split)
    if mode == "same" and stride == 1 and longer.split == 0:
        assert got.counts_displs() == longer.counts_displs()


@given(st.data(), MODES)
def test_correlate(data: Any, mode: str) -> None:
    a, signal = data.draw(pairs((data.draw(st.integers(1, 12)),), DTYPES[1:]))
    v, kernel = data.draw(pairs((data.draw(st.integers(1, 12)),), DTYPES[1:]))
    assert_equal(ht.correlate(a, v, mode), np.correlate(signal, kernel, mode), 1e-4)


@given(st.data(), MODES, st.integers(1, 2))
def test_batches(data: Any, mode: str, stride: int) -> None:
    batch = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=2))
    n, m = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    a, signal = data.draw(pairs((*batch, n), ("int32", "float64", "complex128")))
    shared = data.draw(st.booleans())
    v, kernel = data.draw(pairs((m,) if shared else (*batch, m), ("int32", "float64", "complex128")))
    got = ht.convolve(a, v, mode, stride).numpy()
    kernels = np.broadcast_to(kernel, (*batch, m)) if shared else kernel
    for index in np.ndindex(*batch):
        np.testing.assert_allclose(got[index], np.convolve(signal[index], kernels[index], mode)[::stride], atol=1e-9)
    assert got.shape[:-1] == tuple(batch)


@given(st.data(), MODES, st.sampled_from(["fill", "wrap", "symm"]), st.sampled_from([0, 2]))
def test_convolve2d(data: Any, mode: str, boundary: str, fill: int) -> None:
    shape = [data.draw(st.integers(1, 8)) for _ in range(2)]
    size = [data.draw(st.integers(1, shape[i] + (mode != "valid") * 3)) for i in range(2)]
    a, image = data.draw(pairs(shape, DTYPES[2:]))
    v, kernel = data.draw(pairs(size, DTYPES[2:]))
    expected = scipy.signal.convolve2d(image, kernel, mode, boundary, fill)
    got = ht.convolve2d(a, v, mode, boundary=boundary, fillvalue=fill)
    assert_equal(got, expected, 1e-3)
    if a.split is not None:
        assert got.split == a.split
    steps = (data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3)))
    strided = ht.convolve2d(a, v, mode, steps, boundary=boundary, fillvalue=fill)
    assert_equal(strided, expected[:: steps[0], :: steps[1]], 1e-3)
    if mode == "valid":
        assert_equal(ht.convolve2d(v, a, mode, boundary=boundary, fillvalue=fill), expected, 1e-3)


@given(st.data(), MODES)
def test_convolve3d(data: Any, mode: str) -> None:
    shape = [data.draw(st.integers(2, 6)) for _ in range(3)]
    a, volume = data.draw(pairs(shape, ("float64",)))
    v, kernel = data.draw(pairs([data.draw(st.integers(1, 2)) for _ in range(3)], ("float64",)))
    got = ht.convolve3d(a, v, mode)
    assert_equal(got, scipy.signal.convolve(volume, kernel, mode, method="direct"), 1e-9)
    if a.split is not None:
        assert got.split == a.split


@given(st.data())
def test_batches_of_images(data: Any) -> None:
    a, images = data.draw(pairs((3, 5, 6), ("float64",)))
    v, kernels = data.draw(pairs((3, 2, 3), ("float64",)))
    w, kernel = data.draw(pairs((3, 2), ("float64",)))
    expected = [scipy.signal.convolve2d(x, k, "same") for x, k in zip(images, kernels, strict=True)]
    assert_equal(ht.convolve2d(a, v, "same"), np.stack(expected))
    assert_equal(ht.convolve2d(a, w), np.stack([scipy.signal.convolve2d(x, kernel) for x in images]))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int64"])
@pytest.mark.parametrize(("n", "m"), [(9000, 1600), (40000, 1501), (3000, 2999), (70000, 3)])
def test_long_kernels(dtype: str, n: int, m: int) -> None:
    """Transforms of pieces, and of the whole; integers stay exact."""
    rng = np.random.default_rng(m)
    signal, kernel = ((1000 * rng.normal(size=k)).astype(dtype) for k in (n, m))
    if dtype == "complex128":
        signal, kernel = signal * (1 + 1j), kernel * (2 - 1j)
    expected = scipy.signal.fftconvolve(signal, kernel) if dtype != "int64" else np.convolve(signal, kernel)
    counts = uneven_counts(n, ht.get_comm().size, 3)
    for x in (ht.array(signal), with_counts(signal, 0, counts)):
        got = ht.convolve(x, ht.array(kernel, split=0 if x.split == 0 else None)).numpy()
        error = 0 if dtype == "int64" else np.abs(expected).max() * (3e-6 if dtype == "float32" else 1e-12)
        np.testing.assert_allclose(got, expected, rtol=0, atol=error)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_kernel_too_long_to_gather(dtype: str) -> None:
    """Both operands split, the kernel above 65536 entries: its blocks pass one after another."""
    n, m = 66000, 65600
    rng = np.random.default_rng(0)
    signal, kernel = np.zeros(n, dtype), np.zeros(m, dtype)
    signal[rng.integers(0, n, 50)] = rng.integers(1, 9, 50)
    kernel[rng.integers(0, m, 50)] = rng.integers(1, 9, 50)
    expected = np.zeros(n + m - 1, dtype)
    for i in np.flatnonzero(kernel):
        expected[i : i + n] += kernel[i] * signal
    if dtype == "int64":  # the direct sum takes seconds for all of it
        kernel[200:] = 0
        expected = np.convolve(signal, kernel[:200])
        expected = np.concatenate([expected, np.zeros(n + m - 1 - expected.size, dtype)])
        if ht.get_comm().size == 1:
            return
    got = ht.convolve(ht.array(signal, split=0), ht.array(kernel, split=0))
    assert_equal(got, expected, 1e-9)


@pytest.mark.parametrize("splits", [(None, None), (0, None), (0, 0), (None, 0)])
@pytest.mark.parametrize("mode", ["full", "valid"])
def test_gradients(splits: Any, mode: str) -> None:
    rng = np.random.default_rng(0)
    a, v = rng.normal(size=7), rng.normal(size=3)
    assert gradcheck(lambda x, y: ht.convolve(x, y, mode), a, v, splits=splits, uneven=True)
    assert gradcheck(lambda x, y: ht.convolve(x, y, mode, 2), a, v, splits=splits)


@pytest.mark.parametrize("split", [0, 1])
@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
def test_gradients_of_images(split: int, boundary: str) -> None:
    rng = np.random.default_rng(0)
    a, v = rng.normal(size=(4, 3)), rng.normal(size=(2, 2))
    program = lambda x, y: ht.convolve2d(x, y, "same", boundary=boundary)  # noqa: E731
    assert gradcheck(program, a, v, splits=[split, None], uneven=True)


def test_gradients_of_complex_numbers_and_batches() -> None:
    rng = np.random.default_rng(0)
    a, v = rng.normal(size=(2, 4)) + 1j * rng.normal(size=(2, 4)), rng.normal(size=(2, 2)) + 1j
    assert gradcheck(lambda x, y: abs(ht.convolve(x, y)) ** 2, a, v, splits=[0, 0])
    assert gradcheck(lambda x, y: abs(ht.convolve(x, y)) ** 2, a, v[0], splits=[1, None])


def test_gradients_through_transforms() -> None:
    """The gradient of a long convolution is the correlation with what comes in."""
    rng = np.random.default_rng(0)
    a, v, weight = rng.normal(size=5000), rng.normal(size=1600), rng.normal(size=3401)
    x, y = ht.array(a, split=0).requires_grad_(), ht.array(v).requires_grad_()
    (ht.convolve(x, y, "valid") * ht.array(weight, split=0)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.correlate(weight, v, "full"), atol=1e-9)
    np.testing.assert_allclose(y.grad.numpy(), np.correlate(a, weight, "valid")[::-1], atol=1e-9)


def test_other_operands() -> None:
    assert_equal(ht.convolve([1, 2, 3], 2), np.convolve([1, 2, 3], 2))
    assert_equal(ht.convolve(ht.arange(4, split=0), np.array([1, 2])), np.convolve(np.arange(4), [1, 2]))


def test_errors() -> None:
    a = ht.ones(5, split=0)
    with pytest.raises(ValueError, match="mode must be one of full, same, valid, is 'half'"):
        ht.convolve(a, a, "half")
    with pytest.raises(ValueError, match="stride must be positive"):
        ht.convolve(a, a, stride=0)
    with pytest.raises(ValueError, match="v cannot be empty"):
        ht.convolve(a, ht.ones(0))
    with pytest.raises(ValueError, match="batch dimensions"):
        ht.convolve(ht.ones((3, 5), split=0), ht.ones((2, 2)))
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        ht.convolve2d(a, ht.ones((2, 2)))
    with pytest.raises(ValueError, match="at least as large as the other"):
        ht.convolve2d(ht.ones((3, 2)), ht.ones((2, 3)), "valid")
    with pytest.raises(ValueError, match="boundary must be one of"):
        ht.convolve2d(ht.ones((3, 2)), ht.ones((2, 2)), boundary="reflect")


def test_correlation_of_logical_values_is_logical() -> None:
    a, v = np.array([True, True, False, True, False]), np.array([True, True])
    for split in (None, 0):
        assert_equal(ht.correlate(ht.array(a, split=split), ht.array(v), "full"), np.correlate(a, v, "full"))
        assert_equal(ht.correlate(ht.array(v, split=split), ht.array(a)), np.correlate(v, a))


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
def test_unsigned_types_wrap_as_numpys(dtype: str) -> None:
    top = np.iinfo(dtype).max
    a, v = np.array([top, 3, 0, 5, top - 1], dtype), np.array([2, 7, top], dtype)
    for x in all_layouts(a):
        for mode in ("full", "same", "valid"):
            assert_equal(ht.convolve(x, v, mode), np.convolve(a, v, mode))
            assert_equal(ht.correlate(x, v, mode), np.correlate(a, v, mode))
    image, kernel = a[:4].reshape(2, 2), v[:2].reshape(1, 2)
    for x in all_layouts(image):
        expected = scipy.signal.convolve2d(image, kernel, boundary="symm")
        assert_equal(ht.convolve2d(x, kernel, boundary="symm"), expected)
