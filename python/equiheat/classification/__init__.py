# SPDX-License-Identifier: BSD-3-Clause
"""Classification by neighbours."""

from __future__ import annotations

from equiheat.classification import kneighborsclassifier as kneighborsclassifier
from equiheat.classification import logisticregression as logisticregression
from equiheat.classification.kneighborsclassifier import KNeighborsClassifier as KNeighborsClassifier
from equiheat.classification.logisticregression import LogisticRegression as LogisticRegression
