# SPDX-License-Identifier: BSD-3-Clause
"""Loading and saving split over the ranks beside the format's own library in one process, on the same files.

Usage: mpiexec -n 2 python benchmarks/files.py [--mib 1024] [--repeats 6] [--folder DIR] [--json FILE]

Each round, for each format and direction, the library reads (writes) the whole array in one process while the other
ranks sleep; then all ranks load (save) theirs with split=0. The order changes from round to round, of which there is an
even number. What was saved is on the disk before it is loaded (the system writes it later, on the same cores), and was
read once, so that the system's cache is warm for both. Loaded values are compared. "ratio" is the library's median over
ours: 1 is the same speed.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import torch
import zarr

import equiheat as ht

COMM = ht.get_comm().handle
COLUMNS = 1024


def asleep() -> None:
    """A barrier at which waiting takes no processor time."""
    request = COMM.Ibarrier()
    while not request.Test():
        time.sleep(0.002)


def alone(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one process."""
    asleep()
    seconds, result = 0.0, None
    if COMM.rank == 0:
        start = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - start
    asleep()
    return COMM.bcast(seconds, 0), result


def together(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds until the last rank is done."""
    COMM.Barrier()
    start = time.perf_counter()
    result = work()
    COMM.Barrier()
    return time.perf_counter() - start, result


def h5py_save(path: pathlib.Path, whole: np.ndarray, options: dict[str, Any]) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=whole, **options)


def h5py_load(path: pathlib.Path) -> np.ndarray:
    with h5py.File(path) as file:
        return file["x"][...]


def zarr_save(path: pathlib.Path, whole: np.ndarray, options: dict[str, Any]) -> None:
    zarr.create_array(str(path), data=whole, overwrite=True, **options)


def zarr_load(path: pathlib.Path) -> np.ndarray:
    return zarr.open(str(path), mode="r")[...]


def cases(rows: int) -> dict[str, tuple[str, dict[str, Any], Callable[..., Any], Callable[..., Any]]]:
    """Name to (suffix, options of the library, its save, its load)."""
    chunk = {"chunks": (min(rows, (32 << 20) // (4 * COLUMNS)), COLUMNS)}
    return {
        "HDF5": ("h5", {}, h5py_save, h5py_load),
        "HDF5, chunks": ("h5", {"chunks": (256, COLUMNS)}, h5py_save, h5py_load),
        "Zarr, zstd": ("zarr", chunk, zarr_save, zarr_load),
        "Zarr, not packed": ("zarr", {**chunk, "compressors": None}, zarr_save, zarr_load),
    }


def remove(path: pathlib.Path) -> None:
    """A file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def settled(path: pathlib.Path) -> None:
    """Waits until nothing is left to be written, and reads a file or folder once."""
    asleep()
    if COMM.rank == 0:
        os.sync()
        for file in [path] if path.is_file() else path.rglob("*"):
            if file.is_file():
                file.read_bytes()
    asleep()


def measure(case: Any, x: ht.DNDarray, whole: np.ndarray | None, folder: pathlib.Path, repeats: int) -> dict[str, Any]:
    suffix, options, save, load = case
    ours, theirs = folder / f"ours.{suffix}", folder / f"theirs.{suffix}"
    name = ("x",) if suffix == "h5" else ()
    times: dict[str, list[float]] = {who: [] for who in ("load", "library load", "save", "library save")}
    for number in range(repeats + 2):  # two rounds that do not count: one of each order
        saves = [
            lambda: times["save"].append(together(lambda: ht.save(x, ours, *name, **options))[0]),
            lambda: times["library save"].append(alone(lambda: save(theirs, whole, options))[0]),
        ]

        def ours_loaded() -> None:
            seconds, found = together(lambda: ht.load(theirs, *name, split=0))
            times["load"].append(seconds)
            assert torch.equal(found.larray, x.larray)

        def theirs_loaded() -> None:
            seconds, found = alone(lambda: load(theirs))
            times["library load"].append(seconds)
            assert found is None or np.array_equal(found, whole)

        for work in saves[:: 1 if number % 2 else -1]:
            if COMM.rank == 0:  # both make new files
                remove(ours if work is saves[0] else theirs)
            work()
        settled(theirs)
        for read in (ours_loaded, theirs_loaded)[:: 1 if number % 2 else -1]:
            read()
    row: dict[str, Any] = {who: round(statistics.median(values[2:]), 4) for who, values in times.items()}
    for what in ("load", "save"):
        row[f"{what} ratio"] = round(row[f"library {what}"] / row[what], 2)
    asleep()
    if COMM.rank == 0:
        remove(ours)
        remove(theirs)
    return row


def about(command: str) -> dict[str, Any]:
    """What was run, and on what."""
    git = ["git", "describe", "--always", "--dirty"]
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return {
        "command": command,
        "commit": subprocess.run(git, capture_output=True, text=True, cwd=pathlib.Path(__file__).parent).stdout.strip(),
        "cpu": f"{model}, {len(os.sched_getaffinity(0))} cores",
        "h5py": h5py.__version__, "zarr": zarr.__version__, "unit": "seconds, medians",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Files beside h5py and zarr in one process.")
    parser.add_argument("--mib", type=int, default=512, help="size of the array")
    parser.add_argument("--repeats", type=int, default=6, help="rounds, made even")
    parser.add_argument("--folder", type=pathlib.Path, help="where to write; a temporary folder unless given")
    parser.add_argument("--json", type=pathlib.Path, help="where to write the figures")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    options.repeats += options.repeats % 2
    rows = (options.mib << 20) // (4 * COLUMNS)
    x = ht.random.randn(rows, COLUMNS, split=0)
    blocks = COMM.gather(x.larray.numpy())  # the library's one process has the whole
    whole = np.concatenate(blocks) if COMM.rank == 0 else None
    made = tempfile.mkdtemp(dir=options.folder) if COMM.rank == 0 else None
    folder = pathlib.Path(COMM.bcast(made, 0))
    results = {}
    for name, case in cases(rows).items():
        results[name] = measure(case, x, whole, folder, options.repeats)
        if COMM.rank == 0:
            print(f"{name:18}", "  ".join(f"{k} {v:7.3f}" for k, v in results[name].items()), flush=True)
    if COMM.rank == 0:
        shutil.rmtree(folder)
        if options.json:
            given = f"--mib {options.mib} --repeats {options.repeats}"
            command = f"mpiexec -n {COMM.size} python benchmarks/files.py {given}"
            figures = {"about": about(command), "ranks": COMM.size, "MiB": options.mib, "cases": results}
            options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
