# SPDX-License-Identifier: BSD-3-Clause
"""A network in three constants, and the line that is fitted to measured messages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import log
from statistics import median
from typing import NamedTuple


class Network(NamedTuple):
    """A message of n bytes takes ``alpha + n * beta`` seconds (Hockney 1994), combining them ``n * gamma``."""

    name: str
    alpha: float
    beta: float
    gamma: float
    about: str

    def shared_by(self, ranks: int) -> Network:
        """The same network when so many ranks of a node send through one link at a time."""
        return self._replace(name=f"{self.name}, {ranks} ranks a node", beta=self.beta * ranks)


GAMMA = 1 / 8e9  # float32 sums on one core: 8 GB/s read of one operand

_NOMINAL = "nominal, not measured here: latency of MPI messages and 92 % of the line rate; calibrate before use"
PRESETS = {
    "infiniband": Network("InfiniBand HDR, 200 Gbit/s", 1.5e-6, 1 / 23e9, GAMMA, _NOMINAL),
    "roce": Network("Ethernet 100 Gbit/s with RDMA", 3e-6, 1 / 11.5e9, GAMMA, _NOMINAL),
    "ethernet": Network("Ethernet 10 Gbit/s, TCP", 25e-6, 1 / 1.15e9, GAMMA, _NOMINAL),
}


class Line(NamedTuple):
    """Seconds = alpha + beta * bytes; errors are relative, of the sizes it was fitted to."""

    alpha: float
    beta: float
    median_error: float
    worst_error: float


def fit_line(sizes: Sequence[float], seconds: Sequence[float]) -> Line:
    """The line through two of the points that is nearest to all, in the mean of absolute log ratios.

    Of least absolute deviations one solution passes through two points, so trying all pairs is exact but for the
    logarithm, and one size that some other process disturbed does not move it.
    """
    points = list(zip(sizes, seconds, strict=True))
    candidates = [(min(seconds), 0.0)]
    for (n, t), (m, u) in combinations(points, 2):
        beta = (u - t) / (m - n) if m != n else 0.0
        alpha = t - beta * n
        if alpha > 0 and beta >= 0:
            candidates.append((alpha, beta))

    def errors(line: tuple[float, float]) -> list[float]:
        return [abs(log((line[0] + line[1] * n) / t)) for n, t in points]

    best = min(candidates, key=lambda line: sum(errors(line)))
    relative = [abs((best[0] + best[1] * n) / t - 1) for n, t in points]
    return Line(*best, median(relative), max(relative))
