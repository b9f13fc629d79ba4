# SPDX-License-Identifier: BSD-3-Clause
"""Differences of neighbours and what they are used for: gradients, integrals, interpolation, running sums."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

import equiheat
from equiheat import _core, arithmetic, comparison, conditional, manipulation, reductions
from equiheat._base import ArrayBase, wrap
from equiheat._function import native
from equiheat.manipulation import _axis

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["cumulative_prod", "cumulative_sum", "diff", "ediff1d", "gradient", "interp", "trapezoid", "trapz"]


def _part(x: DNDarray, axis: int, part: Any) -> DNDarray:
    return wrap(_core.getitem(x._core, (*[slice(None)] * axis, part)))


def _neighbours(x: DNDarray, axis: int, distance: int = 1) -> tuple[DNDarray, DNDarray]:
    """Entries i and i + distance of an axis, for all i; laid out alike. Along the split: a halo."""
    if axis != x.split or x.comm.size == 1:
        before = (slice(None),) * axis
        return x[(*before, slice(0, -distance))], x[(*before, slice(distance, None))]
    pairs = _core.windows(x._core, axis, distance + 1, 1)
    return wrap(_core.getitem(pairs, (..., 0))), wrap(_core.getitem(pairs, (..., distance)))


def _weak(value: Any, core: _core.Array) -> Any:
    """A Python number in the array's dtype, if that can hold it."""
    if isinstance(value, ArrayBase) or not isinstance(value, (bool, int, float, complex)):
        return native(value, "diff", like=core)
    dtype = torch.result_type(core.local, value) if core.ndim else torch.result_type(core.local.reshape(1), value)
    return _core.replicated_like(core, torch.tensor(value, dtype=dtype))


def _joined(a: _core.Array, axis: int, parts: Sequence[Any]) -> DNDarray:
    """The parts that are given behind one another; numbers become one entry."""
    arrays = []
    for part in parts:
        if part is None:
            continue
        core = _weak(part, a)
        if core.ndim == 0:
            core = _core.broadcast_to(core, [1 if k == axis else n for k, n in enumerate(a.gshape)])
        arrays.append(wrap(core))
    return manipulation.concatenate(arrays, axis)


def diff(a: DNDarray, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> DNDarray:
    """Differences of neighbours along an axis, n times.

    Parameters
    ----------
    a
        Array of any shape, dtype and split, at least one axis. Booleans give whether neighbours differ.
    n
        How many times; 0 gives a.
    axis
        The axis, which loses n entries.
    prepend, append
        Put before and behind a first: a number, or an array that fits but for the axis.

    Returns
    -------
    DNDarray

    Raises
    ------
    ValueError
        For a negative n or a 0-d array.

    Notes
    -----
    Distribution: the split of a; along it a rank has the differences that start in its rows. Communication: along the
    split one row from the next rank for each of the n times; `prepend` and `append` cost a concatenation.

    Examples
    --------
    >>> ht.diff(ht.array([1, 4, 9, 16], split=0)).numpy().tolist()
    [3, 5, 7]
    """
    core = native(a, "diff", "a")
    if operator.index(n) < 0:
        raise ValueError(f"diff: order must be non-negative but got {n}")
    if core.ndim == 0:
        raise ValueError("diff: input must be at least one dimensional")
    axis = _axis(axis, core.ndim, "diff")
    x = wrap(core)
    if n and (prepend is not None or append is not None):
        x = _joined(core, axis, (prepend, x, append))
    for _ in range(min(n, x.shape[axis])):
        x = _difference(x, axis)
    return x if n else wrap(core.with_local(core.local.clone()))


def _difference(x: DNDarray, axis: int) -> DNDarray:
    if x.shape[axis] < 2:
        return _part(x, axis, slice(0, 0))
    low, high = _neighbours(x, axis)
    return comparison.ne(high, low) if x._core.local.dtype == torch.bool else arithmetic.subtract(high, low)


def ediff1d(ary: DNDarray, to_end: Any = None, to_begin: Any = None) -> DNDarray:
    """Differences of neighbours of the elements in C order, between `to_begin` and `to_end`, in ary's dtype.

    Distribution: split 0 if ary is split. Communication: as `ravel` and `diff`, and a concatenation.
    """
    flat = manipulation.ravel(wrap(native(ary, "ediff1d", "ary")))
    parts = [diff(flat)]
    for side, ends in ((0, to_begin), (1, to_end)):
        if ends is not None:
            end = manipulation.ravel(wrap(native(ends, "ediff1d", "to_end" if side else "to_begin", flat._core)))
            end = wrap(end._core.with_local(end._core.local.to(flat._core.local.dtype)))
            parts.insert(len(parts) if side else 0, end)
    return manipulation.concatenate(parts) if len(parts) > 1 else parts[0]


def gradient(f: DNDarray, *varargs: Any, axis: int | Sequence[int] | None = None, edge_order: int = 1) -> Any:
    """Central differences inside, one-sided ones at the ends.

    Parameters
    ----------
    f
        Array of any split; integers become float32.
    *varargs
        Nothing (distance 1), one distance for all axes, or one for each: a number, or the 1-D places of the entries.
    axis
        One or several; all without.
    edge_order
        1 or 2: order of accuracy at the ends.

    Returns
    -------
    DNDarray or list of DNDarray
        One for each axis, of f's shape.

    Raises
    ------
    ValueError
        For fewer than edge_order + 1 entries along an axis, or distances that do not fit.

    Notes
    -----
    Distribution: the split of f. Communication: along the split a halo of two rows, and the two rows at the ends.
    """
    core = native(f, "gradient", "f")
    if not core.local.dtype.is_floating_point and not core.local.dtype.is_complex:
        core = core.with_local(core.local.to(torch.float32))
    axes = (
        list(range(core.ndim))
        if axis is None
        else [_axis(k, core.ndim, "gradient") for k in manipulation._axes(axis, "gradient")]
    )
    if len(varargs) not in (0, 1, len(axes)):
        raise ValueError(f"gradient: {len(varargs)} distances for {len(axes)} axes; give none, one, or one for each")
    distances = list(varargs or (1.0,)) * (len(axes) if len(varargs) < 2 else 1)
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order must be 1 or 2, is {edge_order}")
    out = [_gradient(wrap(core), along, h, edge_order) for along, h in zip(axes, distances, strict=True)]
    return out[0] if len(out) == 1 else out


def _gradient(f: DNDarray, axis: int, distance: Any, order: int) -> DNDarray:
    n = f.shape[axis]
    if n < order + 1:
        raise ValueError(
            f"gradient: needs at least {order + 1} entries (edge_order + 1) along axis {axis}, which has {n}"
        )
    spacing = native(distance, "gradient", "distance", f._core)
    places = spacing.ndim > 0
    if places and spacing.gshape != (n,):
        raise ValueError(f"gradient: places of shape {spacing.gshape} for axis {axis} of {n} entries")
    steps = (
        _steps(wrap(spacing), f, axis) if places else distance if isinstance(distance, float | int) else wrap(spacing)
    )
    first, last = (_end(f, axis, steps, places, order, side) for side in (0, 1))
    if n == 2:
        return manipulation.concatenate([first, last], axis)
    return wrap(_core.attach(first._core, _inside(f, axis, steps, places)._core, last._core, axis))


def _steps(places: DNDarray, f: DNDarray, axis: int) -> DNDarray:
    """Distances between places, along their axis of f and split if that is."""
    kind = f._core.local.dtype
    real = kind if not kind.is_complex else kind.to_real()
    core = diff(places)._core
    core = core.with_local(core.local.to(real))
    core = core.resplit(0 if f.split == axis else None)
    others = [k for k in range(f.ndim) if k != axis]
    return wrap(_core.expand_dims(core, others))


def _inside(f: DNDarray, axis: int, steps: Any, places: bool) -> DNDarray:
    below, above = _neighbours(f, axis, 2)
    if not places:
        return (above - below) / (2.0 * steps)
    middle = _part(f, axis, slice(1, -1))
    left, right = _part(steps, axis, slice(None, -1)), _part(steps, axis, slice(1, None))
    return (
        below * (-right / (left * (left + right)))
        + middle * ((right - left) / (left * right))
        + above * (left / (right * (left + right)))
    )


def _end(f: DNDarray, axis: int, steps: Any, places: bool, order: int, side: int) -> DNDarray:
    """The one-sided difference at an end, as one entry of the axis."""
    n = f.shape[axis]

    def entry(x: DNDarray, k: int) -> DNDarray:
        at = k if side == 0 else x.shape[axis] - 1 - k
        return wrap(_part(x, axis, slice(at, at + 1))._core.resplit(None if x.split == axis else x.split))

    sign = 1.0 if side == 0 else -1.0
    h1 = entry(steps, 0) if places else steps
    if order == 1 or n < 3:
        return (entry(f, 1) - entry(f, 0)) * sign / h1
    h2 = entry(steps, 1) if places else steps
    return (
        entry(f, 0) * (-(2.0 * h1 + h2) / (h1 * (h1 + h2)))
        + entry(f, 1) * ((h1 + h2) / (h1 * h2))
        - entry(f, 2) * (h1 / (h2 * (h1 + h2)))
    ) * sign


def trapezoid(y: DNDarray, x: Any = None, dx: float = 1.0, axis: int = -1) -> DNDarray:
    """The integral along an axis by the trapezoidal rule.

    Parameters
    ----------
    y
        Values; integers become float32.
    x
        Places of the entries: 1-D, or y's shape. Else they are `dx` apart.
    axis
        The axis.

    Notes
    -----
    Distribution: as `sum` over the axis. Communication: along the split a halo of one row and the sum's allreduce.
    """
    core = native(y, "trapezoid", "y")
    if not core.local.dtype.is_floating_point and not core.local.dtype.is_complex:
        core = core.with_local(core.local.to(torch.float32))
    axis = _axis(axis, core.ndim, "trapezoid")
    if core.gshape[axis] < 2:
        return reductions.sum(_part(wrap(core), axis, slice(0, 0)), axis)
    low, high = _neighbours(wrap(core), axis)
    areas = (low + high) * 0.5
    if x is None:
        return reductions.sum(areas * dx, axis)
    places = native(x, "trapezoid", "x", core)
    widths = diff(wrap(places), axis=-1 if places.ndim == 1 else axis)
    if places.ndim == 1:
        widths = (
            manipulation.expand_dims(widths, [k - core.ndim for k in range(axis + 1, core.ndim)])
            if axis + 1 < core.ndim
            else widths
        )
    return reductions.sum(areas * widths, axis)


trapz = trapezoid


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> DNDarray:
    """Values at x of the piecewise linear function through the points (xp, fp).

    Parameters
    ----------
    x
        Where to evaluate; any shape and split.
    xp, fp
        1-D, any split; xp ascending.
    left, right
        Values outside; default the first and the last of fp.
    period
        Of x; xp is then brought into one period and sorted.

    Returns
    -------
    DNDarray
        float64 (complex128 for a complex fp), of the shape and split of x.

    Notes
    -----
    Communication: none if xp and fp are replicated, else that of `searchsorted` and of an index by four arrays.
    """
    like = next((v._core for v in (x, xp, fp) if isinstance(v, ArrayBase)), None)
    at, places, values = (wrap(native(v, "interp", name, like)) for v, name in ((x, "x"), (xp, "xp"), (fp, "fp")))
    if places.ndim != 1 or values.shape != places.shape or places.shape[0] == 0:
        raise ValueError(
            f"interp: xp and fp must be 1-D, not empty and equally long, are {places.shape}, {values.shape}"
        )
    wide = torch.complex128 if values._core.local.dtype.is_complex else torch.float64
    if at._core.local.is_complex() or places._core.local.is_complex():
        raise TypeError("interp: x and xp must be real, as complex numbers have no order")
    at, places = (wrap(v._core.with_local(v._core.local.to(torch.float64))) for v in (at, places))
    values = wrap(values._core.with_local(values._core.local.to(wide)))
    if period is not None:
        at, places, values = _one_period(at, places, values, abs(period))
        left = right = None
    out = _interpolate(at, places, values, left, right)
    return out if at.ndim else out.reshape(())  # parts of one entry have made it one, too


def _one_period(at: DNDarray, places: DNDarray, values: DNDarray, period: float) -> tuple[DNDarray, ...]:
    at, places = at % period, places % period
    order = equiheat.argsort(places)
    places, values = places[order], values[order]
    join = manipulation.concatenate
    return (
        at,
        join([places[-1:] - period, places, places[:1] + period]),
        join([values[-1:], values, values[:1]]),
    )


def _interpolate(at: DNDarray, places: DNDarray, values: DNDarray, left: Any, right: Any) -> DNDarray:
    n = places.shape[0]
    if places.split is None:
        found = at._core.with_local(torch.searchsorted(places._core.local, at._core.local.contiguous(), right=True))
    else:
        found = equiheat.searchsorted(places, at, side="right")._core
    below = wrap(found.with_local((found.local - 1).clamp(0, max(n - 2, 0))))
    above = wrap(found.with_local((below._core.local + 1).clamp(max=n - 1)))
    x0, x1, y0, y1 = places[below], places[above], values[below], values[above]
    width = x1 - x0
    slope = conditional.select(width != 0, (y1 - y0) / conditional.select(width != 0, width, 1.0), 0.0)
    out = y0 + slope * (at - x0)
    first, last = places[:1], places[-1:]
    out = conditional.select(at < first, values[:1] if left is None else left, out)
    out = conditional.select(at >= last, values[-1:], out)
    return out if right is None else conditional.select(at > last, right, out)


# ---------------------------------------------------------------------- the standard's running sums
def cumulative_sum(
    x: DNDarray, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> DNDarray:
    """Running sums along an axis (which only 1-D arrays need not name), behind a zero if asked for.

    Distribution: the split of x; the zero lies on the first rank. Communication: as `cumsum`.
    """
    return _running(x, "cumsum", axis, dtype, include_initial)


def cumulative_prod(
    x: DNDarray, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> DNDarray:
    """Running products along an axis, behind a one if asked for; as `cumulative_sum`."""
    return _running(x, "cumprod", axis, dtype, include_initial)


def _running(x: Any, scan: str, axis: int | None, dtype: Any, initial: bool) -> DNDarray:
    fn = "cumulative_sum" if scan == "cumsum" else "cumulative_prod"
    core = native(x, fn)
    if axis is None and core.ndim != 1:
        raise ValueError(f"{fn}: axis must be given for an array of {core.ndim} axes")
    along = 0 if axis is None else _axis(axis, core.ndim, fn)
    out: DNDarray = getattr(reductions, scan)(wrap(core), along, dtype)
    if not initial:
        return out
    widths = [(1 if k == along else 0, 0) for k in range(core.ndim)]
    return wrap(_core.pad_constant(out._core, widths, 0 if scan == "cumsum" else 1))


class DifferenceMethods:
    """Methods of DNDarray."""

    __slots__ = ()
    diff = diff
