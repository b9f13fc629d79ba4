# SPDX-License-Identifier: BSD-3-Clause
"""Packages that only some functions need: imported when they are, with an error that says how to get them."""

from __future__ import annotations

import importlib
from typing import Any

#: Name to import -> extra of equiheat that brings it.
_EXTRAS = {
    "h5py": "io", "netCDF4": "io", "zarr": "io", "pyarrow": "io", "pandas": "bridges", "scipy": "bridges",
    "xarray": "bridges", "PIL": "io",
}  # fmt: skip


def needed(name: str, fn: str) -> Any:
    """The module of this name; ImportError with the extra that brings it if it cannot be imported. Local."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] != package:
            raise  # something else is missing
        extra = _EXTRAS.get(package)
        how = f"pip install 'equiheat[{extra}]'" if extra else f"pip install {package}"
        raise ImportError(f"{fn}: needs {package}, which is not installed; {how}", name=package) from None
