# SPDX-License-Identifier: BSD-3-Clause
"""Averaging of gradients over ranks, optimizers of models on all ranks, schedules, LARS; torch's optimizers."""

from __future__ import annotations

from typing import Any

from equiheat.optim import lr_scheduler as lr_scheduler
from equiheat.optim import utils as utils
from equiheat.optim.dp_optimizer import DASO as DASO
from equiheat.optim.dp_optimizer import DataParallelOptimizer as DataParallelOptimizer
from equiheat.optim.gradients import average_gradients as average_gradients
from equiheat.optim.lars import LARS as LARS
from equiheat.optim.schedules import warmup_cosine as warmup_cosine


def __getattr__(name: str) -> Any:
    """Torch's optimizers, as Heat has them."""
    import torch

    if not name.startswith("_") and hasattr(torch.optim, name):
        return getattr(torch.optim, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}, nor has torch.optim")
