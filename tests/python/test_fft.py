# SPDX-License-Identifier: BSD-3-Clause
"""Fourier transforms against NumPy and SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat.testing import assert_equal, gradcheck, uneven_counts, with_counts
from equiheat.testing.strategies import pairs, shapes

REALS = ("bool", "int32", "int64", "float32", "float64")
COMPLEX = ("complex64", "complex128")
LINES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
NORMS = st.sampled_from([None, "backward", "ortho", "forward"])


def precise(value: np.ndarray) -> np.ndarray:
    return value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)


def tolerance(value: np.ndarray) -> float:
    return 1e-9 if value.dtype in (np.float64, np.complex128) else 1e-3


def expected_dtype(value: np.ndarray, real: bool) -> Any:
    double = value.dtype in (np.float64, np.complex128)
    return (ht.float64 if double else ht.float32) if real else (ht.complex128 if double else ht.complex64)


def dtypes_for(name: str) -> tuple[str, ...]:
    return REALS if name.startswith(("rfft", "ihfft")) else (*REALS, *COMPLEX)


@pytest.mark.parametrize("name", LINES)
@given(data=st.data(), norm=NORMS)
def test_one_axis(name: str, data: Any, norm: str | None) -> None:
    x, value = data.draw(pairs(shapes(1, 3, 9, 1), dtypes_for(name)))
    axis = data.draw(st.integers(-value.ndim, value.ndim - 1))
    n = data.draw(st.none() | st.integers(1, 14))
    if n is None and name in ("irfft", "hfft") and value.shape[axis] < 2:
        n = 3
    expected = getattr(np.fft, name)(precise(value), n, axis, norm)
    got = getattr(ht.fft, name)(x, n, axis, norm)
    assert_equal(got, expected, tolerance(value), dtype=expected_dtype(value, name in ("irfft", "hfft")), split=x.split)
    if x.split is not None and got.shape[x.split] == x.shape[x.split]:
        assert got.counts_displs() == x.counts_displs()


@pytest.mark.parametrize("name", LINES)
@given(data=st.data(), norm=NORMS)
def test_several_axes(name: str, data: Any, norm: str | None) -> None:
    x, value = data.draw(pairs(shapes(1, 4, 5, 1), dtypes_for(name)))
    axes = data.draw(st.permutations(range(value.ndim)))[: data.draw(st.integers(1, value.ndim))]
    s = data.draw(st.none() | st.lists(st.integers(2, 7), min_size=len(axes), max_size=len(axes)))
    if s is None and name in ("irfft", "hfft") and value.shape[axes[-1]] < 2:
        s = [4] * len(axes)
    expected = getattr(scipy.fft, name + "n")(precise(value), s, axes, norm)
    got = getattr(ht.fft, name + "n")(x, s, axes, norm)
    assert_equal(got, expected, tolerance(value), dtype=expected_dtype(value, name in ("irfft", "hfft")), split=x.split)
    if len(axes) == 2:
        assert_equal(getattr(ht.fft, name + "2")(x, s, axes, norm), expected, tolerance(value))


@pytest.mark.parametrize("name", LINES)
def test_defaults(name: str) -> None:
    value = np.random.default_rng(0).normal(size=(4, 6, 8))
    for split in (None, 0, 1, 2):
        x = ht.array(value, split=split)
        assert_equal(getattr(ht.fft, name + "n")(x), getattr(scipy.fft, name + "n")(value))
        assert_equal(getattr(ht.fft, name + "2")(x), getattr(scipy.fft, name + "2")(value))
        assert_equal(getattr(ht.fft, name + "n")(x, s=(5, 6)), getattr(scipy.fft, name + "n")(value, s=(5, 6)))
        assert_equal(getattr(ht.fft, name)(x, norm="ortho"), getattr(scipy.fft, name)(value, norm="ortho"))


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("n", [1, 2, 3, 7, 12, 31, 36, 120, 251, 256, 1009])
def test_long_line(name: str, n: int) -> None:
    """1-D: six steps where there are factors, a convolution where there are none."""
    rng = np.random.default_rng(n)
    value = rng.normal(size=n) + (1j * rng.normal(size=n) if name in ("fft", "ifft", "irfft", "hfft") else 0)
    size = ht.get_comm().size
    for counts in (None, uneven_counts(n, size, 1), [0] * (size - 1) + [n]):
        x = with_counts(value, 0, counts)
        for points in (None, n + 3, max(n - 5, 1)):
            if points is None and name in ("irfft", "hfft") and n == 1:
                continue
            assert_equal(getattr(ht.fft, name)(x, points), getattr(np.fft, name)(value, points), 1e-8)


@given(st.integers(1, 120), st.integers(1, 3), st.sampled_from([0, 1]), st.booleans())
def test_long_line_beside_a_short_axis(n: int, k: int, split: int, real: bool) -> None:
    value = np.random.default_rng(n).normal(size=(n, k) if split == 0 else (k, n)).astype(np.float32)
    value = value if real else value - 2j * value
    x = with_counts(value, split, uneven_counts(n, ht.get_comm().size, k))
    assert_equal(ht.fft.fft(x, axis=split), np.fft.fft(value, axis=split), 2e-3)
    assert_equal(ht.fft.ifft(x, axis=split), np.fft.ifft(value, axis=split), 1e-4)


def test_long_single_precision() -> None:
    """The error of a long transform grows like its logarithm: twiddles are right to the last digit."""
    n = 1 << 16
    value = np.random.default_rng(0).normal(size=n).astype(np.float32)
    expected = np.fft.fft(value.astype(np.float64))
    for m in (n, n - 15):  # 65521 is prime
        expected = np.fft.fft(value[:m].astype(np.float64))
        got = ht.fft.fft(ht.array(value[:m], split=0)).numpy()
        assert np.linalg.norm(got - expected) < 2e-6 * np.linalg.norm(expected)
    spectrum = ht.fft.rfft(ht.array(value, split=0))
    assert_equal(ht.fft.irfft(spectrum, n), value, 1e-5)


@given(pairs(shapes(2, 3, 4), (*COMPLEX, "float32")), st.data())
def test_empty_axes_beside(pair: Any, data: Any) -> None:
    x, value = pair
    axis = data.draw(st.integers(0, value.ndim - 1))
    if value.shape[axis] == 0:
        with pytest.raises(ValueError, match=r"invalid number of data points \(0\)"):
            ht.fft.fft(x, axis=axis)
        return
    assert_equal(ht.fft.fft(x, axis=axis), np.fft.fft(value, axis=axis), 1e-3)
    assert ht.fft.irfft(x, 6, axis).shape == np.fft.irfft(value, 6, axis).shape


def test_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks above 4 MiB travel in pieces."""
    value = np.random.default_rng(0).normal(size=(64, 512 * 160)).astype(np.float32)
    x = ht.array(value, split=0)
    got = ht.fft.fft(x, axis=0).numpy()
    np.testing.assert_allclose(got[:, ::997], np.fft.fft(value[:, ::997], axis=0), rtol=1e-3, atol=1e-3)


def test_axes_given_twice() -> None:
    value = np.random.default_rng(0).normal(size=(4, 5))
    for split in (None, 0, 1):
        x = ht.array(value, split=split)
        assert_equal(ht.fft.fftn(x, axes=(0, 1, 0)), np.fft.fftn(value, axes=(0, 1, 0)))
        assert_equal(ht.fft.ifftn(x, axes=(1, 1)), np.fft.ifftn(value, axes=(1, 1)))
        assert_equal(ht.fft.fftn(x, axes=()), np.fft.fftn(value, axes=()))


@pytest.mark.parametrize("n", [1, 2, 5, 8, 9])
def test_frequencies(n: int) -> None:
    for split in (None, 0):
        assert_equal(ht.fft.fftfreq(n, 0.3, split=split), np.fft.fftfreq(n, 0.3), 1e-6, dtype=ht.float32)
        assert_equal(ht.fft.rfftfreq(n, 0.3, ht.float64, split), np.fft.rfftfreq(n, 0.3), 1e-14, dtype=ht.float64)
    with pytest.raises(ValueError, match="n must be"):
        ht.fft.fftfreq(0)
    with pytest.raises(ValueError, match="d must not be 0"):
        ht.fft.rfftfreq(n, 0)
    with pytest.raises(TypeError, match="dtype must be real or complex"):
        ht.fft.fftfreq(n, dtype=ht.int32)


@given(pairs(shapes(1, 3, 6)), st.data())
def test_shifts(pair: Any, data: Any) -> None:
    x, value = pair
    axes = data.draw(st.none() | st.integers(0, value.ndim - 1) | st.permutations(range(value.ndim)).map(tuple))
    assert_equal(ht.fft.fftshift(x, axes), np.fft.fftshift(value, axes), 0)
    assert_equal(ht.fft.ifftshift(x, axes), np.fft.ifftshift(value, axes), 0)
    assert_equal(ht.fft.ifftshift(ht.fft.fftshift(x)), value, 0)


@pytest.mark.parametrize("split", [0, 1])
@pytest.mark.parametrize("name", ["fft", "rfft", "irfft", "hfft", "fftn", "rfft2", "irfftn", "ihfftn"])
def test_gradients(name: str, split: int | None) -> None:
    rng = np.random.default_rng(2)
    value = rng.normal(size=(4, 3)) + (
        1j * rng.normal(size=(4, 3)) if name.startswith(("fft", "ifft", "irfft", "hfft")) else 0
    )

    def program(x: ht.DNDarray) -> Any:
        y = getattr(ht.fft, name)(x, axis=0) if name in LINES else getattr(ht.fft, name)(x)
        return abs(y) ** 2

    assert gradcheck(program, value, splits=[split], uneven=True, eps=1e-6, atol=1e-4)


@pytest.mark.parametrize("n", [6, 7])
@pytest.mark.parametrize("name", ["fft", "rfft", "irfft"])
def test_gradients_of_long_lines(name: str, n: int) -> None:
    value = np.random.default_rng(2).normal(size=n) + (1j if name == "irfft" else 0)
    assert gradcheck(lambda x: abs(getattr(ht.fft, name)(x)) ** 2, value, splits=[0], uneven=True, atol=1e-4)


def test_errors() -> None:
    x = ht.ones((4, 6), split=0)
    for kind in (ValueError, IndexError):  # what NumPy's fft and Heat's raise is an IndexError
        with pytest.raises(kind, match="fft: axis 2 is out of bounds"):
            ht.fft.fft(x, axis=2)
        with pytest.raises(kind, match="fftshift: axis 5 is out of bounds"):
            ht.fft.fftshift(x, 5)
    with pytest.raises(ValueError, match="norm must be 'backward', 'ortho' or 'forward', is 'both'"):
        ht.fft.fft(x, norm="both")
    with pytest.raises(ValueError, match="same length, have 3 and 2"):
        ht.fft.fft2(x, s=(1, 2, 3))
    with pytest.raises(ValueError, match=r"invalid number of data points \(0\)"):
        ht.fft.ifft(x, 0)
    with pytest.raises(TypeError, match="rfft: the array must be real, is complex64"):
        ht.fft.rfft(x + 1j)
    with pytest.raises(TypeError, match="must be int"):
        ht.fft.fft(x, 2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name an axis twice"):
        ht.fft.rfftn(x, axes=(0, 0))


def test_other_arrays() -> None:
    np.testing.assert_allclose(ht.fft.fft([1, 2, 3]).numpy(), np.fft.fft([1, 2, 3]), rtol=1e-5)
    np.testing.assert_allclose(ht.fft.rfft(np.arange(5.0)).numpy(), np.fft.rfft(np.arange(5.0)))
