# SPDX-License-Identifier: BSD-3-Clause
"""Arrays that lie in a file as they lie in memory: slabs are read into place, and written at their offsets."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from equiheat._function import torch_dtype
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.distribution import resplit
from equiheat.io import _slabs as slabs

if TYPE_CHECKING:
    from equiheat.array import DNDarray

#: Linux moves at most 2^31 - 4096 bytes in one call.
_MOST = 1 << 30


class Stored(NamedTuple):
    """Where and how an array lies in a file."""

    path: pathlib.Path
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool = False
    seen_as: torch.dtype | None = None  #: where NumPy has no such type


@contextlib.contextmanager
def _opened(path: pathlib.Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _begin(shape: Sequence[int], own: Sequence[slice]) -> int | None:
    """The first element of a selection that is one run in C order; None for any other."""
    lengths = slabs.extents(own)
    partial = [axis for axis, extent in enumerate(shape) if lengths[axis] != extent]
    last = partial[-1] if partial else 0
    if any(lengths[axis] != 1 for axis in range(last)):
        return None
    if own and lengths[last] > 1 and own[last].step != 1:
        return None
    begin = 0
    for part, extent in zip(own, shape, strict=True):
        begin = begin * extent + part.start
    return begin


def read(stored: Stored, own: tuple[slice, ...]) -> np.ndarray[Any, Any]:
    """A part of an array, in this machine's byte order and C order. Local."""
    block = np.empty(slabs.extents(own), stored.dtype)
    read_into(stored, own, block)
    return block.astype(block.dtype.newbyteorder("="), copy=False)


def read_into(stored: Stored, own: tuple[slice, ...], block: np.ndarray[Any, Any]) -> None:
    """Fills a block, of the file's data type, with a part of an array. Local."""
    if block.size == 0:
        return
    whole = block.flags.c_contiguous and not (stored.fortran and len(stored.shape) > 1)
    begin = _begin(stored.shape, own) if whole else None
    if begin is None:
        order: Any = "F" if stored.fortran else "C"
        block[...] = np.memmap(stored.path, stored.dtype, "r", stored.offset, stored.shape, order)[own]
    else:
        _fill(stored.path, stored.offset + begin * stored.dtype.itemsize, as_bytes(block))


def as_bytes(block: np.ndarray[Any, Any]) -> memoryview:
    """The memory of a contiguous block. Local."""
    return block.reshape(-1).view(np.uint8).data


def is_only(block: np.ndarray[Any, Any], value: np.ndarray[Any, Any]) -> bool:
    """True if all elements have the bits of one number. Local."""
    same = value.tobytes()
    if as_bytes(block)[: len(same)] != same:
        return False
    word = np.dtype(f"u{min(len(same), 8)}")
    words = block.reshape(-1).view(word).reshape(block.size, -1)
    return bool((words == np.frombuffer(same, word)).all())


def _fill(path: pathlib.Path, offset: int, target: memoryview) -> None:
    done = 0
    with _opened(path, os.O_RDONLY) as file:
        while done < len(target):
            got = os.preadv(file, [target[done : done + _MOST]], offset + done)
            if got == 0:
                raise ValueError(f"{str(path)!r} ends {len(target) - done} bytes too early")
            done += got


def write(path: pathlib.Path, offset: int, block: np.ndarray[Any, Any] | bytes) -> None:
    """A contiguous block, or bytes, at an offset of an existing file. Local."""
    source = memoryview(block) if isinstance(block, bytes) else as_bytes(block)
    done = 0
    with _opened(path, os.O_WRONLY) as file:
        while done < len(source):
            done += os.pwrite(file, source[done : done + _MOST], offset + done)


def check_size(stored: Stored, fn: str) -> None:
    """ValueError for a file that was cut, or whose header promises more than there is. Local."""
    if min(stored.shape, default=0) < 0:
        raise ValueError(f"{fn}: {str(stored.path)!r} describes an array of shape {stored.shape}")
    end = stored.offset + math.prod(stored.shape) * stored.dtype.itemsize
    missing = end - stored.path.stat().st_size
    if missing > 0:
        raise ValueError(f"{fn}: {str(stored.path)!r} ends {missing} bytes too early")


def load(
    find: Callable[[], Stored], split: int | None, slices: Any, dtype: Any, device: Any, comm: Any, fn: str
) -> DNDarray:
    """The array that `find` locates, of which each rank reads its own part. Collective: one allgather."""
    comm, place = sanitize_comm(comm), sanitize_device(device)
    wanted = torch_dtype(dtype)

    def work() -> tuple[torch.Tensor, list[int], int | None]:
        stored = find()
        check_size(stored, fn)
        parts = slabs.chosen(stored.shape, slices, fn)
        axis = sanitize_split(split, len(parts), fn)
        local = torch.from_numpy(read(stored, slabs.own_part(parts, axis, comm)))
        local = local if stored.seen_as is None else local.view(stored.seen_as)
        return local if wanted is None else local.to(wanted), slabs.extents(parts), axis

    local, shape, axis = slabs.together(comm, work)
    return slabs.assembled(local, shape, axis, place, comm)


class Piece(NamedTuple):
    """One array on its way into a file: the rows of this rank, and where in the array they begin."""

    block: np.ndarray[Any, Any]
    shape: tuple[int, ...]
    begin: int
    kind: torch.dtype

    @property
    def nbytes(self) -> int:
        """Of the whole array."""
        return math.prod(self.shape) * self.block.dtype.itemsize


def piece(x: DNDarray, kind: torch.dtype | None = None) -> Piece:
    """This rank's part of a file in C order; splits other than 0 are moved there by one alltoallv. Collective then."""
    x = resplit(x, 0) if x.split not in (None, 0) else x
    local = x.larray.detach().cpu().resolve_conj().resolve_neg().contiguous()
    local = local if kind is None else local.to(kind)
    kind = local.dtype
    local = local.view(torch.int16) if kind == torch.bfloat16 else local
    where = slabs.slab(x)
    block = local.numpy() if slabs.writes(x) else local.numpy().reshape(-1)[:0]
    row = math.prod(x.shape[1:]) * block.dtype.itemsize
    return Piece(block, tuple(x.shape), where[0].start * row if where else 0, kind)


def write_all(comm: Communicator, path: pathlib.Path, parts: Iterable[tuple[int, Any]]) -> None:
    """Every rank's bytes at their offsets, at once; the file is there. Collective: one allgather."""

    def work() -> None:
        for offset, block in parts:
            write(path, offset, block)

    slabs.together(comm, work)
