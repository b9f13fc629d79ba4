# SPDX-License-Identifier: BSD-3-Clause
"""Jobs of several ranks that a test starts itself."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

#: What launchers and MPI libraries tell their ranks; a new job must not find it.
OF_A_RANK = ("PMI", "HYDRA", "MPI_LOCAL", "OMPI_COMM", "OMPI_MCA", "PRTE_LAUNCHED", "EQUIHEAT")


def outside(**variables: str) -> dict[str, str]:
    """The environment without what makes this process a rank, with one thread, and with `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_A_RANK)}
    return kept | {"OMP_NUM_THREADS": "1"} | variables


def start(ranks: int, *arguments: str | pathlib.Path, timeout: float, **variables: str) -> tuple[int, str]:
    """Exit code and output of `mpiexec -n ranks python arguments`."""
    done = subprocess.run(
        ["mpiexec", "-n", str(ranks), sys.executable, *map(str, arguments)],
        env=outside(**variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
