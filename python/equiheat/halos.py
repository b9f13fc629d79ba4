# SPDX-License-Identifier: BSD-3-Clause
"""Rows of neighbouring ranks, for stencils and windows that reach over the edge of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from equiheat import _core
from equiheat._base import unwrap

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def get_halo(x: DNDarray, halo_size: int, prev: bool = True, next: bool = True, *, periodic: bool = False) -> None:
    """Fetch the rows beside this rank's block along the split; `halo_prev`, `halo_next`, `array_with_halos` show them.

    Parameters
    ----------
    x
        Array of any shape and split. A replicated array has no halos.
    halo_size
        Rows on either side. It may be larger than a neighbour's block: rows then come from several ranks.
    prev, next
        Which sides.
    periodic
        The axis is a ring: the first rows follow the last ones. Otherwise halos are cut off at its ends.

    Raises
    ------
    TypeError, ValueError
        If halo_size is no integer, or negative.

    Notes
    -----
    Collective: the halos, from the ranks that hold them; the exchange is planned once for all arrays of one
    distribution. To compute while they travel see `HaloExchange` and `stencil`. Differentiable: gradients of halos go
    back to the rows they are copies of.
    A rank without rows gets no halo; neighbours are the next rows, whoever holds them. Later changes of x
    do not reach its halos before the next call.

    Examples
    --------
    >>> x = ht.arange(8, split=0)
    >>> x.get_halo(1)
    """
    core = unwrap(x, "get_halo")
    if not isinstance(halo_size, int) or isinstance(halo_size, bool):
        raise TypeError(f"get_halo: halo_size must be int, is {type(halo_size)}")
    if halo_size < 0:
        raise ValueError(f"get_halo: halo_size must not be negative, is {halo_size}")
    if not core.is_distributed and not periodic:  # all rows are here
        x._halo_prev = x._halo_next = None
        return
    widths = halo_size if prev else 0, halo_size if next else 0
    if not (torch.is_grad_enabled() and core.local.requires_grad):
        x._halo_prev, x._halo_next = _core.halo_rows(core, *widths, periodic)
        return
    extended, before, behind = core.halo(*widths, periodic)
    axis = core.split or 0
    x._halo_prev = extended.narrow(axis, 0, before) if before else None
    x._halo_next = extended.narrow(axis, extended.shape[axis] - behind, behind) if behind else None


def halo_prev(x: DNDarray) -> Tensor | None:
    """Rows before this rank's block that `get_halo` fetched; None where there are none. Local."""
    return getattr(x, "_halo_prev", None)


def halo_next(x: DNDarray) -> Tensor | None:
    """Rows behind this rank's block that `get_halo` fetched; None where there are none. Local."""
    return getattr(x, "_halo_next", None)


def array_with_halos(x: DNDarray) -> Tensor:
    """This rank's block between the halos that `get_halo` fetched. Local."""
    parts = [p for p in (halo_prev(x), x.larray, halo_next(x)) if p is not None]
    return torch.cat(parts, dim=x.split or 0) if len(parts) > 1 else x.larray
