# SPDX-License-Identifier: BSD-3-Clause
"""Real images for the demonstration: a data folder beside the project, else crops of photos that libraries carry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.data import ImageSet, load_images

#: Folders of ../shared/data that are known, in order of preference.
KNOWN = ("clothing96", "cifar10_subset")


@dataclass(frozen=True)
class Source:
    """Images to train on and to score on, and where they come from."""

    title: str
    train: ImageSet
    test: ImageSet


def find_images(shared: Path, *, size: int, limit: int, comm: Communicator) -> Source:
    """Images of `size` pixels. Collective: every rank gets them all.

    Parameters
    ----------
    shared
        Folder that may hold one of the known data sets, each with ``train`` and ``test``.
    size
        Side in pixels.
    limit
        Use at most so many images for training.
    comm
        Communicator.
    """
    for name in KNOWN:
        folder = shared / name
        if (folder / "train").is_dir() and (folder / "test").is_dir():
            train = load_images(folder / "train", size=size, limit=limit, comm=comm)
            test = load_images(folder / "test", size=size, limit=limit // 3, comm=comm)
            return Source(f"{name}, {len(train.classes)} classes", train, test)
    return photo_crops(size=size, count=limit)


def photo_crops(*, size: int, count: int) -> Source:
    """Random crops of the photos in scikit-learn and, where installed, scikit-image; the photo is the class.

    The right quarter of each photo is for scoring only. Deterministic, so that every rank draws the same.
    """
    photos = _photos(size)
    rng = np.random.default_rng(0)
    train = [_crops(photo[:, : 3 * photo.shape[1] // 4], count // len(photos), size, rng) for photo in photos.values()]
    test = [
        _crops(photo[:, 3 * photo.shape[1] // 4 :], count // 3 // len(photos), size, rng) for photo in photos.values()
    ]
    names = tuple(photos)
    title = f"{count} random crops of {len(photos)} photos ({', '.join(names)})"
    return Source(title, _image_set(train, names), _image_set(test, names))


def _photos(size: int) -> dict[str, np.ndarray]:
    from sklearn.datasets import load_sample_image

    photos = {name: load_sample_image(f"{name}.jpg") for name in ("china", "flower")}
    try:
        from skimage import data
    except ImportError:
        pass
    else:
        photos |= {name: getattr(data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")}
    return {name: _shrink(photo, 6 * size) for name, photo in photos.items()}


def _shrink(photo: np.ndarray, side: int) -> np.ndarray:
    """Scale so that a crop shows a thing, not a texture."""
    image = Image.fromarray(photo)
    scale = side / min(image.size)
    return np.asarray(image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC))


def _crops(photo: np.ndarray, count: int, size: int, rng: np.random.Generator) -> Tensor:
    tops = rng.integers(0, photo.shape[0] - size + 1, count)
    lefts = rng.integers(0, photo.shape[1] - size + 1, count)
    crops = [photo[top : top + size, left : left + size] for top, left in zip(tops, lefts, strict=True)]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous()


def _image_set(crops: list[Tensor], names: tuple[str, ...]) -> ImageSet:
    labels = torch.cat([torch.full((len(c),), number, dtype=torch.int64) for number, c in enumerate(crops)])
    return ImageSet(torch.cat(crops), labels, names)
