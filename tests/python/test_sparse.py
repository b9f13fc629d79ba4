# SPDX-License-Identifier: BSD-3-Clause
"""Sparse matrices against NumPy and SciPy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat.testing import assert_equal, gradcheck, with_counts
from equiheat.testing.strategies import counts, pairs, values

warnings.filterwarnings("ignore", message="Sparse CS")
REAL = ("bool", "uint8", "int16", "int32", "int64", "float32", "float64")
DTYPES = (*REAL, "complex64", "complex128")
FORMATS = st.sampled_from(["csr", "csc"])
SIZE, RANK = ht.get_comm().size, ht.get_comm().rank


@st.composite
def matrices(draw: Any, shape: Any = None, names: Any = DTYPES) -> tuple[Any, np.ndarray]:
    """A sparse matrix of either format and any layout (empty parts, fewer rows than ranks), and NumPy's array."""
    shape = (draw(st.integers(0, 7)), draw(st.integers(0, 7))) if shape is None else shape
    dense = draw(values(shape, draw(st.sampled_from(names))))
    dense = dense * draw(values(shape, "bool"))
    kind = draw(FORMATS)
    major = 0 if kind == "csr" else 1
    split = draw(st.sampled_from([None, major]))
    extents = None if split is None else draw(counts(shape[split], SIZE))
    x = with_counts(dense, split, extents)
    return (x.to_sparse_csr() if kind == "csr" else x.to_sparse_csc()), dense


def check(a: Any, expected: np.ndarray, rtol: float = 1e-4) -> None:
    """Values, the rules of the format, and attributes known alike on all ranks."""
    assert_equal(a.to_dense(), expected, rtol, split=a.split)
    begin, indices, data = a.indptr, a.indices, a.data
    major = 0 if isinstance(a, ht.sparse.DCSR_matrix) else 1
    assert begin.numel() == expected.shape[major] + 1
    assert a.nnz == a.gnnz == indices.numel() == data.numel() == int(begin[-1])
    for i in range(expected.shape[major]):
        row = indices[int(begin[i]) : int(begin[i + 1])]
        assert bool((row.diff() > 0).all())
    if a.split is not None:
        entries, displs = a.counts_displs_nnz()
        assert entries[RANK] == a.lnnz == a.ldata.numel() == a.lindices.numel()
        assert displs[RANK] == sum(entries[:RANK])


@given(matrices())
def test_attributes(drawn: Any) -> None:
    a, dense = drawn
    check(a, dense, 0)
    csr = isinstance(a, ht.sparse.DCSR_matrix)
    oracle = scipy.sparse.csr_array(dense) if csr else scipy.sparse.csc_array(dense)
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(a, name).numpy(), getattr(oracle, name))
        np.testing.assert_array_equal(getattr(a, "g" + name).numpy(), getattr(oracle, name))
    assert a.shape == a.gshape == dense.shape
    assert a.nnz == oracle.nnz
    assert a.ndim == 2
    assert a.dtype == ht.types.canonical_heat_type(dense.dtype)
    assert a.comm is ht.get_comm()
    assert a.device == ht.cpu
    assert a.is_distributed() == (a.split is not None and SIZE > 1)
    assert a.larray.layout == (torch.sparse_csr if csr else torch.sparse_csc)
    assert tuple(a.larray.shape) == a.lshape
    np.testing.assert_array_equal(a.to_scipy().toarray(), dense)
    if a.split is None:
        for fails in (a.counts_displs_nnz, a.global_indptr):
            with pytest.raises(ValueError, match="split None"):
                fails()
    else:
        assert_equal(a.global_indptr(), oracle.indptr.astype(np.int64), split=0)


@given(st.data(), st.sampled_from(["add", "sub", "mul"]))
def test_binary(data: Any, op: str) -> None:
    a, x = data.draw(matrices())
    b, y = data.draw(matrices(x.shape))
    if op == "sub" and "bool" in (x.dtype, y.dtype):
        return
    result = {"add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b}[op]()
    assert type(result) is type(a)
    expected = {"add": lambda: x + y, "sub": lambda: x - y, "mul": lambda: x * y}[op]()
    check(result, expected)
    assert (result.split is None) == (a.split is None and b.split is None)
    assert result.dtype == ht.promote_types(a.dtype, b.dtype)
    if op != "sub":
        function = getattr(ht.sparse, op)
        assert isinstance(function(a, b), ht.sparse.DCSR_matrix)
        check(function(a, b, orientation="col"), expected)


@given(matrices(names=("int32", "float32", "float64", "complex128")), st.sampled_from([0, 2, 1.5, -3]))
def test_numbers(drawn: Any, number: Any) -> None:
    a, dense = drawn
    stored = dense != 0
    check(a * number, dense * number)
    check(number * a, number * dense)
    check(a + number, np.where(stored, dense + number, 0))
    check(number - a, np.where(stored, number - dense, 0))
    check(-a, -dense)
    check(abs(a), abs(dense))
    check(a.conj(), dense.conj())
    if number:
        check(a / number, dense / number)
    assert (a * number).dtype == ht.result_type(a.dtype, number)
    check(ht.sparse.mul(2, a), 2 * dense)


@given(st.data())
def test_dense_product(data: Any) -> None:
    a, x = data.draw(matrices())
    columns = data.draw(st.sampled_from([None, 0, 1, 3, 21]))
    b, y = data.draw(pairs((x.shape[1],) if columns is None else (x.shape[1], columns), DTYPES))
    expected = x @ y
    got = a @ b
    assert_equal(got, expected, 1e-4)
    assert got.dtype == ht.promote_types(a.dtype, b.dtype)
    if a.split is not None:
        assert got.split == 0
        if a.split == 0:
            assert got._core.counts == a._core.counts
    else:
        assert got.split == b.split
    assert_equal(ht.sparse.matmul(a, y), expected, 1e-4)
    assert_equal(a @ b, expected, 1e-4)  # with the plan of the first one


@given(st.data())
def test_dense_product_from_the_left(data: Any) -> None:
    a, x = data.draw(matrices())
    rows = data.draw(st.sampled_from([None, 0, 1, 3]))
    b, y = data.draw(pairs((x.shape[0],) if rows is None else (rows, x.shape[0]), DTYPES))
    got = b @ a
    assert_equal(got, y @ x, 1e-4)
    if rows is not None:
        assert got.split == (1 if a.split is not None else b.split)
    assert_equal(ht.sparse.matmul(y, a), y @ x, 1e-4)


@given(st.data())
def test_sparse_product(data: Any) -> None:
    a, x = data.draw(matrices())
    b, y = data.draw(matrices((x.shape[1], data.draw(st.integers(0, 6)))))
    got = a @ b
    assert type(got) is type(a)
    check(got, x @ y)
    assert (got.split is None) == (a.split is None and b.split is None)


@given(matrices(), st.sampled_from([None, 0, 1, -1]))
def test_sums(drawn: Any, axis: int | None) -> None:
    a, dense = drawn
    assert_equal(a.sum(axis), dense.sum(axis, dtype=np.int64 if dense.dtype.kind in "bui" else None), 1e-4)
    assert a.sum(axis).split == (None if axis is None or a.split is None else 0)
    if dense.size:
        assert_equal(a.mean(axis), dense.mean(axis), 1e-4)
    assert a.sum(axis, dtype=ht.complex64).dtype == ht.complex64


@given(matrices(), st.sampled_from(["float32", "int64", "complex128"]))
def test_conversions(drawn: Any, dtype: str) -> None:
    a, dense = drawn
    check(a.tocsr(), dense)
    check(a.tocsc(), dense)
    check(a.T, dense.T)
    assert type(a.T) is not type(a)
    assert a.T.split == (None if a.split is None else 1 - a.split)
    check(a.resplit(None), dense)
    check(a.resplit(a._major), dense)
    assert a.resplit(a._major).balanced
    assert a.balance().balanced
    check(a.balance(), dense)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # imaginary parts
        cast, expected = a.astype(getattr(ht, dtype)), dense.astype(dtype)
        check(cast, expected)
        same = a.copy()
        assert same.astype(getattr(ht, dtype), copy=False) is same
    assert same.dtype == cast.dtype
    assert tuple(same.larray.shape) == same.lshape


@given(st.data(), st.sampled_from(["C", "F"]))
def test_to_dense(data: Any, order: str) -> None:
    a, dense = data.draw(matrices(names=("float32", "int64")))
    got = a.todense(order)
    assert_equal(got, dense, split=a.split)
    assert got.larray.is_contiguous() if order == "C" else got.larray.t().is_contiguous()
    out = ht.empty(dense.shape, dtype=a.dtype, split=a.split)
    assert ht.sparse.to_dense(a, out=out) is out
    assert_equal(out, dense)
    with pytest.raises(ValueError, match="split"):
        a.to_dense(out=ht.empty(dense.shape, split=None if a.split is not None else 0))
    with pytest.raises(ValueError, match="shape"):
        a.to_dense(out=ht.empty((9, 9), split=a.split))


@given(pairs(st.tuples(st.integers(0, 6), st.integers(0, 6)), DTYPES))
def test_from_dense_arrays(pair: Any) -> None:
    x, dense = pair
    for make, major in ((ht.sparse.sparse_csr_matrix, 0), (ht.sparse.sparse_csc_matrix, 1)):
        a = make(x)
        check(a, dense)
        assert a.split == (None if x.split is None else major)
        check(make(x, split=major), dense)
        check(make(a.T.T, dtype=ht.complex128), dense.astype(complex))
        check(make(a.tocsr() if major else a.tocsc()), dense)


def forms(oracle: Any) -> dict[str, Any]:
    """The same matrix in every form a factory takes."""
    dense = oracle.toarray()
    torch_dense = torch.from_numpy(dense)
    formats = ("csr", "csc", "coo", "bsr", "lil", "dok", "dia")
    return {
        **{f"scipy {f}": getattr(oracle, f"to{f}")() for f in formats},
        "scipy csr_matrix": scipy.sparse.csr_matrix(oracle),
        "torch csr": torch_dense.to_sparse_csr(),
        "torch csc": torch_dense.to_sparse_csc(),
        "torch coo": torch_dense.to_sparse_coo(),
        "torch": torch_dense,
        "numpy": dense,
        "list": dense.tolist(),
    }


@pytest.mark.parametrize("rows", [2, 11])
def test_factories(rows: int) -> None:
    rng = np.random.default_rng(0)
    oracle = scipy.sparse.random_array((rows, 6), density=0.3, rng=rng).tocsr()
    dense = oracle.toarray()
    for name, obj in forms(oracle).items():
        for make, major in ((ht.sparse.sparse_csr_matrix, 0), (ht.sparse.sparse_csc_matrix, 1)):
            check(make(obj), dense)
            a = make(obj, split=major, dtype=ht.float64)
            check(a, dense, 1e-6)
            assert a.split == major, name
            assert a.balanced
            assert a.dtype == ht.float64
    parts = (oracle.data, oracle.indices, oracle.indptr)
    check(ht.sparse.sparse_csr_matrix(parts, shape=dense.shape, split=0), dense)


@pytest.mark.parametrize("uneven", [False, True])
def test_own_blocks(uneven: bool) -> None:
    """is_split, also with blocks without rows."""
    rng = np.random.default_rng(1)
    dense = rng.integers(-2, 3, (10, 4)).astype("float32")
    extents = (
        [10 if r == SIZE - 1 else 0 for r in range(SIZE)] if uneven else ht.get_comm().counts_displs_shape((10,), 0)[0]
    )
    begin = sum(extents[:RANK])
    block = dense[begin : begin + extents[RANK]]
    a = ht.sparse.sparse_csr_matrix(scipy.sparse.csr_array(block), is_split=0)
    check(a, dense)
    assert a._core.counts == list(extents)
    check(ht.sparse.sparse_csr_matrix(torch.from_numpy(block).to_sparse_csr(), is_split=0), dense)
    check(ht.sparse.sparse_csc_matrix(scipy.sparse.csc_array(block.T), is_split=1), dense.T)
    again = ht.sparse.DCSR_matrix(a.larray, a.gnnz, a.gshape, a.dtype, a.split, a.device, a.comm, a.balanced)
    check(again, dense)
    with pytest.raises(ValueError, match="gnnz"):
        ht.sparse.DCSR_matrix(a.larray, a.gnnz + 1, a.gshape, a.dtype, 0, a.device, a.comm, True)


@given(st.data(), FORMATS)
def test_entries(data: Any, kind: str) -> None:
    """Entries in any order and on any rank; those at one place are added up."""
    shape = (data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6)))
    n = data.draw(st.integers(0, 20))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    rows, columns = rng.integers(0, shape[0], n), rng.integers(0, shape[1], n)
    entries = data.draw(values((n,), data.draw(st.sampled_from(["int32", "float64", "complex64", "float32"]))))
    dense = np.zeros(shape, entries.dtype)
    np.add.at(dense, (rows, columns), entries)
    make, major = (ht.sparse.sparse_csr_matrix, 0) if kind == "csr" else (ht.sparse.sparse_csc_matrix, 1)
    check(make((entries, (rows, columns)), shape=shape), dense)
    check(make((entries, (rows, columns)), shape=shape, split=major), dense)
    own = slice(RANK, None, SIZE)
    check(make((entries[own], (rows[own], columns[own])), shape=shape, is_split=major), dense)
    arrays = [with_counts(x, 0, data.draw(counts(n, SIZE))) for x in (entries, rows, columns)]
    a = make((arrays[0], (arrays[1], arrays[2])), shape=shape)
    check(a, dense)
    assert a.split == major
    unsorted = scipy.sparse.coo_array((entries, (rows, columns)), shape=shape)
    begin = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    order = np.argsort(rows, kind="stable")
    raw = scipy.sparse.csr_array((entries[order], columns[order], begin), shape=shape)
    check(ht.sparse.sparse_csr_matrix(raw, split=0), unsorted.toarray())


def test_default_split() -> None:
    with ht.default_split(0):
        assert ht.sparse.sparse_csr_matrix([[1, 0], [0, 1]]).split == 0
        assert ht.sparse.sparse_csc_matrix([[1, 0], [0, 1]]).split == 1


@pytest.mark.parametrize("kind", ["csr", "csc"])
@pytest.mark.parametrize("split", [None, 0, 1])
@pytest.mark.parametrize("cut", [False, True])
def test_gradients(kind: str, split: int | None, cut: bool) -> None:
    rng = np.random.default_rng(0)
    dense = rng.integers(-2, 3, (5, 4)).astype(float)
    major = 0 if kind == "csr" else 1
    a = getattr(ht.sparse, f"sparse_{kind}_matrix")(dense, split=major if cut else None)
    weight = rng.normal(size=(5, 3))

    def program(x: Any) -> Any:
        return (a @ x) * ht.array(weight)

    assert gradcheck(program, rng.normal(size=(4, 3)), splits=[split], uneven=True)
    assert gradcheck(lambda x: x @ a, rng.normal(size=(2, 5)), splits=[split])
    if split != 1:
        assert gradcheck(lambda x: a @ x, rng.normal(size=4) + 0j, splits=[split])
        z = a.astype(ht.complex128) * 1j
        assert gradcheck(lambda x: z @ x, rng.normal(size=4) + 1j * rng.normal(size=4), splits=[split])


@pytest.mark.parametrize("dtype", ["float32", "int32", "complex64"])
def test_large(dtype: str) -> None:
    """More columns than entries, many entries, several threads' worth of rows."""
    rng = np.random.default_rng(0)
    tall = scipy.sparse.random_array((9000, 300), density=0.01, rng=rng).tocsr()
    tall.data = (9 * tall.data).astype(dtype)
    wide = scipy.sparse.random_array((300, 100_000), density=1e-5, rng=rng).tocsr()
    wide.data = (9 * wide.data).astype(dtype)
    a = ht.sparse.sparse_csr_matrix(tall, split=0)
    b = ht.sparse.sparse_csr_matrix(wide, split=0)
    x = rng.integers(-3, 4, (300, 40)).astype(dtype)
    assert_equal(a @ ht.array(x, split=0), tall @ x, 1e-3)
    y = rng.integers(-3, 4, 100_000).astype(dtype)
    assert_equal(b @ ht.array(y, split=0), wide @ y, 1e-3)
    got = (a @ b).to_scipy()
    assert abs(got - tall @ wide).max() < 1e-2
    assert abs(b.tocsc().to_scipy() - wide.tocsc()).nnz == 0
    assert abs((a + a).to_scipy() - 2 * tall).max() < 1e-4
