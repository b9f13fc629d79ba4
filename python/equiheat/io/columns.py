# SPDX-License-Identifier: BSD-3-Clause
"""Parquet and Arrow: columns of numbers as matrices; every rank reads the row groups that its rows are in."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat._function import torch_dtype
from equiheat._optional import needed
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.distribution import resplit
from equiheat.io import _slabs as slabs
from equiheat.io import _tables as tables
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

#: Bytes of a row group, unless the caller says how many rows.
_GROUP = 1 << 26


class _File:
    """Row groups of Parquet, record batches of Arrow."""

    def __init__(self, path: pathlib.Path, fn: str, arrow: bool) -> None:
        pa = needed("pyarrow", fn)
        self.arrow = arrow
        try:
            self.file = needed("pyarrow.ipc", fn).open_file(pa.memory_map(str(path))) if arrow else needed(
                "pyarrow.parquet", fn).ParquetFile(path)  # fmt: skip
        except pa.ArrowInvalid as error:
            raise ValueError(f"{fn}: {str(path)!r}: {error}") from None
        self.schema = self.file.schema if arrow else self.file.schema_arrow

    def rows(self) -> list[int]:
        """Of each group."""
        if self.arrow:
            return [self.file.get_batch(i).num_rows for i in range(self.file.num_record_batches)]
        meta = self.file.metadata
        return [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]

    def read(self, group: int, names: list[str]) -> Any:
        """Columns of one group."""
        return self.file.get_batch(group) if self.arrow else self.file.read_row_group(group, columns=names)


class _Folder:
    """The files of a folder behind one another, with the columns of the first."""

    def __init__(self, path: pathlib.Path, fn: str, arrow: bool) -> None:
        suffix = ".arrow" if arrow else ".parquet"
        found = sorted(f for f in path.iterdir() if f.suffix == suffix)
        if not found:
            raise FileNotFoundError(f"{fn}: the folder {str(path)!r} has no files *{suffix}")
        self.files = [_File(f, fn, arrow) for f in found]
        self.schema = self.files[0].schema
        for file, name in zip(self.files, found, strict=True):
            if not file.schema.equals(self.schema):
                raise ValueError(f"{fn}: the columns of {str(name)!r} differ from those of {str(found[0])!r}")
        self.groups = [(file, i) for file in self.files for i in range(len(file.rows()))]

    def rows(self) -> list[int]:
        """Of each group of each file."""
        return [count for file in self.files for count in file.rows()]

    def read(self, group: int, names: list[str]) -> Any:
        """Columns of one group."""
        file, number = self.groups[group]
        return file.read(number, names)


def _load(
    fn: str, arrow: bool, path: Path, columns: tables.Columns, dtype: Any, split: int | None, device: Any,
    comm: Communicator | None, slices: Any,
) -> DNDarray:  # fmt: skip
    comm, place = sanitize_comm(comm), sanitize_device(device)
    wanted = torch_dtype(dtype)

    @slabs.reading(path, fn)
    def work() -> tuple[torch.Tensor, list[int], int | None, bool]:
        found = slabs.existing(path, fn)
        file = _Folder(found, fn, arrow) if found.is_dir() else _File(found, fn, arrow)
        names = tables.chosen(file.schema.names, columns, fn)
        kinds = [tables.element_type(file.schema.field(name).type, fn, name) for name in names]
        vector = isinstance(columns, str)
        if not vector and any(extents for _, extents in kinds):
            raise TypeError(f"{fn}: lists must be read alone, as columns='name'; asked for {names}")
        rows = file.rows()
        shape = (sum(rows), *kinds[0][1]) if vector else (sum(rows), len(names))
        parts = slabs.chosen(shape, slices, fn)
        axis = sanitize_split(split, len(parts), fn)
        own = slabs.own_part(parts, axis, comm)
        inner = own[1:] if vector else ()
        kept = names if vector else names[own[1]]
        kind = tables.common([k for k, _ in kinds])
        local, missing = _rows(file, rows, own[0], kept, dict(zip(names, [k for k, _ in kinds], strict=True)), vector)
        local = local[(slice(None), *inner)] if vector else local
        if not local.numel():
            local, missing = torch.empty(slabs.extents(own), dtype=kind), False
        return local, slabs.extents(parts), axis, missing

    local, shape, axis, missing = slabs.together(comm, work)
    # Whether numbers are missing is known to the ranks that read them only; the type must be the same everywhere.
    facts = comm.handle.allgather((local.dtype, missing)) if comm.size > 1 else [(local.dtype, missing)]
    kind = tables.common([k for k, _ in facts])
    kind = tables.with_missing(kind) if any(m for _, m in facts) else kind
    return slabs.assembled(local.to(kind if wanted is None else wanted), shape, axis, place, comm)


def _rows(
    file: _File | _Folder,
    rows: Sequence[int],
    own: slice,
    names: list[str],
    kinds: dict[str, torch.dtype],
    vector: bool,
) -> tuple[torch.Tensor, bool]:
    """The chosen rows of some columns, group by group, each side by side; and whether numbers are missing."""
    blocks, lost, begin = [], False, 0
    for group, count in enumerate(rows):
        skipped = max(0, -(-(begin - own.start) // own.step))
        inside = slice(own.start + skipped * own.step - begin, own.stop - begin, own.step)
        begin += count
        if not names or inside.start >= count or inside.stop <= inside.start:
            continue
        batch = file.read(group, names)
        columns = []
        for name in names:
            part = batch.column(name).slice(inside.start, min(inside.stop, count) - inside.start)
            column, missing = tables.values(part, kinds[name])
            columns.append(column[:: inside.step])
            lost |= missing
        kind = tables.common([c.dtype for c in columns])
        blocks.append(tables.stacked(columns, kind, vector))
    if not blocks:
        return torch.empty(0), False
    kind = tables.common([b.dtype for b in blocks])
    joined = torch.cat([b.to(kind) for b in blocks])
    return joined, lost


def load_parquet(
    path: Path,
    columns: tables.Columns = None,
    dtype: Any = None,
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    *,
    slices: Any = None,
) -> DNDarray:
    """Columns of a Parquet file as an array, of which each rank reads its own part.

    Parameters
    ----------
    path : path
        A file, or a folder of files with the same columns, whose rows follow one another in the order of the names.
    columns : str or sequence of str, optional
        Which columns, in this order; all unless given. A single string gives that column as a vector, or a column of
        lists of one length as a matrix.
    dtype : data type, optional
        The common type of the columns unless given.
    split : int, optional
        0: each rank reads the row groups that its rows are in; 1: its columns; None: everything.
    device, comm
        Where the array lives.
    slices : slice, or sequence of slices and None, optional
        Rows and columns to read; steps must be positive.

    Returns
    -------
    DNDarray
        (rows, columns), or (rows,) for a single string; balanced along `split`. Missing numbers are NaN; integers and
        truth values become float64 where some are missing.

    Raises
    ------
    FileNotFoundError, KeyError, TypeError, ValueError, ImportError
        No such file or column, columns that are no numbers, no pyarrow. On all ranks.

    Notes
    -----
    A row group on a border between ranks is read by both. Communication: small allgathers.

    Examples
    --------
    >>> ht.load_parquet("missing.parquet")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_parquet: there is no 'missing.parquet'
    """
    return _load("load_parquet", False, path, columns, dtype, split, device, comm, slices)


def load_arrow(
    path: Path,
    columns: tables.Columns = None,
    dtype: Any = None,
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    *,
    slices: Any = None,
) -> DNDarray:
    """Columns of an Arrow (Feather, version 2) file, mapped into memory, as an array; see `load_parquet`.

    Examples
    --------
    >>> ht.load_arrow("missing.arrow")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_arrow: there is no 'missing.arrow'
    """
    return _load("load_arrow", True, path, columns, dtype, split, device, comm, slices)


def save_parquet(
    data: DNDarray,
    path: Path,
    columns: Sequence[str] | None = None,
    rows: int | None = None,
    *,
    parts: bool = False,
    **kwargs: Any,
) -> None:
    """A vector or matrix as a Parquet file, which takes the place of an old one when it is complete.

    Parameters
    ----------
    data : DNDarray
        One or two axes, any split; real. bfloat16 becomes float32.
    path : path
    columns : sequence of str, optional
        Names; "0", "1", ... unless given.
    rows : int, optional
        Of a row group; as many as have 64 MiB unless given.
    parts : bool
        A folder with a file per rank that has rows, written at once, instead of one file. Other programs read such
        folders, too.
    **kwargs
        Of ``pyarrow.parquet.ParquetWriter``: compression, ...

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        No array, complex numbers, names that do not fit, file system, no pyarrow. On all ranks.

    Notes
    -----
    A file has one writer: rank 0 gets one row group after the other, and never holds more than one of others.
    With `parts` no rows travel (but for split 1: an alltoallv) and all ranks write at once.

    Examples
    --------
    >>> ht.save_parquet(ht.ones((2, 2)), "x.parquet", columns=["a"])
    Traceback (most recent call last):
    ValueError: save_parquet: columns must be 2 different strings, are ['a']
    """
    _save("save_parquet", False, data, path, columns, rows, parts, kwargs)


def save_arrow(
    data: DNDarray,
    path: Path,
    columns: Sequence[str] | None = None,
    rows: int | None = None,
    *,
    parts: bool = False,
    **kwargs: Any,
) -> None:
    """A vector or matrix as an Arrow (Feather, version 2) file; `kwargs` of ``pyarrow.ipc.new_file``. See
    `save_parquet`.

    Examples
    --------
    >>> ht.save_arrow(ht.ones((2, 2)), "x.arrow", columns=["a"])
    Traceback (most recent call last):
    ValueError: save_arrow: columns must be 2 different strings, are ['a']
    """
    _save("save_arrow", True, data, path, columns, rows, parts, kwargs)


def _save(
    fn: str, arrow: bool, data: Any, path: Path, columns: Any, rows: int | None, parts: bool, options: dict[str, Any]
) -> None:
    x = slabs.blocks(data, fn)
    if x.ndim not in (1, 2):
        raise ValueError(f"{fn}: data must have 1 or 2 axes, has shape {x.shape}")
    if x.larray.is_complex():
        raise TypeError(f"{fn}: data must be real, is {x.dtype.__name__}")
    width = x.shape[1] if x.ndim == 2 else 1
    names = [str(i) for i in range(width)] if columns is None else list(columns)
    if len(set(names)) != width or len(names) != width or not all(isinstance(n, str) for n in names):
        raise ValueError(f"{fn}: columns must be {width} different strings, are {names}")
    if "append" in options:
        raise TypeError(f"{fn}: files of columns cannot be appended to; parts=True writes a folder of several")
    if rows is not None and (not isinstance(rows, Integral) or int(rows) < 1):
        raise ValueError(f"{fn}: rows must be a positive integer, is {rows!r}")
    step = rows or max(1, _GROUP // max(1, width * x.larray.element_size()))
    x = resplit(x, 0) if x.split == 1 else x
    kind = torch.float32 if x.larray.dtype == torch.bfloat16 else None
    block = slabs.values(x, kind)
    with slabs.replaced(x.comm, path, fn) as temporary:
        if parts:
            slabs.on_first(x.comm, temporary.mkdir)
            name = f"part-{x.comm.rank:06d}{'.arrow' if arrow else '.parquet'}"
            sheet = _Sheet(temporary / name, fn, arrow, names, block.dtype, options)
            # A rank without rows has no file; without any rows at all rank 0's tells the columns.
            slabs.together(x.comm, lambda: _own_file(sheet, block, step, x.comm.rank == 0 or _has_rows(x)))
        else:
            _one_file(x, _Sheet(temporary, fn, arrow, names, block.dtype, options), block, step)


def _has_rows(x: DNDarray) -> bool:
    return x.split is not None and x.larray.shape[0] > 0


def _own_file(sheet: _Sheet, block: Any, step: int, wanted: bool) -> None:
    """Local."""
    if not wanted:
        return
    sheet.open()
    try:
        for begin in range(0, len(block), step):
            sheet.write(block[begin : begin + step])
    finally:
        sheet.close()


def _one_file(x: DNDarray, sheet: _Sheet, block: Any, step: int) -> None:
    """Collective: the messages of `_pieces`, and an allgather per row group."""
    comm = x.comm
    slabs.together(comm, lambda: sheet.open() if comm.rank == 0 else None)
    try:
        for piece in _pieces(x, block, step):
            slabs.together(comm, lambda piece=piece: sheet.write(piece) if comm.rank == 0 else None)  # type: ignore[misc]
    finally:
        slabs.together(comm, sheet.close)


def _pieces(x: DNDarray, block: Any, step: int) -> Iterator[Any]:
    """Rows of all ranks in their order, on rank 0; None elsewhere. Collective: point-to-point messages."""
    counts = [x.shape[0]] if x.split is None else (x._core.counts or [])
    handle = x.comm.handle
    for owner, count in enumerate(counts):
        for begin in range(0, count, step):
            piece = block[begin : begin + step] if x.comm.rank == owner else None
            if owner and x.comm.rank == owner:
                handle.send(piece, 0)
                piece = None
            elif owner and x.comm.rank == 0:
                piece = handle.recv(source=owner)
            yield piece


class _Sheet:
    """The writer of a file; columns of a matrix become those of a table."""

    def __init__(
        self, path: pathlib.Path, fn: str, arrow: bool, names: list[str], kind: Any, options: dict[str, Any]
    ) -> None:
        self.path, self.fn, self.arrow, self.names, self.kind, self.options = path, fn, arrow, names, kind, options
        self.writer: Any = None

    def open(self) -> None:
        """Makes the file."""
        pa = needed("pyarrow", self.fn)
        self.schema = pa.schema([(name, pa.from_numpy_dtype(self.kind)) for name in self.names])
        try:
            if self.arrow:
                self.writer = needed("pyarrow.ipc", self.fn).new_file(str(self.path), self.schema, **self.options)
            else:
                self.writer = needed("pyarrow.parquet", self.fn).ParquetWriter(self.path, self.schema, **self.options)
        except pa.ArrowException as error:  # which is no standard one
            raise error if isinstance(error, (ValueError, OSError)) else ValueError(f"{self.fn}: {error}") from None

    def write(self, block: Any) -> None:
        """Adds a row group."""
        pa = needed("pyarrow", self.fn)
        block = block.reshape(len(block), len(self.names))
        arrays = [pa.array(np.ascontiguousarray(block[:, i])) for i in range(len(self.names))]
        self.writer.write_batch(pa.record_batch(arrays, schema=self.schema))

    def close(self) -> None:
        """Completes the file."""
        if self.writer is not None:
            self.writer.close()
