# SPDX-License-Identifier: BSD-3-Clause
"""Heat's linear algebra package: functions of `equiheat.linalg`."""

from __future__ import annotations

import importlib
from typing import Any

from equiheat.core._mirror import mirror

_MODULES = ("basics", "eigh", "polar", "qr", "randomized", "solver", "svd", "svdtools")
_functions, __dir__ = mirror(__name__, "equiheat.linalg", "equiheat")


def __getattr__(name: str) -> Any:
    try:  # `qr` is a function and a module: the function, as in Heat
        return _functions(name)
    except AttributeError:
        if name in _MODULES:
            return importlib.import_module(f"{__name__}.{name}")
        raise
