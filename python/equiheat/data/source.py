# SPDX-License-Identifier: BSD-3-Clause
"""What a trainer reads from: any number of images, fetched by their numbers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch import Tensor


class Batch(NamedTuple):
    """Images (B, 3, S, S), uint8 or floats 0 to 1; where a data set gives pairs, the images of the second view.

    ``parameters1`` and ``parameters2`` are what the data set knows of both (rotation, hues), by name, (B,) or (B, k).
    """

    images: Tensor
    partner: Tensor | None = None
    parameters1: dict[str, Tensor] | None = None
    parameters2: dict[str, Tensor] | None = None


class Source(Protocol):
    """A data set.

    What a number gives must not depend on the rank, nor on what was fetched before: the batches of a run are then the
    same at any rank count, and after a restart.
    """

    @property
    def skipped(self) -> tuple[str, ...]:
        """Files that could not be read, as far as they are known."""
        ...

    def __len__(self) -> int:
        """Samples in the data set."""
        ...

    def batch(self, indices: Tensor, epoch: int) -> Batch:
        """Samples (B,) of an epoch (data sets of views draw by it). No communication."""
        ...
