# SPDX-License-Identifier: BSD-3-Clause
"""Heat's module of this name: functions mapped over the split axis."""

from __future__ import annotations

from equiheat.mapping import vmap

__all__ = ["vmap"]
