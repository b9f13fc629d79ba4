# SPDX-License-Identifier: BSD-3-Clause
"""Summary of experiments/objects_mini.py: mean and deviation over the seeds, paired differences, tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

Run = dict[str, Any]
TARGETS = ("rotation", "color", "all")
#: What the probes are scored on, after fitting on pairs of views that were trained on.
JUDGED = {"rows": "Objects that no arm was trained on", "rows, new views": "New views of the objects trained on"}
#: Differences that are asked for.
PAIRS = (("vicreg_ecr", "sie"), ("vicreg_ecr", "vicreg"), ("vicreg_tir", "vicreg"), ("sie", "vicreg"))


def numbers(run: Run, judged: str) -> dict[str, float]:
    """Pooled R² and the mean over the parameters of all features, by "target/probe/kind"."""
    row = next(row for row in run[judged] if row["part"] == "all")
    found = {}
    for target, probes in row["scores"].items():
        for probe, score in probes.items():
            found[f"{target}/{probe}/pooled"] = score["pooled"]
            found[f"{target}/{probe}/mean"] = statistics.fmean(score["per_parameter"])
    return found


def show(values: Sequence[float], form: str = "{:.3f}") -> str:
    """Mean ± sample standard deviation."""
    spread = f" ± {form.replace('+', '').format(statistics.stdev(values))}" if len(values) > 1 else ""
    return form.format(statistics.fmean(values)) + spread


def table(runs: Sequence[Run], arms: Sequence[str], judged: str, probe: str) -> list[str]:
    """A line for each arm."""
    kinds = [f"{target}/{probe}/{kind}" for target in TARGETS for kind in ("pooled", "mean")]
    titles = [f"{target}, {kind}" for target in TARGETS for kind in ("pooled", "mean")]
    lines = ["| arm | " + " | ".join(titles) + " |", "| --- |" + " --- |" * len(kinds)]
    for arm in arms:
        own = [numbers(run, judged) for run in runs if run["arm"] == arm]
        if own:
            lines.append(f"| {arm} | " + " | ".join(show([one[kind] for one in own]) for kind in kinds) + " |")
    return lines


def paired(runs: Sequence[Run], judged: str, probe: str) -> list[str]:
    """Differences over the seeds that both arms have."""
    by_arm: dict[str, dict[int, dict[str, float]]] = {}
    for run in runs:
        by_arm.setdefault(run["arm"], {})[run["seed"]] = numbers(run, judged)
    kinds = [f"{target}/{probe}/{kind}" for target in TARGETS for kind in ("pooled", "mean")]
    titles = [f"{target}, {kind}" for target in TARGETS for kind in ("pooled", "mean")]
    lines = ["| difference | " + " | ".join(titles) + " |", "| --- |" + " --- |" * len(kinds)]
    for one, other in PAIRS:
        seeds = sorted(set(by_arm.get(one, {})) & set(by_arm.get(other, {})))
        cells = [show([by_arm[one][s][k] - by_arm[other][s][k] for s in seeds], "{:+.3f}") for k in kinds if seeds]
        lines += [f"| {one} − {other} | " + " | ".join(cells) + " |"] if seeds else []
    return lines


def markdown(runs: Sequence[Run], arms: Sequence[str], about: dict[str, Any]) -> str:
    """The tables as a page."""
    lines = ["# 3DIEBench-mini: what was measured", ""]
    lines += [f"{key}: {value}  " for key, value in about.items()]
    lines += [
        "",
        "R² on pairs of views, mean ± s.d. over the seeds. Rotation is the relative quaternion with canonical sign.",
        "Pooled: one R² over all numbers, as in SIE's scripts.",
        "",
    ]
    for judged, title in JUDGED.items():
        for probe, name in (("mlp", "MLP probe"), ("ridge", "ridge probe")):
            lines += [f"## {title}: {name}", "", *table(runs, arms, judged, probe), ""]
            lines += [*paired(runs, judged, probe), ""]
    return "\n".join(lines)
