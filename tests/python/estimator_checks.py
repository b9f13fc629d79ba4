# SPDX-License-Identifier: BSD-3-Clause
"""Runs scikit-learn's checks of estimators on ours, and reads and writes the table of their outcomes.

The table, docs/estimator_checks.tsv, has a row for every check and a column for every estimator. A cell is "passed",
the name of the reason why the check fails, or empty where there is no such check. docs/estimators.md explains the
reasons.

Usage: python tests/python/estimator_checks.py (writes the table; "?" where a failure has no reason yet)
"""

from __future__ import annotations

import csv
import pathlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import sklearn
from estimator_cases import CASES, Case

import equiheat as ht

TABLE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "estimator_checks.tsv"
VERSION = ".".join(sklearn.__version__.split(".")[:2])
#: With other parameters than the default ones; random numbers have no categories that are seen again.
PARAMETERS = {"OneHotEncoder": {"handle_unknown": "ignore"}}


def outcomes(case: Case) -> dict[str, str]:
    """'passed', 'skipped' or what went wrong, by check; the worst if it runs several times."""
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.seed(0)  # noqa: NPY002 (what the checks draw from must be the same on all ranks)
        model = type(case.make())(**PARAMETERS.get(case.name, {}))
        results = check_estimator(model, on_fail=None, on_skip=None)
    found: dict[str, str] = {}
    for result in results:
        name, status = result["check_name"], result["status"]
        if status == "failed":
            found[name] = f"{type(result['exception']).__name__}: {result['exception']}"
        elif found.get(name, "passed") in ("passed", "skipped"):
            found[name] = status
    return found


@contextmanager
def arrays_over_ranks() -> Iterator[None]:
    """NumPy arrays that estimators take are split over the ranks inside, in place of replicated."""
    from equiheat import _samples

    def split(value: Any, *arguments: Any) -> Any:
        core = numbers(value, *arguments)
        return core if isinstance(value, ht.DNDarray) or core.ndim == 0 else core.resplit(0)

    numbers = _samples.numbers
    users = [m for k, m in sys.modules.items() if k.startswith("equiheat.") and vars(m).get("numbers") is numbers]
    for module in users:
        module.numbers = split  # type: ignore[attr-defined]
    try:
        with ht.whole_interchange():
            yield
    finally:
        for module in users:
            module.numbers = numbers  # type: ignore[attr-defined]


def table() -> tuple[str, dict[str, dict[str, str]]]:
    """The version of scikit-learn, and the filled cells by estimator and check."""
    with TABLE.open(newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        first, *names = rows.fieldnames or [""]
        cells: dict[str, dict[str, str]] = {name: {} for name in names}
        for row in rows:
            for name in names:
                if row[name]:
                    cells[name][row[first]] = row[name]
    return first.removeprefix("scikit-learn "), cells


def write() -> None:
    """Run all checks and write the table; reasons that are known are kept."""
    before = table()[1] if TABLE.exists() else {}
    found = {case.name: outcomes(case) for case in CASES}
    checks = list(dict.fromkeys(check for results in found.values() for check in results))
    with TABLE.open("w", newline="") as file:
        rows = csv.writer(file, delimiter="\t", lineterminator="\n")
        rows.writerow([f"scikit-learn {VERSION}", *found])
        for check in sorted(checks):
            cells = []
            for name, results in found.items():
                status = results.get(check, "")
                if status not in ("", "passed", "skipped"):
                    sys.stdout.write(f"{name}\t{check}\t{status[:150]!r}\n")
                    known = before.get(name, {}).get(check, "?")
                    status = "?" if known == "passed" else known
                cells.append(status)
            rows.writerow([check, *cells])


if __name__ == "__main__":
    write()
