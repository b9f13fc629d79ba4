# SPDX-License-Identifier: BSD-3-Clause
"""Data types of the standard, their kinds, limits and promotion."""

from __future__ import annotations

import builtins
from typing import Any

from equiheat import dtypes as types
from equiheat.array_api._heat import Array, Device, DType, ht, is_array
from equiheat.dtypes import (
    Datatype,
    bool,
    canonical_heat_type,
    complex64,
    complex128,
    float32,
    float64,
    heat_type_of,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)

# fmt: off
__all__ = [
    "astype", "bool", "can_cast", "complex64", "complex128", "finfo", "float32", "float64", "iinfo", "int8", "int16",
    "int32", "int64", "isdtype", "result_type", "uint8", "uint16", "uint32", "uint64",
]

_BOOL = (bool,)
_SIGNED = (int8, int16, int32, int64)
_UNSIGNED = (uint8, uint16, uint32, uint64)
_REAL = (float32, float64)
_COMPLEX = (complex64, complex128)
#: The standard's names of kinds.
KINDS: dict[str, tuple[Datatype, ...]] = {
    "bool": _BOOL, "signed integer": _SIGNED, "unsigned integer": _UNSIGNED, "integral": _SIGNED + _UNSIGNED,
    "real floating": _REAL, "complex floating": _COMPLEX, "numeric": _SIGNED + _UNSIGNED + _REAL + _COMPLEX,
}
# fmt: on


def default_of(value: object) -> Datatype:
    """The default type of a Python number: bool, int64, float64 or complex128."""
    kinds: tuple[tuple[type, Datatype], ...] = (
        (builtins.bool, bool),
        (int, int64),
        (float, float64),
        (complex, complex128),
    )
    for python, dtype in kinds:
        if isinstance(value, python):
            return dtype
    raise TypeError(f"a number is needed, is {value!r}")


def astype(x: Array, dtype: DType, /, *, copy: Any = True, device: Device = None) -> Array:
    """`x` with another data type, and on `device` if one is given; itself with ``copy=False`` if it is so already.

    Distribution: the split and extents of x. Communication: none. TypeError from complex to real: take `real` first;
    as bool, a complex number is whether it is not 0.
    """
    if issubclass(x.dtype, types.complexfloating) and isdtype(dtype, ("integral", "real floating")):
        raise TypeError("astype: complex numbers have no real value; take real(x), imag(x) or abs(x) first")
    result = x.astype(dtype, copy=copy)
    return result if device is None else result.to_device(device)


def _type_of(x: Any) -> Datatype:
    return heat_type_of(x) if is_array(x) else canonical_heat_type(x)


def can_cast(from_: Any, to: DType, /) -> Any:
    """Whether an array or type may be cast to `to` without loss of information (NumPy's "safe" rule). Local."""
    return ht.can_cast(_type_of(from_), to, "safe")


def finfo(type: Any, /) -> Any:
    """Limits of a real or complex type, or of an array's: bits, eps, max, min, smallest_normal, dtype. Local."""
    info = ht.finfo(_type_of(type))
    real = {complex64: float32, complex128: float64}
    info.dtype = real.get(info.dtype, info.dtype)
    return info


def iinfo(type: Any, /) -> Any:
    """Limits of an integer type, or of an array's: bits, max, min, dtype. Local."""
    return ht.iinfo(_type_of(type))


def isdtype(dtype: DType, kind: Any) -> Any:
    """Whether a type is of a kind. Local.

    Parameters
    ----------
    dtype
        A data type.
    kind
        A type, one of the standard's names ("bool", "signed integer", "unsigned integer", "integral",
        "real floating", "complex floating", "numeric"), or a tuple of those.

    Raises
    ------
    ValueError
        For another name.

    Examples
    --------
    >>> xp = ht.array_api
    >>> xp.isdtype(xp.float32, ("integral", "real floating")), xp.isdtype(xp.bool, "numeric")
    (True, False)
    """
    given = canonical_heat_type(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(given, one) for one in kind)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ValueError(f"isdtype: kind must be one of {', '.join(map(repr, KINDS))}, is {kind!r}")
        extra = {"real floating": (types.float16, types.bfloat16)}
        extra["numeric"] = extra["real floating"]
        return given in KINDS[kind] + extra.get(kind, ())
    return given is canonical_heat_type(kind)


def result_type(*arrays_and_dtypes: Any) -> Datatype:
    """The type of an operation between arrays, types and Python numbers, at least one of them no number. Local."""
    if all(isinstance(x, (int, float, complex)) for x in arrays_and_dtypes):
        raise ValueError("result_type: at least one array or data type is needed")
    result: Datatype = ht.result_type(*arrays_and_dtypes)
    return result
