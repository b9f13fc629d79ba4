# SPDX-License-Identifier: BSD-3-Clause
"""Layers, models on all ranks, differentiable collectives and fused operators; torch's modules."""

from __future__ import annotations

from typing import Any

from equiheat.nn import functional as functional
from equiheat.nn.attention import CrossAttention as CrossAttention
from equiheat.nn.batchnorm import BatchNorm as BatchNorm
from equiheat.nn.data_parallel import DataParallel as DataParallel
from equiheat.nn.data_parallel import DataParallelMultiGPU as DataParallelMultiGPU
from equiheat.nn.reconstruction import CrossAttentionReconstruction as CrossAttentionReconstruction


def __getattr__(name: str) -> Any:
    """Torch's modules, as Heat has them."""
    import torch

    if not name.startswith("_") and hasattr(torch.nn, name):
        return getattr(torch.nn, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}, nor has torch.nn")
