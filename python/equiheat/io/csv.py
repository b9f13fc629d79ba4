# SPDX-License-Identifier: BSD-3-Clause
"""Tables of numbers as text: every rank parses its bytes and formats its rows, natively."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, dtypes
from equiheat._function import torch_dtype
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.construction import array
from equiheat.devices import sanitize_device
from equiheat.distribution import balance, resplit
from equiheat.io import _raw as raw
from equiheat.io import _slabs as slabs
from equiheat.io._folders import from_folder
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_ENCODINGS = ("utf-8", "utf8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "cp1252")


def _checked(fn: str, sep: str, encoding: str) -> None:
    if not isinstance(sep, str) or not sep or "\n" in sep or '"' in sep:
        raise ValueError(f"{fn}: sep must be a string without line breaks and quotation marks, is {sep!r}")
    if str(encoding).lower() not in _ENCODINGS:
        raise ValueError(f"{fn}: encoding must be one that keeps ASCII as it is, {_ENCODINGS}, is {encoding!r}")


def load_csv(
    path: Path,
    header_lines: int = 0,
    sep: str = ",",
    dtype: Any = dtypes.float32,
    encoding: str = "utf-8",
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """A table of numbers from a text file.

    Parameters
    ----------
    path : path
    header_lines : int
        Lines at the beginning that are passed over.
    sep : str
        Separator of fields, of any length.
    dtype : data type
        float32 unless given; None for float64.
    encoding : str
        One that keeps ASCII as it is.
    split : int, optional
        Axis to split.
    device, comm
        Where the array lives.

    Returns
    -------
    DNDarray
        (rows, columns), always two axes; balanced along `split`. Empty fields are NaN, quoted fields are numbers, too;
        blank lines are passed over.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        No such file; a field that is no number (no whole number for integers), lines of different lengths. On all
        ranks.

    Notes
    -----
    Each rank reads and parses 1/p of the bytes, from a line's beginning on; then one alltoallv for the chunk rule, for
    split None an allgather. Communication: this, and small allgathers.

    Examples
    --------
    >>> ht.load_csv("missing.csv")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_csv: there is no 'missing.csv'
    """
    comm, place = sanitize_comm(comm), sanitize_device(device)
    _checked("load_csv", sep, encoding)
    if not isinstance(header_lines, int) or header_lines < 0:
        raise ValueError(f"load_csv: header_lines must be a number of lines, is {header_lines!r}")
    axis = sanitize_split(split, 2, "load_csv")
    kind = torch_dtype(dtype) or torch.float64
    inside = _parsed_in(kind)

    def read() -> torch.Tensor:
        return _core.csv_parse(_own_lines(slabs.existing(path, "load_csv"), header_lines, comm), sep, inside)

    local = slabs.together(comm, read)
    widths = comm.handle.allgather(local.shape[1] if local.shape[0] else None) if comm.size > 1 else [local.shape[1]]
    known = sorted({w for w in widths if w is not None})
    if len(known) > 1:
        raise ValueError(f"load_csv: lines of {str(path)!r} have different numbers of fields: {known}")
    local = local if local.shape[0] else local.new_empty((0, known[0] if known else 0))
    rows = array(local.to(kind).to(place.torch_device), is_split=0, comm=comm, copy=None)
    return balance(rows, copy=True) if axis == 0 else resplit(rows, axis)


def _parsed_in(kind: torch.dtype) -> torch.dtype:
    if kind.is_complex:
        raise TypeError(f"load_csv: complex numbers cannot be read from a table, dtype is {kind}")
    if kind in (torch.float64, torch.float32):
        return kind
    return torch.float32 if kind.is_floating_point else torch.int64


def _own_lines(path: pathlib.Path, header_lines: int, comm: Communicator) -> bytes:
    """The lines that begin in this rank's share of the bytes behind the header."""
    with path.open("rb") as file:
        for _ in range(header_lines):
            file.readline()
        body = file.tell()
        size = os.fstat(file.fileno()).st_size - body

        def line_start(rank: int) -> int:
            at = body + size * rank // comm.size
            if at <= body:
                return body
            file.seek(at - 1)
            file.readline()
            return file.tell()

        begin, end = line_start(comm.rank), line_start(comm.rank + 1)
        file.seek(begin)
        return file.read(max(0, end - begin))


def save_csv(
    data: DNDarray,
    path: Path,
    header_lines: Iterable[str] | str | None = None,
    sep: str = ",",
    decimals: int = -1,
    encoding: str = "utf-8",
    comm: Communicator | None = None,
    truncate: bool = True,
    *,
    append: bool = False,
) -> None:
    """A vector or matrix as a text file: one line per row.

    Parameters
    ----------
    data : DNDarray
        One or two axes, any split; real.
    path : path
    header_lines : str or iterable of str, optional
        Lines before the table.
    sep : str
        Between fields.
    decimals : int
        Places behind the point; -1 writes the shortest text that reads back to the same number.
    encoding : str
        Of the header.
    comm
        That of the array is used; accepted for Heat's programs.
    truncate : bool
        True replaces an old file, once the new one is complete; False writes over its beginning.
    append : bool
        Adds the lines to those of the file, if there is one, in place; `header_lines` are for a new file.

    Raises
    ------
    TypeError, ValueError, OSError
        No array, complex numbers, more than two axes, file system. On all ranks.

    Notes
    -----
    Ranks write at their offsets at once. Communication: one exchange of lengths; an alltoallv for split 1.

    Examples
    --------
    >>> import tempfile, os
    >>> folder = tempfile.mkdtemp() if ht.get_comm().rank == 0 else None
    >>> path = os.path.join(ht.get_comm().handle.bcast(folder, 0), "x.csv")
    >>> ht.save_csv(ht.array([[1.5, 2.0], [3.0, 4.25]], split=0), path, header_lines=["a,b"])
    >>> ht.load_csv(path, header_lines=1, split=0).tolist()
    [[1.5, 2.0], [3.0, 4.25]]
    """
    x = slabs.blocks(data, "save_csv")
    _checked("save_csv", sep, encoding)
    if x.ndim not in (1, 2):
        raise ValueError(f"save_csv: data must have 1 or 2 axes, has shape {x.shape}")
    if x.larray.is_complex():
        raise TypeError(f"save_csv: data must be real, is {x.dtype}")
    lines = [header_lines] if isinstance(header_lines, str) else list(header_lines or [])
    header = "".join(f"{line}\n" for line in lines).encode(encoding)
    x = resplit(x, 0) if x.split == 1 else x
    text = _core.csv_format(_as_table(x), sep, int(decimals)) if slabs.writes(x) else b""
    if append and slabs.on_first(x.comm, lambda: slabs.is_file(path, "save_csv")):
        _write(x.comm, pathlib.Path(path), b"", text, "ab")
    elif truncate or append:
        with slabs.replaced(x.comm, path, "save_csv") as temporary:
            _write(x.comm, temporary, header, text, "wb")
    else:
        there = slabs.on_first(x.comm, lambda: slabs.is_file(path, "save_csv"))
        _write(x.comm, pathlib.Path(path), header, text, "r+b" if there else "wb")


def _as_table(x: DNDarray) -> torch.Tensor:
    local = x.larray.detach().cpu()
    inside = local.dtype if local.dtype in (torch.float32, torch.float64) else torch.int64
    if local.dtype.is_floating_point and local.dtype != inside:
        inside = torch.float32
    return local.to(inside).reshape(local.shape[0], -1)


def _write(comm: Communicator, path: pathlib.Path, header: bytes, text: bytes, mode: str) -> None:
    """A header and every rank's lines behind one another. Collective."""

    def begin() -> int:
        with path.open(mode) as file:
            file.write(header)
            return file.tell()

    at = slabs.on_first(comm, begin)
    lengths = comm.handle.allgather(len(text)) if comm.size > 1 else [len(text)]
    raw.write_all(comm, path, [(at + sum(lengths[: comm.rank]), text)])


def load_csv_from_folder(
    path: Path,
    dtype: Any = dtypes.int32,
    split: int = 0,
    device: Any = None,
    comm: Communicator | None = None,
    func: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> DNDarray:
    """The tables of all .csv files of a folder, joined along `split` in the order of their names.

    Files are dealt out to ranks; nothing but shapes is sent. `func` is applied to each file's table, a float64 tensor.
    Errors as in `load_csv`.

    Examples
    --------
    >>> ht.load_csv_from_folder("missing")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_csv_from_folder: there is no 'missing'
    """

    def read(file: pathlib.Path) -> torch.Tensor:
        table = _core.csv_parse(file.read_bytes(), ",", torch.float64)
        return table if func is None else func(table)

    return from_folder(path, "*.csv", read, dtype, split, device, comm, "load_csv_from_folder")
