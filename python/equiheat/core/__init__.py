# SPDX-License-Identifier: BSD-3-Clause
"""Heat's module tree, for programs that import from it: ``from equiheat.core.dndarray import DNDarray``.

The modules carry Heat's names and show what stands elsewhere in equiheat; helpers that only Heat has (tiles, stride
tricks, checks) stand here.
"""

from __future__ import annotations

import importlib
from typing import Any

from equiheat.core._mirror import mirror

#: Heat's modules.
MODULES = (
    "_config", "arithmetics", "base", "communication", "complex_math", "constants", "devices", "dndarray",
    "exponential", "factories", "indexing", "io", "linalg", "logical", "manipulations", "memory", "printing", "random",
    "relational", "rounding", "sanitation", "signal", "statistics", "stride_tricks", "tiling", "trigonometrics",
    "types", "version", "vmap",
)  # fmt: skip
_names, __dir__ = mirror(__name__, "equiheat")


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    return _names(name)
