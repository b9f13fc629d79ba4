# SPDX-License-Identifier: BSD-3-Clause
"""Pre-training: the step, the epochs around it, and what is kept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from equiheat.communication import Communicator, get_comm
from equiheat.data.images import ImageSet
from equiheat.data.sharding import GlobalBatches
from equiheat.nn.batchnorm import share_statistics
from equiheat.nn.functional import all_gather
from equiheat.optim import average_gradients, warmup_cosine
from equiheat.ssl.checkpoint import (
    encoder_meta,
    load_module,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from equiheat.ssl.collapse import spread_of_features, verdict
from equiheat.ssl.config import PretrainConfig, to_toml
from equiheat.ssl.encoders import Features, build_encoder
from equiheat.ssl.guard import check_finite
from equiheat.ssl.logging import MetricsFile, ProgressBar
from equiheat.ssl.methods import ECR, VICReg
from equiheat.ssl.model import Model
from equiheat.ssl.views import TwoViews, Views


def build_model(config: PretrainConfig, *, comm: Communicator | None = None) -> Model:
    """Encoder and method of a recipe, with the same weights on every rank (from ``config.seed``)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        encoder = build_encoder(config.encoder, image_size=config.image_size)
        method: nn.Module
        if config.auxiliary == "ecr":
            base = VICReg(encoder.dim - config.ecr.equi_dim(encoder.dim), config.vicreg, comm=comm)
            method = ECR(base, encoder, config.ecr, comm=comm)
        else:
            method = VICReg(encoder.dim, config.vicreg, comm=comm)
    model = Model(encoder, method)
    share_statistics(model, comm)
    return model


class Trainer:
    """Trains a model on images that are in memory.

    Parameters
    ----------
    config
        The recipe.
    data
        Images, the same on every rank; labels are not used.
    comm
        Ranks that share the global batch; the default communicator when omitted.

    Examples
    --------
    >>> trainer = Trainer(config, load_images(config.data, size=config.image_size))
    >>> trainer.fit()
    """

    def __init__(self, config: PretrainConfig, data: ImageSet, *, comm: Communicator | None = None) -> None:
        self.config, self.data = config, data
        self.comm = get_comm() if comm is None else comm
        set_threads(config.threads, self.comm)
        self.model = build_model(config, comm=comm).train()
        self.names: dict[Tensor, str] = {p: name for name, p in self.model.named_parameters()}
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.model, config), lr=config.optim.lr, betas=config.optim.betas
        )
        self.views = TwoViews(config.view1, config.view2, seed=config.seed)
        self.batches = GlobalBatches(len(data), config.batch_size, seed=config.seed, comm=self.comm)
        self.total_steps = config.steps or config.epochs * len(self.batches)
        self.step_number = 0

    def step(self, indices: Tensor, epoch: int) -> tuple[dict[str, float], Views, tuple[Features, Features]]:
        """One optimiser step on this rank's part of a global batch. Collective.

        Parameters
        ----------
        indices
            Shape (B_r,): numbers of this rank's samples.
        epoch
            Part of the key of the augmentations.

        Returns
        -------
        (dict[str, float], Views, (Features, Features))
            Loss terms over the global batch with the learning rate and the gradient's norm; the views and features.
        """
        views = self.views(self.data.images[indices], indices, epoch)
        with self._autocast():
            terms, features = self.model(views)
        check_finite(self._trail(views, features, terms), suspect=terms["loss"], step=self.step_number, comm=self.comm)

        self.optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        average_gradients(self.model.parameters(), self.comm)
        norm = gradient_norm(self.model, clip=self.config.optim.clip)
        check_finite(self._gradients(), suspect=norm, step=self.step_number, comm=self.comm)

        rate = self._set_rate()
        self.optimizer.step()
        self.step_number += 1
        return (
            {name: float(x.detach()) for name, x in terms.items()} | {"lr": rate, "gradient": float(norm)},
            views,
            features,
        )

    def _autocast(self) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=self.config.precision == "bf16")

    def _set_rate(self) -> float:
        optim = self.config.optim
        warmup = round(optim.warmup_epochs * len(self.batches))
        warmup = min(warmup, self.total_steps // 2)
        rate = optim.lr * warmup_cosine(self.step_number, steps=self.total_steps, warmup=warmup, final=optim.final_lr)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _trail(
        self, views: Views, features: tuple[Features, Features], terms: dict[str, Tensor]
    ) -> Iterator[tuple[str, Tensor]]:
        """Tensors of a step in the order of computation, for the guard."""
        yield from ((f"parameter {name}", p) for p, name in self.names.items())
        yield from (("first view", views.first), ("second view", views.second))
        for view, part in zip(("first", "second"), features, strict=True):
            yield from ((f"{name} of the {view} view", x) for name, x in part._asdict().items())
        yield from ((f"loss term {name!r}", x) for name, x in terms.items() if name not in ("loss", "base"))

    def _gradients(self) -> Iterator[tuple[str, Tensor]]:
        return ((f"gradient of {name}", p.grad) for p, name in self.names.items() if p.grad is not None)

    def fit(self) -> dict[str, Any]:
        """Train to the end, write metrics, recipe and checkpoints. Collective; returns the last metrics."""
        out = self.config.out
        self._open(out)
        metrics = MetricsFile(out / "metrics.jsonl", keep_before=self.step_number) if self.comm.rank == 0 else None
        title = self.config.method + ("" if self.config.auxiliary == "none" else f" + {self.config.auxiliary}")
        last: dict[str, Any] = {}
        bar = ProgressBar(title, total=self.total_steps, done=self.step_number, visible=self.comm.rank == 0)
        with bar:
            while self.step_number < self.total_steps:
                last = self._epoch(metrics, bar)
                epoch = self.step_number // len(self.batches)
                if epoch % self.config.save_epochs == 0 or self.step_number >= self.total_steps:
                    self.save(out / "last.safetensors")
            if "verdict" in last:
                bar.say(f"{title}: {last['verdict']}")
        if metrics is not None:
            metrics.close()
        self.comm.barrier()
        return last

    def _epoch(self, metrics: MetricsFile | None, bar: ProgressBar) -> dict[str, Any]:
        """The rest of the current epoch."""
        epoch, done = divmod(self.step_number, len(self.batches))
        line: dict[str, Any] = {}
        for indices in self.batches.epoch(epoch, skip=done):
            start = time.perf_counter()
            terms, views, features = self.step(indices, epoch)
            speed = self.config.batch_size / (time.perf_counter() - start)
            line = {"step": self.step_number - 1, "epoch": epoch, **terms, "images_per_second": speed}
            if self._is_time_to_diagnose():
                line |= self.diagnose(views, features)
            if metrics is not None:
                metrics.write(line)
            bar.advance(f"loss {terms['loss']:.4f}  {speed:.0f} images/s")
            if self.step_number >= self.total_steps:
                break
        return line

    def _is_time_to_diagnose(self) -> bool:
        every = self.config.diagnose_steps or len(self.batches)
        return self.step_number % every == 0 or self.step_number >= self.total_steps

    def diagnose(self, views: Views, features: tuple[Features, Features]) -> dict[str, Any]:
        """Spread of the features over the global batch, and whether the other view is used. Collective."""
        with torch.no_grad():
            pooled = all_gather(torch.cat((features[0].pooled, features[1].pooled)).detach(), self.comm)
            figures: dict[str, Any] = spread_of_features(pooled)
            figures["verdict"] = verdict(figures, pooled.shape[1])
            method = self.model.method
            if isinstance(method, ECR) and method.config.keys == "other":
                with self._autocast():
                    shuffled = method.shuffled_reconstruction(*features, views)
                figures["reconstruction_shuffled"] = float(shuffled)
        return figures

    def _open(self, out: Path) -> None:
        """Make the run's folder, or go on in it. Fails on all ranks or on none."""
        last = out / "last.safetensors"
        exists = int(self.comm.bcast(torch.tensor([last.is_file()], dtype=torch.int64), 0))
        if self.config.resume:
            if not exists:
                raise FileNotFoundError(f"resume: there is no checkpoint {str(last.absolute())!r}")
            self.load(last)
        elif exists:
            raise FileExistsError(
                f"{str(out.absolute())!r} holds a run already; use --resume to go on, or another --out"
            )
        if self.comm.rank == 0:
            out.mkdir(parents=True, exist_ok=True)
            (out / "recipe.toml").write_text(to_toml(self.config), encoding="utf-8")

    def save(self, path: Path) -> None:
        """Write model, optimiser, random state and step; rank 0 writes. Collective (a barrier)."""
        if self.comm.rank == 0:
            tensors = dict(self.model.state_dict())
            state = optimizer_tensors(self.optimizer, self.names)
            tensors |= {f"optimizer.{name}": x for name, x in state.items()}
            tensors["random_state"] = torch.get_rng_state()
            meta = {
                "encoder": encoder_meta(self.model.encoder),
                "step": self.step_number,
                "total_steps": self.total_steps,
                "recipe": to_toml(self.config),
            }
            write_checkpoint(path, tensors, meta)
        self.comm.barrier()

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same model. Every rank reads the file."""
        checkpoint = read_checkpoint(path)
        extra = ("optimizer.", "random_state")
        state = {name: x for name, x in checkpoint.tensors.items() if not name.startswith(extra)}
        load_module(self.model, state, source=f"Trainer.load: {str(path)!r}")
        restore_optimizer(self.optimizer, checkpoint.part("optimizer."), self.names)
        torch.set_rng_state(checkpoint.tensors["random_state"])
        self.step_number = int(checkpoint.meta["step"])


def parameter_groups(model: Model, config: PretrainConfig) -> list[dict[str, Any]]:
    """Weight decay on weights of two axes or more, none on biases, norms and positions."""
    named = list(model.named_parameters())
    plain = [p for name, p in named if p.dim() < 2 or name.endswith("position")]
    exempt = set(plain)
    return [
        {"params": [p for _, p in named if p not in exempt], "weight_decay": config.optim.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]


def gradient_norm(model: Model, *, clip: float) -> Tensor:
    """Norm of all gradients together, which are scaled to norm ``clip`` where that is positive and smaller."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    if clip > 0:
        torch.nn.utils.clip_grads_with_norm_(model.parameters(), clip, norm)
    return norm


def set_threads(threads: int, comm: Communicator) -> None:
    """Threads of this rank: as asked, else its share of the processors unless OMP_NUM_THREADS says otherwise."""
    if threads == 0 and "OMP_NUM_THREADS" in os.environ:
        return
    local = int(os.environ.get("MPI_LOCALNRANKS") or os.environ.get("OMPI_COMM_WORLD_LOCAL_SIZE") or comm.size)
    torch.set_num_threads(threads or max(1, len(os.sched_getaffinity(0)) // local))
