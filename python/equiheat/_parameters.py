# SPDX-License-Identifier: BSD-3-Clause
"""Parameters of random distributions that are arrays."""

from __future__ import annotations

from typing import Any

import torch

from equiheat._base import ArrayBase
from equiheat._sanitize import ShapeLike, sanitize_shape
from equiheat.construction import asarray
from equiheat.defaults import default_split


def as_parameter(x: Any) -> Any:
    """A list or NumPy array as an array of ours, replicated; numbers and our arrays stay. Local."""
    if isinstance(x, ArrayBase) or not getattr(x, "ndim", hasattr(x, "__len__")):
        return x
    with default_split(None):
        return asarray(x)


def shape_of(fn: str, size: ShapeLike | None, *parameters: Any) -> ShapeLike | None:
    """The shape to draw: `size`, or the one that arrays among the parameters broadcast to. Local.

    Raises
    ------
    ValueError
        Arrays that do not broadcast, or not to `size`: draws would be repeated.
    """
    shapes = [tuple(x._core.gshape) for x in parameters if isinstance(x, ArrayBase)]
    if not shapes:
        return size
    wanted = None if size is None else tuple(sanitize_shape(size, fn))
    try:
        common = tuple(torch.broadcast_shapes(*shapes, wanted or ()))
    except RuntimeError:
        common = None
    if common is None or wanted not in (None, common):
        to = "each other" if wanted is None else f"the shape {wanted}"
        raise ValueError(f"{fn}: parameters of shapes {shapes} do not broadcast to {to}")
    return common
