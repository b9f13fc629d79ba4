# SPDX-License-Identifier: BSD-3-Clause
"""Self-supervised methods and the auxiliaries that wrap them.

A method is a module ``method(first, second, views) -> terms``: features of the two views, the views themselves, and a
dictionary of scalars over the global batch, of which ``loss`` is minimised and the others are logged.
"""

from __future__ import annotations

from equiheat.ssl.methods.ecr import ECR as ECR
from equiheat.ssl.methods.ecr import ECRConfig as ECRConfig
from equiheat.ssl.methods.vicreg import VICReg as VICReg
from equiheat.ssl.methods.vicreg import VICRegConfig as VICRegConfig
