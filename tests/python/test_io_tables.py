# SPDX-License-Identifier: BSD-3-Clause
"""Columns of files and data frames, images, blocks of rows, and arrays inside xarray, pandas and SciPy."""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import equiheat as ht
from equiheat.testing import assert_equal, with_counts

COMM = ht.get_comm()
SIZE, RANK = COMM.size, COMM.rank
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")


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
        warnings.simplefilter("ignore")
        yield


def write(path: pathlib.Path, table: Any, rows: int = 3) -> pathlib.Path:
    COMM.barrier()
    if RANK == 0 and path.suffix == ".parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(table, path, row_group_size=rows)
    elif RANK == 0:
        with pa.ipc.new_file(str(path), table.schema) as file:
            file.write_table(table, max_chunksize=rows)
    COMM.barrier()
    return path


TABLE = pa.table(
    {
        "a": pa.array(np.arange(11, dtype=np.int32)),
        "b": pa.array(np.linspace(-1, 1, 11)),
        "c": pa.array([True, False] * 5 + [True]),
        "gaps": pa.array([1, None, 3] + [4] * 7 + [None], pa.int64()),
        "text": pa.array(list("abcdefghijk")),
        "pairs": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(22, dtype=np.float32)), 2),
    }
)
GAPS = np.array([1, np.nan, 3] + [4] * 7 + [np.nan])


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_columns(folder: pathlib.Path, suffix: str) -> None:
    path = write(folder / f"columns.{suffix}", TABLE)
    a, b = np.arange(11, dtype=np.int32), np.linspace(-1, 1, 11)
    for split in (None, 0):
        x = ht.load(path, "a", split=split)
        assert_equal(x, a, dtype=ht.int32, split=split, balanced=True)
        assert_equal(ht.load(path, "c", split=split), a % 2 == 0)
        assert_equal(ht.load(path, "gaps", split=split), GAPS, dtype=ht.float64)
        assert_equal(ht.load(path, "pairs", split=split), np.arange(22, dtype=np.float32).reshape(11, 2))
    assert_equal(ht.load(path, "pairs", split=1, slices=(slice(3, 9), slice(1, 2))), np.arange(7.0, 19, 2)[:, None])
    for split in (None, 0, 1):
        assert_equal(ht.load(path, ["b", "a"], split=split), np.stack([b, a], 1), split=split, balanced=True)
        part = (slice(1, 10, 3), slice(None, None, 2))
        found = ht.load(path, ["b", "a", "gaps"], split=split, slices=part)
        assert_equal(found, np.stack([b, GAPS], 1)[1:10:3])
    assert_equal(ht.load(path, "gaps", dtype=ht.float32, split=0), GAPS.astype(np.float32), dtype=ht.float32)
    assert_equal(ht.load(path, "gaps", split=0, slices=slice(2, 10)), GAPS[2:10].astype(np.int64), dtype=ht.int64)
    for columns, error, text in (
        (None, TypeError, "'text'"), (["a", "z"], KeyError, "z"), (["a", "pairs"], TypeError, "alone"),
        ([], ValueError, "no column"),
    ):  # fmt: skip
        with pytest.raises(error, match=text):
            ht.load(path, columns)
    with pytest.raises(FileNotFoundError):
        ht.load(folder / f"missing.{suffix}")


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int64", "uint64", "float16", "float32", "float64"])
def test_saved_columns(folder: pathlib.Path, suffix: str, dtype: str) -> None:
    value = (np.arange(33).reshape(11, 3) % 7).astype(dtype)
    if dtype.startswith("float"):
        value[0] = np.nan, -0.0, -np.inf
        value[:1, :1].view(f"u{value.itemsize}")[...] += 3
    path = folder / f"saved-{dtype}.{suffix}"
    for split in (None, 0, 1):
        counts = None if split is None else [0] * (SIZE - 1) + [value.shape[split]]
        ht.save(with_counts(value, split, counts), path, list("xyz"), rows=4)
        for other in (None, 0, 1):
            found = ht.load(path, split=other).resplit(None).larray.numpy()
            assert found.dtype == value.dtype
            assert found.tobytes() == value.tobytes()
    ht.save(ht.array(value[:, 0], split=0), path)
    assert_equal(ht.load(path, "0", split=0), value[:, 0])
    ht.save(ht.array(value[:0], split=0), path)
    assert ht.load(path, split=0).shape == (0, 3)


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_columns_in_a_file_per_rank(folder: pathlib.Path, suffix: str) -> None:
    value = np.arange(33, dtype=np.int32).reshape(11, 3)
    path = folder / f"parts.{suffix}"
    for split, counts in ((None, None), (0, None), (0, [0] * (SIZE - 1) + [11]), (1, None)):
        ht.save(with_counts(value, split, counts), path, list("xyz"), rows=4, parts=True)
        names = sorted(f.name for f in path.iterdir())
        COMM.barrier()
        with_rows = 1 if split is None else SIZE if counts is None else 2 if SIZE > 1 else 1
        assert len(names) == with_rows and names[0] == f"part-000000.{suffix}"
        for other in (None, 0, 1):
            assert_equal(ht.load(path, split=other), value, split=other, dtype=ht.int32)
        assert_equal(ht.load(path, "y", split=0, slices=slice(1, 10, 3)), value[1:10:3, 1])
    ht.save(ht.array(value[:0], split=0), path, parts=True)
    assert ht.load(path, split=0).shape == (0, 3)
    with pytest.raises((TypeError, ValueError, OSError)):
        ht.save(ht.array(value, split=0), folder / f"bad.{suffix}", parts=True, compression="no such codec")
    COMM.barrier()
    assert not list(folder.glob("*bad*"))


def test_a_folder_of_other_columns(folder: pathlib.Path) -> None:
    inner = folder / "others"
    if RANK == 0:
        inner.mkdir()
    write(inner / "a.parquet", TABLE.select(["a"]))
    write(inner / "b.parquet", TABLE.select(["b"]))
    with pytest.raises(ValueError, match=r"columns of .*b\.parquet' differ"):
        ht.load_parquet(inner)
    with pytest.raises(FileNotFoundError, match="no files"):
        ht.load_arrow(inner)


@pytest.mark.parametrize("shape", [(11, 5, 4), (2, 5, 4, 3), (11, 3, 2, 4)])
def test_images_of_a_batch(folder: pathlib.Path, shape: tuple[int, ...]) -> None:
    value = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    path = folder / "frames"
    mode = {3: "L", 4: "RGB" if shape[-1] == 3 else "RGBA"}[len(shape)]
    for split in (None, *range(len(shape))):
        ht.save_images_to_folder(with_counts(value, split), path)
        found = ht.load_images_from_folder(path, mode=mode)
        assert_equal(found.reshape(shape) if found.shape != shape else found, value)
    for bad, suffix, error in (
        (ht.ones(shape), ".png", TypeError), (ht.zeros(3, dtype=ht.uint8), ".png", ValueError),
        (ht.array(value, split=0), ".xyz", ValueError),
    ):  # fmt: skip
        with pytest.raises(error, match="save_images_to_folder"):
            ht.save_images_to_folder(bad, folder / "bad", suffix)


def test_failed_columns(folder: pathlib.Path) -> None:
    x = ht.ones((5, 2), split=0)
    with pytest.raises(FileNotFoundError):
        ht.save_parquet(x, pathlib.Path("/proc/no/x.parquet"))
    with pytest.raises((TypeError, ValueError, OSError)):
        ht.save_parquet(x, folder / "bad.parquet", compression="no such codec")
    with pytest.raises(TypeError, match="real"):
        ht.save_arrow(ht.array([1j]), folder / "bad.arrow")
    with pytest.raises(ValueError, match="rows"):
        ht.save_arrow(x, folder / "bad.arrow", rows=0)
    COMM.barrier()
    assert not list(folder.glob("*bad*"))
    assert ht.load_arrow(write(folder / "one.feather", TABLE), "a").shape == (11,)
    assert ht.load_parquet(write(folder / "one.parquet", TABLE), "a").shape == (11,)


class Capsule:
    """Speaks Arrow's protocol and nothing else."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


class Interchange:
    """Speaks the data frame interchange protocol and nothing else."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __dataframe__(self, **options: Any) -> Any:
        return self.table.__dataframe__(**options)


@pytest.mark.parametrize("kind", [lambda t: t, Capsule, Interchange, lambda t: t.to_pandas()])
def test_data_frames(kind: Any) -> None:
    table = TABLE.select(["a", "b", "gaps"])
    whole = np.stack([np.arange(11), np.linspace(-1, 1, 11), GAPS], 1)
    for split in (None, 0, 1):
        assert_equal(ht.from_dataframe(kind(table), split=split), whole, split=split)
    assert_equal(ht.from_dataframe(kind(table), "a", split=0), np.arange(11, dtype=np.int32), dtype=ht.int32)
    assert_equal(ht.from_dataframe(kind(table), ["b", "a"], ht.float32), whole[:, 1::-1].astype("f4"), dtype=ht.float32)
    begin, end = 11 * RANK // SIZE, 11 * (RANK + 1) // SIZE
    own = ht.from_dataframe(kind(table.slice(begin, end - begin)), is_split=0)
    assert_equal(own, whole, split=0)
    with pytest.raises(KeyError, match="no columns"):
        ht.from_dataframe(kind(table), ["z"])
    with pytest.raises(TypeError, match="no number"):
        ht.from_dataframe(kind(TABLE.select(["text", "a"])))


def test_pandas() -> None:
    masked = pd.DataFrame({"i": pd.array([1, None, 3], "Int32"), "f": pd.array([0.5, 1, None], "Float32")})
    assert_equal(ht.from_dataframe(masked), np.array([[1, 0.5], [np.nan, 1], [3, np.nan]]))
    assert_equal(ht.from_dataframe(masked["f"]), np.array([0.5, 1, np.nan], np.float32), dtype=ht.float32)
    assert_equal(ht.from_dataframe(pd.Series([1, 2, 3], name="s"), split=0), np.array([1, 2, 3]))
    value = np.arange(14.0).reshape(7, 2)
    x = ht.array(value, split=0)
    frame = ht.to_dataframe(x, ["p", "q"])
    assert list(frame.columns) == ["p", "q"]
    assert len(frame) == len(x.larray)
    every = pd.concat(COMM.handle.allgather(frame))
    pd.testing.assert_frame_equal(every, pd.DataFrame(value, columns=["p", "q"]), check_index_type=False)
    assert_equal(ht.from_dataframe(frame, is_split=0), value, split=0)
    with pytest.raises(ValueError, match="split 0 or None"):
        ht.to_dataframe(x.resplit(1))


@pytest.mark.ranks(2, 3, 4)
def test_a_frame_that_one_rank_cannot_read_is_an_error_of_all() -> None:
    last = RANK == SIZE - 1
    for columns, frame in ((None, {"a": ["x", "y"]}), (["a"], {"b": [1, 2]}), ("a", {"b": [1, 2]})):
        with pytest.raises((KeyError, TypeError)):
            ht.from_dataframe(pd.DataFrame(frame if last else {"a": [1, 2]}), columns, is_split=0)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, folder: pathlib.Path) -> None:
    for package in ("pyarrow", "h5py", "netCDF4", "zarr", "PIL"):
        for name in [n for n in sys.modules if n.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)
    x = ht.arange(4, split=0)
    for suffix, name in (("parquet", ()), ("h5", ("x",)), ("nc", ("x",)), ("zarr", ())):
        with pytest.raises(ImportError, match=r"pip install 'equiheat\[io\]'"):
            ht.save(x, folder / f"lacking.{suffix}", *name)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_images(folder: pathlib.Path, split: int | None) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(np.uint8)
    deep = (np.arange(20).reshape(5, 4) * 3000).astype(np.uint16)
    for name, value in (("rgb", pixels), ("grey", pixels[..., 0]), ("deep", deep), ("mask", pixels[..., 0] > 99)):
        ht.save_image(ht.array(value, split=split), folder / f"{name}.png")
        found = ht.load_image(folder / f"{name}.png", split=split)
        assert_equal(found, value, dtype=value.dtype, split=split)
    assert_equal(ht.load(folder / "rgb.png", slices=(slice(1, 3),), split=split), pixels[1:3])
    assert_equal(ht.load(folder / "rgb.png", ht.float32, split=split, mode="RGB"), pixels.astype("f4"))
    batch = ht.load_images_from_folder(folder, pattern="[rg]*.png")
    assert_equal(batch, np.stack([np.repeat(pixels[..., :1], 3, 2), pixels]), split=0)
    with pytest.raises(TypeError, match="uint8"):
        ht.save_image(ht.ones((2, 2), split=split), folder / "x.png")


@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors", "parquet", "h5", "zarr", "nc", "csv"])
def test_blocks_of_rows(folder: pathlib.Path, suffix: str) -> None:
    value = np.arange(22.0).reshape(11, 2)
    name = ("x",) if suffix in ("h5", "nc") else ()
    path = folder / f"blocks.{suffix}"
    ht.save(ht.array(value, split=0), path, *name)
    options = {"dtype": ht.float64} if suffix in ("nc", "csv") else {}
    for rows, split in ((4, 0), (11, 1), (20, None)):
        blocks = list(ht.chunks(path, *name, rows=rows, split=split, **options))
        assert [len(block) for block in blocks] == [min(rows, 11 - i) for i in range(0, 11, rows)]
        assert all(block.split == split and block.is_balanced() for block in blocks)
        np.testing.assert_array_equal(np.concatenate([block.numpy() for block in blocks]), value)
    part = [b.numpy() for b in ht.chunks(path, *name, rows=3, slices=(slice(2, 9), slice(1, None)), **options)]
    np.testing.assert_array_equal(np.concatenate(part), value[2:9, 1:])
    for bad in ({"rows": 0}, {"rows": 2, "slices": slice(0, 9, 2)}, {"rows": 2, "slices": slice(-3, None)}):
        with pytest.raises(ValueError, match=r"rows must be|step|from the beginning"):
            ht.chunks(path, *name, **bad)
    with pytest.raises(ValueError, match="has no parts"):
        ht.chunks(folder / "x.png", rows=3)


@pytest.mark.parametrize("split", [0, 1])
def test_inside_xarray(split: int) -> None:
    xr = pytest.importorskip("xarray")
    value = np.arange(12.0).reshape(4, 3)
    ours = xr.DataArray(ht.array(value, split=split), dims=("t", "x"), coords={"t": [10, 20, 30, 40]}, name="v")
    theirs = xr.DataArray(value, dims=("t", "x"), coords={"t": [10, 20, 30, 40]}, name="v")
    works = {
        "arithmetic": lambda a: 2 * a - a / 3, "mean": lambda a: a.mean("t"), "sum": lambda a: a.sum(),
        "isel": lambda a: a.isel(x=slice(1, None)), "sel": lambda a: a.sel(t=30), "T": lambda a: a.T,
        "where": lambda a: a.where(a > 3, -1.0), "ufunc": np.exp, "max": lambda a: a.max("x"),
        "std": lambda a: a.std("t"), "broadcast": lambda a: a - a.mean("x"), "astype": lambda a: a.astype("float32"),
        "dot": lambda a: xr.dot(a, a, dim="t"), "quantile": lambda a: a.quantile(0.3, "t"),
        "differentiate": lambda a: a.differentiate("t"),
    }  # fmt: skip
    for name, work in works.items():
        found, wanted = work(ours), work(theirs)
        assert isinstance(found.data, ht.DNDarray), name
        assert found.dims == wanted.dims
        np.testing.assert_allclose(found.data.numpy(), wanted.data, rtol=1e-6, err_msg=name)
        assert set(found.coords) == set(wanted.coords)
    assert ours.isel(x=slice(1, None)).data.split == split


def test_scipy_sparse() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    whole = sparse.random_array((13, 7), density=0.3, rng=np.random.default_rng(0), format="coo")
    for kind in ("csr", "csc", "coo", "bsr", "dia"):
        theirs = whole.asformat(kind)
        for make, split in ((ht.sparse.sparse_csr_matrix, 0), (ht.sparse.sparse_csc_matrix, 1)):
            ours = make(theirs, split=split)
            np.testing.assert_array_equal(ours.to_dense().numpy(), whole.toarray())
            back = ours.resplit(None).to_scipy()
            assert sparse.issparse(back)
            assert (back != theirs).nnz == 0
