# SPDX-License-Identifier: BSD-3-Clause
"""What topic modules need of the array class without importing it: wrapping and unwrapping the native object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from equiheat import _core

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class ArrayBase:
    """Holds the native array; `equiheat.array.DNDarray` adds everything else."""

    __slots__ = ("_core",)
    _core: _core.Array


_array_type: type[DNDarray] = ArrayBase  # type: ignore[assignment]
_new = object.__new__


def set_array_type(cls: type[DNDarray]) -> type[DNDarray]:
    """Class decorator: results of operations become `cls`."""
    global _array_type
    _array_type = cls
    return cls


def wrap(core: _core.Array) -> DNDarray:
    """The public array around a native one. Local."""
    x = _new(_array_type)
    x._core = core
    return x


def unwrap(x: Any, fn: str = "array", argument: str = "x") -> _core.Array:
    """The native array inside a DNDarray; TypeError for anything else. Local."""
    if isinstance(x, ArrayBase):
        return x._core
    raise TypeError(f"{fn}: {argument} must be a DNDarray, is {type(x)}; ht.array(...) makes one")
