# SPDX-License-Identifier: BSD-3-Clause
"""Layers, differentiable collectives and fused operators."""

from __future__ import annotations

from equiheat.nn.batchnorm import BatchNorm as BatchNorm
