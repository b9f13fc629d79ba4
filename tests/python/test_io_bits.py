# SPDX-License-Identifier: BSD-3-Clause
"""Files keep every bit, grow by appending, are readable by the libraries they belong to, and survive a kill."""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from launcher import outside

import equiheat as ht
from equiheat.io.npz import combined
from equiheat.testing import assert_equal, with_counts

COMM = ht.get_comm()
SIZE, RANK = COMM.size, COMM.rank
FORMATS = {
    "h5": (lambda x, p, **k: ht.save(x, p, "x", **k), lambda p, **k: ht.load(p, "x", **k)),
    "nc": (lambda x, p, **k: ht.save(x, p, "x", **k), lambda p, **k: ht.load(p, "x", **{"dtype": None, **k})),
    "npy": (ht.save, ht.load),
    "npz": (ht.save, ht.load),
    "safetensors": (ht.save, ht.load),
    "zarr": (lambda x, p, **k: ht.save(x, p, **k), lambda p, **k: ht.load(p, **{"split": None, **k})),
}
WHOLE = ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
FLOATS = {"float16": "u2", "float32": "u4", "float64": "u8"}


@pytest.fixture(scope="module")
def folder() -> Iterator[pathlib.Path]:
    """One for all ranks."""
    name = COMM.handle.bcast(tempfile.mkdtemp() if RANK == 0 else None, 0)
    yield pathlib.Path(name)
    COMM.barrier()
    if RANK == 0:
        shutil.rmtree(name, ignore_errors=True)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that write the files
        yield


def bits(dtype: str, rows: int = 7) -> np.ndarray:
    """Extremes; for floats NaN with payloads of both signs, -0.0, subnormal numbers, infinities."""
    if dtype == "bool":
        return np.arange(rows * 2).reshape(rows, 2) % 3 == 0
    if dtype in WHOLE:
        info = np.iinfo(dtype)
        return np.resize(np.array([info.min, info.max, 0, 1, info.max // 2], dtype), (rows, 2))
    if dtype.startswith("complex"):
        real = bits({"complex64": "float32", "complex128": "float64"}[dtype], 2 * rows)
        return np.ascontiguousarray(real.reshape(rows, 4)).view(dtype)
    info = np.finfo(dtype)
    count = np.dtype(FLOATS[dtype])
    special = np.array([np.nan, -np.nan, -0.0, np.inf, -np.inf, info.smallest_subnormal, info.max], dtype).view(count)
    special[:2] += 5  # the payload
    return np.resize(np.concatenate([special, np.array([1.5, 1 / 3], dtype).view(count)]), (rows, 2)).view(dtype)


def same_bits(x: ht.DNDarray, value: np.ndarray) -> None:
    own = x.resplit(None).larray.numpy()
    assert own.dtype == value.dtype and own.shape == value.shape
    assert own.tobytes() == value.tobytes()


@pytest.mark.parametrize("dtype", [*WHOLE, *FLOATS, "complex64", "complex128"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_bits(folder: pathlib.Path, suffix: str, dtype: str) -> None:
    value, path = bits(dtype), folder / f"bits-{dtype}.{suffix}"
    save, load = FORMATS[suffix]
    x = ht.array(value, split=0)
    if (suffix == "nc" and dtype.startswith("complex")) or (suffix, dtype) == ("safetensors", "complex128"):
        with pytest.raises(TypeError, match="complex"):
            save(x, path)
        return
    if (suffix, dtype) == ("nc", "float16"):
        with pytest.raises(TypeError, match="float16"):
            save(x, path)
        return
    save(x, path)
    for split in (None, 0, 1):
        same_bits(load(path, split=split), value)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (1,), (2, 1, 3), ()])
def test_shapes(folder: pathlib.Path, suffix: str, shape: tuple[int, ...]) -> None:
    save, load = FORMATS[suffix]
    value = np.arange(float(np.prod(shape))).reshape(shape)
    for split in [None, *range(len(shape))]:
        path = folder / f"shape-{shape}-{split}.{suffix}"
        save(ht.array(value, split=split), path)
        assert_equal(load(path), value)
        if split is not None:
            assert_equal(load(path, split=split), value, split=split, balanced=True)


@pytest.mark.parametrize("suffix", FORMATS)
def test_uneven(folder: pathlib.Path, suffix: str) -> None:
    save, load = FORMATS[suffix]
    value = np.arange(36.0).reshape(9, 4)
    for split, extent in ((0, 9), (1, 4)):
        counts = [0] * (SIZE - 1) + [extent]
        save(with_counts(value, split, counts), folder / f"uneven{split}.{suffix}")
        assert_equal(load(folder / f"uneven{split}.{suffix}", split=1 - split), value)


def written(path: pathlib.Path, work: Any) -> None:
    """What one process writes, seen by all."""
    COMM.barrier()
    if RANK == 0:
        work(path)
    COMM.barrier()


def test_others_read_what_we_write(folder: pathlib.Path) -> None:
    h5py, safetensors = pytest.importorskip("h5py"), pytest.importorskip("safetensors.numpy")
    zarr, netcdf = pytest.importorskip("zarr"), pytest.importorskip("netCDF4")
    value = bits("float32", 11)
    x = ht.array(value, split=0)
    for suffix in FORMATS:
        FORMATS[suffix][0](x, folder / f"ours.{suffix}")
    COMM.barrier()
    with h5py.File(folder / "ours.h5") as file, netcdf.Dataset(folder / "ours.nc") as other:
        other.set_auto_mask(False)
        found = [file["x"][...], other["x"][...], np.load(folder / "ours.npy"), np.load(folder / "ours.npz")["arr_0"]]
    found.append(safetensors.load_file(folder / "ours.safetensors")["data"])
    found.append(zarr.open(str(folder / "ours.zarr"), mode="r")[...])
    for other in found:
        assert other.dtype == value.dtype
        assert other.tobytes() == value.tobytes()


def test_we_read_what_others_write(folder: pathlib.Path) -> None:
    big = np.arange(60.0).reshape(5, 4, 3).astype(">f8")
    fortran = np.asfortranarray(big.astype("i4"))
    path = folder / "packed.npz"
    written(path, lambda p: np.savez_compressed(p, big=big, fortran=fortran, one=np.array(3)))
    written(folder / "loose.npz", lambda p: np.savez(p, big=big, fortran=fortran, one=np.array(3)))
    written(folder / "fortran.npy", lambda p: np.save(p, fortran))
    written(folder / "big.npy", lambda p: np.save(p, big))
    parts = [None, (slice(1, 5, 2), slice(None), slice(1, 3)), (slice(3, 3),), (slice(4, 5), slice(1, 4, 2))]
    for split in (None, 0, 1, 2):
        for part in parts:
            key = tuple(s or slice(None) for s in part or ())
            for archive in (path, folder / "loose.npz"):
                assert_equal(ht.load(archive, "big", split=split, slices=part), big[key].astype("f8"))
                assert_equal(ht.load(archive, "fortran", split=split, slices=part), fortran[key])
            assert_equal(ht.load(folder / "fortran.npy", split=split, slices=part), fortran[key])
            assert_equal(ht.load(folder / "big.npy", split=split, slices=part), big[key].astype("f8"))
    assert int(ht.load(path, "one")) == 3
    with pytest.raises(KeyError, match="has no array"):
        ht.load(path, "two")
    with pytest.raises(ValueError, match="give one as variable"):
        ht.load(path)


def test_hdf5_as_others_lay_it_out(folder: pathlib.Path) -> None:
    h5py = pytest.importorskip("h5py")
    value = np.arange(84.0).reshape(12, 7)

    def lay_out(path: pathlib.Path) -> None:
        with h5py.File(path, "w", userblock_size=512) as file:
            file["user block"] = value
        with h5py.File(path.with_suffix(".two.h5"), "w") as file:
            file["big end"] = value.astype(">f4")
            file["half"] = value.astype("f2")
            file.create_dataset("chunks", data=value, chunks=(5, 3), compression="gzip", shuffle=True)
            file.create_dataset("never written", (3, 2), "f8")
            file.create_group("group")

    written(folder / "laid.h5", lay_out)
    two = folder / "laid.two.h5"
    for split in (None, 0, 1):
        assert_equal(ht.load(folder / "laid.h5", "user block", split=split), value)
        assert_equal(ht.load(two, "chunks", split=split), value)
        assert_equal(ht.load(two, "big end", split=split), value.astype("f4"), dtype=ht.float32)
        assert_equal(ht.load(two, "half", split=split), value.astype("f2"), dtype=ht.float16)
        assert_equal(ht.load(two, "never written", split=split), np.zeros((3, 2)))
        assert_equal(ht.load(two, "chunks", dtype=ht.int16, split=split), value.astype("i2"), dtype=ht.int16)
    with pytest.raises(ValueError, match="is a group"):
        ht.load(two, "group")


@pytest.mark.parametrize("mode", ["w", "a"])
@pytest.mark.parametrize("chunks", [(150, 99), (90, 250), True])
@pytest.mark.parametrize("dtype", ["f4", "c16", "?"])
def test_hdf5_chunks_are_written_at_once(folder: pathlib.Path, mode: str, chunks: Any, dtype: str) -> None:
    h5py = pytest.importorskip("h5py")
    value = (np.arange(401 * 250) % 7).reshape(401, 250).astype(dtype)
    for number, x in enumerate([*(ht.array(value, split=s) for s in (None, 0, 1)), with_counts(value, 0)]):
        path = folder / f"chunks-{mode}.h5"
        name = f"group/{chunks}-{dtype}-{number}"
        ht.save_hdf5(x, path, name, mode=mode, chunks=chunks)
        with h5py.File(path) as file:
            assert chunks is True or file[name].chunks == chunks
            np.testing.assert_array_equal(file[name][...], value)
        assert_equal(ht.load_hdf5(path, name, split=1), value)


def test_zarr_without_packing_is_what_zarr_writes(folder: pathlib.Path) -> None:
    zarr = pytest.importorskip("zarr")
    value = np.zeros((13, 7), "f4")
    value[5:, 3:] = np.arange(32.0).reshape(8, 4)
    value[12, 6], value[0, 0] = np.nan, -0.0
    kinds = (("f4", 0, False), ("f4", 0, True), ("c16", 0, False), ("?", True, False), ("i2", 3, False))
    for number, (dtype, fill, every) in enumerate(kinds):
        with np.errstate(invalid="ignore"):
            given = value.astype(dtype)
        config = {"write_empty_chunks": every}
        options = {"chunks": (4, 3), "compressors": None, "fill_value": fill, "config": config}
        theirs = folder / f"theirs{number}.zarr"
        written(theirs, lambda p, given=given, options=options: zarr.create_array(str(p), data=given, **options))
        files = {p.relative_to(theirs): p.read_bytes() for p in theirs.rglob("*") if p.is_file()}
        for split in (None, 0, 1):
            ours = folder / f"ours{number}-{split}.zarr"
            ht.save_zarr(ht.array(given, split=split), ours, **options)
            found = {p.relative_to(ours): p.read_bytes() for p in ours.rglob("*") if p.is_file()}
            zeros = {pathlib.Path("c/0/0")}  # with a -0.0, which is not the fill value to us
            assert found.keys() - zeros == files.keys() - zeros
            assert {p: found[p] for p in files} == files
            np.testing.assert_array_equal(zarr.open(str(ours), mode="r")[...], given)


@pytest.mark.parametrize("layout", [{}, {"zarr_format": 2}, {"chunks": (3, 2)}, {"chunks": (2, 2), "shards": (4, 4)}])
def test_zarr_chunks(folder: pathlib.Path, layout: dict[str, Any]) -> None:
    value = np.arange(91.0).reshape(13, 7)
    for split in (None, 0, 1):
        path = folder / "chunks.zarr"
        ht.save_zarr(ht.array(value, split=split), path, overwrite=True, **layout)
        for other in (None, 0, 1):
            x = ht.load_zarr(path, split=other, slices=(slice(2, 12), None))
            assert_equal(x, value[2:12], split=other, balanced=True)
        ht.save_zarr(ht.array(value[:4], split=split), path, append=True)
        assert_equal(ht.load_zarr(path), np.concatenate([value, value[:4]]))
    assert not list(folder.glob(".chunks*"))


def test_checksums_of_parts() -> None:
    text = bytes(range(256)) * 5
    for cut in (0, 1, 700, len(text)):
        first, second = text[:cut], text[cut:]
        assert combined(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(text)


@pytest.mark.parametrize("suffix", ["h5", "nc", "npy", "zarr", "csv"])
def test_append(folder: pathlib.Path, suffix: str) -> None:
    value, path = np.arange(30.0).reshape(10, 3), folder / f"append.{suffix}"
    save, load = FORMATS.get(suffix, (ht.save, lambda p: ht.load(p, dtype=ht.float64)))
    for rows, split in ((slice(0, 4), 0), (slice(4, 5), 1), (slice(5, 5), 0), (slice(5, 10), None)):
        save(ht.array(value[rows], split=split), path, append=True)
        assert_equal(load(path), value[: rows.stop])
    if suffix != "csv":
        for other in (value[:, :2], value.astype("f4")):
            with pytest.raises(ValueError, match="behind"):
                save(ht.array(other, split=0), path, append=True)
        assert_equal(load(path), value)


def test_names_in_one_file(folder: pathlib.Path) -> None:
    arrays = {"b": ht.arange(5, split=0), "a": ht.ones((3, 2), split=1), "c": ht.array(True)}
    for suffix in ("npz", "safetensors"):
        ht.save(arrays, folder / f"several.{suffix}")
        for name, x in arrays.items():
            found = ht.load(folder / f"several.{suffix}", name, split=x.split)
            assert_equal(found, x.numpy(), dtype=x.dtype, split=x.split)
        with pytest.raises(TypeError, match="names of arrays"):
            ht.save({1: arrays["a"]}, folder / f"several.{suffix}")
        with pytest.raises(ValueError, match="no array"):
            ht.save({}, folder / f"several.{suffix}")
    half = ht.array(torch.tensor([1.5, float("nan"), -0.0], dtype=torch.bfloat16), split=0)
    ht.save(half, folder / "half.safetensors")
    found = ht.load(folder / "half.safetensors", split=0)
    assert found.dtype == ht.bfloat16
    assert torch.equal(found.larray.view(torch.int16), half.larray.view(torch.int16))


def test_what_is_no_file_of_the_format(folder: pathlib.Path) -> None:
    for suffix in ("npy", "npz", "safetensors", "h5"):
        path = folder / f"junk.{suffix}"
        written(path, lambda p: p.write_bytes(b"\xff" * 100))
        with pytest.raises((ValueError, OSError, RuntimeError)):
            FORMATS[suffix][1](path)
    path = folder / "short.npy"
    written(path, lambda p: (np.save(p, np.arange(100)), os.truncate(p, 300)))
    with pytest.raises(ValueError, match="too early"):
        ht.load(path, split=0)


def _damaged(whole: bytes, how: int) -> bytes:
    """The same on all ranks: cut, or some bits turned over, mostly in the head."""
    draw = random.Random(how)
    if how % 3 == 0:
        return whole[: draw.randrange(len(whole))]
    broken = bytearray(whole)
    for _ in range(how % 4 + 1):
        broken[draw.randrange(len(broken) if how % 2 else min(len(broken), 200))] ^= 1 << draw.randrange(8)
    return bytes(broken)


@pytest.mark.parametrize("suffix", ["h5", "nc", "npy", "npz", "safetensors", "packed.npz"])
def test_a_damaged_file_is_an_error_that_names_it_or_an_array(folder: pathlib.Path, suffix: str) -> None:
    good, path = folder / f"good.{suffix}", folder / f"damaged.{suffix}"
    save, load = FORMATS[suffix.removeprefix("packed.")]
    if suffix == "packed.npz":
        written(good, lambda p: np.savez_compressed(p, np.arange(60.0).reshape(20, 3)))
    else:
        save(ht.arange(60, dtype=ht.float32, split=0).reshape((20, 3)), good)
    whole = good.read_bytes()
    for how in range(60):
        written(path, lambda p, how=how: p.write_bytes(_damaged(whole, how)))
        told = f"load_: {path.name}"
        try:
            load(path, split=0)
        except TypeError as error:  # of a name of a type that became another
            told = f"{path.name} {error}"
        except (ValueError, OSError, KeyError) as error:
            told = str(error)
        assert "load_" in told and path.name in told, (how, told)


#: Saves over old files and is killed: when everything is written but the new name, and at any time.
_VICTIM = """
import os, pathlib, signal, sys, time, warnings
warnings.simplefilter("ignore")
import equiheat as ht
from equiheat.io import _slabs

def kill_me(*_):
    os.kill(os.getpid(), signal.SIGKILL)

folder, options = pathlib.Path(sys.argv[1]), {"h5": ("x",), "nc": ("x",), "zarr": (True,)}
x = ht.full((200_000, 4), 2.0, dtype=ht.float64, split=0)
for number, suffix in enumerate(sys.argv[2:]):
    for late in (True, False):
        path = folder / f"{'late' if late else 'any'}.{suffix}"
        child = os.fork()
        if child == 0:
            if late:
                _slabs._take_place = kill_me
            while True:
                ht.save(x, path, *options.get(suffix, ()))
        if not late:
            time.sleep(0.01 + 0.007 * number)
            os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, suffix
print("done")
"""


@pytest.mark.ranks(1)
def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path: pathlib.Path) -> None:
    formats = FORMATS | {"csv": (ht.save, lambda p: ht.load(p, dtype=ht.float64))}
    for suffix, (save, _) in formats.items():
        for name in ("late", "any"):
            save(ht.full((200_000, 4), 1.0, dtype=ht.float64), tmp_path / f"{name}.{suffix}")
    command = [sys.executable, "-c", _VICTIM, str(tmp_path), *formats]
    done = subprocess.run(command, env=outside(), capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "done\n", done.stderr
    for suffix, (_, load) in formats.items():
        assert bool((load(tmp_path / f"late.{suffix}") == 1.0).all()), suffix
        x = load(tmp_path / f"any.{suffix}")
        assert x.shape == (200_000, 4)
        assert bool((x == x[0, 0]).all())
        assert float(x[0, 0]) in (1.0, 2.0)


@pytest.mark.parametrize(
    ("suffix", "save", "load"),
    [("npz", ht.save_npz, ht.load_npz), ("safetensors", ht.save_safetensors, ht.load_safetensors)],
)
def test_several_arrays_in_one_file(folder: pathlib.Path, suffix: str, save: Any, load: Any) -> None:
    """A mapping of arrays of different splits; one is chosen by name, and a file of several asks for the name."""
    a, b = np.arange(35.0).reshape(7, 5), np.arange(3)
    path = folder / f"several.{suffix}"
    save({"a": ht.array(a, split=1), "b": ht.array(b, split=0)}, path)
    assert_equal(load(path, "a", split=0), a)
    assert_equal(load(path, variable="b"), b)
    assert_equal(load(path, "a", split=0, slices=(slice(2, 6), slice(None, None, 2))), a[2:6, ::2])
    with pytest.raises((KeyError, ValueError), match=r"a.*b"):
        load(path)
    with pytest.raises(KeyError, match="absent"):
        load(path, "absent")
    save(ht.array(b, split=0), path)
    assert_equal(load(path), b)
