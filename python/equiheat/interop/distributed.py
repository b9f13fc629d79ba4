# SPDX-License-Identifier: BSD-3-Clause
"""The backend ``equiheat`` of torch.distributed: its collectives are ours.

``import equiheat`` registers it. Under ``mpirun`` nothing else is needed::

    torch.distributed.init_process_group("equiheat")

Rank and size are those of the default communicator (`equiheat.use_comm`), and the ranks find each other through MPI:
neither ``RANK`` and ``MASTER_ADDR`` nor another launcher is asked for. Where those variables are set (by ``torchrun``)
they keep their meaning.
"""

from __future__ import annotations

import importlib
import os
import socket
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from mpi4py import MPI

from equiheat import _core
from equiheat.communication import get_comm

NAME = "equiheat"
#: MPI guarantees tags up to this one.
_LARGEST_TAG = 32767
#: What the rendezvous of torch's own launchers needs.
_LAUNCHED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")

Rendezvous = Iterator[tuple[Any, int, int]]
#: The ranks of the latest default group.
_whole: _core.Communicator | None = None


def register() -> None:
    """Make the backend and the rendezvous ``equiheat://`` known to torch. Local; idempotent."""
    if not dist.is_available() or NAME in dist.Backend.backend_list:
        return
    dist.Backend.register_backend(NAME, _create, extended_api=True, devices=["cpu", "cuda"])
    dist.register_rendezvous_handler(NAME, _rendezvous)  # type: ignore[attr-defined]
    handlers = importlib.import_module("torch.distributed.rendezvous")._rendezvous_handlers
    handlers["env"] = _unless_launched(handlers["env"])


def _unless_launched(handler: Callable[..., Rendezvous]) -> Callable[..., Rendezvous]:
    """The rendezvous ``env://``, the default one: through MPI where no launcher of torch has set its variables."""

    def rendezvous(url: str, timeout: timedelta = timedelta(minutes=30), **kwargs: Any) -> Rendezvous:
        says = "rank=" in url or "world_size=" in url
        if says or any(name in os.environ for name in _LAUNCHED):
            yield from handler(url, timeout=timeout, **kwargs)
        else:
            yield from _rendezvous(url, timeout=timeout)

    return rendezvous


def _rendezvous(url: str, timeout: timedelta = timedelta(minutes=30), **_: Any) -> Rendezvous:
    """A store that all ranks of the default communicator share, their rank and size. Collective."""
    comm = get_comm()
    yield _store(comm.handle, timeout), comm.rank, comm.size


def _store(comm: MPI.Comm, timeout: timedelta) -> Any:
    """A key-value store that rank 0 keeps. Collective."""
    if comm.Get_size() == 1:
        return dist.HashStore()  # type: ignore[attr-defined]
    server, failure = None, None
    if comm.Get_rank() == 0:
        try:
            size = comm.Get_size()
            server = dist.TCPStore("localhost", 0, size, True, timeout, wait_for_workers=False)  # type: ignore[attr-defined]
        except RuntimeError as error:
            failure = str(error)
    port, failure, nodes = comm.bcast((server and server.port, failure, socket.gethostname()))
    if failure is not None:
        raise RuntimeError(f"init_process_group: rank 0 could not open the store of the group: {failure}")
    if server is not None:
        return server
    host = "localhost" if nodes == socket.gethostname() else nodes
    return dist.TCPStore(host, port, comm.Get_size(), False, timeout)  # type: ignore[attr-defined]


def _create(options: Any, _: Any = None) -> Any:
    """The backend of one process group. Collective over its members alone."""
    rank, size = options.group_rank, options.group_size
    seconds = options.timeout.total_seconds()
    members = list(options.global_ranks_in_group)
    _core.await_members(options.store, rank, size, seconds)
    comm = _of_members(members, options.group_id) if members else _of_all(rank, size)
    return _core.process_group_backend(comm, options.store, seconds, options.group_id)


def _of_all(rank: int, size: int) -> _core.Communicator:
    """The default group: the ranks of the default communicator, in torch's order. Collective."""
    global _whole
    comm = get_comm()
    ranks = comm.allgather(torch.tensor([rank, size])).tolist()
    if sorted(ranks) != [[r, comm.size] for r in range(comm.size)]:
        raise ValueError(
            f"init_process_group: backend {NAME!r} was given the ranks and sizes {ranks} on the {comm.size} ranks of "
            "the communicator; leave rank and world_size out, or number the ranks of one mpirun from 0 to its size"
        )
    _whole = _core.polite_copy(comm.core, rank)
    return _whole


def _of_members(members: list[int], name: str) -> _core.Communicator:
    """A group of some ranks: torch calls this on its members alone."""
    tag = zlib.crc32(name.encode()) % _LARGEST_TAG
    return _core.polite_group(_parent(), members, tag)


def _parent() -> int:
    """Handle of the communicator whose ranks are torch's global ones."""
    torchs = dist.get_rank(), dist.get_world_size()
    if _whole is not None and (_whole.rank, _whole.size) == torchs:
        return int(_whole.fortran_handle)
    world = MPI.COMM_WORLD
    if (world.Get_rank(), world.Get_size()) == torchs:
        return world.py2f()
    raise ValueError(
        f"new_group: rank {torchs[0]} of {torchs[1]} is rank {world.Get_rank()} of {world.Get_size()} of MPI; where "
        f"the default group is of another backend, a group of backend {NAME!r} needs the same numbers in both"
    )
