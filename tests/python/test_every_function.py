# SPDX-License-Identifier: BSD-3-Clause
"""Functions that have no file of their own against NumPy over layouts; and no public function is without a test."""

from __future__ import annotations

import inspect
import pathlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from op_cases import assert_array, combinations, layouts, lopsided, make

import equiheat as ht
from equiheat import _core, in_place

pytestmark = pytest.mark.filterwarnings("ignore")
X = np.array([[1.5, -0.0, np.inf], [-np.inf, np.nan, 2.0], [0.25, -3.0, 4.0], [7.0, 0.0, -1.0]])
Z = X[2:] + 1j * np.array([[0.0, 1.0, -2.0], [3.0, 0.0, 0.0]])
N = np.arange(1, 13).reshape(4, 3)

#: name -> (NumPy's function, input)
CASES: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "fliplr": (np.fliplr, X), "flipud": (np.flipud, X), "isreal": (np.isreal, Z), "iscomplex": (np.iscomplex, Z),
    "isposinf": (np.isposinf, X), "isneginf": (np.isneginf, X), "fabs": (np.fabs, X),
    "trapz": (np.trapezoid, X[2:]), "float_": (lambda a: a.astype(np.float32), N),
    "int_": (lambda a: a.astype(np.int32), X[2:]), "uint": (lambda a: a.astype(np.uint32), N),
    "ulong": (lambda a: a.astype(np.uint64), N), "ushort": (lambda a: a.astype(np.uint16), N),
    "cfloat": (lambda a: a.astype(np.complex64), N), "csingle": (lambda a: a.astype(np.complex64), N),
    "cdouble": (lambda a: a.astype(np.complex128), N),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_functions_of_one_array(name: str) -> None:
    function, values = CASES[name]
    for x in layouts(values):
        got, wanted = getattr(ht, name)(x), np.asarray(function(values))
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got.numpy(), wanted, err_msg=f"{name} of split {x.split}")


#: in-place function -> (what the operator or NumPy gives, first and second operand)
IN_PLACE: dict[str, tuple[Callable[[Any, Any], Any], np.ndarray, Any]] = {
    "add_": (np.add, N, 2), "subtract_": (np.subtract, N, N[:1]), "multiply_": (np.multiply, N, N),
    "mul_": (np.multiply, N, N), "divide_": (np.divide, X, 2.0), "floor_divide_": (np.floor_divide, N, 5),
    "floordiv_": (np.floor_divide, N, 5), "remainder_": (np.remainder, -N, 5), "mod_": (np.remainder, -N, 5),
    "fmod_": (np.fmod, -N, 5), "power_": (np.power, N, 2), "pow_": (np.power, N, 2), "gcd_": (np.gcd, N, 6),
    "lcm_": (np.lcm, N, 4), "hypot_": (np.hypot, N / 2, N / 3), "copysign_": (np.copysign, X, -1.0),
    "bitwise_and_": (np.bitwise_and, N, 6), "bitwise_or_": (np.bitwise_or, N, 6),
    "bitwise_xor_": (np.bitwise_xor, N, 6), "left_shift_": (np.left_shift, N, 2),
    "right_shift_": (np.right_shift, N, 1),
}  # fmt: skip
ALONE: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "negative_": (np.negative, N), "invert_": (np.invert, N), "bitwise_not_": (np.invert, N),
    "nan_to_num_": (np.nan_to_num, X), "cumsum_": (lambda a: np.cumsum(a, 0), N),
    "cumprod_": (lambda a: np.cumprod(a, 0), N), "cumproduct_": (lambda a: np.cumprod(a, 0), N),
}  # fmt: skip


@pytest.mark.parametrize("name", [*IN_PLACE, *ALONE])
def test_functions_in_place(name: str) -> None:
    function, values, *operand = (IN_PLACE | ALONE)[name]  # type: ignore[operator]
    for x in layouts(values):
        others = [] if not operand else [operand[0]]
        if operand and isinstance(operand[0], np.ndarray):
            others = [make(operand[0], 0 if len(operand[0]) > 1 else None)]
        elif name.startswith("cum"):
            others = [0]
        split, counts, block = x.split, x._core.counts, x.larray
        result = getattr(in_place if split == 0 else ht.DNDarray, name)(x, *others)
        assert result is x and x.split == split and x._core.counts == counts and x.larray is block
        with np.errstate(all="ignore"):
            wanted = function(values, *operand)
        np.testing.assert_allclose(x.numpy(), wanted, rtol=1e-15, err_msg=f"{name} of split {split}")


def test_remainders_of_long_quotients_and_of_all_ones() -> None:
    a = np.array([1.0, -1.0, 3.0, -1e30, 1e30, np.inf, np.nan, 5.0])
    for dtype, tiny in ((np.float32, 1e-40), (np.float64, 1e-290)):
        values = a.astype(dtype)
        for split, divisor in combinations((None, 0), (tiny, -tiny, 0.0, np.inf, 2.0)):
            x, b = make(values, split), np.full(len(a), divisor, dtype)
            for name in ("remainder", "fmod"):
                for other in (make(b, 0), dtype(divisor).item()):
                    assert_array(getattr(ht, name)(x, other), getattr(np, name)(values, b), dtype, name, rtol=0.0)
    n = np.array([0, 1, 254, 255], np.uint8)
    for divisor in (255, 1, 0):
        b = np.full(4, divisor, np.uint8)
        assert_array(ht.floor_divide(make(n, 0), divisor), n // b, np.uint8)
        assert_array(ht.remainder(make(n, 0), make(b)), n % b, np.uint8)


def test_products_with_vectors() -> None:
    rng = np.random.default_rng(0)
    a, v, w = (rng.normal(size=s) + 1j * rng.normal(size=s) for s in ((2, 4, 3), (3,), (2, 4)))
    for left, right in combinations((None, 0, 1, 2), (None, 0)):
        matrix = make(a, left)
        np.testing.assert_allclose(ht.linalg.matvec(matrix, make(v, right)).numpy(), np.matvec(a, v), rtol=1e-13)
        np.testing.assert_allclose(ht.linalg.vecmat(make(w, right), matrix).numpy(), np.vecmat(w, a), rtol=1e-13)
    x, y = w[0].real, v.real[:3]
    x = x[:3]
    for left, right in combinations((None, 0), (None, 0)):
        projected = ht.linalg.projection(make(x, left), make(y, right))
        np.testing.assert_allclose(projected.numpy(), x @ y / (y @ y) * y, rtol=1e-13)


def test_truncated_decomposition_by_ranks() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(8, 2)) @ rng.normal(size=(2, 6))
    for split in (0, 1):
        u, s, v, *_ = ht.linalg.hsvd(make(values, split), maxrank=2, compute_sv=True)
        np.testing.assert_allclose(s.numpy(), np.linalg.svd(values)[1][:2], rtol=1e-12)
        np.testing.assert_allclose((u.numpy() * s.numpy()) @ v.numpy(), values, atol=1e-12)


def test_stacking_and_running_products() -> None:
    for one, other in combinations((None, 0, 1), (None, 0, 1)):
        got = ht.row_stack([make(N, one), make(N[:2], other)])
        np.testing.assert_array_equal(got.numpy(), np.vstack([N, N[:2]]))
    assert ht.cumproduct is ht.cumprod and ht.random.ranf is not None
    ht.random.seed(5)
    first = ht.random.ranf((3, 2), split=0).numpy()
    ht.random.seed(5)
    np.testing.assert_array_equal(first, ht.random.random_sample((3, 2)).numpy())
    ht.random.seed(5)
    first = ht.random.random_integer(0, 9, (7,), split=0).numpy()
    ht.random.seed(5)
    np.testing.assert_array_equal(first, ht.random.randint(0, 9, (7,)).numpy())


def test_moving_rows_in_place() -> None:
    comm = ht.get_comm()
    for rank in range(comm.size):
        x = make(N, 0)
        x.collect_(rank)
        assert x.lshape_map[rank, 0] == 4 and x.shape == N.shape
        np.testing.assert_array_equal(x.numpy(), N)
        target = x.lshape_map.clone()
        target[:, 0] = torch.tensor(lopsided(4))
        x.redistribute_(target_map=target)
        assert x.lshape_map[:, 0].tolist() == lopsided(4)
        np.testing.assert_array_equal(x.numpy(), N)


def test_parts_of_other_libraries() -> None:
    for x in layouts(N):
        again = ht.from_partition_dict(x.create_partition_interface())
        assert again.split == x.split or ht.get_comm().size == 1
        np.testing.assert_array_equal(again.numpy(), N)
    for supports in (ht.supports_hdf5, ht.supports_netcdf, ht.supports_zarr):
        assert supports() in (True, False)
    assert (ht.INF, ht.Inf, ht.Infty, ht.PI, ht.Euler) == (np.inf, np.inf, np.inf, np.pi, np.e)
    assert np.isnan(ht.NAN)


@pytest.mark.parametrize("name", ["fft2", "ifft2", "irfft2", "hfft2", "ihfft2", "hfftn", "ihfftn"])
def test_transforms_over_planes(name: str) -> None:
    scipy_fft = pytest.importorskip("scipy.fft")
    values = X[[2, 3, 2]] if name.startswith("ih") else Z
    for x in layouts(values):
        got = getattr(ht.fft, name)(x).numpy()
        np.testing.assert_allclose(got, getattr(scipy_fft, name)(values), rtol=1e-13, atol=1e-13)


def test_names_of_files_and_types(tmp_path: pathlib.Path) -> None:
    comm = ht.get_comm()
    name = comm.bcast(torch.tensor(list(str(tmp_path).ljust(200).encode()), dtype=torch.uint8), 0)
    folder = pathlib.Path(bytes(name.tolist()).decode().strip())
    for x in layouts(N):
        ht.save_npy(x, str(folder / "n.npy"))
        np.testing.assert_array_equal(ht.load_npy(str(folder / "n.npy"), split=0).numpy(), N)
        if ht.supports_zarr():
            ht.save_zarr(x, str(folder / "n.zarr"), overwrite=True)
            np.testing.assert_array_equal(ht.load_zarr(str(folder / "n.zarr"), split=1).numpy(), N)
    assert ht.supports_pandas() in (True, False)
    assert ht.heat_type_is_complexfloating(ht.complex64) and not ht.heat_type_is_complexfloating(ht.float32)
    assert ht.devices.sanitize_device("cpu") is ht.cpu


#: Tests of tables name these by the table's rows.
_TABLES = (*_core.unary, *_core.binary, *_core.reductions)


def test_no_public_function_is_without_a_test() -> None:
    words = set(_TABLES)
    for path in pathlib.Path(__file__).parent.glob("*.py"):
        words |= set(re.findall(r"\w+", path.read_text()))
    modules = {"ht": ht, "linalg": ht.linalg, "fft": ht.fft, "random": ht.random, "sparse": ht.sparse,
               "spatial": ht.spatial, "array_api": ht.array_api, "DNDarray": ht.DNDarray}  # fmt: skip
    tabled = [getattr(ht, row, None) for row in _TABLES]
    untested = [
        f"{home}.{name}"
        for home, module in modules.items()
        for name in getattr(module, "__all__", dir(module))
        if not name.startswith("_") and name not in words and inspect.isroutine(getattr(module, name, None))
        and getattr(module, name) not in tabled
    ]  # fmt: skip
    assert not untested
