# SPDX-License-Identifier: BSD-3-Clause
"""What happens when ranks do not do the same: errors that name the ranks and their lines, and an end to waiting.

``EQUIHEAT_CHECK=1`` makes every collective compare the ranks' calls before its first message. ``EQUIHEAT_TIMEOUT=S``
ends the job when a call waits longer than S seconds, after every rank has printed its stacks; checked mode has 300.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import pathlib
import signal
import sys

import torch

from equiheat import _abort, _core

CHECKED_TIMEOUT = 300.0
#: A real-time signal nobody uses by habit: SIGUSR1 and 2 belong to batch systems.
STACK_SIGNAL = int(signal.SIGRTMAX) - 7

_core.set_package_folders([str(pathlib.Path(f).resolve().parent) + os.sep for f in (__file__, torch.__file__)])


def checked() -> bool:
    """Whether this rank asks for checked mode. Local."""
    return os.environ.get("EQUIHEAT_CHECK", "0") not in ("", "0")


def timeout() -> float:
    """Seconds a call may wait; 0 for ever. Local."""
    text = os.environ.get("EQUIHEAT_TIMEOUT", "")
    if not text:
        return CHECKED_TIMEOUT if checked() else 0.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise ValueError(f"EQUIHEAT_TIMEOUT is {text!r}; it must be a number of seconds, 0 for no limit")
    return seconds


def watch(world: _core.Communicator) -> None:
    """Have a rank noticed that leaves others waiting, and those that wait too long if that is wanted. Collective."""
    if world.size == 1:
        return
    faulthandler.register(STACK_SIGNAL, file=sys.__stderr__ or 2, all_threads=True)
    if _abort.is_wanted():
        _core.leave_together(world, STACK_SIGNAL)
        atexit.register(_core.keep_counts)
    seconds = timeout()
    if seconds > 0 and _core.mpi_thread_level() == "multiple":
        _core.start_watchdog(world, seconds, STACK_SIGNAL)
