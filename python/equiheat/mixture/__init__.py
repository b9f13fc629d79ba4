# SPDX-License-Identifier: BSD-3-Clause
"""Samples as draws from a mixture of distributions."""

from __future__ import annotations

from equiheat.mixture.gaussian import GaussianMixture as GaussianMixture
