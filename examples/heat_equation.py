# SPDX-License-Identifier: BSD-3-Clause
"""The heat equation with a stencil: `mpirun -n 2 python examples/heat_equation.py [--picture FILE]`.

A plate of 96 x 96 points, rows over the ranks. A step looks at four neighbours; at the edge of a block those are rows
of another rank, which travel while the interior is computed. A product of sines decays by a factor that is known
exactly. Prints the same at any number of ranks.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

import equiheat as ht

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--picture")
picture = parser.parse_args().picture

SIDE, STEPS, FLOW = 96, 400, 0.2
place = ht.arange(SIDE, dtype=ht.float64, split=0)
wave = ht.sin(2 * np.pi * place / SIDE)
plate = wave.reshape(SIDE, 1) * wave.resplit(None)  # (96, 96), rows over the ranks

weights = torch.tensor([[0, FLOW, 0], [FLOW, 1 - 4 * FLOW, FLOW], [0, FLOW, 0]], dtype=torch.float64)
u, following = plate.copy(), ht.zeros_like(plate)
for _ in range(STEPS):
    ht.stencil(weights, u, boundary="periodic", out=following)
    u, following = following, u

decay = (1 - 4 * FLOW * (1 - np.cos(2 * np.pi / SIDE))) ** STEPS
error = ht.abs(u - decay * plate).max().item()
ht.print0(f"after {STEPS} steps {decay:.4f} of the amplitude is left; largest error {error:.1e}")
if error > 1e-12:
    raise SystemExit("heat_equation: the plate did not cool as it must")

# A hot spot on a plate whose rim is kept cold.
spot = ht.zeros((SIDE, SIDE), dtype=ht.float64, split=0)
spot[20:40, 30:70] = 1.0
frames = [spot.numpy()]
for _ in range(2):
    for _ in range(STEPS):
        spot = ht.stencil(weights, spot, boundary="constant")
    frames.append(spot.numpy())
if not 0 < frames[2].sum() < frames[1].sum() < frames[0].sum():
    raise SystemExit("heat_equation: the rim must take heat away")

if picture and ht.get_comm().rank == 0:
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(1, 3, figsize=(7, 2.5), layout="constrained")
    for axes, frame, steps in zip(grid, frames, (0, STEPS, 2 * STEPS), strict=True):
        axes.imshow(frame, cmap="inferno")
        axes.axhline(SIDE / 2, color="white", linewidth=0.5)  # between two ranks
        axes.set_title(f"step {steps}", fontsize=9)
        axes.axis("off")
    figure.savefig(picture)
