# SPDX-License-Identifier: BSD-3-Clause
"""Loads the native core, after checking that it fits the torch and the MPI of this process.

A mismatch would otherwise show up as an undefined symbol, a wrong answer or a crash inside MPI. The communication layer
exists once per ABI family of MPI, in `_comm/<family>/libequiheat_comm.so`; the one of mpi4py's MPI is loaded.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import pathlib
from collections.abc import Mapping
from types import ModuleType

REBUILD = "pip install --force-reinstall --no-deps --no-build-isolation ."
#: sizeof(MPI_Comm) in the headers of each family.
HANDLE_BYTES = {"mpich": 4, "openmpi": 8}


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


def choose_mpi_family(built: Mapping[str, str], library_version: str, handle_bytes: int, wanted: str = "") -> str:
    """The ABI family whose communication layer this process loads.

    Parameters
    ----------
    built : mapping
        Families compiled, with the folders of their headers.
    library_version : str
        What MPI_Get_library_version says to mpi4py.
    handle_bytes : int
        sizeof(MPI_Comm) in mpi4py. It decides for an MPI of unknown name.
    wanted : str
        A family that is taken whatever mpi4py says; the environment variable EQUIHEAT_MPI_ABI.

    Raises
    ------
    ImportError
        When the family was not compiled, or mpi4py's handles are not those of the family.
    """
    by_handle = next((name for name, size in HANDLE_BYTES.items() if size == handle_bytes), "unknown")
    found = mpi_family(library_version)
    family = wanted or (by_handle if found == "unknown" else found)
    if family not in built:
        reason = f"EQUIHEAT_MPI_ABI is {wanted!r}" if wanted else f"mpi4py uses {_first_line(library_version)!r}"
        other = next(iter(built))
        raise ImportError(
            f"equiheat was compiled for the {' and the '.join(built)} family of MPI, but {reason}. "
            f"Either make mpi4py use another MPI (environment variable MPI4PY_MPIABI={other}, or MPI4PY_LIBMPI="
            f"/path/to/libmpi.so), or compile equiheat with this MPI's mpicc first on PATH ({REBUILD}), or for both: "
            f"CMAKE_ARGS=-DEQUIHEAT_MPI_COMPILERS=/path/to/mpicc."
        )
    if HANDLE_BYTES[family] != handle_bytes and wanted:
        raise ImportError(
            f"EQUIHEAT_MPI_ABI is {wanted!r}, whose communicators have {HANDLE_BYTES[family]} bytes; those of mpi4py's "
            f"{_first_line(library_version)!r} have {handle_bytes}. Without the variable that MPI's family is taken."
        )
    if HANDLE_BYTES[family] != handle_bytes:
        raise ImportError(
            f"mpi4py was compiled for another binary interface of {_first_line(library_version)!r} than equiheat: its "
            f"communicators have {handle_bytes} bytes, those of the {family} family {HANDLE_BYTES[family]}. Install "
            f"mpi4py's wheel from PyPI, or compile it with the plain mpicc, not with mpicc_abi."
        )
    return family


def check_mpi_library(core: tuple[int, str], mpi4py: tuple[int, str]) -> None:
    """Raise ImportError unless core and mpi4py agree in sizeof(MPI_Comm) and in the library's version text."""
    if core != mpi4py:
        raise ImportError(
            f"Two MPI libraries are loaded: equiheat's core uses {_first_line(core[1])!r} (handles of {core[0]} "
            f"bytes), mpi4py uses {_first_line(mpi4py[1])!r} ({mpi4py[0]} bytes). Compile equiheat with the mpicc "
            f"that belongs to mpi4py's library first on PATH ({REBUILD}), and check LD_LIBRARY_PATH and LD_PRELOAD."
        )


#: Words that a switch takes; a mistyped one would do nothing, or the opposite.
_SWITCHES = {
    "EQUIHEAT_CHECK": ("0", "1"),
    "EQUIHEAT_SHM": ("0", "1"),
    "EQUIHEAT_PULL": ("0", "1", "2"),
    "EQUIHEAT_NO_ABORT": ("0", "1"),
    "EQUIHEAT_KEEP_MEMORY": ("0", "1"),
    "EQUIHEAT_NATIVE_PRODUCTS": ("0", "1"),
}


def check_switches(environment: Mapping[str, str]) -> None:
    """Raise ValueError for a value of an environment variable that means nothing; empty is as not set."""
    for name, words in _SWITCHES.items():
        if environment.get(name) and environment[name] not in words:
            raise ValueError(f"{name} is {environment[name]!r}; it must be {', '.join(words[:-1])} or {words[-1]}")
    least = environment.get("EQUIHEAT_SHM_LEAST", "")
    if least and not (least.isascii() and least.isdigit()):
        raise ValueError(f"EQUIHEAT_SHM_LEAST is {least!r}; it must be a number of bytes, 0 or more")


def check_mpi_runs(core: bool, mpi4py: bool) -> None:
    """Raise ImportError unless both see the same state of MPI: two copies of one library agree in everything else."""
    if core != mpi4py:
        only = "mpi4py" if mpi4py else "equiheat"
        raise ImportError(
            f"Two copies of one MPI library are loaded: it is initialised for {only} alone. "
            f"Check LD_LIBRARY_PATH, LD_PRELOAD and MPI4PY_LIBMPI."
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
    ValueError
        For an environment variable of ours that has a value without a meaning.
    """
    check_switches(os.environ)
    try:
        build = importlib.import_module("equiheat._build_info")
    except ModuleNotFoundError as error:
        raise ImportError(
            "equiheat's native core is not built. In a checkout: tools/dev_build.sh, or pip install . "
        ) from error
    torch = importlib.import_module("torch")
    check_torch(build.TORCH, torch.__version__)
    mpi = _import_mpi()
    version = mpi.Get_library_version().strip("\0 \n")
    handle_bytes = mpi._sizeof(mpi.Comm)
    family = choose_mpi_family(build.MPI, version, handle_bytes, os.environ.get("EQUIHEAT_MPI_ABI", ""))
    try:
        _load_comm(family)
        core = importlib.import_module("equiheat._core")
    except (ImportError, OSError) as error:
        raise ImportError(
            f"equiheat's native core does not load: {error}. It was compiled against torch {build.TORCH} and the MPI "
            f"headers in {build.MPI[family]}; this process runs torch {torch.__version__} and "
            f"{_first_line(version)!r}. Compile it again here: {REBUILD}"
        ) from error
    own = (core.mpi_comm_size_of(), core.mpi_library_version().strip("\0 \n"))
    check_mpi_library(own, (handle_bytes, version))
    check_mpi_runs(core.mpi_initialized(), mpi.Is_initialized())
    if os.environ.get("EQUIHEAT_KEEP_MEMORY", "1") != "0":
        core.keep_freed_memory()
    # Torch asks for large pages, as NumPy does of itself, if this is set before its first array: most of what a sum of
    # two arrays of 64 MiB costs is the first touch of the result's pages.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    return core


def _load_comm(family: str) -> None:
    """Load the communication layer of one family; `_core` names it as its dependency, by soname, without a path."""
    spec = importlib.util.find_spec("equiheat._core")
    if spec is None or spec.origin is None:
        raise ImportError("there is no equiheat._core")
    library = pathlib.Path(spec.origin).parent / "_comm" / family / "libequiheat_comm.so"
    ctypes.CDLL(str(library))
