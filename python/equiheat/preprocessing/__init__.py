# SPDX-License-Identifier: BSD-3-Clause
"""Scaling of features and of samples, categories as columns, products of features."""

from __future__ import annotations

from equiheat.preprocessing import preprocessing as preprocessing
from equiheat.preprocessing.encoding import OneHotEncoder as OneHotEncoder
from equiheat.preprocessing.polynomial import PolynomialFeatures as PolynomialFeatures
from equiheat.preprocessing.preprocessing import MaxAbsScaler as MaxAbsScaler
from equiheat.preprocessing.preprocessing import MinMaxScaler as MinMaxScaler
from equiheat.preprocessing.preprocessing import Normalizer as Normalizer
from equiheat.preprocessing.preprocessing import RobustScaler as RobustScaler
from equiheat.preprocessing.preprocessing import StandardScaler as StandardScaler
