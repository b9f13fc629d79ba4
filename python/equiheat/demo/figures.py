# SPDX-License-Identifier: BSD-3-Clause
"""Figures of the report as PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS = {"VICReg": "#7a8794", "VICReg + ECR": "#c2410c", "random init": "#c9d0d6"}
_INK, _GRID = "#1f2933", "#e4e7eb"


def loss_curves(metrics: Mapping[str, Sequence[dict[str, Any]]]) -> bytes:
    """VICReg's terms of every arm and the reconstruction error, over the steps, smoothed."""
    terms = ("invariance", "variance", "covariance", "reconstruction")
    figure, axes = _figure(len(terms), width=11.5, height=2.9)
    for axis, term in zip(axes, terms, strict=True):
        for name, steps in metrics.items():
            points = [(line["step"], line[term]) for line in steps if term in line]
            if points:
                x, y = np.array(points).T
                axis.plot(x, y, color=COLORS[name], alpha=0.25, linewidth=0.8)
                axis.plot(x, _smooth(y), color=COLORS[name], linewidth=1.8, label=name)
        axis.set_title("reconstruction error of v2" if term == "reconstruction" else f"{term} term", fontsize=10)
        axis.set_xlabel("step", fontsize=9)
        axis.set_ylim(bottom=0)
    axes[0].legend(fontsize=8, frameon=False)
    axes[-1].axhline(_shuffled(metrics), color=_INK, linewidth=0.9, linestyle=":", label="keys of another image")
    axes[-1].legend(fontsize=8, frameon=False)
    return _png(figure)


def score_bars(scores: Mapping[str, Mapping[str, float]]) -> bytes:
    """R² of the MLP probe: encoder -> family -> value."""
    families = list(next(iter(scores.values())))
    figure, (axis,) = _figure(1, width=8.5, height=3.0)
    width = 0.8 / len(scores)
    for number, (name, values) in enumerate(scores.items()):
        x = np.arange(len(families)) + (number - (len(scores) - 1) / 2) * width
        bars = axis.bar(x, [max(values[f], 0.0) for f in families], width * 0.92, color=COLORS[name], label=name)
        axis.bar_label(
            bars,
            [f"{values[f]:.2f}".replace("-0.00", "0.00") for f in families],
            fontsize=8,
            color=_INK,
            padding=2,
        )
    axis.set_xticks(range(len(families)), families)
    axis.set_ylim(0, 1.08)
    axis.set_ylabel("R², MLP probe", fontsize=9)
    axis.grid(axis="x", visible=False)
    axis.legend(fontsize=9, frameon=False, ncols=len(scores), loc="upper center", bbox_to_anchor=(0.5, 1.2))
    return _png(figure)


def picture_grid(rows: Mapping[str, Tensor], titles: Mapping[str, str]) -> bytes:
    """Rows of images (B, 3, H, W) in 0 to 1, one under the other, pixels kept sharp."""
    count = next(iter(rows.values())).shape[0]
    figure, _ = _figure(0, width=11.5, height=11.5 * len(rows) / (count + 1.5))
    grid = figure.add_gridspec(len(rows), count + 1, width_ratios=[1.5] + [1.0] * count, wspace=0.05, hspace=0.06)
    for r, (name, images) in enumerate(rows.items()):
        label = figure.add_subplot(grid[r, 0])
        label.axis("off")
        label.text(0.95, 0.5, titles[name], ha="right", va="center", fontsize=10, color=_INK)
        for c, image in enumerate(images.permute(0, 2, 3, 1).numpy()):
            axis = figure.add_subplot(grid[r, c + 1])
            axis.imshow(image.clip(0, 1), interpolation="nearest")
            axis.axis("off")
    return _png(figure)


def _figure(axes: int, *, width: float, height: float) -> tuple[Figure, list[Any]]:
    """A figure without the global state of pyplot, with `axes` panels side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained" if axes else None)
    FigureCanvasAgg(figure)
    panels = [figure.add_subplot(1, axes, n + 1) for n in range(axes)]
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[["left", "bottom"]].set_color("#9aa5b1")
        panel.tick_params(labelsize=8, colors=_INK)
        panel.grid(color=_GRID, linewidth=0.7)
        panel.set_axisbelow(True)
    return figure, panels


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight", facecolor="white")
    return buffer.getvalue()


def _smooth(y: np.ndarray, share: float = 0.06) -> np.ndarray:
    """Running mean over `share` of the curve, narrower at its ends."""
    half = max(1, int(len(y) * share / 2))
    total = np.concatenate([[0.0], np.cumsum(y)])
    low, high = np.maximum(np.arange(len(y)) - half, 0), np.minimum(np.arange(len(y)) + half + 1, len(y))
    return (total[high] - total[low]) / (high - low)


def _shuffled(metrics: Mapping[str, Sequence[dict[str, Any]]]) -> float:
    """Last measured error with keys and values of other images; NaN (no line) if there is none."""
    found = [
        line["reconstruction_shuffled"] for m in metrics.values() for line in m if "reconstruction_shuffled" in line
    ]
    return found[-1] if found else float("nan")
