# SPDX-License-Identifier: BSD-3-Clause
"""The page and the picture."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable
from typing import Any

import collective_costs
import extrapolate
import network
import simulate

SHOWN = (1, 2, 16, 64, 256, 1024)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    head = list(head)
    return [
        "| " + " | ".join(head) + " |",
        "|" + " --- |" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]


def size(bytes: float) -> str:
    """8 B, 64 KiB, 1 MiB."""
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if bytes >= factor:
            return f"{bytes / factor:g} {unit}"
    return f"{bytes:g} B"


def time(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def measured(found: dict[str, Any]) -> list[str]:
    net, p = extrapolate.measured(found), extrapolate.most(found)["ranks"]
    lines = [f"## Measured, {p} ranks of one node", ""]
    lines += [
        f"alpha = {time(net.alpha)}, 1 / beta = {1e-9 / net.beta:.3g} GB/s, 1 / gamma = {1e-9 / net.gamma:.3g} GB/s",
        "",
    ]
    lines += [
        "Collectives of one node go through shared memory (docs/communication.md) and not by these messages. Lines",
        "fitted to 8 B to 4 MiB; errors are relative.",
        "",
    ]
    rows = (
        [kind, time(f.alpha), f"{1e-9 / f.beta:.3g}" if f.beta else "", f"{f.median_error:.0%}", f"{f.worst_error:.0%}"]
        for kind, f in extrapolate.fits(found).items()
    )
    lines += table(("call", "latency", "GB/s", "median error", "worst error"), rows)
    lines += [f"The model at {p} ranks beside the clock (k-means: 30 iterations; small problems):", ""]
    rows = (
        [name, *(time(r[k]) for k in ("1 rank", f"{p} ranks", "model")), f"{r['ratio']:.2f}"]
        for name, r in extrapolate.predictions(found).items()
    )
    return lines + table(("problem", "1 rank", f"{p} ranks", "model", "model / measured"), rows)


def trial_of(row: dict[str, Any]) -> simulate.Trial:
    return simulate.Trial(row["kind"], row["algorithm"], row["bytes"], row["ranks"])


def ratio(row: dict[str, Any], net: network.Network) -> float:
    """Model / simulation."""
    return trial_of(row).predicted(net) / row["simulated"]


def checked(rows: list[dict[str, Any]], net: network.Network) -> list[str]:
    ranks = sorted({row["ranks"] for row in rows})
    lines = table(("call", "algorithm", "bytes", *(f"{p} ranks" for p in ranks)), _ratios(rows, ranks, net))
    off = [r for r in rows if not 0.5 <= ratio(r, net) <= 2]
    trees = [r for r in off if r["algorithm"] == "binomial tree" and r["bytes"] < 64 << 10]
    sharing = (collective_costs.bcast_binomial_sharing(r["ranks"], r["bytes"], net) / r["simulated"] for r in trees)
    why = [
        f"Short messages of a binomial tree share the root's link in the simulator; with that {x:.2f}." for x in sharing
    ]
    return [*lines, f"{len(rows) - len(off)} of {len(rows)} within a factor of 2.", *why, ""]


def _ratios(rows: list[dict[str, Any]], ranks: list[int], net: network.Network) -> Iterable[list[str]]:
    for kind, name, n in sorted({(r["kind"], r["algorithm"], r["bytes"]) for r in rows}):
        cells = {r["ranks"]: r for r in rows if (r["kind"], r["algorithm"], r["bytes"]) == (kind, name, n)}
        shown = (f"{ratio(cells[p], net):.2f} ({time(cells[p]['simulated'])})" if p in cells else "" for p in ranks)
        yield [kind, name, size(n), *shown]


def simulated(found: dict[str, Any]) -> list[str]:
    net = network.Network(**found["platform"]["network"])
    lines = [
        "## Model / simulation",
        "",
        "Simulated with SMPI 3.32 on the platform files that `scaling.json` holds, calibrated by messages between",
        f"two cores here (alpha = {time(net.alpha)}, 1 / beta = {1e-9 / net.beta:.3g} GB/s); not run on hardware.",
        "In brackets the simulated time. Combining costs nothing in both.",
        "",
    ]
    for machine, about in (
        ("flat", "Every node with a link of its own to a switch that is never full, which is what the model assumes:"),
        ("tree", "A fat tree, 32 nodes a switch that share 16 links upwards, which the model leaves out:"),
    ):
        rows = [row for row in found.get("check", []) if row["machine"] == machine]
        if rows:
            lines += [about, "", *checked(rows, net)]
    return lines


def scaled(found: dict[str, Any]) -> list[str]:
    lines = ["## Predicted, not run", "", "Assumptions:", "", *(f"* {text}" for text in found["assumptions"]), ""]
    for name, result in ((k, v) for k, v in found.items() if k != "assumptions"):
        constants = result["constants"]
        lines += [
            f"### {name}",
            "",
            f"alpha = {time(constants['alpha'])}, 1 / beta = {1e-9 / constants['beta']:.3g} GB/s",
        ]
        lines += [f"({constants['about']})", ""]
        for kind in ("strong", "weak"):
            lines += [f"{kind.capitalize()} scaling: efficiency (seconds; MiB of a rank)", ""]
            lines += table(("problem", "rows", *(f"p = {p}" for p in SHOWN)), _scaling(result[kind]))
    return lines


def _scaling(result: dict[str, list[dict[str, float]]]) -> Iterable[list[str]]:
    for name, rows in result.items():
        shown = [row for row in rows if row["ranks"] in SHOWN]
        cells = (f"{r['efficiency']:.2f} ({time(r['seconds'])}; {r['MiB a rank']:.0f})" for r in shown)
        yield [name, f"{rows[0]['rows']:.0e}", *cells]


def plot(found: dict[str, Any], path: pathlib.Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(15, 4.4))
    result = found["tables"][network.PRESETS["infiniband"].name]
    for axis, kind in zip(axes, ("strong", "weak"), strict=False):
        for name, rows in result[kind].items():
            axis.plot([r["ranks"] for r in rows], [r["efficiency"] for r in rows], marker=".", label=name)
        axis.set(
            xscale="log",
            xlabel="ranks",
            ylim=(0, 1.1),
            title=f"{kind} scaling, predicted for InfiniBand HDR",
            ylabel="efficiency",
        )
        axis.set_xscale("log", base=2)
    axes[0].legend(fontsize=7)
    net = network.Network(**found["platform"]["network"])
    for machine, marker in (("flat", "o"), ("tree", "x")):
        rows = [row for row in found.get("check", []) if row["machine"] == machine]
        axes[2].plot(
            [r["simulated"] for r in rows], [trial_of(r).predicted(net) for r in rows], marker, label=machine, alpha=0.6
        )
    ends = [2e-6, 2e-2]
    axes[2].plot(ends, ends, "k-", linewidth=0.8)
    axes[2].fill_between(ends, [e / 2 for e in ends], [e * 2 for e in ends], alpha=0.15, label="factor of 2")
    axes[2].set(
        xscale="log",
        yscale="log",
        xlabel="simulated seconds",
        ylabel="model, seconds",
        title="collectives on 16 to 1,024 simulated ranks",
    )
    axes[2].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def write(out: pathlib.Path, found: dict[str, Any]) -> None:
    """`out`.md and .png."""
    lines = ["# Scaling to 1,024 ranks", "", "Written by `benchmarks/scaling`; docs/scaling.md explains the model.", ""]
    lines += [f"{key}: {value}  " for key, value in found["about"].items()] + [""]
    lines += [*measured(found["measured"]), *simulated(found), *scaled(found["tables"])]
    out.with_suffix(".md").write_text("\n".join(lines).rstrip() + "\n")
    plot(found, out.with_suffix(".png"))
