# SPDX-License-Identifier: BSD-3-Clause
"""Where other frameworks meet the core: the backend ``equiheat`` of torch.distributed."""

from __future__ import annotations

from equiheat.interop.distributed import register as register
