# SPDX-License-Identifier: BSD-3-Clause
"""Images that are arrays already: NumPy, torch, DNDarrays, .npy and HDF5 files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import equiheat as ht
from equiheat.data.arrayfiles import dataset_of, open_array
from equiheat.data.decode import HIGHEST, LOWEST
from equiheat.data.source import Batch

#: White of the types that have a usual one.
USUAL = {"uint8": 255.0, "uint16": 65535.0}
#: Rows, spread over the data, that are looked at before anything starts.
SAMPLED = 16


class ArrayImages:
    """Images (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1, 3 or 4; a fourth channel is left out.

    Parameters
    ----------
    images
        Anything that is indexed by a sorted list of row numbers: an array, a memory map, an HDF5 data set.
    size
        Side in pixels; rows of another size are scaled and cropped at the centre when they are fetched.
    scale
        By what values are divided to be 0 to 1; None: 255 for uint8, 65535 for uint16, 1 for bool and floats. Other
        integers need one. What lies a little outside of 0 to 1 is clamped, as resizing leaves it; values far outside
        are of another scale and refused.
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
        self.scale = _scale_of(images.dtype) if scale is None else scale
        if not 0 < self.scale < float("inf"):
            raise ValueError(f"ArrayImages: scale is {scale}; expected a positive number")
        few = torch.unique(torch.linspace(0, len(self) - 1, min(len(self), SAMPLED)).long())
        for number in few.tolist():  # one by one: a row may be large
            self.batch(torch.tensor([number]), 0)

    @classmethod
    def of_dndarray(cls, images: ht.DNDarray, *, size: int, scale: float | None = None) -> ArrayImages:
        """Images of a DNDarray; a split one is gathered on all ranks, since each must fetch any row. Collective."""
        return cls(images.resplit(None).larray, size=size, scale=scale)

    @classmethod
    def file(
        cls,
        path: str | os.PathLike[str],
        *,
        size: int,
        dataset: str = "",
        scale: float | None = None,
        limit: int = 0,
    ) -> ArrayImages:
        """Images of a .npy file (a memory map) or of a data set of an .h5 file; rows are read when they are fetched.

        ``dataset`` is the name in the HDF5 file, which may also follow the path, as in ``photos.h5::train/images``;
        the only one of three or four axes when omitted.

        Raises
        ------
        FileNotFoundError, ValueError
            When there is no such file, it cannot be read, or which of its data sets is meant is not clear.
        """
        path, named = dataset_of(Path(path))
        return cls(open_array(path, dataset or named), size=size, scale=scale, limit=limit)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: Tensor, epoch: int) -> Batch:
        """Images of these numbers, floats 0 to 1. No communication."""
        rows, back = torch.unique(self.rows[indices.cpu()], return_inverse=True)
        numbers = rows if isinstance(self.images, Tensor) else rows.numpy()
        values = self.images[numbers] if len(rows) else self.images[:0]
        x = values if isinstance(values, Tensor) else torch.from_numpy(_native(np.asarray(values)))
        x = x[:, None] if x.dim() == 3 else x.permute(0, 3, 1, 2) if self.channels_last else x
        x = x[:, :3].float() / self.scale
        x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x
        self._check_range(x, rows)
        return Batch(fit(x.clamp(0, 1), self.size)[back])

    def _check_range(self, x: Tensor, rows: Tensor) -> None:
        """Refuse what clamping would turn black or white. NaN passes: training names it with its step."""
        far = ((x < LOWEST) | (x > HIGHEST)).flatten(1).any(dim=1)
        if bool(far.any()):
            row = int(far.nonzero()[0])
            low, high = (float(v) * self.scale for v in (x[row].min(), x[row].max()))
            raise ValueError(
                f"ArrayImages: image {int(rows[row])} has values from {low:.4g} to {high:.4g} of type "
                f"{self.images.dtype}, which divided by the scale {self.scale:g} are not 0 to 1; give the scale of the "
                "values (data_scale of a recipe), such as 255"
            )


def _scale_of(dtype: Any) -> float:
    """By what values of a type, NumPy's or torch's, are divided."""
    name = str(dtype).removeprefix("torch.") if isinstance(dtype, torch.dtype) else np.dtype(dtype).name
    if name in USUAL or name.startswith(("float", "bfloat", "bool")):
        return USUAL.get(name, 1.0)
    raise ValueError(
        f"ArrayImages: images have dtype {name}, whose white is not known; give the scale (data_scale of a recipe) by "
        "which values are divided to be 0 to 1, or store uint8, uint16, or floats from 0 to 1"
    )


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """In this machine's order of bytes, the only one that torch has; writable, which it asks for."""
    return np.require(values, dtype=values.dtype.newbyteorder("="), requirements="W")


def fit(images: Tensor, size: int) -> Tensor:
    """Scale (B, C, H, W) to ``size`` on the shorter side, crop the centre."""
    height, width = images.shape[2:]
    if (height, width) == (size, size) or images.shape[0] == 0:
        return images[..., :size, :size].reshape(-1, images.shape[1], size, size)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[..., top : top + side, left : left + side]
    return F.interpolate(square, (size, size), mode="bilinear", antialias=True, align_corners=False)
