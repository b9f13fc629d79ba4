# SPDX-License-Identifier: BSD-3-Clause
"""Images that are arrays already: NumPy, torch, DNDarrays, .npy and HDF5 files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import equiheat as ht
from equiheat.data.source import Batch


class ArrayImages:
    """Images (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1, 3 or 4; a fourth channel is left out.

    Parameters
    ----------
    images
        Anything that is indexed by a sorted list of row numbers: an array, a memory map, an HDF5 data set.
    size
        Side in pixels; rows of another size are scaled and cropped at the centre when they are fetched.
    scale
        By what values are divided to be 0 to 1; None: 255 for uint8, 65535 for uint16, 1 for floats.
    limit
        Use at most so many rows, spread evenly; 0 means all.
    """

    skipped: tuple[str, ...] = ()

    def __init__(self, images: Any, *, size: int, scale: float | None = None, limit: int = 0) -> None:
        self.images, self.size = images, size
        shape = tuple(images.shape)
        count = min(limit or shape[0], shape[0])
        self.rows = torch.arange(count) * shape[0] // max(count, 1)
        if len(shape) not in (3, 4) or 0 in shape:
            raise ValueError(
                f"ArrayImages: images have shape {shape}; expected (N, H, W), (N, H, W, C) or (N, C, H, W)"
            )
        self.channels_last = len(shape) == 4 and shape[3] in (1, 3, 4) and shape[1] not in (1, 3, 4)
        if len(shape) == 4 and not self.channels_last and shape[1] not in (1, 3, 4):
            raise ValueError(f"ArrayImages: images have shape {shape}; expected 1, 3 or 4 channels")
        usual = {"uint8": 255.0, "uint16": 65535.0}
        self.scale = usual.get(str(images.dtype).removeprefix("torch."), 1.0) if scale is None else scale

    @classmethod
    def of_dndarray(cls, images: ht.DNDarray, *, size: int, scale: float | None = None) -> ArrayImages:
        """Images of a DNDarray; a split one is gathered on all ranks, since each must fetch any row. Collective."""
        return cls(images.resplit(None).larray, size=size, scale=scale)

    @classmethod
    def file(cls, path: str | os.PathLike[str], *, size: int, dataset: str = "", limit: int = 0) -> ArrayImages:
        """Images of a .npy file (a memory map) or of a data set of an .h5 file; rows are read when they are fetched.

        ``dataset`` is the name in the HDF5 file; the only one of three or four axes when omitted.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"ArrayImages: there is no file {str(path.absolute())!r}")
        if path.suffix == ".npy":
            return cls(np.load(path, mmap_mode="r", allow_pickle=False), size=size, limit=limit)
        if path.suffix not in (".h5", ".hdf5"):
            raise ValueError(f"ArrayImages: {str(path)!r} ends in {path.suffix!r}; expected .npy, .h5 or .hdf5")
        import h5py

        file = h5py.File(path, "r")
        names = [name for name, item in file.items() if isinstance(item, h5py.Dataset) and item.ndim in (3, 4)]
        if not dataset and len(names) != 1:
            raise ValueError(f"ArrayImages: {str(path)!r} has {names or 'no'} data sets of images; name one")
        return cls(file[dataset or names[0]], size=size, limit=limit)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: Tensor, epoch: int) -> Batch:
        """Images of these numbers, floats 0 to 1. No communication."""
        rows, back = torch.unique(self.rows[indices.cpu()], return_inverse=True)
        numbers = rows if isinstance(self.images, Tensor) else rows.numpy()
        values = self.images[numbers] if len(rows) else self.images[:0]
        x = torch.as_tensor(np.asarray(values) if not isinstance(values, Tensor) else values)
        x = x[:, None] if x.dim() == 3 else x.permute(0, 3, 1, 2) if self.channels_last else x
        x = x[:, :3].float() / self.scale
        x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x
        return Batch(fit(x.clamp(0, 1), self.size)[back])


def fit(images: Tensor, size: int) -> Tensor:
    """Scale (B, C, H, W) to ``size`` on the shorter side, crop the centre."""
    height, width = images.shape[2:]
    if (height, width) == (size, size) or images.shape[0] == 0:
        return images[..., :size, :size].reshape(-1, images.shape[1], size, size)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[..., top : top + side, left : left + side]
    return F.interpolate(square, (size, size), mode="bilinear", antialias=True, align_corners=False)
