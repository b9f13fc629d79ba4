# SPDX-License-Identifier: BSD-3-Clause
"""Arrays, shapes, splits and expected dtypes for the tests of operations. NumPy is the oracle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

import equiheat as ht
from equiheat import _core
from equiheat._base import wrap

DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
SHAPES = [(), (0,), (1,), (7,), (0, 3), (5, 3), (2, 3, 4)]
#: Every dtype on a few shapes, a few dtypes on every shape.
CASES = [(d, s) for d in DTYPES for s in SHAPES if s in ((5, 3), (0, 3)) or d in ("int32", "float32", "complex64")]
REALS = np.array(
    [0.5, -0.5, np.nan, 1.5, -2.5, 2.5, 0.0, -0.0, np.inf, 3.7, -np.inf, 1.0, -1.0, 40.25, -7.0, 1e-3, 6.0, 2.0, 0.1]
)
INTEGERS = np.array([3, 0, 1, 7, 2, 100, 5, 0, 6, 4, 9, 1, 64])
SIGNED = np.array([3, 0, -1, 7, -2, 100, -5, 0, 6, -128, 9, 1, -64])
COMPLEX = np.array([1 + 2j, -0.5 + 0.25j, 0.75 - 1.5j, -2 - 1j, 0.1 + 0.9j, 3 - 0.5j, 1.25 + 0.75j])
TOLERANCE = {
    "float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "float64": 1e-12, "complex64": 2e-5, "complex128": 1e-12
}  # fmt: skip


def sample(shape: Sequence[int], dtype: str, shift: int = 0) -> np.ndarray:
    """Values of every kind of interest, rotated by `shift`."""
    kind = np.dtype(dtype).kind
    pool = {"b": INTEGERS % 3 == 1, "u": INTEGERS, "i": SIGNED, "f": REALS, "c": COMPLEX}[kind]
    return np.resize(np.roll(pool, -shift), tuple(shape)).astype(dtype)


def make(values: Any, split: int | None = None, counts: Sequence[int] | None = None) -> ht.DNDarray:
    """An array of these values; `counts` gives the extents along the split."""
    values = np.asarray(values)
    comm = ht.get_comm()
    tensor = torch.from_numpy(values.copy())
    if split is not None:
        per_rank = comm.counts_displs_shape(values.shape, split)[0] if counts is None else tuple(counts)
        tensor = tensor.narrow(split, sum(per_rank[: comm.rank]), per_rank[comm.rank]).clone()
    return wrap(_core.Array(tensor, list(values.shape), split, None if counts is None else list(counts), comm.core))


def lopsided(extent: int) -> list[int]:
    """Extents with everything but one row on the last rank."""
    size = ht.get_comm().size
    first = min(1, extent) if size > 1 else 0
    return [first, *[0] * (size - 2), extent - first] if size > 1 else [extent]


def layouts(values: np.ndarray) -> Iterator[ht.DNDarray]:
    """The values replicated, under every split, and unbalanced along the first and last axis."""
    yield make(values)
    for split in range(values.ndim):
        yield make(values, split)
    for split in {0, values.ndim - 1} if values.ndim else ():
        yield make(values, split, lopsided(values.shape[split]))


def splits(ndim: int) -> list[int | None]:
    """None and every axis."""
    return [None, *range(ndim)]


def promoted(a: str, b: str) -> np.dtype:
    """The dtype rule: NumPy's, except that integers of up to 32 bits meet reals in the real type."""
    kinds = {np.dtype(a).kind: np.dtype(a), np.dtype(b).kind: np.dtype(b)}
    inexact = [d for k, d in kinds.items() if k in "fc"]
    integer = [d for k, d in kinds.items() if k in "ui"]
    if len(inexact) == 1 and integer and integer[0].itemsize < 8:
        return inexact[0]
    return np.result_type(a, b)


def single(dtype: np.dtype) -> np.dtype:
    """What an integer or bool becomes in a function of reals."""
    return np.dtype(np.float32) if dtype.kind in "bui" else dtype


def assert_array(x: ht.DNDarray, expected: Any, dtype: Any, note: str = "", rtol: float | None = None) -> None:
    """Global values, shape, dtype and the invariants of the layout. Collective."""
    expected = np.asarray(expected)
    dtype = np.dtype(dtype)
    values = x.numpy()
    assert x.shape == expected.shape, f"{note}: shape {x.shape}, NumPy's is {expected.shape}"
    assert values.dtype == dtype, f"{note}: dtype {values.dtype}, should be {dtype}"
    assert x.lshape == tuple(x.lshape_map[x.comm.rank].tolist()), note
    worst = TOLERANCE.get(dtype.name, 0.0) if rtol is None else rtol
    with np.errstate(all="ignore"):
        expected = expected.astype(dtype)
    np.testing.assert_allclose(values, expected, rtol=worst, atol=worst / 10, equal_nan=True, err_msg=note)


def combinations(*choices: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """All of them."""
    return itertools.product(*choices)
