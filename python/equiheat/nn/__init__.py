# SPDX-License-Identifier: BSD-3-Clause
"""Layers, differentiable collectives and fused operators."""

from __future__ import annotations

from equiheat.nn import functional as functional
from equiheat.nn.attention import CrossAttention as CrossAttention
from equiheat.nn.batchnorm import BatchNorm as BatchNorm
from equiheat.nn.reconstruction import CrossAttentionReconstruction as CrossAttentionReconstruction
