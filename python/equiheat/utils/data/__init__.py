# SPDX-License-Identifier: BSD-3-Clause
"""Data sets on split arrays, loaders and samplers for torch, matrices and clusters to test with."""

from __future__ import annotations

from equiheat.utils.data import matrixgallery as matrixgallery
from equiheat.utils.data import mnist as mnist
from equiheat.utils.data import spherical as spherical
from equiheat.utils.data.datatools import DataLoader as DataLoader
from equiheat.utils.data.datatools import Dataset as Dataset
from equiheat.utils.data.datatools import DistributedDataset as DistributedDataset
from equiheat.utils.data.datatools import DistributedSampler as DistributedSampler
from equiheat.utils.data.datatools import create_train_val_split as create_train_val_split
from equiheat.utils.data.datatools import dataset_irecv as dataset_irecv
from equiheat.utils.data.datatools import dataset_ishuffle as dataset_ishuffle
from equiheat.utils.data.datatools import dataset_shuffle as dataset_shuffle
from equiheat.utils.data.partial_dataset import PartialH5DataLoaderIter as PartialH5DataLoaderIter
from equiheat.utils.data.partial_dataset import PartialH5Dataset as PartialH5Dataset
