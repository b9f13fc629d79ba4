# SPDX-License-Identifier: BSD-3-Clause
"""Prints "folder;version;cuda" of the installed torch without importing it (that takes seconds)."""

import importlib.util
import pathlib
import runpy
import sys

spec = importlib.util.find_spec("torch")
if spec is None or spec.origin is None:
    sys.exit("no module named torch")
folder = pathlib.Path(spec.origin).parent
version = runpy.run_path(str(folder / "version.py"))
print(folder, version["__version__"].split("+")[0], version["cuda"] or "none", sep=";")
