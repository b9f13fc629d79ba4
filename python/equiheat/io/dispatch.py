# SPDX-License-Identifier: BSD-3-Clause
"""`load` and `save`: the format from the file's suffix."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import torch

from equiheat.io._folders import Order, from_folder
from equiheat.io._slabs import Path
from equiheat.io.columns import load_arrow, load_parquet, save_arrow, save_parquet
from equiheat.io.csv import load_csv, save_csv
from equiheat.io.hdf5 import _h5py, load_hdf5, save_hdf5
from equiheat.io.images import SUFFIXES, load_image, save_image
from equiheat.io.netcdf import load_netcdf, save_netcdf
from equiheat.io.npy import load_npy, load_npy_from_path, save_npy
from equiheat.io.npz import load_npz, save_npz
from equiheat.io.safetensors import load_safetensors, save_safetensors
from equiheat.io.zarr import load_zarr, save_zarr

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_LOADERS: dict[str, Callable[..., Any]] = {
    ".h5": load_hdf5, ".hdf5": load_hdf5, ".nc": load_netcdf, ".nc4": load_netcdf, ".netcdf": load_netcdf,
    ".csv": load_csv, ".npy": load_npy, ".npz": load_npz, ".safetensors": load_safetensors, ".zarr": load_zarr,
    ".parquet": load_parquet, ".arrow": load_arrow, ".feather": load_arrow, **dict.fromkeys(SUFFIXES, load_image),
}  # fmt: skip
_SAVERS: dict[str, Callable[..., None]] = {
    ".h5": save_hdf5, ".hdf5": save_hdf5, ".nc": save_netcdf, ".nc4": save_netcdf, ".netcdf": save_netcdf,
    ".csv": save_csv, ".npy": save_npy, ".npz": save_npz, ".safetensors": save_safetensors, ".zarr": save_zarr,
    ".parquet": save_parquet, ".arrow": save_arrow, ".feather": save_arrow, **dict.fromkeys(SUFFIXES, save_image),
}  # fmt: skip


def _suffix(path: Path, fn: str) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{fn}: path must be a string or a path, is {type(path)}")
    return pathlib.Path(path).suffix.lower()


def load(path: Path, *args: Any, **kwargs: Any) -> DNDarray:
    """An array from a file, by its suffix.

    Parameters
    ----------
    path : path
        .h5 .hdf5 (`load_hdf5`), .nc .nc4 .netcdf (`load_netcdf`), .zarr (`load_zarr`), .npy (`load_npy`), .npz
        (`load_npz`), .safetensors (`load_safetensors`), .parquet (`load_parquet`), .arrow .feather (`load_arrow`), .csv
        (`load_csv`), .png .jpg and other images (`load_image`), or a folder of .npy files (`load_npy_from_path`).
    *args, **kwargs
        Of that function.

    Raises
    ------
    ValueError
        For another suffix.

    Examples
    --------
    >>> ht.load("x.txt")
    Traceback (most recent call last):
    ValueError: load: no format is known for 'x.txt'; there are .arrow .bmp ...
    """
    suffix = _suffix(path, "load")
    if suffix not in _LOADERS and os.path.isdir(path):
        return load_npy_from_path(path, *args, **kwargs)
    return cast("DNDarray", _known(_LOADERS, suffix, path, "load")(path, *args, **kwargs))


def save(data: DNDarray, path: Path, *args: Any, **kwargs: Any) -> None:
    """An array into a file, by its suffix: `save_hdf5`, `save_netcdf`, `save_zarr`, `save_npy`, `save_npz`,
    `save_safetensors`, `save_parquet`, `save_arrow`, `save_csv`, `save_image`.

    Raises
    ------
    ValueError
        For another suffix.

    Examples
    --------
    >>> ht.save(ht.ones(2), "x.txt")
    Traceback (most recent call last):
    ValueError: save: no format is known for 'x.txt'; there are .arrow .bmp ...
    """
    _known(_SAVERS, _suffix(path, "save"), path, "save")(data, path, *args, **kwargs)


def _known(table: dict[str, Callable[..., Any]], suffix: str, path: Path, fn: str) -> Callable[..., Any]:
    if suffix not in table:
        raise ValueError(f"{fn}: no format is known for {str(path)!r}; there are {' '.join(sorted(table))}")
    return table[suffix]


def sliced_loader(path: Path, fn: str) -> Callable[..., Any]:
    """The function that reads parts of such a file; ValueError if there is none. Local."""
    loader = _known(_LOADERS, _suffix(path, fn), path, fn)
    if loader is load_image:
        raise ValueError(f"{fn}: {str(path)!r} is of a format that has no parts")
    return loader


def load_multiple_hdf5(folder: Path, dataset: str, dtype: Any = None, sorting_func: Order | None = None) -> DNDarray:
    """The data sets of this name in all .h5 and .hdf5 files of a folder, joined along axis 0.

    Files are dealt out to ranks, in the order of their names or of `sorting_func`; nothing but shapes is sent.

    Examples
    --------
    >>> ht.load_multiple_hdf5("missing", "x")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_multiple_hdf5: there is no 'missing'
    """

    def read(file: pathlib.Path) -> torch.Tensor:
        with _h5py("load_multiple_hdf5").File(file, "r") as opened:
            return torch.from_numpy(opened[dataset][...])

    order = sorting_func or sorted
    return from_folder(folder, "*.h*5", read, dtype, 0, None, None, "load_multiple_hdf5", order)


class FileMethods:
    """Methods of DNDarray."""

    __slots__ = ()

    def save(self, path: Path, *args: Any, **kwargs: Any) -> None:
        """See `save`."""
        save(cast("DNDarray", self), path, *args, **kwargs)

    def save_hdf5(self, path: Path, dataset: str, mode: str = "w", dtype: Any = None, **kwargs: Any) -> None:
        """See `save_hdf5`."""
        save_hdf5(cast("DNDarray", self), path, dataset, mode, dtype, **kwargs)

    def save_netcdf(self, path: Path, variable: str, mode: str = "w", **kwargs: Any) -> None:
        """See `save_netcdf`."""
        save_netcdf(cast("DNDarray", self), path, variable, mode, **kwargs)
