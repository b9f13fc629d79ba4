# SPDX-License-Identifier: BSD-3-Clause
"""Every collective of the Python communicator against NumPy on what all ranks hold."""

from __future__ import annotations

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from mpi4py import MPI

import equiheat as ht

DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.complex64,
    torch.complex128,
]
SHAPES = [(), (0,), (1,), (5,), (3, 4), (2, 0, 3)]


@pytest.fixture
def comm() -> ht.Communicator:
    return ht.get_comm()


def value(rank: int, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """What `rank` holds; small enough for every dtype to be exact."""
    n = int(np.prod(shape, dtype=np.int64))
    return ((torch.arange(n) + 2 * rank) % 3).reshape(shape).to(dtype)


def all_values(comm: ht.Communicator, shape: tuple[int, ...], dtype: torch.dtype) -> list[torch.Tensor]:
    return [value(r, shape, dtype) for r in range(comm.size)]


def strided(x: torch.Tensor) -> torch.Tensor:
    """The same values in memory that is not contiguous."""
    if x.dim() == 0:
        return x
    out = torch.empty((*x.shape, 2), dtype=x.dtype)[..., 0]
    return out.copy_(x)


def combine(op: str, values: list[torch.Tensor]) -> torch.Tensor:
    fold = {"sum": torch.add, "prod": torch.mul, "min": torch.minimum, "max": torch.maximum}[op]
    if values[0].dtype == torch.bool:
        fold = torch.logical_or if op in ("sum", "max") else torch.logical_and
    return functools.reduce(fold, values)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("op", ["sum", "prod", "min", "max"])
def test_reductions(comm: ht.Communicator, op: str, dtype: torch.dtype) -> None:
    if dtype.is_complex and op in ("min", "max"):
        with pytest.raises(TypeError, match="complex"):
            comm.allreduce(torch.zeros(2, dtype=dtype), op)
        return
    for shape in SHAPES:
        values = all_values(comm, shape, dtype)
        mine, whole = strided(values[comm.rank]), combine(op, values)
        assert torch.equal(comm.allreduce(mine, op), whole)
        assert torch.equal(comm.iallreduce(mine, op).wait(), whole)
        assert torch.equal(comm.scan(mine, op), combine(op, values[: comm.rank + 1]))
        root = comm.size - 1
        reduced = comm.reduce(mine, op, root)
        assert (reduced is None) == (comm.rank != root)
        assert reduced is None or torch.equal(reduced, whole)
        before = comm.exscan(mine, op)
        if comm.rank > 0:
            assert torch.equal(before, combine(op, values[: comm.rank]))
        elif op == "sum":
            assert torch.equal(before, torch.zeros_like(before))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_gathers(comm: ht.Communicator, dtype: torch.dtype) -> None:
    for shape in SHAPES:
        values = all_values(comm, shape, dtype)
        mine, stacked = strided(values[comm.rank]), torch.stack(values)
        assert torch.equal(comm.allgather(mine), stacked)
        assert torch.equal(comm.iallgather(mine).wait(), stacked)
        gathered = comm.gather(mine, 0)
        assert gathered is None if comm.rank else torch.equal(gathered, stacked)
        got = comm.scatter(stacked if comm.rank == 0 else None, torch.empty_like(mine), 0)
        assert torch.equal(got, mine)
        root = comm.size - 1
        assert torch.equal(comm.bcast(mine, root), values[root])
        assert torch.equal(comm.ibcast(mine, root).wait(), values[root])


@pytest.mark.parametrize("dtype", [torch.bool, torch.bfloat16, torch.float64, torch.complex64], ids=str)
def test_uneven_rows(comm: ht.Communicator, dtype: torch.dtype) -> None:
    """Rank r holds r rows: rank 0 none."""
    values = [value(r, (r, 3), dtype) for r in range(comm.size)]
    mine, rows = values[comm.rank], torch.cat(values)
    assert torch.equal(comm.allgatherv(mine), rows)
    gathered = comm.gatherv(mine, 0)
    assert gathered is None if comm.rank else torch.equal(gathered, rows)
    assert torch.equal(comm.scatterv(rows if comm.rank == 0 else None, torch.empty_like(mine), 0), mine)


def test_alltoall(comm: ht.Communicator) -> None:
    x = torch.arange(comm.size * 2).reshape(comm.size, 2) + 100 * comm.rank
    expected = torch.stack([torch.arange(2) + 2 * comm.rank + 100 * r for r in range(comm.size)])
    assert torch.equal(comm.alltoall(x), expected)
    counts = [(comm.rank + i) % 3 for i in range(comm.size)]
    rows = torch.cat([torch.full((n, 2), 10 * comm.rank + i) for i, n in enumerate(counts)])
    got, received = comm.alltoallv(rows, counts)
    assert received == [(r + comm.rank) % 3 for r in range(comm.size)]
    assert got[:, 0].tolist() == [10 * r + comm.rank for r, n in enumerate(received) for _ in range(n)]


def test_reduce_scatter(comm: ht.Communicator) -> None:
    values = [value(r, (7, 2), torch.float64) for r in range(comm.size)]
    offset, shape, _ = comm.chunk((7, 2), 0)
    expected = combine("sum", values)[offset : offset + shape[0]]
    assert torch.equal(comm.reduce_scatter(values[comm.rank]), expected)


def test_messages_travel_round_the_ring(comm: ht.Communicator) -> None:
    after, before = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
    mine = torch.full((3,), comm.rank)
    assert comm.sendrecv(mine, after, torch.empty(3, dtype=torch.int64), before).tolist() == [before] * 3
    target = torch.zeros((3, 2), dtype=torch.int64)[:, 0]
    coming = comm.irecv(target, before, tag=3)
    comm.isend(mine, after, tag=3).wait()
    coming.wait()
    assert target.tolist() == [before] * 3


def test_a_request_keeps_its_buffers(comm: ht.Communicator) -> None:
    pending = [comm.iallreduce(torch.full((1000,), float(i))) for i in range(20)]
    junk = [torch.full((1000,), -1.0) for _ in range(50)]
    assert [p.wait()[0].item() for p in pending] == [i * comm.size for i in range(20)]
    assert pending[0].test() and len(junk) == 50


def test_nan_wins_minimum_and_maximum(comm: ht.Communicator) -> None:
    x = torch.tensor([1.0, float("nan") if comm.rank == comm.size - 1 else 2.0])
    for op in ("min", "max"):
        assert torch.isnan(comm.allreduce(x, op)).tolist() == [False, True]


def test_split_and_dup(comm: ht.Communicator) -> None:
    half = comm.split(comm.rank % 2, -comm.rank)
    members = [r for r in range(comm.size) if r % 2 == comm.rank % 2][::-1]
    assert (half.size, half.rank) == (len(members), members.index(comm.rank))
    assert half.allreduce(torch.tensor(comm.rank)).item() == sum(members)
    assert comm.split(-1 if comm.rank == 0 else 0) is None or comm.rank > 0
    assert comm.dup().allreduce(torch.tensor(1)).item() == comm.size


def test_chunk_rule(comm: ht.Communicator) -> None:
    assert [comm.chunk((10, 4), 0, r, 4)[1] for r in range(4)] == [(3, 4), (3, 4), (2, 4), (2, 4)]
    assert comm.chunk((10,), None) == (0, (10,), (slice(0, 10),))
    with pytest.raises(ValueError, match="axis 2 is out of bounds for 2-dimensional array"):
        comm.chunk((3, 3), 2)


def test_bad_input_is_refused_on_every_rank(comm: ht.Communicator) -> None:
    with pytest.raises(ValueError, match="unknown op 'avg'"):
        comm.allreduce(torch.ones(1), "avg")
    with pytest.raises(ValueError, match="root"):
        comm.bcast(torch.ones(1), comm.size)
    with pytest.raises(ValueError, match="counts"):
        comm.alltoallv(torch.ones(3), [3] * (comm.size + 1))
    for x, counts in ((torch.ones(comm.size), [-1, *[1] * (comm.size - 1)]), (torch.tensor(1.0), [0] * comm.size)):
        with pytest.raises(ValueError, match="numbers from 0 on"):
            comm.alltoallv(x, counts)
    operation = MPI.Op.Create(lambda a, b, kind: None)
    with pytest.raises(ValueError, match="unknown op <mpi4py"):
        comm.allreduce(torch.ones(1), operation)
    operation.Free()
    with pytest.raises(TypeError, match="communicator"):
        ht.sanitize_comm("world")
    with pytest.raises(TypeError, match="handle must be a communicator of mpi4py"):
        ht.Communicator(None)  # type: ignore[arg-type]
    assert ht.sanitize_comm(MPI.COMM_SELF).size == 1


def test_copies_of_what_holds_a_communicator_share_it(comm: ht.Communicator) -> None:
    part = comm.Split(0)
    model = ht.nn.BatchNorm(3, comm=part)
    assert copy.deepcopy(model).comm is part
    assert copy.copy(comm) is comm
    assert pickle.loads(pickle.dumps({"comm": comm}))["comm"] is comm
    with pytest.raises(TypeError, match="only the default communicator"):
        pickle.dumps(part)


@pytest.mark.ranks(1, 2)  # with more than there are cores each split takes long
def test_communicators_are_freed_with_their_last_user() -> None:
    """An MPI has some 2000 of them."""
    comm = ht.get_comm()
    for _ in range(2500):
        comm.split(0, comm.rank)
    view = comm.split(comm.rank, 0).handle  # mpi4py's, of a communicator that nobody else has
    assert view.allreduce(1) == 1
    x = ht.ones(3, split=0, comm=comm.dup())
    assert float(x.sum()) == 3 and x.comm is x.comm


@pytest.mark.parametrize("kind", ["world", "self", "own"])
def test_arrays_on_one_communicator_of_mpi4py_meet(kind: str) -> None:
    handle = {"world": MPI.COMM_WORLD, "self": MPI.COMM_SELF}.get(kind) or MPI.COMM_WORLD.Dup()
    x, y = (ht.ones(4, split=0, comm=handle) for _ in range(2))
    assert x.comm is y.comm and float((x + y).sum()) == 8
    assert ht.ones(4, comm=x.comm.handle).comm is x.comm
    assert (x.comm is ht.get_comm()) == (kind == "world")
    if kind == "own":
        del x, y
        handle.Free()
