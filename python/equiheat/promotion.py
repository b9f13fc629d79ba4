# SPDX-License-Identifier: BSD-3-Clause
"""Rules between element types: promotion, casts, families, limits (docs/dtypes.md has the tables)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from equiheat import _core
from equiheat._base import ArrayBase
from equiheat.dtypes import (
    Datatype,
    _DatatypeMeta,
    _find,
    _scalar_type,
    bfloat16,
    bool_,
    canonical_heat_type,
    complex64,
    complex128,
    complexfloating,
    datatype,
    flexible,
    float16,
    float32,
    float64,
    floating,
    from_torch,
    heat_type_of,
    integer,
    number,
    signedinteger,
    torch_dtype,
    unsignedinteger,
)

# fmt: off
__all__ = [
    "can_cast", "finfo", "heat_type_is_complexfloating", "heat_type_is_exact", "heat_type_is_inexact",
    "heat_type_is_realfloating", "iinfo", "issubdtype", "promote_types", "result_type",
]
# fmt: on


def promote_types(type1: Any, type2: Any) -> Datatype:
    """The smallest type that operations between arrays of the two types give (docs/dtypes.md has the table)."""
    return from_torch(_core.promote(torch_dtype(type1), torch_dtype(type2)))


def result_type(*arrays_and_types: Any) -> Datatype:
    """The type of an operation between the arguments: arrays, types and Python numbers.

    Python numbers are weak: they only raise the kind (``int32`` with ``1.5`` gives ``float32``, ``float32`` with
    ``1`` stays).
    """
    if not arrays_and_types:
        raise TypeError("result_type: at least one array, type or number is needed")
    weak = [x for x in arrays_and_types if isinstance(x, (int, float, complex))]
    weak = [x for x in weak if not isinstance(x, np.generic)]
    strong = [x for x in arrays_and_types if not any(x is w for w in weak)]
    types = [_type_in_result(x) for x in strong]
    if not types:
        result = _scalar_type(weak[0])
        assert result is not None
        weak = weak[1:]
    else:
        result = types[0]
    for other in types[1:]:
        result = promote_types(result, other)
    for value in weak:
        result = _with_scalar(result, value)
    return result


def _type_in_result(x: Any) -> Datatype:
    found = None if isinstance(x, (ArrayBase, np.ndarray, torch.Tensor)) else _find(x)
    return found if found is not None else heat_type_of(x)


_KINDS = (bool_, integer, floating, complexfloating)


def _kind(t: Datatype) -> int:
    return next(i for i, family in enumerate(_KINDS) if issubclass(t, family))


def _with_scalar(dtype: Datatype, value: Any) -> Datatype:
    """The type of an array of `dtype` with a Python number."""
    scalar = _scalar_type(value)
    assert scalar is not None
    if _kind(scalar) <= _kind(dtype):
        return dtype
    return promote_types(dtype, scalar) if _kind(dtype) == 2 else scalar


_SIGNIFICANT: dict[Datatype, int] = {
    float16: 11, bfloat16: 8, float32: 24, float64: 53, complex64: 24, complex128: 53,
}  # fmt: skip


def _is_safe(a: Datatype, b: Datatype) -> bool:
    """NumPy's rule: every value survives; 64-bit integers in float64 are let through."""
    if a is b or a is bool_:
        return True
    if promote_types(a, b) is not b:
        return False
    if issubclass(a, integer) and b in _SIGNIFICANT:
        bits = 8 * torch_dtype(a).itemsize - int(issubclass(a, signedinteger))
        return bits <= _SIGNIFICANT[b] or bits >= 63
    return True


def can_cast(from_: Any, to: Any, casting: str = "intuitive") -> bool:
    """Whether a cast is allowed.

    Parameters
    ----------
    from_
        A type, an array or a number.
    to
        A type, or what has one.
    casting
        "no": same type; "safe": no value changes; "same_kind": safe, or within a kind; "unsafe": always;
        "intuitive": where an operation between the two types gives `to` (safe, and int32 to float32).
    """
    modes = ("no", "safe", "same_kind", "unsafe", "intuitive")
    if not isinstance(casting, str):
        raise TypeError(f"can_cast: casting must be a str, is {type(casting)}")
    if casting not in modes:
        raise ValueError(f"can_cast: casting must be one of {modes}, is {casting!r}")
    source = _type_in_result(from_)
    target = _type_in_result(to)
    if casting == "no":
        return source is target
    if casting == "unsafe":
        return True
    if casting == "intuitive":
        return promote_types(source, target) is target
    if casting == "same_kind" and _kind(source) <= _kind(target):
        # Signed into unsigned is no cast within a kind (NumPy).
        return not (issubclass(source, signedinteger) and issubclass(target, unsignedinteger))
    return _is_safe(source, target)


def _family(arg: Any) -> Datatype:
    """A concrete type or a family (NumPy's abstract classes included)."""
    if isinstance(arg, _DatatypeMeta):
        return arg  # type: ignore[return-value]
    families = (
        datatype,
        number,
        integer,
        signedinteger,
        unsignedinteger,
        floating,
        complexfloating,
        flexible,
    )
    if isinstance(arg, type) and issubclass(arg, np.generic):
        for family in families:
            if family.__name__ == arg.__name__:
                return family
    return canonical_heat_type(arg)


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """True if the first type is the second or belongs to that family."""
    return issubclass(_family(arg1), _family(arg2))


def heat_type_is_exact(ht_dtype: Datatype) -> bool:
    """True for integers."""
    return issubdtype(ht_dtype, integer)


def heat_type_is_inexact(ht_dtype: Datatype) -> bool:
    """True for real and complex floating-point types."""
    return heat_type_is_realfloating(ht_dtype) or heat_type_is_complexfloating(ht_dtype)


def heat_type_is_realfloating(ht_dtype: Datatype) -> bool:
    """True for real floating-point types."""
    return issubdtype(ht_dtype, floating)


def heat_type_is_complexfloating(ht_dtype: Datatype) -> bool:
    """True for complex types."""
    return issubdtype(ht_dtype, complexfloating)


class finfo:
    """Limits of a floating-point type, or of an array's: ``bits, eps, max, min, tiny`` (complex: of the real part)."""

    def __init__(self, dtype: Any) -> None:
        found = _type_in_result(dtype)
        if not heat_type_is_inexact(found):
            raise TypeError(f"finfo: data type {found.__name__} is not inexact; use iinfo")
        info = torch.finfo(found.torch_type())
        self.bits, self.eps, self.max = info.bits, info.eps, info.max
        self.min, self.tiny = info.min, info.tiny
        self.smallest_normal = info.smallest_normal
        self.dtype = found


class iinfo:
    """Limits of an integer type, or of an array's: ``bits, max, min``."""

    def __init__(self, dtype: Any) -> None:
        found = _type_in_result(dtype)
        if not heat_type_is_exact(found):
            raise TypeError(f"iinfo: data type {found.__name__} is not an integer; use finfo")
        info = torch.iinfo(found.torch_type())
        self.bits, self.max, self.min = info.bits, info.max, info.min
        self.dtype = found
