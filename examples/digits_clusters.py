# SPDX-License-Identifier: BSD-3-Clause
"""Moments and k-means of handwritten digits: `mpirun -n 2 python examples/digits_clusters.py [--picture FILE]`.

1,797 images of 8 x 8 pixels, split over the ranks. One pass over each rank's rows and one small allreduce give the
moments; an iteration of k-means costs the same. Prints the same at any number of ranks.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

import equiheat as ht

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--picture")
picture = parser.parse_args().picture

pixels, digit = load_digits(return_X_y=True)
x = ht.array(pixels, split=0)  # each rank keeps its rows

mean, deviation, skewness = x.mean(axis=0), x.std(axis=0), ht.skew(x, axis=None)
ht.print0(f"mean {x.mean().item():.3f}, largest deviation {deviation.max().item():.3f}, skewness {skewness.item():.3f}")

first = ht.array(pixels[:10])  # the first ten images are 0 to 9
clusters = ht.cluster.KMeans(n_clusters=10, init=first).fit(x)
agreement = ht.metrics.adjusted_rand_score(ht.array(digit, split=0), clusters.labels_)
ht.print0(f"k-means: {clusters.n_iter_} iterations, inertia {clusters.inertia_:.0f}, agreement {agreement:.3f}")

# The same from NumPy and scikit-learn.
np.testing.assert_allclose(mean.numpy(), pixels.mean(0), rtol=1e-10, atol=1e-12)
np.testing.assert_allclose(deviation.numpy(), pixels.std(0), rtol=1e-10, atol=1e-12)
reference = KMeans(10, init=pixels[:10], n_init=1, algorithm="lloyd").fit(pixels)
np.testing.assert_allclose(clusters.inertia_, reference.inertia_, rtol=1e-6)

centres = clusters.cluster_centers_.numpy().reshape(10, 8, 8)
if picture and ht.get_comm().rank == 0:
    import matplotlib.pyplot as plt

    shown = [mean.numpy().reshape(8, 8), deviation.numpy().reshape(8, 8), *centres]
    titles = ["mean", "deviation", *(f"centre {n}" for n in range(10))]
    figure, grid = plt.subplots(2, 6, figsize=(7, 2.8), layout="constrained")
    for axes, image, title in zip(grid.flat, shown, titles, strict=True):
        axes.imshow(image, cmap="gray_r")
        axes.set_title(title, fontsize=8)
        axes.axis("off")
    figure.savefig(picture)
