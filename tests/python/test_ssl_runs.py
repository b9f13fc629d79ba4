# SPDX-License-Identifier: BSD-3-Clause
"""Runs that are killed, moved to other rank counts, tampered with, or started without MPI."""

from __future__ import annotations

import dataclasses
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mpi4py import MPI
from PIL import Image
from test_ssl_train import data, folder, losses, recipe  # noqa: F401 (a fixture)

from equiheat.communication import Communicator, get_comm
from equiheat.ssl.checkpoint import read_checkpoint
from equiheat.ssl.collapse import teacher_verdict
from equiheat.ssl.config import OptimConfig, load_recipe
from equiheat.ssl.logging import read_metrics
from equiheat.ssl.methods import DINOConfig
from equiheat.ssl.trainer import Trainer

STEPS = 7
#: Trains to the end, unless it is to kill itself: in the middle of a checkpoint's bytes, or in a backward pass.
CHILD = """
import os, signal, sys
from pathlib import Path
from test_ssl_runs import killed_recipe
from test_ssl_train import data
import torch
from equiheat.ssl import Trainer, checkpoint
out, mode, when = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
trainer = Trainer(killed_recipe(out, resume=(out / "last.safetensors").exists()), data())
def die():
    os.kill(os.getpid(), signal.SIGKILL)
whole = checkpoint.save_file
def cut(tensors, path, meta):
    if trainer.step_number == when:
        whole(tensors, path, meta)
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) // 2)
        die()
    whole(tensors, path, meta)
if mode == "write":
    checkpoint.save_file = cut
if mode == "step":
    def hook(gradient):
        if trainer.step_number == when:
            die()
    next(iter(trainer.names)).register_hook(hook)
trainer.fit()
"""


def killed_recipe(out, **changes):
    dino = DINOConfig(out_dim=16, hidden=16, bottleneck=8)
    return recipe(out, method="dino", dino=dino, steps=STEPS, save_steps=1, tensorboard=False, **changes)


def child(*arguments, check):
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run([sys.executable, "-c", CHILD, *map(str, arguments)], env=env, timeout=200, check=False)
    assert done.returncode == check


@pytest.mark.slow
@pytest.mark.ranks(1)
def test_killed_and_resumed_equals_uninterrupted(tmp_path):
    out = tmp_path / "killed"
    draw = random.Random(5)
    child(out, "write", draw.randint(2, 3), check=-9)  # the first bytes of a second or third checkpoint
    assert list(out.glob(".last*.tmp"))
    assert read_checkpoint(out / "last.safetensors").meta["step"] < 3
    child(out, "step", draw.randint(4, 6), check=-9)
    child(out, "none", 0, check=0)
    Trainer(killed_recipe(tmp_path / "whole"), data()).fit()
    one, other = (read_checkpoint(tmp_path / name / "last.safetensors") for name in ("whole", "killed"))
    assert one.meta["step"] == other.meta["step"] == STEPS
    assert set(one.tensors) == set(other.tensors)
    assert all(torch.equal(x, other.tensors[name]) for name, x in one.tensors.items())
    lines = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("whole", "killed")]
    assert [(x["step"], x["loss"]) for x in lines[0]] == [(x["step"], x["loss"]) for x in lines[1]]
    assert not list(out.glob(".last*.tmp"))


def test_a_run_goes_on_with_another_rank_count(folder):  # noqa: F811
    config = recipe(folder, method="byol", steps=6)
    path = folder / "last.safetensors"
    alone = Trainer(config, data(), comm=Communicator(MPI.COMM_SELF))
    first = losses(alone, 3)
    if get_comm().rank == 0:
        alone.save(path)
    get_comm().barrier()
    together = Trainer(config, data())
    together.load(path)
    assert together.step_number == alone.step_number > 0
    assert losses(together, 2) == pytest.approx(losses(alone, 2), rel=1e-4)
    assert len(first) == 3


def test_changed_and_cut_checkpoints_are_refused(folder):  # noqa: F811
    path = folder / "last.safetensors"
    Trainer(recipe(folder, steps=1), data()).save(path)
    if get_comm().rank == 0:
        whole = bytearray(path.read_bytes())
        (folder / "cut").write_bytes(whole[: len(whole) // 2])
        start = 8 + int.from_bytes(whole[:8], "little")
        whole[start + 1000] ^= 1
        (folder / "changed").write_bytes(whole)
        header = path.read_bytes().replace(b'\\"step\\": 0', b'\\"step\\": 9')
        (folder / "header").write_bytes(header)
    get_comm().barrier()
    with pytest.raises(ValueError, match="damaged or no safetensors file"):
        read_checkpoint(folder / "cut")
    for name in ("changed", "header"):
        with pytest.raises(ValueError, match="is damaged or was changed: its digest"):
            read_checkpoint(folder / name)


def test_going_on_needs_the_same_settings(folder):  # noqa: F811
    config = recipe(folder, steps=2, tensorboard=False)
    Trainer(config, data()).fit()
    longer = dataclasses.replace(config, resume=True, steps=3, save_epochs=2)
    assert Trainer(longer, data()).fit()["step"] == 2
    with pytest.raises(ValueError, match=r"resume: optim\.lr was 0\.001 and is 0\.1; going on needs the same settings"):
        Trainer(dataclasses.replace(longer, optim=OptimConfig(lr=0.1, warmup_epochs=80.0)), data()).fit()
    fresh = Trainer(recipe(folder / "b", method="simclr", init=folder / "last.safetensors", seed=3), data())
    stored = read_checkpoint(folder / "last.safetensors").part("encoder.")
    assert all(torch.equal(x, stored[name]) for name, x in fresh.model.encoder.state_dict().items())


def test_a_run_leaves_versions_events_and_pictures(folder):  # noqa: F811
    config = recipe(folder, auxiliary="ecr", steps=2, diagnose_steps=1, panels=3)
    Trainer(config, data()).fit()
    get_comm().barrier()
    text = (folder / "recipe.toml").read_text()
    assert text.startswith(f"# equiheat pretrain, {get_comm().size} ranks\n# equiheat: ")
    assert "[ecr]" in text
    assert "[byol]" not in text
    assert load_recipe(folder / "recipe.toml") == config
    assert len(list((folder / "tensorboard").glob("events*"))) == 1
    with Image.open(folder / "panels" / "step_0000001.png") as panel:
        assert panel.size == (3 * 64, 4 * 64)


def test_teachers_that_tell_nothing():
    assert "same prototype" in (teacher_verdict(0.0, 0.1, 100) or "")
    assert "alike" in (teacher_verdict(4.6, 4.6, 100) or "")
    assert teacher_verdict(2.0, 4.0, 100) is None


#: A user's own loop under torchrun: no MPI launcher, torch's DistributedDataParallel, our method.
OWN_LOOP = """
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
import equiheat.ssl as ssl
from equiheat.data import share
from test_ssl_train import data
comm = ssl.world()
assert type(comm) is ssl.ProcessGroupComm and comm.size == 2
torch.manual_seed(0)
encoder = ssl.build_encoder("vit-micro-p8", image_size=16)
model = ssl.Model(encoder, ssl.build_method("simclr", encoder, auxiliary="ecr", comm=comm))
parallel = DistributedDataParallel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
make = ssl.TwoViews(ssl.WEAK_VIEW, ssl.STRONG_VIEW, seed=0)
start, stop = share(9, comm)
for epoch in range(3):
    views = make(data(9).images[start:stop], torch.arange(start, stop), epoch)
    terms, _ = parallel(views)
    optimizer.zero_grad()
    terms["loss"].backward()
    optimizer.step()
    if comm.rank == 0:
        print("loss", terms["loss"].item())
dist.destroy_process_group()
"""


@pytest.mark.slow
@pytest.mark.ranks(1)
def test_own_loop_under_torchrun_equals_one_process():
    import equiheat.ssl as ssl

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "PYTHONPATH": path}
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", OWN_LOOP],
            env=os.environ | place | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [job.communicate(timeout=200)[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0]
    together = [float(line.split()[1]) for line in outputs[0].splitlines() if line.startswith("loss")]
    torch.manual_seed(0)
    encoder = ssl.build_encoder("vit-micro-p8", image_size=16)
    model = ssl.Model(encoder, ssl.build_method("simclr", encoder, auxiliary="ecr"))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    make = ssl.TwoViews(ssl.WEAK_VIEW, ssl.STRONG_VIEW, seed=0)
    alone = []
    for epoch in range(3):
        loss = model(make(data(9).images, torch.arange(9), epoch))[0]["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        alone.append(loss.item())
    assert together == pytest.approx(alone, rel=1e-4)
