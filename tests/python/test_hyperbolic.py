# SPDX-License-Identifier: BSD-3-Clause
"""cosh and sinh where exp(x) overflows and they do not, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import equiheat as ht


def around_the_end(dtype: Any) -> np.ndarray:
    """Numbers around the last one of which cosh and sinh are finite, and special ones."""
    top = float(np.arccosh(np.longdouble(np.finfo(dtype).max)))
    spread = np.array([*np.linspace(top - 1, top - 1e-3 * top / 700, 9), top + 1, 0.5, -2, 0, -0.0, np.inf, np.nan])
    return np.concatenate([spread, -spread]).astype(dtype)


@pytest.mark.parametrize("name", ["cosh", "sinh"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("copies", [1, 50])
def test_cosh_and_sinh_overflow_where_their_values_do(name: str, dtype: Any, copies: int) -> None:
    """torch's vectors, from 16 and 32 elements on, halve exp(x), which is infinite earlier."""
    function = getattr(np, name)
    a = around_the_end(dtype)
    with np.errstate(all="ignore"):
        expected = function(a)
    for value in (np.tile(a, copies), np.tile(a, (copies, 1)).T):
        for split in (None, 0):
            got = getattr(ht, name)(ht.array(value, split=split)).numpy()
            wanted = np.tile(expected, copies) if value.ndim == 1 else np.tile(expected, (copies, 1)).T
            np.testing.assert_allclose(got, wanted, 8 * np.finfo(dtype).eps)
            real = ~np.isnan(wanted)
            np.testing.assert_array_equal(np.signbit(got[real]), np.signbit(wanted[real]))
    one = np.array([getattr(ht, name)(ht.array(v)).numpy() for v in a[:9]])
    np.testing.assert_array_equal(getattr(ht, name)(ht.array(np.tile(a, copies))).numpy()[:9], one)


def test_gradients_of_cosh_and_sinh_at_large_numbers() -> None:
    for name, derivative in (("cosh", np.sinh), ("sinh", np.cosh)):
        x = ht.array(np.array([1.0, -710.0, 3.0] * 10))
        x.larray.requires_grad_()
        getattr(ht, name)(x).sum().larray.backward()
        np.testing.assert_allclose(x.larray.grad.numpy(), derivative(x.larray.detach().numpy()), 1e-12)
