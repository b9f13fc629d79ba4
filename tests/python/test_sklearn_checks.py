# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn's checks pass and fail as docs/estimator_checks.tsv says; at 2 ranks with arrays that are split."""

from __future__ import annotations

import pathlib
import re
from collections import Counter
from contextlib import nullcontext

import pytest
from estimator_cases import CASES, Case
from estimator_checks import TABLE, VERSION, arrays_over_ranks, outcomes, table

import equiheat as ht

SIZE = ht.get_comm().size
pytestmark = pytest.mark.ranks(1, 2)
PAGE = (pathlib.Path(TABLE).parent / "estimators.md").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_checks(case: Case) -> None:
    version, cells = table()
    if version != VERSION:
        pytest.skip(f"the table is of scikit-learn {version}")
    with arrays_over_ranks() if SIZE > 1 else nullcontext():
        found = outcomes(case)
    known = {check: cell for check, cell in cells[case.name].items() if found.get(check) != "skipped"}
    assert found.keys() >= known.keys()
    failed = {check: why for check, why in found.items() if why not in ("passed", "skipped")}
    assert {check: why for check, why in failed.items() if known.get(check, "passed") == "passed"} == {}
    # A check that passes by now leaves the list; whether two sums are equal to the last digit is free.
    free = {check for check, cell in known.items() if cell == "last_predict"}
    assert {check for check, cell in known.items() if cell != "passed"} - free == failed.keys() - free


def test_table_and_page_say_the_same() -> None:
    _, cells = table()
    assert cells.keys() == {case.name for case in CASES}
    counts = Counter(cell for checks in cells.values() for cell in checks.values())
    passed = counts.pop("passed")
    listed = {name: int(n) for name, n in re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.MULTILINE)}
    assert listed == counts
    assert f"{passed:,} of {passed + counts.total():,}" in PAGE
