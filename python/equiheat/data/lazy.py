# SPDX-License-Identifier: BSD-3-Clause
"""Images that are decoded when they are needed: folders and tar shards of any size."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from equiheat.communication import Communicator, get_comm
from equiheat.data.images import UNREADABLE, default_threads, find_images
from equiheat.data.places import Place, members
from equiheat.data.source import Batch


class LazyImages:
    """Decodes what a batch needs, several images at a time. Memory holds the names alone.

    An image that cannot be read is replaced by the next one that can, by number, so that a batch is full and the same
    at any rank count; its name goes into ``skipped``.

    Parameters
    ----------
    places
        Where the images are, the same list on every rank.
    size
        Side in pixels.
    threads
        That decode, on this rank.
    strict
        Raise on an image that cannot be read.
    cut
        What is known to be missing already: it counts as skipped.
    """

    def __init__(
        self, places: Sequence[Place], *, size: int, threads: int, strict: bool = False, cut: Sequence[str] = ()
    ) -> None:
        if not places:
            raise ValueError("LazyImages: there are no images")
        self.places, self.size, self.strict, self.cut = places, size, strict, tuple(cut)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._bad: dict[int, str] = {}
        self._lock = threading.Lock()

    @classmethod
    def folder(
        cls,
        root: str | os.PathLike[str],
        *,
        size: int,
        threads: int = 0,
        strict: bool = False,
        comm: Communicator | None = None,
    ) -> Self:
        """Every image file below a folder. Collective: raises on all ranks when one of them finds none."""
        comm = get_comm() if comm is None else comm
        files = find_images(Path(root), comm)
        places = [Place(file) for file in files]
        return cls(places, size=size, threads=threads or default_threads(comm), strict=strict)

    @classmethod
    def shards(
        cls,
        root: str | os.PathLike[str],
        *,
        size: int,
        threads: int = 0,
        strict: bool = False,
        comm: Communicator | None = None,
    ) -> Self:
        """Every image in the .tar files of a folder (WebDataset). Each rank reads the headers of all of them.

        Images are then read at random by their place in the shards, which must not be compressed. Of a shard that
        was cut off the images before the cut are used, with a warning; it counts as skipped.

        Raises
        ------
        FileNotFoundError, ValueError
            When there is no shard, or no image in them, or one is no tar file; with ``strict`` when one was cut off.
        """
        comm = get_comm() if comm is None else comm
        folder = Path(root)
        shards = sorted(folder.glob("*.tar")) if folder.is_dir() else [folder]
        if not shards or not all(shard.is_file() for shard in shards):
            raise FileNotFoundError(f"LazyImages.shards: there are no .tar files in {str(folder.absolute())!r}")
        read = [members(shard) for shard in shards]
        places = [place for found, _ in read for place in found]
        cut = [problem for _, problem in read if problem]
        _tell_of_cuts(cut, strict=strict, comm=comm)
        if not places:
            raise ValueError(f"LazyImages.shards: the {len(shards)} shards of {str(folder)!r} hold no image")
        return cls(places, size=size, threads=threads or default_threads(comm), strict=strict, cut=cut)

    def __len__(self) -> int:
        return len(self.places)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Files that this rank could not read so far, and shards that were cut off."""
        return (*self.cut, *(self._bad[number] for number in sorted(self._bad)))

    def batch(self, indices: Tensor, epoch: int) -> Batch:
        """Images of these numbers. No communication."""
        images = list(self._pool.map(self.image, indices.tolist()))
        return Batch(torch.stack(images) if images else torch.empty((0, 3, self.size, self.size), dtype=torch.uint8))

    def image(self, number: int) -> Tensor:
        """Image (3, S, S) of a number, or of the next one that can be read."""
        for step in range(len(self)):
            place = (number + step) % len(self)
            if place in self._bad:
                continue
            try:
                return self.places[place].decode(self.size)
            except UNREADABLE as error:
                if self.strict:
                    raise ValueError(f"LazyImages: {self.places[place]} could not be read: {error}") from error
                with self._lock:
                    self._bad[place] = f"{self.places[place]} ({error})"
        raise ValueError(f"LazyImages: none of the {len(self)} images can be read; the first is {self.places[0]}")


def _tell_of_cuts(cut: list[str], *, strict: bool, comm: Communicator) -> None:
    if not cut:
        return
    message = f"LazyImages.shards: {len(cut)} shards are cut off, images are missing: {', '.join(cut[:10])}"
    if strict:
        raise ValueError(message)
    if comm.rank == 0:
        warnings.warn(message, stacklevel=4)
