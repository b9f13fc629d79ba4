# SPDX-License-Identifier: BSD-3-Clause
"""Arrays as the blocks of ranks, for code that computes on its own block with torch: layers, filters.

A block may come with rows of other ranks, and an array is made of the blocks that were computed. All of it is
differentiable; see `stencil` for what can be said without blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, overload

from torch import Tensor

from equiheat import _core

#: The native array behind a DNDarray: block (``local``), ``gshape``, ``split``, ``counts``, ``comm``.
Array: TypeAlias = _core.Array


def array(block: Tensor, shape: Sequence[int], split: int | None, counts: Sequence[int] | None, like: Array) -> Array:
    """The array of this global shape whose block here is `block`, over the ranks of `like`. Local.

    Raises
    ------
    ValueError
        If the block does not fit.
    """
    return _core.Array(block, list(shape), split, None if counts is None else list(counts), like.comm)


def framed(x: Array, before: Sequence[int], behind: Sequence[int], boundary: str, value: float = 0.0) -> Tensor:
    """The block with so many entries more before and behind it along each axis. Collective along the split."""
    return _core.extended(x, list(before), list(behind), boundary, float(value))


def window(
    x: Array, axis: int, begins: Sequence[int], ends: Sequence[int], boundary: str = "constant", value: float = 0.0
) -> Tensor:
    """Entries [begins[rank], ends[rank]) of an axis, which may reach over its ends. Collective along the split."""
    return _core.window(x, axis, list(begins), list(ends), boundary, float(value))


@overload
def entered(x: Array, parameter: Tensor) -> Tensor: ...


@overload
def entered(x: Array, parameter: Tensor | None) -> Tensor | None: ...


def entered(x: Array, parameter: Tensor | None) -> Tensor | None:
    """A tensor that all ranks hold alike, for use on the block of x: its gradient is summed over the blocks."""
    if parameter is None or not x.is_distributed:
        return parameter
    return _core.enter_partial(parameter, x.comm)
