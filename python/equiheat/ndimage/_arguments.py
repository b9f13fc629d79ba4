# SPDX-License-Identifier: BSD-3-Clause
"""Arguments that the filters share, in SciPy's forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from equiheat import _core
from equiheat._base import wrap
from equiheat.errors import AxisError
from equiheat.stencils import check_value, whole_number

if TYPE_CHECKING:
    from equiheat.array import DNDarray

#: SciPy's names of what lies beyond the array.
MODES = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge",
    "constant": "constant", "grid-constant": "constant", "wrap": "periodic", "grid-wrap": "periodic",
}  # fmt: skip


def boundary_of(fn: str, mode: str) -> str:
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"{fn}: mode must be one of {', '.join(MODES)}, is {mode!r}")
    return MODES[mode]


def beyond_of(fn: str, core: _core.Array, mode: str, cval: float) -> tuple[str, float]:
    """Boundary and value, for results of the input's type; ValueError for a value that no such element has."""
    boundary = boundary_of(fn, mode)
    check_value(fn, core, boundary, cval, "cval")
    return boundary, cval


def per_axis(fn: str, name: str, value: Any, ndim: int) -> list[Any]:
    """One entry for each axis: of one value for all, or a sequence."""
    values = list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value] * ndim
    if len(values) != ndim:
        raise ValueError(f"{fn}: {name} has {len(values)} entries for {ndim} axes; give one, or one for each axis")
    return values


def around(fn: str, shape: Sequence[int], origin: Any) -> tuple[list[int], list[int]]:
    """Widths before and behind an entry, of a window whose entry shape // 2 + origin lies on it."""
    before = []
    for n, o in zip(shape, per_axis(fn, "origin", origin, len(shape)), strict=True):
        if not -(n // 2) <= int(o) <= (n - 1) // 2:
            raise ValueError(f"{fn}: origin {o} puts a window of {n} entries beside the entry it is for")
        before.append(n // 2 + int(o))
    return before, [n - 1 - b for n, b in zip(shape, before, strict=True)]


def axis_of(fn: str, axis: int, ndim: int) -> int:
    number = whole_number(fn, "axis", axis, -ndim)
    if number >= ndim:
        raise AxisError(f"{fn}: axis {axis} is out of bounds for {ndim} axes")
    return number % ndim


def array_of(value: Any) -> np.ndarray[Any, Any]:
    """A kernel or structuring element, whole on every rank."""
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def mapped(
    core: _core.Array, widths: tuple[list[int], list[int]], beyond: tuple[str, float], fn: Callable[[Tensor], Tensor]
) -> DNDarray:
    return wrap(_core.map_stencil(core, widths[0], widths[1], beyond[0], float(beyond[1]), fn))
