# SPDX-License-Identifier: BSD-3-Clause
"""Modules under Heat's names, whose contents are those of other modules."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any


def _public(module: ModuleType) -> list[str]:
    names = getattr(module, "__all__", None) or dir(module)
    return [n for n in names if not n.startswith("_") and not isinstance(getattr(module, n, None), ModuleType)]


def _imported(name: str) -> ModuleType | None:
    """The module, None if it is not part of this build."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def mirror(name: str, *sources: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A module's ``__getattr__`` and ``__dir__`` that look into the modules `sources`, in this order, when asked."""

    def find(attribute: str) -> Any:
        if attribute == "__all__":
            return listed()
        if not attribute.startswith("__"):
            for source in sources:
                module = _imported(source)
                if module is not None and hasattr(module, attribute):
                    return getattr(module, attribute)
        raise AttributeError(f"module {name!r} has no attribute {attribute!r}")

    def listed() -> list[str]:
        return sorted({n for module in filter(None, map(_imported, sources)) for n in _public(module)})

    return find, listed
