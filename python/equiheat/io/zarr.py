# SPDX-License-Identifier: BSD-3-Clause
"""Zarr: every rank reads its slab, by whole chunks where they are large, and writes chunks of its own."""

from __future__ import annotations

import importlib.util
import math
import os
import pathlib
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat._function import torch_dtype
from equiheat._optional import needed
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.distribution import balance, resplit
from equiheat.errors import ExistingPathError, NoDataError
from equiheat.io import _chunked as chunked
from equiheat.io import _folders as folders
from equiheat.io import _raw as raw
from equiheat.io import _slabs as slabs
from equiheat.io import _zarr_chunks as zarr_chunks
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

#: Bytes of a chunk, unless the caller says more of them.
_CHUNK = 1 << 25


def supports_zarr() -> bool:
    """True if zarr can be imported. Local."""
    return importlib.util.find_spec("zarr") is not None


def _zarr(fn: str) -> Any:
    return needed("zarr", fn)


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
        Name in the group. With wildcards, as ``"RECEIVER_*/DATA"``, all arrays of such names, in the order of the
        names, joined along `split`; each is read whole by one rank.
    split : int, optional
        Axis to split, 0 by default.
    device, comm, slices, dtype
        As in `load_hdf5`.
    **kwargs
        Of ``zarr.open``.

    Raises
    ------
    NotImplementedError
        Slices of several arrays.
    FileNotFoundError, KeyError, ValueError, TypeError, ImportError
        No such store or array, a group without `variable`, bad slices, a chunk's file that has not the values of a
        chunk, no zarr. On all ranks.

    Notes
    -----
    Chunks that are files packed with Zstandard, Blosc or not are read straight into place; Zarr reads all others.
    Chunks that lie on a border between ranks are unpacked by both of them. Where a chunk is more than a quarter of a
    rank's part, ranks read whole chunks and one alltoallv moves the rows to where the chunk rule wants them.

    Examples
    --------
    >>> ht.load_zarr("missing.zarr")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_zarr: there is no 'missing.zarr'
    """
    comm, place = sanitize_comm(comm), sanitize_device(device)
    if variable is not None and "*" in variable:
        return _joined(path, variable, split, device, comm, slices, dtype, kwargs)
    wanted = torch_dtype(dtype)

    @slabs.reading(path, "load_zarr")
    def read() -> tuple[torch.Tensor, list[int], int | None, list[int] | None]:
        data = _opened(path, variable, kwargs)
        parts = slabs.chosen(data.shape, slices, "load_zarr")
        shape = slabs.extents(parts)
        axis = sanitize_split(split if parts else None, len(parts), "load_zarr")
        counts = None if axis is None else _counts(parts[axis], _chunks(data)[axis], comm.size)
        own = slabs.own_part(parts, axis, comm) if axis is None or counts is None else _rows(parts, axis, counts, comm)
        local = _part(data, own)
        return local if wanted is None else local.to(wanted), shape, axis, counts

    local, shape, axis, counts = slabs.together(comm, read)
    x = slabs.assembled(local, shape, axis, place, comm, counts)
    return x if counts is None else balance(x, copy=True)


def _joined(
    path: Path, names: str, split: int | None, device: Any, comm: Communicator, slices: Any, dtype: Any,
    options: dict[str, Any],
) -> DNDarray:  # fmt: skip
    """The arrays of a group that a pattern names, which are dealt out to the ranks, behind one another."""
    if slices is not None:
        raise NotImplementedError("load_zarr: slices cannot be had of several arrays; give one name as variable")

    def read(folder: pathlib.Path) -> torch.Tensor:
        data = _opened(path, folder.relative_to(path).as_posix(), options)
        return _part(data, tuple(slice(0, n, 1) for n in data.shape))

    axis = 0 if split is None else split
    order: folders.Order = partial(sorted, key=str)
    x = folders.from_folder(path, names, read, dtype, axis, device, comm, "load_zarr", order)
    return balance(x) if split is not None else resplit(x, None)


def _opened(path: Path, variable: str | None, options: dict[str, Any]) -> Any:
    store = os.fspath(slabs.existing(path, "load_zarr"))
    zarr = _zarr("load_zarr")
    try:
        data = zarr.open(store, mode="r", **options)
    except FileNotFoundError:
        raise NoDataError(f"load_zarr: {store!r} is no array or group of Zarr's") from None
    if variable is not None:
        if not hasattr(data, "array_keys") or variable not in data:
            raise KeyError(f"load_zarr: {store!r} has no array {variable!r}")
        data = data[variable]
    if not hasattr(data, "shape"):
        raise ValueError(f"load_zarr: {store!r} is a group; give one of {sorted(data.array_keys())} as variable")
    return data


def _chunks(data: Any) -> tuple[int, ...]:
    """Extents of what is written and read as a whole."""
    return tuple(getattr(data, "shards", None) or data.chunks)


def _counts(part: slice, chunk: int, size: int) -> list[int] | None:
    """Rows of each rank, in whole chunks; None where parts of chunks cost less than moving rows."""
    extent = part.stop - part.start
    if size == 1 or part.step != 1 or chunk * 4 * size <= extent:
        return None
    return chunked.aligned(extent, part.start, chunk, size)


def _rows(parts: tuple[slice, ...], axis: int, counts: list[int], comm: Communicator) -> tuple[slice, ...]:
    start = parts[axis].start + sum(counts[: comm.rank])
    return (*parts[:axis], slice(start, start + counts[comm.rank], 1), *parts[axis + 1 :])


def _part(data: Any, own: tuple[slice, ...]) -> torch.Tensor:
    """A part of a Zarr array, unpacked straight into the tensor's memory."""
    if not data.dtype.isnative or not all(part.step == 1 for part in own):
        block = np.asarray(data[own])
        return torch.from_numpy(np.array(block, dtype=block.dtype.newbyteorder("=")))
    block = np.empty(slabs.extents(own), data.dtype)
    if block.size and not zarr_chunks.read(data, own, block):
        buffer = needed("zarr.buffer", "load_zarr").cpu.NDBuffer.from_numpy_array(block)
        data.get_basic_selection(own, out=buffer)
    return torch.from_numpy(block)


def save_zarr(dndarray: DNDarray, path: Path, overwrite: bool = False, *, append: bool = False, **kwargs: Any) -> None:
    """An array as a Zarr array, written by all ranks at once, each its own chunks.

    Parameters
    ----------
    dndarray : DNDarray
        Any split; a replicated one is written by rank 0. It is moved to extents of whole chunks if need be.
    path : path
        A folder.
    overwrite : bool
        Replace what is there, once the new array is complete; an error otherwise.
    append : bool
        Adds the rows to those of the array, if there is one, in place.
    **kwargs
        Of ``zarr.create_array``: chunks, shards, compressors, zarr_format, ... Unless `chunks` are given, each rank
        has the same number of chunks, of 32 MiB or less, whole along the other axes.

    Raises
    ------
    FileExistsError, TypeError, ValueError, OSError, ImportError
        On all ranks.

    Notes
    -----
    Communication: one alltoallv to extents of whole chunks, and small messages.

    Examples
    --------
    >>> ht.save_zarr(3, "x.zarr")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    TypeError: save_zarr: data must be a DNDarray
    """
    x = slabs.blocks(dndarray, "save_zarr")
    task = _Writing(x, {"chunks": _default_chunks(x), **kwargs})
    if append and x.ndim == 0:
        raise ValueError("save_zarr: a single number cannot be appended")
    there = slabs.on_first(x.comm, lambda: slabs.is_file(path, "save_zarr"))
    if there and append:
        with slabs.writing(path, "save_zarr"):
            begin, chunks = slabs.on_first(x.comm, lambda: task.grow(pathlib.Path(path)))
            task.fill(pathlib.Path(path), begin, chunks)
        return
    if there and not overwrite:
        raise ExistingPathError(f"save_zarr: {os.fspath(path)!r} exists; overwrite=True replaces it")
    with slabs.replaced(x.comm, path, "save_zarr") as temporary:
        task.fill(temporary, 0, slabs.on_first(x.comm, lambda: task.create(temporary)))


def _default_chunks(x: DNDarray) -> tuple[int, ...]:
    axis, size = (0, 1) if x.split is None else (x.split, x.comm.size)
    if x.ndim == 0:
        return ()
    extent = max(1, -(-x.shape[axis] // size))
    row = x.larray.element_size() * math.prod(n for a, n in enumerate(x.shape) if a != axis)
    number = max(1, -(-extent * row // _CHUNK))
    return tuple(max(1, -(-extent // number)) if a == axis else max(1, n) for a, n in enumerate(x.shape))


class _Writing:
    """An array on its way into a store."""

    def __init__(self, x: DNDarray, options: dict[str, Any]) -> None:
        self.x, self.options = x, options
        self.kind = torch.float32 if x.larray.dtype == torch.bfloat16 else x.larray.dtype
        self.numpy_type = torch.empty(0, dtype=self.kind).numpy().dtype

    def create(self, path: pathlib.Path) -> tuple[int, ...]:
        """Makes the array; the extents of its chunks."""
        if 0 in np.atleast_1d(np.asarray(self.options["chunks"], dtype=object)):
            raise ValueError(f"save_zarr: chunks must be positive, are {self.options['chunks']}")
        made = _zarr("save_zarr").create_array(
            os.fspath(path), shape=tuple(self.x.shape), dtype=self.numpy_type, **self.options
        )
        return _chunks(made)

    def grow(self, path: pathlib.Path) -> tuple[int, tuple[int, ...]]:
        """Makes room for more rows; where they begin, and the extents of the chunks."""
        old = _zarr("save_zarr").open(os.fspath(path), mode="r+")
        rows = tuple(self.x.shape[1:])
        if not getattr(old, "shape", ()) or old.shape[1:] != rows or old.dtype != self.numpy_type:
            raise ValueError(
                f"save_zarr: rows of {self.numpy_type} {rows} do not go behind those of {os.fspath(path)!r}, which is "
                f"{getattr(old, 'dtype', 'a group')} {getattr(old, 'shape', '')}"
            )
        begin = int(old.shape[0])
        old.resize((begin + self.x.shape[0], *rows))
        return begin, _chunks(old)

    def fill(self, path: pathlib.Path, begin: int, chunks: tuple[int, ...]) -> None:
        """Writes the blocks from row `begin` on. Collective."""
        x = chunked.by_chunks(self.x, begin, chunks)

        def work() -> None:
            if not slabs.writes(x):
                return
            where = slabs.slab(x)
            if where:
                where = (slice(begin + where[0].start, begin + where[0].stop), *where[1:])
            config = {"config": self.options["config"]} if "config" in self.options else {}  # no part of the store
            target = _zarr("save_zarr").open(os.fspath(path), mode="r+", **config)
            if begin == 0 and where and _plain(target):
                _write_chunks(path, target, slabs.values(x, self.kind), where)
            else:
                target[where if where else ...] = slabs.values(x, self.kind)

        slabs.together(x.comm, work)


def _plain(target: Any) -> bool:
    """True if a chunk is a file, and its bytes are those of the values in memory."""
    return target.metadata.zarr_format == 3 and zarr_chunks.packing(target) == ""


def _write_chunks(path: pathlib.Path, target: Any, block: np.ndarray[Any, Any], where: tuple[slice, ...]) -> None:
    """Chunks of nothing but the fill value have no file, unless Zarr is told to write them."""
    fill, sparse = np.asarray(target.fill_value, block.dtype), not target.async_array.config.write_empty_chunks
    for index, values in chunked.whole_chunks(block, where, target.chunks, fill):
        if sparse and raw.is_only(values, fill):
            continue
        file = path / target.metadata.encode_chunk_key(index)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw.as_bytes(values))
