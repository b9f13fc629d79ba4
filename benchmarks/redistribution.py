# SPDX-License-Identifier: BSD-3-Clause
"""Changes of split beside a copy of the same bytes and beside Heat, and the memory they need.

    OMP_NUM_THREADS=1 mpiexec -n 2 python benchmarks/redistribution.py [--json FILE] [--mib 512]

A rank's copy is of its whole block to new memory, all ranks at once, as a change of split makes new memory. Rounds
alternate; times are medians of the slowest rank. Heat is measured where it can be imported. Memory: the growth of the
resident set's high-water mark over source and target, in multiples of the larger one (Linux only).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from mpi4py import MPI

import equiheat as ht

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent / "versus_heat")]
from memory import resident, settle  # noqa: E402

WORLD = MPI.COMM_WORLD
MIB = 2**20


def medians(sides: dict[str, Callable[[], object]], rounds: int = 5) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, side in sides.items():
            WORLD.Barrier()
            start = time.perf_counter()
            side()
            seconds = WORLD.allreduce(time.perf_counter() - start, MPI.MAX)
            if turn > 0:
                times[name].append(seconds)
    return {name: round(statistics.median(values), 4) for name, values in times.items()}


def speed(rows: int, columns: int) -> dict[str, float]:
    """Seconds, and the share of a copy's bandwidth."""
    x = ht.ones((rows, columns), dtype=ht.float32, split=0)
    warm = torch.empty_like(x.larray)
    sides: dict[str, Callable[[], object]] = {
        "copy to new memory": lambda: x.larray.clone(),
        "copy to memory in use": lambda: warm.copy_(x.larray),
        "resplit 0 to 1": lambda: ht.resplit(x, 1),
    }
    y = ht.resplit(x, 1)
    sides["resplit 1 to 0"] = lambda: ht.resplit(y, 0)
    with contextlib.suppress(ImportError):
        import timing

        heat = timing.import_heat()
        z = heat.ones((rows, columns), dtype=heat.float32, split=0)
        sides["Heat's resplit 0 to 1"] = lambda: heat.resplit(z, 1)
    return medians(sides)


def uneven(rows: int) -> list[int]:
    """Rows for each rank, twice as many for rank 0."""
    third = rows // (WORLD.size + 1)
    counts = [third * (1 + (r == 0)) for r in range(WORLD.size)]
    counts[-1] += rows - sum(counts)
    return counts


def memory(call: Callable[[ht.DNDarray], Any], rows: int, columns: int) -> float:
    """High-water mark of source, target and all else, in multiples of the larger block."""
    call(ht.ones((1024, 1024), dtype=ht.float32, split=0))
    x = ht.ones((rows, columns), dtype=ht.float32, split=0)
    block = x.larray.numel() * 4
    WORLD.Barrier()
    settle()
    before = resident("VmRSS") - block
    y = call(x)
    peak = resident("VmHWM") - before
    larger = max(block, y.larray.numel() * 4)
    return round(float(WORLD.allreduce(peak / larger, MPI.MAX)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description="Changes of split.")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--mib", type=int, default=512)
    options = parser.parse_args()
    torch.set_num_threads(1)
    columns = 8192
    rows = options.mib * MIB // 4 // columns
    results: dict[str, Any] = {
        f"memory, {options.mib} MiB, in place (multiple of the larger block)": {
            "resplit_ 0 to 1": memory(lambda x: x.resplit_(1), rows, columns),
            "redistribute_": memory(lambda x: x.redistribute_(target_map=uneven(len(x))) or x, rows, columns),
        },
        f"memory, {options.mib} MiB, new array (2 is source and target)": {
            "resplit 0 to 1": memory(lambda x: x.resplit(1), rows, columns),
        },
        f"float32, {options.mib} MiB, seconds": speed(rows, columns),
    }
    if WORLD.rank == 0:
        for name, row in results.items():
            print(name, row, flush=True)
        if options.json:
            commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
            about = {
                "command": f"mpiexec -n {WORLD.size} python " + " ".join(sys.argv), "commit": commit.strip(),
                "machine": "AMD EPYC, 2 cores", "torch": torch.__version__, "python": platform.python_version(),
                "MPI": MPI.Get_library_version().split("\n")[0].strip("\x00 "),
            }  # fmt: skip
            options.json.write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
