# SPDX-License-Identifier: BSD-3-Clause
"""``equiheat report``: several runs side by side in one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import html
import io
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from equiheat.communication import get_comm
from equiheat.ssl.logging import read_metrics
from equiheat.ssl.recipe import flattened, read_text_table

#: Curves that are drawn first, where runs have them; all others follow by name.
FIRST = ("loss", "base", "reconstruction", "reconstruction_shuffled", "effective_rank", "feature_std")
_HIDDEN = ("step", "epoch")
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.3em .7em;text-align:right}
td:first-child,th:first-child{text-align:left}.bad{color:#b00;font-weight:600}img{max-width:100%;image-rendering:pixelated}
.differs{background:#fff6d5}"""


@dataclass(frozen=True)
class ReportCommand:
    """Compare runs: figures, curves, settings that differ, probes, pictures.

    Parameters
    ----------
    runs
        Folders of runs.
    out
        File to write.
    """

    runs: tuple[Path, ...]
    out: Path = Path("report.html")


@dataclass(frozen=True)
class Run:
    """What a folder holds."""

    name: str
    metrics: list[dict[str, Any]]
    recipe: dict[str, Any]
    probe: list[dict[str, Any]]
    objects: list[dict[str, Any]]
    panel: Path | None

    @staticmethod
    def read(folder: Path) -> Run:
        """Read a run's folder; probes and pictures may be missing."""
        if not (folder / "metrics.jsonl").is_file():
            raise FileNotFoundError(f"report: {str(folder.absolute())!r} is no run: it has no metrics.jsonl")
        recipe = folder / "recipe.toml"
        panels = sorted((folder / "panels").glob("*.png"))
        return Run(
            name=folder.name,
            metrics=read_metrics(folder / "metrics.jsonl"),
            recipe=flattened(read_text_table(recipe.read_text(encoding="utf-8")) if recipe.is_file() else {}),
            probe=_rows(folder / "probe" / "probe.json"),
            objects=_rows(folder / "probe" / "objects.json"),
            panel=panels[-1] if panels else None,
        )

    def last(self, name: str) -> Any:
        """The last value of a figure; None without."""
        return next((line[name] for line in reversed(self.metrics) if name in line), None)


def _rows(file: Path) -> list[dict[str, Any]]:
    """Rows of a probe's file; none without it."""
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.is_file() else []
    return rows


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs, each by as much of the end of its path as tells it from the others."""
    paths = [folder.resolve().parts for folder in folders]
    runs = []
    for folder, parts in zip(folders, paths, strict=True):
        others = [other for other in paths if other != parts]
        length = 1
        while length < len(parts) and any(other[-length:] == parts[-length:] for other in others):
            length += 1
        runs.append(replace(Run.read(folder), name="/".join(parts[-length:])))
    return runs


def build(runs: list[Run]) -> str:
    """The page."""
    parts = [
        "<h1>Runs</h1>",
        _summary(runs),
        "<h2>Settings that differ</h2>",
        _settings(runs),
        "<h2>Curves</h2>",
        *(_curve(runs, name) for name in _curves(runs)),
        _probes(runs),
        _objects(runs),
        *(_picture(run) for run in runs if run.panel is not None),
    ]
    return f"<!doctype html><meta charset=utf-8><title>equiheat</title><style>{STYLE}</style>" + "\n".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    line = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{line}</tr>{body}</table>"


def _cell(value: Any) -> str:
    text = "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return html.escape(text)


def _summary(runs: list[Run]) -> str:
    names = ["loss", "effective_rank", "images_per_second"]
    rows = []
    for run in runs:
        verdict = run.last("verdict") or "–"
        style = "" if verdict.startswith("healthy") or verdict == "–" else " class=bad"
        cells = [html.escape(run.name), str(len(run.metrics)), *(_cell(run.last(name)) for name in names)]
        rows.append([*cells, f"<span{style}>{html.escape(verdict)}</span>"])
    return _table(["run", "steps", *(name.replace("_", " ") for name in names), "verdict"], rows)


def _settings(runs: list[Run]) -> str:
    names = sorted({name for run in runs for name in run.recipe} - {"out", "resume"})
    differing = [name for name in names if len({repr(run.recipe.get(name)) for run in runs}) > 1]
    if not differing:
        return "<p>None.</p>"
    return _table(["", *(run.name for run in runs)], [
        [html.escape(name), *(_cell(run.recipe.get(name)) for run in runs)] for name in differing
    ])  # fmt: skip


def _curves(runs: list[Run]) -> list[str]:
    found = {
        name
        for run in runs
        for line in run.metrics
        for name, value in line.items()
        if isinstance(value, (int, float)) and name not in _HIDDEN
    }
    return [name for name in FIRST if name in found] + sorted(found - set(FIRST))


def _curve(runs: list[Run], name: str) -> str:
    """A figure over the steps, as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    for run in runs:
        points = [(line["step"], line[name]) for line in run.metrics if name in line]
        if points:
            axes.plot(*zip(*points, strict=True), label=run.name, linewidth=1.2, marker="." if len(points) < 40 else "")
    axes.set_xlabel("step")
    axes.set_title(name.replace("_", " "), fontsize=10)
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue().partition("<svg")[2].join(("<svg", ""))


def _probes(runs: list[Run]) -> str:
    rows, families = [], sorted({family for run in runs for row in run.probe for family in row["r2"]})
    for run in runs:
        for row in run.probe:
            scores = [_scores(by["mean"] for by in row["r2"].get(f, {}).values()) for f in families]
            top1 = "–" if row.get("top1") is None else f"{100 * row['top1']:.1f}"
            rows.append([_label(run, row), _methods(row["r2"]), *scores, top1])
    if not rows:
        return ""
    return "<h2>Probes: R²</h2>" + _table(["", "by", *families, "top-1 %"], rows)


def _objects(runs: list[Run]) -> str:
    """R² of the probes of 3DIEBench and its like, pooled over the parameters."""
    targets = list(dict.fromkeys(target for run in runs for row in run.objects for target in row["scores"]))
    rows = [
        [
            _label(run, row),
            _methods(row["scores"]),
            *(_scores(by["pooled"] for by in row["scores"].get(target, {}).values()) for target in targets),
        ]
        for run in runs
        for row in run.objects
    ]
    return "<h2>Probes of two views of an object: R², pooled</h2>" + _table(["", "by", *targets], rows) if rows else ""


def _label(run: Run, row: dict[str, Any]) -> str:
    return html.escape(f"{run.name}: {row['encoder']}, {row['part']}")


def _methods(scores: dict[str, Any]) -> str:
    """Regressors of a row: runs may have been probed by others."""
    return html.escape(" / ".join(next(iter(scores.values()), {})))


def _scores(values: Iterable[float]) -> str:
    return " / ".join(f"{x:.3f}" for x in values) or "–"


def _picture(run: Run) -> str:
    assert run.panel is not None
    data = base64.b64encode(run.panel.read_bytes()).decode()
    title = f"{html.escape(run.name)}: first view, second view, target, reconstruction ({run.panel.stem})"
    return f'<h2>{title}</h2><img src="data:image/png;base64,{data}">'


def run(command: ReportCommand) -> None:
    """Read the runs and write the page; rank 0 works."""
    if not command.runs:
        raise ValueError("report: no runs given; name one or more folders of runs")
    if command.out.is_dir():
        raise ValueError(f"report: out {str(command.out)!r} is a folder; name the file to write")
    runs = read_runs(command.runs)  # on every rank: all of them fail, or none
    if get_comm().rank == 0:
        command.out.parent.mkdir(parents=True, exist_ok=True)
        command.out.write_text(build(runs), encoding="utf-8")
        sys.stdout.write(f"{command.out}: {len(command.runs)} runs\n")
