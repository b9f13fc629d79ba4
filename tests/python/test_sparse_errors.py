# SPDX-License-Identifier: BSD-3-Clause
"""Sparse matrices: what is refused, and how they print."""

from __future__ import annotations

import numpy as np
import pytest

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
