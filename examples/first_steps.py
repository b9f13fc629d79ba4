# SPDX-License-Identifier: BSD-3-Clause
"""First steps: `mpirun -n 2 python examples/first_steps.py [--picture FILE]`.

Prints the same at any number of ranks, except for the line of the blocks: 1,000 rows on 1 rank, 250 each on 4.
"""

from __future__ import annotations

import argparse

import numpy as np

import equiheat as ht

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--picture")
picture = parser.parse_args().picture

ht.random.seed(0)
x = ht.random.randn(1000, 3, split=0)  # 1,000 rows over the ranks; the same numbers at any rank count
truth = ht.array([[2.0], [-1.0], [0.5]])
y = x @ truth + 0.1 * ht.random.randn(1000, 1, split=0)

ht.print0("x lies as", x.lshape_map.tolist())
ht.print0("column means", x.mean(axis=0))  # one small allreduce

# Least squares, distributed: no rank ever holds all rows.
weights = ht.linalg.lstsq(x, y)[0]
ht.print0("weights", weights.resplit(None))

# Gradients go through every operation, and through the communication.
w = ht.zeros((3, 1)).requires_grad_()
losses = []
for _ in range(50):
    loss = ((x @ w - y) ** 2).mean()
    loss.backward()
    w = (w - 0.4 * w.grad).detach().requires_grad_()
    losses.append(loss.item())  # the same number on every rank
ht.print0("weights by gradient descent", w.detach(), "loss", round(losses[-1], 4))

np.testing.assert_allclose(weights.numpy(), truth.numpy(), atol=0.02)
np.testing.assert_allclose(w.numpy(), weights.numpy(), atol=1e-3)

if picture and ht.get_comm().rank == 0:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    axes.semilogy(losses)
    axes.set(xlabel="step of gradient descent", ylabel="mean squared error")
    figure.savefig(picture)
