# SPDX-License-Identifier: BSD-3-Clause
"""Operations written into their first operand, against NumPy's: the same memory, in one pass where that is possible."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from layouts import distribute

import equiheat as ht
from equiheat.testing import assert_equal
from equiheat.testing.strategies import pairs, shapes

OPERATORS = {
    "add": operator.iadd,
    "subtract": operator.isub,
    "multiply": operator.imul,
    "divide": operator.itruediv,
    "bitwise_and": operator.iand,
    "bitwise_or": operator.ior,
    "bitwise_xor": operator.ixor,
}
DTYPES = ("bool", "uint8", "int32", "int64", "uint16", "float32", "float64", "complex64")


@given(st.data(), st.sampled_from(list(OPERATORS)))
def test_against_numpy(data: Any, name: str) -> None:
    """Errors included: neither changes anything then."""
    shape = data.draw(shapes(0, 3, 5))
    x, value = data.draw(pairs(shape, DTYPES))
    kind = data.draw(st.sampled_from(["array", "row", "number", "itself", "reversed"]))
    y: Any
    other: Any
    if kind == "array":
        y, other = data.draw(pairs(shape, DTYPES))
    elif kind == "row":
        y, other = data.draw(pairs(shape[-1:], DTYPES))
    elif kind == "number":
        y = other = data.draw(st.sampled_from([2, -1, 0.5, True, 1 + 2j]))
    elif kind == "itself" or not shape:
        y, other = x, value
    else:
        y, other = x[::-1], value[::-1]
    wanted, block = value.copy(), x.larray
    apply = OPERATORS[name]
    try:
        with np.errstate(all="ignore"):
            wanted = apply(wanted, other.copy() if isinstance(other, np.ndarray) else other)
    except TypeError:
        with pytest.raises(TypeError):
            apply(x, y)
        assert_equal(x, value)
        return
    except OverflowError:
        return  # -1 for an unsigned type: tested by the operation itself
    apply(x, y)
    assert_equal(x, wanted, 1e-5)
    assert x.larray.data_ptr() == block.data_ptr()


def test_no_memory_of_its_own() -> None:
    """What torch would have to allocate for a result is more than its limit here."""
    x, y = ht.ones((1000, 1000), split=0), ht.ones((1000,))
    with torch.profiler.profile(profile_memory=True) as profile:
        x += y
        x *= 2.0
        x -= x
    assert all(event.cpu_memory_usage < 1 << 16 for event in profile.key_averages())
    with torch.profiler.profile(profile_memory=True) as profile:
        x + y
    assert any(event.cpu_memory_usage >= x.larray.nbytes for event in profile.key_averages())
    assert float(x.sum()) == 0


def test_gradients_are_recorded_before_the_change() -> None:
    w = ht.ones(6, split=0, dtype=ht.float64)
    w.larray.requires_grad_()
    x = w * 2
    x *= w
    x.sum().larray.backward()
    assert w.larray.grad is not None
    assert bool((w.larray.grad == 4).all())


#: Writes into an array, for NumPy's and ours.
WRITES: dict[str, Any] = {
    "+=": lambda x: x.__iadd__(1.0),
    "+= row": lambda x: x.__iadd__(np.arange(4.0)),
    "out": lambda x: np.exp(x, out=x),
    "copyto": lambda x: np.copyto(x, 2.0, where=x > 1),
    "put": lambda x: np.put(x, [1, 6], [5.0, 6.0]),
    "put_along_axis": lambda x: np.put_along_axis(x, np.array([[1]]), 7.0, 0),
    "place": lambda x: np.place(x, x > 1, [7.0, 8.0, 9.0]),
    "fill_diagonal": lambda x: np.fill_diagonal(x, 9.0),
    "add.at": lambda x: np.add.at(x, [0, 0], 1.0),
    "cumsum": lambda x: np.cumsum(x, 0, out=x),
}


@pytest.mark.parametrize("name", WRITES)
def test_elements_that_share_memory_get_their_own(name: str) -> None:
    """A broadcast array is like any other, also where some ranks have none of it."""
    row = np.arange(4.0)
    for split, counts in ((None, None), (0, None), (0, [*[0] * (ht.get_comm().size - 1), 4])):
        for turn in (lambda a: a, lambda a: a[:, None]):
            source = distribute(row, split, counts)
            x = ht.broadcast_to(turn(source), (4, 4) if turn(row).ndim > 1 else (3, 4))
            expected = np.array(np.broadcast_to(turn(row), x.shape))
            before = x.split
            WRITES[name](x)
            WRITES[name](expected)
            np.testing.assert_allclose(x.numpy(), expected, rtol=1e-14)
            assert x.split == before
            np.testing.assert_array_equal(source.numpy(), row)


def test_windows_are_changed_one_by_one() -> None:
    for split in (None, 0):
        x = distribute(np.arange(8.0), split)
        windows = ht.sliding_window_view(x, 3)
        windows *= np.array([1.0, 10.0, 100.0])
        expected = np.lib.stride_tricks.sliding_window_view(np.arange(8.0), 3) * [1.0, 10.0, 100.0]
        np.testing.assert_array_equal(windows.numpy(), expected)
        for key, value in ((0, 7.0), (slice(1, 4), np.arange(9.0).reshape(3, 3)), ([5, 2], -1.0)):
            windows = ht.sliding_window_view(x, 3)
            windows[key] = value
            expected = np.lib.stride_tricks.sliding_window_view(np.arange(8.0), 3).copy()
            expected[key] = value
            np.testing.assert_array_equal(windows.numpy(), expected)
        np.testing.assert_array_equal(x.numpy(), np.arange(8.0))
