# SPDX-License-Identifier: BSD-3-Clause
"""Pre-training: the step, the epochs around it, and what is kept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from equiheat.communication import Communicator, get_comm
from equiheat.data.counter import stream_seed
from equiheat.data.images import ImageSet
from equiheat.data.prefetch import prefetched
from equiheat.data.sharding import GlobalBatches
from equiheat.data.source import Batch, Source
from equiheat.optim import average_gradients, warmup_cosine
from equiheat.ssl.build import (
    build_model,
    build_optimizer,
    build_views,
    check_sizes,
    check_told,
    device_of,
    set_threads,
    warn_of_slow_precision,
)
from equiheat.ssl.collapse import teacher_verdict
from equiheat.ssl.config import PretrainConfig
from equiheat.ssl.diagnosis import control_terms, diagnose, skipped_everywhere, write_panel
from equiheat.ssl.encoders import Features
from equiheat.ssl.guard import check_finite, check_input, gradient_norm
from equiheat.ssl.logging import ProgressBar, RunLog
from equiheat.ssl.methods.base import cosine
from equiheat.ssl.runfolder import open_run
from equiheat.ssl.state import load_state, save_state
from equiheat.ssl.views import Views

#: A loss scaled by less does not overflow float16: gradients that are not finite then are so by themselves.
_LEAST_SCALE = 2.0**-10
#: A batch's numbers, with the batch where it was fetched ahead.
Piece = tuple[Tensor, Batch | None]


class Trainer:
    """Trains a model.

    Parameters
    ----------
    config
        The recipe.
    data
        Images, the same numbers giving the same images on every rank; labels are not used.
    comm
        Ranks that share the global batch; the default communicator when omitted. Under torchrun:
        `equiheat.ssl.ProcessGroupComm()`.

    Examples
    --------
    >>> trainer = Trainer(config, load_images(config.data, size=config.image_size))
    >>> trainer.fit()
    """

    def __init__(self, config: PretrainConfig, data: Source, *, comm: Communicator | None = None) -> None:
        self.config, self.data = config, data
        self.comm = get_comm() if comm is None else comm
        set_threads(config.threads, self.comm)
        self.device = device_of(config.device, self.comm)
        warn_of_slow_precision(config.precision, self.device, self.comm)
        self.model = build_model(config, comm=comm).train().to(self.device)
        self.names: dict[Tensor, str] = {p: name for name, p in self.model.named_parameters() if p.requires_grad}
        self.optimizer = build_optimizer(self.model, config)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=config.precision == "fp16")
        self.views = build_views(config, self.model)
        check_sizes(config, self.model, data)
        check_told(config, self.views, data)
        part = config.batch_size // config.accumulate
        self.batches = GlobalBatches(len(data), part, seed=config.seed, comm=self.comm)
        self.epoch_steps = len(self.batches) // config.accumulate
        if self.epoch_steps == 0:
            raise ValueError(f"Trainer: {len(data)} images do not fill a batch of {config.batch_size}")
        self.total_steps = config.steps or config.epochs * self.epoch_steps
        self.step_number = 0

    def step(
        self, indices: Tensor | Sequence[Piece], epoch: int
    ) -> tuple[dict[str, float], Views, tuple[Features, Features]]:
        """One optimiser step on this rank's part of a global batch. Collective.

        Parameters
        ----------
        indices
            Shape (B_r,): numbers of this rank's samples; or the parts over which gradients are accumulated, each with
            its images where they were fetched already.
        epoch
            Part of the key of the augmentations.

        Returns
        -------
        (dict[str, float], Views, (Features, Features))
            Loss terms over the global batch with the learning rate and the gradient's norm, and where a diagnosis is
            due the controls of `control_terms`; the last part's views and features.
        """
        parts: Sequence[Piece] = [(indices, None)] if isinstance(indices, Tensor) else indices
        torch.manual_seed(stream_seed((self.config.seed, self.step_number, self.comm.rank)))
        self.model.method.set_progress(self.step_number / self.total_steps)
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for piece in parts:
            terms, views, features = self._backward(piece, epoch, 1 / len(parts))
            sums = {name: x.detach() / len(parts) + sums.get(name, 0) for name, x in terms.items()}
        average_gradients(self.model.parameters(), self.comm)
        self.scaler.unscale_(self.optimizer)
        norm = gradient_norm(self.model, clip=self.config.optim.clip)
        if self.scaler.get_scale() < _LEAST_SCALE or not self.scaler.is_enabled():  # else overflows are left out
            check_finite(self._gradients(), suspect=norm, step=self.step_number, comm=self.comm)
        rate = self._set_rates()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.model.update_teacher()
        self.step_number += 1
        figures = {name: float(x) for name, x in sums.items()}
        return figures | {"lr": rate, "gradient": float(norm)}, views, features

    def _backward(
        self, piece: Piece, epoch: int, share: float
    ) -> tuple[dict[str, Tensor], Views, tuple[Features, Features]]:
        """Loss of a part and its gradient."""
        indices, batch = piece
        batch = self.data.batch(indices, epoch) if batch is None else batch
        views = self._make_views(batch, indices, epoch)
        with self._autocast():
            terms, features = self.model(views)
            if self._is_time_to_diagnose(self.step_number + 1):  # by the weights that the other terms are of
                terms |= control_terms(self.model.method, views, features)
        check_input(batch, indices, suspect=terms["loss"], step=self.step_number, comm=self.comm)
        check_finite(self._trail(views, features, terms), suspect=terms["loss"], step=self.step_number, comm=self.comm)
        self.scaler.scale(terms["loss"] * share).backward()
        return terms, views, features

    def _make_views(self, batch: Batch, indices: Tensor, epoch: int) -> Views:
        partner = None if batch.partner is None else batch.partner.to(self.device)
        views = self.views(batch.images.to(self.device), indices, epoch, partner)
        if batch.parameters1 is None or batch.parameters2 is None:
            return views
        return views._replace(
            parameters1=views.parameters1 | batch.parameters1, parameters2=views.parameters2 | batch.parameters2
        )

    def _autocast(self) -> torch.autocast:
        dtype = torch.float16 if self.config.precision == "fp16" else torch.bfloat16
        return torch.autocast(self.device.type, dtype, enabled=self.config.precision != "fp32")

    def _warmup(self) -> tuple[int, int]:
        """Steps of the linear rise, and those that the recipe asks for: at least half of a run is left to the rest."""
        asked = round(self.config.optim.warmup_epochs * self.epoch_steps)
        return min(asked, self.total_steps // 2), asked

    def _set_rates(self) -> float:
        """Learning rate and weight decay of this step."""
        optim, warmup = self.config.optim, self._warmup()[0]
        rate = optim.lr * warmup_cosine(self.step_number, steps=self.total_steps, warmup=warmup, final=optim.final_lr)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if optim.final_weight_decay is not None:
            fraction = self.step_number / self.total_steps
            decay = cosine(optim.weight_decay, optim.final_weight_decay, fraction)
            self.optimizer.param_groups[0]["weight_decay"] = decay
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
        title = self.config.method + ("" if self.config.auxiliary == "none" else f" + {self.config.auxiliary}")
        last: dict[str, Any] = {}
        first = self.comm.rank == 0
        log = RunLog(out, first_step=self.step_number, tensorboard=self.config.tensorboard) if first else None
        bar = ProgressBar(title, total=self.total_steps, done=self.step_number, visible=first)
        try:
            with bar:
                warmup, asked = self._warmup()
                if self.step_number >= self.total_steps:
                    bar.say(f"{title}: nothing is left to do: {self.step_number} of {self.total_steps} steps are done")
                elif warmup < asked:
                    bar.say(f"{title}: warm-up takes {warmup} steps, half the run, not {asked} (optim.warmup_epochs)")
                while self.step_number < self.total_steps:
                    last = self._epoch(log, bar)
                    epoch = self.step_number // self.epoch_steps
                    if epoch % self.config.save_epochs == 0 or self.step_number >= self.total_steps:
                        self.save(out / "last.safetensors")
                self._tell(last, bar, title)
        finally:
            if log is not None:
                log.close()
        self.comm.barrier()
        return last

    def _tell(self, last: dict[str, Any], bar: ProgressBar, title: str) -> None:
        """The verdict, and which files could not be read."""
        if "verdict" in last:
            bar.say(f"{title}: {last['verdict']}")
        skipped = skipped_everywhere(self.data, self.comm)
        if skipped and not isinstance(self.data, ImageSet):  # which has told so when it was loaded
            names = ", ".join(skipped[:10]) + (f" and {len(skipped) - 10} more" if len(skipped) > 10 else "")
            bar.say(f"{title}: {len(skipped)} files could not be read, others stood in for images: {names}")
        if skipped:
            last["skipped"] = len(skipped)

    def _pieces(self, epoch: int, done: int) -> Iterator[list[Piece]]:
        """Parts of every step of an epoch from step ``done`` on."""
        numbers = self.batches.epoch(epoch, skip=done * self.config.accumulate)
        ahead = 0 if isinstance(self.data, ImageSet) else 2 + self.config.accumulate
        fetched: Iterable[Piece] = prefetched(self.data, numbers, epoch, ahead=ahead)
        parts: list[Piece] = []
        for piece in fetched:
            parts.append(piece)
            if len(parts) == self.config.accumulate:
                yield parts
                parts = []

    def _epoch(self, log: RunLog | None, bar: ProgressBar) -> dict[str, Any]:
        """The rest of the current epoch."""
        epoch, done = divmod(self.step_number, self.epoch_steps)
        line: dict[str, Any] = {}
        start = time.perf_counter()
        for pieces in self._pieces(epoch, done):
            terms, views, features = self.step(pieces, epoch)
            speed = self.config.batch_size / (time.perf_counter() - start)
            line = {"step": self.step_number - 1, "epoch": epoch, **terms, "images_per_second": speed}
            if self._is_time_to_diagnose(self.step_number):
                line |= self.diagnose(views, features)
                line["verdict"] = self._teacher_verdict(terms) or line["verdict"]
            if log is not None:
                log.write(line)
            bar.advance(f"loss {terms['loss']:.4f}  {speed:.0f} images/s")
            if self.step_number >= self.total_steps:
                break
            if self.config.save_steps and self.step_number % self.config.save_steps == 0:
                self.save(self.config.out / "last.safetensors")
            start = time.perf_counter()
        return line

    def _is_time_to_diagnose(self, done: int) -> bool:
        """Whether the last of so many steps is looked at."""
        return done % (self.config.diagnose_steps or self.epoch_steps) == 0 or done >= self.total_steps

    def diagnose(self, views: Views, features: tuple[Features, Features]) -> dict[str, Any]:
        """Spread of the features over the global batch; pictures. Collective."""
        with self._autocast():  # the features have its type
            figures = diagnose(features, self.comm)
            if self.config.panels and self.comm.rank == 0:
                path = self.config.out / "panels" / f"step_{self.step_number - 1:07d}.png"
                write_panel(path, self.model.method, views, features, most=self.config.panels)
        return figures

    def _teacher_verdict(self, terms: dict[str, float]) -> str | None:
        options = getattr(self.config, self.config.method)
        if "teacher_spread" not in terms:
            return None
        return teacher_verdict(terms["teacher_entropy"], terms["teacher_spread"], options.out_dim)

    def _open(self, out: Path) -> None:
        """Make the run's folder, or go on in it. Fails on all ranks or on none."""
        if open_run(out, self.config, self.comm):
            self.load(out / "last.safetensors")

    def save(self, path: Path) -> None:
        """Write the whole state; rank 0 writes. Collective (a barrier)."""
        if self.comm.rank == 0:
            epoch, batch = divmod(self.step_number, self.epoch_steps)
            progress = {"step": self.step_number, "total_steps": self.total_steps, "epoch": epoch, "batch": batch}
            save_state(
                path,
                model=self.model,
                optimizer=self.optimizer,
                names=self.names,
                config=self.config,
                scaler=self.scaler,
                progress=progress,
            )
        self.comm.barrier()

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same model. Every rank reads the file."""
        meta = load_state(path, model=self.model, optimizer=self.optimizer, names=self.names, scaler=self.scaler)
        self.step_number = int(meta["step"])
