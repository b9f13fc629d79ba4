# SPDX-License-Identifier: BSD-3-Clause
"""Shape, order and distribution against NumPy, over shapes, splits, layouts and dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from layouts import arrays, check, distribute, filled, layouts, shapes, size

import equiheat as ht
from equiheat._base import wrap


@st.composite
def reshapes(draw: st.DrawFn) -> tuple[ht.DNDarray, np.ndarray, tuple[int, ...], int | None]:
    """An array, another shape of the same size, and a split of it."""

    def factors(n: int) -> list[int]:
        out = []
        while n > 1:
            f = draw(st.sampled_from([d for d in range(1, n + 1) if n % d == 0]))
            out.append(f)
            n //= f
        return draw(st.permutations(out + [1] * draw(st.integers(0, 1))))

    n = draw(st.sampled_from([1, 2, 6, 12, 24, 60]))
    old, new = factors(n), factors(n)
    x, value = draw(arrays(tuple(old)))
    return x, value, tuple(new), draw(st.sampled_from([None, *range(len(new))]))  # None: the default, as in Heat


@given(reshapes())
def test_reshape(case: tuple[ht.DNDarray, np.ndarray, tuple[int, ...], int | None]) -> None:
    x, value, shape, split = case
    kept = None if x.split is None or not shape else min(x.split, len(shape) - 1)
    check(ht.reshape(x, shape), value.reshape(shape), kept)
    chosen = kept if split is None else split
    check(x.reshape(*shape, new_split=split) if shape else x.reshape(()), value.reshape(shape), chosen)


def test_reshape_of_nothing_and_of_one() -> None:
    for split in (None, 0, 1):
        check(distribute(np.zeros((0, 3)), split).reshape(3, 0, 2), np.zeros((3, 0, 2)), split)
        check(distribute(np.ones((1, 1)), split).reshape(()), np.ones(()), None)
    check(distribute(np.ones(()), None).reshape(1, new_split=0), np.ones(1), 0)
    check(distribute(filled((4, 6)), 1).reshape(-1, 8), filled((4, 6)).reshape(-1, 8), 1)


def test_reshape_keeps_blocks_where_nothing_changes_hands() -> None:
    counts = [2] * (size() - 1) + [5]
    x = distribute(filled((sum(counts), 6)), 0, counts)
    assert x.reshape(sum(counts), 2, 3)._core.counts == counts


def test_a_split_view_of_a_replicated_array_has_memory_of_its_own() -> None:
    x = distribute(np.zeros((4, 2)), None)
    for y in (x.resplit(0), x.reshape(8, new_split=0), x.reshape(2, 4, new_split=1)):
        y.larray.fill_(1)
    check(x, np.zeros((4, 2)))


def test_reshape_refuses() -> None:
    x = distribute(filled((5, 7)), 0)
    with pytest.raises(ValueError, match=r"cannot reshape array of size 35 into shape \(4, 4\)"):
        x.reshape(4, 4)
    with pytest.raises(ValueError, match="only specify one unknown"):
        x.reshape(-1, -1)
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        x.reshape(7, 5, new_split=2)
    with pytest.raises(TypeError, match="shape must be integers"):
        x.reshape("ab")


@given(arrays())
def test_flat(pair: tuple[ht.DNDarray, np.ndarray]) -> None:
    x, value = pair
    check(x.ravel(), value.ravel(), None if x.split is None else 0)
    flat = x.flatten()
    check(flat, value.ravel())
    flat.larray.zero_()
    check(x, value)


@given(arrays(min_dims=1), st.data())
def test_axes(pair: tuple[ht.DNDarray, np.ndarray], data: st.DataObject) -> None:
    x, value = pair
    order = data.draw(st.permutations(range(x.ndim)))
    split = None if x.split is None else order.index(x.split)
    check(ht.transpose(x, order), value.transpose(order), split)
    check(x.T, value.T)
    a, b = data.draw(st.integers(-x.ndim, x.ndim - 1)), data.draw(st.integers(-x.ndim, x.ndim - 1))
    check(ht.swapaxes(x, a, b), np.swapaxes(value, a, b))
    check(ht.moveaxis(x, a, b), np.moveaxis(value, a, b))
    place = data.draw(st.integers(-x.ndim - 1, x.ndim))
    wide = ht.expand_dims(x, place)
    check(wide, np.expand_dims(value, place))
    check(ht.squeeze(wide, place), value, x.split)
    check(ht.squeeze(x), value.squeeze())
    if x.ndim > 1:
        check(x.mT, np.swapaxes(value, -1, -2))
        check(ht.rot90(x, a), np.rot90(value, a))


def test_squeezing_the_split_axis_replicates() -> None:
    x = distribute(filled((3, 1, 2)), 1)
    check(x.squeeze(1), filled((3, 2)), None)
    check(x.squeeze(), filled((3, 2)), None)
    with pytest.raises(ValueError, match="size not equal to one"):
        x.squeeze(0)


@given(arrays(), st.data())
def test_broadcast_to(pair: tuple[ht.DNDarray, np.ndarray], data: st.DataObject) -> None:
    x, value = pair
    shape = [data.draw(st.integers(0, 4)) if n == 1 else n for n in x.shape]
    shape = data.draw(st.lists(st.integers(0, 3), max_size=2)) + shape
    check(ht.broadcast_to(x, shape), np.broadcast_to(value, shape))
    if x.ndim and x.shape[-1] != 1:
        with pytest.raises(ValueError, match="could not be broadcast"):
            ht.broadcast_to(x, [*x.shape[:-1], x.shape[-1] + 2])


@given(arrays(), st.data())
def test_flip_and_roll(pair: tuple[ht.DNDarray, np.ndarray], data: st.DataObject) -> None:
    x, value = pair
    axes = st.integers(0, max(x.ndim - 1, 0))
    several = data.draw(st.lists(axes, max_size=x.ndim, unique=True))
    flipped = ht.flip(x, several)
    check(flipped, np.flip(value, several), x.split)
    assert flipped._core.counts == x._core.counts
    check(ht.flip(x), np.flip(value))
    shifts = data.draw(st.lists(st.integers(-15, 15), min_size=len(several), max_size=len(several)))
    if several:
        rolled = ht.roll(x, shifts, several)
        check(rolled, np.roll(value, shifts, several), x.split)
        assert rolled._core.counts == x._core.counts
        check(ht.roll(x, shifts[0], several), np.roll(value, shifts[0], several))
    shift = data.draw(st.integers(-30, 30))
    flat = ht.roll(x, shift)
    check(flat, np.roll(value, shift), x.split)
    assert flat._core.counts == x._core.counts


@given(st.data())
def test_concatenate_and_stack(data: st.DataObject) -> None:
    shape = list(data.draw(shapes(1, 3, 5)))
    axis = data.draw(st.integers(0, len(shape) - 1))
    pairs = []
    for _ in range(data.draw(st.integers(1, 4))):
        own = shape.copy()
        own[axis] = data.draw(st.integers(0, 5))
        pairs.append(data.draw(arrays(tuple(own), dtypes=[np.float64, np.int32, np.bool_, np.complex128])))
    lead = next((x.split for x, _ in pairs if x.split is not None), None)
    xs, values = [x for x, _ in pairs], [v for _, v in pairs]
    dtype = np.result_type(*values)
    joined = ht.concatenate(xs, axis)
    check(joined, np.concatenate(values, axis), lead, dtype)
    assert lead != axis or joined.balanced
    check(ht.concatenate(xs, axis - len(shape)), np.concatenate(values, axis))
    same = [data.draw(arrays(tuple(shape), dtypes=[np.float64])) for _ in range(3)]
    place = data.draw(st.integers(-len(shape) - 1, len(shape)))
    check(ht.stack([x for x, _ in same], place), np.stack([v for _, v in same], place))
    for name in ("hstack", "vstack", "column_stack"):
        check(getattr(ht, name)([x for x, _ in same]), getattr(np, name)([v for _, v in same]))


def test_concatenate_elements() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(4)
    for one, other in ((None, 0), (0, None), (1, 0), (None, None)):
        check(ht.concatenate([distribute(a, one), distribute(b, other)], None), np.concatenate([a, b], None))


def test_concatenate_refuses() -> None:
    x = distribute(filled((3, 4)), 0)
    with pytest.raises(ValueError, match="same number of dimensions"):
        ht.concatenate([x, distribute(filled((3,)), 0)])
    with pytest.raises(ValueError, match="all dimensions except axis 0 must match"):
        ht.concatenate([x, distribute(filled((3, 5)), 0)])
    with pytest.raises(ValueError, match="at least one"):
        ht.concatenate([])
    with pytest.raises(ValueError, match="out of bounds"):
        ht.concatenate([x, x], 2)
    with pytest.raises(TypeError, match=r"arrays\[1\] must be a DNDarray"):
        ht.concatenate([x, 3])
    with pytest.raises(ValueError, match="same shape"):
        ht.stack([x, distribute(filled((3, 5)), 0)])


@given(arrays(), st.data())
def test_distribution(pair: tuple[ht.DNDarray, np.ndarray], data: st.DataObject) -> None:
    x, value = pair
    split = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    moved = ht.resplit(x, split)
    check(moved, value, None if split is None else split % x.ndim)
    assert moved.balanced
    if x.larray.numel():
        assert moved.larray.untyped_storage().data_ptr() != x.larray.untyped_storage().data_ptr()
    balanced = ht.balance(x, copy=True)
    check(balanced, value, x.split)
    assert balanced.is_balanced()
    if x.split is not None:
        counts = data.draw(layouts((x.shape[x.split],)).map(lambda pair: pair[1]))
        counts = counts or [x.shape[x.split]] + [0] * (size() - 1)
        moved = ht.redistribute(x, target_map=counts)
        check(moved, value, x.split)
        assert moved._core.counts == counts
        shape_map = moved.lshape_map
        again = x.redistribute(x.lshape_map, shape_map)
        assert again._core.counts == counts
        last = size() - 1
        assert ht.collect(x, last)._core.counts[last] == x.shape[x.split]
    x.balance_()
    check(x, value)
    x.resplit_(split)
    check(x, value, None if split is None else split % x.ndim)


def test_redistribute_as_in_heat() -> None:
    value = filled((6, 2))
    wanted = torch.zeros(size(), 2, dtype=torch.int64)  # the column of the split is what counts
    wanted[-1, 0] = 6
    x = distribute(value, 0)
    x.redistribute_(target_map=wanted)
    check(x, value, 0)
    assert x.lshape == (6 if x.comm.rank == size() - 1 else 0, 2)
    whole = distribute(value, None)
    whole.redistribute_()
    check(whole, value, None)
    check(whole.redistribute(target_map=wanted), value, None)


def test_distribution_refuses() -> None:
    x = distribute(filled((6, 2)), 0)
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        x.resplit(2)
    with pytest.raises(ValueError, match="add up to 6"):
        x.redistribute(target_map=[7] + [0] * (size() - 1))
    with pytest.raises(ValueError, match="one per rank"):
        x.redistribute(target_map=[6] + [0] * size())
    with pytest.raises(ValueError, match="must be"):
        x.redistribute(target_map=torch.zeros(size(), 3, dtype=torch.int64))
    for wrong in ("a", 5):
        with pytest.raises(TypeError, match="target_map must be a tensor"):
            x.redistribute_(target_map=wrong)
    with pytest.raises(TypeError, match="target_rank must be an integer"):
        x.collect_(0.5)
    with pytest.raises(ValueError, match="target_rank"):
        x.collect(size())
    with pytest.raises(TypeError, match="must be a DNDarray"):
        ht.resplit([1, 2], 0)


def leaf(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.linspace(-1, 1, int(np.prod(shape)), dtype=torch.float64).reshape(shape).requires_grad_()


def spread(tensor: torch.Tensor, split: int | None) -> ht.DNDarray:
    """A replicated tensor as an array; differentiable."""
    whole = distribute(np.zeros(tuple(tensor.shape)), None)
    return wrap(whole._core.with_local(tensor)).resplit(split)


OPERATIONS = {
    "reshape": lambda x: x.reshape(2, 10, new_split=1),
    "reshape back": lambda x: x.reshape(-1).reshape(4, 5),
    "transpose": lambda x: x.T,
    "squeeze": lambda x: ht.squeeze(ht.expand_dims(x, 0)),
    "broadcast": lambda x: ht.broadcast_to(x.reshape(4, 1, 5), (4, 3, 5)),
    "broadcast split": lambda x: ht.broadcast_to(ht.expand_dims(x, 0).resplit(0), (3, 4, 5)),
    "flip": lambda x: x.flip(),
    "roll": lambda x: x.roll((2, -1), (0, 1)),
    "roll flat": lambda x: x.roll(3),
    "concatenate": lambda x: ht.concatenate([x, x.resplit(0), x], 0),
    "stack": lambda x: ht.stack([x, x.resplit(1)], 1),
    "resplit": lambda x: x.resplit(1),
    "redistribute": lambda x: x.resplit(0).redistribute(target_map=[0] * (size() - 1) + [4]),
}


@pytest.mark.parametrize("split", [None, 0, 1])
@pytest.mark.parametrize("name", OPERATIONS)
def test_gradients(name: str, split: int | None) -> None:
    def program(tensor: torch.Tensor) -> torch.Tensor:
        return OPERATIONS[name](spread(tensor, split)).resplit(None).larray

    assert torch.autograd.gradcheck(program, leaf((4, 5)))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ht.sum(x, axis=2), lambda x: ht.sort(x, axis=-3), lambda x: ht.median(x, axis=5),
        lambda x: ht.concatenate([x, x], axis=2), lambda x: ht.flip(x, 2), lambda x: ht.take(x, [0], axis=2),
        lambda x: ht.cumsum(x, 2), lambda x: ht.argmax(x, axis=2), lambda x: ht.roll(x, 1, axis=2),
        lambda x: ht.squeeze(x, 2), lambda x: ht.linalg.vector_norm(x, axis=2), lambda x: ht.resplit(x, 2),
        lambda x: ht.expand_dims(x, 4), lambda x: ht.moveaxis(x, 0, 2), lambda x: ht.fft.fft(x, axis=2),
    ],
)  # fmt: skip
def test_axes_out_of_range_raise_numpys_error(call: Callable[[Any], Any]) -> None:
    with pytest.raises(np.exceptions.AxisError):
        call(ht.ones((2, 3), split=0))
