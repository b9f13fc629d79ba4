# SPDX-License-Identifier: BSD-3-Clause
"""Alternating timed calls of the libraries on the ranks of one MPI job."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time
import types
import warnings
from collections.abc import Callable
from typing import Any

import cases
import cases_arrays  # noqa: F401  (registers groups)
import cases_linalg  # noqa: F401
import torch
from mpi4py import MPI

import equiheat as ht

COMM = MPI.COMM_WORLD
LOOP_SECONDS = 0.002  # short calls are looped until they take this long
LEAST_ROUNDS = 3

Call = Callable[[], object]


class _Anything(types.ModuleType):
    """A module whose every attribute is a class: Heat imports torchvision, which has no build for every torch."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def import_heat() -> Any:
    """Heat, with an empty torchvision where there is none."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        names = ("torchvision", "torchvision.datasets", "torchvision.transforms")
        modules = {name: _Anything(name) for name in names}
        modules["torchvision"].datasets = modules["torchvision.datasets"]  # type: ignore[attr-defined]
        modules["torchvision"].transforms = modules["torchvision.transforms"]  # type: ignore[attr-defined]
        sys.modules.update(modules)
    import heat

    return heat


def once(call: Call, loops: int) -> float:
    """Seconds per call on the slowest rank."""
    COMM.Barrier()
    start = time.perf_counter()
    for _ in range(loops):
        call()
    seconds = (time.perf_counter() - start) / loops
    return float(COMM.allreduce(seconds, MPI.MAX))


def works(call: Call) -> str | None:
    """None when the call works on all ranks, else why not."""
    reason = None
    try:
        call()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:120]
    reasons = COMM.allgather(reason)
    return next((text for text in reasons if text is not None), None)


def compare(calls: dict[str, Call], seconds: float) -> dict[str, Any]:
    """Median seconds of each library's call, or why it failed."""
    results: dict[str, Any] = {}
    loops: dict[str, int] = {}
    for name, call in calls.items():
        reason = works(call)
        if reason is not None:
            results[name] = f"failed ({reason})"
            continue
        loops[name] = max(1, int(LOOP_SECONDS / max(once(call, 1), 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in loops}
    spent = dict.fromkeys(loops, 0.0)
    while any(spent[name] < seconds or len(times[name]) < LEAST_ROUNDS for name in loops):
        for name, count in loops.items():
            if spent[name] < seconds or len(times[name]) < LEAST_ROUNDS:
                times[name].append(once(calls[name], count))
                spent[name] += times[name][-1] * count
    return results | {name: statistics.median(values) for name, values in times.items()}


def build(group: Callable[..., cases.Calls], *arguments: Any) -> cases.Calls:
    with contextlib.suppress(AttributeError, NotImplementedError):
        return group(*arguments)
    return {}


def run(out: pathlib.Path, only: str, seconds: float) -> None:
    """Time every group; rank 0 writes `ranks<N>.json`."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // COMM.size))
    heat = import_heat()
    table: dict[str, Any] = {}
    for group in cases.GROUPS:
        if not group.__name__.startswith(only):
            continue
        ours, theirs = build(group, ht), build(group, heat)
        reference = cases.TORCH.get(group.__name__, dict)() if COMM.size == 1 else {}
        for name in ours or theirs:
            calls = {"equiheat": ours, "heat": theirs, "torch": reference}
            row = compare({lib: c[name] for lib, c in calls.items() if name in c}, seconds)
            table[f"{group.__name__}.{name}"] = row
            if COMM.rank == 0:
                print(
                    f"{group.__name__}.{name}",
                    *(f"{k}={v if isinstance(v, str) else f'{v * 1e6:.1f}us'}" for k, v in row.items()),
                    flush=True,
                )
    if COMM.rank == 0:
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"ranks": COMM.size, "about": about(heat), "seconds": table}, indent=1)
        (out / f"ranks{COMM.size}.json").write_text(text + "\n")


def about(heat: Any) -> dict[str, str | int]:
    """What ran where."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "commit": commit,
        "command": f"mpiexec -n {COMM.size} python benchmarks/versus_heat " + " ".join(sys.argv[1:]),
        "cpu": model[0] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "threads per rank": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "heat": heat.__version__,
        "equiheat": ht.__version__,
        "mpi": MPI.Get_library_version().splitlines()[0],
    }
