# SPDX-License-Identifier: BSD-3-Clause
"""Rotations as quaternions (x, y, z, w), row by row."""

from __future__ import annotations

import torch
from torch import Tensor


def from_euler(angles: Tensor) -> Tensor:
    """Quaternions (N, 4) of Tait-Bryan angles (N, 3) in radians about x, y, z in this order, about fixed axes."""
    half = angles / 2
    (sx, sy, sz), (cx, cy, cz) = half.sin().unbind(-1), half.cos().unbind(-1)
    return torch.stack(
        (
            sx * cy * cz - cx * sy * sz,
            cx * sy * cz + sx * cy * sz,
            cx * cy * sz - sx * sy * cz,
            cx * cy * cz + sx * sy * sz,
        ),
        dim=-1,
    )


def multiply(p: Tensor, q: Tensor) -> Tensor:
    """The rotation q followed by p: Hamilton product of (N, 4) with (N, 4)."""
    px, py, pz, pw = p.unbind(-1)
    qx, qy, qz, qw = q.unbind(-1)
    return torch.stack(
        (
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
            pw * qw - px * qx - py * qy - pz * qz,
        ),
        dim=-1,
    )


def conjugate(q: Tensor) -> Tensor:
    """The inverse rotation of unit quaternions (N, 4)."""
    return q * q.new_tensor([-1.0, -1.0, -1.0, 1.0])


def canonical(q: Tensor) -> Tensor:
    """Of q and -q, which are the same rotation, the one with w >= 0."""
    return torch.where(q[..., 3:] < 0, -q, q)


def relative_quaternion(first: Tensor, second: Tensor, *, raw: bool = False) -> Tensor:
    """``R1^-1 R2`` of unit quaternions (N, 4), with w >= 0; ``raw`` keeps the sign that the product has."""
    product = multiply(conjugate(first), second)
    return product if raw else canonical(product)
