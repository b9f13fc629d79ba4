# SPDX-License-Identifier: BSD-3-Clause
"""Zarr: every rank reads its slab and writes chunks of its own."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat._base import wrap
from equiheat._function import torch_dtype
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.io import _slabs as slabs
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def supports_zarr() -> bool:
    """True if zarr can be imported. Local."""
    return importlib.util.find_spec("zarr") is not None


def _zarr(fn: str) -> Any:
    if not supports_zarr():
        raise ImportError(f"{fn}: Zarr needs zarr; pip install zarr")
    import zarr

    return zarr


def load_zarr(
    path: Path,
    variable: str | None = None,
    split: int | None = 0,
    device: Any = None,
    comm: Communicator | None = None,
    slices: Any = None,
    *,
    dtype: Any = None,
    **kwargs: Any,
) -> DNDarray:
    """A Zarr array (version 2 or 3), of which each rank reads its own part.

    Parameters
    ----------
    path : path
        Of an array, or of a group with `variable`.
    variable : str, optional
        Name in the group.
    split : int, optional
        Axis to split, 0 by default.
    device, comm, slices, dtype
        As in `load_hdf5`.
    **kwargs
        Of ``zarr.open``.

    Examples
    --------
    >>> ht.load_zarr("missing.zarr")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_zarr: there is no 'missing.zarr'
    """
    comm, place = sanitize_comm(comm), sanitize_device(device)
    wanted = torch_dtype(dtype)

    def read() -> tuple[torch.Tensor, list[int], int | None]:
        store = os.fspath(slabs.existing(path, "load_zarr"))
        data = _zarr("load_zarr").open(store, mode="r", **kwargs)
        if variable is not None:
            if not hasattr(data, "array_keys") or variable not in data:
                raise KeyError(f"load_zarr: {store!r} has no array {variable!r}")
            data = data[variable]
        if not hasattr(data, "shape"):
            raise ValueError(f"load_zarr: {store!r} is a group; give one of {sorted(data.array_keys())} as variable")
        parts = slabs.chosen(data.shape, slices, "load_zarr")
        axis = sanitize_split(split if parts else None, len(parts), "load_zarr")
        own = slabs.own_part(parts, axis, comm)
        block = np.asarray(data[own if own else ...])
        local = torch.from_numpy(np.array(block, dtype=block.dtype.newbyteorder("=")))
        return local if wanted is None else local.to(wanted), slabs.extents(parts), axis

    local, shape, axis = slabs.together(comm, read)
    return slabs.assembled(local, shape, axis, place, comm)


def save_zarr(dndarray: DNDarray, path: Path, overwrite: bool = False, **kwargs: Any) -> None:
    """An array as a Zarr array whose chunks are one rank's each, written at once.

    Parameters
    ----------
    dndarray : DNDarray
        Any split; a replicated one is written by rank 0. It is moved to extents of whole chunks if need be.
    path : path
        A folder.
    overwrite : bool
        Replace what is there; an error otherwise.
    **kwargs
        Of ``zarr.create_array``; `chunks` must have equal extents along the split: ceil(n / p).

    Examples
    --------
    >>> ht.save_zarr(3, "x.zarr")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    TypeError: save_zarr: data must be a DNDarray
    """
    x = slabs.blocks(dndarray, "save_zarr")
    kind = torch.float32 if x.larray.dtype == torch.bfloat16 else x.larray.dtype
    if x.split is not None:
        extent, size = x.shape[x.split], x.comm.size
        chunk = max(1, -(-extent // size))
        counts = [max(0, min(chunk, extent - r * chunk)) for r in range(size)]
        x = wrap(x._core.redistribute(counts))
        kwargs.setdefault("chunks", tuple(chunk if a == x.split else max(1, n) for a, n in enumerate(x.shape)))
    store = os.fspath(path)

    def create() -> None:
        kinds = torch.empty(0, dtype=kind).numpy().dtype
        module = _zarr("save_zarr")
        if os.path.exists(store) and not overwrite:
            raise FileExistsError(f"save_zarr: {store!r} exists; overwrite=True replaces it")
        module.create_array(store, shape=tuple(x.shape), dtype=kinds, overwrite=overwrite, **kwargs)

    def fill() -> None:
        if slabs.writes(x):
            where = slabs.slab(x)
            _zarr("save_zarr").open(store, mode="r+")[where if where else ...] = slabs.values(x, kind)

    slabs.on_first(x.comm, create)
    slabs.together(x.comm, fill)
