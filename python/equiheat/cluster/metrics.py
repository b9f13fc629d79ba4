# SPDX-License-Identifier: BSD-3-Clause
"""How well clusters are separated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core
from equiheat._labels import places
from equiheat._samples import check_finite, rowwise, samples, seed_of, subset_rows, vector, whole_rows

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _classes(labels: _core.Array) -> torch.Tensor:
    """The distinct values, ascending, on every rank. Collective: one allgather of the ranks' distinct values."""
    own = torch.unique(labels.local)
    if labels.split is None or labels.comm.size == 1:
        return own
    from equiheat.communication import Communicator

    return torch.unique(Communicator._of(labels.comm).allgatherv(own))


def _coefficients(x: _core.Array, labels: _core.Array, metric: str) -> torch.Tensor:
    """Silhouette of this rank's samples, float64. Collective."""
    classes = _classes(labels)
    n = x.gshape[0]
    if not 2 <= len(classes) <= n - 1:
        raise ValueError(f"silhouette: number of labels is {len(classes)}; valid values are 2 to n_samples - 1")
    codes, _ = places(labels.local, classes)
    groups = rowwise(codes, x)._core
    sizes = torch.bincount(codes, minlength=len(classes))
    if x.split == 0 and x.comm.size > 1:
        from equiheat.communication import Communicator

        sizes = Communicator._of(x.comm).allreduce(sizes)
    sums = _core.distance_sums(x, groups, len(classes), metric).local
    own = codes.unsqueeze(1)
    count = sizes[codes].double()
    inside = sums.gather(1, own).squeeze(1) / (count - 1)
    outside = (sums / sizes).scatter(1, own, torch.inf).min(1).values
    values = (outside - inside) / torch.maximum(inside, outside)
    return torch.where(count > 1, values.nan_to_num(0.0), 0.0)


def _prepared(X: Any, labels: Any, metric: str) -> tuple[_core.Array, _core.Array]:
    if metric not in ("euclidean", "manhattan"):
        raise ValueError(f"silhouette: metric must be 'euclidean' or 'manhattan', is {metric!r}")
    x = whole_rows(samples(X, "silhouette", "X"))
    y = vector(labels, x, "silhouette", "labels")
    check_finite(x, "silhouette")
    if x.counts is None:
        return x, y.resplit(None)
    return x, y.resplit(0).redistribute(x.counts)


def silhouette_samples(X: DNDarray, labels: DNDarray, *, metric: str = "euclidean") -> DNDarray:
    """(b - a) / max(a, b) of each sample: a is its mean distance to the others of its cluster, b to the samples of the
    nearest other cluster. 1: well inside; 0: between two clusters, or alone in one; negative: nearer to another one.

    Parameters
    ----------
    X : DNDarray
        (n, f).
    labels : DNDarray
        (n,), any split; 2 to n - 1 distinct values.
    metric : {'euclidean', 'manhattan'}
        Distance.

    Returns
    -------
    DNDarray
        (n,) float64, split as X (0 if that is 1).

    Raises
    ------
    ValueError
        NaN or infinity in X, too few or too many clusters, an unknown metric.

    Notes
    -----
    Blocks of X travel round the ranks; distances are added up per cluster as they are computed, never stored: memory is
    n * clusters / ranks sums.

    References
    ----------
    Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis", J. Comput. Appl.
    Math. 20 (1987).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0.0], [1.0], [10.0], [11.0]], split=0)
    >>> ht.cluster.metrics.silhouette_samples(x, ht.array([0, 0, 1, 1])).round(3).tolist()
    [0.905, 0.895, 0.895, 0.905]
    """
    x, y = _prepared(X, labels, metric)
    return rowwise(_coefficients(x, y, metric), x)


def silhouette_score(
    X: DNDarray,
    labels: DNDarray,
    *,
    metric: str = "euclidean",
    sample_size: int | None = None,
    random_state: Any = None,
    **kwargs: Any,
) -> float:
    """Mean of `silhouette_samples`, the same number on every rank.

    Parameters
    ----------
    X, labels, metric
        As in `silhouette_samples`.
    sample_size : int, optional
        Of that many samples only, drawn at random.
    random_state : int, numpy.random.Generator or None
        Seed of the draw.
    **kwargs
        None are known: scikit-learn passes them on to its metrics.

    Raises
    ------
    TypeError
        For further keyword arguments.
    ValueError
        As `silhouette_samples`; sample_size not between 1 and n.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0.0], [1.0], [10.0], [11.0]], split=0)
    >>> round(ht.cluster.metrics.silhouette_score(x, ht.array([0, 0, 1, 1])), 4)
    0.8997
    """
    if kwargs:
        raise TypeError(f"silhouette_score: unknown arguments {sorted(kwargs)}")
    x, y = _prepared(X, labels, metric)
    if sample_size is not None:
        x, y = subset_rows([x, y], sample_size, seed_of(random_state))
    values = _coefficients(x, y, metric)
    return float(rowwise(values, x).mean())
