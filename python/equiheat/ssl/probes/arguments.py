# SPDX-License-Identifier: BSD-3-Clause
"""What ``equiheat probe`` is asked, whether that makes sense, and the images it names."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from equiheat.communication import Communicator
from equiheat.data.gathered import gathered
from equiheat.data.images import ImageSet
from equiheat.data.opening import kind_of, open_images
from equiheat.ssl.probes.objects import ObjectProbeConfig
from equiheat.ssl.probes.suite import ProbeConfig

__all__ = ["ProbeCommand", "check_command", "load_set"]


@dataclass(frozen=True)
class ProbeCommand:
    """Judge a frozen encoder: which transformation happened, and which class is shown?

    Parameters
    ----------
    data
        Images to fit on: a folder, whose class sub-folders give the linear classification; shards; an .npy or .h5 file
        (``file.h5::name`` names a data set); 3DIEBench.
    checkpoint
        A checkpoint of ``equiheat pretrain``.
    encoder
        Instead: any encoder by name, such as ``timm:vit_small_patch16_224``.
    pretrained
        With timm's weights.
    weights
        With the state dict of a file (.safetensors, .pt, .pth).
    image_size
        Side in pixels for ``encoder``; 224 when omitted.
    pixel_mean, pixel_std
        Channel statistics for ``encoder``, where its weights were trained with others than timm's configuration says.
    data_scale
        Of arrays: by what values are divided to be 0 to 1, where their type does not tell.
    test_data
        Images to score on, of any of the kinds that `data` has but 3DIEBench. Without it every fourth image of `data`
        is kept apart for that.
    out
        Folder for probe.json and probe.csv; ``probe`` beside the checkpoint when omitted.
    name
        Row label of the encoder; the name of the checkpoint's folder when omitted.
    limit
        Use at most so many images of `data`; 0 means all.
    test_limit
        Use at most so many images of `test_data`; 0 means all.
    raw_pixels
        Also print a row for the pixels themselves (ridge on all pixels: minutes for more than 32 x 32).
    strict
        Stop on unreadable image files instead of leaving them out.
    probe
        Options of the probes; ``probe.ranges.padding`` is the border rule.
    objects
        Options of the probes of 3DIEBench and its like, which `data` is recognised as by its layout.
    """

    data: Path
    checkpoint: Path | None = None
    encoder: str = ""
    pretrained: bool = False
    weights: Path | None = None
    image_size: int | None = None
    pixel_mean: tuple[float, float, float] | None = None
    pixel_std: tuple[float, float, float] | None = None
    data_scale: float | None = None
    test_data: Path | None = None
    out: Path | None = None
    name: str = ""
    limit: int = 0
    test_limit: int = 0
    raw_pixels: bool = False
    strict: bool = False
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    objects: ObjectProbeConfig = field(default_factory=ObjectProbeConfig)


#: Options that others make meaningless, with the value that they have when nobody gave them.
_OF_ENCODERS = {"pretrained": False, "weights": None, "image_size": None, "pixel_mean": None, "pixel_std": None}
_OF_IMAGES = {"test_data": None, "test_limit": 0, "data_scale": None}


def check_command(command: ProbeCommand) -> None:
    """Refuse options that would be ignored: the user meant something by them.

    Raises
    ------
    ValueError
        Naming the option.
    """
    if (command.checkpoint is None) == (not command.encoder):
        raise ValueError("probe: give either a checkpoint of equiheat pretrain or the name of an encoder")
    if command.checkpoint is not None:
        _refuse(command, _OF_ENCODERS, "is for --encoder; a checkpoint has its own")
    if command.weights is not None and command.pretrained:
        raise ValueError("probe: --pretrained means timm's weights, --weights those of a file; give one of them")
    if command.test_data is None:
        _refuse(command, {"test_limit": 0}, "is for --test-data, which is not given")
    if kind_of(command.data) == "3diebench":
        why = f"is for images; {str(command.data)!r} is in 3DIEBench's layout, which has parts and views of its own"
        _refuse(command, _OF_IMAGES, why)
        if command.probe != ProbeConfig(seed=command.probe.seed):
            raise ValueError("probe: options of --probe are for images; for data in 3DIEBench's layout use --objects")
    elif command.objects != ObjectProbeConfig():
        raise ValueError(
            f"probe: options of --objects are for data in 3DIEBench's layout, which {str(command.data)!r} has not; "
            "use --probe"
        )
    if command.test_data is not None and kind_of(command.test_data) == "3diebench":
        raise ValueError(f"probe: test_data {str(command.test_data)!r} is in 3DIEBench's layout; give it as --data")


def _refuse(command: ProbeCommand, options: Mapping[str, object], why: str) -> None:
    for name, unset in options.items():
        if getattr(command, name) != unset:
            raise ValueError(f"probe: --{name.replace('_', '-')} {why}")


def load_set(command: ProbeCommand, path: Path, limit: int, size: int, comm: Communicator) -> ImageSet:
    """Images to fit or to score on, all on every rank. Collective.

    Images beside class folders have no class and are left out, with a message.
    """
    array = kind_of(path) == "array"
    source = open_images(
        path,
        size=size,
        cache="memory" if kind_of(path) == "folder" else "auto",
        scale=command.data_scale if array else None,
        limit=limit,
        strict=command.strict,
        comm=comm,
    )
    images = gathered(source, comm)
    stray = images.labels < 0
    if not images.classes or not bool(stray.any()):
        return images
    if comm.rank == 0:
        count = int(stray.sum())
        sys.stderr.write(f"probe: {count} images of {str(path)!r} lie beside its class folders and are left out\n")
    return images.where(~stray)
