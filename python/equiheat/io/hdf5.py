# SPDX-License-Identifier: BSD-3-Clause
"""HDF5 by h5py: every rank reads its slab; one writes after the other, or all at once where h5py was built with MPI."""

from __future__ import annotations

import importlib.util
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from equiheat._function import torch_dtype
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.io import _slabs as slabs
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_MODES = ("w", "a", "r+", "x", "w-")


def supports_hdf5() -> bool:
    """True if h5py can be imported. Local."""
    return importlib.util.find_spec("h5py") is not None


def _h5py(fn: str) -> Any:
    if not supports_hdf5():
        raise ImportError(f"{fn}: HDF5 needs h5py; pip install h5py")
    import h5py

    return h5py


def load_hdf5(
    path: Path,
    dataset: str,
    dtype: Any = None,
    slices: Any = None,
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """A data set of an HDF5 file as an array, of which each rank reads its own part.

    Parameters
    ----------
    path : path
    dataset : str
        Name of the data set, with its groups.
    dtype : data type, optional
        That of the file unless given; converted while reading.
    slices : slice, or sequence of slices and None, optional
        What to read along each axis; steps must be positive.
    split : int, optional
        Axis to split; None reads everything on every rank.
    device, comm
        Where the array lives.

    Returns
    -------
    DNDarray
        Balanced along `split`.

    Raises
    ------
    FileNotFoundError, KeyError, TypeError, ValueError, ImportError
        No such file, no such data set, bad slices, no h5py. On all ranks.

    Notes
    -----
    Communication: one small allgather for agreement on failures.

    Examples
    --------
    >>> import tempfile, os
    >>> folder = tempfile.mkdtemp() if ht.get_comm().rank == 0 else None
    >>> path = os.path.join(ht.get_comm().handle.bcast(folder, 0), "x.h5")
    >>> ht.save_hdf5(ht.arange(4, split=0), path, "x")
    >>> ht.load_hdf5(path, "x", split=0).tolist()
    [0, 1, 2, 3]
    """
    comm, place = sanitize_comm(comm), sanitize_device(device)
    wanted = torch_dtype(dtype)
    if not isinstance(dataset, str):
        raise TypeError(f"load_hdf5: dataset must be a string, is {type(dataset)}")

    def read() -> tuple[torch.Tensor, list[int], int | None]:
        with _h5py("load_hdf5").File(slabs.existing(path, "load_hdf5"), "r") as file:
            if dataset not in file:
                raise KeyError(f"load_hdf5: {str(path)!r} has no data set {dataset!r}, has {sorted(file)}")
            data = file[dataset]
            parts = slabs.chosen(data.shape, slices, "load_hdf5")
            axis = sanitize_split(split, len(parts), "load_hdf5")
            return _part(data, slabs.own_part(parts, axis, comm), wanted), slabs.extents(parts), axis

    local, shape, axis = slabs.together(comm, read)
    return slabs.assembled(local, shape, axis, place, comm)


def _part(data: Any, own: tuple[slice, ...], dtype: torch.dtype | None) -> torch.Tensor:
    """Read straight into the tensor, converted by HDF5 where it knows the type."""
    given = torch_dtype(data.dtype)
    assert given is not None
    local = torch.empty(slabs.extents(own), dtype=given if dtype in (None, torch.bfloat16) else dtype)
    convertible = given != torch.bool and local.dtype != torch.bool and given.is_complex == local.is_complex()
    if not convertible and local.dtype != given:
        return torch.from_numpy(data[own]).to(local.dtype if dtype is None else dtype)
    if local.numel():
        data.read_direct(local.numpy(), own) if own else local.copy_(torch.from_numpy(data[...]))
    return local if dtype is None else local.to(dtype)


def save_hdf5(data: DNDarray, path: Path, dataset: str, mode: str = "w", dtype: Any = None, **kwargs: Any) -> None:
    """An array as a data set of an HDF5 file.

    Parameters
    ----------
    data : DNDarray
        Any split; a replicated one is written by rank 0.
    path : path
    dataset : str
        Name, with groups.
    mode : {"w", "a", "r+", "x"}
        "w" makes a new file, which takes the place of an old one when it is complete. The others write into the file:
        "a" makes it if need be, "r+" needs it, "x" refuses an old one. A data set of this name is an error.
    dtype : data type, optional
        In the file; that of the array unless given.
    **kwargs
        Of h5py's ``create_dataset``: chunks, compression, ...

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        No array, unknown mode, existing data set, file system. On all ranks.

    Notes
    -----
    One rank after the other, with one small message each; at once where h5py was built with MPI.

    Examples
    --------
    >>> import tempfile, os
    >>> folder = tempfile.mkdtemp() if ht.get_comm().rank == 0 else None
    >>> path = os.path.join(ht.get_comm().handle.bcast(folder, 0), "x.h5")
    >>> ht.save_hdf5(ht.ones((2, 3), split=1), path, "group/x", compression="gzip")
    >>> ht.load_hdf5(path, "group/x").shape
    (2, 3)
    """
    x = slabs.blocks(data, "save_hdf5")
    if mode not in _MODES:
        raise ValueError(f"save_hdf5: mode must be one of {_MODES}, is {mode!r}")
    if not isinstance(dataset, str):
        raise TypeError(f"save_hdf5: dataset must be a string, is {type(dataset)}")
    kind = torch_dtype(dtype) or x.larray.dtype
    kind = torch.float32 if kind == torch.bfloat16 else kind
    if mode == "w":
        with slabs.replaced(x.comm, path, "save_hdf5") as temporary:
            _write(x, temporary, dataset, "w", kind, kwargs)
    else:
        _write(x, pathlib.Path(path), dataset, mode, kind, kwargs)


def _write(x: DNDarray, path: pathlib.Path, dataset: str, mode: str, kind: torch.dtype, options: Any) -> None:
    numpy_type = torch.empty(0, dtype=kind).numpy().dtype
    where = slabs.slab(x)

    def create(file: Any) -> Any:
        return file.create_dataset(dataset, x.shape, dtype=numpy_type, **options)

    def fill(target: Any) -> None:
        if slabs.writes(x):
            target[where if where else ...] = slabs.values(x, kind)

    def opened(mode: str, work: Callable[[Any], Any], **driver: Any) -> Callable[[], None]:
        def run() -> None:
            with _h5py("save_hdf5").File(path, mode, **driver) as file:
                work(file)

        return run

    if supports_hdf5() and _h5py("save_hdf5").get_config().mpi and x.comm.size > 1:
        every = {"driver": "mpio", "comm": x.comm.handle}
        slabs.together(x.comm, opened(mode, lambda file: fill(create(file)), **every))
        return
    slabs.on_first(x.comm, opened(mode, create))
    slabs.in_turn(x.comm, lambda: opened("r+", lambda file: fill(file[dataset]))() if slabs.writes(x) else None)
