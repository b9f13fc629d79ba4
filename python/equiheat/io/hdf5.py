# SPDX-License-Identifier: BSD-3-Clause
"""HDF5 by h5py: every rank reads its slab, and all write at once where the data set lies in the file as in memory.

So do they with chunks that are not packed. Packed ones, and small ones, are written by one rank after the other; by
all at once where h5py was built with MPI.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import math
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from equiheat._function import torch_dtype
from equiheat._optional import needed
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.io import _chunked as chunked
from equiheat.io import _raw as raw
from equiheat.io import _slabs as slabs
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_MODES = ("w", "a", "r+", "x", "w-")
#: Chunks of fewer bytes cost less through HDF5's own cache.
_SMALL = 1 << 16


def supports_hdf5() -> bool:
    """True if h5py can be imported. Local."""
    return importlib.util.find_spec("h5py") is not None


def _h5py(fn: str) -> Any:
    return needed("h5py", fn)


def _parallel(comm: Communicator, fn: str) -> dict[str, Any]:
    """Options of ``File`` for access by all ranks together; none where h5py was built without MPI."""
    together = comm.size > 1 and supports_hdf5() and _h5py(fn).get_config().mpi
    return {"driver": "mpio", "comm": comm.handle} if together else {}


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

    @slabs.reading(path, "load_hdf5")
    def read() -> tuple[torch.Tensor, list[int], int | None]:
        found = slabs.existing(path, "load_hdf5")
        with _to_read(found) as file:
            if dataset not in file:
                raise KeyError(f"load_hdf5: {str(path)!r} has no data set {dataset!r}, has {sorted(file)}")
            data = file[dataset]
            if not hasattr(data, "shape"):
                raise ValueError(f"load_hdf5: {dataset!r} in {str(path)!r} is a group, of {sorted(data)}")
            if data.shape is None:
                raise ValueError(f"load_hdf5: {dataset!r} in {str(path)!r} is empty")
            parts = slabs.chosen(data.shape, slices, "load_hdf5")
            axis = sanitize_split(split, len(parts), "load_hdf5")
            return _part(data, found, slabs.own_part(parts, axis, comm), wanted), slabs.extents(parts), axis

    local, shape, axis = slabs.together(comm, read)
    return slabs.assembled(local, shape, axis, place, comm)


def _to_read(path: pathlib.Path) -> Any:
    h5py = _h5py("load_hdf5")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise type(error)(f"load_hdf5: {str(path)!r} cannot be opened: {error}") from None


def _as_in_memory(data: Any) -> bool:
    """True if numbers of the data set have the same bytes in the file, and offsets count from the file's begin."""
    kind = data.dtype
    simple = kind.kind in "biufc" and kind.isnative and kind.itemsize in (1, 2, 4, 8, 16)
    return simple and not data.file.userblock_size


def _plain(data: Any, path: pathlib.Path) -> raw.Stored | None:
    """Where the bytes of a data set lie that is stored as in memory; None for chunks, packing and other files."""
    if not _as_in_memory(data) or data.chunks is not None or data.is_virtual or data.external:
        return None
    offset = data.id.get_offset()
    return None if offset is None else raw.Stored(path, offset, data.dtype, data.shape)


class _Chunks(NamedTuple):
    """Where the chunks of a data set lie in the file that are stored as in memory."""

    extents: tuple[int, ...]
    offsets: dict[tuple[int, ...], int]


def _plain_chunks(data: Any) -> _Chunks | None:
    """For a data set whose chunks all have their place; None for packed and for small ones."""
    if not _as_in_memory(data) or data.chunks is None or not hasattr(data.id, "chunk_iter"):
        return None
    if data.id.get_create_plist().get_nfilters() or math.prod(data.chunks) * data.dtype.itemsize < _SMALL:
        return None
    offsets: dict[tuple[int, ...], int] = {}

    def note(chunk: Any) -> None:
        offsets[tuple(o // n for o, n in zip(chunk.chunk_offset, data.chunks, strict=True))] = chunk.byte_offset

    data.id.chunk_iter(note)
    number = math.prod(-(-extent // n) for extent, n in zip(data.shape, data.chunks, strict=True))
    return _Chunks(data.chunks, offsets) if len(offsets) == number else None


def _part(data: Any, path: pathlib.Path, own: tuple[slice, ...], dtype: torch.dtype | None) -> torch.Tensor:
    """Read straight into the tensor, converted by HDF5 where it knows the type."""
    given = torch_dtype(data.dtype.newbyteorder("="))
    assert given is not None
    stored = _plain(data, path) if dtype in (None, given) else None
    if stored is not None:
        return torch.from_numpy(raw.read(stored, own))
    kind = given if dtype in (None, torch.bfloat16) else dtype
    # NumPy's memory comes in huge pages where the system has them; torch's costs a page fault every 4 KiB.
    local = torch.from_numpy(np.empty(slabs.extents(own), torch.empty(0, dtype=kind).numpy().dtype))
    convertible = given != torch.bool and local.dtype != torch.bool and given.is_complex == local.is_complex()
    if not convertible and local.dtype != given:
        block = data[own]
        local = torch.from_numpy(np.asarray(block, block.dtype.newbyteorder("=")))
        return local.to(local.dtype if dtype is None else dtype)
    if local.numel():
        data.read_direct(local.numpy(), own) if own else local.copy_(torch.from_numpy(data[...]))
    return local if dtype is None else local.to(dtype)


def save_hdf5(
    data: DNDarray,
    path: Path,
    dataset: str,
    mode: str = "w",
    dtype: Any = None,
    *,
    append: bool = False,
    **kwargs: Any,
) -> None:
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
    append : bool
        Adds the rows to those of the data set, if there is one, and makes data sets that can grow; `mode` then is "a".
    **kwargs
        Of h5py's ``create_dataset``: chunks, compression, ...

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        No array, unknown mode, existing data set, file system. On all ranks.

    Notes
    -----
    Without `kwargs` the data set lies in the file as in memory, and ranks write at once, each at its offset; splits
    other than 0 are moved there before by one alltoallv. With `chunks` of 64 KiB or more they write at once, too, each
    its own chunks, to whose borders one alltoallv moves the array. With other options (compression) one rank after the
    other, with one small message each; at once where h5py was built with MPI.

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
    task = _Writing(x, dataset, kind, kwargs)
    if append:
        if mode not in ("w", "a", "r+"):
            raise ValueError(f"save_hdf5: append=True needs mode 'a' or 'r+', is {mode!r}")
        if x.ndim == 0:
            raise ValueError("save_hdf5: a single number cannot be appended")
        with slabs.writing(path, "save_hdf5"):
            task.append(pathlib.Path(path), "a" if mode == "w" else mode)
    elif mode == "w":
        with slabs.replaced(x.comm, path, "save_hdf5") as temporary:
            task.run(temporary, "w")
    else:
        with slabs.writing(path, "save_hdf5"):
            task.run(pathlib.Path(path), mode)


class _Patient(io.FileIO):
    """A file that HDF5 writes, which notes that the disk is full: HDF5 never closes one that it could not write."""

    fault: OSError | None = None

    def write(self, data: Any) -> int:
        """All of it, or nothing any more."""
        rest = memoryview(data)
        try:
            while self.fault is None and len(rest):
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.fault = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """To a length that the file may have none of."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.fault = self.fault or error
            return size or 0


@contextlib.contextmanager
def _to_write(path: pathlib.Path, mode: str) -> Iterator[Any]:
    """A file of h5py's; OSError behind it if something could not be written. Local."""
    h5py = _h5py("save_hdf5")
    if mode == "a":
        mode = "r+" if path.exists() else "w"
    with _Patient(path, "x+" if mode in ("x", "w-") else f"{mode[0]}+") as raw_file:
        try:
            with h5py.File(raw_file, "r+" if mode == "r+" else "w") as file:
                yield file
        except Exception:
            if raw_file.fault is None:
                raise
        if raw_file.fault is not None:
            raise raw_file.fault


class _Writing:
    """An array on its way into a data set."""

    def __init__(self, x: DNDarray, dataset: str, kind: torch.dtype, options: dict[str, Any]) -> None:
        self.x, self.dataset, self.kind, self.options = x, dataset, kind, options
        self.numpy_type = torch.empty(0, dtype=kind).numpy().dtype

    def run(self, path: pathlib.Path, mode: str) -> None:
        """A new data set. Collective."""
        place = slabs.on_first(self.x.comm, lambda: self.create(path, mode))
        if place is None:
            self.fill(path, 0)
        elif isinstance(place, int):
            piece = raw.piece(self.x, self.kind)
            raw.write_all(self.x.comm, path, [(place + piece.begin, piece.block)])
        else:
            x = chunked.by_chunks(self.x, 0, place.extents)
            block, where = (slabs.values(x, self.kind), slabs.slab(x)) if slabs.writes(x) else (None, ())
            own = () if block is None else chunked.whole_chunks(block, where, place.extents)
            raw.write_all(x.comm, path, ((place.offsets[index], values) for index, values in own))

    def create(self, path: pathlib.Path, mode: str) -> int | _Chunks | None:
        """Makes the data set; where its bytes lie, if they are to be written there."""
        h5py, options = _h5py("save_hdf5"), dict(self.options)
        early = options.keys() <= {"chunks"} and self.x.size > 0
        if early:
            layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            options["dcpl"] = layout
        with _to_write(path, mode) as file:
            target = file.create_dataset(self.dataset, self.x.shape, dtype=self.numpy_type, **options)
            stored = _plain(target, path) if early else None
            return stored.offset if stored is not None else _plain_chunks(target) if early else None

    def fill(self, path: pathlib.Path, begin: int) -> None:
        """Writes the blocks from row `begin` on through HDF5. Collective."""
        x, every = self.x, _parallel(self.x.comm, "save_hdf5")
        where = slabs.slab(x)
        if begin:
            where = (slice(begin + where[0].start, begin + where[0].stop), *where[1:])

        def write() -> None:
            opened = _h5py("save_hdf5").File(path, "r+", **every) if every else _to_write(path, "r+")
            with opened as file:
                target = file[self.dataset]
                # packed chunks need all ranks at once, those too that have nothing
                with target.collective if every else contextlib.nullcontext():
                    target[where if where else ...] = slabs.values(x, self.kind)

        if every:
            slabs.together(x.comm, write)
        else:
            slabs.in_turn(x.comm, lambda: write() if slabs.writes(x) else None)

    def append(self, path: pathlib.Path, mode: str) -> None:
        """Rows behind those of the data set. Collective."""

        def grow() -> int:
            with _to_write(path, mode) as file:
                if self.dataset not in file:
                    shape, most = self.x.shape, (None, *self.x.shape[1:])
                    options = {"maxshape": most, "chunks": True, **self.options}
                    file.create_dataset(self.dataset, shape, dtype=self.numpy_type, **options)
                    return 0
                target = file[self.dataset]
                begin = target.shape[0] if target.shape else 0
                whole = (begin + self.x.shape[0], *self.x.shape[1:])
                if target.shape[1:] != self.x.shape[1:] or target.dtype != self.numpy_type or target.chunks is None:
                    raise ValueError(
                        f"save_hdf5: rows of {self.numpy_type} {tuple(self.x.shape[1:])} do not go behind those of "
                        f"{self.dataset!r}, which has {target.dtype} {target.shape}, maxshape {target.maxshape}"
                    )
                target.resize(whole)
                return int(begin)

        self.fill(path, slabs.on_first(self.x.comm, grow))
