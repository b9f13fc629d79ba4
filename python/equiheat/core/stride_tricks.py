# SPDX-License-Identifier: BSD-3-Clause
"""Shapes, axes and slices, checked and normalised. Everything is local."""

from __future__ import annotations

import operator
from typing import Any

from equiheat import manipulation
from equiheat.errors import AxisError

__all__ = ["broadcast_shape", "broadcast_shapes", "sanitize_axis", "sanitize_shape", "sanitize_slice"]

Axis = int | tuple[int, ...] | None


def broadcast_shape(shape_a: tuple[int, ...], shape_b: tuple[int, ...]) -> tuple[int, ...]:
    """The shape two arrays have together; ValueError if they do not broadcast.

    Examples
    --------
    >>> from equiheat.core.stride_tricks import broadcast_shape
    >>> broadcast_shape((5, 4), (4,))
    (5, 4)
    """
    return broadcast_shapes(shape_a, shape_b)


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape several arrays have together; ValueError if they do not broadcast.

    Examples
    --------
    >>> from equiheat.core.stride_tricks import broadcast_shapes
    >>> broadcast_shapes((1, 100, 1), (10, 1, 5), (5,))
    (10, 100, 5)
    """
    common: list[int] = []
    for shape in shapes:
        common = manipulation._common_shape(common, list(shape))
    return tuple(common)


def _one_axis(shape: tuple[int, ...], axis: Any) -> int:
    try:
        number = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis must be None or int or tuple, but was {type(axis)}") from None
    ndim = len(shape)
    if not -max(ndim, 1) <= number < max(ndim, 1):
        raise AxisError(f"axis {number} is out of bounds for {ndim}-dimensional array")
    return number % max(ndim, 1)


def sanitize_axis(shape: tuple[int, ...], axis: Axis) -> Axis:
    """Axes in [0, ndim): None stays, tuples must not repeat an axis.

    Raises
    ------
    TypeError
        If the axis is no integer.
    ValueError
        If it is out of bounds or repeated.

    Examples
    --------
    >>> from equiheat.core.stride_tricks import sanitize_axis
    >>> sanitize_axis((5, 4, 4), -1)
    2
    """
    if axis is None:
        return None
    if not isinstance(axis, (tuple, list)):
        number = _one_axis(shape, axis)
        return None if len(shape) == 0 else number
    axes = tuple(_one_axis(shape, one) for one in axis)
    if len(set(axes)) < len(axes):
        raise ValueError(f"duplicate axis in {tuple(axis)}")
    return axes


def sanitize_shape(shape: int | tuple[int, ...], lval: int = 0) -> tuple[int, ...]:
    """`shape` as a tuple of integers of at least `lval`; TypeError or ValueError otherwise.

    Examples
    --------
    >>> from equiheat.core.stride_tricks import sanitize_shape
    >>> sanitize_shape(3)
    (3,)
    """
    given: Any = shape
    try:
        extents = tuple(map(operator.index, given if hasattr(given, "__len__") else (given,)))
    except TypeError:
        raise TypeError(f"expected sequence object with length >= 0 or a single integer, got {shape!r}") from None
    if extents and min(extents) < lval:
        raise ValueError(f"negative dimensions are not allowed: extents must be at least {lval}, got {extents}")
    return extents


def sanitize_slice(sl: slice, max_dim: int) -> slice:
    """The slice with start, stop and step as numbers within an axis of length `max_dim`.

    Examples
    --------
    >>> from equiheat.core.stride_tricks import sanitize_slice
    >>> sanitize_slice(slice(-3, None), 10)
    slice(7, 10, 1)
    """
    if not isinstance(sl, slice):
        raise TypeError(f"This function is only for slices, got {type(sl)}")
    return slice(*sl.indices(max_dim))
