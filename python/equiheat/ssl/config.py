# SPDX-License-Identifier: BSD-3-Clause
"""Options of a pre-training run: dataclasses, read from TOML and from the command line, written back beside the run."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from equiheat.ssl.augment import STRONG_VIEW, WEAK_VIEW, AugmentConfig
from equiheat.ssl.methods import ECRConfig, VICRegConfig

T = TypeVar("T")


@dataclass(frozen=True)
class OptimConfig:
    """AdamW with warm-up and cosine decay.

    Parameters
    ----------
    lr
        Learning rate at the top of the schedule, for the whole global batch.
    weight_decay
        On weights of two axes or more; biases and norms have none.
    warmup_epochs
        Length of the linear rise.
    final_lr
        Last learning rate as a fraction of ``lr``.
    clip
        Largest norm of the gradient; 0 turns clipping off.
    betas
        AdamW's decay rates.
    """

    lr: float = 1e-3
    weight_decay: float = 0.05
    warmup_epochs: float = 1.0
    final_lr: float = 0.0
    clip: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass(frozen=True)
class PretrainConfig:
    """A pre-training run.

    Parameters
    ----------
    data
        Folder of images, with class sub-folders or flat.
    out
        Folder of the run: checkpoints, metrics.jsonl, recipe.toml.
    method, auxiliary
        Base method, and what wraps it: VICReg + ECR is ``vicreg`` with ``ecr``.
    encoder
        A name of `equiheat.ssl.encoders.ENCODERS` or ``timm:<model>``.
    image_size
        Side in pixels to which the images are brought.
    batch_size
        Images per step over all ranks together.
    epochs
        Passes over the data.
    steps
        Stop after so many steps, schedule included; 0 means epochs alone decide.
    precision
        "fp32", or "bf16" for autocast to bfloat16.
    seed
        Of the initial weights, the order of the batches and the augmentations.
    view1, view2
        Augmentations of the two views.
    vicreg, ecr, optim
        Options of these parts.
    limit
        Use at most so many images; 0 means all.
    strict
        Stop on unreadable image files instead of leaving them out.
    save_epochs
        A checkpoint every so many epochs (``last.safetensors``, replaced atomically); the end of the run always saves.
    diagnose_steps
        Every so many steps features and reconstruction are examined for collapse; 0 means once an epoch.
    resume
        Go on from ``out/last.safetensors``. Without it a folder that holds a run is refused.
    threads
        Threads per rank; 0 means this rank's share of the processors.
    """

    data: Path
    out: Path
    method: Literal["vicreg"] = "vicreg"
    auxiliary: Literal["none", "ecr"] = "none"
    encoder: str = "resnet-lite"
    image_size: int = 32
    batch_size: int = 256
    epochs: int = 12
    steps: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0
    view1: AugmentConfig = WEAK_VIEW
    view2: AugmentConfig = STRONG_VIEW
    vicreg: VICRegConfig = field(default_factory=VICRegConfig)
    ecr: ECRConfig = field(default_factory=ECRConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    limit: int = 0
    strict: bool = False
    save_epochs: int = 1
    diagnose_steps: int = 0
    resume: bool = False
    threads: int = 0

    def __post_init__(self) -> None:
        for name in ("data", "out"):
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, Path(getattr(self, name)))
        for name in ("image_size", "batch_size", "epochs", "save_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"PretrainConfig: {name} is {getattr(self, name)}; expected 1 or more")
        for name in ("steps", "limit", "diagnose_steps", "threads"):
            if getattr(self, name) < 0:
                raise ValueError(f"PretrainConfig: {name} is {getattr(self, name)}; expected 0 or more")
        if self.batch_size < 2:
            raise ValueError("PretrainConfig: batch_size is 1; the statistics of a batch need 2 images or more")


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


def load_recipe(path: Path, **overrides: Any) -> PretrainConfig:
    """Read a TOML recipe; ``overrides`` replace or add top-level keys. One of the two must give ``data`` and ``out``.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        Naming the key that is unknown, missing or has a value of the wrong kind.
    """
    table = read_table(path) | overrides
    absent = [name for name in ("data", "out") if name not in table]
    if absent:
        raise ValueError(f"load_recipe: {str(path)!r} has no key {absent[0]!r}; put it there or give it beside")
    return from_table(PretrainConfig, table, where=str(path))


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
    """A dataclass as TOML that `load_recipe` reads back."""
    return "\n".join(_lines(dataclasses.asdict(config), ""))


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
