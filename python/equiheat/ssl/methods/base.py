# SPDX-License-Identifier: BSD-3-Clause
"""What a method is: a loss of the features of two views, with what it asks of the model around it."""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from equiheat.communication import Communicator, get_comm
from equiheat.ssl.encoders import Features
from equiheat.ssl.views import Views


class Others(NamedTuple):
    """Features beside those of the two views, each only where the method asks for it.

    ``teacher`` are those of both views by the teacher; ``local`` those of the small crops (one entry per crop,
    multi-crop training); ``original`` those of the images without augmentation.
    """

    teacher: tuple[Features, Features] | None = None
    local: tuple[Features, ...] = ()
    original: Features | None = None

    def part(self, start: int, stop: int) -> Others:
        """Features start to stop of all."""
        teacher = self.teacher and (self.teacher[0].part(start, stop), self.teacher[1].part(start, stop))
        original = self.original and self.original.part(start, stop)
        return Others(teacher, tuple(crop.part(start, stop) for crop in self.local), original)


NONE = Others()


class Method(nn.Module):
    """Base class: ``method(first, second, views, others)`` gives a dictionary of scalars over the global batch.

    ``loss`` is minimised, the other entries are logged. In a user's own loop, in this order each step: `set_progress`,
    the loss, backward, the optimiser's step, `update_teacher`.

    Parameters
    ----------
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    #: Whether features of a teacher (`Others.teacher`), of the unchanged images, of small crops are wanted.
    uses_teacher: bool = False
    uses_original: bool = False
    uses_local: bool = False

    def __init__(self, *, comm: Communicator | None = None) -> None:
        super().__init__()
        self.comm = get_comm() if comm is None else comm
        self.progress = 0.0

    @property
    def momentum(self) -> float:
        """Share of itself that a teacher keeps in a step, now."""
        return 1.0

    def set_progress(self, fraction: float) -> None:
        """Tell how much of the run is done, 0 to 1: schedules of the method follow."""
        self.progress = fraction

    def student_images(self, views: Views) -> tuple[Tensor, Tensor]:
        """Images that the student is shown; the teacher sees the views."""
        return views.first, views.second

    def teacher_pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """(student, teacher) of the method's own parts, such as projectors."""
        return []

    def parts(self, dim: int) -> dict[str, tuple[int, int]]:
        """Named column ranges of features that are meant for different things; empty when there is one part."""
        return {}


def teacher_of(module: nn.Module) -> nn.Module:
    """Copy that no gradient reaches; communicators are shared, not copied."""
    return copy.deepcopy(module).requires_grad_(False)


@torch.no_grad()
def update_teacher(student: nn.Module, teacher: nn.Module, momentum: float) -> None:
    """``teacher = momentum teacher + (1 - momentum) student`` of parameters; buffers are copied. No communication."""
    for own, other in zip(teacher.parameters(), student.parameters(), strict=True):
        own.lerp_(other.detach().to(own.dtype), 1 - momentum)
    for own_buffer, other_buffer in zip(teacher.buffers(), student.buffers(), strict=True):
        own_buffer.copy_(other_buffer)


def cosine(start: float, end: float, fraction: float) -> float:
    """From ``start`` at fraction 0 to ``end`` at 1 along half a cosine."""
    return end - (end - start) * 0.5 * (1 + math.cos(math.pi * min(max(fraction, 0.0), 1.0)))


def ramp(start: float, end: float, fraction: float, length: float) -> float:
    """Linear from ``start`` to ``end`` while fraction goes from 0 to ``length``, then ``end``."""
    return end if length <= 0 or fraction >= length else start + (end - start) * fraction / length
