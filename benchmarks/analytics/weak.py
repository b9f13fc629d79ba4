# SPDX-License-Identifier: BSD-3-Clause
"""Weak scaling of equiheat, call by call in one job. Started by `__main__.py` with at least 2 ranks.

A round times one after the other, so that a machine whose speed changes changes all of them: each rank alone with its
share of the rows while the others sleep, every rank by itself with that share at the same time (what cores that share
memory allow at best), all ranks together with all rows. The efficiency is the time alone over the time together: of the
mean of the cores and, as the slowest core sets the pace of all, of the core that was slowest in that round.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import libraries
import torch
from mpi4py import MPI

import equiheat as ht

WORLD = MPI.COMM_WORLD
KINDS = ("alone", "alone, slowest core", "each by itself", "together")


def once(call: Callable[[], Any]) -> float:
    """Seconds of one call on this rank."""
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    del result
    return seconds


def alone(call: Callable[[], Any]) -> list[float]:
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


def slowest(call: Callable[[], Any]) -> float:
    """Seconds of the slowest rank."""
    WORLD.Barrier()
    return max(WORLD.allgather(once(call)))


def efficiency(own: Callable[[], Any], all_: Callable[[], Any], seconds: float) -> dict[str, Any]:
    """Medians, and medians of the ratios in a round."""
    rounds: list[tuple[float, ...]] = []
    one = slowest(all_)  # warms up
    for _ in range(max(7, min(40, round(seconds / one)))):
        each = alone(own)
        rounds.append((statistics.mean(each), max(each), slowest(own), slowest(all_)))
    columns = list(zip(*rounds, strict=True))
    ratios = [
        statistics.median(time / all_ for time, all_ in zip(column, columns[-1], strict=True)) for column in columns
    ]
    return {
        "seconds": {kind: round(statistics.median(column), 5) for kind, column in zip(KINDS, columns, strict=True)},
        "efficiency": {kind: round(ratio, 3) for kind, ratio in zip(KINDS[:-1], ratios, strict=False)},
        "rounds": len(rounds),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, required=True, help="of all ranks")
    parser.add_argument("--pairs", type=int, required=True, help="rows of the distance matrix, all ranks")
    parser.add_argument("--seconds", type=float, required=True, help="of the calls together, per problem")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, pairs = options.rows // WORLD.size, int(options.pairs / WORLD.size**0.5)
    together = libraries.heat_like(ht, options.rows, options.pairs)
    own = libraries.heat_like(ht, rows, pairs, comm=ht.MPI_SELF)
    found = {name: efficiency(own[name], call, options.seconds) for name, call in together.items()}
    if WORLD.rank == 0:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
