# SPDX-License-Identifier: BSD-3-Clause
"""NetCDF by netCDF4: every rank reads its slab; one writes after the other."""

from __future__ import annotations

import importlib.util
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import dtypes
from equiheat._function import torch_dtype
from equiheat._optional import needed
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.errors import NoVariableError
from equiheat.io import _slabs as slabs
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_MODES = ("w", "a", "r+")
#: Attribute that tells truth values from small integers, which is all NetCDF has; xarray knows it, too.
_TRUTH = "dtype"


def supports_netcdf() -> bool:
    """True if netCDF4 can be imported. Local."""
    return importlib.util.find_spec("netCDF4") is not None


def load_netcdf(
    path: Path,
    variable: str,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    *,
    slices: Any = None,
) -> DNDarray:
    """A variable of a NetCDF file as an array, of which each rank reads its own part.

    Scale factors and offsets are applied; fill values stay as they are; int8 with the attribute ``dtype = "bool"`` are
    truth values. Otherwise as `load_hdf5`, but the default of `dtype` is float32, as in Heat; None keeps that of the
    file.

    Examples
    --------
    >>> ht.load_netcdf("missing.nc", "x")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_netcdf: there is no 'missing.nc'
    """
    comm, place = sanitize_comm(comm), sanitize_device(device)
    wanted = torch_dtype(dtype)
    if not isinstance(variable, str):
        raise TypeError(f"load_netcdf: variable must be a string, is {type(variable)}")

    @slabs.reading(path, "load_netcdf")
    def read() -> tuple[torch.Tensor, list[int], int | None]:
        file_name = slabs.existing(path, "load_netcdf")
        with needed("netCDF4", "load_netcdf").Dataset(file_name, "r") as file:
            if variable not in file.variables:
                known = sorted(file.variables)
                raise NoVariableError(f"load_netcdf: {str(path)!r} has no variable {variable!r}, has {known}")
            data = file.variables[variable]
            data.set_auto_mask(False)
            parts = slabs.chosen(data.shape, slices, "load_netcdf")
            axis = sanitize_split(split, len(parts), "load_netcdf")
            own = slabs.own_part(parts, axis, comm)
            empty = 0 in slabs.extents(own)
            block = np.empty(slabs.extents(own), data.dtype) if empty else np.asarray(data[own if own else ...])
            local = torch.from_numpy(np.array(block, dtype=block.dtype.newbyteorder("="), order="C", copy=None))
            truth = data.dtype == np.int8 and _TRUTH in data.ncattrs() and data.getncattr(_TRUTH) == "bool"
            local = local.view(torch.bool) if truth and wanted is None else local
            return local if wanted is None else local.to(wanted), slabs.extents(parts), axis

    local, shape, axis = slabs.together(comm, read)
    return slabs.assembled(local.reshape(_own_shape(shape, axis, comm)), shape, axis, place, comm)


def _own_shape(shape: list[int], split: int | None, comm: Communicator) -> tuple[int, ...]:
    return tuple(shape) if split is None else comm.chunk(shape, split)[1]


def save_netcdf(
    data: DNDarray,
    path: Path,
    variable: str,
    mode: str = "w",
    dimension_names: Any = None,
    is_unlimited: bool = False,
    file_slices: Any = slice(None, None, None),
    *,
    append: bool = False,
    **kwargs: Any,
) -> None:
    """An array as a variable of a NetCDF file.

    Parameters
    ----------
    data : DNDarray
        Any split; real numbers, but not float16. bfloat16 becomes float32; truth values are stored as int8 with an
        attribute that tells `load_netcdf` what they are.
    path : path
    variable : str
    mode : {"w", "a", "r+"}
        "w" makes a new file, which takes the place of an old one when it is complete; the others write into one, into
        an old variable too.
    dimension_names : str or sequence of str, optional
        One per axis; ``{variable}_dim_{axis}`` unless given.
    is_unlimited : bool
        New dimensions can grow.
    file_slices : slice or sequence of slices
        Where in the variable to write; everywhere unless given.
    append : bool
        Adds the rows to those of the variable, if there is one, and makes a first dimension that can grow; `mode` then
        is "a".
    **kwargs
        Of netCDF4's ``createVariable``: zlib, chunksizes, ...

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        No array, complex numbers, unknown mode, names that do not fit. On all ranks.

    Notes
    -----
    One rank after the other, with one small message each.

    Examples
    --------
    >>> ht.save_netcdf(ht.ones(3), "x.nc", "x", mode="q")
    Traceback (most recent call last):
    ValueError: save_netcdf: mode must be one of ('w', 'a', 'r+'), is 'q'
    """
    x = slabs.blocks(data, "save_netcdf")
    if mode not in _MODES:
        raise ValueError(f"save_netcdf: mode must be one of {_MODES}, is {mode!r}")
    if x.larray.is_complex():
        raise TypeError(f"save_netcdf: NetCDF has no complex numbers, data is {x.dtype}")
    if x.larray.dtype == torch.float16:
        raise TypeError("save_netcdf: NetCDF has no float16; data.astype(ht.float32) keeps the values")
    names = _dimensions(dimension_names, variable, x.ndim)
    task = _Writing(x, variable, names, is_unlimited, file_slices, kwargs)
    if append:
        if x.ndim == 0:
            raise ValueError("save_netcdf: a single number cannot be appended")
        with slabs.writing(path, "save_netcdf"):
            task.append(pathlib.Path(path), "a" if mode == "w" else mode)
    elif mode == "w":
        with slabs.replaced(x.comm, path, "save_netcdf") as temporary:
            task.run(temporary, "w")
    else:
        with slabs.writing(path, "save_netcdf"):
            task.run(pathlib.Path(path), mode)


def _dimensions(names: Any, variable: str, ndim: int) -> list[str]:
    if names is None:
        return [f"{variable}_dim_{axis}" for axis in range(ndim)]
    found = [names] if isinstance(names, str) else list(names)
    if len(found) != ndim or not all(isinstance(n, str) for n in found):
        raise ValueError(f"save_netcdf: dimension_names must be {ndim} strings, are {names!r}")
    return found


class _Writing:
    """An array on its way into a variable."""

    def __init__(
        self, x: DNDarray, variable: str, names: Sequence[str], unlimited: bool, slices: Any, options: Any
    ) -> None:
        self.x, self.variable, self.names, self.unlimited = x, variable, names, (unlimited,) * x.ndim
        self.slices, self.options = slices, options
        kind = {torch.bfloat16: torch.float32, torch.bool: torch.int8}.get(x.larray.dtype, x.larray.dtype)
        self.kind, self.numpy_type = kind, torch.empty(0, dtype=kind).numpy().dtype

    def create(self, path: pathlib.Path, mode: str) -> int:
        """Dimensions and the variable, where they are not there yet; its rows."""
        if not path.absolute().parent.is_dir():
            raise FileNotFoundError(f"save_netcdf: there is no folder {str(path.parent)!r}")
        with needed("netCDF4", "save_netcdf").Dataset(path, mode) as file:
            for name, extent, grows in zip(self.names, self.x.shape, self.unlimited, strict=True):
                if name not in file.dimensions:
                    file.createDimension(name, None if grows else extent)
            if self.variable not in file.variables:
                made = file.createVariable(self.variable, self.numpy_type, self.names, **self.options)
                if self.x.larray.dtype == torch.bool:
                    made.setncattr(_TRUTH, "bool")
            shape = file.variables[self.variable].shape
            return int(shape[0]) if shape else 0

    def fill(self, path: pathlib.Path) -> None:
        """This rank's block."""
        with needed("netCDF4", "save_netcdf").Dataset(path, "r+") as file:
            target = file.variables[self.variable]
            shape = [max(a, b) for a, b in zip(target.shape, self.x.shape, strict=True)]
            parts = slabs.chosen(shape, self.slices if shape else None, "save_netcdf")
            if slabs.extents(parts) != list(self.x.shape):
                raise ValueError(
                    f"save_netcdf: data of shape {self.x.shape} does not fit file_slices of {target.shape}"
                )
            where = tuple(
                slice(p.start + s.start * p.step, p.start + (s.stop - 1) * p.step + 1, p.step)
                for p, s in zip(parts, slabs.slab(self.x), strict=True)
            )
            target[where if where else ...] = slabs.values(self.x, self.kind)

    def run(self, path: pathlib.Path, mode: str) -> None:
        """The whole, or the part that the slices name. Collective."""
        slabs.on_first(self.x.comm, lambda: self.create(path, mode))
        slabs.in_turn(self.x.comm, lambda: self.fill(path) if slabs.writes(self.x) else None)

    def append(self, path: pathlib.Path, mode: str) -> None:
        """Rows behind those of the variable. Collective."""
        self.unlimited = (True, *self.unlimited[1:])

        def look() -> int:
            begin = self.create(path, mode)
            with needed("netCDF4", "save_netcdf").Dataset(path, "r") as file:
                old = file.variables[self.variable]
                grows = file.dimensions[old.dimensions[0]].isunlimited()
                if not grows or old.shape[1:] != tuple(self.x.shape[1:]) or old.dtype != self.numpy_type:
                    raise ValueError(
                        f"save_netcdf: rows of {self.numpy_type} {tuple(self.x.shape[1:])} do not go behind those of "
                        f"{self.variable!r}, which has {old.dtype} {old.shape}{'' if grows else ' and cannot grow'}"
                    )
            return begin

        begin = slabs.on_first(self.x.comm, look)

        def write() -> None:
            rows, *others = slabs.slab(self.x)
            with needed("netCDF4", "save_netcdf").Dataset(path, "r+") as file:
                where = (slice(begin + rows.start, begin + rows.stop), *others)
                file.variables[self.variable][where] = slabs.values(self.x, self.kind)

        slabs.in_turn(self.x.comm, lambda: write() if slabs.writes(self.x) else None)
