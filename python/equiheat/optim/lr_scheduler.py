# SPDX-License-Identifier: BSD-3-Clause
"""torch's learning-rate schedulers under Heat's name."""

from __future__ import annotations

from typing import Any

from torch.optim import lr_scheduler as _torch


def __getattr__(name: str) -> Any:
    try:
        return getattr(_torch, name)
    except AttributeError:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}, nor has torch.optim.lr_scheduler"
        ) from None
