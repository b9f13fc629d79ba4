# SPDX-License-Identifier: BSD-3-Clause
"""Index expressions, read and written, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import arrays, check, distribute, filled, layouts
from test_manipulation import leaf, spread

import equiheat as ht

#: Keys have many forms: three times the usual number of examples.
MORE = settings(max_examples=3 * settings().max_examples)
PLAIN = [np.float64, np.int32, np.bool_, np.complex64]


@st.composite
def basic_keys(draw: st.DrawFn, shape: tuple[int, ...], dots: bool = True) -> tuple[Any, ...]:
    """An entry for every axis: integers, slices of any step, a new axis; with `dots` an ellipsis for some of them."""
    entries: list[Any] = []
    bound = st.one_of(st.none(), st.integers(-8, 8))
    steps = st.sampled_from([None, 1, 2, 3, -1, -2, -3])
    for n in shape:
        if n > 0 and draw(st.integers(0, 3)) == 0:
            entries.append(draw(st.integers(-n, n - 1)))
        else:
            entries.append(slice(draw(bound), draw(bound), draw(steps)))
    for _ in range(draw(st.integers(0, 1))):
        entries.insert(draw(st.integers(0, len(entries))), None)
    if dots and draw(st.booleans()):
        kept = draw(st.integers(0, len(entries)))
        width = draw(st.integers(0, len(entries) - kept))
        entries[kept : kept + width] = [...]
    return tuple(entries)


@st.composite
def mask_keys(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """A key with one boolean mask over some neighbouring axes: ours (in one of the forms we take) and NumPy's."""
    first = draw(st.integers(0, len(shape)))
    last = draw(st.integers(first, len(shape)))
    n = int(np.prod(shape[first:last]))
    bits = draw(st.one_of(st.lists(st.booleans(), min_size=n, max_size=n), st.just([True] * n), st.just([False] * n)))
    mask = np.array(bits, dtype=bool).reshape(shape[first:last])
    form = draw(st.sampled_from(["array", "array", "numpy", "torch", "list"]))
    forms = {
        "numpy": lambda: mask,
        "torch": lambda: torch.from_numpy(mask.copy()),
        "list": lambda: mask.tolist() if mask.size else mask,
        "array": lambda: distribute(mask, *draw(layouts(mask.shape))),
    }
    before = draw(basic_keys(shape[:first]))
    after = draw(basic_keys(shape[last:], Ellipsis not in before))
    return (*before, forms[form](), *after), (*before, mask, *after)


@st.composite
def row_keys(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """A key with one array of integers: ours and NumPy's. No axis has extent 0."""
    axis = draw(st.integers(0, len(shape) - 1))
    n = shape[axis]
    index_shape = draw(st.sampled_from([(0,), (1,), (3,), (7,), (2, 3)]))
    k = int(np.prod(index_shape))
    rows = np.array(draw(st.lists(st.integers(-n, n - 1), min_size=k, max_size=k)), dtype=np.int64).reshape(index_shape)
    ours = distribute(rows, *draw(layouts(index_shape))) if draw(st.booleans()) else rows.tolist()
    before = draw(basic_keys(shape[:axis]))
    after = draw(basic_keys(shape[axis + 1 :], Ellipsis not in before))
    return (*before, ours, *after), (*before, rows, *after)


def values_for(draw: st.DrawFn, shape: tuple[int, ...], dtypes: Any = (np.float64,)) -> tuple[Any, Any]:
    """A value that broadcasts to a shape: ours and NumPy's."""
    own = [1 if draw(st.integers(0, 3)) == 0 else n for n in shape]
    own = own[draw(st.integers(0, len(own))) :] if draw(st.integers(0, 2)) == 0 else own
    own = [1] * draw(st.integers(0, 1 if shape else 0)) + own  # NumPy takes no extra axes for one element
    value = filled(tuple(own), draw(st.sampled_from(dtypes))) + 1
    form = draw(st.sampled_from(["array", "array", "numpy", "scalar"]))
    if form == "scalar":
        return 3, 3
    value = np.asarray(value)
    return (value if form == "numpy" else distribute(value, *draw(layouts(value.shape)))), value


@MORE
@given(arrays(dtypes=PLAIN), st.data())
def test_get_basic(pair: tuple[ht.DNDarray, np.ndarray], data: st.DataObject) -> None:
    x, value = pair
    key = data.draw(basic_keys(value.shape))
    check(x[key], value[key])


@MORE
@given(arrays(dtypes=PLAIN), st.data())
def test_get_mask(pair: tuple[ht.DNDarray, np.ndarray], data: st.DataObject) -> None:
    x, value = pair
    ours, theirs = data.draw(mask_keys(value.shape))
    check(x[ours], value[theirs])


@MORE
@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.data())
def test_get_rows(shape: list[int], data: st.DataObject) -> None:
    x, value = data.draw(arrays(tuple(shape), dtypes=PLAIN))
    ours, theirs = data.draw(row_keys(value.shape))
    check(x[ours], value[theirs])


@MORE
@given(arrays(dtypes=[np.float64, np.int32]), st.data())
def test_set_basic(pair: tuple[ht.DNDarray, np.ndarray], data: st.DataObject) -> None:
    x, value = pair
    key = data.draw(basic_keys(value.shape))
    ours, theirs = values_for(data.draw, np.shape(value[key]), (np.float64, np.int32))
    x[key] = ours
    value[key] = theirs
    check(x, value)


@MORE
@given(arrays(dtypes=[np.float64, np.int32]), st.data())
def test_set_mask(pair: tuple[ht.DNDarray, np.ndarray], data: st.DataObject) -> None:
    x, value = pair
    ours, theirs = data.draw(mask_keys(value.shape))
    shape = np.shape(value[theirs])
    new, expected = values_for(data.draw, shape)
    x[ours] = new
    expected = np.asarray(expected)
    value[theirs] = expected.reshape(expected.shape[max(expected.ndim - len(shape), 0) :])
    check(x, value)


@MORE
@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.data())
def test_set_rows(shape: list[int], data: st.DataObject) -> None:
    x, value = data.draw(arrays(tuple(shape), dtypes=[np.float64]))
    ours, theirs = data.draw(row_keys(value.shape))
    new, expected = values_for(data.draw, np.shape(value[theirs]))
    x[ours] = new
    value[theirs] = expected
    check(x, value)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_splits_of_results(split: int | None) -> None:
    value = filled((6, 7))
    x = distribute(value, split)
    below = {None: None, 0: None, 1: 0}[split]
    check(x[2], value[2], below)
    check(x[:, -1], value[:, -1], {None: None, 0: 0, 1: None}[split])
    check(x[1:5, ::-2], value[1:5, ::-2], split)
    check(x[None, ..., 3:], value[None, ..., 3:], None if split is None else split + 1)
    check(x[value > 3], value[value > 3], None if split is None else 0)
    check(x[[4, 0, 0]], value[[4, 0, 0]], split)
    check(x[2, 3], value[2, 3], None)


def test_a_replicated_array_takes_the_split_of_its_mask() -> None:
    value = filled((4, 3))
    x = distribute(value, None)
    for split in (0, 1):
        check(x[distribute(value > 0, split)], value[value > 0], 0)
    check(x[:, distribute(value[0] < -4, 0)], value[:, value[0] < -4], 1)


def test_float32_keeps_its_bits() -> None:
    value = np.array([-0.0, np.nan, np.inf, 1e-45], dtype=np.float32)
    x = distribute(value, 0)
    for i in range(4):
        assert x[i].numpy().view(np.int32) == value[i].view(np.int32)


def test_views_share_memory_where_nothing_is_sent() -> None:
    x = distribute(np.zeros((4, 4)), 0)
    x[:, 1:3].larray.fill_(1)
    expected = np.zeros((4, 4))
    expected[:, 1:3] = 1
    check(x, expected)


def test_overlapping_reads_and_writes() -> None:
    for split in (None, 0):
        value = filled((9,))
        x = distribute(value, split)
        x[1:] = x[:-1]
        value[1:] = value[:-1].copy()
        check(x, value)
        x[::-1] = x
        value[::-1] = value.copy()
        check(x, value)


def test_writing_to_a_broadcast_array_copies_it() -> None:
    x = distribute(filled((3,)), 0)
    wide = ht.broadcast_to(x, (2, 3))
    wide[0] = 7
    check(wide, [[7, 7, 7], filled((3,))])
    check(x, filled((3,)))


def test_values_are_cast() -> None:
    x = distribute(np.zeros(4, dtype=np.int32), 0)
    x[1] = 2.9
    x[2:] = np.array([-1.5, 3.7])
    check(x, np.array([0, 2, -1, 3], dtype=np.int32))
    with pytest.raises(OverflowError, match=r"out of bounds for torch\.int32"):
        x[0] = 2**40
    with pytest.raises(ValueError, match="NaN"):
        x[0] = float("nan")
    with pytest.raises(TypeError, match="complex"):
        x[0] = 1j
    with pytest.raises(TypeError, match="dtype"):
        x[0] = "a"
    check(x, np.array([0, 2, -1, 3], dtype=np.int32))
    for dtype, number in (("float32", 1e300), ("float16", 7e4), ("float32", 10**40), ("float64", 1e300)):
        x = ht.zeros(3, dtype=dtype, split=0)
        x[1] = number
        with np.errstate(over="ignore"):
            wanted = np.array([0, float(number), 0]).astype(dtype)
        np.testing.assert_array_equal(x.numpy(), wanted)


BAD_KEYS = [
    (5, IndexError, "index 5 is out of bounds for axis 0 with size 5"),
    ((0, -8), IndexError, "index -8 is out of bounds for axis 1 with size 7"),
    ((0, 0, 0), IndexError, "too many indices for array: array is 2-dimensional, but 3 were indexed"),
    ((..., ...), IndexError, "single ellipsis"),
    (1.0, IndexError, "only integers, slices"),
    ("a", IndexError, "only integers, slices"),
    ([0.5], IndexError, "integer .or boolean. type"),
    ([True, False], IndexError, "boolean index did not match indexed array along axis 0; size of axis is 5 but"),
    ([0, 9], IndexError, "index 9 is out of bounds for axis 0 with size 5"),
    (([0, 1], [0, 1, 2]), IndexError, r"could not be broadcast together with shapes \(2,\) \(3,\)"),
    (slice(None, None, 0), ValueError, "slice step cannot be zero"),
]


@pytest.mark.parametrize("split", [None, 0, 1])
def test_bad_keys(split: int | None) -> None:
    x = distribute(filled((5, 7)), split)
    for key, error, text in BAD_KEYS:
        with pytest.raises(error, match=text):
            x[key]
        with pytest.raises(error, match=text):
            x[key] = 0


@pytest.mark.parametrize("split", [None, 0, 1])
def test_bad_values(split: int | None) -> None:
    x = distribute(filled((5, 7)), split)
    with pytest.raises(ValueError, match=r"could not broadcast input array from shape \(3,\) into shape \(2, 7\)"):
        x[:2] = np.ones(3)
    with pytest.raises(ValueError, match=r"could not broadcast input array from shape \(2, 5, 7\) into shape \(5, 7\)"):
        x[...] = distribute(np.ones((2, 5, 7)), 1)
    with pytest.raises(ValueError, match="cannot assign 3 input values to the 35 output values"):
        x[distribute(np.ones((5, 7), dtype=bool), split)] = np.ones(3)
    with pytest.raises(ValueError, match=r"shape mismatch: value array of shape \(3,\)"):
        x[[0, 1]] = np.ones(3)
    check(x, filled((5, 7)))


@given(arrays(min_dims=1))
def test_nonzero(pair: tuple[ht.DNDarray, np.ndarray]) -> None:
    x, value = pair
    found, expected = ht.nonzero(x), np.nonzero(value)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        check(ours, theirs, None if x.split is None else 0)


def test_tuples_and_ranges_in_keys_are_sequences() -> None:
    value = filled((5, 7))
    for split in (None, 0, 1):
        x = distribute(value, split)
        for key in (((1, 2),), range(3), ((0, -1), (2, 3)), (slice(None), (0, -1)), ((),), (range(4, 0, -2), 1)):
            check(x[key], value[key])
        ours, theirs = x.copy(), value.copy()
        for array in (ours, theirs):
            array[(0, 1), range(2)] = [-5.0, 6.0]
        check(ours, theirs, split)
        with pytest.raises(IndexError, match=r"integer \(or boolean\) type"):
            x[(1.5,), 0]


def test_loops_and_take() -> None:
    value = filled((4, 3))
    for split in (None, 0, 1):
        x = distribute(value, split)
        for row, expected in zip(x, value, strict=True):
            check(row, expected)
        check(ht.take(x, [2, -1], 1), value.take([2, -1], 1), split)
        check(x.take([[5, 5], [0, -1]]), value.take([[5, 5], [0, -1]]))
        with pytest.raises(ValueError, match="axis 2 is out of bounds"):
            x.take([0], 2)
    with pytest.raises(TypeError, match="0-d"):
        list(distribute(np.zeros(()), None))


MASK = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 0, 0, 1], [0, 1, 1, 0, 0]], dtype=bool)
READS = {
    "row": lambda x: x[2],
    "column": lambda x: x[:, 1],
    "element": lambda x: x[1, 2],
    "slices": lambda x: x[::-2, 1:4],
    "mask": lambda x: x[distribute(MASK, 1)],
    "row mask": lambda x: x[MASK[:, 0]],
    "rows": lambda x: x[[3, 0, 3]],
    "columns": lambda x: x[None, :, [4, 1]],
}


@pytest.mark.parametrize("split", [None, 0, 1])
@pytest.mark.parametrize("name", READS)
def test_gradients_of_reads(name: str, split: int | None) -> None:
    def program(tensor: torch.Tensor) -> torch.Tensor:
        return READS[name](spread(tensor, split)).resplit(None).larray

    assert torch.autograd.gradcheck(program, leaf((4, 5)))


WRITES = {
    "scalar": (slice(1, 3), ()),
    "row": (2, (5,)),
    "backward": ((slice(None, None, -1), slice(1, 3)), (4, 2)),
    "broadcast": (slice(0, 3), (3, 1)),
    "mask": (MASK, (int(MASK.sum()),)),
    "mask, one value": (MASK, (1,)),
    "rows": ([3, 0, 3], (3, 5)),
    "one row": ([3, 0, 3], (1, 5)),
}


@pytest.mark.parametrize("split", [None, 0, 1])
@pytest.mark.parametrize("name", WRITES)
def test_gradients_of_writes(name: str, split: int | None) -> None:
    key, shape = WRITES[name]

    def program(tensor: torch.Tensor, new: torch.Tensor, value_split: int | None) -> torch.Tensor:
        x = spread(tensor * 2, split)
        x[key] = spread(new, value_split)
        return x.resplit(None).larray

    for value_split in [None, *range(len(shape))]:
        assert torch.autograd.gradcheck(lambda a, b, s=value_split: program(a, b, s), (leaf((4, 5)), leaf(shape)))


def test_a_leaf_refuses_writes_as_torch_does() -> None:
    x = distribute(filled((4,)), 0)
    x.larray.requires_grad_()
    with pytest.raises(RuntimeError, match="leaf"):
        x[:] = 1
