# SPDX-License-Identifier: BSD-3-Clause
"""Distances between rows of split matrices."""

from __future__ import annotations

from equiheat.spatial import distance as distance
from equiheat.spatial.distance import cdist as cdist
from equiheat.spatial.distance import manhattan as manhattan
from equiheat.spatial.distance import rbf as rbf
