# SPDX-License-Identifier: BSD-3-Clause
"""Training: the same losses at any rank count, exact resuming, checkpoints, guards, recipes."""

from __future__ import annotations

import dataclasses
import json
import math
import resource
import tempfile
import warnings
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from mpi4py import MPI

from equiheat.cli import main
from equiheat.communication import Communicator, get_comm
from equiheat.data import ImageSet
from equiheat.optim import warmup_cosine
from equiheat.ssl.augment import AugmentConfig
from equiheat.ssl.build import parameter_groups, warn_of_slow_precision
from equiheat.ssl.checkpoint import load_encoder, read_checkpoint, write_checkpoint
from equiheat.ssl.config import OptimConfig, PretrainConfig, load_recipe, to_toml
from equiheat.ssl.guard import NotFiniteError
from equiheat.ssl.logging import MetricsFile, read_metrics
from equiheat.ssl.methods import ECRConfig, VICRegConfig
from equiheat.ssl.pretrain import parse
from equiheat.ssl.trainer import Trainer


@pytest.fixture
def folder():
    """One temporary folder that all ranks see; rank 0 makes and removes it."""
    comm = get_comm()
    holder = tempfile.TemporaryDirectory() if comm.rank == 0 else None
    name = (holder.name if holder else "").encode().ljust(200)
    path = bytes(comm.bcast(torch.tensor(list(name), dtype=torch.uint8), 0).tolist()).decode().strip()
    yield Path(path)
    comm.barrier()
    if holder:
        holder.cleanup()


def data(count=64, size=16):
    """Smooth images: coarse noise, enlarged."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    images = torch.nn.functional.interpolate(coarse, size=size, mode="bicubic").clamp(0, 1)
    return ImageSet((images * 255).to(torch.uint8), torch.full((count,), -1))


def recipe(out=Path("unused"), **changes):
    base = PretrainConfig(
        data=Path("unused"),
        out=out,
        image_size=16,
        batch_size=25,
        epochs=100,
        vicreg=VICRegConfig(projector=(32, 32)),
        ecr=ECRConfig(width=32, num_heads=2),
        optim=OptimConfig(warmup_epochs=80.0),
        threads=1,
    )
    return dataclasses.replace(base, **changes)


def losses(trainer, steps):
    found = []
    while len(found) < steps:
        epoch, done = divmod(trainer.step_number, len(trainer.batches))
        batches = trainer.batches.epoch(epoch, skip=done)
        found += [trainer.step(indices, epoch)[0]["loss"] for indices in batches]
    return found[:steps]


@pytest.mark.parametrize(("auxiliary", "batch_size"), [("none", 25), ("ecr", 25), ("ecr", 24)])
def test_twenty_steps_equal_those_of_one_rank(auxiliary, batch_size):
    config = recipe(auxiliary=auxiliary, batch_size=batch_size)
    together = losses(Trainer(config, data()), 20)
    alone = losses(Trainer(config, data(), comm=Communicator(MPI.COMM_SELF)), 20)
    assert together == pytest.approx(alone, rel=1e-4)
    assert together[-1] < together[0]


@pytest.mark.parametrize("encoder", ["vit-micro-p4", "vit-micro-p8"])
def test_transformers_train_too(encoder):
    config = recipe(auxiliary="ecr", encoder=encoder)
    together = losses(Trainer(config, data()), 4)
    assert together == pytest.approx(losses(Trainer(config, data(), comm=Communicator(MPI.COMM_SELF)), 4), rel=1e-4)


def test_shuffled_keys_too():
    config = recipe(auxiliary="ecr", ecr=ECRConfig(width=32, num_heads=2, keys="shuffled"))
    together = losses(Trainer(config, data()), 4)
    assert together == pytest.approx(losses(Trainer(config, data(), comm=Communicator(MPI.COMM_SELF)), 4), rel=1e-4)


def test_more_ranks_than_images_in_the_batch():
    config = recipe(auxiliary="ecr", batch_size=2)
    together = losses(Trainer(config, data()), 2)
    assert together == pytest.approx(losses(Trainer(config, data(), comm=Communicator(MPI.COMM_SELF)), 2), rel=1e-3)


def test_gradients_are_those_of_one_rank_in_double_precision():
    exact = AugmentConfig(brightness=0.4)  # without warp and blur the views are the same to the last bit
    torch.set_default_dtype(torch.float64)
    try:
        grads = []
        for comm in (None, Communicator(MPI.COMM_SELF)):
            trainer = Trainer(recipe(auxiliary="ecr", view1=exact, view2=exact), data(), comm=comm)
            indices = next(trainer.batches.epoch(0))
            trainer.step(indices, 0)
            grads.append({name: p.grad for p, name in trainer.names.items()})
    finally:
        torch.set_default_dtype(torch.float32)
    for name, grad in grads[0].items():
        torch.testing.assert_close(grad, grads[1][name], rtol=1e-9, atol=1e-11)


def test_resumed_equals_uninterrupted(folder):
    whole = recipe(folder / "whole", auxiliary="ecr", steps=6, save_epochs=1, vicreg=VICRegConfig(projector=(8,)))
    Trainer(whole, data()).fit()
    first = Trainer(dataclasses.replace(whole, out=folder / "parts"), data())
    first._open(folder / "parts")
    for indices in list(first.batches.epoch(0))[:1]:
        first.step(indices, 0)
    first.save(folder / "parts" / "last.safetensors")
    Trainer(dataclasses.replace(whole, out=folder / "parts", resume=True), data()).fit()
    one, other = (read_checkpoint(folder / name / "last.safetensors") for name in ("whole", "parts"))
    assert one.meta["step"] == other.meta["step"] == 6
    assert set(one.tensors) == set(other.tensors)
    assert all(torch.equal(x, other.tensors[name]) for name, x in one.tensors.items())


def test_a_run_leaves_metrics_recipe_and_an_encoder(folder):
    config = recipe(folder / "run", auxiliary="ecr", steps=4, diagnose_steps=2)
    trainer = Trainer(config, data())
    last = trainer.fit()
    assert {"loss", "reconstruction", "reconstruction_shuffled", "effective_rank", "verdict"} <= set(last)
    get_comm().barrier()
    lines = read_metrics(folder / "run" / "metrics.jsonl")
    assert [line["step"] for line in lines] == [0, 1, 2, 3]
    assert load_recipe(folder / "run" / "recipe.toml") == config
    encoder = load_encoder(folder / "run" / "last.safetensors")
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(encoder(images).pooled, trainer.model.encoder.eval()(images).pooled)
    with pytest.raises(FileExistsError, match="holds a run already"):
        Trainer(config, data()).fit()


def test_checkpoint_mistakes_are_named(folder):
    config = recipe(folder, steps=1)
    path = folder / "last.safetensors"
    Trainer(config, data()).save(path)
    with pytest.raises(ValueError, match=r"another model: missing 'method\.base"):
        Trainer(dataclasses.replace(config, auxiliary="ecr"), data()).load(path)
    with pytest.raises(ValueError, match=r"'method\.projector\.0\.weight' is \(32, 128\) in the file, \(8, 128\)"):
        Trainer(dataclasses.replace(config, vicreg=VICRegConfig(projector=(8,))), data()).load(path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_checkpoint(folder / "nothing")
    if get_comm().rank == 0:
        (folder / "cut").write_bytes(path.read_bytes()[:-100])
        (folder / "other").write_bytes(b"PK\x03\x04 not safetensors")
        write_checkpoint(folder / "plain", {"x": torch.zeros(1)}, {})
    get_comm().barrier()
    if get_comm().rank == 0:
        limits, before = resource.getrlimit(resource.RLIMIT_FSIZE), (folder / "plain").read_bytes()
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # fails as on a full disk
        try:
            with pytest.raises(OSError, match=r"write_checkpoint: .*plain' cannot be written"):
                write_checkpoint(folder / "plain", {"x": torch.zeros(1000)}, {})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert (folder / "plain").read_bytes() == before
    for name in ("cut", "other"):
        with pytest.raises(ValueError, match="damaged or no safetensors file"):
            read_checkpoint(folder / name)
    with pytest.raises(ValueError, match="holds no encoder"):
        load_encoder(folder / "plain")


def test_nan_is_named_on_every_rank():
    trainer = Trainer(recipe(), data())
    indices = next(trainer.batches.epoch(0))
    if get_comm().rank == get_comm().size - 1:
        with torch.no_grad():
            trainer.model.encoder.backbone.stem[0].weight[0] = float("nan")
    with pytest.raises(NotFiniteError, match=r"step 0: parameter encoder\.backbone\.stem\.0\.weight is the first"):
        trainer.step(indices, 0)


def test_gradients_that_no_scale_of_float16_mends_end_the_run():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the slow precision
        trainer = Trainer(recipe(precision="fp16", batch_size=4), data())
    trainer.model.encoder.backbone.stem[0].weight.register_hook(lambda gradient: gradient * float("nan"))
    indices = next(trainer.batches.epoch(0))
    trainer.step(indices, 0)  # may be an overflow: left out, and the scale goes down
    trainer.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**-11)
    with pytest.raises(NotFiniteError, match=r"step 1: gradient of encoder\.backbone\.stem"):
        trainer.step(indices, 0)


@pytest.mark.filterwarnings("ignore:precision bf16")
def test_clipping_and_bf16():
    trainer = Trainer(recipe(precision="bf16", auxiliary="ecr", optim=OptimConfig(clip=0.1)), data())
    terms, _, _ = trainer.step(next(trainer.batches.epoch(0)), 0)
    clipped = torch.nn.utils.get_total_norm([p.grad for p in trainer.model.parameters()])
    assert terms["gradient"] > 0.1
    assert float(clipped) == pytest.approx(0.1, rel=1e-3)


@pytest.mark.filterwarnings("ignore:precision")
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("auxiliary", ["ecr", "tir"])
def test_panels_in_low_precision(auxiliary, precision, folder):
    out = folder / f"{auxiliary}-{precision}"
    Trainer(recipe(out, precision=precision, auxiliary=auxiliary, steps=2, panels=3), data()).fit()
    assert list((out / "panels").glob("*.png"))


def test_emulated_bf16_is_told(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    comm = get_comm()
    for capability, precision, told in (("AVX2", "bf16", True), ("AVX512", "bf16", False), ("AVX2", "fp32", False)):
        monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda capability=capability: capability)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            warn_of_slow_precision(precision, torch.device("cpu"), comm)
        assert ["no bfloat16 instructions" in str(w.message) for w in found] == [True] * (told and comm.rank == 0)


def test_schedule():
    rates = [warmup_cosine(step, steps=20, warmup=4, final=0.1) for step in range(20)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4] == 1.0
    assert all(a > b for a, b in pairwise(rates[4:]))
    assert rates[-1] == pytest.approx(0.1, abs=0.02)


def test_recipe_and_command_line(folder):
    config = recipe(folder / "out", auxiliary="ecr", view2=AugmentConfig(rotation=30.0), limit=7)
    if get_comm().rank == 0:
        (folder / "recipe.toml").write_text(to_toml(config))
        (folder / "bad.toml").write_text("[ecr]\nweigth = 2.0\n")
        (folder / "kind.toml").write_text('epochs = "many"\n')
        (folder / "few.toml").write_text("epochs = 3\n[view1]\ncrop = false\n[vicreg]\nprojector = [4, 5]\n")
    get_comm().barrier()
    assert load_recipe(folder / "recipe.toml") == config
    parsed = parse(
        ["--config", str(folder / "recipe.toml"), "--ecr.weight", "3", "--view2.crop", "0.5", "1", "--epochs", "2"]
    )
    assert (parsed.ecr.weight, parsed.view2.crop, parsed.view2.rotation, parsed.epochs) == (3.0, (0.5, 1.0), 30.0, 2)
    few = load_recipe(folder / "few.toml", data=folder, out=folder / "run")
    assert (few.epochs, few.view1.crop, few.view1.flip, few.vicreg.projector) == (3, None, 0.5, (4, 5))
    with pytest.raises(ValueError, match=r"bad\.toml: ecr: unknown key 'weigth'; ECRConfig has weight"):
        load_recipe(folder / "bad.toml", data=folder, out=folder)
    with pytest.raises(ValueError, match=r"epochs is 'many'; expected int"):
        load_recipe(folder / "kind.toml", data=folder, out=folder)
    with pytest.raises(ValueError, match=r"few\.toml' has no key 'data'"):
        load_recipe(folder / "few.toml")
    assert parse(["--config", str(folder / "few.toml"), "--data", ".", "--out", "x"]).data == Path(".")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_recipe(folder / "none.toml")


def test_options_out_of_range_are_named():
    with pytest.raises(ValueError, match="batch_size is 1; the statistics"):
        recipe(batch_size=1)
    with pytest.raises(ValueError, match="epochs is 0"):
        recipe(epochs=0)


def test_command_line_mistakes_end_in_one_line(folder, capfd):
    assert main(["pretrain", "--data", str(folder / "none"), "--out", str(folder / "out")]) == 2
    assert main(["pretrian"]) == 2
    text = capfd.readouterr().err
    if get_comm().rank == 0:
        assert "is not there" in text
        assert "unknown command 'pretrian'" in text
        assert "Traceback" not in text


def test_metrics_survive_a_cut_line(folder):
    path = folder / f"metrics-{get_comm().rank}.jsonl"
    path.write_text(json.dumps({"step": 0}) + "\n" + '{"step": 1, "lo')
    assert read_metrics(path) == [{"step": 0}]


def test_metrics_are_json_whatever_the_figures(folder):
    path = folder / f"figures-{get_comm().rank}.jsonl"
    file = MetricsFile(path)
    file.write({"step": 0, "loss": math.inf, "scale": math.nan, "rate": 0.5})
    file.close()
    assert path.read_text() == '{"step": 0, "loss": null, "scale": null, "rate": 0.5}\n'
    (line,) = read_metrics(path)
    assert math.isnan(line["loss"])
    assert line["rate"] == 0.5


def test_metrics_survive_a_full_disk(folder, monkeypatch):
    path = folder / f"metrics-{get_comm().rank}.jsonl"
    lines = [{"step": 0}, {"step": 1}, {"step": 2}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("equiheat.ssl.logging.json.dumps", full)
        with pytest.raises(OSError, match="No space"):
            MetricsFile(path, keep_before=2)
    assert read_metrics(path) == lines
    file = MetricsFile(path, keep_before=2)
    file.write({"step": 2, "loss": 1.0})
    file.close()
    assert read_metrics(path) == [*lines[:2], {"step": 2, "loss": 1.0}]


def test_a_folder_that_cannot_be_written_is_told_on_every_rank(folder):
    if get_comm().rank == 0:
        (folder / "file").touch()
    get_comm().barrier()
    with pytest.raises(OSError, match=r"the run's folder .*below' cannot be written"):
        Trainer(recipe(folder / "file" / "below"), data()).fit()


def test_a_run_that_is_done_says_so(folder, capfd):
    config = recipe(folder / "out", steps=2, panels=0, tensorboard=False)
    Trainer(config, data()).fit()
    Trainer(dataclasses.replace(config, resume=True), data()).fit()
    assert ("nothing is left to do: 2 of 2 steps are done" in capfd.readouterr().err) == (get_comm().rank == 0)


def test_positions_have_no_weight_decay():
    model = torch.nn.Module()
    model.body = torch.nn.Linear(4, 4)
    for name in ("position", "pos_embed", "relative_position_bias_table", "cls_token"):
        model.body.register_parameter(name, torch.nn.Parameter(torch.zeros(1, 3, 4)))
    decayed, plain = (group["params"] for group in parameter_groups(model, recipe()))
    assert [p.shape for p in decayed] == [(4, 4), (1, 3, 4)]
    assert len(plain) == 4
