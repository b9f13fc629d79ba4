# SPDX-License-Identifier: BSD-3-Clause
"""Copies, and the order of axes in memory."""

from __future__ import annotations

import torch

from equiheat.conversion import copy

__all__ = ["copy", "sanitize_memory_layout"]


def sanitize_memory_layout(x: torch.Tensor, order: str = "C") -> torch.Tensor:
    """The tensor with its axes in memory in row-major ("C") or column-major ("F") order. Local.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        If it is no tensor, or the order another; for the order "K".

    Examples
    --------
    >>> from equiheat.core.memory import sanitize_memory_layout
    >>> sanitize_memory_layout(torch.zeros(2, 3), "F").stride()
    (1, 2)
    """
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"sanitize_memory_layout: x must be a torch.Tensor, is {type(x)}")
    if order == "K":
        raise NotImplementedError("sanitize_memory_layout: order='K' is not offered; order must be 'C' or 'F'")
    if x.dim() < 2 and order in ("C", "F"):
        return x
    if order == "C":
        return x.contiguous()
    if order != "F":
        raise ValueError(f"sanitize_memory_layout: order must be 'C' or 'F', is {order!r}")
    axes = tuple(reversed(range(x.dim())))
    return x.permute(axes).contiguous().permute(axes)
