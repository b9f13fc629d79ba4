# SPDX-License-Identifier: BSD-3-Clause
"""Chunks read straight into place are what Zarr reads; it reads what is not that simple; wrong files are errors."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import equiheat as ht
from equiheat.io import _zarr_chunks as zarr_chunks
from equiheat.testing import assert_equal

zarr = pytest.importorskip("zarr")
numcodecs = pytest.importorskip("numcodecs")
COMM = ht.get_comm()
PACKINGS: dict[str, dict[str, Any]] = {
    "zstd": {},
    "zstd with checksums": {"compressors": zarr.codecs.ZstdCodec(level=3, checksum=True)},
    "blosc": {"compressors": zarr.codecs.BloscCodec()},
    "nothing": {"compressors": None},
    "2 zstd": {"zarr_format": 2},
    "2 blosc": {"zarr_format": 2, "compressors": numcodecs.Blosc()},
    "2 nothing": {"zarr_format": 2, "compressors": None},
    "2 nested": {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
}
OTHERS: dict[str, dict[str, Any]] = {
    "shards": {"chunks": (3, 2, 4), "shards": (3, 4, 4)},
    "gzip": {"compressors": zarr.codecs.GzipCodec()},
    "two": {"compressors": [zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()]},
    "other byte order": {"serializer": zarr.codecs.BytesCodec(endian="big")},
    "columns first": {"zarr_format": 2, "order": "F"},
    "filters": {"zarr_format": 2, "filters": [numcodecs.Delta("<i4")]},
}
VALUE = np.random.default_rng(5).integers(-9, 9, (13, 7, 5))
PARTS = [
    (slice(0, 13, 1), slice(0, 7, 1), slice(0, 5, 1)),
    (slice(2, 12, 1), slice(0, 7, 1), slice(0, 5, 1)),
    (slice(4, 9, 1), slice(3, 4, 1), slice(1, 5, 1)),
    (slice(12, 13, 1), slice(6, 7, 1), slice(0, 1, 1)),
]


@pytest.fixture
def folder() -> Iterator[pathlib.Path]:
    name = COMM.handle.bcast(tempfile.mkdtemp() if COMM.rank == 0 else None, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Zarr's, of codecs that have no specification
        yield pathlib.Path(name)
    COMM.barrier()
    if COMM.rank == 0:
        shutil.rmtree(name, ignore_errors=True)


def made(path: pathlib.Path, value: np.ndarray[Any, Any], **options: Any) -> Any:
    """What one process has written, opened by all."""
    if COMM.rank == 0:
        zarr.create_array(str(path), data=value, **options)
    COMM.barrier()
    return zarr.open(str(path), mode="r")


def read(data: Any, own: tuple[slice, ...]) -> tuple[bool, np.ndarray[Any, Any]]:
    target = np.full([part.stop - part.start for part in own], 77, data.dtype)
    return zarr_chunks.read(data, own, target), target


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("threads", [1, 3])
def test_what_zarr_reads(folder: pathlib.Path, packing: str, threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        kinds = (((4, 7, 5), "f4"), ((4, 7, 5), "?"), ((5, 4, 4), "c16"), ((13, 7, 1), "u8"), ((20, 9, 8), "f2"))
        for chunks, dtype in kinds:
            value = VALUE.astype(dtype)
            data = made(folder / f"{chunks}{dtype}", value, chunks=chunks, **PACKINGS[packing])
            for own in PARTS:
                simple, found = read(data, own)
                assert simple, (chunks, dtype)
                np.testing.assert_array_equal(found, value[own])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("other", OTHERS)
def test_left_to_zarr(folder: pathlib.Path, other: str) -> None:
    value = VALUE.astype("<i4")
    data = made(folder / "x.zarr", value, **{"chunks": (4, 7, 5), **OTHERS[other]})
    assert not read(data, PARTS[1])[0]
    for split in (None, 0, 1, 2):
        assert_equal(ht.load_zarr(folder / "x.zarr", split=split), value)


@pytest.mark.parametrize("packing", PACKINGS)
def test_splits_and_groups(folder: pathlib.Path, packing: str) -> None:
    if COMM.rank == 0:
        zarr.open_group(str(folder / "x.zarr"), mode="w", zarr_format=PACKINGS[packing].get("zarr_format", 3))
    value = VALUE.astype("f8")
    made(folder / "x.zarr" / "inner" / "y", value, chunks=(3, 4, 5), **PACKINGS[packing])
    for split in (None, 0, 1, 2):
        x = ht.load_zarr(folder / "x.zarr", "inner/y", split=split, slices=(slice(1, 12), None, slice(1, 4)))
        assert_equal(x, value[1:12, :, 1:4], split=split, balanced=True)


def test_numbers_and_gaps(folder: pathlib.Path) -> None:
    assert ht.load_zarr(made_path(folder / "number", np.float64(2.5))).item() == 2.5
    value = np.zeros((9, 4), "f4")
    value[4:6] = 3
    for number, options in enumerate([{"fill_value": 0}, {"fill_value": 0, "zarr_format": 2}]):
        data = made(folder / f"gaps{number}", value, chunks=(2, 4), **options)
        simple, found = read(data, (slice(1, 9, 1), slice(0, 4, 1)))
        assert simple
        np.testing.assert_array_equal(found, value[1:])


def made_path(path: pathlib.Path, value: Any) -> pathlib.Path:
    made(path, np.asarray(value))
    return path


@pytest.mark.parametrize("packing", ["zstd", "blosc", "nothing"])
@pytest.mark.parametrize("fault", ["cut", "empty", "half", "longer", "noise"])
def test_wrong_files(folder: pathlib.Path, packing: str, fault: str) -> None:
    """None is read as if it were right, on any rank (Zarr returns what it finds in memory for some of them)."""
    value = np.random.default_rng(1).standard_normal((8, 16)).astype("f4")
    made(folder / "x.zarr", value, chunks=(4, 16), **PACKINGS[packing])
    path, codec = folder / "x.zarr" / "c" / "1" / "0", {"zstd": numcodecs.Zstd(), "blosc": numcodecs.Blosc()}
    pack = codec[packing].encode if packing in codec else bytes
    if COMM.rank == 0:
        right = path.read_bytes()
        path.write_bytes(
            {
                "cut": right[:-9],
                "empty": b"",
                "half": pack(value[4:6].tobytes()),
                "longer": pack(value.tobytes()),
                "noise": bytes(range(255)),
            }[fault]
        )
    COMM.barrier()
    for split in (None, 0, 1):
        with pytest.raises(ValueError, match=r"load_zarr: .*1.0"):
            ht.load_zarr(folder / "x.zarr", split=split)


def test_size_not_stated(folder: pathlib.Path) -> None:
    """A frame written as a stream does not state its size: Zarr may read it."""
    value = np.arange(32, dtype="f4").reshape(8, 4)
    data = made(folder / "x.zarr", value, chunks=(4, 4))
    raw_block = b"\x28\xb5\x2f\xfd\x00\x58" + (64 << 3 | 1).to_bytes(3, "little") + value[4:].tobytes()
    COMM.barrier()
    if COMM.rank == 0:
        (folder / "x.zarr" / "c" / "1" / "0").write_bytes(raw_block)
    COMM.barrier()
    assert not read(data, (slice(0, 8, 1), slice(0, 4, 1)))[0]
    np.testing.assert_array_equal(data[...], value)
    assert_equal(ht.load_zarr(folder / "x.zarr"), value)
