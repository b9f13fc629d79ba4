# SPDX-License-Identifier: BSD-3-Clause
"""Variances around a known mean, of infinite numbers; running products of infinite complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import equiheat as ht
from equiheat.testing import all_layouts, assert_equal

pytestmark = pytest.mark.filterwarnings("ignore")
INF = np.inf
FACTORS = [1 + 1j, complex(INF, 0), 2 - 1j, complex(0, INF), complex(1, INF), 0.5, complex(np.nan, 0), 3]


@pytest.mark.parametrize("dtype", ["int64", "float32", "float64", "complex128"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_known_mean(axis: Any, dtype: str) -> None:
    a = np.asarray(np.random.default_rng(0).standard_normal((4, 5)) * 5).astype(dtype)
    mean = a.mean(axis, keepdims=True)
    shift = mean + 1
    for x in all_layouts(a):
        for options in ({}, {"ddof": 1}, {"correction": 1}, {"keepdims": True}):
            wanted = np.std(a.astype(float) if dtype == "int64" else a, axis, mean=shift, **options)
            got = ht.std(x, axis, mean=ht.array(shift), **options)
            assert got.dtype == ht.var(x, axis).dtype
            np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-5)
        with pytest.raises(ValueError, match="does not broadcast"):
            ht.var(x, axis, mean=ht.ones(3))


def test_nanvar_of_infinite_numbers() -> None:
    a = np.array([[1.0, np.nan, INF], [1.0, 2.0, np.nan]])
    for x in all_layouts(a):
        for axis in (None, 0, 1):
            assert_equal(ht.nanvar(x, axis), np.nanvar(a, axis))


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [1, 4, 0], [3, 3, 3], [5, 7, 1, 0], [0, 2, 0, 7, 6, 1], [1]], ids=str)
def test_running_products_of_infinite_complex_numbers(order: list[int]) -> None:
    a = np.array([FACTORS[i] for i in order])
    for x in all_layouts(a):
        assert_equal(ht.cumprod(x, 0), np.cumprod(a))


def test_running_products_along_axes() -> None:
    a = np.array([[FACTORS[(3 * i + j) % 8] for j in range(4)] for i in range(5)], dtype="complex64")
    for x in all_layouts(a):
        for axis in (None, 0, -1):
            got = ht.cumprod(x, axis)
            assert_equal(got, np.cumprod(a, axis))
            assert got.lshape == ht.cumsum(x, axis).lshape
