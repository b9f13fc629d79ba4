# SPDX-License-Identifier: BSD-3-Clause
"""Seconds of the library's algorithms on p ranks: the measured speed of one core times a rank's share, and messages.

What travels was recorded by `ht.profile` on the ranks there were: kind, bytes of a rank's input, and how often.
Reductions carry as many bytes at any p; a gathering brings every rank's input. Distances, changes of split and halos,
whose messages depend on p, are written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from collective_costs import seconds
from network import Network

ITEM = 4  # float32


class Recorded(NamedTuple):
    """Calls of one kind and size."""

    kind: str
    bytes: int
    calls: float


class Work(NamedTuple):
    """A problem: `unit` seconds of one core per row (per pair of rows, per byte: see the functions)."""

    unit: float
    columns: int
    calls: tuple[Recorded, ...] = ()


def messages(calls: Iterable[Recorded], p: int, net: Network) -> float:
    """Seconds of recorded collectives on p ranks, one after another."""
    total = 0.0
    for call in calls:
        kind = call.kind.removesuffix("v")
        n = call.bytes * p if kind == "allgather" else call.bytes
        total += call.calls * seconds(kind, p, n, net)
    return total


def by_rows(work: Work, rows: float, p: int, net: Network) -> float:
    """k-means, moments, lasso: a pass over the own rows, then sums of a size that does not depend on them."""
    return work.unit * rows / p + messages(work.calls, p, net)


def tsqr(work: Work, rows: float, p: int, net: Network) -> float:
    """QR of the own rows; all triangles to all ranks, each of which decomposes the p * columns rows of them again."""
    stacked = 0 if p == 1 else p * work.columns
    return work.unit * (rows / p + stacked) + messages(work.calls, p, net)


def distances(work: Work, rows: float, p: int, net: Network) -> float:
    """Blocks of the second operand go round; the next one travels while distances to the present one are computed."""
    step = work.unit * (rows / p) ** 2
    travel = seconds("message", p, rows / p * work.columns * ITEM, net)
    return step + (p - 1) * max(step, travel)


def resplit(work: Work, rows: float, p: int, net: Network) -> float:
    """Everything that a rank has is packed, sent and unpacked, some pieces at a time. `unit` is of a byte copied."""
    mine = rows / p * work.columns * ITEM
    return 2 * work.unit * mine + seconds("resplit", p, mine, net)


def stencil(work: Work, rows: float, p: int, net: Network) -> float:
    """Two rows each way with the neighbours, while the interior is computed. `columns` is the length of a row."""
    return max(work.unit * rows / p, seconds("halo", p, 2 * work.columns * ITEM, net))


Model = Callable[[Work, float, int, Network], float]
MODELS: dict[str, Model] = {
    "k-means": by_rows, "moments": by_rows, "lasso": by_rows, "distances": distances,
    "resplit": resplit, "tall QR": tsqr, "stencil": stencil,
}  # fmt: skip


def memory(name: str, work: Work, rows: float, p: int) -> float:
    """Bytes of a rank: its block and what the call needs beside it."""
    block = rows / p * work.columns * ITEM
    if name == "distances":  # two blocks under way, and the rows of the matrix
        return 3 * block + rows / p * rows * ITEM
    if name == "resplit":
        return 2 * block
    if name in ("tall QR", "stencil"):  # Q, the result
        return 2 * block + (p * work.columns**2 * ITEM if name == "tall QR" else 0)
    return block


def strong(name: str, work: Work, rows: float, ranks: Iterable[int], net: Network) -> list[dict[str, float]]:
    """The same problem on more ranks: seconds, speed-up, efficiency, MiB of a rank."""
    alone = MODELS[name](work, rows, 1, net)
    return [_row(name, work, rows, p, net, alone / p) for p in ranks]


def weak(name: str, work: Work, rows: float, ranks: Iterable[int], net: Network) -> list[dict[str, float]]:
    """`rows` for each rank; of distances, whose work grows with the square, as many as keep a rank's work."""
    alone = MODELS[name](work, rows, 1, net)
    share = 0.5 if name == "distances" else 1.0
    return [_row(name, work, rows * p**share, p, net, alone) for p in ranks]


def _row(name: str, work: Work, rows: float, p: int, net: Network, ideal: float) -> dict[str, float]:
    time = MODELS[name](work, rows, p, net)
    return {
        "ranks": p, "rows": round(rows), "seconds": time, "efficiency": ideal / time,
        "MiB a rank": memory(name, work, rows, p) / 2**20,
    }  # fmt: skip
