# SPDX-License-Identifier: BSD-3-Clause
"""Graphs of samples."""

from __future__ import annotations

from equiheat.graph import laplacian as laplacian
from equiheat.graph.laplacian import Laplacian as Laplacian
