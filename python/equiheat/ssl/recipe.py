# SPDX-License-Identifier: BSD-3-Clause
"""Dataclasses of options from TOML and back."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, Literal, TypeVar

T = TypeVar("T")


def read_table(path: Path) -> dict[str, Any]:
    """Top-level table of a TOML file.

    Raises
    ------
    FileNotFoundError, ValueError
        When there is no such file, or it is not TOML.
    """
    if not path.is_file():
        raise FileNotFoundError(f"load_recipe: there is no file {str(path.absolute())!r}")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"load_recipe: {str(path)!r} is not TOML: {error}") from error


def read_text_table(text: str) -> dict[str, Any]:
    """Top-level table of a TOML text; empty where it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def flattened(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, with names like "optim.lr"."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        flat |= flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def from_table(cls: type[T], table: dict[str, Any], *, where: str, default: T | None = None) -> T:
    """Build a dataclass from nested dictionaries; keys that are absent keep their default."""
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(table) - set(fields))
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}; {cls.__name__} has {', '.join(fields)}")
    values = {}
    for name, value in table.items():
        base = getattr(default, name, None) if default is not None else _default(fields[name])
        values[name] = _convert(hints[name], value, where=f"{where}: {name}", default=base)
    return dataclasses.replace(default, **values) if default is not None else cls(**values)  # type: ignore[type-var]


def _default(item: dataclasses.Field[Any]) -> Any:
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory()
    return None if item.default is dataclasses.MISSING else item.default


def _convert(hint: Any, value: Any, *, where: str, default: Any) -> Any:
    """Value of a TOML file as the annotated type."""
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ValueError(f"{where} is {value!r}; expected a table")
        return from_table(hint, value, where=where, default=default)  # type: ignore[arg-type]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is False:  # TOML has no null: false switches an optional operation off
            return None
        return _convert(next(a for a in arguments if a is not types.NoneType), value, where=where, default=default)
    if origin is tuple:
        if isinstance(value, list) and not value and arguments[-1] is Ellipsis:
            return ()
        if not isinstance(value, list) or (arguments[-1] is not Ellipsis and len(value) != len(arguments)):
            raise ValueError(f"{where} is {value!r}; expected a list like {hint}")
        return tuple(_convert(arguments[0], item, where=where, default=None) for item in value)
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"{where} is {value!r}; use one of {', '.join(map(repr, arguments))}")
        return value
    return _scalar(hint, value, where=where)


def _scalar(hint: Any, value: Any, *, where: str) -> Any:
    if hint is Path and isinstance(value, (str, Path)):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ValueError(f"{where} is {value!r}; expected {hint.__name__}")
    return value


def to_toml(config: Any) -> str:
    """A dataclass, or a dictionary of its fields, as TOML that `from_table` reads back."""
    table = config if isinstance(config, dict) else dataclasses.asdict(config)
    return "\n".join(_lines(table, "")) + "\n"


def _lines(table: dict[str, Any], prefix: str) -> list[str]:
    lines = [f"{name} = {_literal(value)}" for name, value in table.items() if not isinstance(value, dict)]
    for name, value in table.items():
        if isinstance(value, dict):
            lines += ["", f"[{prefix}{name}]", *_lines(value, f"{prefix}{name}.")]
    return lines


def _literal(value: Any) -> str:
    if value is None:
        return "false"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
