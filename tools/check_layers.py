# SPDX-License-Identifier: BSD-3-Clause
"""The one-way include rule: base -> {layout, kernels} -> comm -> array -> {ops, nn} -> bindings, and Python's.

Three libraries enter at one layer each: <mpi.h> in comm/, ATen in array/, pybind11 in bindings/. In Python the
core namespace does not import torch.distributed, and nn, ssl, data, cli use the public names, not `_core`.
"""

from __future__ import annotations

import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BELOW = {
    "base": [],
    "layout": ["base"],
    "kernels": ["base"],
    "comm": ["base", "layout", "kernels"],
    "array": ["base", "layout", "kernels", "comm"],
    "ops": ["base", "layout", "kernels", "comm", "array"],
    "nn": ["base", "layout", "kernels", "comm", "array"],
    "interop": ["base", "layout", "comm", "array"],
    "bindings": ["base", "layout", "kernels", "comm", "array", "ops", "nn", "interop"],
}
ATEN = ("ATen/core/", "ATen/ops/", "ATen/TensorUtils", "ATen/Parallel", "c10/")
THIRD_PARTY = {  # prefixes of headers a layer may include besides the standard library's
    "kernels": ("cuda", "cub/", "mma.h", "immintrin.h"),
    "comm": ("mpi.h", "fcntl.h", "sched.h"),  # and shared memory of a node
    "array": (*ATEN, "torch/csrc/autograd/custom_function.h"),
    "ops": ATEN,
    "nn": (*ATEN, "ATen/autocast_mode.h", "torch/library.h", "torch/csrc/autograd/custom_function.h"),
    "interop": (*ATEN, "torch/csrc/distributed/", "pybind11/"),
    "bindings": (*ATEN, "pybind11/", "Python.h", "structmember.h", "torch/csrc/", "mpi4py/"),  # CPython's own
}
BANNED = ("torch/extension.h", "torch/torch.h", "ATen/ATen.h")
STANDARD = re.compile(r"^[a-z_0-9]+$|^(sys|unistd)/?[a-z]*\.h$|^(stdlib|malloc|dlfcn|unistd|pthread)\.h$")
# Python packages that must be built on the public names.
PUBLIC_ONLY = ("nn", "ssl", "data", "cli", "demo", "optim")
# The package that brings torch.distributed and the core together.
BETWEEN = "interop"


def include_problem(layer: str, header: str, quoted: bool) -> str | None:
    """Why `layer` may not include `header`, or None."""
    if header in BANNED:
        return "is banned: it costs tens of seconds a file"
    if quoted:
        folder = header.split("/")[0]
        allowed = [layer, *BELOW[layer]]
        return None if folder in allowed else f"is not of a layer below ({', '.join(allowed)}); write it from csrc/"
    if STANDARD.match(header) or header.startswith(THIRD_PARTY.get(layer, ())):
        return None
    return f"does not belong into {layer}/"


def cpp_problems() -> list[str]:
    """Includes of csrc/ against the rule."""
    problems = []
    for path in sorted((ROOT / "csrc").rglob("*.[chd]*")):
        if path.suffix not in (".hpp", ".cpp", ".cu", ".cuh", ".def"):
            continue
        layer = path.relative_to(ROOT / "csrc").parts[0]
        for mark, header in re.findall(r'^\s*#\s*include\s+(["<])([^">]+)[">]', path.read_text(), re.MULTILINE):
            problem = include_problem(layer, header, mark == '"')
            if problem:
                problems.append(f"{path.relative_to(ROOT)}: {header} {problem}")
    return problems


def imported(tree: ast.AST) -> set[str]:
    """Dotted names a module imports, `from a import b` as a and a.b."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def python_problems() -> list[str]:
    """Imports of python/equiheat against the rule."""
    problems = []
    package = ROOT / "python" / "equiheat"
    for path in sorted(package.rglob("*.py")):
        part = path.relative_to(package).parts[0].removesuffix(".py")
        names = imported(ast.parse(path.read_text()))
        if part in PUBLIC_ONLY and "equiheat._core" in names and path.name != "_autograd.py":
            problems.append(f"{path.relative_to(ROOT)}: {part} uses public names, not equiheat._core")
        if part not in (*PUBLIC_ONLY, BETWEEN) and any(name.startswith("torch.distributed") for name in names):
            problems.append(f"{path.relative_to(ROOT)}: the core does not use torch.distributed")
        if part not in PUBLIC_ONLY and any(re.match(r"equiheat\.(ssl|data|cli|demo)\b", name) for name in names):
            problems.append(f"{path.relative_to(ROOT)}: the core does not import what is built on it")
    return problems


def main() -> int:
    """Print what breaks the rule."""
    problems = cpp_problems() + python_problems()
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
