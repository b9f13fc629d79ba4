# SPDX-License-Identifier: BSD-3-Clause
"""Changes of layout in place, of arrays large enough that their memory goes while they are sent."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
import torch

import equiheat as ht
from equiheat.testing import assert_equal, uneven_counts, with_counts

SHAPES = [(2048, 1300), (64, 160, 260)]


def value(shape: Any) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_between_axes(shape: Any) -> None:
    whole = value(shape)
    for start in range(len(shape)):
        x = with_counts(whole, start, uneven_counts(shape[start], ht.get_comm().size))
        for split in range(len(shape)):
            x.resplit_(split)
            assert_equal(x, whole, split=split, balanced=True)


def test_along_an_axis() -> None:
    whole = value(SHAPES[0])
    for split in (0, 1):
        x = with_counts(whole, split, None)
        counts = uneven_counts(whole.shape[split], ht.get_comm().size, 2)
        x.redistribute_(target_map=counts)
        assert_equal(x, whole)
        assert list(x._core.counts or ()) == counts
        x.balance_()
        assert_equal(x, whole, balanced=True)


def test_memory_that_others_look_at_stays() -> None:
    """The block as a tensor, as NumPy's memory, in another array, and in the graph of a gradient."""
    whole = value(SHAPES[0])
    x = with_counts(whole, 0, None)
    block, copy = x.larray, x.larray.clone()
    x.resplit_(1)
    assert block.equal(copy)

    own = np.array(copy.numpy())
    x = ht.array(own, is_split=0, copy=False)
    x.resplit_(1)
    np.testing.assert_array_equal(own, copy.numpy())
    assert_equal(x, whole)

    x = with_counts(whole, 0, None)
    other = ht.asarray(x)
    x.resplit_(1)
    assert_equal(other, whole)

    leaf = with_counts(whole, 0, None).requires_grad_()
    y = leaf * 1.0
    squares = y * y
    y.resplit_(1)
    (squares.sum() + y.sum()).backward()
    assert_equal(leaf.grad, 2 * whole + 1)


CHANGES = {
    "resplit_": lambda x: x.resplit_(1), "balance_": lambda x: x.balance_(), "balance": lambda x: x.balance(),
    "collect_": lambda x: x.collect_(0), "redistribute_": lambda x: x.redistribute_(target_map=[*LAST[1:], LAST[0]]),
}  # fmt: skip
LAST = [0] * (ht.get_comm().size - 1) + [6]


@pytest.mark.ranks(2, 3, 4)
@pytest.mark.parametrize("name", list(CHANGES))
def test_a_leaf_keeps_its_gradient_or_refuses(name: str) -> None:
    """It would silently become a result, which gets no gradient."""
    whole = value((6, 4))
    leaf = with_counts(whole, 0, LAST).requires_grad_()
    (leaf * leaf).sum().backward()
    with pytest.raises(RuntimeError, match=f"{name.rstrip('_')}_?: .*cannot be changed in place; use resplit"):
        CHANGES[name](leaf)
    assert leaf._core.counts == LAST
    with torch.no_grad():
        CHANGES[name](leaf)
    assert leaf.split != 0 or leaf._core.counts != LAST
    assert_equal(leaf.grad, 2 * whole, split=leaf.split)
    (leaf * leaf).sum().backward()
    assert_equal(leaf.grad, 4 * whole, split=leaf.split)
    leaf.redistribute_(target_map=leaf._core.counts)  # nothing moves


def test_from_and_to_the_whole() -> None:
    whole = value(SHAPES[0])
    x = ht.array(whole)
    x.resplit_(1)
    assert_equal(x, whole, split=1)
    assert x.larray.untyped_storage().nbytes() == x.larray.nbytes
    x.resplit_(None)
    assert_equal(x, whole, split=None)


def high_water_mark() -> int:
    """Bytes of the resident set at its largest."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.skipif(not pathlib.Path("/proc/self/clear_refs").exists(), reason="the high-water mark is Linux's")
@pytest.mark.parametrize("looked_at", [False, True])
def test_the_old_block_goes_while_it_is_sent(looked_at: bool) -> None:
    size = ht.get_comm().size
    if size == 1:
        return
    x = ht.ones((4096 * size, 4096), dtype=ht.float32, split=0)
    if looked_at:
        assert x.larray.is_contiguous()
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = high_water_mark()
    x.resplit_(1)
    grown = high_water_mark() - before
    assert grown < 0.5 * 4096 * 4096 * 4
    assert float(x[-1, -1]) == 1
