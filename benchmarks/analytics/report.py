# SPDX-License-Identifier: BSD-3-Clause
"""Table, JSON and plot of the figures."""

from __future__ import annotations

import importlib.metadata
import json
import pathlib
import platform
from typing import Any

import problems

OURS = ("equiheat, 2 ranks", "equiheat, 1 core")


def processor() -> str:
    """Name of the processor."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def versions() -> dict[str, str]:
    """Of the libraries that are installed."""
    found = {}
    for name in ("heat", "dask", "dask-ml", "scikit-learn", "numpy", "scipy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def seconds(runs: dict[str, Any], run: str, problem: str) -> float | None:
    """Of a problem, by the best of its variants."""
    rows = [v for k, v in runs.get(run, {}).items() if k.split(",")[0] == problem and isinstance(v, dict)]
    times = [row["seconds"] for row in rows if "seconds" in row]
    return min(times) if times else None


def scaling(runs: dict[str, Any], weak: dict[str, Any], problem: str) -> dict[str, float]:
    """Strong and weak scaling of equiheat: ratios of medians, medians of ratios."""
    one, two = (seconds(runs, name, problem) for name in reversed(OURS))
    found = {"speed-up of 2 ranks": round(one / two, 2)} if one and two else {}
    ratios = weak.get(problem, {}).get("over together", {})
    return found | {f"weak scaling efficiency, 1 to 2 ranks, {name}": ratio for name, ratio in ratios.items()}


def summary(runs: dict[str, Any], weak: dict[str, Any]) -> dict[str, Any]:
    """How many times faster equiheat is, and how well it scales."""
    found: dict[str, Any] = {}
    for problem in problems.NAMES:
        ratios: dict[str, Any] = {}
        for run in runs:
            if run.startswith("equiheat"):
                continue
            ours = seconds(runs, OURS[1] if run.endswith("1 core") else OURS[0], problem)
            theirs = seconds(runs, run, problem)
            if ours and theirs:
                ratios[run] = round(theirs / ours, 2)
        found[problem] = {"times faster than": ratios, **scaling(runs, weak, problem)}
    found["the machine"] = {k: scaling({}, weak, k) for k in weak if k not in problems.NAMES}
    return found


def markdown(about: dict[str, Any], runs: dict[str, Any], totals: dict[str, Any]) -> str:
    """The page."""
    names = list(dict.fromkeys(name for run in runs.values() for name in run if name != "failed"))
    lines = [
        "# The benchmarks of the HeAT paper",
        "",
        "Written by `benchmarks/analytics`, whose docstring says what is timed.",
        "",
    ]
    lines += [f"{key}: {value}" + "  " for key, value in about.items()]
    lines += ["", "Seconds (MiB by which the resident set grows).", ""]
    lines += ["| | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    for run, rows in runs.items():
        cells = []
        for name in names:
            row = rows.get(name, {})
            failed = "failed" if "failed" in row or "failed" in rows else ""
            cells.append(f"{row['seconds']:.3g} ({row['MiB']:.0f})" if "seconds" in row else failed)
        lines.append(f"| {run} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "equiheat at 2 ranks beside what uses two cores, at one beside one; the best variant of each library.",
        "",
    ]
    lines += ["```json", json.dumps(totals, indent=1), "```"]
    return "\n".join(lines) + "\n"


def plot(runs: dict[str, Any], path: pathlib.Path) -> None:
    """Times by problem."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(problems.NAMES), figsize=(14, 4.2))
    for axis, problem in zip(axes, problems.NAMES, strict=True):
        bars = [(run, value) for run in runs if (value := seconds(runs, run, problem)) is not None]
        colours = ["tab:blue" if run.startswith("equiheat") else "tab:gray" for run, _ in bars]
        axis.barh([run for run, _ in bars], [value for _, value in bars], color=colours)
        axis.set(title=problem, xscale="log", xlabel="seconds")
        axis.invert_yaxis()
        axis.tick_params(axis="y", labelsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def write(out: pathlib.Path, about: dict[str, Any], runs: dict[str, Any], weak: dict[str, Any]) -> None:
    """`out`.json, .md and .png."""
    totals = summary(runs, weak)
    out.parent.mkdir(parents=True, exist_ok=True)
    found = {"about": about, "summary": totals, "weak scaling": weak, "runs": runs}
    out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    out.with_suffix(".md").write_text(markdown(about, runs, totals))
    plot(runs, out.with_suffix(".png"))
