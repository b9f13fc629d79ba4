# SPDX-License-Identifier: BSD-3-Clause
"""Heat's module of this name: the transforms of `equiheat.fft`."""

from __future__ import annotations

from equiheat.core._mirror import mirror

__getattr__, __dir__ = mirror(__name__, "equiheat.fft")
