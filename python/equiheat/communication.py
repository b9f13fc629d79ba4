# SPDX-License-Identifier: BSD-3-Clause
"""Communicators: ranks that work together, with typed collectives on torch tensors.

Every method says whether it is collective: all ranks of the communicator must call it, in the same order. Tensors may
have any dtype of the library, any strides, and no elements. Results are new tensors on the input's device; no method
here records gradients (`equiheat.nn.functional.all_reduce` and arrays do). The ``i`` forms start an operation and
return a `Pending`, whose ``wait()`` gives what the blocking form returns. What is no tensor is mpi4py's business
(`equiheat.objects`).
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from mpi4py import MPI
from torch import Tensor

from equiheat import _core, _guard
from equiheat.buffer_parts import our_name
from equiheat.buffers import BufferMethods
from equiheat.buffers import MPIRequest as MPIRequest
from equiheat.messages import MessageMethods
from equiheat.objects import Communication as Communication
from equiheat.objects import ObjectMethods, or_objects
from equiheat.pending import Pending as Pending

_OPS = {
    "sum": _core.ReduceOp.SUM,
    "prod": _core.ReduceOp.PROD,
    "min": _core.ReduceOp.MIN,
    "max": _core.ReduceOp.MAX,
    "land": _core.ReduceOp.LAND,
    "lor": _core.ReduceOp.LOR,
    "lxor": _core.ReduceOp.LXOR,
    "band": _core.ReduceOp.BAND,
    "bor": _core.ReduceOp.BOR,
    "bxor": _core.ReduceOp.BXOR,
}


def _op(op: str | MPI.Op, fn: str) -> _core.ReduceOp:
    name = our_name(op)
    if not isinstance(name, str) or name not in _OPS:  # an operation of mpi4py cannot be looked up
        raise ValueError(f"{fn}: unknown op {op!r}; choose one of {', '.join(_OPS)}")
    return _OPS[name]


def _whole(value: Any, name: str, least: int) -> int:
    if not hasattr(value, "__index__"):
        raise TypeError(f"chunk: {name} must be an integer, is {value!r}")
    if value < least:
        raise ValueError(f"chunk: {name} must be at least {least}, is {value}")
    return int(value)


class Communicator(BufferMethods, MessageMethods, ObjectMethods, Communication):
    """Ranks that work together: a duplicate of an MPI communicator, so that our messages never meet the user's.

    Parameters
    ----------
    handle
        An mpi4py communicator. Collective over its ranks.
    """

    def __init__(self, handle: MPI.Comm = MPI.COMM_WORLD) -> None:
        if not isinstance(handle, MPI.Comm):
            raise TypeError(f"Communicator: handle must be a communicator of mpi4py, is {type(handle)}")
        self._adopt(_core.Communicator.from_fortran(handle.py2f()))

    def _adopt(self, core: _core.Communicator) -> None:
        self.core = core
        self.rank: int = core.rank
        self.size: int = core.size
        self._handle: MPI.Comm | None = None
        _known[core.fortran_handle] = self

    @classmethod
    def _of(cls, core: _core.Communicator) -> Communicator:
        """The one Python object of a native communicator."""
        known = _known.get(core.fortran_handle)
        if known is not None:
            return known
        self = cls.__new__(cls)
        self._adopt(core)
        return self

    def __repr__(self) -> str:
        return f"Communicator(rank={self.rank}, size={self.size})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self is not get_comm():
            raise TypeError(f"{self!r} cannot be pickled: only the default communicator has a meaning elsewhere")
        return get_comm, ()

    @property
    def handle(self) -> MPI.Comm:
        """mpi4py's view of the duplicate. Local."""
        if self._handle is None:
            self._handle = MPI.Comm.f2py(self.core.fortran_handle)
            weakref.finalize(self._handle, id, self.core).atexit = False  # who keeps this view keeps the communicator
        return self._handle

    def is_distributed(self) -> bool:
        """True with more than one rank. Local."""
        return self.size > 1

    def chunk(
        self,
        shape: Sequence[int],
        split: int | None,
        rank: int | None = None,
        w_size: int | None = None,
        sparse: bool = False,
    ) -> Any:
        """Offset, local shape and slices of a rank's block under the chunk rule; (start, end) for `sparse`. Local.

        Of n items over p ranks the first n mod p ranks own one more.
        """
        whole = tuple(slice(0, n) for n in shape)
        if split is None:
            return 0, tuple(shape), whole
        if not -len(shape) <= split < len(shape):
            raise ValueError(f"chunk: axis {split} is out of bounds for {len(shape)}-dimensional array")
        split %= len(shape)
        rank = self.rank if rank is None else _whole(rank, "rank", 0)
        base, rest = divmod(shape[split], self.size if w_size is None else _whole(w_size, "w_size", 1))
        offset, count = rank * base + min(rank, rest), base + (rank < rest)
        if sparse:
            return offset, offset + count
        lshape = (*shape[:split], count, *shape[split + 1 :])
        return offset, lshape, (*whole[:split], slice(offset, offset + count), *whole[split + 1 :])

    def counts_displs_shape(
        self, shape: Sequence[int], axis: int
    ) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Counts and offsets of all ranks along the axis, and the shape of what Heat's exchanges bring here. Local.

        That is a part as long as this rank's own from each rank: what fits where all ranks' arrays are equally large.
        """
        ends = [self.chunk(shape, axis, rank, sparse=True) for rank in range(self.size)]
        counts = tuple(end - start for start, end in ends)
        arriving = list(shape)
        arriving[axis] = self.size * counts[self.rank]
        return counts, tuple(start for start, _ in ends), tuple(arriving)

    def split(self, color: int, key: int = 0) -> Communicator | None:
        """Communicator of the ranks that gave the same colour, ordered by key; None for a negative one. Collective."""
        core = self.core.split(color, key)
        return None if core is None else Communicator._of(core)

    def dup(self) -> Communicator:
        """A communicator of the same ranks whose messages are apart from this one's. Collective."""
        return Communicator._of(self.core.dup())

    def barrier(self) -> None:
        """Wait for all ranks. Collective."""
        self.core.barrier()

    def _allreduce(self, x: Tensor, op: str | MPI.Op) -> tuple[Tensor, tuple[Any, ...]]:
        out = _empty(x, x.shape)
        return out, (x, out, _op(op, "allreduce"))

    @or_objects()
    def allreduce(self, x: Tensor, op: str | MPI.Op = "sum") -> Tensor:
        """Combination of the ranks' tensors, on every rank; the shape of x. Collective."""
        out, args = self._allreduce(x, op)
        self.core.allreduce(*args)
        return out

    def iallreduce(self, x: Tensor, op: str | MPI.Op = "sum") -> Pending:
        """Start `allreduce`. Collective."""
        out, args = self._allreduce(x, op)
        return Pending(self.core.iallreduce(*args), out)

    def allreduce_together(self, tensors: Sequence[Tensor], op: str | MPI.Op = "sum") -> list[Tensor]:
        """`allreduce` of several small tensors, such as all losses of a step. Collective: one allreduce per dtype."""
        results: list[Tensor | None] = [None] * len(tensors)
        kinds = {(x.dtype, x.device): None for x in tensors}
        for kind in kinds:
            places = [i for i, x in enumerate(tensors) if (x.dtype, x.device) == kind]
            whole = self.allreduce(torch.cat([tensors[i].detach().reshape(-1) for i in places]), op)
            for i, part in zip(places, whole.split([tensors[i].numel() for i in places]), strict=True):
                results[i] = part.view(tensors[i].shape)
        return [x for x in results if x is not None]

    @or_objects()
    def reduce(self, x: Tensor, op: str | MPI.Op = "sum", root: int = 0) -> Tensor | None:
        """Combination of the ranks' tensors on `root`, None elsewhere. Collective."""
        out = _empty(x, x.shape) if self.rank == root else None
        self.core.reduce(x, out, _op(op, "reduce"), root)
        return out

    @or_objects()
    def bcast(self, x: Tensor, root: int = 0) -> Tensor:
        """The root's tensor on every rank; x gives shape and dtype elsewhere. Collective."""
        out = x.detach().clone(memory_format=torch.contiguous_format)
        self.core.bcast(out, root)
        return out

    def ibcast(self, x: Tensor, root: int = 0) -> Pending:
        """Start `bcast`. Collective."""
        out = x.detach().clone(memory_format=torch.contiguous_format)
        return Pending(self.core.ibcast(out, root), out)

    @or_objects()
    def allgather(self, x: Tensor) -> Tensor:
        """``(size, *x.shape)``: the ranks' tensors of equal shape in rank order. Collective."""
        out = _empty(x, (self.size, *x.shape))
        self.core.allgather(x, out)
        return out

    def iallgather(self, x: Tensor) -> Pending:
        """Start `allgather`. Collective."""
        out = _empty(x, (self.size, *x.shape))
        return Pending(self.core.iallgather(x, out), out)

    def allgatherv(self, x: Tensor) -> Tensor:
        """Rows of all ranks in rank order; only the first lengths may differ. Collective: counts, then rows."""
        rows, elements = self._row_counts(x)
        out = _empty(x, (sum(rows), *x.shape[1:]))
        self.core.allgatherv(x, out, elements)
        return out

    @or_objects()
    def gather(self, x: Tensor, root: int = 0) -> Tensor | None:
        """``(size, *x.shape)`` on `root`, None elsewhere. Collective."""
        out = _empty(x, (self.size, *x.shape)) if self.rank == root else None
        self.core.gather(x, out, root)
        return out

    def gatherv(self, x: Tensor, root: int = 0) -> Tensor | None:
        """Rows of all ranks on `root`, None elsewhere; only the first lengths may differ. Collective."""
        rows, elements = self._row_counts(x)
        out = _empty(x, (sum(rows), *x.shape[1:])) if self.rank == root else None
        self.core.gatherv(x, out, elements, root)
        return out

    @or_objects("out", 2)
    def scatter(self, x: Tensor | None, out: Tensor, root: int = 0) -> Tensor:
        """x[rank] of the root's ``(size, *out.shape)``, written to `out` and returned. Collective."""
        self.core.scatter(x, out, root)
        return out

    def scatterv(self, x: Tensor | None, out: Tensor, root: int = 0) -> Tensor:
        """Consecutive rows of the root's tensor, as many as each rank's `out` has. Collective."""
        _, elements = self._row_counts(out)
        self.core.scatterv(x, out, elements, root)
        return out

    @or_objects()
    def alltoall(self, x: Tensor) -> Tensor:
        """x[i] of every rank goes to rank i: entry j of the result is rank j's x[rank]. Collective."""
        if x.dim() == 0 or x.shape[0] != self.size:
            raise ValueError(f"alltoall: x has shape {tuple(x.shape)}; its first length must be {self.size}")
        out = _empty(x, x.shape)
        self.core.alltoall(x, out)
        return out

    def alltoallv(self, x: Tensor, counts: Sequence[int]) -> tuple[Tensor, list[int]]:
        """Consecutive rows of x, counts[i] of them to rank i; returns the rows received and how many from whom.

        Collective: counts, then rows.
        """
        rows = x.shape[0] if x.dim() else 0
        if len(counts) != self.size or sum(counts) != rows or min(counts) < 0 or x.dim() == 0:
            raise ValueError(
                f"alltoallv: counts {list(counts)} must be {self.size} numbers from 0 on that add up to the rows of x, "
                f"whose shape is {tuple(x.shape)}"
            )
        received = self.alltoall(torch.tensor(counts, dtype=torch.int64)).tolist()
        row = prod(x.shape[1:])
        out = _empty(x, (sum(received), *x.shape[1:]))
        self.core.alltoallv(x, out, [n * row for n in counts], [n * row for n in received])
        return out, received

    def reduce_scatter(self, x: Tensor, op: str | MPI.Op = "sum") -> Tensor:
        """This rank's rows, under the chunk rule, of the combination of the ranks' tensors. Collective."""
        counts, shape = self.counts_displs_shape(x.shape, 0)[0], self.chunk(x.shape, 0)[1]
        row = prod(x.shape[1:])
        out = _empty(x, shape)
        self.core.reduce_scatter(x, out, [n * row for n in counts], _op(op, "reduce_scatter"))
        return out

    @or_objects()
    def scan(self, x: Tensor, op: str | MPI.Op = "sum") -> Tensor:
        """Combination over the ranks up to and including this one. Collective."""
        out = _empty(x, x.shape)
        self.core.scan(x, out, _op(op, "scan"))
        return out

    @or_objects()
    def exscan(self, x: Tensor, op: str | MPI.Op = "sum") -> Tensor:
        """Combination over the ranks before this one; the operation's identity on rank 0. Collective."""
        out = _empty(x, x.shape)
        self.core.exscan(x, out, _op(op, "exscan"))
        return out

    @or_objects()
    def send(self, x: Tensor, dest: int, tag: int = 0) -> None:
        """Send to one rank."""
        self.core.send(x, dest, tag)

    @or_objects()
    def isend(self, x: Tensor, dest: int, tag: int = 0) -> Pending:
        """Start `send`."""
        return Pending(self.core.isend(x, dest, tag), None)

    @or_objects("out")
    def recv(self, out: Tensor, source: int, tag: int = 0) -> Tensor:
        """Fill `out` with a message of the same size and dtype."""
        self.core.recv(out, source, tag)
        return out

    @or_objects("out")
    def irecv(self, out: Tensor, source: int, tag: int = 0) -> Pending:
        """Start `recv`; `out` is filled when wait() returns."""
        return Pending(self.core.irecv(out, source, tag), out)

    @or_objects("out", 3)
    def sendrecv(self, x: Tensor, dest: int, out: Tensor, source: int, tag: int = 0) -> Tensor:
        """Send x to `dest` and fill `out` from `source` at the same time."""
        self.core.sendrecv(x, dest, out, source, tag)
        return out

    def _row_counts(self, x: Tensor) -> tuple[list[int], list[int]]:
        """Rows of every rank, and elements. Collective: one number per rank."""
        if x.dim() == 0:
            raise ValueError("communication: the tensor has no rows (0-d); unsqueeze it first")
        rows = self.allgather(torch.tensor(x.shape[0], dtype=torch.int64)).tolist()
        return rows, [n * prod(x.shape[1:]) for n in rows]


def _empty(like: Tensor, shape: Sequence[int]) -> Tensor:
    return torch.empty(tuple(shape), dtype=like.dtype, device=like.device)


#: By handle. Weak: a communicator is freed with the last array, request or variable that has it.
_known: weakref.WeakValueDictionary[int, Communicator] = weakref.WeakValueDictionary()
_default: Communicator | None = None


def get_comm() -> Communicator:
    """The default communicator: all ranks, unless `use_comm` set another. Collective on first use."""
    return _default if _default is not None else _named("MPI_WORLD")


def use_comm(comm: Communicator | None = None) -> None:
    """Make `comm` the default; None goes back to all ranks. Local, but every rank should do the same."""
    global _default
    _default = None if comm is None else sanitize_comm(comm)


def sanitize_comm(comm: Communicator | MPI.Comm | None) -> Communicator:
    """A Communicator from one, from mpi4py's (collective), or the default for None."""
    if comm is None or isinstance(comm, Communicator):
        return get_comm() if comm is None else comm
    if not isinstance(comm, MPI.Comm):
        raise TypeError(f"comm: expected an equiheat or mpi4py communicator, got {type(comm)}")
    return _duplicate_of(comm)


def _duplicate_of(handle: MPI.Comm) -> Communicator:
    """The one duplicate of a communicator of mpi4py, so that arrays made with it can meet. Collective if it is new."""
    if handle in (MPI.COMM_WORLD, MPI.COMM_SELF):
        return _named("MPI_WORLD" if handle == MPI.COMM_WORLD else "MPI_SELF")
    if handle == MPI.COMM_NULL:
        return Communicator(handle)  # which raises
    found: Any = _known.get(handle.py2f()) or handle.Get_attr(_duplicate_key())
    if found is None:
        found = Communicator(handle)
        handle.Set_attr(_duplicate_key(), found)  # until the handle is freed
    return found


_duplicate_key = functools.cache(MPI.Comm.Create_keyval)


#: Heat's name of the class.
MPICommunication = Communicator


def _named(name: str) -> Communicator:
    """MPI_WORLD or MPI_SELF, made when first asked for. MPI_WORLD is collective then."""
    found: Communicator | None = globals().get(name)
    if found is None:
        found = globals()[name] = Communicator(MPI.COMM_WORLD if name == "MPI_WORLD" else MPI.COMM_SELF)
        if name == "MPI_WORLD":
            _guard.watch(found.core)
    return found


def __getattr__(name: str) -> Communicator:
    if name in ("MPI_SELF", "MPI_WORLD"):
        return _named(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
