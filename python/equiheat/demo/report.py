# SPDX-License-Identifier: BSD-3-Clause
"""report.html: one self-contained page, pictures embedded."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = ["Page"]

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f7fa; color: #1f2933; font: 16px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; margin: 0 0 .6rem; }
p { margin: .4rem 0 .8rem; max-width: 92ch; }
.lead { color: #52606d; margin-bottom: 1.6rem; }
section { background: #fff; border: 1px solid #e4e7eb; border-radius: 10px; padding: 1.3rem 1.5rem;
  margin: 0 0 1.4rem; }
img { max-width: 100%; height: auto; display: block; margin: .6rem auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; text-align: right; border-bottom: 1px solid #e4e7eb; white-space: nowrap; }
th { font-weight: 600; color: #52606d; }
th.text, td.text { text-align: left; white-space: normal; }
tr.minor td { color: #7b8794; font-size: .88rem; }
tr:last-child td { border-bottom: 0; }
td.best { font-weight: 700; color: #c2410c; }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0 0 1.4rem; }
.card { flex: 1 1 200px; background: #fff; border: 1px solid #e4e7eb; border-radius: 10px; padding: 1rem 1.2rem; }
.card b { display: block; font-size: 1.6rem; line-height: 1.2; }
.card span { color: #52606d; font-size: .9rem; }
.good { color: #18794e; } .bad { color: #b42318; }
small, footer { color: #7b8794; font-size: .85rem; }
code { background: #f0f2f5; border-radius: 4px; padding: .1em .35em; font-size: .9em; }
"""


@dataclass
class Page:
    """A page that grows from top to bottom; everything that is text is escaped.

    Attributes
    ----------
    title, lead
        Heading and the paragraph under it.
    """

    title: str
    lead: str
    _body: list[str] = field(default_factory=list)

    def cards(self, values: Iterable[tuple[str, str, str]]) -> None:
        """Key figures: (value, what it is, "good", "bad" or "")."""
        cards = (
            f'<div class="card"><b class="{kind}">{html.escape(value)}</b><span>{html.escape(what)}</span></div>'
            for value, what, kind in values
        )
        self._body.append(f'<div class="cards">{"".join(cards)}</div>')

    def section(self, heading: str, *parts: str) -> None:
        """A framed section of already formatted parts."""
        self._body.append(f"<section><h2>{html.escape(heading)}</h2>{''.join(parts)}</section>")

    def render(self, footer: str) -> str:
        """The page as HTML."""
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{html.escape(self.title)}</title><style>{_STYLE}</style></head><body><main>"
            f'<h1>{html.escape(self.title)}</h1><p class="lead">{html.escape(self.lead)}</p>'
            f"{''.join(self._body)}<footer>{html.escape(footer)}</footer></main></body></html>\n"
        )


def text(value: str) -> str:
    """A paragraph."""
    return f"<p>{html.escape(value)}</p>"


def picture(png: bytes, description: str) -> str:
    """An embedded PNG image."""
    data = base64.b64encode(png).decode("ascii")
    return f'<img alt="{html.escape(description)}" src="data:image/png;base64,{data}">'


@dataclass(frozen=True)
class Line:
    """A table row: its cells, the columns to emphasise, and whether it is a side remark."""

    cells: Sequence[str]
    best: frozenset[int] = frozenset()
    minor: bool = False


def table(head: Sequence[str], lines: Iterable[Line], *, left: int = 1) -> str:
    """A table whose first `left` columns are text."""

    def cell(tag: str, column: int, value: str, best: bool = False) -> str:
        kind = " ".join(name for name, on in (("text", column < left), ("best", best)) if on)
        return f'<{tag} class="{kind}">{html.escape(value)}</{tag}>' if kind else f"<{tag}>{html.escape(value)}</{tag}>"

    rows = "".join(
        f'<tr class="{"minor" if line.minor else ""}">'
        + "".join(cell("td", n, value, n in line.best) for n, value in enumerate(line.cells))
        + "</tr>"
        for line in lines
    )
    titles = "".join(cell("th", n, value) for n, value in enumerate(head))
    return f'<div class="scroll"><table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table></div>'
