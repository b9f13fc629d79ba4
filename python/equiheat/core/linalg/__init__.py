# SPDX-License-Identifier: BSD-3-Clause
"""Heat's linear algebra package: functions of `equiheat.linalg`."""

from __future__ import annotations

from equiheat import linalg
from equiheat.core._mirror import mirror
from equiheat.core.linalg import basics as basics
from equiheat.core.linalg import eigh as eigh
from equiheat.core.linalg import polar as polar
from equiheat.core.linalg import qr as qr
from equiheat.core.linalg import randomized as randomized
from equiheat.core.linalg import solver as solver
from equiheat.core.linalg import svd as svd
from equiheat.core.linalg import svdtools as svdtools

__getattr__, __dir__ = mirror(__name__, "equiheat.linalg", "equiheat")

# Functions and modules of one name: as attributes the functions, as in Heat.
globals().update({name: getattr(linalg, name) for name in ("eigh", "polar", "qr", "svd")})
