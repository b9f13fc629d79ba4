# SPDX-License-Identifier: BSD-3-Clause
"""Reductions of sliding windows of local tensors in a logarithmic number of passes: windows of 2 w entries are made of
two windows of w. Sums are pairwise, so their rounding errors grow with the logarithm of the window, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

State = TypeVar("State")
Moments = tuple[int, Tensor, Tensor]  # count, mean, sum of squared distances to it


def sliding_extreme(x: Tensor, axis: int, size: int, pick: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """``pick`` (torch.minimum or torch.maximum) over all windows of `size` entries: extent n - size + 1."""
    n, width = x.shape[axis] - size + 1, 1
    while 2 * width <= size:
        rows = x.shape[axis] - width
        x = pick(x.narrow(axis, 0, rows), x.narrow(axis, width, rows))
        width *= 2
    return x if width == size else pick(x.narrow(axis, 0, n), x.narrow(axis, size - width, n))


def _fold(
    x: State, size: int, joined: Callable[[State, State], State], part: Callable[[State, int, int], State], extent: int
) -> State:
    """All windows of `size` entries, joined from windows of the powers of two whose sum `size` is."""
    n, width, place = extent - size + 1, 1, 0
    total: State | None = None
    while True:
        if size & width:
            piece = part(x, place, n)
            total = piece if total is None else joined(total, piece)
            place += width
        if 2 * width > size:
            assert total is not None
            return total
        rows = extent - 2 * width + 1
        x = joined(part(x, 0, rows), part(x, width, rows))
        width *= 2


def sliding_sum(x: Tensor, axis: int, size: int) -> Tensor:
    """Sums of all windows of `size` entries along an axis."""
    return _fold(x, size, torch.add, lambda t, begin, n: t.narrow(axis, begin, n), x.shape[axis])


def _merged(a: Moments, b: Moments) -> Moments:
    """Moments of two samples together (Chan, Golub, LeVeque 1983)."""
    count = a[0] + b[0]
    distance = b[1] - a[1]
    mean = torch.add(a[1], distance, alpha=b[0] / count)
    square = (distance * distance.conj()).real if distance.is_complex() else distance.square()
    return count, mean, a[2] + b[2] + square * (a[0] * b[0] / count)


def sliding_moments(x: Tensor, axis: int, size: int) -> tuple[Tensor, Tensor]:
    """Mean, and sum of squared distances to it, of all windows of `size` entries."""

    def part(state: Moments, begin: int, n: int) -> Moments:
        return state[0], state[1].narrow(axis, begin, n), state[2].narrow(axis, begin, n)

    _, mean, squares = _fold(
        (1, x, torch.zeros_like(x.real if x.is_complex() else x)), size, _merged, part, x.shape[axis]
    )
    return mean, squares
