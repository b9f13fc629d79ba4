# SPDX-License-Identifier: BSD-3-Clause
"""Tiles of a matrix of which those on the diagonal are square."""

from __future__ import annotations

from typing import Any

import torch

from equiheat.array import DNDarray

__all__ = ["SquareDiagTiles"]


def _starts(counts: list[int], per_rank: int) -> tuple[list[int], list[int]]:
    """Where tiles begin if every rank's rows are cut into `per_rank`, and how many tiles each rank has."""
    starts, numbers, at = [], [], 0
    for count in counts:
        parts = min(per_rank, count)
        cut = [count // parts + (i < count % parts) for i in range(parts)] if parts else []
        for extent in cut:
            starts.append(at)
            at += extent
        numbers.append(parts)
    return starts, numbers


class SquareDiagTiles:
    """A matrix as tiles: `tiles_per_proc` along the split for each rank, those on the diagonal square.

    Rows and columns are cut at the same places, up to the shorter extent; what lies beyond belongs to the last tile.

    Parameters
    ----------
    arr
        A matrix. Tiles are views of its blocks.
    tiles_per_proc
        Tiles along the split for each rank, fewer where it has fewer rows.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """

    def __init__(self, arr: DNDarray, tiles_per_proc: int = 2) -> None:
        if not isinstance(arr, DNDarray):
            raise TypeError(f"arr must be a DNDarray, is {type(arr)}")
        if not isinstance(tiles_per_proc, int):
            raise TypeError(f"tiles_per_proc must be an int, is {type(tiles_per_proc)}")
        if tiles_per_proc < 1:
            raise ValueError(f"Tiles per process must be >= 1, currently: {tiles_per_proc}")
        if arr.ndim != 2:
            raise ValueError(f"Arr must be 2 dimensional, current shape {arr.shape}")
        split = arr.split or 0
        counts = list(arr._core.counts or [arr.shape[0]])
        starts, numbers = _starts(counts, tiles_per_proc)
        across = 1 - split
        other = [s for s in starts if s < arr.shape[across]] or [0]
        self._arr = arr
        self._inds = [starts or [0], other] if split == 0 else [other, starts or [0]]
        size = arr.comm.size
        self._numbers = numbers if arr.split is not None else [len(starts)] * size
        diagonal = min(arr.shape)
        held = [sum(counts[:r]) for r in range(len(counts)) if counts[r] and sum(counts[:r]) < diagonal]
        self._last = len(held) - 1 if arr.split is not None else size - 1

    arr = property(lambda self: self._arr, doc="The matrix.")
    lshape_map = property(lambda self: self._arr.lshape_map, doc="(ranks, 2): the block shape of every rank.")
    row_indices = property(lambda self: list(self._inds[0]), doc="First row of every row of tiles.")
    col_indices = property(lambda self: list(self._inds[1]), doc="First column of every column of tiles.")
    tile_rows = property(lambda self: len(self._inds[0]), doc="Number of rows of tiles.")
    tile_columns = property(lambda self: len(self._inds[1]), doc="Number of columns of tiles.")
    last_diagonal_process = property(lambda self: self._last, doc="Last rank that holds a part of the diagonal.")

    @property
    def tile_rows_per_process(self) -> list[int]:
        """Rows of tiles on every rank."""
        return list(self._numbers) if self._arr.split == 0 else [self.tile_rows] * self._arr.comm.size

    @property
    def tile_columns_per_process(self) -> list[int]:
        """Columns of tiles on every rank."""
        return list(self._numbers) if self._arr.split == 1 else [self.tile_columns] * self._arr.comm.size

    def _owner(self, position: int) -> int:
        """The rank that holds the tile at this place along the split."""
        for rank, number in enumerate(self._numbers):
            if position < number:
                return rank
            position -= number
        return len(self._numbers) - 1

    @property
    def tile_map(self) -> torch.Tensor:
        """(rows, columns, 3): first row, first column and rank of every tile."""
        out = torch.empty((self.tile_rows, self.tile_columns, 3), dtype=torch.int64)
        out[..., 0] = torch.tensor(self._inds[0])[:, None]
        out[..., 1] = torch.tensor(self._inds[1])[None, :]
        split = self._arr.split
        for i in range(self.tile_rows if split != 1 else self.tile_columns):
            rank = self._arr.comm.rank if split is None else self._owner(i)
            out.select(1 if split == 1 else 0, i)[..., 2] = rank
        return out

    def _bounds(self, key: Any) -> list[tuple[int, int]]:
        keys = key if isinstance(key, tuple) else (key, slice(None))
        if len(keys) != 2 or not all(isinstance(k, (int, slice)) for k in keys):
            raise TypeError(f"SquareDiagTiles: key must be one or two integers or slices, is {key!r}")
        bounds = []
        for axis, entry in enumerate(keys):
            edges = [*self._inds[axis], self._arr.shape[axis]]
            parts = range(len(edges) - 1)[entry]
            chosen = [parts] if isinstance(parts, int) else list(parts)
            bounds.append((edges[chosen[0]], edges[chosen[-1] + 1]) if chosen else (0, 0))
        return bounds

    def get_start_stop(self, key: Any) -> tuple[int, int, int, int]:
        """First row, end row, first column, end column of tiles, within the block of the rank that holds them."""
        (r0, r1), (c0, c1) = self._bounds(key)
        offset = self._offset(r0 if self._arr.split == 0 else c0)
        down, right = (offset, 0) if self._arr.split == 0 else (0, offset) if self._arr.split == 1 else (0, 0)
        return r0 - down, r1 - down, c0 - right, c1 - right

    def _offset(self, index: int) -> int:
        """Where the block begins that holds this global index along the split."""
        counts = self._arr._core.counts
        if counts is None:
            return 0
        at = 0
        for count in counts:
            if index < at + count:
                break
            at += count
        return at

    def _mine(self, key: Any) -> tuple[slice, slice] | None:
        (r0, r1), (c0, c1) = self._bounds(key)
        split = self._arr.split
        if split is not None:
            counts, displs = self._arr.counts_displs()
            rank = self._arr.comm.rank
            begin, end = displs[rank], displs[rank] + counts[rank]
            if split == 0:
                r0, r1 = max(r0, begin) - begin, min(r1, end) - begin
            else:
                c0, c1 = max(c0, begin) - begin, min(c1, end) - begin
        return (slice(r0, r1), slice(c0, c1)) if r0 < r1 and c0 < c1 else None

    def __getitem__(self, key: Any) -> torch.Tensor | None:
        """What this rank holds of the tiles; None if nothing."""
        where = self._mine(key)
        return None if where is None else self._arr.larray[where]

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write what this rank holds of the tiles."""
        where = self._mine(key)
        if where is not None:
            self._arr.larray[where] = value

    def local_to_global(self, key: Any, rank: int) -> tuple[Any, ...]:
        """The key of a rank's own tiles among all tiles."""
        keys = list(key) if isinstance(key, tuple) else [key, slice(None)]
        split = self._arr.split
        if split is not None:
            before, own = sum(self._numbers[:rank]), self._numbers[rank]
            chosen = range(own)[keys[split]]
            keys[split] = (
                before + chosen if isinstance(chosen, int) else slice(before + chosen.start, before + chosen.stop)
            )
        return tuple(keys)

    def local_get(self, key: Any) -> torch.Tensor | None:
        """Tiles of this rank by their own numbers."""
        return self[self.local_to_global(key, self._arr.comm.rank)]

    def local_set(self, key: Any, value: Any) -> None:
        """Write tiles of this rank by their own numbers."""
        self[self.local_to_global(key, self._arr.comm.rank)] = value

    def match_tiles(self, tiles_to_match: SquareDiagTiles) -> None:
        """Cut rows (and columns, where they fit) at the places of other tiles of a matrix with as many rows."""
        other = tiles_to_match
        rows = [i for i in other._inds[0] if i < self._arr.shape[0]] or [0]
        columns = [i for i in other._inds[0] if i < self._arr.shape[1]] or [0]
        self._inds = [rows, columns]
        counts, displs = (self._arr._core.counts or [self._arr.shape[0]]), self._arr.split or 0
        edges = [sum(counts[: r + 1]) for r in range(len(counts))]
        starts = self._inds[displs]
        self._numbers = [sum(end - n <= s < end for s in starts) for n, end in zip(counts, edges, strict=True)]
