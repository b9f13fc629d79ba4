# SPDX-License-Identifier: BSD-3-Clause
"""Places and sets with Python numbers of any size, and ranges of large integers, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import check

import equiheat as ht
from equiheat import array_api as xp


@pytest.mark.parametrize("split", [None, 0])
def test_uint64_beside_large_integers(split: int | None) -> None:
    a = np.array([0, 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1], np.uint64)
    x = ht.array(a, split=split)
    for number in (0, 2**63, 2**63 + 1, 2**64 - 1):
        check(xp.isin(x, number), np.isin(a, np.uint64(number)), split)
        assert bool(xp.isin(number, x))
        for side in ("left", "right"):
            check(xp.searchsorted(x, number, side=side), np.searchsorted(a, np.uint64(number), side))
    for number, place in ((2**64, 6), (-1, 0), (2**70, 6), (1.5, 2)):
        assert int(xp.searchsorted(x, number)) == place
        assert not bool(xp.isin(x, number).any())
    check(xp.arange(2**63, 2**63 + 5, dtype=xp.uint64), np.arange(2**63, 2**63 + 5, dtype=np.uint64))
    check(xp.arange(2**64 - 1, 2**64 - 9, -3, dtype=xp.uint64), np.array([2**64 - 1, 2**64 - 4, 2**64 - 7], np.uint64))


def test_integers_of_numpy_are_integers_to_arange() -> None:
    for ends in ((np.int64(3),), (np.int32(1), 5), (0, 9, np.uint8(2))):
        check(xp.arange(*ends), np.arange(*map(int, ends)))
    assert xp.arange(np.float32(3)).dtype == xp.float64


@pytest.mark.parametrize("length", [1, 3, 5, 7])
def test_a_sorter_has_the_length_of_the_array(length: int) -> None:
    x = ht.arange(4, split=0)
    with pytest.raises(ValueError, match="sorter has shape"):
        ht.searchsorted(x, x, sorter=ht.zeros(length, dtype=ht.int64, split=0))
