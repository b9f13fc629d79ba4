# SPDX-License-Identifier: BSD-3-Clause
"""Halos against slices of the whole array."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from layouts import arrays, distribute, filled
from test_manipulation import leaf, spread

import equiheat as ht
from equiheat._base import wrap


@given(arrays(min_dims=1), st.integers(0, 9), st.booleans(), st.booleans(), st.booleans())
def test_halos(pair: tuple[ht.DNDarray, np.ndarray], width: int, prev: bool, next: bool, periodic: bool) -> None:
    x, value = pair
    x.get_halo(width, prev, next, periodic=periodic)
    if x.split is None:
        assert x.halo_prev is None and x.halo_next is None
        np.testing.assert_array_equal(x.array_with_halos.numpy(), value)
        return
    counts, offsets = x.counts_displs()
    first, n = offsets[x.comm.rank], value.shape[x.split]
    last = first + counts[x.comm.rank]
    before = list(range(first - width * prev, first))
    behind = list(range(last, last + width * next))
    if first == last:
        before = behind = []
    if not periodic:
        before, behind = [i for i in before if i >= 0], [i for i in behind if i < n]
    for halo, rows in ((x.halo_prev, before), (x.halo_next, behind)):
        assert (halo is None) == (not rows)
        if rows:
            np.testing.assert_array_equal(halo.numpy(), np.take(value, rows, x.split, mode="wrap"))
    rows = [*before, *range(first, last), *behind]
    np.testing.assert_array_equal(x.array_with_halos.numpy(), np.take(value, rows, x.split, mode="wrap"))


def test_a_new_layout_forgets_the_halos() -> None:
    x = distribute(filled((6, 6)), 0)
    x.get_halo(2)
    x.resplit_(1)
    assert x.halo_prev is None and x.halo_next is None


def test_bad_widths() -> None:
    x = distribute(filled((6,)), 0)
    with pytest.raises(TypeError, match="halo_size must be int"):
        x.get_halo(1.5)
    with pytest.raises(ValueError, match="must not be negative, is -1"):
        x.get_halo(-1)


@pytest.mark.parametrize("periodic", [False, True])
def test_gradients(periodic: bool) -> None:
    def program(tensor: torch.Tensor) -> torch.Tensor:
        x = spread(tensor, 0)
        x.get_halo(3, periodic=periodic)
        # Every rank's rows count as often as some rank sees them.
        partial = x.array_with_halos.square().sum().reshape(1)
        one_each = distribute(np.zeros(x.comm.size), 0)._core.with_local(partial)
        return wrap(one_each).resplit(None).larray.sum()

    assert torch.autograd.gradcheck(program, leaf((5, 2)))
