# SPDX-License-Identifier: BSD-3-Clause
"""The examples in docstrings are true at 1 and 2 ranks."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pathlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch

import equiheat as ht

ROOT = pathlib.Path(ht.__file__).parent
#: Need another environment, many seconds or files.
LEFT_OUT = ("demo", "ssl", "__main__", "cli")


def modules() -> Iterator[str]:
    """Names of the modules of the package."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] not in LEFT_OUT and parts[-1] != "__main__":
            yield ".".join(("equiheat", *(p for p in parts if p != "__init__")))


def examples() -> list[doctest.DocTest]:
    """Every docstring with an example."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found: dict[str, doctest.DocTest] = {}
    for name in modules():
        module = importlib.import_module(name)
        for test in finder.find(module, name, module=module, globs={"ht": ht, "np": np, "torch": torch}):
            if test.examples:
                found[test.name] = test
    for name in dir(ht):  # functions made by families have no module of their own
        thing = getattr(ht, name)
        if inspect.isfunction(thing) and thing.__module__ == "equiheat" and ">>>" in (thing.__doc__ or ""):
            for test in finder.find(
                thing, f"equiheat.{name}", module=False, globs={"ht": ht, "np": np, "torch": torch}
            ):
                found[test.name] = test
    return list(found.values())


@pytest.mark.ranks(1, 2)
@pytest.mark.parametrize("example", examples(), ids=lambda t: t.name.removeprefix("equiheat."))
def test_example(example: doctest.DocTest) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    report: list[str] = []
    with ht.default_split(None):
        runner.run(example, out=report.append)
    ht.random.seed(0)
    assert runner.failures == 0, "".join(report)
