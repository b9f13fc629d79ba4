# SPDX-License-Identifier: BSD-3-Clause
"""Heat's module tree, its helpers, and MPI's operations under MPI's names."""

from __future__ import annotations

import importlib
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from layouts import check, distribute, size
from mpi4py import MPI

import equiheat as ht
from equiheat.core import sanitation, stride_tricks
from equiheat.core.memory import sanitize_memory_layout
from equiheat.core.tiling import SplitTiles, SquareDiagTiles

VALUE = np.arange(24.0).reshape(6, 4)


# ---------------------------------------------------------------------- modules
@pytest.mark.parametrize("name", [m for m in ht.core.MODULES if m not in ("io", "signal")])
def test_modules(name: str) -> None:
    module = importlib.import_module(f"equiheat.core.{name}")
    assert dir(module)
    assert name == "vmap" or getattr(ht.core, name) is not None


def test_names() -> None:
    from equiheat.core.arithmetics import add, add_
    from equiheat.core.dndarray import DNDarray
    from equiheat.core.linalg.basics import matmul

    assert add is ht.add and DNDarray is ht.DNDarray and matmul is ht.matmul
    assert ht.types.float32 is ht.float32
    assert ht.communication.MPICommunication is type(ht.get_comm())
    x = ht.ones(3, split=0)
    assert add_(x, 1) is x
    check(x, np.full(3, 2, np.float32))
    with pytest.raises(AttributeError):
        ht.no_such_name  # noqa: B018
    with pytest.raises(AttributeError):
        ht.core.arithmetics.no_such_name  # noqa: B018


def test_communicators_by_name() -> None:
    assert ht.MPI_WORLD is ht.get_comm() is ht.communication.MPI_WORLD
    assert ht.MPI_SELF.size == 1
    ht.use_comm(ht.MPI_SELF)
    try:
        assert ht.get_comm() is ht.MPI_SELF
        assert ht.zeros(3, split=0).lshape == (3,)
    finally:
        ht.use_comm(ht.MPI_WORLD)
    assert ht.get_comm().size == size()
    ht.use_comm()


def test_constructor_and_local_index() -> None:
    x = distribute(VALUE, 0)
    y = ht.DNDarray(x.larray, x.shape, ht.float64, 0, "cpu", x.comm, True)
    check(y, VALUE, 0)
    uneven = distribute(VALUE, 0, [0] * (size() - 1) + [6])
    check(ht.DNDarray(uneven.larray, (6, 4), ht.float64, 0, "cpu", x.comm, None), VALUE, 0)
    y.lloc[...] = 3
    assert torch.equal(y.lloc[:], torch.full_like(x.larray, 3))
    for split in (None, 0, 1):
        filled = VALUE.copy()
        np.fill_diagonal(filled, -1)
        check(distribute(VALUE, split).fill_diagonal(-1), filled, split)


# ---------------------------------------------------------------------- helpers
def test_stride_tricks() -> None:
    assert stride_tricks.broadcast_shapes((1, 100, 1), (10, 1, 5), (5,)) == (10, 100, 5)
    assert stride_tricks.sanitize_axis((5, 4, 4), (-1, 0)) == (2, 0)
    assert stride_tricks.sanitize_axis((5,), None) is None
    assert stride_tricks.sanitize_shape([2, 3]) == (2, 3)
    assert stride_tricks.sanitize_slice(slice(None, None, -1), 4) == slice(3, -1, -1)
    with pytest.raises(ValueError, match="axis 2 is out of bounds for 2-dimensional array"):
        stride_tricks.sanitize_axis((5, 4), 2)
    with pytest.raises(TypeError, match="axis must be None or int or tuple"):
        stride_tricks.sanitize_axis((5, 4), 1.5)
    with pytest.raises(ValueError, match="broadcast"):
        stride_tricks.broadcast_shape((5, 4), (3,))
    with pytest.raises(ValueError, match="negative"):
        stride_tricks.sanitize_shape(-1)


def test_sanitation() -> None:
    x = distribute(VALUE, 0, [0] * (size() - 1) + [6])
    target = distribute(VALUE, 0)
    moved = sanitation.sanitize_distribution(x, target=target)
    check(moved, VALUE, 0)
    assert moved._core.counts == target._core.counts
    with pytest.raises(TypeError, match="must be a DNDarray"):
        sanitation.sanitize_in(VALUE)
    with pytest.raises(TypeError, match="torch"):
        sanitation.sanitize_in_tensor(VALUE)
    with pytest.raises(ValueError, match="shape"):
        sanitation.sanitize_out(x, (3, 3), 0, None)
    sanitation.sanitize_out(x, (6, 4), 0, x.device, x.comm)
    assert sanitation.sanitize_infinity(x) == float("inf")
    assert sanitation.sanitize_infinity(x.astype(ht.int16)) == 32767
    assert sanitation.sanitize_sequence((1, 2)) == [1, 2]
    assert sanitation.scalar_to_1d(ht.array(3)).shape == (1,)
    sanitation.sanitize_lshape(x, torch.zeros(2, 4))
    with pytest.raises(ValueError, match="inconsistent"):
        sanitation.sanitize_lshape(x, torch.zeros(2, 3))
    assert sanitize_memory_layout(torch.zeros(2, 3), "F").stride() == (1, 2)
    assert ht.sanitize_in is sanitation.sanitize_in


def test_vmap() -> None:
    for split in (0, 1):
        x = distribute(VALUE, split)
        (total,) = ht.vmap(lambda row: row.sum())(x)
        check(total, VALUE.sum(1 - split), 0)
        (scaled,) = ht.vmap(lambda row, weights: row * weights, out_dims=1)(x, torch.ones(VALUE.shape[1 - split]))
        check(scaled, VALUE if split == 1 else VALUE.T, 1)
    with pytest.raises(ValueError, match="split"):
        ht.vmap(torch.sin)(ht.ones(3))
    for bad in ({"randomness": "often"}, {"chunk_size": 0}):
        with pytest.raises(ValueError, match="vmap"):
            ht.vmap(torch.sin, **bad)
    with pytest.raises(TypeError, match="func"):
        ht.vmap("sin")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="arguments"):
        ht.vmap(torch.sin)("x")


@pytest.mark.parametrize("split", [None, 0, 1])
def test_tiles(split: int | None) -> None:
    x = distribute(VALUE, split)
    tiles = SplitTiles(x)
    assert tiles.tile_dimensions.sum(1).tolist() == [6, 4]
    assert tiles.tile_ends_g[:, -1].tolist() == [6, 4]
    assert tiles.get_tile_size((slice(None), slice(None))) == (6, 4)
    whole = tiles[:, :]
    assert whole is None or torch.equal(whole, x.larray)
    tiles[:, :] = 5
    check(x, np.full((6, 4), 5.0), split)
    x = distribute(VALUE, split)
    square = SquareDiagTiles(x, 2)
    assert square.tile_map.shape == (square.tile_rows, square.tile_columns, 3)
    assert square.row_indices[0] == square.col_indices[0] == 0
    assert sum(square.tile_rows_per_process) >= square.tile_rows
    own = square.local_get((slice(None), slice(None)))
    assert own is None or own.numel() == x.larray.numel() or split is None
    square.local_set((slice(None), slice(None)), 2.0)
    check(x, np.full((6, 4), 2.0), split)


# ---------------------------------------------------------------------- MPI's operations
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


def test_buffers_that_do_not_fit() -> None:
    comm, p = ht.MPI_WORLD, size()
    x = torch.ones(p, 3)
    for call in (comm.Alltoall, comm.Allgather):
        with pytest.raises(ValueError, match="axis 2 is out of bounds"):
            call(x, x.clone(), 2)
        with pytest.raises(TypeError, match="axis must be an integer"):
            call(x, x.clone(), "a")
    for call in (comm.Allreduce, comm.Iallreduce, comm.Scan):
        with pytest.raises(ValueError, match=f"the {3 * p} elements of sendbuf, has 4"):
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


def test_names_of_modules_that_are_ours_and_heats() -> None:
    assert ht.statistics.argmax is ht.argmax and ht.logical.all is ht.all and ht.exponential.sqrt is ht.sqrt
    assert ht.rounding.sign is ht.sign and ht.indexing.where is ht.where and ht.statistics.mpi_argmax
    assert ht.linalg.basics.matmul is ht.matmul and ht.linalg.transpose is ht.transpose
    assert ht.linalg.solver.cg is ht.linalg.cg and ht.linalg.svdtools.rsvd and ht.linalg.randomized.rsvd
    assert ht.core.version.__version__ == ht.__version__ and isinstance(ht.version.major, int)
    assert (ht.e, -ht.inf) == (ht.constants.E, ht.constants.NINF)
    for module in (ht.statistics, ht.logical, ht.exponential, ht.rounding, ht.indexing, ht.linalg):
        with pytest.raises(AttributeError):
            module.no_such_name  # noqa: B018


def test_helpers_at_top_level() -> None:
    assert ht.MPIRequest is ht.communication.MPIRequest is ht.core.communication.MPIRequest
    assert ht.Communication is ht.communication.Communication and isinstance(ht.get_comm(), ht.Communication)
    with pytest.raises(NotImplementedError):
        ht.Communication().chunk((3,), 0)
    assert ht.sanitize_axis((2, 3), -1) == 1 and ht.sanitize_shape(3) == (3,)
    assert ht.sanitize_slice(slice(-3, None), 10) == slice(7, 10, 1)
    assert ht.broadcast_shape((2, 1), (3,)) == ht.broadcast_shapes((2, 1), (3,)) == (2, 3)


# ---------------------------------------------------------------------- what is mpi4py's
def test_python_objects() -> None:
    comm, rank, p = ht.MPI_WORLD, ht.MPI_WORLD.rank, size()
    assert comm.bcast({"a": 1} if rank == 0 else None, root=0) == {"a": 1}
    assert comm.allreduce(rank + 1) == comm.allreduce(rank + 1, op=MPI.SUM) == p * (p + 1) // 2
    assert comm.allgather(str(rank)) == [str(r) for r in range(p)]
    assert comm.gather(rank, root=0) == (list(range(p)) if rank == 0 else None)
    assert comm.scatter([10 * r for r in range(p)] if rank == 0 else None, root=0) == 10 * rank
    assert comm.alltoall([(rank, r) for r in range(p)]) == [(r, rank) for r in range(p)]
    assert comm.reduce(rank, MPI.MAX, 0) == (p - 1 if rank == 0 else None)
    assert (comm.scan(1), comm.exscan(1)) == (rank + 1, rank or None)
    assert comm.sendrecv([rank], (rank + 1) % p, source=(rank - 1) % p) == [(rank - 1) % p]
    request = comm.isend("to the next", (rank + 1) % p, tag=5)
    assert comm.recv(source=(rank - 1) % p, tag=5) == "to the next"
    request.wait()


def test_tensors_keep_the_typed_collectives() -> None:
    comm, rank, p = ht.MPI_WORLD, ht.MPI_WORLD.rank, size()
    x = torch.full((2,), float(rank))
    assert comm.allreduce(x, op=MPI.MAX).tolist() == comm.allreduce(x, "max").tolist() == [p - 1] * 2
    assert comm.allgather(x).shape == (p, 2) and comm.bcast(x=x, root=0).tolist() == [0, 0]
    out = torch.empty(2)
    assert comm.sendrecv(x, (rank + 1) % p, out, (rank - 1) % p) is out and out[0] == (rank - 1) % p


def test_other_methods_of_mpi() -> None:
    comm = ht.MPI_WORLD
    assert (comm.Get_rank(), comm.Get_size()) == (comm.rank, comm.size)
    assert comm.Barrier() is None and not comm.Iprobe()
    comm.Ibarrier().Wait()
    twin = comm.Dup()
    assert ht.zeros(3, comm=twin).comm.size == twin.Get_size() == size()
    twin.Free()
    assert isinstance(comm.Get_name(), str) and callable(comm.Abort)
    with pytest.raises(AttributeError):
        comm.no_such_name  # noqa: B018
    with pytest.raises(AttributeError):
        comm._no_such_name  # noqa: B018


def test_chunks_of_heat() -> None:
    comm, p = ht.MPI_WORLD, size()
    start, end = comm.chunk((10, 4), 0, sparse=True)
    assert (end - start, 4) == comm.chunk((10, 4), 0)[1] and start == comm.chunk((10, 4), 0)[0]
    counts, displs, shape = comm.counts_displs_shape((10, 4), 0)
    assert sum(counts) == 10 and displs[0] == 0
    assert shape == (p * counts[comm.rank], 4)
