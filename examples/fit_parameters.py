# SPDX-License-Identifier: BSD-3-Clause
"""Parameters fitted through a simulation: `mpirun -n 2 python examples/fit_parameters.py [--picture FILE]`.

A rod conducts heat and is carried along; we see it before and after, and look for conductivity and speed. The rod is
split over the ranks, so every step of the simulation exchanges halos, and the gradient goes back through all of them.
Prints the same at any number of ranks.
"""

from __future__ import annotations

import argparse

import numpy as np

import equiheat as ht

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--picture")
picture = parser.parse_args().picture

POINTS, STEPS = 400, 25
place = ht.arange(POINTS, dtype=ht.float64, split=0)
before = ht.exp(-(((place - 150) / 12) ** 2)) + 0.5 * ht.exp(-(((place - 230) / 8) ** 2))


def simulate(u: ht.DNDarray, conductivity: ht.DNDarray, speed: ht.DNDarray) -> ht.DNDarray:
    for _ in range(STEPS):
        left, right = ht.roll(u, 1), ht.roll(u, -1)  # along the split: rows of the neighbouring ranks
        u = u + conductivity * (left - 2 * u + right) - speed * (right - left) / 2
    return u


truth = ht.array([0.35, 0.25], dtype=ht.float64)
after = simulate(before, truth[0], truth[1])

guess = ht.array([0.1, 0.0], dtype=ht.float64).requires_grad_()
moment, square, losses = 0.0, 0.0, []
for step in range(1, 121):  # Adam
    loss = ((simulate(before, guess[0], guess[1]) - after) ** 2).sum()
    loss.backward()
    gradient = guess.grad
    moment, square = 0.8 * moment + 0.2 * gradient, 0.95 * square + 0.05 * gradient**2
    change = (moment / (1 - 0.8**step)) / (ht.sqrt(square / (1 - 0.95**step)) + 1e-12)
    guess = (guess - 0.02 * 0.96**step * change).detach().requires_grad_()
    losses.append(loss.item())

found = guess.numpy()
ht.print0(f"conductivity {found[0]:.3f}, speed {found[1]:.3f} after {len(losses)} steps; loss {losses[-1]:.1e}")
np.testing.assert_allclose(found, truth.numpy(), atol=0.01)

fitted, seen, start = simulate(before, guess[0], guess[1]).numpy(), after.numpy(), before.numpy()
if picture and ht.get_comm().rank == 0:
    import matplotlib.pyplot as plt

    figure, (rod, course) = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
    rod.plot(start, color="grey", label="before")
    rod.plot(seen, label="after")
    rod.plot(fitted, "--", label="fitted")
    rod.legend(fontsize=8)
    course.semilogy(losses)
    course.set(xlabel="step", ylabel="loss")
    figure.savefig(picture)
