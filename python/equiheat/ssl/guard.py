# SPDX-License-Identifier: BSD-3-Clause
"""Stop on the first NaN or infinity and say where it came from."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from equiheat.communication import Communicator
from equiheat.data.source import Batch


class NotFiniteError(FloatingPointError):
    """A tensor of a training step holds NaN or infinity."""


def check_finite(named: Iterable[tuple[str, Tensor]], *, suspect: Tensor, step: int, comm: Communicator) -> None:
    """Raise on all ranks when ``suspect`` is not finite, naming the first tensor of ``named`` that is not.

    Parameters
    ----------
    named
        (name, tensor) in the order of computation; looked at only when something is wrong.
    suspect
        A scalar that is the same on every rank, such as the global loss.
    step
        For the message.
    comm
        Communication (one allreduce) only when something is wrong.
    """
    if bool(torch.isfinite(suspect)):
        return
    pairs = [(name, x.detach()) for name, x in named]
    bad = next((i for i, (_, x) in enumerate(pairs) if not bool(torch.isfinite(x).all())), len(pairs))
    first = int(comm.allreduce(torch.tensor([bad], dtype=torch.int64), "min"))
    where = comm.allreduce(torch.tensor([comm.rank if bad == first else comm.size], dtype=torch.int64), "min")
    if first == len(pairs):
        raise NotFiniteError(f"step {step}: the loss is {float(suspect)}, yet every tensor looked at is finite")
    name = pairs[first][0]
    raise NotFiniteError(
        f"step {step}: {name} is the first tensor that holds NaN or infinity (seen on rank {int(where)}). "
        "Lower the learning rate, lengthen the warm-up, or set optim.clip"
    )


def check_input(batch: Batch, indices: Tensor, *, suspect: Tensor, step: int, comm: Communicator) -> None:
    """Raise on all ranks when ``suspect`` is not finite and an image of the batch is not, naming its number.

    Communication (one allreduce) only when something is wrong.
    """
    if bool(torch.isfinite(suspect)):
        return
    none = torch.iinfo(torch.int64).max
    given = [x for x in (batch.images, batch.partner) if x is not None and x.is_floating_point()]
    bad = [int(n) for x in given for n in indices.cpu()[~torch.isfinite(x.cpu()).flatten(1).all(dim=1)]]
    first = int(comm.allreduce(torch.tensor([min(bad, default=none)], dtype=torch.int64), "min"))
    if first < none:
        raise NotFiniteError(f"step {step}: image {first} of the data holds NaN or infinity; mend it or leave it out")


def gradient_norm(model: nn.Module, *, clip: float) -> Tensor:
    """Norm of all gradients together, which are scaled to norm ``clip`` where that is positive and smaller."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    if clip > 0:
        torch.nn.utils.clip_grads_with_norm_(model.parameters(), clip, norm)
    return norm
