# SPDX-License-Identifier: BSD-3-Clause
"""What the functions of this package take beside arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from equiheat import _core
from equiheat._base import ArrayBase, as_core, wrap
from equiheat.errors import LinAlgError

if TYPE_CHECKING:
    import numpy as np

    from equiheat.array import DNDarray

#: Arrays of other libraries and nested sequences count as replicated: the same on every rank.
ArrayLike: TypeAlias = "DNDarray | np.ndarray[Any, Any] | torch.Tensor | list[Any] | tuple[Any, ...]"


def natives(fn: str, names: tuple[str, ...], values: tuple[Any, ...]) -> list[_core.Array]:
    """The native arrays of several operands, the replicated ones over the others' ranks. Local.

    Raises
    ------
    TypeError
        For what is no array.
    """
    comm = next((x._core.comm for x in values if isinstance(x, ArrayBase)), None)
    cores = []
    for name, value in zip(names, values, strict=True):
        core = as_core(value, comm)
        if core is None:
            raise TypeError(f"{fn}: {name} must be a DNDarray, an array or a sequence of numbers, is {type(value)}")
        cores.append(core)
    return cores


def native_pair(fn: str, names: tuple[str, str], first: Any, second: Any) -> tuple[_core.Array, _core.Array]:
    """As `natives` for two operands, without a detour for two DNDarrays. Local."""
    if isinstance(first, ArrayBase) and isinstance(second, ArrayBase):
        return first._core, second._core
    left, right = natives(fn, names, (first, second))
    return left, right


def identity_like(core: _core.Array) -> DNDarray:
    """Identity matrices of the shape, dtype and layout of a stack of square ones. Local."""
    block = torch.zeros_like(core.local, memory_format=torch.contiguous_format, requires_grad=False)
    offset = 0
    if core.counts is not None and core.split is not None and core.split >= core.ndim - 2:
        before = sum(core.counts[: core.comm.rank])
        offset = before if core.split == core.ndim - 2 else -before
    block.diagonal(offset, -2, -1).fill_(1)
    return wrap(core.with_local(block))


#: Types of single precision, and those whose squares keep all that they hold.
DOUBLE = {torch.float32: torch.float64, torch.complex64: torch.complex128}


def matrix_operand(A: ArrayLike, fn: str) -> DNDarray:
    """A as a matrix of a type that LAPACK has; ValueError for another number of axes. Local."""
    core = _core.to_factorable(natives(fn, ("A",), (A,))[0])
    if core.ndim != 2:
        raise ValueError(f"{fn}: A must be a matrix, has {core.ndim} dimensions")
    return wrap(core)


def adjoint(x: DNDarray) -> DNDarray:
    """The conjugate transpose of the last two axes. Local."""
    return wrap(_core.adjoint(x._core))


def check_finite(core: _core.Array, fn: str) -> None:
    """LinAlgError on all ranks where one has NaN or infinite entries. Collective: one allreduce of one number."""
    if not wrap(core.with_local(torch.isfinite(core.local.detach()))).all():
        raise LinAlgError(f"{fn}: the matrix has NaN or infinite entries")


def at_least(value: int, least: int, fn: str, name: str) -> int:
    """The value as an integer; TypeError if it is none, ValueError if it is less than `least`. Local."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{fn}: {name} must be an integer, is {value!r}")
    if value.__index__() < least:
        raise ValueError(f"{fn}: {name} must be at least {least}, is {value!r}")
    return value.__index__()
