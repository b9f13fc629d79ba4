# SPDX-License-Identifier: BSD-3-Clause
"""MPI's operations on buffers under MPI's names, as methods of communicators (Heat's ``comm.Allreduce(a, b)``).

A buffer is a DNDarray (its block), a torch tensor or a NumPy array of any strides (one that is filled: not negative
ones, which torch does not have); ``MPI.IN_PLACE`` as first buffer takes the second. Vector forms take ``(buffer,
counts, displacements)`` along an axis. All of them are collective but the messages between two ranks. The ``I`` forms
return an `MPIRequest`; buffers may be used after its ``Wait``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from mpi4py import MPI
from torch import Tensor

from equiheat.buffer_parts import (
    Gathering,
    as_bytes,
    fill,
    for_mpi,
    our_name,
    own_part,
    pack,
    parted,
    tensor_of,
)

__all__ = ["BufferMethods", "MPIRequest"]


class MPIRequest:
    """An operation in flight. `Wait` completes it and fills the receive buffer; it may be called again."""

    def __init__(
        self, handle: Any = None, sendbuf: Any = None, recvbuf: Any = None, tensor: Any = None,
        permutation: tuple[int, ...] | None = None, *, finish: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.handle, self.sendbuf, self.recvbuf, self.tensor = handle, sendbuf, recvbuf, tensor
        self.permutation = permutation
        self._finish = finish

    def Wait(self, status: MPI.Status | None = None) -> None:
        """Block until the buffers may be used."""
        if self.handle is not None:
            if isinstance(self.handle, MPI.Request):
                self.handle.Wait(status)
            else:
                self.handle.wait()
        if self._finish is not None:
            self._finish()
        self.handle = self._finish = None

    wait = Wait

    def Test(self) -> bool:
        """True once complete; never blocks."""
        if self.handle is None:
            return True
        done = self.handle.Test() if isinstance(self.handle, MPI.Request) else self.handle.test()
        if done:
            self.Wait()
        return bool(done)

    def __getattr__(self, name: str) -> Any:
        """What only mpi4py's requests have, such as ``Cancel``."""
        if name.startswith("_") or name == "handle":  # of an object that is only being made
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.handle, name)


class BufferMethods:
    """Methods of communicators."""

    # ------------------------------------------------------------------ reductions
    def _ends(self: Any, name: str, sendbuf: Any, recvbuf: Any, root: tuple[int, ...]) -> tuple[Tensor, Tensor | None]:
        """What a reduction sends and fills; the latter may be None where another rank is the root."""
        out = None
        if recvbuf is not None or not root or root[0] == self.rank:
            out = tensor_of(recvbuf, name, fills=True)
        x = out if sendbuf is MPI.IN_PLACE and out is not None else tensor_of(sendbuf, name)
        if out is not None and out.numel() != x.numel():
            raise ValueError(f"{name}: recvbuf has {out.numel()} elements, sendbuf {x.numel()}; it must be as many")
        return x, out

    def _reduced(self: Any, name: str, sendbuf: Any, recvbuf: Any, op: MPI.Op, *root: int) -> None:
        x, out = self._ends(name, sendbuf, recvbuf, root)
        keeps = (bool(root) and root[0] != self.rank) or (name == "Exscan" and self.rank == 0)
        known = our_name(op)
        if isinstance(known, str):
            result = getattr(self, name.lower())(x, known, *root)
        else:
            host = x.cpu().contiguous()
            result = torch.empty_like(host)
            getattr(self.handle, name)(self.as_buffer(host), self.as_buffer(result), op, *root)
        if out is not None and not keeps:
            fill(out, result)

    def Allreduce(self, sendbuf: Any, recvbuf: Any, op: MPI.Op = MPI.SUM) -> None:
        """Combination of the ranks' buffers, on every rank."""
        self._reduced("Allreduce", sendbuf, recvbuf, op)

    def Reduce(self, sendbuf: Any, recvbuf: Any, op: MPI.Op = MPI.SUM, root: int = 0) -> None:
        """Combination of the ranks' buffers, on `root`."""
        self._reduced("Reduce", sendbuf, recvbuf, op, root)

    def Scan(self, sendbuf: Any, recvbuf: Any, op: MPI.Op = MPI.SUM) -> None:
        """Combination over the ranks up to and including this one."""
        self._reduced("Scan", sendbuf, recvbuf, op)

    def Exscan(self, sendbuf: Any, recvbuf: Any, op: MPI.Op = MPI.SUM) -> None:
        """Combination over the ranks before this one; rank 0 keeps its buffer."""
        self._reduced("Exscan", sendbuf, recvbuf, op)

    def _ireduced(self: Any, name: str, sendbuf: Any, recvbuf: Any, op: MPI.Op, *root: int) -> MPIRequest:
        x, out = self._ends(name, sendbuf, recvbuf, root)
        if name == "Iallreduce" and isinstance(our_name(op), str):
            pending = self.iallreduce(x, op)
            return MPIRequest(pending, sendbuf, recvbuf, x, finish=lambda: fill(out, pending.wait()))
        host, op = for_mpi(x, op)
        into = host.clone() if out is None else out.cpu().to(host.dtype).contiguous().clone()
        request = getattr(self.handle, name)(self.as_buffer(host), self.as_buffer(into), op, *root)
        return MPIRequest(request, sendbuf, recvbuf, host, finish=None if out is None else lambda: fill(out, into))

    def Iallreduce(self, sendbuf: Any, recvbuf: Any, op: MPI.Op = MPI.SUM) -> MPIRequest:
        """Start `Allreduce`."""
        return self._ireduced("Iallreduce", sendbuf, recvbuf, op)

    def Ireduce(self, sendbuf: Any, recvbuf: Any, op: MPI.Op = MPI.SUM, root: int = 0) -> MPIRequest:
        """Start `Reduce`."""
        return self._ireduced("Ireduce", sendbuf, recvbuf, op, root)

    def Iscan(self, sendbuf: Any, recvbuf: Any, op: MPI.Op = MPI.SUM) -> MPIRequest:
        """Start `Scan`."""
        return self._ireduced("Iscan", sendbuf, recvbuf, op)

    def Iexscan(self, sendbuf: Any, recvbuf: Any, op: MPI.Op = MPI.SUM) -> MPIRequest:
        """Start `Exscan`."""
        return self._ireduced("Iexscan", sendbuf, recvbuf, op)

    # ------------------------------------------------------------------ broadcast
    def Bcast(self: Any, buf: Any, root: int = 0) -> None:
        """The root's buffer into the buffers of all ranks."""
        x = tensor_of(buf, "Bcast", fills=self.rank != root)
        fill(x, self.bcast(x, root))

    def Ibcast(self: Any, buf: Any, root: int = 0) -> MPIRequest:
        """Start `Bcast`."""
        x = tensor_of(buf, "Ibcast", fills=self.rank != root)
        pending = self.ibcast(x, root)
        return MPIRequest(pending, buf, buf, x, finish=lambda: fill(x, pending.wait()))

    # ------------------------------------------------------------------ gather
    def _gathered(self: Any, name: str, sendbuf: Any, recvbuf: Any, axis: int, *root: int) -> MPIRequest:
        """Blocks of all ranks behind one another, on `root` or everywhere, as bytes."""
        receives = not root or root[0] == self.rank
        if sendbuf is MPI.IN_PLACE and receives:
            send = own_part(recvbuf, axis, self, name)
        else:
            send = tensor_of(sendbuf[0] if isinstance(sendbuf, (tuple, list)) else sendbuf, name)
        flat = send.cpu().contiguous()
        plan = Gathering(recvbuf, axis, send, self.size, name, True) if receives else None
        packed = flat.new_empty(plan.target.numel() if plan is not None else 0, device="cpu")
        width = flat.element_size()
        counts = [n * width for n in plan.elements(self.size)] if plan is not None else None
        if counts is not None and counts[self.rank] != flat.numel() * width:
            room = counts[self.rank] // width
            raise ValueError(f"{name[1:]}: recvbuf has room for {room} of the {flat.numel()} elements sent")
        into = None if counts is None else [as_bytes(packed), (counts, _offsets(counts)), MPI.BYTE]
        request = getattr(self.handle, name)([as_bytes(flat), MPI.BYTE], into, *root)
        finish = None if plan is None else (lambda: plan.unpack(packed))
        return MPIRequest(request, sendbuf, recvbuf, (flat, packed), finish=finish)

    def Allgather(self: Any, sendbuf: Any, recvbuf: Any, recv_axis: int = 0) -> None:
        """The ranks' buffers, of equal shape, behind one another along `recv_axis`."""
        self.Iallgather(sendbuf, recvbuf, recv_axis).Wait()

    def Allgatherv(self: Any, sendbuf: Any, recvbuf: Any, recv_axis: int = 0) -> None:
        """The ranks' buffers behind one another along `recv_axis`; ``recvbuf = (buffer, counts, displs)``."""
        self.Iallgatherv(sendbuf, recvbuf, recv_axis).Wait()

    def Iallgather(self, sendbuf: Any, recvbuf: Any, recv_axis: int = 0) -> MPIRequest:
        """Start `Allgather`."""
        return self._gathered("Iallgatherv", sendbuf, recvbuf, recv_axis)

    def Iallgatherv(self, sendbuf: Any, recvbuf: Any, recv_axis: int = 0) -> MPIRequest:
        """Start `Allgatherv`."""
        return self._gathered("Iallgatherv", sendbuf, recvbuf, recv_axis)

    def Gather(self, sendbuf: Any, recvbuf: Any, root: int = 0, axis: int = 0, recv_axis: int | None = None) -> None:
        """As `Allgather`, on `root` only."""
        self.Igather(sendbuf, recvbuf, root, axis, recv_axis).Wait()

    def Gatherv(self, sendbuf: Any, recvbuf: Any, root: int = 0, axis: int = 0, recv_axis: int | None = None) -> None:
        """As `Allgatherv`, on `root` only."""
        self.Igather(sendbuf, recvbuf, root, axis, recv_axis).Wait()

    def Igather(
        self, sendbuf: Any, recvbuf: Any, root: int = 0, axis: int = 0, recv_axis: int | None = None
    ) -> MPIRequest:
        """Start `Gather`."""
        return self._gathered("Igatherv", sendbuf, recvbuf, axis if recv_axis is None else recv_axis, root)

    def Igatherv(
        self, sendbuf: Any, recvbuf: Any, root: int = 0, axis: int = 0, recv_axis: int | None = None
    ) -> MPIRequest:
        """Start `Gatherv`."""
        return self.Igather(sendbuf, recvbuf, root, axis, recv_axis)

    # ------------------------------------------------------------------ scatter
    def Scatter(self, sendbuf: Any, recvbuf: Any, root: int = 0, axis: int = 0, recv_axis: int | None = None) -> None:
        """The root's buffer, cut along `axis`, one part to each rank."""
        self.Iscatter(sendbuf, recvbuf, root, axis, recv_axis).Wait()

    def Scatterv(self, sendbuf: Any, recvbuf: Any, root: int = 0, axis: int = 0, recv_axis: int | None = None) -> None:
        """As `Scatter` with ``sendbuf = (buffer, counts, displs)`` along `axis`."""
        self.Iscatter(sendbuf, recvbuf, root, axis, recv_axis).Wait()

    def Iscatter(
        self: Any, sendbuf: Any, recvbuf: Any, root: int = 0, axis: int = 0, recv_axis: int | None = None
    ) -> MPIRequest:
        """Start `Scatter`."""
        if recvbuf is MPI.IN_PLACE and self.rank == root:
            out = own_part(sendbuf, axis, self, "Scatter", fills=True)
        else:
            out = tensor_of(recvbuf[0] if isinstance(recvbuf, (tuple, list)) else recvbuf, "Scatter", fills=True)
        packed = out.new_empty(out.numel(), device="cpu")
        parts = None
        keep: Any = packed
        if self.rank == root:
            plan = Gathering(sendbuf, axis, out, self.size, "Scatter", False)
            flat = plan.target.reshape(-1) if plan.flat else pack(plan.views(), plan.target)
            flat = flat.cpu().contiguous()
            counts = [n * flat.element_size() for n in plan.elements(self.size)]
            parts, keep = [as_bytes(flat), (counts, _offsets(counts)), MPI.BYTE], (flat, packed)
        request = self.handle.Iscatterv(parts, [as_bytes(packed), MPI.BYTE], root)
        return MPIRequest(request, sendbuf, recvbuf, keep, finish=lambda: fill(out, packed))

    def Iscatterv(
        self, sendbuf: Any, recvbuf: Any, root: int = 0, axis: int = 0, recv_axis: int | None = None
    ) -> MPIRequest:
        """Start `Scatterv`."""
        return self.Iscatter(sendbuf, recvbuf, root, axis, recv_axis)

    # ------------------------------------------------------------------ all to all
    def Alltoall(self, sendbuf: Any, recvbuf: Any, send_axis: int = 0, recv_axis: int | None = None) -> None:
        """Part i along `send_axis` goes to rank i; what arrives lies in rank order along `recv_axis`."""
        self.Ialltoallv(sendbuf, recvbuf, send_axis, recv_axis).Wait()

    def Alltoallv(self, sendbuf: Any, recvbuf: Any, send_axis: int = 0, recv_axis: int | None = None) -> None:
        """As `Alltoall` with ``(buffer, counts, displs)`` for either buffer."""
        self.Ialltoallv(sendbuf, recvbuf, send_axis, recv_axis).Wait()

    def Ialltoall(self, sendbuf: Any, recvbuf: Any, send_axis: int = 0, recv_axis: int | None = None) -> MPIRequest:
        """Start `Alltoall`."""
        return self.Ialltoallv(sendbuf, recvbuf, send_axis, recv_axis)

    def Ialltoallv(
        self: Any, sendbuf: Any, recvbuf: Any, send_axis: int = 0, recv_axis: int | None = None
    ) -> MPIRequest:
        """Start `Alltoallv`."""
        axes = (send_axis, send_axis if recv_axis is None else recv_axis)
        sides = []
        buffers = (recvbuf if sendbuf is MPI.IN_PLACE else sendbuf, recvbuf)
        for buffer, axis in zip(buffers, axes, strict=True):
            x, counts, displs = parted(buffer, axis, self.size, "Alltoall", fills=buffer is recvbuf)
            sides.append([x.narrow(axis, d, n) for n, d in zip(counts, displs, strict=True)])
        return self._exchanged(*sides, sendbuf, recvbuf)

    def Alltoallw(self: Any, sendbuf: Any, recvbuf: Any) -> None:
        """Rectangular parts of buffers: ``(buffer, (counts, displs), [(shape, subsizes, starts), ...])``.

        Part i of `sendbuf` goes to rank i and fills part `rank` of its `recvbuf`; a count of 0 is no part.
        """
        sides = []
        for buffer in (sendbuf, recvbuf):
            x, counts, places = tensor_of(buffer[0], "Alltoallw", buffer is recvbuf), buffer[1][0], buffer[2]
            views = []
            for number, place in zip(counts, places, strict=True):
                view = x
                for axis, (extent, start) in enumerate(zip(place[1], place[2], strict=True)):
                    view = view.narrow(axis, start, extent)
                views.append(view if number else x.reshape(-1)[:0])
            sides.append(views)
        self._exchanged(*sides, sendbuf, recvbuf).Wait()

    def _exchanged(self: Any, sends: list[Tensor], receives: list[Tensor], *buffers: Any) -> MPIRequest:
        """Views to all ranks and from all ranks, as packed bytes."""
        out = pack(sends, sends[0]).cpu().contiguous()
        arrived = receives[0].new_empty(sum(v.numel() for v in receives), device="cpu")
        width = out.element_size()
        send_counts, counts = ([v.numel() * width for v in side] for side in (sends, receives))
        request = self.handle.Ialltoallv(
            [as_bytes(out), (send_counts, _offsets(send_counts)), MPI.BYTE],
            [as_bytes(arrived), (counts, _offsets(counts)), MPI.BYTE],
        )

        def unpack() -> None:
            at = 0
            for view in receives:
                fill(view, arrived[at : at + view.numel()])
                at += view.numel()

        return MPIRequest(request, buffers[0], buffers[1], (out, arrived), finish=unpack)


def _offsets(counts: Sequence[int]) -> list[int]:
    return [sum(counts[:i]) for i in range(len(counts))]
