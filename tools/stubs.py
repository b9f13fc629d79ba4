# SPDX-License-Identifier: BSD-3-Clause
"""Writes python/equiheat/_core.pyi from the compiled bindings; with --check compares instead of writing.

Usage: PYTHONPATH=python python tools/stubs.py [--check]
"""

from __future__ import annotations

import difflib
import pathlib
import re
import subprocess
import sys
import tempfile

STUB = pathlib.Path(__file__).resolve().parents[1] / "python" / "equiheat" / "_core.pyi"
HEAD = "# SPDX-License-Identifier: BSD-3-Clause\n# Generated from the bindings by tools/stubs.py; do not edit.\n"
# pybind11-stubgen imports the module by name: the package comes first, for the order torch, MPI, core.
SCRIPT = "import sys, equiheat, pybind11_stubgen; sys.argv[0] = 'pybind11-stubgen'; pybind11_stubgen.main()"


def _enum_members(match: re.Match[str]) -> str:
    """Members of an enumeration are assigned in a stub; an annotation would declare an attribute."""
    body = re.sub(r": typing\.ClassVar\[\w+\].*", " = ...", match[0])
    return re.sub(r"    @classmethod\n    def __new__\(cls, value\).*\n(        .*\n)*", "", body)


def generate() -> str:
    """The stub of the installed (or PYTHONPATH's) core, formatted."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-c",
            SCRIPT,
            "equiheat._core",
            "--output-dir",
            folder,
            "--numpy-array-use-type-var",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        written = list(pathlib.Path(folder).rglob("_core*.pyi"))
        if done.returncode != 0 or not written:
            sys.exit(done.stdout + done.stderr)
        text = written[0].read_text()
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    # Functions in Python's own calling convention have no signature to read.
    text = text.replace("(*args, **kwargs):\n", "(*args: typing.Any, **kwargs: typing.Any) -> typing.Any:\n")
    text = re.sub(r"^class \w+\(enum\.\w+\):\n(    .*\n)+", _enum_members, text, flags=re.MULTILINE)
    ruff = pathlib.Path(sys.executable).parent / "ruff"
    formatted = subprocess.run(
        [ruff, "format", "--stdin-filename", "_core.pyi", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return HEAD + formatted.stdout


def main() -> int:
    """Write or compare."""
    text = generate()
    if "--check" not in sys.argv:
        STUB.write_text(text)
        return 0
    stored = STUB.read_text() if STUB.exists() else ""
    diff = list(difflib.unified_diff(stored.splitlines(), text.splitlines(), "stored", "generated", lineterm="", n=1))
    if diff:
        print("python/equiheat/_core.pyi is stale; run: PYTHONPATH=python python tools/stubs.py")
        print("\n".join(diff[:40]))
    return 1 if diff else 0


if __name__ == "__main__":
    sys.exit(main())
