# SPDX-License-Identifier: BSD-3-Clause
"""Comparisons."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from equiheat import _core
from equiheat._base import ArrayBase, as_core, wrap
from equiheat._function import Binary, Mask, Operand, binary, native
from equiheat.logical import isnan, logical_and, logical_or

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_BOOL = "bool."


def _or_answer(function: Binary, answer: bool) -> Binary:
    """`function`, and one answer where an operand is no array of numbers (None, a string, a slice), as in Heat."""

    @wraps(function)
    def compared(x: Operand, y: Operand, out: DNDarray | None = None, *, where: Mask = True) -> Any:
        try:
            return function(x, y, out, where=where)
        except TypeError:
            if out is not None or (as_core(x, None) is not None and as_core(y, None) is not None):
                raise
            return answer

    return cast(Binary, compared)


eq = _or_answer(binary("eq", "True where equal.", dtype=_BOOL, parameters="x, y"), False)
ne = _or_answer(binary("ne", "True where not equal.", dtype=_BOOL, parameters="x, y"), True)
not_equal = ne
lt = binary("lt", "True where t1 is less.", dtype=_BOOL, parameters="x, y")
less = lt
le = binary("le", "True where t1 is less or equal.", dtype=_BOOL, parameters="x, y")
less_equal = le
gt = binary("gt", "True where t1 is greater.", dtype=_BOOL, parameters="x, y")
greater = gt
ge = binary("ge", "True where t1 is greater or equal.", dtype=_BOOL, parameters="x, y")
greater_equal = ge


def _pair(x: Operand, y: Operand, fn: str) -> tuple[_core.Array, _core.Array]:
    """Both as native arrays on the ranks of the one that has ranks."""
    if not isinstance(x, ArrayBase) and isinstance(y, ArrayBase):
        return native(x, fn, "x", y._core), y._core
    first = native(x, fn, "x")
    return first, native(y, fn, "y", first)


def _everywhere(x: DNDarray) -> bool:
    """True on every rank if x holds everywhere. Collective: one allreduce when x is split."""
    return bool(_core.reductions["all"](x, None, False, None)._core.local.item())


def isclose(x: Operand, y: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> DNDarray:
    """True where ``abs(x - y) <= atol + rtol * abs(y)``; NaN is close to nothing, or to NaN with `equal_nan`.

    Distribution and communication as `eq`.
    """
    first, second = _pair(x, y, "isclose")
    return wrap(_core.isclose(first, second, rtol, atol, equal_nan))


def allclose(x: Operand, y: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """True on every rank if `isclose` holds everywhere. Communication: one allreduce of a bool more."""
    return _everywhere(isclose(x, y, rtol, atol, equal_nan))


def array_equal(a1: Operand, a2: Operand, equal_nan: bool = False) -> bool:
    """True on every rank if shapes and elements are equal. Communication: as `eq`, and one allreduce of a bool."""
    first, second = (wrap(core) for core in _pair(a1, a2, "array_equal"))
    if first.shape != second.shape:
        return False
    same = eq(first, second)
    if equal_nan:
        same = logical_or(same, logical_and(isnan(first), isnan(second)))
    return _everywhere(same)


def equal(x: Operand, y: Operand) -> bool:
    """True on every rank if all elements are equal; a single element is compared with all. As in Heat.

    What is no array of numbers equals none. Element-wise is `eq`. Communication: as `eq`, and one allreduce of a bool.
    """
    if as_core(x, None) is None or as_core(y, None) is None:
        return False
    first, second = (wrap(core) for core in _pair(x, y, "equal"))
    single = first.size == 1 or second.size == 1
    return (single or first.shape == second.shape) and _everywhere(eq(first, second))
