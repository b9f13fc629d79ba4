# SPDX-License-Identifier: BSD-3-Clause
"""Files that hold arrays of images: .npy and HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

#: Between the path of an HDF5 file and the name of a data set in it.
MARK = "::"
HDF5 = (".h5", ".hdf5")


def dataset_of(path: Path) -> tuple[Path, str]:
    """``photos.h5::train/images`` as path and name; the name is empty without the mark."""
    place, mark, name = str(path).rpartition(MARK)
    return (Path(place), name) if mark else (path, "")


def open_array(path: Path, dataset: str = "") -> Any:
    """The memory map of a .npy file, or a data set of an HDF5 file: the named one, else the only one of images.

    Raises
    ------
    FileNotFoundError, ValueError
        When there is no such file, it cannot be read, or which of its data sets is meant is not clear.
    """
    if not path.is_file():
        raise FileNotFoundError(f"ArrayImages: there is no file {str(path.absolute())!r}")
    if path.suffix in HDF5:
        return _open_hdf5(path, dataset)
    if path.suffix != ".npy":
        raise ValueError(f"ArrayImages: {str(path)!r} ends in {path.suffix!r}; expected .npy, .h5 or .hdf5")
    if dataset:
        raise ValueError(f"ArrayImages: {str(path)!r} has no data sets, so none that is called {dataset!r}")
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"ArrayImages: {str(path)!r} is no array that can be read: {error}") from error


def _open_hdf5(path: Path, dataset: str) -> Any:
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"ArrayImages: {str(path)!r} is damaged or no HDF5 file: {error}") from error
    names: list[str] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim in (3, 4):
            names.append(name)

    file.visititems(visit)
    wanted = dataset.strip("/") or (names[0] if len(names) == 1 else "")
    if wanted in names:
        return file[wanted]
    listed = ", ".join(names) or "none"
    if dataset:
        raise ValueError(f"ArrayImages: {str(path)!r} has no data set {dataset!r} of images; it has: {listed}")
    raise ValueError(
        f"ArrayImages: {str(path)!r} has {len(names)} data sets of images ({listed}); name one as {path.name}{MARK}NAME"
    )
