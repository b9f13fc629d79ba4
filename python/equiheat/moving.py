# SPDX-License-Identifier: BSD-3-Clause
"""Statistics of sliding windows along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import native
from equiheat._sliding import sliding_extreme, sliding_moments, sliding_sum
from equiheat.conversion import astype
from equiheat.errors import AxisError
from equiheat.stencils import check_boundary, check_value, inexact, map_ordered, whole_number

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["Rolling", "rolling"]


def _windows(x: Tensor, axis: int, n: int) -> Tensor:
    """A view (..., window) of all windows; also of none, which torch refuses."""
    if x.shape[axis] < n:
        return x.narrow(axis, 0, 0).unsqueeze(-1).expand(*[-1] * x.dim(), n)
    return x.unfold(axis, n, 1)


class Rolling:
    """Windows of an array, one for each entry of an axis; what `rolling` returns."""

    def __init__(
        self, x: _core.Array, window: int, axis: int, center: bool, boundary: str | None, value: float
    ) -> None:
        self._core, self._window, self._axis = x, window, axis
        self._behind = (window - 1) // 2 if center else 0
        self._boundary, self._value = boundary, value

    def _run(self, core: _core.Array, fn: Callable[[Tensor, int, int], Tensor], compares: bool = False) -> DNDarray:
        before, after = [0] * core.ndim, [0] * core.ndim
        before[self._axis], after[self._axis] = self._window - 1 - self._behind, self._behind
        boundary = "edge" if self._boundary is None else self._boundary
        check_value("rolling", core, boundary, self._value)

        def part(u: Tensor) -> Tensor:
            return fn(u, self._axis, self._window)

        if compares:
            done = map_ordered(core, before, after, (boundary, self._value), part)._core
        else:
            done = _core.map_stencil(core, before, after, boundary, self._value, part)
        return wrap(done if self._boundary is not None else self._without_partial(done))

    def _without_partial(self, core: _core.Array) -> _core.Array:
        """NaN where a window reaches over the ends."""
        core = inexact(core)
        n, block = core.gshape[self._axis], core.local
        first = 0
        if core.split == self._axis and core.counts is not None:
            first = sum(core.counts[: core.comm.rank])
        places = torch.arange(first, first + block.shape[self._axis], device=block.device)
        whole = (places >= self._window - 1 - self._behind) & (places < n - self._behind)
        mask = whole.view([-1 if k == self._axis else 1 for k in range(block.dim())])
        return core.with_local(torch.where(mask, block, torch.full((), torch.nan, dtype=block.dtype)))

    def sum(self) -> DNDarray:
        """Sums, pairwise. Of integers and bool in int64 (of uint64: uint64), exact where a boundary is given."""
        kind = self._core.local.dtype
        if kind.is_floating_point or kind.is_complex:
            return self._run(self._core, sliding_sum)
        found = self._run(self._core.astype(torch.int64), sliding_sum)
        if self._boundary is None:
            return astype(found, torch.float64 if kind.itemsize == 8 else torch.float32, copy=False)
        return astype(found, kind, copy=False) if kind == torch.uint64 else found

    def mean(self) -> DNDarray:
        """Arithmetic means."""
        return self._run(inexact(self._core), lambda u, axis, n: sliding_sum(u, axis, n) / n)

    def var(self, ddof: int = 0) -> DNDarray:
        """Variances, from squared distances to each window's own mean; `ddof` is taken off the number of entries."""
        if ddof >= self._window:
            raise ValueError(f"rolling: ddof {ddof} leaves nothing of a window of {self._window} entries")
        return self._run(inexact(self._core), lambda u, axis, n: sliding_moments(u, axis, n)[1] / (n - ddof))

    def std(self, ddof: int = 0) -> DNDarray:
        """Standard deviations: roots of `var`."""
        return self.var(ddof) ** 0.5

    def min(self) -> DNDarray:
        """Minima."""
        return self._run(self._core, lambda u, axis, n: sliding_extreme(u, axis, n, torch.minimum), True)

    def max(self) -> DNDarray:
        """Maxima."""
        return self._run(self._core, lambda u, axis, n: sliding_extreme(u, axis, n, torch.maximum), True)

    def median(self) -> DNDarray:
        """Medians: the mean of the two middle entries of an even number. Memory: the window times the block."""

        def middle(u: Tensor, axis: int, n: int) -> Tensor:
            ordered = _windows(u, axis, n).sort(-1).values
            return (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2

        return self._run(inexact(self._core), middle)

    def apply(self, fn: Callable[[Tensor], Tensor]) -> DNDarray:
        """``fn`` of a torch tensor of windows (..., window), which reduces its last axis."""
        return self._run(self._core, lambda u, axis, n: fn(_windows(u, axis, n)))


def rolling(
    x: DNDarray,
    window: int,
    axis: int = -1,
    *,
    center: bool = False,
    boundary: str | None = None,
    value: float = 0.0,
) -> Rolling:
    """Statistics of the window that ends at every entry of an axis.

    Parameters
    ----------
    x
        Array of any real dtype and split, one axis or more.
    window
        Entries of a window.
    axis
    center
        Windows lie around their entry (the longer side before it) and do not end there.
    boundary, value
        Without: NaN where a window reaches over the ends, as pandas has it. Else what lies there, see `stencil`.

    Returns
    -------
    Rolling
        With the methods ``sum, mean, var, std, min, max, median, apply``, each an array of x's shape and distribution.

    Raises
    ------
    ValueError
        For a window smaller than 1, an axis that is not there, an unknown boundary.

    Notes
    -----
    Communication of each statistic: along the split, ``window - 1`` rows from the ranks before (and behind, centred).
    A number of passes that grows with the logarithm of the window; ``median`` and ``apply`` look at all entries of
    each. Differentiable.

    Examples
    --------
    >>> x = ht.arange(5, dtype=ht.float32, split=0)
    >>> ht.rolling(x, 2).mean().tolist()
    [nan, 0.5, 1.5, 2.5, 3.5]
    >>> ht.rolling(x, 3, center=True, boundary="edge").max().tolist()
    [1.0, 2.0, 3.0, 4.0, 4.0]
    """
    core = native(x, "rolling")
    size = whole_number("rolling", "window", window, 1)
    if core.ndim == 0 or not -core.ndim <= axis < core.ndim:
        raise AxisError(f"rolling: axis {axis} is out of bounds for {core.ndim} axes")
    if boundary is not None:
        check_boundary("rolling", boundary)
    return Rolling(core, size, axis % core.ndim, center, boundary, float(value))
