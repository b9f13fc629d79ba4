# SPDX-License-Identifier: BSD-3-Clause
"""Reductions and running totals of the array API standard against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from array_api_cases import (
    ALL,
    COMPLEX,
    FLOATS,
    INTEGERS,
    NUMERIC,
    REALS,
    SIGNED,
    UNSIGNED,
    assert_same,
    call,
    distribute,
    few,
    needs,
    pairs,
    shapes,
)
from hypothesis import given
from hypothesis import strategies as st

from equiheat import array_api as xp

pytestmark = [pytest.mark.ranks(1, 2), pytest.mark.filterwarnings("ignore")]


def own(name: str | None) -> Any:
    """The namespace's type of this name."""
    return None if name is None else getattr(xp, name)


@st.composite
def axes(draw: st.DrawFn, ndim: int) -> Any:
    """None, an axis or several."""
    one = st.none() if ndim == 0 else st.integers(-ndim, ndim - 1)
    several = st.permutations(range(ndim)).map(lambda p: tuple(p[: (ndim + 1) // 2]))
    return draw(st.none() | one | several)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "mean", "all", "any", "count_nonzero"])
@few
@given(data=st.data())
def test_reductions(name: str, data: st.DataObject) -> None:
    some = name in ("max", "min")
    names = {"mean": FLOATS, "max": INTEGERS + REALS, "min": INTEGERS + REALS, "all": ALL, "any": ALL}.get(
        name, NUMERIC
    )
    x, value = data.draw(pairs(shapes(min_side=1 if some or name == "mean" else 0), names, low=-2, high=2))
    axis, keepdims = data.draw(axes(value.ndim)), data.draw(st.booleans())
    expected = getattr(np, name)(value, axis=axis, keepdims=keepdims)
    assert_same(call(name, x, axis=axis, keepdims=keepdims), expected)
    if name in ("sum", "prod"):
        kind = {"u": "uint64", "i": "int64", "f": "float64", "c": "complex128"}[value.dtype.kind]
        assert_same(call(name, x, axis=axis, dtype=own(kind)), getattr(np, name)(value, axis=axis, dtype=kind))


@pytest.mark.parametrize("name", ["std", "var"])
@few
@given(data=st.data())
def test_spread(name: str, data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(min_side=2), REALS))
    axis, correction = data.draw(axes(value.ndim)), data.draw(st.sampled_from([0.0, 1, 0.5]))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(value, axis=axis, correction=correction)
    assert_same(call(name, x, axis=axis, correction=correction), expected)


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
@few
@given(data=st.data())
def test_running_totals(name: str, data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(min_dims=1), NUMERIC, low=-2, high=2))
    axis = data.draw(st.integers(-value.ndim, value.ndim - 1))
    axis = None if value.ndim == 1 and axis == 0 else axis
    initial = data.draw(st.booleans())
    expected = getattr(np, name)(value, axis=axis, include_initial=initial)
    assert_same(call(name, x, axis=axis, include_initial=initial), expected)
    if value.ndim > 1:
        with pytest.raises(ValueError, match="axis"):
            call(name, x)


@pytest.mark.ranks(1, 2, 3)
@pytest.mark.parametrize("name", COMPLEX)
def test_running_sums_keep_the_finite_part_beside_an_infinite_one(name: str) -> None:
    value = np.array([[complex(np.inf, 1), 2j, 1, 3j, complex(4, -np.inf), 1j]], name)
    for split in (None, 0, -1):
        assert_same(xp.cumulative_sum(distribute(value, split), axis=1), np.cumulative_sum(value, axis=1))


@needs("diff")
@few
@given(data=st.data())
def test_diff(data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(min_dims=1), SIGNED + REALS + UNSIGNED))
    axis, n = data.draw(st.integers(-value.ndim, value.ndim - 1)), data.draw(st.integers(0, 3))
    assert_same(xp.diff(x, axis=axis, n=n), np.diff(value, axis=axis, n=n))
    assert_same(xp.diff(x, axis=axis, prepend=x), np.diff(value, axis=axis, prepend=value))
    assert_same(xp.diff(x, axis=axis, append=x), np.diff(value, axis=axis, append=value))


@few
@given(pair=pairs(shapes(min_dims=1, min_side=1), ("bool", *INTEGERS)))
def test_averages_of_integers_have_the_default_type_of_reals(pair: Any) -> None:
    x, value = pair
    for name in ("mean", "std", "var"):
        assert_same(call(name, x, axis=0), getattr(np, name)(value, axis=0))
