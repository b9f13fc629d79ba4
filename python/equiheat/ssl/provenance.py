# SPDX-License-Identifier: BSD-3-Clause
"""What a run was made with."""

from __future__ import annotations

import functools
import platform
import subprocess
from pathlib import Path

import torch

import equiheat as ht


@functools.cache
def commit(folder: Path) -> str:
    """Git commit of a folder's checkout, with "+" when files differ from it; empty where there is none."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return ""

    head = git("rev-parse", "HEAD")
    return head + "+" if head and git("status", "--porcelain", "--untracked-files=no") else head


def provenance() -> dict[str, str]:
    """Versions, the commit of equiheat where it runs from a checkout, and that of the working folder."""
    found = {
        "equiheat": ht.__version__,
        "equiheat_commit": commit(Path(__file__).resolve().parent),
        "project_commit": commit(Path.cwd()),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    return {name: value for name, value in found.items() if value}
