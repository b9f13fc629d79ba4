# SPDX-License-Identifier: BSD-3-Clause
"""Averaging of gradients over the ranks, in buckets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from equiheat.communication import Communicator, get_comm


def average_gradients(
    parameters: Iterable[Tensor], comm: Communicator | None = None, *, bucket_bytes: int = 4 << 20
) -> None:
    """Replace every ``.grad`` by its mean over the ranks.

    Collective: one small allreduce of flags and one allreduce per bucket of at most ``bucket_bytes`` (at least one
    gradient) of one dtype and device. See `equiheat.nn.collectives` for why the mean is the right thing when each rank
    computes the loss of the global batch.

    Parameters
    ----------
    parameters
        The same ones in the same order on every rank. A parameter without gradient on some ranks counts as zero there;
        one without gradient on all ranks keeps none.
    comm
        Communicator; the default one when omitted.
    bucket_bytes
        Size of the flat buffers.
    """
    comm = get_comm() if comm is None else comm
    if comm.size == 1:
        return
    kept = [p for p in parameters if p.requires_grad]
    flags = torch.tensor([p.grad is not None for p in kept], dtype=torch.int32)
    used = comm.allreduce(flags, "max").tolist()
    for p, is_used in zip(kept, used, strict=True):
        if is_used and p.grad is None:
            p.grad = torch.zeros_like(p)
    gradients = [p.grad for p, is_used in zip(kept, used, strict=True) if is_used and p.grad is not None]
    for bucket in buckets(gradients, bucket_bytes):
        flat = comm.allreduce(torch.cat([flattened(grad) for grad in bucket])).div_(comm.size)
        for grad, mean in zip(bucket, flat.split([grad.numel() for grad in bucket]), strict=True):
            fill(grad, mean)


def flattened(gradient: Tensor) -> Tensor:
    """A gradient as a dense vector. Local."""
    return (gradient.to_dense() if gradient.is_sparse else gradient).reshape(-1)


def fill(gradient: Tensor, values: Tensor) -> None:
    """Write what `flattened` gave into a gradient, which stays sparse or dense. Local."""
    values = values.view(gradient.shape)
    gradient.copy_(values.to_sparse(gradient.sparse_dim()) if gradient.is_sparse else values)


def buckets(tensors: list[Tensor], limit: int) -> Iterator[list[Tensor]]:
    """Consecutive runs of one dtype and device that hold at most ``limit`` bytes, or one tensor."""
    run: list[Tensor] = []
    size = 0
    for x in tensors:
        grown = size + x.numel() * x.element_size()
        if run and (grown > limit or x.dtype != run[0].dtype or x.device != run[0].device):
            yield run
            run, grown = [], x.numel() * x.element_size()
        run.append(x)
        size = grown
    if run:
        yield run
