# SPDX-License-Identifier: BSD-3-Clause
"""``equiheat pretrain``: recipe and command line to a run."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from equiheat.data import ImageSet, open_images
from equiheat.ssl.build import set_threads
from equiheat.ssl.config import PretrainConfig, load_recipe, read_table
from equiheat.ssl.torchrun import world
from equiheat.ssl.trainer import Trainer

DESCRIPTION = """Train an encoder on a folder of images. --config FILE.toml gives defaults, which options override."""


def parse(arguments: Sequence[str]) -> PretrainConfig:
    """Options of a run: the dataclass defaults, then ``--config``, then the command line."""
    import tyro  # slow to import, and needed here only

    arguments, recipe = _split_config(list(arguments))
    if recipe is None:
        return tyro.cli(PretrainConfig, prog="equiheat pretrain", description=DESCRIPTION, args=arguments)
    table = read_table(recipe)
    required = [name for name in ("data", "out") if name not in table]
    config = load_recipe(recipe, **dict.fromkeys(required, "unset"))
    config = dataclasses.replace(config, **dict.fromkeys(required, tyro.MISSING))  # left to the command line
    return tyro.cli(PretrainConfig, prog="equiheat pretrain", description=DESCRIPTION, args=arguments, default=config)


def _split_config(arguments: list[str]) -> tuple[list[str], Path | None]:
    for number, word in enumerate(arguments):
        if word == "--config":
            if number + 1 == len(arguments):
                raise ValueError("equiheat pretrain: --config needs a file name")
            return arguments[:number] + arguments[number + 2 :], Path(arguments[number + 1])
        if word.startswith("--config="):
            return arguments[:number] + arguments[number + 1 :], Path(word.removeprefix("--config="))
    return arguments, None


def run(config: PretrainConfig) -> dict[str, object]:
    """Load the images and train. Collective; returns the last metrics."""
    comm = world()
    set_threads(config.threads, comm)
    data = open_images(
        config.data,
        size=config.image_size,
        kind=config.data_format,
        cache=config.cache,
        scale=config.data_scale,
        limit=config.limit,
        strict=config.strict,
        threads=config.workers or max(2, torch.get_num_threads()),
        seed=config.seed,
        comm=comm,
    )
    if comm.rank == 0 and isinstance(data, ImageSet) and data.converted:
        kinds = ", ".join(f"{count} {kind}" for kind, count in data.converted)
        sys.stderr.write(f"equiheat pretrain: converted to RGB: {kinds}\n")
    return Trainer(config, data, comm=comm).fit()
