# SPDX-License-Identifier: BSD-3-Clause
"""Which rows of a text file are whose: found by all ranks at once, one block of bytes after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from equiheat import _core
from equiheat.communication import Communicator
from equiheat.io import _slabs as slabs

#: Bytes that are read and parsed at a time.
_BLOCK = 1 << 22


class Pieces:
    """Bytes [at, end) of a file in blocks that end with lines. What is not consumed of one comes again, with more."""

    def __init__(self, file: int, begin: int, end: int) -> None:
        self.file, self.at, self.end = file, begin, end
        self._size = _BLOCK
        self._buffer = bytearray(min(_BLOCK, max(0, end - begin)))

    def __iter__(self) -> Iterator[memoryview]:
        while self.at < self.end:
            size = min(self._size, self.end - self.at)
            if len(self._buffer) < size:
                self._buffer = bytearray(size)
            text = memoryview(self._buffer)[:size]
            _fill(self.file, self.at, text)
            cut = size if self.at + size == self.end else self._buffer.rfind(b"\n", 0, size) + 1
            if cut == 0:
                self._size *= 2
                continue
            last = self.at + size == self.end
            before = self.at
            yield text[:cut]
            if self.at == before and last:
                return
            self._size = _BLOCK if self.at > before else 2 * self._size

    def consume(self, size: int) -> None:
        """The next block begins so many bytes later."""
        self.at += size


def _fill(file: int, at: int, target: memoryview) -> None:
    done = 0
    while done < len(target):
        got = os.preadv(file, [target[done:]], at + done)
        if got == 0:
            raise ValueError("the file became shorter while it was read")
        done += got


class Scan(NamedTuple):
    """Rows that begin in a part of a file."""

    rows: int
    first: int | None  #: where
    last: int | None
    inside: bool  #: the part ends within a quoted field


def scanned(file: int, low: int, high: int, reader: _core.CsvReader, inside: bool = False) -> Scan:
    """Of a part that begins with a line, or within a quoted field. Local."""
    rows, first, last = 0, None, None
    pieces = Pieces(file, low, high)
    for text in pieces:
        found = reader.scan(text, inside)
        if found.rows:
            first = pieces.at + found.first if first is None else first
            last = pieces.at + found.last
        rows, inside = rows + found.rows, found.inside
        pieces.consume(len(text))
    return Scan(rows, first, last, inside)


class Part(NamedTuple):
    """A rank's rows: those that begin in its share of the bytes."""

    begin: int
    end: int
    rows: int
    before: int  #: rows of the ranks before
    total: int


def own_rows(file: int, begin: int, end: int, reader: _core.CsvReader, comm: Communicator) -> Part:
    """Rows of bytes [begin, end), which begin with a row, dealt out by bytes; quoted fields may have line breaks.

    Shares begin with lines, and each is scanned as if no quoted field were open there. Where that turns out wrong,
    each is scanned a second time as if one were open, and the shares are put together in order. (Speculation on two
    states of the parser: Ge et al., Speculative Distributed CSV Data Parsing, SIGMOD 2019.) Collective: two
    allgathers of a few numbers, four in the second case.
    """
    low, high = (_line(file, begin, end, rank, comm.size) for rank in (comm.rank, comm.rank + 1))
    closed = _gathered(comm, lambda: scanned(file, low, high, reader))
    opened = closed
    if any(scan.inside for scan in closed[:-1]):
        opened = _gathered(comm, lambda: scanned(file, low, high, reader, True))
    scans, inside = [], False
    for one, other in zip(closed, opened, strict=True):
        scans.append(other if inside else one)
        inside = scans[-1].inside
    if inside:
        last = max(scan.last for scan in scans if scan.last is not None)
        raise slabs.on_first(comm, lambda: never_closed(file, last))
    return _part(scans, end, comm.rank)


def _part(scans: list[Scan], end: int, rank: int) -> Part:
    starts = [scan.first for scan in scans]
    stop = next((s for s in starts[rank + 1 :] if s is not None), end)
    start = starts[rank]
    rows = [scan.rows for scan in scans]
    return Part(stop if start is None else start, stop, rows[rank], sum(rows[:rank]), sum(rows))


def _gathered(comm: Communicator, work: Callable[[], Scan]) -> list[Scan]:
    found = slabs.together(comm, work)
    return [found] if comm.size == 1 else [Scan(*scan) for scan in comm.handle.allgather(tuple(found))]


def _line(file: int, begin: int, end: int, rank: int, size: int) -> int:
    """Where the first line begins in the rank's share of the bytes or behind it."""
    at = begin + (end - begin) * rank // size
    if at in (begin, end):
        return at
    at -= 1
    while at < end:
        block = os.pread(file, min(1 << 16, end - at), at)
        found = block.find(b"\n")
        if found >= 0:
            return at + found + 1
        at = at + len(block) if block else end
    return end


def marks(file: int, part: Part, reader: _core.CsvReader, first: int, every: int) -> list[int]:
    """Where rows `first`, `first + every`, ... of the file begin, as far as they are this rank's. Local."""
    found: list[int] = []
    row, wanted = part.before, first + max(0, -(-(part.before - first) // every)) * every
    pieces = Pieces(file, part.begin, part.end)
    for text in pieces:
        used = 0
        while wanted < part.before + part.rows:
            rows, size = reader.skip(text[used:], wanted - row)
            row, used = row + rows, used + size
            if row < wanted:
                break
            found.append(pieces.at + used)
            wanted += every
        else:
            break
        pieces.consume(used)
    return found


def never_closed(file: int, last: int | None) -> ValueError:
    """That the last row has no end. Local."""
    return ValueError(f"a quoted field of the row in line {line_number(file, last or 0)} is never closed")


def line_number(file: int, offset: int) -> int:
    """Of the line that the byte is in, from 1. Local."""
    count, at = 1, 0
    while at < offset:
        block = os.pread(file, min(_BLOCK, offset - at), at)
        if not block:
            break
        count, at = count + block.count(b"\n"), at + len(block)
    return count


def first_row(file: int, at: int, reader: _core.CsvReader) -> tuple[list[bytes], int]:
    """Fields of the row, or of the empty line, that begins at an offset, and the offset behind it. Local."""
    size, end = 1 << 16, os.fstat(file).st_size
    while True:
        text = memoryview(bytearray(min(size, end - at)))
        _fill(file, at, text)
        fields, used = reader.split(text)
        if used >= 0:
            return fields, at + used
        if at + size >= end:
            return fields, end
        size *= 2
