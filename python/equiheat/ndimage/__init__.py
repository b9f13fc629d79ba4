# SPDX-License-Identifier: BSD-3-Clause
"""Filters and morphology of split images of any number of axes, with the names and meanings of ``scipy.ndimage``.

All of them keep shape and distribution, fetch the rows a block lacks from its neighbours while the interior is
computed, and are differentiable where their values are real.
"""

from __future__ import annotations

from equiheat.ndimage.filters import (
    convolve as convolve,
)
from equiheat.ndimage.filters import (
    convolve1d as convolve1d,
)
from equiheat.ndimage.filters import (
    correlate as correlate,
)
from equiheat.ndimage.filters import (
    correlate1d as correlate1d,
)
from equiheat.ndimage.filters import (
    gaussian_filter as gaussian_filter,
)
from equiheat.ndimage.filters import (
    gaussian_filter1d as gaussian_filter1d,
)
from equiheat.ndimage.filters import (
    gaussian_gradient_magnitude as gaussian_gradient_magnitude,
)
from equiheat.ndimage.filters import (
    gaussian_laplace as gaussian_laplace,
)
from equiheat.ndimage.filters import (
    laplace as laplace,
)
from equiheat.ndimage.filters import (
    prewitt as prewitt,
)
from equiheat.ndimage.filters import (
    sobel as sobel,
)
from equiheat.ndimage.filters import (
    uniform_filter as uniform_filter,
)
from equiheat.ndimage.filters import (
    uniform_filter1d as uniform_filter1d,
)
from equiheat.ndimage.morphology import (
    binary_closing as binary_closing,
)
from equiheat.ndimage.morphology import (
    binary_dilation as binary_dilation,
)
from equiheat.ndimage.morphology import (
    binary_erosion as binary_erosion,
)
from equiheat.ndimage.morphology import (
    binary_fill_holes as binary_fill_holes,
)
from equiheat.ndimage.morphology import (
    binary_opening as binary_opening,
)
from equiheat.ndimage.morphology import (
    binary_propagation as binary_propagation,
)
from equiheat.ndimage.morphology import (
    black_tophat as black_tophat,
)
from equiheat.ndimage.morphology import (
    grey_closing as grey_closing,
)
from equiheat.ndimage.morphology import (
    grey_dilation as grey_dilation,
)
from equiheat.ndimage.morphology import (
    grey_erosion as grey_erosion,
)
from equiheat.ndimage.morphology import (
    grey_opening as grey_opening,
)
from equiheat.ndimage.morphology import (
    morphological_gradient as morphological_gradient,
)
from equiheat.ndimage.morphology import (
    morphological_laplace as morphological_laplace,
)
from equiheat.ndimage.morphology import (
    white_tophat as white_tophat,
)
from equiheat.ndimage.order import (
    maximum_filter as maximum_filter,
)
from equiheat.ndimage.order import (
    maximum_filter1d as maximum_filter1d,
)
from equiheat.ndimage.order import (
    median_filter as median_filter,
)
from equiheat.ndimage.order import (
    minimum_filter as minimum_filter,
)
from equiheat.ndimage.order import (
    minimum_filter1d as minimum_filter1d,
)
from equiheat.ndimage.order import (
    percentile_filter as percentile_filter,
)
from equiheat.ndimage.order import (
    rank_filter as rank_filter,
)
