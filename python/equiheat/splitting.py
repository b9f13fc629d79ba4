# SPDX-License-Identifier: BSD-3-Clause
"""Arrays cut along an axis. The name `split` is NumPy's here: it has nothing to do with how arrays lie on ranks."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from equiheat import _core, distribution
from equiheat._base import ArrayBase, wrap
from equiheat._function import native
from equiheat.manipulation import _axis

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["array_split", "dsplit", "hsplit", "split", "unstack", "vsplit"]


def _bounds(extent: int, given: Any, equal: bool, fn: str) -> list[slice]:
    """The slices that sections, or places to cut at, mean."""
    if isinstance(given, ArrayBase):
        given = given._core.resplit(None).local.numpy()
    if isinstance(given, (Sequence, np.ndarray)) and np.ndim(given) == 1:
        cuts = [0, *(operator.index(i) for i in given), extent]
        return [
            slice(a if k == 0 else cuts[k], b if k + 2 < len(cuts) else None) for k, (a, b) in enumerate(pairwise(cuts))
        ]
    try:
        n = operator.index(given)
    except TypeError:
        raise TypeError(f"{fn}: indices_or_sections must be an integer or a 1-D sequence, is {given!r}") from None
    if n <= 0:
        raise ValueError(f"{fn}: number of sections must be larger than 0, is {n}")
    if equal and extent % n:
        raise ValueError(f"{fn}: array split does not result in an equal division: {extent} entries in {n} sections")
    size, more = divmod(extent, n)
    edges = [k * size + min(k, more) for k in range(n + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _cut(x: Any, given: Any, axis: int, equal: bool, fn: str) -> list[DNDarray]:
    core = native(x, fn)
    axis = _axis(axis, core.ndim, fn)
    before = (slice(None),) * axis
    return [wrap(_core.getitem(core, (*before, part))) for part in _bounds(core.gshape[axis], given, equal, fn)]


def split(x: DNDarray, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[DNDarray]:
    """The array cut along an axis into parts.

    Parameters
    ----------
    x
        Array of any shape, dtype and split.
    indices_or_sections
        A number of equal parts, or the places to cut at.
    axis
        The axis to cut.

    Returns
    -------
    list of DNDarray
        They share x's memory, as slices do.

    Raises
    ------
    ValueError
        If the axis does not divide into so many parts.

    Notes
    -----
    Distribution: as slices: cut along the split, parts lie where their rows are; ``part.balance()`` spreads one over
    all ranks. Communication: none.

    Examples
    --------
    >>> [part.shape for part in ht.split(ht.zeros((6, 2), split=0), [1, 4])]
    [(1, 2), (3, 2), (2, 2)]
    """
    return _cut(x, indices_or_sections, axis, True, "split")


def array_split(x: DNDarray, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[DNDarray]:
    """As `split`; parts may differ by one entry. Local."""
    return _cut(x, indices_or_sections, axis, False, "array_split")


def vsplit(x: DNDarray, indices_or_sections: int | Sequence[int]) -> list[DNDarray]:
    """`split` along axis 0 of an array of at least 2 axes. Local."""
    _needs(x, 2, "vsplit")
    return _cut(x, indices_or_sections, 0, True, "vsplit")


def hsplit(x: DNDarray, indices_or_sections: int | Sequence[int]) -> list[DNDarray]:
    """`split` along axis 1, of a 1-D array along axis 0. Local."""
    ndim = _needs(x, 1, "hsplit")
    return _cut(x, indices_or_sections, 1 if ndim > 1 else 0, True, "hsplit")


def dsplit(x: DNDarray, indices_or_sections: int | Sequence[int]) -> list[DNDarray]:
    """`split` along axis 2 of an array of at least 3 axes. Local."""
    _needs(x, 3, "dsplit")
    return _cut(x, indices_or_sections, 2, True, "dsplit")


def _needs(x: Any, ndim: int, fn: str) -> int:
    core = native(x, fn)
    if core.ndim < ndim:
        raise ValueError(f"{fn}: only works on arrays of {ndim} or more dimensions, has shape {core.gshape}")
    return core.ndim


def unstack(x: DNDarray, /, *, axis: int = 0) -> tuple[DNDarray, ...]:
    """The entries of an axis, each without it.

    Distribution: the split of x. If that is the axis, x is first resplit along its longest other axis (one
    alltoallv), which is then the entries' split; the entries of a 1-D array are replicated (one allgather).
    """
    core = native(x, "unstack")
    axis = _axis(axis, core.ndim, "unstack")
    if core.is_distributed and core.split == axis:
        others = [k for k in range(core.ndim) if k != axis]
        longest = max(others, key=lambda k: core.gshape[k], default=None)
        core = distribution.resplit(wrap(core), longest)._core
    before = (slice(None),) * axis
    return tuple(wrap(_core.getitem(core, (*before, i))) for i in range(core.gshape[axis]))
