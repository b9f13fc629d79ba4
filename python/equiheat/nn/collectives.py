# SPDX-License-Identifier: BSD-3-Clause
"""Differentiable collectives on plain tensors.

Gradient convention
-------------------
Write L_r for the scalar on which rank r calls ``backward``. A backward pass through these functions gives every rank
the gradient of the *sum* S = L_0 + ... + L_{n-1} with respect to its own tensors. When every rank computes the same
loss of the whole global batch (L_r = L), S = n L: each rank then holds n times its own share of dL, the shares of the
ranks add up, and *averaging* the parameter gradients over the ranks (`equiheat.optim.average_gradients`) gives exactly
the gradient of L, what one rank with the whole batch would compute.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from equiheat.communication import Communicator, get_comm


def all_reduce(x: Tensor, comm: Communicator | None = None) -> Tensor:
    """Sum of the ranks' tensors, on every rank. Collective: one allreduce forward, one backward.

    Parameters
    ----------
    x
        Any shape, the same on all ranks; floating dtype when it requires grad.
    comm
        Communicator; the default one when omitted.

    Returns
    -------
    Tensor
        Shape and dtype of x. Adjoint: the sum over ranks of the incoming gradients. Every rank must take part in
        the backward pass when one does.
    """
    comm = get_comm() if comm is None else comm
    if comm.size == 1:
        return x
    return _AllReduce.apply(x, comm)


def all_gather(x: Tensor, comm: Communicator | None = None) -> Tensor:
    """Rows of all ranks below each other, in rank order. Collective: one allgatherv forward, one allreduce backward.

    Parameters
    ----------
    x
        Shape (B_r, ...): the first length may differ between ranks (0 allowed), the others not.
    comm
        Communicator; the default one when omitted.

    Returns
    -------
    Tensor
        Shape (sum of B_r, ...). Adjoint: this rank's rows of the sum over ranks of the incoming gradients.
    """
    if x.dim() == 0:
        raise ValueError("all_gather: x is a scalar; expected at least one axis to gather along")
    comm = get_comm() if comm is None else comm
    if comm.size == 1:
        return x
    return _AllGather.apply(x, comm)


class _AllReduce(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, comm: Communicator) -> Tensor:
        ctx.comm = comm
        return comm.allreduce(x.detach().contiguous())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return all_reduce(grad, ctx.comm), None  # with a gradient of its own


class _AllGather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, comm: Communicator) -> Tensor:
        counts = comm.allgatherv(torch.tensor([x.shape[0]], dtype=torch.int64))
        ctx.comm = comm
        ctx.start = int(counts[: comm.rank].sum())
        ctx.length = x.shape[0]
        return comm.allgatherv(x.detach().contiguous())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return all_reduce(grad, ctx.comm).narrow(0, ctx.start, ctx.length), None
