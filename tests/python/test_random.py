# SPDX-License-Identifier: BSD-3-Clause
"""Random arrays: the same at every rank count and layout, and distributed as they should be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import equiheat as ht
from equiheat import _core
from equiheat.testing import all_splits, assert_equal, gradcheck, uneven_counts, with_counts

RANK, SIZE = ht.get_comm().rank, ht.get_comm().size


@pytest.fixture(autouse=True)
def _seed() -> None:
    ht.random.seed(20261123)


def digest(x: ht.DNDarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(x.numpy()).tobytes()).hexdigest()[:16]


DRAWS: dict[str, Callable[..., ht.DNDarray]] = {
    "rand": lambda **k: ht.random.rand(37, 11, 3, **k),
    "rand64": lambda **k: ht.random.rand(37, 11, 3, dtype=ht.float64, **k),
    "randbf": lambda **k: ht.random.rand(37, 11, 3, dtype=ht.bfloat16, **k),
    "randn": lambda **k: ht.random.randn(37, 11, 3, **k),
    "randn64": lambda **k: ht.random.randn(37, 11, 3, dtype=ht.float64, **k),
    "randint": lambda **k: ht.random.randint(-5, 1000, (37, 11, 3), **k),
    "randint64": lambda **k: ht.random.randint(-(2**62), 2**62 + 5, (37, 11, 3), dtype=ht.int64, **k),
    "normal": lambda **k: ht.random.normal(3.0, 0.5, (37, 11, 3), **k),
    "uniform": lambda **k: ht.random.uniform(-1.0, 4.0, (37, 11, 3), **k),
}


@pytest.mark.parametrize("name", DRAWS)
def test_every_split_gives_the_same(name: str) -> None:
    ht.random.seed(7)
    whole = DRAWS[name]().numpy()
    after = ht.random.get_state()
    for split in all_splits(3)[1:]:
        ht.random.seed(7)
        x = DRAWS[name](split=split)
        assert_equal(x, whole, rtol=0, split=split)
        assert ht.random.get_state() == after


# Drawn once on one rank; every rank count, processor and compiler must give these bits.
GOLDEN = {
    "rand": "ecd6a0dd94eb070d",
    "rand64": "4606d37c1a416901",
    "randbf": "35689c72b42bdcb3",
    "randn": "8267a054d30035bc",
    "randn64": "a85e3066a57fa0ad",
    "randint": "9e279a1b4ba7dbd5",
    "randint64": "c50499c57353b94f",
    "normal": "235501d228726e1a",
    "uniform": "0ca7e64ea77ffb60",
    "randperm": "d6fac6b302594f48",
    "randperm-large": "7a4b96224b31e256",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    ht.random.seed(42)
    ht.random.rand(5)
    if name.startswith("randperm"):
        x = ht.random.randperm(70001 if name.endswith("large") else 1000, split=0)
    else:
        x = DRAWS[name](split=1)
    assert digest(x) == GOLDEN[name]


def test_philox_known_answers() -> None:
    """Random123's published vectors of philox4x32-10, read through 32-bit integers."""
    ht.random.set_state(("Philox", 0, 0))
    words = ht.random.randint(-(2**31), 2**31, 64).numpy().astype(np.int64) + 2**31
    # Element e of a group is word e // 16 of lane e % 16; lane 0 is counter (0, 0, 0, 0) with key (0, 0).
    assert [hex(w) for w in words[[0, 16, 32, 48]]] == ["0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8"]


def test_unbalanced_layout_of_the_same_stream() -> None:
    ht.random.seed(3)
    whole = ht.random.rand(23, 4)
    ht.random.seed(3)
    x = ht.random.rand(23, 4, split=0).redistribute(target_map=uneven_counts(23, SIZE))
    assert_equal(x, whole.numpy(), rtol=0)


def test_streams_do_not_overlap() -> None:
    parts = [ht.random.rand(n) for n in (1, 63, 64, 65, 1000)]
    values = np.concatenate([p.numpy() for p in parts])
    assert len(np.unique(values)) > len(values) - 3
    ht.random.seed(20261123)
    again = ht.random.rand(1).numpy()
    assert again[0] == parts[0].numpy()[0]


def test_state() -> None:
    name, seed, counter, *rest = ht.random.get_state()
    assert (name, seed, counter, rest) == ("Philox", 20261123, 0, [0, 0.0])
    ht.random.randn(3)
    state = ht.random.get_state()
    a = ht.random.rand(5, split=0).numpy()
    ht.random.set_state(state)
    np.testing.assert_array_equal(ht.random.rand(5).numpy(), a)
    ht.random.set_state(("Threefry", 4, 0))
    assert ht.random.get_state()[:3] == ("Philox", 4, 0)
    ht.random.seed()
    states = ht.get_comm().handle.allgather(ht.random.get_state())
    assert all(s == states[0] for s in states)


def test_bad_input() -> None:
    for call, error, match in [
        (lambda: ht.random.seed(-1), ValueError, "seed: must be from 0"),
        (lambda: ht.random.seed(1.5), TypeError, "seed must be an integer"),
        (lambda: ht.random.set_state("Philox"), TypeError, "must be a tuple"),
        (lambda: ht.random.set_state(("Philox", 1)), ValueError, "3 or 5 entries"),
        (lambda: ht.random.set_state(("Mersenne", 1, 0)), ValueError, "must be 'Philox'"),
        (lambda: ht.random.rand(3, dtype=ht.int32), TypeError, "rand: dtype int32"),
        (lambda: ht.random.rand(3, split=1), ValueError, "split 1 is out of bounds"),
        (lambda: ht.random.randint(3, 3), ValueError, "low >= high"),
        (lambda: ht.random.randint(0, 300, dtype=ht.uint8), ValueError, "does not fit into uint8"),
        (lambda: ht.random.randint(0, 3, dtype=ht.float32), TypeError, "must be an integer type"),
        (lambda: ht.random.normal(0, -1.0, 3), ValueError, "std must not be negative"),
        (lambda: ht.random.permutation(ht.array(3)), ValueError, "0-d"),
        (lambda: ht.random.randperm(-1), ValueError, "negative"),
        (lambda: ht.random.choice(3, 4, replace=False), ValueError, "without replacement"),
    ]:
        with pytest.raises(error, match=match):
            call()


def test_shapes_and_types() -> None:
    assert ht.random.rand().shape == ()
    assert ht.random.random_sample((2, 0), split=0).shape == (2, 0)
    assert ht.random.randn(4, split=0).dtype == ht.float32
    assert ht.random.randint(5, size=4).dtype == ht.int32
    assert ht.random.randperm(5).dtype == ht.int64
    for dtype in (ht.float16, ht.bfloat16, ht.float32, ht.float64):
        for draw in (ht.random.rand, ht.random.randn):
            assert draw(70, dtype=dtype, split=0).dtype == dtype
    if hasattr(ht.DNDarray, "__mul__"):
        assert ht.random.normal(ht.zeros(3), ht.ones((2, 1))).shape == (2, 3)


# ---------------------------------------------------------------------- statistics: on the whole array, fixed seed
N = 200_000


def whole(x: ht.DNDarray) -> Any:
    return x.numpy()


@pytest.mark.ranks(1, 2)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_uniform_statistics(dtype: str) -> None:
    x = whole(ht.random.rand(N, dtype=dtype, split=0)).astype(np.float64)
    assert x.min() >= 0
    assert x.max() < 1
    step = {"float16": 2**-11, "bfloat16": 2**-8}.get(dtype, 0.0)
    assert stats.kstest(x + step * np.random.default_rng(0).random(N), "uniform").pvalue > 1e-3
    bins = np.bincount((x * 256).astype(int), minlength=256)
    assert stats.chisquare(bins).pvalue > 1e-3
    for lag in (1, 2, 15, 16, 17, 32, 64):
        assert abs(np.corrcoef(x[:-lag], x[lag:])[0, 1]) < 5 / np.sqrt(N)


@pytest.mark.ranks(1, 2)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_statistics(dtype: str) -> None:
    x = whole(ht.random.randn(N, dtype=dtype, split=0)).astype(np.float64)
    assert stats.kstest(x, "norm").pvalue > 1e-3
    assert abs(x.mean()) < 5 / np.sqrt(N)
    assert abs(x.std() - 1) < 5 / np.sqrt(2 * N)
    assert abs(stats.skew(x)) < 0.03
    assert abs(stats.kurtosis(x)) < 0.06
    assert 4 < np.abs(x).max() < 7
    for lag in (1, 16, 32):
        assert abs(np.corrcoef(x[:-lag], x[lag:])[0, 1]) < 5 / np.sqrt(N)
        assert abs(np.corrcoef(x[:-lag] ** 2, x[lag:] ** 2)[0, 1]) < 5 / np.sqrt(N)


@pytest.mark.ranks(1, 2)
@pytest.mark.parametrize(("low", "high"), [(0, 2), (0, 10), (-3, 97), (0, 3 * 2**30), (0, 3 * 2**61)])
def test_integer_statistics(low: int, high: int) -> None:
    x = whole(ht.random.randint(low, high, N, dtype=ht.int64, split=0))
    assert x.min() >= low
    assert x.max() < high
    # Modulo bias would show as unequal thirds where 2**32 or 2**64 is no multiple of the range.
    bins = np.bincount((x - low) // max(1, (high - low) // 96), minlength=1)[:96]
    assert stats.chisquare(bins[:96] if high - low > 100 else np.bincount(x - low)).pvalue > 1e-3


def test_seeds_are_independent() -> None:
    ht.random.seed(1)
    a = ht.random.rand(20000).numpy()
    ht.random.seed(2)
    b = ht.random.rand(20000).numpy()
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(20000)


# ---------------------------------------------------------------------- order
@pytest.mark.parametrize("n", [0, 1, 2, 17, 1000, 65536, 65537, 100003])
def test_randperm(n: int) -> None:
    x = ht.random.randperm(n, split=0)
    assert_equal(ht.array(np.sort(x.numpy())), np.arange(n), dtype=ht.int64)


@pytest.mark.ranks(1)
def test_small_permutations_are_uniform() -> None:
    orders = [tuple(ht.random.randperm(4).tolist()) for _ in range(6000)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.ranks(1)
def test_large_permutations_look_random() -> None:
    n = 200_000
    p = ht.random.randperm(n).numpy()
    assert abs(np.corrcoef(np.arange(n), p)[0, 1]) < 5 / np.sqrt(n)
    steps = np.diff(p) % n  # of neighbours: uniform
    assert stats.kstest(steps / n, "uniform").pvalue > 1e-3
    left = np.sqrt(n).astype(int)
    for stride in (left, left + 1):  # of entries that share a half of the network's input
        assert stats.kstest(((p[stride:] - p[:-stride]) % n) / n, "uniform").pvalue > 1e-3
    fixed = np.sum(p == np.arange(n))
    assert fixed < 9  # Poisson with mean 1


@pytest.mark.parametrize("n", [0, 1, 3, 25])
def test_permutation_of_rows(n: int) -> None:
    rows = np.arange(n * 4, dtype=np.float64).reshape(n, 4)
    ht.random.seed(11)
    order = ht.random.randperm(n).numpy()
    for split in all_splits(2):
        layouts = [None] if split is None else [None, uneven_counts(rows.shape[split], SIZE)]
        for counts in layouts:
            ht.random.seed(11)
            x = with_counts(rows, split, counts)
            y = ht.random.permutation(x)
            assert_equal(y, rows[order], rtol=0, split=split)
            assert y.lshape == x.lshape


def test_permutation_of_many_rows() -> None:
    n = 70_001
    x = ht.random.permutation(ht.arange(n, dtype=ht.int64, split=0))
    np.testing.assert_array_equal(np.sort(x.numpy()), np.arange(n))


def test_permutation_has_a_gradient() -> None:
    def program(x: ht.DNDarray) -> ht.DNDarray:
        ht.random.seed(5)
        return ht.random.permutation(x)

    for split in all_splits(2):
        assert gradcheck(program, np.arange(12.0).reshape(6, 2), splits=[split], uneven=True)


def test_shuffle_and_choice() -> None:
    x = ht.arange(50, split=0)
    ht.random.shuffle(x)
    np.testing.assert_array_equal(np.sort(x.numpy()), np.arange(50))
    drawn = ht.random.choice(10, (5, 2), replace=False, split=0)
    assert len(np.unique(drawn.numpy())) == 10
    assert ht.random.choice(3, 100, split=0).numpy().max() == 2


def test_inverse_permutation() -> None:
    p = _core.RandomPermutation(_core.RandomStream(1, 0), 70000)
    x = ht.arange(70000, dtype=ht.int64)
    once = _core.permute_rows(x._core, p).local
    assert torch.equal(torch.argsort(once)[once], torch.arange(70000))


def test_parameters_that_are_arrays() -> None:
    """Lists and NumPy arrays, too; the result has the type asked for, and every entry its own number."""
    low, high = [0.0, 10.0], np.array([[1.0, 20.0], [2.0, 30.0]])
    for split in (None, 0, 1):
        x = ht.random.uniform(low, ht.array(high, split=split), dtype=ht.float32)
        assert x.shape == (2, 2) and x.dtype is ht.float32
        assert ((low <= whole(x)) & (whole(x) <= high)).all()
    x = ht.random.normal(ht.array([0.0, 100.0], dtype=ht.float64, split=0), [1.0, 0.0], (3, 2), dtype=ht.float32)
    assert x.dtype is ht.float32 and (whole(x)[:, 1] == 100).all()
    for size in ((2, 1), (3,), ()):
        with pytest.raises(ValueError, match="do not broadcast to the shape"):
            ht.random.uniform([0.0, 1.0], 2.0, size)
    with pytest.raises(ValueError, match="do not broadcast to each other"):
        ht.random.normal([0.0, 1.0], [1.0, 1.0, 1.0])


def test_orders_of_lists() -> None:
    values = np.array([[3, 1], [7, 2], [9, 5]])
    for x in (values, values.tolist(), torch.from_numpy(values)):
        assert sorted(whole(ht.random.permutation(x)).tolist()) == values.tolist()
        assert whole(ht.random.choice(x, np.int64(2))).shape == (2, 2)
        assert sorted(whole(ht.random.choice(x, 3, replace=False)).tolist()) == values.tolist()
    assert ht.random.default_rng(0).choice(5, np.int64(3), split=0).shape == (3,)
    with pytest.raises(ValueError, match="0-d"):
        ht.random.choice(ht.array(5), 2)
