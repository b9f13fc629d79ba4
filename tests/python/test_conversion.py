# SPDX-License-Identifier: BSD-3-Clause
"""From arrays to NumPy, Python numbers, other types; gradients as attributes."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat.testing import all_layouts, assert_equal, uneven_counts, with_counts
from equiheat.testing import strategies as ehst

RANK, SIZE = ht.get_comm().rank, ht.get_comm().size


@given(st.data())
def test_out(data: st.DataObject) -> None:
    x, whole = data.draw(ehst.pairs())
    np.testing.assert_array_equal(x.numpy(), whole)
    assert x.numpy().dtype == whole.dtype
    assert x.tolist() == whole.tolist()
    assert x.tolist(keepsplit=True) == x.larray.tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the part; see below
        np.testing.assert_array_equal(np.asarray(x), x.larray.resolve_conj().numpy())
    assert x.size == x.gnumel == whole.size
    assert x.ndim == whole.ndim
    assert x.shape == whole.shape
    assert x.nbytes == whole.nbytes
    assert x.itemsize == whole.itemsize
    assert x.strides == tuple(n * whole.itemsize for n in x.stride)
    assert x.lnumel == x.larray.numel()
    assert x.lnbytes == x.larray.nbytes
    assert len(x) == len(whole) if whole.ndim else True


def test_numpy_is_told_when_it_gets_a_part() -> None:
    split = ht.arange(4 * SIZE, split=0)
    if SIZE > 1:
        with pytest.warns(
            UserWarning, match=r"shape \(\d+,\) that is split over \d+ ranks gives this rank's part only"
        ) as told:
            assert np.asarray(split).tolist() == split.larray.tolist()
        assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.asarray(ht.arange(4)).tolist() == [0, 1, 2, 3]
        with ht.whole_interchange():
            assert np.asarray(split).tolist() == list(range(4 * SIZE))
        assert np.asarray(split.larray).shape == (4,)


@given(st.data())
def test_astype_and_copy(data: st.DataObject) -> None:
    x, whole = data.draw(ehst.pairs(names=("bool", "int32", "float32", "float64")))
    for dtype in ("uint8", "int64", "float64", "complex64"):
        if dtype != "uint8" or (whole >= 0).all():
            y = x.astype(dtype)
            assert_equal(y, whole.astype(dtype), dtype=dtype, split=x.split)
            assert y.lshape == x.lshape
    assert x.dtype == whole.dtype
    assert x.astype(x.dtype, copy=False) is x
    y = ht.copy(x)
    y.larray.fill_(0)
    assert_equal(x, whole, dtype=whole.dtype)
    assert x.cpu() is x
    assert x.to_device("cpu") is x


@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1)])
@pytest.mark.parametrize("value", [True, 7, -2.5, 3 + 4j])
def test_one_element(shape: tuple[int, ...], value: Any) -> None:
    for x in all_layouts(np.full(shape, value)):
        assert x.item() == value
        assert type(x.item()) is type(value)
        assert complex(x) == complex(value)
        assert bool(x) is bool(value)
        if not isinstance(value, complex):
            assert float(x) == float(value)
            assert int(x) == int(value)


def test_index() -> None:
    assert [10, 20, 30][ht.array(1)] == 20
    for x in (ht.array(1.0), ht.array([1]), ht.array(True)):
        with pytest.raises(TypeError, match="only integer scalar arrays"):
            [10, 20][x]


def test_more_than_one_element() -> None:
    for n in (0, 2, 5):
        x = ht.zeros(n, split=0)
        with pytest.raises(ValueError, match="only one-element DNDarrays"):
            x.item()
        with pytest.raises(ValueError, match="truth value of an"):
            bool(x)
        for cast in (int, float, complex):
            with pytest.raises(TypeError, match="only size-1 arrays"):
                cast(x)
    with pytest.raises(TypeError, match="unsized"):
        len(ht.array(3))


def test_block() -> None:
    counts = uneven_counts(7, SIZE)
    x = with_counts(np.arange(14.0).reshape(7, 2), 0, counts)
    assert x.lshape == (counts[RANK], 2)
    assert x.lshape_map.tolist() == [[c, 2] for c in counts]
    assert x.create_lshape_map().tolist() == x.lshape_map.tolist()
    x.larray = x.larray * 2
    assert_equal(x, 2 * np.arange(14.0).reshape(7, 2))
    with pytest.raises(ValueError, match="layout gives it"):
        x.larray = torch.zeros(counts[RANK] + 1, 2)
    with pytest.raises(TypeError, match=r"torch\.Tensor"):
        x.larray = np.zeros((counts[RANK], 2))  # type: ignore[assignment]


def test_gradients() -> None:
    x = ht.array(np.arange(6.0), split=0).requires_grad_()
    assert x.requires_grad
    assert x.grad is None
    x.resplit(None).backward(ht.array(np.arange(6.0) + 1, split=0))
    assert_equal(x.grad, np.arange(6.0) + 1, split=0)
    x.grad = None
    assert x.grad is None
    assert not x.detach().requires_grad
    with pytest.raises(RuntimeError, match="gradient="):
        x.backward()
    one = ht.array([2.0], split=0).requires_grad_()
    one.resplit(None).backward()
    assert_equal(one.grad, np.ones(1))


def test_numpy_array_protocol() -> None:
    x = ht.arange(4)
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    shared = np.asarray(x)
    assert np.array(x, copy=True) is not shared
    check: Callable[[], Any] = lambda: x.__array__(np.float64, copy=False)  # noqa: E731
    with pytest.raises(ValueError, match="copy=False"):
        check()


def test_format_and_deepcopy() -> None:
    x = ht.array([2.5], split=0)
    assert f"{x:.3f}" == "2.500"
    assert f"{ht.arange(2, split=0)}" == str(ht.arange(2, split=0))
    y = copy.deepcopy(x)
    y.larray.fill_(0)
    assert_equal(x, np.array([2.5]))


def test_a_copy_of_a_parameter_is_one() -> None:
    x = ht.arange(4, dtype=ht.float64, split=0).requires_grad_()
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        (y * y).sum().backward()
        assert_equal(y.grad, 2 * np.arange(4.0))
    assert x.grad is None
    assert not copy.deepcopy(x * 2).requires_grad


def test_iteration() -> None:
    with pytest.raises(TypeError, match="0-d"):
        iter(ht.array(3))
    if hasattr(ht.DNDarray, "__getitem__"):
        whole = np.arange(6).reshape(3, 2)
        for x in all_layouts(whole):
            assert [row.tolist() for row in x] == whole.tolist()
            assert 5 in x
            assert 7 not in x
