# SPDX-License-Identifier: BSD-3-Clause
"""Heat's helpers: data sets and loaders, matrices and clusters to test with, torchvision's transforms."""

from __future__ import annotations

from equiheat.utils import data as data
from equiheat.utils import vision_transforms as vision_transforms
