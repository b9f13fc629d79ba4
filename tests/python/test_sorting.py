# SPDX-License-Identifier: BSD-3-Clause
"""Sorting, the order of elements and the k largest, against NumPy."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from op_cases import DTYPES, sample

import equiheat as ht
from equiheat.testing import all_layouts, gradcheck, uneven_counts, with_counts
from equiheat.testing.strategies import counts

SHAPES = [(0,), (1,), (7,), (5, 3), (0, 3), (3, 0), (40, 2), (2, 3, 4)]


def values_of(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    """Values of every kind of interest (NaN, infinities, both zeros, many equal ones) in any order."""
    v = sample(shape, dtype)
    return np.random.default_rng(seed).permutation(v.reshape(-1)).reshape(shape)


def same(x: ht.DNDarray, wanted: np.ndarray, note: str) -> None:
    got = x.numpy()
    assert got.shape == wanted.shape, note
    assert got.dtype == wanted.dtype, note
    np.testing.assert_array_equal(got, wanted, err_msg=note)


def check_axis(x: ht.DNDarray, v: np.ndarray, axis: int | None) -> None:
    note = f"{v.dtype} {v.shape} axis {axis} split {x.split} counts {x._core.counts}"
    wanted = np.sort(v, axis=axis)
    order = ht.argsort(x, axis)
    result = ht.sort(x, axis)
    same(result, wanted, note)
    same(order, np.argsort(v, axis=axis, kind="stable"), note)
    backward, indices = ht.sort(x, axis, descending=True, return_sort_indices=True)
    if axis is None:
        assert result.split == (None if x.split is None else 0)
        return
    for y in (result, order, backward, indices):
        assert (y.split, y._core.counts) == (x.split, x._core.counts), note
    same(backward, np.flip(wanted, axis), note)
    same(ht.array(np.take_along_axis(v, indices.numpy(), axis)), np.flip(wanted, axis), note)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype: str) -> None:
    for shape in SHAPES if dtype in ("int32", "float32", "complex64") else [(23,), (5, 3)]:
        v = values_of(shape, dtype)
        for x in all_layouts(v):
            for axis in [None, *range(v.ndim), -1]:
                check_axis(x, v, axis)


@given(data=st.data())
def test_any_layout(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=3)))
    v = values_of(shape, data.draw(st.sampled_from(DTYPES)), data.draw(st.integers(0, 99)))
    split = data.draw(st.sampled_from([None, *range(v.ndim)]))
    extents = None if split is None else data.draw(counts(shape[split], ht.get_comm().size))
    check_axis(with_counts(v, split, extents), v, data.draw(st.sampled_from([None, *range(v.ndim)])))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int64", "uint8", "float16", "complex128"])
def test_long_lines(dtype: str) -> None:
    """Long enough for every kind of local sort; few and many different values; sorted and reversed input."""
    rng = np.random.default_rng(3)
    n = 40_000
    spread = rng.normal(size=n) * 1e3 if np.dtype(dtype).kind in "fc" else rng.integers(-(2**62), 2**62, n)
    for v in (spread, rng.integers(0, 5, n), np.arange(n), np.arange(n)[::-1], np.zeros(n)):
        v = np.asarray(v).astype(dtype)
        v = v + np.roll(v, 7) * 1j if v.dtype.kind == "c" else v
        for x in (with_counts(v, 0), with_counts(v, 0, uneven_counts(n, ht.get_comm().size, 5))):
            same(ht.sort(x), np.sort(v), dtype)
            same(ht.argsort(x), np.argsort(v, kind="stable"), dtype)


def test_lines_of_middle_length() -> None:
    rng = np.random.default_rng(4)
    for length in (2, 3, 15, 16, 17, 25, 33, 63, 65, 100, 129, 200, 257, 400, 1000):
        for dtype in ("float32", "float64", "int32", "int64", "int16"):
            v = (rng.normal(size=(3, length)) * 50).astype(dtype)
            same(ht.sort(with_counts(v, 0), 1), np.sort(v, 1), f"{length}")
            same(ht.argsort(with_counts(v, 0), 1), np.argsort(v, 1, kind="stable"), f"{length}")


def test_wide_integers_and_zeros() -> None:
    v = np.array([2**60 + 1, 2**60, -(2**63), 2**63 - 1, 0, -1], np.int64)
    zeros = np.array([0.0, -0.0, 0.0, -0.0, -1.0, np.nan, -np.nan])
    for x in all_layouts(v):
        same(ht.sort(x), np.sort(v), "int64")
    for x in all_layouts(zeros):
        same(ht.argsort(x), np.argsort(zeros, kind="stable"), "zeros are equal")


def test_complex_nan() -> None:
    parts = [0.0, 1.0, -2.0, np.nan, np.inf]
    v = np.array([complex(a, b) for a in parts for b in parts])
    v = np.random.default_rng(0).permutation(v)
    for x in all_layouts(v):
        same(ht.sort(x), np.sort(v), "complex")


def test_indices_beyond_float32() -> None:
    """2**24 + 5 rows: an index carried in float32 would be lost."""
    comm = ht.get_comm()
    rows = 2**24 + 5
    x = ht.zeros(rows, dtype=ht.int8, split=0)
    x[rows - 2] = -1
    assert ht.argsort(x)[0].item() == rows - 2
    assert ht.topk(x, 1, largest=False)[1].item() == rows - 2
    assert comm.size == x.comm.size


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64", "uint8", "complex64", "bool", "float16"])
def test_topk(dtype: str) -> None:
    for shape in [(7,), (5, 3), (3, 0), (40, 2), (2, 3, 4)]:
        v = values_of(shape, dtype)
        for x in all_layouts(v):
            for dim in range(v.ndim):
                for k in {0, shape[dim] // 2, shape[dim]}:
                    for largest in (True, False):
                        check_topk(x, v, k, dim, largest)


def check_topk(x: ht.DNDarray, v: np.ndarray, k: int, dim: int, largest: bool) -> None:
    note = f"{v.dtype} {v.shape} dim {dim} k {k} largest {largest} split {x.split}"
    got, indices = ht.topk(x, k, dim, largest)
    wanted = np.sort(v, axis=dim)
    wanted = np.take(np.flip(wanted, dim) if largest else wanted, range(k), dim)
    same(got, wanted, note)
    order = indices.numpy()
    np.testing.assert_array_equal(np.take_along_axis(v, order, dim), wanted, err_msg=note)
    if k > 1:  # equal ones by index
        tied = np.diff(np.nan_to_num(wanted.astype(complex), nan=1e30), axis=dim) == 0
        assert np.all(np.diff(order, axis=dim)[tied] > 0), note
    assert got.split == indices.split == x.split


def test_topk_of_many() -> None:
    """More candidates than a block: found by sorting."""
    v = np.random.default_rng(1).normal(size=5000).astype(np.float32)
    x = with_counts(v, 0)
    for k in (10, 3000):
        got, indices = ht.topk(x, k)
        same(got, np.sort(v)[::-1][:k], f"{k}")
        same(indices, np.argsort(-v, kind="stable")[:k], f"{k}")


def test_gradients() -> None:
    v = np.random.default_rng(2).normal(size=(7, 3))
    for split in (None, 0, 1):
        for axis in (0, 1, None):
            assert gradcheck(lambda x: ht.sort(x, axis), v, splits=[split], uneven=True)  # noqa: B023
        assert gradcheck(lambda x: ht.topk(x, 2, 0)[0], v, splits=[split], uneven=True)
        assert gradcheck(lambda x: ht.sort(x, 1, descending=True), v, splits=[split])
    assert gradcheck(ht.sort, v[:, 0], splits=[0], uneven=True)


def test_partition() -> None:
    v = values_of((11, 3), "float32")
    for x in all_layouts(v):
        for kth in (0, 5, -1, [2, 7]):
            got = ht.partition(x, kth, 0).numpy()
            np.testing.assert_array_equal(np.sort(got, 0), np.sort(v, 0))
            np.testing.assert_array_equal(np.take(got, kth, 0), np.take(np.sort(v, 0), kth, 0))
            taken = np.take_along_axis(v, ht.argpartition(x, kth, 0).numpy(), 0)
            np.testing.assert_array_equal(np.take(taken, kth, 0), np.take(np.sort(v, 0), kth, 0))
        with pytest.raises(ValueError, match="partition: kth 11 is out of bounds"):
            ht.partition(x, 11, 0)


def test_spellings_and_errors() -> None:
    v = np.array([3, 1, 2])
    x = with_counts(v, 0)
    out = ht.zeros(3, dtype=ht.int64, split=None)
    assert ht.sort(x, out=out) is out
    same(out, np.sort(v), "out")
    same(ht.sort([3, 1, 2]), np.sort(v), "list")
    same(ht.sort(x, -1, "stable", stable=True), np.sort(v), "kind")
    same(ht.sort(ht.array(5)), np.array(5), "0-d") if ht.get_comm().size else None
    y = with_counts(v.astype(np.float32), 0)
    assert y.sort() is None  # in place, as NumPy's method
    same(y, np.sort(v).astype(np.float32), "method")
    errors: list[tuple[Any, Any, str]] = [
        (lambda: ht.sort(x, 1), ValueError, "sort: axis 1 is out of bounds"),
        (lambda: ht.argsort(x, -2), ValueError, "argsort: axis -2 is out of bounds"),
        (lambda: ht.sort(x, "0"), TypeError, "sort: axis must be"),
        (lambda: ht.sort(x, kind="bogo"), ValueError, "kind must be one of"),
        (lambda: ht.sort(x, fast=True), TypeError, "unknown argument 'fast'"),
        (lambda: ht.topk(x, 4), ValueError, "topk: k is 4, must be between 0 and 3"),
        (lambda: ht.topk(x, 1, 3), ValueError, "topk: axis 3 is out of bounds"),
        (lambda: ht.sort("text"), TypeError, "sort: a must be"),
    ]
    for call, error, text in errors:
        with pytest.raises(error, match=text):
            call()
