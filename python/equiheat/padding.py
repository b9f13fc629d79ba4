# SPDX-License-Identifier: BSD-3-Clause
"""Arrays with more entries around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import equiheat
from equiheat import _core
from equiheat._base import wrap
from equiheat._function import native

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["pad"]

_STATISTICS = {"maximum": "max", "minimum": "min", "mean": "mean", "median": "median"}
_OPTIONS = {
    **dict.fromkeys(("edge", "wrap", "empty"), ()),
    "constant": ("constant_values",),
    "linear_ramp": ("end_values",),
    **dict.fromkeys(_STATISTICS, ("stat_length",)),
    **dict.fromkeys(("reflect", "symmetric"), ("reflect_type",)),
}


def pad(
    array: DNDarray,
    pad_width: Any,
    mode: str = "constant",
    constant_values: Any = 0,
    *,
    stat_length: Any = None,
    end_values: Any = 0,
    reflect_type: str = "even",
) -> DNDarray:
    """The array with entries put before and behind it along its axes.

    Parameters
    ----------
    array
        Array of any shape, dtype and split.
    pad_width
        How many: one number, (before, after), or such a pair per axis; two pairs or more, but fewer than axes, are
        those of the last axes; a dictionary names axes.
    mode
        NumPy's: ``"constant"``, ``"edge"``, ``"reflect"``, ``"symmetric"``, ``"wrap"``, ``"linear_ramp"``,
        ``"maximum"``, ``"minimum"``, ``"mean"``, ``"median"`` or ``"empty"`` (zeros).
    constant_values, end_values
        What ``"constant"`` and the outer end of ``"linear_ramp"`` are; forms as of `pad_width`.
    stat_length
        How many entries at each edge the statistics look at; default all. Forms as of `pad_width`.
    reflect_type
        ``"even"``, or ``"odd"`` for what continues through the edge's value.

    Returns
    -------
    DNDarray
        In the array's dtype.

    Raises
    ------
    ValueError
        For negative widths, widths that do not fit the axes, an unknown mode, an empty axis to continue.

    Notes
    -----
    Distribution: the split of the array, whose rows stay where they are: what is put before them along the split lies
    on the first rank, what is put behind them on the last. Communication: none for ``"constant"``; along the split
    the copied entries travel once or twice; statistics cost their reduction.

    Examples
    --------
    >>> ht.pad(ht.arange(3, split=0), (1, 2), "edge").numpy().tolist()
    [0, 0, 1, 2, 2, 2]
    """
    core = native(array, "pad", "array")
    widths = _widths(pad_width, core.ndim)
    if not isinstance(mode, str):
        raise TypeError(f"pad: mode must be a string, is {mode!r}")
    if mode not in _OPTIONS:
        raise ValueError(f"pad: mode {mode!r} is not supported; the modes are {sorted(_OPTIONS)}")
    if mode == "constant":
        return wrap(_constant(core, widths, _pairs(constant_values, core.ndim, "constant_values")))
    if mode == "empty":
        return wrap(_core.pad_constant(core, widths, 0))
    for axis, (before, after) in enumerate(widths):
        if core.gshape[axis] == 0 and before + after > 0:
            raise ValueError(f"pad: can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
    if mode in ("reflect", "symmetric") and reflect_type not in ("even", "odd"):
        raise ValueError(f"pad: reflect_type must be 'even' or 'odd', is {reflect_type!r}")
    ends = _pairs(end_values, core.ndim, "end_values")
    lengths = _lengths(stat_length, core.ndim)
    for axis, width in enumerate(widths):
        if width == (0, 0):
            continue
        if mode == "linear_ramp":
            sides = [_ramp(core, axis, width[k], ends[axis][k], k) for k in (0, 1)]
        elif mode in _STATISTICS:
            sides = [_statistic(core, axis, width[k], lengths[axis][k], k, mode) for k in (0, 1)]
        else:
            sides = [_continued(core, axis, width[k], k, mode, reflect_type == "odd") for k in (0, 1)]
        core = _core.attach(sides[0], core, sides[1], axis)
    return wrap(core)


# ---------------------------------------------------------------------- forms of the arguments
def _is_plain_pair(given: Any) -> bool:
    return type(given) is tuple and len(given) == 2 and type(given[0]) is int and type(given[1]) is int


def _is_pair(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and len(given) == 2


def _pairs(given: Any, ndim: int, argument: str) -> list[tuple[Any, Any]]:
    if type(given) in (int, float):
        return [(given, given)] * ndim
    if type(given) is tuple and len(given) == ndim and all(map(_is_plain_pair, given)):
        return list(given)
    try:
        table = np.broadcast_to(np.asarray(given), (ndim, 2))
    except ValueError:
        raise ValueError(
            f"pad: {argument} {given!r} does not fit the array; give one, (before, after), or a pair for each of its "
            f"{ndim} axes"
        ) from None
    return [(row[0].item(), row[1].item()) for row in table]


def _widths(given: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(given, dict):
        chosen: list[Any] = [(0, 0)] * ndim
        for axis, width in given.items():
            chosen[axis] = width if isinstance(width, Sequence) else (width, width)
        given = chosen
    elif isinstance(given, (list, tuple)) and 1 < len(given) < ndim and all(map(_is_pair, given)):
        given = (*[(0, 0)] * (ndim - len(given)), *given)  # Heat's form; NumPy refuses it
    pairs = _pairs(given, ndim, "pad_width")
    if any(not isinstance(n, int) for pair in pairs for n in pair):
        raise TypeError(f"pad: pad_width must be integers, is {given!r}")
    if any(n < 0 for pair in pairs for n in pair):
        raise ValueError(f"pad: pad_width can't contain negative values, is {given!r}")
    return pairs


def _lengths(given: Any, ndim: int) -> list[tuple[int | None, int | None]]:
    if given is None:
        return [(None, None)] * ndim
    pairs = _pairs(given, ndim, "stat_length")
    if any(n <= 0 for pair in pairs for n in pair):
        raise ValueError(f"pad: stat_length must be positive, is {given!r}")
    return [(int(a), int(b)) for a, b in pairs]


# ---------------------------------------------------------------------- what is put on one side of an axis
def _constant(core: _core.Array, widths: list[tuple[int, int]], values: list[tuple[Any, Any]]) -> _core.Array:
    if len({v for pair in values for v in pair}) <= 1:
        return _core.pad_constant(core, widths, values[0][0] if values else 0)
    for axis, width in enumerate(widths):
        for side in (0, 1):
            one = [(0, 0)] * core.ndim
            one[axis] = (width[0], 0) if side == 0 else (0, width[1])
            core = _core.pad_constant(core, one, values[axis][side])
    return core


def _part(core: _core.Array, axis: int, part: Any) -> _core.Array:
    return _core.getitem(core, (*[slice(None)] * axis, part))


def _edge(core: _core.Array, axis: int, side: int) -> _core.Array:
    return _part(core, axis, slice(0, 1) if side == 0 else slice(core.gshape[axis] - 1, None))


def _continued(core: _core.Array, axis: int, width: int, side: int, mode: str, odd: bool) -> _core.Array:
    """Rows of the array itself, by their numbers."""
    n = core.gshape[axis]
    places = np.arange(-width, 0) if side == 0 else np.arange(n, n + width)
    if mode == "edge" or (mode == "reflect" and n == 1):
        return _core.repeat(_edge(core, axis, side), width, axis)
    if mode == "wrap":
        return _rows(core, axis, places % n)
    period, last = (2 * n, 2 * n - 1) if mode == "symmetric" else (2 * (n - 1), 2 * (n - 1))
    turns, places = np.divmod(places, period)
    back = places >= n
    rows = _rows(core, axis, np.where(back, last - places, places))
    return _through_edges(core, rows, axis, turns, back) if odd else rows


def _rows(core: _core.Array, axis: int, numbers: np.ndarray[Any, Any]) -> _core.Array:
    return _part(core, axis, _core.replicated_like(core, torch.from_numpy(numbers.astype(np.int64))))


def _through_edges(core: _core.Array, rows: _core.Array, axis: int, turns: Any, back: Any) -> _core.Array:
    """Odd reflection: twice the edge minus the rows that run back, and what every whole period adds."""
    shape = [1] * core.ndim
    shape[axis] = -1

    def along(numbers: Any) -> DNDarray:
        tensor = torch.from_numpy(np.asarray(numbers).reshape(shape)).to(core.local.dtype)
        return wrap(_core.replicated_like(core, tensor))

    first, last = (wrap(_edge(core, axis, side).resplit(None)) for side in (0, 1))
    out = wrap(rows) * along(1 - 2 * back) + last * along(2 * back) + (last - first) * along(2 * turns)
    return out._core


def _ramp(core: _core.Array, axis: int, width: int, end: Any, side: int) -> _core.Array:
    edge = _core.repeat(_edge(core, axis, side), width, axis)
    steps = torch.arange(width, dtype=torch.float64, device=core.local.device)
    share = steps / max(width, 1) if side == 0 else (width - 1 - steps) / max(width, 1)
    share = share.reshape([-1 if k == axis else 1 for k in range(core.ndim)])
    dtype = core.local.dtype
    wide = edge.local.to(torch.complex128 if dtype.is_complex else torch.float64)
    rows = wrap(edge.with_local(wide)) - end
    ramp = rows * wrap(_core.replicated_like(core, share)) + end
    local = ramp._core.local
    whole = dtype.is_floating_point or dtype.is_complex
    return ramp._core.with_local((local if whole else local.floor()).to(dtype))


def _statistic(core: _core.Array, axis: int, width: int, length: int | None, side: int, mode: str) -> _core.Array:
    n = core.gshape[axis]
    length = n if length is None else min(length, n)
    rows = _part(core, axis, slice(0, length) if side == 0 else slice(n - length, None))
    dtype = core.local.dtype
    if mode in ("mean", "median") and not dtype.is_floating_point and not dtype.is_complex:
        rows = rows.with_local(rows.local.double())
    value: DNDarray = getattr(equiheat, _STATISTICS[mode])(wrap(rows), axis, keepdims=True)
    local = value._core.local
    if not dtype.is_floating_point and not dtype.is_complex and local.dtype.is_floating_point:
        local = local.round()
    return _core.repeat(value._core.with_local(local.to(dtype)), width, axis)
