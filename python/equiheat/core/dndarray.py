# SPDX-License-Identifier: BSD-3-Clause
"""Heat's module of this name: the array class."""

from __future__ import annotations

from equiheat.array import DNDarray
from equiheat.heat_methods import LocalIndex

__all__ = ["DNDarray", "LocalIndex"]
