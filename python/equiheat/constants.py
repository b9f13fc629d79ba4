# SPDX-License-Identifier: BSD-3-Clause
"""Mathematical constants as Python floats, under NumPy's and Heat's names."""

from __future__ import annotations

import math

__all__ = [
    "INF",
    "NAN",
    "NINF",
    "PI",
    "E",
    "Euler",
    "Inf",
    "Infinity",
    "Infty",
    "NaN",
    "e",
    "inf",
    "nan",
    "newaxis",
    "pi",
]

pi = PI = math.pi
e = E = Euler = math.e
inf = Inf = INF = Infinity = Infty = math.inf
NINF = -math.inf
nan = NaN = NAN = math.nan
newaxis = None
