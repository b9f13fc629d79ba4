# SPDX-License-Identifier: BSD-3-Clause
"""Halo exchange beside MPI_Sendrecv, the star stencil beside the same C++ loop, the heat equation on 1 and all ranks.

    OMP_NUM_THREADS=1 mpiexec -n 2 python benchmarks/stencils.py [--json FILE] [--n 4096]

benchmarks/native/stencils.cpp is compiled with the mpicxx on PATH and called in this process, on the same
communicator; blocks of both sides alternate, times are medians over blocks, of the slowest rank. float32 throughout.
The heat equation is compared with the serial program in NumPy.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import torch
from mpi4py import MPI

import equiheat as ht

WORLD = MPI.COMM_WORLD
BLOCKS = 7
Seconds = Callable[[], float]


def native() -> ctypes.CDLL:
    """The C++ program as a library. Rank 0 compiles it."""
    folder = WORLD.bcast(tempfile.mkdtemp() if WORLD.rank == 0 else None)
    library = pathlib.Path(folder) / "stencils.so"
    if WORLD.rank == 0:
        source = pathlib.Path(__file__).parent / "native" / "stencils.cpp"
        flags = ["-O3", "-std=c++17", "-march=native", "-ffast-math", "-shared", "-fPIC"]
        subprocess.run(["mpicxx", *flags, str(source), "-o", str(library)], check=True)
    WORLD.Barrier()
    loaded = ctypes.CDLL(str(library))
    loaded.exchange_seconds.restype = loaded.star_seconds.restype = ctypes.c_double
    return loaded


def medians(sides: dict[str, Seconds]) -> dict[str, float]:
    """Seconds of each side, in turns."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for block in range(BLOCKS + 1):
        for name, side in sides.items():
            WORLD.Barrier()
            seconds = WORLD.allreduce(side(), MPI.MAX)
            if block > 0:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def per_call(call: Callable[[], object], loops: int) -> Seconds:
    def run() -> float:
        start = time.perf_counter()
        for _ in range(loops):
            call()
        return (time.perf_counter() - start) / loops

    return run


def halos(library: ctypes.CDLL, n: int, width: int) -> dict[str, float]:
    """Microseconds of an exchange of `width` rows."""
    x = ht.ones((n, n), dtype=ht.float32, split=0)
    rows, loops = x.larray.shape[0], 500
    handle = WORLD.py2f()
    halo = ht.HaloExchange(x, width)
    exchange, core = halo.exchange_core, x._core
    ours = medians({
        "equiheat": per_call(lambda: exchange(core), loops),
        "get_halo": per_call(lambda: x.get_halo(width), loops),
        "MPI_Sendrecv": lambda: float(
            library.exchange_seconds(handle, ctypes.c_int64(rows), ctypes.c_int64(n), width, loops)
        ),
    })  # fmt: skip
    return {name: round(seconds * 1e6, 2) for name, seconds in ours.items()}


def star_weights(radius: int) -> np.ndarray:
    weights = np.zeros((2 * radius + 1,) * 2)
    for k in range(1, radius + 1):
        weights[radius, radius + k] = weights[radius + k, radius] = 1 / (2 * k * radius)
        weights[radius, radius - k] = weights[radius - k, radius] = -1 / (2 * k * radius)
    return weights


def star(library: ctypes.CDLL, n: int, iterations: int) -> dict[str, float]:
    """Milliseconds of one iteration, and the means both programs end with."""
    weights, norm = star_weights(2), ctypes.c_double()

    def ours() -> float:
        rows = ht.arange(n, dtype=ht.float32, split=0)
        grid = rows.reshape((n, 1)) + ht.arange(n, dtype=ht.float32).reshape((1, n))
        out = ht.zeros_like(grid)
        for iteration in range(iterations + 1):
            if iteration == 1:
                WORLD.Barrier()
                start = time.perf_counter()
            ht.stencil(weights, grid, out=out, accumulate=True)
            grid += 1.0
        seconds = (time.perf_counter() - start) / iterations
        results["equiheat"] = abs(out[2:-2, 2:-2]).mean().item()
        return seconds

    def plain() -> float:
        seconds = library.star_seconds(WORLD.py2f(), ctypes.c_int64(n), iterations, ctypes.byref(norm))
        results["C++"] = norm.value
        return float(seconds)

    results: dict[str, float] = {}
    times = {name: round(s * 1e3, 3) for name, s in medians({"equiheat": ours, "C++": plain}).items()}
    return times | {f"mean of {name}": value for name, value in results.items()}


HEAT = 0.1 * np.array([[0, 1, 0], [1, 6, 1], [0, 1, 0.0]])


def diffuse(x: ht.DNDarray, steps: int) -> ht.DNDarray:
    return ht.stencil(HEAT, x, boundary="edge", steps=steps)


def step_by_step(x: ht.DNDarray, steps: int) -> ht.DNDarray:
    here, there = ht.stencil(HEAT, x, boundary="edge"), ht.empty_like(x)
    for _ in range(steps - 1):
        ht.stencil(HEAT, here, boundary="edge", out=there)
        here, there = there, here
    return here


def heat_equation(n: int, steps: int) -> dict[str, float]:
    """Seconds of the run on one rank, while the others sleep, and on all ranks."""
    start = np.random.default_rng(0).random((n, n), dtype=np.float32)
    whole = ht.array(start, split=0)
    alone = ht.array(start, split=0, comm=ht.MPI_SELF) if WORLD.rank == 0 else None

    def single() -> float:
        begin = time.perf_counter()
        if alone is not None:
            diffuse(alone, steps)
        seconds = time.perf_counter() - begin
        waiting = WORLD.Ibarrier()
        while not waiting.Test():
            time.sleep(0.002)
        return seconds

    def together() -> float:
        begin = time.perf_counter()
        diffuse(whole, steps)
        return time.perf_counter() - begin

    def singly() -> float:
        begin = time.perf_counter()
        step_by_step(whole, steps)
        return time.perf_counter() - begin

    ranks = f"{WORLD.size} ranks"
    times = medians({"1 rank": single, ranks: together, f"{ranks}, a call for each step": singly})
    result = diffuse(whole, steps).numpy()
    serial = start.astype(np.float64)
    for _ in range(steps):
        u = np.pad(serial, 1, "edge")
        serial = 0.6 * serial + 0.1 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
    times["largest difference from NumPy in float64"] = float(np.abs(result - serial).max())
    return {name: round(value, 9) for name, value in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Halos and stencils.")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--n", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    library, n = native(), options.n
    rows: dict[str, dict[str, float]] = {}

    def note(name: str, row: dict[str, float]) -> None:
        rows[name] = row
        if WORLD.rank == 0:
            print(name, row, flush=True)

    for width in (1, 3):
        note(f"halo of width {width}, microseconds", halos(library, n, width))
    note(f"star stencil, radius 2, {n} x {n}, milliseconds", star(library, n, 20))
    note(f"heat equation, {n} x {n}, {options.steps} steps, seconds", heat_equation(n, options.steps))
    if WORLD.rank == 0 and options.json:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
        about = {
            "command": f"mpiexec -n {WORLD.size} python " + " ".join(sys.argv), "commit": commit.strip(),
            "machine": "AMD EPYC, 2 cores", "torch": torch.__version__, "python": platform.python_version(),
            "MPI": MPI.Get_library_version().split("\n")[0].strip("\x00 "),
        }  # fmt: skip
        options.json.write_text(json.dumps({"about": about, "results": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
