# SPDX-License-Identifier: BSD-3-Clause
"""Choice between arrays by a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from equiheat import _core
from equiheat._base import ArrayBase, wrap
from equiheat._function import Operand, native
from equiheat.errors import MissingOperandError

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _pair(x: Operand, y: Operand, like: _core.Array) -> tuple[Operand, Operand]:
    """Two Python numbers, of which a float or complex one gives the default type of its kind, as in `array`."""
    kinds = {type(x), type(y)}
    for number, dtype in ((complex, torch.complex64), (float, torch.float32)):
        if number in kinds and kinds <= {bool, int, float, complex}:
            return torch.tensor(x, dtype=dtype, device=like.local.device), y
    return x, y


def select(cond: Operand, x: Operand, y: Operand) -> DNDarray:
    """X where `cond` holds, else y; all three broadcast, numbers adapt to the other's dtype.

    Distribution: the split and extents of the first operand that is split and not broadcast along its split.
    Communication: none for operands distributed alike, or replicated; others are redistributed.
    """
    split = next((a._core for a in (cond, x, y) if isinstance(a, ArrayBase)), None)
    mask = native(cond, "where", "cond", split)
    return wrap(_core.where(mask, *_pair(x, y, mask)))


def where(cond: Operand, x: Operand = None, y: Operand = None) -> DNDarray | tuple[DNDarray, ...]:
    """X where `cond` holds, else y; with `cond` alone the indices where it holds, as `nonzero`.

    The three broadcast; numbers adapt to the other's dtype. Distribution: the split and extents of the first operand
    that is split and not broadcast along its split. Communication: none for operands distributed alike, or
    replicated; others are redistributed. OverflowError for an integer that an array of integers does not hold.
    """
    if x is None and y is None:
        from equiheat.indexing import nonzero  # on demand: indexing needs nothing of this module

        return nonzero(wrap(native(cond, "where", "cond")))
    if x is None or y is None:
        raise MissingOperandError("where: give both x and y, or neither")
    return select(cond, x, y)
