# SPDX-License-Identifier: BSD-3-Clause
"""Arrays as text.

``str(x)``, and so ``print(x)``, is collective: rank 0 gets the text of the global array, the others an empty string.
Of a large array only the edges that are shown travel. ``repr(x)`` never communicates: for a split array it shows
this rank's block.
"""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, _tensor_str

from equiheat import _core, dtypes
from equiheat._base import ArrayBase
from equiheat.communication import get_comm
from equiheat.devices import device_of

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["get_printoptions", "global_printing", "local_printing", "print0", "set_printoptions"]

_PREFIX = "DNDarray("
_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 120},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 120},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 120},
}
_options: dict[str, Any] = {**_PROFILES["default"], "sci_mode": None}
_local = False


def get_printoptions() -> dict[str, Any]:
    """The options: precision, threshold, edgeitems, linewidth, sci_mode."""
    return dict(_options)


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how arrays are printed; what is None stays. Every rank must do the same.

    Parameters
    ----------
    precision
        Digits after the point (4).
    threshold
        Number of elements from which on only the edges are shown (1000).
    edgeitems
        Entries shown at each end of an axis then (3).
    linewidth
        Characters a line (120).
    profile
        "default", "short" or "full": sets the four above first.
    sci_mode
        Whether to print in scientific notation; None leaves it to the values.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile must be one of {', '.join(_PROFILES)}, is {profile!r}")
        _options.update(_PROFILES[profile])
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in given.items():
        if value is not None:
            if value < 0:
                raise ValueError(f"set_printoptions: {name} must not be negative, is {value}")
            _options[name] = value
    _options["sci_mode"] = sci_mode


def global_printing() -> None:
    """Print global arrays (the default). Rank 0 tells if that changes something, as in Heat."""
    global _local
    if _local:
        print0("Printing options set to GLOBAL. DNDarrays will be collected on process 0 before printing")
    _local = False


def local_printing() -> None:
    """Print each rank's block, formatted as a torch tensor's. Rank 0 tells, as in Heat."""
    global _local
    _local = True
    print0("Printing options set to LOCAL. DNDarrays will print the local PyTorch Tensors")


def print0(*args: Any, **kwargs: Any) -> None:
    """``print`` on rank 0 only. Collective if an argument is a split array."""
    texts = [str(a) if isinstance(a, ArrayBase) else a for a in args]  # every rank takes part in str(x)
    if get_comm().rank == 0:
        builtins.print(*texts, **kwargs)  # noqa: T201


def _body(tensor: Tensor, summarise: bool, indent: int = len(_PREFIX)) -> str:
    """The numbers, formatted as torch does, indented to stand behind a prefix."""
    threshold = 0 if summarise else math.inf
    with _tensor_str.printoptions(**{**_options, "threshold": threshold}):
        return str(_tensor_str._tensor_str(tensor.detach().cpu().resolve_conj().resolve_neg(), indent))


def __str__(x: DNDarray) -> str:
    """Text of the global array on rank 0, an empty string on the others. Collective when split."""
    core = x._core
    if _local:
        body = _body(core.local, core.local.numel() > _options["threshold"], 0)
        return f"{body}, device: {device_of(core.local.device)}, split: {core.split}"
    summarise = core.size > _options["threshold"]
    # An edge as long as the array takes it whole.
    edge = _options["edgeitems"] if summarise else max(core.gshape, default=0)
    shown = _core.gather_edges(core, edge)
    return _text(core, shown, summarise) if core.comm.rank == 0 else ""


def _text(core: _core.Array, shown: Tensor, summarise: bool) -> str:
    dtype = dtypes.from_torch(core.local.dtype).__name__
    device = device_of(core.local.device)
    return f"{_PREFIX}{_body(shown, summarise)}, dtype=ht.{dtype}, device={device}, split={core.split})"


def __repr__(x: DNDarray) -> str:
    """Text of a replicated array; of a split one this rank's block and its place. Local."""
    core = x._core
    if not core.is_distributed:
        return _text(core, core.local.detach(), core.size > _options["threshold"])
    dtype = dtypes.from_torch(core.local.dtype).__name__
    return (
        f"DNDarray(MPI-rank: {core.comm.rank}, Shape: {tuple(core.gshape)}, Split: {core.split}, "
        f"Local Shape: {tuple(core.local.shape)}, Device: {device_of(core.local.device)}, Dtype: {dtype}, "
        f"Data:\n{_block(core.local)})"
    )


def _block(local: Tensor) -> str:
    with _tensor_str.printoptions(**_options):
        return str(torch.Tensor.__repr__(local.detach()))
