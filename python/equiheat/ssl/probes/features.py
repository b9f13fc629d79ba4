# SPDX-License-Identifier: BSD-3-Clause
"""Frozen features of images and of their transformed copies, as rows of split arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

import equiheat as ht
from equiheat.communication import Communicator
from equiheat.data.images import ImageSet
from equiheat.data.sharding import share
from equiheat.ssl.augment import to_float
from equiheat.ssl.probes.families import ProbeRanges, transformed

__all__ = ["FrozenEncoder", "ImageRows", "raw_pixels"]


@dataclass(frozen=True)
class FrozenEncoder:
    """What is judged: a function from images to feature rows, never trained.

    Parameters
    ----------
    name
        Row label.
    encode
        Maps (B, 3, H, W) floats in 0 to 1 to (B, D).
    parts
        Named column ranges to probe, such as ``{"all": slice(None), "inv": slice(0, 64)}``.
    module
        The module behind `encode`; put into eval mode while features are computed, so that batch normalisation uses
        its stored statistics, and back afterwards.
    """

    name: str
    encode: Callable[[Tensor], Tensor]
    parts: Mapping[str, slice]
    module: nn.Module | None = None

    @torch.inference_mode()
    def features(self, images: Tensor, *, batch_size: int = 256) -> Tensor:
        """Features (n, D), float32, of images (n, 3, H, W); n may be 0. No communication."""
        with _evaluating(self.module):
            if images.shape[0] == 0:
                blank = torch.zeros(1, *images.shape[1:])
                return self.encode(blank)[:0].float()
            chunks = [self.encode(to_float(chunk)).float() for chunk in images.split(batch_size)]
        return torch.cat(chunks)

    @torch.inference_mode()
    def transformed_features(
        self, rows: ImageRows, family: str, ranges: ProbeRanges, *, seed: int, batch_size: int = 256
    ) -> tuple[Tensor, Tensor]:
        """Features (n, D) of every image after its own draw of `family`, and the drawn parameters (n, k)."""
        if rows.images.shape[0] == 0:
            _, parameters = transformed(rows.images.float(), rows.indices, family, ranges, seed=seed)
            return self.features(rows.images), parameters
        outputs: list[Tensor] = []
        parameters_: list[Tensor] = []
        for images, indices in zip(rows.images.split(batch_size), rows.indices.split(batch_size), strict=True):
            moved, drawn = transformed(images, indices, family, ranges, seed=seed)
            outputs.append(self.features(moved, batch_size=batch_size))
            parameters_.append(drawn)
        return torch.cat(outputs), torch.cat(parameters_)


@dataclass(frozen=True)
class ImageRows:
    """Images of one rank, of a set that is spread over the ranks.

    Attributes
    ----------
    images : torch.Tensor of shape (n_local, 3, H, W), uint8
    labels : torch.Tensor of shape (n_local,), int64
        Class numbers; -1 where the folder has no classes.
    indices : torch.Tensor of shape (n_local,), int64
        Global numbers: they key the random transformations.
    total : int
        Images on all ranks together.
    comm : Communicator
        The ranks.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor
    total: int
    comm: Communicator

    @staticmethod
    def of(images: ImageSet, comm: Communicator) -> ImageRows:
        """Take a contiguous share of a set that every rank has loaded. No communication."""
        start, stop = share(len(images), comm)
        return ImageRows(
            images.images[start:stop], images.labels[start:stop], torch.arange(start, stop), len(images), comm
        )

    def where(self, mask: Tensor, total: int) -> ImageRows:
        """The rows of a local boolean mask; `total` is the number of them on all ranks."""
        return ImageRows(self.images[mask], self.labels[mask], self.indices[mask], total, self.comm)

    def spread(self, value: Tensor) -> ht.DNDarray:
        """Local rows as a split array."""
        return ht.array(value, is_split=0, comm=self.comm)


def raw_pixels() -> FrozenEncoder:
    """The images themselves as features: what can be read off without any encoder."""
    return FrozenEncoder("raw pixels", lambda images: images.flatten(1), {"all": slice(None)})


@contextmanager
def _evaluating(module: nn.Module | None) -> Iterator[None]:
    """Eval mode inside, every submodule's own mode restored outside."""
    modes = [(m, m.training) for m in module.modules()] if module is not None else []
    if module is not None:
        module.eval()
    try:
        yield
    finally:
        for m, training in modes:
            m.training = training
