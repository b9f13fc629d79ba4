# SPDX-License-Identifier: BSD-3-Clause
"""Exact texts of arrays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

import equiheat as ht
from equiheat.testing import all_layouts, with_counts

RANK, SIZE = ht.get_comm().rank, ht.get_comm().size


@pytest.fixture(autouse=True)
def _defaults() -> Iterator[None]:
    yield
    ht.set_printoptions(profile="default")
    ht.global_printing()


def on_rank_0(text: str) -> str:
    return text if RANK == 0 else ""


def test_small() -> None:
    for x in all_layouts(np.arange(6, dtype=np.float32).reshape(2, 3)):
        expected = f"DNDarray([[0., 1., 2.],\n          [3., 4., 5.]], dtype=ht.float32, device=cpu:0, split={x.split})"
        assert str(x) == on_rank_0(expected)


def test_types() -> None:
    assert str(ht.array(3)) == on_rank_0("DNDarray(3, dtype=ht.int64, device=cpu:0, split=None)")
    assert str(ht.array([True, False], split=0)) == on_rank_0(
        "DNDarray([ True, False], dtype=ht.bool, device=cpu:0, split=0)"
    )
    assert str(ht.array([0.5, 100], split=0)) == on_rank_0(
        "DNDarray([  0.5000, 100.0000], dtype=ht.float32, device=cpu:0, split=0)"
    )
    assert str(ht.array([1 + 2j], split=0)) == on_rank_0(
        "DNDarray([1.+2.j], dtype=ht.complex64, device=cpu:0, split=0)"
    )
    assert str(ht.zeros(2, dtype=ht.bfloat16)) == on_rank_0(
        "DNDarray([0., 0.], dtype=ht.bfloat16, device=cpu:0, split=None)"
    )
    assert str(ht.zeros((0, 3), split=0)) == on_rank_0("DNDarray([], dtype=ht.float32, device=cpu:0, split=0)")


def test_large() -> None:
    whole = np.arange(60 * 40).reshape(60, 40)
    expected = (
        "DNDarray([[   0,    1,    2,  ...,   37,   38,   39],\n"
        "          [  40,   41,   42,  ...,   77,   78,   79],\n"
        "          [  80,   81,   82,  ...,  117,  118,  119],\n"
        "          ...,\n"
        "          [2280, 2281, 2282,  ..., 2317, 2318, 2319],\n"
        "          [2320, 2321, 2322,  ..., 2357, 2358, 2359],\n"
        "          [2360, 2361, 2362,  ..., 2397, 2398, 2399]], dtype=ht.int64, device=cpu:0, split={})"
    )
    for x in all_layouts(whole):
        assert str(x) == on_rank_0(expected.format(x.split))


def test_large_formats_what_is_shown() -> None:
    whole = np.zeros(2000, np.float32)
    whole[1000] = 12345.678  # hidden: must not widen the columns
    assert str(ht.array(whole, split=0)) == on_rank_0(
        "DNDarray([0., 0., 0.,  ..., 0., 0., 0.], dtype=ht.float32, device=cpu:0, split=0)"
    )


def test_options() -> None:
    ht.set_printoptions(precision=2, threshold=5, edgeitems=1)
    assert str(ht.array(np.arange(6) / 3, split=0)) == on_rank_0(
        "DNDarray([0.00,  ..., 1.67], dtype=ht.float64, device=cpu:0, split=0)"
    )
    assert ht.get_printoptions()["edgeitems"] == 1
    ht.set_printoptions(profile="full")
    assert "..." not in str(ht.arange(2000, split=0))
    with pytest.raises(ValueError, match="profile must be one of default, short, full"):
        ht.set_printoptions(profile="long")
    assert torch.get_printoptions()["edgeitems"] == 3 if hasattr(torch, "get_printoptions") else True


def test_local(capsys: pytest.CaptureFixture[str]) -> None:
    ht.local_printing()
    assert ("set to LOCAL" in capsys.readouterr().out) == (RANK == 0)
    x = with_counts(np.arange(4, dtype=np.int32), 0, [0] * (SIZE - 1) + [4])
    assert str(x) == f"[{'0, 1, 2, 3' if RANK == SIZE - 1 else ''}], device: cpu:0, split: 0"
    for told in (RANK == 0, False):  # the second call changes nothing
        ht.global_printing()
        assert ("set to GLOBAL" in capsys.readouterr().out) == told


def test_repr_is_local() -> None:
    if SIZE == 1:
        assert repr(ht.arange(3, split=0)) == "DNDarray([0, 1, 2], dtype=ht.int32, device=cpu:0, split=0)"
    x = with_counts(np.arange(3, dtype=np.int32), 0, [0] * (SIZE - 1) + [3])
    if RANK == SIZE - 1 and SIZE > 1:  # on one rank only: would hang if it communicated
        assert repr(x) == (
            f"DNDarray(MPI-rank: {RANK}, Shape: (3,), Split: 0, Local Shape: (3,), Device: cpu:0, Dtype: int32, "
            "Data:\ntensor([0, 1, 2], dtype=torch.int32))"
        )


def test_print0(capsys: pytest.CaptureFixture[str]) -> None:
    ht.print0("sum", ht.arange(3, split=0), sep="|")
    assert capsys.readouterr().out == on_rank_0("sum|DNDarray([0, 1, 2], dtype=ht.int32, device=cpu:0, split=0)\n")
