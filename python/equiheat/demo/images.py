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
    """Random crops of the photos in scikit-learn and, where installed, scikit-image.

    Each photo is laid out in tiles of twice the crop's side, a third of which is for scoring only: no crop to train on
    shares a pixel with one to score on, and both show the same kinds of things. Deterministic, so that every rank draws
    the same.
    """
    photos = _photos(8 * size)
    rng = np.random.default_rng(0)
    train = [_crops(photo, count // len(photos), size, rng, scoring=False) for photo in photos.values()]
    test = [_crops(photo, count // 3 // len(photos), size, rng, scoring=True) for photo in photos.values()]
    title = f"random crops of {len(photos)} photos: {', '.join(photos)}"
    return Source(title, _image_set(train), _image_set(test))


def _photos(side: int) -> dict[str, np.ndarray]:
    """Photos by name, their shorter side scaled to `side`."""
    from sklearn.datasets import load_sample_image

    photos = {name: load_sample_image(f"{name}.jpg") for name in ("china", "flower")}
    try:
        from skimage import data
    except ImportError:
        pass
    else:
        photos |= {name: getattr(data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")}
    return {name: _scaled(photo, side) for name, photo in photos.items()}


def _scaled(photo: np.ndarray, side: int) -> np.ndarray:
    image = Image.fromarray(photo)
    scale = side / min(image.size)
    return np.asarray(image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC))


def _crops(photo: np.ndarray, count: int, size: int, rng: np.random.Generator, *, scoring: bool) -> Tensor:
    """`count` crops (count, 3, size, size) that lie in tiles of one kind only and show more than an even surface."""
    found = np.empty((0, size, size, 3), dtype=np.uint8)
    while len(found) < count:
        corners = rng.integers(0, [photo.shape[0] - size + 1, photo.shape[1] - size + 1], (max(8 * count, 1024), 2))
        tiles = np.stack([(corners + far) // (2 * size) for far in ((0, 0), (0, size - 1), (size - 1, 0), size - 1)])
        apart = tiles.sum(axis=2) % 3 == 0
        chosen = corners[(apart == scoring).all(axis=0)][:count]
        crops = np.stack([photo[top : top + size, left : left + size] for top, left in chosen])
        found = np.concatenate([found, crops[crops.std(axis=(1, 2)).mean(axis=1) > _EVEN]])
    return torch.from_numpy(found[:count]).permute(0, 3, 1, 2).contiguous()


#: Standard deviation of pixel values below which a crop is sky or wall: rotating or blurring it changes nothing.
_EVEN = 16.0


def _image_set(crops: list[Tensor]) -> ImageSet:
    """Crops have no class: which photo they come from is told by their colours alone."""
    images = torch.cat(crops)
    return ImageSet(images, torch.full((len(images),), -1, dtype=torch.int64))
