# SPDX-License-Identifier: BSD-3-Clause
"""Probes of frozen features: how well do they tell which transformation happened, and which class is shown?

Features of all ranks' images form split arrays; ridge regression is solved in closed form from one distributed product,
the perceptron and the linear classifier sum their gradients over the ranks.
"""

from __future__ import annotations

from equiheat.ssl.probes.classification import LinearClassifier as LinearClassifier
from equiheat.ssl.probes.classification import fit_classifier as fit_classifier
from equiheat.ssl.probes.families import DEFAULT_FAMILIES as DEFAULT_FAMILIES
from equiheat.ssl.probes.families import FAMILIES as FAMILIES
from equiheat.ssl.probes.families import Family as Family
from equiheat.ssl.probes.families import ProbeRanges as ProbeRanges
from equiheat.ssl.probes.families import transformed as transformed
from equiheat.ssl.probes.features import FrozenEncoder as FrozenEncoder
from equiheat.ssl.probes.features import ImageRows as ImageRows
from equiheat.ssl.probes.features import raw_pixels as raw_pixels
from equiheat.ssl.probes.foreign import foreign_encoder as foreign_encoder
from equiheat.ssl.probes.metrics import RegressionScore as RegressionScore
from equiheat.ssl.probes.metrics import r2_score as r2_score
from equiheat.ssl.probes.mlp import MlpConfig as MlpConfig
from equiheat.ssl.probes.mlp import MlpFit as MlpFit
from equiheat.ssl.probes.mlp import fit_mlp as fit_mlp
from equiheat.ssl.probes.neighbours import effective_rank as effective_rank
from equiheat.ssl.probes.neighbours import knn_accuracy as knn_accuracy
from equiheat.ssl.probes.objects import ObjectProbeConfig as ObjectProbeConfig
from equiheat.ssl.probes.objects import ObjectScores as ObjectScores
from equiheat.ssl.probes.objects import prediction_retrieval_error as prediction_retrieval_error
from equiheat.ssl.probes.objects import probe_objects as probe_objects
from equiheat.ssl.probes.objects import retrieval as retrieval
from equiheat.ssl.probes.ridge import RidgeFit as RidgeFit
from equiheat.ssl.probes.ridge import fit_ridge as fit_ridge
from equiheat.ssl.probes.small import EquivarianceError as EquivarianceError
from equiheat.ssl.probes.small import equivariance_errors as equivariance_errors
from equiheat.ssl.probes.suite import ProbeConfig as ProbeConfig
from equiheat.ssl.probes.suite import ProbeRow as ProbeRow
from equiheat.ssl.probes.suite import probe_encoder as probe_encoder
