# SPDX-License-Identifier: BSD-3-Clause
"""What the conformance tests of the array API standard share. NumPy 2's main namespace is the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

import equiheat as ht
from equiheat import array_api as xp

BOOL = ("bool",)
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
REALS = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
FLOATS = REALS + COMPLEX
NUMERIC = INTEGERS + FLOATS
ALL = BOOL + NUMERIC
TOLERANCE = {"float32": 4e-5, "complex64": 4e-5, "float64": 1e-11, "complex128": 1e-11}
SPECIAL = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-3, 40.25])


#: For tests that run once for each of many functions or default splits.
few = settings(max_examples=max(1, settings().max_examples * 2 // 5))


def shapes(min_dims: int = 0, max_dims: int = 3, max_side: int = 5, min_side: int = 0) -> st.SearchStrategy[Any]:
    """Shapes, empty ones included."""
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


@st.composite
def values(
    draw: st.DrawFn, shape: Any = None, names: Sequence[str] = ALL, special: bool = False, low: int = -9, high: int = 9
) -> np.ndarray:
    """A NumPy array of small numbers, or of special ones, too."""
    extents = draw(shapes()) if shape is None else draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    dtype = np.dtype(draw(st.sampled_from(list(names))))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    if dtype.kind == "b":
        return np.asarray(rng.integers(0, 2, extents), dtype=bool)
    if dtype.kind in "ui":
        return np.asarray(rng.integers(max(low, 0) if dtype.kind == "u" else low, high + 1, extents), dtype=dtype)
    real = rng.integers(4 * low, 4 * high + 1, (2, *extents)) / 4
    if special and dtype.kind == "f":
        real = rng.choice(SPECIAL, (2, *extents))
    return np.asarray(real[0] + 1j * real[1] if dtype.kind == "c" else real[0], dtype=dtype)


def distribute(value: np.ndarray, split: int | None) -> ht.DNDarray:
    """The array, whole on every rank, split along the first axis (0) or the last (-1)."""
    axis = None if split is None or value.ndim == 0 else split % value.ndim
    return ht.array(value, split=axis)


splits = st.sampled_from([None, 0, -1])


@st.composite
def pairs(draw: st.DrawFn, *args: Any, **kwargs: Any) -> tuple[ht.DNDarray, np.ndarray]:
    """An array and its value for NumPy."""
    value = draw(values(*args, **kwargs))
    return distribute(value, draw(splits)), value


def assert_same(ours: Any, theirs: Any, *, dtype: Any = True, rtol: float | None = None) -> None:
    """Values, shape and type (True: NumPy's; None: not looked at) of a result. Collective."""
    if isinstance(theirs, (tuple, list)):
        assert isinstance(ours, tuple) and len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other, dtype=dtype, rtol=rtol)
        return
    theirs = np.asarray(theirs)
    assert isinstance(ours, ht.DNDarray), type(ours)
    assert ours.shape == theirs.shape, f"shape {ours.shape}, should be {theirs.shape}"
    assert ours.size == theirs.size and ours.ndim == theirs.ndim
    got = ours.numpy()
    wanted = theirs.dtype if dtype is True else dtype
    assert wanted is None or got.dtype == wanted, f"dtype {got.dtype}, should be {wanted}"
    worst = TOLERANCE.get(got.dtype.name, 0.0) if rtol is None else rtol
    np.testing.assert_allclose(got, theirs.astype(got.dtype), rtol=worst, atol=worst, equal_nan=True)


def needs(*names: str) -> Any:
    """Skips a test until the functions it is about are there."""

    def found(name: str) -> bool:
        thing: Any = ht
        for part in name.split("."):
            thing = getattr(thing, part, None)
        return thing is not None

    return pytest.mark.skipif(not all(map(found, names)), reason=f"needs {names}")


def call(name: str, *arguments: Any, module: Any = None, **keywords: Any) -> Any:
    """The function of the namespace, or of an extension."""
    return getattr(xp if module is None else getattr(xp, module), name)(*arguments, **keywords)
