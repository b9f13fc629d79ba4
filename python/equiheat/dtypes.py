# SPDX-License-Identifier: BSD-3-Clause
"""Element types: Heat's classes, callable as casts and comparable with torch's and NumPy's dtypes.

``ht.float32`` is a class; ``ht.float32(x)`` casts; ``x.dtype == ht.float32 == torch.float32 == np.float32``,
and by its full name ``x.dtype == "float32"``. A type hashes like its torch dtype, not like NumPy's, so that
either finds the other in a dict.
"""

from __future__ import annotations

import builtins
import functools
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from equiheat._base import ArrayBase

if TYPE_CHECKING:
    from equiheat.array import DNDarray
    from equiheat.communication import Communicator
    from equiheat.devices import Device

# fmt: off
__all__ = [
    "bfloat16",
    "bool",
    "bool_",
    "byte",
    "canonical_heat_type",
    "cdouble",
    "cfloat",
    "complex",
    "complex64",
    "complex128",
    "complexfloating",
    "csingle",
    "datatype",
    "double",
    "flexible",
    "float",
    "float16",
    "float32",
    "float64",
    "float_",
    "floating",
    "half",
    "heat_type_of",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "int_",
    "integer",
    "long",
    "number",
    "short",
    "signedinteger",
    "ubyte",
    "uint",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "ulong",
    "unsignedinteger",
    "ushort",
]
# fmt: on


class _DatatypeMeta(type):
    """What a type can do as an object: cast, compare, hash."""

    _torch: torch.dtype | None
    _char: str | None

    def __call__(cls, *value: Any, device: str | Device | None = None, comm: Communicator | None = None) -> DNDarray:
        """Cast `value` (anything ``ht.array`` takes) to this type; one zero without a value."""
        from equiheat.construction import array

        if cls._torch is None:
            raise TypeError(f"cannot create '{cls.__name__}' instances: it is a family of types; use one of them")
        if len(value) > 1:
            raise TypeError(f"{cls.__name__}() takes at most 1 argument ({len(value)} given)")
        obj = value[0] if value else (0,)
        if isinstance(obj, ArrayBase):
            return obj.astype(cls)  # type: ignore[attr-defined]
        return array(obj, dtype=cls, device=device, comm=comm)

    def __eq__(cls, other: object) -> builtins.bool:
        if isinstance(other, _DatatypeMeta):
            return cls is other
        if cls._torch is not None and isinstance(other, (torch.dtype, np.dtype, type, str)):
            return other == cls.__name__ if isinstance(other, str) else _find(other) is cls
        return NotImplemented

    def __hash__(cls) -> builtins.int:
        return type.__hash__(cls) if cls._torch is None else hash(cls._torch)

    def __repr__(cls) -> str:
        return f"equiheat.{cls.__name__}"

    @property
    def dtype(cls) -> np.dtype[Any]:
        """NumPy's dtype: lets ``np.zeros(3, ht.float32)`` work."""
        if cls._torch is None or cls._torch is torch.bfloat16:
            raise TypeError(f"{cls.__name__} has no NumPy dtype")
        return np.dtype(cls.__name__)

    @property
    def kind(cls) -> str:
        """NumPy's letter for the kind, by which other libraries tell types apart: "b", "i", "u", "f" or "c"."""
        return "f" if cls._torch is torch.bfloat16 else cls.dtype.kind


class datatype(metaclass=_DatatypeMeta):
    """Root of all element types."""

    _torch: ClassVar[torch.dtype | None] = None
    _char: ClassVar[str | None] = None

    @classmethod
    def torch_type(cls) -> torch.dtype:
        """Torch's dtype of the same name."""
        if cls._torch is None:
            raise TypeError(f"'{cls.__name__}' is a family of types and has no torch dtype")
        return cls._torch

    @classmethod
    def char(cls) -> str:
        """Short name: kind and bytes, as in NumPy's array interface."""
        if cls._char is None:
            raise TypeError(f"'{cls.__name__}' is a family of types and has no character code")
        return cls._char

    @classmethod
    def can_cast_to(cls, to: Any, casting: str = "intuitive") -> builtins.bool:
        """Same as ``can_cast(this type, to, casting)``."""
        from equiheat.promotion import can_cast

        return can_cast(cls, to, casting)


class bool(datatype):
    """True or False, one byte."""

    _torch = torch.bool
    _char = "u1"


class number(datatype):
    """All types of numbers."""


class integer(number):
    """All integers."""


class signedinteger(integer):
    """Signed integers."""


class int8(signedinteger):
    """Integer from -128 to 127."""

    _torch = torch.int8
    _char = "i1"


class int16(signedinteger):
    """Integer of 16 bits."""

    _torch = torch.int16
    _char = "i2"


class int32(signedinteger):
    """Integer of 32 bits."""

    _torch = torch.int32
    _char = "i4"


class int64(signedinteger):
    """Integer of 64 bits."""

    _torch = torch.int64
    _char = "i8"


class unsignedinteger(integer):
    """Unsigned integers."""


class uint8(unsignedinteger):
    """Integer from 0 to 255."""

    _torch = torch.uint8
    _char = "u1"


class uint16(unsignedinteger):
    """Integer from 0 to 65535."""

    _torch = torch.uint16
    _char = "u2"


class uint32(unsignedinteger):
    """Unsigned integer of 32 bits."""

    _torch = torch.uint32
    _char = "u4"


class uint64(unsignedinteger):
    """Unsigned integer of 64 bits."""

    _torch = torch.uint64
    _char = "u8"


class floating(number):
    """Real floating-point types."""


class float16(floating):
    """IEEE half precision: 11 significant bits, largest value 65504."""

    _torch = torch.float16
    _char = "f2"


class bfloat16(floating):
    """Brain float: 8 significant bits, the range of float32. NumPy has no such type."""

    _torch = torch.bfloat16
    _char = "bf2"


class float32(floating):
    """IEEE single precision: the default of real arrays."""

    _torch = torch.float32
    _char = "f4"


class float64(floating):
    """IEEE double precision."""

    _torch = torch.float64
    _char = "f8"


class complexfloating(number):
    """Complex types."""


class complex64(complexfloating):
    """Two float32."""

    _torch = torch.complex64
    _char = "c8"


class complex128(complexfloating):
    """Two float64."""

    _torch = torch.complex128
    _char = "c16"


class flexible(datatype):
    """Types of varying size: none is offered."""


bool_ = bool
byte = int8
short = int16
int = int_ = int32
long = int64
ubyte = uint8
ushort = uint16
uint = uint32
ulong = uint64
half = float16
float = float_ = float32
double = float64
complex = cfloat = csingle = complex64
cdouble = complex128

Datatype = type[datatype]

# fmt: off
_CONCRETE: tuple[Datatype, ...] = (
    bool, uint8, uint16, uint32, uint64, int8, int16, int32, int64, float16, bfloat16, float32, float64, complex64,
    complex128,
)
_FROM_TORCH: dict[torch.dtype, Datatype] = {t.torch_type(): t for t in _CONCRETE}
_FROM_NAME: dict[str, Datatype] = {
    **{t.__name__: t for t in _CONCRETE},
    **{f"torch.{t.__name__}": t for t in _CONCRETE},
    **{t.char(): t for t in _CONCRETE},
    "u1": uint8, "?": bool, "b": int8, "B": uint8, "h": int16, "i": int32, "l": int64, "q": int64,
    "H": uint16, "I": uint32, "L": uint64, "Q": uint64, "ushort": uint16, "uint": uint32, "ulong": uint64, "e": float16,
    "f": float32, "d": float64, "F": complex64, "D": complex128, "u": uint8, "c": complex64, "b1": bool,
    "bool_": bool, "int": int32, "int_": int32, "float": float32, "float_": float32, "half": float16,
    "double": float64, "long": int64, "short": int16, "byte": int8, "ubyte": uint8, "complex": complex64,
    "cfloat": complex64, "csingle": complex64, "cdouble": complex128,
}
_FROM_BUILTIN: dict[type, Datatype] = {
    builtins.bool: bool, builtins.int: int32, builtins.float: float32, builtins.complex: complex64,
}
# fmt: on


def from_torch(dtype: torch.dtype) -> Datatype:
    """The type of a torch dtype."""
    try:
        return _FROM_TORCH[dtype]
    except KeyError:
        raise TypeError(f"{dtype} is not supported; the types are {_names()}") from None


def _names() -> str:
    return ", ".join(t.__name__ for t in _CONCRETE)


@functools.cache  # NumPy puts a dtype's name together at each look
def _of_numpy(dtype: np.dtype[Any]) -> Datatype | None:
    return _FROM_NAME.get(dtype.name) if dtype.isnative else None


def _find(a_type: Any) -> Datatype | None:
    """The type meant by a torch, NumPy or Python type or a name; None if there is none."""
    if isinstance(a_type, _DatatypeMeta):
        return a_type if a_type._torch is not None else None  # type: ignore[return-value]
    if isinstance(a_type, torch.dtype):
        return _FROM_TORCH.get(a_type)
    if isinstance(a_type, str):
        return _FROM_NAME.get(a_type)
    if isinstance(a_type, np.dtype):
        return _of_numpy(a_type)
    if isinstance(a_type, type):
        if issubclass(a_type, np.generic):
            return _FROM_NAME.get(np.dtype(a_type).name)
        return _FROM_BUILTIN.get(a_type)
    return None


def canonical_heat_type(a_type: Any) -> Datatype:
    """The element type meant by `a_type`.

    Parameters
    ----------
    a_type
        One of our types, a torch or NumPy dtype, ``bool``, ``int`` (int32), ``float`` (float32), ``complex``
        (complex64), or a name such as "float32", "f4", "d".

    Raises
    ------
    TypeError
        If there is no such type.
    """
    found = _find(a_type)
    if found is None:
        raise TypeError(f"data type {a_type!r} is not understood; the types are {_names()}")
    return found


def torch_dtype(a_type: Any) -> torch.dtype:
    """Torch's dtype of anything `canonical_heat_type` understands."""
    return canonical_heat_type(a_type).torch_type()


def _scalar_type(value: Any) -> Datatype | None:
    """The type of a Python number: int64, float32 or complex64, as ``ht.array`` would choose."""
    if isinstance(value, builtins.bool):
        return bool
    if isinstance(value, builtins.int):
        return int64
    if isinstance(value, builtins.float):
        return float32
    return complex64 if isinstance(value, builtins.complex) else None


def heat_type_of(obj: Any) -> Datatype:
    """The element type of an array, a number or a nested list of numbers; int32 for Python's integers, as in Heat."""
    dtype = getattr(obj, "dtype", None)
    if dtype is not None:
        return canonical_heat_type(dtype)
    scalar = _scalar_type(obj)
    if scalar is not None:
        return canonical_heat_type(type(obj))
    if isinstance(obj, (list, tuple)) and obj:
        return heat_type_of(obj[0])
    return canonical_heat_type(obj)
