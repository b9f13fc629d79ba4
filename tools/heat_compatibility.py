# SPDX-License-Identifier: BSD-3-Clause
"""Looks every public name of Heat up in equiheat: present, signature as Heat's, other signature, missing.

Rows come from docs/heat_api.tsv (module, name, kind, signature of Heat's main branch); ``heat.core.x`` is looked up at
``equiheat.core.x``. What differs or is missing must be explained by a line of the tables in
docs/heat_compatibility.md, whose first column is a pattern such as `heat.core.io.*`; then the exit code is 0.

Usage: python tools/heat_compatibility.py [--all]
"""

from __future__ import annotations

import csv
import fnmatch
import importlib
import inspect
import pathlib
import re
import sys
from collections import Counter
from typing import Any

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
PRESENT, MATCHES, DIFFERS, MISSING = "present", "signature matches", "differs", "missing"
_DASH, _KEYWORDS_ONLY = "/", "*"


def top_level_parts(text: str) -> list[str]:
    """The arguments between the outer parentheses of a signature, without the last if the list cuts it off."""
    if not text.startswith("("):
        return []
    depth, parts, part = 0, [], ""
    for char in text[1:]:
        if char in "([{":
            depth += 1
        elif char in ")]}":
            if depth == 0:
                parts.append(part.strip())
                break
            depth -= 1
        if char == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += char
    return [p for p in parts if p]


class Argument:
    """One parameter of Heat's: name, kind, whether it has a default."""

    def __init__(self, text: str, positional_only: bool, keyword_only: bool) -> None:
        self.name = re.split(r"[:=\s]", text.lstrip("*"))[0]
        self.variadic = text.startswith("*")
        self.optional = "=" in re.sub(r"\[[^\]]*\]", "", text)
        self.positional_only, self.keyword_only = positional_only, keyword_only


def heat_arguments(signature: str, receiver: bool) -> list[Argument]:
    """Heat's parameters without self and cls."""
    parts = top_level_parts(signature)[int(receiver) :]
    slash = parts.index(_DASH) if _DASH in parts else -1
    star = next((i for i, p in enumerate(parts) if p.startswith("*") and not p.startswith("**")), len(parts))
    found = [Argument(p, i < slash, i > star) for i, p in enumerate(parts) if p not in (_DASH, _KEYWORDS_ONLY)]
    return [a for a in found if a.name not in ("self", "cls")]


def differences(signature: str, ours: inspect.Signature, receiver: bool) -> list[str]:
    """Calls that Heat's signature allows and ours does not; `receiver`: the first parameter is the object itself."""
    heat = heat_arguments(signature, receiver)
    mine = list(ours.parameters.values())[int(receiver) :]
    mine = [p for p in mine if p.name not in ("self", "cls")]
    kinds = inspect.Parameter
    by_name = {p.name: p for p in mine}
    takes_any = any(p.kind is kinds.VAR_POSITIONAL for p in mine)
    takes_names = any(p.kind is kinds.VAR_KEYWORD for p in mine)
    places = [p for p in mine if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    problems = []
    for index, argument in enumerate(heat):
        if argument.variadic:
            continue
        at = places[index] if index < len(places) else None
        if not argument.keyword_only and at is None and not takes_any:
            problems.append(f"no place for {argument.name}")
        named = by_name.get(argument.name)
        if not argument.positional_only and not takes_names:
            if named is None or named.kind is kinds.POSITIONAL_ONLY:
                problems.append(f"no name {argument.name}")
            elif at is not None and not argument.keyword_only and named is not at:
                problems.append(f"{argument.name} at another place")
        target = named or at
        variadic = target is None or target.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
        if argument.optional and target is not None and not variadic and target.default is kinds.empty:
            problems.append(f"{argument.name} has no default")
    needed = {a.name for a in heat}
    problems += [
        f"needs {p.name}" for i, p in enumerate(mine)
        if p.default is kinds.empty and p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
        and p.name not in needed and i >= len(heat)
    ]  # fmt: skip
    return problems


def find(module: str, name: str) -> tuple[Any, Any]:
    """(owner, object) of a row; raises ImportError or AttributeError."""
    thing: Any = importlib.import_module(re.sub(r"^heat\b", "equiheat", module))
    owner = thing
    for part in name.split("."):
        owner, thing = thing, inspect.getattr_static(thing, part, None) if inspect.isclass(thing) else thing
        thing = getattr(owner, part) if thing is None or not isinstance(thing, property) else thing
    return owner, thing


def judge(row: dict[str, str]) -> tuple[str, str]:
    """Status of a row and what is wrong."""
    try:
        owner, thing = find(row["module"], row["name"])
    except (ImportError, AttributeError) as error:
        return MISSING, str(error)
    signature = row["signature"]
    if not signature.startswith("(") or isinstance(thing, property) or not callable(thing):
        return PRESENT, ""
    if "class" in row["kind"] and "classmethod" not in row["kind"] and row["module"] == "heat.core.types":
        return PRESENT, ""  # types are called as casts; their metaclass has the signature
    try:
        ours = inspect.signature(thing)
    except (TypeError, ValueError):
        return PRESENT, ""
    receiver = row["kind"].startswith("method") and inspect.isclass(owner) and inspect.isfunction(thing)
    problems = differences(signature, ours, receiver)
    return (DIFFERS, "; ".join(problems)) if problems else (MATCHES, "")


def explanations() -> list[str]:
    """Patterns in the first column of the tables of the document."""
    text = (DOCS / "heat_compatibility.md").read_text()
    patterns = []
    for line in text.splitlines():
        if line.startswith("| `heat"):
            patterns += re.findall(r"`(heat[^`]*)`", line.split("|")[1])
    return patterns


def main() -> int:
    """Print what is not as in Heat (everything with --all); 1 if something is not explained."""
    with (DOCS / "heat_api.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    patterns, used = explanations(), set()
    counts: Counter[str] = Counter()
    unexplained = 0
    for row in rows:
        status, why = judge(row)
        full = f"{row['module']}.{row['name']}"
        counts[status] += 1
        matching = [p for p in patterns if fnmatch.fnmatchcase(full, p)] if status in (DIFFERS, MISSING) else []
        used.update(matching)
        explained = " (explained)" if matching else ""
        if status in (DIFFERS, MISSING) and not matching:
            unexplained += 1
        if "--all" in sys.argv or (status in (DIFFERS, MISSING) and not matching):
            sys.stdout.write(f"{status}{explained}\t{full}\t{why}\n")
    stale = [p for p in patterns if p not in used]
    for pattern in stale:
        sys.stdout.write(f"explained, but as in Heat\t{pattern}\n")
    summary = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    sys.stdout.write(f"{len(rows)} rows: {summary}; {unexplained} not explained\n")
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main())
