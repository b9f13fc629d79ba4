# SPDX-License-Identifier: BSD-3-Clause
"""The learning half: VICReg, and VICReg with cross-attention reconstruction, trained alike and probed alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.demo.images import Source
from equiheat.ssl.config import OptimConfig, PretrainConfig
from equiheat.ssl.methods import ECR, ECRConfig, VICRegConfig
from equiheat.ssl.probes import FrozenEncoder, ImageRows, MlpConfig, ProbeConfig, ProbeRow, probe_encoder
from equiheat.ssl.probes.command import random_encoder
from equiheat.ssl.trainer import Trainer

ARMS = {"VICReg": "none", "VICReg + ECR": "ecr"}
ENCODER = "resnet-lite"
Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Trained:
    """A finished arm: its trainer, the metrics of every step, the wall time."""

    name: str
    trainer: Trainer
    metrics: list[dict[str, Any]]
    seconds: float


def has_bf16(comm: Communicator) -> bool:
    """Whether every rank's processor multiplies bfloat16 natively; elsewhere it would be slower than float32."""
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    able = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return bool(comm.allreduce(torch.tensor([able], dtype=torch.int64), "min"))


def recipe(name: str, *, out: Path, size: int, epochs: int, seed: int, bf16: bool) -> PretrainConfig:
    """Both arms share everything but the auxiliary."""
    return PretrainConfig(
        data=out,
        out=out / ARMS[name],
        auxiliary="ecr" if ARMS[name] == "ecr" else "none",
        encoder=ENCODER,
        image_size=size,
        batch_size=128,
        epochs=epochs,
        precision="bf16" if bf16 else "fp32",
        seed=seed,
        vicreg=VICRegConfig(invariance=10.0, variance=10.0, covariance=1.0),
        ecr=ECRConfig(weight=10.0, query="target", context="equi"),  # sharp pictures after a short training
        optim=OptimConfig(lr=1e-3),
    )


def train(name: str, config: PretrainConfig, source: Source, *, comm: Communicator, report: Report) -> Trained:
    """Train one arm. Collective."""
    trainer = Trainer(config, source.train, comm=comm)
    metrics: list[dict[str, Any]] = []
    start = time.perf_counter()
    while trainer.step_number < trainer.total_steps:
        epoch = trainer.step_number // len(trainer.batches)
        for indices in trainer.batches.epoch(epoch):
            terms, views, features = trainer.step(indices, epoch)
            metrics.append({"step": trainer.step_number, **terms})
            report(
                trainer.step_number,
                trainer.total_steps,
                f"epoch {epoch + 1} of {config.epochs}, loss {terms['loss']:.2f}",
            )
        metrics[-1] |= trainer.diagnose(views, features)
    trainer.save(config.out / "last.safetensors")
    return Trained(name, trainer, metrics, time.perf_counter() - start)


def probe(
    trained: list[Trained],
    source: Source,
    *,
    comm: Communicator,
    report: Callable[[int, int, str, int, int], None],
) -> list[ProbeRow]:
    """Random initialisation, then every arm with its parts. Collective."""
    config = ProbeConfig(mlp=MlpConfig(epochs=40, batch_size=128), pairs=3000)
    judged = [random_encoder(trained[0].trainer.model.encoder, seed=0)] + [_frozen(arm) for arm in trained]
    rows: list[ProbeRow] = []
    for number, encoder in enumerate(judged):
        sets = ImageRows.of(source.train, comm), ImageRows.of(source.test, comm)

        def inside(what: str, done: int, of: int, number: int = number) -> None:
            report(number, len(judged), what, done, of)

        rows += probe_encoder(encoder, *sets, classes=len(source.train.classes), config=config, report=inside)
    return rows


def _frozen(arm: Trained) -> FrozenEncoder:
    encoder, method = arm.trainer.model.encoder, arm.trainer.model.method
    parts = {"all": slice(None)}
    if isinstance(method, ECR):
        parts |= {"inv": slice(0, method.inv_dim), "equi": slice(method.inv_dim, method.dim)}
    return FrozenEncoder(arm.name, lambda images: encoder(images).pooled, parts, encoder)


@torch.inference_mode()
def reconstruct(arm: Trained, source: Source, *, count: int) -> dict[str, Tensor]:
    """Held-out images, their two views and the reconstruction of the second, each (count, 3, H, W) in 0 to 1."""
    trainer, model = arm.trainer, arm.trainer.model
    method = model.method
    if not isinstance(method, ECR):
        raise TypeError(f"reconstruct: {arm.name} has no decoder")
    chosen = torch.arange(count) * len(source.test) // count
    images = source.test.images[chosen]
    views = trainer.views(images, chosen, 0)
    model.eval()
    picture = method.reconstruct(*model.embed(views), views)
    model.train()
    return {"image": images.float() / 255, "v1": views.first, "v2": views.second, "reconstruction": picture}
