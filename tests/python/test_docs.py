# SPDX-License-Identifier: BSD-3-Clause
"""The Python of the pages runs, their links lead somewhere, and the names and files they speak of exist.

A block is run when it is fenced as ``python``, behind what stands in comments ``<!-- run`` ... ``-->`` before it;
blocks of a page share their names. ``<!-- not run: reason -->`` before a block leaves it out.
"""

from __future__ import annotations

import ast
import pathlib
import re
import textwrap
import tomllib
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import equiheat as ht
from equiheat.ssl.config import load_recipe

ROOT = pathlib.Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("experiments/*.md")])
_BLOCK = re.compile(
    r"(?P<hidden><!-- run\n(?P<code>.*?)-->)"
    r"|(?P<not><!-- not run: [^>]+ -->\s*)?^```python\n(?P<shown>.*?)^```",
    re.DOTALL | re.MULTILINE,
)
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_FOLDERS = ("benchmarks", "cmake", "csrc", "docs", "examples", "experiments", "python", "tests", "tools")


def name_of(page: pathlib.Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: pathlib.Path) -> Iterator[tuple[int, str]]:
    """Line and text of each block to run."""
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        kind = "code" if found["hidden"] else "shown"
        if not found["not"]:
            yield text.count("\n", 0, found.start(kind)), found[kind]


def runnable() -> list[pathlib.Path]:
    return [page for page in PAGES if next(blocks(page), None)]


@pytest.mark.ranks(1, 2)
@pytest.mark.parametrize("page", runnable(), ids=name_of)
def test_blocks_run(page: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ht.get_comm().handle.bcast(tmp_path, 0))
    names: dict[str, Any] = {"__name__": "__main__"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other libraries
        for line, code in blocks(page):
            exec(compile("\n" * line + code, str(page), "exec"), names)
    ht.use_comm(None)
    ht.random.seed(0)


def parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def test_the_reader_sees_what_is_run() -> None:
    assert len(runnable()) >= 4
    for page in PAGES:
        text = _FENCE.sub("", page.read_text())
        for paragraph in re.findall(r"(?:^    .*\n(?:\s*\n)*)+", text, re.MULTILINE):
            code = textwrap.dedent(paragraph)
            if re.search(r"\bht\.|^(from|import) ", code, re.MULTILINE):
                assert not parses(code), f"{name_of(page)}: not fenced as python, so that nobody runs it:\n{code}"


def anchors(page: pathlib.Path) -> set[str]:
    """What GitHub makes of the headings."""
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.ranks(1)
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page: pathlib.Path) -> None:
    text = _FENCE.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name_of(page)} links to {target}"
        assert not anchor or anchor in anchors(there), f"{name_of(page)} links to {target}; there are {anchors(there)}"


@pytest.mark.ranks(1)
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_the_text_speaks_of(page: pathlib.Path) -> None:
    spans = re.findall(r"`([^`\n]+)`", _FENCE.sub("", page.read_text()))
    for span in spans:
        if re.fullmatch(r"[\w./-]+", span) and span.startswith(tuple(f"{folder}/" for folder in _FOLDERS)):
            assert (ROOT / span).exists(), f"{name_of(page)}: there is no {span}"
        for dotted in re.findall(r"(?<![\w.])ht((?:\.[A-Za-z_]\w*)+)", span):
            if "only where there is a GPU" in page.read_text() and dotted == ".gpu":
                continue
            thing: Any = ht
            for part in dotted[1:].split("."):
                assert hasattr(thing, part), f"{name_of(page)}: there is no ht{dotted}"
                thing = getattr(thing, part)


@pytest.mark.ranks(1)
def test_every_variable_is_listed() -> None:
    quoted = re.compile(r'"(EQUIHEAT_[A-Z_]+)"')
    known = set(quoted.findall((ROOT / "tests" / "python" / "conftest.py").read_text()))
    for path in (*ROOT.glob("python/**/*.py"), *ROOT.glob("csrc/**/*.?pp")):
        known |= set(quoted.findall(path.read_text()))
    for path in (ROOT / "CMakeLists.txt", *ROOT.glob("cmake/*.cmake")):
        options = re.findall(r"^option\((EQUIHEAT_\w+)|^set\((EQUIHEAT_\w+) .*CACHE", path.read_text(), re.MULTILINE)
        known |= {name for pair in options for name in pair if name}
    for path in ROOT.glob("examples/*.sh"):
        known |= set(re.findall(r"EQUIHEAT_\w+", path.read_text()))
    rows = re.findall(r"^\| `EQUIHEAT.*?\|", (ROOT / "docs" / "clusters_and_containers.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"EQUIHEAT_\w+", "".join(rows))) == known


@pytest.mark.ranks(1)
def test_every_example_has_a_test() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "python").glob("test_*.py"))
    for path in (ROOT / "examples").iterdir():
        if path.suffix == ".py":
            assert path.name in tests, f"no test runs examples/{path.name}"


@pytest.mark.ranks(1)
@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_are_recipes(path: pathlib.Path) -> None:
    check_recipe(path)


@pytest.mark.ranks(1)
def test_recipes_in_pages_are_recipes(tmp_path: pathlib.Path) -> None:
    shown = [
        text
        for page in PAGES
        for text in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    ]
    assert shown
    for text in shown:
        (tmp_path / "recipe.toml").write_text(text)
        check_recipe(tmp_path / "recipe.toml")


def check_recipe(path: pathlib.Path) -> None:
    given = tomllib.loads(path.read_text())
    assert given.pop("data", None) is None  # the reader's
    recipe = load_recipe(path, data="images", out="run")
    for name, value in given.items():
        if not isinstance(value, dict):
            assert getattr(recipe, name) == value
