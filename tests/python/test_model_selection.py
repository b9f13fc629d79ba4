# SPDX-License-Identifier: BSD-3-Clause
"""Splits into training and test rows: scikit-learn's sizes, every row once, the same at any distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.model_selection as theirs
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat.model_selection import train_test_split
from equiheat.testing import all_layouts, assert_equal, uneven_counts, with_counts

SIZE = ht.get_comm().size


@given(
    st.integers(2, 40),
    st.one_of(st.none(), st.floats(0.05, 0.95), st.integers(1, 10)),
    st.one_of(st.none(), st.floats(0.05, 0.95), st.integers(1, 10)),
    st.booleans(),
    st.integers(0, 3),
)
def test_sizes_and_rows(n: int, test: Any, train: Any, shuffle: bool, seed: int) -> None:
    values = np.arange(2 * n).reshape(n, 2)
    x, y = with_counts(values, 0, uneven_counts(n, SIZE, seed)), ht.array(values[:, 0] // 2)
    options = {"test_size": test, "train_size": train, "shuffle": shuffle}
    try:
        expected = theirs.train_test_split(values, random_state=0, **options)
    except ValueError:
        with pytest.raises(ValueError, match="train_test_split"):
            train_test_split(x, y, random_state=seed, **options)
        return
    parts = train_test_split(x, y, random_state=seed, **options)
    assert [p.shape for p in parts[:2]] == [p.shape for p in expected]
    rows = [p.numpy()[:, 0] // 2 for p in parts[:2]]
    assert_equal(parts[2], rows[0])
    assert_equal(parts[3], rows[1])
    assert len(set(np.concatenate(rows).tolist())) == len(rows[0]) + len(rows[1])
    assert parts[0].split == 0 and parts[2].split is None
    if not shuffle:
        assert_equal(parts[0], expected[0])
        assert_equal(parts[1], expected[1])


def test_the_same_rows_in_every_layout() -> None:
    values = np.random.default_rng(0).standard_normal((23, 3))
    expected = train_test_split(values, test_size=7, random_state=5)
    for x in all_layouts(values):
        for found, whole in zip(train_test_split(x, test_size=7, random_state=5), expected, strict=True):
            assert_equal(found, whole.numpy(), split=x.split)
    other = train_test_split(values, test_size=7, random_state=6)
    assert not np.array_equal(other[1].numpy(), expected[1].numpy())
    before = ht.random.get_state()
    train_test_split(values, random_state=5)
    assert ht.random.get_state() == before


@pytest.mark.parametrize("split", [None, 0])
def test_stratified(split: int | None) -> None:
    labels = np.repeat([4, 7, 9], [10, 30, 60])
    labels = np.random.default_rng(1).permutation(labels)
    rows = ht.arange(100, split=0)
    train, test, ytrain, ytest = train_test_split(
        rows, ht.array(labels, split=split), test_size=0.2, stratify=ht.array(labels, split=split), random_state=3
    )
    assert np.unique(ytest.numpy(), return_counts=True)[1].tolist() == [2, 6, 12]
    assert np.unique(ytrain.numpy(), return_counts=True)[1].tolist() == [8, 24, 48]
    assert_equal(ytrain, labels[train.numpy()])
    assert sorted(train.tolist() + test.tolist()) == list(range(100))
    assert np.any(np.diff(ytest.numpy()) < 0)  # in random order
    with pytest.raises(ValueError, match="one row"):
        train_test_split(rows[:3], stratify=ht.array([1, 1, 2]))
    with pytest.raises(ValueError, match="shuffle"):
        train_test_split(rows, stratify=rows, shuffle=False)


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="at least one array"):
        train_test_split()
    with pytest.raises(ValueError, match="10 and 9 rows"):
        train_test_split(ht.arange(10), ht.arange(9, split=0))
    with pytest.raises(TypeError, match="array 1"):
        train_test_split(ht.arange(10), "x")
    with pytest.raises(ValueError, match="no rows"):
        train_test_split(ht.array(3.0))


@pytest.mark.parametrize("kind", [float, np.float16, np.float32, np.float64])
def test_sizes_of_numpy(kind: Any) -> None:
    x = ht.ones((20, 3), split=0)
    assert [part.shape for part in train_test_split(x, test_size=kind(0.25))] == [(15, 3), (5, 3)]
    assert [part.shape for part in train_test_split(x, train_size=kind(0.5))] == [(10, 3), (10, 3)]
    assert [part.shape for part in train_test_split(x, test_size=np.int32(3))] == [(17, 3), (3, 3)]
    with pytest.raises(ValueError, match="test_size"):
        train_test_split(x, test_size=kind(2.5))


@pytest.mark.parametrize("kind", ["bool", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("split", [None, 0])
def test_labels_that_torch_does_not_search(kind: str, split: int | None) -> None:
    labels = ht.array((np.arange(12) % 2).astype(kind), split=split)
    for part in ht.model_selection.train_test_split(labels, test_size=0.5, stratify=labels, random_state=0):
        assert sorted(part.numpy().tolist()) == [0, 0, 0, 1, 1, 1]
