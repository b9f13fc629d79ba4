# SPDX-License-Identifier: BSD-3-Clause
"""Systems and sums of products of small stacks for every split of both operands, against NumPy."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from layouts import filled

import equiheat as ht
from equiheat.testing import assert_equal

SYSTEMS = [
    ((2, 2, 2), (2, 2)), ((2, 2, 2), (2,)), ((2, 2), (2, 2)), ((2, 2), (3, 2, 2)), ((3, 2, 2), (2, 2)),
    ((3, 3, 3), (3, 3)), ((1, 1, 1), (1, 1)), ((4, 1, 2, 2), (3, 2, 1)), ((2, 0, 0), (0, 0)), ((2, 0, 0), (0,)),
    ((2, 3, 2, 2), (2, 2)), ((1, 2, 2, 2), (2, 2)), ((0, 2, 2), (2, 2)),
]  # fmt: skip
SUMS = [
    ((2, 3), (3,), 1), ((3,), (3, 2), 1), ((3,), (3,), 1), ((4, 2, 3), (2, 3), 2), ((2, 3), (2, 3, 4), 2),
    ((3, 2), (3,), ((0,), (0,))), ((2, 3), (2, 3), 2), ((2, 3), (4,), 0), ((), (3, 2), 0), ((2, 3, 4), (4, 2), 1),
]  # fmt: skip
PRODUCTS = [
    ("ij,j->i", (2, 3), (3,)), ("ij,ij->i", (4, 3), (4, 3)), ("bij,bj->bi", (3, 2, 4), (3, 4)),
    ("bi,bi->b", (3, 4), (3, 4)), ("i,i->", (4,), (4,)), ("bij,bij->b", (3, 2, 4), (3, 2, 4)),
    ("bj,bij->bi", (3, 4), (3, 2, 4)), ("i,ij->j", (3,), (3, 5)), ("ij,kj->ik", (2, 3), (4, 3)),
]  # fmt: skip


def layouts_of(first: tuple[int, ...], second: tuple[int, ...]) -> Iterator[tuple[int | None, int | None]]:
    """Every split of two arrays."""
    for left in (None, *range(len(first))):
        for right in (None, *range(len(second))):
            yield left, right


def agrees(x: ht.DNDarray, expected: np.ndarray, what: str) -> None:
    """x has these values, to rounding, and blocks that fit its layout."""
    shape = list(expected.shape)
    if x.split is not None:
        shape[x.split] = x.counts_displs()[0][x.comm.rank]
    assert (x.shape, list(x.larray.shape)) == (expected.shape, shape), what
    np.testing.assert_allclose(x.numpy(), expected, 1e-9, 1e-12, err_msg=what)


@pytest.mark.parametrize(("matrices", "sides"), SYSTEMS, ids=str)
def test_only_one_axis_is_a_vector_for_solve(matrices: tuple[int, ...], sides: tuple[int, ...]) -> None:
    """torch takes (2, 2) beside (2, 2, 2) for two vectors, by the extents of a rank's block."""
    a = filled(matrices) / 4 + 5 * np.eye(matrices[-1])
    b = filled(sides) + 1.0
    expected = np.linalg.solve(a, b)
    for left, right in layouts_of(matrices, sides):
        x, y = ht.array(a, split=left), ht.array(b, split=right)
        agrees(ht.linalg.solve(x, y), expected, f"splits {left}, {right}")
        agrees(ht.array_api.linalg.solve(x, y), expected, f"splits {left}, {right}")


@pytest.mark.parametrize(("first", "second", "axes"), SUMS, ids=str)
def test_tensordot_of_every_split(first: tuple[int, ...], second: tuple[int, ...], axes: int) -> None:
    a, b = filled(first), filled(second)
    expected = np.asarray(np.tensordot(a, b, axes))
    for left, right in layouts_of(first, second):
        x, y = ht.array(a, split=left), ht.array(b, split=right)
        agrees(ht.tensordot(x, y, axes), expected, f"splits {left}, {right}")


@pytest.mark.parametrize(("subscripts", "first", "second"), PRODUCTS, ids=str)
def test_einsum_of_every_split(subscripts: str, first: tuple[int, ...], second: tuple[int, ...]) -> None:
    a, b = filled(first), filled(second)
    expected = np.asarray(np.einsum(subscripts, a, b))
    for left, right in layouts_of(first, second):
        x, y = ht.array(a, split=left), ht.array(b, split=right)
        agrees(ht.linalg.einsum(subscripts, x, y), expected, f"splits {left}, {right}")


def test_dot_with_a_vector_of_every_split() -> None:
    a, b = filled((2, 3, 4)), filled((4,))
    for left, right in layouts_of((2, 3, 4), (4,)):
        agrees(ht.dot(ht.array(a, split=left), ht.array(b, split=right)), np.dot(a, b), f"splits {left}, {right}")


@pytest.mark.parametrize("shape", [(3, 2), (0, 2), ()])
@pytest.mark.parametrize("order", [math.inf, -math.inf, 1, 2, 3, 0])
@pytest.mark.parametrize("keepdims", [False, True])
def test_vector_norm_over_no_axes(shape: tuple[int, ...], order: float, keepdims: bool) -> None:
    """Every element is a vector of its own."""
    a = filled(shape) - 1.5
    expected = np.abs(a) if order else (a != 0).astype(float)
    for split in (None, *range(len(shape))):
        x = ht.array(a, split=split)
        agrees(ht.array_api.linalg.vector_norm(x, axis=(), ord=order, keepdims=keepdims), expected, f"split {split}")


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "float64"])
@pytest.mark.parametrize(
    ("subscripts", "first", "second"), [("iij,jkk->i", (2, 2, 3), (3, 4, 4)), ("ij,jk", (3, 4), (4, 5))], ids=str
)
def test_einsum_of_every_type(subscripts: str, first: tuple[int, ...], second: tuple[int, ...], dtype: str) -> None:
    rng = np.random.default_rng(0)
    a, b = (np.asarray(rng.standard_normal(shape) * 3).astype(dtype) for shape in (first, second))
    for left, right in layouts_of(first, second):
        assert_equal(
            ht.einsum(subscripts, ht.array(a, split=left), ht.array(b, split=right)), np.einsum(subscripts, a, b)
        )


def test_einsum_broadcasts_extents_of_one() -> None:
    a, b = filled((3, 1)), filled((4,))
    for left, right in layouts_of((3, 1), (4,)):
        x, y = ht.array(a, split=left), ht.array(b, split=right)
        assert_equal(ht.einsum("ij,j->i", x, y), np.einsum("ij,j->i", a, b))
        with pytest.raises(ValueError, match="label 'i' has extents"):
            ht.einsum("ii->i", x)


def test_vdot_flattens() -> None:
    a, b = filled((2, 3)), filled((3, 2))
    for left, right in layouts_of((2, 3), (3, 2)):
        assert_equal(ht.vdot(ht.array(a, split=left), ht.array(b, split=right)), np.vdot(a, b))
