# SPDX-License-Identifier: BSD-3-Clause
"""The Laplacian matrix of a graph whose vertices are samples and whose edges weigh what these are alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import positive, samples

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["Laplacian"]

_DEFINITIONS = ("simple", "norm_sym", "norm_rw")
_MODES = ("fully_connected", "eNeighbour")


class Laplacian:
    """Laplacian matrices L of graphs with the weights A, and the degrees D of their vertices on the diagonal.

    Parameters
    ----------
    similarity : callable
        Takes samples (n, f), gives their similarities (n, n), such as ``lambda x: ht.spatial.rbf(x, sigma=1.0)``.
    weighted : bool
        Edges weigh as much as their samples are alike; False: one each. With all edges (``mode='fully_connected'``)
        they always have weights.
    definition : {'norm_sym', 'simple', 'norm_rw'}
        ``I - D**-0.5 @ A @ D**-0.5``; ``D - A``; ``I - D**-1 @ A``, of the random walk.
    mode : {'fully_connected', 'eNeighbour'}
        All edges, or those on the right side of the threshold.
    threshold_key : {'upper', 'lower'}
        Keep similarities below, or above, the threshold (upper is for distances).
    threshold_value : float
        The threshold.
    neighbours : int
        Accepted for Heat's programs, where it has no effect either.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0.0], [1.0], [3.0]], split=0)
    >>> ht.graph.Laplacian(ht.spatial.cdist, definition="simple").construct(x).tolist()
    [[4.0, -1.0, -3.0], [-1.0, 3.0, -2.0], [-3.0, -2.0, 5.0]]
    """

    def __init__(
        self,
        similarity: Callable[[DNDarray], DNDarray],
        weighted: bool = True,
        definition: str = "norm_sym",
        mode: str = "fully_connected",
        threshold_key: str = "upper",
        threshold_value: float = 1.0,
        neighbours: int = 10,
    ) -> None:
        for name, value, known in (
            ("definition", definition, _DEFINITIONS),
            ("mode", mode, _MODES),
            ("threshold_key", threshold_key, ("upper", "lower")),
        ):
            if value not in known:
                raise ValueError(f"Laplacian: {name} must be one of {', '.join(known)}, is {value!r}")
        self.similarity_metric = similarity
        self.weighted = weighted
        self.definition = definition
        self.mode = mode
        self.epsilon = (threshold_key, threshold_value)
        self.neighbours = positive(neighbours, "Laplacian", "neighbours")

    def construct(self, X: DNDarray) -> DNDarray:
        """The Laplacian of the graph of samples.

        Parameters
        ----------
        X : DNDarray
            (n, f), any split.

        Returns
        -------
        DNDarray
            (n, n), float32 or float64, split 0 if X is split. Differentiable, also through `similarity`.

        Raises
        ------
        ValueError
            `similarity` gives another shape.

        Notes
        -----
        Beyond what `similarity` sends: one allgather of n degrees for 'norm_sym'. Memory: (n, n) / ranks, a few times.
        A vertex without edges has degree 0: its row is that of I, or zero for 'simple'.
        """
        return self.of(self.adjacency(X))

    def adjacency(self, X: DNDarray) -> DNDarray:
        """The weights of the edges of the graph of samples (n, f): (n, n), split 0 if X is split; none from a vertex to
        itself. Communication and errors as in `construct`.
        """
        core = samples(X, "Laplacian.construct", "X")
        n = core.gshape[0]
        found = self.similarity_metric(wrap(core))
        if tuple(found.shape) != (n, n):
            raise ValueError(f"Laplacian.construct: similarity gave {tuple(found.shape)} for {n} samples, not {n, n}")
        found = self.edges(found.resplit(None if core.split is None else 0))
        return wrap(_with_diagonal(found._core, torch.zeros_like))

    def edges(self, similarity: DNDarray) -> DNDarray:
        """Weights of edges between things as much alike as this. Local."""
        core = similarity._core
        s = core.local if core.local.is_floating_point() else core.local.to(torch.float32)
        if self.mode == "eNeighbour":
            key, bound = self.epsilon
            inside = s < bound if key == "upper" else s > bound
            s = torch.where(inside, s if self.weighted else torch.ones_like(s), 0.0)
        return wrap(core.with_local(s))

    def of(self, adjacency: DNDarray) -> DNDarray:
        """The Laplacian of a graph with these weights: (n, n), split None or 0. Collective for 'norm_sym': one
        allgather of the degrees.
        """
        degree = adjacency.sum(axis=1)
        if self.definition == "simple":
            own = degree.larray
            return wrap(_with_diagonal((-adjacency)._core, lambda _: own))
        connected = degree.larray > 0
        power = torch.where(connected, degree.larray, 1.0).pow(-0.5 if self.definition == "norm_sym" else -1.0)
        scale = wrap(degree._core.with_local(torch.where(connected, power, 0.0)))
        scaled = adjacency * -scale.expand_dims(1)
        if self.definition == "norm_sym":
            scaled = scaled * scale.resplit(None)
        return wrap(_with_diagonal(scaled._core, torch.ones_like))


def mirrored(laplacian: DNDarray) -> DNDarray:
    """``2 I - L`` of a normalised Laplacian: its largest eigenvalues belong to the smallest of L. Local."""
    return wrap(_with_diagonal((-laplacian)._core, torch.ones_like))


def _with_diagonal(core: _core.Array, values: Callable[[torch.Tensor], torch.Tensor]) -> _core.Array:
    """The square matrix with these values on its diagonal, of which each rank has what lies in its rows. Local."""
    counts = core.counts
    first = 0 if counts is None else sum(counts[: core.comm.rank])
    own = core.local.diagonal(first)
    return core.with_local(core.local.diagonal_scatter(values(own).to(own.dtype), first))
