# SPDX-License-Identifier: BSD-3-Clause
"""Mixtures of normal distributions."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch

from equiheat import _core, exponential
from equiheat._base import as_core, wrap
from equiheat._progress import Progress
from equiheat._samples import (
    check_finite,
    finite,
    positive,
    replicated,
    rowwise,
    samples,
    seed_of,
    whole_rows,
)
from equiheat.base import BaseEstimator, ConvergenceWarning
from equiheat.cluster.kmeans import KMeans
from equiheat.communication import Communicator
from equiheat.mixture._expectation import Expectation, Parameters

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["GaussianMixture"]

_KINDS = ("full", "tied", "diag", "spherical")
_INITS = ("kmeans", "k-means++", "random_from_data")


class GaussianMixture(BaseEstimator):
    """A density that is a weighted sum of normal ones, by expectation maximisation.

    Parameters
    ----------
    n_components : int
        Number of normal distributions.
    covariance_type : {'full', 'tied', 'diag', 'spherical'}
        A covariance each; one for all; one without correlations each; one variance each.
    tol : float
        Stop when the mean log-likelihood of a sample grows by less.
    reg_covar : float
        Added to variances.
    max_iter : int
        Iterations at most; ConvergenceWarning where they do not suffice.
    n_init : int
        Beginnings, of which the one that ends best is kept.
    init_params : {'kmeans', 'k-means++', 'random_from_data'}
        Where to begin: with the clusters of `KMeans`; with those around its first centres; around samples drawn at
        random.
    weights_init, means_init, precisions_init : array, optional
        Weights (k,), means (k, f) and inverse covariances to begin with, in place of what init_params gives.
    random_state : int, numpy.random.Generator or None
        Seed; None draws one from `ht.random`.
    verbose : bool
        Draw a progress bar on rank 0.

    Attributes
    ----------
    weights_, means_, covariances_, precisions_, precisions_cholesky_ : DNDarray
        (k,), (k, f), and by covariance_type (k, f, f), (f, f), (k, f) or (k,); float64, replicated.
    converged_ : bool
        Whether `tol` was reached.
    n_iter_ : int
        Iterations of the beginning that was kept.
    lower_bound_ : float
        Mean log-likelihood of a sample, of the last iteration.
    n_features_in_ : int
        Features.

    Notes
    -----
    An iteration is one pass over blocks of the samples of each rank, in double precision and about a point near their
    mean, that gives densities, responsibilities and their sums at once, and one allreduce of k (f + 1) (f + 1) numbers
    (k (2 f + 1) without correlations). No responsibilities are kept: memory beyond the samples does not grow with
    their number. Rules for stopping are scikit-learn's, so that the same beginning gives its results.

    References
    ----------
    Dempster, Laird, Rubin, "Maximum likelihood from incomplete data via the EM algorithm", J. R. Stat. Soc. B 39
    (1977).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0.0], [0.2], [0.1], [5.0], [5.2], [5.1]], split=0)
    >>> gm = ht.mixture.GaussianMixture(2, means_init=[[0.0], [5.0]], random_state=0).fit(x)
    >>> gm.means_.round(2).tolist(), gm.predict(x).tolist()
    ([[0.1], [5.1]], [0, 0, 0, 1, 1, 1])
    """

    _estimator_type: ClassVar[str] = "density_estimator"

    weights_: DNDarray | None = None
    means_: DNDarray | None = None
    covariances_: DNDarray | None = None
    precisions_: DNDarray | None = None
    precisions_cholesky_: DNDarray | None = None
    converged_: bool | None = None
    n_iter_: int | None = None
    lower_bound_: float | None = None
    _best: Parameters
    _shift: torch.Tensor

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "kmeans",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: DNDarray, y: Any = None) -> Self:
        """Find the distributions. y is ignored (pipelines pass one).

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
            NaN or infinity in X, fewer samples than components, a covariance that is not positive definite, parameters
            out of range.
        """
        rows = whole_rows(samples(X, "GaussianMixture.fit", "X"))
        self._check(rows)
        with finite("GaussianMixture.fit", X=rows):
            _, mean, _, _, _ = _core.column_statistics(rows, None, "GaussianMixture.fit")
        self._shift, self.n_features_in_ = mean.local, rows.gshape[1]
        pass_over = Expectation(rows, self._shift, self.covariance_type)
        seed = seed_of(self.random_state)
        found = [self._run(pass_over, seed + start) for start in range(self.n_init)]
        self.lower_bound_, self._best, self.n_iter_, self.converged_ = max(found, key=lambda run: run[0])
        if not self.converged_:
            warnings.warn(
                f"GaussianMixture: no convergence in max_iter = {self.max_iter} iterations; raise it, or tol",
                ConvergenceWarning,
                stacklevel=2,
            )
        self._publish(pass_over, rows)
        return self

    def _check(self, rows: _core.Array) -> None:
        fn = "GaussianMixture"
        for name in ("n_components", "max_iter", "n_init"):
            positive(getattr(self, name), fn, name)
        if self.covariance_type not in _KINDS:
            raise ValueError(f"{fn}: covariance_type must be one of {', '.join(_KINDS)}, is {self.covariance_type!r}")
        if self.init_params not in _INITS:
            raise ValueError(f"{fn}: init_params must be one of {', '.join(_INITS)}, is {self.init_params!r}")
        if not (self.tol >= 0 and self.reg_covar >= 0):
            raise ValueError(f"{fn}: tol and reg_covar must not be negative, are {self.tol}, {self.reg_covar}")
        if rows.gshape[0] < max(2, self.n_components):
            raise ValueError(f"{fn}: n_components = {self.n_components} for {rows.gshape[0]} samples; at most one each")

    def _run(self, pass_over: Expectation, seed: int) -> tuple[float, Parameters, int, bool]:
        """(mean log-likelihood, parameters, iterations, whether it converged) from one beginning. Collective."""
        p = self._begin(pass_over, seed)
        n = pass_over.rows.gshape[0]
        bound = -math.inf
        comm = Communicator._of(pass_over.rows.comm)
        with Progress("GaussianMixture", self.max_iter, self.verbose, comm) as bar:
            for iteration in range(1, self.max_iter + 1):
                sums = pass_over.sums(p)
                p = pass_over.parameters(sums, p.means, self.reg_covar)
                before, bound = bound, sums.likelihood / n
                bar.update(iteration, f"log-likelihood {bound:.6g}")
                if abs(bound - before) < self.tol:
                    return bound, p, iteration, True
        return bound, p, self.max_iter, False

    def _begin(self, pass_over: Expectation, seed: int) -> Parameters:
        """First parameters. Collective unless all are given."""
        rows, f, k = pass_over.rows, pass_over.rows.gshape[1], self.n_components
        weights, means = self._given("weights_init", (k,)), self._given("means_init", (k, f))
        shape = {"full": (k, f, f), "tied": (f, f), "diag": (k, f), "spherical": (k,)}[self.covariance_type]
        precisions = self._given("precisions_init", shape)
        p = None
        if weights is None or means is None or precisions is None:
            labels, centers = self._labels(rows, seed)
            sums = pass_over.sums_of_labels(labels, centers - self._shift)
            p = pass_over.parameters(sums, centers - self._shift, self.reg_covar)
        if precisions is not None:
            precisions = _factors(precisions, self.covariance_type)
        return Parameters(
            weights if weights is not None else p.weights,  # type: ignore[union-attr]
            means - self._shift if means is not None else p.means,  # type: ignore[union-attr]
            precisions if precisions is not None else p.precisions,  # type: ignore[union-attr]
        )

    def _given(self, name: str, shape: tuple[int, ...]) -> torch.Tensor | None:
        value = getattr(self, name)
        if value is None:
            return None
        core = as_core(value, None)
        if core is None or tuple(core.gshape) != shape:
            found = type(value) if core is None else tuple(core.gshape)
            raise ValueError(f"GaussianMixture: {name} must have shape {shape}, has {found}")
        tensor: torch.Tensor = core.resplit(None).local.double()
        if name == "weights_init" and not (bool((tensor >= 0).all()) and abs(float(tensor.sum()) - 1) < 1e-6):
            raise ValueError(f"GaussianMixture: weights_init must be positive and add up to 1, are {tensor.tolist()}")
        return tensor

    def _labels(self, rows: _core.Array, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """A component for each sample of this rank, and the centres they lie around, float64. Collective."""
        init = "random" if self.init_params == "random_from_data" else "k-means++"
        steps = 300 if self.init_params == "kmeans" else 1
        found = KMeans(self.n_components, init=init, max_iter=steps, random_state=seed)
        if steps > 1:
            found.fit(wrap(rows))
            labels, centers = found._fitted("labels_").larray, found._fitted("cluster_centers_").larray
        else:
            first = found._first_centers(rows, None, None, 1.0)
            centers = first.local
            labels = _core.assign_rows(rows, first, None, "euclidean")[0].local
        return labels.cpu(), centers.double()

    def _publish(self, pass_over: Expectation, rows: _core.Array) -> None:
        p, kind = self._best, self.covariance_type
        covariances = pass_over.covariances_of(p.precisions)
        inverse = p.precisions @ p.precisions.mT if pass_over.matrices else p.precisions.square()
        shown = [t[0] if kind == "tied" else t[:, 0] if kind == "spherical" else t
                 for t in (covariances, inverse, p.precisions)]  # fmt: skip
        self.weights_, self.means_ = replicated(p.weights, rows), replicated(p.means + self._shift, rows)
        self.covariances_, self.precisions_, self.precisions_cholesky_ = (replicated(t, rows) for t in shown)

    def _joint(self, X: Any, method: str) -> tuple[_core.Array, torch.Tensor]:
        """The samples, and log of weight times density of each component: (rows of this rank, k) float64."""
        fn = f"GaussianMixture.{method}"
        rows = whole_rows(self._matrix(X, method, "X"))
        check_finite(rows, fn, "X")
        pass_over = Expectation(rows, self._shift, self.covariance_type)
        joint = torch.empty((rows.local.shape[0], self.n_components), dtype=torch.float64)
        for part in pass_over.blocks(self.n_components):
            joint[part] = pass_over.log_joint(pass_over.block(part), self._best)[0]
        return rows, joint

    def score_samples(self, X: DNDarray) -> DNDarray:
        """Logarithm of the density at each sample: (n,) float64, split 0 if X is split. Communication and errors as in
        `predict`.
        """
        rows, joint = self._joint(X, "score_samples")
        return rowwise(torch.logsumexp(joint, 1), rows)

    def score(self, X: DNDarray, y: Any = None) -> float:
        """Mean of `score_samples`. y is ignored. One allreduce more."""
        return float(self.score_samples(X).mean())

    def predict(self, X: DNDarray) -> DNDarray:
        """The most probable component of each sample.

        Parameters
        ----------
        X : DNDarray
            (n, f), any split.

        Returns
        -------
        DNDarray
            (n,) int64, split 0 if X is split. Local but for one allreduce of one number (the check for NaN); split 1 is
            redistributed first.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features, NaN or infinity in X.
        """
        rows, joint = self._joint(X, "predict")
        return rowwise(joint.argmax(1), rows)

    def predict_proba(self, X: DNDarray) -> DNDarray:
        """Probabilities of the components: (n, k) float64. Split, communication and errors as in `predict`."""
        rows, joint = self._joint(X, "predict_proba")
        return exponential.exp(rowwise(torch.log_softmax(joint, 1), rows))

    def fit_predict(self, X: DNDarray, y: Any = None) -> DNDarray:
        """`fit`, then `predict` of the same samples."""
        return self.fit(X).predict(X)

    def bic(self, X: DNDarray) -> float:
        """Bayesian information criterion of samples; less is better. One allreduce."""
        n = X.shape[0]
        return -2.0 * self.score(X) * n + self._free_parameters() * math.log(n)

    def aic(self, X: DNDarray) -> float:
        """Akaike's information criterion of samples; less is better. One allreduce."""
        return -2.0 * self.score(X) * X.shape[0] + 2.0 * self._free_parameters()

    def _free_parameters(self) -> int:
        k, f = self.n_components, int(self._fitted("n_features_in_"))
        of_covariance = {"full": k * f * (f + 1) // 2, "tied": f * (f + 1) // 2, "diag": k * f, "spherical": k}
        return of_covariance[self.covariance_type] + k * f + k - 1

    def sample(self, n_samples: int = 1) -> tuple[DNDarray, DNDarray]:
        """Draws from the mixture, in the order of the components, as in scikit-learn.

        Parameters
        ----------
        n_samples : int
            How many.

        Returns
        -------
        tuple of DNDarray
            (n_samples, f) float64 and their components (n_samples,) int64; replicated. The seed is `random_state`.
        """
        means: torch.Tensor = self._fitted("means_").larray
        n = positive(n_samples, "GaussianMixture.sample", "n_samples")
        rng = np.random.default_rng(seed_of(self.random_state))
        share = self._best.weights.numpy()
        counts = torch.from_numpy(rng.multinomial(n, share / share.sum()))
        component = torch.repeat_interleave(torch.arange(len(counts)), counts)
        noise = torch.from_numpy(rng.standard_normal((n, means.shape[1])))
        covariances: torch.Tensor = self._fitted("covariances_").larray
        if self.covariance_type in ("full", "tied"):
            factor = torch.linalg.cholesky(covariances).expand(len(counts), -1, -1)
            noise = torch.matmul(factor[component], noise.unsqueeze(2)).squeeze(2)
        else:
            noise = noise * covariances.sqrt().reshape(len(counts), -1)[component]
        like = self._fitted("means_")._core
        return replicated(means[component] + noise, like), replicated(component, like)


def _factors(precisions: torch.Tensor, kind: str) -> torch.Tensor:
    """Cholesky factors of given precisions. Local."""
    if kind in ("diag", "spherical"):
        return precisions.sqrt() if kind == "diag" else precisions.sqrt().unsqueeze(1)
    return torch.linalg.cholesky(precisions if kind == "full" else precisions.unsqueeze(0))
