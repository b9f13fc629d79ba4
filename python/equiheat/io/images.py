# SPDX-License-Identifier: BSD-3-Clause
"""Images by Pillow: one as an array of pixels, the files of a folder as a batch."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import dtypes
from equiheat._function import torch_dtype
from equiheat._optional import needed
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.distribution import collect, resplit
from equiheat.io import _slabs as slabs
from equiheat.io._folders import from_folder
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".ppm", ".pgm")


def _pixels(path: pathlib.Path, fn: str, mode: str | None) -> np.ndarray[Any, Any]:
    with slabs.reading(path, fn), needed("PIL.Image", fn).open(path) as image:
        if mode is not None:
            image = image.convert(mode)
        elif image.mode == "P":
            image = image.convert("RGB")
        block = np.asarray(image)
    return np.array(block, dtype=block.dtype.newbyteorder("="), order="C")


def load_image(
    path: Path,
    dtype: Any = None,
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    *,
    slices: Any = None,
    mode: str | None = None,
) -> DNDarray:
    """The pixels of an image.

    Parameters
    ----------
    path : path
    dtype : data type, optional
        That of the file unless given: uint8, uint16, int32, float32 or bool.
    split : int, optional
        Axis to split; every rank decodes the file and keeps its part.
    device, comm, slices
        As in `load_hdf5`.
    mode : str, optional
        Pillow's mode to convert to: "RGB", "L", ...

    Returns
    -------
    DNDarray
        (height, width) or (height, width, channels).

    Raises
    ------
    FileNotFoundError, ValueError, OSError, ImportError
        No such file, none that Pillow reads, no Pillow. On all ranks.

    Examples
    --------
    >>> ht.load_image("missing.png")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_image: there is no 'missing.png'
    """
    comm, place = sanitize_comm(comm), sanitize_device(device)
    wanted = torch_dtype(dtype)

    def work() -> tuple[torch.Tensor, list[int], int | None]:
        block = _pixels(slabs.existing(path, "load_image"), "load_image", mode)
        parts = slabs.chosen(block.shape, slices, "load_image")
        axis = sanitize_split(split, block.ndim, "load_image")
        local = torch.from_numpy(np.array(block[slabs.own_part(parts, axis, comm)], order="C"))
        return local if wanted is None else local.to(wanted), slabs.extents(parts), axis

    local, shape, axis = slabs.together(comm, work)
    return slabs.assembled(local, shape, axis, place, comm)


def load_images_from_folder(
    path: Path,
    dtype: Any = dtypes.uint8,
    split: int = 0,
    device: Any = None,
    comm: Communicator | None = None,
    *,
    mode: str | None = "RGB",
    pattern: str = "*",
) -> DNDarray:
    """All images of a folder, of one size, as a batch (n, height, width, channels) in the order of their names.

    Files are dealt out to ranks, each decodes its own; nothing but shapes is sent. `pattern` chooses among the files
    whose suffix is that of an image. Sets of images of many sizes are `equiheat.data.load_images`'s matter.

    Examples
    --------
    >>> ht.load_images_from_folder("missing")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_images_from_folder: there is no 'missing'
    """

    def read(file: pathlib.Path) -> torch.Tensor:
        return torch.from_numpy(_pixels(file, "load_images_from_folder", mode))[None]

    def order(files: list[pathlib.Path]) -> list[pathlib.Path]:
        return sorted(file for file in files if file.suffix.lower() in SUFFIXES)

    return from_folder(path, pattern, read, dtype, split, device, comm, "load_images_from_folder", order)


def save_image(data: DNDarray, path: Path, **kwargs: Any) -> None:
    """An array of pixels as an image, which takes the place of an old one when it is complete.

    Parameters
    ----------
    data : DNDarray
        (height, width) or (height, width, 3 or 4) of uint8 or bool, (height, width) of uint16; any split. An image has
        one writer: rank 0 gets the pixels.
    path : path
    **kwargs
        Of Pillow's ``Image.save``: quality, ...

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        No array, other types or axes, a suffix Pillow does not know. On all ranks.

    Examples
    --------
    >>> ht.save_image(ht.ones((2, 2)), "x.png")
    Traceback (most recent call last):
    TypeError: save_image: data must be uint8, bool or, with two axes, uint16, is float32
    """
    x = slabs.blocks(data, "save_image")
    if x.larray.dtype not in (torch.uint8, torch.bool) and not (x.larray.dtype == torch.uint16 and x.ndim == 2):
        raise TypeError(f"save_image: data must be uint8, bool or, with two axes, uint16, is {x.dtype.__name__}")
    if x.ndim != 2 and not (x.ndim == 3 and x.shape[2] in (3, 4)):
        raise ValueError(f"save_image: data must be (height, width) or (height, width, 3 or 4), has shape {x.shape}")
    whole = slabs.values(collect(x))

    def write(temporary: pathlib.Path) -> None:
        needed("PIL.Image", "save_image").fromarray(whole).save(temporary, **kwargs)

    with slabs.replaced(x.comm, path, "save_image") as temporary:
        slabs.on_first(x.comm, lambda: write(temporary))


def save_images_to_folder(data: DNDarray, path: Path, suffix: str = ".png", **kwargs: Any) -> None:
    """A batch of images as the files of a folder, which takes the place of an old one when it is complete.

    Parameters
    ----------
    data : DNDarray
        (n, height, width) or (n, height, width, 3 or 4) of uint8 or bool, (n, height, width) of uint16; any split.
    path : path
        Of the folder. Files are named by the number of the image, with as many digits as the last one has.
    suffix : str
        '.png', '.jpg', ...: what Pillow writes.
    **kwargs
        Of Pillow's ``Image.save``: quality, ...

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        No array, other types or axes, a suffix that is none of an image. On all ranks.

    Notes
    -----
    Each rank encodes and writes its own images; of a replicated batch its share. Communication: small allgathers, and
    an alltoallv where another axis than the first is split.

    Examples
    --------
    >>> ht.save_images_to_folder(ht.ones((2, 4, 4)), "frames")
    Traceback (most recent call last):
    TypeError: save_images_to_folder: data must be uint8, bool or, with three axes, uint16, is float32
    """
    fn = "save_images_to_folder"
    x = slabs.blocks(data, fn)
    if x.larray.dtype not in (torch.uint8, torch.bool) and not (x.larray.dtype == torch.uint16 and x.ndim == 3):
        raise TypeError(f"{fn}: data must be uint8, bool or, with three axes, uint16, is {x.dtype.__name__}")
    if x.ndim != 3 and not (x.ndim == 4 and x.shape[3] in (3, 4)):
        raise ValueError(f"{fn}: data must be (n, height, width) or (n, height, width, 3 or 4), has shape {x.shape}")
    if suffix not in SUFFIXES:
        raise ValueError(f"{fn}: suffix must be one of {sorted(SUFFIXES)}, is {suffix!r}")
    x = resplit(x, 0)  # a replicated batch is dealt out without a message
    pixels, first, digits = slabs.values(x), sum((x._core.counts or [])[: x.comm.rank]), len(str(max(0, len(x) - 1)))

    def write(folder: pathlib.Path) -> None:
        image = needed("PIL.Image", fn)
        for number, one in enumerate(pixels, first):
            image.fromarray(one).save(folder / f"{number:0{digits}d}{suffix}", **kwargs)

    with slabs.replaced(x.comm, path, fn) as temporary:
        slabs.on_first(x.comm, temporary.mkdir)
        slabs.together(x.comm, lambda: write(temporary))
