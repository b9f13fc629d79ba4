# SPDX-License-Identifier: BSD-3-Clause
"""Matrix products of this rank's tensors, by what is fastest on this processor."""

from __future__ import annotations

from torch import Tensor

from equiheat import _core

__all__ = ["has_native_products", "local_product", "native_linear"]


def has_native_products() -> bool:
    """Whether large products of float32 and float64 are native: on processors of AMD with AVX-512.

    ``EQUIHEAT_NATIVE_PRODUCTS=0`` leaves them to torch, 1 takes them on any processor with AVX-512.
    """
    return _core.has_native_products()


def native_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor | None:
    """``x weight^T + bias`` of (M, K) and (N, K) without gradients; None where torch's product is due. Local."""
    return _core.native_linear(x, weight, bias)


def local_product(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b``, differentiable as torch's. Local."""
    return _core.local_product(a, b)
