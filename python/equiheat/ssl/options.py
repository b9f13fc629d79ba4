# SPDX-License-Identifier: BSD-3-Clause
"""Checks of option values: a nonsense number is refused by its name before anything starts."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import types
import typing
from typing import Any, Literal

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


def check_kinds(options: Any) -> None:
    """Refuse values of a dataclass that are not of their field's kind: other words than a choice has, 1.5 epochs.

    A recipe and the command line are checked as they are read; this is for values that come from Python.
    """
    cls: Any = type(options)
    for name, hint in _hints(cls).items():
        value = getattr(options, name)
        if not _fits(hint, value):
            raise ValueError(f"{type(options).__name__}: {name} is {value!r}; {_kind(hint)}")


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


#: What a plain annotation takes; others (paths, tables) are left alone.
_PLAIN: dict[Any, type | tuple[type, ...]] = {bool: bool, int: numbers.Integral, float: numbers.Real, str: str}


def _fits(hint: Any, value: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin in (types.UnionType, typing.Union):
        return value is None or any(_fits(part, value) for part in arguments if part is not types.NoneType)
    if origin is tuple:
        known = isinstance(value, (tuple, list)) and (arguments[-1] is Ellipsis or len(value) == len(arguments))
        return known and all(_fits(arguments[0], item) for item in value)
    if hint not in _PLAIN:
        return True
    known = isinstance(value, _PLAIN[hint]) and (hint is bool or not isinstance(value, bool))
    return known and (hint is not int or -(2**63) <= value < 2**63)


def _kind(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return f"use one of {', '.join(map(repr, typing.get_args(hint)))}"
    words = {bool: "True or False", int: "a whole number of 64 bits", float: "a number", str: "a word"}
    return f"expected {words.get(hint, str(hint))}"
