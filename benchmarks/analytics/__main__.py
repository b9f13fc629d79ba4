# SPDX-License-Identifier: BSD-3-Clause
"""The four benchmarks of the HeAT paper: equiheat beside Heat, Dask, scikit-learn and NumPy on the same cores.

    pip install --no-deps heat==1.8.0; pip install dask dask-ml; then, in one command:
    python benchmarks/analytics --out benchmarks/results/analytics

k-means (30 iterations from the same centres), moments (mean and standard deviation, of everything and of the columns),
lasso (20 sweeps) of 10**6 x 18 float32 numbers, and a matrix of distances; the nearest neighbours of 10**5 samples
among as many. Every library runs by itself, one after the other: equiheat and Heat with one thread per rank, the
others with threads in one process. The time is the median of calls, of the slowest rank; "MiB" is by how much a call
raises the high-water mark of the resident set. Weak scaling: half the rows (for distances half the pairs) at 1 rank,
alone and beside a second such job, which is the best that the cores and the memory they share allow.
`--rows`, `--only` and `--add` run parts; what was measured before stays in the results with `--add`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
from typing import Any

import report

HERE = pathlib.Path(__file__).resolve().parent
#: library, ranks, threads per rank, share of the rows, jobs at a time
RUNS = [
    ("equiheat", 1, 1, 1.0),
    ("equiheat", 2, 1, 1.0),
    ("equiheat", 1, 1, 0.5),
    ("equiheat", 1, 1, 0.5, 2),
    ("heat", 1, 1, 1.0),
    ("heat", 2, 1, 1.0),
    ("scikit-learn", 1, 1, 1.0),
    ("scikit-learn", 1, 2, 1.0),
    ("numpy", 1, 1, 1.0),
    ("numpy", 1, 2, 1.0),
    ("dask", 1, 2, 1.0),
]


def title(library: str, ranks: int, threads: int, share: float, jobs: int = 1) -> str:
    """Name of a run in the results."""
    cores = f"{ranks} ranks" if ranks > 1 else f"{threads} threads" if threads > 1 else "1 core"
    rows = f", {share:g} of the rows" if share != 1 else ""
    return f"{library}, {cores}{rows}" + (f", {jobs} jobs at a time" if jobs > 1 else "")


def run(
    library: str, ranks: int, threads: int, share: float, jobs: int = 1, *, options: argparse.Namespace
) -> dict[str, Any]:
    """Figures of one worker job, of the first of those at a time; or why it failed."""
    environment = os.environ | {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    pairs = int(options.pairs * (share if share == 1 else math.sqrt(share)))
    command = ["mpiexec", "-n", str(ranks)] if library in ("equiheat", "heat") else []
    command += [sys.executable, str(HERE / "worker.py"), "--library", library]
    command += ["--rows", str(int(options.rows * share)), "--pairs", str(pairs), "--seconds", str(options.seconds)]
    if library == "equiheat" and share == 1:
        command += ["--neighbours", str(options.neighbours)]
    with tempfile.TemporaryDirectory() as folder:
        outs = [pathlib.Path(folder) / f"found{job}.json" for job in range(jobs)]
        others = [subprocess.Popen([*command, "--out", str(out)], env=environment) for out in outs[1:]]
        done = subprocess.run([*command, "--out", str(outs[0])], env=environment, capture_output=True, text=True)
        for other in others:
            other.wait()
        if not outs[0].exists():
            return {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1][:200]}
        return json.loads(outs[0].read_text())


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
    before = json.loads(path.read_text())["runs"] if options.add and path.exists() else {}
    runs: dict[str, Any] = before
    for case in RUNS:
        name = title(*case)
        if name.startswith(options.only):
            runs[name] = run(*case, options=options)
            sys.stdout.write(f"{name}: {json.dumps(runs[name])}\n")
            sys.stdout.flush()
    report.write(options.out, about(options), runs)


if __name__ == "__main__":
    main()
