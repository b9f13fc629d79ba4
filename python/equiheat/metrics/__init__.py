# SPDX-License-Identifier: BSD-3-Clause
"""How good predictions and clusterings are: scikit-learn's names and values, on arrays with any split.

Every function gives the same numbers on every rank. Labels and targets are (n,), as arrays of ours or as NumPy arrays
that all ranks have; what is split otherwise than the first argument is redistributed.
"""

from __future__ import annotations

from equiheat.cluster.metrics import silhouette_samples as silhouette_samples
from equiheat.cluster.metrics import silhouette_score as silhouette_score
from equiheat.metrics.classification import accuracy_score as accuracy_score
from equiheat.metrics.classification import balanced_accuracy_score as balanced_accuracy_score
from equiheat.metrics.classification import confusion_matrix as confusion_matrix
from equiheat.metrics.classification import f1_score as f1_score
from equiheat.metrics.classification import log_loss as log_loss
from equiheat.metrics.classification import precision_score as precision_score
from equiheat.metrics.classification import recall_score as recall_score
from equiheat.metrics.clustering import adjusted_rand_score as adjusted_rand_score
from equiheat.metrics.clustering import normalized_mutual_info_score as normalized_mutual_info_score
from equiheat.metrics.regression import explained_variance_score as explained_variance_score
from equiheat.metrics.regression import max_error as max_error
from equiheat.metrics.regression import mean_absolute_error as mean_absolute_error
from equiheat.metrics.regression import mean_squared_error as mean_squared_error
from equiheat.metrics.regression import r2_score as r2_score
from equiheat.metrics.regression import root_mean_squared_error as root_mean_squared_error
