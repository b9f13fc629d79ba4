# SPDX-License-Identifier: BSD-3-Clause
"""Requests, and the abstract base of communicators."""

from __future__ import annotations

from equiheat.buffers import MPIRequest
from equiheat.objects import Communication

__all__ = ["Communication", "MPIRequest"]
