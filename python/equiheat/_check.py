# SPDX-License-Identifier: BSD-3-Clause
"""Loads the native core, after checking that it fits the torch and the MPI of this process.

A mismatch would otherwise show up as an undefined symbol, a wrong answer or a crash inside MPI.
"""

from __future__ import annotations

import importlib
from types import ModuleType

REBUILD = "pip install --force-reinstall --no-deps --no-build-isolation ."


def _minor(version: str) -> str:
    return ".".join(version.split("+")[0].split(".")[:2])


def mpi_family(library_version: str) -> str:
    """ABI family of an MPI from the text of MPI_Get_library_version: "openmpi", "mpich" or "unknown"."""
    text = library_version.lower()
    if "open mpi" in text:
        return "openmpi"
    return "mpich" if any(name in text for name in ("mpich", "intel", "mvapich")) else "unknown"


def check_torch(built: str, running: str) -> None:
    """Raise ImportError unless both versions of torch share their first two numbers."""
    if _minor(built) != _minor(running):
        raise ImportError(
            f"equiheat was compiled against torch {built}, but torch {running} is installed, and torch's C++ "
            f"interface changes between such releases. Either install the matching torch "
            f"(pip install 'torch=={_minor(built)}.*'), or compile equiheat again in a checkout of it ({REBUILD})."
        )


def check_mpi_family(built: str, library_version: str) -> None:
    """Raise ImportError unless mpi4py runs on an MPI of the family the core was compiled for."""
    running = mpi_family(library_version)
    if running not in (built, "unknown"):
        raise ImportError(
            f"equiheat was compiled for the {built} family of MPI, but mpi4py uses {_first_line(library_version)!r}. "
            f"Either make mpi4py use the other one (environment variable MPI4PY_MPIABI={built}, or MPI4PY_LIBMPI="
            f"/path/to/libmpi.so), or compile equiheat with this MPI's mpicc first on PATH ({REBUILD})."
        )


def check_mpi_library(core: tuple[int, str], mpi4py: tuple[int, str]) -> None:
    """Raise ImportError unless core and mpi4py agree in sizeof(MPI_Comm) and in the library's version text."""
    if core != mpi4py:
        raise ImportError(
            f"Two MPI libraries are loaded: equiheat's core uses {_first_line(core[1])!r} (handles of {core[0]} "
            f"bytes), mpi4py uses {_first_line(mpi4py[1])!r} ({mpi4py[0]} bytes). Compile equiheat with the mpicc "
            f"that belongs to mpi4py's library first on PATH ({REBUILD}), and check LD_LIBRARY_PATH and LD_PRELOAD."
        )


def _first_line(text: str) -> str:
    return text.splitlines()[0].strip() if text else ""


def _import_mpi() -> ModuleType:
    try:
        return importlib.import_module("mpi4py.MPI")
    except (ImportError, RuntimeError) as error:
        raise ImportError(
            f"mpi4py found no MPI library ({error}). Load your site's MPI module, or install one into this "
            f"environment (pip install mpich), or name it in the environment variable MPI4PY_LIBMPI."
        ) from error


def load_core() -> ModuleType:
    """Import the native core, torch and MPI in the order in which they find each other's libraries.

    Returns
    -------
    module
        `equiheat._core`.

    Raises
    ------
    ImportError
        When the core was not built, or was built against another torch or MPI; the message says what to do.
    """
    try:
        build = importlib.import_module("equiheat._build_info")
    except ModuleNotFoundError as error:
        raise ImportError(
            "equiheat's native core is not built. In a checkout: tools/dev_build.sh, or pip install . "
        ) from error
    torch = importlib.import_module("torch")
    check_torch(build.TORCH, torch.__version__)
    mpi = _import_mpi()
    version = mpi.Get_library_version()
    check_mpi_family(build.MPI, version)
    try:
        core = importlib.import_module("equiheat._core")
    except ImportError as error:
        raise ImportError(
            f"equiheat's native core does not load: {error}. It was compiled against torch {build.TORCH} and the MPI "
            f"headers in {build.MPI_HEADERS}; this process runs torch {torch.__version__} and "
            f"{_first_line(version)!r}. Compile it again here: {REBUILD}"
        ) from error
    own = (core.mpi_comm_size_of(), core.mpi_library_version().strip("\0 \n"))
    check_mpi_library(own, (mpi._sizeof(mpi.Comm), version.strip("\0 \n")))
    return core
