# SPDX-License-Identifier: BSD-3-Clause
"""Entries of sparse matrices one by one: selection, diagonals, extremes, element-wise functions."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from equiheat import _core
from equiheat._base import ArrayBase, wrap
from equiheat._function import native
from equiheat._sanitize import sanitize_split
from equiheat.linalg import matrix_transpose as transpose
from equiheat.promotion import promote_types
from equiheat.sparse._operators import Operators, check_kind, is_scalar

if TYPE_CHECKING:
    from typing import Self

    from equiheat.array import DNDarray


class Elements(Operators):
    """Methods of sparse matrices that look at single entries, with SciPy's names."""

    __slots__ = ()

    # ------------------------------------------------------------------ where entries are
    def _first(self) -> int:
        """The first row (column) of this rank. Local."""
        counts = self._core.counts
        return 0 if counts is None else sum(counts[: self._core.comm.rank])

    def _lines(self) -> torch.Tensor:
        """The row (column) of each of this rank's entries, counted from its first one. Local."""
        begin = self._core.begin
        return torch.repeat_interleave(torch.arange(begin.numel() - 1), begin.diff())

    def _along(self, block: torch.Tensor, n: int, counts: list[int] | None) -> DNDarray:
        """A vector split as the rows (columns) are. Local."""
        return wrap(_core.Array(block, [n], self._core.split, counts, self._core.comm))

    def _entries(self, values: torch.Tensor) -> DNDarray:
        """One number for each entry as a vector. Local."""
        counts = None if self._core.split is None else list(self._core.entries)
        return self._along(values, sum(self._core.entries), counts)

    # ------------------------------------------------------------------ selection
    def __getitem__(self, key: Any) -> Any:
        """Rows and columns chosen by slices, integers, lists or masks, always as a matrix; of two integers a number.

        Collective for a split matrix: products with matrices of ones, which send the chosen rows to their new owners.

        Raises
        ------
        IndexError
            Out of bounds, more than two indices, or two lists: choose rows first, then columns.
        """
        keys = list(key) if isinstance(key, tuple) else [key]
        dots = next((i for i, k in enumerate(keys) if k is Ellipsis), len(keys))
        keys = [*keys[:dots], *[slice(None)] * (2 - len(keys) + (dots < len(keys))), *keys[dots + 1 :]]
        if len(keys) > 2:
            raise IndexError(f"a sparse matrix has two axes, there are {len(keys)} indices")
        numbers = [not isinstance(k, slice) and np.ndim(k) == 0 for k in keys]
        if not any(numbers) and not any(isinstance(k, slice) for k in keys):
            raise IndexError("two lists of indices are not supported: take rows first, a[rows][:, columns]")
        shape: tuple[int, ...] = cast(Any, self).shape
        chosen = [
            None if isinstance(k, slice) and k == slice(None) else _chosen(k, n)
            for k, n in zip(keys, shape, strict=True)
        ]
        core = self._core
        for axis, places in enumerate(chosen):
            if places is not None:
                core = _taken(core, places, axis == self._major)
        found = self._made(core, self._major)
        return found.sum().astype(found.dtype) if all(numbers) else found

    def diagonal(self, k: int = 0) -> DNDarray:
        """The k-th diagonal; positive ones lie above the main one. Split 0 if the matrix is split. Local."""
        rows, columns = cast(Any, self).shape
        below, above = max(-k, 0), max(k, 0)
        n = max(min(rows - below, columns - above), 0)
        start = below if self._major == 0 else above
        counts = self._core.counts
        ends = [0, *accumulate(counts)] if counts is not None else [0, self._core.begin.numel() - 1]
        parts = [max(min(b, start + n) - max(a, start), 0) for a, b in pairwise(ends)]
        lines = self._lines() + self._first()
        on = self._core.columns - lines == (k if self._major == 0 else -k)
        block = self._core.values.new_zeros(parts[0 if counts is None else self._core.comm.rank])
        block[lines[on] - max(self._first(), start)] = self._core.values[on]
        return self._along(block, n, None if counts is None else parts)

    def trace(self, offset: int = 0) -> DNDarray:
        """Sum of a diagonal. Collective: one allreduce of a number."""
        return self.diagonal(offset).sum()

    def nonzero(self) -> tuple[DNDarray, DNDarray]:
        """Rows and columns of the entries that are not zero, in the order of the entries. Communication: counts."""
        there = self._core.values != 0
        places = [x[there] for x in (self._lines() + self._first(), self._core.columns)]
        comm = cast(Any, self).comm
        counts = None
        if self._core.split is not None:
            counts = comm.allgather(torch.tensor([places[0].numel()])).flatten().tolist()
        n = places[0].numel() if counts is None else sum(counts)
        first, second = (self._along(x, n, counts) for x in places)
        return (first, second) if self._major == 0 else (second, first)

    def count_nonzero(self) -> int:
        """Number of entries that are not zero. Collective: one allreduce of a number."""
        return int(self._entries((self._core.values != 0).to(torch.int64)).sum().item())

    def eliminate_zeros(self) -> None:
        """Drop stored zeros, in place. Communication: one number per rank."""
        core, there = self._core, self._core.values != 0
        begin = torch.cat([torch.zeros(1, dtype=torch.int64), there.cumsum(0)])[core.begin]
        parts = (begin, core.columns[there], core.values[there], cast("tuple[int, int]", tuple(core.gshape)))
        this: Any = self
        this._core = _core.sparse_from_block(*parts, core.split, core.counts, core.comm)
        this._array = None

    # ------------------------------------------------------------------ extremes
    def max(self, axis: int | None = None) -> DNDarray:
        """Largest element, places without an entry counting as 0; along an axis (n,), distributed as `sum`'s.

        Collective: one allreduce, or along the compressed axis one alltoallv of the entries; none across it.
        """
        return self._extreme("max", axis)

    def min(self, axis: int | None = None) -> DNDarray:
        """Smallest element; otherwise as `max`."""
        return self._extreme("min", axis)

    def _extreme(self, fn: str, axis: int | None) -> DNDarray:
        shape: tuple[int, ...] = cast(Any, self).shape
        at = sanitize_split(axis, 2, fn, "axis")
        values = self._core.values
        if values.is_complex():
            raise TypeError(f"{fn}: complex numbers have no order")
        if 0 in (shape if at is None else (shape[at],)):
            raise ValueError(f"{fn}: there are no elements, the shape is {shape}")
        if at == self._major:
            return cast(Any, self.tocsc() if at == 0 else self.tocsr())._extreme(fn, at)
        clip = torch.clamp_min if fn == "max" else torch.clamp_max
        values = values.to(torch.uint8) if values.dtype == torch.bool else values
        if at is None:
            stored = self._entries(values)
            found = getattr(stored, fn)() if stored.size else stored.sum()
            block = found._core.local.to(values.dtype)
            block = block if stored.size == shape[0] * shape[1] else clip(block, 0)
            return wrap(found._core.with_local(block.to(self._core.values.dtype)))
        lines, n = self._lines(), self._core.begin.numel() - 1
        block = values.new_zeros(n).scatter_reduce(0, lines, values, "a" + fn, include_self=False)
        block = torch.where(self._core.begin.diff() < self._core.gshape[1], clip(block, 0), block)
        return self._along(block.to(self._core.values.dtype), self._core.gshape[0], self._core.counts)

    # ------------------------------------------------------------------ element-wise
    def multiply(self, other: Any) -> Self:
        """Element-wise product with a number, a sparse matrix or a dense array that broadcasts; sparse.

        Communication: that of `*`; a dense array of another distribution is redistributed, a row replicated.
        """
        if is_scalar(other) or isinstance(other, Operators):
            return cast("Self", self._combined("multiply", other))
        x = wrap(native(other, "multiply", "other", cast(Any, self._core)))
        shape: tuple[int, ...] = cast(Any, self).shape
        x = x.reshape((1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x
        if x.ndim != 2 or any(a not in (1, b) for a, b in zip(x.shape, shape, strict=True)):
            raise ValueError(f"multiply: other of shape {x.shape} does not broadcast to {shape}")
        x = x if self._major == 0 else transpose(x)
        counts = self._core.counts
        if x.shape[0] == 1 or counts is None:
            x = x.resplit(None)
        else:
            x = wrap(x.resplit(0)._core.redistribute(counts))
        kind = check_kind(promote_types(self._core.values.dtype, x.dtype).torch_type())
        lines = self._lines() * (x.shape[0] != 1)
        factors = x._core.local[lines, self._core.columns * (x.shape[1] != 1)]
        return self._map(self._core.values.to(kind) * factors.to(kind))

    def __mul__(self, other: Any) -> Self:
        dense = isinstance(other, (ArrayBase, np.ndarray, torch.Tensor)) and not is_scalar(other)
        return self.multiply(other) if dense else super().__mul__(other)

    __rmul__ = __mul__

    def power(self, n: float, dtype: Any = None) -> Self:
        """Every entry to the power of n, which must be positive. Local."""
        if not is_scalar(n) or not n > 0:
            raise ValueError(f"power: n must be a positive number, is {n!r}: zeros would not stay zero")
        own = self if dtype is None else self.astype(dtype)
        return own._map(own._core.values**n)

    def sqrt(self) -> Self:
        """Square root of every entry; float32 for integers. Local."""
        return self._map(self._core.values.sqrt())

    def sign(self) -> Self:
        """Sign of every entry. Local."""
        return self._map(self._core.values.sgn())

    @property
    def real(self) -> Self:
        """Real parts. Local."""
        return self._map(self._core.values.real.clone())

    @property
    def imag(self) -> Self:
        """Imaginary parts; zeros of real numbers. Local."""
        values = self._core.values
        return self._map(values.imag.clone() if values.is_complex() else torch.zeros_like(values))

    # ------------------------------------------------------------------ SciPy's names of what there is
    def conjugate(self) -> Self:
        """As `conj`."""
        return self.conj()

    def toarray(self) -> DNDarray:
        """As `to_dense`: an array of the same distribution."""
        return self.to_dense()

    def dot(self, other: Any) -> Any:
        """As ``self @ other``, or ``self * other`` for a number."""
        return self * other if is_scalar(other) else self @ other


def _chosen(key: Any, n: int) -> torch.Tensor:
    """Places along an axis of n, from any one index; IndexError out of bounds."""
    if isinstance(key, slice):
        return torch.from_numpy(np.arange(*key.indices(n), dtype=np.int64))
    array = np.asarray(key.numpy() if isinstance(key, ArrayBase) else key)  # type: ignore[attr-defined]
    array = array.astype(np.int64) if array.size == 0 else array
    if array.dtype == bool and array.shape == (n,):
        array = np.flatnonzero(array)
    if array.ndim > 1 or array.dtype.kind not in "iu":
        raise IndexError(f"indices of a sparse matrix are integers, slices, lists or masks of {n}, got {key!r}")
    places = np.atleast_1d(array).astype(np.int64)
    if places.size and not (-n <= places.min() and places.max() < n):
        raise IndexError(f"index {places.min() if places.min() < -n else places.max()} is out of bounds for {n}")
    return torch.from_numpy(np.where(places < 0, places + n, places))


def _taken(core: _core.SparseMatrix, places: torch.Tensor, lines: bool) -> _core.SparseMatrix:
    """Compressed lines, or places across them, by a product with ones where they go."""
    k, n, dtype = places.numel(), core.gshape[0 if lines else 1], core.values.dtype
    inside = torch.uint8 if dtype == torch.bool else dtype
    ones, order = torch.ones(k, dtype=inside), torch.arange(k)
    x = core if inside == dtype else core.with_values(core.values.to(inside))
    if lines:
        chooser = _core.sparse_from_entries(order, places, ones, (k, n), core.split, False, core.comm)
        found = chooser.times(x)
    else:
        chooser = _core.sparse_from_entries(places, order, ones, (n, k), None, False, core.comm)
        found = x.times(chooser)
    return found if inside == dtype else found.with_values(found.values.to(dtype))
