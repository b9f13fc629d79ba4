# SPDX-License-Identifier: BSD-3-Clause
"""Metrics as JSON lines, and a progress bar, both on rank 0."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class MetricsFile:
    """``metrics.jsonl``: one JSON object per line, flushed line by line; ``null`` is a figure that is not finite.

    Parameters
    ----------
    path
        The file.
    keep_before
        Lines of an earlier part of the run with ``step`` below this number stay, the others are dropped.
    """

    def __init__(self, path: Path, *, keep_before: int = 0) -> None:
        kept = [line for line in read_metrics(path) if line.get("step", 0) < keep_before] if path.is_file() else []
        beside = path.with_name(f".{path.name}.tmp")  # what is kept must outlive a full disk
        beside.write_text("".join(_text(line) for line in kept), encoding="utf-8")
        beside.replace(path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, line: dict[str, Any]) -> None:
        """Append one object."""
        self._file.write(_text(line))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _text(line: dict[str, Any]) -> str:
    """A line of a metrics file; JSON has no NaN and no infinity."""
    finite = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in line.items()}
    return json.dumps(finite, allow_nan=False) + "\n"


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Lines of a metrics file, with NaN for ``null``; a last line that was cut off in the writing is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
            lines.append({k: math.nan if v is None else v for k, v in line.items()})
        except json.JSONDecodeError:
            continue
    return lines


class RunLog:
    """A run's figures as JSON lines and, if wanted, as TensorBoard's event files.

    Parameters
    ----------
    out
        The run's folder: ``metrics.jsonl`` and ``tensorboard/``.
    first_step
        Figures of an earlier part of the run from this step on are dropped.
    tensorboard
        Whether to write event files.
    """

    def __init__(self, out: Path, *, first_step: int = 0, tensorboard: bool = True) -> None:
        self._file = MetricsFile(out / "metrics.jsonl", keep_before=first_step)
        self._board: Any = None
        if tensorboard:
            from tensorboardX import SummaryWriter  # slow to import

            self._board = SummaryWriter(str(out / "tensorboard"), purge_step=first_step or None)

    def write(self, line: dict[str, Any]) -> None:
        """Append one step's figures."""
        self._file.write(line)
        if self._board is None:
            return
        for name, value in line.items():
            if isinstance(value, (int, float)) and name != "step":
                self._board.add_scalar(name, value, line["step"])
            elif isinstance(value, str):
                self._board.add_text(name, value, line["step"])

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._board is not None:
            self._board.close()


class ProgressBar:
    """Bar with the time left, images per second and the loss; silent where ``visible`` is false.

    Parameters
    ----------
    title
        What is being done.
    total, done
        Steps of the run, and steps done before.
    visible
        True on one rank.
    """

    def __init__(self, title: str, *, total: int, done: int = 0, visible: bool = True) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not visible, refresh_per_second=2)
        self._task = self._progress.add_task(title, total=total, completed=done, note="")

    def advance(self, note: str) -> None:
        """One step further."""
        self._progress.update(self._task, advance=1, note=note)

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._progress.console.print(text) if not self._progress.disable else None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
