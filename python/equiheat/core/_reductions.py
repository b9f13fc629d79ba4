# SPDX-License-Identifier: BSD-3-Clause
"""Heat's reductions of (value, index) pairs for MPI, for programs that use them; ours are native."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mpi4py import MPI

__all__ = ["mpi_argmax", "mpi_argmin", "mpi_topk"]


def _pairs(buffer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """N float64 values, and behind them n indices as float64."""
    data = np.frombuffer(buffer, dtype=np.float64)
    half = data.size // 2
    return torch.from_numpy(data[:half].copy()), torch.from_numpy(data[half:].copy())


def _better(a: Any, b: Any, largest: bool) -> torch.Tensor:
    (values_a, indices_a), (values_b, indices_b) = _pairs(a), _pairs(b)
    wins = (values_a > values_b) if largest else (values_a < values_b)
    ties = (values_a == values_b) & (indices_a < indices_b)
    chosen = wins | ties
    result = torch.cat((torch.where(chosen, values_a, values_b), torch.where(chosen, indices_a, indices_b)))
    MPI.memory.frombuffer(b)[:] = result.numpy().tobytes()
    return result


def mpi_argmax(a: Any, b: Any, _: Any) -> torch.Tensor:
    """Combine two buffers of n float64 values and their n indices: the larger value, then the smaller index."""
    return _better(a, b, True)


def mpi_argmin(a: Any, b: Any, _: Any) -> torch.Tensor:
    """As `mpi_argmax` for the smaller value."""
    return _better(a, b, False)


def mpi_topk(a: Any, b: Any, mpi_type: Any) -> torch.Tensor:
    """Combine two buffers of k float64 values and their indices: the k largest of both, in descending order."""
    (values_a, indices_a), (values_b, indices_b) = _pairs(a), _pairs(b)
    values, order = torch.cat((values_a, values_b)).sort(descending=True, stable=True)
    indices = torch.cat((indices_a, indices_b))[order]
    k = values_b.numel()
    result = torch.cat((values[:k], indices[:k]))
    MPI.memory.frombuffer(b)[:] = result.numpy().tobytes()
    return result
