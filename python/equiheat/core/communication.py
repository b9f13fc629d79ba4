# SPDX-License-Identifier: BSD-3-Clause
"""Heat's module of this name: communicators, with MPI's names of operations on buffers."""

from __future__ import annotations

from equiheat.communication import MPICommunication, get_comm, sanitize_comm, use_comm
from equiheat.core._requests import Communication, MPIRequest

__all__ = ["Communication", "MPICommunication", "MPIRequest", "get_comm", "sanitize_comm", "use_comm"]
