# SPDX-License-Identifier: BSD-3-Clause
"""What linear models share: targets as columns, predictions that lose no digits far from zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import check_real, numbers, replicated

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def targets(y: Any, x: _core.Array, fn: str) -> tuple[_core.Array, bool]:
    """The targets as (n, t), and whether it was (n,). Local.

    Raises
    ------
    TypeError, ValueError
        No array of real numbers with one entry or row per sample.
    """
    if y is None:
        raise ValueError(f"{fn}: requires y to be passed, but the target y is None")
    core = numbers(y, x.comm, fn, "y")
    check_real(core, fn, "y")
    n = x.gshape[0]
    if core.ndim not in (1, 2) or core.gshape[0] != n or 0 in core.gshape:
        raise ValueError(f"{fn}: y must have shape ({n},) or ({n}, targets), has {tuple(core.gshape)}")
    return (wrap(core)[:, None]._core, True) if core.ndim == 1 else (core, False)


def predictions(x: _core.Array, coef: torch.Tensor, intercept: torch.Tensor, flat: bool) -> DNDarray:
    """``x @ coef + intercept`` for replicated float64 coef (f, t), intercept (t,), rounded to the type of x once.

    Without the last axis if `flat`. Local; one allreduce where x is split 1. Differentiable in x.
    """
    dtype = torch.float64 if x.local.dtype == torch.float64 else torch.float32
    found = wrap(x).astype(torch.float64) @ replicated(coef, x) + replicated(intercept, x)
    found = found.astype(dtype)
    found = found.resplit(None) if found.split == 1 else found
    return found[:, 0] if flat else found
