# SPDX-License-Identifier: BSD-3-Clause
"""Counter-based random numbers: a draw depends on its key alone, never on who draws it or when."""

from __future__ import annotations

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Logical right shift of int64 (torch's ``>>`` keeps the sign)."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def mix(x: Tensor) -> Tensor:
    """SplitMix64 finaliser (Steele, Lea, Flood 2014), element-wise on int64."""
    x = x + _GOLDEN
    x = (x ^ _shift_right(x, 30)) * _MIX_1
    x = (x ^ _shift_right(x, 27)) * _MIX_2
    return x ^ _shift_right(x, 31)


def uniform(key: tuple[int, ...], index: Tensor, draws: int) -> Tensor:
    """Uniform numbers in [0, 1) for every (key, index, draw).

    Parameters
    ----------
    key
        Integers that name the stream, such as ``(seed, epoch, view)``.
    index
        Shape (B,), int64: global sample numbers.
    draws
        How many numbers each sample gets.

    Returns
    -------
    Tensor
        Shape (B, draws), float32. The same for a sample on whichever rank and in whichever batch it is drawn.
    """
    state = torch.zeros((), dtype=torch.int64, device=index.device)
    for part in key:
        state = mix(state ^ part)
    state = mix(state ^ index.to(torch.int64))
    counter = torch.arange(draws, dtype=torch.int64, device=index.device)
    bits = mix(state[:, None] ^ mix(counter)[None, :])
    return _shift_right(bits, 40).to(torch.float32) * (1.0 / (1 << 24))


def permutation(key: tuple[int, ...], size: int) -> Tensor:
    """Permutation of ``range(size)`` (int64, CPU), the same on every rank."""
    generator = torch.Generator().manual_seed(stream_seed(key))
    return torch.randperm(size, generator=generator)


def stream_seed(key: tuple[int, ...]) -> int:
    """One non-negative 63-bit seed from a tuple of integers."""
    state = torch.zeros((), dtype=torch.int64)
    for part in key:
        state = mix(state ^ part)
    return int(state) & ((1 << 63) - 1)
