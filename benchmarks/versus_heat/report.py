# SPDX-License-Identifier: BSD-3-Clause
"""The table, JSON and plot of figures that `run` left."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np

TINY = "tiny"


def ratio(row: dict[str, Any], other: str = "heat") -> float | None:
    """How many times faster equiheat is; None where one of the two has no time."""
    ours, theirs = row.get("equiheat"), row.get(other)
    return theirs / ours if isinstance(ours, float) and isinstance(theirs, float) else None


def geometric_mean(values: list[float]) -> float:
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


def below(values: dict[str, float], limit: float) -> dict[str, float]:
    """Those under the limit, least first."""
    return {n: round(v, 2) for n, v in sorted(values.items(), key=lambda item: item[1]) if v < limit}


def of_run(run: dict[str, Any]) -> dict[str, Any]:
    """The figures that count, of one rank count."""
    rows = run["seconds"]
    heat = {name: value for name, row in rows.items() if (value := ratio(row)) is not None}
    tiny = {name: value for name, value in heat.items() if name.startswith(TINY)}
    torch = {name: value for name, row in rows.items() if (value := ratio(row, "torch")) is not None}
    found = {
        "operations timed": len(rows),
        "both work": len(heat),
        "geometric mean, Heat / equiheat": round(geometric_mean(list(heat.values())), 2),
        "geometric mean on 12 elements": round(geometric_mean(list(tiny.values())), 2),
        "slower than 0.95 of Heat": below(heat, 0.95),
        "12 elements, below 10 times": below(tiny, 10.0),
        "failed in Heat": [n for n, row in rows.items() if isinstance(row.get("heat"), str)],
        "failed in equiheat": [n for n, row in rows.items() if not isinstance(row.get("equiheat"), float)],
    }
    if torch:
        large = {n: v for n, v in torch.items() if not n.startswith(TINY)}
        found["geometric mean, torch / equiheat, large arrays"] = round(geometric_mean(list(large.values())), 2)
        found["slower than 0.95 of torch, large arrays"] = below(large, 0.95)
        found["torch / equiheat on 12 elements, below 0.5"] = below(
            {n: v for n, v in torch.items() if n.startswith(TINY)}, 0.5
        )
    return found


def seconds_of(run: dict[str, Any], library: str) -> dict[str, float]:
    """Seconds by operation, where it worked."""
    return {n: v for n, row in run["seconds"].items() if isinstance(v := row.get(library), float)}


def falls_apart(runs: dict[int, dict[str, Any]]) -> dict[str, float]:
    """How many times faster equiheat is at 2 ranks where these take Heat 10 times as long as one."""
    two, heat_one, heat_two = (seconds_of(runs[n], lib) for n, lib in ((2, "equiheat"), (1, "heat"), (2, "heat")))
    apart = [n for n in heat_one if n in heat_two and n in two and heat_two[n] > 10 * heat_one[n]]
    return {n: round(heat_two[n] / two[n], 1) for n in apart}


def summary(runs: dict[int, dict[str, Any]], gains: dict[str, Any]) -> dict[str, Any]:
    """The figures that count, per rank count and beside each other."""
    found = {f"{ranks} rank(s)": of_run(run) for ranks, run in runs.items()}
    if gains:
        title = f"one rank's time / {gains['ranks']} ranks' where one takes over 10 ms"
        found[title] = {name: row["over together"] for name, row in gains["calls"].items()}
    if {1, 2} <= set(runs):
        title = "Heat / equiheat at 2 ranks where Heat's 2 ranks take 10 times as long as one"
        found[title] = falls_apart(runs)
    return found


def cell(value: Any) -> str:
    if not isinstance(value, float):
        return "failed" if isinstance(value, str) else ""
    return f"{value * 1e6:.3g} us" if value < 1e-3 else f"{value * 1e3:.3g} ms"


def markdown(runs: dict[int, dict[str, Any]], totals: dict[str, Any]) -> str:
    lines = [
        "# equiheat beside Heat",
        "",
        "Written by `benchmarks/versus_heat`; its `__main__.py` says how it is timed.",
        "",
    ]
    for ranks, run in runs.items():
        lines += [f"{ranks} rank(s): " + ", ".join(f"{k} {v}" for k, v in run["about"].items()), ""]
    lines += ["```json", json.dumps(totals, indent=1), "```", ""]
    titles = [f"{lib}, {ranks} rank(s)" for ranks in runs for lib in ("equiheat", "Heat", "Heat / equiheat")]
    lines += ["| operation | " + " | ".join(titles) + " | torch |", "| --- |" + " --- |" * (len(titles) + 1)]
    for name in runs[min(runs)]["seconds"]:
        cells = []
        for run in runs.values():
            row = run["seconds"].get(name, {})
            times = ratio(row)
            cells += [cell(row.get("equiheat")), cell(row.get("heat")), "" if times is None else f"{times:.2f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {cell(runs[min(runs)]['seconds'][name].get('torch'))} |")
    return "\n".join(lines) + "\n"


def plot(runs: dict[int, dict[str, Any]], path: pathlib.Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5))
    for ranks, run in runs.items():
        values = sorted(v for row in run["seconds"].values() if (v := ratio(row)) is not None)
        axes.plot(
            np.linspace(0, 100, len(values)), values, marker=".", label=f"{ranks} rank(s), {len(values)} operations"
        )
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set(
        yscale="log",
        xlabel="share of operations (%)",
        ylabel="Heat's time / equiheat's",
        title="equiheat beside Heat 1.8",
    )
    axes.legend()
    axes.grid(which="both", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def write(folder: pathlib.Path, out: pathlib.Path) -> None:
    """`out`.json, .md and .png from the runs in `folder`."""
    runs = {run["ranks"]: run for path in sorted(folder.glob("ranks*.json")) for run in [json.loads(path.read_text())]}
    if not runs:
        raise SystemExit(f"report: no ranks*.json in {folder}; `run` makes them")
    path = folder / "speedup.json"
    gains = json.loads(path.read_text()) if path.exists() else {}
    totals = summary(runs, gains)
    out.parent.mkdir(parents=True, exist_ok=True)
    found = {"summary": totals, "runs": list(runs.values()), "speed-up": gains}
    out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    out.with_suffix(".md").write_text(markdown(runs, totals))
    plot(runs, out.with_suffix(".png"))
    print(json.dumps(totals, indent=1))
