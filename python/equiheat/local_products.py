# SPDX-License-Identifier: BSD-3-Clause
"""Matrix products of this rank's tensors, by the library that is fastest on this processor."""

from __future__ import annotations

from torch import Tensor

from equiheat import _core

__all__ = ["local_product", "onednn_linear", "uses_onednn"]


def uses_onednn() -> bool:
    """Whether products of float32 go to oneDNN: on processors of AMD with AVX-512, or as ``EQUIHEAT_ONEDNN`` says."""
    return _core.uses_onednn()


def onednn_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor | None:
    """``x weight^T + bias`` of (M, K) and (N, K), float32 without gradients; None where oneDNN is not due. Local."""
    return _core.onednn_linear(x, weight, bias)


def local_product(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b``, differentiable as torch's. Local."""
    return _core.local_product(a, b)
