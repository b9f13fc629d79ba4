# SPDX-License-Identifier: BSD-3-Clause
"""Spectral clustering."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat._base import wrap
from equiheat._samples import check_finite, positive, replicated, samples, seed_of, seeded
from equiheat.base import BaseEstimator, ClusteringMixin
from equiheat.cluster.kmeans import KMeans
from equiheat.graph.laplacian import Laplacian, mirrored
from equiheat.linalg import eigh, lanczos, matmul, reigh
from equiheat.spatial import cdist, rbf

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["Spectral"]

_SOLVERS = ("lanczos", "randomized", "full")


class Spectral(ClusteringMixin, BaseEstimator):
    """k-means of samples in the coordinates of the smoothest functions on their graph.

    Parameters
    ----------
    n_clusters : int, optional
        Number of clusters; None: where the gap between consecutive eigenvalues is largest.
    gamma : float
        Similarities are ``exp(-gamma * d**2)`` for metric 'rbf', as in scikit-learn.
    metric : {'rbf', 'euclidean'}
        What similarities are made from; 'euclidean': the distances themselves.
    laplacian : {'fully_connected', 'eNeighbour'}
        Edges between all samples, or on one side of the threshold.
    threshold : float
        The threshold.
    boundary : {'upper', 'lower'}
        Edges below, or above, the threshold.
    eigen_solver : {'randomized', 'lanczos', 'full'}
        `ht.linalg.reigh`, `ht.linalg.lanczos`, or `ht.linalg.eigh` of the whole matrix.
    reigh_rank, reigh_n_oversamples, reigh_power_iter : int
        Of `reigh`. At most reigh_rank clusters are looked for where n_clusters is None.
    lanczos_n_iter : int
        Steps of Lanczos' method, at most n.
    assign_labels : {'kmeans'}
        Clustering in the new coordinates.
    random_state : int, numpy.random.Generator or None
        Seed of the random directions and of k-means; None draws one from `ht.random`.
    **params
        Parameters of `KMeans`. By default ``init='k-means++'``.

    Attributes
    ----------
    labels_ : DNDarray
        (n,) int64, split as the samples (0 if they are split 1).
    eigenvalues_ : DNDarray
        (n_clusters,): of the normalised Laplacian, ascending.
    n_clusters_ : int
        Number of clusters.
    n_features_in_ : int
        Features.

    Notes
    -----
    The Laplacian is (n, n), split as the samples: memory n**2 / ranks numbers, a few times. The solvers look for the
    largest eigenvalues of ``2 I - L``, which are the smallest of the normalised Laplacian L. 'randomized' is the
    fastest; it needs clusters that are well apart, or power iterations. Coordinates are divided by the square roots of
    the degrees, as in scikit-learn. `predict` extends them to new samples by Nystroem's formula.

    References
    ----------
    von Luxburg, "A tutorial on spectral clustering", Statistics and Computing 17 (2007). Bengio et al., "Out-of-sample
    extensions for LLE, Isomap, MDS, eigenmaps, and spectral clustering", NIPS 2003.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0.0], [0.2], [5.0], [5.1]], split=0)
    >>> labels = ht.cluster.Spectral(2, gamma=1.0, reigh_rank=4, random_state=0).fit(x).labels_.tolist()
    >>> labels[0] == labels[1] != labels[2] == labels[3]
    True
    """

    n_clusters_: int | None = None
    eigenvalues_: DNDarray | None = None
    _labels: DNDarray | None = None
    _samples: DNDarray
    _coordinates: DNDarray
    _clusters: KMeans

    def __init__(
        self,
        n_clusters: int | None = None,
        gamma: float = 1.0,
        metric: str = "rbf",
        laplacian: str = "fully_connected",
        threshold: float = 1.0,
        boundary: str = "upper",
        eigen_solver: str = "randomized",
        reigh_rank: int = 100,
        reigh_n_oversamples: int = 10,
        reigh_power_iter: int = 0,
        lanczos_n_iter: int = 300,
        assign_labels: str = "kmeans",
        random_state: Any = None,
        **params: Any,
    ) -> None:
        self.n_clusters = n_clusters
        self.gamma = gamma
        self.metric = metric
        self.laplacian = laplacian
        self.threshold = threshold
        self.boundary = boundary
        self.eigen_solver = eigen_solver
        self.reigh_rank = reigh_rank
        self.reigh_n_oversamples = reigh_n_oversamples
        self.reigh_power_iter = reigh_power_iter
        self.lanczos_n_iter = lanczos_n_iter
        self.assign_labels = assign_labels
        self.random_state = random_state
        self.params = params

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name, those of k-means among them. Local."""
        return {**super().get_params(deep), **self.params}

    def set_params(self, **params: Any) -> Self:
        """Change parameters, also those of k-means that were given. Local."""
        inner = {name: params.pop(name) for name in list(params) if name in self.params}
        super().set_params(**params)
        self.params = {**self.params, **inner}
        return self

    @property
    def labels_(self) -> DNDarray | None:
        """The cluster of each sample of `fit`; None before."""
        return self._labels

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` was called. Local."""
        return self._labels is not None

    def fit(self, x: DNDarray, y: Any = None) -> Self:
        """Find the clusters of samples. y is ignored.

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers, any split.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity in x, more clusters than samples, an unknown option.
        """
        core = samples(x, "Spectral.fit")
        self._check(core.gshape[0])
        check_finite(core, "Spectral.fit")
        graph = Laplacian(self._similarity, True, "norm_sym", self.laplacian, self.boundary, self.threshold)
        adjacency = graph.adjacency(wrap(core))
        degrees = adjacency.sum(axis=1)
        known = torch.where(degrees.larray > 0, degrees.larray, 1.0)  # 0: a vertex by itself
        seed = seed_of(self.random_state)
        with seeded(seed):
            values, vectors = self._spectrum(mirrored(graph.of(adjacency)))
        k = self.n_clusters_ = self.n_clusters or _largest_gap(values)
        self.eigenvalues_ = replicated(2.0 - values[:k], core)
        self._coordinates = vectors[:, :k] / wrap(degrees._core.with_local(known.sqrt())).expand_dims(1)
        self._samples, self.n_features_in_ = wrap(core), core.gshape[1]
        self._clusters = KMeans(k, **{"init": "k-means++", "random_state": seed, **self.params})
        self._labels = self._clusters.fit(self._coordinates).labels_
        return self

    def _check(self, n: int) -> None:
        if self.metric not in ("rbf", "euclidean"):
            raise ValueError(f"Spectral: metric must be 'rbf' or 'euclidean', is {self.metric!r}")
        if self.eigen_solver not in _SOLVERS:
            raise ValueError(f"Spectral: eigen_solver must be one of {', '.join(_SOLVERS)}, is {self.eigen_solver!r}")
        if self.assign_labels != "kmeans":
            raise ValueError(f"Spectral: assign_labels must be 'kmeans', is {self.assign_labels!r}")
        for name in ("reigh_rank", "lanczos_n_iter"):
            positive(getattr(self, name), "Spectral", name)
        if self.n_clusters is None:
            return
        if positive(self.n_clusters, "Spectral", "n_clusters") > n:
            raise ValueError(f"Spectral: n_clusters = {self.n_clusters} for {n} samples; at most one each")
        if self.eigen_solver == "randomized" and self.reigh_rank < self.n_clusters:
            raise ValueError(f"Spectral: reigh_rank = {self.reigh_rank} is less than n_clusters = {self.n_clusters}")

    def _similarity(self, x: DNDarray, y: DNDarray | None = None) -> DNDarray:
        """Collective where both are split: blocks of y travel round."""
        if self.metric == "euclidean":
            return cdist(x, y)
        return rbf(x, y, sigma=math.sqrt(0.5 / self.gamma))

    def _spectrum(self, matrix: DNDarray) -> tuple[torch.Tensor, DNDarray]:
        """Largest eigenvalues, falling, on every rank, and their eigenvectors as columns. Collective."""
        n = matrix.shape[0]
        wanted = min(n, self.n_clusters or self.reigh_rank)
        if self.eigen_solver == "randomized":
            found = reigh(matrix, min(self.reigh_rank, n), self.reigh_n_oversamples, self.reigh_power_iter)
            return found.eigenvalues.larray[:wanted], found.eigenvectors[:, :wanted]
        basis = None
        if self.eigen_solver == "lanczos":
            basis, matrix = lanczos(matrix, min(n, max(self.lanczos_n_iter, wanted)))
        values, vectors = eigh(matrix)
        vectors = vectors[:, ::-1][:, :wanted]
        return values.resplit(None).larray.flip(0)[:wanted], vectors if basis is None else matmul(basis, vectors)

    def predict(self, x: DNDarray) -> DNDarray:
        """The cluster of each sample.

        Parameters
        ----------
        x : DNDarray
            (n, f), any split; also others than those of `fit`.

        Returns
        -------
        DNDarray
            (n,) int64, split 0 if x is split.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features, NaN or infinity in x.

        Notes
        -----
        A sample's coordinates are the mean of those of the samples of `fit`, weighted by how alike they are and divided
        by the eigenvalues of the random walk. (Heat embeds the new samples by themselves, in other coordinates.) Costs
        (n, samples of fit) similarities.
        """
        core = self._matrix(x, "predict")
        check_finite(core, "Spectral.predict")
        graph = Laplacian(self._similarity, True, "norm_sym", self.laplacian, self.boundary, self.threshold)
        alike = graph.edges(self._similarity(wrap(core), self._samples))
        walk = 1.0 - self._fitted("eigenvalues_").larray
        walk = torch.where(walk.abs() < 1e-6, 1e-6, walk)
        total = alike.sum(axis=1).clip(torch.finfo(torch.float32).tiny, None)
        coordinates = matmul(alike, self._coordinates) / total.resplit(None if core.split is None else 0).expand_dims(1)
        return self._clusters.predict(coordinates / replicated(walk, core))


def _largest_gap(values: torch.Tensor) -> int:
    """How many eigenvalues come before the largest step down; 1 for a single one. Local."""
    return int((values[:-1] - values[1:]).argmax()) + 1 if len(values) > 1 else 1
