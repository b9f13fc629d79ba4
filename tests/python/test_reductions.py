# SPDX-License-Identifier: BSD-3-Clause
"""Reductions, moments, extremes' indices and running totals against NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from op_cases import CASES, assert_array, combinations, layouts, make, sample, splits

import equiheat as ht
from equiheat import _core
from equiheat.testing import all_layouts, assert_equal

pytestmark = pytest.mark.filterwarnings("ignore")


def axes_of(ndim: int) -> list[Any]:
    """None, every axis from both ends, pairs, none at all."""
    pairs = list(itertools.combinations(range(ndim), 2))
    return [None, *range(-ndim, ndim), *pairs, ()]


def sum_dtype(dtype: str) -> np.dtype:
    return np.dtype(np.int64) if np.dtype(dtype).kind in "bui" else np.dtype(dtype)


def finite(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Small values whose products stay in range."""
    values = sample(shape, dtype)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.75, posinf=1.25, neginf=-1.5)
        values = np.where(np.abs(values) > 4, 1.5, values)
    return (values % 5 if values.dtype.kind in "ui" else values).astype(dtype)


def check(function: Any, oracle: Any, values: np.ndarray, dtype: Any, name: str, axes: Any = None) -> None:
    """All axes, with and without keepdims, in every layout; errors on all ranks where NumPy has them."""
    for axis, keepdims in combinations(axes_of(values.ndim) if axes is None else axes, (False, True)):
        try:
            wanted = oracle(values, axis=axis, keepdims=keepdims)
        except ValueError:
            wanted = None
        for x in layouts(values):
            note = f"{name} {values.dtype} {values.shape} axis {axis} keepdims {keepdims} split {x.split}"
            if wanted is None:
                with pytest.raises(ValueError, match=name):
                    function(x, axis, keepdims=keepdims)
                continue
            result = function(x, axis, keepdims=keepdims)
            assert_array(result, wanted, dtype, note)
            reduced = range(values.ndim) if axis is None else np.atleast_1d(np.array(axis, int)) % max(values.ndim, 1)
            if x.split is None or x.split in reduced:
                assert result.split is None, note
            else:
                assert result.split == x.split - (0 if keepdims else sum(int(a) < x.split for a in reduced)), note


@pytest.mark.parametrize("name", ["sum", "prod", "nansum", "nanprod"])
def test_sums_and_products(name: str) -> None:
    for dtype, shape in CASES:
        values = finite(shape, dtype)
        if name.startswith("nan") and values.dtype.kind == "f" and values.size:
            values.flat[::3] = np.nan
        # NumPy multiplies float16 in float16: the same numbers in float32 are the truth
        exact = values.astype(np.float32) if dtype == "float16" else values
        check(getattr(ht, name), lambda v, **k: getattr(np, name)(exact, **k), values, sum_dtype(dtype), name)  # noqa: B023


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("shape", [(40000, 2), (2, 4000, 10), (1200, 70)])
def test_leading_axes_of_many_elements(dtype: str, shape: tuple[int, ...]) -> None:
    """More than the native kernel's least: short rows, several of them as one, and rows longer than that."""
    values = (np.random.default_rng(0).integers(0, 200, shape) - (0 if dtype == "uint8" else 100)).astype(dtype)
    values.flat[::11] = 0
    names: list[str] = ["sum", "any", "all", "min", "max"]
    axes = [*range(values.ndim - 1), tuple(range(values.ndim - 1))]
    for name in names if dtype != "bool" else names[:3]:
        wanted = {"sum": sum_dtype(dtype), "any": np.dtype(bool), "all": np.dtype(bool)}.get(name, np.dtype(dtype))
        check(getattr(ht, name), getattr(np, name), values, wanted, name, axes)
    if values.dtype.kind == "f":
        values.flat[5], values.flat[-4], values.flat[len(values)] = np.nan, np.inf, -np.inf
        for name in ("sum", "min", "max"):
            check(getattr(ht, name), getattr(np, name), values, np.dtype(dtype), name, axes)
        check(ht.mean, np.mean, np.nan_to_num(values, posinf=3, neginf=4), np.dtype(dtype), "mean", axes)


def test_leading_axes_in_several_threads() -> None:
    values = np.random.default_rng(0).integers(-100, 100, (60_000, 7)).astype("float32")
    values[40_000, 3] = np.nan
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        for name in ("sum", "min", "max"):
            check(getattr(ht, name), getattr(np, name), values, np.dtype("float32"), name, [0])
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("name", ["min", "max", "any", "all", "count_nonzero"])
def test_extremes_and_truth(name: str) -> None:
    for dtype, shape in CASES:
        values = sample(shape, dtype)
        if name in ("min", "max") and values.dtype.kind == "c":
            with pytest.raises(TypeError, match=name):
                getattr(ht, name)(make(values))
            continue
        result = np.int64 if name == "count_nonzero" else bool if name in ("any", "all") else dtype
        check(getattr(ht, name), getattr(np, name), values, result, name)
        if values.dtype.kind == "f" and values.size > 2:
            check(getattr(ht, name), getattr(np, name), np.nan_to_num(values), result, name)


@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_moments(name: str) -> None:
    for dtype, shape in CASES:
        values = finite(shape, dtype)
        kind = values.dtype.kind
        result = np.dtype(np.float32) if kind in "bui" else np.dtype(dtype)
        if kind == "c" and name != "mean":
            result = np.zeros(0, dtype).real.dtype
        exact = values.astype(np.float64) if dtype == "float16" else values
        check(getattr(ht, name), lambda v, **k: getattr(np, name)(exact, **k), values, result, name)  # noqa: B023


def test_variance_with_ddof_and_dtype() -> None:
    values = np.random.default_rng(0).normal(1e6, 1e-2, (23, 4))
    for x, ddof in combinations(list(layouts(values)), (0, 1, 1.5, 23, 30)):
        assert_array(ht.var(x, 0, ddof), np.var(values, axis=0, ddof=ddof), float, f"ddof {ddof}", rtol=1e-6)
        assert_array(x.std(ddof=ddof), np.std(values, ddof=ddof), float, f"ddof {ddof}", rtol=1e-6)
    single = values.astype(np.float32) - np.float32(1e6)
    for x in layouts(single):
        assert_array(x.mean(0, dtype=np.float64), single.mean(0, dtype=np.float64), float)
        assert_array(x.var(dtype=ht.float64), single.var(dtype=np.float64), float)


def test_moments_keep_their_digits() -> None:
    """float64 in float64, float16 in float32, far from zero."""
    values = 1e8 + np.arange(1000.0)
    assert_array(ht.mean(make(values, 0)), values.mean(), float, rtol=1e-15)
    assert_array(ht.var(make(values, 0)), values.var(), float, rtol=1e-9)
    half = np.full(5000, 3.0, np.float16)
    assert_array(ht.mean(make(half, 0)), 3.0, np.float16)
    assert_array(ht.sum(make(half, 0)), np.float16(15000), np.float16)
    assert_array(make(half, 0).std(), 0.0, np.float16)
    ones = np.ones(3000, np.float16)
    assert_array(ht.sum(make(ones, 0), dtype=np.float32), 3000.0, np.float32)


def test_nan_is_not_hidden() -> None:
    values = np.arange(12.0).reshape(6, 2)
    values[5, 0] = np.nan
    for x in layouts(values):
        for name in ("sum", "max", "min", "mean", "var", "prod"):
            assert_array(getattr(ht, name)(x, 0), getattr(np, name)(values, axis=0), float, name)
            assert np.isnan(getattr(ht, name)(x).item())


@pytest.mark.parametrize("name", ["nanmax", "nanmin", "nanmean", "nanvar", "nanstd"])
def test_without_nan(name: str) -> None:
    values = np.arange(24.0).reshape(6, 4)
    values[::2, 1] = np.nan
    values[:, 2] = np.nan
    for x, axis, keepdims in combinations(list(layouts(values)), (None, 0, 1), (False, True)):
        wanted = getattr(np, name)(values, axis=axis, keepdims=keepdims)
        assert_array(getattr(ht, name)(x, axis, keepdims=keepdims), wanted, float, f"{name} axis {axis}")
    integers = np.arange(6).reshape(3, 2)
    wanted = getattr(np, name)(integers, axis=0)
    dtype = np.int64 if name in ("nanmax", "nanmin") else np.float32
    assert_array(getattr(ht, name)(make(integers, 0), 0), wanted, dtype)


@pytest.mark.parametrize("name", ["argmin", "argmax"])
def test_indices_of_extremes(name: str) -> None:
    function, oracle = getattr(ht, name), getattr(np, name)
    for dtype, shape in CASES:
        values = sample(shape, dtype)
        if values.dtype.kind == "c":
            with pytest.raises(TypeError, match=name):
                function(make(values))
            continue
        axes = [None, *range(-values.ndim, values.ndim)]
        for variant in (values, values * 0):  # all equal: the first index wins
            check(function, oracle, variant, np.int64, name, axes)
        if values.dtype.kind == "f":
            check(function, oracle, np.nan_to_num(values), np.int64, name, axes)


def test_indices_are_exact() -> None:
    """Beyond 2**24 and 2**53, where indices or values packed into floats go wrong."""
    values = np.array([2**60, 2**60 + 1, 2**60 + 1, 2**60, 5, 2**60 + 1], np.int64)
    for x in layouts(values):
        assert_array(ht.argmax(x), 1, np.int64)
        assert_array(ht.argmin(-x), 1, np.int64)
        assert_array(ht.max(x), 2**60 + 1, np.int64)
    comm = ht.get_comm()
    rows = 2**24 + 5
    start, (count,), _ = comm.chunk((rows,), 0)
    block = np.zeros(count, np.int8)
    if start <= rows - 2 < start + count:
        block[rows - 2 - start] = 1
    import torch

    from equiheat._base import wrap

    x = wrap(_core.Array(torch.from_numpy(block), [rows], 0, None, comm.core))
    assert ht.argmax(x).item() == rows - 2


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_running_totals(name: str) -> None:
    for dtype, shape in CASES:
        values = finite(shape, dtype)
        exact = values.astype(np.float32) if dtype == "float16" else values
        for axis in [None, *range(-values.ndim, values.ndim)]:
            wanted = getattr(np, name)(exact, axis=axis)
            for x in layouts(values):
                result = getattr(ht, name)(x, axis)
                note = f"{name} {dtype} {shape} axis {axis} split {x.split}"
                assert_array(result, wanted, sum_dtype(dtype), note)
                if axis is not None:
                    assert result.split == x.split and result._core.counts == x._core.counts, note
    x = make(np.full(300, 200, np.uint8), 0)
    assert_array(getattr(ht, name)(x, 0, dtype=np.float64), getattr(np, name)(np.full(300, 200.0)), float)


def test_other_spellings_and_out() -> None:
    values = np.arange(12.0).reshape(4, 3)
    x = make(values, 0)
    assert_array(ht.sum(x, 0, keepdim=True), values.sum(0, keepdims=True), float)
    assert_array(x.max(axis=1), values.max(1), float)
    assert_array(ht.ptp(x, 0), np.ptp(values, axis=0), float)
    assert_array(ht.sum(values, 0), values.sum(0), float)
    for split in (None, 0):
        out = make(np.zeros(3), split)
        assert ht.sum(x, 0, out) is out and out.split == split
        assert_array(out, values.sum(0), float)
        assert_array(ht.mean(x, 0, out=out), values.mean(0), float)
        index = make(np.zeros(3, np.int64), split)
        assert_array(ht.argmax(x, 0, index), values.argmax(0), np.int64)
    assert_array(x.sum(np.int64(1)), values.sum(1), float)


def test_wrong_axes() -> None:
    x = make(np.ones((3, 2)), 0)
    for name in ("sum", "max", "mean", "argmax", "cumsum"):
        with pytest.raises(ValueError, match="axis 2 is out of bounds for 2-dimensional array"):
            getattr(ht, name)(x, 2)
        with pytest.raises(TypeError, match="axis must be None or int or tuple"):
            getattr(ht, name)(x, "0")
    with pytest.raises(ValueError, match="axis 0 is given twice"):
        ht.sum(x, (0, -2))
    with pytest.raises(TypeError, match="str"):
        ht.sum("text")
    with pytest.raises(TypeError, match="data type"):
        ht.sum(x, dtype="nothing")


@given(data=st.data())
def test_any_layout(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=3)))
    values = finite(shape, data.draw(st.sampled_from(["int32", "float32", "float64", "bool"])))
    split = data.draw(st.sampled_from(splits(len(shape))))
    counts = None
    if split is not None:
        size = ht.get_comm().size
        cuts = sorted(data.draw(st.lists(st.integers(0, shape[split]), min_size=size - 1, max_size=size - 1)))
        counts = [b - a for a, b in itertools.pairwise([0, *cuts, shape[split]])]
    x = make(values, split, counts)
    axis = data.draw(st.sampled_from([None, *range(len(shape))]))
    assert_array(x.sum(axis), values.sum(axis), sum_dtype(values.dtype.name))
    mean_dtype = values.dtype if values.dtype.kind == "f" else np.float32
    assert_array(x.mean(axis), values.mean(axis), mean_dtype)
    assert_array(x.var(axis), values.var(axis), mean_dtype)
    assert_array(x.cumsum(axis), values.cumsum(axis), sum_dtype(values.dtype.name))
    if values.size:
        assert_array(x.argmax(axis), values.argmax(axis), np.int64)
        assert_array(x.min(axis), values.min(axis), values.dtype)


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32", "float64"])
def test_index_of_an_extreme_where_one_rank_holds_everything(dtype: str) -> None:
    """Fewer rows than ranks, and results without elements, in every width of element."""
    for shape in ((1,), (1, 1), (1, 3), (2, 0), (0, 2)):
        value = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
        for split in range(value.ndim):
            x = ht.array(value, split=split)
            for axis in range(value.ndim):
                if value.shape[axis] > 0:
                    assert_equal(ht.argmax(x, axis=axis), np.argmax(value, axis=axis))
                    assert_equal(ht.argmin(x, axis=axis), np.argmin(value, axis=axis))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint8", "int16", "int32", "int64"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_positions_of_extremes_across_many_columns(dtype, axis):
    """More columns than a block of the kernel has, ties, and NaN that come first."""
    rng = np.random.default_rng(1)
    values = rng.integers(0, 9, (3, 7, 600)).astype(dtype)
    if values.dtype.kind == "f":
        values[rng.random(values.shape) < 0.05] = np.nan
        values[rng.random(values.shape) < 0.05] = -np.inf
    for split in (None, 0, 1, 2):
        x = ht.array(values, split=split)
        assert_equal(ht.argmax(x, axis), values.argmax(axis))
        assert_equal(ht.argmin(x, axis), values.argmin(axis))


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_running_totals_of_wide_and_of_many_rows(name: str, dtype: str) -> None:
    """More columns than a block of the kernel has, rows in groups and beside them; integers that wrap around."""
    for shape in ((3, 1100), (21, 5), (2, 3, 700), (19,)):
        values = np.random.default_rng(2).integers(-3, 4, shape).astype(dtype)
        values = values * 2**40 + 1 if dtype == "int64" else values / 2 + 0.25
        for axis in range(values.ndim):
            wanted = getattr(np, name)(values, axis=axis)
            for split in (None, *range(values.ndim)):
                assert_array(
                    getattr(ht, name)(ht.array(values, split=split), axis), wanted, dtype, f"{shape} {axis} {split}"
                )
    assert_equal(ht.cumsum(ht.array([[1.0, np.nan, 2.0]], split=1), 1), np.array([[1, np.nan, np.nan]], np.float32))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments_of_everything(dtype: str) -> None:
    """All axes at once, of blocks in any order in memory, and of fewer elements than ranks."""
    values = (np.random.default_rng(3).standard_normal((6, 5)) + 100).astype(dtype)
    for array in (values, values[:1], values[:0]):
        for split in (None, 0, 1):
            x = ht.array(array, split=split)
            for y in (x, x.T, x[:, ::2]):
                block = y.numpy().astype(np.float64)
                for ddof in (0, 1):
                    wanted = np.var(block, ddof=ddof)
                    assert ht.var(y, ddof=ddof).item() == pytest.approx(wanted, rel=1e-4, nan_ok=True)
                assert ht.mean(y).item() == pytest.approx(np.mean(block), rel=1e-5, nan_ok=True)
                assert ht.mean(y).dtype == ht.var(y).dtype == x.dtype
                assert ht.var(y).shape == () and ht.var(y).split is None


@given(st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64"]), st.integers(1, 60))
def test_running_sums_of_what_is_not_negative_never_fall(seed: int, dtype: str, n: int) -> None:
    values = np.random.default_rng(seed).random((n, 2)).astype(dtype) ** 3
    for x in all_layouts(values):
        assert (np.diff(x.cumsum(0).numpy(), axis=0) >= 0).all()


@pytest.mark.parametrize("name", ["sum", "prod", "min", "max", "any", "all", "argmin", "argmax"])
@pytest.mark.parametrize("axis", [0, -1])
def test_arrays_without_axes_have_a_first_axis_for_numpys_reductions(name: str, axis: int) -> None:
    found = getattr(ht, name)(ht.array(3.5), axis=axis)
    assert found.shape == ()
    assert found.item() == getattr(np, name)(np.array(3.5), axis=axis)
    with pytest.raises(ValueError, match=rf"{name}: axis 1 is out of bounds for 0-dimensional array"):
        getattr(ht, name)(ht.array(3.5), axis=1)
