# SPDX-License-Identifier: BSD-3-Clause
"""Sparse matrices: what is refused, and how they print."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import equiheat as ht

SIZE, RANK = ht.get_comm().size, ht.get_comm().rank


def test_errors() -> None:
    a = ht.sparse.sparse_csr_matrix([[1, 0], [0, 2]], split=0)
    x = ht.ones((3, 2), split=0)
    with pytest.raises(ValueError, match="split 1 is not supported"):
        ht.sparse.sparse_csr_matrix([[1]], split=1)
    with pytest.raises(ValueError, match="is_split 0 is not supported"):
        ht.sparse.sparse_csc_matrix([[1]], is_split=0)
    with pytest.raises(ValueError, match="mutually exclusive"):
        ht.sparse.sparse_csr_matrix([[1]], split=0, is_split=0)
    with pytest.raises(ValueError, match="number of dimensions must be 2"):
        ht.sparse.sparse_csr_matrix([1, 2])
    with pytest.raises(ValueError, match="2 dimensions"):
        ht.ones(3, split=0).to_sparse_csr()
    with pytest.raises(ValueError, match="the extent is 2"):
        ht.sparse.sparse_csr_matrix(([1.0], ([0], [2])), shape=(2, 2), split=0)
    with pytest.raises(ValueError, match="vectors of one length"):
        ht.sparse.sparse_csr_matrix(([1.0, 2.0], ([0], [1])), shape=(2, 2))
    with pytest.raises(TypeError, match="indices must be integers"):
        ht.sparse.sparse_csr_matrix(([1.0], ([0.5], [1])), shape=(2, 2))
    with pytest.raises(ValueError, match="ascend"):
        ht.sparse.sparse_csr_matrix(([1.0, 2.0], [0, 1], [0, 3, 2]), shape=(2, 2))
    with pytest.raises(ValueError, match="shapes"):
        a @ x
    with pytest.raises(ValueError, match="shapes"):
        a @ ht.sparse.sparse_csr_matrix(np.ones((3, 2)))
    with pytest.raises(ValueError, match="one shape"):
        a + ht.sparse.sparse_csr_matrix(np.ones((3, 2)))
    with pytest.raises(TypeError):
        a + x
    with pytest.raises(TypeError, match="one operand must be a sparse matrix"):
        ht.sparse.add(1, 2)
    with pytest.raises(ValueError, match="orientation must be"):
        ht.sparse.add(a, a, "diagonal")
    with pytest.raises(TypeError, match="must be a sparse matrix"):
        ht.sparse.to_dense(x)
    with pytest.raises(ValueError, match="axis 1 is not supported"):
        a.resplit(1)


@pytest.mark.ranks(2, 3, 4)
def test_errors_of_one_rank() -> None:
    """What is wrong on one rank only is raised on all."""
    with pytest.raises(ValueError, match="do not fit together"):
        ht.sparse.sparse_csr_matrix(np.ones((1, 2 + (RANK == 1))), is_split=0)
    column = 7 if RANK == 1 else 0
    with pytest.raises(ValueError, match=r"on rank 1: .*the extent is 2"):
        ht.sparse.sparse_csr_matrix(([1.0], ([0], [column])), shape=(2, 2), is_split=0)


@pytest.mark.parametrize("split", [None, 0])
def test_an_index_outside_is_found_wherever_its_row_lies(split: int | None) -> None:
    for bad in range(6):
        columns = np.arange(6) % 3
        columns[bad] = 3
        with pytest.raises(ValueError, match=r"from 0 to 3, the extent is 3"):
            ht.sparse.sparse_csr_matrix((np.ones(6), columns, np.arange(7)), shape=(6, 3), split=split)


@pytest.mark.parametrize("index", ["int32", "int64", "uint16"])
@pytest.mark.parametrize("how", [{}, {"split": 0}, {"is_split": 0}])
def test_a_matrix_does_not_share_the_callers_memory(index: str, how: dict[str, int]) -> None:
    data, columns, begin = np.ones(6), (np.arange(6) % 3).astype(index), np.arange(7).astype(index)
    a = ht.sparse.sparse_csr_matrix((data, columns, begin), shape=(6, 3), **how)
    before = a.to_dense().numpy()
    data[:], columns[:], begin[:] = 7, 0, 0
    np.testing.assert_array_equal(a.to_dense().numpy(), before)
    assert before.sum() == (6 * SIZE if "is_split" in how else 6)


def test_text() -> None:
    whole = ht.sparse.sparse_csr_matrix([[0, 0, 1], [1, 0, 2]])
    expected = (
        "(indptr: tensor([0, 1, 3]), indices: tensor([2, 0, 2]), data: tensor([1, 1, 2]), dtype=ht.int64, "
        "device=cpu:0, split=None)"
    )
    assert repr(whole) == expected
    split = whole.resplit(0)
    assert str(split) == (expected.replace("None", "0") if RANK == 0 else "")
    assert f"rank {RANK} of {SIZE}" in repr(split)


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
def test_unsigned_types_are_refused_on_all_ranks(dtype: str) -> None:
    """Also where only some ranks have entries: torch computes next to nothing with these types."""
    value = np.array([[0, 1], [0, 0], [0, 0], [2, 0]], dtype=dtype)
    places = (value[value != 0], np.nonzero(value))
    make = ht.sparse.sparse_csr_matrix
    for argument, how in (
        (value, {"split": 0}), (value, {}), (ht.array(value, split=0), {}), (scipy.sparse.coo_array(value), {}),
        (places, {"shape": value.shape, "split": 0}),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=f"there are none of {dtype}"):
            make(argument, **how)
    with pytest.raises((TypeError, ValueError), match=f"there are none of {dtype}"):
        make(places, shape=value.shape, is_split=0)
    a = make(value.astype(np.uint8), split=0)
    for refused in (lambda: a.astype(dtype), lambda: a @ ht.ones(2, dtype=dtype), lambda: a.multiply(value)):
        with pytest.raises(TypeError, match=f"there are none of {dtype}"):
            refused()
    assert (make(ht.array(value, split=0), dtype="int64").to_dense().numpy() == value).all()
    assert (make(value, dtype="int64", split=0).to_dense().numpy() == value).all()
