# SPDX-License-Identifier: BSD-3-Clause
"""Files: round trips of every format, splits, parts, failures on all ranks."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import resource
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import equiheat as ht
from equiheat.io import _slabs as slabs
from equiheat.testing import assert_equal, with_counts
from equiheat.testing.strategies import counts

COMM = ht.get_comm()
SIZE, RANK = COMM.size, COMM.rank
INEXACT = ("float32", "float64")
DTYPES = ("bool", "uint8", "int16", "int32", "int64", *INEXACT)
FORMATS = {
    "h5": (lambda x, p: ht.save(x, p, "x"), lambda p, **k: ht.load(p, "x", **k)),
    "nc": (lambda x, p: ht.save(x, p, "x"), lambda p, **k: ht.load(p, "x", **{"dtype": None, **k})),
    "npy": (lambda x, p: ht.save(x, p), lambda p, **k: ht.load(p, **k)),
    "npz": (lambda x, p: ht.save(x, p), lambda p, **k: ht.load(p, **k)),
    "safetensors": (lambda x, p: ht.save(x, p), lambda p, **k: ht.load(p, **k)),
    "zarr": (lambda x, p: ht.save(x, p, overwrite=True), lambda p, **k: ht.load(p, **{"split": None, **k})),
}


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


def content(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    if dtype in INEXACT and values.size:
        values = values / np.asarray(7, dtype)
        values.reshape(-1)[0] = np.nan
        values.reshape(-1)[-1] = -np.inf
    return values


@st.composite
def cases(draw: Any, least: int = 1, most: int = 3, dtypes: Any = DTYPES) -> tuple[np.ndarray, ht.DNDarray]:
    shape = tuple(draw(st.lists(st.integers(1, 7), min_size=least, max_size=most)))
    value = content(shape, draw(st.sampled_from(dtypes)))
    split = draw(st.sampled_from([None, *range(len(shape))]))
    return value, with_counts(value, split, None if split is None else draw(counts(shape[split], SIZE)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("suffix", FORMATS)
@given(data=st.data())
def test_round_trips(folder: pathlib.Path, suffix: str, data: Any) -> None:
    value, x = data.draw(cases(0))
    save, load = FORMATS[suffix]
    save(x, folder / f"x.{suffix}")
    for split in [None, *range(value.ndim)]:
        found = load(folder / f"x.{suffix}", split=split)
        assert_equal(found, value)
        assert found.split == split
        assert found.is_balanced()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases(1, 2), st.sampled_from([",", ";", " | ", "\t"]), st.integers(0, 2))
def test_tables(folder: pathlib.Path, case: Any, sep: str, header: int) -> None:
    value, x = case
    ht.save_csv(x, folder / "x.csv", ["a header, of text"] * header, sep)
    for split in (None, 0, 1):
        found = ht.load_csv(folder / "x.csv", header, sep, dtype=value.dtype, split=split)
        assert_equal(found, value.reshape(len(value), -1))
    assert not list(folder.glob(".x.csv*"))


def write(path: pathlib.Path, text: str) -> pathlib.Path:
    COMM.barrier()
    if RANK == 0:
        path.write_bytes(text.encode())
    COMM.barrier()
    return path


def test_tables_as_people_write_them(folder: pathlib.Path) -> None:
    text = '"1", +2 ,\r\n\r\n1e400,-1E-400, nan\n  3.5,"4", inf\n\n.5,1e3,-Infinity'
    expected = [[1, 2, np.nan], [np.inf, -0.0, np.nan], [3.5, 4, np.inf], [0.5, 1000, -np.inf]]
    path = write(folder / "people.csv", text)
    assert_equal(ht.load_csv(path, dtype=ht.float64, split=0), np.array(expected))
    path = write(folder / "big.csv", f"{2**63 - 1};-5\n7.0;{-(2**63)}\n")
    assert_equal(ht.load_csv(path, sep=";", dtype=ht.int64), np.array([[2**63 - 1, -5], [7, -(2**63)]]))
    assert ht.load_csv(write(folder / "none.csv", "a,b\n"), header_lines=1).shape == (0, 0)


def test_decimals(folder: pathlib.Path) -> None:
    ht.save_csv(ht.array([1.25, -2.0, float("nan")], split=0), folder / "d.csv", decimals=1)
    COMM.barrier()
    assert (folder / "d.csv").read_text() == "1.2\n-2.0\nnan\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3\n", "line 2 has 1 fields, not 2: '3'"),
        ("1,x\n", "line 1, column 1: 'x' is no number"),
        ("1,2\n" * 50 + "1,2,3\n" * 50, "has 3 fields, not 2"),
    ],
)
def test_tables_that_are_none(folder: pathlib.Path, text: str, message: str) -> None:
    path = write(folder / "bad.csv", text)
    with pytest.raises(ValueError, match=message):
        ht.load_csv(path, split=0)


def test_nothing_of_the_format(folder: pathlib.Path) -> None:
    empty = folder / "empty"
    if RANK == 0:
        empty.mkdir()
    COMM.barrier()
    for load in (ht.load_npy_from_path, ht.load_csv_from_folder, lambda path: ht.load_multiple_hdf5(path, "x")):
        for kind in (FileNotFoundError, ValueError):
            with pytest.raises(kind, match="has no"):
                load(empty)
    pytest.importorskip("zarr")
    for kind in (FileNotFoundError, ValueError):
        with pytest.raises(kind, match="is no array or group"):
            ht.load_zarr(empty)


@pytest.mark.parametrize("suffix", ["h5", "nc", "npy", "zarr"])
@pytest.mark.parametrize("split", [None, 0, 1])
def test_parts(folder: pathlib.Path, suffix: str, split: int | None) -> None:
    value = np.arange(90.0).reshape(15, 6)
    save, load = FORMATS[suffix]
    save(ht.array(value, split=0), folder / f"parts.{suffix}")
    for part in [(slice(2, 14, 3), slice(1, None)), slice(3, 5), (None, slice(None, None, 2)), slice(9, 2)]:
        key = tuple(slice(None) if s is None else s for s in (part if isinstance(part, tuple) else (part,)))
        assert_equal(load(folder / f"parts.{suffix}", split=split, slices=part), value[key])
    with pytest.raises(ValueError, match="step"):
        load(folder / f"parts.{suffix}", slices=slice(None, None, -1))
    with pytest.raises(ValueError, match="3 slices for 2 dimensions"):
        load(folder / f"parts.{suffix}", slices=(None, None, None))


@pytest.mark.parametrize("suffix", FORMATS)
def test_failures_are_everybodys(folder: pathlib.Path, suffix: str) -> None:
    _, load = FORMATS[suffix]
    with pytest.raises(FileNotFoundError, match="there is no"):
        load(folder / f"missing.{suffix}")
    with pytest.raises((FileNotFoundError, OSError)):
        FORMATS[suffix][0](ht.arange(4, split=0), pathlib.Path("/proc/no/such/folder") / f"x.{suffix}")


def test_names_and_modes(folder: pathlib.Path) -> None:
    x = ht.arange(5, split=0)
    path = folder / "named.h5"
    ht.save_hdf5(x, path, "a")
    x.save_hdf5(path, "group/b", mode="a", dtype=ht.float64)
    assert ht.load_hdf5(path, "group/b").dtype == ht.float64
    assert_equal(ht.load_hdf5(path, "a", dtype=ht.int16, split=0), np.arange(5, dtype=np.int16))
    for bad, error in (("c", KeyError), (3, TypeError)):
        with pytest.raises(error):
            ht.load_hdf5(path, bad)
    with pytest.raises((ValueError, OSError)):
        ht.save_hdf5(x, path, "a", mode="a")
    with pytest.raises(ValueError, match="mode must be"):
        ht.save_hdf5(x, path, "a", mode="q")
    assert_equal(ht.load_hdf5(path, "a"), np.arange(5, dtype=ht.load_hdf5(path, "a").numpy().dtype))
    ht.save_netcdf(x, folder / "named.nc", "v", dimension_names="time", is_unlimited=True)
    ht.save_netcdf(x, folder / "named.nc", "v", "r+", "time", file_slices=slice(0, None))
    with pytest.raises(ValueError, match="dimension_names must be 1"):
        ht.save_netcdf(x, folder / "named.nc", "v", dimension_names=["a", "b"])
    for missing in (KeyError, IndexError):
        with pytest.raises(missing, match="has no variable"):
            ht.load_netcdf(folder / "named.nc", "w")
    for kind in (FileExistsError, RuntimeError):
        with pytest.raises(kind):
            ht.save_zarr(x, folder)


def test_a_failed_write_leaves_the_old_file(folder: pathlib.Path) -> None:
    ht.save_hdf5(ht.arange(3), folder / "old.h5", "x")
    with pytest.raises((TypeError, ValueError)):
        ht.save_hdf5(ht.arange(4, split=0), folder / "old.h5", "x", compression="no such filter")
    assert ht.load_hdf5(folder / "old.h5", "x").tolist() == [0, 1, 2]
    assert not list(folder.glob(".old*"))


@contextlib.contextmanager
def no_file_longer_than(most: int) -> Iterator[None]:
    """Writing more fails as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("a.npy", ht.save_npy),
        ("a.npz", ht.save_npz),
        ("a.safetensors", ht.save_safetensors),
        ("a.csv", ht.save_csv),
        ("a.zarr", lambda x, p: ht.save_zarr(x, p, overwrite=True)),
        ("a.h5", lambda x, p: ht.save_hdf5(x, p, "x")),
        ("b.h5", lambda x, p: ht.save_hdf5(x, p, "x", compression="gzip")),
        ("c.h5", lambda x, p: ht.save_hdf5(x, p, "x", chunks=(10, 10))),
        ("a.nc", lambda x, p: ht.save_netcdf(x, p, "x")),
        ("a.parquet", ht.save_parquet),
        ("a.png", lambda x, p: ht.save_image((x * 255).astype(ht.uint8), p)),
    ],
)
def test_a_full_disk_leaves_the_old_file(folder: pathlib.Path, name: str, save: Any) -> None:
    place = folder / "full"
    if RANK == 0:
        place.mkdir(exist_ok=True)
    COMM.barrier()
    save(ht.zeros((10, 10), split=0), place / name)
    size = (place / name).stat().st_size
    x = ht.random.rand(40_000, 10, split=0)
    files = len(os.listdir("/proc/self/fd"))
    with (
        no_file_longer_than(1 << 15),
        pytest.raises(OSError, match=rf"save_\w+: '.*{name}' cannot be written") as error,
    ):
        save(x, place / name)
    assert error.value.errno == errno.EFBIG or name == "a.nc"
    assert (place / name).stat().st_size == size
    COMM.barrier()
    assert os.listdir(place) == [name]
    assert len(os.listdir("/proc/self/fd")) == files or name == "a.nc"
    COMM.barrier()
    save(x, place / name)
    COMM.barrier()
    if RANK == 0:
        shutil.rmtree(place)
    COMM.barrier()


def test_lines_that_find_no_room_are_not_there(folder: pathlib.Path) -> None:
    path, table = folder / "lines.csv", ht.arange(20, split=0).reshape(10, 2)
    ht.save_csv(table, path)
    with no_file_longer_than(1 << 15), pytest.raises(OSError, match=r"save_csv: '.*lines.csv' cannot be written"):
        ht.save_csv(ht.random.rand(40_000, 2, split=0), path, append=True)
    assert_equal(ht.load_csv(path), table.numpy().astype(np.float32))


def test_rows_of_hdf5_that_find_no_room(folder: pathlib.Path) -> None:
    path, files = folder / "rows.h5", len(os.listdir("/proc/self/fd"))
    ht.save_hdf5(ht.ones((10, 10), split=0), path, "x", append=True)
    with no_file_longer_than(1 << 15), pytest.raises(OSError, match=r"save_hdf5: '.*rows.h5' cannot be written"):
        ht.save_hdf5(ht.random.rand(40_000, 10, split=0), path, "x", append=True)
    assert len(os.listdir("/proc/self/fd")) == files


@pytest.mark.ranks(2, 3, 4)
def test_every_rank_has_the_number_and_kind_of_a_failure() -> None:
    def work() -> None:
        if RANK == 1:
            raise BlockingIOError(errno.EAGAIN, "locked")

    with pytest.raises(OSError, match="locked") as error:
        slabs.together(COMM, work)
    assert error.value.errno == errno.EAGAIN


@pytest.mark.parametrize(
    ("name", "content", "load"),
    [
        ("bad.csv", b"1,2\n3,x\n", ht.load_csv),
        ("bad.csv", b"1,2\n3\n", ht.load_csv),
        ("bad.csv", b"1,2\n3,x\n", lambda p: ht.load_csv_from_folder(p.parent)),
        ("bad.npy", b"nothing", lambda p: ht.load_npy_from_path(p.parent)),
        ("bad.h5", b"nothing", lambda p: ht.load_multiple_hdf5(p.parent, "x")),
    ],
)
def test_errors_name_the_file(folder: pathlib.Path, name: str, content: bytes, load: Any) -> None:
    path = folder / "named" / name
    if RANK == 0:
        path.parent.mkdir()
        path.write_bytes(content)
    COMM.barrier()
    with pytest.raises((ValueError, OSError), match=rf"load_\w+: '.*{name}'"):
        load(path)
    COMM.barrier()
    if RANK == 0:
        shutil.rmtree(path.parent)
    COMM.barrier()


def test_arrays_of_a_zarr_group_by_a_pattern(folder: pathlib.Path) -> None:
    zarr = pytest.importorskip("zarr")
    if RANK == 0:
        group = zarr.open_group(folder / "group.zarr", mode="w")
        for i in range(3):
            group.create_group(f"RECEIVER_{i}")
    COMM.barrier()
    for i in range(3):
        ht.save_zarr(ht.arange(5 * i, 5 * i + 5, split=0), folder / f"group.zarr/RECEIVER_{i}/DATA")
    for split in (0, None):
        x = ht.load(str(folder / "group.zarr"), variable="RECEIVER_*/DATA", split=split)
        assert x.split == split and x.balanced
        assert_equal(x, np.arange(15, dtype=np.int32))
    x = ht.load_zarr(folder / "group.zarr", "*_[12]/DATA", dtype=ht.float64)
    assert_equal(x, np.arange(5.0, 15.0))
    with pytest.raises(FileNotFoundError):
        ht.load_zarr(folder / "group.zarr", "SENDER_*/DATA")
    with pytest.raises(NotImplementedError):
        ht.load_zarr(folder / "group.zarr", "RECEIVER_*/DATA", slices=slice(0, 2))


def test_folders(folder: pathlib.Path) -> None:
    parts = [np.full((2, 3), i, np.int32) for i in range(5)]
    inner, empty = folder / "parts", folder / "no parts"
    if RANK == 0:
        inner.mkdir()
        empty.mkdir()
        for i, part in enumerate(parts):
            np.save(inner / f"{i}.npy", part)
            np.savetxt(inner / f"{i}.csv", part, delimiter=",", fmt="%d")
    COMM.barrier()
    for split in (0, 1):
        assert_equal(ht.load_npy_from_path(inner, split=split), np.concatenate(parts, split))
    assert_equal(ht.load_csv_from_folder(inner), np.concatenate(parts))
    assert_equal(ht.load(inner), np.concatenate(parts))
    doubled = ht.load_csv_from_folder(inner, dtype=ht.float32, func=lambda t: t * 2)
    assert_equal(doubled, np.concatenate(parts).astype(np.float32) * 2)
    if COMM.rank == 0:
        np.save(inner / "9.npy", parts[-1] + 0.5)  # of a wider type than the others, on the last rank
    COMM.barrier()
    np.testing.assert_array_equal(ht.load_npy_from_path(inner, dtype=None)[-1].numpy(), parts[-1][-1] + 0.5)
    assert_equal(ht.load_csv_from_folder(inner, header_lines=1), np.concatenate([part[1:] for part in parts]))
    for i in range(3):
        ht.save_hdf5(ht.array(parts[i]), inner / f"{i}.h5", "x")
    assert_equal(ht.load_multiple_hdf5(inner, "x"), np.concatenate(parts[:3]))
    last_first = ht.load_multiple_hdf5(inner, "x", sorting_func=lambda files: sorted(files, reverse=True))
    assert_equal(last_first, np.concatenate(parts[2::-1]))
    with pytest.raises(FileNotFoundError, match=r"has no \*.csv"):
        ht.load_csv_from_folder(empty)
    with pytest.raises(FileNotFoundError, match="there is no"):
        ht.load_npy_from_path(folder / "nothing")


def test_objects_are_never_unpickled(folder: pathlib.Path) -> None:
    if RANK == 0:
        np.save(folder / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    COMM.barrier()
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        ht.load(folder / "objects.npy")


def test_other_types(folder: pathlib.Path) -> None:
    x = ht.array(torch.tensor([1.5, 2.5], dtype=torch.bfloat16), split=0)
    for suffix, (save, load) in FORMATS.items():
        if suffix != "safetensors":  # it has this type
            save(x, folder / f"b.{suffix}")
            assert_equal(load(folder / f"b.{suffix}"), np.array([1.5, 2.5], np.float32))
    z = ht.array(np.array([1 + 2j, 3 - 1j]), split=0)
    for suffix in ("h5", "npy", "zarr"):
        FORMATS[suffix][0](z, folder / f"z.{suffix}")
        assert_equal(FORMATS[suffix][1](folder / f"z.{suffix}", split=0), np.array([1 + 2j, 3 - 1j]))
    for save in (lambda: ht.save_csv(z, folder / "z.csv"), lambda: ht.save_netcdf(z, folder / "z.nc", "z")):
        with pytest.raises(TypeError):
            save()
    with pytest.raises(TypeError):
        ht.save(3, folder / "three.h5", "x")
    with pytest.raises(ValueError, match="sep"):
        ht.load_csv(folder / "x.csv", sep="")
    with pytest.raises(ValueError, match="encoding"):
        ht.load_csv(folder / "x.csv", encoding="utf-16")
