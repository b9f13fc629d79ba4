# SPDX-License-Identifier: BSD-3-Clause
"""Special functions for SciPy's dispatch: ``scipy.special.erf(x)`` looks for ``xp.special.erf``.

All are SciPy's own, element by element on the blocks (without this, SciPy would take a block for the whole array).
Split as the operands; no communication where these are distributed alike.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from equiheat.numpy_blocks import block_by_block

__all__: list[str] = []


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        homes = [importlib.import_module(f"scipy.special.{module}") for module in ("_ufuncs", "_basic")]
    except ImportError as error:
        raise AttributeError(f"{name}: SciPy is not installed") from error
    function = next((getattr(home, name) for home in homes if hasattr(home, name)), None)
    if not callable(function):
        raise AttributeError(f"SciPy has no special function {name}")

    @functools.wraps(function)
    def on_blocks(*args: Any, **kwargs: Any) -> Any:
        return block_by_block(function, args, kwargs)

    return on_blocks
