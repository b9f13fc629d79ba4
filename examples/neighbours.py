# SPDX-License-Identifier: BSD-3-Clause
"""Nearest neighbours and clusters of density: `mpirun -n 2 python examples/neighbours.py [--picture FILE]`.

Two interleaved half-moons: DBSCAN tells them apart by density, and a classifier by the nearest labelled points. Blocks
of samples travel round the ranks; no matrix of all distances exists. Prints the same at any number of ranks.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.cluster import DBSCAN
from sklearn.datasets import make_moons

import equiheat as ht

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--picture")
picture = parser.parse_args().picture

points, moon = make_moons(1500, noise=0.06, random_state=0)
x, truth = ht.array(points, split=0), ht.array(moon, split=0)

density = ht.cluster.DBSCAN(eps=0.12, min_samples=8).fit(x)
labels = density.labels_
clusters = int(labels.max().item()) + 1
noise = int((labels == -1).sum().item())
ht.print0(f"DBSCAN: {clusters} clusters, {noise} points of noise")
np.testing.assert_array_equal(labels.numpy(), DBSCAN(eps=0.12, min_samples=8).fit(points).labels_)

train, test, known, asked = ht.model_selection.train_test_split(x, truth, test_size=0.3, random_state=0)
neighbours = ht.classification.KNeighborsClassifier(n_neighbors=5).fit(train, known)
accuracy = ht.metrics.accuracy_score(asked, neighbours.predict(test))
ht.print0(f"5 nearest neighbours: {accuracy:.1%} of {len(test)} points right")
if clusters != 2 or accuracy < 0.98:
    raise SystemExit("neighbours: the moons were not told apart")

found = labels.numpy()
if picture and ht.get_comm().rank == 0:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    for label, color in ((0, "C0"), (1, "C1"), (-1, "black")):
        axes.plot(*points[found == label].T, ".", color=color, markersize=3, label="noise" if label < 0 else None)
    axes.set_aspect("equal")
    axes.legend()
    figure.savefig(picture)
