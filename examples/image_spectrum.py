# SPDX-License-Identifier: BSD-3-Clause
"""Fourier transform and convolution of a photograph: `mpirun -n 2 python examples/image_spectrum.py [--picture FILE]`.

The photograph is split by rows. A blur is computed as a product of spectra and again as a convolution: the first costs
two changes of distribution, the second the rows beside each block. Prints the same at any number of ranks.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.datasets import load_sample_image

import equiheat as ht

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--picture")
picture = parser.parse_args().picture

photo = load_sample_image("china.jpg")[::2, ::2].mean(-1) / 255
image = ht.array(photo, split=0)  # (214, 320), rows over the ranks

WIDTH = 7
kernel = np.outer(np.hanning(WIDTH + 2)[1:-1], np.hanning(WIDTH + 2)[1:-1])
kernel /= kernel.sum()

# Circular convolution: product of spectra.
padded = np.zeros_like(photo)
padded[:WIDTH, :WIDTH] = kernel
padded = np.roll(padded, (-(WIDTH // 2), -(WIDTH // 2)), (0, 1))
spectrum = ht.fft.rfft2(image)
blurred = ht.fft.irfft2(spectrum * ht.fft.rfft2(ht.array(padded, split=0)), s=image.shape)

# The same from the neighbourhood of every pixel.
direct = ht.stencil(kernel, image, boundary="periodic")
edges = ht.ndimage.gaussian_gradient_magnitude(image, 1.0)

error = ht.abs(blurred - direct).max().item()
ht.print0(f"blurred two ways: they differ by {error:.1e}; mean edge {edges.mean().item():.4f}")
if error > 1e-12:
    raise SystemExit("image_spectrum: the two blurs differ")
np.testing.assert_allclose(spectrum.numpy(), np.fft.rfft2(photo), atol=1e-8)

shown = [image.numpy(), blurred.numpy(), edges.numpy(), ht.log(ht.abs(ht.fft.fftshift(ht.fft.fft2(image))) + 1).numpy()]
if picture and ht.get_comm().rank == 0:
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(1, 4, figsize=(9, 1.9), layout="constrained")
    for axes, values, title in zip(grid, shown, ("photograph", "blurred", "edges", "spectrum"), strict=True):
        axes.imshow(values, cmap="gray")
        axes.set_title(title, fontsize=9)
        axes.axis("off")
    figure.savefig(picture)
