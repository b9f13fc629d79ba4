# SPDX-License-Identifier: BSD-3-Clause
"""The default split: every factory follows it, nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import equiheat as ht
from equiheat import defaults

FACTORIES = {
    "zeros": lambda: ht.zeros((5, 3)),
    "ones": lambda: ht.ones((5, 3)),
    "empty": lambda: ht.empty((5, 3)),
    "full": lambda: ht.full((5, 3), 2),
    "eye": lambda: ht.eye((5, 3)),
    "array": lambda: ht.array(np.ones((5, 3))),
    "asarray": lambda: ht.asarray(np.ones((5, 3))),
    "asarray of a tensor": lambda: ht.asarray(torch.ones(5, 3)),
    "asarray of lists": lambda: ht.asarray([[1.0, 2.0], [3.0, 4.0]]),
    "rand": lambda: ht.random.rand(5, 3),
    "randn": lambda: ht.random.randn(5, 3),
    "randint": lambda: ht.random.randint(0, 9, (5, 3)),
}
VECTORS = {
    "arange": lambda: ht.arange(5),
    "linspace": lambda: ht.linspace(0, 1, 5),
    "logspace": lambda: ht.logspace(0, 1, 5),
    "randperm": lambda: ht.random.randperm(5),
    "choice": lambda: ht.random.choice(5, 3, replace=False),
    "cast": lambda: ht.float64([1, 2, 3]),
}


@pytest.mark.parametrize("name", FACTORIES)
@pytest.mark.parametrize(("default", "split"), [(None, None), (0, 0), (1, 1), (5, 1), (-1, 1), (-7, 0)])
def test_matrices(name: str, default: int | None, split: int | None) -> None:
    with ht.default_split(default):
        assert FACTORIES[name]().split == split
    assert ht.get_default_split() is None


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    with ht.default_split(1):
        assert VECTORS[name]().split == 0
    assert VECTORS[name]().split is None


def test_like_and_scalars() -> None:
    replicated, split = ht.ones((4, 4)), ht.ones((4, 4), split=1)
    with ht.default_split(0):
        for like in (ht.zeros_like, ht.ones_like, ht.empty_like, lambda a: ht.full_like(a, 3)):
            assert like(replicated).split == 0
            assert like(split).split == 1
        assert ht.zeros(()).split is None
        assert ht.asarray(3.0).split is None
        assert ht.asarray(replicated).split is None
        assert (replicated + np.ones((4, 4))).split is None
        assert ht.zeros((4, 4), split=1).split == 1


def test_values_do_not_depend_on_it() -> None:
    ht.random.seed(3)
    expected = ht.random.choice(50, 20, replace=False).numpy()
    ht.random.seed(3)
    with ht.default_split(0):
        np.testing.assert_array_equal(ht.random.choice(50, 20, replace=False).numpy(), expected)


def test_set_and_errors() -> None:
    ht.set_default_split(0)
    try:
        assert ht.get_default_split() == 0
        assert ht.zeros(3).split == 0
    finally:
        ht.set_default_split(None)
    with pytest.raises(TypeError, match="set_default_split"):
        ht.set_default_split("0")  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("", None), ("none", None), ("-1", -1)])
def test_environment(text: str, expected: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIHEAT_DEFAULT_SPLIT", text)
    assert defaults._from_environment() == expected


def test_bad_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIHEAT_DEFAULT_SPLIT", "rows")
    with pytest.raises(ValueError, match="EQUIHEAT_DEFAULT_SPLIT"):
        defaults._from_environment()
