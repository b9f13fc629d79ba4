# SPDX-License-Identifier: BSD-3-Clause
"""``equiheat probe``: judge the encoder of a checkpoint on a folder of images."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import equiheat as ht
from equiheat.communication import Communicator, get_comm
from equiheat.data.bench3d import Objects3D
from equiheat.data.images import ImageSet
from equiheat.data.opening import kind_of
from equiheat.ssl.checkpoint import load_encoder, read_checkpoint
from equiheat.ssl.encoders import Encoder, build_encoder
from equiheat.ssl.probes.arguments import ProbeCommand, check_command, load_set
from equiheat.ssl.probes.features import FrozenEncoder, ImageRows, raw_pixels
from equiheat.ssl.probes.foreign import foreign_encoder
from equiheat.ssl.probes.objects import ObjectScores, probe_objects
from equiheat.ssl.probes.suite import ProbeConfig, ProbeRow, Report, probe_encoder
from equiheat.ssl.probes.tables import object_table, parameter_table, summary_table, write_atomically, write_results

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ProbeCommand", "probe_encoders", "run"]


def run(command: ProbeCommand, *, comm: Communicator | None = None) -> list[ProbeRow] | list[tuple[str, ObjectScores]]:
    """Probe the checkpoint's encoder and the same architecture at random initialisation; print and write the tables.

    Collective. The random row comes first: an encoder that learned nothing useful is not above it.

    Parameters
    ----------
    command : ProbeCommand
        What to do.
    comm : Communicator, optional
        Ranks that share the images; the default one when omitted.

    Returns
    -------
    list of ProbeRow, or for 3DIEBench of (encoder, ObjectScores)
        Random initialisation, raw pixels if asked for, then the encoder's parts. The same on every rank.

    Raises
    ------
    FileNotFoundError
        On every rank, when the checkpoint or a folder is missing.
    ValueError
        On every rank, when the checkpoint is damaged or of another model, or there are too few images.
    """
    comm = get_comm() if comm is None else comm
    check_command(command)
    encoder = _encoder(command)
    if kind_of(command.data) == "3diebench":
        return _run_objects(command, encoder, comm)
    train, test = _load_sets(command, encoder, comm)
    folder = Path() if command.checkpoint is None else command.checkpoint.absolute().parent
    label = command.name or (command.encoder if command.checkpoint is None else folder.name)
    judged = [random_encoder(encoder, seed=command.probe.seed)]
    judged += [raw_pixels()] if command.raw_pixels else []
    judged += [trained_encoder(encoder, command.checkpoint, label)]
    start = time.perf_counter()
    rows = probe_encoders(judged, train, test, config=command.probe, comm=comm)
    out = command.out or folder / "probe"
    if comm.rank == 0:
        about = _about(command, encoder, train, test, time.perf_counter() - start)
        files = write_results(out, rows, about)
        console = _console()
        console.print(summary_table(rows, title=f"{label}: {len(train)} images to fit, {len(test)} to score"))
        console.print(parameter_table(rows))
        console.print(f"borders: {command.probe.ranges.padding}; written: {', '.join(map(str, files))}")
    comm.barrier()
    return rows


def probe_encoders(
    judged: list[FrozenEncoder], train: ImageSet, test: ImageSet, *, config: ProbeConfig, comm: Communicator
) -> list[ProbeRow]:
    """Probe several encoders on the same images with one progress bar on rank 0. Collective."""
    classes = len(train.classes)
    if classes >= 2 and test.classes != train.classes:
        raise ValueError(f"probe: the folders have different classes: {list(train.classes)} and {list(test.classes)}")
    rows: list[ProbeRow] = []
    with _progress(len(judged), visible=comm.rank == 0) as report:
        for encoder in judged:
            sets = ImageRows.of(train, comm), ImageRows.of(test, comm)
            rows += probe_encoder(encoder, *sets, classes=classes, config=config, report=report)
    return rows


def _run_objects(command: ProbeCommand, encoder: Encoder, comm: Communicator) -> list[tuple[str, ObjectScores]]:
    """Relative rotation, colour and all latents, for random initialisation and for the encoder."""
    train, val = (
        Objects3D(
            command.data,
            part=part,
            size=encoder.image_size,
            limit=command.limit,
            strict=command.strict,
            comm=comm,
        )
        for part in ("train", "val")
    )
    folder = Path() if command.checkpoint is None else command.checkpoint.absolute().parent
    label = command.name or (command.encoder if command.checkpoint is None else folder.name)
    judged = [random_encoder(encoder, seed=command.probe.seed)]
    judged += [raw_pixels()] if command.raw_pixels else []
    judged += [trained_encoder(encoder, command.checkpoint, label)]
    rows = [
        (one.name, scores)
        for one in judged
        for scores in probe_objects(one, train, val, config=command.objects, comm=comm)
    ]
    out = command.out or folder / "probe"
    if comm.rank == 0:
        out.mkdir(parents=True, exist_ok=True)
        table = [{"encoder": name, **dataclasses.asdict(scores)} for name, scores in rows]
        write_atomically(out / "objects.json", json.dumps({"objects": [len(train), len(val)], "rows": table}, indent=1))
        _console().print(object_table(rows, title=f"{len(train)} objects to fit, {len(val)} others to score"))
    comm.barrier()
    return rows


def _encoder(command: ProbeCommand) -> Encoder:
    if command.checkpoint is not None:
        return load_encoder(command.checkpoint)
    return foreign_encoder(
        command.encoder,
        image_size=command.image_size or 224,
        pretrained=command.pretrained,
        weights=command.weights,
        mean=command.pixel_mean,
        std=command.pixel_std,
    )


def trained_encoder(encoder: Encoder, checkpoint: Path | None, label: str) -> FrozenEncoder:
    """The encoder with its halves as parts, if its recipe told them apart."""
    parts = {"all": slice(None)}
    meta = {} if checkpoint is None else read_checkpoint(checkpoint).meta
    parts |= {name: slice(*ends) for name, ends in meta.get("parts", {}).items()}
    return FrozenEncoder(label, lambda images: encoder(images).pooled, parts, encoder)


def random_encoder(like: Encoder, *, seed: int) -> FrozenEncoder:
    """The same architecture with random weights: what the architecture alone gives."""
    mean, std = (tuple(x.flatten().tolist()) for x in (like.mean, like.std))
    fresh = build_encoder(like.name, seed=seed, mean=mean, std=std, **like.options)
    return FrozenEncoder("random init", lambda images: fresh(images).pooled, {"all": slice(None)}, fresh)


def split_set(images: ImageSet, *, every: int = 4) -> tuple[ImageSet, ImageSet]:
    """Every `every`-th image apart, for scoring. No communication."""
    apart = torch.arange(len(images)) % every == every - 1
    return images.where(~apart), images.where(apart)


def _load_sets(command: ProbeCommand, encoder: Encoder, comm: Communicator) -> tuple[ImageSet, ImageSet]:
    size = encoder.image_size
    train = load_set(command, command.data, command.limit, size, comm)
    if command.test_data is None:
        return split_set(train)
    return train, load_set(command, command.test_data, command.test_limit, size, comm)


def _about(command: ProbeCommand, encoder: Encoder, train: ImageSet, test: ImageSet, seconds: float) -> dict[str, Any]:
    options = dataclasses.asdict(command)
    options |= {name: str(value) for name, value in options.items() if isinstance(value, Path)}
    return {
        "command": options,
        "encoder": {"name": encoder.name, "dim": encoder.dim, "image_size": encoder.image_size},
        "images": {"fit": len(train), "score": len(test), "skipped": list(train.skipped)},
        "versions": {"equiheat": ht.__version__, "torch": torch.__version__},
        "seconds": seconds,
    }


@contextmanager
def _progress(encoders: int, *, visible: bool) -> Iterator[Report]:
    """A bar over all encoders; every report says what is done next."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_console(), disable=not visible, refresh_per_second=2) as progress:
        task = progress.add_task("probe", total=float(encoders))
        finished = 0

        def report(what: str, done: int, of: int) -> None:
            nonlocal finished
            finished += done == 0 and finished < encoders
            progress.update(task, description=what, completed=finished - 1 + done / of)

        yield report
        progress.update(task, description="probe: done", completed=float(encoders))


def _console() -> Console:
    from rich.console import Console

    console = Console()
    # A log file has no width of its own; 80 columns would break every row of the table.
    return console if console.is_terminal else Console(width=140)
