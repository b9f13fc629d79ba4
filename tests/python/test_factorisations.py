# SPDX-License-Identifier: BSD-3-Clause
"""QR, least squares and ridge regression on split arrays, at any rank count."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat import _core
from equiheat.testing import all_layouts, all_splits, assert_equal, gradcheck, uneven_counts, with_counts
from equiheat.testing import strategies as ehst

SIZE = ht.get_comm().size
SHAPES = [(20, 3), (7, 7), (3, 9), (5, 4), (1, 1), (0, 3), (3, 0), (40, 30), (90, 80), (70, 130)]


@pytest.fixture(params=["gathered", "distributed"])
def tuning(request: pytest.FixtureRequest) -> Iterator[None]:
    before = _core.linalg_tuning(1 << 18, 64, 32) if request.param == "gathered" else _core.linalg_tuning(0, 64, 32)
    yield
    _core.linalg_tuning(*before)


def random(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape)


def with_rank(m: int, n: int, kind: str, dtype: str = "float64") -> np.ndarray[Any, Any]:
    """A matrix of full rank, of rank 1, or zero."""
    a = random(m, n) + (1j * random(m, n, seed=1) if dtype == "complex128" else 0)
    if kind == "full" or a.size == 0:
        return a
    return a[:, :1] @ a[:1] if kind == "rank 1" else np.zeros_like(a)


def layout_pairs(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> Iterator[tuple[ht.DNDarray, ht.DNDarray]]:
    """Every pair of splits, evenly and unevenly distributed in turn."""
    for i, (left, right) in enumerate(itertools.product(all_splits(a.ndim), all_splits(b.ndim))):
        counts = [
            None if split is None or i % 2 == 0 else uneven_counts(values.shape[split], SIZE, i)
            for values, split in ((a, left), (b, right))
        ]
        yield with_counts(a, left, counts[0]), with_counts(b, right, counts[1])


def check_qr(a: np.ndarray[Any, Any], x: ht.DNDarray, mode: Any, atol: float = 1e-10) -> None:
    """Q R = A, Q^H Q = 1, R upper triangular with real non-negative diagonal, splits as documented."""
    q, r = ht.qr(x, mode)
    k = a.shape[0] if mode == "complete" else min(a.shape)
    upper = r.numpy()
    assert r.shape == (k, a.shape[1])
    np.testing.assert_array_equal(np.tril(upper, -1), 0)
    assert (np.diagonal(upper).real >= 0).all() and np.abs(np.diagonal(upper).imag).max(initial=0) < atol
    assert r.split == (None if x.split in (None, 0) else 1)
    if mode == "r":
        assert q is None
        return
    assert q is not None and q.split == x.split
    columns = q.numpy()
    assert columns.shape == (a.shape[0], k)
    np.testing.assert_allclose(columns.conj().T @ columns, np.eye(k), atol=atol)
    np.testing.assert_allclose(columns @ upper, a, atol=atol)


@pytest.mark.usefixtures("tuning")
@pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
@pytest.mark.parametrize("kind", ["full", "rank 1", "zero"])
@pytest.mark.parametrize("shape", SHAPES)
def test_qr(shape: tuple[int, int], kind: str, mode: str) -> None:
    a = with_rank(*shape, kind)
    for x in all_layouts(a):
        check_qr(a, x, mode)


@pytest.mark.usefixtures("tuning")
@given(st.data(), st.integers(0, 9), st.integers(0, 9), ehst.dtypes(("int32", "float32", "complex64", "complex128")))
def test_qr_of_any_layout_and_type(data: st.DataObject, m: int, n: int, dtype: str) -> None:
    x, a = data.draw(ehst.pairs((m, n), (dtype,)))
    check_qr(a, x, data.draw(st.sampled_from(["reduced", "complete", "r"])), 1e-9 if dtype == "complex128" else 1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("kind", ["random", "graded", "near dependent", "dependent", "huge", "tiny", "zero column"])
def test_qr_of_a_tall_matrix_has_lapacks_errors(kind: str, dtype: str) -> None:
    m, n = 2100, 16
    eps = np.finfo(dtype).eps
    a = random(m, n) + (1j * random(m, n, seed=1) if dtype.startswith("complex") else 0)
    if kind == "graded":
        a = a * np.logspace(0, -20, n)
    elif kind.endswith("dependent"):
        a[:, -3:] = a[:, :3] + (1e-3 * eps**0.5 * a[:, -3:] if kind == "near dependent" else 0)
    elif kind == "zero column":
        a[:, 4] = 0
    else:
        a = a * {"huge": np.finfo(dtype).max ** 0.75, "tiny": np.finfo(dtype).tiny ** 0.75}.get(kind, 1.0)
    a = a.astype(dtype)
    exact = a.astype("complex128" if dtype.startswith("complex") else "float64")
    size = np.abs(exact).max(0) * m**0.5  # errors are relative to the lengths of columns
    for x in (with_counts(a, s, c) for s in (0, 1) for c in (None, uneven_counts(a.shape[s], SIZE, 1))):
        factors = ht.qr(x)
        q, r = factors.Q.numpy().astype(exact.dtype), factors.R.numpy().astype(exact.dtype)
        assert np.abs(q.conj().T @ q - np.eye(n)).max() < 40 * eps
        assert (np.abs(q @ r - exact) <= 8 * eps * np.maximum(size, np.finfo(dtype).tiny)).all()
        np.testing.assert_array_equal(np.tril(r, -1), 0)
        assert (np.diagonal(r).real >= 0).all()
        np.testing.assert_allclose(ht.qr(x, "r").R.numpy(), factors.R.numpy(), atol=0)


def test_qr_of_a_tall_matrix_with_nan() -> None:
    a = random(2100, 16)
    a[1000, 3] = np.nan
    assert np.isnan(ht.qr(ht.array(a, split=0)).R.numpy()).any()


def test_factors_do_not_depend_on_the_layout() -> None:
    a = random(30, 6)
    q, r = np.linalg.qr(a)
    sign = np.sign(np.diagonal(r))
    for x in all_layouts(a):
        factors = ht.qr(x)
        assert_equal(factors.Q, q * sign, rtol=1e-11)
        assert_equal(factors.R, r * sign[:, None], rtol=1e-11)


def test_qr_of_a_stack() -> None:
    a = random(2, 3, 5, 4)
    for x in all_layouts(a):
        q, r = ht.qr(x)
        assert q is not None
        np.testing.assert_allclose(q.numpy() @ r.numpy(), a, atol=1e-12)
        assert q.split == x.split
        assert r.split == (0 if x.split == 2 else x.split)


@pytest.mark.usefixtures("tuning")
@pytest.mark.parametrize("shape", [(7, 3), (4, 4), (3, 5), (2, 2)])
@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradient_of_qr(shape: tuple[int, int], split: int | None) -> None:
    a = random(*shape) + np.eye(*shape)
    gradcheck(lambda x: tuple(ht.qr(x)), a, splits=[split], uneven=True)


def test_gradient_of_complex_qr() -> None:
    # A function of the columns' span and of |R|: what the phase of R's diagonal leaves free does not enter.
    for split in (None, 0, 1):
        gradcheck(lambda x: tuple(ht.qr(x)), random(5, 3) + 1j * random(5, 3, seed=1), splits=[split])


def test_gradient_of_qr_survives_an_empty_block_of_zeros() -> None:
    a = random(6, 2)
    a[:3] = 0  # the first rank's block alone has no factorisation with a derivative
    gradcheck(lambda x: tuple(ht.qr(x)), a, splits=[0])


def test_qr_refuses() -> None:
    with pytest.raises(ValueError, match="qr: unknown mode 'raw'"):
        ht.qr(ht.zeros((3, 2), split=0), "raw")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="qr: needs at least 2 dimensions, the array has 1"):
        ht.qr(ht.zeros(3, split=0))


# ---------------------------------------------------------------------- least squares
@pytest.mark.parametrize("targets", [None, 0, 1, 3])
@pytest.mark.parametrize("kind", ["full", "rank 1", "zero"])
@pytest.mark.parametrize("shape", [(20, 3), (6, 6), (3, 9), (5, 4), (0, 3), (3, 0), (4, 1), (30, 25)])
def test_lstsq(shape: tuple[int, int], kind: str, targets: int | None) -> None:
    a = with_rank(*shape, kind)
    b = random(shape[0], seed=2) if targets is None else random(shape[0], targets, seed=2)
    x, residuals, rank, s = np.linalg.lstsq(a, b, rcond=None)
    for left, right in layout_pairs(a, b):
        fit = ht.linalg.lstsq(left, right)
        assert fit.rank == rank
        assert_equal(fit.x, x, rtol=1e-9, split=0 if left.split is not None and shape[0] < shape[1] else None)
        assert_equal(fit.residuals, residuals, rtol=1e-9, split=None)
        assert_equal(fit.s, s, rtol=1e-9, split=None)


@given(st.data(), ehst.dtypes(("bool", "int32", "float32", "complex64", "complex128")))
def test_lstsq_of_any_type(data: st.DataObject, dtype: str) -> None:
    x, a = data.draw(ehst.pairs((8, 3), (dtype,)))
    y, b = data.draw(ehst.pairs((8, 2), (dtype,)))
    wide = a.astype("complex128" if a.dtype.kind == "c" else "float64")
    if np.linalg.cond(wide) > 1e3:
        return
    expected = np.linalg.lstsq(wide, b, rcond=None)
    fit = ht.linalg.lstsq(x, y)
    assert_equal(fit.x, expected[0], rtol=1e-3)
    assert_equal(fit.residuals, expected[1], rtol=1e-3)


def test_lstsq_takes_rcond() -> None:
    a = np.diag([1.0, 1e-3, 1e-6])
    for x in all_layouts(a):
        for rcond, rank in ((None, 3), (-1, 3), (1e-4, 2), (1e-2, 1)):
            fit = ht.linalg.lstsq(x, with_counts(np.ones(3), 0), rcond)
            assert fit.rank == rank
            assert_equal(fit.x, np.linalg.lstsq(a, np.ones(3), rcond)[0], rtol=1e-8)


@pytest.mark.parametrize("kind", ["full", "rank 1"])
@pytest.mark.parametrize("shape", [(5, 2), (2, 4)])
def test_gradient_of_lstsq(shape: tuple[int, int], kind: str) -> None:
    b = random(shape[0], 2, seed=3)
    for pair in [(0, 0), (1, None), (None, 1)]:
        if kind == "full":
            gradcheck(lambda x, y: ht.linalg.lstsq(x, y).x, random(*shape), b, splits=pair)
        else:
            # On the matrices of rank 1, u v^T, so that the finite differences keep the rank.
            def fit(u: ht.DNDarray, v: ht.DNDarray, y: ht.DNDarray) -> ht.DNDarray:
                return ht.linalg.lstsq(ht.outer(u, v), y).x

            gradcheck(fit, random(shape[0]), random(shape[1]), b, splits=[pair[0] and 0, None, pair[1]])


def test_gradient_of_residuals() -> None:
    for split in (None, 0):
        gradcheck(lambda x, y: ht.linalg.lstsq(x, y).residuals, random(6, 2), random(6), splits=(split, split))


def test_lstsq_refuses() -> None:
    a = ht.zeros((4, 2), split=0)
    with pytest.raises(ValueError, match="lstsq: a has 4 rows and b 3"):
        ht.linalg.lstsq(a, ht.zeros(3, split=0))
    with pytest.raises(ValueError, match=r"lstsq: a must be 2-dimensional, has shape \(3,\)"):
        ht.linalg.lstsq(ht.zeros(3), ht.zeros(3))
    with pytest.raises(ValueError, match="lstsq: b must be 1- or 2-dimensional"):
        ht.linalg.lstsq(a, ht.zeros((4, 1, 1)))


# ---------------------------------------------------------------------- ridge regression
def normal_equations(
    x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], alpha: float, fit_intercept: bool
) -> tuple[Any, Any]:
    """The closed form in float64."""
    x, y = x.astype("float64"), y.astype("float64")
    mx, my = (x.mean(0), y.mean(0)) if fit_intercept else (np.zeros(x.shape[1]), np.zeros(y.shape[1:]))
    coef = np.linalg.solve((x - mx).T @ (x - mx) + alpha * np.eye(x.shape[1]), (x - mx).T @ (y - my))
    return coef, my - mx @ coef


@pytest.mark.parametrize("method", ["cholesky", "qr"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("targets", [None, 1, 2])
def test_ridge(targets: int | None, fit_intercept: bool, method: Any) -> None:
    x = random(25, 4) + 2
    y = random(25, seed=1) if targets is None else random(25, targets, seed=1)
    alphas = [0.0, 0.5, 20.0]
    expected = [normal_equations(x, y, alpha, fit_intercept) for alpha in alphas]
    for left, right in layout_pairs(x, y):
        fit = ht.linalg.ridge(left, right, alphas, fit_intercept=fit_intercept, method=method)
        assert_equal(fit.coef, np.stack([e[0] for e in expected]), rtol=1e-8, split=None)
        assert_equal(fit.intercept, np.stack([e[1] for e in expected]), rtol=1e-8, split=None)
        one = ht.linalg.ridge(left, right, 0.5, fit_intercept=fit_intercept, method=method)
        assert_equal(one.coef, expected[1][0], rtol=1e-8)
        assert_equal(one.intercept, expected[1][1], rtol=1e-8)


def test_ridge_is_scikit_learns() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = random(30, 5) - 3, random(30, 2, seed=1)
    reference = linear_model.Ridge(alpha=0.7).fit(x, y)
    fit = ht.linalg.ridge(ht.array(x, split=0), ht.array(y, split=0), 0.7)
    assert_equal(fit.coef, reference.coef_.T, rtol=1e-9)
    assert_equal(fit.intercept, reference.intercept_, rtol=1e-9)


@pytest.mark.parametrize("method", ["cholesky", "qr"])
def test_ridge_of_float32_is_computed_in_float64(method: Any) -> None:
    x = (random(60, 3) * 1e-2 + 100).astype("float32")  # the intercept hides in rounding otherwise
    y = (x @ np.array([1.0, -2.0, 3.0], dtype="float32")).astype("float32")
    fit = ht.linalg.ridge(ht.array(x, split=0), ht.array(y, split=0), 1e-6, method=method)
    assert_equal(fit.coef, normal_equations(x, y, 1e-6, True)[0], rtol=1e-5, dtype="float32")


def test_ridge_with_fewer_samples_than_features() -> None:
    x, y = random(3, 7), random(3, seed=1)
    for left in all_layouts(x):
        for method in ("cholesky", "qr"):
            fit = ht.linalg.ridge(left, with_counts(y, 0), 0.3, fit_intercept=False, method=method)  # type: ignore[arg-type]
            assert_equal(fit.coef, normal_equations(x, y, 0.3, False)[0], rtol=1e-9)
        least = ht.linalg.ridge(left, with_counts(y, 0), 0.0, fit_intercept=False, method="qr")
        assert_equal(least.coef, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-9)


@pytest.mark.parametrize("method", ["cholesky", "qr"])
def test_gradient_of_ridge(method: Any) -> None:
    for pair in [(None, None), (0, 0), (1, 0), (None, 0)]:
        gradcheck(
            lambda x, y: tuple(ht.linalg.ridge(x, y, [0.5, 2.0], method=method)),
            random(6, 2),
            random(6, 2, seed=1),
            splits=pair,
        )


def test_ridge_many_rows_go_through_in_chunks() -> None:
    x, y = random(4000, 600), random(4000, seed=1)
    fit = ht.linalg.ridge(ht.array(x, split=0), ht.array(y, split=0), 1.0, fit_intercept=False)
    assert_equal(fit.coef, normal_equations(x, y, 1.0, False)[0], rtol=1e-8)


def test_ridge_refuses() -> None:
    x, y = ht.ones((4, 2), split=0), ht.ones(4, split=0)
    with pytest.raises(ValueError, match="ridge: alpha must be finite and not negative, is -1"):
        ht.linalg.ridge(x, y, -1)
    with pytest.raises(ValueError, match="ridge: alpha is empty"):
        ht.linalg.ridge(x, y, [])
    with pytest.raises(ValueError, match="ridge: unknown method 'svd'"):
        ht.linalg.ridge(x, y, 1, method="svd")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"ridge: y must be \(4,\) or \(4, targets\) to match x, has shape \(3,\)"):
        ht.linalg.ridge(x, ht.ones(3), 1)
    with pytest.raises(ValueError, match="ridge: x has no rows"):
        ht.linalg.ridge(ht.ones((0, 2), split=0), ht.ones(0, split=0), 1)
    with pytest.raises(ValueError, match="alpha = 0 the Gram matrix is not positive definite"):
        ht.linalg.ridge(ht.zeros((4, 2), split=0), y, 0.0)


def test_replicated_results_are_the_same_bits_on_every_rank() -> None:
    x, y = ht.array(random(50, 8), split=0), ht.array(random(50, seed=1), split=0)
    for result in (ht.linalg.lstsq(x, y).x, ht.linalg.ridge(x, y, 0.1).coef, ht.qr(x).R):
        everyone = ht.get_comm().allgather(result._core.local.contiguous())
        assert torch.equal(everyone, everyone[:1].expand_as(everyone))
