# SPDX-License-Identifier: BSD-3-Clause
"""What the report says: its sections, from the results of both halves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from equiheat.demo.arrays import Step
from equiheat.demo.figures import loss_curves, picture_grid, score_bars
from equiheat.demo.report import Line, Page, picture, table, text
from equiheat.demo.training import Trained
from equiheat.ssl.probes import FAMILIES, ProbeRow


@dataclass(frozen=True)
class Results:
    """Everything the page shows."""

    steps: list[Step]
    trained: list[Trained]
    rows: list[ProbeRow]
    pictures: dict[str, Tensor]
    images: str
    counts: tuple[int, int]
    ranks: int
    about: dict[str, Any]


def write_page(results: Results) -> str:
    """The whole report."""
    page = Page("equiheat: what the demonstration did", _lead(results))
    page.cards(_key_figures(results))
    page.section("Arrays over ranks, checked against NumPy", *_arrays(results))
    page.section("One view reconstructed from the other", *_pictures(results))
    page.section("What the frozen features know about the transformation", *_scores(results))
    page.section("R² of every parameter", *_parameters(results))
    page.section("Training", *_training(results))
    about = results.about
    return page.render(
        f"equiheat {about['equiheat']}, torch {about['torch']}, {about['mpi']}, {results.ranks} ranks "
        f"on {about['cpu']}; {about['seconds']:.0f} s in all. Numbers of this page: metrics.json beside it."
    )


def _lead(results: Results) -> str:
    fit, score = results.counts
    return (
        f"On {results.ranks} MPI ranks: an array program on scikit-learn's handwritten digits, then two "
        f"self-supervised trainings on {fit} real images ({results.images}), judged on {score} others."
    )


def _key_figures(results: Results) -> list[tuple[str, str, str]]:
    all_good = all(step.good for step in results.steps)
    mean = {row.encoder: row.mean("mlp") for row in results.rows if row.part == "all"}
    gain = mean["VICReg + ECR"] - mean["VICReg"]
    cards = [
        (
            "all agree" if all_good else "DIFFERS",
            "array results against NumPy",
            "good" if all_good else "bad",
        ),
        (
            f"{mean['VICReg + ECR']:.2f}",
            f"mean R² of VICReg + ECR ({gain:+.2f} to VICReg)",
            "good" if gain > 0 else "bad",
        ),
        (f"{mean['random init']:.2f}", "mean R² of an untrained encoder", ""),
    ]
    top1 = {row.encoder: row.top1 for row in results.rows if row.part == "all" and row.top1 is not None}
    if len(top1) == len(mean):
        cards.append(
            (
                f"{100 * top1['VICReg + ECR']:.1f} %",
                f"linear top-1 of VICReg + ECR (VICReg {100 * top1['VICReg']:.1f} %)",
                "",
            )
        )
    return cards


def _arrays(results: Results) -> list[str]:
    lines = [
        Line(
            (
                step.name,
                step.result,
                f"{step.error:.1e}",
                f"{1e3 * step.seconds:.1f} ms",
                f"{1e3 * step.numpy_seconds:.1f} ms",
                "✓" if step.good else "✗",
            )
        )
        for step in results.steps
    ]
    head = (
        "step",
        "result",
        "largest difference",
        f"equiheat, {results.ranks} ranks",
        "NumPy, 1 process",
        "agrees",
    )
    return [
        text(
            "scikit-learn's handwritten digits, 1,797 rows of 64 pixels in double precision, split by rows over the "
            "ranks. Each step is computed on split arrays and again in NumPy. Data this small say nothing about speed: "
            "most of the time is the latency of messages."
        ),
        table(head, lines, left=2),
    ]


def _pictures(results: Results) -> list[str]:
    titles = {
        "image": "held-out image",
        "v1": "first view, v1",
        "v2": "second view, v2",
        "reconstruction": "v2 reconstructed",
    }
    return [
        text(
            "Both views show one image under random crops, mirroring and colours; the second is also rotated, shifted "
            "and blurred. The decoder asks with v2's equivariant features and answers with v1's. None of these images "
            "was seen in training. Pictures are in true colours, with reflected borders."
        ),
        picture(
            picture_grid(results.pictures, titles),
            "images, their two views and the reconstruction of the second",
        ),
    ]


def _scores(results: Results) -> list[str]:
    families = list(results.rows[0].scores)
    whole = [row for row in results.rows if row.part == "all"]
    mlp = {row.encoder: {f: row.scores[f]["mlp"].mean for f in families} | {"mean": row.mean("mlp")} for row in whole}
    best = _best_columns([[mlp[row.encoder][f] for f in (*families, "mean")] for row in whole])
    lines = []
    for row in results.rows:
        cells = [_pair(row.scores[f]["ridge"].mean, row.scores[f]["mlp"].mean) for f in families]
        cells.append(_pair(row.mean("ridge"), row.mean("mlp")))
        top1 = "–" if row.top1 is None else f"{100 * row.top1:.1f}"
        marks = best[whole.index(row)] if row in whole else frozenset()
        lines.append(
            Line(
                (row.encoder, f"{row.part} ({row.dims})", *cells, top1),
                frozenset(m + 2 for m in marks),
                row not in whole,
            )
        )
    return [
        text(
            "The encoder is frozen. From the features of an image and of its transformed copy a probe predicts the "
            "parameters of the transformation; R² on images that neither training nor probe has seen "
            "(1 = exact, 0 = no better than the mean). Random initialisation is the row to beat: a network that "
            "never learned anything already sees a good part."
        ),
        picture(score_bars(mlp), "R² per transformation and encoder"),
        table(("encoder", "features", *families, "mean", "top-1 %"), lines, left=2),
        "<p><small>ridge / MLP; the best MLP value of each column in colour. A family's R² is the mean over its "
        "parameters.</small></p>",
    ]


def _number(value: float) -> str:
    """Two decimals, and no minus before 0.00."""
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00")


def _pair(ridge: float, mlp: float) -> str:
    return f"{_number(ridge)} / {_number(mlp)}"


def _best_columns(values: Sequence[Sequence[float]]) -> list[frozenset[int]]:
    """For every row the columns in which it holds the largest value."""
    best = [max(range(len(values)), key=lambda r: values[r][c]) for c in range(len(values[0]))]
    return [frozenset(c for c, row in enumerate(best) if row == r) for r in range(len(values))]


def _parameters(results: Results) -> list[str]:
    whole = [row for row in results.rows if row.part == "all"]
    lines = []
    for family in whole[0].scores:
        for index, parameter in enumerate(FAMILIES[family].parameters):
            cells = [_number(row.scores[family]["mlp"].per_parameter[index]) for row in whole]
            lines.append(Line((family if index == 0 else "", parameter.replace("_", " "), *cells)))
        if len(FAMILIES[family].parameters) > 1:
            pooled = [_number(row.scores[family]["mlp"].pooled) for row in whole]
            lines.append(Line(("", "pooled over the family", *pooled), minor=True))
    head = ("family", "parameter", *(row.encoder for row in whole))
    note = "MLP probe. Pooled: one mean and one sum of squares for all parameters of the family, as in SIE's scripts."
    return [text(note), table(head, lines, left=2)]


def _training(results: Results) -> list[str]:
    curves = {arm.name: arm.metrics for arm in results.trained}
    lines = [
        Line(
            (
                arm.name,
                f"{arm.trainer.total_steps}",
                f"{arm.seconds:.0f} s",
                f"{arm.trainer.total_steps * arm.trainer.config.batch_size / arm.seconds:.0f}",
                str(arm.metrics[-1].get("verdict", "–")),
            )
        )
        for arm in results.trained
    ]
    return [
        text(
            "Both arms see the same images in the same order, start from the same encoder and take the same steps; "
            "features have the same total width. With ECR half of them are kept for the reconstruction. The dotted "
            "line is the error when keys and values come from another image: the distance to it is what the decoder "
            "really takes from the other view."
        ),
        picture(loss_curves(curves), "loss terms over the steps"),
        table(("arm", "steps", "time", "images/s", "look at the features"), lines, left=1),
    ]
