# SPDX-License-Identifier: BSD-3-Clause
"""How notebooks show an array: facts, a drawing of its distribution, and this rank's values. Local."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from equiheat import _core, dtypes

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_LONG, _SHORT, _MARGIN = 220.0, 40.0, 26
_MANY = 16
#: Two quiet colours in turn, and the one of this rank.
_COLOURS = ("#dbe7f3", "#c3d7ea")
_MINE = "#f4c98b"


def _sides(core: _core.Array) -> tuple[float, float]:
    """Width and height of the drawing: the split axis against the largest of the others, not too slender."""
    if core.ndim == 0:
        return _SHORT, _SHORT
    if core.ndim == 1:
        return _LONG, _SHORT
    rows = core.gshape[core.split if core.split not in (None, core.ndim - 1) else core.ndim - 2]
    columns = core.gshape[-1]
    longest = max(rows, columns, 1)
    return max(_SHORT, _LONG * columns / longest), max(_SHORT, _LONG * rows / longest)


def _rectangle(x: float, y: float, width: float, height: float, colour: str, title: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}" '
        f'stroke="#5a6b7b" stroke-width="0.8"><title>{escape(title)}</title></rect>'
    )


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="10">{escape(words)}</text>'


def _drawing(core: _core.Array) -> str:
    """The array as a rectangle, cut into the blocks of the ranks."""
    width, height = _sides(core)
    shapes, counts = [], core.counts
    if counts is None:
        shapes.append(_rectangle(_MARGIN, 4, width, height, _MINE, f"all {core.comm.size} ranks hold the whole"))
    else:
        across = core.split == core.ndim - 1  # cut from left to right, else from top to bottom
        total, at = max(sum(counts), 1), 0
        for rank, count in enumerate(counts):
            begin, extent = at / total, count / total
            at += count
            colour = _MINE if rank == core.comm.rank else _COLOURS[rank % 2]
            box = (
                (begin * width, 0.0, extent * width, height)
                if across
                else (0.0, begin * height, width, extent * height)
            )
            shapes.append(_rectangle(_MARGIN + box[0], 4 + box[1], box[2], box[3], colour, f"rank {rank}: {count}"))
            if len(counts) <= _MANY and count:
                shapes.append(_text(_MARGIN + box[0] + box[2] / 2, 8 + box[1] + box[3] / 2, str(rank)))
    if core.ndim:
        shapes.append(_text(_MARGIN + width / 2, height + 16, str(core.gshape[-1])))
    if core.ndim > 1:
        rows = core.gshape[core.split if core.split not in (None, core.ndim - 1) else core.ndim - 2]
        shapes.append(_text(_MARGIN - 4, 8 + height / 2, str(rows), "end"))
    size = f'width="{width + _MARGIN + 6:.0f}" height="{height + 22:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill="#333">{"".join(shapes)}</svg>'


def _bytes(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.4g} {unit}"
        number /= 1024
    return f"{number:.4g} TiB"


def repr_html(x: DNDarray) -> str:
    """What a notebook shows: shape, type, distribution over the ranks, and this rank's block. Local."""
    core = x._core
    local = core.local
    width = local.element_size()
    facts: list[tuple[str, Any]] = [
        ("shape", tuple(core.gshape)),
        ("dtype", dtypes.from_torch(local.dtype).__name__),
        ("split", "None (every rank holds it whole)" if core.split is None else core.split),
        ("ranks", f"{core.comm.size}, this is {core.comm.rank}"),
        ("block here", f"{tuple(local.shape)} on {x.device}"),
        ("memory", f"{_bytes(core.size * width)}, here {_bytes(local.numel() * width)}"),
    ]
    if core.counts is not None:
        facts.append(("balanced", "yes" if core.is_balanced else f"no: {core.counts}"))
    rows = "".join(
        f'<tr><th style="text-align:left">{name}</th><td style="text-align:left">{escape(str(value))}</td></tr>'
        for name, value in facts
    )
    values = escape(str(local.detach().cpu()) if local.numel() <= 1000 else "")
    shown = f"<pre>{values}</pre>" if values else ""
    return (
        f"<div><b>DNDarray</b><table><tr><td><table>{rows}</table></td><td>{_drawing(core)}</td></tr></table>"
        f"{shown}</div>"
    )


class NotebookMethods:
    """Methods of arrays."""

    __slots__ = ()

    _repr_html_ = repr_html
