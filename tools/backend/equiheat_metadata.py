# SPDX-License-Identifier: BSD-3-Clause
"""The wheel's run-time requirements: the torch release series it is compiled against, and nothing vague.

torch's C++ interface changes between minor releases, so a wheel for 2.13 must pull in a 2.13.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

FIND_TORCH = pathlib.Path(__file__).parents[2] / "cmake" / "find_torch.py"


def torch_requirement(supported: str) -> str:
    """`torch>=2.13,<2.14` for an installed 2.13.0; the supported range where there is none (an sdist)."""
    found = subprocess.run([sys.executable, FIND_TORCH], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        return supported
    major, minor = (int(part) for part in found.stdout.split(";")[1].split(".")[:2])
    return f"torch>={major}.{minor},<{major}.{minor + 1}"


def dynamic_metadata(field: str, settings: Mapping[str, Any]) -> list[str]:
    """scikit-build-core's hook."""
    if field != "dependencies":
        raise RuntimeError(f"equiheat_metadata provides 'dependencies', not {field!r}")
    return [torch_requirement(settings["torch"]), *settings["others"]]
