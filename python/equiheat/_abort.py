# SPDX-License-Identifier: BSD-3-Clause
"""An exception that ends one rank's main program ends the job.

Under every MPI the other ranks would wait for the lost one forever: in their next collective, or in MPI_Finalize.
Set EQUIHEAT_NO_ABORT=1 to keep Python's own behaviour. Exceptions in threads are left to Python: a thread may
die without harm to the program, and the main thread sees the result.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
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
_PROCESS = os.getpid()


def install() -> None:
    """Install the hooks where they are wanted. Local."""
    if is_wanted():
        _install_excepthook()
        _install_exit()


def is_wanted() -> bool:
    """Whether a lost rank ends the job: not with one rank, interactively, or when opted out. Local."""
    if MPI.COMM_WORLD.Get_size() == 1 or os.environ.get("EQUIHEAT_NO_ABORT", "0") not in ("", "0"):
        return False
    return not (hasattr(sys, "ps1") or sys.flags.interactive)


def _install_excepthook() -> None:
    previous = sys.excepthook

    def abort_job(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        if not _is_a_rank():
            return previous(kind, value, trace)
        rank = MPI.COMM_WORLD.Get_rank()
        print(f"equiheat: uncaught exception on rank {rank}, the job ends:", file=sys.stderr)
        previous(kind, value, trace)
        _abort(130 if issubclass(kind, KeyboardInterrupt) else 1)

    sys.excepthook = abort_job


def _install_exit() -> None:
    """An exit code other than 0, or a failure in `atexit`: all may leave so, but one alone must not hang the rest."""
    codes: list[int] = []
    sys.exit = _exit
    restore = _note_exit_codes(codes)
    _note_failed_callbacks(codes)

    @atexit.register
    def leave_together() -> None:
        restore()
        if codes and _is_a_rank() and not _all_arrive():
            rank = MPI.COMM_WORLD.Get_rank()
            print(
                f"equiheat: rank {rank} exits with code {codes[-1]} before the others, the job ends",
                file=sys.stderr,
            )
            _abort(codes[-1])


def _exit(status: Any = None, /) -> NoReturn:
    """Exit the interpreter by raising SystemExit(status).

    Python's own makes the exception only when somebody catches it (before 3.12), and so hides its code from us.
    """
    raise SystemExit(status)


class _NotedCode:
    """The attribute `code` of SystemExit, which notes when the interpreter itself reads it.

    That is the only sign Python gives of ``raise SystemExit(3)``: no hook is called, and when the functions of `atexit`
    run the exception is gone. A program that catches the exception reads `code` from a frame of its own.
    """

    def __init__(self, attribute: Any, codes: list[int]) -> None:
        self.attribute, self.codes = attribute, codes

    def __get__(self, value: SystemExit | None, kind: type | None = None) -> Any:
        status = self.attribute.__get__(value, kind)
        if value is not None and status not in (None, 0) and not _has_caller():
            self.codes.append(status if isinstance(status, int) else 1)
        return status

    def __set__(self, value: SystemExit, status: Any) -> None:
        self.attribute.__set__(value, status)


def _has_caller() -> bool:
    """Whether a frame of Python is behind the caller's. Local."""
    try:
        sys._getframe(2)
    except ValueError:
        return False
    return True


def _note_exit_codes(codes: list[int]) -> Callable[[], None]:
    """Have the code that ends the program appended to `codes`; returns the function that undoes that. Local."""
    # The names themselves: `__dict__` is a view that cannot be written. An interpreter that keeps them elsewhere is
    # left alone: there `raise SystemExit(3)` on one rank is one more way to leave the others waiting.
    names = next((x for x in gc.get_referents(SystemExit.__dict__) if isinstance(x, dict) and "code" in x), None)
    if names is None:
        return lambda: None
    attribute = names["code"]

    def put(attribute: Any) -> None:
        names["code"] = attribute
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(SystemExit))

    put(_NotedCode(attribute, codes))
    return lambda: put(attribute)


def _note_failed_callbacks(codes: list[int]) -> None:
    """Have 1 appended to `codes` when a function of `atexit` fails, whose collectives the others wait in. Local."""
    previous = sys.unraisablehook

    def note(failure: Any) -> None:
        if (failure.err_msg or "").startswith("Exception ignored in atexit callback"):
            codes.append(1)
        previous(failure)

    sys.unraisablehook = note


def _is_a_rank() -> bool:
    """Whether MPI runs in this very process: a forked child has only a copy of its state. Local."""
    return os.getpid() == _PROCESS and not MPI.Is_finalized()


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
