# SPDX-License-Identifier: BSD-3-Clause
"""Computations on the neighbourhood of every entry: stencils, and the halo exchange they rest on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from equiheat import _core, dtypes
from equiheat._base import ArrayBase, unwrap, wrap
from equiheat._function import Operand, native, to_write
from equiheat._function import whole_number as whole_number

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["HaloExchange", "laplacian", "stencil"]

BOUNDARIES = ("constant", "periodic", "reflect", "symmetric", "edge")
Width = Any


def check_boundary(fn: str, boundary: str) -> str:
    if boundary not in BOUNDARIES:
        raise ValueError(f"{fn}: boundary must be one of {', '.join(BOUNDARIES)}, is {boundary!r}")
    return boundary


def check_value(fn: str, core: _core.Array, boundary: str, value: float, argument: str = "value") -> None:
    """ValueError, on all ranks and not only on those at the ends, for a value that the array's type has not. Local."""
    kind = core.local.dtype
    if boundary != "constant" or kind.is_floating_point or kind.is_complex or kind is torch.bool:
        return
    limits = torch.iinfo(kind)
    if not limits.min <= value <= limits.max:
        name = dtypes.from_torch(kind).__name__
        raise ValueError(f"{fn}: {argument} must be from {limits.min} to {limits.max} for {name}, is {value}")


def map_ordered(
    core: _core.Array, before: list[int], behind: list[int], beyond: tuple[str, float], fn: Callable[[Tensor], Tensor]
) -> DNDarray:
    """A function of windows that only compares entries; unsigned integers that torch does not compare go as int64 in
    the same order.
    """
    kind, least = core.local.dtype, torch.iinfo(torch.int64).min
    if kind == torch.uint64:
        value = beyond[1] - 2**64 if beyond[1] >= 2**63 else beyond[1]  # the same bits
        bits = core.with_local(core.local.view(torch.int64))
        found = _core.map_stencil(bits, before, behind, beyond[0], float(value), lambda u: fn(u ^ least) ^ least)
        return wrap(found.with_local(found.local.view(kind)))
    wide = core.with_local(core.local.to(torch.int64)) if kind in (torch.uint16, torch.uint32) else core
    found = _core.map_stencil(wide, before, behind, beyond[0], float(beyond[1]), fn)
    return wrap(found if wide is core else found.with_local(found.local.to(kind)))


def frame(fn: str, width: Width, ndim: int) -> tuple[list[int], list[int]]:
    """Widths before and behind each axis: of one number, one per axis, or one pair (before, behind) per axis."""
    per_axis = list(width) if isinstance(width, (list, tuple)) else [width] * ndim
    if len(per_axis) != ndim:
        raise ValueError(f"{fn}: width has {len(per_axis)} entries for {ndim} axes; give one, or one for each axis")
    pairs = [tuple(w) if isinstance(w, (list, tuple)) else (w, w) for w in per_axis]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"{fn}: width must be a number or (before, behind) for each axis, is {width!r}")
    before, behind = ([whole_number(fn, "width", pair[side]) for pair in pairs] for side in (0, 1))
    return before, behind


def inexact(core: _core.Array) -> _core.Array:
    """Integers and bool become float32, int64 and its like float64."""
    dtype = core.local.dtype
    if dtype.is_floating_point or dtype.is_complex:
        return core
    return core.astype(torch.float64 if dtype.itemsize == 8 else torch.float32)


def stencil(
    fn: Callable[[Tensor], Tensor] | Operand,
    x: DNDarray,
    width: Width = None,
    boundary: str = "constant",
    value: float = 0.0,
    *,
    out: DNDarray | None = None,
    accumulate: bool = False,
    steps: int = 1,
) -> DNDarray:
    """Every entry computed from the entries around it.

    Parameters
    ----------
    fn
        Either a function: it gets a torch tensor, a part of the block with `width` more entries on each side, and
        returns the values of the part without them. It is called several times, for parts of any extents, with
        tensors it must not change, and must not communicate. Or weights, one odd extent per axis of x: every entry
        becomes the weighted sum of its neighbours (a correlation, not flipped); entries of weight 0 cost nothing.
    x
        Array of any split. Weights want floating point: integers become float32 (64-bit ones float64).
    width
        How far fn looks: one number for all axes, one per axis, or (before, behind) per axis. Weights imply it.
    boundary
        What lies beyond the array: "constant" (`value`), "periodic" (the other end), "reflect" (d c b | a b c d |
        c b a), "symmetric" (d c b a | a b c d | d c b a), "edge" (a a a | a b c d | d d d).
    value
        For "constant".
    out, accumulate
        For weights: an array of the shape, dtype and distribution of x that gets the result, or to which it is added.
    steps
        For weights: how often it is done, each time to the result of the time before. Where x is float32 or float64 on
        processors, of two axes or more, and replicated or split along the first, a sweep through memory takes up to 8
        steps while rows stay in the cache.

    Returns
    -------
    DNDarray
        Of x's shape and distribution, of the dtype fn returns; or `out`.

    Raises
    ------
    ValueError
        For an unknown boundary, widths that do not fit, weights of even extent, a result of the wrong shape, a value
        that the type fn sees has not.
    TypeError
        For complex weights.

    Notes
    -----
    Communication: along the split, `width` rows from each neighbour, or from as many ranks as hold them; the interior
    is computed while they travel. None where the width along the split is 0. With `steps`, `width` times as many rows
    once for each sweep. Differentiable; through `out` it is not, and with gradients fn is called once for the whole
    block.

    Examples
    --------
    >>> x = ht.arange(5, dtype=ht.float32, split=0)
    >>> ht.stencil([1.0, -2.0, 1.0], x, boundary="edge").tolist()
    [1.0, 0.0, 0.0, 0.0, -1.0]
    >>> ht.stencil(lambda u: torch.maximum(u[:-2], u[2:]), x, 1).tolist()
    [1.0, 2.0, 3.0, 4.0, 3.0]
    """
    core = native(x, "stencil")
    check_boundary("stencil", boundary)
    if callable(fn) and not isinstance(fn, (ArrayBase, Tensor)):
        if out is not None or accumulate:
            raise ValueError("stencil: out and accumulate are for weights; assign what the function returns")
        if steps != 1:
            raise ValueError(f"stencil: steps={steps} is for weights; call the function again on what it returned")
        before, behind = frame("stencil", 0 if width is None else width, core.ndim)
        check_value("stencil", core, boundary, value)
        return wrap(_core.map_stencil(core, before, behind, boundary, float(value), fn))
    times = whole_number("stencil", "steps", steps, least=1)
    if accumulate and times > 1:
        raise ValueError(f"stencil: accumulate adds the result of one step, steps is {times}")
    return _weighted(core, fn, width, (boundary, float(value)), out, accumulate, times)


def _weighted(
    core: _core.Array,
    weights: Any,
    width: Width,
    beyond: tuple[str, float],
    out: DNDarray | None,
    accumulate: bool,
    steps: int,
) -> DNDarray:
    w = weights.numpy() if hasattr(weights, "numpy") else np.asarray(weights)
    if np.iscomplexobj(w):
        raise TypeError("stencil: weights must be real; add the stencils of their real and their imaginary parts")
    w = w.astype(float)
    if w.ndim != core.ndim or any(n % 2 == 0 for n in w.shape):
        raise ValueError(
            f"stencil: weights need one odd extent for each of the {core.ndim} axes, have shape {tuple(w.shape)}"
        )
    if accumulate and out is None:
        raise ValueError("stencil: accumulate adds to out, which is not given")
    reach = [n // 2 for n in w.shape]
    if width is not None and frame("stencil", width, core.ndim) != (reach, reach):
        raise ValueError(f"stencil: width {width!r} does not fit weights of shape {tuple(w.shape)}")
    taps = [(list(map(int, at - np.array(reach))), float(w[tuple(at)])) for at in np.argwhere(w != 0)]
    target = None if out is None else to_write(out, "stencil")
    offsets, values = [at for at, _ in taps], [weight for _, weight in taps]
    result = _core.weighted_stencil(inexact(core), reach, reach, *beyond, offsets, values, target, accumulate, steps)
    return wrap(result) if out is None else out


def laplacian(
    x: DNDarray, spacing: float | Sequence[float] = 1.0, boundary: str = "edge", value: float = 0.0
) -> DNDarray:
    """Sum of the second differences along all axes, each divided by the square of its spacing.

    Parameters
    ----------
    x
        Array of one axis or more; integers become floating point.
    spacing
        Distance of entries: one number, or one per axis.
    boundary, value
        As for `stencil`; "edge" lets nothing flow over the ends.

    Returns
    -------
    DNDarray
        Of x's shape and distribution.

    Notes
    -----
    Communication: one row from each neighbour along the split. Differentiable.

    Examples
    --------
    >>> ht.laplacian(ht.array([0.0, 1.0, 4.0, 9.0], split=0)).tolist()
    [1.0, 2.0, 2.0, -5.0]
    """
    core = native(x, "laplacian")
    given = np.asarray(spacing, dtype=float)  # a number of NumPy's, too
    steps: list[float] = given.tolist() if given.ndim else [float(given)] * core.ndim
    if len(steps) != core.ndim:
        raise ValueError(f"laplacian: {len(steps)} spacings for {core.ndim} axes; give one, or one for each")
    weights = np.zeros((3,) * core.ndim)
    for axis, h in enumerate(steps):
        for at, factor in ((0, 1), (1, -2), (2, 1)):
            weights[tuple(at if k == axis else 1 for k in range(core.ndim))] += factor / h**2
    return stencil(weights, wrap(core), None, boundary, value)


class HaloExchange:
    """The rows beside the blocks of arrays of one distribution, fetched again and again with work in between.

    Parameters
    ----------
    x
        A split array; the exchange serves all arrays of its shape, dtype and distribution.
    width
        Rows on each side, or (before, behind). May be larger than a neighbour's block.
    boundary, value
        What lies beyond the ends, as for `stencil`.

    Raises
    ------
    ValueError
        If x is not split, for an unknown boundary, or a value that x's type has not.

    Notes
    -----
    Making one sends nothing. `start` and `finish` are collective: all ranks start their exchanges in the same order.
    The block must not change in between. Ranks of one node write into shared memory, others use persistent requests of
    MPI. Not differentiable; `stencil` is.

    Examples
    --------
    >>> x = ht.arange(8, split=0)
    >>> halo = ht.HaloExchange(x, 1, "periodic")
    >>> halo.start(x)
    >>> before, behind = halo.finish()
    """

    __slots__ = ("_native", "exchange_core")

    def __init__(self, x: DNDarray, width: Width = 1, boundary: str = "constant", value: float = 0.0) -> None:
        before, behind = frame("HaloExchange", [width], 1)
        check_boundary("HaloExchange", boundary)
        core = unwrap(x, "HaloExchange")
        check_value("HaloExchange", core, boundary, value)
        self._native = _core.HaloExchange(core, before[0], behind[0], boundary, float(value))
        self.exchange_core = self._native.exchange

    def start(self, x: DNDarray) -> None:
        """Send the rows others need. Collective; waits for nobody."""
        self._native.start(x._core)

    def finish(self) -> tuple[Tensor, Tensor]:
        """The rows before the block and those behind it, `width` of them each. Collective."""
        return self._native.finish()

    def __call__(self, x: DNDarray) -> tuple[Tensor, Tensor]:
        """Both at once. Collective."""
        return self.exchange_core(x._core)


def neighbourhood(shape: Sequence[int], origin: Sequence[int]) -> tuple[list[int], list[int]]:
    """Widths (before, behind) of a window whose entry shape // 2 + origin lies on the entry computed."""
    before = [n // 2 + o for n, o in zip(shape, origin, strict=True)]
    return before, [n - 1 - b for n, b in zip(shape, before, strict=True)]


def offsets(shape: Sequence[int]) -> list[tuple[int, ...]]:
    return list(itertools.product(*(range(n) for n in shape)))
