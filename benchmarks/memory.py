# SPDX-License-Identifier: BSD-3-Clause
"""Peak memory of operations that move data, as a multiple of their local input and output.

    mpiexec -n 2 python benchmarks/memory.py [--json FILE] [--mib 64] [--only NAME]

For every operation: the growth of the resident set's high-water mark of each rank during one call (after a first call
on small data, so that libraries and channels are there), plus the inputs, divided by the inputs and outputs of this
rank. The figure is that of the worst rank; 1 would be no temporary at all, 3 is what this project allows itself. Heat,
where it can be imported, is measured by the same rule in the same run. Linux only: /proc/self/clear_refs.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import pathlib
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import torch
from mpi4py import MPI

import equiheat as ht

sys.path.insert(0, str(pathlib.Path(__file__).parent / "versus_heat"))
COMM = MPI.COMM_WORLD
MIB = 2**20
Arrays = tuple[Any, ...]
Case = tuple[Callable[[Any, int], Arrays], Callable[..., Any]]


def line(m: Any, n: int) -> Arrays:
    """float32 numbers, split 0."""
    return (m.random.randn(n, split=0),)


def labels(m: Any, n: int) -> Arrays:
    """int64, 1000 different ones."""
    return (m.random.randint(0, 1000, (n // 2,), dtype=m.int64, split=0),)


def table(m: Any, n: int) -> Arrays:
    """(n / 256, 256), split 0."""
    return (m.random.randn(n // 256, 256, split=0),)


def square(m: Any, n: int) -> Arrays:
    """Square, split 0."""
    side = int(n**0.5)
    return (m.random.randn(side, side, split=0),)


def squares(split: int, other: int) -> Callable[[Any, int], Arrays]:
    """Two square matrices of these splits."""

    def make(m: Any, n: int) -> Arrays:
        side = int((n // 2) ** 0.5)
        return m.random.randn(side, side, split=split), m.random.randn(side, side, split=other)

    return make


def picked(m: Any, n: int) -> Arrays:
    """A table and as many row numbers in any order."""
    rows = n // 256
    return m.random.randn(rows, 256, split=0), m.random.randint(0, rows, (rows,), dtype=m.int64, split=0)


def masked(m: Any, n: int) -> Arrays:
    """Numbers and where they are positive."""
    x = m.random.randn(n, split=0)
    return x, x > 0


def put(x: Any, rows: Any) -> Any:
    x[rows] = 1.0
    return x


CASES: dict[str, Case] = {
    "sort": (line, lambda m, x: m.sort(x, axis=0)),
    "sort 2-d axis 0": (table, lambda m, x: m.sort(x, axis=0)),
    "argsort": (line, lambda m, x: m.argsort(x, axis=0)),
    "topk": (line, lambda m, x: m.topk(x, 100)),
    "unique": (line, lambda m, x: m.unique(x, sorted=True)),
    "unique of few": (labels, lambda m, x: m.unique(x, sorted=True)),
    "percentile": (line, lambda m, x: m.percentile(x, 37.0)),
    "median axis 0": (table, lambda m, x: m.median(x, axis=0)),
    "matmul 0@0": (squares(0, 0), lambda m, a, b: a @ b),
    "matmul 0@1": (squares(0, 1), lambda m, a, b: a @ b),
    "matmul 1@0": (squares(1, 0), lambda m, a, b: a @ b),
    "matmul 1@1": (squares(1, 1), lambda m, a, b: a @ b),
    "fft along split": (table, lambda m, x: m.fft.fft(x, axis=0)),
    "fft2": (square, lambda m, x: m.fft.fft2(x)),
    "fft 1-d": (line, lambda m, x: m.fft.fft(x)),
    "rfft along split": (table, lambda m, x: m.fft.rfft(x, axis=0)),
    "x[rows]": (picked, lambda m, x, rows: x[rows]),
    "x[rows] = 1": (picked, lambda m, x, rows: put(x, rows)),
    "x[mask]": (masked, lambda m, x, mask: x[mask]),
    "x[mask] = 1": (masked, lambda m, x, mask: put(x, mask)),
    "nonzero": (masked, lambda m, x, mask: m.nonzero(mask)),
    "resplit 0 to 1": (table, lambda m, x: m.resplit(x, 1)),
    "roll": (table, lambda m, x: m.roll(x, 1, 0)),
    "cumsum": (line, lambda m, x: m.cumsum(x, 0)),
}


def resident(field: str) -> int:
    """Bytes of a line of /proc/self/status."""
    for text in pathlib.Path("/proc/self/status").read_text().splitlines():
        if text.startswith(field):
            return int(text.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def settle() -> None:
    """Free memory goes back to the system; the high-water mark starts from what is left."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def size(value: Any) -> int:
    """Bytes of the local parts of arrays in nested tuples."""
    if isinstance(value, (tuple, list)):
        return sum(size(v) for v in value)
    local = getattr(value, "larray", value)
    return local.numel() * local.element_size() if isinstance(local, torch.Tensor) else 0


def multiple(m: Any, case: Case, n: int) -> float | str:
    """(input + growth) / (input + output) of the worst rank, or why it failed."""
    make, call = case
    reason, ratio = None, 0.0
    try:
        call(m, *make(m, 2**16))
        inputs = make(m, n)
        COMM.Barrier()
        settle()
        before = resident("VmRSS")
        result = call(m, *inputs)
        growth = resident("VmHWM") - before
        own = any(result is x for x in inputs)
        ratio = (size(inputs) + growth) / max(size(inputs) + (0 if own else size(result)), 1)
    except Exception as error:
        reason = f"failed ({type(error).__name__}: {error})".splitlines()[0][:100]
    reasons = [r for r in COMM.allgather(reason) if r is not None]
    worst = COMM.allreduce(ratio, MPI.MAX)
    return reasons[0] if reasons else round(worst, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory of operations.")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--mib", type=int, default=64, help="input of each rank")
    parser.add_argument("--only", default="")
    parser.add_argument("--ours", action="store_true", help="without Heat, some of whose operations take minutes")
    options = parser.parse_args()
    libraries: dict[str, Any] = {"equiheat": ht}
    if not options.ours:
        with contextlib.suppress(ImportError):
            import timing

            libraries["heat"] = timing.import_heat()
    n = options.mib * MIB // 4 * COMM.size
    rows: dict[str, dict[str, float | str]] = {}
    for name, case in CASES.items():
        if name.startswith(options.only):
            rows[name] = {library: multiple(m, case, n) for library, m in libraries.items()}
            if COMM.rank == 0:
                print(f"{name:20}", *(f"{k} {v}" for k, v in rows[name].items()), flush=True)
    if COMM.rank == 0 and options.json:
        git = ["git", "describe", "--always", "--dirty"]
        about = {"ranks": COMM.size, "MiB of each rank": options.mib, "python": platform.python_version()}
        about |= {"command": f"mpiexec -n {COMM.size} python " + " ".join(sys.argv), "torch": torch.__version__}
        about["commit"] = subprocess.run(git, capture_output=True, text=True).stdout.strip()
        options.json.write_text(json.dumps({"about": about, "multiple of input + output": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
