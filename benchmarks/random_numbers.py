# SPDX-License-Identifier: BSD-3-Clause
"""Random arrays against torch's generators, one thread a process.

    OMP_NUM_THREADS=1 python benchmarks/random_numbers.py
    OMP_NUM_THREADS=1 mpiexec -n 2 python benchmarks/random_numbers.py     # each rank its own part

Prints nanoseconds of processor time per element of the global array, least of the repeats (so that a busy machine
matters less), and the ratio ours / torch's: above 1 we are slower. torch always draws the whole array.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import time
from collections.abc import Callable

import torch
from mpi4py import MPI

import equiheat as ht

WORLD = MPI.COMM_WORLD


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Least processor time of a call, of the slowest rank. Collective."""
    run()
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return float(WORLD.allreduce(best, MPI.MAX))


def cases(n: int) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Name: (ours, torch's)."""
    double = torch.float64
    return {
        "rand float32": (lambda: ht.random.rand(n, split=0), lambda: torch.rand(n)),
        "rand float64": (lambda: ht.random.rand(n, dtype=ht.float64, split=0), lambda: torch.rand(n, dtype=double)),
        "randn float32": (lambda: ht.random.randn(n, split=0), lambda: torch.randn(n)),
        "randn float64": (lambda: ht.random.randn(n, dtype=ht.float64, split=0), lambda: torch.randn(n, dtype=double)),
        "randint 0..99": (
            lambda: ht.random.randint(0, 100, n, dtype=ht.int64, split=0),
            lambda: torch.randint(0, 100, (n,)),
        ),
        "randint 0..2^40": (
            lambda: ht.random.randint(0, 2**40, n, dtype=ht.int64, split=0),
            lambda: torch.randint(0, 2**40, (n,)),
        ),
        "randperm": (lambda: ht.random.randperm(n, split=0), lambda: torch.randperm(n)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=int, default=4_000_000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--out", type=pathlib.Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = {}
    for name, (ours, torchs) in cases(options.elements).items():
        a, b = (1e9 * seconds(f, options.repeats) / options.elements for f in (ours, torchs))
        rows[name] = {"ours_ns": a, "torch_ns": b, "ratio": a / b}
        if WORLD.rank == 0:
            print(f"{name:<16} ours {a:6.2f} ns   torch {b:6.2f} ns   ratio {a / b:5.2f}", flush=True)
    if WORLD.rank == 0 and options.out:
        figures = {"ranks": WORLD.size, "elements": options.elements, "rows": rows}
        options.out.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
