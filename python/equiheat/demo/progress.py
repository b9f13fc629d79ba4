# SPDX-License-Identifier: BSD-3-Clause
"""One progress line for the whole demonstration: what is being done, and how long it will take. Rank 0 only."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Stages:
    """Progress through stages of known relative length.

    The time left is that of the work left at the speed so far, where a stage counts as many seconds as it takes on two
    cores of 2023. On a terminal a bar is drawn (``TTY_COMPATIBLE=1`` says that there
    is one behind mpiexec); in a log file a line appears every ten seconds.

    Parameters
    ----------
    stages
        Name and expected seconds of every stage, in order.
    visible
        True on one rank.
    """

    def __init__(self, stages: dict[str, float], *, visible: bool) -> None:
        self._stages, self._visible = stages, visible
        self._total = sum(stages.values())
        self._before, self._name, self._inside = 0.0, "", 0.0
        self._start = self._last_line = time.perf_counter()
        self.console = Console(quiet=not visible, highlight=False)
        if not self.console.is_terminal:
            self.console = Console(quiet=not visible, highlight=False, width=130)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        live = visible and self.console.is_terminal
        self._bar = Progress(*columns, console=self.console, disable=not live, refresh_per_second=4)
        self._task = self._bar.add_task("", total=self._total, left="")

    def begin(self, name: str) -> None:
        """Enter a stage; the ones before it count as done."""
        names = list(self._stages)
        self._before = sum(self._stages[n] for n in names[: names.index(name)])
        self._name, self._inside = name, 0.0
        self._show(f"{name}", force=True)

    def advance(self, done: float, of: float, note: str = "") -> None:
        """Inside the stage, `done` of `of` pieces of work are finished."""
        self._inside = self._stages[self._name] * min(1.0, done / of)
        self._show(f"{self._name}: {note}" if note else self._name)

    def say(self, text: object) -> None:
        """Print something that stays."""
        if self._visible:
            self.console.print(text)

    def seconds_left(self) -> float:
        """Expected seconds to the end; the expectation is trusted until a tenth of the work is done."""
        done = self._before + self._inside
        elapsed = time.perf_counter() - self._start
        trust = min(1.0, done / (0.1 * self._total))
        pace = trust * elapsed / done + (1 - trust) if done > 0 else 1.0
        return (self._total - done) * max(pace, 0.05)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._before, self._inside = self._total, 0.0
            self._show("done", force=True)
        self._bar.stop()

    def _show(self, text: str, *, force: bool = False) -> None:
        done = self._before + self._inside
        left = _span(self.seconds_left())
        self._bar.update(self._task, description=text, completed=done, left=f"about {left} left")
        now = time.perf_counter()
        if self._visible and self._bar.disable and (force or now - self._last_line > 10):
            self._last_line = now
            share = done / self._total
            bar = "━" * round(24 * share) + "·" * (24 - round(24 * share))
            self.console.print(f"{bar} {100 * share:3.0f} %  about {left} left  {text}", markup=False)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
