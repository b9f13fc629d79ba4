# SPDX-License-Identifier: BSD-3-Clause
"""Systems, factorisations and eigenvalues against NumPy, by LAPACK's backward errors: norms scaled by eps * n.

`small` decides where a split matrix is gathered: every test runs both ways, the distributed one with narrow panels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat import _core
from equiheat.testing import all_layouts, assert_equal, gradcheck, uneven_counts, with_counts

Array = np.ndarray[Any, Any]
TYPES = ["float32", "float64", "complex64", "complex128"]
KINDS = ["random", "identity", "zero", "clusters", "low rank", "graded", "wilkinson", "huge", "tiny"]


@pytest.fixture(params=["gathered", "distributed"], autouse=True)
def tuning(request: pytest.FixtureRequest) -> Iterator[None]:
    before = _core.linalg_tuning(1 << 18, 64, 32) if request.param == "gathered" else _core.linalg_tuning(0, 3, 4)
    yield
    _core.linalg_tuning(*before)


def random(*shape: int, dtype: str = "float64", seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


def small(error: Any, a: Array, factor: float = 1.0) -> None:
    """The error is a few roundings of numbers of size `factor`."""
    n = max(1, *a.shape[-2:])
    assert np.linalg.norm(error) <= 30 * n * np.finfo(a.dtype).eps * factor + np.finfo(a.dtype).tiny


def hermitian(kind: str, n: int, dtype: str) -> Array:
    x = random(n, n, dtype=dtype if dtype.endswith(("64", "128")) else "float64", seed=n)
    q = np.linalg.qr(x)[0]
    spectrum = {
        "identity": np.ones(n),
        "zero": np.zeros(n),
        "clusters": np.repeat([1.0, 2.0, 3.0], -(-n // 3))[:n],
        "low rank": np.r_[np.ones(min(n, 2)), np.zeros(max(0, n - 2))],
        "graded": np.logspace(0, -16, n),
    }
    if kind in spectrum:
        h = (q * spectrum[kind]) @ q.conj().T
    elif kind == "wilkinson":
        h = np.diag(np.abs(np.arange(n) - (n - 1) / 2)) + np.eye(n, k=1) + np.eye(n, k=-1) + 0 * x
    else:
        largest = {"random": 1.0, "huge": 1e30, "tiny": 1e-30}[kind]
        h = (x + x.conj().T) * largest
    return ((h + h.conj().T) / 2).astype(dtype)


# ---------------------------------------------------------------------- systems
@given(st.integers(0, 12), st.integers(0, 4), st.sampled_from(TYPES), st.sampled_from([None, 0, 1]), st.data())
def test_solve(n: int, k: int, dtype: str, split: int | None, data: st.DataObject) -> None:
    a, b = random(n, n, dtype=dtype), random(n, k, dtype=dtype, seed=1)
    other = data.draw(st.sampled_from([None, 0, 1]))
    uneven = data.draw(st.booleans())
    x = with_counts(a, split, uneven_counts(n, ht.get_comm().size) if uneven and split is not None else None)
    y = with_counts(b, other)
    result = ht.linalg.solve(x, y)
    z = result.numpy()
    assert result.split == (other if other is not None else None if split is None else 0)
    small(a @ z - b, a, np.linalg.norm(a) * np.linalg.norm(z))
    for lower in (False, True):
        t = (np.tril(a) if lower else np.triu(a)) + 4 * np.eye(n, dtype=dtype)
        z = ht.linalg.solve_triangular(with_counts(t, split), y, lower=lower).numpy()
        small(t @ z - b, a, np.linalg.norm(t) * np.linalg.norm(z))


@given(st.integers(0, 12), st.sampled_from(TYPES), st.sampled_from([None, 0, 1]))
def test_inverse_determinant_cholesky(n: int, dtype: str, split: int | None) -> None:
    a = random(n, n, dtype=dtype)
    x = with_counts(a, split)
    inverse = ht.linalg.inv(x)
    assert inverse.split == split and inverse.numpy().dtype == dtype
    z = inverse.numpy()
    small(z @ a - np.eye(n), a, np.linalg.norm(a) * np.linalg.norm(z) + n)
    wide = a.astype("complex128" if dtype.startswith("complex") else "float64")
    sign, log = np.linalg.slogdet(wide)
    eps = np.finfo(dtype).eps
    got = ht.linalg.slogdet(x)
    np.testing.assert_allclose(got.sign.numpy(), sign, atol=2000 * eps)
    np.testing.assert_allclose(got.logabsdet.numpy(), log, atol=2000 * eps)
    np.testing.assert_allclose(ht.linalg.det(x).numpy(), np.linalg.det(wide), rtol=4000 * eps)
    g = a @ a.conj().T + np.eye(n, dtype=dtype)
    for upper in (False, True):
        factor = ht.linalg.cholesky(with_counts(g, split), upper=upper)
        c = factor.numpy()
        assert factor.split == split and not np.any(np.tril(c, -1) if upper else np.triu(c, 1))
        small((c.conj().T @ c if upper else c @ c.conj().T) - g, a, np.linalg.norm(g))


def test_ill_conditioned_system_has_a_small_residual() -> None:
    u, _, vh = np.linalg.svd(random(20, 20))
    a = (u * np.logspace(0, -14, 20)) @ vh
    b = random(20)
    for x in all_layouts(a):
        z = ht.linalg.solve(x, b).numpy()
        small(a @ z - b, a, np.linalg.norm(a) * np.linalg.norm(z))


def test_failures_are_everybodys() -> None:
    for split in (None, 0, 1):
        singular = with_counts(np.ones((9, 9)), split)
        for fn in (ht.linalg.inv, lambda x: ht.linalg.solve(x, np.ones(9))):
            with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
                fn(singular)
        with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
            ht.linalg.cholesky(with_counts(-np.eye(9), split))
        with pytest.raises(np.linalg.LinAlgError, match=r"NaN|converge"):
            ht.linalg.eigh(with_counts(np.full((9, 9), np.nan), split))
        assert ht.linalg.det(singular).item() == pytest.approx(0, abs=1e-12)
        with pytest.raises(np.linalg.LinAlgError, match="square"):
            ht.linalg.inv(with_counts(np.ones((3, 4)), split))
        with pytest.raises(ValueError, match="do not match"):
            ht.linalg.solve(singular, np.ones(8))


def test_one_number_that_is_none_fails_on_every_rank() -> None:
    a = random(9, 9)
    for a[8, 8] in (np.nan, np.inf):
        matrices = [with_counts(a, split) for split in (None, 0, 1)]
        for x in (with_counts(np.stack([np.eye(9)] * 4 + [a]), 0), *matrices):
            for fn in (ht.linalg.eig, ht.linalg.eigvals):
                with pytest.raises(np.linalg.LinAlgError, match="NaN"):
                    fn(x)
        for x in matrices:
            with pytest.raises(np.linalg.LinAlgError, match="NaN"):
                ht.linalg.lstsq(x, np.ones(9))
            for fn in (ht.linalg.svd, ht.linalg.svdvals, ht.linalg.pinv) if np.isnan(a[8, 8]) else ():
                with pytest.raises(np.linalg.LinAlgError, match="NaN"):
                    fn(x)


def test_stacks() -> None:
    a, b = random(3, 4, 4), random(3, 4, 2, seed=1)
    for x in all_layouts(a):
        assert_equal(ht.linalg.inv(x), np.linalg.inv(a), rtol=1e-9)
        assert_equal(ht.linalg.det(x), np.linalg.det(a))
        assert_equal(ht.linalg.svdvals(x), np.linalg.svd(a, compute_uv=False))
        assert_equal(ht.linalg.pinv(x), np.linalg.pinv(a), rtol=1e-8)
        assert_equal(ht.linalg.matrix_rank(x), np.linalg.matrix_rank(a))
        for y in all_layouts(b):
            assert_equal(ht.linalg.solve(x, y), np.linalg.solve(a, b), rtol=1e-8)
        assert_equal(ht.linalg.solve(x, b[0, :, 0]), np.linalg.solve(a, b[0, :, 0]), rtol=1e-8)


# ---------------------------------------------------------------------- spectra
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", TYPES)
def test_eigh(kind: str, dtype: str) -> None:
    for n in (1, 2, 7, 33):
        h = hermitian(kind, n, dtype)
        values = np.linalg.eigvalsh(h.astype("complex128"))
        size = max(np.abs(values).max(), np.finfo(dtype).tiny)
        for split in (0, 1):
            x = with_counts(h, split)
            w, v = ht.linalg.eigh(x)
            wn, vn = w.numpy(), v.numpy()
            assert v.split == split and vn.dtype == dtype
            small(np.abs(wn - values).max() / size, h)
            small(np.abs((h / size) @ vn - vn * (wn / size)).max(), h)
            small(np.abs(vn.conj().T @ vn - np.eye(n)).max(), h)
            small(np.abs(ht.linalg.eigvalsh(x).numpy() - values).max() / size, h)
            for triangle, counts in (("L", np.tri(n, dtype=bool)), ("U", np.tri(n, dtype=bool).T)):
                half = with_counts(np.where(counts, h, size).astype(dtype), split)
                small(np.abs(ht.linalg.eigvalsh(half, UPLO=triangle).numpy() - values).max() / size, h)


@pytest.mark.parametrize("shape", [(1, 3), (9, 9), (9, 4), (4, 9), (30, 3)])
@pytest.mark.parametrize("kind", ["full", "rank 2", "zero", "ill"])
@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_svd(shape: tuple[int, int], kind: str, dtype: str) -> None:
    k = min(shape)
    u, s, vh = np.linalg.svd(random(*shape, dtype=dtype), full_matrices=False)
    s = {"full": s, "rank 2": s * (np.arange(k) < 2), "zero": 0 * s, "ill": np.logspace(0, -18, k)}[kind]
    a = ((u * s) @ vh).astype(dtype)
    size = max(1e-30, np.linalg.norm(a))
    for split in (None, 0, 1):
        x = with_counts(a, split)
        for full in (False, True):
            left, mid, right = (z.numpy() for z in ht.linalg.svd(x, full_matrices=full))
            assert left.shape[1] == (shape[0] if full else k) and right.shape[0] == (shape[1] if full else k)
            small(mid - np.linalg.svd(a, compute_uv=False), a, size)
            small((left[:, :k] * mid) @ right[:k] - a, a, size)
            small(left.conj().T @ left - np.eye(left.shape[1]), a)
            small(right @ right.conj().T - np.eye(right.shape[0]), a)
        small(ht.linalg.svdvals(x).numpy() - np.linalg.svd(a, compute_uv=False), a, size)
        if shape[0] >= shape[1] and kind == "full":
            p, h = (z.numpy() for z in ht.linalg.polar(x))
            small(p @ h - a, a, size)
            small(p.conj().T @ p - np.eye(k), a)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("kind", ["huge", "tiny", "zero", "rank 1", "zero columns", "equal columns"])
def test_singular_and_badly_scaled_matrices(kind: str, dtype: str) -> None:
    a = random(20, 20, dtype=dtype)
    double = dtype.endswith("128") or dtype == "float64"
    size = {"huge": 1e300 if double else 1e36, "tiny": 1e-300 if double else 1e-36, "zero": 0.0}.get(kind, 1.0)
    a[:, 7::3] *= kind != "zero columns"
    a[:, 1::2] = a[:, ::2] if kind == "equal columns" else a[:, 1::2]
    a = np.ones_like(a) if kind == "rank 1" else a
    for split, columns in ((1, 20), (0, 17)):
        exact, norm, scale = a[:, :columns] * bool(size), np.linalg.norm(a[:, :columns]), size or 1.0
        x = with_counts((exact * scale).astype(dtype), split)
        p, h = (z.numpy() for z in ht.linalg.polar(x))
        left, mid, right = (z.numpy() for z in ht.linalg.svd(x))
        small(p @ (h / scale) - exact, a, norm)
        small(p.conj().T @ p - np.eye(columns), a)
        small((left * (mid / scale)) @ right - exact, a, norm)
        small(left.conj().T @ left - np.eye(columns), a)
        small(right @ right.conj().T - np.eye(columns), a)


def test_pinv_rank_cond_eig() -> None:
    for shape in ((6, 4), (4, 6), (5, 5)):
        a = random(*shape)
        for x in all_layouts(a):
            assert_equal(ht.linalg.pinv(x), np.linalg.pinv(a))
            assert_equal(ht.linalg.cond(x), np.linalg.cond(a))
            assert_equal(ht.linalg.matrix_rank(x), np.linalg.matrix_rank(a))
    for x in all_layouts(a):
        w, v = ht.linalg.eig(x)
        np.testing.assert_allclose(a @ v.numpy(), v.numpy() * w.numpy(), atol=1e-10)
        for power in (-1, 0, 1, 5):
            assert_equal(ht.linalg.matrix_power(x, power), np.linalg.matrix_power(a, power), rtol=1e-7)
        for order in ("fro", 1, np.inf, 2, -2):
            assert_equal(ht.linalg.cond(x, order), np.linalg.cond(a, order), rtol=1e-8)


@pytest.mark.parametrize("factor", [0.1, 1, 8])
def test_matrix_exp(factor: float) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    a = factor * random(6, 6)
    expected = linalg.expm(a)
    for x in all_layouts(a):
        small(ht.linalg.matrix_exp(x).numpy() - expected, a, 20 * (1 + factor) * np.linalg.norm(expected))


# ---------------------------------------------------------------------- products
def test_tensordot_einsum() -> None:
    a, b, c = random(3, 4, 5), random(5, 4, 2), random(4, 4)
    for x in all_layouts(a):
        for y in all_layouts(b):
            for axes in (1, 0, ([2, 1], [0, 1]), ([1], [1])):
                assert_equal(ht.tensordot(x, y, axes), np.tensordot(a, b, axes))
            for text in ("ijk,kjl->il", "ijk,kjl->lji", "ijk,kjl", "...k,kjl->...lj"):
                assert_equal(ht.einsum(text, x, y), np.einsum(text, a, b))
            assert_equal(ht.einsum("ijk,kjl,jm->iml", x, y, c), np.einsum("ijk,kjl,jm->iml", a, b, c))
    for x in all_layouts(c):
        assert_equal(ht.einsum("ii", x), np.einsum("ii", c))
        assert_equal(ht.einsum("ii->i", x), np.einsum("ii->i", c))
        assert_equal(ht.kron(x, b[0]), np.kron(c, b[0]))
        assert_equal(ht.kron(b[0], x), np.kron(b[0], c))
        assert_equal(ht.linalg.multi_dot([x, c, b[0], random(2)]), np.linalg.multi_dot([c, c, b[0], random(2)]))
        assert_equal(ht.cross(x[:, :3], c[:, 1:]), np.cross(c[:, :3], c[:, 1:]))
        for offset in (-5, -2, 0, 1, 4):
            assert_equal(ht.linalg.diagonal(x, offset=offset), np.diagonal(c, offset))


# ---------------------------------------------------------------------- iterations, truncated decompositions
def test_iterations() -> None:
    n = 20
    q = np.linalg.qr(random(n, n))[0]
    h, b = (q * np.linspace(1, 50, n)) @ q.T, random(n)
    for x in all_layouts(h):
        np.testing.assert_allclose(ht.linalg.cg(x, b, np.zeros(n)).numpy(), np.linalg.solve(h, b), atol=1e-10)
        v, t = (z.numpy() for z in ht.linalg.lanczos(x, 8))
        np.testing.assert_allclose(v.T @ v, np.eye(8), atol=1e-12)
        np.testing.assert_allclose(v.T @ h @ v, t, atol=1e-10)
        assert 50 <= 2 * ht.linalg.condest(x).item() < 1e5
        values = ht.linalg.reigh(x, 2, 6, 8).eigenvalues.numpy()
        np.testing.assert_allclose(values, [50, 50 - 49 / 19], rtol=1e-3)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("kind", ["random", "identity", "zero", "clusters", "low rank"])
def test_lanczos_goes_on_where_the_space_ends(kind: str, dtype: str) -> None:
    for n, m in ((1, 1), (2, 2), (13, 13), (13, 6)):
        h = hermitian(kind, n, dtype)
        for x in all_layouts(h):
            v, t = ht.linalg.lanczos(x, m)
            assert v.split == (None if x.split is None else 0)
            assert t.split is None
            assert t.numpy().dtype == h.real.dtype
            v, t = v.numpy(), t.numpy()
            small(v.conj().T @ v - np.eye(m), h, 10)
            small(np.tril(t, -2), h, 0)
            small(v.conj().T @ h @ v - t, h, 10 * max(1.0, float(np.linalg.norm(h))))
            if m == n:
                np.testing.assert_allclose(np.linalg.eigvalsh(t), np.linalg.eigvalsh(h), atol=1e-4 * n)


@pytest.mark.parametrize("dtype", TYPES)
def test_conjugate_gradients_of_few_steps(dtype: str) -> None:
    h = hermitian("clusters", 9, dtype)
    b = random(9, dtype=dtype, seed=3)
    for x in all_layouts(h):
        for right in (b, ht.array(b, split=0)):
            small(h @ ht.linalg.cg(x, right, ht.zeros(9)).numpy() - b, h, 10 * float(np.linalg.norm(b)))
        np.testing.assert_array_equal(ht.linalg.cg(x, b, ht.zeros(9), maxiter=0).numpy(), np.zeros(9))
        assert np.linalg.norm(h @ ht.linalg.cg(x, b, ht.zeros(9), rtol=0.5).numpy() - b) <= 0.5 * np.linalg.norm(b)


def test_truncated_decompositions() -> None:
    a, new = random(12, 3) @ random(3, 20), random(12, 4, seed=3)
    for x in all_layouts(a):
        for factors in (ht.linalg.rsvd(x, 3), ht.linalg.hsvd_rank(x, 3, compute_sv=True)[:3]):
            u, s, vh = (z.numpy() for z in factors)
            np.testing.assert_allclose((u * s) @ vh, a, atol=1e-10)
        u, error = ht.linalg.hsvd_rtol(x, 0.3)
        rest = np.linalg.norm(a - u.numpy() @ (u.numpy().T @ a)) / np.linalg.norm(a)
        assert rest <= error.item() + 1e-9 <= 0.3 + 1e-9
        u, s, vh = (z.numpy() for z in ht.linalg.isvd(with_counts(new, 0), *ht.linalg.svd(x)))
        np.testing.assert_allclose((u * s) @ vh, np.hstack([a, new]), atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
@pytest.mark.parametrize("shape", [(130, 1200), (1200, 130)])
def test_truncated_decompositions_of_single_precision(shape: tuple[int, int], dtype: Any) -> None:
    """So few rows (columns) that Gram matrices of all ranks are added, in double precision."""
    rng, spectrum = np.random.default_rng(0), 0.7 ** np.arange(130)
    a = (
        np.linalg.qr(rng.standard_normal((shape[0], 130)))[0]
        * spectrum
        @ np.linalg.qr(rng.standard_normal((shape[1], 130)))[0].T
    )
    a = (a * (1 + 1j) if dtype is np.complex64 else a).astype(dtype)
    exact = np.linalg.svd(a.astype(np.complex128), compute_uv=False)
    for split in (0, 1):
        x = with_counts(a, split)
        u, s, vh, error = (z.numpy() for z in ht.linalg.hsvd_rank(x, 8, compute_sv=True))
        assert u.shape[1] == 8
        np.testing.assert_allclose(s, exact[:8], rtol=1e-5)
        np.testing.assert_allclose(error, np.linalg.norm(exact[8:]) / np.linalg.norm(exact), rtol=1e-3)
        assert np.linalg.norm(a - (u * s) @ vh) <= 1.001 * np.linalg.norm(exact[8:]) + 1e-6
        u, error = (z.numpy() for z in ht.linalg.hsvd_rtol(x, 0.01))
        rest = np.linalg.norm(a - u @ (u.conj().T @ a)) / np.linalg.norm(a) if split == 1 else error
        assert rest <= error + 1e-5
        assert error <= 0.01
        a_bad = a.copy()
        a_bad[0, 0] = np.nan
        with pytest.raises(ValueError, match="NaN"):
            ht.linalg.hsvd_rank(with_counts(a_bad, split), 8)


# ---------------------------------------------------------------------- gradients
@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradients(split: int | None) -> None:
    a, b = random(4, 4) + 4 * np.eye(4), random(4, 2)
    gradcheck(ht.linalg.inv, a, splits=[split])
    gradcheck(ht.linalg.det, a, splits=[split])
    gradcheck(lambda x: ht.linalg.slogdet(x).logabsdet, a, splits=[split])
    gradcheck(lambda x: ht.linalg.cholesky(x @ x.mT + x.mT @ x), a, splits=[split])
    gradcheck(lambda x: ht.linalg.eigh(x + x.mT).eigenvalues, a, splits=[split])
    gradcheck(lambda x: ht.linalg.eigh(x + x.mT).eigenvectors.abs(), a, splits=[split])
    for other in (None, 0, 1):
        gradcheck(ht.linalg.solve, a, b, splits=[split, other])


@pytest.mark.parametrize("order", [None, -2, 1, -1, np.inf, "fro"])
def test_condition_of_stacks_with_singular_matrices(order: Any) -> None:
    a = np.stack([np.eye(3), np.zeros((3, 3)), np.diag([1.0, 2.0, 3.0])])
    with np.errstate(all="ignore"):
        wanted = np.linalg.cond(a, order)
    for x in all_layouts(a):
        assert_equal(ht.linalg.cond(x, order), wanted)
    assert ht.linalg.cond(ht.array(a[1], split=0), order).item() == np.inf
    assert ht.linalg.cond(ht.zeros((0, 3, 3), split=1), order).shape == (0,)


def test_determinant_of_tiny_complex_numbers() -> None:
    a = np.diag([1e-40, 1 + 1j, 2, 1]).astype("complex64")
    for x in all_layouts(a):
        assert_equal(ht.linalg.det(x), np.linalg.det(a.astype("complex128")).astype("complex64"), rtol=1e-4)
        sign, log = ht.linalg.slogdet(x)
        assert (sign.dtype, log.dtype) == (ht.complex64, ht.float32)
        assert log.item() == pytest.approx(np.linalg.slogdet(a)[1], rel=1e-4)


def test_order_in_the_second_place() -> None:
    a = np.array([[3.0, -4.0], [1.0, 0.5]])
    for x in all_layouts(a):
        for order in (np.inf, -np.inf, "fro", "nuc"):
            assert_equal(ht.linalg.norm(x, order), np.linalg.norm(a, order))
