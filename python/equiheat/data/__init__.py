# SPDX-License-Identifier: BSD-3-Clause
"""Data sets and samplers."""

from __future__ import annotations

from equiheat.data.arrays import ArrayImages as ArrayImages
from equiheat.data.bench3d import Objects3D as Objects3D
from equiheat.data.images import ImageSet as ImageSet
from equiheat.data.images import load_images as load_images
from equiheat.data.lazy import LazyImages as LazyImages
from equiheat.data.opening import open_images as open_images
from equiheat.data.prefetch import prefetched as prefetched
from equiheat.data.sharding import GlobalBatches as GlobalBatches
from equiheat.data.sharding import share as share
from equiheat.data.source import Batch as Batch
from equiheat.data.source import Source as Source
