# SPDX-License-Identifier: BSD-3-Clause
"""Tables of numbers as text: every rank parses its bytes and formats its rows, natively."""

from __future__ import annotations

import contextlib
import inspect
import math
import operator
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, dtypes
from equiheat._function import torch_dtype
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.construction import array
from equiheat.devices import sanitize_device
from equiheat.distribution import balance, resplit
from equiheat.io import _csv as text
from equiheat.io import _raw as raw
from equiheat.io import _rows
from equiheat.io import _slabs as slabs
from equiheat.io._folders import from_folder
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def load_csv(
    path: Path,
    header_lines: int = 0,
    sep: str | None = ",",
    dtype: Any = dtypes.float32,
    encoding: str = "utf-8",
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    *,
    slices: Any = None,
    usecols: text.Column | Sequence[text.Column] | None = None,
    names: Sequence[str] | None = None,
    comments: str | None = None,
    missing_values: str | Sequence[str] = text.MISSING,
    filling_values: float | None = None,
    converters: Mapping[text.Column, text.Converter] | None = None,
) -> DNDarray:
    """A table of numbers from a text file.

    Parameters
    ----------
    path : path
    header_lines : int
        Lines at the beginning that are passed over, empty ones and comments, too; the last one may name the columns.
    sep : str or None
        Separator of fields, of any length; None is any run of blanks.
    dtype : data type
        float32 unless given; None for float64.
    encoding : str
        One that keeps ASCII as it is.
    split : int, optional
        Axis to split.
    device, comm
        Where the array lives.
    slices : slice or sequence of slice, optional
        Rows and columns (of `usecols`) to load.
    usecols : int, str or sequence of these, optional
        Columns, in the order of the result: by number from 0 (negative from the end), or by name. What stands in the
        others does not matter.
    names : sequence of str, optional
        Of all columns, in place of those in the header.
    comments : str, optional
        Begins a comment, which ends with the line; not within quotation marks.
    missing_values : str or sequence of str
        Texts that stand for no value, besides the empty one.
    filling_values : number, optional
        What takes the place of no value: NaN unless given; integers have none.
    converters : dict, optional
        Column to a function from text to a number (None is no value), or to a dict of texts and numbers.

    Returns
    -------
    DNDarray
        (rows, columns), always two axes; balanced along `split`. Integers are exact, floating-point numbers the nearest
        ones to the decimals. A field that begins with a quotation mark is quoted: it may hold separators, line breaks
        and doubled quotation marks. Blanks around fields, a byte order mark, lines of blanks or a comment are passed
        over.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        No such file or column; a field that is no number (no whole number for integers, or too large for `dtype`), with
        its line, column and text; a row with another number of fields; a quoted field that is never closed. On all
        ranks.

    Notes
    -----
    Each rank reads 1/p of the bytes twice, in blocks: to find rows (as if no quoted field were open where its share
    begins, and once more if one was), and to parse them. Memory: its rows and 4 MiB. Communication: one alltoallv for
    the chunk rule, for split None an allgather; some ten small collectives. `converters` call Python for each field.

    Examples
    --------
    >>> import tempfile, os
    >>> folder = tempfile.mkdtemp() if ht.get_comm().rank == 0 else None
    >>> path = os.path.join(ht.get_comm().handle.bcast(folder, 0), "x.csv")
    >>> ht.save_csv(ht.array([[1.5, 2.0], [3.0, 4.25]], split=0), path, header_lines=["a,b"])
    >>> ht.load_csv(path, header_lines=1, split=0, usecols=["b", "a"]).tolist()
    [[2.0, 1.5], [4.25, 3.0]]
    """
    table = _Table(path, {
        "header_lines": header_lines, "sep": sep, "encoding": encoding, "usecols": usecols, "names": names,
        "comments": comments, "missing_values": missing_values, "filling_values": filling_values,
        "converters": converters, "dtype": dtype,
    }, device, comm)  # fmt: skip
    return table.load(table.head.body, table.head.end, split, slices)


class _Table:
    """An existing file and what is asked for of it. Collective."""

    def __init__(self, path: Path, options: dict[str, Any], device: Any, comm: Communicator | None) -> None:
        self.comm, self.place = sanitize_comm(comm), sanitize_device(device)
        self.request = request = _request(**options)
        self.path, self.head = slabs.on_first(self.comm, lambda: _found(path, request))
        self.columns = text.columns(self.head, request)
        text.choosing(request, self.columns)  # all that may be wrong with the request

    @contextlib.contextmanager
    def opened(self) -> Iterator[int]:
        """The file, on all ranks."""
        with contextlib.ExitStack() as stack:
            yield slabs.together(self.comm, lambda: stack.enter_context(text.opened(self.path)))

    def own_rows(self, file: int, begin: int, end: int) -> _rows.Part:
        """This rank's rows of a part of the file."""
        with text.naming(self.path):
            return _rows.own_rows(file, begin, end, text.reader(self.request), self.comm)

    def load(self, begin: int, end: int, split: int | None, slices: Any) -> DNDarray:
        """Rows of a part of the file."""
        axis = sanitize_split(split, 2, "load_csv")
        with self.opened() as file:
            part = self.own_rows(file, begin, end)
            rows, cols = slabs.chosen((part.total, len(self.columns.chosen)), slices, "load_csv")
            wanted = self.columns._replace(chosen=self.columns.chosen[cols])
            choice = text.own_choice(part, rows)
            with text.naming(self.path):
                local = slabs.together(self.comm, lambda: text.parsed(file, part, choice, self.request, wanted))
        x = array(local.to(self.place.torch_device), is_split=0, comm=self.comm, copy=None)
        return balance(x) if axis == 0 else resplit(x, axis)


def _request(**options: Any) -> text.Request:
    header_lines, names, kind = options["header_lines"], options["names"], torch_dtype(options.pop("dtype"))
    text.check_texts("load_csv", options["sep"], options["encoding"], options["comments"])
    if isinstance(header_lines, bool) or not isinstance(header_lines, Integral):
        raise TypeError(f"load_csv: header_lines must be an integer, is {type(header_lines)}")
    if int(header_lines) < 0:
        raise ValueError(f"load_csv: header_lines must be a number of lines, is {header_lines!r}")
    if names is not None and (isinstance(names, str) or not all(isinstance(name, str) for name in names)):
        raise TypeError(f"load_csv: names must be a sequence of strings, is {names!r}")
    converters = options.pop("converters") or {}
    request = text.Request(fn="load_csv", kind=kind or torch.float64, converters=converters, **options)
    text.parsed_in(request.kind, "load_csv")
    return request


def _found(path: Path, request: text.Request) -> tuple[pathlib.Path, text.Head]:
    file = slabs.existing(path, request.fn)
    return file, text.head(file, request)


def blocks(
    path: Path, *args: Any, rows: int, split: int | None, first: int, stop: int | None, columns: Any, **kwargs: Any
) -> Iterator[DNDarray]:
    """Rows [first, stop) of a file in blocks, for `chunks`; arguments of `load_csv` otherwise. Collective.

    The file is read once to find where blocks begin; then each block is read as `load_csv` reads a file.
    """
    bound = inspect.signature(load_csv).bind(path, *args, **kwargs)
    bound.apply_defaults()
    given = {name: value for name, value in bound.arguments.items() if name not in ("path", "split", "slices")}
    table = _Table(path, given, given.pop("device"), given.pop("comm"))
    with table.opened() as file:
        part = table.own_rows(file, table.head.body, table.head.end)
        reader = text.reader(table.request)
        own = slabs.together(table.comm, lambda: _rows.marks(file, part, reader, first, rows))
    marks = [mark for marks in table.comm.handle.allgather(own) for mark in marks]
    stop = part.total if stop is None else min(stop, part.total)
    for number, begin in enumerate(range(first, stop, rows)):
        end = marks[number + 1] if number + 1 < len(marks) else table.head.end
        yield table.load(marks[number], end, split, (slice(0, min(rows, stop - begin)), columns))


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
    if sep is None:
        raise ValueError("save_csv: sep must be a string, is None")
    text.check_texts("save_csv", sep, encoding)
    if x.ndim not in (1, 2):
        raise ValueError(f"save_csv: data must have 1 or 2 axes, has shape {x.shape}")
    if x.larray.is_complex():
        raise TypeError(f"save_csv: data must be real, is {x.dtype}")
    lines = [header_lines] if isinstance(header_lines, str) else list(header_lines or [])
    header = "".join(f"{line}\n" for line in lines).encode(encoding)
    x = resplit(x, 0) if x.split == 1 else x
    places = _places(decimals)
    table = slabs.together(x.comm, lambda: _core.csv_format(_as_table(x), sep, places) if slabs.writes(x) else b"")
    if append and slabs.on_first(x.comm, lambda: slabs.is_file(path, "save_csv")):
        with slabs.writing(path, "save_csv"):
            _append(x.comm, pathlib.Path(path), table)
    elif truncate or append:
        with slabs.replaced(x.comm, path, "save_csv") as temporary:
            _write(x.comm, temporary, header, table, "wb")
    else:
        there = slabs.on_first(x.comm, lambda: slabs.is_file(path, "save_csv"))
        with slabs.writing(path, "save_csv"):
            _write(x.comm, pathlib.Path(path), header, table, "r+b" if there else "wb")


def _places(decimals: Any) -> int:
    try:
        return operator.index(decimals)
    except TypeError:
        raise TypeError(f"save_csv: decimals must be an integer, is {decimals!r}") from None


def _as_table(x: DNDarray) -> torch.Tensor:
    local = x.larray.detach().cpu()
    inside = local.dtype if local.dtype in (torch.float32, torch.float64, torch.uint64) else torch.int64
    if local.dtype.is_floating_point and local.dtype != inside:
        inside = torch.float32
    return local.to(inside).reshape(local.shape[0], math.prod(local.shape[1:]))


def _append(comm: Communicator, path: pathlib.Path, table: bytes) -> None:
    """Lines behind those of a file, or, if they do not find room, none of them. Collective."""
    size = slabs.on_first(comm, lambda: path.stat().st_size)
    try:
        _write(comm, path, b"", table, "ab")
    except OSError:
        if comm.rank == 0:
            with contextlib.suppress(OSError):
                os.truncate(path, size)
        raise


def _write(comm: Communicator, path: pathlib.Path, header: bytes, table: bytes, mode: str) -> None:
    """A header and every rank's lines behind one another. Collective."""

    def begin() -> int:
        with path.open(mode) as file:
            file.write(header)
            return file.tell()

    at = slabs.on_first(comm, begin)
    lengths = comm.handle.allgather(len(table)) if comm.size > 1 else [len(table)]
    raw.write_all(comm, path, [(at + sum(lengths[: comm.rank]), table)])


def load_csv_from_folder(
    path: Path,
    dtype: Any = dtypes.int32,
    split: int = 0,
    device: Any = None,
    comm: Communicator | None = None,
    func: Callable[[torch.Tensor], torch.Tensor] | None = None,
    *,
    header_lines: int = 0,
) -> DNDarray:
    """The tables of all .csv files of a folder, joined along `split` in the order of their names.

    Files are dealt out to ranks; nothing but shapes is sent. `func` is applied to each file's table, a float64 tensor;
    `header_lines` are left out at the top of each. Errors as in `load_csv`.

    Examples
    --------
    >>> ht.load_csv_from_folder("missing")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_csv_from_folder: there is no 'missing'
    """
    request = _request(header_lines=header_lines, sep=",", encoding="utf-8", usecols=None, names=None, comments=None,
                       missing_values=text.MISSING, filling_values=None, converters=None, dtype=None)  # fmt: skip

    def read(file: pathlib.Path) -> torch.Tensor:
        table = text.whole(file, request)
        return table if func is None else func(table)

    return from_folder(path, "*.csv", read, dtype, split, device, comm, "load_csv_from_folder")
