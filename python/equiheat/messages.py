# SPDX-License-Identifier: BSD-3-Clause
"""MPI's messages between two ranks, and descriptions of buffers for mpi4py, as methods of communicators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mpi4py import MPI
from torch import Tensor

from equiheat.buffer_parts import as_bytes, even_parts, fill, tensor_of
from equiheat.buffers import MPIRequest

__all__ = ["MessageMethods"]

_TYPES = {
    torch.bool: MPI.BOOL, torch.uint8: MPI.UNSIGNED_CHAR, torch.int8: MPI.SIGNED_CHAR, torch.int16: MPI.SHORT,
    torch.int32: MPI.INT, torch.int64: MPI.LONG, torch.uint16: MPI.UINT16_T, torch.uint32: MPI.UINT32_T,
    torch.uint64: MPI.UINT64_T, torch.float16: MPI.UINT16_T, torch.bfloat16: MPI.UINT16_T, torch.float32: MPI.FLOAT,
    torch.float64: MPI.DOUBLE, torch.complex64: MPI.COMPLEX, torch.complex128: MPI.DOUBLE_COMPLEX,
}  # fmt: skip


def _layout(x: Tensor) -> Any:
    """An MPI type of the elements of x where they lie, axes of any stride."""
    kind = _TYPES[x.dtype]
    for extent, stride in reversed(list(zip(x.shape, x.stride(), strict=True))):
        kind = kind.Create_hvector(extent, 1, stride * x.element_size())
    return kind.Commit()


class MessageMethods:
    """Methods of communicators."""

    # ------------------------------------------------------------------ messages
    def _sent(self: Any, name: str, buf: Any, dest: int, tag: int) -> MPIRequest:
        x = tensor_of(buf, name).cpu().contiguous()
        request = getattr(self.handle, name)([as_bytes(x), MPI.BYTE], dest, tag)
        return MPIRequest(request, buf, None, x)

    def Send(self, buf: Any, dest: int, tag: int = 0) -> None:
        """Send to one rank."""
        self._sent("Isend", buf, dest, tag).Wait()

    def Ssend(self, buf: Any, dest: int, tag: int = 0) -> None:
        """Send to one rank and wait until it receives."""
        self._sent("Issend", buf, dest, tag).Wait()

    def Rsend(self, buf: Any, dest: int, tag: int = 0) -> None:
        """Send to a rank that receives already."""
        self._sent("Isend", buf, dest, tag).Wait()

    def Bsend(self, buf: Any, dest: int, tag: int = 0) -> None:
        """Send from MPI's attached buffer."""
        x = tensor_of(buf, "Bsend").cpu().contiguous()
        self.handle.Bsend([as_bytes(x), MPI.BYTE], dest, tag)  # type: ignore[attr-defined]

    def Isend(self, buf: Any, dest: int, tag: int = 0) -> MPIRequest:
        """Start `Send`."""
        return self._sent("Isend", buf, dest, tag)

    def Issend(self, buf: Any, dest: int, tag: int = 0) -> MPIRequest:
        """Start `Ssend`."""
        return self._sent("Issend", buf, dest, tag)

    def Irsend(self, buf: Any, dest: int, tag: int = 0) -> MPIRequest:
        """Start `Rsend`."""
        return self._sent("Irsend", buf, dest, tag)

    def Ibsend(self, buf: Any, dest: int, tag: int = 0) -> MPIRequest:
        """Start `Bsend`."""
        return self._sent("Ibsend", buf, dest, tag)

    def Recv(
        self, buf: Any, source: int = MPI.ANY_SOURCE, tag: int = MPI.ANY_TAG, status: MPI.Status | None = None
    ) -> None:
        """Fill a buffer with a message of its size."""
        self.Irecv(buf, source, tag).Wait(status)

    def Irecv(self: Any, buf: Any, source: int = MPI.ANY_SOURCE, tag: int = MPI.ANY_TAG) -> MPIRequest:
        """Start `Recv`."""
        out = tensor_of(buf, "Recv", fills=True)
        packed = out.new_empty(out.numel(), device="cpu")
        request = self.handle.Irecv([as_bytes(packed), MPI.BYTE], source, tag)
        return MPIRequest(request, None, buf, packed, finish=lambda: fill(out, packed))

    # ------------------------------------------------------------------ communicators
    def Split(self: Any, color: int = 0, key: int = 0) -> Any:
        """Communicator of the ranks that gave the same colour, ordered by key. Collective."""
        return self.split(color, key)

    def Free(self) -> None:
        """Nothing to do: a communicator is freed with its last user."""

    # ------------------------------------------------------------------ descriptions of buffers
    @classmethod
    def mpi_type_of(cls, dtype: torch.dtype) -> MPI.Datatype:
        """MPI's type of a torch dtype; the half types as 16 bits. TypeError if there is none."""
        if dtype not in _TYPES:
            raise TypeError(f"mpi_type_of: no MPI type for {dtype}")
        return _TYPES[dtype]

    @classmethod
    def as_mpi_memory(cls, obj: Tensor) -> MPI.memory:
        """The memory that begins at the tensor's first element. Local."""
        return MPI.memory.fromaddress(obj.data_ptr(), 0)

    @classmethod
    def mpi_type_and_elements_of(
        cls, obj: Any, counts: Sequence[int] | None = None, displs: Sequence[int] | None = None,
        is_contiguous: bool | None = None,
    ) -> tuple[MPI.Datatype, Any]:  # fmt: skip
        """MPI's type and number of elements of a tensor; with `counts` and `displs` of its rows.

        The type of a tensor that is not contiguous is a new one; MPI frees it when the process ends.
        """
        x = tensor_of(obj, "mpi_type_and_elements_of")
        contiguous = x.is_contiguous() if is_contiguous is None else is_contiguous
        if counts is None:
            return (_TYPES[x.dtype], x.numel()) if contiguous else (_layout(x), 1)
        if contiguous:
            row = x[0].numel() if x.shape[0] else 0
            return _TYPES[x.dtype], (tuple(n * row for n in counts), tuple(d * row for d in displs or ()))
        row_type = _layout(x[0]).Create_resized(0, x.stride(0) * x.element_size()).Commit()
        return row_type, (tuple(counts), tuple(displs or ()))

    @classmethod
    def as_buffer(
        cls, obj: Tensor, counts: Sequence[int] | None = None, displs: Sequence[int] | None = None,
        is_contiguous: bool | None = None,
    ) -> list[Any]:  # fmt: skip
        """A buffer description for mpi4py: [memory, elements, MPI type]. Local."""
        kind, elements = cls.mpi_type_and_elements_of(obj, counts, displs, is_contiguous)
        return [cls.as_mpi_memory(obj), elements, kind]

    def alltoall_sendbuffer(self, obj: Tensor) -> list[Any]:
        """A description for mpi4py's ``Alltoallw`` of the tensor's parts along axis 0, one for each rank. Local."""
        return self._parts(obj, 0)

    def alltoall_recvbuffer(self, obj: Tensor) -> list[Any]:
        """A description for mpi4py's ``Alltoallw`` of the tensor's parts along axis 1, one for each rank. Local."""
        return self._parts(obj, 1 if obj.dim() > 1 else 0)

    def _parts(self: Any, obj: Tensor, axis: int) -> list[Any]:
        counts, displs = even_parts(obj.shape[axis], self.size)
        kinds = [_layout(obj.narrow(axis, d, n)) for n, d in zip(counts, displs, strict=True)]
        offsets = [d * obj.stride(axis) * obj.element_size() for d in displs]
        return [self.as_mpi_memory(obj), ([1] * self.size, offsets), kinds]
