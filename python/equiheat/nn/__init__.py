# SPDX-License-Identifier: BSD-3-Clause
"""Layers, models on all ranks, differentiable collectives and fused operators; torch's modules."""

from __future__ import annotations

from typing import Any

from equiheat.nn import functional as functional
from equiheat.nn.attention import CrossAttention as CrossAttention
from equiheat.nn.batchnorm import BatchNorm as BatchNorm
from equiheat.nn.convolution import Conv1d as Conv1d
from equiheat.nn.convolution import Conv2d as Conv2d
from equiheat.nn.convolution import Conv3d as Conv3d
from equiheat.nn.data_parallel import DataParallel as DataParallel
from equiheat.nn.data_parallel import DataParallelMultiGPU as DataParallelMultiGPU
from equiheat.nn.interpolation import Upsample as Upsample
from equiheat.nn.linear import with_fast_products as with_fast_products
from equiheat.nn.normalization import (
    ELU as ELU,
)
from equiheat.nn.normalization import (
    GELU as GELU,
)
from equiheat.nn.normalization import (
    BatchNorm1d as BatchNorm1d,
)
from equiheat.nn.normalization import (
    BatchNorm2d as BatchNorm2d,
)
from equiheat.nn.normalization import (
    BatchNorm3d as BatchNorm3d,
)
from equiheat.nn.normalization import (
    Hardswish as Hardswish,
)
from equiheat.nn.normalization import (
    Identity as Identity,
)
from equiheat.nn.normalization import (
    LeakyReLU as LeakyReLU,
)
from equiheat.nn.normalization import (
    ReLU as ReLU,
)
from equiheat.nn.normalization import (
    ReLU6 as ReLU6,
)
from equiheat.nn.normalization import (
    Sigmoid as Sigmoid,
)
from equiheat.nn.normalization import (
    SiLU as SiLU,
)
from equiheat.nn.normalization import (
    Softplus as Softplus,
)
from equiheat.nn.normalization import (
    Tanh as Tanh,
)
from equiheat.nn.pooling import (
    AdaptiveAvgPool2d as AdaptiveAvgPool2d,
)
from equiheat.nn.pooling import (
    AvgPool1d as AvgPool1d,
)
from equiheat.nn.pooling import (
    AvgPool2d as AvgPool2d,
)
from equiheat.nn.pooling import (
    AvgPool3d as AvgPool3d,
)
from equiheat.nn.pooling import (
    MaxPool1d as MaxPool1d,
)
from equiheat.nn.pooling import (
    MaxPool2d as MaxPool2d,
)
from equiheat.nn.pooling import (
    MaxPool3d as MaxPool3d,
)
from equiheat.nn.reconstruction import CrossAttentionReconstruction as CrossAttentionReconstruction


def __getattr__(name: str) -> Any:
    """Torch's modules, as Heat has them."""
    import torch

    if not name.startswith("_") and hasattr(torch.nn, name):
        return getattr(torch.nn, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}, nor has torch.nn")
