# SPDX-License-Identifier: BSD-3-Clause
"""3DIEBench and data sets in its layout: several rendered views of each object, with the latents of every view.

``ROOT/<synset>/<object>/image_<i>.jpg`` and ``latent_<i>.npy`` with seven numbers: rotation about x, y, z (radians,
fixed axes), hue of the floor, polar and azimuthal angle of the light, hue of the light. ``train_images.npy`` and
``val_images.npy`` in ROOT list the objects ("/<synset>/<object>") of the two parts.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from equiheat.communication import Communicator, get_comm
from equiheat.data.counter import uniform
from equiheat.data.decode import decode
from equiheat.data.images import UNREADABLE, default_threads
from equiheat.data.rotations import from_euler
from equiheat.data.source import Batch

#: Names of the latents, in their order.
LATENTS = ("angle_x", "angle_y", "angle_z", "floor_hue", "light_theta", "light_phi", "light_hue")
_STREAM = 77


class Objects3D:
    """Pairs of distinct views of objects: sample n of an epoch is object n with two views drawn for that epoch.

    Parameters
    ----------
    root
        Folder of the data set.
    part
        "train", "val" or "all". Without lists of objects in the folder every fifth object of a class is "val".
    size
        Side in pixels.
    seed
        Of the draws of views.
    limit
        Use at most so many objects, spread evenly; 0 means all.
    views
        Use views first to last - 1 of every object, given as (first, last), so that others are left to be judged on;
        None means all.
    threads
        That decode, on this rank; its share of the processors when 0.
    strict
        Raise on a view that cannot be read; else the next view of the object stands in.
    comm
        Communicator; the default one when omitted.

    Attributes
    ----------
    objects : tuple of str
        ``synset/object``, sorted.
    labels : torch.Tensor of shape (n_objects,)
        Class numbers, of `classes`.
    views : int
        Views of each object that are used; numbers of views count from the first of them.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        part: str = "train",
        size: int,
        seed: int = 0,
        limit: int = 0,
        views: tuple[int, int] | None = None,
        threads: int = 0,
        strict: bool = False,
        comm: Communicator | None = None,
    ) -> None:
        comm = get_comm() if comm is None else comm
        self.root, self.size, self.seed = Path(root), size, seed
        names = objects_of(self.root, part)
        count = min(limit or len(names), len(names))
        self.objects = tuple(names[n * len(names) // count] for n in range(count))
        self.classes = tuple(sorted({name.split("/")[0] for name in objects_of(self.root, "all")}))
        number = {name: n for n, name in enumerate(self.classes)}
        self.labels = torch.tensor([number[name.split("/")[0]] for name in self.objects])
        self._first, last = _chosen_views(self.root / self.objects[0], views)
        self.views = last - self._first
        self._pool = ThreadPoolExecutor(threads or default_threads(comm), thread_name_prefix="decode")
        self.strict = strict
        self._bad: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Views that this rank could not read so far; the next view of the object stood in."""
        return tuple(self._bad.values())

    def pairs(self, indices: Tensor, epoch: int) -> Tensor:
        """Numbers (B, 2) of the two distinct views of each object in an epoch."""
        draws = uniform((self.seed, epoch, _STREAM), indices, 2)
        first = (draws[:, 0] * self.views).long()
        second = (first + 1 + (draws[:, 1] * (self.views - 1)).long()) % self.views
        return torch.stack((first, second), dim=1)

    def batch(self, indices: Tensor, epoch: int) -> Batch:
        """Both views of these objects, and their latents. No communication."""
        images1, latents1, images2, latents2 = self.read_pairs(indices, self.pairs(indices, epoch))
        return Batch(images1, images2, parameters_of(latents1), parameters_of(latents2))

    def read_pairs(self, indices: Tensor, views: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Images (B, 3, S, S) and latents (B, 7) of the first, then of the second of views (B, 2)."""
        both = [self.read(indices, views[:, column]) for column in range(2)]
        return *both[0], *both[1]

    def read(self, indices: Tensor, views: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, 3, S, S) and latents (B, 7), float32, of one view of each object."""
        found = list(self._pool.map(self._one, indices.tolist(), views.tolist()))
        if not found:
            return torch.empty((0, 3, self.size, self.size), dtype=torch.uint8), torch.empty((0, len(LATENTS)))
        return torch.stack([image for image, _ in found]), torch.stack([latent for _, latent in found])

    def _one(self, index: int, view: int) -> tuple[Tensor, Tensor]:
        folder = self.root / self.objects[index]
        for step in range(self.views):
            number = self._first + (view + step) % self.views
            file = folder / f"image_{number}.jpg"
            try:
                image = decode(file, self.size)[0]
                latent = np.load(folder / f"latent_{number}.npy", allow_pickle=False).reshape(-1)[: len(LATENTS)]
                return image, torch.from_numpy(latent.astype(np.float32))
            except UNREADABLE as error:
                if self.strict:
                    raise ValueError(f"Objects3D: {str(file)!r} could not be read: {error}") from error
                self._bad[str(file)] = f"{file} ({error})"
        raise ValueError(f"Objects3D: no view of {str(folder)!r} can be read")


def _chosen_views(folder: Path, views: tuple[int, int] | None) -> tuple[int, int]:
    there = len(list(folder.glob("latent_*.npy")))
    if there < 2:
        raise ValueError(f"Objects3D: {str(folder)!r} has {there} views; expected 2 or more")
    first, last = (0, there) if views is None else views
    if not 0 <= first < last - 1 < there:
        raise ValueError(f"Objects3D: views is {views}; expected (first, last) of 2 or more of the {there} views there")
    return first, last


def parameters_of(latents: Tensor) -> dict[str, Tensor]:
    """Latents (B, 7) by name, with the rotation as "quaternion" (B, 4)."""
    named = dict(zip(LATENTS, latents.unbind(1), strict=True))
    return named | {"quaternion": from_euler(latents[:, :3])}


def objects_of(root: Path, part: str) -> list[str]:
    """Sorted ``synset/object`` of a part: as the lists in the folder say, else four of five and the fifth.

    Raises
    ------
    FileNotFoundError, ValueError
        When there is no such folder or no object in it, or a list needs pickle to be read.
    """
    if part not in ("train", "val", "all"):
        raise ValueError(f"Objects3D: part is {part!r}; use train, val or all")
    if not root.is_dir():
        raise FileNotFoundError(f"Objects3D: folder {str(root.absolute())!r} is not there")
    lists = {name: root / f"{name}_images.npy" for name in ("train", "val")}
    if all(file.is_file() for file in lists.values()):
        chosen = lists if part == "all" else {part: lists[part]}
        names = [name for file in chosen.values() for name in _names(file)]
    else:
        names = _split(sorted(f"{f.parent.parent.name}/{f.parent.name}" for f in root.glob("*/*/latent_0.npy")), part)
    if not names:
        raise FileNotFoundError(
            f"Objects3D: {str(root.absolute())!r} has no <synset>/<object>/latent_0.npy for {part!r}"
        )
    return sorted(names)


def _names(file: Path) -> list[str]:
    try:
        return [str(name).strip("/") for name in np.load(file, allow_pickle=False)]
    except ValueError as error:
        raise ValueError(
            f"Objects3D: {str(file)!r} is no array of strings: {error}. Pickled arrays are never loaded; "
            "convert it with numpy.save(file, array.astype(str))"
        ) from error


def _split(names: list[str], part: str) -> list[str]:
    if part == "all":
        return names
    chosen, place = [], 0
    for number, name in enumerate(names):
        fresh = number == 0 or names[number - 1].split("/")[0] != name.split("/")[0]
        place = 0 if fresh else place + 1
        if (place % 5 == 4) == (part == "val"):
            chosen.append(name)
    return chosen
