# SPDX-License-Identifier: BSD-3-Clause
"""A folder of images as one tensor of bytes in memory."""

from __future__ import annotations

import os
import struct
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from equiheat.communication import Communicator, get_comm
from equiheat.data.decode import EXTENSIONS, decode
from equiheat.data.sharding import share
from equiheat.data.source import Batch


@dataclass(frozen=True)
class ImageSet:
    """Images with, where the folder has class sub-folders, their labels. The same on every rank.

    Parameters
    ----------
    images
        Shape (N, 3, S, S), uint8.
    labels
        Shape (N,), int64; -1 where the folder is flat, and of files beside class folders.
    classes
        Names of the classes, sorted; empty for a flat folder.
    skipped
        Files that could not be read.
    converted
        How many files had another mode than RGB, by mode.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    converted: tuple[tuple[str, int], ...] = ()

    def __len__(self) -> int:
        return self.images.shape[0]

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return self.images.shape[2]

    def where(self, mask: Tensor) -> ImageSet:
        """The images of a boolean mask (N,)."""
        return replace(self, images=self.images[mask], labels=self.labels[mask])

    def batch(self, indices: Tensor, epoch: int) -> Batch:
        """Images of these numbers. No communication."""
        return Batch(self.images[indices])


def load_images(
    folder: str | os.PathLike[str],
    *,
    size: int,
    strict: bool = False,
    limit: int | None = None,
    threads: int | None = None,
    comm: Communicator | None = None,
) -> ImageSet:
    """Load every image below a folder. Collective: each rank decodes its share, one allgatherv of the pixels.

    Parameters
    ----------
    folder
        With class sub-folders (each directory of the first level is a class) or flat.
    size
        Side in pixels; images are scaled to it on their shorter side and cropped at the centre.
    strict
        Raise on unreadable files instead of skipping them with a warning.
    limit
        Use at most so many files, spread evenly over the sorted list.
    threads
        Decoding threads of this rank; the rank's share of the processors when omitted.
    comm
        Communicator; the default one when omitted.

    Returns
    -------
    ImageSet
        Every rank holds all images (N * 3 * size**2 bytes).

    Raises
    ------
    FileNotFoundError
        On every rank, when the folder is missing or has no image file.
    ValueError
        On every rank, when no file can be read, or with ``strict`` when one cannot.
    """
    comm = get_comm() if comm is None else comm
    if size < 1:
        raise ValueError(f"load_images: size is {size}; expected a positive number of pixels")
    root = Path(folder)
    files = find_images(root, comm)
    if limit is not None and limit < len(files):
        files = [files[position * len(files) // limit] for position in range(limit)]
    start, stop = share(len(files), comm)
    pixels, good, modes = _decode_all(files[start:stop], size, threads or default_threads(comm))
    pixels, good, modes = comm.allgatherv(pixels), comm.allgatherv(good), comm.allgatherv(modes)
    skipped = tuple(str(file) for file, fine in zip(files, good.tolist(), strict=True) if not fine)
    report_skipped(root, skipped, len(files), strict=strict, comm=comm)
    files = [file for file, fine in zip(files, good.tolist(), strict=True) if fine]
    labels, classes = labels_of(root, files)
    converted = Counter(MODES[mode] for mode in modes[good].tolist() if mode)
    return ImageSet(pixels, labels, classes, skipped, tuple(sorted(converted.items())))


def find_images(root: Path, comm: Communicator | None = None) -> list[Path]:
    """Sorted image files below ``root``. Collective: raises on all ranks when one of them finds none."""
    comm = get_comm() if comm is None else comm
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in EXTENSIONS) if root.is_dir() else []
    state = torch.tensor([len(files), -len(files)], dtype=torch.int64)
    most, least = comm.allreduce(state, "max").tolist()
    if least == 0:
        what = "has no image files below it" if root.is_dir() else "is not there"
        raise FileNotFoundError(
            f"load_images: folder {str(root.absolute())!r} {what}"
            + ("" if most == 0 else " (on one rank at least: is it on a file system that all nodes see?)")
            + f"; expected files ending in {', '.join(sorted(EXTENSIONS))}"
        )
    if most != -least:
        raise FileNotFoundError(
            f"load_images: the ranks see {-least} to {most} files below {str(root)!r}; expected the same"
        )
    return files


MODES = ("RGB", "grey", "with alpha", "palette", "CMYK", "16 bit or float", "other")


#: What Pillow raises on files that are damaged in one way or another.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error)


def mode_number(mode: str) -> int:
    """Position in `MODES` of one of Pillow's modes."""
    table = {"RGB": 0, "L": 1, "1": 1, "RGBA": 2, "LA": 2, "PA": 2, "P": 3, "CMYK": 4, "F": 5}
    return 5 if mode.startswith("I") else table.get(mode, 6)


def default_threads(comm: Communicator) -> int:
    """A rank's share of the processors."""
    return max(1, (os.cpu_count() or 1) // comm.size)


def _decode_all(files: list[Path], size: int, threads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels of the readable files (M, 3, size, size), and for every file whether it was readable and its mode."""

    def one(path: Path) -> tuple[Tensor, int] | None:
        try:
            image, mode = decode(path, size)
        except UNREADABLE:
            return None
        return image, mode_number(mode)

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(one, files))
    kept = [result for result in results if result is not None]
    pixels = torch.stack([image for image, _ in kept]) if kept else torch.empty((0, 3, size, size), dtype=torch.uint8)
    good = torch.tensor([result is not None for result in results], dtype=torch.bool)
    modes = torch.tensor([0 if result is None else result[1] for result in results], dtype=torch.int64)
    return pixels, good, modes


def report_skipped(root: Path, skipped: tuple[str, ...], count: int, *, strict: bool, comm: Communicator) -> None:
    """Warn on rank 0 of files that could not be read; raise on all ranks with `strict`, or when none could."""
    if not skipped:
        return
    names = ", ".join(skipped[:10]) + (f" and {len(skipped) - 10} more" if len(skipped) > 10 else "")
    message = f"load_images: {len(skipped)} of {count} files below {str(root)!r} could not be read: {names}"
    if strict or len(skipped) == count:
        raise ValueError(message)
    if comm.rank == 0:
        warnings.warn(message + "; they are left out", stacklevel=3)


def labels_of(root: Path, files: list[Path]) -> tuple[Tensor, tuple[str, ...]]:
    """Class numbers and names, by the directories of the first level; -1 and none for a flat folder.

    Files beside class folders have no class, -1; a folder most of whose files lie so is a flat one.
    """
    parts = [file.relative_to(root).parts for file in files]
    names = [part[0] if len(part) > 1 else None for part in parts]
    if 2 * names.count(None) >= len(names):
        return torch.full((len(files),), -1, dtype=torch.int64), ()
    classes = tuple(sorted({name for name in names if name is not None}))
    number: dict[str | None, int] = {name: position for position, name in enumerate(classes)}
    return torch.tensor([number.get(name, -1) for name in names], dtype=torch.int64), classes
