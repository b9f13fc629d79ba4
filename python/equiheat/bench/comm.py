# SPDX-License-Identifier: BSD-3-Clause
"""Latency and bandwidth of the collectives by size: ``mpirun -n 4 equiheat bench comm --plot curve.png``."""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from equiheat.communication import Communicator, get_comm
from equiheat.cost_model import CostModel, Measurement
from equiheat.io._slabs import on_first

SIZES = tuple(8 << i for i in range(0, 25, 2))  # 8 B to 128 MiB
KINDS = ("allreduce", "bcast", "allgather", "reduce_scatter", "alltoall", "sendrecv")
#: Seconds one point of the curve may take, and how often it is measured.
BUDGET, BLOCKS = 0.2, 5


def run(options: argparse.Namespace) -> list[Measurement]:
    """Measure, print a table on rank 0 and write what was asked for. Collective.

    Parameters
    ----------
    options
        What `parse` makes of the command line.

    Returns
    -------
    list[Measurement]
        A point of the curve each: kind, bytes of a rank's input, ranks, median seconds of the slowest rank.
    """
    comm = get_comm()
    if options.plot is not None:  # what cannot be written is told before anything is measured
        importlib.import_module("matplotlib")
    on_first(comm, lambda: _check_places(options))
    found: list[Measurement] = []
    _say(comm, f"{'call':<15}{'bytes':>11}{'us':>13}{'GB/s':>9}   ({comm.size} ranks, float32)")
    for kind in options.calls:
        for size in (s for s in SIZES if s <= options.most):
            point = Measurement(kind, size, comm.size, _seconds(comm, kind, size))
            found.append(point)
            _say(comm, f"{kind:<15}{size:>11}{point.seconds * 1e6:>13.2f}{size / point.seconds / 1e9:>9.2f}")
    model = CostModel(found)
    for kind, cost in model.costs.items():
        rate = f"{1e-9 / cost.beta:.2f} GB/s" if cost.beta > 0 else "-"
        _say(comm, f"{kind}: a message {cost.alpha * 1e6:.2f} us, a rank's bytes at {rate}")
    on_first(comm, lambda: _write(options, found, model))
    return found


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Options of the command line behind ``equiheat bench``. Local."""
    parser = argparse.ArgumentParser(prog="equiheat bench", description=__doc__)
    parser.add_argument("what", choices=["comm"], help="the collectives of the default communicator")
    parser.add_argument("--calls", nargs="+", choices=KINDS, default=KINDS, metavar="CALL", help=", ".join(KINDS))
    parser.add_argument("--most", type=int, default=64 << 20, metavar="BYTES", help="the largest message of a rank")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the curve as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it (PNG, PDF, SVG); needs matplotlib")
    options = parser.parse_args(list(arguments))
    if options.most < SIZES[0]:
        parser.error(f"argument --most: must be {SIZES[0]} or more, is {options.most}")
    return options


def _check_places(options: argparse.Namespace) -> None:
    for path in (options.json, options.plot):
        if path is not None and not path.absolute().parent.is_dir():
            raise FileNotFoundError(f"bench: there is no folder for {str(path)!r}")
    if options.plot is not None:
        from matplotlib.backend_bases import FigureCanvasBase

        known = FigureCanvasBase.get_supported_filetypes()
        if options.plot.suffix.lower().removeprefix(".") not in known:
            raise ValueError(f"bench: --plot must end in one of {' '.join(sorted(known))}, is {str(options.plot)!r}")


def _say(comm: Communicator, text: str) -> None:
    if comm.rank == 0:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _call(comm: Communicator, kind: str, bytes: int) -> Callable[[], Any]:
    """One call with `bytes` bytes of input on each rank, buffers made once."""
    core, n = comm.core, comm.size
    count = max(1, bytes // 4)
    x = torch.ones(count)
    if kind == "bcast":
        return lambda: core.bcast(x, 0)
    if kind == "sendrecv":
        y = torch.empty(count)
        return lambda: core.sendrecv(x, (comm.rank + 1) % n, y, (comm.rank - 1) % n)
    if kind == "allgather":
        whole = torch.empty(count * n)
        return lambda: core.allgather(x, whole)
    if kind == "allreduce":
        z, op = torch.empty(count), _sum()
        return lambda: core.allreduce(x, z, op)
    parts = torch.ones(-(-count // n) * n)  # at least one element for each rank
    if kind == "alltoall":
        back = torch.empty_like(parts)
        return lambda: core.alltoall(parts, back)
    part, counts, op = torch.empty(parts.numel() // n), [parts.numel() // n] * n, _sum()
    return lambda: core.reduce_scatter(parts, part, counts, op)


def _sum() -> Any:
    from equiheat.communication import _op

    return _op("sum", "bench")


def _seconds(comm: Communicator, kind: str, bytes: int) -> float:
    """Median over blocks of the seconds a call takes on the slowest rank."""
    call = _call(comm, kind, bytes)
    call()
    loops = max(1, min(1000, int(BUDGET / BLOCKS / max(_block(comm, call, 3), 1e-7))))
    return statistics.median(_block(comm, call, loops) for _ in range(BLOCKS))


def _block(comm: Communicator, call: Callable[[], Any], loops: int) -> float:
    comm.barrier()
    start = time.perf_counter()
    for _ in range(loops):
        call()
    mine = torch.tensor((time.perf_counter() - start) / loops, dtype=torch.float64)
    return float(comm.allreduce(mine, "max"))


def _write(options: argparse.Namespace, found: list[Measurement], model: CostModel) -> None:
    if options.json is not None:
        costs = {kind: cost._asdict() for kind, cost in model.costs.items()}
        text = json.dumps({"measurements": [m._asdict() for m in found], "costs": costs}, indent=1)
        options.json.write_text(text + "\n", "utf-8")
    if options.plot is not None:
        _plot(options.plot, found, model)


def _plot(path: Path, found: list[Measurement], model: CostModel) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for kind in dict.fromkeys(m.kind for m in found):
        points = [m for m in found if m.kind == kind]
        sizes = [m.bytes for m in points]
        (line,) = left.loglog(sizes, [m.seconds * 1e6 for m in points], "o", label=kind, markersize=4)
        fitted = [model.predict(kind, b, points[0].ranks) * 1e6 for b in sizes]
        left.loglog(sizes, fitted, "-", color=line.get_color(), linewidth=0.8)
        right.semilogx(sizes, [m.bytes / m.seconds / 1e9 for m in points], "o-", label=kind, markersize=4)
    left.set(xlabel="bytes of a rank's input", ylabel="microseconds", title="time (lines: latency + volume)")
    right.set(xlabel="bytes of a rank's input", ylabel="GB/s", title=f"bandwidth, {found[0].ranks} ranks")
    left.legend()
    figure.savefig(path, dpi=120)
