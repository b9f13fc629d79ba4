# SPDX-License-Identifier: BSD-3-Clause
"""The four benchmarks of the HeAT paper: equiheat beside Heat, Dask, scikit-learn and NumPy on the same cores.

    pip install --no-deps heat==1.8.0; pip install dask dask-ml; then, in one command:
    python benchmarks/analytics --out benchmarks/results/analytics

k-means (30 iterations from the same centres), moments (mean and standard deviation, of everything and of the columns),
lasso (20 sweeps) of 10**6 x 18 float32 numbers, and a matrix of distances; the nearest neighbours of 10**5 samples
among as many. Every library runs by itself, one after the other: equiheat and Heat with one thread per rank, the
others with threads in one process. The time is the median of calls, of the slowest rank; "MiB" is by how much a call
raises the high-water mark of the resident set. Weak scaling (`weak.py`): half the rows (for distances half the pairs)
on 1 rank beside all of them on 2, call by call in one job. `--rows`, `--only` and `--add` run parts; what was measured
before stays in the results with `--add`.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import report

HERE = pathlib.Path(__file__).resolve().parent
#: library, ranks, threads per rank
RUNS = [
    ("equiheat", 1, 1),
    ("equiheat", 2, 1),
    ("heat", 1, 1),
    ("heat", 2, 1),
    ("scikit-learn", 1, 1),
    ("scikit-learn", 1, 2),
    ("numpy", 1, 1),
    ("numpy", 1, 2),
    ("dask", 1, 2),
]
WEAK = "equiheat, weak scaling"


def title(library: str, ranks: int, threads: int) -> str:
    """Name of a run in the results."""
    return f"{library}, " + (f"{ranks} ranks" if ranks > 1 else f"{threads} threads" if threads > 1 else "1 core")


def job(command: list[str], threads: int, options: argparse.Namespace) -> dict[str, Any]:
    """Figures of one job; or why it failed."""
    environment = os.environ | {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    command += ["--rows", str(options.rows), "--pairs", str(options.pairs)]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "found.json"
        done = subprocess.run([*command, "--out", str(out)], env=environment, capture_output=True, text=True)
        if not out.exists():
            return {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1][:200]}
        return json.loads(out.read_text())


def run(library: str, ranks: int, threads: int, options: argparse.Namespace) -> dict[str, Any]:
    """Times of one library."""
    command = ["mpiexec", "-n", str(ranks)] if library in ("equiheat", "heat") else []
    command += [sys.executable, str(HERE / "worker.py"), "--library", library, "--seconds", str(options.seconds)]
    return job([*command, "--neighbours", str(options.neighbours)], threads, options)


def weak(options: argparse.Namespace) -> dict[str, Any]:
    """Weak scaling from 1 to 2 ranks."""
    command = ["mpiexec", "-n", "2", sys.executable, str(HERE / "weak.py")]
    return job([*command, "--seconds", str(8 * options.seconds)], 1, options)


def about(options: argparse.Namespace) -> dict[str, Any]:
    """What ran where."""
    import torch

    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {
        "commit": commit,
        "command": "python benchmarks/analytics " + " ".join(sys.argv[1:]),
        "machine": f"{report.processor()}, {len(os.sched_getaffinity(0))} cores",
        "rows": options.rows,
        "rows of the distance matrix": options.pairs,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "versions": report.versions(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="The benchmarks of the HeAT paper.")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="results, without suffix")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=12_000, help="rows of the distance matrix")
    parser.add_argument("--neighbours", type=int, default=100_000, help="rows of the search for neighbours")
    parser.add_argument("--seconds", type=float, default=1.5, help="per problem and library")
    parser.add_argument("--only", default="", help="runs whose names begin so")
    parser.add_argument("--add", action="store_true", help="keep what other runs left in the results")
    options = parser.parse_args()
    path = options.out.with_suffix(".json")
    before = json.loads(path.read_text()) if options.add and path.exists() else {}
    found: dict[str, Any] = before.get("runs", {}) | {WEAK: before.get("weak scaling", {})}
    cases: dict[str, Callable[[], Any]] = {title(*case): partial(run, *case, options) for case in RUNS}
    for name, case in (cases | {WEAK: partial(weak, options)}).items():
        if name.startswith(options.only):
            found[name] = case()
            sys.stdout.write(f"{name}: {json.dumps(found[name])}\n")
            sys.stdout.flush()
    report.write(options.out, about(options), {k: v for k, v in found.items() if k != WEAK}, found[WEAK])


if __name__ == "__main__":
    main()
