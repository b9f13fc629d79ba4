# SPDX-License-Identifier: BSD-3-Clause
"""Operators of the array class, and operations written into their first operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import Operand, deliver, named

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def operator(name: str) -> Callable[[DNDarray, Operand], DNDarray]:
    """``x + y`` for the row `name` of binary.def; leaves foreign operands to their class."""
    fast = _core.operators[name]

    def function(self: DNDarray, other: Operand) -> DNDarray:
        return cast("DNDarray", fast(self, other))

    return named(function, name, f"`{name}` of this array and another.")


def _compares(other: Any) -> bool:
    """Whether its class says what equals it; None's and `object` do not."""
    equals: Any = type(other).__eq__
    return equals is not object.__eq__ and other is not None


def comparison(name: str) -> Callable[[DNDarray, Operand], DNDarray]:
    """``x == y``: nothing equals what is no number (None, strings), element by element as in NumPy."""
    fast = _core.operators[name]

    def function(self: DNDarray, other: Operand) -> DNDarray:
        result = fast(self, other)
        if result is NotImplemented and (isinstance(other, (str, bytes)) or not _compares(other)):
            core = self._core
            result = wrap(core.with_local(torch.full_like(core.local, name == "ne", dtype=torch.bool)))
        return cast("DNDarray", result)

    return named(function, name, f"`{name}` of this array and another.")


def reflected(name: str) -> Callable[[DNDarray, Operand], DNDarray]:
    """``y + x`` where y is no array."""
    fast = _core.operators[name]

    def function(self: DNDarray, other: Operand) -> DNDarray:
        return cast("DNDarray", fast(other, self))

    return named(function, name, f"`{name}` of another operand and this array.")


def overwrite(x: DNDarray, result: DNDarray, name: str) -> DNDarray:
    """Write `result` into x. Where gradients are recorded its block is a new one: the operation may need
    the old values for its backward pass.
    """
    if torch.is_grad_enabled() and result._core.local.requires_grad:
        block = x._core.local
        if block.is_leaf and block.requires_grad:
            raise RuntimeError(f"{name}: an array that requires gradients itself cannot be changed in place")
        fresh = x._core.with_local(torch.empty_like(block, requires_grad=False))
        _core.assign(fresh, result._core, None, name)
        x._core = fresh
        return x
    return deliver(result, x, True, name)


def in_place(name: str) -> Callable[[DNDarray, Operand], DNDarray]:
    """``x += y``: written into x, which keeps its dtype, shape and split. TypeError if the dtype cannot hold it."""
    fast, update = _core.operators[name], _core.updates[name]

    def function(t1: DNDarray, t2: Operand) -> DNDarray:
        if update(t1, t2):
            return t1
        result = fast(t1, t2)
        if result is NotImplemented:
            return cast("DNDarray", result)
        return overwrite(t1, result, name)

    return named(function, name, f"`{name}` written into this array, which keeps its dtype, shape and split.")


def in_place_unary(name: str) -> Callable[[DNDarray], DNDarray]:
    """``x.negative_()``."""
    fast = _core.unary[name]

    def function(t: DNDarray) -> DNDarray:
        return overwrite(t, fast(t), name)

    return named(function, name, f"`{name}` written into this array.")
