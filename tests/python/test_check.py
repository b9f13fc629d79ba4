# SPDX-License-Identifier: BSD-3-Clause
"""What the import refuses, and what its messages tell the user to do."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest
from mpi4py import MPI

from equiheat import _build_info, _check
from equiheat._check import (
    check_mpi_library,
    check_mpi_runs,
    check_switches,
    check_torch,
    choose_mpi_family,
    mpi_family,
)
from equiheat._guard import timeout

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


BOTH = {"mpich": "/mpich/include", "openmpi": "/openmpi/include"}


@pytest.mark.parametrize(
    ("version", "handle", "wanted", "family"),
    [
        (MPICH, 4, "", "mpich"),
        (OPEN_MPI, 8, "", "openmpi"),
        ("Other MPI 1", 4, "", "mpich"),
        ("Other MPI 1", 8, "", "openmpi"),
        ("Other MPI 1", 8, "openmpi", "openmpi"),
    ],
)
def test_the_family_of_mpi4py_is_chosen(version: str, handle: int, wanted: str, family: str) -> None:
    assert choose_mpi_family(BOTH, version, handle, wanted) == family


def test_a_family_that_was_not_compiled_is_refused() -> None:
    with pytest.raises(ImportError, match=r"compiled for the mpich family of MPI, but mpi4py uses 'Open MPI v5"):
        choose_mpi_family({"mpich": ""}, OPEN_MPI, 8)
    with pytest.raises(ImportError, match=r"the mpich and the openmpi family of MPI, but EQUIHEAT_MPI_ABI is 'intel'"):
        choose_mpi_family(BOTH, MPICH, 4, "intel")


def test_a_family_asked_for_that_is_not_that_of_mpi4py_is_refused() -> None:
    with pytest.raises(ImportError, match=r"EQUIHEAT_MPI_ABI is 'openmpi', whose communicators have 8 bytes"):
        choose_mpi_family(BOTH, MPICH, 4, "openmpi")


@pytest.mark.parametrize("text", ["soon", "-1", "nan"])
def test_a_time_limit_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIHEAT_TIMEOUT", text)
    with pytest.raises(ValueError, match=f"EQUIHEAT_TIMEOUT is '{text}'"):
        timeout()


def test_the_standard_abi_of_mpi4py_is_refused() -> None:
    with pytest.raises(ImportError, match=r"communicators have 8 bytes, those of the mpich family 4.*mpicc_abi"):
        choose_mpi_family(BOTH, MPICH, 8)


def test_two_copies_of_one_mpi_are_refused() -> None:
    check_mpi_runs(True, True)
    with pytest.raises(ImportError, match="initialised for mpi4py alone"):
        check_mpi_runs(False, True)


@pytest.mark.ranks(1)
def test_a_process_loads_one_communication_layer_and_one_mpi() -> None:
    maps = pathlib.Path("/proc/self/maps").read_text().split()
    layers = {path for path in maps if path.endswith("libequiheat_comm.so")}
    assert len(layers) == 1
    assert pathlib.Path(layers.pop()).parent.name == mpi_family(MPI.Get_library_version())
    assert len({path for path in maps if re.search(r"/libmpi(_abi)?\.so", path)}) == 1


def test_two_mpi_libraries_are_refused() -> None:
    with pytest.raises(ImportError, match=r"Two MPI libraries are loaded.*4 bytes.*8 bytes"):
        check_mpi_library((4, MPICH), (8, OPEN_MPI))


@pytest.mark.ranks(1)
def test_a_build_for_another_torch_ends_the_import() -> None:
    stub = "import sys, types; m = types.ModuleType('equiheat._build_info'); m.TORCH = '1.0.0'; m.MPI = {'mpich': ''}\n"
    code = stub + "sys.modules['equiheat._build_info'] = m\nimport equiheat"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "ImportError: equiheat was compiled against torch 1.0.0" in done.stderr


@pytest.mark.ranks(1)
def test_import_brings_nothing_heavy() -> None:
    """The time is measured by benchmarks/overhead.py; these are what would cost it."""
    heavy = "h5py kornia matplotlib netCDF4 PIL rich safetensors scipy sklearn tensorboardX tyro zarr torch._dynamo"
    code = (
        "import sys, torch, mpi4py.MPI; before = set(sys.modules); import equiheat;"
        f"print(sorted(set({heavy!r}.split()) & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.ranks(1)
def test_the_report_names_versions_mpi_and_the_build() -> None:
    done = subprocess.run([sys.executable, "-m", "equiheat"], capture_output=True, text=True, timeout=60, check=True)
    for word in ("equiheat:", "python:", "torch:", "numpy:", "mpi4py:", "MPI:", "thread level:", "CUDA:", "CPU:"):
        assert word in done.stdout
    assert _build_info.TORCH in done.stdout


@pytest.mark.ranks(1)
def test_switches_without_a_meaning_are_refused() -> None:
    check_switches({"EQUIHEAT_CHECK": "1", "EQUIHEAT_PULL": "2", "EQUIHEAT_SHM": "", "EQUIHEAT_SHM_LEAST": "4096"})
    for name, value, right in (
        ("EQUIHEAT_CHECK", "no", "0 or 1"),
        ("EQUIHEAT_PULL", "3", "0, 1 or 2"),
        ("EQUIHEAT_SHM_LEAST", "-3", "a number of bytes, 0 or more"),
    ):
        with pytest.raises(ValueError, match=f"{name} is '{value}'; it must be {right}"):
            check_switches({name: value})
    command = [sys.executable, "-c", "import equiheat"]
    done = subprocess.run(
        command, env={**os.environ, "EQUIHEAT_SHM": "maybe"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "EQUIHEAT_SHM is 'maybe'; it must be 0 or 1" in done.stderr
