# SPDX-License-Identifier: BSD-3-Clause
"""Samples, or series of states, in terms of a few directions."""

from __future__ import annotations

from equiheat.decomposition import dmd as dmd
from equiheat.decomposition import pca as pca
from equiheat.decomposition.dmd import DMD as DMD
from equiheat.decomposition.dmd import DMDc as DMDc
from equiheat.decomposition.incremental import IncrementalPCA as IncrementalPCA
from equiheat.decomposition.pca import PCA as PCA
