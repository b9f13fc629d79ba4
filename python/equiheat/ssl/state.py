# SPDX-License-Identifier: BSD-3-Clause
"""The state of a run in one file: everything from which the next step follows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from equiheat.ssl.checkpoint import (
    encoder_meta,
    load_module,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from equiheat.ssl.config import PretrainConfig, recipe_of, to_toml
from equiheat.ssl.model import Model
from equiheat.ssl.provenance import provenance
from equiheat.ssl.recipe import flattened, read_text_table

#: Options that may change when a run goes on: they do not touch what a step computes (lengths change the schedules).
FREE = frozenset({
    "data", "out", "resume", "epochs", "steps", "save_epochs", "save_steps", "diagnose_steps", "panels", "tensorboard",
    "threads", "workers", "cache", "device", "strict", "init", "pretrained",
})  # fmt: skip


def save_state(
    path: Path,
    *,
    model: Model,
    optimizer: torch.optim.Optimizer,
    names: Mapping[Tensor, str],
    config: PretrainConfig,
    scaler: torch.amp.GradScaler,
    progress: dict[str, int],
) -> None:
    """Write model with teacher, optimiser, scaler and progress. One rank calls this.

    Random numbers are functions of (seed, step or epoch, rank or image), so that their state is part of ``progress``;
    so is the sampler's, whose order is a function of (seed, epoch).
    """
    tensors = dict(model.state_dict())
    tensors |= {f"optimizer.{name}": x for name, x in optimizer_tensors(optimizer, names).items()}
    meta = {
        "encoder": encoder_meta(model.encoder),
        "parts": model.method.parts(model.encoder.dim),
        "recipe": recipe_of(config),
        "scaler": scaler.state_dict(),
        "made_by": provenance(),
        **progress,
    }
    write_checkpoint(path, tensors, meta)


def load_state(
    path: Path,
    *,
    model: Model,
    optimizer: torch.optim.Optimizer,
    names: Mapping[Tensor, str],
    scaler: torch.amp.GradScaler,
) -> dict[str, Any]:
    """Inverse of `save_state`: fills the arguments, returns the header. Every rank reads the file."""
    checkpoint = read_checkpoint(path)
    state = {name: x for name, x in checkpoint.tensors.items() if not name.startswith("optimizer.")}
    load_module(model, state, source=f"Trainer.load: {str(path)!r}")
    restore_optimizer(optimizer, checkpoint.part("optimizer."), names)
    if checkpoint.meta.get("scaler"):
        scaler.load_state_dict(checkpoint.meta["scaler"])
    return checkpoint.meta


def check_same_recipe(path: Path, config: PretrainConfig) -> None:
    """Refuse to go on with other settings than the run began with, except those that are `FREE`.

    Raises
    ------
    ValueError
        Naming the first option that differs.
    """
    before = flattened(read_text_table(str(read_checkpoint(path).meta.get("recipe", ""))))
    now = flattened(read_text_table(recipe_of(config)))
    usual = flattened(read_text_table(to_toml(PretrainConfig(data=config.data, out=config.out))))
    for name in sorted(set(before) | set(now)):
        if name.split(".")[0] in FREE or before.get(name) == now.get(name):
            continue
        if name not in before and now[name] == usual.get(name):
            continue  # an option that came later than the run
        raise ValueError(
            f"resume: {name} was {before.get(name)!r} and is {now.get(name)!r}; going on needs the same settings. "
            "Start a new run with --init to take over the encoder alone"
        )
