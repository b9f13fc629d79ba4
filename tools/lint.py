# SPDX-License-Identifier: BSD-3-Clause
"""Every static check: `make lint`. With --json FILE the outcomes are also written there, by name."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.executable).parent


def _tracked(*patterns: str) -> list[str]:
    return subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()


def checks() -> dict[str, list[str]]:
    """Name and command of each check."""
    cpp = _tracked("*.hpp", "*.cpp", "*.cu", "*.cuh")
    return {
        "layers": [sys.executable, "tools/check_layers.py"],
        "sizes": [sys.executable, "tools/check_sizes.py"],
        "stubs": [sys.executable, "tools/stubs.py", "--check"],
        "ruff check": [str(BIN / "ruff"), "check", "--quiet", "."],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
        "mypy": [sys.executable, "-m", "mypy"],
        "clang-format": [str(BIN / "clang-format"), "--dry-run", "--Werror", *cpp],
    }


def main() -> int:
    """Run all, print what fails."""
    outcomes = {}
    for name, command in checks().items():
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        outcomes[name] = "passed" if done.returncode == 0 else "failed"
        print(f"equiheat: {name}: {outcomes[name]}", flush=True)
        if done.returncode != 0:
            lines = (done.stdout + done.stderr).splitlines()
            print("\n".join(lines[:60] + ([f"... {len(lines) - 60} more lines"] if len(lines) > 60 else [])))
    if "--json" in sys.argv:
        pathlib.Path(sys.argv[sys.argv.index("--json") + 1]).write_text(json.dumps(outcomes))
    return 1 if "failed" in outcomes.values() else 0


if __name__ == "__main__":
    sys.exit(main())
