# SPDX-License-Identifier: BSD-3-Clause
"""Selection, diagonals, extremes and element-wise functions of sparse matrices against SciPy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

import equiheat as ht
from equiheat.testing import assert_equal, uneven_counts, with_counts

warnings.filterwarnings("ignore", message="Sparse CS")
SHAPES = [(6, 5), (2, 7), (1, 1), (5, 0)]
ROWS = [0, -1, slice(1, 4), slice(None, None, -2), slice(0, 0), [0, 0, -1], np.array([4, 1])]


def dense(shape: tuple[int, int], dtype: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.standard_normal(shape) * 5 * (rng.random(shape) < 0.5)).astype(dtype)


def matrices(a: np.ndarray) -> Iterator[Any]:
    """Both formats, every layout."""
    size = ht.get_comm().size
    for major, make in ((0, "to_sparse_csr"), (1, "to_sparse_csc")):
        yield getattr(ht.array(a), make)()
        yield getattr(ht.array(a, split=major), make)()
        yield getattr(with_counts(a, major, uneven_counts(a.shape[major], size)), make)()


@pytest.mark.parametrize("dtype", ["bool", "int8", "float32", "complex128"])
def test_selection(dtype: str) -> None:
    a = dense((6, 5), dtype)
    for x in matrices(a):
        for rows in ROWS:
            for columns in (slice(None), slice(None, None, -1), slice(1, 3)):
                wanted = a[rows, columns].reshape(-1, a[0, columns].size)
                got = x[rows, columns]
                assert (type(got), got.dtype, got.split) == (type(x), x.dtype, x.split)
                assert_equal(got.to_dense(), wanted)
        for rows in ROWS[2:]:
            assert_equal(x[rows, 3].to_dense(), a[rows, 3].reshape(-1, 1))
        mask = np.array([True, False, True, False, False, True])
        assert_equal(x[mask].to_dense(), a[mask])
        assert_equal(x[ht.array([1, 4], split=0)].to_dense(), a[[1, 4]])
        assert_equal(x[1:, [0, 2]][..., 1].to_dense(), a[1:, 2:3])
        value = x[4, -2]
        assert (value.shape, value.dtype, value.item()) == ((), x.dtype, a[4, -2])


def test_selection_refuses() -> None:
    for x in matrices(dense((6, 5), "float64")):
        for key in (6, (0, -6), [0, 7], (0, 0, 0), ([0, 1], [0, 1]), [0.5], [True, False]):
            with pytest.raises(IndexError):
                x[key]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_diagonals(shape: tuple[int, int]) -> None:
    a = dense(shape, "float64")
    for x in matrices(a):
        for k in range(-shape[0] + 1, shape[1]):
            got = x.diagonal(k)
            assert got.split == (None if x.split is None else 0)
            assert_equal(got, np.diagonal(a, k))
            assert x.trace(k).item() == pytest.approx(np.trace(a, k))
        assert x.diagonal(20).shape == (0,)


@pytest.mark.parametrize("dtype", ["bool", "int32", "float64"])
@pytest.mark.parametrize("shape", SHAPES[:3], ids=str)
def test_extremes(shape: tuple[int, int], dtype: str) -> None:
    a = dense(shape, dtype)
    filled = (np.abs(dense(shape, "float64")) + 1).astype(dtype)  # no places without an entry
    for b in (a, filled, a * 0 if dtype != "bool" else a & False):
        for x in matrices(b):
            for axis in (None, 0, 1, -1):
                assert_equal(x.max(axis), b.max(axis), dtype=dtype)
                assert_equal(x.min(axis), b.min(axis), dtype=dtype)
    with pytest.raises(ValueError, match="no elements"):
        ht.zeros((0, 3), split=0).to_sparse_csr().max(0)


def test_element_wise() -> None:
    a = dense((6, 5), "float64")
    factors = [
        np.arange(30.0).reshape(6, 5),
        np.arange(5.0),
        np.arange(6.0)[:, None],
        np.ones((1, 1), dtype="complex64"),
    ]
    for x in matrices(a):
        for factor in factors:
            for split in (None, *range(factor.ndim)):
                assert_equal(x.multiply(ht.array(factor, split=split)).to_dense(), a * factor)
        assert_equal(x.multiply(x).to_dense(), a * a)
        assert_equal(x.multiply(3).toarray(), a * 3)
        assert_equal(x.power(2).to_dense(), a**2)
        assert_equal(abs(x).sqrt().to_dense(), np.sqrt(abs(a)))
        assert_equal(x.sign().to_dense(), np.sign(a))
        assert_equal(x.dot(np.ones(5)), a @ np.ones(5))
        y = x * (1 + 2j)
        assert_equal(y.real.to_dense(), a)
        assert_equal(y.imag.to_dense(), 2 * a)
        assert_equal(y.conjugate().to_dense(), (a * (1 + 2j)).conj())
        for factor in (np.ones((5, 6)), np.ones(6), np.ones((1, 1, 1))):
            with pytest.raises(ValueError, match="does not broadcast"):
                x.multiply(factor)
        with pytest.raises(ValueError, match="power: n must be"):
            x.power(0)


def test_times_a_dense_array() -> None:
    a, b = dense((6, 5), "float64"), np.arange(30.0).reshape(6, 5)
    for x in matrices(a):
        for y in (b, torch.from_numpy(b), ht.array(b), ht.array(b, split=0), ht.array(b, split=1)):
            for got in (x * y, y * x):
                assert type(got) is type(x)
                assert_equal(got.to_dense(), a * b)


def test_stored_zeros() -> None:
    a = scipy.sparse.csr_array(dense((6, 5), "float64"))
    a.data[::2] = 0
    for make, split in ((ht.sparse.sparse_csr_matrix, 0), (ht.sparse.sparse_csc_matrix, 1)):
        for x in (make(a), make(a, split=split)):
            assert x.nnz == a.nnz
            assert x.count_nonzero() == a.count_nonzero()
            rows, columns = (i.numpy() for i in x.nonzero())
            assert sorted(zip(rows, columns, strict=True)) == sorted(zip(*a.nonzero(), strict=True))
            x.eliminate_zeros()
            assert x.nnz == a.count_nonzero()
            assert_equal(x.to_dense(), a.toarray())


def test_differences_are_taken_in_the_common_type() -> None:
    a, b = dense((6, 5), "float64").round(), dense((6, 5), "float64").T.reshape(6, 5).round().clip(0, 9)
    for x, y in zip(matrices(a), matrices(b), strict=True):
        assert_equal((x - y.astype("uint8")).to_dense(), a - b)
        assert_equal((x - np.uint8(3)).to_dense(), np.where(a != 0, a - 3, 0))
        flags = y.astype("bool")
        assert_equal((x.astype("int64") - flags).to_dense(), a.astype(np.int64) - (b != 0))
        assert_equal(abs(flags).to_dense(), b != 0)
        with pytest.raises(TypeError, match="booleans have no differences"):
            flags - flags


def test_quotients_are_exact() -> None:
    a = dense((6, 5), "float64").round() * 49
    for x in matrices(a):
        assert np.array_equal((x / 49).to_dense().numpy(), a / 49)
        assert_equal((x / 0).to_dense(), np.where(a > 0, np.inf, np.where(a < 0, -np.inf, 0)))
        assert (x.astype("int32") / 7).dtype is ht.float32
