# SPDX-License-Identifier: BSD-3-Clause
"""Communicator over mpi4py: the interface the training half uses. Stands until the native core's takes its place."""

from __future__ import annotations

import functools

import torch
from mpi4py import MPI
from torch import Tensor

_OPS = {"sum": MPI.SUM, "prod": MPI.PROD, "min": MPI.MIN, "max": MPI.MAX}


class Communicator:
    """Ranks that work together."""

    def __init__(self, handle: MPI.Comm) -> None:
        self.handle = handle
        self.rank = handle.Get_rank()
        self.size = handle.Get_size()

    def allreduce(self, x: Tensor, op: str = "sum") -> Tensor:
        """Combine the ranks' tensors; the result on every rank."""
        x = x.contiguous()
        out = torch.empty_like(x)
        self.handle.Allreduce(_view(x), _view(out), _OPS[op])
        return out

    def allgatherv(self, x: Tensor) -> Tensor:
        """Rows of all ranks in rank order."""
        x = x.contiguous()
        counts = self.handle.allgather(x.shape[0])
        row = x[:1].numel() if x.shape[0] else int(torch.Size(x.shape[1:]).numel())
        out = torch.empty((sum(counts), *x.shape[1:]), dtype=x.dtype)
        self.handle.Allgatherv(_view(x), [_view(out), [count * row for count in counts]])
        return out

    def bcast(self, x: Tensor, root: int = 0) -> Tensor:
        """The root's tensor on every rank."""
        out = x.clone().contiguous()
        self.handle.Bcast(_view(out), root)
        return out

    def barrier(self) -> None:
        """Wait for all ranks."""
        self.handle.Barrier()


def _view(x: Tensor):  # type: ignore[no-untyped-def]
    return x.reshape(-1).numpy()


@functools.cache
def get_comm() -> Communicator:
    """The default communicator (all ranks)."""
    return Communicator(MPI.COMM_WORLD.Dup())
