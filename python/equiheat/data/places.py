# SPDX-License-Identifier: BSD-3-Clause
"""Where the bytes of an image are: a file of its own, or a part of a tar shard."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from equiheat.data.decode import EXTENSIONS, decode


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


def members(shard: Path) -> tuple[list[Place], str]:
    """Images of a tar file, sorted by name; and what is wrong where the file ends too early, empty where it does not.

    Raises
    ------
    ValueError
        When the file is no uncompressed tar file.
    """
    try:
        with tarfile.open(shard, "r:") as tar:
            found, whole = _walk(tar)
    except tarfile.TarError as error:
        raise ValueError(f"LazyImages.shards: {str(shard)!r} is no uncompressed tar file: {error}") from error
    size = shard.stat().st_size
    kept = [place for place in (Place(shard, m.offset_data, m.size, m.name) for m in found) if _ends(place) <= size]
    problem = "" if whole and len(kept) == len(found) else f"{shard} (cut off after {len(kept)} images)"
    return sorted(kept, key=lambda place: place.name), problem


def _ends(place: Place) -> int:
    return place.start + place.length


def _walk(tar: tarfile.TarFile) -> tuple[list[tarfile.TarInfo], bool]:
    """Images, and whether the archive's end is there: tarfile takes a file that stops between members for whole."""
    found = []
    try:
        for member in tar:
            if member.isfile() and Path(member.name).suffix.lower() in EXTENSIONS:
                found.append(member)  # noqa: PERF401 (what came before the error is kept)
    except tarfile.ReadError:  # the data of a member stop
        return found, False
    assert tar.fileobj is not None
    tar.fileobj.seek(tar.offset)
    return found, tar.fileobj.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)
