# SPDX-License-Identifier: BSD-3-Clause
"""Heat's module of this name: communicators, with MPI's names of operations on buffers."""

from __future__ import annotations

from equiheat import communication
from equiheat.communication import MPICommunication, get_comm, sanitize_comm, use_comm
from equiheat.core._requests import Communication, MPIRequest


def __getattr__(name: str) -> MPICommunication:
    """MPI_WORLD and MPI_SELF."""
    found: MPICommunication = getattr(communication, name)
    return found


__all__ = ["Communication", "MPICommunication", "MPIRequest", "get_comm", "sanitize_comm", "use_comm"]
