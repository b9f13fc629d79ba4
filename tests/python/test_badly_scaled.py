# SPDX-License-Identifier: BSD-3-Clause
"""Factorisations on several ranks of matrices whose parts are of very different sizes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import equiheat as ht
from equiheat import _core
from equiheat.testing import with_counts

TYPES = ["float32", "float64", "complex64", "complex128"]


@pytest.fixture(autouse=True)
def small_panels() -> Iterator[None]:
    """Matrices of any size by messages, panels of five columns."""
    before = _core.linalg_tuning(0, 5, 4)
    yield
    _core.linalg_tuning(*before)


def random(n: int, m: int, dtype: str) -> np.ndarray:
    rng = np.random.default_rng(n + m)
    x = rng.normal(size=(n, m)) + (1j * rng.normal(size=(n, m)) if dtype.startswith("complex") else 0)
    return x.astype(dtype)


def small_part(dtype: str) -> float:
    """A number whose square is 0, or has few digits."""
    return 1e-160 if dtype in ("float64", "complex128") else 1e-22


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("kind", ["blocks", "downward", "upward"])
def test_eigenvectors_are_orthonormal(kind: str, dtype: str) -> None:
    n = 33
    h = random(n, n, dtype)
    h = h + h.conj().T
    if kind == "blocks":
        h[20:, :20] = h[:20, 20:] = 0
        h[20:, 20:] *= small_part(dtype)
    else:
        decades = 125 if dtype in ("float64", "complex128") else 15
        sizes = np.logspace(0, -decades, n)[:: 1 if kind == "downward" else -1].astype(h.real.dtype)
        h = h * sizes * sizes[:, None]
    exact = h.astype("complex128")
    norm, eps = np.linalg.norm(exact), np.finfo(dtype).eps
    for split in (0, 1):
        w, v = (x.numpy() for x in ht.linalg.eigh(with_counts(h, split)))
        assert np.abs(v.conj().T @ v - np.eye(n)).max() < 30 * n * eps
        assert np.abs(exact @ v - v * w).max() < 30 * n * eps * norm
        alone = ht.linalg.eigvalsh(with_counts(h, split)).numpy()
        assert np.abs(alone - w).max() < 30 * n * eps * norm


@pytest.mark.parametrize("dtype", TYPES)
def test_singular_vectors_of_graded_columns(dtype: str) -> None:
    n = 40
    a = random(n, n, dtype) * np.logspace(0, -250 if dtype in ("float64", "complex128") else -30, n)
    a = a.astype(dtype)
    eps = np.finfo(dtype).eps
    u, s, vh = (x.numpy() for x in ht.linalg.svd(with_counts(a, 0)))
    assert np.abs((u * s) @ vh - a).max() < 30 * n * eps * np.linalg.norm(a)
    assert np.abs(u.conj().T @ u - np.eye(n)).max() < 30 * n * eps


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(17, 41), (30, 30)])
def test_qr_of_equal_columns(shape: tuple[int, int], dtype: str) -> None:
    a = np.ones(shape, dtype)
    for split in (0, 1):
        q, r = (x.numpy() for x in ht.linalg.qr(with_counts(a, split)))
        eps = np.finfo(dtype).eps
        assert np.abs(q @ r - a).max() < 30 * shape[0] * eps
        assert np.abs(q.conj().T @ q - np.eye(q.shape[1])).max() < 30 * shape[0] * eps
