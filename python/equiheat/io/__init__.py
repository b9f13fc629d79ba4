# SPDX-License-Identifier: BSD-3-Clause
"""Arrays from files and into files, by all ranks.

HDF5, NetCDF, Zarr, npy, npz, safetensors, Parquet, Arrow, CSV, images.

No rank reads more than its part or holds more than that; what goes wrong on one rank is an error on all. A file that
is written whole appears under its name when it is complete. Nothing is ever unpickled.
"""

from __future__ import annotations

import importlib.util

from equiheat.io.chunks import chunks as chunks
from equiheat.io.columns import load_arrow as load_arrow
from equiheat.io.columns import load_parquet as load_parquet
from equiheat.io.columns import save_arrow as save_arrow
from equiheat.io.columns import save_parquet as save_parquet
from equiheat.io.csv import load_csv as load_csv
from equiheat.io.csv import load_csv_from_folder as load_csv_from_folder
from equiheat.io.csv import save_csv as save_csv
from equiheat.io.dispatch import load as load
from equiheat.io.dispatch import load_multiple_hdf5 as load_multiple_hdf5
from equiheat.io.dispatch import save as save
from equiheat.io.hdf5 import load_hdf5 as load_hdf5
from equiheat.io.hdf5 import save_hdf5 as save_hdf5
from equiheat.io.hdf5 import supports_hdf5 as supports_hdf5
from equiheat.io.images import load_image as load_image
from equiheat.io.images import load_images_from_folder as load_images_from_folder
from equiheat.io.images import save_image as save_image
from equiheat.io.images import save_images_to_folder as save_images_to_folder
from equiheat.io.netcdf import load_netcdf as load_netcdf
from equiheat.io.netcdf import save_netcdf as save_netcdf
from equiheat.io.netcdf import supports_netcdf as supports_netcdf
from equiheat.io.npy import load_npy as load_npy
from equiheat.io.npy import load_npy_from_path as load_npy_from_path
from equiheat.io.npy import save_npy as save_npy
from equiheat.io.npz import load_npz as load_npz
from equiheat.io.npz import save_npz as save_npz
from equiheat.io.safetensors import load_safetensors as load_safetensors
from equiheat.io.safetensors import save_safetensors as save_safetensors
from equiheat.io.zarr import load_zarr as load_zarr
from equiheat.io.zarr import save_zarr as save_zarr
from equiheat.io.zarr import supports_zarr as supports_zarr

# fmt: off
__all__ = [
    "chunks", "load", "load_arrow", "load_csv", "load_csv_from_folder", "load_hdf5", "load_image",
    "load_images_from_folder", "load_multiple_hdf5", "load_netcdf", "load_npy", "load_npy_from_path", "load_npz",
    "load_parquet", "load_safetensors", "load_zarr", "save", "save_arrow", "save_csv", "save_hdf5", "save_image",
    "save_images_to_folder", "save_netcdf", "save_npy", "save_npz", "save_parquet", "save_safetensors", "save_zarr",
    "supports_hdf5", "supports_netcdf", "supports_pandas", "supports_zarr",
]
# fmt: on


def supports_pandas() -> bool:
    """True if pandas can be imported. Local."""
    return importlib.util.find_spec("pandas") is not None


def size_from_slice(size: int, s: slice) -> tuple[int, int]:
    """Number of elements a slice takes of an axis, and where it starts. Local."""
    part = range(size)[s]
    return len(part), part.start if len(part) else 0
