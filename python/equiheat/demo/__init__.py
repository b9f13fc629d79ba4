# SPDX-License-Identifier: BSD-3-Clause
"""The demonstration: ``mpiexec -n 2 python -m equiheat.demo --out runs/demo``.

An array program on a real data set, checked against NumPy; then VICReg with and without cross-attention reconstruction
on real images, probed beside a random encoder; and a report to look at.
"""

from __future__ import annotations
