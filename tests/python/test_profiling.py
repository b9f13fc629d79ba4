# SPDX-License-Identifier: BSD-3-Clause
"""Recorded calls, waiting apart from moving, the trace file, the cost model, `equiheat bench comm`."""

from __future__ import annotations

import contextlib
import json
import sys
import time

import pytest
import torch
from mpi4py import MPI

import equiheat as ht
from equiheat import _core
from equiheat.bench.comm import parse, run
from equiheat.cli import main
from equiheat.cost_model import TERMS, CostModel, Measurement


@pytest.fixture
def comm() -> ht.Communicator:
    return ht.get_comm()


@pytest.fixture
def path(comm, tmp_path):
    """The same file name on all ranks: rank 0's."""
    return comm.handle.bcast(tmp_path / "file")


def test_calls_bytes_and_times(comm):
    with ht.profile() as p:
        for _ in range(3):
            comm.allreduce(torch.ones(1000))
        comm.bcast(torch.ones(8, dtype=torch.float64))
        comm.allgatherv(torch.ones(comm.rank, 2))
        coming = comm.irecv(torch.empty(5), (comm.rank - 1) % comm.size)
        comm.send(torch.ones(5), (comm.rank + 1) % comm.size)
        coming.wait()
    assert {n: t.calls for n, t in p.totals.items()} == {
        "allreduce": 3, "bcast": 1, "allgather": 1, "allgatherv": 1, "send": 1, "recv": 1
    }  # fmt: skip
    assert p.totals["allreduce"].bytes == 12000
    assert p.totals["bcast"].bytes == 64
    assert p.totals["allgatherv"].bytes == pytest.approx(8 * (comm.size - 1) / 2)
    assert all(t.waiting >= 0 and t.moving > 0 for t in p.totals.values())
    assert sum(t.waiting + t.moving for t in p.totals.values()) <= p.seconds
    assert "allreduce" in str(p) and f"on {comm.size} ranks" in str(p)
    assert p.seconds == comm.handle.bcast(p.seconds)


@pytest.mark.ranks(2, 3)
def test_who_comes_first_waits(comm):
    with ht.profile() as p:
        if comm.rank == 0:
            time.sleep(0.2)  # the others wait this long
        comm.barrier()
    barrier = p.totals["barrier"]
    assert barrier.waiting > 0.19 * (comm.size - 1) / comm.size
    assert barrier.moving < barrier.waiting


@pytest.mark.ranks(2, 3)
def test_what_is_hidden_behind_computing(comm):
    with ht.profile() as p:
        pending = comm.iallreduce(torch.ones(100))
        time.sleep(0.1)
        pending.wait()
    assert p.totals["allreduce"].hidden > 0.09
    assert p.totals["allreduce"].waiting < 0.09


def test_the_trace_has_all_ranks_and_lines(comm, path):
    with ht.profile(path, lines=True):
        comm.allreduce(torch.ones(10))
    events = json.loads(path.read_text())["traceEvents"]
    comm.barrier()
    calls = [e for e in events if e["name"] == "allreduce"]
    assert sorted(e["pid"] for e in calls) == list(range(comm.size))
    assert all(e["args"]["bytes"] == 40 and "test_profiling.py" in e["args"]["line"] for e in calls)
    assert all(e["ts"] >= 0 and e["dur"] > 0 for e in calls)
    assert {e["args"]["name"] for e in events if e["ph"] == "M"} == {f"rank {r}" for r in range(comm.size)}


def test_mistakes_are_everybodys(comm, path):
    with ht.profile() as p:
        pass
    with pytest.raises(FileNotFoundError):
        p.save(path / "no" / "such" / "folder")
    with pytest.raises(RuntimeError, match="another profile is open"), ht.profile(), ht.profile():
        pass
    assert not _core.tracing()
    with pytest.raises(ZeroDivisionError), ht.profile():
        raise ZeroDivisionError
    assert not _core.tracing()


def test_groups_and_split_arrays_count_too(comm):
    x = ht.ones((6, 4), split=0)
    half = comm.split(comm.rank % 2)
    with ht.profile() as p:
        x.resplit(1)
        x.sum(0)
        half.allreduce(torch.ones(3))
    if comm.size > 1:
        assert p.totals["alltoallv"].calls == 1
        assert p.totals["allreduce"].calls == 2
        assert len(p._calls) == 2 + min(comm.size, 2)  # the halves' are different calls


def test_the_model_finds_latency_and_bandwidth():
    alpha, beta = 2e-6, 1e-9
    points = [
        Measurement(kind, b, p, alpha * TERMS[kind][0](p) + beta * TERMS[kind][1](p) * b)
        for kind in ("allreduce", "alltoall", "bcast")
        for b in (8, 1 << 12, 1 << 20)
        for p in (2, 3)
    ]
    model = CostModel(points)
    for cost in model.costs.values():
        assert cost == pytest.approx((alpha, beta), rel=1e-6)
    expected = alpha * 2 * 6 + beta * 2 * 63 / 64 * 1000
    assert model.predict("allreduce", 1000, 64) == pytest.approx(expected)
    assert model.predict("scatter", 1000, 2) == pytest.approx(alpha + beta * 500)  # from the others
    assert model.predict("allreduce", 1000, 1) == 0
    with pytest.raises(ValueError, match="unknown kind of call 'sum'"):
        model.predict("sum", 1, 2)
    flat = CostModel([Measurement("bcast", b, 2, 1e-5) for b in (8, 80, 800)])
    assert min(flat.costs["bcast"]) == 0 <= max(flat.costs["bcast"])  # a negative cost is no cost
    assert CostModel([]).predict("bcast", 8, 4) == 0


def test_predictions_of_a_profile(comm):
    with ht.profile() as p:
        for n in (1, 1 << 10, 1 << 16):
            for _ in range(5):
                comm.allreduce(torch.ones(n))
    assert p.predict(ranks=1) == 0
    if comm.size > 1:
        assert p.predict(ranks=64) > p.predict(ranks=2) > 0
    assert p.predict(8) == comm.handle.bcast(p.predict(8))


def test_bench_comm(comm, path, capsys, monkeypatch):
    monkeypatch.setattr("equiheat.bench.comm.BUDGET", 0.01)
    json_file, plot = path.with_suffix(".json"), path.with_suffix(".png")
    calls = ["--calls", "allreduce", "alltoall", "reduce_scatter", "sendrecv", "--most", "100"]
    assert main(["bench", "comm", *calls, "--json", str(json_file), "--plot", str(plot)]) == 0
    if comm.rank == 0:
        assert "us" in capsys.readouterr().out
        written = json.loads(json_file.read_text())
        assert {m["kind"] for m in written["measurements"]} == set(calls[1:5])
        assert all(m["seconds"] > 0 and m["ranks"] == comm.size for m in written["measurements"])
        assert plot.stat().st_size > 10_000
    assert len(run(parse(["comm", "--calls", "bcast", "allgather", "--most", "8"]))) == 2
    MPI.COMM_WORLD.Barrier()


def test_rank_0_prints_help_and_complaints(comm, capfd):
    for arguments, word in (
        (["--help"], "usage: equiheat <command>"),
        (["--version"], f"equiheat {ht.__version__}"),
        (["bench", "--help"], "usage: equiheat bench"),
        (["bench", "comm", "--most", "7"], "--most: must be 8 or more, is 7"),
        (["probe", "--help"], "usage: equiheat probe"),
    ):
        with contextlib.suppress(SystemExit):
            main(arguments)
        told = "".join(capfd.readouterr())
        assert (word in told) if comm.rank == 0 else not told, (arguments, told)


def test_bench_checks_where_it_shall_write_before_it_measures(capfd):
    assert main(["bench", "comm", "--json", "/no/such/folder/curve.json"]) == 2
    assert "allreduce" not in capfd.readouterr().out


def test_a_profile_of_some_ranks_concerns_no_others(comm, path):
    alone = comm.Split(comm.rank, 0)
    if comm.rank == comm.size - 1:
        with ht.profile(path, comm=alone):
            alone.allreduce(torch.ones(3))
        assert json.loads(path.read_text())["traceEvents"]
    comm.barrier()


def test_a_place_that_is_not_there_is_told_before_the_block():
    entered = False
    with (
        pytest.raises(FileNotFoundError, match="profile: there is no folder for"),
        ht.profile("/no/such/folder/t.json"),
    ):
        entered = True
    assert not entered


def test_bench_knows_the_pictures_it_can_draw_before_it_measures(capfd):
    assert main(["bench", "comm", "--most", "8", "--plot", "curve.xyz"]) == 2
    out, err = capfd.readouterr()
    assert "allreduce" not in out and ("--plot must end in one of" in err) == (ht.get_comm().rank == 0)


def test_a_command_names_the_extra_that_it_lacks(capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "tyro", None)
    assert main(["report"]) == 2
    assert ("pip install 'equiheat[ssl]'" in capfd.readouterr().err) == (ht.get_comm().rank == 0)
