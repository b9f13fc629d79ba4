# SPDX-License-Identifier: BSD-3-Clause
"""Principal component analysis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import finite, positive, replicated, samples, seed_of, seeded
from equiheat.decomposition._components import Components, with_signs
from equiheat.decomposition.incremental import IncrementalPCA as IncrementalPCA
from equiheat.linalg import eigh, hsvd, matmul, rsvd, svd

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["PCA", "IncrementalPCA"]

_SOLVERS = ("hierarchical", "full", "randomized", "covariance_eigh")


def _number(k: int | float | None) -> int | float | None:
    return float(k) if isinstance(k, np.floating) else k


class PCA(Components):
    """Directions along which samples vary most.

    Parameters
    ----------
    n_components : int, float or None
        How many; a number between 0 and 1: as many as explain that share of the variance; None: all, min(n, f).
    copy : bool
        Accepted for scikit-learn's and Heat's programs; samples are never changed.
    whiten : bool
        Coordinates with variance 1.
    svd_solver : {'hierarchical', 'full', 'randomized', 'covariance_eigh'}
        `ht.linalg.hsvd`, `svd` or `rsvd` of the centred samples, or `eigh` of their covariance, which takes one
        pass, an allreduce of f**2 numbers and double precision, and is fastest for many samples of few features.
    tol : float, optional
        Accepted for Heat's programs; no solver iterates to a tolerance.
    iterated_power : int or 'auto'
        Power iterations of 'randomized'; 'auto' is 4, or 7 for few components, as in scikit-learn.
    n_oversamples : int
        Further random directions of 'randomized'.
    power_iteration_normalizer : {'qr'}
        How they are kept apart.
    random_state : int, numpy.random.Generator or None
        Seed of 'randomized'; None draws one from `ht.random`.

    Attributes
    ----------
    components_ : DNDarray
        (k, f) with orthonormal rows, in the order of the variance they explain; the entry of largest magnitude is
        positive, as in scikit-learn. Replicated; split 1 where the samples are.
    explained_variance_, explained_variance_ratio_, singular_values_ : DNDarray
        (k,), replicated: variances of the coordinates, their shares of all variance, singular values of the centred
        samples. Lower estimates for 'hierarchical' and 'randomized' with few components.
    total_explained_variance_ratio_ : float
        Sum of the shares.
    mean_ : DNDarray
        (f,) float64.
    noise_variance_ : float
        Mean variance along the directions that were left out (Tipping and Bishop 1999).
    n_components_, n_samples_, n_features_in_ : int
        Numbers of components (with 'hierarchical' at most the rank), samples and features.

    Notes
    -----
    Means are taken and subtracted in double precision, so that float32 samples far from zero lose no digits. Cost: a
    pass for the means, a centred copy of the samples, and the solver's.

    References
    ----------
    Tipping and Bishop, "Probabilistic principal component analysis", J. R. Stat. Soc. B 61 (1999). Halko, Martinsson,
    Tropp, SIAM Review 53 (2011). Iwen and Ong, SIAM J. Matrix Anal. Appl. 37 (2016).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]], split=0)
    >>> pca = ht.decomposition.PCA(1, svd_solver="full").fit(x)
    >>> pca.components_.round(3).tolist(), pca.transform(x).round(3).tolist()
    ([[1.0, 0.0]], [[-2.0], [0.0], [2.0]])
    """

    explained_variance_ratio_: DNDarray | None = None
    singular_values_: DNDarray | None = None
    total_explained_variance_ratio_: float | None = None
    noise_variance_: float | None = None
    n_components_: int | None = None
    n_samples_: int | None = None

    def __init__(
        self,
        n_components: int | float | None = None,
        copy: bool = True,
        whiten: bool = False,
        svd_solver: str = "hierarchical",
        tol: float | None = None,
        iterated_power: str | int = 0,
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "qr",
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.copy = copy
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.iterated_power = iterated_power
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state

    def fit(self, X: DNDarray, y: Any = None) -> Self:
        """Find the components of samples. y is ignored (pipelines pass one).

        Parameters
        ----------
        X : DNDarray
            (n, f) real numbers, any split.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity in X, a single sample, parameters out of range.
        """
        core = samples(X, "PCA.fit", "X")
        n, f = core.gshape
        self._check(n, f)
        with finite("PCA.fit", X=core):
            count, mean, variance, _, _ = _core.column_statistics(core, None, "PCA.fit")
        self._exact_mean, self.mean_ = mean, wrap(mean)
        self.n_samples_, self.n_features_in_ = n, f
        total = float(wrap(variance).sum()) * count / max(1.0, count - 1.0)
        singular, components = self._solve(wrap(self._centred(core)), total * (count - 1.0))
        self._keep(singular, components, total, core)
        return self

    def _check(self, n: int, f: int) -> None:
        if self.svd_solver not in _SOLVERS:
            raise ValueError(f"PCA: svd_solver must be one of {', '.join(_SOLVERS)}, is {self.svd_solver!r}")
        if self.power_iteration_normalizer != "qr":
            raise ValueError(f"PCA: power_iteration_normalizer must be 'qr', is {self.power_iteration_normalizer!r}")
        if n < 2:
            raise ValueError("PCA: one sample has no directions; at least 2 are needed")
        k = _number(self.n_components)
        if k is None:
            return
        if isinstance(k, float):
            if not 0 < k < 1:
                raise ValueError(f"PCA: n_components must be an integer or lie between 0 and 1, is {k}")
            if self.svd_solver == "randomized":
                raise ValueError("PCA: svd_solver='randomized' needs a number of components, not a share of variance")
        elif positive(k, "PCA", "n_components") > min(n, f):
            raise ValueError(f"PCA: n_components = {k} of {n} samples with {f} features; at most {min(n, f)}")

    def _solve(self, x: DNDarray, energy: float) -> tuple[torch.Tensor, DNDarray]:
        """Singular values, falling, on every rank, and right singular vectors (k, f); `energy` is the sum of all
        squared singular values. Collective.
        """
        k = _number(self.n_components)
        most = min(x.shape) if k is None or isinstance(k, float) else k
        if self.svd_solver == "covariance_eigh":
            return _by_covariance(x, min(x.shape))
        if self.svd_solver == "full":
            factors: Any = svd(x)
            return factors.S.resplit(None).larray, factors.Vh
        if self.svd_solver == "randomized":
            power = (7 if most < 0.1 * min(x.shape) else 4) if self.iterated_power == "auto" else self.iterated_power
            with seeded(seed_of(self.random_state)):
                factors = rsvd(x, most, self.n_oversamples, int(power))
            return factors.S.resplit(None).larray, factors.Vh
        if energy == 0:
            return _by_covariance(x, most)
        rtol = math.sqrt(1.0 - k) if isinstance(k, float) else None
        _, s, vh, _ = hsvd(x, most, None, rtol, 5, 2, True)
        return s.resplit(None).larray, vh

    def _keep(self, singular: torch.Tensor, components: DNDarray, total: float, core: _core.Array) -> None:
        n, f = core.gshape
        variance = singular.double().square() / (n - 1)
        shares = variance / total if total > 0 else torch.zeros_like(variance)
        k = _number(self.n_components)
        if isinstance(k, float):
            k = min(len(shares), int((shares.cumsum(0) <= k).sum()) + 1)
        k = self.n_components_ = min(len(shares), k or len(shares))
        dtype = components.larray.dtype
        chosen = components[:k]
        self.components_ = with_signs(chosen.resplit(1 if core.split == 1 else None))
        self.singular_values_ = replicated(singular[:k].to(dtype), core)
        self.explained_variance_ = replicated(variance[:k].to(dtype), core)
        self.explained_variance_ratio_ = replicated(shares[:k].to(dtype), core)
        self.total_explained_variance_ratio_ = float(shares[:k].sum())
        left = min(n, f) - k
        self.noise_variance_ = max(0.0, total - float(variance[:k].sum())) / left if left else 0.0


def _by_covariance(x: DNDarray, most: int) -> tuple[torch.Tensor, DNDarray]:
    """Singular values and vectors by the products of columns, in double precision. Collective: one allreduce of f**2
    numbers.
    """
    wide = x.astype(torch.float64)
    values, vectors = eigh(matmul(wide.transpose(), wide).resplit(None))
    singular = values.larray.flip(0)[:most].clamp_min(0).sqrt()
    rows = vectors.larray.flip(1)[:, :most].t().contiguous().to(x.larray.dtype)
    return singular, replicated(rows, x._core)
