# SPDX-License-Identifier: BSD-3-Clause
"""Naive Bayes classifiers."""

from __future__ import annotations

from equiheat.naive_bayes import gaussianNB as gaussianNB
from equiheat.naive_bayes.gaussianNB import GaussianNB as GaussianNB
