# SPDX-License-Identifier: BSD-3-Clause
"""Alternating timed calls of the libraries on the ranks of one MPI job."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import subprocess
import sys
import time
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import cases
import cases_arrays  # noqa: F401  (registers groups)
import cases_estimators  # noqa: F401
import cases_linalg  # noqa: F401
import torch
from mpi4py import MPI

import equiheat as ht

COMM = MPI.COMM_WORLD
LOOP_SECONDS = 0.002  # short calls are looped until they take this long
LEAST_ROUNDS = 3
BUILDS = 3  # where an array lies in memory is luck and changes times by a third: each library gets several chances
MORE = 3  # further builds where another library is as fast or faster, for all libraries alike: is it, or was it luck?
CLOSE = 1.05  # times as long as ours

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
    """Least seconds of each library's call, or why it failed."""
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
    return results | {name: min(values) for name, values in times.items()}


def build(group: Callable[..., cases.Calls], *arguments: Any) -> cases.Calls:
    with contextlib.suppress(AttributeError, NotImplementedError):
        return group(*arguments)
    return {}


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which groups and calls to time."""

    groups: Sequence[str]
    cases: str

    def wants(self, group: cases.Group) -> bool:
        return any(group.__name__.startswith(name) for name in self.groups)


def inputs(group: cases.Group, heat: Any, build_number: int) -> dict[str, cases.Calls]:
    """The calls of each library on inputs of their own; another library is the first to allocate in every build."""
    makers: list[tuple[str, Callable[[], cases.Calls]]] = [
        ("equiheat", lambda: build(group, ht)),
        ("heat", lambda: build(group, heat)),
        ("torch", lambda: cases.TORCH.get(group.__name__, dict)() if COMM.size == 1 else {}),
    ]
    turn = build_number % len(makers)
    made = {name: make() for name, make in makers[turn:] + makers[:turn]}
    return {name: made[name] for name, _ in makers}


def least(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The least time of each library; a failure stays one."""
    return {
        lib: min(value, before[lib]) if isinstance(value, float) and isinstance(before.get(lib), float) else value
        for lib, value in now.items()
    }


def in_doubt(name: str, row: dict[str, Any]) -> bool:
    """True if another library is about as fast as ours, or faster; torch's calls on 12 elements are."""
    others = [row.get("heat"), None if name.startswith("tiny") else row.get("torch")]
    ours = row.get("equiheat")
    return isinstance(ours, float) and any(isinstance(t, float) and t < CLOSE * ours for t in others)


def measured(heat: Any, group: cases.Group, only: str, seconds: float) -> dict[str, Any]:
    """Seconds by call and library of the group's calls whose names contain `only`."""
    rows: dict[str, Any] = {}
    for number in range(BUILDS + MORE):
        doubts = {n for n, row in rows.items() if in_doubt(group.__name__, row)}
        chosen = COMM.bcast(doubts) if number >= BUILDS else None
        if chosen == set():
            break
        calls = inputs(group, heat, number)
        for name in calls["equiheat"] or calls["heat"]:
            if only in name and (chosen is None or name in chosen):
                row = compare({lib: c[name] for lib, c in calls.items() if name in c}, seconds / BUILDS)
                rows[name] = least(rows.get(name, {}), row)
        calls.clear()
    return {f"{group.__name__}.{name}": row for name, row in rows.items()}


def keep(out: pathlib.Path, heat: Any, table: dict[str, Any]) -> None:
    """Print figures and add them to `ranks<N>.json`."""
    for name, row in table.items():
        print(name, *(f"{k}={v if isinstance(v, str) else f'{v * 1e6:.1f}us'}" for k, v in row.items()), flush=True)
    path = out / f"ranks{COMM.size}.json"
    known = json.loads(path.read_text()) if path.exists() else {"ranks": COMM.size, "about": {}, "seconds": {}}
    for key, value in about(heat).items():
        before = known["about"].get(key)
        known["about"][key] = value if before is None else before if value in before else f"{before}; {value}"
    known["seconds"] |= table
    path.write_text(json.dumps(known, indent=1) + "\n")


def run(out: pathlib.Path, choice: Choice, seconds: float, threads: int) -> None:
    """Time the groups; rank 0 keeps each when it is done, for Heat may end the job (its qr uses up communicators)."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(threads)
    heat = import_heat()
    out.mkdir(parents=True, exist_ok=True)
    for group in filter(choice.wants, cases.GROUPS):
        table = measured(heat, group, choice.cases, seconds)
        if COMM.rank == 0:
            keep(out, heat, table)


def about(heat: Any) -> dict[str, str]:
    """What ran where."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "commit": commit,
        "command": f"mpiexec -n {COMM.size} python benchmarks/versus_heat " + " ".join(sys.argv[1:]),
        "cpu": model[0] if model else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "threads per rank": str(torch.get_num_threads()),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "heat": getattr(heat, "__version__", "not used"),
        "equiheat": ht.__version__,
        "mpi": MPI.Get_library_version().splitlines()[0],
        "load average": f"{os.getloadavg()[1]:.1f}",  # beyond the cores: others' work is in the figures
    }
