# SPDX-License-Identifier: BSD-3-Clause
"""Measurements a user can run on his own machine: ``equiheat bench comm``."""

from __future__ import annotations
