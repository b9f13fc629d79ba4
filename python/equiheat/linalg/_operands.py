# SPDX-License-Identifier: BSD-3-Clause
"""What the functions of this package take beside arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from equiheat import _core
from equiheat._base import ArrayBase, as_core

if TYPE_CHECKING:
    import numpy as np
    import torch

    from equiheat.array import DNDarray

#: Arrays of other libraries and nested sequences count as replicated: the same on every rank.
ArrayLike: TypeAlias = "DNDarray | np.ndarray[Any, Any] | torch.Tensor | list[Any] | tuple[Any, ...]"


def native_pair(fn: str, names: tuple[str, str], first: Any, second: Any) -> tuple[_core.Array, _core.Array]:
    """The native arrays of two operands, the replicated ones over the other one's ranks. Local.

    Raises
    ------
    TypeError
        For what is no array.
    """
    if isinstance(first, ArrayBase) and isinstance(second, ArrayBase):
        return first._core, second._core
    comm = next((x._core.comm for x in (first, second) if isinstance(x, ArrayBase)), None)
    cores = []
    for name, value in zip(names, (first, second), strict=True):
        core = as_core(value, comm)
        if core is None:
            raise TypeError(f"{fn}: {name} must be a DNDarray, an array or a sequence of numbers, is {type(value)}")
        cores.append(core)
    return cores[0], cores[1]
