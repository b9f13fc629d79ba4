# SPDX-License-Identifier: BSD-3-Clause
"""Linear regression."""

from __future__ import annotations

from equiheat.regression import lasso as lasso
from equiheat.regression import linear as linear
from equiheat.regression.lasso import Lasso as Lasso
from equiheat.regression.linear import ElasticNet as ElasticNet
from equiheat.regression.linear import LinearRegression as LinearRegression
from equiheat.regression.linear import Ridge as Ridge
