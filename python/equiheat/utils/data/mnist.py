# SPDX-License-Identifier: BSD-3-Clause
"""The MNIST digits as a split data set, from the files of the original distribution."""

from __future__ import annotations

import gzip
import math
import pathlib
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils import data as torch_data

import equiheat as ht
from equiheat.utils.data import datatools

__all__ = ["MNISTDataset"]


def read_idx(path: pathlib.Path) -> Tensor:
    """An array of bytes from an IDX file (magic number 0 0 8 ndim, big-endian lengths, then the bytes), .gz or plain.

    Raises
    ------
    ValueError
        If the file is none of bytes, or has another length than it says.
    """
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    zeros, kind, ndim = struct.unpack(">HBB", content[:4])
    if zeros or kind != 8:
        raise ValueError(f"read_idx: {path} is no IDX file of bytes")
    shape = struct.unpack(f">{ndim}I", content[4 : 4 + 4 * ndim])
    if len(content) != 4 + 4 * ndim + math.prod(shape):
        raise ValueError(f"read_idx: {path} has {len(content)} bytes, its shape {shape} needs another number")
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(shape).copy())


def _file(root: pathlib.Path, name: str, download: bool, train: bool) -> pathlib.Path:
    """Where a file is: in the folder, or where torchvision puts it, which downloads it if it is installed."""
    for folder in (root, root / "MNIST" / "raw", root / "MNISTDataset" / "raw"):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.exists():
                return path
    if not download:
        raise FileNotFoundError(f"MNISTDataset: {name} or {name}.gz is not in {root}; put it there")
    try:
        from torchvision import datasets
    except ImportError as error:
        raise FileNotFoundError(
            f"MNISTDataset: {name} or {name}.gz is not in {root}; put it there, or install torchvision to download it"
        ) from error
    datasets.MNIST(str(root), train=train, download=True)
    return _file(root, name, False, train)


class MNISTDataset(torch_data.Dataset[Any]):
    """Digits and labels, split over the ranks; a `Dataset` whose labels move with the images.

    Parameters
    ----------
    root : str
        Folder with the files (``train-images-idx3-ubyte`` and so on, plain or .gz), or torchvision's folder.
    train : bool
        The 60,000 images to train with, or the 10,000 to test with.
    transform, target_transform : callable, optional
        Called on each image (PIL if Pillow is there for it, as torchvision's) and label.
    download : bool
        Let torchvision, if it is installed, download what is missing, on one rank.
    split : None or 0
        0: each rank has its part of the images; None: all.
    ishuffle, test_set
        As `Dataset`; with `test_set` every rank has all images.

    Raises
    ------
    ValueError
        For another split.
    FileNotFoundError
        Without the files, on all ranks.

    Notes
    -----
    Every rank reads the file (55 MB) and keeps its rows.
    """

    def __init__(
        self,
        root: str,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = True,
        split: int | None = 0,
        ishuffle: bool = False,
        test_set: bool = False,
    ) -> None:
        if split not in (None, 0):
            raise ValueError(f"MNISTDataset: split must be 0 or None, is {split!r}")
        self.root, self.train = root, train
        self.transform, self.target_transform = transform, target_transform
        self.test_set, self.ishuffle, self.partial_dataset = test_set or split is None, ishuffle, False
        self.comm = ht.get_comm()
        kind = "train" if train else "t10k"
        names = (f"{kind}-images-idx3-ubyte", f"{kind}-labels-idx1-ubyte")
        images, labels = self._load(pathlib.Path(root), names, download)
        where = None if test_set else split
        with ht.default_split(None):
            self.htdata = ht.array(images, split=where)
            self.httargets = ht.array(labels.to(torch.int64), split=where)
        self._cut_slice = None if where is None else datatools.even_rows(self.httargets)
        self.data: Tensor = self.htdata.larray if self._cut_slice is None else self.htdata.larray[self._cut_slice]
        self.targets: Tensor = (
            self.httargets.larray if self._cut_slice is None else self.httargets.larray[self._cut_slice]
        )
        self.lcl_half = len(self.targets) // 2

    def _load(self, root: pathlib.Path, names: tuple[str, str], download: bool) -> list[Tensor]:
        """Both files, or an error on all ranks; one rank downloads."""
        problem = None
        try:
            if self.comm.rank == 0:
                for name in names:
                    _file(root, name, download, self.train)
        except (OSError, ImportError, RuntimeError) as error:
            problem = error
        failed = self.comm.allreduce(torch.tensor([problem is not None], dtype=torch.int32), "max")
        if int(failed):
            raise problem or FileNotFoundError(f"MNISTDataset: rank 0 has not found or made {names} in {root}")
        return [read_idx(_file(root, name, False, self.train)) for name in names]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """An image and its label, transformed."""
        image, label = self.data[index], int(self.targets[index])
        if self.transform is not None:
            from PIL import Image

            image = self.transform(Image.fromarray(image.numpy(), mode="L"))
        return image, label if self.target_transform is None else self.target_transform(label)

    def __len__(self) -> int:
        """Images on this rank."""
        return len(self.targets)

    def Shuffle(self) -> None:
        """Exchange and permute images and labels; see `equiheat.utils.data.datatools.dataset_shuffle`."""
        if not self.test_set:
            datatools.dataset_shuffle(self, [["data", "htdata"], ["targets", "httargets"]])

    def Ishuffle(self) -> None:
        """Start an exchange; see `equiheat.utils.data.datatools.dataset_ishuffle`."""
        if not self.test_set:
            datatools.dataset_ishuffle(self, [["data", "htdata"], ["targets", "httargets"]])
