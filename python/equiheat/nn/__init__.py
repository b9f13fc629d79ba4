# SPDX-License-Identifier: BSD-3-Clause
"""Layers, models on all ranks, differentiable collectives and fused operators; torch's modules.

Modules of torch take split arrays: `equiheat.nn.rules` says which, and how.
"""

from __future__ import annotations

from typing import Any

from equiheat.nn import functional as functional
from equiheat.nn.attention import CrossAttention as CrossAttention
from equiheat.nn.batchnorm import BatchNorm as BatchNorm
from equiheat.nn.data_parallel import DataParallel as DataParallel
from equiheat.nn.data_parallel import DataParallelMultiGPU as DataParallelMultiGPU
from equiheat.nn.linear import with_fast_products as with_fast_products
from equiheat.nn.reconstruction import CrossAttentionReconstruction as CrossAttentionReconstruction


def __getattr__(name: str) -> Any:
    """Torch's modules, as Heat has them; they take DNDarrays by `equiheat.nn.rules`."""
    import torch

    if not name.startswith("_") and hasattr(torch.nn, name):
        return getattr(torch.nn, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}, nor has torch.nn")
