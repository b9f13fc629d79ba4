# SPDX-License-Identifier: BSD-3-Clause
"""Choice between arrays by a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equiheat import _core
from equiheat._base import ArrayBase, wrap
from equiheat._function import Operand, native

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def select(cond: Operand, x: Operand, y: Operand) -> DNDarray:
    """X where `cond` holds, else y; all three broadcast, numbers adapt to the other's dtype.

    Distribution: the split and extents of the first operand that is split and not broadcast along its split.
    Communication: none for operands distributed alike, or replicated; others are redistributed.
    """
    split = next((a._core for a in (cond, x, y) if isinstance(a, ArrayBase)), None)
    return wrap(_core.where(native(cond, "where", "cond", split), x, y))


def where(cond: Operand, x: Operand = None, y: Operand = None) -> DNDarray | tuple[DNDarray, ...]:
    """X where `cond` holds, else y; with `cond` alone the indices where it holds, as `nonzero`.

    The three broadcast; numbers adapt to the other's dtype. Distribution: the split and extents of the first operand
    that is split and not broadcast along its split. Communication: none for operands distributed alike, or
    replicated; others are redistributed.
    """
    if x is None and y is None:
        from equiheat.indexing import nonzero  # on demand: indexing needs nothing of this module

        return nonzero(wrap(native(cond, "where", "cond")))
    if x is None or y is None:
        raise ValueError("where: give both x and y, or neither")
    return select(cond, x, y)
