# SPDX-License-Identifier: BSD-3-Clause
"""Factories and `array` against NumPy, at any rank count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat.testing import all_splits, assert_equal, gradcheck, uneven_counts, with_counts
from equiheat.testing import strategies as ehst

RANK, SIZE = ht.get_comm().rank, ht.get_comm().size

NUMBERS = st.integers(-20, 20) | st.integers(-80, 80).map(lambda n: n / 8)


@given(st.data())
def test_filled(data: st.DataObject) -> None:
    shape = data.draw(ehst.shapes())
    split = data.draw(ehst.splits(len(shape)))
    dtype = data.draw(ehst.dtypes())
    order = data.draw(st.sampled_from(["C", "F"]))
    kwargs: dict[str, Any] = {"dtype": dtype, "split": split, "order": order}
    assert_equal(ht.zeros(shape, **kwargs), np.zeros(shape, dtype), dtype=dtype, split=split, balanced=True)
    assert_equal(ht.ones(shape, **kwargs), np.ones(shape, dtype), dtype=dtype, split=split)
    assert_equal(ht.full(shape, 7, **kwargs), np.full(shape, 7, dtype), dtype=dtype, split=split)
    assert ht.empty(shape, **kwargs).shape == shape


def test_defaults() -> None:
    assert ht.zeros(3).dtype == ht.float32
    assert ht.full((2,), 3).dtype == ht.float32
    assert ht.arange(3).dtype == ht.int32
    assert ht.arange(3.0).dtype == ht.float32
    assert ht.array([1]).dtype == ht.int64
    assert ht.array([1.0]).dtype == ht.float32
    assert ht.array([1, 2.5]).dtype == ht.float32
    assert ht.array([1j]).dtype == ht.complex64
    assert ht.array([True]).dtype == ht.bool
    assert ht.array(np.float64(1)).dtype == ht.float64
    assert ht.array([np.float64(1)]).dtype == ht.float64
    assert ht.array(np.ones(2)).dtype == ht.float64
    assert ht.array([]).dtype == ht.float32
    assert ht.array(torch.ones(2, dtype=torch.bfloat16)).dtype == ht.bfloat16


@given(NUMBERS, NUMBERS, NUMBERS.filter(bool), st.sampled_from(["float32", "float64", "float16", "int32", "int64"]))
def test_arange(start: float, stop: float, step: float, dtype: str) -> None:
    expected = np.arange(start, stop, step, dtype=dtype)
    for split in (None, 0):
        assert_equal(ht.arange(start, stop, step, dtype=dtype, split=split), expected, rtol=0, dtype=dtype)


def test_arange_large_and_negative() -> None:
    big = 2**60
    assert_equal(ht.arange(big, big + 7, 2, dtype=ht.int64, split=0), np.arange(big, big + 7, 2), dtype=ht.int64)
    assert_equal(ht.arange(5, -5, -3, split=0), np.arange(5, -5, -3), dtype=ht.int32)
    assert ht.arange(3, 3).shape == (0,)
    with pytest.raises(ZeroDivisionError, match="arange"):
        ht.arange(0, 3, 0)


@given(NUMBERS, NUMBERS, st.integers(0, 12), st.booleans(), st.sampled_from(["float64", "float32", "int64"]))
def test_linspace(start: float, stop: float, num: int, endpoint: bool, dtype: str) -> None:
    expected, step = np.linspace(start, stop, num, endpoint, retstep=True, dtype=dtype)
    for split in (None, 0):
        got, gap = ht.linspace(start, stop, num, endpoint, retstep=True, dtype=dtype, split=split)
        assert_equal(got, expected, rtol=0, dtype=dtype)
        np.testing.assert_equal(gap, float(step))


def test_logspace() -> None:
    assert_equal(ht.logspace(-2, 3, 9, split=0, dtype=ht.float64), np.logspace(-2, 3, 9))
    assert_equal(ht.logspace(0, 3, 4, base=2, split=0), np.logspace(0, 3, 4, base=2), dtype=ht.float32)


@pytest.mark.parametrize("shape", [0, 5, (1, 1), (7, 3), (3, 7), (2, 0)])
def test_eye(shape: Any) -> None:
    n, m = shape if isinstance(shape, tuple) else (shape, shape)
    for split in all_splits(2):
        assert_equal(ht.eye(shape, split=split), np.eye(n, m), split=split)
        assert_equal(ht.eye(shape, split=split, dtype=ht.complex64), np.eye(n, m, dtype=np.complex64))


@given(st.data())
def test_like(data: st.DataObject) -> None:
    x, whole = data.draw(ehst.pairs())
    for new, expected in (
        (ht.zeros_like(x), np.zeros_like(whole)),
        (ht.ones_like(x), np.ones_like(whole)),
        (ht.full_like(x, 3), np.full_like(whole, 3)),
    ):
        assert_equal(new, expected, dtype=whole.dtype, split=x.split)
        assert new.lshape == x.lshape
    split = data.draw(ehst.splits(whole.ndim))
    if split is not None:
        assert_equal(ht.zeros_like(x, dtype=ht.int16, split=split), np.zeros(whole.shape, np.int16), split=split)
    assert ht.empty_like(x).shape == whole.shape


@given(st.data())
def test_array_split(data: st.DataObject) -> None:
    whole = data.draw(ehst.values(data.draw(ehst.shapes()), data.draw(ehst.dtypes())))
    split = data.draw(ehst.splits(whole.ndim))
    expected = {"dtype": whole.dtype, "split": split, "balanced": True}
    assert_equal(ht.array(whole, split=split), whole, **expected)
    assert_equal(ht.array(torch.from_numpy(whole), split=split, order="F"), whole, **expected)
    assert_equal(ht.array(whole.tolist(), dtype=whole.dtype).resplit(None), whole) if whole.size else None
    backwards = whole[::-1] if whole.ndim else whole
    assert_equal(ht.array(backwards, split=split), backwards, **expected)
    assert_equal(ht.array(whole.astype(whole.dtype.newbyteorder(">")), split=split), whole, **expected)


@given(st.data())
def test_array_of_array(data: st.DataObject) -> None:
    x, whole = data.draw(ehst.pairs())
    assert_equal(ht.array(x), whole, dtype=whole.dtype, split=x.split)
    split = data.draw(ehst.splits(whole.ndim))
    kept = x.split if split is None else split
    assert_equal(ht.array(x, dtype="complex64", split=split), whole.astype("complex64"), split=kept)
    assert_equal(ht.array(x, ndmin=5), whole.reshape((1,) * (5 - whole.ndim) + whole.shape))
    assert ht.asarray(x) is x


@given(st.data())
def test_is_split(data: st.DataObject) -> None:
    whole = data.draw(ehst.values(data.draw(ehst.shapes(min_ndim=1)), data.draw(ehst.dtypes())))
    split = data.draw(st.integers(-whole.ndim, whole.ndim - 1))
    counts = data.draw(ehst.counts(whole.shape[split], SIZE)) or uneven_counts(whole.shape[split], SIZE)
    block = np.split(whole, np.cumsum(counts)[:-1], axis=split)[RANK]
    x = ht.array(block, is_split=split)
    assert_equal(x, whole, dtype=whole.dtype, split=split % whole.ndim)
    assert x.lshape == block.shape


def test_is_split_promotes() -> None:
    block = np.ones(2, np.int32) if RANK == 0 else np.ones(1, np.float32)
    x = ht.array(block, is_split=0)
    assert x.dtype == (ht.float32 if SIZE > 1 else ht.int32)
    assert ht.array([] if RANK else [1, 2], is_split=0).dtype == ht.int64


@pytest.mark.ranks(2, 3, 4)
def test_blocks_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"\(2, 1\) on rank 0, \(2, 2\) on rank 1"):
        ht.array(np.ones((2, RANK + 1)), is_split=0)
    with pytest.raises(ValueError, match="must agree in number of axes"):
        ht.array(np.ones((2,) * (RANK + 1)), is_split=0)
    with pytest.raises(ValueError, match="out of bounds for 1-dimensional blocks"):
        ht.array(np.ones(3), is_split=1)
    with pytest.raises(ValueError, match="is_split must be the same on all ranks, is 0 on rank 0, 1 on rank 1"):
        ht.array(np.ones((2, 2)), is_split=min(RANK, 1))
    last = [[1], [2, 3]] if RANK == SIZE - 1 else [[1], [2]]
    with pytest.raises(ValueError, match="rectangular" if RANK == SIZE - 1 else f"rank {SIZE - 1} could not"):
        ht.array(last, is_split=0)


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.5, -3.0],
        [1, 2, 3],
        [1, 2.5],
        [2**53 + 1, 0.5],
        ((1, 2), (3, 4)),
        [[1.0], [2]],
        [[[1, 2]], [[3, 4]]],
        [True, 2],
        [True, False],
        [1j, 2],
        [],
        [[], []],
        [np.float64(1.5), 2.0],
        [1.5, np.float64(2.0)],
        [2**63 - 1, -(2**63)],
        [float("nan"), float("inf"), 1e300],
        range(4),
    ],
)
def test_nested_numbers(values: Any) -> None:
    """Values and type as NumPy finds them, Python's floats as float32."""
    with np.errstate(over="ignore"):
        array = np.asarray(values)
        narrow = {"float64": np.float32, "complex128": np.complex64}.get(array.dtype.name, array.dtype)
        kept = isinstance(values, list) and len(values) > 0 and isinstance(values[0], np.generic)
        wanted = array if kept else array.astype(narrow)
    for split in (None, 0):
        x = ht.array(values, split=split)
        assert_equal(x, wanted)
        assert x.numpy().dtype == wanted.dtype
    assert ht.asarray(values).numpy().dtype == wanted.dtype


@pytest.mark.parametrize("values", [[1, [2]], [[1], 2], [[1, 2], [3]], [1.0, "a"], [2**64, 1], [1, None]])
def test_no_arrays(values: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        ht.array(values)


def test_plain_and_other_arguments_of_factories() -> None:
    """The usual arguments take a shorter way than unusual ones; both give the same."""
    for shape, extents in (
        (3, (3,)),
        ((2, 3), (2, 3)),
        ([2, 3], (2, 3)),
        (np.int64(3), (3,)),
        ((), ()),
        ((0, 2), (0, 2)),
    ):
        for split in (None, *range(-len(extents), len(extents))):
            x = ht.zeros(shape, split=split)
            assert x.shape == extents and x.split == (None if split is None else split % len(extents))
            assert ht.full(shape, 2.5, dtype=np.float64, split=split).sum().item() == 2.5 * np.prod(extents)
    for bad in (-1, (2, -1)):
        with pytest.raises(ValueError, match="negative dimensions"):
            ht.ones(bad)
    for split in (1, -2, 2**70):
        with pytest.raises(ValueError, match="split"):
            ht.zeros(3, split=split)
    with pytest.raises(TypeError, match="split"):
        ht.zeros(3, split=0.5)
    with pytest.raises(TypeError, match="shape"):
        ht.zeros("ab")


def test_copies() -> None:
    for source in (np.arange(6.0), torch.arange(6.0)):
        for split in (None, 0):
            ht.array(source, split=split).larray.fill_(-1)
            assert source[3] == 3
        shared = ht.asarray(source)
        shared.larray[3] = 10
        assert source[3] == 10
    with pytest.raises(ValueError, match="copy"):
        ht.array([1.0, 2.0], copy=False)
    with pytest.raises(ValueError, match="copy"):
        ht.array(np.arange(3), dtype=ht.float64, copy=False)
    x = ht.arange(4, split=0)
    assert ht.array(x, copy=False).larray.data_ptr() == x.larray.data_ptr()
    assert SIZE > 4 or ht.array(x).larray.data_ptr() != x.larray.data_ptr()


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="split and is_split are mutually exclusive"):
        ht.array([1], split=0, is_split=0)
    with pytest.raises(ValueError, match="zeros: split 2 is out of bounds for a 2-dimensional"):
        ht.zeros((2, 2), split=2)
    with pytest.raises(ValueError, match="array: split -2 is out of bounds"):
        ht.array([1, 2], split=-2)
    with pytest.raises(TypeError, match="split must be None or an integer"):
        ht.zeros((2, 2), split="rows")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rectangular"):
        ht.array([[1, 2], [3]], split=0)
    with pytest.raises(TypeError, match="'float33' is not understood; the types are bool, uint8"):
        ht.zeros(3, dtype="float33")
    with pytest.raises(TypeError, match="not supported"):
        ht.array(["a", "b"])
    with pytest.raises(TypeError, match="not supported"):
        ht.array(object())
    with pytest.raises(TypeError, match=r"ht\.stack"):
        ht.array([ht.zeros(2), ht.zeros(2)], is_split=0)  # without is_split they are stacked
    with pytest.raises(ValueError, match="Unknown device 'tpu'"):
        ht.zeros(3, device="tpu")
    with pytest.raises(ValueError, match="negative dimensions"):
        ht.zeros((2, -1))
    with pytest.raises(TypeError, match="shape must be an integer or a sequence"):
        ht.zeros("ab")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="order must be 'C' or 'F'"):
        ht.zeros(3, order="A")
    with pytest.raises(TypeError, match="communicator"):
        ht.zeros(3, comm=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="complex"):
        ht.full(3, 1j, dtype=ht.float64)
    with pytest.raises(ValueError, match="number of samples"):
        ht.linspace(0, 1, -1)
    with pytest.raises(TypeError, match="beyond int64"):
        ht.array([2**70])


def test_gradients_through_array() -> None:
    whole = np.arange(12.0).reshape(4, 3)
    for split in all_splits(2):
        assert gradcheck(lambda x: x, whole, splits=[split])
        assert gradcheck(lambda x: x, whole, splits=[split], uneven=True)
    tensor = torch.ones(5, requires_grad=True)
    x = ht.array(tensor, split=0)
    assert x.larray.requires_grad
    (x.larray * 2).sum().backward()
    np.testing.assert_array_equal(tensor.grad.numpy(), np.full(5, 2.0))


def test_other_communicator() -> None:
    comm = ht.get_comm().split(RANK % 2)
    x = ht.arange(10, split=0, comm=comm)
    assert_equal(x, np.arange(10))
    assert x.comm.size == comm.size


def test_with_counts_helper() -> None:
    counts = uneven_counts(9, SIZE, seed=3)
    x = with_counts(np.arange(9), 0, counts)
    assert_equal(x, np.arange(9))
    assert x.lshape == (counts[RANK],)


@pytest.mark.parametrize("split", [None, 0, 1])
@pytest.mark.parametrize(("n", "m"), [(3, 4), (5, 2), (1, 4), (0, 3)])
def test_diagonals_of_ones(n: int, m: int, split: int | None) -> None:
    for k in (-7, -2, 0, 1, 3, 9):
        assert_equal(ht.eye((n, m), split=split, k=k), np.eye(n, m, k, dtype=np.float32), split=split)
    assert_equal(ht.eye(n, m, split=split), np.eye(n, m, dtype=np.float32), split=split)
