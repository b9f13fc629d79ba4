# SPDX-License-Identifier: BSD-3-Clause
"""Times of collectives as latency plus volume: fitted to what was measured, evaluated for other sizes and ranks.

A call takes ``alpha * steps(p) + beta * share(p) * bytes`` seconds (Hockney 1994): ``steps`` messages one after another
and ``share`` of the bytes through one rank, for p ranks and the usual algorithms (Thakur, Rabenseifner, Gropp 2005).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import ceil, log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


def _tree(p: int) -> float:
    return float(ceil(log2(p))) if p > 1 else 0.0


def _others(p: int) -> float:
    return (p - 1) / p


#: Messages behind one another, and share of a rank's bytes that pass through it.
TERMS: Mapping[str, tuple[Callable[[int], float], Callable[[int], float]]] = {
    "barrier": (_tree, lambda p: 0.0),
    "allreduce": (lambda p: 2 * _tree(p), lambda p: 2 * _others(p)),
    "reduce_scatter": (_tree, _others),
    **dict.fromkeys(("reduce", "bcast", "scan", "exscan"), (_tree, lambda p: float(p > 1))),
    **dict.fromkeys(("allgather", "allgatherv", "gather", "gatherv"), (_tree, lambda p: float(p - 1))),
    **dict.fromkeys(("scatter", "scatterv"), (_tree, _others)),
    **dict.fromkeys(("alltoall", "alltoallv"), (lambda p: float(p - 1), _others)),
    **dict.fromkeys(("exchange", "send", "recv", "sendrecv"), (lambda p: 1.0, lambda p: 1.0)),
}


class Cost(NamedTuple):
    """Seconds a message takes (alpha) and seconds a byte takes (beta)."""

    alpha: float
    beta: float


class Measurement(NamedTuple):
    """One call: its kind, the largest bytes of a rank's input, ranks, seconds."""

    kind: str
    bytes: int
    ranks: int
    seconds: float


class CostModel:
    """Latency and bandwidth of each kind of call.

    Parameters
    ----------
    measurements
        What was measured. Of calls of one kind, size and number of ranks the median counts; each such size weighs the
        same, in relative error.

    Attributes
    ----------
    costs : dict[str, Cost]
        By kind of call. A kind that was not measured takes the cost of all that were together.

    Examples
    --------
    >>> from equiheat.cost_model import CostModel, Measurement
    >>> model = CostModel([Measurement("allreduce", n, 2, 1e-6 + n * 1e-9) for n in (8, 1 << 20)])
    >>> model.predict("allreduce", 1 << 20, ranks=64) > model.predict("allreduce", 1 << 20, ranks=2)
    True
    """

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        groups: dict[tuple[str, int, int], list[float]] = {}
        for m in measurements:
            if m.ranks > 1 and m.seconds > 0 and m.kind in TERMS:
                groups.setdefault((m.kind, m.bytes, m.ranks), []).append(m.seconds)
        rows = [Measurement(*key, float(np.median(seconds))) for key, seconds in groups.items()]
        self.costs = {kind: _fit([r for r in rows if r.kind == kind]) for kind in sorted({r.kind for r in rows})}
        self._all = _fit(rows) if rows else Cost(0.0, 0.0)

    def predict(self, kind: str, bytes: int, ranks: int) -> float:
        """Seconds one call takes.

        Parameters
        ----------
        kind
            As in `TERMS`: "allreduce", "alltoallv", ...
        bytes
            Of a rank's input (the root's, of scatter).
        ranks
            Of the communicator, at least 1.

        Raises
        ------
        ValueError
            For an unknown kind, or less than one rank.
        """
        if kind not in TERMS:
            raise ValueError(f"predict: unknown kind of call {kind!r}; choose one of {', '.join(TERMS)}")
        if ranks < 1:
            raise ValueError(f"predict: ranks is {ranks}; it must be at least 1")
        steps, share = TERMS[kind]
        cost = self.costs.get(kind, self._all)
        return cost.alpha * steps(ranks) + cost.beta * share(ranks) * bytes


def _fit(rows: list[Measurement]) -> Cost:
    """Least squares of relative errors with both costs not negative."""
    terms = np.array([[TERMS[r.kind][0](r.ranks), TERMS[r.kind][1](r.ranks) * r.bytes] for r in rows])
    scaled = terms / np.array([r.seconds for r in rows])[:, None]
    best: NDArray[np.float64] = np.linalg.lstsq(scaled, np.ones(len(rows)), rcond=None)[0]
    if (best < 0).any():
        norms = (scaled**2).sum(axis=0)
        alone = np.divide(scaled.sum(axis=0), norms, out=np.zeros(2), where=norms > 0)
        errors = ((scaled * alone - 1) ** 2).sum(axis=0)
        best = np.where(np.arange(2) == np.argmin(errors), alone, 0.0)
    return Cost(float(best[0]), float(best[1]))
