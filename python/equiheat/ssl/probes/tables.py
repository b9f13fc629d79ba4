# SPDX-License-Identifier: BSD-3-Clause
"""Probe results as tables on the terminal, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equiheat.ssl.probes.families import FAMILIES
from equiheat.ssl.probes.objects import ObjectScores
from equiheat.ssl.probes.suite import ProbeRow

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["as_records", "as_summary", "object_table", "parameter_table", "summary_table", "write_results"]

_COLUMNS = ("encoder", "part", "family", "parameter", "method", "r2")


def as_summary(rows: Iterable[ProbeRow]) -> list[dict[str, Any]]:
    """Rows as plain dictionaries: names, dims, top-1, and per family and method pooled, mean and per-parameter R²."""
    return [
        {
            "encoder": row.encoder,
            "part": row.part,
            "dims": row.dims,
            "top1": row.top1,
            "knn": row.knn,
            "effective_rank": row.effective_rank,
            "mean_r2": {method: row.mean(method) for method in _methods([row])},
            "r2": {
                family: {
                    method: {
                        "mean": score.mean,
                        "pooled": score.pooled,
                        **dict(zip(FAMILIES[family].parameters, score.per_parameter, strict=True)),
                    }
                    for method, score in by_method.items()
                }
                for family, by_method in row.scores.items()
            },
        }
        for row in rows
    ]


def as_records(rows: Iterable[ProbeRow]) -> list[dict[str, Any]]:
    """Long form, one number each: encoder, part, family, parameter ("mean" and "pooled" too), method, r2."""
    return [
        dict(zip(_COLUMNS, (row["encoder"], row["part"], family, name, method, r2), strict=True))
        for row in as_summary(rows)
        for family, by_method in row["r2"].items()
        for method, scores in by_method.items()
        for name, r2 in scores.items()
    ]


def write_results(folder: Path, rows: Sequence[ProbeRow], about: Mapping[str, Any]) -> list[Path]:
    """Write ``probe.json`` and ``probe.csv`` into `folder` (made if missing), each whole or not at all.

    Parameters
    ----------
    folder
        Where to.
    rows
        Results.
    about
        What was run: options, files, versions. Goes into the JSON file under ``"about"``.

    Returns
    -------
    list of Path
        The two files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records = as_records(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=_COLUMNS)
    writer.writeheader()
    writer.writerows(records)
    targets = {
        folder / "probe.json": json.dumps({"about": dict(about), "rows": as_summary(rows)}, indent=1) + "\n",
        folder / "probe.csv": text.getvalue(),
    }
    for path, content in targets.items():
        write_atomically(path, content)
    return list(targets)


def write_atomically(path: Path, content: str) -> None:
    """Write a text file under a temporary name beside `path` and rename it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
    os.chmod(name, 0o644)
    os.replace(name, path)


def summary_table(rows: Sequence[ProbeRow], *, title: str = "") -> Table:
    """One line per encoder and part: R² per family (mean over its parameters), their mean, top-1."""
    from rich.table import Table

    methods, families = _methods(rows), _families(rows)
    table = Table(title=title, caption=f"R² on held-out images, {' / '.join(methods)}; family = mean of its parameters")
    table.add_column("encoder")
    table.add_column("features")
    for family in (*families, "mean"):
        table.add_column(family, justify="right")
    if any(row.top1 is not None for row in rows):
        table.add_column("linear / kNN %", justify="right")
    table.add_column("rank", justify="right")
    for row in rows:
        cells = [_cell(row.scores[f][m].mean if f in row.scores else None for m in methods) for f in families]
        cells.append(_cell(row.mean(m) for m in methods))
        if any(r.top1 is not None for r in rows):
            cells.append(" / ".join("-" if x is None else f"{100 * x:.1f}" for x in (row.top1, row.knn)))
        cells.append("-" if row.effective_rank is None else f"{row.effective_rank:.1f}")
        style = "bold" if row.part == "all" else "dim"
        table.add_row(row.encoder, f"{row.part} ({row.dims})", *cells, style=style)
    return table


def object_table(rows: Sequence[tuple[str, ObjectScores]], *, title: str = "") -> Table:
    """One line per encoder and part: R² of rotation, colour and all latents, pooled and mean of the parameters."""
    from rich.table import Table

    targets = list(rows[0][1].scores)
    methods = list(rows[0][1].scores[targets[0]])
    table = Table(title=title, caption=f"R² of pairs of other objects, {' / '.join(methods)}")
    table.add_column("encoder")
    table.add_column("features")
    for target in targets:
        table.add_column(f"{target}, pooled", justify="right")
        table.add_column("mean", justify="right")
    for name, row in rows:
        cells = [
            _cell(getattr(row.scores[target][m], kind) for m in methods)
            for target in targets
            for kind in ("pooled", "mean")
        ]
        table.add_row(name, f"{row.part} ({row.dims})", *cells, style="bold" if row.part == "all" else "dim")
    return table


def parameter_table(rows: Sequence[ProbeRow], *, title: str = "") -> Table:
    """One line per parameter and one pooled line per family; one column per encoder (all features)."""
    from rich.table import Table

    rows = [row for row in rows if row.part == "all"]
    methods = _methods(rows)
    table = Table(title=title, caption=f"R² per parameter and pooled (one mean for all), {' / '.join(methods)}")
    table.add_column("family")
    table.add_column("parameter")
    for row in rows:
        table.add_column(row.encoder, justify="right")
    for family in _families(rows):
        for index, parameter in enumerate(FAMILIES[family].parameters):
            scores = [[row.scores[family][m].per_parameter[index] for m in methods] for row in rows]
            table.add_row(family if index == 0 else "", parameter, *(_cell(s) for s in scores))
        pooled = [[row.scores[family][m].pooled for m in methods] for row in rows]
        table.add_row("", "pooled", *(_cell(s) for s in pooled), style="dim", end_section=True)
    return table


def _cell(values: Iterable[float | None]) -> str:
    return " / ".join("-" if v is None else f"{v:.2f}".replace("-0.00", "0.00") for v in values)


def _methods(rows: Sequence[ProbeRow]) -> list[str]:
    return list(dict.fromkeys(m for row in rows for by_method in row.scores.values() for m in by_method))


def _families(rows: Sequence[ProbeRow]) -> list[str]:
    return list(dict.fromkeys(family for row in rows for family in row.scores))
