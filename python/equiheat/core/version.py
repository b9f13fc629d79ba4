# SPDX-License-Identifier: BSD-3-Clause
"""Heat's module of this name: equiheat's version, in parts."""

from __future__ import annotations

from equiheat._version import __version__

__all__ = ["__version__", "extension", "major", "micro", "minor"]

_release, _, _rest = __version__.partition("+")
_numbers = [int("".join(filter(str.isdigit, part)) or 0) for part in (*_release.split("."), "0", "0")[:3]]
major, minor, micro = _numbers
extension = _rest or None
