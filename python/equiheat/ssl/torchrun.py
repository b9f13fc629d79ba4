# SPDX-License-Identifier: BSD-3-Clause
"""The same training in a job that torchrun started: torch's process group in the place of MPI."""

from __future__ import annotations

import os
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from equiheat.buffer_parts import our_name
from equiheat.communication import Communicator, get_comm

_OPS: dict[str, Any] = {"sum": dist.ReduceOp.SUM, "max": dist.ReduceOp.MAX, "min": dist.ReduceOp.MIN}


class ProcessGroupComm(Communicator):
    """The collectives that training needs, by a torch.distributed process group (gloo or NCCL).

    Pass it as ``comm`` to methods, models, `equiheat.nn.BatchNorm` and the trainer; no MPI launcher is needed. Other
    parts of equiheat want an MPI communicator.

    Parameters
    ----------
    group
        Process group; torch's default group when omitted.

    Examples
    --------
    >>> torch.distributed.init_process_group("gloo")
    >>> method = ht.ssl.VICReg(encoder.dim, comm=ht.ssl.ProcessGroupComm())
    """

    def __init__(self, group: dist.ProcessGroup | None = None) -> None:
        if not dist.is_initialized():
            raise RuntimeError(
                "ProcessGroupComm: torch.distributed has no process group; call init_process_group first"
            )
        self._group = group
        self.rank, self.size = dist.get_rank(group), dist.get_world_size(group)

    def __repr__(self) -> str:
        return f"ProcessGroupComm(rank={self.rank}, size={self.size})"

    def _placed(self, x: Tensor) -> Tensor:
        """A copy where the group can reach it."""
        wants = torch.device("cuda", torch.cuda.current_device()) if dist.get_backend(self._group) == "nccl" else "cpu"
        return x.detach().to(wants, copy=True).contiguous()

    def allreduce(self, x: Tensor, op: Any = "sum") -> Tensor:
        """Combination of the ranks' tensors by "sum", "max" or "min"."""
        own = self._placed(x)
        dist.all_reduce(own, _OPS[our_name(op)], group=self._group)
        return own.to(x.device)

    def bcast(self, x: Tensor, root: int = 0) -> Tensor:
        """The tensor of rank ``root``."""
        own = self._placed(x)
        dist.broadcast(own, group_src=root, group=self._group)
        return own.to(x.device)

    def allgatherv(self, x: Tensor) -> Tensor:
        """Rows of all ranks below each other; the number of rows may differ."""
        count = self._placed(torch.tensor([x.shape[0]], dtype=torch.int64))
        counts = [torch.empty_like(count) for _ in range(self.size)]
        dist.all_gather(counts, count, group=self._group)
        rows = [int(c) for c in counts]
        own = self._placed(x)
        padded = own.new_zeros((max(rows), *x.shape[1:]))
        padded[: x.shape[0]] = own
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(parts, padded, group=self._group)
        return torch.cat([part[:n] for part, n in zip(parts, rows, strict=True)]).to(x.device)

    def barrier(self) -> None:
        """Wait for all."""
        dist.barrier(group=self._group)


def world() -> Communicator:
    """The ranks of this job: MPI's, or, where torchrun started it, those of torch's process group (made if need be)."""
    comm = get_comm()
    if comm.size > 1 or int(os.environ.get("WORLD_SIZE", "1")) == 1 or "MASTER_ADDR" not in os.environ:
        return comm
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return ProcessGroupComm()
