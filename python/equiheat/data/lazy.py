# SPDX-License-Identifier: BSD-3-Clause
"""Images that are decoded when they are needed: folders and tar shards of any size."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Self

import torch
from torch import Tensor

from equiheat.communication import Communicator, get_comm
from equiheat.data.decode import EXTENSIONS, decode
from equiheat.data.images import UNREADABLE, default_threads, find_images
from equiheat.data.source import Batch


class Place(NamedTuple):
    """Where the bytes of an image are: a file, and for a part of it where that starts and how long it is."""

    file: Path
    start: int = 0
    length: int = -1
    name: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.name}" if self.name else str(self.file)

    def decode(self, size: int) -> Tensor:
        """Pixels (3, size, size), uint8."""
        if self.length < 0:
            return decode(self.file, size)[0]
        with self.file.open("rb") as file:
            data = os.pread(file.fileno(), self.length, self.start)
        return decode(io.BytesIO(data), size)[0]


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
    """

    def __init__(self, places: Sequence[Place], *, size: int, threads: int) -> None:
        if not places:
            raise ValueError("LazyImages: there are no images")
        self.places, self.size = places, size
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._bad: dict[int, str] = {}
        self._lock = threading.Lock()

    @classmethod
    def folder(
        cls, root: str | os.PathLike[str], *, size: int, threads: int = 0, comm: Communicator | None = None
    ) -> Self:
        """Every image file below a folder. Collective: raises on all ranks when one of them finds none."""
        comm = get_comm() if comm is None else comm
        files = find_images(Path(root), comm)
        return cls([Place(file) for file in files], size=size, threads=threads or default_threads(comm))

    @classmethod
    def shards(
        cls, root: str | os.PathLike[str], *, size: int, threads: int = 0, comm: Communicator | None = None
    ) -> Self:
        """Every image in the .tar files of a folder (WebDataset). Each rank reads the headers of all of them.

        Images are then read at random by their place in the shards, which must not be compressed.

        Raises
        ------
        FileNotFoundError, ValueError
            When there is no shard, or no image in them, or one is no tar file.
        """
        comm = get_comm() if comm is None else comm
        folder = Path(root)
        shards = sorted(folder.glob("*.tar")) if folder.is_dir() else [folder]
        if not shards or not all(shard.is_file() for shard in shards):
            raise FileNotFoundError(f"LazyImages.shards: there are no .tar files in {str(folder.absolute())!r}")
        places = [place for shard in shards for place in _members(shard)]
        if not places:
            raise ValueError(f"LazyImages.shards: the {len(shards)} shards of {str(folder)!r} hold no image")
        return cls(places, size=size, threads=threads or default_threads(comm))

    def __len__(self) -> int:
        return len(self.places)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Files that this rank could not read so far."""
        return tuple(self._bad[number] for number in sorted(self._bad))

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
                with self._lock:
                    self._bad[place] = f"{self.places[place]} ({error})"
        raise ValueError(f"LazyImages: none of the {len(self)} images can be read; the first is {self.places[0]}")


def _members(shard: Path) -> list[Place]:
    """Images of a tar file, sorted by name."""
    try:
        with tarfile.open(shard, "r:") as tar:
            found = [
                Place(shard, member.offset_data, member.size, member.name)
                for member in tar
                if member.isfile() and Path(member.name).suffix.lower() in EXTENSIONS
            ]
    except tarfile.TarError as error:
        raise ValueError(f"LazyImages.shards: {str(shard)!r} is no uncompressed tar file: {error}") from error
    return sorted(found, key=lambda place: place.name)
