# SPDX-License-Identifier: BSD-3-Clause
"""Progress of long fits, on rank 0 and only where `verbose` asks for it."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

from equiheat.communication import Communicator

_WIDTH = 24


class Progress:
    """A bar of iterations that is drawn on one rank's stderr.

    With `rich` installed and a terminal it is rich's bar; else a line of its own at most every two seconds, so that log
    files stay short. Without `verbose` nothing is written. Local.

    Parameters
    ----------
    what
        Name of what is fitted.
    total
        Iterations at most.
    verbose
        Whether to draw.
    comm
        Communicator of the fit; its rank 0 draws.
    """

    def __init__(self, what: str, total: int, verbose: Any, comm: Communicator) -> None:
        self._what, self._total = what, total
        self._visible = bool(verbose) and comm.rank == 0
        self._bar: Any = None
        self._task: Any = None
        self._last = 0.0
        self._waiting: tuple[int, str] | None = None  # what is not written yet

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._visible and sys.stderr.isatty():
            self._bar = _rich_bar()
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total, state="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End with a line that stays: where the fit stopped."""
        if self._bar is not None:
            self._bar.stop()
        elif self._waiting is not None:
            self._write(*self._waiting)

    def update(self, iteration: int, state: str) -> None:
        """`iteration` iterations are done; `state` says where the fit stands."""
        if not self._visible:
            return
        if self._bar is not None:
            self._bar.update(self._task, completed=iteration, state=state)
            return
        self._waiting = iteration, state
        now = time.monotonic()
        if iteration == 1 or iteration >= self._total or now - self._last >= 2.0:
            self._last = now
            self._write(iteration, state)

    def _write(self, iteration: int, state: str) -> None:
        self._waiting = None
        done = _WIDTH * iteration // max(1, self._total)
        bar = "#" * done + "." * (_WIDTH - done)
        sys.stderr.write(f"{self._what} [{bar}] {iteration}/{self._total} {state}\n")
        sys.stderr.flush()


def _rich_bar() -> Any:
    """Rich's bar; None where rich is not installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        return None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("{task.fields[state]}"), console=Console(stderr=True))
