# SPDX-License-Identifier: BSD-3-Clause
"""Matrices and clusters of Heat's `utils.data`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import equiheat as ht
from equiheat.utils.data import matrixgallery, spherical

data = ht.utils.data


@pytest.mark.parametrize("split", [None, 0, 1])
def test_matrices(split: int | None) -> None:
    for kind in (ht.float64, ht.complex128, ht.float32, ht.complex64):
        ht.random.seed(1)
        x = matrixgallery.hermitian(5, kind, split)
        assert x.split == split and x.dtype is kind
        np.testing.assert_array_equal(x.numpy(), x.numpy().conj().T)
        y = matrixgallery.hermitian(5, kind, split, positive_definite=True)
        np.testing.assert_array_equal(y.numpy(), y.numpy().conj().T)
        assert np.linalg.eigvalsh(y.numpy()).min() > -1e-6 and y.split == split
    i = np.arange(6)
    np.testing.assert_allclose(
        matrixgallery.parter(6, split, dtype=ht.float64).numpy(), 1 / (i[None] - i[:, None] + 0.5), rtol=1e-14
    )
    q = matrixgallery.random_orthogonal(7, 4, split, dtype=ht.float64)
    assert q.split == split
    np.testing.assert_allclose(q.numpy().T @ q.numpy(), np.eye(4), atol=1e-14)
    values = ht.array([3.0, 2.0, 0.5], dtype=ht.float64, split=None if split is None else 0)
    a, (u, s, v) = matrixgallery.random_known_singularvalues(6, 5, values, split, dtype=ht.float64)
    assert a.split == u.split == v.split == split and s is values
    np.testing.assert_allclose(np.linalg.svd(a.numpy())[1], [3, 2, 0.5, 0, 0], atol=1e-14)
    np.testing.assert_allclose((u.numpy() * s.numpy()) @ v.numpy().T, a.numpy(), atol=1e-14)
    a, (u, s, v) = matrixgallery.random_known_rank(6, 5, 2, split=split, dtype=ht.float64)
    assert np.linalg.matrix_rank(a.numpy()) == 2 and (np.diff(s.numpy()) <= 0).all() and (s.numpy() > 0).all()
    assert matrixgallery.parter(3).dtype is ht.float32 and matrixgallery.hermitian(2).dtype is ht.complex64


def test_matrices_refuse() -> None:
    with pytest.raises(ValueError, match="dtype"):
        matrixgallery.hermitian(3, ht.int32)
    with pytest.raises(ValueError, match="split"):
        matrixgallery.parter(3, split=2)
    with pytest.raises(RuntimeError, match="columns"):
        matrixgallery.random_orthogonal(2, 3)
    with pytest.raises(RuntimeError, match="rank"):
        matrixgallery.random_known_rank(2, 3, 3)
    for bad in (np.ones(2), ht.ones((1, 1)), ht.ones(4)):
        with pytest.raises(RuntimeError, match="singular_values"):
            matrixgallery.random_known_singularvalues(3, 3, bad)


def test_spheres() -> None:
    x = spherical.create_spherical_dataset(7, radius=2.0, offset=5.0, dtype=ht.float64, random_state=3)
    assert x.shape == (28, 3) and x.split == 0 and x.dtype is ht.float64
    centres = np.repeat([1, 2, -1, -2], 7)[:, None] * 5.0
    assert (np.linalg.norm(x.numpy() - centres, axis=1) <= 2).all()
    again = spherical.create_spherical_dataset(7, radius=2.0, offset=5.0, dtype=ht.float64, random_state=3)
    np.testing.assert_array_equal(x.numpy(), again.numpy())


def test_clusters() -> None:
    means = torch.tensor([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    covariance = torch.tensor([[4.0, 1.9], [1.9, 1.0]]).expand(3, 2, 2)
    for std in (torch.tensor([0.5, 1.0, 2.0]), covariance):
        x = spherical.create_clusters(300, 2, 3, means, std)
        assert x.shape == (300, 2) and x.split == 0 and x.balanced and x.dtype is ht.float32
        nearest = np.linalg.norm(x.numpy()[:, None] - means.numpy(), axis=2).argmin(1)
        assert np.abs(np.bincount(nearest) - 100).max() <= ht.get_comm().size
        assert (np.diff(nearest) != 0).sum() > 20  # in random order
    points = x.numpy()[nearest == 0]
    assert np.corrcoef(points.T)[0, 1] > 0.85
    x = spherical.create_clusters(40, 2, 3, means, std, torch.tensor([0.0, 1.0, 0.0]))
    assert (x.numpy()[:, 0] > 50).all()
    for arguments in ((means.numpy(), std), (means, [1.0]), (means, std, [1.0])):
        with pytest.raises(TypeError, match="cluster_"):
            spherical.create_clusters(9, 2, 3, *arguments)
    for arguments in ((means[:2], std), (means, std[:2]), (means, std, torch.ones(2)), (means, std, torch.ones(3))):
        with pytest.raises(ValueError, match="cluster_"):
            spherical.create_clusters(9, 2, 3, *arguments)
