# SPDX-License-Identifier: BSD-3-Clause
"""Checks of arguments that many functions take. Every message names the function, the argument and its value."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat.devices import Device
from equiheat.errors import AxisError

if TYPE_CHECKING:
    from equiheat.array import DNDarray

ShapeLike = int | Sequence[int]
DeviceLike = str | Device | torch.device | None


def sanitize_shape(shape: ShapeLike, fn: str) -> tuple[int, ...]:
    """`shape` as a tuple of non-negative integers; TypeError or ValueError naming `fn` otherwise."""
    given: Any = shape
    try:
        extents = tuple(map(operator.index, given if hasattr(given, "__len__") else (given,)))
    except TypeError:
        raise TypeError(f"{fn}: shape must be an integer or a sequence of integers, is {shape!r}") from None
    if extents and min(extents) < 0:
        raise ValueError(f"{fn}: negative dimensions are not allowed, got shape {extents}")
    return extents


def sanitize_split(split: int | None, ndim: int, fn: str, argument: str = "split") -> int | None:
    """`split` as an axis in [0, ndim) or None; TypeError or ValueError naming `fn` otherwise.

    An array without axes has nothing to cut: any split of it is None, as in Heat.
    """
    if split is None:
        return None
    try:
        axis = operator.index(split)
    except TypeError:
        raise TypeError(f"{fn}: {argument} must be None or an integer, is {type(split)}") from None
    if ndim == 0 and argument == "split":
        return None
    if not -ndim <= axis < ndim:
        raise AxisError(f"{fn}: {argument} {axis} is out of bounds for a {ndim}-dimensional array")
    return axis % ndim


def ordered(core: _core.Array, order: str, fn: str) -> DNDarray:
    """The array with its blocks in the memory order asked for. Local."""
    if order == "C":
        return wrap(core)
    if order == "K":
        raise NotImplementedError(f"{fn}: order='K' is not offered; order must be 'C' or 'F'")
    if order != "F":
        raise ValueError(f"{fn}: order must be 'C' or 'F', is {order!r}")
    axes = tuple(reversed(range(core.ndim)))
    return wrap(core.with_local(core.local.permute(axes).contiguous().permute(axes)))
