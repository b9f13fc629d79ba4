# SPDX-License-Identifier: BSD-3-Clause
"""The transforms of torchvision under Heat's name; torchvision is asked for when one is used."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        from torchvision import transforms
    except ImportError as error:
        raise ImportError(f"vision_transforms.{name} is torchvision's; pip install equiheat[timm]") from error
    return getattr(transforms, name)
