# SPDX-License-Identifier: BSD-3-Clause
"""Sorting, selection and counting beside NumPy and torch (and Heat, where it can be imported), on the same cores.

Usage: [mpiexec -n P] python benchmarks/sorting.py [--json FILE] [--repeats N]

Each time is the median of the repeats between two barriers. NumPy and torch work on the whole array in one process
(rank 0), Heat on the same ranks as we do.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import equiheat as ht

Case = tuple[Callable[[Any, Any], object], Callable[[Any], object] | None, Callable[[Any], object] | None, np.ndarray]


def cases() -> dict[str, Case]:
    """Name to (ours and Heat's call on a module and an array, NumPy's, torch's, data)."""
    rng = np.random.default_rng(0)
    line, long = rng.normal(size=500_000).astype(np.float32), rng.normal(size=2_000_000).astype(np.float32)
    table, small = rng.normal(size=(2000, 500)).astype(np.float32), rng.normal(size=(2000, 50)).astype(np.float32)
    ids = rng.integers(0, 1000, 500_000)
    many = rng.integers(0, 1000, 2_000_000)
    return {
        "sort 500000": (lambda m, x: m.sort(x, 0), np.sort, torch.sort, line),
        "argsort 500000": (lambda m, x: m.argsort(x, 0), lambda a: np.argsort(a, kind="stable"), torch.argsort, line),
        "sort 2000x50 axis 0": (lambda m, x: m.sort(x, 0), lambda a: np.sort(a, 0), lambda t: torch.sort(t, 0), small),
        "sort 2000x500 axis 1": (lambda m, x: m.sort(x, 1), lambda a: np.sort(a, 1), lambda t: torch.sort(t, 1), table),
        "topk 10 of 500000": (lambda m, x: m.topk(x, 10), None, lambda t: torch.topk(t, 10), line),
        "unique 500000": (lambda m, x: m.unique(x, sorted=True), np.unique, torch.unique, ids),
        "percentile 2000000": (
            lambda m, x: m.percentile(x, 50.0),
            lambda a: np.percentile(a, 50),
            lambda t: torch.kthvalue(t, len(t) // 2),
            long,
        ),
        "median 2000x50 axis 0": (
            lambda m, x: m.median(x, 0),
            lambda a: np.median(a, 0),
            lambda t: torch.quantile(t, 0.5, dim=0),
            small,
        ),
        "histc 100 of 2000000": (
            lambda m, x: m.histc(x, 100),
            lambda a: np.histogram(a, 100),
            lambda t: torch.histc(t, 100),
            long,
        ),
        "bincount 2000000": (lambda m, x: m.bincount(x), np.bincount, torch.bincount, many),
    }


def milliseconds(call: Callable[[], object], repeats: int, barrier: Callable[[], object]) -> float:
    times = []
    for _ in range(repeats + 1):
        barrier()
        start = time.perf_counter()
        call()
        barrier()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times[1:]) * 1e3, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description="Sorting and selection beside NumPy, torch and Heat.")
    parser.add_argument("--json", type=pathlib.Path, help="where to write the figures")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        heat: Any = importlib.import_module("heat")
    except ImportError:
        heat = None
    comm = ht.get_comm()
    barrier = comm.handle.Barrier
    results: dict[str, dict[str, float]] = {}
    for name, (call, numpy_call, torch_call, data) in cases().items():
        row = {}
        x = ht.array(data, split=0)
        row["equiheat"] = milliseconds(lambda call=call, x=x: call(ht, x), options.repeats, barrier)
        if heat is not None:
            h = heat.array(data, split=0)
            row["heat"] = milliseconds(lambda call=call, h=h: call(heat, h), min(options.repeats, 3), barrier)
        if comm.rank == 0:
            alone: Callable[[], object] = lambda: None  # noqa: E731
            t = torch.from_numpy(data)
            if numpy_call is not None:
                row["numpy"] = milliseconds(lambda f=numpy_call, a=data: f(a), options.repeats, alone)
            if torch_call is not None:
                row["torch"] = milliseconds(lambda f=torch_call, t=t: f(t), options.repeats, alone)
            print(f"{name:24}", "  ".join(f"{who} {ms:9.3f}" for who, ms in row.items()), flush=True)
        barrier()
        results[name] = row
    if options.json and comm.rank == 0:
        figures = {"ranks": comm.size, "torch": torch.__version__, "unit": "ms", "cases": results}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
