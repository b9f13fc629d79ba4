# SPDX-License-Identifier: BSD-3-Clause
"""Any kind of data by its path."""

from __future__ import annotations

from pathlib import Path

from equiheat.communication import Communicator
from equiheat.data.arrayfiles import dataset_of
from equiheat.data.arrays import ArrayImages
from equiheat.data.bench3d import Objects3D
from equiheat.data.images import find_images, load_images
from equiheat.data.lazy import LazyImages
from equiheat.data.source import Source

#: Bytes of decoded images that every rank keeps without being asked.
MEMORY = 1 << 30


def kind_of(path: Path) -> str:
    """What a path looks like: "array", "shards", "3diebench" or "folder"."""
    if dataset_of(path)[0].is_file():
        return "shards" if path.suffix == ".tar" else "array"
    if path.is_dir():
        if next(path.glob("*.tar"), None):
            return "shards"
        if (path / "train_images.npy").is_file() or next(path.glob("*/*/latent_0.npy"), None):
            return "3diebench"
    return "folder"


def open_images(
    path: Path,
    *,
    size: int,
    kind: str = "auto",
    cache: str = "auto",
    scale: float | None = None,
    limit: int = 0,
    strict: bool = False,
    threads: int = 0,
    seed: int = 0,
    comm: Communicator,
) -> Source:
    """Open a data set for training. Collective.

    Parameters
    ----------
    path
        Folder of images, of shards or of 3DIEBench, or a file of arrays (``file.h5::name`` names a data set in it).
    size
        Side in pixels.
    kind
        One of `kind_of`'s, or "auto".
    cache
        "memory": folders are decoded once, every rank keeps the bytes; "none": when needed; "auto": memory up to 1 GiB.
        Shards, arrays and 3DIEBench are always read when needed, so "memory" is refused for them.
    scale
        Of arrays alone: by what values are divided to be 0 to 1.
    limit
        Use at most so many images (objects of 3DIEBench); 0 means all.
    strict
        Stop on unreadable files: at the start where folders are decoded then, else when one is met.
    threads
        Decoding threads of this rank.
    seed
        Of the draws of views, where a data set has several of an object.
    comm
        Ranks.
    """
    kind = kind_of(path) if kind == "auto" else kind
    _check_options(path, kind, cache, scale)
    if kind == "array":
        return ArrayImages.file(path, size=size, scale=scale, limit=limit)
    if kind == "3diebench":
        return Objects3D(path, size=size, seed=seed, limit=limit, threads=threads, strict=strict, comm=comm)
    if kind == "shards":
        return _limited(LazyImages.shards(path, size=size, threads=threads, strict=strict, comm=comm), limit)
    count = len(find_images(path, comm))
    fits = (min(limit, count) if limit else count) * 3 * size**2 <= MEMORY
    if cache == "memory" or (cache == "auto" and (fits or strict)):
        return load_images(path, size=size, strict=strict, limit=limit or None, threads=threads or None, comm=comm)
    return _limited(LazyImages.folder(path, size=size, threads=threads, strict=strict, comm=comm), limit)


def _check_options(path: Path, kind: str, cache: str, scale: float | None) -> None:
    """Refuse options that this kind of data has no use for."""
    if cache == "memory" and kind != "folder":
        raise ValueError(
            f"open_images: cache is 'memory', which folders of images have alone; {str(path)!r} is {kind}, "
            "read when needed: use auto or none"
        )
    if scale is not None and kind != "array":
        raise ValueError(f"open_images: a scale ({scale}) is for arrays; {str(path)!r} is {kind}, whose files have one")


def _limited(images: LazyImages, limit: int) -> LazyImages:
    if limit and limit < len(images):
        images.places = [images.places[n * len(images) // limit] for n in range(limit)]
    return images
