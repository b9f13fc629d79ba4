# SPDX-License-Identifier: BSD-3-Clause
"""Inspection of the namespace: `__array_namespace_info__`."""

from __future__ import annotations

from equiheat import devices as _devices
from equiheat.array_api._dtypes import KINDS, complex128, float64, int64
from equiheat.array_api._heat import Device
from equiheat.dtypes import Datatype

__all__ = ["__array_namespace_info__"]


class Info:
    """What the namespace offers and supposes. All methods are local."""

    def capabilities(self) -> dict[str, bool | int]:
        """Boolean indexing and shapes that depend on data are offered; at most 64 axes."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Device:
        """The device of new arrays."""
        return _devices.get_device()

    def default_dtypes(self, *, device: Device = None) -> dict[str, Datatype]:
        """NumPy's: float64, complex128, int64, and int64 for indices."""
        _devices.sanitize_device(device)
        return {
            "real floating": float64,
            "complex floating": complex128,
            "integral": int64,
            "indexing": int64,
        }

    def dtypes(self, *, device: Device = None, kind: str | tuple[str, ...] | None = None) -> dict[str, Datatype]:
        """The data types of the standard of a kind, or of several; all without."""
        _devices.sanitize_device(device)
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        for one in kinds:
            if one not in KINDS:
                raise ValueError(f"dtypes: kind must be one of {', '.join(map(repr, KINDS))}, is {one!r}")
        return {dtype.__name__: dtype for one in kinds for dtype in KINDS[one]}

    def devices(self) -> tuple[Device, ...]:
        """The devices arrays may live on in this process."""
        gpu = _devices._gpu()
        return (_devices.cpu,) if gpu is None else (_devices.cpu, gpu)


def __array_namespace_info__() -> Info:
    """What the namespace offers: capabilities, default types, devices, types. Local.

    Examples
    --------
    >>> ht.array_api.__array_namespace_info__().capabilities()["boolean indexing"]
    True
    """
    return Info()
