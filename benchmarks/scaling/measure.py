# SPDX-License-Identifier: BSD-3-Clause
"""Messages, collectives and algorithms on the ranks there are:

    mpiexec -n P python benchmarks/scaling/measure.py --out FILE

Times are the least of several blocks of calls, of the slowest rank: what else runs on a machine only adds to them.
"""

from __future__ import annotations

import argparse
import collections
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import torch
from mpi4py import MPI

import equiheat as ht

WORLD = MPI.COMM_WORLD
SIZES = [8, 64, 1 << 10, 1 << 13, 1 << 16, 1 << 18, 1 << 20, 1 << 22]
ROWS, PAIRS, COLUMNS, CLUSTERS, SIDE = 200_000, 3_000, 18, 8, 2_048


def least(call: Callable[[], object], loops: int = 1, blocks: int = 9) -> float:
    """Seconds per call."""
    times = []
    for _ in range(blocks + 1):
        WORLD.Barrier()
        start = time.perf_counter()
        for _ in range(loops):
            call()
        times.append(WORLD.allreduce((time.perf_counter() - start) / loops, MPI.MAX))
    return float(min(times[1:]))


def _ping_pong(core: Any, x: torch.Tensor) -> None:
    """There and back between the first two ranks."""
    if WORLD.rank == 0:
        core.send(x, 1)
        core.recv(x, 1)
    elif WORLD.rank == 1:
        core.recv(x, 0)
        core.send(x, 0)


def calls(size: int) -> dict[str, Callable[[], object]]:
    """By kind; `size` as in collective_costs."""
    core, p = ht.get_comm().core, WORLD.size
    x = torch.ones(max(size // 4 // p, 1) * p)
    y, part, total = torch.empty_like(x), torch.ones(len(x) // p), ht._core.ReduceOp.SUM
    return {
        "message": lambda: _ping_pong(core, x),
        "allreduce": lambda: core.allreduce(x, y, total),
        "bcast": lambda: core.bcast(y, 0),
        "allgather": lambda: core.allgather(part, y),
        "alltoall": lambda: core.alltoall(x, y),
        "reduce_scatter": lambda: core.reduce_scatter(x, part, [len(part)] * p, total),
    }


def collectives() -> dict[str, dict[int, float]]:
    """Seconds by kind and bytes; a message is half of there and back."""
    found: dict[str, dict[int, float]] = collections.defaultdict(dict)
    for size in SIZES:
        for kind, call in calls(size).items():
            seconds = least(call, loops=max(1, min(30, (4 << 20) // size)), blocks=40 if size <= 1 << 18 else 15)
            found[kind][size] = seconds / 2 if kind == "message" else seconds
    return dict(found)


def problems() -> dict[str, tuple[float, int, Callable[[], object]]]:
    """Rows, columns and call by name."""
    ht.random.seed(0)
    x = ht.random.randn(ROWS, COLUMNS, split=0)
    some, first = ht.random.randn(PAIRS, COLUMNS, split=0), ht.random.randn(CLUSTERS, COLUMNS)
    y = ht.random.randn(ROWS, 1, split=0)
    image = ht.random.randn(SIDE, SIDE, split=0)
    return {
        "k-means": (ROWS, COLUMNS, lambda: ht.cluster.KMeans(CLUSTERS, init=first, max_iter=30, tol=-1.0).fit(x)),
        "moments": (ROWS, COLUMNS, lambda: [f(x, axis=axis) for axis in (None, 0) for f in (ht.mean, ht.std)]),
        "lasso": (ROWS, COLUMNS, lambda: ht.regression.Lasso(lam=0.05, max_iter=20, tol=None).fit(x, y)),
        "distances": (PAIRS, COLUMNS, lambda: ht.spatial.cdist(some, some, quadratic_expansion=True)),
        "resplit": (SIDE, SIDE, lambda: ht.resplit(image, 1)),
        "tall QR": (ROWS, COLUMNS, lambda: ht.linalg.qr(x)),
        "stencil": (SIDE, SIDE, lambda: ht.ndimage.gaussian_filter(image, 0.5)),
    }


def recorded(call: Callable[[], object]) -> list[tuple[str, int, float]]:
    """(kind, bytes of the rank with most, calls) of what `call` sends."""
    with ht.profile() as profile:
        call()
    kinds = collections.Counter((kind, bytes) for kind, bytes, _ in profile._calls)
    return [(kind, bytes, number) for (kind, bytes), number in sorted(kinds.items())]


def algorithms() -> dict[str, Any]:
    found = {}
    for name, (rows, columns, call) in problems().items():
        call()
        found[name] = {"rows": rows, "columns": columns, "seconds": least(call, 1, 7), "calls": recorded(call)}
    return found


def bytes_per_second() -> dict[str, float]:
    """Seconds per byte of a copy that memory bears, and of a sum of vectors in the caches."""
    big, x = torch.ones(SIDE * SIDE), torch.ones(1 << 15)
    to, y = torch.empty_like(big), torch.ones_like(x)
    return {
        "copy": least(lambda: to.copy_(big)) / (4 * big.numel()),
        "reduce": least(lambda: torch.add(x, y, out=y), 100) / (4 * x.numel()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {"ranks": WORLD.size, "per byte": bytes_per_second(), "algorithms": algorithms()}
    found["collectives"] = collectives() if WORLD.size > 1 else {}
    if WORLD.rank == 0:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
