# SPDX-License-Identifier: BSD-3-Clause
"""Samples to learn from and samples to judge by."""

from __future__ import annotations

from equiheat.model_selection.split import train_test_split as train_test_split
