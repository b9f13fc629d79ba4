# SPDX-License-Identifier: BSD-3-Clause
"""What the functions of the standard are made of: the functions of `equiheat`, whose own meaning is Heat's."""

from __future__ import annotations

from typing import Any, TypeAlias

import equiheat

#: The public functions, looked up when called.
ht: Any = equiheat

Array: TypeAlias = "equiheat.DNDarray"
#: An array, or where another operand is one a Python number, which adapts to it.
Operand: TypeAlias = Any
Axis: TypeAlias = "int | tuple[int, ...] | None"
DType: TypeAlias = Any
Device: TypeAlias = Any


def is_array(x: object) -> bool:
    """Whether x is a DNDarray. Local."""
    return isinstance(x, equiheat.DNDarray)
