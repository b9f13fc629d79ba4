# SPDX-License-Identifier: BSD-3-Clause
"""Classification by a vote of the nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat import _core, manipulation, sorting
from equiheat._base import as_core, wrap
from equiheat._labels import encoded
from equiheat._samples import check_finite, positive, replicated, rowwise, samples, whole_rows
from equiheat.base import BaseEstimator, ClassificationMixin
from equiheat.spatial import cdist, manhattan

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["KNeighborsClassifier"]

_FUSED = {None: "euclidean", cdist: "euclidean", manhattan: "manhattan"}


def _rows_like(a: DNDarray, like: _core.Array) -> _core.Array:
    """The array with its rows where those of `like` are. Collective unless they are there."""
    core = a._core.resplit(like.split)
    return core if core.counts == like.counts or like.counts is None else core.redistribute(like.counts)


class KNeighborsClassifier(ClassificationMixin, BaseEstimator):
    """The class that most of the nearest samples have.

    Parameters
    ----------
    n_neighbors : int
        Number of neighbours that vote.
    effective_metric_ : callable, optional
        ``metric(x, y)`` gives the (n, m) distances of the rows of two arrays. Default: `ht.spatial.cdist`. For it and
        for `ht.spatial.manhattan` the distances are never stored.
    weights : {'uniform', 'distance'}
        Every vote counts 1, or the inverse of the neighbour's distance (1 at distance 0, where others count 0).

    Attributes
    ----------
    classes_ : DNDarray
        (classes,): the labels, ascending. For one-hot labels 0, 1, 2, ...
    n_features_in_, n_samples_fit_ : int
        Features, samples.
    outputs_2d_ : bool
        Whether the labels were one-hot.

    Notes
    -----
    `fit` keeps the samples where they are. Blocks of them travel round the ranks in `predict`, while each rank keeps
    the n_neighbors nearest so far of its own rows: memory is O(n n_neighbors) and two blocks. Ties go to the earlier
    sample and to the smaller label.

    References
    ----------
    Cover, Hart, "Nearest neighbor pattern classification", IEEE Trans. Inf. Theory 13 (1967).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0.0], [1.0], [2.0], [3.0]], split=0)
    >>> knn = ht.classification.KNeighborsClassifier(n_neighbors=3).fit(x, ht.array([4, 4, 9, 9], split=0))
    >>> knn.predict(ht.array([[0.9], [2.6]], split=0)).tolist()
    [4, 9]
    """

    classes_: DNDarray | None = None
    n_samples_fit_: int | None = None
    outputs_2d_: bool | None = None

    def __init__(
        self,
        n_neighbors: int = 5,
        effective_metric_: Callable[..., DNDarray] | None = None,
        *,
        weights: str = "uniform",
    ) -> None:
        self.n_neighbors = n_neighbors
        self.effective_metric_ = effective_metric_
        self.weights = weights

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` was called. Local."""
        return self.classes_ is not None

    @staticmethod
    def one_hot_encoding(x: DNDarray) -> DNDarray:
        """Labels 0, 1, 2, ... (n,) as rows of zeros with a one: (n, largest + 1) float32, split as x. One allreduce of
        one number. ValueError for negative labels, TypeError for labels that are no integers.
        """
        core = as_core(x, None)
        if core is None or core.ndim != 1:
            raise ValueError("one_hot_encoding: x must be a vector of labels")
        if core.local.is_floating_point() or core.local.is_complex():
            raise TypeError(f"one_hot_encoding: labels must be integers, are {core.local.dtype}")
        array = wrap(core).astype(torch.int64)
        if core.gshape[0] == 0 or int(array.min()) < 0:
            raise ValueError("one_hot_encoding: labels must be there and not be negative")
        found = torch.nn.functional.one_hot(array.larray, int(array.max()) + 1)
        return rowwise(found.to(torch.float32), core)

    def fit(self, x: DNDarray, y: DNDarray) -> Self:
        """Keep the samples and their labels.

        Parameters
        ----------
        x : DNDarray
            (n, f) real numbers, any split.
        y : DNDarray
            (n,) labels, or (n, classes) one-hot; any split.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity, shapes that do not match.

        Notes
        -----
        One `ht.unique` of the labels. Samples split along features are redistributed.
        """
        fn = "KNeighborsClassifier.fit"
        core = whole_rows(samples(x, fn))
        check_finite(core, fn)
        labels = as_core(y, core.comm)
        if labels is not None and labels.ndim == 2 and labels.gshape[1] > 1:
            if labels.gshape[0] != core.gshape[0]:
                raise ValueError(f"{fn}: y has {labels.gshape[0]} rows, x has {core.gshape[0]}")
            self.outputs_2d_ = True
            self._codes = wrap(labels).argmax(1)
            self.classes_ = replicated(torch.arange(labels.gshape[1]), core)
        else:
            self.outputs_2d_ = False
            self.classes_, self._codes = encoded(y, core, fn)
        self.n_samples_fit_, self.n_features_in_ = core.gshape
        self._x = core
        return self

    def kneighbors(
        self, X: DNDarray, n_neighbors: int | None = None, return_distance: bool = True
    ) -> DNDarray | tuple[DNDarray, DNDarray]:
        """The nearest samples that `fit` saw.

        Parameters
        ----------
        X : DNDarray
            (n, f), any split.
        n_neighbors : int, optional
            How many; by default the parameter of this name.
        return_distance : bool
            Return (distances, indices), else the indices.

        Returns
        -------
        DNDarray or tuple
            (n, n_neighbors) each, nearest first, split 0 if X is split.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features, NaN or infinity in X, fewer samples than neighbours.
        """
        distances, indices = self._nearest(X, n_neighbors, "kneighbors")
        return (wrap(distances), wrap(indices)) if return_distance else wrap(indices)

    def _nearest(self, x: Any, n_neighbors: int | None, method: str) -> tuple[_core.Array, _core.Array]:
        fn = f"KNeighborsClassifier.{method}"
        core = whole_rows(self._matrix(x, method))
        known = self._fitted("n_samples_fit_")
        k = positive(self.n_neighbors if n_neighbors is None else n_neighbors, fn, "n_neighbors")
        if k > known:
            raise ValueError(f"{fn}: n_neighbors = {k} of {known} samples")
        check_finite(core, fn)
        metric = _FUSED.get(self.effective_metric_)
        if metric is not None:
            return _core.nearest_rows(core, self._x, k, metric)
        assert self.effective_metric_ is not None
        distances = self.effective_metric_(wrap(core), wrap(self._x))
        found, indices = sorting.topk(distances, k, dim=1, largest=False)
        return _rows_like(found, core), _rows_like(indices, core)

    def predict_proba(self, x: DNDarray) -> DNDarray:
        """Shares of the votes: (n, classes), float32 or float64 as x, split as in `predict`, whose cost it has."""
        if self.weights not in ("uniform", "distance"):
            raise ValueError(f"KNeighborsClassifier: weights must be 'uniform' or 'distance', is {self.weights!r}")
        distances, indices = self._nearest(x, None, "predict")
        n, k = indices.gshape
        classes = self._fitted("classes_").shape[0]
        codes = self._codes[manipulation.flatten(wrap(indices))]
        own = _rows_like(manipulation.reshape(codes, (n, k), new_split=indices.split), indices)
        votes = torch.ones_like(distances.local)
        if self.weights == "distance":
            hit = distances.local == 0
            votes = torch.where(hit.any(1, keepdim=True), hit.to(votes.dtype), 1.0 / distances.local)
        shares = votes.new_zeros((len(votes), classes)).scatter_add_(1, own.local, votes)
        return rowwise(shares / shares.sum(1, keepdim=True), indices)

    def predict(self, x: DNDarray) -> DNDarray:
        """The class of each sample.

        Parameters
        ----------
        x : DNDarray
            (n, f), any split.

        Returns
        -------
        DNDarray
            (n,) labels, split 0 if x is split.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features, NaN or infinity in x, fewer samples than neighbours.

        Notes
        -----
        Each rank receives the samples of the others once, and the labels of its neighbours by one exchange of
        (n n_neighbors) / ranks numbers. Where x is replicated and the samples are split, candidates of all ranks are
        gathered: (ranks, n, n_neighbors).
        """
        shares = self.predict_proba(x)
        labels: torch.Tensor = self._fitted("classes_").larray
        return rowwise(labels[shares.larray.argmax(1)], shares._core)
