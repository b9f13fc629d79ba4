# SPDX-License-Identifier: BSD-3-Clause
"""How two views differ, as numbers: what SIE and EquiMod are told."""

from __future__ import annotations

import torch
from torch import Tensor

from equiheat.data.rotations import relative_quaternion
from equiheat.ssl.augment import UNITS, identity_parameters
from equiheat.ssl.views import Views

#: Width of a condition; 1 where not named.
WIDTHS = {"quaternion": 4}
AUGMENTATIONS = tuple(UNITS)


def width(names: tuple[str, ...]) -> int:
    """Numbers per image of these conditions together."""
    return sum(WIDTHS.get(name, 1) for name in names)


def relative(views: Views, names: tuple[str, ...]) -> Tensor:
    """From the first view to the second, (B, width(names)), float32.

    Parameters
    ----------
    views
        With the parameters of both; one that is absent is the identity's.
    names
        Of parameters: differences second minus first, for "quaternion" the rotation ``R1^-1 R2`` (x, y, z, w; w >= 0).
    """
    first, second = views.parameters1, views.parameters2
    return torch.cat([_one(first, second, name, views.first) for name in names], dim=1)


def of_view(parameters: dict[str, Tensor], names: tuple[str, ...], like: Tensor) -> Tensor:
    """From the unchanged image to a view, (B, width(names))."""
    return torch.cat([_one({}, parameters, name, like) for name in names], dim=1)


def _one(first: dict[str, Tensor], second: dict[str, Tensor], name: str, like: Tensor) -> Tensor:
    def value(of: dict[str, Tensor]) -> Tensor:
        if name in of:
            return of[name].float().to(like.device)
        if name == "quaternion":
            return torch.tensor([0.0, 0.0, 0.0, 1.0], device=like.device).expand(like.shape[0], 4)
        return torch.full((like.shape[0],), identity_parameters().get(name, 0.0), device=like.device)

    if name == "quaternion":
        return relative_quaternion(value(first), value(second))
    return (value(second) - value(first))[:, None]
