# SPDX-License-Identifier: BSD-3-Clause
"""The probe protocol and its command on a few synthetic images."""

from __future__ import annotations

import csv
import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from mpi4py import MPI
from PIL import Image

from equiheat.communication import Communicator, get_comm
from equiheat.data.images import ImageSet
from equiheat.ssl.checkpoint import encoder_meta, write_checkpoint
from equiheat.ssl.encoders import build_encoder
from equiheat.ssl.probes import (
    FAMILIES,
    FrozenEncoder,
    ImageRows,
    MlpConfig,
    ProbeConfig,
    ProbeRanges,
    ProbeRow,
    probe_encoder,
    raw_pixels,
    transformed,
)
from equiheat.ssl.probes.command import ProbeCommand, run, split_set

QUICK = MlpConfig(hidden=(16,), epochs=2, batch_size=16)


def waves(count: int, *, size: int = 16, seed: int = 0) -> ImageSet:
    """Smooth colourful images; the class is how fast the waves are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    labels = np.arange(count) % 2
    speed, phase = 1 + 2 * labels[:, None, None, None], rng.uniform(0, 6.28, size=(count, 3, 1, 1))
    angle = rng.uniform(0, 6.28, size=(count, 1, 1, 1))
    values = np.sin(2 * math.pi * speed * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    pixels = torch.from_numpy((160 + 90 * values).clip(0, 255).astype(np.uint8))
    return ImageSet(pixels, torch.from_numpy(labels.astype(np.int64)), ("slow", "fast"))


def rows_of(images: ImageSet, comm: Communicator | None = None) -> ImageRows:
    return ImageRows.of(images, get_comm() if comm is None else comm)


@pytest.fixture
def shared() -> Iterator[Path]:
    """One folder for all ranks."""
    comm = MPI.COMM_WORLD
    with tempfile.TemporaryDirectory() as own:
        yield Path(comm.bcast(own))
        comm.Barrier()


def edges(images: torch.Tensor) -> torch.Tensor:
    """Brightness of the four edges, two pixels wide: sees nothing but what the borders show."""
    strips = (images[..., :2, :], images[..., -2:, :], images[..., :2], images[..., -2:])
    return torch.stack([strip.mean(dim=(1, 2, 3)) for strip in strips], dim=1)


def test_every_family_draws_its_parameters_within_its_ranges() -> None:
    images = waves(32)
    ranges = ProbeRanges()
    for name, family in FAMILIES.items():
        moved, drawn = transformed(images.images, torch.arange(32), name, ranges, seed=3)
        assert moved.shape == images.images.shape
        assert drawn.shape == (32, len(family.parameters))
        assert drawn.std(dim=0).min() > 0.01
        again = transformed(images.images[8:16], torch.arange(8, 16), name, ranges, seed=3)
        torch.testing.assert_close(again[1], drawn[8:16])
        torch.testing.assert_close(again[0], moved[8:16], atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="'shear'"):
        transformed(images.images, torch.arange(32), "shear", ranges, seed=3)


@pytest.mark.parametrize("padding", ["reflection", "zeros"])
def test_black_borders_leak_the_shift(padding: str) -> None:
    config = ProbeConfig(families=("translation",), methods=("ridge",), ranges=ProbeRanges(padding=padding))
    judged = FrozenEncoder("edges", edges, {"all": slice(None)})
    (row,) = probe_encoder(judged, rows_of(waves(200)), rows_of(waves(100, seed=1)), config=config)
    score = row.scores["translation"]["ridge"].mean
    assert score > 0.5 if padding == "zeros" else score < 0.3


def scores_of(comm: Communicator) -> list[ProbeRow]:
    encoder = build_encoder("resnet-lite", image_size=16, seed=0)
    parts = {"all": slice(None), "equi": slice(64, 128)}
    judged = FrozenEncoder("random", lambda x: encoder(x).pooled, parts, encoder)
    config = ProbeConfig(families=("rotation", "color"), mlp=QUICK, pairs=40, test_pairs=20, batch_size=16)
    return probe_encoder(judged, rows_of(waves(50), comm), rows_of(waves(22, seed=1), comm), classes=2, config=config)


def test_scores_do_not_depend_on_the_number_of_ranks() -> None:
    together, alone = scores_of(get_comm()), scores_of(Communicator(MPI.COMM_SELF))
    assert [row.part for row in together] == ["all", "equi"]
    for one, other in zip(together, alone, strict=True):
        assert one.top1 == pytest.approx(other.top1)
        assert one.mean("ridge") == pytest.approx(other.mean("ridge"), abs=1e-3)
        assert one.mean("mlp") == pytest.approx(other.mean("mlp"), abs=1e-3)


def test_encoder_is_left_as_it_was() -> None:
    encoder = build_encoder("resnet-lite", image_size=16, seed=0).train()
    before = {name: x.clone() for name, x in encoder.state_dict().items()}
    judged = FrozenEncoder("e", lambda x: encoder(x).pooled, {"all": slice(None)}, encoder)
    one = judged.features(waves(8).images)
    assert encoder.training
    assert all(torch.equal(x, before[name]) for name, x in encoder.state_dict().items())
    torch.testing.assert_close(one[:3], judged.features(waves(8).images[:3]), atol=1e-5, rtol=1e-4)
    assert judged.features(waves(8).images[:0]).shape == (0, 128)


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="families 'shear'"):
        ProbeConfig(families=("shear",))
    with pytest.raises(ValueError, match="holdout is 1"):
        ProbeConfig(holdout=1.0)
    with pytest.raises(ValueError, match="too few"):
        probe_encoder(raw_pixels(), rows_of(waves(5)), rows_of(waves(5)))


def write_folder(folder: Path, images: ImageSet) -> None:
    if MPI.COMM_WORLD.rank == 0:
        for number, (pixels, label) in enumerate(zip(images.images, images.labels, strict=True)):
            place = folder / images.classes[int(label)]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(place / f"{number:03}.png")
    MPI.COMM_WORLD.Barrier()


def write_encoder(path: Path, parts: dict[str, tuple[int, int]] | None = None) -> None:
    encoder = build_encoder("resnet-lite", image_size=16, seed=5)
    if MPI.COMM_WORLD.rank == 0:
        tensors = {f"encoder.{name}": x for name, x in encoder.state_dict().items()}
        write_checkpoint(path, tensors, {"encoder": encoder_meta(encoder), "parts": parts or {}})
    MPI.COMM_WORLD.Barrier()


SMALL = ProbeConfig(families=("rotation", "color"), mlp=QUICK)


def test_command_writes_tables(shared: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_folder(shared / "train", waves(40))
    write_encoder(shared / "run" / "last.safetensors", {"inv": (0, 96), "equi": (96, 128)})
    command = ProbeCommand(shared / "train", shared / "run" / "last.safetensors", probe=SMALL)
    rows = run(command)
    assert [(row.encoder, row.part, row.dims) for row in rows] == [
        ("random init", "all", 128),
        ("run", "all", 128),
        ("run", "inv", 96),
        ("run", "equi", 32),
    ]
    out = capfd.readouterr().out
    assert ("random init" in out) == (get_comm().rank == 0)
    written = json.loads((shared / "run" / "probe" / "probe.json").read_text())
    assert written["rows"][0]["r2"]["color"]["mlp"].keys() >= {"mean", "pooled", "hue"}
    assert written["about"]["images"] == {"fit": 30, "score": 10, "skipped": []}
    with (shared / "run" / "probe" / "probe.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 4 * 2 * (3 + 6)
    assert float(lines[0]["r2"]) == rows[0].scores["rotation"]["ridge"].mean


def test_command_refuses_what_it_cannot_judge(shared: Path) -> None:
    write_folder(shared / "few", waves(6))
    write_encoder(shared / "run" / "last.safetensors")
    good = shared / "run" / "last.safetensors"
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
        run(ProbeCommand(shared / "few", shared / "none.safetensors"))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        run(ProbeCommand(shared / "nowhere", good))
    with pytest.raises(ValueError, match="too few"):
        run(ProbeCommand(shared / "few", good))
    if MPI.COMM_WORLD.rank == 0:
        encoder = build_encoder("vit-micro-p4", image_size=16, seed=0)
        tensors = {f"encoder.{name}": x for name, x in encoder.state_dict().items()}
        meta = {"encoder": {"name": "resnet-lite", "options": {"image_size": 16}}}
        write_checkpoint(shared / "other.safetensors", tensors, meta)
        (shared / "broken.safetensors").write_bytes(good.read_bytes()[:1000])
    MPI.COMM_WORLD.Barrier()
    with pytest.raises(ValueError, match="another model"):
        run(ProbeCommand(shared / "few", shared / "other.safetensors"))
    with pytest.raises(ValueError, match="damaged"):
        run(ProbeCommand(shared / "few", shared / "broken.safetensors"))


def test_folders_with_other_classes_are_refused(shared: Path) -> None:
    write_folder(shared / "train", waves(24))
    other = waves(24)
    write_folder(shared / "test", ImageSet(other.images, other.labels, ("cats", "dogs")))
    write_encoder(shared / "last.safetensors")
    with pytest.raises(ValueError, match="different classes"):
        run(ProbeCommand(shared / "train", shared / "last.safetensors", test_data=shared / "test", probe=SMALL))


def test_split_set_keeps_every_image_once() -> None:
    images = waves(10)
    fit, score = split_set(images)
    assert (len(fit), len(score)) == (8, 2)
    assert torch.equal(score.images, images.images[[3, 7]])


def test_empty_lists_ranges_and_hold_outs_are_refused() -> None:
    for name in ("families", "methods"):
        with pytest.raises(ValueError, match=f"{name} is empty; use some of"):
            ProbeConfig(**{name: ()})
    with pytest.raises(ValueError, match="rotation is 0"):
        ProbeRanges(rotation=0.0)
    with pytest.raises(ValueError, match=r"hue is 0\.7"):
        ProbeRanges(hue=0.7)
    train, test = rows_of(waves(24)), rows_of(waves(4))
    for share, held in ((0.001, 0), (0.999, 24)):
        with pytest.raises(ValueError, match=f"holdout {share} keeps {held} of 24 images to fit on apart"):
            probe_encoder(raw_pixels(), train, test, config=ProbeConfig(holdout=share, seed=1))


def test_command_takes_arrays_and_leaves_strays_out(shared: Path, capfd: pytest.CaptureFixture[str]) -> None:
    images = waves(40)
    write_folder(shared / "train", images)
    write_encoder(shared / "run" / "last.safetensors")
    if MPI.COMM_WORLD.rank == 0:
        np.save(shared / "x.npy", images.images.numpy())
        Image.fromarray(images.images[0].permute(1, 2, 0).numpy()).save(shared / "train" / "cover.png")
    MPI.COMM_WORLD.Barrier()
    config = ProbeConfig(families=("rotation",), methods=("ridge",), classify=True)
    checkpoint = shared / "run" / "last.safetensors"
    array = run(ProbeCommand(shared / "x.npy", checkpoint, out=shared / "array", probe=config))
    assert array[1].top1 is None
    assert math.isfinite(array[1].scores["rotation"]["ridge"].mean)
    capfd.readouterr()
    classes = run(ProbeCommand(shared / "train", checkpoint, out=shared / "classes", probe=config))
    assert classes[1].top1 is not None
    assert ("1 images of" in capfd.readouterr().err) == (get_comm().rank == 0)
    written = json.loads((shared / "classes" / "probe.json").read_text())
    assert written["about"]["images"] == {"fit": 30, "score": 10, "skipped": []}
