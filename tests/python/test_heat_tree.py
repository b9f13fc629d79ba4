# SPDX-License-Identifier: BSD-3-Clause
"""Heat's module tree, its helpers, and MPI's operations under MPI's names."""

from __future__ import annotations

import importlib

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
    assert sanitation.scalar_to_1d(ht.array(3)).shape == sanitation.scalar_to_1d(ht.array([[3]])).shape == (1,)
    with pytest.raises(ValueError, match="one element"):
        sanitation.scalar_to_1d(x)
    assert ht.array(3).__torch_proxy__().shape == ()
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
