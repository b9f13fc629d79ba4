# SPDX-License-Identifier: BSD-3-Clause
"""What the operations under MPI's names take: buffers as tensors, their parts along an axis, operations by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mpi4py import MPI
from torch import Tensor

_OPS = (
    (MPI.SUM, "sum"), (MPI.PROD, "prod"), (MPI.MIN, "min"), (MPI.MAX, "max"), (MPI.LAND, "land"), (MPI.LOR, "lor"),
    (MPI.LXOR, "lxor"), (MPI.BAND, "band"), (MPI.BOR, "bor"), (MPI.BXOR, "bxor"),
)  # fmt: skip
#: What reductions mean for bool: MPI has them under the names of logic only.
_OF_BOOL = {
    "sum": MPI.LOR, "max": MPI.LOR, "bor": MPI.LOR, "prod": MPI.LAND, "min": MPI.LAND, "band": MPI.LAND,
    "bxor": MPI.LXOR,
}  # fmt: skip


def our_name(op: Any) -> Any:
    """Our name of one of MPI's operations; anything else as it is."""
    return next((name for known, name in _OPS if known == op), op) if isinstance(op, MPI.Op) else op


def tensor_of(buffer: Any, fn: str, fills: bool = False) -> Tensor:
    """The tensor behind a buffer, which the call fills or only reads; TypeError for anything else."""
    core = getattr(buffer, "_core", None)  # of a DNDarray, whose class builds on this module
    if core is not None:
        return core.local.detach()
    if isinstance(buffer, Tensor):
        return buffer.detach()
    if isinstance(buffer, np.ndarray):
        return torch.from_numpy(_plain(buffer, fn, fills))
    raise TypeError(f"{fn}: buffers are DNDarrays, torch tensors or NumPy arrays, got {type(buffer)}")


def _plain(array: np.ndarray, fn: str, fills: bool) -> np.ndarray:
    """The array if torch can look at its memory; a copy where it is only read."""
    if array.flags.writeable and min(array.strides, default=0) >= 0:
        return array
    if fills:
        found = f"strides {array.strides}" if array.flags.writeable else "one that is read-only"
        raise ValueError(f"{fn}: the array to fill must be writable, without negative strides; got {found}")
    return array.copy()


def vector_of(buffer: Any, fn: str, fills: bool = False) -> tuple[Tensor, Sequence[int] | None, Sequence[int] | None]:
    """(tensor, counts, displacements) of ``(buffer, counts, displs)``, ``(buffer, (counts, displs))`` or a buffer."""
    if not isinstance(buffer, (tuple, list)):
        return tensor_of(buffer, fn, fills), None, None
    rest = tuple(buffer[1]) if len(buffer) == 2 else tuple(buffer[1:3])
    return tensor_of(buffer[0], fn, fills), rest[0], rest[1]


def for_mpi(x: Tensor, op: MPI.Op) -> tuple[Tensor, MPI.Op]:
    """A copy on the host, and the operation, of types that MPI computes with: it has no 16-bit floating point."""
    host, known = x.cpu().contiguous().clone(), our_name(op)
    if not isinstance(known, str):
        return host, op
    if host.dtype in (torch.float16, torch.bfloat16):
        host = host.float()
    return host, _OF_BOOL.get(known, op) if host.dtype == torch.bool else op


def parted(
    buffer: Any, axis: Any, size: int, fn: str, fills: bool = False
) -> tuple[Tensor, Sequence[int], Sequence[int]]:
    """(tensor, counts, displacements along the axis): those given, or of the chunk rule."""
    x, counts, displs = vector_of(buffer, fn, fills)
    if not hasattr(axis, "__index__"):
        raise TypeError(f"{fn}: axis must be an integer, is {axis!r}")
    if not -x.dim() <= axis < x.dim():
        raise ValueError(f"{fn}: axis {axis} is out of bounds for {x.dim()}-dimensional array")
    if counts is None or displs is None:
        counts, displs = even_parts(x.shape[axis], size)
    return x, counts, displs


def own_part(buffer: Any, axis: int, comm: Any, fn: str, fills: bool = False) -> Tensor:
    """This rank's part of a buffer: what MPI.IN_PLACE stands for. A view."""
    x, counts, displs = parted(buffer, axis, comm.size, fn, fills)
    return x.narrow(axis, displs[comm.rank], counts[comm.rank])


def fill(target: Tensor, values: Tensor) -> None:
    """Write the values, in their order, into a tensor of any shape with as many elements."""
    target.copy_(values.reshape(target.shape))


def even_parts(extent: int, parts: int) -> tuple[list[int], list[int]]:
    """Counts and displacements of the chunk rule."""
    base, rest = divmod(extent, parts)
    counts = [base + (i < rest) for i in range(parts)]
    return counts, [sum(counts[:i]) for i in range(parts)]


def pack(blocks: Sequence[Tensor], like: Tensor) -> Tensor:
    """The blocks behind one another, flat; of `like`'s type where there are none."""
    flat = [b.reshape(-1) for b in blocks]
    return torch.cat(flat) if flat else like.new_empty(0)


class Gathering:
    """How gathered blocks fill a buffer: along an axis, or flat where the shapes do not fit an axis."""

    def __init__(self, buffer: Any, axis: int, part: Tensor, size: int, fn: str, fills: bool) -> None:
        self.target = vector_of(buffer, fn, fills)[0]
        self.axis = axis
        self.flat = self.target.dim() != part.dim() or self.target.dim() == 0
        self.counts: Sequence[int] = ()
        self.displs: Sequence[int] = ()
        if not self.flat:
            _, self.counts, self.displs = parted(buffer, axis, size, fn, fills)

    def views(self) -> list[Tensor]:
        """Where the block of each rank goes."""
        return [self.target.narrow(self.axis, d, n) for n, d in zip(self.counts, self.displs, strict=True)]

    def elements(self, size: int) -> list[int]:
        """Elements of each rank's block."""
        return [self.target.numel() // size] * size if self.flat else [v.numel() for v in self.views()]

    def unpack(self, packed: Tensor) -> None:
        """Write what arrived in rank order."""
        if self.flat:
            return fill(self.target, packed)
        at = 0
        for view in self.views():
            fill(view, packed[at : at + view.numel()])
            at += view.numel()
        return None


def as_bytes(tensor: Tensor) -> Any:
    """The memory of a contiguous tensor on the host."""
    return MPI.memory.fromaddress(tensor.data_ptr(), tensor.numel() * tensor.element_size())
