# SPDX-License-Identifier: BSD-3-Clause
"""Views of an array as a grid of tiles, with the rank that holds each. Everything is local.

For programs that address blocks themselves; the operations of equiheat do not use them.
"""

from __future__ import annotations

from typing import Any

import torch

from equiheat.array import DNDarray
from equiheat.core._square_tiles import SquareDiagTiles
from equiheat.core.sanitation import sanitize_in

__all__ = ["SplitTiles", "SquareDiagTiles"]


class SplitTiles:
    """As many tiles along every axis as there are ranks; along the split they are the ranks' blocks.

    Parameters
    ----------
    arr
        The array; tiles are views of its blocks.

    Examples
    --------
    >>> from equiheat.core.tiling import SplitTiles
    >>> tiles = SplitTiles(ht.zeros((4, 6), split=0))
    >>> tiles.tile_dimensions.sum(1).tolist()
    [4, 6]
    """

    def __init__(self, arr: DNDarray) -> None:
        sanitize_in(arr)
        size = arr.comm.size
        rows = []
        for axis, extent in enumerate(arr.shape):
            counts = arr._core.counts if axis == arr.split else None
            rows.append(counts or [extent // size + (r < extent % size) for r in range(size)])
        self._arr = arr
        self._dims = torch.tensor(rows, dtype=torch.int64).reshape(arr.ndim, size)
        self._ends = self._dims.cumsum(1)
        self._locations = self.set_tile_locations(arr.split, self._dims, arr)

    arr = property(lambda self: self._arr, doc="The array.")
    lshape_map = property(lambda self: self._arr.lshape_map, doc="(ranks, ndim): the block shape of every rank.")
    tile_dimensions = property(lambda self: self._dims, doc="(ndim, ranks): extents of the tiles along every axis.")
    tile_ends_g = property(lambda self: self._ends, doc="(ndim, ranks): where the tiles end, globally.")
    tile_locations = property(lambda self: self._locations, doc="(ranks, ..., ranks): the rank that holds each tile.")

    @staticmethod
    def set_tile_locations(split: int | None, tile_dims: torch.Tensor, arr: DNDarray) -> torch.Tensor:
        """The rank that holds each tile if the array were split along `split`; this rank for None."""
        parts = tile_dims.shape[1]
        if split is None:
            return torch.full((parts,) * arr.ndim, arr.comm.rank, dtype=torch.int64)
        shape = [parts if axis == split else 1 for axis in range(arr.ndim)]
        return torch.arange(parts).reshape(shape).expand((parts,) * arr.ndim).clone()

    def _bounds(self, key: Any) -> list[tuple[int, int]]:
        """Global begin and end of the tiles that a key of integers and slices names, along every axis."""
        keys = key if isinstance(key, tuple) else (key,)
        if not all(isinstance(k, (int, slice)) for k in keys) or len(keys) > self._arr.ndim:
            raise TypeError(f"SplitTiles: key must be integers and slices, one per axis at most, is {key!r}")
        bounds = []
        for axis in range(self._arr.ndim):
            entry = keys[axis] if axis < len(keys) else slice(None)
            parts = range(self._dims.shape[1])[entry]
            chosen = [parts] if isinstance(parts, int) else list(parts)
            begin = int(self._ends[axis, chosen[0]] - self._dims[axis, chosen[0]]) if chosen else 0
            bounds.append((begin, int(self._ends[axis, chosen[-1]]) if chosen else 0))
        return bounds

    def _slices(self, key: Any) -> tuple[slice, ...] | None:
        """Where those tiles lie in this rank's block; None if no part does."""
        bounds, split = self._bounds(key), self._arr.split
        if split is not None:
            counts = self._arr.counts_displs()
            first = counts[1][self._arr.comm.rank]
            last = first + counts[0][self._arr.comm.rank]
            begin, end = max(bounds[split][0], first), min(bounds[split][1], last)
            if begin >= end:
                return None
            bounds[split] = (begin - first, end - first)
        return tuple(slice(*pair) for pair in bounds)

    def __getitem__(self, key: Any) -> torch.Tensor | None:
        """What this rank holds of the tiles; None if nothing."""
        where = self._slices(key)
        return None if where is None else self._arr.larray[where]

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write what this rank holds of the tiles."""
        where = self._slices(key)
        if where is not None:
            self._arr.larray[where] = value

    def get_tile_size(self, key: Any) -> tuple[int, ...]:
        """Global extents of the tiles that the key names."""
        return tuple(end - begin for begin, end in self._bounds(key))

    def get_subarray_params(self, from_axis: int, to_axis: int) -> list[tuple[list[int], list[int], list[int]]]:
        """For every rank (block shape, subsizes, starts) of its part along `to_axis`: what Alltoallw takes."""
        shape = list(self._arr.lshape)
        params = []
        for rank in range(self._dims.shape[1]):
            sizes, starts = list(shape), [0] * len(shape)
            sizes[to_axis] = int(self._dims[to_axis, rank])
            starts[to_axis] = int(self._ends[to_axis, rank]) - sizes[to_axis]
            params.append((list(shape), sizes, starts))
        return params
