# SPDX-License-Identifier: BSD-3-Clause
"""What NumPy's functions, universal functions and array methods do with arrays of ours, as a page of documentation.

Usage: python tools/numpy_functions.py [--check]   (writes docs/numpy_functions.md, or compares with it)
"""

from __future__ import annotations

import pathlib
import sys
from collections import Counter
from typing import Any

import numpy as np
from numpy._core.overrides import ARRAY_FUNCTIONS  # no public list of what dispatches exists

import equiheat as ht
from equiheat import numpy_functions, numpy_protocols

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "numpy_functions.md"
NATIVE, LOCAL, REFUSED = "native", "local", "refused"
#: Methods of ndarray about one block of memory, and what there is instead.
_METHODS = {
    "base": "", "byteswap": "", "ctypes": "", "data": "`x.larray`", "dump": "`pickle.dump(x, file)`",
    "dumps": "`pickle.dumps(x)`", "flags": "", "flat": "`x.ravel()`", "getfield": "", "resize": "`np.resize(x, shape)`",
    "setfield": "", "setflags": "", "tofile": "`ht.save(x, path)`", "view": "`x.larray.view(dtype)`",
}  # fmt: skip
_HEAD = """# NumPy's functions on arrays

What `np.f(x)` does with an array of ours, for every function of NumPy that can be dispatched (`python
tools/numpy_functions.py` writes this page).

* **native**: the function of `equiheat` named beside it, or a few of its operations where none is named; results,
  layouts and communication are those.
* **local**: NumPy's function on this rank's block, which is all it needs (element by element, along an axis that is not
  split, or from shapes and types alone).
* **refused**: TypeError that names the function. Nothing gathers an array; `np.f(x.numpy())` does it where you want to.

Arguments without a counterpart are refused, too, unless they have no effect here (`optimize`, `order` of
memory; of `ravel` and `reshape` it works). `out=` works everywhere.
`where=` and `initial=` of `sum`, `prod`, `max`, `min`, `any`, `all`, `mean`, `var`, `std`, `nansum`, `nanprod` and of
`ufunc.reduce` work. `casting="unsafe"` lets `out=` take what its type cannot hold. `ufunc.accumulate` works for `add`,
`multiply` and where the grouping of operands is free (`maximum`, `logical_or`, `gcd`, ...), `ufunc.at` for `add` and
`subtract`; `ufunc.reduceat` is refused.
"""


def _name(func: Any) -> str:
    module = func.__module__.replace("numpy.lib.scimath", "numpy.emath")
    return f"{module}.{func.__name__}".replace("numpy.", "np.", 1)


def functions() -> list[tuple[str, str, str]]:
    """(NumPy's name, kind, our name) of everything that dispatches by ``__array_function__``."""
    rows: dict[str, tuple[str, str]] = {}  # some are listed twice, once without their dispatcher
    for func in ARRAY_FUNCTIONS:
        found = numpy_protocols._counterpart(func)
        if found is None:
            rows.setdefault(_name(func), (REFUSED, ""))
        elif func in numpy_functions.FUNCTIONS:
            rows[_name(func)] = (LOCAL if func in numpy_functions.LOCAL else NATIVE, "")
        elif _name(func) not in rows or rows[_name(func)][0] == REFUSED:
            home = "ht.linalg." if ".linalg" in func.__module__ else "ht.fft." if ".fft" in func.__module__ else "ht."
            ours = getattr(ht, func.__name__, None) if home == "ht." else found[0]
            rows[_name(func)] = (NATIVE, f"`{home}{func.__name__}`" if ours is not None else "")
    return [(name, *row) for name, row in sorted(rows.items())]


def universal_functions() -> list[tuple[str, str, str]]:
    """The same of universal functions."""
    rows = []
    for name in sorted(n for n in dir(np) if isinstance(getattr(np, n), np.ufunc)):
        own = getattr(np, name).__name__
        ours = numpy_protocols._UFUNC_NAMES.get(own, own)
        rows.append((f"np.{name}", NATIVE, f"`ht.{ours}`") if hasattr(ht, ours) else (f"np.{name}", LOCAL, ""))
    return rows


def methods() -> list[tuple[str, str, str]]:
    """Attributes of ``np.ndarray`` that arrays of ours lack."""
    names = [n for n in dir(np.ndarray) if not n.startswith("_") and not hasattr(ht.DNDarray, n)]
    return [(f"ndarray.{name}", "absent", _METHODS.get(name, "")) for name in names]


def page() -> str:
    """The page."""
    text = [_HEAD]
    parts = {
        "Functions": functions(), "Universal functions": universal_functions(),
        "Attributes of `np.ndarray` that a DNDarray lacks": methods(),
    }  # fmt: skip
    for title, rows in parts.items():
        counts = ", ".join(f"{n} {kind}" for kind, n in Counter(kind for _, kind, _ in rows).items())
        text.append(f"## {title}\n\n{counts}.\n\n| NumPy | | here |\n| --- | --- | --- |")
        text += [f"| `{name}` | {kind} | {ours} |" for name, kind, ours in rows]
        text.append("")
    return "\n".join(text)


def main() -> int:
    """Write, or with --check compare."""
    if "--check" in sys.argv:
        same = PAGE.read_text() == page()
        print(f"equiheat: {PAGE.name} is {'as it should be' if same else 'out of date: run tools/numpy_functions.py'}")
        return 0 if same else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
