# SPDX-License-Identifier: BSD-3-Clause
"""Distinct elements, set operations, places in sorted arrays and counts in bins, against NumPy."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from op_cases import DTYPES, sample

import equiheat as ht
from equiheat.testing import all_layouts, uneven_counts, with_counts
from equiheat.testing.strategies import counts

pytestmark = pytest.mark.filterwarnings("ignore")


def values_of(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    v = sample(shape, dtype)
    return np.random.default_rng(seed).permutation(v.reshape(-1)).reshape(shape)


def same(x: ht.DNDarray, wanted: Any, note: str = "") -> None:
    got = x.numpy()
    wanted = np.asarray(wanted)
    assert got.shape == wanted.shape, f"{note}: {got.shape}, {wanted.shape}"
    assert got.dtype == wanted.dtype, f"{note}: {got.dtype}, {wanted.dtype}"
    np.testing.assert_array_equal(got, wanted, err_msg=note)


def check_unique(x: ht.DNDarray, v: np.ndarray, axis: int | None) -> None:
    note = f"{v.dtype} {v.shape} axis {axis} split {x.split} {x._core.counts}"
    wanted = np.unique(v, return_index=True, return_inverse=True, return_counts=True, axis=axis)
    got = ht.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=axis)
    for g, w in zip(got, wanted, strict=True):
        same(g, w, note)
    plain = ht.unique(x, axis=axis)
    same(plain, wanted[0], note)
    same(ht.unique(x, return_counts=True, axis=axis)[1], wanted[3], note)
    assert plain.split == (None if x.split is None else axis or 0)
    assert plain.is_balanced()
    if axis is None:
        assert (got[2].split, got[2]._core.counts) == (x.split, x._core.counts), note


@pytest.mark.parametrize("dtype", DTYPES)
def test_unique(dtype: str) -> None:
    for shape in [(0,), (7,), (5, 3), (2, 3, 4)] if dtype in ("int32", "float32") else [(23,), (5, 3)]:
        v = values_of(shape, dtype)
        for x in all_layouts(v):
            check_unique(x, v, None)
            if v.dtype.kind in "biu":
                for axis in range(v.ndim):
                    check_unique(x, v, axis)


@given(data=st.data())
def test_unique_of_any_layout(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(0, 8), min_size=1, max_size=3)))
    v = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, data.draw(st.integers(1, 9)), shape)
    v = v.astype(data.draw(st.sampled_from(["uint8", "int64", "float32", "float64"])))
    split = data.draw(st.sampled_from([None, *range(v.ndim)]))
    extents = None if split is None else data.draw(counts(shape[split], ht.get_comm().size))
    axis = data.draw(st.sampled_from([None, *range(v.ndim)]))
    if axis is not None and v.size == 0:
        return
    check_unique(with_counts(v, split, extents), v, axis)


def test_unique_of_many() -> None:
    rng = np.random.default_rng(0)
    for v in (rng.integers(0, 10_000, 20_000), rng.normal(size=9000), rng.integers(0, 3, 9000).astype(np.uint8)):
        check_unique(with_counts(v, 0, uneven_counts(len(v), ht.get_comm().size, 3)), v, None)
    rows = rng.integers(0, 6, (3000, 3))
    check_unique(with_counts(rows, 0), rows, 0)
    check_unique(with_counts(rows, 1), rows, 0)


def test_unique_with_nan_and_zeros() -> None:
    v = np.array([np.nan, 0.0, 1.0, -0.0, np.nan, -1.0, np.nan])
    for x in all_layouts(v):
        check_unique(x, v, None)
        values, indices, inverse, number = ht.unique_all(x)
        same(values, [-1, 0, 1, np.nan, np.nan, np.nan])
        same(number, [1, 2, 1, 1, 1, 1])
        same(indices, [5, 1, 2, 0, 4, 6])
        np.testing.assert_array_equal(values.numpy()[inverse.numpy()], v)
        same(ht.unique_values(x), np.unique_values(v))
        same(ht.unique_counts(x).counts, np.unique_counts(v).counts)
        assert ht.unique_inverse(x).inverse_indices.split == x.split
        assert x.unique().shape == (4,)


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64", "uint8", "complex64", "bool"])
def test_searchsorted(dtype: str) -> None:
    for n in (0, 1, 5, 40):
        a = np.sort(values_of((n,), dtype, n))
        for v in (values_of((9, 2), dtype, 3), values_of((3,), dtype, 4), values_of((0,), dtype)):
            for x in all_layouts(a):
                for y in all_layouts(v):
                    for side in ("left", "right"):
                        got = ht.searchsorted(x, y, side)
                        same(got, np.searchsorted(a, v, side), f"{dtype} {n} {x.split} {y.split}")
                        assert (got.split, got._core.counts) == (y.split, y._core.counts)


def test_searchsorted_with_sorter_and_mixed_types() -> None:
    v = np.random.default_rng(0).normal(size=20)
    order = np.argsort(v)
    for x in all_layouts(v):
        same(ht.searchsorted(x, v, sorter=order), np.searchsorted(v, v, sorter=order))
        same(ht.searchsorted(x, v, sorter=ht.argsort(x)), np.searchsorted(v, v, sorter=order))
    same(ht.searchsorted(ht.array([1, 3, 5], split=0), 2.5), np.searchsorted([1, 3, 5], 2.5))
    assert ht.searchsorted([1.0, 2.0], 1, out_int32=True).dtype == np.int32
    with pytest.raises(ValueError, match="side must be"):
        ht.searchsorted([1, 2], 1, "middle")
    with pytest.raises(ValueError, match="a must be 1-dimensional"):
        ht.searchsorted([[1, 2]], 1)


def test_digitize_and_bucketize() -> None:
    v = np.random.default_rng(1).integers(-3, 12, (7, 3)).astype(float)
    for bins in (np.array([0.0, 1, 2.5, 4, 10]), np.array([10, 4, 2.5, 1, 0.0]), np.array([2.0]), np.zeros(0)):
        for x in all_layouts(v):
            for right in (False, True):
                for b in (bins, with_counts(bins, 0), torch.from_numpy(bins)):
                    same(ht.digitize(x, b, right), np.digitize(v, bins, right))
                if np.all(np.diff(bins) > 0):
                    wanted = torch.bucketize(torch.from_numpy(v), torch.from_numpy(bins), right=right).numpy()
                    same(ht.bucketize(x, bins, right=right), wanted)
                    same(ht.bucketize(x, bins, True, right), wanted.astype(np.int32))
    with pytest.raises(ValueError, match="bins must ascend or descend"):
        ht.digitize(v, [1, 3, 2])


def test_set_operations() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 12, (6, 2)), rng.integers(5, 20, 9)
    for x in all_layouts(a):
        for y in (b, with_counts(b, 0)):
            same(ht.isin(x, y), np.isin(a, b))
            same(ht.isin(x, y, invert=True), np.isin(a, b, invert=True))
            same(ht.in1d(x, y), np.isin(a.reshape(-1), b))
            same(ht.union1d(x, y), np.union1d(a, b))
            same(ht.intersect1d(x, y), np.intersect1d(a, b))
            for g, w in zip(ht.intersect1d(x, y, return_indices=True), np.intersect1d(a, b, False, True), strict=True):
                same(g, w)
            same(ht.setdiff1d(x, y), np.setdiff1d(a, b))
            same(ht.setxor1d(x, y), np.setxor1d(a, b))
    nan = np.array([np.nan, 1.0])
    same(ht.isin(with_counts(nan, 0), nan), np.isin(nan, nan))


def test_lexsort() -> None:
    keys = np.random.default_rng(3).integers(0, 4, (3, 25))
    for x in all_layouts(keys):
        same(ht.lexsort(x), np.lexsort(keys))
    mixed = (keys[0].astype(float), keys[1].astype(np.int8))
    same(ht.lexsort([with_counts(k, 0) for k in mixed]), np.lexsort(mixed))
    with pytest.raises(ValueError, match="keys must be arrays of one shape"):
        ht.lexsort(([1, 2], [1]))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int32", "int64"])
def test_bincount(dtype: str) -> None:
    v = np.random.default_rng(4).integers(0, 9, 50).astype(dtype)
    weights = np.random.default_rng(5).normal(size=50)
    for x in all_layouts(v):
        same(ht.bincount(x), np.bincount(v))
        same(ht.bincount(x, minlength=20), np.bincount(v, minlength=20))
        for w in all_layouts(weights):
            np.testing.assert_allclose(ht.bincount(x, w).numpy(), np.bincount(v, weights), atol=1e-12)
        assert ht.bincount(x).split is None
    same(ht.bincount(ht.zeros(0, dtype=ht.int32, split=0)), np.bincount(np.zeros(0, int)))
    with pytest.raises(ValueError, match="negative integers, holds -1"):
        ht.bincount(with_counts(np.array([3, 1, -1]), 0))
    with pytest.raises(TypeError, match="x must hold integers"):
        ht.bincount(with_counts(np.ones(3), 0))
    with pytest.raises(ValueError, match="weights have shape"):
        ht.bincount(with_counts(np.array([3, 1]), 0), [1.0])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32", "float64"])
def test_histogram(dtype: str) -> None:
    v = (np.random.default_rng(6).normal(size=(40, 3)) * 20 + 60).astype(dtype)
    weights = np.random.default_rng(7).random(v.shape)
    for x in all_layouts(v):
        for bins, limits in ((10, None), (7, (50, 60)), ([0, 20, 60, 61, 100], None), (3, (5, 5))):
            for density in (False, True):
                wanted, edges = np.histogram(v.astype(float), bins, limits, density=density)
                got, limits_got = ht.histogram(x, bins, limits, density=density)
                np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-5, err_msg=f"{dtype} {bins} {limits}")
                np.testing.assert_allclose(limits_got.numpy(), edges, rtol=1e-6)
                assert got.dtype == (np.float64 if density else np.int64)
        heavy = ht.histogram(x, 5, weights=with_counts(weights, 0))[0]
        np.testing.assert_allclose(heavy.numpy(), np.histogram(v, 5, weights=weights)[0], rtol=1e-9)


def test_histogram_rules_and_edges() -> None:
    v = np.random.default_rng(8).normal(size=500)
    for x in all_layouts(v):
        for rule in ("auto", "fd", "doane", "scott", "rice", "sturges", "sqrt"):
            np.testing.assert_allclose(ht.histogram_bin_edges(x, rule).numpy(), np.histogram_bin_edges(v, rule))
        same(ht.histogram(x, [1.0, 1.0, 2.0])[0], np.histogram(v, [1.0, 1.0, 2.0])[0])
    grid = np.arange(0, 1.0001, 0.1)
    same(ht.histogram(with_counts(grid, 0), 10, (0, 1))[0], np.histogram(grid, 10, (0, 1))[0])
    same(ht.histogram(ht.zeros(0, split=0))[0], np.histogram([])[0])
    nan = np.array([1.0, np.nan])
    with pytest.raises(ValueError, match="is not finite"):
        ht.histogram(with_counts(nan, 0))
    same(ht.histogram(with_counts(nan, 0), range=(0, 2), bins=2)[0], [0, 1])
    for bins, text in ((0, "at least 1"), ([3, 2], "ascend"), ("stone", "a rule")):
        with pytest.raises(ValueError, match=text):
            ht.histogram(v, bins)
    with pytest.raises(TypeError, match=r"bins must be an integer, is 2\.5"):
        ht.histogram(ht.zeros(3), 2.5)


def test_histc() -> None:
    v = (np.random.default_rng(9).normal(size=200) * 3).astype(np.float32)
    for x in all_layouts(v):
        for arguments in ((), (10,), (4, -2, 2), (5, 0, 7)):
            wanted = torch.histc(torch.from_numpy(v), *arguments).numpy()
            assert np.abs(ht.histc(x, *arguments).numpy() - wanted).sum() <= 2  # rounding at inner edges
        assert ht.histc(x).dtype == np.float32


def test_histograms_of_points() -> None:
    rng = np.random.default_rng(10)
    points, weights = rng.normal(size=(60, 3)), rng.random(60)
    for x in all_layouts(points):
        for bins, limits in ((4, None), ([2, 3, 4], None), ([[-1, 0, 1], 3, 2], [None, (-1, 1), None])):
            wanted, edges = np.histogramdd(points, bins, limits)
            got, got_edges = ht.histogramdd(x, bins, limits)
            same(got, wanted)
            for g, w in zip(got_edges, edges, strict=True):
                np.testing.assert_allclose(g.numpy(), w)
    got2 = ht.histogram2d(with_counts(points[:, 0], 0), points[:, 1], 5, density=True, weights=weights)
    wanted2 = np.histogram2d(points[:, 0], points[:, 1], 5, density=True, weights=weights)
    for g, w in zip(got2, wanted2, strict=True):
        np.testing.assert_allclose(g.numpy(), w)


@pytest.mark.parametrize("rule", ["auto", "sturges", "scott", "sqrt"])
def test_histogram_rule_in_a_range_without_width(rule: str) -> None:
    a = np.arange(40) * 0.05
    for split in (None, 0):
        got, edges = ht.histogram(ht.array(a, split=split), rule, range=(1, 1))
        wanted, places = np.histogram(a, rule, range=(1, 1))
        np.testing.assert_array_equal(got.numpy(), wanted)
        np.testing.assert_allclose(edges.numpy(), places)
