# SPDX-License-Identifier: BSD-3-Clause
"""Requests, and the abstract base of communicators."""

from __future__ import annotations

from typing import Any

from equiheat.buffers import MPIRequest

__all__ = ["Communication", "MPIRequest"]


class Communication:
    """What every communicator offers; `MPICommunication` is the one there is."""

    @staticmethod
    def is_distributed() -> bool:
        """Whether there is more than one rank."""
        raise NotImplementedError("Communication is abstract; use MPICommunication")

    def chunk(
        self, shape: Any, split: int | None, rank: int | None = None, w_size: int | None = None, sparse: bool = False
    ) -> Any:
        """Offset, local shape and slices of a rank's block."""
        raise NotImplementedError("Communication is abstract; use MPICommunication")
