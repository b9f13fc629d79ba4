# SPDX-License-Identifier: BSD-3-Clause
"""Summary of experiments/ecr_cifar10.py: mean and standard deviation over seeds, paired differences, tables."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from equiheat.ssl.probes.tables import write_atomically

FAMILIES = ("rotation", "translation", "color", "blur")
TITLES = {
    "random": "random initialisation",
    "vicreg": "VICReg",
    "ecr": "VICReg + ECR",
    "no_keys": "VICReg + decoder without keys/values",
    "shuffled_keys": "VICReg + keys/values of another image",
    "pooled_query": "VICReg + ECR, pooled query",
    "pooled_query_no_keys": "pooled query without keys/values",
    "pooled_query_shuffled_keys": "pooled query, keys/values of another image",
    "ecr_weight_25": "VICReg + ECR, lambda 25",
    "raw_pixels": "raw pixels, 16 x 16",
}
#: Differences that are asked for: what ECR adds, and what of it the cross-attention adds.
PAIRS = (
    ("ecr", "vicreg"),
    ("ecr", "random"),
    ("ecr", "no_keys"),
    ("ecr", "shuffled_keys"),
    ("no_keys", "vicreg"),
    ("pooled_query", "vicreg"),
    ("pooled_query", "random"),
    ("pooled_query", "pooled_query_no_keys"),
    ("pooled_query", "pooled_query_shuffled_keys"),
    ("pooled_query_no_keys", "vicreg"),
)


Row = dict[str, Any]


def collect(folder: Path, results: Path, *, arms: Sequence[str]) -> None:
    """Read `<folder>/<arm>-seed<k>.json`, write `<results>/ecr_cifar10.json` and `.md`."""
    runs = [json.loads(file.read_text()) for arm in arms for file in sorted(folder.glob(f"{arm}-seed*.json"))]
    if not runs:
        return
    results.mkdir(parents=True, exist_ok=True)
    summary = {"runs": runs, "arms": summarise(runs), "differences": differences(runs)}
    write_atomically(results / "ecr_cifar10.json", json.dumps(summary, indent=1) + "\n")
    write_atomically(results / "ecr_cifar10.md", markdown(runs))


def row_of(run: Row, part: str = "all") -> Row | None:
    """Scores of one part of one run."""
    return next((row for row in run["rows"] if row["part"] == part), None)


def spread(values: Sequence[float]) -> Row:
    """Mean, sample standard deviation and number of values."""
    return {
        "mean": statistics.fmean(values),
        "sd": statistics.stdev(values) if len(values) > 1 else None,
        "n": len(values),
        "values": list(values),
    }


def numbers(row: Row) -> dict[str, float]:
    """Every scalar of a row under a flat name, such as "rotation/mlp", "color.hue/ridge", "mean/mlp", "top1"."""
    flat = {f"mean/{method}": value for method, value in row["mean_r2"].items()}
    for family, methods in row["r2"].items():
        for method, scores in methods.items():
            for name, value in scores.items():
                flat[f"{family}/{method}" if name == "mean" else f"{family}.{name}/{method}"] = value
    if row["top1"] is not None:
        flat["top1"] = 100 * row["top1"]
    return flat


def summarise(runs: Sequence[Row]) -> dict[str, dict[str, dict[str, Row]]]:
    """arm -> part -> name -> spread over the seeds."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for run in runs:
        for row in run["rows"]:
            for name, value in numbers(row).items():
                found.setdefault(run["arm"], {}).setdefault(row["part"], {}).setdefault(name, []).append(value)
    return {
        arm: {part: {name: spread(v) for name, v in names.items()} for part, names in parts.items()}
        for arm, parts in found.items()
    }


def differences(runs: Sequence[Row]) -> dict[str, dict[str, Row]]:
    """Paired over the seeds: both arms saw the same images in the same order and started from the same encoder."""
    by_arm: dict[str, dict[int, dict[str, float]]] = {}
    for run in runs:
        row = row_of(run)
        if row is not None:
            by_arm.setdefault(run["arm"], {})[run["seed"]] = numbers(row)
    result = {}
    for one, other in PAIRS:
        seeds = sorted(set(by_arm.get(one, {})) & set(by_arm.get(other, {})))
        if seeds:
            names = by_arm[one][seeds[0]].keys() & by_arm[other][seeds[0]].keys()
            result[f"{one} - {other}"] = {
                name: spread([by_arm[one][s][name] - by_arm[other][s][name] for s in seeds]) for name in sorted(names)
            }
    return result


def _commits(entries: Iterable[Row]) -> str:
    """Each once, in the order of the runs."""
    return ", ".join(dict.fromkeys(str(entry["commit"]) for entry in entries if "commit" in entry))


def markdown(runs: Sequence[Row]) -> str:
    """The tables as a page."""
    summary, paired = summarise(runs), differences(runs)
    first = runs[0]
    trained = next((run["training"] for run in runs if run["training"]), None)
    if trained is None:
        return "No trained arm is finished yet.\n"
    cpu = sum(run["seconds"]["cpu"] + run["training"].get("seconds", {}).get("cpu", 0.0) for run in runs) / 60
    recipe = trained["recipe"]
    lines = [
        "# VICReg and cross-attention reconstruction on a CIFAR-10 subset: what was measured",
        "",
        f"`{first['command']}` (several such calls, which share the work)",
        "",
        f"Trained at commit {_commits(run['training'] for run in runs)}, probed at {_commits(runs)} "
        f"(each run's stands in the JSON file); {first['machine']['cpu']}, "
        f"{first['machine']['cores']} cores (one thread per run), "
        f"torch {first['versions']['torch']}, {first['date']}; {cpu:.0f} CPU-minutes in all. "
        f"Encoder {recipe['encoder']}, "
        f"{recipe['epochs']} epochs, batch {recipe['batch_size']}, {recipe['precision']}, "
        f"lambda {recipe['ecr']['weight']:g}, reflection borders in training and probing. "
        "R² on test images; a family's R² is the mean over its parameters. Mean ± s.d. over the seeds.",
        "",
        "## Frozen features, all dimensions: R², MLP probe",
        "",
        *_table(summary, "mlp"),
        "",
        "## Ridge probe",
        "",
        *_table(summary, "ridge"),
        "",
        "## Halves of the features",
        "",
        *_parts(summary),
        "",
        "## Paired differences over the seeds",
        "",
        *_paired(paired),
        "",
        "## Per parameter and pooled (MLP probe)",
        "",
        *_per_parameter(summary),
        "",
        "## Does the decoder look at the other view?",
        "",
        *_shuffled(runs),
    ]
    return "\n".join(lines) + "\n"


def _show(value: Row | None, form: str = "{:.3f}") -> str:
    if value is None:
        return "–"
    return form.format(value["mean"]) + (f" ± {form.format(value['sd'])}" if value["sd"] is not None else "")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(cells: Sequence[str]) -> list[str]:
    return [_line(cells), _line(["---"] * len(cells))]


def _scores(names: dict[str, Row], method: str) -> list[str]:
    cells = [_show(names.get(f"{family}/{method}")) for family in (*FAMILIES, "mean")]
    return [*cells, _show(names.get("top1"), "{:.1f}")]


def _table(summary: dict[str, Any], method: str) -> list[str]:
    lines = _head(["arm", *FAMILIES, "mean", "top-1 %"])
    arms = [arm for arm in TITLES if arm in summary and f"mean/{method}" in summary[arm]["all"]]
    return lines + [_line([TITLES[arm], *_scores(summary[arm]["all"], method)]) for arm in arms]


def _parts(summary: dict[str, Any]) -> list[str]:
    lines = _head(["arm", "half", *(f"{family} (MLP)" for family in (*FAMILIES, "mean")), "top-1 %"])
    for arm in TITLES:
        for part in ("inv", "equi"):
            if part in summary.get(arm, {}):
                lines.append(_line([TITLES[arm], part, *_scores(summary[arm][part], "mlp")]))
    return lines


def _paired(paired: dict[str, dict[str, Row]]) -> list[str]:
    names = ("mean/mlp", "mean/ridge", "rotation/mlp", "translation/mlp", "color/mlp", "blur/mlp")
    lines = _head(["difference", *names, "top-1, points"])
    for pair, values in paired.items():
        one, other = (TITLES[arm] for arm in pair.split(" - "))
        cells = [_show(values.get(name), "{:+.3f}") for name in names]
        lines.append(_line([f"{one} − {other}", *cells, _show(values.get("top1"), "{:+.1f}")]).replace("± +", "± "))
    return lines


def _per_parameter(summary: dict[str, Any]) -> list[str]:
    arms = [arm for arm in TITLES if arm in summary and "mean/mlp" in summary[arm]["all"]]
    if not arms:
        return []
    skip: Callable[[str], bool] = lambda name: not name.endswith("/mlp") or "." not in name  # noqa: E731
    names = [name for name in summary[arms[0]]["all"] if not skip(name)]
    lines = _head(["parameter", *(TITLES[arm] for arm in arms)])
    return lines + [
        _line([name.removesuffix("/mlp"), *(_show(summary[arm]["all"].get(name)) for arm in arms)]) for name in names
    ]


def _shuffled(runs: Sequence[Row]) -> list[str]:
    found = [run for run in runs if "reconstruction" in run["training"].get("last_step", {})]
    lines = _head(["run", "reconstruction error at the last step", "the same with keys/values of another image"])
    for run in found:
        last = run["training"].get("last_step", {})
        shuffled = last.get("reconstruction_shuffled")
        cells = [f"{last['reconstruction']:.4f}", "–" if shuffled is None else f"{shuffled:.4f}"]
        lines.append(_line([f"{TITLES[run['arm']]}, seed {run['seed']}", *cells]))
    return lines
