# SPDX-License-Identifier: BSD-3-Clause
"""Diagonals and triangles: read, written, made."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, creation, manipulation
from equiheat._base import wrap
from equiheat._base import wrap as as_array  # fill_diagonal has an argument of the other name
from equiheat._function import native, to_write

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = [
    "diag",
    "diag_indices",
    "diagflat",
    "diagonal",
    "fill_diagonal",
    "tri",
    "tril_indices",
    "triu_indices",
    "vander",
]


def diag(a: DNDarray, offset: int = 0, *, k: int | None = None) -> DNDarray:
    """A diagonal of a matrix, or the matrix with a 1-D array on a diagonal.

    Parameters
    ----------
    a
        1 axis: makes a square matrix of ``a.size + abs(offset)`` rows, zero elsewhere. 2 axes: its diagonal is read.
        More: `diagonal` of the first two, as in Heat.
    offset, k
        0 the main diagonal, positive ones lie above it; k is NumPy's name.

    Returns
    -------
    DNDarray
        A diagonal read shares a's memory.

    Raises
    ------
    ValueError
        For an array without axes.

    Notes
    -----
    Distribution: split 0 if a is split; a diagonal read lies where its rows (or columns) are. Communication: none; a
    matrix with an offset costs one alltoallv of the 1-D array.

    Examples
    --------
    >>> ht.diag(ht.array([1, 2], split=0)).numpy().tolist()
    [[1, 0], [0, 2]]
    """
    core = native(a, "diag", "a")
    offset = offset if k is None else k
    if core.ndim == 1:
        return wrap(_core.diagonal_matrix(core, operator.index(offset)))
    if core.ndim == 0:
        raise ValueError("diag: input must have one axis or more, has none")
    return wrap(_core.diagonal(core, operator.index(offset), 0, 1))


def diagflat(v: Any, k: int = 0) -> DNDarray:
    """`diag` of the elements of v in C order. Communication: that of `ravel` and `diag`."""
    return diag(manipulation.ravel(wrap(native(v, "diagflat", "v"))), k)


def diagonal(
    a: DNDarray, offset: int = 0, dim1: int = 0, dim2: int = 1, *, axis1: int | None = None, axis2: int | None = None
) -> DNDarray:
    """The diagonals of the planes of two axes, along a new last axis.

    Parameters
    ----------
    a
        Array of at least 2 axes.
    offset
        0 the main diagonal, positive ones lie above it.
    dim1, dim2
        The axes of the planes.
    axis1, axis2
        NumPy's names of them.

    Returns
    -------
    DNDarray
        Shares a's memory.

    Notes
    -----
    Distribution: the split follows its axis; if it is one of the two it becomes the last axis, and entries stay where
    they are. Communication: none.
    """
    axes = dim1 if axis1 is None else axis1, dim2 if axis2 is None else axis2
    return wrap(_core.diagonal(native(a, "diagonal", "a"), operator.index(offset), *axes))


def fill_diagonal(a: DNDarray, value: Any, wrap_around: bool = False, *, wrap: bool = False) -> DNDarray:
    """Write `value` on the main diagonal of a, in place; returns a.

    Parameters
    ----------
    a
        At least 2 axes; with more than 2, all of one extent.
    value
        A number, or an array that is repeated or cut to the diagonal.
    wrap_around, wrap
        A tall matrix gets further diagonals below, each one row behind the one before; `wrap` is NumPy's name.

    Notes
    -----
    Communication: none for a number; an array goes where the diagonal is.
    """
    core = to_write(a, "fill_diagonal", "a")
    shape = core.gshape
    if core.ndim < 2:
        raise ValueError(f"fill_diagonal: array must be at least 2-d, has shape {shape}")
    if core.ndim > 2 and len(set(shape)) > 1:
        raise ValueError(f"fill_diagonal: all dimensions of input must be of equal length, are {shape}")
    if core.ndim > 2:
        rows = torch.arange(shape[0])
        places = [_core.replicated_like(core, rows)] * core.ndim
        a[tuple(map(as_array, places))] = _cut_to(core, value, shape[0])
        return a
    starts = range(0, shape[0], shape[1] + 1) if (wrap_around or wrap) and shape[1] > 0 else (0,)
    written = 0
    for start in starts:
        line = as_array(_core.diagonal(core, -start, 0, 1))
        line[...] = _cut_to(core, value, line.shape[0], written)
        written += line.shape[0]
    return a


def _cut_to(core: _core.Array, value: Any, n: int, first: int = 0) -> Any:
    """`value` as it is if it is one number, else n of its elements from number `first` on, over and over."""
    array = native(value, "fill_diagonal", "value", core)
    if array.size == 1:
        return value if array.ndim == 0 else wrap(_core.reshape(array, []))
    flat = manipulation.ravel(wrap(array))
    numbers = (torch.arange(n) + first) % max(array.size, 1)
    return flat[wrap(_core.replicated_like(core, numbers))]


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None, *, split: int | None = None) -> DNDarray:
    """Ones at and below diagonal k of an N x M matrix, zeros above; float32 unless given. Local."""
    ones = creation.ones((N, N if M is None else M), dtype=torch.float32 if dtype is None else dtype, split=split)
    core = ones._core
    offset = sum(core.counts[: core.comm.rank]) if core.counts is not None else 0
    shift = offset if core.split == 0 else -offset
    return wrap(core.with_local(core.local.tril(k + shift)))


def tril_indices(n: int, k: int = 0, m: int | None = None, *, split: int | None = None) -> tuple[DNDarray, ...]:
    """Rows and columns of the entries at and below diagonal k of an n x m matrix, in C order; int64.

    Distribution: `split` 0 spreads both arrays over the ranks as the matrix's rows would be.
    Communication: then one number per rank.
    """
    return tuple(map(wrap, _core.nonzero(tri(n, m, k, dtype=torch.bool, split=split)._core)))


def triu_indices(n: int, k: int = 0, m: int | None = None, *, split: int | None = None) -> tuple[DNDarray, ...]:
    """As `tril_indices`, at and above the diagonal."""
    below = tri(n, m, k - 1, dtype=torch.bool, split=split)._core
    return tuple(map(wrap, _core.nonzero(below.with_local(~below.local))))


def diag_indices(n: int, ndim: int = 2, *, split: int | None = None) -> tuple[DNDarray, ...]:
    """The index of the main diagonal of an array of `ndim` axes of extent n: `ndim` times 0, 1, ..., n - 1. Local."""
    return (creation.arange(n, dtype=torch.int64, split=split),) * ndim


def vander(x: DNDarray, N: int | None = None, increasing: bool = False) -> DNDarray:
    """Powers of x as columns: from ``N - 1`` down to 0, or up if `increasing`; N is x's size unless given.

    Distribution: split 0 if x is split. Communication: none.
    """
    core = native(x, "vander")
    if core.ndim != 1:
        raise ValueError(f"vander: x must be a one-dimensional array, has shape {core.gshape}")
    n = core.size if N is None else operator.index(N)
    wide = _core.broadcast_to(_core.expand_dims(core, [1]), [core.gshape[0], n])
    local = wide.local
    if not local.dtype.is_floating_point and not local.dtype.is_complex:
        local = local.to(torch.float64 if local.dtype == torch.uint64 else torch.int64)
    powers = torch.ones_like(local)
    if n > 1:
        powers = torch.cat([powers[:, :1], local[:, 1:].cumprod(1)], 1)
    return wrap(wide.with_local(powers if increasing else powers.flip(1)))


class DiagonalMethods:
    """Methods of DNDarray."""

    __slots__ = ()
    diagonal = diagonal
