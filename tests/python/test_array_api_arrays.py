# SPDX-License-Identifier: BSD-3-Clause
"""Creation, manipulation, statistics, data types and inspection of the array API standard against NumPy."""

from __future__ import annotations

import array
import inspect
from typing import Any

import numpy as np
import pytest
import torch
from array_api_cases import (
    ALL,
    FLOATS,
    INTEGERS,
    NUMERIC,
    REALS,
    SIGNED,
    assert_same,
    call,
    distribute,
    few,
    needs,
    pairs,
    shapes,
    splits,
    values,
)
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat import array_api as xp

pytestmark = [pytest.mark.ranks(1, 2), pytest.mark.filterwarnings("ignore")]
dtypes = st.sampled_from([None, *ALL])


def own(name: str | None) -> Any:
    """The namespace's type of this name."""
    return None if name is None else getattr(xp, name)


@pytest.fixture(params=[None, 0, -1], ids=str, autouse=True)
def default_split(request: pytest.FixtureRequest) -> Any:
    """Every test runs with replicated new arrays and with two default splits."""
    with ht.default_split(request.param):
        yield


# ---------------------------------------------------------------------- creation
@few
@given(shape=shapes(), name=dtypes, value=st.integers(0, 9))
def test_filled(shape: tuple[int, ...], name: str | None, value: int) -> None:
    for function in ("zeros", "ones"):
        assert_same(call(function, shape, dtype=own(name)), getattr(np, function)(shape, dtype=name or float))
    assert_same(xp.full(shape, value, dtype=own(name)), np.full(shape, value, dtype=name))
    for number in (True, 2.5, 1j):
        assert_same(xp.full(shape, number), np.full(shape, number))
    assert xp.empty(shape, dtype=own(name)).shape == shape
    assert xp.empty(3).dtype == np.float64


@few
@given(pair=pairs(), name=dtypes)
def test_like(pair: Any, name: str | None) -> None:
    x, value = pair
    for function in ("zeros_like", "ones_like"):
        assert_same(call(function, x, dtype=own(name)), getattr(np, function)(value, dtype=name))
    assert_same(xp.full_like(x, 1, dtype=own(name)), np.full_like(value, 1, dtype=name))
    assert xp.empty_like(x, device=x.device).dtype == x.dtype


@few
@given(
    start=st.integers(-20, 20), length=st.integers(0, 12), step=st.sampled_from([1, 2, -3, 0.5]), name=st.sampled_from(
        [None, "int64", "int32", "uint8", "float32", "float64"])
)  # fmt: skip
def test_arange(start: int, length: int, step: float, name: str | None) -> None:
    start = abs(start) + (40 if step < 0 else 0) if name == "uint8" else start
    stop = start + length * step
    if name is not None and "int" in name and isinstance(step, float):
        return
    assert_same(xp.arange(start, stop, step, dtype=own(name)), np.arange(start, stop, step, dtype=name))
    assert_same(xp.arange(length), np.arange(length))
    assert_same(xp.arange(float(length)), np.arange(float(length)))
    assert_same(xp.arange(xp.asarray(length)), np.arange(length))


def test_a_complex_number_in_real_numbers_is_refused() -> None:
    for dtype in (xp.float32, xp.float64, xp.int64):
        with pytest.raises(TypeError, match="1j is complex, but dtype is"):
            xp.full(3, 1j, dtype=dtype)
        with pytest.raises(TypeError, match="1j is complex, but dtype is"):
            xp.full_like(xp.zeros(3, dtype=dtype), 1j)


@few
@given(n=st.integers(0, 9), endpoint=st.booleans(), name=st.sampled_from([None, *FLOATS]))
def test_linspace(n: int, endpoint: bool, name: str | None) -> None:
    assert_same(
        xp.linspace(-1, 2.5, n, dtype=own(name), endpoint=endpoint), np.linspace(-1, 2.5, n, endpoint, dtype=name)
    )
    complex_name = name if name and name.startswith("c") else None
    assert_same(
        xp.linspace(0, 1 + 2j, n, dtype=own(complex_name), endpoint=endpoint),
        np.linspace(0, 1 + 2j, n, endpoint, dtype=complex_name),
    )


@few
@given(rows=st.integers(0, 6), columns=st.none() | st.integers(0, 6), k=st.integers(-7, 7), name=dtypes)
def test_eye(rows: int, columns: int | None, k: int, name: str | None) -> None:
    assert_same(xp.eye(rows, columns, k=k, dtype=own(name)), np.eye(rows, columns, k=k, dtype=name or float))


@few
@given(pair=pairs(shapes(min_dims=2)), k=st.integers(-3, 3))
def test_triangles(pair: Any, k: int) -> None:
    x, value = pair
    assert_same(xp.tril(x, k=k), np.tril(value, k))
    assert_same(xp.triu(x, k=k), np.triu(value, k))


@needs("meshgrid")
@few
@given(data=st.data(), indexing=st.sampled_from(["xy", "ij"]))
def test_meshgrid(data: st.DataObject, indexing: str) -> None:
    both = [data.draw(pairs((data.draw(st.integers(1, 4)),), NUMERIC)) for _ in range(data.draw(st.integers(1, 3)))]
    expected = np.meshgrid(*[value for _, value in both], indexing=indexing)
    assert_same(xp.meshgrid(*[x for x, _ in both], indexing=indexing), expected)


@few
@given(pair=pairs(), name=dtypes)
def test_asarray(pair: Any, name: str | None) -> None:
    x, value = pair
    assert_same(xp.asarray(x), value)
    for copy in (None, True):
        if name is None:
            assert_same(xp.asarray(value.tolist(), copy=copy), np.asarray(value.tolist()))
            assert_same(xp.asarray(value, copy=copy), value)
    assert_same(xp.asarray(value, dtype=own(value.dtype.name)), value)


def test_asarray_of_python_objects_and_memory() -> None:
    for obj in (True, 3, 2.5, 1j, [1, True], [1, 2.5], [[1j], [0]], [], (1, 2), range(3)):
        assert_same(xp.asarray(obj), np.asarray(obj))
    assert_same(xp.asarray(array.array("f", [1, 2])), np.array([1, 2], np.float32))
    memory = np.arange(4.0)
    with pytest.raises(ValueError, match="copy"):
        xp.asarray([1, 2], copy=False)
    with ht.default_split(None):
        shared = xp.asarray(memory, copy=False)
        memory[0] = 7
        assert float(shared[0]) == 7
        copied = xp.asarray(memory, copy=True)
        memory[0] = 8
        assert float(copied[0]) == 7
    assert_same(xp.asarray([xp.asarray(1), xp.asarray(2)]), np.array([1, 2]))


def test_dlpack() -> None:
    for split in (None, 0):
        x = ht.array(np.arange(6.0).reshape(3, 2), split=split)
        np.testing.assert_array_equal(np.from_dlpack(x), x.larray.numpy())
        assert torch.from_dlpack(x).data_ptr() == x.larray.data_ptr() or x.larray.numel() == 0
        assert x.__dlpack_device__()[0] == 1
        assert xp.from_dlpack(x) is x
    with ht.default_split(None):
        source = torch.arange(4)
        shared = xp.from_dlpack(source)
        source[0] = 9
        assert shared.tolist() == [9, 1, 2, 3]
        assert_same(xp.from_dlpack(np.arange(4), copy=True), np.arange(4))


# ---------------------------------------------------------------------- data types, inspection, namespace
def test_isdtype_and_limits() -> None:
    info = xp.__array_namespace_info__()
    assert set(info.dtypes()) == set(ALL)
    assert set(info.dtypes(kind="integral")) == set(INTEGERS)
    assert set(info.dtypes(kind=("bool", "real floating"))) == {"bool", *REALS}
    defaults = info.default_dtypes()
    assert defaults["real floating"] == xp.asarray(1.0).dtype == xp.zeros(1).dtype
    assert defaults["integral"] == xp.asarray(1).dtype == xp.arange(3).dtype
    assert defaults["complex floating"] == xp.asarray(1j).dtype
    assert defaults["indexing"] == xp.argmax(xp.arange(3)).dtype
    assert info.default_device() in info.devices()
    assert info.capabilities()["boolean indexing"] and info.capabilities()["data-dependent shapes"]
    kinds = ("bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric")
    for name in ALL:
        for kind in kinds:
            assert xp.isdtype(own(name), kind) == np.isdtype(np.dtype(name), kind), (name, kind)
        assert (xp.isdtype(own(name), own(name)) and not xp.isdtype(own(name), "bool")) or name == "bool"
        if name in FLOATS:
            ours, theirs = xp.finfo(own(name)), np.finfo(name)
            for field in ("bits", "eps", "max", "min", "smallest_normal"):
                assert float(getattr(ours, field)) == pytest.approx(float(getattr(theirs, field)))
                assert type(getattr(ours, field)) in (int, float)
            assert ours.dtype == theirs.dtype
        if name in INTEGERS:
            ours, theirs = xp.iinfo(own(name)), np.iinfo(name)
            assert (ours.bits, ours.max, ours.min, ours.dtype) == (theirs.bits, theirs.max, theirs.min, theirs.dtype)
        for other in ALL:
            mixed = {"f": "f", "c": "f"}.get(np.dtype(name).kind, "i") != {"f": "f", "c": "f"}.get(
                np.dtype(other).kind, "i"
            )
            if not mixed or "bool" in (name, other):
                assert xp.can_cast(own(name), own(other)) == np.can_cast(name, other, "safe"), (name, other)
                if ({name, other} & {"uint64"} and {name, other} & set(SIGNED)) or "bool" in (name, other):
                    continue
                assert xp.result_type(own(name), own(other)) == np.result_type(name, other), (name, other)
    with pytest.raises(ValueError, match="kind"):
        xp.isdtype(xp.int8, "number")
    assert xp.result_type(xp.float32, 1.0, 1) == xp.float32
    assert xp.finfo(xp.zeros(1)).dtype == xp.float64


@few
@given(pair=pairs(), name=st.sampled_from(ALL))
def test_astype(pair: Any, name: str) -> None:
    x, value = pair
    if value.dtype.kind == "c" and np.dtype(name).kind != "c":
        return
    if np.dtype(name).kind == "u" and value.dtype.kind in "if":
        value = abs(value)
        x = xp.abs(x)
    assert_same(xp.astype(x, own(name)), value.astype(name))
    assert xp.astype(x, x.dtype, copy=False) is x
    assert xp.astype(x, x.dtype) is not x
    assert xp.astype(x, own(name), device=x.device).device == x.device


def test_complex_numbers_have_no_real_value() -> None:
    for split in (None, 0):
        with pytest.raises(TypeError, match="real"):
            xp.astype(distribute(np.array([1j, 2.0]), split), xp.float64)
        zero_or_not = np.array([1j, 2.0, 0j, complex(0, np.nan)])
        assert_same(xp.astype(distribute(zero_or_not, split), xp.bool), zero_or_not.astype(bool))


#: Every name of the standard with its signature there; `where` and `diff` allow what scikit-learn calls, too.
SIGNATURES = {
    "arange": "(start, /, stop=None, step=1, *, dtype=None, device=None)",
    "asarray": "(obj, /, *, dtype=None, device=None, copy=None)",
    "eye": "(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None)",
    "from_dlpack": "(x, /, *, device=None, copy=None)", "full": "(shape, fill_value, *, dtype=None, device=None)",
    "linspace": "(start, stop, /, num, *, dtype=None, device=None, endpoint=True)",
    "astype": "(x, dtype, /, *, copy=True, device=None)", "isdtype": "(dtype, kind)",
    "clip": "(x, /, min=None, max=None)",
    "take": "(x, indices, /, *, axis=None)", "take_along_axis": "(x, indices, /, *, axis=-1)",
    "concat": "(arrays, /, *, axis=0)", "expand_dims": "(x, /, axis)", "moveaxis": "(x, source, destination, /)",
    "permute_dims": "(x, /, axes)", "repeat": "(x, repeats, /, *, axis=None)", "reshape": "(x, /, shape, *, copy=None)",
    "roll": "(x, /, shift, *, axis=None)", "squeeze": "(x, /, axis)", "stack": "(arrays, /, *, axis=0)",
    "tile": "(x, repetitions, /)", "unstack": "(x, /, *, axis=0)", "argmax": "(x, /, *, axis=None, keepdims=False)",
    "searchsorted": "(x1, x2, /, *, side='left', sorter=None)", "where": "(condition, x1=None, x2=None, /)",
    "isin": "(x1, x2, /, *, invert=False)", "sort": "(x, /, *, axis=-1, descending=False, stable=True)",
    "cumulative_sum": "(x, /, *, axis=None, dtype=None, include_initial=False)",
    "sum": "(x, /, *, axis=None, dtype=None, keepdims=False)",
    "std": "(x, /, *, axis=None, correction=0.0, keepdims=False)",
    "diff": "(x, /, n=1, *, axis=-1, prepend=None, append=None)", "tensordot": "(x1, x2, /, *, axes=2)",
    "vecdot": "(x1, x2, /, *, axis=-1)", "tril": "(x, /, *, k=0)", "meshgrid": "(*arrays, indexing='xy')",
}  # fmt: skip


def test_namespace() -> None:
    x = xp.zeros(1)
    assert x.__array_namespace__() is xp
    assert x.__array_namespace__(api_version="2022.12") is xp
    with pytest.raises(ValueError, match="api_version"):
        x.__array_namespace__(api_version="1999.01")
    assert x.to_device(x.device) is x
    for name in xp.__all__:
        assert getattr(xp, name) is not None or name == "newaxis"
    for name, text in SIGNATURES.items():
        signature = inspect.signature(getattr(xp, name))
        bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
        assert str(inspect.Signature(bare)) == text, name


# ---------------------------------------------------------------------- manipulation
@few
@given(data=st.data())
def test_broadcasting(data: st.DataObject) -> None:
    x, value = data.draw(pairs())
    shape = (data.draw(st.integers(0, 3)), *value.shape)
    assert_same(xp.broadcast_to(x, shape), np.broadcast_to(value, shape))
    other = value.reshape(-1)[:1].reshape((1,) * value.ndim) if value.size else np.ones((1,) * value.ndim, value.dtype)
    assert_same(xp.broadcast_arrays(x, distribute(other, 0)), np.broadcast_arrays(value, other))
    assert xp.broadcast_shapes(shape, value.shape) == np.broadcast_shapes(shape, value.shape)
    assert xp.broadcast_shapes() == ()
    with pytest.raises(ValueError, match="broadcast"):
        xp.broadcast_shapes((2,), (3,))


@needs("unstack")
@few
@given(data=st.data())
def test_joining(data: st.DataObject) -> None:
    shape = data.draw(shapes(min_dims=1))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    both = [data.draw(pairs(shape, FLOATS if i else ALL)) for i in range(2)]
    kind = np.result_type(*[v for _, v in both])
    same = [np.dtype(v.dtype).kind for _, v in both]
    arrays, wanted = [x for x, _ in both], [v for _, v in both]
    dtype = kind if same[0] in "fc" else None
    assert_same(xp.concat(arrays, axis=axis), np.concat(wanted, axis=axis), dtype=dtype)
    assert_same(xp.concat(arrays, axis=None), np.concat(wanted, axis=None), dtype=dtype)
    assert_same(xp.stack(arrays, axis=axis), np.stack(wanted, axis=axis), dtype=dtype)
    assert_same(xp.unstack(arrays[0], axis=axis), np.unstack(wanted[0], axis=axis))


@few
@given(data=st.data())
def test_axes(data: st.DataObject) -> None:
    x, value = data.draw(pairs())
    order = tuple(data.draw(st.permutations(range(value.ndim))))
    axis = data.draw(st.integers(-value.ndim - 1, value.ndim))
    assert_same(xp.permute_dims(x, order), np.permute_dims(value, order))
    assert_same(xp.expand_dims(x, axis=axis), np.expand_dims(value, axis))
    assert_same(xp.squeeze(xp.expand_dims(x, axis=axis), axis), value)
    assert_same(xp.expand_dims(x, axis=(0, -1)), np.expand_dims(value, (0, -1)))
    assert_same(xp.flip(x), np.flip(value))
    with pytest.raises(IndexError):
        xp.expand_dims(x, axis=value.ndim + 1)
    if value.ndim:
        here, there = (data.draw(st.integers(-value.ndim, value.ndim - 1)) for _ in range(2))
        shift = data.draw(st.integers(-7, 7))
        assert_same(xp.moveaxis(x, here, there), np.moveaxis(value, here, there))
        assert_same(xp.flip(x, axis=here), np.flip(value, here))
        assert_same(xp.roll(x, shift, axis=here), np.roll(value, shift, here))
        if value.shape[here] != 1:
            with pytest.raises(ValueError, match="squeeze"):
                xp.squeeze(x, here)
    assert_same(xp.roll(x, 3), np.roll(value, 3))


@few
@given(data=st.data())
def test_reshape(data: st.DataObject) -> None:
    x, value = data.draw(pairs())
    for shape in ((-1,), (1, *value.shape), (*value.shape[::-1],)):
        if value.size or -1 not in shape:
            for copy in (None, True):
                assert_same(xp.reshape(x, shape, copy=copy), value.reshape(shape))
    assert_same(xp.reshape(x, value.shape, copy=False), value)


@pytest.mark.ranks(1, 2, 3)
@pytest.mark.parametrize(
    ("shape", "other", "split", "kept"),
    [
        ((66, 2), (2, 33, 2), 1, 2), ((3, 5, 4), (-1, 4), 2, 1), ((3, 5, 4), (3, 5, 2, 2), 0, 0),
        ((2, 3, 5), (6, 5, 1), 2, 1), ((2, 3, 5), (1, 2, 15), 0, 1),
    ],
)  # fmt: skip
def test_reshape_beside_the_split_axis_is_a_view(shape: Any, other: Any, split: int, kept: int) -> None:
    values = np.arange(float(np.prod(shape))).reshape(shape)
    x = ht.array(values, split=split)
    y = xp.reshape(x, other)
    assert y.split == kept
    assert_same(y, values.reshape(other))
    y[...] = -1
    assert_same(x, np.full(shape, -1.0))


def test_reshape_without_a_copy_is_refused_on_all_ranks_or_none() -> None:
    """Blocks that stay on one rank move on another, and a rank may have none."""
    for shape, other in (((5, 4), (10, 2)), ((7, 2), (14,)), ((1, 6), (6, 1)), ((3, 4), (4, 3)), ((2, 3, 4), (2, 12))):
        x = xp.reshape(xp.arange(int(np.prod(shape))), shape).resplit(0)
        try:
            xp.reshape(x, other, copy=False)
            refused = 0
        except ValueError:
            refused = 1
        total = x.comm.allreduce(torch.tensor(refused))
        assert int(total) in (0, x.comm.size)


@needs("repeat", "tile")
@few
@given(data=st.data())
def test_repetition(data: st.DataObject) -> None:
    x, value = data.draw(pairs())
    times = data.draw(st.integers(0, 3))
    assert_same(xp.repeat(x, times), np.repeat(value, times))
    counts = tuple(data.draw(st.lists(st.integers(0, 3), max_size=4)))
    assert_same(xp.tile(x, counts), np.tile(value, counts))
    if value.ndim:
        axis = data.draw(st.integers(-value.ndim, value.ndim - 1))
        assert_same(xp.repeat(x, times, axis=axis), np.repeat(value, times, axis=axis))
        per = data.draw(values((value.shape[axis],), ("int64",), low=0, high=3))
        assert_same(xp.repeat(x, distribute(per, data.draw(splits)), axis=axis), np.repeat(value, per, axis=axis))
