# SPDX-License-Identifier: BSD-3-Clause
"""Averaging of gradients over ranks while the backward pass computes further ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from equiheat.communication import Communicator, Pending
from equiheat.optim.gradients import buckets, fill, flattened


@dataclass
class _Bucket:
    parameters: list[Tensor]
    missing: int = 0
    sent: Pending | None = None
    ready: set[int] = field(default_factory=set)


class Reducer:
    """Averages the gradients of parameters over the ranks, bucket by bucket, as they become ready.

    Gradients become ready from the last layer to the first, so buckets are filled in that order. A bucket is sent when
    all its gradients are there and all buckets before it are under way: the order of messages must be the same on
    every rank, whichever gradient a rank happens to compute first. What has not become ready when the backward pass is
    over (parameters the loss does not depend on) is sent then. Behind the gradients a bucket carries one number per
    parameter, whether this rank has a gradient: a parameter without one on all ranks keeps none, one without on some
    ranks counts as zero there. Sparse gradients travel as dense ones.

    Parameters
    ----------
    parameters
        The same on every rank, in the order of the layers.
    comm
        The ranks.
    blocking
        True: gradients are averages when ``backward`` returns. False: when `finish` returns.
    bucket_bytes
        Size of a bucket.
    """

    def __init__(
        self, parameters: Iterable[Tensor], comm: Communicator, *, blocking: bool = True, bucket_bytes: int = 4 << 20
    ) -> None:
        self.comm, self.blocking, self.enabled = comm, blocking, True
        kept = [p for p in parameters if p.requires_grad]
        self._buckets = [_Bucket(run) for run in buckets(kept[::-1], bucket_bytes)]
        self._place = {id(p): i for i, bucket in enumerate(self._buckets) for p in bucket.parameters}
        self._next = len(self._buckets)  # the bucket that is sent next; all of them while no backward pass runs
        self._running = False
        self._handles = [p.register_post_accumulate_grad_hook(self._ready) for p in kept] if comm.size > 1 else []

    def remove(self) -> None:
        """Leave the parameters alone from now on. Local."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _ready(self, parameter: Tensor) -> None:
        """A gradient is complete."""
        if not self.enabled:
            return
        if not self._running:
            self._begin()
        bucket = self._buckets[self._place[id(parameter)]]
        if bucket.sent is not None:
            raise RuntimeError("DataParallel: a parameter received a second gradient in one backward pass, after its "
                               "first one was sent; use no_sync() for passes within passes")  # fmt: skip
        if id(parameter) not in bucket.ready:
            bucket.ready.add(id(parameter))
            bucket.missing -= 1
        while self._next < len(self._buckets) and self._buckets[self._next].missing == 0:
            self._send()

    def _begin(self) -> None:
        self.finish()
        self._running, self._next = True, 0
        for bucket in self._buckets:
            bucket.missing, bucket.sent = len(bucket.parameters), None
            bucket.ready.clear()
        torch.autograd.Variable._execution_engine.queue_callback(self._end)

    def _send(self) -> None:
        bucket = self._buckets[self._next]
        first = bucket.parameters[0]
        pieces = [torch.zeros(p.numel(), dtype=p.dtype, device=p.device) if p.grad is None else flattened(p.grad)
                  for p in bucket.parameters]  # fmt: skip
        there = [float(p.grad is not None) for p in bucket.parameters]
        flat = torch.cat([*pieces, torch.tensor(there, dtype=first.dtype, device=first.device)])
        bucket.sent = self.comm.iallreduce(flat)
        self._next += 1

    def _end(self) -> None:
        """The backward pass is over."""
        while self._next < len(self._buckets):
            self._send()
        self._running = False
        if self.blocking:
            self.finish()

    @torch.no_grad()
    def finish(self) -> None:
        """Wait for what is under way and write the averages. Collective if something is under way."""
        if self._running:
            return
        for bucket in self._buckets:
            if bucket.sent is None:
                continue
            flat, bucket.sent = bucket.sent.wait(), None
            assert flat is not None
            sizes = [p.numel() for p in bucket.parameters]
            *sums, there = flat.split([*sizes, len(sizes)])
            for p, total, ranks in zip(bucket.parameters, sums, there.tolist(), strict=True):
                if ranks == 0:
                    continue
                if p.grad is None:
                    p.grad = torch.empty_like(p)
                fill(p.grad, total.div_(self.comm.size))


@torch.no_grad()
def broadcast_state(module: torch.nn.Module, comm: Communicator, root: int = 0) -> None:
    """Make parameters and buffers of all ranks those of one. Collective: one broadcast per 4 MB of one type."""
    if comm.size == 1:
        return
    tensors = [*module.parameters(), *module.buffers()]
    for bucket in buckets([t.detach() for t in tensors], 4 << 20):
        flat = comm.bcast(torch.cat([t.reshape(-1) for t in bucket]), root)
        for t, value in zip(bucket, flat.split([t.numel() for t in bucket]), strict=True):
            t.copy_(value.view_as(t))
