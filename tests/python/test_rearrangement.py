# SPDX-License-Identifier: BSD-3-Clause
"""Arrays tiled, repeated, padded, cut, edited, differenced, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import arrays, check, distribute, filled, layouts, shapes

import equiheat as ht

REAL = [np.float64, np.int32, np.bool_]
PLAIN = [np.float64, np.int64]


def some(draw: st.DrawFn, value: np.ndarray) -> Any:
    """The value itself or as an array of some layout."""
    return distribute(value, *draw(layouts(value.shape))) if draw(st.booleans()) else value


@given(arrays(dtypes=REAL), st.data())
def test_tile(pair: Any, data: st.DataObject) -> None:
    x, value = pair
    reps = data.draw(st.lists(st.integers(0, 5), max_size=value.ndim + 1).map(tuple))
    check(ht.tile(x, reps), np.tile(value, reps))
    check(x.tile(2), np.tile(value, 2))


@given(arrays(dtypes=REAL), st.data())
def test_repeat(pair: Any, data: st.DataObject) -> None:
    x, value = pair
    axis = data.draw(st.sampled_from([None, *range(-value.ndim, value.ndim)]))
    n = value.size if axis is None else value.shape[axis]
    times = data.draw(st.integers(0, 3))
    check(ht.repeat(x, times, axis), np.repeat(value, times, axis))
    each = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=np.int64)
    check(ht.repeat(x, some(data.draw, each), axis), np.repeat(value, each, axis))
    check(x.repeat([2], axis), np.repeat(value, [2], axis))


@given(arrays(dtypes=REAL), st.data())
def test_resize(pair: Any, data: st.DataObject) -> None:
    x, value = pair
    shape = data.draw(shapes(max_dims=3))
    check(ht.resize(x, shape), np.resize(value, shape))


@given(arrays(min_dims=1, dtypes=PLAIN), st.data())
def test_windows(pair: Any, data: st.DataObject) -> None:
    x, value = pair
    axis = data.draw(st.integers(-value.ndim, value.ndim - 1))
    if value.shape[axis] == 0:
        return
    size = data.draw(st.integers(1, value.shape[axis]))
    step = data.draw(st.integers(1, 4))
    view = np.lib.stride_tricks.sliding_window_view(value, size, axis)
    part = (*[slice(None)] * (axis % value.ndim), slice(None, None, step))
    check(ht.unfold(x, axis, size, step), view[part], x.split)
    check(ht.sliding_window_view(x, size, axis), view)


MODES = ["constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "minimum", "mean", "median"]


@pytest.mark.parametrize("mode", MODES)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple), data=st.data())
def test_pad(mode: str, shape: tuple[int, ...], data: st.DataObject) -> None:
    x, value = data.draw(arrays(shape, dtypes=PLAIN))
    width = [(data.draw(st.integers(0, 7)), data.draw(st.integers(0, 4))) for _ in shape]
    options: dict[str, Any] = {}
    if mode == "constant" and data.draw(st.booleans()):
        options["constant_values"] = [(data.draw(st.integers(-3, 3)), 5) for _ in shape]
    if mode == "linear_ramp":
        options["end_values"] = data.draw(st.integers(-9, 9))
    if mode in ("maximum", "minimum", "mean", "median"):
        options["stat_length"] = data.draw(st.sampled_from([None, 1, 2, (1, 3)]))
    if mode in ("reflect", "symmetric"):
        options["reflect_type"] = data.draw(st.sampled_from(["even", "odd"]))
    result = ht.pad(x, width, mode, **options)
    expected = np.pad(value, width, mode, **options)
    assert result.split == x.split and result.dtype is x.dtype
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_pad_forms() -> None:
    value = filled((4, 3))
    for split in (None, 0, 1):
        x = distribute(value, split)
        for width in (1, (1, 2), ((1, 2),), ((1, 2), (0, 3))):
            check(ht.pad(x, width, constant_values=2.5), np.pad(value, width, constant_values=2.5), split)
        deep, last = filled((2, 3, 4)), [(1, 0), (2, 1)]  # Heat's form, pairs of the last axes
        check(ht.pad(distribute(deep, split), last), np.pad(deep, [(0, 0), *last]), split)
        check(ht.pad(x, {-1: (1, 2)}), np.pad(value, ((0, 0), (1, 2))))
        assert ht.pad(x, 2, "empty").shape == (8, 7)
        for width, mode, error in ((-1, "edge", ValueError), (1, "nowhere", ValueError), (1.5, "edge", TypeError)):
            with pytest.raises(error, match="pad: "):
                ht.pad(x, width, mode)
    with pytest.raises(ValueError, match="empty axis"):
        ht.pad(ht.zeros((0, 2), split=0), 1, "edge")


@given(arrays(min_dims=1, dtypes=REAL), st.data())
def test_splits(pair: Any, data: st.DataObject) -> None:
    x, value = pair
    axis = data.draw(st.integers(-value.ndim, value.ndim - 1))
    n = data.draw(st.integers(1, 4))
    cuts = data.draw(st.lists(st.integers(-3, 8), max_size=3))
    for given_parts in (n, cuts):
        for got, expected in zip(
            ht.array_split(x, given_parts, axis), np.array_split(value, given_parts, axis), strict=True
        ):
            check(got, expected, x.split)
    for part, expected in zip(ht.unstack(x, axis=axis), np.moveaxis(value, axis, 0), strict=True):
        check(part, expected)
    if value.shape[axis] % n:
        with pytest.raises(ValueError, match="equal division"):
            ht.split(x, n, axis)


def test_named_splits() -> None:
    value = filled((4, 6, 2))
    for split in (None, 0, 1, 2):
        x = distribute(value, split)
        for name, n in (("vsplit", 2), ("hsplit", 3), ("dsplit", [1])):
            for got, expected in zip(getattr(ht, name)(x, n), getattr(np, name)(value, n), strict=True):
                check(got, expected, split)
    check(ht.hsplit(distribute(value[0, :, 0], 0), 3)[1], value[0, 2:4, 0])
    with pytest.raises(ValueError, match="vsplit"):
        ht.vsplit(ht.arange(4), 2)


@given(arrays(min_dims=2, dtypes=REAL), st.integers(-7, 7), st.data())
def test_diagonals(pair: Any, offset: int, data: st.DataObject) -> None:
    x, value = pair
    a, b = data.draw(st.permutations(range(value.ndim)))[:2]
    check(ht.diagonal(x, offset, a, b), np.diagonal(value, offset, a, b))
    if value.ndim == 2:
        check(ht.diag(x, offset), np.diag(value, offset))
    line = value.reshape(-1)[: data.draw(st.integers(0, 6))]
    v = distribute(line, *data.draw(layouts(line.shape)))
    check(ht.diag(v, offset), np.diag(line, offset), v.split)
    check(ht.diagflat(x, offset), np.diagflat(value, offset))


@given(st.integers(2, 7), st.integers(1, 4), st.booleans(), st.data())
def test_fill_diagonal(rows: int, columns: int, wrap: bool, data: st.DataObject) -> None:
    x, value = data.draw(arrays((rows, columns), dtypes=[np.float64]))
    new = data.draw(st.sampled_from([7, np.array([1.5, 2.5, 3.5])]))
    ht.fill_diagonal(x, new, wrap)
    np.fill_diagonal(value, new, wrap)
    check(x, value)
    cube, cubes = data.draw(arrays((3, 3, 3), dtypes=[np.float64]))
    ht.fill_diagonal(cube, 2.5)
    np.fill_diagonal(cubes, 2.5)
    check(cube, cubes)


def test_triangles() -> None:
    for split in (None, 0, 1):
        for k in (-3, 0, 2):
            check(ht.tri(4, 6, k, split=split), np.tri(4, 6, k), split, np.float32)
    for split in (None, 0):
        for k in (-2, 0, 1):
            for name in ("tril_indices", "triu_indices"):
                for got, expected in zip(
                    getattr(ht, name)(5, k, 4, split=split), getattr(np, name)(5, k, 4), strict=True
                ):
                    check(got, expected)
        check(ht.diag_indices(4, 3, split=split)[2], np.diag_indices(4, 3)[2])
        line = np.array([2, 3, -1])
        for n in (None, 0, 1, 5):
            check(ht.vander(distribute(line, split), n), np.vander(line, n), split)
        check(ht.vander(distribute(line, split), increasing=True), np.vander(line, increasing=True), split)


@given(arrays(min_dims=1, dtypes=REAL), st.integers(0, 4), st.data())
def test_diff(pair: Any, n: int, data: st.DataObject) -> None:
    x, value = pair
    axis = data.draw(st.integers(-value.ndim, value.ndim - 1))
    check(ht.diff(x, n, axis), np.diff(value, n, axis), x.split)
    if value.dtype == np.float64:
        more = np.take(value, [], axis) if value.shape[axis] == 0 else np.take(value, [0, 0], axis) + 3
        ours = some(data.draw, more)
        check(ht.diff(x, n, axis, ours, 2.5), np.diff(value, n, axis, more, 2.5))
        check(ht.ediff1d(x, 4.5, ours), np.ediff1d(value, 4.5, more))


@given(st.lists(st.integers(3, 6), min_size=1, max_size=3).map(tuple), st.sampled_from([1, 2]), st.data())
def test_gradient(shape: tuple[int, ...], order: int, data: st.DataObject) -> None:
    value = np.random.default_rng(0).normal(size=shape)
    x = distribute(value, *data.draw(layouts(shape)))
    places = np.cumsum(np.arange(1, shape[-1] + 1)) ** 1.25
    for args, axis in (((), None), ((0.5,), None), ((some(data.draw, places),), -1)):
        theirs = tuple(a.numpy() if isinstance(a, ht.DNDarray) else a for a in args)
        got = ht.gradient(x, *args, axis=axis, edge_order=order)
        expected = np.gradient(value, *theirs, axis=axis, edge_order=order)
        pairs = [(got, expected)] if isinstance(got, ht.DNDarray) else list(zip(got, expected, strict=True))
        for one, other in pairs:
            assert one.split == x.split
            np.testing.assert_allclose(one.numpy(), other, atol=1e-12)
    got = ht.trapezoid(x, some(data.draw, places))
    np.testing.assert_allclose(got.numpy(), np.trapezoid(value, places), atol=1e-12)
    np.testing.assert_allclose(ht.trapezoid(x, dx=0.5, axis=0).numpy(), np.trapezoid(value, dx=0.5, axis=0), atol=1e-12)
    wide = distribute(np.cumsum(abs(value), 0), *data.draw(layouts(shape)))
    np.testing.assert_allclose(
        ht.trapezoid(x, wide, axis=0).numpy(), np.trapezoid(value, wide.numpy(), axis=0), atol=1e-12
    )


@given(st.integers(1, 6), st.data())
def test_interp(n: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(n)
    xp, fp, at = np.sort(rng.normal(size=n)), rng.normal(size=n), rng.normal(size=(4, 3)) * 2
    at[0, 0] = xp[-1]
    ours = [some(data.draw, v) if k == 0 or hasattr(ht, "searchsorted") else v for k, v in enumerate((at, xp, fp))]
    np.testing.assert_allclose(ht.interp(*ours).numpy(), np.interp(at, xp, fp), atol=1e-12)
    got, expected = ht.interp(*ours, left=-1.0, right=2.0), np.interp(at, xp, fp, -1.0, 2.0)
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(ht.interp(*ours, period=1.5).numpy(), np.interp(at, xp, fp, period=1.5), atol=1e-12)


@given(arrays(min_dims=1, dtypes=PLAIN), st.booleans(), st.data())
def test_running_totals(pair: Any, initial: bool, data: st.DataObject) -> None:
    x, value = pair
    axis = data.draw(st.integers(-value.ndim, value.ndim - 1))
    for name in ("cumulative_sum", "cumulative_prod"):
        got = getattr(ht, name)(x, axis=axis, include_initial=initial)
        check(got, getattr(np, name)(value, axis=axis, include_initial=initial), x.split)


@given(arrays(min_dims=1, dtypes=REAL), st.data())
def test_delete_and_insert(pair: Any, data: st.DataObject) -> None:
    x, value = pair
    axis = data.draw(st.sampled_from([None, *range(-value.ndim, value.ndim)]))
    n = value.size if axis is None else value.shape[axis]
    numbers = st.integers(-n, n - 1) if n else st.just(slice(1, None, 2))
    places = data.draw(st.one_of(st.lists(numbers, max_size=4 if n else 0), numbers, st.just(slice(1, None, 2))))
    check(ht.delete(x, places, axis), np.delete(value, places, axis))
    places = data.draw(st.one_of(st.lists(st.integers(-n, n), max_size=4), st.integers(-n, n), st.just(slice(0, n, 2))))
    check(ht.insert(x, places, 1, axis), np.insert(value, places, 1, axis))
    if axis is not None and isinstance(places, int) and value.ndim == 2:
        line = np.take(np.zeros_like(value), 0, axis) if value.shape[axis] else np.zeros(value.shape[1 - axis % 2])
        check(ht.insert(x, places, some(data.draw, line), axis), np.insert(value, places, line, axis))
    with pytest.raises(IndexError, match="out of bounds"):
        ht.delete(x, n, axis)


def test_joining() -> None:
    a, b = filled((2, 3)), filled((2, 2)) + 50
    for split in (None, 0, 1):
        x, y = distribute(a, split), distribute(b, split)
        check(ht.append(x, y, 1), np.append(a, b, 1))
        check(ht.append(x, [1.5, 2]), np.append(a, [1.5, 2]))
        check(ht.block([[x, y], [y, x]]), np.block([[a, b], [b, a]]))
        check(ht.dstack([x, x]), np.dstack([a, a]))
        for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
            for value in (np.array(2.5), a[0], a, np.zeros((1, 2, 3, 4))):
                got = getattr(ht, name)(distribute(value, 0 if value.ndim and split is not None else None))
                check(got, getattr(np, name)(value))
        check(ht.rollaxis(x, 1), np.rollaxis(a, 1))
        check(ht.rollaxis(x, 0, 2), np.rollaxis(a, 0, 2))
        assert ht.shape(x) == (2, 3)
    assert ht.broadcast_shapes((2, 1), (3,), 1) == (2, 3)
    for split in (None, 0):
        for value in ([0, 0, 1, 0, 2, 0], [0, 0], [], [3]):
            line = np.array(value)
            for trim in ("fb", "f", "b"):
                check(ht.trim_zeros(distribute(line, split), trim), np.trim_zeros(line, trim))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=3), st.sampled_from(["xy", "ij"]), st.booleans(), st.data())
def test_meshgrid(sizes: list[int], indexing: str, sparse: bool, data: st.DataObject) -> None:
    values = [filled((n,)) + k for k, n in enumerate(sizes)]
    ours = [distribute(v, *data.draw(layouts(v.shape))) for v in values]
    expected = np.meshgrid(*values, indexing=indexing, sparse=sparse)
    got = ht.meshgrid(*ours, indexing=indexing, sparse=sparse)
    for one, other in zip(got, expected, strict=True):
        check(one, other)
    if not sparse:
        assert len({x.split for x in got}) == 1
        got[0] += 1
        check(got[0], expected[0] + 1)


def test_numbers_of_elements() -> None:
    shape = (4, 3, 5)
    flat = np.array([[0, 59], [17, 31]])
    for split in (None, 0, 1):
        x = distribute(flat, split)
        for order in ("C", "F"):
            places = np.unravel_index(flat, shape, order=order)
            got = ht.unravel_index(x, shape, order)
            for one, other in zip(got, places, strict=True):
                check(one, other, split)
            check(ht.ravel_multi_index(got, shape, order=order), flat)
        for mode in ("wrap", "clip"):
            check(ht.ravel_multi_index((x, x), (7, 9), mode), np.ravel_multi_index((flat, flat), (7, 9), mode))
        with pytest.raises(ValueError, match="out of bounds"):
            ht.unravel_index(x, (3, 3))
    for split in (None, 0, 1):
        check(ht.indices((2, 3), split=split), np.indices((2, 3)), None if split is None else split + 1)
    check(ht.indices((2, 3), sparse=True)[1], np.indices((2, 3), sparse=True)[1])
