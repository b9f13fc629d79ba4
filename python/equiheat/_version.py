# SPDX-License-Identifier: BSD-3-Clause
"""The version: pyproject.toml and CMakeLists.txt read it from here."""

from __future__ import annotations

__version__ = "0.1.0"
