# SPDX-License-Identifier: BSD-3-Clause
"""The last lines of .ci/run: what failed, why, and the sum of what `make test` and `make test-full` counted.

Usage: python tools/ci_summary.py STATUS   (1 when one of the two ended with an error)
"""

from __future__ import annotations

import json
import pathlib
import sys

BUILD = pathlib.Path(__file__).resolve().parents[1] / "build"


def main(status: int) -> int:
    """A run that left no summary counts as one failure: it ended before its tests."""
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for kind, command in (("light", "make test"), ("full", "make test-full")):
        path = BUILD / f"summary-{kind}.json"
        if not path.exists():
            print(f"equiheat: FAILED {command} ended before its tests did")
            total["failed"] += 1
            continue
        summary = json.loads(path.read_text())
        print("\n".join(summary["failures"]), end="\n" * bool(summary["failures"]))
        for name, count in summary["counts"].items():
            total[name] += count
    if status and not total["failed"]:
        print("equiheat: FAILED a command ended with an error although no test failed")
        total["failed"] += 1
    print("equiheat: " + ", ".join(f"{count} {name}" for name, count in total.items()))
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
