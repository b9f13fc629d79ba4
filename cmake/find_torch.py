# SPDX-License-Identifier: BSD-3-Clause
"""Prints "folder;version;cuda" of the installed torch without importing it (that takes seconds).

In an isolated build pip hides the environment the wheel is meant for, but this interpreter still belongs to it:
its torch is the one that will be loaded, so it is looked for there when the build environment has none.
"""

import importlib.util
import pathlib
import runpy
import sys
import sysconfig


def folders():
    spec = importlib.util.find_spec("torch")
    if spec is not None and spec.origin is not None:
        yield pathlib.Path(spec.origin).parent
    for scheme in ("platlib", "purelib"):
        yield pathlib.Path(sysconfig.get_path(scheme)) / "torch"


folder = next((f for f in folders() if (f / "version.py").is_file()), None)
if folder is None:
    sys.exit("no module named torch")
version = runpy.run_path(str(folder / "version.py"))
print(folder, version["__version__"].split("+")[0], version["cuda"] or "none", sep=";")
