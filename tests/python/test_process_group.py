# SPDX-License-Identifier: BSD-3-Clause
"""The backend of torch.distributed: every collective against what all ranks hold, messages, sub-groups, mistakes."""

from __future__ import annotations

import functools
import time
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist

import equiheat as ht
from equiheat import _core

DTYPES = [torch.bool, torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64]
FOLDS = {
    dist.ReduceOp.SUM: torch.add,
    dist.ReduceOp.PRODUCT: torch.mul,
    dist.ReduceOp.MIN: torch.minimum,
    dist.ReduceOp.MAX: torch.maximum,
    dist.ReduceOp.BAND: torch.bitwise_and,
    dist.ReduceOp.BOR: torch.bitwise_or,
    dist.ReduceOp.BXOR: torch.bitwise_xor,
}
#: torch 2.13 has renamed them.
gather_single = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
reduce_scatter_single = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor
BITWISE = (dist.ReduceOp.BAND, dist.ReduceOp.BOR, dist.ReduceOp.BXOR)


@pytest.fixture(scope="module", autouse=True)
def _group():
    dist.init_process_group("equiheat")
    yield
    dist.destroy_process_group()


def size() -> int:
    return dist.get_world_size()


def value(rank: int, shape=(3, 4), dtype=torch.float32) -> torch.Tensor:
    """What `rank` holds; small enough for every dtype to be exact."""
    n = torch.Size(shape).numel()
    return ((torch.arange(n) + 2 * rank) % 3).reshape(shape).to(dtype)


def values(shape=(3, 4), dtype=torch.float32) -> list[torch.Tensor]:
    return [value(r, shape, dtype) for r in range(size())]


def mine(shape=(3, 4), dtype=torch.float32) -> torch.Tensor:
    return value(dist.get_rank(), shape, dtype)


def strided(x: torch.Tensor) -> torch.Tensor:
    """The same values in memory that is not contiguous."""
    return torch.empty((*x.shape, 2), dtype=x.dtype)[..., 0].copy_(x) if x.dim() else x


def combine(op, parts: list[torch.Tensor]) -> torch.Tensor:
    if parts[0].dtype == torch.bool:
        either = op in (dist.ReduceOp.SUM, dist.ReduceOp.MAX, dist.ReduceOp.BOR)
        fold = torch.logical_xor if op == dist.ReduceOp.BXOR else torch.logical_or if either else torch.logical_and
        return functools.reduce(fold, parts)
    return functools.reduce(FOLDS[op], parts)


def test_rank_size_and_store_come_from_the_communicator():
    comm = ht.get_comm()
    assert (dist.get_rank(), size()) == (comm.rank, comm.size)
    assert dist.get_backend() == "equiheat"
    store = dist.distributed_c10d._get_default_store()
    store.set(f"told by {comm.rank}", str(comm.rank))
    assert [int(store.get(f"told by {r}")) for r in range(comm.size)] == list(range(comm.size))
    dist.barrier()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("op", FOLDS, ids=str)
def test_reductions(op, dtype):
    if op in BITWISE and dtype.is_floating_point:
        with pytest.raises(TypeError, match="not defined"):
            dist.all_reduce(torch.ones(2, dtype=dtype), op)
        return
    for shape in [(), (0,), (5,), (3, 4)]:
        whole = combine(op, values(shape, dtype))
        for x in (mine(shape, dtype), strided(mine(shape, dtype))):
            y = x.clone()
            dist.all_reduce(x, op)
            assert torch.equal(x, whole)
            work = dist.all_reduce(y, op, async_op=True)
            assert torch.equal(work.get_future().wait()[0], whole)
            assert work.wait() is True
            assert work.is_completed()
            assert torch.equal(y, whole)
        z = mine(shape, dtype)
        dist.reduce(z, size() - 1, op)
        if dist.get_rank() == size() - 1:
            assert torch.equal(z, whole)


def test_averages_and_factors():
    mean = torch.stack(values()).mean(0)
    x, y = mine(), strided(mine())
    dist.all_reduce(x, dist.ReduceOp.AVG)
    torch.testing.assert_close(x, mean)
    dist.all_reduce(y, dist._make_nccl_premul_sum(0.5))
    torch.testing.assert_close(y, mean * size() / 2)
    parts = [mine((2,)) for _ in range(size())]
    out = torch.empty(2)
    dist.reduce_scatter(out, parts, dist.ReduceOp.AVG)
    torch.testing.assert_close(out, torch.stack(values((2,))).mean(0))
    with pytest.raises(TypeError, match="AVG of int64 would have to round"):
        dist.all_reduce(torch.ones(1, dtype=torch.int64), dist.ReduceOp.AVG)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_moves(dtype):
    me, n = dist.get_rank(), size()
    for shape in [(), (0,), (2, 3)]:
        parts, x = values(shape, dtype), strided(mine(shape, dtype))
        root = n - 1
        y = x.clone() if me == root else strided(torch.zeros_like(x))
        dist.broadcast(y, root)
        assert torch.equal(y, parts[root])
        gathered = [strided(torch.zeros_like(x)) for _ in range(n)]
        dist.all_gather(gathered, x)
        assert all(map(torch.equal, gathered, parts))
        kept = [torch.zeros_like(x) for _ in range(n)] if me == root else None
        dist.gather(x, kept, root)
        assert kept is None or all(map(torch.equal, kept, parts))
        out = strided(torch.zeros_like(x))
        dist.scatter(out, parts if me == root else None, root)
        assert torch.equal(out, parts[me])


def test_tensors_that_hold_all_parts():
    me, n = dist.get_rank(), size()
    whole = torch.zeros(n, 3, 4)
    gather_single(whole, mine())
    assert torch.equal(whole, torch.stack(values()))
    again = torch.zeros(n, 12)
    again[me] = mine().reshape(-1)
    gather_single(again, again[me])  # in place: the input is its slot of the output
    assert torch.equal(again, torch.stack(values()).view(n, 12))
    total = torch.stack([v * (r + 1) for r, v in enumerate(values((n, 5)))]).sum(0)
    given = mine((n, 5)) * (me + 1)
    out = torch.empty(5)
    reduce_scatter_single(out, given)
    assert torch.equal(out, total[me])
    reduce_scatter_single(given[me], given)
    assert torch.equal(given[me], total[me])
    with pytest.raises(ValueError, match="output has 2 elements"):
        gather_single(torch.empty(2), torch.empty(3))


def test_parts_of_different_lengths():
    me, n = dist.get_rank(), size()
    rows = [torch.full((r, 2), float(r)) for r in range(n)]  # rank 0 has none
    found = [torch.empty_like(x) for x in rows]
    dist.all_gather(found, rows[me])
    assert all(map(torch.equal, found, rows))
    pieces = [torch.full((r,), 1.0 + me) for r in range(n)]
    out = torch.empty(me)
    dist.reduce_scatter(out, pieces)
    assert out.tolist() == [n * (n + 1) / 2] * me
    counts = [(me + i) % 3 for i in range(n)]
    x = torch.cat([torch.full((c, 2), 10 * me + i) for i, c in enumerate(counts)])
    y = torch.empty((sum(counts), 2), dtype=x.dtype)  # the counts are symmetric
    dist.all_to_all_single(y, x, counts, counts)
    assert y[:, 0].tolist() == [10 * r + me for r, c in enumerate(counts) for _ in range(c)]
    into = [strided(torch.empty(c, 2, dtype=x.dtype)) for c in counts]
    dist.all_to_all(into, list(x.split(counts)))
    assert torch.equal(torch.cat(into), y)
    even = torch.arange(2 * n) + 100 * me
    out = torch.empty_like(even)
    dist.all_to_all_single(out, even)
    assert out.tolist() == [100 * r + 2 * me + i for r in range(n) for i in range(2)]


def test_objects():
    me, n = dist.get_rank(), size()
    found = [None] * n
    dist.all_gather_object(found, {"rank": me, "text": "x" * 10 * me})
    assert [f["rank"] for f in found] == list(range(n))
    shared = [me, "text"] if me == 0 else [None, None]
    dist.broadcast_object_list(shared, 0)
    assert shared == [0, "text"]
    out = [None]
    dist.scatter_object_list(out, [f"for {r}" for r in range(n)] if me == 0 else None, 0)
    assert out == [f"for {me}"]


@pytest.mark.ranks(2, 3, 4)
def test_messages():
    me, n = dist.get_rank(), size()
    after, before = (me + 1) % n, (me - 1) % n
    x, y = mine((3, 4)), strided(torch.empty(3, 4))
    coming = dist.irecv(y, before, tag=3)
    dist.isend(x, after, tag=3).wait()
    coming.wait()
    assert torch.equal(y, value(before))
    z = torch.empty(3, 4)
    works = dist.batch_isend_irecv([dist.P2POp(dist.isend, x, after), dist.P2POp(dist.irecv, z, before)])
    [work.wait() for work in works]
    assert torch.equal(z, value(before))
    future = dist.irecv(z, before).get_future().then(lambda f: f.value()[0].sum())
    dist.isend(x + 1, after).wait()
    assert future.wait() == (value(before) + 1).sum()


@pytest.mark.ranks(2, 3, 4)
def test_a_callback_may_wait_for_a_collective():
    """It runs in the group's thread where the first collective was not complete before."""

    def again(future):
        return dist.all_reduce(future.value()[0], async_op=True).get_future().wait()[0]

    rank, size = dist.get_rank(), dist.get_world_size()
    for late in range(size):
        if rank == late:
            time.sleep(0.1)
        first = dist.all_reduce(torch.ones(3), async_op=True).get_future().then(again)
        behind = torch.ones(2)
        work = dist.all_reduce(behind, async_op=True)
        assert first.wait().tolist() == [size**2] * 3
        work.wait()
        assert behind.tolist() == [size] * 2


def test_messages_from_any_rank():
    me, n = dist.get_rank(), size()
    if me == 0:
        sources = [dist.recv(torch.empty(1)) for _ in range(n - 1)]
        assert sorted(sources) == list(range(1, n))
    else:
        dist.send(torch.ones(1), 0)


@pytest.mark.ranks(2, 3, 4)
def test_work_that_is_dropped_does_not_wait():
    """Both send a message too long to be buffered before either receives."""
    me, n = dist.get_rank(), size()
    x, y = torch.full((1 << 20,), float(me)), torch.empty(1 << 20)
    dist.isend(x, (me + 1) % n)
    dist.all_reduce(torch.ones(1), async_op=True)
    dist.recv(y, (me - 1) % n)
    assert y[0] == y[-1] == (me - 1) % n


def test_many_in_flight():
    xs = [torch.full((1000,), float(i)) for i in range(50)]
    works = [dist.all_reduce(x, async_op=True) for x in xs]
    last = torch.ones(3)
    dist.all_reduce(last)  # behind all of them
    assert all(work.is_completed() for work in works)
    assert [x[0].item() for x in xs] == [i * size() for i in range(50)]
    assert last.tolist() == [size()] * 3


def test_long_tensors():
    n = (1 << 20) + 13
    x = torch.arange(n, dtype=torch.float32) % 97 + dist.get_rank()
    expected = size() * (torch.arange(n) % 97) + sum(range(size()))
    dist.all_reduce(x)
    assert torch.equal(x, expected.float())
    parts = torch.ones(size() * n) * (dist.get_rank() + 1)
    out = torch.empty(n)
    reduce_scatter_single(out, parts)
    assert out.unique().tolist() == [size() * (size() + 1) / 2]


def test_reductions_together():
    xs = [torch.ones(3), torch.ones(2, dtype=torch.int64), torch.ones(1 << 18), torch.ones(4)]
    dist.group.WORLD.allreduce_coalesced(xs, dist.AllreduceCoalescedOptions()).wait()
    assert [x.unique().tolist() for x in xs] == [[size()]] * 4
    with dist._coalescing_manager(async_ops=True) as manager:
        for x in xs:
            dist.all_reduce(x)
    manager.wait()
    assert [x.unique().tolist() for x in xs] == [[size() ** 2]] * 4


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("tensors", [1, 2, 3, 4])
def test_gathers_together(tensors: int):
    inputs = [torch.full((2 + i,), 10.0 * dist.get_rank() + i) for i in range(tensors)]  # as many as ranks, too
    lists = [[torch.empty(2 + i) for i in range(tensors)] for _ in range(size())]
    dist.all_gather_coalesced(lists, inputs)
    for rank, of_rank in enumerate(lists):
        assert [x.unique().tolist() for x in of_rank] == [[10.0 * rank + i] for i in range(tensors)]
    with pytest.raises(ValueError, match="one for each of the"):
        dist.all_gather_coalesced([*lists, lists[0]], inputs)


def test_groups_of_some_ranks():
    me, n = dist.get_rank(), size()
    members = [[r for r in range(n) if r != left_out] or [0] for left_out in range(n)]  # they overlap
    groups = [dist.new_group(ranks) for ranks in members]
    for ranks, group in zip(members, groups, strict=True):
        if me in ranks:
            x = torch.tensor([me])
            dist.all_reduce(x, group=group)
            assert x.item() == sum(ranks)
            y = torch.tensor([me])
            dist.broadcast(y, ranks[-1], group=group)
            assert y.item() == ranks[-1]
    alone = dist.new_group([n - 1])
    if me == n - 1:
        dist.barrier(alone)
    for group in (*groups, alone):
        if group is not dist.GroupMember.NON_GROUP_MEMBER:
            dist.destroy_process_group(group)


@pytest.mark.ranks(2, 3)
def test_groups_work_at_the_same_time():
    pair = dist.new_group([0, 1])
    x, y = torch.ones(1 << 16), torch.ones(1 << 16)
    works = []
    for _ in range(20):
        works.append(dist.all_reduce(x, async_op=True, op=dist.ReduceOp.MAX))
        if dist.get_rank() < 2:
            works.append(dist.all_reduce(y, async_op=True, op=dist.ReduceOp.MAX, group=pair))
    [work.wait() for work in works]
    assert x.sum() == y.sum() == 1 << 16


@pytest.mark.ranks(2, 3)
def test_ranks_that_disagree_get_an_error():
    x = torch.ones(4)
    with pytest.raises(RuntimeError, match=r"ranks disagree(.|\n)*test_process_group"):
        dist.all_reduce(x) if dist.get_rank() == 0 else dist.broadcast(x, 0)
    works = [dist.all_reduce(torch.ones(4 if dist.get_rank() else 5), async_op=True), dist.all_reduce(x, async_op=True)]
    with pytest.raises(RuntimeError, match=r"ranks disagree(.|\n)*test_process_group"):
        works[0].wait()
    works[1].wait()
    assert x.tolist() == [size()] * 4


def test_mistakes():
    with pytest.raises(ValueError, match="list"):
        dist.all_to_all([torch.ones(1)] * (size() + 1), [torch.ones(1)] * (size() + 1))
    with pytest.raises(TypeError, match="supported"):
        dist.all_reduce(torch.ones(2).to(torch.float8_e5m2))
    with pytest.raises(TypeError, match=r"all_reduce: a tensor is sparse; .*to_dense"):
        dist.all_reduce(torch.eye(2).to_sparse())
    with pytest.raises(ValueError, match="elements"):
        dist.all_gather([torch.ones(2)] * size(), torch.ones(3))


def test_a_store_passes_through():
    """torch's Store and our core must share pybind11's internals."""
    store = dist.HashStore()
    _core.await_members(store, 0, 1, 1.0)
    with pytest.raises(ht.CommunicationError, match="ranks 1 of the group of 2"):
        _core.await_members(dist.PrefixStore("x", store), 0, 2, 0.05)


@pytest.mark.ranks(2, 3)
def test_work_times_out():
    me = dist.get_rank()
    if me == 0:
        work = dist.irecv(torch.empty(1), 1, tag=99)
        with pytest.raises(RuntimeError, match=r"not complete on rank 0 after 20 ms"):
            work.wait(timedelta(milliseconds=20))
    dist.barrier()
    if me == 0:
        work.wait()
    elif me == 1:
        dist.send(torch.ones(1), 0, tag=99)
