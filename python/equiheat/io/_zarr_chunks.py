# SPDX-License-Identifier: BSD-3-Clause
"""Chunks of a Zarr array straight into place, where each is a file of its values, packed with Zstandard, Blosc or not.

Zarr itself reads a chunk's file, unpacks it and copies it, each into memory that is new; here the memory of a packed
chunk is used again, and a chunk that is one run of the target is unpacked into it. What is not that simple (shards,
filters, other byte orders, other stores) is left to Zarr. A file whose values are not those of a chunk is an error,
where Zarr may return what it finds in memory.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import math
import os
import pathlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from equiheat._optional import needed
from equiheat.io import _raw as raw

_FN = "load_zarr"


def _zstd_size(packed: memoryview) -> int | None:
    """The size that the header of a Zstandard frame states (RFC 8878, 3.1.1.1)."""
    if len(packed) < 6 or bytes(packed[:4]) != b"\x28\xb5\x2f\xfd":
        return 0
    kind, single, dictionary = packed[4] >> 6, packed[4] >> 5 & 1, packed[4] & 3
    begin = 5 + (0 if single else 1) + (0, 1, 2, 4)[dictionary]
    size = (single, 2, 4, 8)[kind]
    return int.from_bytes(packed[begin : begin + size], "little") + (256 if kind == 1 else 0) if size else None


def _blosc_size(packed: memoryview) -> int | None:
    """The size that the header of a Blosc buffer states; 0 if the buffer is not as long as it says: Blosc reads on."""
    whole = len(packed) >= 16 and int.from_bytes(packed[12:16], "little") == len(packed)
    return int.from_bytes(packed[4:8], "little") if whole else 0


#: Name of a packing to the size of what is packed, None if it is not stated. It must be that of a chunk: a shorter one
#: would leave memory as it was found.
_SIZES: dict[str, Callable[[memoryview], int | None]] = {"": len, "zstd": _zstd_size, "blosc": _blosc_size}


def in_place(codec: Any) -> bool:
    """True if a Zarr 3 codec makes values bytes as they lie in this machine's memory."""
    if not isinstance(codec, needed("zarr.codecs", _FN).BytesCodec):
        return False
    return codec.endian is None or getattr(codec.endian, "value", codec.endian) == sys.byteorder


def packing(data: Any) -> str | None:
    """What packs a chunk's values to the bytes of its file: "zstd", "blosc", "" for nothing; None for anything else."""
    meta, codecs = data.metadata, needed("zarr.codecs", _FN)
    if not isinstance(data.store, needed("zarr.storage", _FN).LocalStore) or data.dtype.kind not in "biufc":
        return None
    if meta.zarr_format == 2:
        simple = data.dtype.isnative and not meta.filters and (meta.order == "C" or data.ndim < 2)
        name = "" if meta.compressor is None else getattr(meta.compressor, "codec_id", None)
    else:
        simple = 0 < len(meta.codecs) < 3 and in_place(meta.codecs[0]) and hasattr(meta.chunk_grid, "chunk_shape")
        names = {codecs.ZstdCodec: "zstd", codecs.BloscCodec: "blosc"}
        name = "".join(names.get(type(codec), "other") for codec in meta.codecs[1:])
    return name if simple and name in _SIZES else None


class _Piece(NamedTuple):
    """Where a part of a chunk is in the grid of chunks, in the chunk, and in the target."""

    place: tuple[int, ...]
    inner: tuple[slice, ...]
    outer: tuple[slice, ...]


def pieces(own: Sequence[slice], chunks: Sequence[int]) -> Iterator[_Piece]:
    """What each chunk holds of a part with steps of one. Local."""
    ranges = (range(part.start // n, -(-part.stop // n)) for part, n in zip(own, chunks, strict=True))
    for place in itertools.product(*ranges):
        inner, outer = [], []
        for i, n, part in zip(place, chunks, own, strict=True):
            first, last = max(part.start, i * n), min(part.stop, (i + 1) * n)
            inner.append(slice(first - i * n, last - i * n, 1))
            outer.append(slice(first - part.start, last - part.start, 1))
        yield _Piece(place, tuple(inner), tuple(outer))


class _Reader(threading.local):
    """Fills a target from chunks; each thread has memory for one packed and one unpacked chunk."""

    def __init__(self, data: Any, name: str, target: np.ndarray[Any, Any]) -> None:
        self.folder = pathlib.Path(data.store.root) / data.path
        self.key, self.fill, self.chunks = data.metadata.encode_chunk_key, data.fill_value, tuple(data.chunks)
        self.target, self.size_of = target, _SIZES[name]
        self.decode = needed("numcodecs", _FN).get_codec({"id": name}).decode if name else None
        self.packed = np.empty(0, np.uint8)
        self.chunk = np.empty(0, target.dtype)

    def read(self, piece: _Piece) -> bool:
        """False if the chunk's file is to be left to Zarr."""
        target, path = self.target[piece.outer], self.folder / self.key(piece.place)
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            target[...] = 0 if self.fill is None else self.fill
            return self.fill is not None
        if self.decode is not None:
            return self._unpacked(path, size, piece, target)
        self._check(path, size)
        raw.read_into(raw.Stored(path, 0, self.target.dtype, self.chunks), piece.inner, target)
        return True

    def _unpacked(self, path: pathlib.Path, size: int, piece: _Piece, target: np.ndarray[Any, Any]) -> bool:
        if target.shape == self.chunks and target.flags.c_contiguous:
            return self._unpack(path, size, target)
        if self.chunk.shape != self.chunks:
            self.chunk = np.empty(self.chunks, self.target.dtype)
        simple = self._unpack(path, size, self.chunk)
        target[...] = self.chunk[piece.inner]
        return simple

    def _check(self, path: pathlib.Path, size: int) -> None:
        right = self.target.itemsize * math.prod(self.chunks)
        if size != right:
            raise ValueError(f"load_zarr: the values in {str(path)!r} have {size} bytes, those of a chunk have {right}")

    def _file(self, path: pathlib.Path, size: int) -> memoryview:
        if self.packed.size < size:
            self.packed = np.empty(size, np.uint8)
        with open(path, "rb", buffering=0) as file:
            return self.packed[: file.readinto(self.packed[:size].data) or 0].data

    def _unpack(self, path: pathlib.Path, size: int, into: np.ndarray[Any, Any]) -> bool:
        packed = self._file(path, size)
        stated = self.size_of(packed)
        if self.decode is None or stated is None:
            return False
        self._check(path, stated)
        try:
            self.decode(packed, raw.as_bytes(into))
        except RuntimeError as error:
            raise ValueError(f"load_zarr: {str(path)!r} cannot be unpacked: {error}") from error
        return True


def read(data: Any, own: tuple[slice, ...], target: np.ndarray[Any, Any]) -> bool:
    """Fills a target with a part of a Zarr array; False if that is to be left to Zarr. Local.

    One thread for each of torch's: as many as this rank has cores.
    """
    name = packing(data)
    if name is None or data.ndim == 0 or not all(part.step == 1 for part in own):
        return False
    reader, found = _Reader(data, name, target), list(pieces(own, data.chunks))
    threads = min(torch.get_num_threads(), len(found), os.cpu_count() or 1)
    if threads < 2:
        return all(map(reader.read, found))
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return all(pool.map(reader.read, found))
