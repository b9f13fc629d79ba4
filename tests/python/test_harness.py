# SPDX-License-Identifier: BSD-3-Clause
"""The tests' own conftest: no test run hangs, whatever one rank does."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.ranks(1)

HEAD = """
import pytest, time
from hypothesis import given, strategies
from mpi4py import MPI
comm = MPI.COMM_WORLD
rank = comm.Get_rank()
"""


def run_tests(folder: pathlib.Path, body: str, limit: str = "60", cases: str = "1") -> tuple[int, str]:
    """Exit code and output of these tests on 2 ranks."""
    shutil.copy(pathlib.Path(__file__).with_name("conftest.py"), folder)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  ranks(*n): rank counts\n")
    (folder / "test_it.py").write_text(HEAD + body)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "HYDRA", "MPI_LOCAL", "EQUIHEAT_TEST"))}
    env |= {"EQUIHEAT_TEST_LIMIT": limit, "EQUIHEAT_FAILED_WAIT": "2", "EQUIHEAT_CASES": cases}
    command = ["mpiexec", "-n", "2", sys.executable, "-m", "pytest", "-q", "test_it.py"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_failure_on_one_rank_fails_everywhere_and_the_run_goes_on(tmp_path: pathlib.Path) -> None:
    body = "def test_a(): assert rank != 1\ndef test_b(): comm.Barrier()\n"
    code, output = run_tests(tmp_path, body)
    assert code == 1
    assert "1 failed, 1 passed" in output
    assert "[rank 1] FAILED test_it.py::test_a" in output
    assert "outcome differs on rank(s) [1]" in output


def test_an_example_that_fails_on_one_rank_keeps_the_ranks_in_step(tmp_path: pathlib.Path) -> None:
    body = "@given(strategies.integers())\ndef test_a(n):\n    comm.Barrier()\n    assert n < 5 or rank == 0\n"
    code, output = run_tests(tmp_path, body)
    assert code == 1
    assert "1 failed" in output
    assert "Failing test case: test_a(" in output or "Falsifying example: test_a(" in output


def test_a_rank_that_fails_before_a_collective_ends_the_job_with_its_traceback(tmp_path: pathlib.Path) -> None:
    body = "def test_a():\n    if rank == 1:\n        raise ValueError('the reason')\n    comm.Barrier()\n"
    code, output = run_tests(tmp_path, body)
    assert code != 0
    assert "[rank 1] test_it.py::test_a: this rank is done, others are stuck" in output
    assert "[rank 1] ValueError: the reason" in output


def test_a_deadlock_ends_the_job_with_stacks(tmp_path: pathlib.Path) -> None:
    body = "def test_a():\n    if rank == 1:\n        time.sleep(1000)\n    comm.Barrier()\n"
    code, output = run_tests(tmp_path, body, limit="3")
    assert code != 0
    assert "Timeout (0:00:03)!" in output
    assert "in test_a" in output


def test_ranks_that_find_different_tests_end_the_job(tmp_path: pathlib.Path) -> None:
    code, output = run_tests(tmp_path, "if rank == 1:\n    def test_a(): pass\ndef test_b(): pass\n")
    assert code != 0
    assert "collection of" in output


def test_a_fixture_that_fails_on_one_rank_fails_the_test_everywhere(tmp_path: pathlib.Path) -> None:
    body = (
        "@pytest.fixture\ndef folder():\n    assert rank != 1\n    yield\n"
        "def test_a(folder): comm.Barrier()\ndef test_b(): comm.Barrier()\n"
    )
    code, output = run_tests(tmp_path, body)
    assert code == 1
    assert "1 passed, 1 error" in output


def test_some_cases_of_each_test(tmp_path: pathlib.Path) -> None:
    body = (
        "@pytest.mark.parametrize('i', range(100))\ndef test_a(i): comm.Barrier()\n"
        "@pytest.mark.parametrize('i', [1])\ndef test_b(i): comm.Barrier()\ndef test_c(): comm.Barrier()\n"
    )
    code, output = run_tests(tmp_path, body, cases="4")
    assert code == 0
    (passed,) = re.findall(r"(\d+) passed", output)
    assert 10 < int(passed) < 50
