# SPDX-License-Identifier: BSD-3-Clause
"""NumPy's functions that have no name here, masks and first values of reductions, SciPy's special functions."""

from __future__ import annotations

import copy
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from layouts import distribute, size
from op_cases import layouts

import equiheat as ht

RNG = np.random.default_rng(3)
A = RNG.normal(size=(5, 4)).round(2)
PHASES = np.cumsum(RNG.uniform(-5, 5, (6, 4)), 0)
GAPS = np.where(RNG.random((5, 4)) < 0.3, np.nan, A)
GAPS[0] = A[0]
WHOLE = RNG.integers(0, 40, (5, 4))
SQUARE = RNG.normal(size=(12, 12)) + 9 * np.eye(12)
COEFFICIENTS = np.array([0.5, -2.0, 3.0])
Case = Callable[[Any], Any]

CASES: dict[str, tuple[Case, np.ndarray]] = {
    "polyval": (lambda x: np.polyval(COEFFICIENTS, x), A),
    "polyfit": (lambda x: np.polyfit(x[:, 0], x[:, 1] ** 2, 2), A),
    "polyfit, weights": (lambda x: np.polyfit(x[:, 0], x[:, 1:], 1, w=abs(x[:, 1])), A),
    "unwrap": (lambda x: np.unwrap(x, axis=0), PHASES),
    "unwrap, last axis": (lambda x: np.unwrap(x, discont=4), PHASES),
    "unwrap, odd period": (lambda x: np.unwrap(x, axis=0, period=7), WHOLE),
    "unwrap, even period": (lambda x: np.unwrap(x, axis=0, period=8), WHOLE),
    "apply_along_axis": (lambda x: np.apply_along_axis(np.sum, 0, x), A),
    "apply_along_axis, vectors": (lambda x: np.apply_along_axis(lambda v: v[:2], 1, x), A),
    "apply_along_axis, matrices": (lambda x: np.apply_along_axis(lambda v: np.outer(v, v), 0, x), A),
    "apply_over_axes": (lambda x: np.apply_over_axes(np.sum, x, [0, 1]), A),
    "piecewise": (lambda x: np.piecewise(x, [x < -0.5, x > 0.5], [lambda v: -v, lambda v: v * v, 7.0]), A),
    "nanargmax": (lambda x: np.nanargmax(x, axis=0), GAPS),
    "nanargmin": (lambda x: np.nanargmin(x), GAPS),
    "nancumsum": (lambda x: np.nancumsum(x, axis=0), GAPS),
    "nancumprod": (lambda x: np.nancumprod(x), GAPS),
    "concatenate, flat": (lambda x: np.concatenate([x, A], axis=None), A),
    "pad": (lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=3), A),
    "einsum": (lambda x: np.einsum("ij,kj->ik", x, x, optimize=True), A),
    "i0": (np.i0, A),
    "tril_indices_from": (lambda x: np.tril_indices_from(x, -1), A),
    "triu_indices_from": (lambda x: np.triu_indices_from(x, 1), A),
    "diag_indices_from": (lambda x: np.diag_indices_from(x), SQUARE),
    "emath.sqrt": (lambda x: np.emath.sqrt(x), A),
    "emath.log": (lambda x: np.emath.log(abs(x)), A),
    "emath.arccos": (lambda x: np.emath.arccos(x * 2), A),
    "emath.power": (lambda x: np.emath.power(x, -0.5), A),
    "emath.logn": (lambda x: np.emath.logn(2, x), A),
    "real_if_close": (lambda x: np.real_if_close(x + 0j), A),
    "sliding_window_view": (lambda x: np.lib.stride_tricks.sliding_window_view(x, (3, 2)), A),
    "tensorinv": (lambda x: np.linalg.tensorinv(x.reshape((4, 3, 3, 4))), SQUARE),
    "tensorsolve": (lambda x: np.linalg.tensorsolve(x.reshape((4, 3, 3, 4)), A.T[:, :3]), SQUARE),
    "astype": (lambda x: np.astype(x, np.float32), A),
    "sum, where": (lambda x: np.sum(x, axis=0, where=x > 0, initial=2.0), A),
    "sum, dtype": (lambda x: np.sum(x.astype(np.float32), dtype=float), A),
    "max, where": (lambda x: np.max(x, axis=1, where=A > 0, initial=-9.0), A),
    "min, empty": (lambda x: np.min(x[:0], axis=0, initial=3.0), A),
    "mean, where": (lambda x: np.mean(x, axis=0, where=abs(x) < 2, keepdims=True), A),
    "var, where": (lambda x: np.var(x, axis=1, where=abs(x) < 2, ddof=1), A),
    "std, where": (lambda x: np.std(x, where=A < 1), A),
    "any, where": (lambda x: np.any(x > 1, axis=0, where=A < 2), A),
    "add.reduce, where": (lambda x: np.add.reduce(x, where=A > 0), A),
    "logaddexp.reduce": (lambda x: np.logaddexp.reduce(x, axis=None), A),
    "logaddexp.reduce, axis": (lambda x: np.logaddexp.reduce(x, axis=0), A),
    "fmax.reduce": (lambda x: np.fmax.reduce(x, axis=1), GAPS),
    "logical_xor.reduce": (lambda x: np.logical_xor.reduce(x > 0, axis=(0, 1)), A),
    "fmax.reduce, keepdims": (lambda x: np.fmax.reduce(x, axis=(0, -1), keepdims=True), GAPS),
    "fmax.reduce, number": (lambda x: np.fmax.reduce(x[0, 0]), A),
    "add.reduce, number": (lambda x: np.add.reduce(x[0, 0]), A),
    "gcd.reduce, one": (lambda x: np.gcd.reduce(-x[:1]), WHOLE),
    "hypot.reduce, where": (lambda x: np.hypot.reduce(x, axis=1, where=x > 0, initial=0.5), A),
    "bitwise_and.reduce, where": (lambda x: np.bitwise_and.reduce(x.astype(np.uint8), where=x > 9), WHOLE),
    "bitwise_or.reduce, empty": (lambda x: np.bitwise_or.reduce(x[:0], axis=0, initial=5), WHOLE),
    "maximum.accumulate": (lambda x: np.maximum.accumulate(x), GAPS),
    "minimum.accumulate": (lambda x: np.minimum.accumulate(x, axis=-1), WHOLE),
    "fmin.accumulate": (lambda x: np.fmin.accumulate(x.reshape((4, 5)), axis=0), GAPS),
    "logical_or.accumulate": (lambda x: np.logical_or.accumulate(x > 1, axis=1), A),
    "bitwise_xor.accumulate": (lambda x: np.bitwise_xor.accumulate(x), WHOLE),
    "logaddexp.accumulate": (lambda x: np.logaddexp.accumulate(x, axis=0), A),
    "gcd.accumulate, empty": (lambda x: np.gcd.accumulate(x[:0]), WHOLE),
    "linspace": (lambda x: np.linspace(x, -x, 5), A),
    "linspace, axis": (lambda x: np.linspace(x[0], A[1], 3, endpoint=False, axis=-1), A),
    "linspace, step": (lambda x: np.linspace(0, x, 4, retstep=True), A),
    "linspace, whole": (lambda x: np.linspace(x[0], 2.5, 4, dtype=int), A),
    "linspace, one": (lambda x: np.linspace(x, 2.0, 1), A),
    "linspace, numbers": (lambda x: np.linspace(x[0, 0], 1.0, 7), A),
    "logspace": (lambda x: np.logspace(x[:, 0], 1.0, 3, base=2), A),
    "geomspace": (lambda x: np.geomspace(x, x**3 * 0.5, 4, axis=1), A),
    "tensordot of bool": (lambda x: np.tensordot(x > 0, x < 1, axes=((0,), (0,))), A),
    "ravel, F": (lambda x: np.ravel(x, order="F"), A),
    "ravel, method": (lambda x: x.ravel("F"), A),
    "flatten, F": (lambda x: x.flatten("F"), A),
    "reshape, F": (lambda x: np.reshape(x, (2, -1, 5), order="F"), A),
    "reshape, method": (lambda x: x.reshape(10, 2, order="F"), A),
    "transpose, method": (lambda x: x.reshape(2, 3, 24).transpose(1, -1, 0), SQUARE),
    "matrix trace": (lambda x: np.linalg.trace(x.reshape((3, 4, 12)), offset=1), SQUARE),
    "qr, r": (lambda x: np.abs(np.linalg.qr(x, "r")), A),
    "diag, k": (lambda x: np.diag(x, k=-1), A),
    "diag, made": (lambda x: np.diag(x[:, 1], 2), A),
    "diagonal, axes": (lambda x: np.diagonal(x.reshape((3, 4, 12)), 1, axis1=2, axis2=0), SQUARE),
    "diagonal, method": (lambda x: x.reshape((3, 4, 12)).diagonal(axis1=-1, axis2=1), SQUARE),
    "take, wrap": (lambda x: np.take(x, [7, -1, -9], axis=0, mode="wrap"), A),
    "take, clip": (lambda x: x.take([99, -1, 3], mode="clip"), A),
    "take, ours": (lambda x: np.take(x.ravel(), x, mode="wrap"), WHOLE),
    "einsum, lists": (lambda x: np.einsum(x, [0, 1], A, [2, 1]), A),
    "einsum, lists and result": (lambda x: np.einsum(x, [..., 30], A, [7, 30], [7, ...]), A),
    "einsum, dtype": (lambda x: np.einsum("ij,ij->j", x, x, dtype=complex), A),
    "broadcast_arrays, mixed": (lambda x: tuple(np.broadcast_arrays(A[0], x, 2.0)), A),
    "vecdot, axis": (lambda x: np.vecdot(x.reshape((3, 4, 12)), A[:3, 0], axis=0), SQUARE),
    "median, overwriting": (lambda x: np.median(x, axis=0, overwrite_input=True), A),
    "interp, number": (lambda x: np.interp(0.5, np.arange(4), x[1]), A),
    "full_like, shape": (lambda x: np.full_like(x, 3.5, shape=(2, 3)), A),
    "zeros_like, shape": (lambda x: np.zeros_like(x, dtype=np.int64, shape=7), A),
    "trace of uint64": (lambda x: np.trace(x.astype(np.uint64)), WHOLE),
}  # fmt: skip


def same(ours: Any, theirs: Any) -> None:
    """The values, and the kind of their type."""
    if isinstance(theirs, tuple):
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
        return
    assert isinstance(ours, ht.DNDarray) and ours.shape == np.shape(theirs)
    assert ours.dtype.dtype.kind == np.asarray(theirs).dtype.kind
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_values(name: str) -> None:
    function, values = CASES[name]
    expected = function(values)
    for x in (*layouts(values), distribute(values, 0, [0] * (size() - 1) + [len(values)])):
        same(function(x), expected)


def test_answers_that_are_no_arrays() -> None:
    for split in (None, 0, 1):
        x = ht.array(A, split=split)
        assert np.array_equiv(x, ht.array(A)) and not np.array_equiv(x, A[:, 0])
        assert np.result_type(x, np.float32).itemsize == 8 and np.result_type(x.astype(np.float32), 2.0).itemsize == 4
        assert np.common_type(x, A) is np.float64 and np.min_scalar_type(x) == np.float64
        assert np.einsum_path("ij,kj,kl->il", x, x, x) == np.einsum_path("ij,kj,kl->il", A, A, A)
        assert (x.item(6), x.item(-1), x.item(1, 2), x.item((1, -1))) == (A.item(6), A.item(-1), A[1, 2], A[1, -1])
        with pytest.raises(IndexError, match="20"):
            x.item(20)
        with pytest.raises(ValueError, match="item"):
            x.item(1, 2, 3)
        assert x.tobytes() == A.tobytes()


def test_nothing_equals_what_is_no_number() -> None:
    x = distribute(A, 0)
    for other in (None, "a", b"a", object()):
        for equal, unequal in ((x == other, x != other), (other == x, other != x)):
            assert equal.shape == unequal.shape == A.shape and equal.split == 0
            assert not equal.numpy().any() and unequal.numpy().all()


def test_signs_of_complex_zeros_and_infinities() -> None:
    parts = (0.0, -0.0, 1.0, -3.0, 0.5, np.inf, -np.inf, np.nan, 1e30)
    for dtype in (np.complex64, np.complex128):
        z = np.array([complex(a, b) for a in parts for b in parts]).astype(dtype)
        for name in ("sign", "reciprocal", "log1p"):
            with np.errstate(all="ignore"):
                expected = getattr(np, name)(z)
            got = getattr(ht, name)(distribute(z, 0)).numpy()
            for ours, theirs in ((got.real, expected.real), (got.imag, expected.imag)):
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-38)
                known = ~np.isnan(theirs)
                np.testing.assert_array_equal(np.signbit(ours)[known], np.signbit(theirs)[known], err_msg=name)


def test_arrays_made_like_ours() -> None:
    x = ht.zeros(3, split=0)
    made = {
        np.zeros: (3,), np.full: (3, 2), np.eye: (3, 4), np.arange: (5,), np.identity: (2,), np.asarray: ([1, 2.0],),
        np.tri: (3,), np.array: ([[1], [2]],),
    }  # fmt: skip
    for function, args in made.items():
        for split in (None, 0):
            with ht.default_split(split):
                ours, theirs = function(*args, like=x), function(*args)
            assert ours.dtype == theirs.dtype and ours.split == split
            np.testing.assert_array_equal(ours.numpy(), theirs)
    same(np.asarray([x, x], like=x), np.zeros((2, 3)))


def test_coefficients_must_be_whole() -> None:
    p = ht.array(COEFFICIENTS)
    same(np.polyder(p), np.polyder(COEFFICIENTS))
    same(np.polydiv(p, [1.0, 1.0]), np.polydiv(COEFFICIENTS, [1.0, 1.0]))
    with pytest.raises(TypeError, match="roots"):
        np.roots(ht.array(COEFFICIENTS, split=0))


def test_errors_are_on_all_ranks() -> None:
    x = ht.array(A, split=0)
    with pytest.raises(ValueError, match="All-NaN"):
        np.nanargmax(x * np.nan, axis=0)
    with pytest.raises(ValueError, match="initial"):
        np.max(x, where=A > 0)
    with pytest.raises(ValueError, match="order"):
        x.ravel("X")
    with pytest.raises(ValueError, match="mode"):
        np.take(x, [9], mode="nearest")
    with pytest.raises(ValueError, match="one sign"):
        np.geomspace(x, 1.0)
    with pytest.raises(ValueError, match="labels"):
        np.einsum(x, [0, 52])

    def fails_on_the_first_row(row: np.ndarray) -> float:
        if row[0] == A[0, 0]:
            raise KeyError("row")
        return float(row[0])

    with pytest.raises((KeyError, RuntimeError), match=r"row|rank 0"):
        np.apply_along_axis(fails_on_the_first_row, 1, x)
    with pytest.raises(TypeError, match=r"multiply\.at"):
        np.multiply.at(x, 0, 1)
    with pytest.raises(TypeError, match=r"negative\.at"):
        np.negative.at(x, 0)
    with pytest.raises(TypeError, match=r"add\.at: cannot add values of complex128"):
        np.add.at(x, 0, 1j)
    with pytest.raises(TypeError, match=r"subtract\.accumulate"):
        np.subtract.accumulate(x)
    with pytest.raises(TypeError, match=r"add\.reduceat"):
        np.add.reduceat(x, [0])


def test_results_where_they_are_wanted() -> None:
    for split in (None, 0, 1):
        for function in (
            lambda x, out: np.einsum("ij,ij->j", x, x, out=out),
            lambda x, out: np.take(x, 1, axis=0, out=out),
            lambda x, out: np.sum(x, axis=0, out=out),
        ):
            ours, theirs = ht.zeros(4, dtype=ht.float64, split=None if split is None else 0), np.zeros(4)
            assert function(ht.array(A, split=split), ours) is ours
            function(A, theirs)
            same(ours, theirs)


#: array, index, values
ADDED: list[tuple[np.ndarray, Any, Any]] = [
    (A, 2, 1.5), (A, [0, 0, 2, -1, 0], 1), (A, ([0, 0, 1], [1, 1, 2]), [1.0, 2.0, 3.0]), (A, WHOLE % 5, 0.5),
    (A, (slice(1, 4, 2), [0, 0, 3]), 2), (A, A > 0, 5), (A, (..., [0, 0]), A[:, :1]), (A, [], 1),
    (A, [3, 3], A[:2]), (WHOLE, [1, 1], WHOLE[:2].astype(np.uint8)), (WHOLE + 2**60, [2, 2], 1),
    (WHOLE.astype(np.uint8), [0, 0], 250), (A + 1j, [0, 0], 1j),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(ADDED)))
def test_adding_at_places_that_repeat(case: int) -> None:
    values, index, added = ADDED[case]
    for x in layouts(values):
        for ufunc in (np.add, np.subtract):
            ours, theirs, split = x.copy(), values.copy(), x.split
            ufunc.at(ours, index, ht.array(added, split=0) if isinstance(added, np.ndarray) else added)
            ufunc.at(theirs, index, added)
            same(ours, theirs)
            np.testing.assert_array_equal(ours.numpy(), theirs)
            assert ours.split == split and ours.dtype == theirs.dtype


def test_casts_that_are_asked_for() -> None:
    for split in (None, 0, 1):
        x, n, theirs = ht.array(A, split=split), ht.array(WHOLE, split=split), WHOLE.copy()
        for out in (n, n.numpy()):
            where = out.shape == A.shape and A > 0
            if split is None or isinstance(out, ht.DNDarray):
                np.multiply(x, 3, out=out, where=where, casting="unsafe")
                np.multiply(A, 3, out=theirs, where=where, casting="unsafe")
                np.testing.assert_array_equal(n.numpy(), theirs)
        np.copyto(n, x * 7, casting="unsafe", where=where)
        np.copyto(theirs, A * 7, casting="unsafe", where=where)
        np.testing.assert_array_equal(n.numpy(), theirs)
        same(
            np.concatenate((x, n), dtype=int, casting="unsafe"),
            np.concatenate((A, theirs), dtype=int, casting="unsafe"),
        )
        for refused in (
            lambda x, n: np.copyto(n, x),
            lambda x, n: np.copyto(n, 2.5),
            lambda x, n: np.copyto(x.astype(np.float32), x, casting="safe"),
            lambda x, n: np.add(x, 1, out=n),
            lambda x, n: np.concatenate((x, x), dtype=int),
        ):
            for arguments in ((x, n), (A, theirs)):
                with pytest.raises(TypeError):
                    refused(*arguments)


def test_bfloat16_which_numpy_has_not() -> None:
    for split in (None, 0):
        x = ht.array([1.0, -2.0, 3.0, 0.5], split=split).astype(ht.bfloat16)
        assert np.fmax.reduce(x).item() == 3.0 and np.maximum.accumulate(x).dtype == ht.bfloat16
        assert np.maximum.accumulate(x).tolist() == [1.0, 1.0, 3.0, 3.0]
        assert np.concatenate((x, x), dtype=np.float32).dtype == ht.float32
        np.add.at(x, [0, 0], 1)
        assert x.tolist() == [3.0, -2.0, 3.0, 0.5]


def test_bounds_beyond_what_integers_can_be() -> None:
    for dtype in (np.uint8, np.int16, np.uint64):
        values, least, most = np.arange(7).astype(dtype), int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        for split in (None, 0):
            x = ht.array(values, split=split)
            for low, high in ((2, most + 1), (least - 1, 3), (least - 1, most + 1)):
                for ours in (np.clip(x, low, high), x.clip(low, high)):
                    assert ours.dtype == dtype
                    np.testing.assert_array_equal(ours.numpy(), np.clip(values, low, high))
            with pytest.raises(OverflowError):
                ht.clip(x, most + 1, most + 2)


def test_numbers_of_elements_along_axes() -> None:
    x = ht.array(A, split=0)
    for axis in (None, 0, -1, (0, 1), ()):
        assert np.size(x, axis) == np.size(A, axis)


def test_parts_and_copies() -> None:
    for split in (None, 0, 1):
        z, theirs = ht.array(A + 1j, split=split), A + 1j
        for x in (z, theirs):
            x.real = 2
            x.imag = A
            x.real[1:3] += x.imag[2:4]
        same(z, theirs)
        with pytest.raises(TypeError, match="imag"):
            ht.array(A, split=split).imag = 1
        twin = copy.copy(z)
        twin[...] = 0
        same(z, theirs)


def test_methods_in_place() -> None:
    x = ht.array(A, split=0)
    x.partition(2)
    np.testing.assert_array_equal(x.numpy()[:, 2], np.sort(A)[:, 2])
    x.fill(2)
    np.testing.assert_array_equal(x.numpy(), np.full((5, 4), 2.0))


def test_special_functions_take_blocks_for_what_they_are() -> None:
    """SciPy's array API mode looks functions up in ``xp.special``; without them it would take a block for the array."""
    special = pytest.importorskip("scipy.special")
    namespace = ht.zeros(1).__array_namespace__().special
    for split in (None, 0, 1):
        x = ht.array(abs(A), split=split)
        for name, more in (("expit", ()), ("entr", ()), ("betainc", (2.0, 0.5)), ("ndtri", ())):
            values = abs(A) / 3 if name == "ndtri" else abs(A)
            ours = getattr(namespace, name)(x / 3 if name == "ndtri" else x, *more)
            assert ours.split == split
            same(ours, getattr(special, name)(values, *more))
    assert not hasattr(namespace, "no_such_function")


def test_the_page_of_functions_names_what_is_refused() -> None:
    page = (pathlib.Path(__file__).parents[2] / "docs" / "numpy_functions.md").read_text()
    x = ht.ones((8, 3), dtype=ht.uint8, split=0)
    for name in ("packbits", "sort_complex"):
        assert f"| `np.{name}` | refused |" in page
        with pytest.raises(TypeError, match=name):
            getattr(np, name)(x)
    assert "| `np.polyval` | native |" in page


def test_extremes_of_large_integers() -> None:
    """That no real number of the default type tells apart."""
    value = np.array([2**53, 2**53 + 1, 2**53 - 1] * 2)
    for split in (None, 0):
        x = ht.array(value, split=split)
        assert int(np.nanargmax(x)) == 1
        assert int(np.nanargmin(x)) == 2


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_logarithm_and_power_at_the_ends(dtype: str) -> None:
    z = np.array([1e-30 + 1j * np.inf, 1e-30 - 1j * np.inf, np.inf, -np.inf, 0, 1j], dtype)
    for split in (None, 0):
        x = ht.array(z, split=split)
        angle = ht.log1p(x).numpy().imag
        np.testing.assert_allclose(angle, np.arctan2(z.imag, z.real + 1), rtol=1e-6)
        np.testing.assert_array_equal((x**0).numpy(), np.ones(6))
        np.testing.assert_array_equal((x ** ht.zeros(6, split=split)).numpy(), np.ones(6))
