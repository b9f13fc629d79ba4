# SPDX-License-Identifier: BSD-3-Clause
"""How two views differ, as numbers: what SIE and EquiMod are told."""

from __future__ import annotations

from collections.abc import Iterable

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


def check_conditions(
    where: str, names: tuple[str, ...], views: tuple[dict[str, Tensor], dict[str, Tensor]], told: Iterable[str]
) -> None:
    """Refuse conditions that nothing gives, or that are the same for all images: a predictor would be told nothing.

    Parameters
    ----------
    where
        Name of the option.
    names
        Its value. Of the default, which are all augmentations, only some need vary.
    views
        Parameters of some hundred draws of both views.
    told
        What the data set says of its images.
    """
    told = set(told)
    varying = {name for drawn in views for name, x in drawn.items() if bool((x != x[0]).any())} | told
    known = ", ".join(name for name in (*AUGMENTATIONS, *sorted(told)) if name in varying) or "none"
    for name in names:
        if name not in AUGMENTATIONS and name not in told:
            raise ValueError(f"{where}: {name!r} is known neither of the views nor of the data; what varies: {known}")
        if name not in varying and names != AUGMENTATIONS:
            raise ValueError(f"{where}: {name!r} is the same for all images, no view changes it; what varies: {known}")
    if not varying & set(names):
        raise ValueError(f"{where}: none of {', '.join(names)} varies from image to image; what varies: {known}")


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
