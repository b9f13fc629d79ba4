# SPDX-License-Identifier: BSD-3-Clause
"""A rank that dies, raises, sleeps or is stuck: the job ends in time, says why, and leaves no process behind."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable

import pytest
from launcher import start

pytestmark = pytest.mark.ranks(1)

#: Start of mpiexec, Python and torch on a busy machine.
START = 60.0
PRELUDE = """
import os, re, signal, sys, time
import equiheat as ht
import torch
comm = ht.get_comm()
rank = comm.rank


def say(text):
    os.write(1, f"{text}\\n".encode())  # in one piece: lines of several ranks do not mix


comm.allreduce(torch.ones(1 << 20))
say(f"process {os.getpid()}")
for path in re.findall("/dev/shm/.*", open("/proc/self/maps").read()):
    say(f"segment {path}")
comm.barrier()
if rank == 0:
    say(f"begin {time.time()}")
"""


def is_running(process: str) -> bool:
    """Whether it exists and is not merely waiting for its parent to notice its end."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


def run(folder: pathlib.Path, ranks: int, body: str, **variables: str) -> tuple[int, str, float]:
    """Exit code, output, seconds from the first barrier to the end; checks that no process and no segment is left."""
    script = folder / "program.py"
    script.write_text(PRELUDE + body)
    code, output = start(ranks, script, timeout=START + 30, **variables)
    end = time.time()
    words = [line.split() for line in output.splitlines()]
    begin = [float(w[1]) for w in words if w[:1] == ["begin"]]
    assert begin, output
    processes = [w[1] for w in words if w[:1] == ["process"]]
    # MPICH 5.0.2 leaves the segment of its own start behind when a job is aborted; no other may stay.
    segments = [w[1] for w in words if w[:1] == ["segment"] and "(deleted)" not in w and "/mpich_shm_" not in w[1]]
    assert len(processes) == ranks, output
    assert not waited_for(lambda: [p for p in processes if is_running(p)]), output
    assert not waited_for(lambda: [s for s in segments if pathlib.Path(s).exists()]), output
    return code, output, end - begin[0]


def waited_for(left: Callable[[], list[str]]) -> list[str]:
    """What is left five seconds later, or as soon as nothing is."""
    deadline = time.time() + 5
    while left() and time.time() < deadline:
        time.sleep(0.1)
    return left()


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_a_sleeping_rank_is_found_and_every_stack_is_shown(tmp_path: pathlib.Path, ranks: int) -> None:
    body = "def nap():\n    time.sleep(60)\nif rank == 1:\n    nap()\ncomm.allreduce(torch.ones(3))\n"
    code, output, seconds = run(tmp_path, ranks, body, EQUIHEAT_TIMEOUT="2")
    assert code != 0
    assert "s in allreduce(float32, 3 elements, shape (3,), Sum); EQUIHEAT_TIMEOUT allows 2 s" in output
    assert "equiheat: rank 1: in no call of the library" in output
    assert " in nap" in output
    assert output.count("latest calls:") == ranks
    assert seconds < 2 + 5


def test_a_rank_that_holds_the_interpreter_is_found(tmp_path: pathlib.Path) -> None:
    body = "if rank == 1:\n    re.match('(a+)+$', 'a' * 60 + 'b')\ncomm.barrier()\n"
    code, output, seconds = run(tmp_path, 2, body, EQUIHEAT_TIMEOUT="2")
    assert code != 0
    assert "in barrier()" in output
    assert "re/__init__.py" in output, output
    assert seconds < 2 + 5


def test_a_message_nobody_sends_is_found(tmp_path: pathlib.Path) -> None:
    body = "comm.recv(torch.empty(2), 1 - rank)\n"
    code, output, seconds = run(tmp_path, 2, body, EQUIHEAT_TIMEOUT="1")
    assert code != 0
    assert "in recv(float32, 2 elements, shape (2,), peer" in output
    assert seconds < 1 + 5


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_a_killed_rank_ends_the_job(tmp_path: pathlib.Path, ranks: int) -> None:
    body = "if rank == 1:\n    os.kill(os.getpid(), signal.SIGKILL)\ncomm.allreduce(torch.ones(1 << 20))\n"
    code, _, seconds = run(tmp_path, ranks, body)
    assert code != 0
    assert seconds < 10


@pytest.mark.parametrize(("ranks", "checked"), [(2, "0"), (3, "1"), (4, "0")])
def test_a_rank_that_raises_ends_the_job(tmp_path: pathlib.Path, ranks: int, checked: str) -> None:
    body = "if rank == 1:\n    raise ValueError('the reason')\ncomm.allreduce(torch.ones(1 << 20))\n"
    code, output, seconds = run(tmp_path, ranks, body, EQUIHEAT_CHECK=checked)
    assert code != 0
    assert "ValueError: the reason" in output
    assert seconds < 8


def test_operations_in_flight_that_differ_are_an_error(tmp_path: pathlib.Path) -> None:
    body = (
        "x = torch.ones(4 + rank)\npending = comm.iallreduce(x)\n"
        "try:\n    pending.wait()\nexcept ht.CommunicationError as error:\n"
        "    say(f'caught on {rank}: ' + str(error).replace(chr(10), ' '))\n    time.sleep(1)\n    raise\n"
    )
    code, output, seconds = run(tmp_path, 2, body, EQUIHEAT_CHECK="1")
    assert code != 0
    for rank in range(2):
        assert f"caught on {rank}: ranks disagree" in output
    assert "iallreduce(float32, 5 elements" in output
    assert f"program.py:{PRELUDE.count(chr(10)) + 2}" in output, output
    assert seconds < 8


def test_an_ordinary_end_is_one_under_the_watchdog(tmp_path: pathlib.Path) -> None:
    body = "comm.allreduce(torch.ones(1))\ntime.sleep(2)\nsay(f'end {rank}')\n"
    code, output, _ = run(tmp_path, 2, body, EQUIHEAT_TIMEOUT="1", EQUIHEAT_CHECK="1")
    assert code == 0, output
    assert "end 1" in output
