# SPDX-License-Identifier: BSD-3-Clause
"""Files stay short: at most 400 lines each, C++ functions at most 50 and Python functions at most 50 lines of code."""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FILE_LIMIT, FUNCTION_LIMIT = 400, 50
SOURCES = ("*.py", "*.hpp", "*.cpp", "*.cu", "*.cuh", "*.cmake")


def python_functions(text: str) -> list[tuple[str, int]]:
    """Name and lines of code of each function, its docstring not counted."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            found.append((node.name, lines))
    return found


def cpp_functions(text: str) -> list[tuple[str, int]]:
    """Name and length of each function body that starts at the left margin, as clang-format writes them."""
    found, begin, name = [], 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        starts = re.match(r"[A-Za-z ].*\) (const |noexcept |override )*\{$", line)
        if starts and not begin and not line.startswith(("namespace", "  ")):
            begin, name = number, line.strip()
        elif line == "}" and begin:
            found.append((name[:60], number - begin - 1))
            begin = 0
    return found


def main() -> int:
    """Check every tracked source."""
    listed = subprocess.run(["git", "ls-files", *SOURCES], cwd=ROOT, capture_output=True, text=True, check=True)
    problems = []
    for name in listed.stdout.split():
        path = ROOT / name
        if not path.exists():
            continue
        text = path.read_text()
        lines = text.count("\n")
        if lines > FILE_LIMIT:
            problems.append(f"{name}: {lines} lines, at most {FILE_LIMIT}")
        functions = python_functions(text) if name.endswith(".py") else cpp_functions(text)
        problems += [f"{name}: {f}: {n} lines, at most {FUNCTION_LIMIT}" for f, n in functions if n > FUNCTION_LIMIT]
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
