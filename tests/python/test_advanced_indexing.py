# SPDX-License-Identifier: BSD-3-Clause
"""Keys with several arrays (integers, masks), of any split, read and written, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import arrays, check, distribute, filled, layouts

#: Keys have many forms: three times the usual number of examples.
MORE = settings(max_examples=3 * settings().max_examples)
INDEX_SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (1, 3), (0, 3), (4, 2, 3)]


def form(draw: st.DrawFn, value: np.ndarray) -> Any:
    """An array in one of the forms we take."""
    if value.ndim == 0 and value.dtype != bool:
        return draw(st.sampled_from([value, int(value), torch.from_numpy(value)]))
    kind = draw(st.sampled_from(["array", "array", "numpy", "torch", "list"]))
    if kind == "list" and value.size and value.ndim:
        return value.tolist()
    if kind == "array":
        return distribute(value, *draw(layouts(value.shape)))
    return torch.from_numpy(value.copy()) if kind == "torch" else value


@st.composite
def slices(draw: st.DrawFn) -> slice:
    bound = st.one_of(st.none(), st.integers(-6, 6))
    return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, -1, -2])))


@st.composite
def mixed_keys(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Integers, slices, integer arrays and masks for the axes, new axes and an ellipsis: our key and NumPy's."""
    common = draw(st.sampled_from([(3,), (2, 3), (4, 2, 3), (0, 3)]))
    ours: list[Any] = []
    theirs: list[Any] = []
    axis, dots = 0, False
    kinds = ["integer", "slice", "array", "array", "array", "mask", "new", "dots"]
    while axis < len(shape):
        kind, n = draw(st.sampled_from(kinds)), shape[axis]
        if kind == "integer" and n:
            entry = draw(st.integers(-n, n - 1))
            ours, theirs, axis = [*ours, entry], [*theirs, entry], axis + 1
        elif kind == "array" and n:
            trail = common[draw(st.integers(0, len(common))) :]
            own = tuple(1 if m != 0 and draw(st.integers(0, 3)) == 0 else m for m in trail)
            k = int(np.prod(own))
            value = np.array(draw(st.lists(st.integers(-n, n - 1), min_size=k, max_size=k)), np.int64).reshape(own)
            ours, theirs, axis = [*ours, form(draw, value)], [*theirs, value], axis + 1
        elif kind == "mask":
            covered = shape[axis : axis + draw(st.integers(0, 2))]
            k = int(np.prod(covered))
            hits = (
                draw(st.lists(st.integers(0, max(k - 1, 0)), min_size=common[-1], max_size=common[-1], unique=True))
                if k >= common[-1]
                else [0] * min(k, 1)
            )
            mask = np.zeros(k, bool)
            mask[hits] = True
            mask = mask.reshape(covered)
            ours, theirs, axis = [*ours, form(draw, mask)], [*theirs, mask], axis + len(covered)
        elif kind == "new":
            ours, theirs = [*ours, None], [*theirs, None]
        elif kind == "dots" and not dots:
            dots, axis = True, axis + draw(st.integers(0, len(shape) - axis))
            ours, theirs = [*ours, ...], [*theirs, ...]
        else:
            entry = draw(slices())
            ours, theirs, axis = [*ours, entry], [*theirs, entry], axis + 1
    return tuple(ours), tuple(theirs)


def expected(value: np.ndarray, key: tuple[Any, ...]) -> np.ndarray | None:
    """What NumPy says; None if the arrays do not broadcast."""
    try:
        return np.asarray(value[key])
    except IndexError:
        return None


@MORE
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple), st.data())
def test_get(shape: tuple[int, ...], data: st.DataObject) -> None:
    x, value = data.draw(arrays(shape, dtypes=[np.float64, np.int32, np.bool_]))
    ours, theirs = data.draw(mixed_keys(shape))
    wanted = expected(value, theirs)
    if wanted is None:
        with pytest.raises(IndexError):
            x[ours]
    else:
        check(x[ours], wanted)


@MORE
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple), st.data())
def test_set(shape: tuple[int, ...], data: st.DataObject) -> None:
    x, value = data.draw(arrays(shape, dtypes=[np.float64]))
    ours, theirs = data.draw(mixed_keys(shape))
    wanted = expected(value, theirs)
    if wanted is None:
        return
    own = tuple(1 if data.draw(st.integers(0, 4)) == 0 else n for n in wanted.shape)
    new = filled(own[data.draw(st.integers(0, len(own))) if data.draw(st.booleans()) else 0 :]) + 100.5
    x[ours] = distribute(new, *data.draw(layouts(new.shape))) if data.draw(st.booleans()) else new
    value[theirs] = new
    check(x, value)
