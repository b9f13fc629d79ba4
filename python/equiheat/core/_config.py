# SPDX-License-Identifier: BSD-3-Clause
"""Which MPI library runs underneath."""

from __future__ import annotations

import dataclasses
import enum

from equiheat import _core

__all__ = ["MPILibrary", "MPILibraryInfo", "get_mpi_library"]


class MPILibrary(enum.Enum):
    """Families of MPI libraries."""

    OpenMPI = "ompi"
    IntelMPI = "impi"
    MVAPICH = "mvapich"
    MPICH = "mpich"
    CrayMPI = "craympi"
    ParastationMPI = "psmpi"


@dataclasses.dataclass
class MPILibraryInfo:
    """An MPI library and its version."""

    name: MPILibrary
    version: str


_MARKS = (
    ("open mpi", MPILibrary.OpenMPI),
    ("intel", MPILibrary.IntelMPI),
    ("mvapich", MPILibrary.MVAPICH),
    ("parastation", MPILibrary.ParastationMPI),
    ("cray", MPILibrary.CrayMPI),
    ("mpich", MPILibrary.MPICH),
)


def get_mpi_library() -> MPILibraryInfo:
    """The MPI library this process runs on. Local."""
    text = _core.mpi_library_version().strip("\0 \n")
    words = text.replace("\t", " ").split()
    version = next((w.strip("v,") for w in words if w.strip("v,")[:1].isdigit()), "unknown")
    for mark, name in _MARKS:
        if mark in text.lower():
            return MPILibraryInfo(name, version)
    raise RuntimeError(f"get_mpi_library: unknown MPI library {text.splitlines()[0]!r}")
