# SPDX-License-Identifier: BSD-3-Clause
"""scikit-build-core, asked to bring torch and MPI into an isolated build only where the target has none.

The core must be compiled against the torch and the MPI it will run with. pip builds in a temporary environment
but with the interpreter of the environment it installs into, whose torch cmake/find_torch.py and whose mpicc
cmake/EquiheatMPI.cmake find. So torch (gigabytes) and mpich are build requirements only when they are missing.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import sysconfig

import scikit_build_core.build as _skbuild
from scikit_build_core.build import *  # noqa: F403  (the hooks that need no change)

TORCH = "torch>=2.11,<2.16"


def target_has_torch() -> bool:
    """Is torch installed in the environment of this interpreter, hidden by isolation or not?"""
    folders = {sysconfig.get_path("platlib"), sysconfig.get_path("purelib")}
    return any((pathlib.Path(folder) / "torch" / "version.py").is_file() for folder in folders)


def has_mpi() -> bool:
    """Is an MPI compiler wrapper on PATH, beside the interpreter, or named by the user?"""
    arguments = os.environ.get("CMAKE_ARGS", "")
    named = "MPI_C_COMPILER" in arguments or "MPI_CXX_COMPILER" in arguments
    beside = (pathlib.Path(sys.executable).parent / "mpicc").exists()
    return named or beside or any(shutil.which(name) for name in ("mpicc", "mpiicx"))


def extra_requires() -> list[str]:
    """What this build needs beyond pyproject.toml's static list."""
    return ([] if target_has_torch() else [TORCH]) + ([] if has_mpi() else ["mpich>=5"])


def get_requires_for_build_wheel(config_settings: dict[str, list[str] | str] | None = None) -> list[str]:
    """PEP 517 hook."""
    return [*_skbuild.get_requires_for_build_wheel(config_settings), *extra_requires()]


def get_requires_for_build_editable(config_settings: dict[str, list[str] | str] | None = None) -> list[str]:
    """PEP 660 hook."""
    return [*_skbuild.get_requires_for_build_editable(config_settings), *extra_requires()]
