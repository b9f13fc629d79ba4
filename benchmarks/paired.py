# SPDX-License-Identifier: BSD-3-Clause
"""One rank beside all of them, call by call in one job: runs minutes apart would compare the machine, not the ranks.

A round times one after the other: the work of one rank on each rank in turn while the others sleep, on every rank at
the same time (what cores that share memory allow at best), the work of all ranks together. Ratios are taken within a
round: the mean of the ranks alone and, as the slowest core sets the pace of all, the slowest of them, over together.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from mpi4py import MPI

WORLD = MPI.COMM_WORLD
KINDS = ("alone", "alone, slowest core", "each by itself", "together")
ROUNDS = (7, 40)  # at least, at most

Call = Callable[[], object]


def once(call: Call) -> float:
    """Seconds of one call on this rank."""
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    del result
    return seconds


def alone(call: Call) -> list[float]:
    """Seconds on each rank while the others sleep: a wait inside MPI would keep their cores busy."""
    found = []
    for turn in range(WORLD.size):
        WORLD.Barrier()
        if WORLD.rank == turn:
            found.append(once(call))
            for other in set(range(WORLD.size)) - {turn}:
                WORLD.send(found[-1], other)
            continue
        while not WORLD.iprobe(source=turn):
            time.sleep(0.001)
        found.append(WORLD.recv(source=turn))
    return found


def slowest(call: Call) -> float:
    """Seconds of the slowest rank."""
    WORLD.Barrier()
    return max(WORLD.allgather(once(call)))


def compare(own: Call, together: Call, seconds: float) -> dict[str, Any]:
    """Medians of the seconds, and medians of their ratios to `together`, of about so many seconds of that."""
    one = max(slowest(together), 1e-6)  # warms up
    rounds = []
    for _ in range(max(ROUNDS[0], min(ROUNDS[1], round(seconds / one)))):
        each = alone(own)
        rounds.append((statistics.mean(each), max(each), slowest(own), slowest(together)))
    columns = dict(zip(KINDS, zip(*rounds, strict=True), strict=True))
    last = columns[KINDS[-1]]
    return {
        "seconds": {kind: round(statistics.median(column), 6) for kind, column in columns.items()},
        "over together": {
            kind: round(statistics.median(a / b for a, b in zip(columns[kind], last, strict=True)), 3)
            for kind in KINDS[:-1]
        },
        "rounds": len(rounds),
    }
