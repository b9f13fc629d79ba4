# SPDX-License-Identifier: BSD-3-Clause
"""Cost of one call on 16 elements at 1 rank beside the same torch call, and of `import equiheat`.

Usage: python benchmarks/overhead.py [--json FILE] [--seconds S]

Blocks of calls of ours and of torch's alternate within one run, so that both see the same machine; the ratio is that
of the median times per call. Wanted: at most 2.0. The import is timed in fresh interpreters that have imported torch
and mpi4py.MPI; wanted: at most 0.15 s.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch

import equiheat as ht

CALLS = 200
LIMIT = 2.0
IMPORT_LIMIT = 0.15
IMPORT = """
import time, torch, mpi4py.MPI
start = time.perf_counter()
import equiheat
print(time.perf_counter() - start)
"""


def seconds_per_call(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - start) / CALLS


def compare(ours: Callable[[], object], theirs: Callable[[], object], seconds: float) -> dict[str, float]:
    """Medians of alternating blocks, in microseconds, and their ratio."""
    for call in (ours, theirs):
        seconds_per_call(call)
    times: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 20:
        times[0].append(seconds_per_call(ours))
        times[1].append(seconds_per_call(theirs))
    mine, torchs = (statistics.median(t) * 1e6 for t in times)
    return {"equiheat_us": round(mine, 3), "torch_us": round(torchs, 3), "ratio": round(mine / torchs, 3)}


def import_seconds(runs: int = 7) -> float:
    """Median over fresh interpreters; one before them compiles the modules where they are not compiled yet."""
    once = [sys.executable, "-c", IMPORT]
    times = [float(subprocess.run(once, capture_output=True, text=True, check=True).stdout) for _ in range(runs + 1)]
    return statistics.median(times[1:])


def about() -> dict[str, str]:
    """What ran where."""
    git = ["git", "describe", "--always", "--dirty"]
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return {
        "command": "python " + " ".join(sys.argv),
        "commit": subprocess.run(git, capture_output=True, text=True).stdout.strip(),
        "cpu": next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown"),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def cases() -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    s, t = torch.rand(16), torch.rand(16)
    a, b = ht.array(s, split=0), ht.array(t, split=0)
    return {
        "a + b": (lambda: a + b, lambda: s + t),
        "exp(a)": (lambda: ht.exp(a), lambda: torch.exp(s)),
        "a.sum()": (lambda: a.sum(), lambda: s.sum()),
        "a * 2.0": (lambda: a * 2.0, lambda: s * 2.0),
        "a < b": (lambda: a < b, lambda: s < t),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Cost of one call on 16 elements beside torch's.")
    parser.add_argument("--json", type=pathlib.Path, help="where to write the figures")
    parser.add_argument("--seconds", type=float, default=2.0, help="per case")
    options = parser.parse_args()
    if ht.get_comm().size != 1:
        raise SystemExit("overhead: run it on one rank; the cost of one call without messages is what it measures")
    torch.set_num_threads(1)
    results = {name: compare(*pair, options.seconds) for name, pair in cases().items()}
    for name, r in results.items():
        print(f"{name:10} {r['equiheat_us']:8.2f} us  torch {r['torch_us']:8.2f} us  ratio {r['ratio']:.2f}")
    seconds = import_seconds()
    print(f"import equiheat beyond torch and mpi4py.MPI: {seconds:.3f} s")
    if options.json:
        limits = {"ratio": LIMIT, "import_s": IMPORT_LIMIT}
        figures = {"about": about(), "limits": limits, "cases": results, "import_s": round(seconds, 4)}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    wanted = ("a + b", "exp(a)", "a.sum()")
    return int(any(results[name]["ratio"] > LIMIT for name in wanted) or seconds > IMPORT_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
