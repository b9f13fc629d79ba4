# SPDX-License-Identifier: BSD-3-Clause
"""Where the time of communication goes: every call of all ranks, waiting apart from moving.

A collective moves data from the moment its last rank has come. What a rank spent before in the call is waiting: its
cause lies in the program, not in the network.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from mpi4py import MPI

from equiheat import _core
from equiheat.communication import Communicator, get_comm
from equiheat.cost_model import CostModel, Measurement

__all__ = ["Profile", "profile"]

_INTS = ("start", "blocked", "end", "bytes", "comm", "number", "ranks", "thread", "nonblocking")
_ROW = np.dtype([("rank", "i4"), ("name", "i4"), ("line", "i4"), *((name, "i8") for name in _INTS)])


@dataclass
class Total:
    """All calls of one kind; seconds are means over the ranks."""

    calls: float = 0.0
    bytes: float = 0.0
    waiting: float = 0.0
    moving: float = 0.0
    hidden: float = 0.0


@dataclass
class Profile:
    """What `profile` found. Totals and model are the same on all ranks; the calls themselves are on rank 0.

    Attributes
    ----------
    seconds
        Of the whole block, on the slowest rank.
    totals
        By kind of call.
    model
        Latency and bandwidth of each kind, fitted to the calls.
    """

    seconds: float = 0.0
    ranks: int = 1
    totals: dict[str, Total] = field(default_factory=dict)
    model: CostModel = field(default_factory=lambda: CostModel([]))
    _comm: Communicator | None = None
    _rows: Any = None
    _waiting: Any = None
    _names: list[str] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    _calls: list[tuple[str, int, int]] = field(default_factory=list)

    def __str__(self) -> str:
        head = f"{'call':<15}{'calls':>9}{'MiB':>11}{'waiting':>11}{'moving':>11}{'hidden':>11}{'GB/s':>8}{'share':>8}"
        rows = [f"{self.seconds:.3f} s on {self.ranks} ranks; a rank's calls, in milliseconds", head]
        for name, t in sorted(self.totals.items(), key=lambda item: -item[1].waiting - item[1].moving):
            rate = f"{t.bytes / t.moving / 1e9:8.2f}" if t.moving > 0 and t.bytes > 0 else f"{'-':>8}"
            times = "".join(f"{1e3 * x:11.3f}" for x in (t.waiting, t.moving, t.hidden))
            share = (t.waiting + t.moving) / self.seconds if self.seconds > 0 else 0.0
            rows.append(f"{name:<15}{t.calls:9.0f}{t.bytes / 2**20:11.2f}{times}{rate}{share:8.1%}")
        return "\n".join(rows)

    def predict(self, ranks: int) -> float:
        """Seconds the collectives of the block would take on `ranks` ranks, with as many bytes a rank. Local.

        Waiting is not in it: how evenly work is spread is nothing a network could tell.
        """
        return sum(self.model.predict(name, bytes, ranks) for name, bytes, _ in self._calls)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the calls of all ranks as a Chrome trace (chrome://tracing, Perfetto). Collective; rank 0 writes.

        Raises
        ------
        OSError
            On all ranks when rank 0 cannot write.
        """
        failure = None
        if self._rows is not None:
            try:
                Path(path).write_text(json.dumps({"traceEvents": self._events(), "displayTimeUnit": "ms"}), "utf-8")
            except OSError as error:
                failure = error
        failure = (self._comm or get_comm()).handle.bcast(failure)
        if failure is not None:
            raise failure

    def _events(self) -> list[dict[str, Any]]:
        rows, first = self._rows, int(self._rows["start"].min()) if len(self._rows) else 0
        events: list[dict[str, Any]] = [
            {"name": "process_name", "ph": "M", "pid": r, "tid": 0, "args": {"name": f"rank {r}"}}
            for r in range(self.ranks)
        ]
        for row, waiting in zip(rows, self._waiting, strict=True):
            place = {"pid": int(row["rank"]), "tid": int(row["thread"]), "ph": "X", "cat": "communication"}
            start, stop = (int(row[name]) - first for name in ("start", "end"))
            about = {"bytes": int(row["bytes"]), "ranks": int(row["ranks"]), "number": int(row["number"])}
            if row["line"] >= 0:
                about["line"] = self._lines[row["line"]]
            name = self._names[row["name"]]
            events.append(place | {"name": name, "ts": start / 1e3, "dur": (stop - start) / 1e3, "args": about})
            if waiting > 0:
                begin = (int(row["blocked"]) - first) / 1e3
                events.append(place | {"name": "waiting", "ts": begin, "dur": float(waiting) / 1e3})
        return events


class profile:
    """Context in which every call of the communication layer is recorded.

    Parameters
    ----------
    path
        Where to write a Chrome trace at the end; rank 0 writes.
    lines
        Record the line of the program that made each call: some microseconds a call.
    comm
        The ranks that take part; the default communicator when omitted. Calls on other communicators of theirs count.

    Notes
    -----
    Entering is collective (a barrier), and so is leaving (the records go to rank 0), unless an exception leaves.
    Calls that are under way when the block ends are left out. Without a profile a call pays for one look at a flag.
    Clocks of different nodes are set against each other when leaving.

    Examples
    --------
    >>> with ht.profile() as p:
    ...     total = ht.ones((1000, 10), split=0).sum(axis=0)
    >>> table = str(p)  # calls, bytes, waiting, moving
    >>> p.predict(ranks=64) >= 0  # seconds of communication on 64 ranks
    True
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, lines: bool = False, comm: Communicator | None = None
    ) -> None:
        self._path, self._lines, self._given = path, lines, comm

    def __enter__(self) -> Profile:
        if _core.tracing():
            raise RuntimeError("profile: another profile is open in this process; leave it first")
        self._comm = get_comm() if self._given is None else self._given
        self._check_place()
        self._comm.barrier()
        self._result = Profile(ranks=self._comm.size, _comm=self._comm)
        _core.start_trace(self._lines)
        self._start = time.perf_counter()
        return self._result

    def _check_place(self) -> None:
        """FileNotFoundError on all ranks before the block, which may be long, rather than behind it. Collective."""
        if self._path is not None and not self._comm.handle.bcast(Path(self._path).absolute().parent.is_dir()):
            raise FileNotFoundError(f"profile: there is no folder for {str(self._path)!r}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._start
        spans = _core.stop_trace()
        if kind is None:
            self._result.seconds = self._comm.handle.allreduce(seconds, MPI.MAX)
            _merge(self._result, spans, self._comm)
            if self._path is not None:
                self._result.save(self._path)


def _merge(result: Profile, spans: list[_core.Span], comm: Communicator) -> None:
    """Records of all ranks on rank 0, what follows from them everywhere. Collective."""
    names, lines = sorted({s.name for s in spans}), sorted({s.line for s in spans if s.line})
    where = {line: i for i, line in enumerate(lines)}
    rows = np.array(
        [(comm.rank, names.index(s.name), where.get(s.line, -1), *(getattr(s, n) for n in _INTS)) for s in spans],
        dtype=_ROW,
    )
    offset = _clock_offset(comm.handle)
    for name in ("start", "blocked", "end"):
        rows[name] += offset
    gathered = comm.handle.gather((rows, names, lines))
    if gathered is not None:
        _join(result, gathered)
    shared = (result.totals, result.model, result._calls)
    result.totals, result.model, result._calls = comm.handle.bcast(shared)


def _join(result: Profile, gathered: list[tuple[Any, list[str], list[str]]]) -> None:
    """Fill the result from the records of all ranks."""
    result._names = sorted({name for _, names, _ in gathered for name in names})
    result._lines = sorted({line for _, _, lines in gathered for line in lines})
    for rows, names, lines in gathered:
        rows["name"] = np.array([result._names.index(n) for n in names], dtype="i4")[rows["name"]] if names else 0
        known = np.array([*(result._lines.index(line) for line in lines), -1], dtype="i4")
        rows["line"] = known[rows["line"]]
    rows = result._rows = np.concatenate([rows for rows, _, _ in gathered])
    last, finished, size, call = _by_call(rows)
    blocked = rows["end"] - rows["blocked"]
    result._waiting = np.clip(last[call] - rows["blocked"], 0, blocked)
    for number, name in enumerate(result._names):
        of_kind = rows["name"] == number
        result.totals[name] = Total(
            calls=float(of_kind.sum()) / result.ranks,
            bytes=float(rows["bytes"][of_kind].sum()) / result.ranks,
            waiting=float(result._waiting[of_kind].sum()) / result.ranks / 1e9,
            moving=float((blocked - result._waiting)[of_kind].sum()) / result.ranks / 1e9,
            hidden=float((rows["blocked"] - rows["start"])[of_kind].sum()) / result.ranks / 1e9,
        )
    _, first = np.unique(call, return_index=True)
    kinds, ranks = rows["name"][first], rows["ranks"][first]
    result._calls = [(result._names[k], int(b), int(p)) for k, b, p in zip(kinds, size, ranks, strict=True)]
    result.model = CostModel(
        Measurement(name, b, p, s / 1e9) for (name, b, p), s in zip(result._calls, finished - last, strict=True)
    )


def _by_call(rows: Any) -> tuple[Any, Any, Any, Any]:
    """Of each call of all its ranks: last start, last end, most bytes; and the call each record belongs to."""
    keys = np.stack((rows["comm"], rows["number"], np.where(rows["number"] < 0, np.arange(len(rows)), -1)), axis=1)
    call = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1) if len(rows) else np.zeros(0, dtype="i8")
    calls = int(call.max()) + 1 if len(rows) else 0
    results = []
    for name in ("start", "end", "bytes"):
        most = np.zeros(calls, dtype="i8")
        np.maximum.at(most, call, rows[name])
        results.append(most)
    return results[0], results[1], results[2], call


def _clock_offset(comm: MPI.Comm, trips: int = 16) -> int:
    """Nanoseconds to add to this rank's clock to get rank 0's: nothing on its node. Collective."""
    hosts = comm.allgather(socket.gethostname())
    offset = 0
    for rank in range(1, comm.Get_size()):
        if hosts[rank] == hosts[0] or comm.Get_rank() not in (0, rank):
            continue
        best = None
        for _ in range(trips):
            if comm.Get_rank() == 0:
                comm.recv(source=rank)
                comm.send(time.monotonic_ns(), dest=rank)
            else:
                sent = time.monotonic_ns()
                comm.send(None, dest=0)
                theirs, back = comm.recv(source=0), time.monotonic_ns()
                if best is None or back - sent < best:
                    best, offset = back - sent, theirs - (sent + back) // 2
    return offset
