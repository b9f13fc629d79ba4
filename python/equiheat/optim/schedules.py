# SPDX-License-Identifier: BSD-3-Clause
"""Learning-rate schedules as functions of the step."""

from __future__ import annotations

import math


def warmup_cosine(step: int, *, steps: int, warmup: int, final: float = 0.0) -> float:
    """Factor of the learning rate: linear rise over ``warmup`` steps, then half a cosine down to ``final``.

    Parameters
    ----------
    step
        0 to steps - 1.
    steps, warmup
        Length of the run and of the rise.
    final
        Factor at the end.
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
