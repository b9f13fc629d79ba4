# SPDX-License-Identifier: BSD-3-Clause
"""Times one library on the ranks of this job and writes what it found. Started by `__main__.py`."""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import pathlib
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import libraries
import problems

COMM: Any = None
LONG = 60.0  #: seconds of a problem after which no call is repeated


def _max(value: float) -> float:
    return value if COMM is None else max(COMM.allgather(value))


def once(call: Callable[[], Any]) -> float:
    """Seconds of one call on the slowest rank."""
    if COMM is not None:
        COMM.Barrier()
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    del result
    return _max(seconds)


def resident(field: str) -> int:
    """Bytes of a line of /proc/self/status."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def growth(call: Callable[[], Any]) -> float:
    """MiB by which a call raises the resident set's high-water mark on the worst rank."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    call()
    return _max((resident("VmHWM") - before) / 2**20)


def timed(call: Callable[[], Any], seconds: float) -> dict[str, Any]:
    """Median of at least three calls (of one, if a call takes a minute), and the memory of one; or why it failed."""
    try:
        memory = growth(call)
        times: list[float] = []
        while (len(times) < 3 and sum(times) < LONG) or (sum(times) < seconds and len(times) < 20):
            times.append(once(call))
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:160]}
    return {
        "seconds": statistics.median(times), "least": min(times), "calls": len(times), "MiB": round(memory, 1)
    }  # fmt: skip


def neighbours(rows: int) -> dict[str, Any]:
    """equiheat's nearest neighbours of `rows` samples among as many, once."""
    import equiheat as ht

    x = ht.array(problems.samples(rows), split=0)
    model = ht.classification.KNeighborsClassifier(problems.NEIGHBOURS).fit(x, ht.zeros(rows, split=0))
    start = time.perf_counter()
    memory = growth(lambda: model.kneighbors(x))
    return {"seconds": _max(time.perf_counter() - start), "calls": 1, "MiB": round(memory, 1), "rows": rows}


def main() -> None:
    global COMM
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", choices=list(libraries.LIBRARIES), required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--pairs", type=int, required=True, help="rows of the distance matrix")
    parser.add_argument("--neighbours", type=int, default=0, help="rows of the search for neighbours")
    parser.add_argument("--seconds", type=float, required=True, help="per problem")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.library in ("equiheat", "heat"):
        import torch
        from mpi4py import MPI

        COMM = MPI.COMM_WORLD
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    calls = libraries.LIBRARIES[options.library](options.rows, options.pairs)
    found = {name: timed(call, options.seconds) for name, call in calls.items()}
    if options.neighbours and options.library == "equiheat":
        found["neighbours"] = neighbours(options.neighbours)
    if COMM is None or COMM.rank == 0:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
