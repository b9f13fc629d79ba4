# SPDX-License-Identifier: BSD-3-Clause
"""Checks of option values: a nonsense number is refused by its name before anything starts."""

from __future__ import annotations

import math
from typing import Any

INF = math.inf


def check_range(options: Any, names: str, low: float = -INF, high: float = INF, *, above: bool = False) -> None:
    """Refuse values of a dataclass that are not finite numbers from ``low`` to ``high``; None is left alone.

    Parameters
    ----------
    options
        The dataclass.
    names
        Of its fields, separated by spaces; of a field with several numbers every one is checked.
    low, high
        Allowed, both included.
    above
        ``low`` itself is not allowed.
    """
    for name in names.split():
        value = getattr(options, name)
        numbers = value if isinstance(value, (tuple, list)) else () if value is None else (value,)
        for x in numbers:
            if not (math.isfinite(x) and low <= x <= high and not (above and x == low)):
                raise ValueError(f"{type(options).__name__}: {name} is {value}; expected {_wanted(low, high, above)}")


def _wanted(low: float, high: float, above: bool) -> str:
    if high < INF:
        return f"more than {low:g}, at most {high:g}" if above else f"{low:g} to {high:g}"
    if low > -INF:
        return f"a number above {low:g}" if above else f"{low:g} or more"
    return "a finite number"


def check_interval(options: Any, names: str) -> None:
    """Refuse pairs whose first number is above the second."""
    for name in names.split():
        low, high = getattr(options, name)
        if low > high:
            raise ValueError(f"{type(options).__name__}: {name} is {(low, high)}; expected smallest <= largest")


def check_fraction(options: Any, name: str = "equi_fraction") -> None:
    """Refuse a share that leaves one of two parts nothing."""
    value = getattr(options, name)
    if not 0 < value < 1:
        raise ValueError(f"{type(options).__name__}: {name} is {value}; expected a number between 0 and 1")
