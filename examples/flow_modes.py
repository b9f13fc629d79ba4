# SPDX-License-Identifier: BSD-3-Clause
"""Modes of a flow: `mpirun -n 2 python examples/flow_modes.py [--picture FILE]`.

Vortices drift in a channel of 2,048 points while a second pattern pulsates and decays. Points are split over the
ranks; the columns are 120 instants. Principal components (PCA) find the patterns that vary most, dynamic mode
decomposition (DMD) finds how each of them moves: an eigenvalue for frequency and growth.
"""

from __future__ import annotations

import argparse

import numpy as np

import equiheat as ht

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--picture")
picture = parser.parse_args().picture

ROWS, COLUMNS, INSTANTS = 32, 64, 120
DRIFT, PULSE, DECAY = 0.15, 0.4, 0.99
point = ht.arange(ROWS * COLUMNS, dtype=ht.float64, split=0)
x = (point % COLUMNS) / COLUMNS * 2 * np.pi  # along the channel
y = ht.floor(point / COLUMNS) / ROWS * np.pi  # across it
instant = ht.arange(INSTANTS, dtype=ht.float64)

across = ht.sin(y).reshape(-1, 1)
drifting = across * ht.cos(2 * x.reshape(-1, 1) - DRIFT * instant)
pulsating = ht.sin(2 * y).reshape(-1, 1) * DECAY**instant * ht.sin(PULSE * instant)
standing = ht.sin(2 * y).reshape(-1, 1) * DECAY**instant * ht.cos(PULSE * instant) * ht.cos(x.reshape(-1, 1))
flow = drifting + 0.5 * (pulsating + standing)  # (2048, 120), points over the ranks

dmd = ht.decomposition.DMD(svd_solver="full", svd_tol=1e-12).fit(flow)
found = np.sort_complex(np.asarray(dmd.rom_eigenvalues_.numpy()))
truth = np.exp(1j * np.array([DRIFT, -DRIFT])), DECAY * np.exp(1j * np.array([PULSE, -PULSE]))
ht.print0("eigenvalues", np.round(found, 4))
np.testing.assert_allclose(found, np.sort_complex(np.concatenate(truth)), atol=1e-8)

pca = ht.decomposition.PCA(n_components=4, svd_solver="full").fit(flow.T)  # instants are samples, points features
share = pca.explained_variance_ratio_.numpy()
ht.print0("shares of the variance", np.round(share, 4))
np.testing.assert_allclose(share.sum(), 1, atol=1e-8)

modes, snapshot = dmd.dmdmodes_.numpy().real, flow[:, 0].numpy()
if picture and ht.get_comm().rank == 0:
    import matplotlib.pyplot as plt

    order = np.argsort(np.abs(np.angle(dmd.rom_eigenvalues_.numpy())))[::2]  # one of each pair
    shown = [snapshot, *(modes[:, n] for n in order)]
    figure, grid = plt.subplots(1, 3, figsize=(8, 2), layout="constrained")
    for axes, values, title in zip(grid, shown, ("first instant", "drifting mode", "decaying mode"), strict=True):
        axes.imshow(values.reshape(ROWS, COLUMNS), cmap="RdBu")
        axes.set_title(title, fontsize=9)
        axes.axis("off")
    figure.savefig(picture)
