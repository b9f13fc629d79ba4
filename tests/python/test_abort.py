# SPDX-License-Identifier: BSD-3-Clause
"""A rank that leaves with an error ends the job: its own traceback first, and soon."""

from __future__ import annotations

import pathlib
import re
import time

import pytest
from launcher import start

pytestmark = pytest.mark.ranks(1)

#: Start of mpiexec, Python and torch on a busy machine; the end itself takes less than 5 s.
START = 60.0


def run_on_two_ranks(folder: pathlib.Path, body: str, **variables: str) -> tuple[int, str, float]:
    """Exit code, output, and seconds from the marker `failing` to the end of the job."""
    script = folder / "program.py"
    script.write_text(
        "import sys, time\nimport equiheat\nfrom mpi4py import MPI\ncomm = MPI.COMM_WORLD\nrank = comm.Get_rank()\n"
        # One write each: unbuffered, print makes several, and the launcher mixes those of the ranks.
        "comm.Barrier()\nif rank == 1:\n    sys.stdout.write(f'failing {time.time()}\\n')\n    sys.stdout.flush()\n"
        + body
    )
    code, output = start(2, script, timeout=START + 30, **variables)
    end = time.time()
    begin = [float(found) for found in re.findall(r"failing (\S+)", output)]
    assert begin, output
    return code, output, end - begin[0]


def test_an_uncaught_exception_ends_the_job_with_its_traceback(tmp_path: pathlib.Path) -> None:
    body = "    raise ValueError('the reason')\ncomm.Barrier()\n"
    code, output, seconds = run_on_two_ranks(tmp_path, body)
    assert code != 0
    assert "uncaught exception on rank 1" in output
    assert "ValueError: the reason" in output
    assert "program.py" in output
    assert seconds < 5


@pytest.mark.parametrize("leave", ["sys.exit", "exit", "raise SystemExit"])
def test_an_error_of_one_rank_in_its_exit_code_ends_the_job(tmp_path: pathlib.Path, leave: str) -> None:
    code, output, seconds = run_on_two_ranks(tmp_path, f"    {leave}(3)\ncomm.Barrier()\n")
    assert code == 3
    assert "rank 1 exits with code 3 before the others" in output
    assert seconds < 8


def test_ranks_that_all_exit_with_an_error_end_in_good_order(tmp_path: pathlib.Path) -> None:
    code, output, _ = run_on_two_ranks(tmp_path, "    pass\nsys.exit('wrong arguments')\n")
    assert code != 0
    assert output.count("wrong arguments") == 2
    assert "before the others" not in output


def test_a_failure_in_atexit_that_others_wait_for_ends_the_job(tmp_path: pathlib.Path) -> None:
    body = (
        "    pass\nimport atexit\n@atexit.register\ndef gather():\n    if rank == 1:\n"
        "        raise ValueError('the reason')\n    comm.Barrier()\n"
    )
    code, output, seconds = run_on_two_ranks(tmp_path, body)
    assert code == 1
    assert "ValueError: the reason" in output
    assert seconds < 8


def test_an_exit_that_was_caught_is_none(tmp_path: pathlib.Path) -> None:
    """The other rank takes longer than the time that is waited for those that leave in error."""
    body = (
        "    try:\n        sys.exit(5)\n    except SystemExit as left:\n        assert left.code == 5\n"
        "else:\n    time.sleep(5)\nsys.stdout.write(f'end {rank}\\n')\n"
    )
    code, output, _ = run_on_two_ranks(tmp_path, body)
    assert code == 0, output
    assert "end 0" in output


def test_a_forked_child_that_fails_leaves_the_job_alone(tmp_path: pathlib.Path) -> None:
    body = (
        "    pass\nimport os\nchild = os.fork()\nif child == 0:\n"
        "    try:\n        sys.excepthook(ValueError, ValueError('the reason'), None)\n    finally:\n"
        "        os._exit(1)\nos.waitpid(child, 0)\ncomm.Barrier()\nsys.stdout.write(f'end {rank}\\n')\n"
    )
    code, output, _ = run_on_two_ranks(tmp_path, body)
    assert code == 0, output
    assert "ValueError: the reason" in output
    assert "end 0" in output


def test_an_ordinary_end_stays_one(tmp_path: pathlib.Path) -> None:
    code, output, _ = run_on_two_ranks(tmp_path, "    pass\nsys.stdout.write(f'end {rank}\\n')\n")
    assert code == 0, output
    assert "end 0" in output
    assert "end 1" in output


def test_opting_out_leaves_the_hooks_alone(tmp_path: pathlib.Path) -> None:
    body = "    pass\nassert sys.excepthook is sys.__excepthook__\n"
    code, output, _ = run_on_two_ranks(tmp_path, body, EQUIHEAT_NO_ABORT="1")
    assert code == 0, output


LEAVES = (
    "    pass\nimport torch\nworld = equiheat.get_comm()\nworld.allreduce(torch.ones(3))\n"
    "def reduce_again():\n    return world.allreduce(torch.ones(3))\n"
)


def test_a_rank_that_ends_early_without_an_error_ends_the_job(tmp_path: pathlib.Path) -> None:
    body = LEAVES + "if rank == 0:\n    reduce_again()\n"
    code, output, seconds = run_on_two_ranks(tmp_path, body)
    assert code == 1
    assert "the program of rank 1 has ended, but 1 other rank(s) wait for it in collective number 2" in output
    assert " in reduce_again" in output
    assert seconds < 10


def test_a_rank_that_ends_early_may_leave_the_others_to_themselves(tmp_path: pathlib.Path) -> None:
    """They work on for longer than those are waited for that need the one that left, and use a part of the world."""
    body = LEAVES + (
        "part = world.Split(color=rank)\nif rank == 0:\n    part.core.barrier()\n    time.sleep(5)\n"
        "sys.stdout.write(f'end {rank}\\n')\n"
    )
    code, output, _ = run_on_two_ranks(tmp_path, body)
    assert code == 0, output
    assert "end 0" in output
