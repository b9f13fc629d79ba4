# SPDX-License-Identifier: BSD-3-Clause
"""What the functions of the standard are made of: the functions of `equiheat`, whose own meaning is Heat's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch

import equiheat
from equiheat._base import wrap

#: The public functions, looked up when called.
ht: Any = equiheat

Array: TypeAlias = "equiheat.DNDarray"
#: An array, or where another operand is one a Python number, which adapts to it.
Operand: TypeAlias = Any
Axis: TypeAlias = "int | tuple[int, ...] | None"
DType: TypeAlias = Any
Device: TypeAlias = Any


_SIGNED = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}


def moved(x: Array, move: Callable[[Array], Array]) -> Array:
    """move(x) where `move` only moves elements: unsigned integers beyond 8 bits go as the signed ones of their bits."""
    kind = x.larray.dtype
    if kind not in _SIGNED:
        return move(x)
    result = move(wrap(x._core.with_local(x.larray.view(_SIGNED[kind]))))
    return wrap(result._core.with_local(result.larray.view(kind)))


def is_array(x: object) -> bool:
    """Whether x is a DNDarray. Local."""
    return isinstance(x, equiheat.DNDarray)
