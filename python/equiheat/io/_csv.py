# SPDX-License-Identifier: BSD-3-Clause
"""What a table of text is made of: its head, the columns that are asked for, the numbers of a rank's rows."""

from __future__ import annotations

import contextlib
import operator
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from equiheat import _core
from equiheat.io import _rows
from equiheat.io._rows import Part

#: Texts that stand for a missing number, besides the empty one and nan.
MISSING = ("NA", "N/A", "n/a", "#N/A", "<NA>", "None", "null", "NULL")
ENCODINGS = ("utf-8", "utf8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "cp1252")
Column = int | str
Converter = Callable[[str], Any] | Mapping[str, Any]


class Request(NamedTuple):
    """What the caller asked for; the same on all ranks."""

    fn: str
    header_lines: int
    sep: str | None
    comments: str | None
    encoding: str
    kind: torch.dtype
    usecols: Column | Sequence[Column] | None
    names: Sequence[str] | None
    missing_values: str | Sequence[str]
    filling_values: float | None
    converters: Mapping[Column, Converter]


def check_texts(fn: str, sep: str | None, encoding: str, comments: str | None = None) -> None:
    """ValueError for separators and the like that could not be told from the rest; TypeError for no text. Local."""
    for name, word in (("sep", sep), ("comments", comments)):
        if word is not None and not isinstance(word, str):
            raise TypeError(f"{fn}: {name} must be a string, is {type(word)}")
        if word is not None and (not word or set(word) & set('\n\r"')):
            raise ValueError(f"{fn}: {name} must be a string without line breaks and quotation marks, is {word!r}")
    if sep is not None and comments is not None and (sep.startswith(comments) or comments.startswith(sep)):
        raise ValueError(f"{fn}: sep and comments cannot be told from each other, are {sep!r} and {comments!r}")
    if str(encoding).lower() not in ENCODINGS:
        raise ValueError(f"{fn}: encoding must be one that keeps ASCII as it is, {ENCODINGS}, is {encoding!r}")


@contextlib.contextmanager
def opened(path: pathlib.Path) -> Iterator[int]:
    """A file to read. Local."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)


@contextlib.contextmanager
def naming(path: pathlib.Path, fn: str = "load_csv") -> Iterator[None]:
    """What is wrong in a file, as an error that names function and file. Local."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{fn}: {str(path)!r}: {str(error).removeprefix(f'{fn}: ')}") from error


def reader(request: Request) -> _core.CsvReader:
    """That knows separators and comments. Local."""
    words = (request.sep or "", request.comments or "")
    separator, comment = (word.encode(request.encoding) for word in words)
    return _core.CsvReader(separator, comment)


class Head(NamedTuple):
    """What the beginning of a file tells."""

    body: int  #: where the rows begin
    end: int
    fields: int  #: of a row; -1: there is none
    names: list[str] | None


def head(path: pathlib.Path, request: Request) -> Head:
    """Of a file. Local."""
    with opened(path) as file:
        end = os.fstat(file).st_size
        at = 3 if os.pread(file, 3, 0) == b"\xef\xbb\xbf" else 0
        rows = reader(request)
        header: list[bytes] = []
        for _ in range(request.header_lines):
            line = at
            header, at = _rows.first_row(file, at, rows)
            header = header or _commented(os.pread(file, at - line, line), request)
        body = at
        fields: list[bytes] = []
        while not fields and at < end:
            fields, at = _rows.first_row(file, at, rows)
    return Head(body, end, len(fields) or -1, _names(header, request))


def _commented(line: bytes, request: Request) -> list[bytes]:
    """Fields behind the mark of a comment, as NumPy writes names of columns. Local."""
    mark = (request.comments or "").encode(request.encoding)
    plain = reader(request._replace(comments=None))
    return plain.split(line.strip().removeprefix(mark))[0]


def _names(header: list[bytes], request: Request) -> list[str] | None:
    if request.names is not None:
        return list(request.names)
    if not header:
        return None
    names = [field.decode(request.encoding, "replace") for field in header]
    mark = request.comments or "#"
    return [names[0].removeprefix(mark).lstrip(), *names[1:]]


class Columns(NamedTuple):
    """Fields of a row that are asked for, in the order of the result."""

    chosen: list[int]
    fields: int
    names: list[str] | None

    def label(self, number: int) -> str:
        """For people."""
        named = self.names is not None and len(self.names) == self.fields
        return f"column {number}" + (f" ({self.names[number]!r})" if named and self.names else "")


def columns(found: Head, request: Request) -> Columns:
    """Which columns there are and which are asked for; replicated. Local."""
    fields = found.fields if found.fields >= 0 else len(found.names or ())
    if request.names is not None and found.fields not in (-1, len(request.names)):
        raise ValueError(f"{request.fn}: {len(request.names)} names for {fields} columns: {list(request.names)}")
    wanted = request.usecols
    if wanted is None:
        return Columns(list(range(max(0, found.fields))), fields, found.names)
    several = [wanted] if isinstance(wanted, str) or not hasattr(wanted, "__iter__") else list(wanted)
    if not several:
        raise ValueError(f"{request.fn}: usecols has no column")
    return Columns([_number(c, found.names, fields, request.fn, "usecols") for c in several], fields, found.names)


def _number(column: Any, names: list[str] | None, fields: int, fn: str, argument: str) -> int:
    if isinstance(column, str):
        if names is None:
            raise ValueError(f"{fn}: {argument} has the name {column!r}; give names, or header_lines >= 1")
        if names.count(column) != 1:
            raise ValueError(f"{fn}: {argument}: {names.count(column)} columns are named {column!r}, there are {names}")
        column = names.index(column)
    if isinstance(column, bool) or not hasattr(column, "__index__"):
        raise TypeError(f"{fn}: {argument} must have numbers or names of columns, has {column!r}")
    number = operator.index(column)
    if not -fields <= number < fields:
        raise ValueError(f"{fn}: {argument}: there is no column {number}, there are {fields}")
    return number % fields


def parsed_in(kind: torch.dtype, fn: str) -> torch.dtype:
    """The type that the core parses. Local."""
    if kind.is_complex:
        raise TypeError(f"{fn}: complex numbers cannot be read from a table, dtype is {kind}")
    if kind in (torch.float64, torch.float32, torch.uint64):
        return kind
    return torch.float32 if kind.is_floating_point else torch.int64


def choosing(request: Request, cols: Columns) -> _core.CsvReader:
    """A reader that parses these columns. Local."""
    unique = list(dict.fromkeys(cols.chosen))
    place = [-1] * cols.fields
    for position, number in enumerate(unique):
        place[number] = position
    given = request.missing_values
    words = [given] if isinstance(given, str) else list(given)
    whole = not request.kind.is_floating_point
    unbounded = not whole or request.kind in (torch.bool, torch.uint64)  # as far as the core is told
    limits = torch.iinfo(torch.int64 if unbounded else request.kind)
    rows = reader(request)
    missing = [word.encode(request.encoding) for word in words]
    rows.choose(place, missing, _fill(request, whole), (limits.min, limits.max),
                _converters(request, cols, place), request.encoding)  # fmt: skip
    return rows


def _fill(request: Request, whole: bool) -> str:
    value = request.filling_values
    if value is None:
        return "" if whole else "nan"
    try:
        return str(operator.index(value)) if whole else repr(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        what = "an integer" if whole else "a number"
        raise TypeError(f"{request.fn}: filling_values must be {what} for {request.kind}, is {value!r}") from None


def _converters(request: Request, cols: Columns, place: list[int]) -> list[Any]:
    found: list[Any] = [None] * cols.fields
    for column, converter in request.converters.items():
        number = _number(column, cols.names, cols.fields, request.fn, "converters")
        if not callable(converter) and not isinstance(converter, Mapping):
            raise TypeError(f"{request.fn}: a converter must be a function or a dict, is {converter!r}")
        found[number] = _converter(converter, cols.label(number)) if place[number] >= 0 else None
    return found if any(c is not None for c in found) else []


def _converter(given: Converter, where: str) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            return given[text] if isinstance(given, Mapping) else given(text)
        except Exception as error:
            raise ValueError(f"{where}: no number could be made of {text!r}: {error!r}") from error

    return convert


class Choice(NamedTuple):
    """Rows of a part: so many, every `step`-th, behind `skip` others."""

    skip: int
    rows: int
    step: int


def own_choice(part: Part, rows: slice) -> Choice:
    """What a selection of the file's rows takes of a rank's. Local."""
    first = rows.start + max(0, -(-(part.before - rows.start) // rows.step)) * rows.step
    stop = min(rows.stop, part.before + part.rows)
    return Choice(first - part.before, len(range(first, stop, rows.step)), rows.step)


def parsed(file: int, part: Part, choice: Choice, request: Request, cols: Columns) -> torch.Tensor:
    """(rows, columns) of a part's rows, in blocks. Local."""
    rows, inside = choosing(request, cols), parsed_in(request.kind, request.fn)
    unique = list(dict.fromkeys(cols.chosen))
    out = torch.empty((choice.rows, len(unique)), dtype=request.kind)
    done, skip = 0, choice.skip
    pieces = _rows.Pieces(file, part.begin, part.end)
    for text in pieces:
        if done == choice.rows:
            break
        most = min(choice.rows - done, len(text) // max(1, cols.fields) + 1)
        block = out[done:] if inside == request.kind else out.new_empty((most, len(unique)), dtype=inside)
        found = rows.parse(text, block, skip, choice.step)
        if found.fault:
            raise ValueError(_fault(file, pieces.at, found, request, cols))
        if inside != request.kind:
            out[done : done + found.rows] = block[: found.rows]
        done, skip = done + found.rows, found.skip
        pieces.consume(found.consumed)
    if done < choice.rows:
        raise ValueError("the file changed while it was read")
    if unique == cols.chosen:
        return out
    order = [unique.index(number) for number in cols.chosen]
    if out.dtype == torch.uint64:  # which torch cannot index
        return out.view(torch.int64)[:, order].view(torch.uint64)
    return out[:, order]


def whole(path: pathlib.Path, request: Request) -> torch.Tensor:
    """All rows of a file, on one rank. Local."""
    found = head(path, request)
    with opened(path) as file:
        scan = _rows.scanned(file, found.body, found.end, reader(request))
        if scan.inside:
            raise _rows.never_closed(file, scan.last)
        part = Part(found.body, found.end, scan.rows, 0, scan.rows)
        return parsed(file, part, Choice(0, scan.rows, 1), request, columns(found, request))


def _fault(file: int, at: int, found: _core.CsvRows, request: Request, cols: Columns) -> str:
    line = _rows.line_number(file, at + found.offset)
    text = found.text.decode(request.encoding, "replace")
    text = text if len(text) <= 60 else f"{text[:60]}..."
    kind = str(request.kind).removeprefix("torch.")
    if found.fault == 4:
        return f"line {line} has {found.column} fields, not {cols.fields}: {text!r}"
    where = f"line {line}, {cols.label(found.column)}: {text!r}"
    if found.fault == 3:
        return f"{where} has no value, for which {kind} has no room; give filling_values or a dtype with NaN"
    what = f"does not fit into {kind}" if found.fault == 2 else "is no " + ("number" if "float" in kind else "integer")
    hint = "; header_lines=1 passes over a header" if line == 1 else ""
    return f"{where} {what}{hint}"
