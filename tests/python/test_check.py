# SPDX-License-Identifier: BSD-3-Clause
"""What the import refuses, and what its messages tell the user to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from equiheat import _build_info, _check
from equiheat._check import check_mpi_family, check_mpi_library, check_torch, mpi_family

MPICH = "MPICH Version:      5.0.2\nMPICH Release date: 2026"
OPEN_MPI = "Open MPI v5.0.11, package: Open MPI"


def test_torch_of_the_same_series_is_accepted() -> None:
    check_torch("2.13.0", "2.13.1+cpu")


def test_torch_of_another_series_is_refused_with_both_versions() -> None:
    with pytest.raises(ImportError, match=r"compiled against torch 2\.13\.0, but torch 2\.14\.1 is installed") as error:
        check_torch("2.13.0", "2.14.1")
    assert "pip install 'torch==2.13.*'" in str(error.value)
    assert _check.REBUILD in str(error.value)


@pytest.mark.parametrize(
    ("text", "family"),
    [(MPICH, "mpich"), ("Intel(R) MPI Library 2021.18", "mpich"), (OPEN_MPI, "openmpi"), ("Other MPI 1", "unknown")],
)
def test_family_of_an_mpi_library(text: str, family: str) -> None:
    assert mpi_family(text) == family


def test_another_mpi_family_is_refused_and_an_unknown_one_is_tried() -> None:
    with pytest.raises(ImportError, match=r"compiled for the mpich family of MPI, but mpi4py uses 'Open MPI v5"):
        check_mpi_family("mpich", OPEN_MPI)
    check_mpi_family("mpich", MPICH)
    check_mpi_family("mpich", "Other MPI 1")


def test_two_mpi_libraries_are_refused() -> None:
    with pytest.raises(ImportError, match=r"Two MPI libraries are loaded.*4 bytes.*8 bytes"):
        check_mpi_library((4, MPICH), (8, OPEN_MPI))


@pytest.mark.ranks(1)
def test_a_build_for_another_torch_ends_the_import() -> None:
    stub = "import sys, types; m = types.ModuleType('equiheat._build_info'); m.TORCH = '1.0.0'; m.MPI = 'mpich'\n"
    code = stub + "sys.modules['equiheat._build_info'] = m\nimport equiheat"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "ImportError: equiheat was compiled against torch 1.0.0" in done.stderr


@pytest.mark.ranks(1)
def test_import_adds_little_to_torch_and_mpi4py() -> None:
    code = (
        "import time, torch, mpi4py.MPI; begin = time.process_time(); import equiheat;"
        "print(time.process_time() - begin)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    assert min(float(run.stdout) for run in runs) <= 0.15


@pytest.mark.ranks(1)
def test_the_report_names_versions_mpi_and_the_build() -> None:
    done = subprocess.run([sys.executable, "-m", "equiheat"], capture_output=True, text=True, timeout=60, check=True)
    for word in ("equiheat:", "python:", "torch:", "numpy:", "mpi4py:", "MPI:", "thread level:", "CUDA:", "CPU:"):
        assert word in done.stdout
    assert _build_info.TORCH in done.stdout
