# SPDX-License-Identifier: BSD-3-Clause
"""What ECR and TIR share: a base method on the invariant part of the features."""

from __future__ import annotations

from torch import Tensor, nn

from equiheat.communication import Communicator
from equiheat.ssl.encoders import Encoder
from equiheat.ssl.methods.base import Method
from equiheat.ssl.views import Views


def equi_dim(dim: int, fraction: float) -> int:
    """Equivariant features of an encoder with ``dim`` features; at least 1 is left to each part."""
    return min(max(round(dim * fraction), 1), dim - 1)


class Auxiliary(Method):
    """Wraps a base method, to which all that a method tells the model is passed on.

    Parameters
    ----------
    base
        Method on the invariant part, the first ``encoder.dim - equi_dim(encoder.dim, fraction)`` features.
    encoder
        Gives the number of features.
    fraction
        Share of the features that is equivariant.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    def __init__(self, base: Method, encoder: Encoder, fraction: float, *, comm: Communicator | None) -> None:
        super().__init__(comm=comm)
        self.base = base
        self.inv_dim, self.dim = encoder.dim - equi_dim(encoder.dim, fraction), encoder.dim
        self.uses_teacher, self.uses_original = base.uses_teacher, base.uses_original
        self.uses_local = base.uses_local

    @property
    def momentum(self) -> float:
        """The base's."""
        return self.base.momentum

    def set_progress(self, fraction: float) -> None:
        """Tell the base, too."""
        super().set_progress(fraction)
        self.base.set_progress(fraction)

    def student_images(self, views: Views) -> tuple[Tensor, Tensor]:
        """The base's."""
        return self.base.student_images(views)

    def teacher_pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """The base's."""
        return self.base.teacher_pairs()

    def parts(self, dim: int) -> dict[str, tuple[int, int]]:
        """The invariant and the equivariant columns."""
        return {"inv": (0, self.inv_dim), "equi": (self.inv_dim, self.dim)}
