# SPDX-License-Identifier: BSD-3-Clause
"""Clustering of split samples."""

from __future__ import annotations

from equiheat.cluster import batchparallelclustering as batchparallelclustering
from equiheat.cluster import dbscan as dbscan
from equiheat.cluster import kmeans as kmeans
from equiheat.cluster import kmedians as kmedians
from equiheat.cluster import kmedoids as kmedoids
from equiheat.cluster import metrics as metrics
from equiheat.cluster import spectral as spectral
from equiheat.cluster.batchparallelclustering import BatchParallelKMeans as BatchParallelKMeans
from equiheat.cluster.batchparallelclustering import BatchParallelKMedians as BatchParallelKMedians
from equiheat.cluster.dbscan import DBSCAN as DBSCAN
from equiheat.cluster.kmeans import KMeans as KMeans
from equiheat.cluster.kmedians import KMedians as KMedians
from equiheat.cluster.kmedoids import KMedoids as KMedoids
from equiheat.cluster.spectral import Spectral as Spectral
