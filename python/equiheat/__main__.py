# SPDX-License-Identifier: BSD-3-Clause
"""`python -m equiheat` prints what a bug report needs: versions, MPI, devices, how the core was built."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform
import sys

import numpy as np
import torch
from mpi4py import MPI

from equiheat import _build_info
from equiheat._check import load_core
from equiheat._version import __version__

_SETS = (
    "sse4_2",
    "avx2",
    "fma",
    "f16c",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_bf16",
    "amx_bf16",
    "asimd",
    "sve",
)
_THREAD_LEVELS = {
    MPI.THREAD_SINGLE: "single",
    MPI.THREAD_FUNNELED: "funneled",
    MPI.THREAD_SERIALIZED: "serialized",
    MPI.THREAD_MULTIPLE: "multiple",
}


def _instruction_sets() -> str:
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    flags = next((set(line.split()) for line in lines if line.startswith(("flags", "Features"))), set())
    return " ".join(name for name in _SETS if name in flags) or "unknown"


def _cuda() -> str:
    built = f"core built with CUDA {_build_info.CUDA}" if _build_info.CUDA else "core built without CUDA"
    if not torch.cuda.is_available():
        return f"{built}; no device"
    return f"{built}; {torch.cuda.device_count()} x {torch.cuda.get_device_name()}"


def report() -> dict[str, str]:
    """What is installed and how the core was built, by name. Local."""
    load_core()
    extras = {name: _version_of(name) for name in ("timm", "torchvision", "kornia") if _version_of(name)}
    return {
        "equiheat": f"{__version__} ({pathlib.Path(__file__).parent})",
        "python": f"{platform.python_version()} ({sys.executable})",
        "torch": f"{torch.__version__}, {torch.get_num_threads()} threads; core built against {_build_info.TORCH}",
        "numpy": np.__version__,
        "mpi4py": _version_of("mpi4py"),
        **extras,
        "MPI": f"{MPI.Get_library_version().splitlines()[0].strip()}; core built for {' and '.join(_build_info.MPI)}",
        "thread level": _THREAD_LEVELS[MPI.Query_thread()],
        "ranks": str(MPI.COMM_WORLD.Get_size()),
        "CUDA": _cuda(),
        "CPU": f"{platform.machine()}, {os.cpu_count()} cores: {_instruction_sets()}",
        "torch kernels": str(torch.backends.cpu.get_cpu_capability()),
        "core": ", ".join(
            part
            for part in (
                f"{_build_info.BUILD_TYPE} by {_build_info.COMPILER}",
                "with assertions" if _build_info.ASSERTS == "ON" else "",
                f"sanitizers {_build_info.SANITIZE}" if _build_info.SANITIZE else "",
            )
            if part
        ),
    }


def _version_of(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def main() -> None:
    """Print the report on rank 0. Local, apart from MPI's own start."""
    if MPI.COMM_WORLD.Get_rank() == 0:
        for name, value in report().items():
            print(f"{name + ':':15}{value}")


if __name__ == "__main__":
    main()
