# SPDX-License-Identifier: BSD-3-Clause
"""Tables of text: `load_csv` at one rank and at all beside numpy.loadtxt, pandas and Heat, on the same files.

Usage: mpiexec -n 2 python benchmarks/text_tables.py [--rows 300000] [--columns 18] [--repeats 5] [--heat-rows 10000]
       [--folder DIR] [--json FILE]

Three files: float64 in the shortest form that reads back (17 digits), four decimals, integers. Every file was read
once before. In each round each program takes its turn, in changing order, while other ranks sleep; values are compared,
where the program rounds correctly (pandas does not unless told to). Heat, where it can be imported, reads a file of
`--heat-rows` rows: it takes minutes otherwise. Figures are megabytes per second, of medians. (Named csv.py, this file
would hide Python's module from what it imports.)
"""

from __future__ import annotations

import argparse
import importlib
import json
import pathlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from files import about, alone, together

import equiheat as ht

COMM = ht.get_comm()


def columns(rows: int, width: int) -> dict[str, tuple[np.ndarray, str]]:
    """Name to (values, format); the same on all ranks."""
    random = np.random.default_rng(0)
    reals = random.standard_normal((rows, width))
    return {
        "float64, shortest": (reals, "%r"),
        "float64, %.4f": (np.round(reals, 4), "%.4f"),
        "int64": (random.integers(-(10**9), 10**9, (rows, width)), "%d"),
    }


def optional(name: str) -> Any:
    """A module, if it is there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def heat_or_none() -> Any:
    """Heat, if it is there."""
    sys.path.insert(0, str(pathlib.Path(__file__).parent / "versus_heat"))
    try:
        return importlib.import_module("timing").import_heat()
    except ImportError:
        return None


def programs(path: pathlib.Path, kind: Any) -> dict[str, tuple[bool, Callable[[], Any]]]:
    """Name to (by all ranks, what it does)."""
    first = COMM.split(0 if COMM.rank == 0 else -1)
    found: dict[str, tuple[bool, Callable[[], Any]]] = {
        "ours, 1 rank": (False, lambda: ht.load_csv(path, dtype=kind, split=0, comm=first)),
        "numpy.loadtxt": (False, lambda: np.loadtxt(path, kind, delimiter=",")),
    }
    if COMM.size > 1:
        found[f"ours, {COMM.size} ranks"] = (True, lambda: ht.load_csv(path, dtype=kind, split=0))
    pandas = optional("pandas")
    if pandas:
        found["pandas"] = (False, lambda: pandas.read_csv(path, header=None, dtype=kind).to_numpy())
    return found


def seconds(by_all: bool, work: Callable[[], Any], expected: np.ndarray) -> float:
    """Of one call; what comes out is compared."""
    taken, found = together(work) if by_all else alone(work)
    if found is not None:
        own = found.larray.numpy() if isinstance(found, ht.DNDarray) else found
        begin = COMM.chunk(expected.shape, 0)[0] if by_all else 0
        assert np.array_equal(own, expected[begin : begin + len(own)])
    return taken


def measure(path: pathlib.Path, values: np.ndarray, repeats: int) -> dict[str, float]:
    known = programs(path, values.dtype)
    times: dict[str, list[float]] = {name: [] for name in known}
    for number in range(repeats + 1):
        for name in list(known)[:: 1 if number % 2 else -1]:
            times[name].append(seconds(*known[name], values))
    size = path.stat().st_size / 1e6
    return {name: round(size / statistics.median(taken[1:]), 1) for name, taken in times.items()}


def heat_speed(path: pathlib.Path, dtype: str) -> dict[str, float]:
    """Of one call at all ranks, the second."""
    heat = heat_or_none()
    if heat is None:
        return {}
    taken = [together(lambda: heat.load_csv(str(path), dtype=getattr(heat, dtype), split=0))[0] for _ in range(2)]
    return {f"Heat {heat.__version__}, {COMM.size} ranks": round(path.stat().st_size / 1e6 / taken[1], 2)}


def written(path: pathlib.Path, values: np.ndarray, form: str) -> None:
    if COMM.rank == 0:
        with path.open("w") as file:
            file.writelines(",".join(form % v for v in row) + "\n" for row in values.tolist())
    COMM.barrier()


def main() -> None:
    parser = argparse.ArgumentParser(description="Tables of text beside numpy, pandas and Heat.")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--columns", type=int, default=18)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--heat-rows", type=int, default=10_000)
    parser.add_argument("--folder", type=pathlib.Path, help="where to write; a temporary folder unless given")
    parser.add_argument("--json", type=pathlib.Path, help="where to write the figures")
    options = parser.parse_args()
    folder = pathlib.Path(COMM.handle.bcast(tempfile.mkdtemp(dir=options.folder) if COMM.rank == 0 else None, 0))
    results = {}
    for name, (values, form) in columns(options.rows, options.columns).items():
        path = folder / "x.csv"
        written(path, values, form)
        results[name] = measure(path, values, options.repeats)
        written(path, values[: options.heat_rows], form)
        results[name] |= heat_speed(path, str(values.dtype))
        if COMM.rank == 0:
            print(f"{name:18}", "  ".join(f"{k} {v:.1f}" for k, v in results[name].items()), "MB/s", flush=True)
    if COMM.rank == 0:
        shutil.rmtree(folder)
        if options.json:
            given = f"--rows {options.rows} --columns {options.columns} --repeats {options.repeats}"
            command = f"mpiexec -n {COMM.size} python benchmarks/text_tables.py {given} --heat-rows {options.heat_rows}"
            libraries = {n: m.__version__ for n in ("numpy", "pandas") if (m := optional(n))}
            known = {k: v for k, v in about(command).items() if k not in ("h5py", "zarr")}
            facts = {**known, **libraries, "unit": "MB/s, of medians"}
            options.json.write_text(json.dumps({"about": facts, "cases": results}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
