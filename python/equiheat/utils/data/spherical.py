# SPDX-License-Identifier: BSD-3-Clause
"""Points in clusters, to test and time clustering with."""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

import equiheat as ht

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["create_clusters", "create_spherical_dataset"]


def create_spherical_dataset(
    num_samples_cluster: builtins.int,
    radius: builtins.float = 1.0,
    offset: builtins.float = 4.0,
    dtype: Any = None,
    random_state: builtins.int = 1,
) -> DNDarray:
    """Four balls of points in space around k (offset, offset, offset) for k = 1, 2, -1, -2.

    Parameters
    ----------
    num_samples_cluster : int
        Points per ball.
    radius : float
        Of the balls.
    offset : float
        Distance of the centres along each axis.
    dtype : data type, optional
        float32 unless given.
    random_state : int
        Seed.

    Returns
    -------
    DNDarray
        Shape (4 num_samples_cluster, 3), split 0, ball after ball.

    Notes
    -----
    Radius and the two angles are uniform, so that points are denser in the middle, as Heat's are. Communication: the
    concatenation (one alltoallv).

    Examples
    --------
    >>> x = ht.utils.data.spherical.create_spherical_dataset(100)
    >>> x.shape, bool((ht.norm(x[:100] - 4.0, axis=1) <= 1.0001).all())
    ((400, 3), True)
    """
    kind = ht.float32 if dtype is None else dtype
    draw = ht.random.default_rng(random_state)
    r, theta, phi = (draw.uniform(0.0, high, num_samples_cluster, split=0) for high in (radius, math.pi, 2 * math.pi))
    ball = ht.stack((r * ht.sin(theta) * ht.cos(phi), r * ht.sin(theta) * ht.sin(phi), r * ht.cos(theta)), axis=1)
    return ht.concatenate([ball + k * offset for k in (1, 2, -1, -2)], axis=0).astype(kind, copy=False)


def create_clusters(
    n_samples: builtins.int,
    n_features: builtins.int,
    n_clusters: builtins.int,
    cluster_mean: Tensor,
    cluster_std: Tensor,
    cluster_weight: Tensor | None = None,
    device: Any = None,
) -> DNDarray:
    """Points of normal distributions, in random order.

    Parameters
    ----------
    n_samples, n_features, n_clusters : int
        Points, coordinates, distributions.
    cluster_mean : Tensor
        (n_clusters, n_features): the means.
    cluster_std : Tensor
        (n_clusters,): the standard deviation of each, equal in all directions; or (n_clusters, n_features, n_features):
        covariance matrices.
    cluster_weight : Tensor, optional
        (n_clusters,): shares of the points; they add up to 1. Each rank's block has these shares, and ranks may pass
        different ones to distribute clusters unevenly. Default: equal shares.
    device
        Where the points lie.

    Returns
    -------
    DNDarray
        Shape (n_samples, n_features), float32, split 0. Local: no communication.

    Raises
    ------
    TypeError, ValueError
        If a tensor is none, or has another shape, or the shares do not add up to 1.

    Examples
    --------
    >>> means = torch.tensor([[0.0, 0.0], [9.0, 9.0]])
    >>> x = ht.utils.data.spherical.create_clusters(50, 2, 2, means, torch.tensor([0.1, 0.1]))
    >>> x.shape, int((x[:, 0] > 4).sum()) in (24, 25, 26)
    ((50, 2), True)
    """
    weight = torch.full((n_clusters,), 1 / n_clusters) if cluster_weight is None else cluster_weight
    square = (n_clusters, n_features, n_features)
    _check("cluster_weight", weight, (n_clusters,))
    _check("cluster_mean", cluster_mean, (n_clusters, n_features))
    _check("cluster_std", cluster_std, (n_clusters,), square)
    if not math.isclose(float(weight.sum()), 1.0, rel_tol=1e-5):
        raise ValueError(f"create_clusters: cluster_weight must add up to 1, adds up to {float(weight.sum())}")
    noise = ht.random.randn(n_samples, n_features, split=0)
    order = ht.random.rand(n_samples, split=0).larray
    # Which distribution: a rank's points in random order fill the shares one after the other.
    place = torch.argsort(torch.argsort(order)).to(torch.float64) + 0.5
    ends = torch.cumsum(weight.to(torch.float64), 0) * len(order)
    cluster = torch.bucketize(place, ends).clamp_(max=n_clusters - 1)
    mean, local = cluster_mean.to(torch.float32)[cluster], noise.larray
    if tuple(cluster_std.shape) == square:
        factors = torch.linalg.cholesky(cluster_std.to(torch.float64)).to(torch.float32)
        points = mean + torch.einsum("nij,nj->ni", factors[cluster], local)
    else:
        points = mean + cluster_std.to(torch.float32)[cluster, None] * local
    return ht.array(points, is_split=0, device=device)


def _check(name: str, value: Any, *shapes: tuple[builtins.int, ...]) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(f"create_clusters: {name} must be a torch.Tensor, is {type(value)}")
    if tuple(value.shape) not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise ValueError(f"create_clusters: {name} must have shape {wanted}, has {tuple(value.shape)}")
