# SPDX-License-Identifier: BSD-3-Clause
"""Element types: names, casts, promotion, comparison with torch's and NumPy's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import equiheat as ht
from equiheat.testing import assert_equal

TYPES = [ht.bool, ht.uint8, ht.int8, ht.int16, ht.int32, ht.int64, ht.float16, ht.bfloat16, ht.float32, ht.float64]
TYPES += [ht.complex64, ht.complex128]
NUMPY = [t for t in TYPES if t is not ht.bfloat16]


@pytest.mark.parametrize("t", TYPES)
def test_equal_to_torch_and_numpy(t: Any) -> None:
    assert t == t.torch_type()
    assert t.torch_type() == t
    assert t == t.__name__
    assert t != "float"
    assert hash(t) == hash(t.torch_type())
    assert {t.torch_type(): 1}[t] == 1
    assert sum(t == other for other in TYPES) == 1
    assert ht.canonical_heat_type(t.torch_type()) is t
    assert ht.canonical_heat_type(t.__name__) is t
    if t is not ht.bfloat16:
        dtype = np.dtype(t.__name__)
        assert t == dtype
        assert dtype == t
        assert t == dtype.type
        assert ht.canonical_heat_type(dtype) is t
        assert np.zeros(2, t).dtype == dtype


def test_names() -> None:
    assert ht.float is ht.float32
    assert ht.int is ht.int32
    assert ht.double is ht.float64
    assert ht.canonical_heat_type(float) is ht.float32
    assert ht.canonical_heat_type(int) is ht.int32
    assert ht.canonical_heat_type(bool) is ht.bool
    assert ht.canonical_heat_type(complex) is ht.complex64
    assert ht.canonical_heat_type("f") is ht.float32
    assert ht.canonical_heat_type("i8") is ht.int64
    assert ht.float32.char() == "f4"
    assert repr(ht.int16) == "equiheat.int16"


@pytest.mark.parametrize(
    "bad", ["float31", object, np.dtype("U3"), torch.quint8, 3, None, np.dtype(">f4"), ht.floating]
)
def test_unknown(bad: Any) -> None:
    with pytest.raises(TypeError, match=r"is not understood; the types are bool, uint8, uint16"):
        ht.canonical_heat_type(bad)


def test_families() -> None:
    assert issubclass(ht.float32, ht.floating)
    assert ht.issubdtype(ht.int8, ht.signedinteger)
    assert ht.issubdtype("float64", np.floating)
    assert ht.issubdtype(np.float32, ht.number)
    assert not ht.issubdtype(ht.complex64, ht.floating)
    assert ht.heat_type_is_exact(ht.uint8)
    assert not ht.heat_type_is_exact(ht.bool)
    assert ht.heat_type_is_inexact(ht.complex64)
    assert ht.heat_type_is_realfloating(ht.bfloat16)
    with pytest.raises(TypeError, match="cannot create 'floating' instances"):
        ht.floating(3)
    with pytest.raises(TypeError, match="family of types"):
        ht.integer.torch_type()


@pytest.mark.parametrize("t", TYPES)
def test_casts(t: Any) -> None:
    x = t([0, 1, 2])
    assert x.dtype is t
    assert x.shape == (3,)
    assert t().shape == (1,)
    y = t(ht.arange(3, split=0))
    assert y.dtype is t
    assert y.split == 0
    with pytest.raises(TypeError, match="at most 1 argument"):
        t(1, 2)


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(NUMPY, 2)))
def test_promotion(a: Any, b: Any) -> None:
    """NumPy's table, except that integers of up to 32 bits take the real type they meet (Heat's and torch's rule)."""
    got = ht.promote_types(a, b)
    assert ht.promote_types(b, a) is got
    expected: Any = np.promote_types(np.dtype(a), np.dtype(b))
    kinds = {np.dtype(a).kind, np.dtype(b).kind}
    real = a if np.dtype(a).kind in "fc" else b
    whole = b if real is a else a
    if kinds & set("iu") and kinds & set("fc"):
        expected = expected if np.dtype(whole).itemsize == 8 else np.dtype(real)
    assert got == expected, f"{a}, {b}: {got}"


def test_promotion_of_bfloat16() -> None:
    assert ht.promote_types(ht.bfloat16, ht.float16) is ht.float32
    assert ht.promote_types(ht.bfloat16, ht.int32) is ht.bfloat16
    assert ht.promote_types(ht.bfloat16, ht.complex64) is ht.complex64


def test_result_type() -> None:
    x = ht.zeros(2, dtype=ht.float32)
    assert ht.result_type(x, 1) is ht.float32
    assert ht.result_type(x, 1.5) is ht.float32
    assert ht.result_type(x, 1j) is ht.complex64
    assert ht.result_type(ht.float64, 1j) is ht.complex128
    assert ht.result_type(ht.int32, 1.5) is ht.float32
    assert ht.result_type(ht.uint8, -2) is ht.uint8
    assert ht.result_type(ht.bool, 3) is ht.int64
    assert ht.result_type(x, ht.int64) is ht.float64
    assert ht.result_type(x, np.zeros(1)) is ht.float64
    assert ht.result_type(np.float64(1), ht.float32) is ht.float64
    assert ht.result_type(1, 2.0) is ht.float32
    with pytest.raises(TypeError, match="at least one"):
        ht.result_type()


@pytest.mark.parametrize(("a", "b"), list(itertools.product(NUMPY, NUMPY)))
def test_safe_casts_are_numpys(a: Any, b: Any) -> None:
    assert ht.can_cast(a, b, "safe") == np.can_cast(np.dtype(a), np.dtype(b), "safe")
    assert ht.can_cast(a, b, "no") == (a is b)
    assert ht.can_cast(a, b, "same_kind") == np.can_cast(np.dtype(a), np.dtype(b), "same_kind")
    assert ht.can_cast(a, b, "unsafe")


def test_intuitive_casts() -> None:
    assert ht.can_cast(ht.int32, ht.float32)
    assert not ht.can_cast(ht.int64, ht.float32)
    assert ht.int32.can_cast_to(ht.float32)
    assert ht.can_cast(ht.zeros(3), ht.float64)
    assert ht.can_cast(1, ht.float64)
    assert ht.can_cast(1, ht.float32) and ht.can_cast(1, ht.int32)
    assert ht.int16.can_cast_to(1) and not ht.int64.can_cast_to(1)
    with pytest.raises(TypeError):
        ht.can_cast(ht.int8, "no type")
    with pytest.raises(ValueError, match="casting must be one of"):
        ht.can_cast(ht.int8, ht.int8, "loose")
    with pytest.raises(TypeError, match="casting must be a str"):
        ht.can_cast(ht.int8, ht.int8, 3)  # type: ignore[arg-type]


def test_limits() -> None:
    assert ht.finfo(ht.float32).eps == np.finfo(np.float32).eps
    assert ht.finfo("float64").max == np.finfo(np.float64).max
    assert ht.finfo(ht.complex64).bits == 32
    assert ht.iinfo(ht.int16).max == 32767
    for own in (ht.ones(3, split=0), np.ones(3, np.float32), torch.ones(3)):  # of an array, as NumPy's
        assert ht.finfo(own).dtype is ht.float32
    assert ht.iinfo(ht.ones(3, dtype=ht.uint8)).max == 255
    with pytest.raises(TypeError, match="not inexact"):
        ht.finfo(ht.int8)
    with pytest.raises(TypeError, match="not an integer"):
        ht.iinfo(ht.float32)


def test_heat_type_of() -> None:
    assert ht.heat_type_of(ht.zeros(2, dtype=ht.int8)) is ht.int8
    assert ht.heat_type_of(np.zeros(2)) is ht.float64
    assert ht.heat_type_of([1.0]) is ht.float32
    assert ht.heat_type_of(3) is ht.heat_type_of([3]) is ht.int32


def test_devices_and_constants() -> None:
    assert str(ht.zeros(1).device) == "cpu:0"
    assert ht.zeros(1).device == ht.cpu == "cpu" == ht.get_device()
    assert ht.cpu == torch.device("cpu")
    with pytest.raises(ValueError, match=r"Unknown device 'gpu|no CUDA device"):
        ht.zeros(1, device="gpu:99")
    with pytest.raises(ValueError, match="Unknown device 'fpga'"):
        ht.use_device("fpga")
    assert ht.pi == np.pi
    assert_equal(ht.full(2, ht.e, dtype=ht.float64), np.full(2, np.e))
