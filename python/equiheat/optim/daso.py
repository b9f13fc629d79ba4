# SPDX-License-Identifier: BSD-3-Clause
"""Training over many nodes with rare messages between them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import torch
from mpi4py import MPI
from torch import Tensor

from equiheat.communication import Communicator, Pending, get_comm
from equiheat.optim.gradients import buckets
from equiheat.optim.reducer import Reducer
from equiheat.optim.utils import DetectMetricPlateau

__all__ = ["DASO"]

_INTEGERS = {"total_epochs": 1, "warmup_epochs": 0, "cooldown_epochs": 0, "max_global_skips": 0,
             "sending_chunk_size": 1, "skip_reduction_factor": 1, "local_skip_factor": 1}  # fmt: skip
_BUCKET = 4 << 20


@dataclass
class _Sent:
    """Parameters that travel between nodes while training goes on."""

    batch: int
    wait: int
    turn: int
    parts: list[Pending]


class DASO:
    """Distributed asynchronous selective optimisation: ranks of a node average gradients, nodes average parameters.

    Between nodes messages are slow, so that parameters are averaged after every batch only while training warms up and
    cools down. In between they are sent every `global_skip` batches by one rank of each node in turn, and merged some
    batches later, with less weight the older they are; `epoch_loss_logic` lengthens and shortens the pauses when the
    loss stops improving.

    Parameters
    ----------
    local_optimizer : torch.optim.Optimizer
        Steps the model of this rank.
    total_epochs : int
        Length of the training.
    comm : Communicator, optional
        All ranks; default: the default communicator.
    warmup_epochs, cooldown_epochs : int
        Epochs at both ends with averages after every batch.
    scheduler : learning-rate scheduler, optional
        Steps after the optimizer.
    stability_level : float
        Relative change of the loss below which an epoch is none of improvement.
    max_global_skips : int
        Most batches between two exchanges of nodes.
    sending_chunk_size : int
        Elements of a message.
    downcast_type : torch.dtype
        Type of parameters under way beside the training: bfloat16, float16 or float32. Averages that are waited for
        keep the type of the parameters.
    use_mpi_groups : bool
        Accepted for Heat's sake.
    skip_reduction_factor : int
        By how much pauses become shorter.
    local_skip_factor : int
        How many exchanges within a node there are for one between nodes.
    verbose : bool
        Rank 0 tells of every change.
    ranks_per_node : int, optional
        Ranks that count as a node; default: those that share memory.

    Attributes
    ----------
    last_batch : int
        Number of the last batch of an epoch, the first is 0; must be set before `step`.

    Raises
    ------
    TypeError, ValueError
        For arguments of another kind or out of range.

    References
    ----------
    D. Coquelin et al., Accelerating neural network training with distributed asynchronous and selective optimization
    (DASO), Journal of Big Data 9 (2022).

    Examples
    --------
    >>> model = torch.nn.Linear(3, 1)
    >>> daso = ht.optim.DASO(torch.optim.SGD(model.parameters(), lr=0.1), total_epochs=10)
    >>> net = ht.nn.DataParallelMultiGPU(model, daso)
    >>> daso.last_batch = 0
    >>> net(torch.ones(4, 3)).pow(2).mean().backward()
    >>> daso.step()
    >>> daso.epoch
    1
    """

    def __init__(
        self,
        local_optimizer: torch.optim.Optimizer,
        total_epochs: int,
        comm: Communicator | None = None,
        warmup_epochs: int = 4,
        cooldown_epochs: int = 4,
        scheduler: Any = None,
        stability_level: float = 0.05,
        max_global_skips: int = 8,
        sending_chunk_size: int = 10_000_000,
        downcast_type: torch.dtype = torch.bfloat16,
        use_mpi_groups: bool = True,
        skip_reduction_factor: int = 2,
        local_skip_factor: int = 4,
        verbose: bool = False,
        ranks_per_node: int | None = None,
    ) -> None:
        self.comm = get_comm() if comm is None else comm
        self.local_optimizer, self.scheduler, self.verbose = local_optimizer, scheduler, verbose
        self.total_epochs, self.warmup_epochs, self.cooldown_epochs = total_epochs, warmup_epochs, cooldown_epochs
        self.max_global_skips, self.sending_chunk_size = max_global_skips, sending_chunk_size
        self.skip_reduction_factor, self.local_skip_factor = skip_reduction_factor, local_skip_factor
        self.downcast_type = downcast_type
        self._check(stability_level, use_mpi_groups)
        if ranks_per_node is not None and (not isinstance(ranks_per_node, int) or ranks_per_node < 1):
            raise ValueError(f"DASO: ranks_per_node must be a positive integer, is {ranks_per_node!r}")
        self.params_ref = local_optimizer.param_groups[0]["params"]
        self.stability = DetectMetricPlateau(patience=2, threshold=stability_level)
        self.last_batch: int | None = None
        self.scaler: Any = None
        self.module: torch.nn.Module | None = None
        self._reducer: Reducer | None = None
        self._find_nodes(ranks_per_node)
        self._clear()

    def _check(self, stability_level: Any, use_mpi_groups: Any) -> None:
        """Types and ranges of the arguments."""
        kinds: list[tuple[str, Any, Any]] = [
            ("local_optimizer", self.local_optimizer, torch.optim.Optimizer), ("comm", self.comm, Communicator),
            ("stability_level", stability_level, float), ("use_mpi_groups", use_mpi_groups, bool),
            ("verbose", self.verbose, bool), ("downcast_type", self.downcast_type, torch.dtype),
            *[(name, getattr(self, name), int) for name in _INTEGERS],
        ]  # fmt: skip
        if self.scheduler is not None:
            kinds.append(("scheduler", self.scheduler, torch.optim.lr_scheduler.LRScheduler))
        for name, value, kind in kinds:
            if not isinstance(value, kind):
                raise TypeError(f"DASO: {name} must be of type {kind.__name__}, is {value!r}")
        for name, least in _INTEGERS.items():
            if getattr(self, name) < least:
                raise ValueError(f"DASO: {name} must be at least {least}, is {getattr(self, name)}")
        if self.downcast_type not in (torch.bfloat16, torch.float16, torch.float32):
            raise ValueError(f"DASO: downcast_type must be bfloat16, float16 or float32, is {self.downcast_type}")

    def _find_nodes(self, ranks_per_node: int | None) -> None:
        """The ranks of this node, and those that have the same place in the other nodes."""
        rank = self.comm.rank
        if ranks_per_node is None:
            node = self.comm.handle.Split_type(MPI.COMM_TYPE_SHARED)
            leader = node.bcast(rank)
            node.Free()
        else:
            leader = rank // ranks_per_node * ranks_per_node
        local = self.comm.split(leader, rank)
        assert local is not None
        across = self.comm.split(local.rank, rank)
        assert across is not None
        self.local_comm, self.global_comm = local, across
        # Places that every node has take turns.
        self._places = int(self.comm.allreduce(torch.tensor([local.size]), "min"))

    def _clear(self) -> None:
        self.global_skip = self.local_skip = self.batches_to_wait = 0
        self.current_batch = self.epoch = self._turn = 0
        self._sent: _Sent | None = None

    def add_scaler(self, scaler: Any) -> None:
        """Step through torch's `GradScaler` of automatic mixed precision. Local."""
        self.scaler = scaler

    def set_model(self, model: torch.nn.Module) -> None:
        """The model that is trained; `equiheat.nn.DataParallelMultiGPU` calls this. Local."""
        if self._reducer is not None:
            self._reducer.remove()
        self.module = model
        self._reducer = Reducer(model.parameters(), self.local_comm)

    def print0(self, *args: Any, **kwargs: Any) -> None:
        """Print on rank 0 if `verbose` is set. Local."""
        if self.comm.rank == 0 and self.verbose:
            kwargs.setdefault("file", sys.stdout)
            print(*args, **kwargs)  # noqa: T201

    def reset(self) -> None:
        """Start training anew, with the same model. Collective if parameters are under way."""
        for part in self._sent.parts if self._sent else ():
            part.wait()
        self.stability.reset()
        self._clear()
        self.zero_grad()

    def zero_grad(self) -> None:
        """Set the gradients to zero. Local."""
        self.local_optimizer.zero_grad(set_to_none=False)

    def epoch_loss_logic(self, loss: Any, loss_globally_averaged: bool = False) -> None:
        """Choose the pauses of the next epoch after the loss of this one.

        Parameters
        ----------
        loss : float or Tensor
            Loss of the epoch.
        loss_globally_averaged : bool
            Whether it is the same on all ranks; else it is averaged (one allreduce).
        """
        mean = torch.as_tensor(loss, dtype=torch.float64).detach().reshape(1).cpu()
        if not loss_globally_averaged:
            mean = self.comm.allreduce(mean) / self.comm.size
        if self.epoch < self.warmup_epochs or self.epoch >= self.total_epochs - self.cooldown_epochs:
            self.global_skip = self.local_skip = self.batches_to_wait = 0
        elif self.epoch == self.warmup_epochs:
            self.global_skip = min(4, self.max_global_skips)
            self.local_skip = self.batches_to_wait = 1
        elif self.stability.test_if_improving(mean):
            self._change_pauses()
        self.print0(f"DASO: epoch {self.epoch}, loss {float(mean):.4g}: {self.global_skip} batches between nodes, "
                    f"{self.local_skip} within, {self.batches_to_wait} until parameters are merged")  # fmt: skip

    def _change_pauses(self) -> None:
        """The loss has stopped improving: shorter pauses, from the shortest to the longest."""
        if self.global_skip > 1:
            self.global_skip = max(self.global_skip // self.skip_reduction_factor, 1)
            self.local_skip = max(self.local_skip // self.skip_reduction_factor, 1)
            self.batches_to_wait = max(self.batches_to_wait - 1, 1)
        else:
            self.global_skip = self.max_global_skips
            self.local_skip = self.batches_to_wait = self.max_global_skips // self.local_skip_factor

    def step(self) -> None:
        """Step the model, and send, merge or average parameters if it is time.

        Raises
        ------
        ValueError
            If `last_batch` is not set, or no model is.
        """
        if self.last_batch is None:
            raise ValueError("DASO: last_batch must be set to the number of the last batch, len(loader) - 1")
        if self._reducer is None:
            raise ValueError("DASO: no model is set; make a DataParallelMultiGPU, or call set_model")
        self._step_locally()
        batch, last = self.current_batch, self.current_batch >= self.last_batch
        exchange = last or self.global_skip == 0 or batch % self.global_skip == 0
        if self._sent is not None and (exchange or batch - self._sent.batch >= self._sent.wait):
            self._merge(self._sent, batch)
        if exchange:
            if last or self.batches_to_wait == 0:
                self._average()
            else:
                self._send(batch)
            self._turn = (self._turn + 1) % self._places
        following = 0 if last else batch + 1
        self.current_batch = following
        self.epoch += last
        self._reducer.enabled = (
            self.local_skip <= 1
            or following % self.local_skip == 0
            or following == self.last_batch
            or (self.global_skip > 0 and following % self.global_skip == 0)
        )

    def _step_locally(self) -> None:
        if self.scaler is not None:
            self.scaler.step(self.local_optimizer)
            self.scaler.update()
        else:
            self.local_optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()

    def _parameters(self) -> list[Tensor]:
        assert self.module is not None
        return [p.detach() for p in self.module.parameters() if p.requires_grad]

    def _average(self) -> None:
        """Parameters become the mean over the nodes, on all ranks."""
        for bucket in buckets(self._parameters(), _BUCKET):
            flat = torch.cat([p.reshape(-1) for p in bucket])
            if self.local_comm.rank == self._turn and self.global_comm.size > 1:
                flat = self.global_comm.allreduce(flat).div_(self.global_comm.size)
            _write(bucket, self.local_comm.bcast(flat, self._turn))

    def _send(self, batch: int) -> None:
        """Sums over the nodes start to travel."""
        parts = []
        if self.local_comm.rank == self._turn and self.global_comm.size > 1:
            flat = torch.cat([p.reshape(-1).to(self.downcast_type) for p in self._parameters()])
            parts = [self.global_comm.iallreduce(part) for part in flat.split(self.sending_chunk_size)]
        self._sent = _Sent(batch, self.batches_to_wait, self._turn, parts)

    def _merge(self, sent: _Sent, batch: int) -> None:
        """Sums of the past and parameters of now, weighted by how much was learnt in between."""
        self._sent = None
        parameters = self._parameters()
        if sent.parts:
            total = torch.cat([part.wait() for part in sent.parts])  # type: ignore[misc]
            weight = 2.0 * max(batch - sent.batch, 0.5)
            nodes = self.global_comm.size
            now = torch.cat([p.reshape(-1) for p in parameters])
            wide = torch.promote_types(now.dtype, torch.float32)
            merged = (weight * now.to(wide) + total.to(wide)) / (nodes + weight)
            _write(parameters, merged)
        for bucket in buckets(parameters, _BUCKET):
            flat = torch.cat([p.reshape(-1) for p in bucket])
            _write(bucket, self.local_comm.bcast(flat, sent.turn))


def _write(parameters: list[Tensor], flat: Tensor) -> None:
    for p, value in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        p.copy_(value.view_as(p))
