# SPDX-License-Identifier: BSD-3-Clause
"""Heat, with an empty torchvision where there is none."""

from __future__ import annotations

import pathlib
import sys
from typing import Any


def import_heat() -> Any:
    """As in the comparison of single operations."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "versus_heat"))
    import timing

    return timing.import_heat()
