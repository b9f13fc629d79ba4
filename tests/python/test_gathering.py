# SPDX-License-Identifier: BSD-3-Clause
"""Elements read and written by number, mask and choice, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from layouts import arrays, check, distribute, filled, layouts

import equiheat as ht

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)


def some(draw: st.DrawFn, value: np.ndarray) -> Any:
    """The value itself or as an array of some layout."""
    return distribute(value, *draw(layouts(value.shape))) if draw(st.booleans()) else value


def numbers(draw: st.DrawFn, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
    k = int(np.prod(shape))
    return np.array(draw(st.lists(st.integers(low, high), min_size=k, max_size=k)), dtype=np.int64).reshape(shape)


@given(SHAPES, st.data())
def test_along_axis(shape: tuple[int, ...], data: st.DataObject) -> None:
    x, value = data.draw(arrays(shape, dtypes=[np.float64]))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    own = [1 if data.draw(st.integers(0, 3)) == 0 else m for m in shape]
    own[axis] = data.draw(st.integers(0, 4))
    index = numbers(data.draw, tuple(own), -n, n - 1)
    ours = some(data.draw, index)
    check(ht.take_along_axis(x, ours, axis), np.take_along_axis(value, index, axis))
    wide = list(shape)
    wide[axis] = own[axis]
    new = filled(tuple(wide)) + 0.5
    if own == wide:  # NumPy's order of equal numbers is only fixed without broadcasting
        ht.put_along_axis(x, ours, some(data.draw, new), axis)
        np.put_along_axis(value, index, new, axis)
        check(x, value)
    ht.put_along_axis(x, ours, 1.0, axis, mode="add")
    places = [np.arange(m).reshape([-1 if k == d else 1 for k in range(len(shape))]) for d, m in enumerate(shape)]
    places[axis] = index
    np.add.at(value, tuple(places), 1.0)
    check(x, value)


def test_along_no_axis() -> None:
    value = filled((3, 4))
    index = np.array([5, -1, 0])
    for split in (None, 0, 1):
        x = distribute(value, split)
        check(ht.take_along_axis(x, index, None), np.take_along_axis(value, index, None))
        ht.put_along_axis(x, index, [1.5, 2.5, 3.5], None)
        expected = value.copy()
        np.put_along_axis(expected, index, [1.5, 2.5, 3.5], None)
        check(x, expected)
        with pytest.raises(IndexError):
            ht.take_along_axis(x, [[7] * 4], 0)
        with pytest.raises(ValueError, match="same number"):
            ht.take_along_axis(x, [0], 0)


@given(SHAPES, st.data())
def test_take_and_put(shape: tuple[int, ...], data: st.DataObject) -> None:
    x, value = data.draw(arrays(shape, dtypes=[np.float64]))
    n = value.size
    index = numbers(data.draw, data.draw(st.sampled_from([(), (3,), (2, 2), (0,)])), -n, n - 1)
    ours = some(data.draw, index) if index.ndim else index
    check(ht.take(x, ours), np.take(value, index))
    new = filled((data.draw(st.integers(1, 4)),)) + 9.5
    ht.put(x, ours, some(data.draw, new))
    np.put(value, index, new)
    check(x, value)
    for mode in ("wrap", "clip"):
        ht.put(x, [3 * n, -n - 2], 4.0, mode)
        np.put(value, [3 * n, -n - 2], 4.0, mode)
        check(x, value)


@given(SHAPES, st.data())
def test_scatter(shape: tuple[int, ...], data: st.DataObject) -> None:
    x, value = data.draw(arrays(shape, dtypes=[np.float64]))
    axis = data.draw(st.integers(0, len(shape) - 1))
    own = [data.draw(st.integers(0 if k else 1, m)) for k, m in enumerate(shape)]
    index = numbers(data.draw, tuple(own), 0, shape[axis] - 1)
    src = filled(tuple(own)) + 0.25
    got = ht.scatter_add(x, axis, some(data.draw, index), some(data.draw, src))
    check(got, torch.from_numpy(value).scatter_add(axis, torch.from_numpy(index), torch.from_numpy(src)).numpy())
    got = ht.scatter(x, axis, some(data.draw, index), 2.5)
    check(got, torch.from_numpy(value).scatter(axis, torch.from_numpy(index), 2.5).numpy())
    rows = numbers(data.draw, (3,), 0, shape[axis] - 1)
    more = filled((*shape[:axis], 3, *shape[axis + 1 :]))
    got = ht.index_add(x, axis, some(data.draw, rows), some(data.draw, more), alpha=2)
    check(got, torch.from_numpy(value).index_add(axis, torch.from_numpy(rows), torch.from_numpy(more), alpha=2).numpy())
    check(x, value)


@given(SHAPES, st.data())
def test_masks(shape: tuple[int, ...], data: st.DataObject) -> None:
    x, value = data.draw(arrays(shape, dtypes=[np.float64]))
    mask = numbers(data.draw, shape, 0, 1).astype(bool)
    ours = some(data.draw, mask)
    check(ht.extract(ours, x), np.extract(mask, value))
    check(ht.argwhere(distribute(mask, *data.draw(layouts(shape)))), np.argwhere(mask))
    check(ht.flatnonzero(ours), np.flatnonzero(mask))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    line = mask.reshape(-1)[: shape[axis]]
    check(ht.compress(some(data.draw, line), x, axis), np.compress(line, value, axis))
    vals = filled((data.draw(st.integers(1, 4)),)) + 2.5
    ht.place(x, ours, some(data.draw, vals))
    np.place(value, mask, vals)
    check(x, value)
    ht.putmask(x, ours, some(data.draw, vals * 3))
    np.putmask(value, mask, vals * 3)
    check(x, value)
    ht.copyto(x, 7.5, where=ours)
    np.copyto(value, 7.5, where=mask)
    check(x, value)
    ht.copyto(x, some(data.draw, value[:1] * 2))
    np.copyto(value, value[:1] * 2)
    check(x, value)


@given(SHAPES, st.data())
def test_choices(shape: tuple[int, ...], data: st.DataObject) -> None:
    which = numbers(data.draw, shape, 0, 2)
    values = [filled(shape) + k for k in range(3)]
    ours = [some(data.draw, v) for v in values]
    which_ours = distribute(which, *data.draw(layouts(shape)))
    check(ht.choose(which_ours, ours), np.choose(which, values))
    check(ht.choose(which_ours * 5, ours, mode="wrap"), np.choose(which * 5, values, mode="wrap"))
    conditions = [which == 1, which == 2]
    got = ht.select([which_ours == 1, some(data.draw, conditions[1])], ours[:2], -1.5)
    check(got, np.select(conditions, values[:2], -1.5))
    with pytest.raises(ValueError, match="out of bounds"):
        ht.choose(which_ours + 3, ours)


def test_local_index() -> None:
    x = distribute(filled((8, 2)), 0)
    if x.lshape[0]:
        assert torch.equal(x.lloc[0], x.larray[0])
        x.lloc[0, 1] = 7.0
        assert x.larray[0, 1] == 7.0
    check(ht.ix_([0, 2], [True, False, True])[1], np.ix_([0, 2], [True, False, True])[1])
    check(x[ht.ix_([0, 2], [1])], x.numpy()[np.ix_([0, 2], [1])])


WIDE = [np.uint16, np.uint32, np.uint64]


@pytest.mark.parametrize("dtype", WIDE)
@given(data=st.data())
def test_unsigned_elements_move(dtype: Any, data: st.DataObject) -> None:
    value = np.arange(12, dtype=dtype).reshape(4, 3) + dtype(np.iinfo(dtype).max - 11)
    x = distribute(value, *data.draw(layouts(value.shape)))
    index = numbers(data.draw, (4, 2), -3, 2)
    check(ht.take_along_axis(x, some(data.draw, index), 1), np.take_along_axis(value, index, 1))
    check(ht.tile(x, (3, 2)), np.tile(value, (3, 2)))
    check(ht.repeat(x, some(data.draw, np.array([2, 0, 1, 3])), 0), np.repeat(value, [2, 0, 1, 3], 0))
    check(ht.pad(x, 2, "reflect"), np.pad(value, 2, "reflect"))
    order = np.argsort(value, 0)[::-1]
    ht.put_along_axis(x, some(data.draw, order), value, 0)
    np.put_along_axis(value, order, value.copy(), 0)
    ht.put(x, some(data.draw, np.array([7, 0])), [5, 6])
    np.put(value, [7, 0], [5, 6])
    x[some(data.draw, value > 9)] = 8
    value[value > 9] = 8
    check(x, value)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, *WIDE, np.int32])
def test_indices_of_any_integer_type(dtype: Any) -> None:
    value = filled((5, 4))
    for split in (None, 0, 1):
        x = distribute(value, split)
        for index in (distribute(np.array([4, 0, 2], dtype), 0), np.array([4, 0, 2], dtype)):
            check(x[index], value[[4, 0, 2]])
            check(ht.take(x, index, 0), value[[4, 0, 2]])


def test_put_into_one_number() -> None:
    x = distribute(np.array(3.5), None)
    ht.put(x, [0, -1], [1.5, 2.5])
    check(x, 2.5)
    ht.put_along_axis(x, [0], 4.5, None)
    check(x, 4.5)
    with pytest.raises(IndexError, match="out of bounds"):
        ht.put(x, 1, 0.0)


def test_an_index_of_nothing_has_no_bounds() -> None:
    value = filled((3, 4))
    nothing = np.zeros((0,), dtype=np.int64)
    for split in (None, 0, 1):
        x = distribute(value, split)
        check(x[[9], nothing], value[[9], nothing])
        check(x[distribute(nothing, 0), [9]], value[nothing, [9]])
        x[[9], nothing] = 1.0
        check(x, value)
