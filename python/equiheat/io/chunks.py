# SPDX-License-Identifier: BSD-3-Clause
"""Files that are larger than all memory, one block of rows after the other."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import TYPE_CHECKING, Any

from equiheat.io import csv, dispatch
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def chunks(path: Path, *args: Any, rows: int, split: int | None = 0, **kwargs: Any) -> Iterator[DNDarray]:
    """The array of a file as an iterator over blocks of rows, each loaded when it is asked for.

    Parameters
    ----------
    path : path
        Of a format that `load` knows and that takes `slices`: all but images.
    *args, **kwargs
        Of the function for that format: the name of the data set, `dtype`, ...; `slices` beyond the first axis.
    rows : int
        Of a block; the last one may have fewer. All ranks together hold one block.
    split : int, optional
        Axis along which a block is split.

    Returns
    -------
    iterator of DNDarray
        Balanced along `split`. Collective: all ranks must go through it together.

    Raises
    ------
    ValueError, TypeError
        `rows` is no positive integer, or the format cannot be read in parts. Before the first block.

    Examples
    --------
    >>> import tempfile, os
    >>> folder = tempfile.mkdtemp() if ht.get_comm().rank == 0 else None
    >>> path = os.path.join(ht.get_comm().handle.bcast(folder, 0), "x.npy")
    >>> ht.save(ht.arange(10, split=0), path)
    >>> [int(block.sum()) for block in ht.chunks(path, rows=4)]
    [6, 22, 17]
    """
    if isinstance(rows, bool) or not isinstance(rows, Integral) or int(rows) < 1:
        raise ValueError(f"chunks: rows must be a positive integer, is {rows!r}")
    load = dispatch.sliced_loader(path, "chunks")
    given = kwargs.pop("slices", None)
    others = [] if given is None else [given] if isinstance(given, slice) else list(given)
    first, *rest = others or [None]
    if isinstance(first, slice) and first.step not in (None, 1):
        raise ValueError(f"chunks: the step of slices[0] must be 1, is {first.step}")
    begin, end = (0, None) if first is None else (first.start or 0, first.stop)
    if begin < 0 or (end is not None and end < 0):
        raise ValueError(f"chunks: slices[0] must count from the beginning, is {first}")

    if load is csv.load_csv:  # where a row begins is known only when those before it were seen
        columns = rest[0] if rest else None
        return csv.blocks(path, *args, rows=rows, split=split, first=begin, stop=end, columns=columns, **kwargs)

    def blocks() -> Iterator[DNDarray]:
        start = begin
        while end is None or start < end:
            stop = start + rows if end is None else min(start + rows, end)
            block = load(path, *args, split=split, slices=(slice(start, stop), *rest), **kwargs)
            if block.shape[0] == 0:
                return
            yield block
            if block.shape[0] < stop - start:
                return
            start = stop

    return blocks()
