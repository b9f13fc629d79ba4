# SPDX-License-Identifier: BSD-3-Clause
"""NumPy's .npz: several arrays in a ZIP archive, read slab by slab and written by all ranks at once."""

from __future__ import annotations

import pathlib
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat._function import torch_dtype
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.io import _raw as raw
from equiheat.io import _slabs as slabs
from equiheat.io import npy
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

#: Bytes of a packed member that are unpacked at a time.
_BUFFER = 1 << 22
_FULL, _MADE, _DAY = 0xFFFFFFFF, 0x032D, 0x21  # sizes stand in the ZIP64 field; version 4.5; 1980-01-01


def load_npz(
    path: Path,
    variable: str | None = None,
    dtype: Any = None,
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    *,
    slices: Any = None,
) -> DNDarray:
    """An array from a .npz archive, of which each rank reads its own part.

    Parameters
    ----------
    path : path
    variable : str, optional
        Name of the array; may be left out where there is one only.
    dtype, split, device, comm, slices
        As in `load_hdf5`.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError, TypeError
        No such file or array; Python objects. On all ranks.

    Notes
    -----
    Members that are stored are read in place. Packed ones (``numpy.savez_compressed``) are unpacked on every rank in
    pieces, of which each keeps its part.

    Examples
    --------
    >>> ht.load_npz("missing.npz")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_npz: there is no 'missing.npz'
    """
    comm, place = sanitize_comm(comm), sanitize_device(device)
    wanted = torch_dtype(dtype)

    @slabs.reading(path, "load_npz")
    def work() -> tuple[torch.Tensor, list[int], int | None]:
        found = slabs.existing(path, "load_npz")
        if not zipfile.is_zipfile(found):
            raise ValueError(f"load_npz: {str(path)!r} is no ZIP archive")
        with zipfile.ZipFile(found) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            info = archive.getinfo(members[slabs.pick(list(members), variable, path, "load_npz")])
            with archive.open(info) as file:
                stored = npy.stored(file, found, _begin(found, info), "load_npz")  # type: ignore[arg-type]
                parts = slabs.chosen(stored.shape, slices, "load_npz")
                axis = sanitize_split(split, len(parts), "load_npz")
                own = slabs.own_part(parts, axis, comm)
                loose = info.compress_type == zipfile.ZIP_STORED
                if loose:
                    raw.check_size(stored, "load_npz")
                block = raw.read(stored, own) if loose else _unpacked(file, stored, own)
        local = torch.from_numpy(block)
        return local if wanted is None else local.to(wanted), slabs.extents(parts), axis

    local, shape, axis = slabs.together(comm, work)
    return slabs.assembled(local, shape, axis, place, comm)


def _begin(path: pathlib.Path, info: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin: behind its local header, whose lengths are its own."""
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
    return info.header_offset + 30 + name + extra


def _unpacked(file: Any, stored: raw.Stored, own: tuple[slice, ...]) -> np.ndarray[Any, Any]:
    """The part of an array that comes as a stream: rows go by, the wanted ones are kept."""
    shape = stored.shape[::-1] if stored.fortran else stored.shape
    own = own[::-1] if stored.fortran else own
    block = np.empty(slabs.extents(own), stored.dtype)
    if not shape:
        block[...] = np.frombuffer(file.read(stored.dtype.itemsize), stored.dtype)[0]
    elif block.size:
        wanted = range(own[0].start, own[0].stop, own[0].step)
        row = stored.dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
        step = max(1, _BUFFER // row)
        for first in range(0, wanted[-1] + 1, step):
            rows = min(step, shape[0] - first)
            piece = np.frombuffer(file.read(rows * row), stored.dtype).reshape(rows, *shape[1:])
            # The places of the wanted rows within the piece, and of the piece's within the result.
            skipped = max(0, -(-(first - wanted.start) // wanted.step))
            inside = slice(wanted.start + skipped * wanted.step - first, max(0, wanted.stop - first), wanted.step)
            kept = piece[(inside, *own[1:])]
            block[skipped : skipped + len(kept)] = kept
    block = block.T if stored.fortran else block
    return np.ascontiguousarray(block.astype(block.dtype.newbyteorder("="), copy=False)).reshape(block.shape)


def save_npz(data: DNDarray | Mapping[str, DNDarray], path: Path, variable: str = "arr_0") -> None:
    """Arrays as a .npz archive, not packed, which takes the place of an old one when it is complete.

    Parameters
    ----------
    data : DNDarray, or mapping of names to them
        Any splits, on one communicator. bfloat16 becomes float32.
    path : path
    variable : str
        Name of a single array.

    Raises
    ------
    TypeError, ValueError, OSError
        No arrays, file system. On all ranks.

    Notes
    -----
    Ranks write at once, each at its offset; splits other than 0 are moved there before by one alltoallv. Each computes
    the checksum of its bytes, and the sums of all are combined. Source: PKWARE, APPNOTE 6.3.9 (ZIP64).

    Examples
    --------
    >>> import tempfile, os
    >>> folder = tempfile.mkdtemp() if ht.get_comm().rank == 0 else None
    >>> path = os.path.join(ht.get_comm().handle.bcast(folder, 0), "x.npz")
    >>> ht.save_npz({"a": ht.arange(3, split=0), "b": ht.ones((2, 2))}, path)
    >>> ht.load_npz(path, "a", split=0).tolist()
    [0, 1, 2]
    """
    arrays = slabs.named(data, variable, "save_npz")
    comm = next(iter(arrays.values())).comm
    pieces = {
        name: raw.piece(x, torch.float32 if x.larray.dtype == torch.bfloat16 else None) for name, x in arrays.items()
    }
    own = [(p.block.nbytes, zlib.crc32(raw.as_bytes(p.block))) for p in pieces.values()]
    every = comm.handle.allgather(own) if comm.size > 1 else [own]
    archive = _Archive()
    parts: list[tuple[int, Any]] = []
    for number, (name, piece) in enumerate(pieces.items()):
        begin = archive.add(f"{name}.npy", npy.header(piece), piece.nbytes, [facts[number] for facts in every])
        parts.append((begin + piece.begin, piece.block))
    with slabs.replaced(comm, path, "save_npz") as temporary:
        slabs.on_first(comm, lambda: temporary.touch())
        raw.write_all(comm, temporary, parts + (archive.frame() if comm.rank == 0 else []))


class _Archive:
    """The headers of a ZIP archive, each with its offset."""

    def __init__(self) -> None:
        self.size, self.headers, self.central = 0, [], []  # type: int, list[tuple[int, bytes]], list[bytes]

    def add(self, name: str, head: bytes, size: int, ranks: list[tuple[int, int]]) -> int:
        """Room for a member; where the bytes behind its head begin."""
        crc, total = zlib.crc32(head), len(head) + size
        for length, part in ranks:
            crc = combined(crc, part, length)
        text = name.encode()
        common = struct.pack("<HHHHIIIH", 0x800, 0, 0, _DAY, crc, _FULL, _FULL, len(text))
        sizes = struct.pack("<QQ", total, total)
        local = b"PK\3\4" + struct.pack("<H", 45) + common + struct.pack("<H", 20) + text + b"\1\0\x10\0" + sizes
        place = struct.pack("<HHHHII", 28, 0, 0, 0, 0o600 << 16, _FULL)
        extra = b"\1\0\x18\0" + sizes + struct.pack("<Q", self.size)
        self.central.append(b"PK\1\2" + struct.pack("<HH", _MADE, 45) + common + place + text + extra)
        self.headers.append((self.size, local + head))
        begin = self.size + len(local) + len(head)
        self.size = begin + size
        return begin

    def frame(self) -> list[tuple[int, bytes]]:
        """Everything but the arrays."""
        central, number = b"".join(self.central), len(self.central)
        end = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, _MADE, 45, 0, 0, number, number, len(central), self.size)
        end += b"PK\6\7" + struct.pack("<IQI", 0, self.size + len(central), 1)
        count = min(number, 0xFFFF)
        end += b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, _FULL, _FULL, 0)
        return [*self.headers, (self.size, central + end)]


_POLYNOMIAL = 0xEDB88320


def _product(a: int, b: int) -> int:
    """Of two polynomials over GF(2) modulo that of the checksum, the highest power in the lowest bit."""
    result = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            result ^= b
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return result


def combined(first: int, second: int, length: int) -> int:
    """CRC-32 of two strings behind one another from those of each; `length` bytes are in the second. Local."""
    power, shift = 1 << 23, 1 << 31  # x^8: one byte; x^0
    while length:
        if length & 1:
            shift = _product(power, shift)
        power = _product(power, power)
        length >>= 1
    return _product(shift, first) ^ second
