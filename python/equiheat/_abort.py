# SPDX-License-Identifier: BSD-3-Clause
"""An exception that ends one rank's main program ends the job.

Under every MPI the other ranks would wait for the lost one forever: in their next collective, or in MPI_Finalize.
Set EQUIHEAT_NO_ABORT=1 to keep Python's own behaviour. Exceptions in threads are left to Python: a thread may
die without harm to the program, and the main thread sees the result.
"""

from __future__ import annotations

import atexit
import builtins
import os
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn

from mpi4py import MPI

#: Seconds a rank that leaves with a non-zero exit code waits for the others to leave too.
GRACE = 3.0
#: Seconds the launcher has to pass on what was printed, before the job is torn down.
FLUSH = 0.2


def install() -> None:
    """Install the hooks; nothing happens with one rank, interactively, or when opted out. Local."""
    if MPI.COMM_WORLD.Get_size() == 1 or os.environ.get("EQUIHEAT_NO_ABORT", "0") not in ("", "0"):
        return
    if hasattr(sys, "ps1") or sys.flags.interactive:
        return
    _install_excepthook()
    _install_exit()


def _install_excepthook() -> None:
    previous = sys.excepthook

    def abort_job(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        rank = MPI.COMM_WORLD.Get_rank()
        print(f"equiheat: uncaught exception on rank {rank}, the job ends:", file=sys.stderr)
        previous(kind, value, trace)
        _abort(130 if issubclass(kind, KeyboardInterrupt) else 1)

    sys.excepthook = abort_job


def _install_exit() -> None:
    """`sys.exit(code)` with code != 0: all ranks may do so in good order; one alone must not hang the rest.

    As well `exit` and `quit`; not ``raise SystemExit``, which Python tells nobody of.
    """
    codes: list[int] = []

    def noting(previous: Callable[[Any], NoReturn]) -> Callable[[Any], NoReturn]:
        def exit_with_code(status: Any = None, /) -> NoReturn:
            if status not in (None, 0):
                codes.append(status if isinstance(status, int) else 1)
            previous(status)

        return exit_with_code

    @atexit.register
    def leave_together() -> None:
        if codes and not MPI.Is_finalized() and not _all_arrive():
            rank = MPI.COMM_WORLD.Get_rank()
            print(
                f"equiheat: rank {rank} exits with code {codes[-1]} before the others, the job ends",
                file=sys.stderr,
            )
            _abort(codes[-1])

    sys.exit = noting(sys.exit)  # type: ignore[assignment]
    for name in ("exit", "quit"):  # of the module site, which may be missing
        if hasattr(builtins, name):
            setattr(builtins, name, noting(getattr(builtins, name)))


def _all_arrive() -> bool:
    request = MPI.COMM_WORLD.Ibarrier()
    deadline = time.monotonic() + GRACE
    while not request.Test():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _abort(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(FLUSH)
    if not MPI.Is_finalized():
        MPI.COMM_WORLD.Abort(code)
