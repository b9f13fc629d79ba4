# SPDX-License-Identifier: BSD-3-Clause
"""Summary of experiments/augmentation_regression.py: mean and deviation over seeds, paired differences, tables."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from studies import Study

from equiheat.ssl.probes.tables import write_atomically

FAMILIES = ("rotation", "translation", "color", "blur")
Row = dict[str, Any]


def take_over(results: Path, folder: Path, study: Study) -> None:
    """Write the runs of study "ecr" that are arms of this one as if they had been run here, with a word about it."""
    names = {arm.same_as: name for name, arm in study.arms.items() if arm.same_as}
    for run in json.loads(results.read_text())["runs"]:
        if run["arm"] not in names:
            continue
        file = folder / f"{names[run['arm']]}-seed{run['seed']}.json"
        if not file.is_file():
            taken = {**run, "arm": names[run["arm"]], "taken over": f"{run['arm']} of {results.name}"}
            write_atomically(file, json.dumps(taken, indent=1) + "\n")


def collect(folder: Path, results: Path, study: Study, name: str) -> None:
    """Read `<folder>/<arm>-seed<k>.json` and what `<results>/<name>.json` has beside; write that and `.md`."""
    results.mkdir(parents=True, exist_ok=True)
    before = results / f"{name}.json"
    found: dict[tuple[str, int], Row] = {}
    for run in json.loads(before.read_text())["runs"] if before.is_file() else []:
        found[run["arm"], run["seed"]] = run
    for arm in study.arms:
        for file in folder.glob(f"{arm}-seed*.json"):
            run = json.loads(file.read_text())
            found[arm, run["seed"]] = run
    order = list(study.arms)
    runs = [found[key] for key in sorted(found, key=lambda key: (order.index(key[0]), key[1]))]
    if not runs:
        return
    summary = {"runs": runs, "arms": summarise(runs), "differences": differences(runs, study)}
    write_atomically(before, json.dumps(summary, indent=1) + "\n")
    write_atomically(results / f"{name}.md", markdown(runs, study, name))


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


def differences(runs: Sequence[Row], study: Study) -> dict[str, dict[str, Row]]:
    """Paired over the seeds: both arms saw the same images in the same order and started from the same encoder."""
    by_arm: dict[str, dict[int, dict[str, float]]] = {}
    for run in runs:
        row = row_of(run)
        if row is not None:
            by_arm.setdefault(run["arm"], {})[run["seed"]] = numbers(row)
    result = {}
    for one, other in study.pairs:
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


def markdown(runs: Sequence[Row], study: Study, name: str) -> str:
    """The tables as a page."""
    summary, paired = summarise(runs), differences(runs, study)
    titles = {name: arm.title for name, arm in study.arms.items()}
    first = runs[0]
    trained = next((run["training"] for run in runs if run["training"]), None)
    if trained is None:
        return "No trained arm is finished yet.\n"
    cpu = sum(run["seconds"]["cpu"] + run["training"].get("seconds", {}).get("cpu", 0.0) for run in runs) / 60
    recipe = trained["recipe"]
    machines = " and ".join(dict.fromkeys(f"{run['machine']['cpu']}, {run['machine']['cores']} cores" for run in runs))
    precision = ", ".join(dict.fromkeys(run["training"]["recipe"]["precision"] for run in runs if run["training"]))
    lines = [
        f"# {study.title}, {name.split('_', 1)[1]}: what was measured",
        "",
        f"`{first['command']}` (several such calls, which share the work)",
        "",
        f"Trained at commit {_commits(run['training'] for run in runs)}, probed at {_commits(runs)} "
        f"(each run's stands in the JSON file); {machines} (one thread per run), "
        f"torch {first['versions']['torch']}, {first['date']}; {cpu:.0f} CPU-minutes in all. "
        f"Encoder {recipe['encoder']}, "
        f"{recipe['image_size']} pixels, {recipe['epochs']} epochs, batch {recipe['batch_size']}, {precision}, "
        f"lambda {recipe['ecr']['weight']:g}, reflection borders in training and probing. "
        "R² on test images; a family's R² is the mean over its parameters. Mean ± s.d. over the seeds.",
        "",
        "## Frozen features, all dimensions: R², MLP probe",
        "",
        *_table(summary, titles, "mlp"),
        "",
        "## Ridge probe",
        "",
        *_table(summary, titles, "ridge"),
        "",
        "## Halves of the features",
        "",
        *_parts(summary, titles),
        "",
        "## Paired differences over the seeds",
        "",
        *_paired(paired, titles),
        "",
        "## Per parameter and pooled (MLP probe)",
        "",
        *_per_parameter(summary, titles),
        "",
        "## Does the decoder look at the other view?",
        "",
        *_shuffled(runs, titles),
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


def _table(summary: dict[str, Any], titles: dict[str, str], method: str) -> list[str]:
    lines = _head(["arm", *FAMILIES, "mean", "top-1 %"])
    arms = [arm for arm in titles if arm in summary and f"mean/{method}" in summary[arm]["all"]]
    return lines + [_line([titles[arm], *_scores(summary[arm]["all"], method)]) for arm in arms]


def _parts(summary: dict[str, Any], titles: dict[str, str]) -> list[str]:
    lines = _head(["arm", "half", *(f"{family} (MLP)" for family in (*FAMILIES, "mean")), "top-1 %"])
    for arm in titles:
        for part in ("inv", "equi"):
            if part in summary.get(arm, {}):
                lines.append(_line([titles[arm], part, *_scores(summary[arm][part], "mlp")]))
    return lines


def _paired(paired: dict[str, dict[str, Row]], titles: dict[str, str]) -> list[str]:
    names = ("mean/mlp", "mean/ridge", "rotation/mlp", "translation/mlp", "color/mlp", "blur/mlp")
    lines = _head(["difference", *names, "top-1, points"])
    for pair, values in paired.items():
        one, other = (titles[arm] for arm in pair.split(" - "))
        cells = [_show(values.get(name), "{:+.3f}") for name in names]
        lines.append(_line([f"{one} − {other}", *cells, _show(values.get("top1"), "{:+.1f}")]).replace("± +", "± "))
    return lines


def _per_parameter(summary: dict[str, Any], titles: dict[str, str]) -> list[str]:
    arms = [arm for arm in titles if arm in summary and "mean/mlp" in summary[arm]["all"]]
    if not arms:
        return []
    skip: Callable[[str], bool] = lambda name: not name.endswith("/mlp") or "." not in name  # noqa: E731
    names = [name for name in summary[arms[0]]["all"] if not skip(name)]
    lines = _head(["parameter", *(titles[arm] for arm in arms)])
    return lines + [
        _line([name.removesuffix("/mlp"), *(_show(summary[arm]["all"].get(name)) for arm in arms)]) for name in names
    ]


def _shuffled(runs: Sequence[Row], titles: dict[str, str]) -> list[str]:
    found = [run for run in runs if "reconstruction" in run["training"].get("last_step", {})]
    lines = _head(["run", "reconstruction error at the last step", "the same with keys/values of another image"])
    for run in found:
        last = run["training"].get("last_step", {})
        shuffled = last.get("reconstruction_shuffled")
        cells = [f"{last['reconstruction']:.4f}", "–" if shuffled is None else f"{shuffled:.4f}"]
        lines.append(_line([f"{titles[run['arm']]}, seed {run['seed']}", *cells]))
    return lines
