# SPDX-License-Identifier: BSD-3-Clause
"""Arrays stored in chunks: extents of whole chunks for every rank, and chunks that lie in a file as in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from equiheat._base import wrap

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class Chunk(NamedTuple):
    """A whole chunk: where it is in the grid of chunks, and its values."""

    place: tuple[int, ...]
    values: np.ndarray[Any, Any]


def aligned(extent: int, begin: int, chunk: int, size: int) -> list[int]:
    """Rows of each rank, of `extent` from row `begin` of the file on: near the chunk rule, borders between chunks."""
    ends = [begin + extent * (rank + 1) // size for rank in range(size - 1)]
    borders = [min(max((end + chunk // 2) // chunk * chunk - begin, 0), extent) for end in ends]
    return [b - a for a, b in itertools.pairwise([0, *borders, extent])]


def by_chunks(x: DNDarray, begin: int, chunks: Sequence[int]) -> DNDarray:
    """The array with every chunk on one rank; `begin`: the row of the file that its first row is.

    Collective: one alltoallv, if rows must move.
    """
    if x.split is None:
        return x
    first = begin if x.split == 0 else 0
    return wrap(x._core.redistribute(aligned(x.shape[x.split], first, chunks[x.split], x.comm.size)))


def whole_chunks(
    block: np.ndarray[Any, Any], where: Sequence[slice], chunks: tuple[int, ...], fill: Any = 0
) -> Iterator[Chunk]:
    """The chunks of a block that lies at `where` in the array; what reaches over the array's end is `fill`.

    The block begins at a chunk and ends at one or at the array's end. Chunks are views of it where they can be. Local.
    """
    ranges = (range(part.start // n, -(-part.stop // n)) for part, n in zip(where, chunks, strict=True))
    for index in itertools.product(*ranges):
        begins = [i * n - part.start for i, n, part in zip(index, chunks, where, strict=True)]
        found = block[tuple(slice(b, b + n) for b, n in zip(begins, chunks, strict=True))]
        if found.shape != chunks:
            padded = np.full(chunks, fill, block.dtype)
            padded[tuple(map(slice, found.shape))] = found
            found = padded
        yield Chunk(index, np.ascontiguousarray(found))
