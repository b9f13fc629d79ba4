# SPDX-License-Identifier: BSD-3-Clause
"""Hypothesis strategies for shapes, splits, layouts and values. Drawing never communicates.

Every rank must draw the same examples: run hypothesis with ``derandomize=True``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from equiheat.communication import get_comm
from equiheat.testing import with_counts

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["arrays", "counts", "dtypes", "pairs", "shapes", "splits", "values"]

BOOL = ("bool",)
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
FLOATS = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
ALL = BOOL + INTEGERS + FLOATS + COMPLEX


def shapes(min_ndim: int = 0, max_ndim: int = 3, max_extent: int = 7, min_extent: int = 0) -> SearchStrategy[Any]:
    """Shapes as tuples: 0-d, empty ones and fewer rows than ranks included."""
    extents = st.integers(min_extent, max_extent)
    return st.lists(extents, min_size=min_ndim, max_size=max_ndim).map(tuple)


def splits(ndim: int) -> SearchStrategy[int | None]:
    """None or an axis."""
    return st.sampled_from([None, *range(ndim)])


def counts(n: int, nranks: int) -> SearchStrategy[list[int] | None]:
    """Extents along a split axis, one per rank; None for the balanced ones."""
    cuts = st.lists(st.integers(0, n), min_size=nranks - 1, max_size=nranks - 1).map(sorted)
    return st.none() | cuts.map(lambda c: [b - a for a, b in zip([0, *c], [*c, n], strict=True)])


def dtypes(names: Sequence[str] = ALL) -> SearchStrategy[str]:
    """Names of types."""
    return st.sampled_from(list(names))


@st.composite
def values(draw: DrawFn, shape: Sequence[int], dtype: str, low: int = -9, high: int = 9) -> np.ndarray[Any, Any]:
    """A NumPy array with small values, quarters for reals, from a drawn seed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shape = tuple(shape)
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.asarray(rng.integers(0, 2, shape), dtype=bool)
    if kind in "ui":
        return np.asarray(rng.integers(0 if kind == "u" else low, high + 1, shape), dtype=dtype)
    quarters = rng.integers(4 * low, 4 * high + 1, (2, *shape)) / 4
    numbers: np.ndarray[Any, Any] = quarters[0] + 1j * quarters[1] if kind == "c" else quarters[0]
    return np.asarray(numbers, dtype=dtype)


@st.composite
def pairs(
    draw: DrawFn,
    shape: Any = None,
    names: Sequence[str] = ALL,
    low: int = -9,
    high: int = 9,
    split: Any = ...,
) -> tuple[DNDarray, np.ndarray[Any, Any]]:
    """(DNDarray, the same array for NumPy): any layout, uneven ones included.

    Parameters
    ----------
    shape
        A shape or a strategy for one; default: `shapes()`.
    names
        Types to choose from.
    low, high
        Range of the values.
    split
        The split; drawn if not given.
    """
    extents = draw(shapes() if shape is None else shape) if not isinstance(shape, (tuple, list)) else tuple(shape)
    whole = draw(values(extents, draw(dtypes(names)), low, high))
    axis = draw(splits(whole.ndim)) if split is ... else split
    extent = None if axis is None else draw(counts(whole.shape[axis], get_comm().size))
    return with_counts(whole, axis, extent), whole


def arrays(shape: Any = None, names: Sequence[str] = ALL, low: int = -9, high: int = 9) -> SearchStrategy[Any]:
    """Only the DNDarray of `pairs`."""
    return pairs(shape, names, low, high).map(lambda pair: pair[0])
