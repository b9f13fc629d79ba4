# SPDX-License-Identifier: BSD-3-Clause
"""Gradient averaging over ranks and learning-rate schedules."""

from __future__ import annotations

from equiheat.optim.gradients import average_gradients as average_gradients
from equiheat.optim.schedules import warmup_cosine as warmup_cosine
