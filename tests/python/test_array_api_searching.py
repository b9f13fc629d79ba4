# SPDX-License-Identifier: BSD-3-Clause
"""Searching, sorting, sets, indexing, linear algebra and Fourier transforms of the standard against NumPy."""

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
    assert_same,
    call,
    distribute,
    needs,
    pairs,
    shapes,
    splits,
    values,
)
from hypothesis import given
from hypothesis import strategies as st

from equiheat import array_api as xp

pytestmark = [pytest.mark.ranks(1, 2), pytest.mark.filterwarnings("ignore")]
ORDERED = INTEGERS + REALS


# ---------------------------------------------------------------------- searching and sorting
@pytest.mark.parametrize("name", ["argmax", "argmin"])
@given(data=st.data())
def test_extremes(name: str, data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(min_side=1), ORDERED, special=True))
    axis = data.draw(st.none() if value.ndim == 0 else st.none() | st.integers(-value.ndim, value.ndim - 1))
    keepdims = data.draw(st.booleans())
    assert_same(call(name, x, axis=axis, keepdims=keepdims), getattr(np, name)(value, axis=axis, keepdims=keepdims))


@given(data=st.data())
def test_nonzero_and_where(data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(min_dims=1)))
    assert_same(xp.nonzero(x), np.nonzero(value))
    other = data.draw(values(value.shape, (value.dtype.name,)))
    y, mask = distribute(other, data.draw(splits)), data.draw(values(value.shape, ("bool",)))
    condition = distribute(mask, data.draw(splits))
    assert_same(xp.where(condition, x, y), np.where(mask, value, other))
    number = value.dtype.type(1).item()
    assert_same(xp.where(condition, x, number), np.where(mask, value, value.dtype.type(1)))
    assert_same(xp.where(condition, 1, 0), np.where(mask, 1, 0))
    assert_same(xp.where(condition, 1.5, 0.0), np.where(mask, 1.5, 0.0))
    with pytest.raises(ValueError, match="0-d"):
        xp.nonzero(xp.asarray(1))


@needs("sort", "argsort")
@given(data=st.data())
def test_sorting(data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(min_dims=1), ORDERED))
    axis, descending = data.draw(st.integers(-value.ndim, value.ndim - 1)), data.draw(st.booleans())
    expected = np.sort(value, axis=axis)
    order = np.argsort(value, axis=axis, stable=True)
    if descending:
        expected = np.flip(expected, axis)
        last = value.shape[axis] - 1
        order = np.flip(last - np.argsort(np.flip(value, axis), axis=axis, stable=True), axis)
    assert_same(xp.sort(x, axis=axis, descending=descending), expected)
    assert_same(xp.argsort(x, axis=axis, descending=descending), order)


@needs("sort", "argsort", "searchsorted")
@given(data=st.data())
def test_searchsorted(data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(1, 1), (*REALS, "int64", "int32")))
    y, wanted = data.draw(pairs(shapes(), (value.dtype.name,)))
    side = data.draw(st.sampled_from(["left", "right"]))
    assert_same(xp.searchsorted(xp.sort(x), y, side=side), np.searchsorted(np.sort(value), wanted, side=side))
    sorter = xp.argsort(x)
    assert_same(
        xp.searchsorted(x, y, side=side, sorter=sorter),
        np.searchsorted(value, wanted, side=side, sorter=np.argsort(value, stable=True)),
    )
    number = value.dtype.type(2).item()
    assert_same(xp.searchsorted(xp.sort(x), number, side=side), np.searchsorted(np.sort(value), number, side=side))


@needs("unique_all")
@given(data=st.data())
def test_sets(data: st.DataObject) -> None:
    x, value = data.draw(pairs(names=("bool", *ORDERED), low=-3, high=3))
    assert_same(xp.unique_values(x), np.unique(value))
    values_, indices, inverse, counts = np.unique(value, True, True, True)
    inverse = inverse.reshape(value.shape)
    every = xp.unique_all(x)
    assert_same(tuple(every), (values_, indices, inverse, counts))
    assert every._fields == ("values", "indices", "inverse_indices", "counts")
    assert xp.unique_counts(x)._fields == ("values", "counts")
    assert xp.unique_inverse(x)._fields == ("values", "inverse_indices")
    assert_same(tuple(xp.unique_counts(x)), (values_, counts))
    assert_same(tuple(xp.unique_inverse(x)), (values_, inverse))


@needs("unique_all")
def test_not_a_number_is_distinct() -> None:
    value = np.array([np.nan, 1.0, np.nan, -0.0, 0.0])
    for split in (None, 0):
        unique = xp.unique_all(distribute(value, split))
        assert_same(unique.values, np.array([0.0, 1.0, np.nan, np.nan]))
        assert unique.counts.tolist() == [2, 1, 1, 1]


@needs("isin")
@pytest.mark.ranks(1, 2, 3)
@pytest.mark.parametrize("name", ["float64", "int16", "uint64", "complex64"])
def test_sets_and_places_of_a_column_of_which_a_rank_has_one_element_or_none(name: str) -> None:
    """Such a block counts as contiguous, though it has the strides of the matrix."""
    value = np.arange(12).reshape(4, 3).astype(name)
    for least in (-1, 2, 8, 11):
        chosen = np.arange(0, 12, 3) > least
        column, expected = distribute(value, 0)[distribute(chosen, 0)][:, 1], value[chosen][:, 1]
        assert_same(xp.unique_all(column), tuple(np.unique_all(expected)))
        if name != "complex64":
            assert_same(xp.searchsorted(distribute(value[:, 0], 0), column), np.searchsorted(value[:, 0], expected))


@given(data=st.data())
def test_isin(data: st.DataObject) -> None:
    x, value = data.draw(pairs(names=INTEGERS, low=-3, high=3))
    y, among = data.draw(pairs(names=(value.dtype.name,), low=-3, high=3))
    invert = data.draw(st.booleans())
    assert_same(xp.isin(x, y, invert=invert), np.isin(value, among, invert=invert))
    assert_same(xp.isin(x, 2), np.isin(value, 2))
    assert_same(xp.isin(2, x), np.isin(2, value))


# ---------------------------------------------------------------------- indexing
@needs("take_along_axis")
@given(data=st.data())
def test_take(data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(min_dims=1, min_side=1)))
    axis = data.draw(st.integers(-value.ndim, value.ndim - 1))
    rows = data.draw(values((data.draw(st.integers(0, 6)),), ("int64", "int32"), low=0, high=value.shape[axis] - 1))
    assert_same(xp.take(x, distribute(rows, data.draw(splits)), axis=axis), np.take(value, rows, axis=axis))
    many = data.draw(values(value.shape, ("int64",), low=0, high=value.shape[axis] - 1))
    assert_same(
        xp.take_along_axis(x, distribute(many, data.draw(splits)), axis=axis), np.take_along_axis(value, many, axis)
    )


@given(data=st.data())
def test_masks_with_an_axis_of_no_elements(data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(min_dims=1)))
    axes = data.draw(st.integers(1, value.ndim))
    empty = data.draw(st.lists(st.booleans(), min_size=axes, max_size=axes).filter(any))
    shape = tuple(0 if none else n for none, n in zip(empty, value.shape, strict=False))
    mask = np.ones(shape, bool)
    key = distribute(mask, data.draw(splits))
    assert_same(x[key], value[mask])
    x[key], value[mask] = 1, 1
    assert_same(x, value)
    with pytest.raises(IndexError, match="boolean index"):
        x[distribute(np.ones((0, *(n + 1 for n in value.shape[1:])), bool), None)] if value.ndim > 1 else x[
            distribute(np.ones(len(value) + 1, bool), None)
        ]


@given(data=st.data())
def test_getting_and_setting(data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(min_dims=1, min_side=1)))
    key: Any = []
    for extent in value.shape[: data.draw(st.integers(0, value.ndim))]:
        step = data.draw(st.sampled_from([None, 1, 2, -1]))
        entry = st.integers(-extent, extent - 1) | st.just(slice(None, None, step)) | st.just(slice(1, None))
        key.append(data.draw(entry))
    if data.draw(st.booleans()):
        key.insert(data.draw(st.integers(0, len(key))), None)
    key = (*key, ...) if len(key) < value.ndim else tuple(key)
    assert_same(x[key], value[key])
    changed = value.copy()
    x = x.copy()
    x[key], changed[key] = 1, 1
    assert_same(x, changed)
    mask = data.draw(values(value.shape, ("bool",)))
    assert_same(x[distribute(mask, data.draw(splits))], changed[mask])
    x[distribute(mask, data.draw(splits))] = 0
    changed[mask] = 0
    assert_same(x, changed)
    rows = data.draw(values((3,), ("int64",), low=0, high=value.shape[0] - 1))
    assert_same(x[distribute(rows, data.draw(splits)), ...], changed[rows, ...])


# ---------------------------------------------------------------------- linear algebra
@st.composite
def matrices(draw: st.DrawFn, rows: int | None = None, columns: int | None = None, names: Any = FLOATS) -> Any:
    """A stack of matrices and its distribution: replicated, along the first or the last axis."""
    stack = draw(st.sampled_from([(), (2,), (2, 3)]))
    m = draw(st.integers(1, 5)) if rows is None else rows
    n = draw(st.integers(1, 5)) if columns is None else columns
    return draw(pairs((*stack, m, n), names))


@needs("tensordot", "linalg.cross")
@given(data=st.data())
def test_products(data: st.DataObject) -> None:
    x, a = data.draw(matrices(names=NUMERIC))
    b = data.draw(values((*a.shape[:-2], a.shape[-1], 3), (a.dtype.name,)))
    y = distribute(b, data.draw(splits))
    assert_same(xp.matmul(x, y), np.matmul(a, b))
    assert_same(xp.matrix_transpose(x), np.matrix_transpose(a))
    assert_same(xp.vecdot(x, x), np.vecdot(a, a))
    assert_same(xp.vecdot(x, x, axis=-2), np.vecdot(a, a, axis=-2))
    assert_same(xp.tensordot(x, x, axes=a.ndim), np.tensordot(a, a, axes=a.ndim))
    assert_same(xp.tensordot(x, y, axes=((-1,), (-2,))), np.tensordot(a, b, axes=((-1,), (-2,))))
    assert_same(xp.tensordot(x[..., 0], y[..., 0], axes=0), np.tensordot(a[..., 0], b[..., 0], axes=0))
    v, w = data.draw(pairs((4,), (a.dtype.name,))), data.draw(pairs((3,), (a.dtype.name,)))
    assert_same(xp.linalg.outer(v[0], w[0]), np.outer(v[1], w[1]))
    c, d = data.draw(pairs((2, 3), (a.dtype.name,))), data.draw(pairs((2, 3), (a.dtype.name,)))
    assert_same(xp.linalg.cross(c[0], d[0]), np.linalg.cross(c[1], d[1]))


@needs("diagonal")
@given(data=st.data())
def test_parts_and_norms(data: st.DataObject) -> None:
    x, a = data.draw(matrices())
    offset = data.draw(st.integers(-2, 2))
    assert_same(xp.linalg.diagonal(x, offset=offset), np.linalg.diagonal(a, offset=offset))
    assert_same(xp.linalg.trace(x, offset=offset), np.linalg.trace(a, offset=offset))
    for name in ("uint8", "int16", "uint64", "complex64"):
        kind = a.real.astype("int32")
        traced = xp.linalg.trace(xp.astype(xp.real(x), xp.int32), dtype=getattr(xp, name))
        assert_same(traced, np.linalg.trace(kind, dtype=name))
    real = None
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        expected = np.linalg.matrix_norm(a, ord=order)
        assert_same(xp.linalg.matrix_norm(x, ord=order), expected, dtype=real, rtol=2e-4)
    for order in (0, 1, 2, 3.5, np.inf, -np.inf, -1):
        axis = data.draw(st.sampled_from([None, -1, 0, (0, 1)]))
        with np.errstate(all="ignore"):
            expected = np.linalg.vector_norm(a, axis=axis, ord=order, keepdims=True)
        assert_same(xp.linalg.vector_norm(x, axis=axis, ord=order, keepdims=True), expected, dtype=real, rtol=2e-4)


def spread(a: np.ndarray) -> np.ndarray:
    """Square matrices far from singular."""
    n = a.shape[-1]
    return (a + (40 + np.arange(n)) * np.eye(n)).astype(a.dtype)


@needs("linalg.solve")
@given(data=st.data())
def test_square(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5))
    _, a = data.draw(matrices(n, n))
    a = spread(a)
    x = distribute(a, data.draw(splits))
    single = a.dtype.name in ("float32", "complex64")
    rtol = 2e-3 if single else 1e-9
    assert_same(xp.linalg.det(x), np.linalg.det(a), rtol=rtol)
    sign, logarithm = xp.linalg.slogdet(x)
    assert_same((sign, logarithm), tuple(np.linalg.slogdet(a)), rtol=rtol)
    assert_same(xp.linalg.inv(x), np.linalg.inv(a), rtol=rtol)
    b = data.draw(values((*a.shape[:-1], 2), (a.dtype.name,)))
    assert_same(xp.linalg.solve(x, distribute(b, data.draw(splits))), np.linalg.solve(a, b), rtol=rtol)
    assert_same(xp.linalg.matrix_power(x, 3), np.linalg.matrix_power(a, 3), rtol=rtol)
    assert_same(xp.linalg.matrix_power(x, -1), np.linalg.matrix_power(a, -1), rtol=rtol)
    hermitian = (a @ np.conj(np.matrix_transpose(a))).astype(a.dtype)
    h = distribute(hermitian, data.draw(splits))
    lower = np.linalg.cholesky(hermitian)
    assert_same(xp.linalg.cholesky(h), lower, rtol=rtol)
    assert_same(xp.linalg.cholesky(h, upper=True), np.conj(np.matrix_transpose(lower)), rtol=rtol)
    scale = float(np.abs(hermitian).max())
    assert_same(xp.linalg.eigvalsh(h) / scale, np.linalg.eigvalsh(hermitian) / scale, dtype=None, rtol=rtol)
    eigenvalues, vectors = xp.linalg.eigh(h)
    again = vectors * eigenvalues[..., None, :] @ xp.conj(xp.matrix_transpose(vectors))
    assert_same(again / scale, hermitian / scale, dtype=None, rtol=rtol)


@needs("linalg.svd", "linalg.pinv")
@given(data=st.data())
def test_decompositions(data: st.DataObject) -> None:
    x, a = data.draw(matrices())
    rtol = 5e-4 if a.dtype.name in ("float32", "complex64") else 1e-9
    for mode in ("reduced", "complete"):
        q, r = xp.linalg.qr(x, mode=mode)
        assert q.shape == np.linalg.qr(a, mode=mode)[0].shape
        assert_same(q @ r, a, rtol=rtol)
    for full in (True, False):
        u, s, vh = xp.linalg.svd(x, full_matrices=full)
        assert [part.shape for part in (u, s, vh)] == [p.shape for p in np.linalg.svd(a, full_matrices=full)]
        k = min(a.shape[-2:])
        assert_same((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a, rtol=rtol)
    assert_same(xp.linalg.svdvals(x), np.linalg.svdvals(a), rtol=rtol)
    assert_same(xp.linalg.matrix_rank(x), np.linalg.matrix_rank(a), dtype=None)
    product = x @ xp.linalg.pinv(x) @ x
    assert_same(product, a, rtol=50 * rtol)


@pytest.mark.ranks(1, 2, 3)
@pytest.mark.parametrize("name", FLOATS)
def test_qr_of_dependent_columns_has_no_nan(name: str) -> None:
    """What is left of the columns underflows; in complex64 torch makes NaN of it, or of its direction."""
    for n in (5, 12, 23):
        value = np.ones((n, n), name)
        for split in (None, 0, 1):
            x = distribute(value, split)
            for mode in ("reduced", "complete"):
                q, r = xp.linalg.qr(x, mode=mode)
                assert_same(q @ r, value)
                assert_same(xp.conj(q).T @ q, np.eye(n, dtype=name))


@needs("linalg.eig")
@given(data=st.data())
def test_general_eigenvalues(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 4))
    x, a = data.draw(matrices(n, n, REALS))
    found, vectors = xp.linalg.eig(x)
    rtol = 5e-3 if a.dtype == np.float32 else 1e-7
    assert xp.isdtype(found.dtype, "complex floating") and xp.isdtype(vectors.dtype, "complex floating")
    assert_same(xp.astype(x, vectors.dtype) @ vectors, (vectors * found[..., None, :]).numpy(), dtype=None, rtol=rtol)
    assert xp.linalg.eigvals(x).shape == a.shape[:-1]


# ---------------------------------------------------------------------- Fourier transforms
NORMS = st.sampled_from(["backward", "ortho", "forward"])


@needs("fft.fft")
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@given(data=st.data())
def test_fourier(name: str, data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(1, 3, min_side=2), REALS if name in ("rfft", "ihfft") else COMPLEX))
    axis, n = data.draw(st.integers(-value.ndim, value.ndim - 1)), data.draw(st.none() | st.integers(1, 6))
    norm = data.draw(NORMS)
    expected = getattr(np.fft, name)(value, n=n, axis=axis, norm=norm)
    assert_same(call(name, x, n=n, axis=axis, norm=norm, module="fft"), expected, rtol=2e-4)


@needs("fft.fftn")
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
@given(data=st.data())
def test_fourier_over_axes(name: str, data: st.DataObject) -> None:
    x, value = data.draw(pairs(shapes(1, 3, min_side=2), REALS if name == "rfftn" else COMPLEX))
    axes = data.draw(st.none() | st.permutations(range(value.ndim)).map(lambda p: tuple(p[:2])))
    norm = data.draw(NORMS)
    expected = getattr(np.fft, name)(value, axes=axes, norm=norm)
    assert_same(call(name, x, axes=axes, norm=norm, module="fft"), expected, rtol=2e-4)
    with pytest.raises(ValueError, match=f"{name}: s and axes"):
        call(name, x, s=(2,) * (value.ndim + 1), module="fft")


@needs("fft.fftfreq")
@given(data=st.data())
def test_frequencies(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 9))
    for name in ("fftfreq", "rfftfreq"):
        assert_same(call(name, n, d=0.5, module="fft"), getattr(np.fft, name)(n, 0.5))
        assert_same(call(name, n, dtype=xp.float32, module="fft"), getattr(np.fft, name)(n).astype(np.float32))
    x, value = data.draw(pairs(shapes(min_dims=1), ALL))
    axes = data.draw(st.none() | st.integers(-value.ndim, value.ndim - 1))
    assert_same(xp.fft.fftshift(x, axes=axes), np.fft.fftshift(value, axes))
    assert_same(xp.fft.ifftshift(x, axes=axes), np.fft.ifftshift(value, axes))


@pytest.mark.parametrize("name", ["cross", "vecdot"])
def test_products_of_vectors_along_no_axis_say_so(name: str) -> None:
    for x, axis in ((xp.asarray(1.0), -1), (xp.ones(3), 1), (xp.ones((2, 3)), -3)):
        with pytest.raises(ValueError, match=f"{name}: axis {axis} is out of bounds for {x.ndim}-dimensional array"):
            call(name, x, x, module="linalg", axis=axis)
