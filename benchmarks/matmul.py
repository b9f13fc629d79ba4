# SPDX-License-Identifier: BSD-3-Clause
"""Matrix products of every pair of splits against torch.matmul in one process on the same number of cores.

    python benchmarks/matmul.py --reference                # torch alone, OMP_NUM_THREADS = cores; writes the baseline
    mpiexec -n 2 python benchmarks/matmul.py               # ours, one thread per rank; prints the ratios
    mpiexec -n 2 python benchmarks/matmul.py --heat        # Heat's times beside, where it is installed

A ratio is a quotient of medians of the slowest rank's times: above 1 we are slower. The cores must otherwise be idle;
the quotient of the shortest times beside it tells how far they were not.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from mpi4py import MPI

WORLD = MPI.COMM_WORLD
BASELINE = pathlib.Path("runs/matmul_torch.json")
SPLITS = [None, 0, 1]


def measure(run: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Median and minimum over calls of the slowest rank's seconds, after one call to warm up. Collective."""
    run()
    times = []
    for _ in range(repeats):
        WORLD.Barrier()
        start = time.perf_counter()
        run()
        times.append(WORLD.allreduce(time.perf_counter() - start, MPI.MAX))
    return statistics.median(times), min(times)


def operands(shape: tuple[int, int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The same matrices on every rank."""
    generator = torch.Generator().manual_seed(0)
    m, k, n = shape
    return torch.randn(m, k, generator=generator), torch.randn(k, n, generator=generator)


def write_reference(shapes: list[tuple[int, int, int]], repeats: int) -> None:
    """Times of torch.matmul with the threads this process has."""
    times = {}
    for shape in shapes:
        a, b = operands(shape)
        times["x".join(map(str, shape))] = measure(lambda a=a, b=b: a @ b, repeats)
    BASELINE.parent.mkdir(exist_ok=True)
    BASELINE.write_text(json.dumps({"threads": torch.get_num_threads(), "seconds": times}, indent=1) + "\n")
    say(f"torch with {torch.get_num_threads()} threads: {times}")


def say(text: str) -> None:
    """On rank 0."""
    if WORLD.rank == 0:
        print(text, flush=True)


def compare(shapes: list[tuple[int, int, int]], repeats: int, with_heat: bool) -> None:
    """Our times over torch's (and over Heat's) for every pair of splits. Collective."""
    import equiheat as ht

    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"threads": None, "seconds": {}}
    if baseline["threads"] not in (None, WORLD.size):
        say(f"note: the baseline had {baseline['threads']} threads, this run has {WORLD.size} ranks")
    heat = importlib.import_module("heat") if with_heat else None
    say(f"{WORLD.size} ranks, {torch.get_num_threads()} threads each; seconds are medians of {repeats}")
    say(f"{'m x k x n':>18} {'splits':>8} {'ours s':>9} {'/ torch':>14} {'/ Heat':>14}")
    for shape in shapes:
        a, b = operands(shape)
        reference = baseline["seconds"].get("x".join(map(str, shape)))
        for left, right in itertools.product(SPLITS, SPLITS):
            x, y = ht.array(a, split=left), ht.array(b, split=right)
            ours = measure(lambda x=x, y=y: x @ y, repeats)
            theirs = heat_time(heat, a, b, left, right, repeats) if heat else None
            say(
                f"{'x'.join(map(str, shape)):>18} {name(left)}@{name(right):<6} {ours[0]:9.4f} "
                f"{ratios(ours, reference):>14} {ratios(ours, theirs):>14}"
            )


def ratios(ours: tuple[float, float], theirs: tuple[float, float] | None) -> str:
    """Quotients of the medians and, in brackets, of the minima."""
    return "-" if theirs is None else f"{ours[0] / theirs[0]:.2f} ({ours[1] / theirs[1]:.2f})"


def heat_time(heat: Any, a: torch.Tensor, b: torch.Tensor, left: Any, right: Any, repeats: int) -> tuple[float, float]:
    """Heat's times for the same operands. Collective."""
    x, y = heat.array(a, split=left), heat.array(b, split=right)
    return measure(lambda: heat.matmul(x, y), repeats)


def name(split: int | None) -> str:
    """As in the tables."""
    return "N" if split is None else str(split)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", action="store_true", help="time torch alone and write the baseline")
    parser.add_argument("--heat", action="store_true", help="time Heat too")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--shapes", nargs="*", default=["1024x1024x1024", "2048x2048x2048", "65536x128x128"])
    args = parser.parse_args()
    shapes = [tuple(map(int, text.split("x"))) for text in args.shapes]
    if args.reference:
        write_reference(shapes, args.repeats)  # type: ignore[arg-type]
        return
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // WORLD.size))
    compare(shapes, args.repeats, args.heat)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
