# SPDX-License-Identifier: BSD-3-Clause
"""Options of a pre-training run: dataclasses, read from TOML and from the command line, written back beside the run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from equiheat.ssl.augment import STRONG_VIEW, WEAK_VIEW, AugmentConfig
from equiheat.ssl.methods import (
    BarlowConfig,
    BYOLConfig,
    DINOConfig,
    ECRConfig,
    EquiModConfig,
    IBOTConfig,
    SIEConfig,
    SimCLRConfig,
    SimSiamConfig,
    TIRConfig,
    VICRegConfig,
)
from equiheat.ssl.methods.registry import AUXILIARIES, METHODS, AuxiliaryName, MethodName
from equiheat.ssl.options import check_kinds, check_range
from equiheat.ssl.recipe import from_table, read_table, to_toml

__all__ = ["OptimConfig", "PretrainConfig", "from_table", "load_recipe", "read_table", "recipe_of", "to_toml"]


@dataclass(frozen=True)
class OptimConfig:
    """Optimiser, with warm-up and cosine decay.

    Parameters
    ----------
    name
        "adamw"; "lars" for large batches; "sgd" (with Nesterov momentum).
    lr
        Learning rate at the top of the schedule, for the whole global batch.
    weight_decay, final_weight_decay
        On weights of two axes or more; biases and norms have none. With a final one (DINO: 0.04 to 0.4) it goes there
        along a cosine.
    warmup_epochs
        Length of the linear rise; at most half of the run, as a message says where that is less.
    final_lr
        Last learning rate as a fraction of ``lr``.
    clip
        Largest norm of the gradient; 0 turns clipping off.
    betas
        AdamW's decay rates.
    momentum
        Of LARS and SGD.
    trust
        LARS's coefficient.
    """

    name: Literal["adamw", "lars", "sgd"] = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.05
    final_weight_decay: float | None = None
    warmup_epochs: float = 1.0
    final_lr: float = 0.0
    clip: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = 0.9
    trust: float = 0.001

    def __post_init__(self) -> None:
        check_kinds(self)
        check_range(self, "lr weight_decay final_weight_decay warmup_epochs clip trust", 0)
        check_range(self, "final_lr momentum betas", 0, 1)
        if max(self.betas) == 1:
            raise ValueError(f"OptimConfig: betas is {self.betas}; expected two numbers from 0 to below 1")


@dataclass(frozen=True)
class PretrainConfig:
    """A pre-training run.

    Parameters
    ----------
    data
        Folder of images, with class sub-folders or flat; folder of 3DIEBench; folder of .tar shards; .npy or .h5 file
        (``file.h5::name`` where that holds several data sets of images).
    out
        Folder of the run: checkpoints, metrics.jsonl, recipe.toml.
    method, auxiliary
        Base method, and what wraps it: VICReg + ECR is ``vicreg`` with ``ecr``.
    encoder
        A name of `equiheat.ssl.encoders.ENCODERS` or ``timm:<model>``.
    pretrained
        Start from timm's weights (``timm:`` names).
    pixel_mean, pixel_std
        Channel statistics by which the encoder normalises images from 0 to 1, kept in its checkpoints. When omitted:
        those of timm's configuration of the model (``timm:`` names), else ImageNet's; with ``init`` those of its file.
    init
        Start from the encoder of this checkpoint; all settings are free. (``resume`` goes on with the same ones.)
    data_format
        "auto" looks at the folder.
    data_scale
        Of arrays: by what values are divided to be 0 to 1. When omitted: 255 for uint8, 65535 for uint16, 1 for bool
        and floats; other integers need one.
    cache
        "memory": decode once, keep the bytes on every rank; "none": decode what a batch needs, ahead of it; "auto":
        memory up to 1 GiB. "memory" is for folders of images alone.
    workers
        Decoding threads of each rank without cache; 0 means its share of the processors, 2 at least.
    image_size
        Side in pixels to which the images are brought.
    batch_size
        Images per step over all ranks together.
    accumulate
        Parts into which a step's batch is cut; gradients are averaged over them. Each part has its own statistics.
    epochs
        Passes over the data.
    steps
        Stop after so many steps, schedule included; 0 means epochs alone decide.
    precision
        "fp32"; "bf16" for autocast to bfloat16 (with a warning on a CPU that has no instructions for it); "fp16" for
        autocast to float16 with a scaled loss (with a warning on any CPU).
    device
        "auto" is CUDA where there is some, each rank of a node its own device.
    seed
        Of the initial weights, the order of the batches and the augmentations.
    view1, view2
        Augmentations of the two views.
    vicreg, simclr, byol, barlow, simsiam, dino, ibot, sie, equimod, ecr, tir, optim
        Options of these parts.
    limit
        Use at most so many images; 0 means all.
    strict
        Stop on unreadable image files instead of leaving them out: at the start where a folder is kept in memory, else
        when one is met.
    save_epochs, save_steps
        A checkpoint every so many epochs, and steps (0: none) (``last.safetensors``, replaced atomically); the end of
        the run always saves.
    diagnose_steps
        Every so many steps features and reconstruction are examined for collapse; 0 means once an epoch.
    panels
        Images in a picture of views and reconstruction, drawn with each diagnosis; 0: none.
    tensorboard
        Also write TensorBoard's event files.
    resume
        Go on from ``out/last.safetensors``. Without it a folder that holds a run is refused.
    threads
        Threads per rank; 0 means this rank's share of the processors.
    """

    data: Path
    out: Path
    method: MethodName = "vicreg"
    auxiliary: AuxiliaryName = "none"
    encoder: str = "resnet-lite"
    pretrained: bool = False
    pixel_mean: tuple[float, float, float] | None = None
    pixel_std: tuple[float, float, float] | None = None
    init: Path | None = None
    data_format: Literal["auto", "folder", "3diebench", "shards", "array"] = "auto"
    data_scale: float | None = None
    cache: Literal["auto", "memory", "none"] = "auto"
    workers: int = 0
    image_size: int = 32
    batch_size: int = 256
    accumulate: int = 1
    epochs: int = 12
    steps: int = 0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = 0
    view1: AugmentConfig = WEAK_VIEW
    view2: AugmentConfig = STRONG_VIEW
    vicreg: VICRegConfig = field(default_factory=VICRegConfig)
    simclr: SimCLRConfig = field(default_factory=SimCLRConfig)
    byol: BYOLConfig = field(default_factory=BYOLConfig)
    barlow: BarlowConfig = field(default_factory=BarlowConfig)
    simsiam: SimSiamConfig = field(default_factory=SimSiamConfig)
    dino: DINOConfig = field(default_factory=DINOConfig)
    ibot: IBOTConfig = field(default_factory=IBOTConfig)
    sie: SIEConfig = field(default_factory=SIEConfig)
    equimod: EquiModConfig = field(default_factory=EquiModConfig)
    ecr: ECRConfig = field(default_factory=ECRConfig)
    tir: TIRConfig = field(default_factory=TIRConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    limit: int = 0
    strict: bool = False
    save_epochs: int = 1
    save_steps: int = 0
    diagnose_steps: int = 0
    panels: int = 8
    tensorboard: bool = True
    resume: bool = False
    threads: int = 0

    def __post_init__(self) -> None:
        check_kinds(self)
        for name in ("data", "out"):
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, Path(getattr(self, name)))
        for name in ("image_size", "batch_size", "accumulate", "epochs", "save_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"PretrainConfig: {name} is {getattr(self, name)}; expected 1 or more")
        for name in ("steps", "limit", "diagnose_steps", "threads", "workers", "save_steps", "panels"):
            if getattr(self, name) < 0:
                raise ValueError(f"PretrainConfig: {name} is {getattr(self, name)}; expected 0 or more")
        check_range(self, "data_scale", 0, above=True)
        if self.batch_size < 2:
            raise ValueError("PretrainConfig: batch_size is 1; the statistics of a batch need 2 images or more")
        if self.batch_size % self.accumulate or self.batch_size < 2 * self.accumulate:
            raise ValueError(
                f"PretrainConfig: accumulate is {self.accumulate}; it must cut batch_size {self.batch_size} into equal "
                "parts of 2 images or more"
            )


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


def recipe_of(config: PretrainConfig) -> str:
    """The recipe of a run as TOML, without the untouched options of methods that it does not use."""
    unused = {name for name in (*METHODS, *AUXILIARIES) if name not in (config.method, config.auxiliary)}
    table = dataclasses.asdict(config)
    default = dataclasses.asdict(PretrainConfig(data=config.data, out=config.out))
    return to_toml({name: x for name, x in table.items() if name not in unused or x != default[name]})
