# SPDX-License-Identifier: BSD-3-Clause
"""Arrays with any layout for tests, their hypothesis strategies, and the check that an array is NumPy's."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

import equiheat as ht
from equiheat import _core
from equiheat._base import wrap

DTYPES = [np.bool_, np.int32, np.int64, np.float32, np.float64, np.complex64]


def size() -> int:
    return ht.get_comm().size


def distribute(value: np.ndarray, split: int | None, counts: list[int] | None = None) -> ht.DNDarray:
    """`value` as an array with this split; `counts` are the extents per rank."""
    comm = ht.get_comm()
    local = torch.from_numpy(np.array(value))
    if split is not None:
        extents = counts or [len(part) for part in np.array_split(range(value.shape[split]), comm.size)]
        local = local.narrow(split, sum(extents[: comm.rank]), extents[comm.rank]).clone()
    return wrap(_core.Array(local, list(value.shape), split, counts if split is not None else None, comm.core))


def replicated(t: torch.Tensor) -> ht.DNDarray:
    """A tensor that every rank holds whole."""
    return wrap(_core.Array(t, list(t.shape), None, None, ht.get_comm().core))


def check(x: ht.DNDarray, expected: Any, split: Any = "any", dtype: Any = None) -> None:
    """x is `expected` on every rank, its blocks fit its layout, and its split is `split`."""
    expected = np.asarray(expected)
    core = x._core
    assert x.shape == expected.shape
    shape = list(x.shape)
    if x.split is not None:
        assert len(core.counts) == size() and sum(core.counts) == shape[x.split] and min(core.counts) >= 0
        shape[x.split] = core.counts[x.comm.rank]
    assert list(x.larray.shape) == shape
    assert split == "any" or x.split == split, f"split {x.split}, expected {split}"
    got = x.numpy()
    assert got.dtype == (expected.dtype if dtype is None else dtype)
    np.testing.assert_array_equal(got, expected)


def filled(shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Distinct values where the dtype has enough of them."""
    n = int(np.prod(shape))
    values = np.arange(n).reshape(shape)
    if dtype == np.bool_:
        return np.asarray(values % 3 == 1)
    if np.issubdtype(dtype, np.complexfloating):
        return np.asarray(values - 2j * values).astype(dtype)
    return np.asarray(values - n // 2).astype(dtype)


@st.composite
def counts_for(draw: st.DrawFn, extent: int) -> list[int] | None:
    """Extents per rank that add up, or None for the chunk rule."""
    if draw(st.booleans()):
        return None
    cuts = sorted(draw(st.integers(0, extent)) for _ in range(size() - 1))
    edges = [0, *cuts, extent]
    return [b - a for a, b in pairwise(edges)]


@st.composite
def layouts(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[int | None, list[int] | None]:
    """A split of this shape, and counts."""
    split = draw(st.sampled_from([None, *range(len(shape)), *range(len(shape))]))
    return (None, None) if split is None else (split, draw(counts_for(shape[split])))


def shapes(min_dims: int = 0, max_dims: int = 4, max_side: int = 6) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(0, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


@st.composite
def arrays(
    draw: st.DrawFn, shape: Any = None, min_dims: int = 0, dtypes: Any = tuple(DTYPES)
) -> tuple[ht.DNDarray, np.ndarray]:
    """A distributed array and its value."""
    shape = draw(shapes(min_dims)) if shape is None else shape
    value = filled(shape, draw(st.sampled_from(dtypes)))
    return distribute(value, *draw(layouts(shape))), value
