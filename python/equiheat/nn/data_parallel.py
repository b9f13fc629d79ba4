# SPDX-License-Identifier: BSD-3-Clause
"""Models that are trained on all ranks at once, each rank with its part of the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from equiheat.communication import Communicator, get_comm, sanitize_comm
from equiheat.optim.daso import DASO
from equiheat.optim.dp_optimizer import DataParallelOptimizer
from equiheat.optim.reducer import Reducer, broadcast_state

__all__ = ["DataParallel", "DataParallelMultiGPU"]


class DataParallel(torch.nn.Module):
    """A model that every rank holds, whose gradients are averaged over the ranks.

    With a loss that is a mean over this rank's samples and equally many samples on every rank, a step is the step of
    one process with all samples.

    Parameters
    ----------
    module : torch.nn.Module
        The model. Parameters and buffers become those of rank 0.
    comm : Communicator
        The ranks.
    optimizer : DataParallelOptimizer, or several
        Those that step the model.
    blocking_parameter_updates : bool
        True: ``backward`` returns with averages. False: they are under way until ``optimizer.step()`` (or the next
        forward pass), so that what is computed in between overlaps with the messages. Results are the same.

    Raises
    ------
    TypeError
        For another kind of optimizer; DASO belongs to `DataParallelMultiGPU`.

    Notes
    -----
    Gradients travel in buckets of 4 MB, the last layers first, while the backward pass computes those of earlier
    layers: one allreduce per bucket. Every rank must make the same backward passes. Running statistics of batch
    normalisation stay each rank's own.

    Examples
    --------
    >>> model = torch.nn.Linear(3, 1)
    >>> optimizer = ht.optim.DataParallelOptimizer(torch.optim.SGD(model.parameters(), lr=0.1))
    >>> net = ht.nn.DataParallel(model, ht.get_comm(), optimizer)
    >>> net(torch.ones(4, 3)).pow(2).mean().backward()
    >>> optimizer.step()
    """

    def __init__(
        self,
        module: torch.nn.Module,
        comm: Communicator,
        optimizer: DataParallelOptimizer | Sequence[DataParallelOptimizer],
        blocking_parameter_updates: bool = False,
    ) -> None:
        super().__init__()
        optimizers: list[Any] = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
        for one in optimizers:
            if isinstance(one, DASO):
                raise TypeError("DataParallel: DASO is the optimizer of DataParallelMultiGPU")
            if not isinstance(one, DataParallelOptimizer):
                raise TypeError(f"DataParallel: optimizer must be a DataParallelOptimizer, is {type(one)}")
        comm = sanitize_comm(comm)
        self.module = module
        self.comm = comm
        self.blocking_parameter_updates = blocking_parameter_updates
        broadcast_state(module, comm)
        self._reducer = Reducer(module.parameters(), comm, blocking=blocking_parameter_updates)
        for one in optimizers:
            one.follow(self._reducer)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the model gives for this rank's inputs. Local, once the gradients of the last pass have arrived."""
        self._reducer.finish()
        return self.module(*inputs, **kwargs)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Backward passes in this block add up gradients on each rank; the next one outside averages the sums."""
        self._reducer.finish()
        self._reducer.enabled = False
        try:
            yield
        finally:
            self._reducer.enabled = True


class DataParallelMultiGPU(torch.nn.Module):
    """A model whose gradients are averaged over the ranks of a node; `DASO` keeps the nodes together.

    Parameters
    ----------
    module : torch.nn.Module
        The model. Parameters and buffers become those of rank 0.
    optimizer : DASO
        Steps the model, and knows which ranks are a node.
    comm : Communicator, optional
        All ranks; default: the default communicator.

    Raises
    ------
    TypeError
        For another optimizer.

    Notes
    -----
    Works with processors as with GPUs. Heat's needs torch's process group; here there is none.
    """

    def __init__(self, module: torch.nn.Module, optimizer: DASO, comm: Communicator | None = None) -> None:
        super().__init__()
        if not isinstance(optimizer, DASO):
            raise TypeError(f"DataParallelMultiGPU: optimizer must be a DASO, is {type(optimizer)}")
        self.module = module
        self.comm = get_comm() if comm is None else comm
        broadcast_state(module, self.comm)
        optimizer.set_model(module)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the model gives for this rank's inputs. Local."""
        return self.module(*inputs, **kwargs)
