# SPDX-License-Identifier: BSD-3-Clause
"""What checked mode (EQUIHEAT_CHECK=1) adds to a collective, through shared memory and through messages.

Usage: python benchmarks/comm_guard.py [--ranks N] [--jobs N] [--json FILE]

Jobs with and without checks alternate; times are medians over jobs of the median microseconds per call of the slowest
rank.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable


def measure() -> None:
    """One job: rank 0 prints a line of JSON."""
    import torch
    from mpi4py import MPI

    import equiheat as ht

    world, core, size = MPI.COMM_WORLD, ht.get_comm().core, MPI.COMM_WORLD.size
    x, y, whole = torch.ones(2), torch.empty(2), torch.empty(2 * size)
    counts = [2] * size
    calls: dict[str, Callable[[], object]] = {
        "barrier": core.barrier,
        "allreduce": lambda: core.allreduce(x, y, ht._core.ReduceOp.SUM),
        "bcast": lambda: core.bcast(y, 0),
        "allgather": lambda: core.allgather(x, whole),
        "alltoallv": lambda: core.alltoallv(whole, whole.clone(), counts, counts),
    }
    found = {}
    for name, call in calls.items():
        blocks = []
        for _ in range(11):
            world.Barrier()
            begin = time.perf_counter()
            for _ in range(1000):
                call()
            blocks.append(world.allreduce((time.perf_counter() - begin) / 1000 * 1e6, MPI.MAX))
        found[name] = statistics.median(blocks)
    if world.rank == 0:
        print("found", json.dumps(found))


def job(ranks: int, check: str, shm: str) -> dict[str, float]:
    """Run one and read what it found."""
    env = os.environ | {"EQUIHEAT_CHECK": check, "EQUIHEAT_SHM": shm, "EQUIHEAT_TIMEOUT": "0", "OMP_NUM_THREADS": "1"}
    command = ["mpiexec", "-n", str(ranks), sys.executable, __file__, "--measure"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("found")]
    return json.loads(lines[0].removeprefix("found"))  # type: ignore[no-any-return]


def compare(ranks: int, shm: str, number: int) -> dict[str, dict[str, float]]:
    """Medians over jobs, by collective."""
    jobs = {check: [] for check in "01"}
    for _ in range(number):
        for check, found in jobs.items():
            found.append(job(ranks, check, shm))
    table = {}
    for name in jobs["0"][0]:
        plain, checked = (statistics.median(one[name] for one in jobs[check]) for check in "01")
        table[name] = {
            "plain": round(plain, 2),
            "checked": round(checked, 2),
            "guard": round(checked - plain, 2),
        }
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=3, help="of each kind")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--measure", action="store_true", help="be one rank of a job")
    options = parser.parse_args()
    if options.measure:
        return measure()
    tables = {}
    for way, shm in (("shared memory", "1"), ("messages", "0")):
        tables[way] = compare(options.ranks, shm, options.jobs)
        print(f"{way}, {options.ranks} ranks, microseconds per call")
        for name, row in tables[way].items():
            print(f"  {name:10}", row)
    if options.json:
        options.json.write_text(json.dumps({"ranks": options.ranks, "microseconds": tables}, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()
