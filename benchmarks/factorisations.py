# SPDX-License-Identifier: BSD-3-Clause
"""Dense linear algebra of split matrices against torch (LAPACK) on the cores of the same ranks.

    mpiexec -n 2 python benchmarks/factorisations.py --json benchmarks/results/factorisations.json

Takes turns: ours on all ranks, one thread each, with the matrix split 0; torch on rank 0 with one thread and with as
many as there are ranks, while the others wait. Medians of the slowest rank's times. "over one core" is how much sooner
all ranks are done than one would be.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from cross_attention_reconstruction import processor
from files import asleep
from mpi4py import MPI

import equiheat as ht

WORLD = MPI.COMM_WORLD
Call = Callable[[Any], Any]

#: Ours and torch's, of a general or a symmetric positive definite matrix.
WORK: dict[str, tuple[str, Call, Call]] = {
    "solve": ("general", lambda a: ht.linalg.solve(a, a[:, :8]), lambda a: torch.linalg.solve(a, a[:, :8])),
    "det": ("general", ht.linalg.det, torch.linalg.det),
    "inv": ("general", ht.linalg.inv, torch.linalg.inv),
    "cholesky": ("definite", ht.linalg.cholesky, torch.linalg.cholesky),
    "qr": ("general", ht.linalg.qr, torch.linalg.qr),
    "eigvalsh": ("definite", ht.linalg.eigvalsh, torch.linalg.eigvalsh),
    "eigh": ("definite", ht.linalg.eigh, torch.linalg.eigh),
    "svdvals": ("general", ht.linalg.svdvals, torch.linalg.svdvals),
    "svd": ("general", ht.linalg.svd, lambda a: torch.linalg.svd(a, full_matrices=False)),
}


def seconds(run: Callable[[], Any], alone: int | None) -> float:
    """Of the slowest rank, or of rank 0 with `alone` threads while the others wait. Collective."""
    torch.set_num_threads(alone or 1)
    WORLD.Barrier()
    start = time.perf_counter()
    if alone is None or WORLD.rank == 0:
        run()
    took = time.perf_counter() - start
    asleep()
    torch.set_num_threads(1)
    return float(WORLD.allreduce(took, MPI.MAX))


def row(name: str, order: int, dtype: Any, repeats: int) -> dict[str, Any]:
    """Medians of one kind of work. Collective."""
    kind, ours, theirs = WORK[name]
    values = np.random.default_rng(0).normal(size=(order, order))
    values = values @ values.T / order + np.eye(order) if kind == "definite" else values
    x = ht.array(values, dtype=dtype, split=0)
    a = torch.from_numpy(values).to(x.larray.dtype)
    calls = {
        "ours": (lambda: ours(x), None),
        "torch, one core": (lambda: theirs(a), 1),
        "torch, all cores": (lambda: theirs(a), WORLD.size),
    }
    times: dict[str, list[float]] = {key: [] for key in calls}
    for _ in range(repeats + 1):
        for key, (call, alone) in calls.items():
            times[key].append(seconds(call, alone))
    medians = {key: statistics.median(found[1:]) for key, found in times.items()}
    return {
        "work": name,
        "order": order,
        "dtype": dtype.__name__,
        "seconds": medians,
        "over one core": medians["torch, one core"] / medians["ours"],
        "over all cores": medians["torch, all cores"] / medians["ours"],
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, nargs="*", default=[500, 1000, 2000])
    parser.add_argument("--only", nargs="*", default=list(WORK))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    rows = []
    for dtype in (ht.float32, ht.float64):
        for order in args.orders:
            for name in args.only:
                rows.append(row(name, order, dtype, args.repeats))
                if WORLD.rank == 0:
                    ratios = " ".join(f"{key} {rows[-1][key]:5.2f}" for key in ("over one core", "over all cores"))
                    print(
                        f"{name:>9} {order:>5} {dtype.__name__}  {rows[-1]['seconds']['ours']:8.4f} s  {ratios}",
                        flush=True,
                    )
    if WORLD.rank == 0 and args.json:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        command = f"mpiexec -n {WORLD.size} python {' '.join(sys.argv)}"
        about = {"command": command, "commit": commit, "processor": processor(), "torch": torch.__version__}
        args.json.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
