# SPDX-License-Identifier: BSD-3-Clause
"""Filters and morphology against scipy.ndimage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat import ndimage
from equiheat.testing import all_layouts, assert_equal, gradcheck
from equiheat.testing.strategies import pairs, shapes

MODES = st.sampled_from(["reflect", "mirror", "nearest", "wrap", "constant"])


def kernel(data: Any, ndim: int, low: int = 1, high: int = 4) -> np.ndarray:
    extents = [data.draw(st.integers(low, high)) for _ in range(ndim)]
    return np.random.default_rng(data.draw(st.integers(0, 99))).integers(-3, 4, extents).astype(float)


def origins(data: Any, extents: Any) -> list[int]:
    return [data.draw(st.integers(-((n - 1) // 2), (n - 1) // 2)) for n in extents]


@given(st.data(), MODES)
def test_correlate_and_convolve(data: Any, mode: str) -> None:
    x, value = data.draw(pairs(data.draw(shapes(1, 3, 6, 1)), ("float32", "float64")))
    weights = kernel(data, value.ndim)
    where = origins(data, weights.shape)
    for name in ("correlate", "convolve"):
        expected = getattr(scipy.ndimage, name)(value, weights, mode=mode, cval=2.0, origin=where)
        assert_equal(getattr(ndimage, name)(x, weights, mode, 2.0, where), expected, 1e-4, split=x.split)


@given(st.data(), MODES)
def test_along_one_axis(data: Any, mode: str) -> None:
    x, value = data.draw(pairs(data.draw(shapes(1, 3, 7, 1)), ("float64",)))
    axis = data.draw(st.integers(-value.ndim, value.ndim - 1))
    weights = kernel(data, 1, 1, 6)
    where = origins(data, weights.shape)[0]
    for name in ("correlate1d", "convolve1d"):
        expected = getattr(scipy.ndimage, name)(value, weights, axis, mode=mode, cval=1.5, origin=where)
        assert_equal(getattr(ndimage, name)(x, weights, axis, mode, 1.5, where), expected)
    size = data.draw(st.integers(1, 9))
    expected = scipy.ndimage.uniform_filter1d(value, size, axis, mode=mode, cval=1.0)
    assert_equal(ndimage.uniform_filter1d(x, size, axis, mode, 1.0), expected, 1e-9)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
def test_smoothing_and_derivatives(mode: str) -> None:
    value = np.random.default_rng(0).normal(size=(11, 9))
    for x in all_layouts(value):
        for name, arguments in (
            ("gaussian_filter", (1.3,)), ("gaussian_filter", ((0.0, 2.0),)), ("gaussian_filter", (1.0, (2, 1))),
            ("gaussian_laplace", (1.2,)), ("gaussian_gradient_magnitude", (1.1,)), ("uniform_filter", ((3, 4),)),
            ("sobel", (0,)), ("prewitt", (1,)), ("laplace", ()),
        ):  # fmt: skip
            expected = getattr(scipy.ndimage, name)(value, *arguments, mode=mode, cval=0.7)
            assert_equal(getattr(ndimage, name)(x, *arguments, mode=mode, cval=0.7), expected, 1e-9)
    third = scipy.ndimage.gaussian_filter1d(value, 1.0, 0, 3)
    assert_equal(ndimage.gaussian_filter1d(ht.array(value, split=0), 1.0, 0, 3), third)


@given(st.data(), MODES)
def test_order_filters(data: Any, mode: str) -> None:
    x, value = data.draw(pairs(data.draw(shapes(1, 2, 8, 1)), ("uint8", "int32", "float64")))
    extents = [data.draw(st.integers(1, 5)) for _ in value.shape]
    where = origins(data, extents)
    footprint = kernel(data, value.ndim) > -1
    footprint.flat[0] = True
    for name in ("minimum_filter", "maximum_filter"):
        expected = getattr(scipy.ndimage, name)(value, extents, mode=mode, cval=3, origin=where)
        assert_equal(getattr(ndimage, name)(x, extents, None, mode, 3, where), expected, dtype=x.dtype)
    for name, first in (
        ("minimum_filter", ()), ("maximum_filter", ()), ("median_filter", ()), ("rank_filter", (-1,)),
        ("percentile_filter", (37,)),
    ):  # fmt: skip
        expected = getattr(scipy.ndimage, name)(value, *first, footprint=footprint, mode=mode, cval=3)
        assert_equal(getattr(ndimage, name)(x, *first, footprint=footprint, mode=mode, cval=3), expected)


NAMES = ("grey_erosion", "grey_dilation", "grey_opening", "grey_closing", "morphological_gradient", "white_tophat",
         "black_tophat")  # fmt: skip


@given(st.data(), MODES, st.sampled_from(NAMES))
def test_grey_morphology(data: Any, mode: str, name: str) -> None:
    x, value = data.draw(pairs(data.draw(shapes(1, 2, 8, 1)), ("int32", "float64")))
    structure = np.abs(kernel(data, value.ndim))
    footprint = structure > 0
    footprint.flat[-1] = True
    size = [data.draw(st.integers(1, 4)) for _ in value.shape]
    flat = structure * 0
    for options in (
        {"size": size},
        {"footprint": footprint},
        {"structure": structure, "footprint": footprint},
        {"structure": flat},
    ):
        if value.dtype == np.int32 and "structure" in options:
            continue  # SciPy casts sums to the input's type
        expected = getattr(scipy.ndimage, name)(value, mode=mode, cval=1, **options)
        assert_equal(getattr(ndimage, name)(x, mode=mode, cval=1, **options), expected)


@given(st.data(), st.integers(1, 3), st.sampled_from([0, 1]))
def test_binary_morphology(data: Any, times: int, border: int) -> None:
    x, value = data.draw(pairs(data.draw(shapes(1, 3, 7, 1)), ("bool", "int32")))
    structure = kernel(data, value.ndim, 1, 4) > -1
    structure.flat[0] = True
    for element in (None, structure):
        for name in ("binary_erosion", "binary_dilation"):
            expected = getattr(scipy.ndimage, name)(value, element, times, border_value=border)
            assert_equal(getattr(ndimage, name)(x, element, times, border_value=border), expected, dtype=ht.bool)
        for name in ("binary_opening", "binary_closing"):
            expected = getattr(scipy.ndimage, name)(value, element, times)
            assert_equal(getattr(ndimage, name)(x, element, times), expected)


def test_erosion_until_nothing_changes() -> None:
    value = np.random.default_rng(0).random((12, 10)) > 0.2
    for x in all_layouts(value):
        expected = scipy.ndimage.binary_erosion(value, iterations=-1, border_value=1)
        assert_equal(ndimage.binary_erosion(x, iterations=-1, border_value=1), expected)


def test_binary_morphology_within_a_mask() -> None:
    rng = np.random.default_rng(2)
    value, mask = rng.random((9, 8)) > 0.6, rng.random((9, 8)) > 0.3
    masks = list(all_layouts(mask))
    for i, x in enumerate(all_layouts(value)):
        for name in ("binary_erosion", "binary_dilation"):
            for times in (1, 3, -1):
                expected = getattr(scipy.ndimage, name)(value, iterations=times, mask=mask)
                found = getattr(ndimage, name)(x, iterations=times, mask=masks[-1 - i])
                assert_equal(found, expected, split=x.split)
        assert_equal(ndimage.binary_propagation(x, mask=mask), scipy.ndimage.binary_propagation(value, mask=mask))
        assert_equal(ndimage.binary_fill_holes(x), scipy.ndimage.binary_fill_holes(value), split=x.split)
        with pytest.raises(ValueError, match="mask must have the input's shape"):
            ndimage.binary_dilation(x, mask=mask[:1])


@pytest.mark.parametrize("mode", ["reflect", "wrap", "constant"])
def test_windows_along_one_axis_and_of_a_radius(mode: str) -> None:
    value = np.random.default_rng(3).normal(size=(9, 7))
    for x in all_layouts(value):
        for name in ("minimum_filter1d", "maximum_filter1d"):
            for options in ({"size": 4, "axis": 0, "origin": 1}, {"size": 3}):
                expected = getattr(scipy.ndimage, name)(value, mode=mode, cval=0.5, **options)
                assert_equal(getattr(ndimage, name)(x, mode=mode, cval=0.5, **options), expected, split=x.split)
        for radius in (2, [0, 3]):
            expected = scipy.ndimage.gaussian_filter(value, 1.5, mode=mode, radius=radius)
            assert_equal(ndimage.gaussian_filter(x, 1.5, mode=mode, radius=radius), expected, 1e-12)
        expected = scipy.ndimage.morphological_laplace(value, 3, mode=mode)
        assert_equal(ndimage.morphological_laplace(x, 3, mode=mode), expected, 1e-12)
    with pytest.raises(ValueError, match="radius must be at least 0"):
        ndimage.gaussian_filter1d(x, 1.0, radius=-1)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradients(split: int | None) -> None:
    value = np.random.default_rng(0).normal(size=(5, 4))
    weights = np.random.default_rng(1).normal(size=(3, 2))
    for program in (
        lambda x: ndimage.convolve(x, weights, "mirror"),
        lambda x: ndimage.gaussian_filter(x, 0.8, mode="wrap"),
        lambda x: ndimage.uniform_filter(x, 3),
        lambda x: ndimage.sobel(x, 0),
        lambda x: ndimage.grey_opening(x, (3, 2)),
        lambda x: ndimage.grey_dilation(x, structure=np.array([[0.0, 0.5], [0.25, 0.1]])),
        lambda x: ndimage.median_filter(x, 3),
        lambda x: ndimage.morphological_gradient(x, footprint=[[0, 1, 0], [1, 1, 1], [0, 1, 0]]),
    ):
        assert gradcheck(program, value, splits=(split,), uneven=True)


def test_without_axes_nothing_changes() -> None:
    for filtered in (ndimage.gaussian_laplace, ndimage.gaussian_gradient_magnitude):
        assert filtered(ht.array(-2.0), 1.0).item() == -2.0


def test_integers_become_floating_point() -> None:
    x = ht.arange(5, dtype=ht.int64, split=0)
    assert ndimage.uniform_filter(x, 2).dtype is ht.float64
    assert ndimage.laplace(ht.array([1, 2, 4], dtype=ht.int32, split=0)).dtype is ht.float32


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
@pytest.mark.parametrize("mode", ["reflect", "wrap", "constant"])
def test_order_of_wide_unsigned_integers(dtype: str, mode: str) -> None:
    value = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 4), dtype=dtype, endpoint=True)
    foot = np.array([[True, False], [True, True], [False, True]])
    for x in all_layouts(value):
        for name, size in (("minimum_filter", (3, 2)), ("maximum_filter", (1, 4)), ("median_filter", 3)):
            expected = getattr(scipy.ndimage, name)(value, size, mode=mode, cval=7)
            assert_equal(getattr(ndimage, name)(x, size, mode=mode, cval=7), expected, split=x.split)
        expected = scipy.ndimage.grey_dilation(value, footprint=foot, mode=mode, cval=7)
        assert_equal(ndimage.grey_dilation(x, footprint=foot, mode=mode, cval=7), expected)


def test_heights_on_integers() -> None:
    value = np.array([[0, 40, 90, 7], [200, 3, 251, 60], [30, 80, 11, 250]], np.uint8)
    for structure in (np.array([[1, 2, 5]]), np.array([[0.5, 2.0, 1.25]])):
        for x in all_layouts(value):
            low = scipy.ndimage.grey_erosion(value.astype(float), structure=structure).clip(0, 255)
            high = scipy.ndimage.grey_dilation(value.astype(float), structure=structure).clip(0, 255)
            assert_equal(ndimage.grey_erosion(x, structure=structure), low.astype(np.uint8), split=x.split)
            assert_equal(ndimage.grey_dilation(x, structure=structure), high.astype(np.uint8))
    flags = ndimage.grey_erosion(ht.array([True, False, True], split=0), structure=[1, 0, 1])
    assert flags.dtype is ht.bool


@pytest.mark.parametrize("mode", ["reflect", "constant"])
def test_complex_weights(mode: str) -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(7, 5))
    weights = np.array([[1, 2j], [3 - 1j, 0], [0.5j, -1]])
    for value in (real, real + 1j * rng.normal(size=(7, 5))):
        for x in all_layouts(value):
            for name in ("correlate", "convolve"):
                expected = getattr(scipy.ndimage, name)(value, weights, mode=mode)
                assert_equal(getattr(ndimage, name)(x, weights, mode), expected, 1e-9, split=x.split)
                expected = getattr(scipy.ndimage, name + "1d")(value, weights[:, 0], 0, mode=mode)
                assert_equal(getattr(ndimage, name + "1d")(x, weights[:, 0], 0, mode), expected, 1e-9)
    expected = scipy.ndimage.correlate(value, weights.real, mode="constant", cval=1 + 2j)
    assert_equal(ndimage.correlate(ht.array(value, split=0), weights.real, "constant", 1 + 2j), expected, 1e-9)


def test_a_mode_for_each_axis() -> None:
    value = np.random.default_rng(0).normal(size=(7, 6))
    modes = ["wrap", "constant"]
    for x in all_layouts(value):
        for name, arguments in (
            ("gaussian_filter", (1.0,)), ("uniform_filter", (3,)), ("minimum_filter", (3,)),
            ("maximum_filter", ((2, 3),)), ("sobel", ()), ("prewitt", (0,)), ("laplace", ()),
            ("gaussian_laplace", (1.0,)), ("gaussian_gradient_magnitude", (1.0,)),
        ):  # fmt: skip
            expected = getattr(scipy.ndimage, name)(value, *arguments, mode=modes, cval=1.5)
            assert_equal(getattr(ndimage, name)(x, *arguments, mode=modes, cval=1.5), expected, 1e-9, split=x.split)
    with pytest.raises(ValueError, match="mode must be one of"):
        ndimage.correlate(x, np.ones((3, 3)), modes)
    with pytest.raises(ValueError, match="not with a footprint"):
        ndimage.maximum_filter(x, footprint=[[1, 0]], mode=modes)


def test_arguments_that_scipy_passes_on() -> None:
    value = np.random.default_rng(0).normal(size=(9, 8))
    flags, mask = value > -0.6, value < 0.9
    for x in all_layouts(value):
        for name in ("gaussian_laplace", "gaussian_gradient_magnitude"):
            expected = getattr(scipy.ndimage, name)(value, 1.3, truncate=1.5)
            assert_equal(getattr(ndimage, name)(x, 1.3, truncate=1.5), expected, 1e-9)
        for name in ("binary_opening", "binary_closing"):
            expected = getattr(scipy.ndimage, name)(flags, iterations=2, mask=mask, border_value=1)
            found = getattr(ndimage, name)(x > -0.6, iterations=2, mask=mask, border_value=1)
            assert_equal(found, expected, split=x.split)


def test_errors() -> None:
    x = ht.ones((4, 3), split=0)
    with pytest.raises(ValueError, match="cval must be from 0 to 255 for uint8, is -1"):
        ndimage.minimum_filter(x.astype(ht.uint8), 3, mode="constant", cval=-1)
    with pytest.raises(ValueError, match="mode must be one of reflect"):
        ndimage.correlate(x, np.ones((3, 3)), "edge")
    with pytest.raises(ValueError, match="an extent for each of the 2 axes"):
        ndimage.correlate(x, np.ones(3))
    with pytest.raises(ValueError, match="origin 2 puts a window of 3 entries"):
        ndimage.minimum_filter(x, 3, origin=2)
    with pytest.raises(ValueError, match="no size and no footprint"):
        ndimage.grey_erosion(x)
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        ndimage.uniform_filter1d(x, 3, 2)
    with pytest.raises(ValueError, match="sigma must be positive"):
        ndimage.gaussian_filter1d(x, -1.0)
    with pytest.raises(ValueError, match="rank 9 does not fit"):
        ndimage.rank_filter(x, 9, 3)
