# SPDX-License-Identifier: BSD-3-Clause
"""Collectives through shared memory beside mpi4py on the same buffers, and a change of split beside a plain copy.

Usage: mpiexec -n 2 python benchmarks/comm.py [--json FILE] [--most BYTES]

Blocks of calls of ours and of mpi4py's alternate within one run; times are medians over blocks, of the slowest rank.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import time
from collections.abc import Callable

import torch
from mpi4py import MPI

import equiheat as ht

WORLD = MPI.COMM_WORLD
SIZES = [8, 1 << 10, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26]


def seconds_per_call(call: Callable[[], object], calls: int) -> float:
    WORLD.Barrier()
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return float(WORLD.allreduce((time.perf_counter() - start) / calls, MPI.MAX))


def compare(calls: dict[str, Callable[[], object]], loops: int, blocks: int = 9) -> dict[str, float]:
    """Median microseconds per call."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for block in range(blocks + 1):
        for name, call in calls.items():
            seconds = seconds_per_call(call, loops)
            if block > 0:
                times[name].append(seconds * 1e6)
    return {name: round(statistics.median(values), 2) for name, values in times.items()}


def collectives(count: int) -> dict[str, dict[str, Callable[[], object]]]:
    """The same operation of both libraries on `count` float32 per rank."""
    core, n = ht.get_comm().core, WORLD.size
    x, y, whole = torch.ones(count), torch.empty(count), torch.empty(count * n)
    spread = torch.ones(count // n * n)
    back = torch.empty_like(spread)
    total = ht._core.ReduceOp.SUM
    return {
        "allreduce": {
            "equiheat": lambda: core.allreduce(x, y, total),
            "mpi4py": lambda: WORLD.Allreduce(x.numpy(), y.numpy()),
        },
        "bcast": {"equiheat": lambda: core.bcast(y, 0), "mpi4py": lambda: WORLD.Bcast(y.numpy(), 0)},
        "allgather": {
            "equiheat": lambda: core.allgather(x, whole),
            "mpi4py": lambda: WORLD.Allgather(x.numpy(), whole.numpy()),
        },
        "alltoall": {
            "equiheat": lambda: core.alltoall(spread, back),
            "mpi4py": lambda: WORLD.Alltoall(spread.numpy(), back.numpy()),
        },
    }


def resplit(rows: int, columns: int) -> dict[str, float]:
    """Milliseconds of a change of split, and of a copy of the bytes of a rank that change hands."""
    x = ht.ones((rows, columns), split=0)
    moving = torch.ones(x.larray.numel() * (WORLD.size - 1) // WORLD.size)
    copy = torch.empty_like(moving)
    times = compare({"resplit": lambda: ht.resplit(x, 1), "copy": lambda: copy.copy_(moving)}, 1, 5)
    return {name: round(value / 1000, 2) for name, value in times.items()}


def main() -> None:
    """Print a table; rank 0 writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    options = parser.parse_args()
    table: dict[str, dict[str, float]] = {}
    for size in (s for s in SIZES if s <= options.most):
        for name, calls in collectives(size // 4).items():
            table[f"{name} {size}"] = compare(calls, max(1, min(200, (4 << 20) // size)))
            if WORLD.rank == 0:
                row = table[f"{name} {size}"]
                print(f"{name:10} {size:9} B  ", row, f"{row['mpi4py'] / row['equiheat']:.2f} x", flush=True)
    table["resplit 512 MiB, ms"] = resplit(16384, 8192)
    if WORLD.rank == 0:
        print("resplit(0 -> 1) of 512 MiB, ms:", table["resplit 512 MiB, ms"])
        if options.json:
            options.json.write_text(json.dumps({"ranks": WORLD.size, "microseconds": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
