# SPDX-License-Identifier: BSD-3-Clause
"""Data sets and samplers."""

from __future__ import annotations

from equiheat.data.images import ImageSet as ImageSet
from equiheat.data.images import load_images as load_images
from equiheat.data.sharding import GlobalBatches as GlobalBatches
from equiheat.data.sharding import share as share
