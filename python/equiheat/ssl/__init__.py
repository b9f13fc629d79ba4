# SPDX-License-Identifier: BSD-3-Clause
"""Self-supervised training of equivariant image features, and the probes that judge them."""

from __future__ import annotations
