# SPDX-License-Identifier: BSD-3-Clause
"""MPI's operations on buffers, under MPI's names."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from layouts import check, distribute, size
from mpi4py import MPI

import equiheat as ht
from equiheat.core.tiling import SplitTiles

VALUE = np.arange(24.0).reshape(6, 4)


def kinds(values: Any) -> list[Any]:
    """The same values as torch tensor, NumPy array and DNDarray."""
    array = np.asarray(values)
    return [torch.from_numpy(array.copy()), array.copy(), ht.array(array)]


def read(buffer: Any) -> np.ndarray:
    return np.asarray(buffer.larray if isinstance(buffer, ht.DNDarray) else buffer)


def test_reductions() -> None:
    comm, rank, p = ht.get_comm(), ht.get_comm().rank, size()
    for send, out in zip(kinds(np.arange(3.0) + rank), kinds(np.zeros(3)), strict=True):
        total = sum(np.arange(3.0) + r for r in range(p))
        comm.Allreduce(send, out)
        np.testing.assert_array_equal(read(out), total)
        comm.Allreduce(MPI.IN_PLACE, send, MPI.MAX)
        np.testing.assert_array_equal(read(send), np.arange(3.0) + p - 1)
        comm.Iallreduce(send, out, MPI.MIN).Wait()
        np.testing.assert_array_equal(read(out), np.arange(3.0) + p - 1)
        ones, count = torch.ones(2), torch.zeros(2)
        comm.Scan(ones, count)
        assert count.tolist() == [rank + 1] * 2
        comm.Iexscan(ones, count).Wait()
        assert rank == 0 or count.tolist() == [rank] * 2
        comm.Reduce(ones, count, MPI.SUM, root=p - 1)
        assert rank != p - 1 or count.tolist() == [p] * 2


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.bool, torch.int16], ids=str)
@pytest.mark.parametrize("op", [MPI.SUM, MPI.MAX, MPI.PROD])
def test_started_reductions_are_the_blocking_ones(dtype: torch.dtype, op: MPI.Op) -> None:
    """MPI has no 16-bit floating point and no sums of bool: it added the bits."""
    comm = ht.get_comm()
    for name, root in (("Allreduce", ()), ("Scan", ()), ("Exscan", ()), ("Reduce", (0,))):
        mine = ((torch.arange(6) + comm.rank) % 3).to(dtype)
        wanted, got = torch.zeros(6, dtype=dtype), torch.zeros(6, 2, dtype=dtype)[:, 0]
        getattr(comm, name)(mine, wanted, op, *root)
        getattr(comm, "I" + name.lower())(mine, got, op, *root).Wait()
        assert torch.equal(got, wanted)


def test_ranks_that_get_nothing_need_no_buffer() -> None:
    comm = ht.get_comm()
    for reduce in (comm.Reduce, lambda *a, **k: comm.Ireduce(*a, **k).Wait()):
        out = torch.zeros(3) if comm.rank == 0 else None
        reduce(torch.ones(3), out, root=0)
        assert out is None or out.tolist() == [comm.size] * 3


def test_arrays_that_are_only_read() -> None:
    """They may be read-only and run backwards; one that is filled may not."""
    comm, p = ht.get_comm(), size()
    backwards, fixed = np.arange(3.0)[::-1], np.broadcast_to(np.ones(1), (3,))
    for send in (backwards, fixed):
        out = np.zeros(3)
        comm.Allreduce(send, out)
        np.testing.assert_array_equal(out, p * send)
        comm.Bcast(send if comm.rank == 0 else out)
    fixed = np.zeros(3)
    fixed.setflags(write=False)
    for out in (np.zeros(3)[::-1], fixed):
        with pytest.raises(ValueError, match="to fill must be writable"):
            comm.Allreduce(backwards, out)
        with pytest.raises(ValueError, match="to fill must be writable"):
            comm.Allgather(np.zeros(0), out)
    assert not fixed.any()


def test_buffers_that_do_not_fit() -> None:
    comm, p = ht.get_comm(), size()
    for reduce in (comm.Allreduce, comm.Iallreduce, comm.Iscan):
        with pytest.raises(ValueError, match="recvbuf has 4 elements, sendbuf 3"):
            reduce(torch.zeros(3), torch.zeros(4))
    with pytest.raises(ValueError, match=r"recvbuf has room for \d+ of the 3 elements"):
        comm.Allgather(torch.zeros(3), torch.zeros(5 * p))


def test_gather_and_scatter() -> None:
    comm, rank, p = ht.get_comm(), ht.get_comm().rank, size()
    for axis in (0, 1):
        block = torch.full((2, 2), float(rank))
        out = torch.zeros((2 * p, 2) if axis == 0 else (2, 2 * p))
        expected = torch.cat([torch.full((2, 2), float(r)) for r in range(p)], axis)
        comm.Allgather(block, out, recv_axis=axis)
        assert torch.equal(out, expected)
        out.zero_()
        comm.Gather(block, out, root=0, axis=axis)
        assert rank != 0 or torch.equal(out, expected)
        back = torch.zeros(2, 2)
        comm.Scatter(expected if rank == 0 else None, back, root=0, axis=axis)
        assert torch.equal(back, block)
    rows = torch.arange(float(rank + 1)).reshape(-1, 1)
    counts, displs = tuple(r + 1 for r in range(p)), tuple(r * (r + 1) // 2 for r in range(p))
    out = torch.zeros(sum(counts), 1)
    comm.Allgatherv(rows, (out, counts, displs))
    wanted = torch.cat([torch.arange(float(n)) for n in counts]).reshape(-1, 1)
    assert torch.equal(out, wanted)
    mine = torch.zeros(rank + 1, 1)
    comm.Scatterv((wanted, counts, displs) if rank == 0 else None, mine, root=0)
    assert torch.equal(mine, rows)
    flat = torch.zeros(p, 3)
    comm.Allgather(torch.full((3,), float(rank)), flat)
    assert flat[:, 0].tolist() == list(range(p))


def test_parts_in_place() -> None:
    comm, rank, p = ht.MPI_WORLD, ht.get_comm().rank, size()
    for axis in (0, 1):
        whole = torch.arange(4.0 * p).reshape((2 * p, 2) if axis == 0 else (2, 2 * p))
        own = torch.zeros_like(whole)
        own.narrow(axis, 2 * rank, 2).copy_(whole.narrow(axis, 2 * rank, 2))
        for gather in (comm.Allgather, comm.Allgatherv):
            out = own.clone()
            gather(ht.MPI.IN_PLACE, out, recv_axis=axis)
            assert torch.equal(out, whole)
        for root in (0, p - 1):
            out, block = own.clone(), whole.narrow(axis, 2 * rank, 2)
            comm.Gather(MPI.IN_PLACE if rank == root else block, out, root=root, axis=axis)
            assert rank != root or torch.equal(out, whole)
            back: Any = MPI.IN_PLACE if rank == root else torch.zeros_like(block)
            comm.Scatter(whole if rank == root else None, back, root=root, axis=axis)
            assert rank == root or torch.equal(back, block)
    rows = torch.arange(float(p)) + 10 * rank
    comm.Alltoall(MPI.IN_PLACE, rows)
    assert rows.tolist() == [10.0 * r + rank for r in range(p)]


def test_arguments_of_buffers() -> None:
    comm, p = ht.MPI_WORLD, size()
    x = torch.ones(p, 3)
    for call in (comm.Alltoall, comm.Allgather):
        with pytest.raises(ValueError, match="axis 2 is out of bounds"):
            call(x, x.clone(), 2)
        with pytest.raises(TypeError, match="axis must be an integer"):
            call(x, x.clone(), "a")
    for call in (comm.Allreduce, comm.Iallreduce, comm.Scan):
        with pytest.raises(ValueError, match=f"recvbuf has 4 elements, sendbuf {3 * p}"):
            call(x, torch.ones(4))
    with pytest.raises(TypeError, match="must be a communicator"):
        ht.MPICommunication("world")
    for name in ("rank", "w_size"):
        with pytest.raises(TypeError, match=f"{name} must be an integer"):
            comm.chunk((10,), 0, **{name: 1.5})


def test_all_to_all() -> None:
    comm, rank, p = ht.get_comm(), ht.get_comm().rank, size()
    send, out = torch.arange(2.0 * p).reshape(p, 2) + 100 * rank, torch.zeros(p, 2)
    comm.Alltoall(send, out)
    assert out[:, 0].tolist() == [2 * rank + 100 * r for r in range(p)]
    x = distribute(VALUE, 0)
    y = ht.empty((6, 4), dtype=ht.float64, split=1)
    comm.Alltoall(x.larray, y.larray, send_axis=1, recv_axis=0)
    check(y, VALUE, 1)
    tiles = SplitTiles(x)
    z = ht.empty((6, 4), dtype=ht.float64, split=1)
    ends = np.cumsum([0, *[int(n) for n in tiles.tile_dimensions[0]]])
    places = [([6, 4], [int(b - a), z.lshape[1]], [int(a), 0]) for a, b in pairwise(ends)]
    ones = ([1] * p, [0] * p)
    comm.Alltoallw((x.larray, ones, tiles.get_subarray_params(0, 1)), (z.larray, ones, places))
    check(z, VALUE, 1)


def test_messages_and_requests() -> None:
    comm, rank, p = ht.get_comm(), ht.get_comm().rank, size()
    out = torch.zeros(2, 3, dtype=torch.float64).T  # any strides
    request = comm.Irecv(out, source=(rank - 1) % p)
    for send in (comm.Isend, comm.Issend):
        pending = send(np.full((3, 2), float(rank)), (rank + 1) % p)
        request.Wait()
        pending.Wait()
        assert float(out[0, 0]) == (rank - 1) % p
        request = comm.Irecv(out, source=(rank - 1) % p)
    comm.Send(torch.zeros(3, 2, dtype=torch.float64), (rank + 1) % p)
    request.Wait()
    buffer = torch.full((4,), float(rank))
    comm.Bcast(buffer, root=p - 1)
    assert buffer.tolist() == [p - 1] * 4
    comm.Ibcast(buffer, root=0).Wait()
    with pytest.raises(TypeError, match="buffers"):
        comm.Bcast([1, 2])
    half = comm.Split(rank % 2, rank)
    assert half.size == len(range(rank % 2, p, 2))


def test_descriptions_of_buffers() -> None:
    comm = ht.get_comm()
    assert comm.mpi_type_of(torch.float64) == MPI.DOUBLE
    strided = torch.arange(12.0).reshape(3, 4).T
    out = torch.zeros(12)
    comm.handle.Sendrecv(comm.as_buffer(strided), comm.rank, recvbuf=comm.as_buffer(out), source=comm.rank)
    assert torch.equal(out, strided.reshape(-1))
    assert comm.mpi_type_and_elements_of(torch.zeros(4, 3), (2, 2), (0, 2)) == (MPI.FLOAT, ((6, 6), (0, 6)))
