# SPDX-License-Identifier: BSD-3-Clause
"""Heat's rules of where results lie and of their types, and what Heat gets wrong: a row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from layouts import check, distribute, size

import equiheat as ht

A = np.random.default_rng(4).permutation(35).reshape(7, 5).astype(np.float64)
V = A[:, 0]

#: function of an array (7, 5) -> (split of the result for split 0, for split 1, NumPy's function)
SPLITS: dict[str, tuple[Callable[[Any], Any], int | None, int | None, Callable[[Any], Any] | None]] = {
    "unary": (ht.sqrt, 0, 1, np.sqrt),
    "sum": (lambda x: x.sum(), None, None, np.sum),
    "sum of columns": (lambda x: x.sum(0), None, 0, lambda a: a.sum(0)),
    "sum of rows": (lambda x: x.sum(1), 0, None, lambda a: a.sum(1)),
    "keepdims": (lambda x: ht.mean(x, axis=0, keepdims=True), None, 1, lambda a: a.mean(0, keepdims=True)),
    "argmax": (lambda x: ht.argmax(x), None, None, np.argmax),
    "cumsum": (lambda x: ht.cumsum(x, 0), 0, 1, lambda a: a.cumsum(0)),
    "median": (lambda x: ht.median(x, axis=0), None, 0, lambda a: np.median(a, 0)),
    "concatenate": (lambda x: ht.concatenate([x, ht.array(A)]), 0, 1, lambda a: np.concatenate([a, a])),
    "stack": (lambda x: ht.stack([x, x]), 1, 2, lambda a: np.stack([a, a])),
    "expand_dims": (lambda x: ht.expand_dims(x, 0), 1, 2, lambda a: a[None]),
    "broadcast_to": (lambda x: ht.broadcast_to(x, (2, 7, 5)), 1, 2, lambda a: np.broadcast_to(a, (2, 7, 5))),
    "reshape": (lambda x: ht.reshape(x, (5, 7)), 0, 1, lambda a: a.reshape(5, 7)),
    "reshape to a vector": (lambda x: ht.reshape(x, (-1,)), 0, 0, np.ravel),
    "new_split": (lambda x: ht.reshape(x, (5, 7), new_split=1), 1, 1, lambda a: a.reshape(5, 7)),
    "transpose": (lambda x: x.T, 1, 0, np.transpose),
    "moveaxis": (lambda x: ht.moveaxis(x, 0, 1), 1, 0, np.transpose),
    "rot90": (ht.rot90, 1, 0, np.rot90),
    "flatten": (lambda x: x.flatten(), 0, 0, np.ravel),
    "repeat": (lambda x: ht.repeat(x, 2), 0, 0, lambda a: np.repeat(a, 2)),
    "sort": (lambda x: ht.sort(x, axis=0), 0, 1, lambda a: np.sort(a, 0)),
    "flip": (lambda x: ht.flip(x, 0), 0, 1, lambda a: np.flip(a, 0)),
    "roll": (lambda x: ht.roll(x, 3, axis=0), 0, 1, lambda a: np.roll(a, 3, 0)),
    "pad": (lambda x: ht.pad(x, ((1, 1), (2, 0))), 0, 1, lambda a: np.pad(a, ((1, 1), (2, 0)))),
    "tile": (lambda x: ht.tile(x, (2, 1)), 0, 1, lambda a: np.tile(a, (2, 1))),
    "unique": (ht.unique, 0, 0, np.unique),
    "norm": (ht.linalg.norm, None, None, np.linalg.norm),
    "trace": (ht.trace, None, None, np.trace),
    "diag": (lambda x: ht.diag(x), 0, 0, np.diag),
    "row": (lambda x: x[1], None, 0, lambda a: a[1]),
    "column": (lambda x: x[:, 1], 0, None, lambda a: a[:, 1]),
    "slices": (lambda x: x[1:6:2, ::-1], 0, 1, lambda a: a[1:6:2, ::-1]),
    "rows out of order": (lambda x: x[[6, 0, 3]], 0, 1, lambda a: a[[6, 0, 3]]),
    "mask": (lambda x: x[x > 9], 0, 0, lambda a: a[a > 9]),
    "replicated operand": (lambda x: ht.array(A) + x, 0, 1, lambda a: a + a),
    "matrix times vector": (lambda x: x @ ht.array(A[0]), 0, 0, lambda a: a @ a[0]),
    "qr": (lambda x: ht.linalg.qr(x)[0], 0, 1, None),
    "svd": (lambda x: ht.linalg.svd(x)[1], None, None, lambda a: np.linalg.svd(a)[1]),
    "inv": (lambda x: ht.linalg.inv(x[:5] + 99 * ht.eye(5)), 0, 1, lambda a: np.linalg.inv(a[:5] + 99 * np.eye(5))),
    "det": (lambda x: ht.linalg.det(x[:5]), None, None, lambda a: np.linalg.det(a[:5])),
    "cdist": (lambda x: ht.spatial.cdist(x, ht.array(A)), 0, None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", SPLITS)
def test_split_of_result(name: str) -> None:
    function, *splits, oracle = SPLITS[name]
    for split, wanted in enumerate(splits):
        result = function(ht.array(A, split=split))
        if not (name == "cdist" and split == 1):  # Heat refuses
            assert result.split == wanted, f"{name} of split {split}"
        if oracle is not None:
            np.testing.assert_allclose(result.numpy(), oracle(A), rtol=1e-9, atol=1e-9)


def test_split_of_products() -> None:
    rule = {(None, 0): 0, (None, 1): 1, (0, None): 0, (0, 0): 0, (0, 1): 0, (1, None): 1, (1, 0): 1, (1, 1): 1}
    for (left, right), wanted in rule.items():
        check(ht.array(A, split=left) @ ht.array(A.T.copy(), split=right), A @ A.T, wanted)
    check(ht.array(V, split=0) @ ht.array(V, split=0), V @ V, None)
    check(ht.array(A.T.copy()) + ht.array(V, split=0), A.T + V, 1)


def test_types_of_results() -> None:
    small, byte = ht.array([1, 2], dtype=ht.int8, split=0), ht.array([1, 2], dtype=ht.uint8, split=0)
    i32, i64, f32 = (ht.ones(2, dtype=t, split=0) for t in (ht.int32, ht.int64, ht.float32))
    for x, dtype in (
        (f32 + 1, ht.float32), (i32 + 1.5, ht.float32), (byte - 2, ht.uint8), (small * 100, ht.int8),
        (i64 + f32, ht.float64), (i32 + f32, ht.float32), (byte + small, ht.int16), (i64 / i64, ht.float32),
        (i32.sum(), ht.int64), (ht.arange(3), ht.int32), (ht.array([1]), ht.int64), (ht.array([1.0]), ht.float32),
        (ht.full((2,), 3), ht.float32), (ht.array(np.ones(2)), ht.float64), (ht.exp(i32), ht.float32),
    ):  # fmt: skip
        assert x.dtype is dtype
    assert (byte - 2).tolist() == [255, 0]


def test_the_owner_of_memory_and_what_describes_it() -> None:
    x = ht.array(A, split=0)
    assert x.strides == tuple(8 * n for n in x.stride()) and ht.random.permutation(x).balanced is True
    square = A[:5].copy()
    x = ht.array(square, split=0)
    x += x.T.resplit_(0)  # reads what it writes
    np.testing.assert_array_equal(x.numpy(), square + square.T)
    y = ht.zeros((7, 5), dtype=ht.float64, split=1)
    check(ht.exp(ht.array(A / 9, split=0), out=y), np.exp(A / 9), 1)


def test_what_heat_refuses() -> None:
    other = ht.array(A, split=1)
    for counts in (None, [0] * (size() - 1) + [7]):
        x = distribute(A, 0, counts)
        check(x + other, A + A)
        check(ht.where(x > 9, other, -1.0), np.where(A > 9, A, -1.0))
        check(abs(-x), A)
        check(x + torch.ones(5), A + 1)
        check(x[:0] + ht.ones((1, 5)), np.zeros((0, 5)))
        check(ht.topk(x, 6, dim=0)[0], np.sort(A, 0)[::-1][:6])
        check(ht.vsplit(x, 7)[3], A[3:4])
        check(ht.hsplit(other, 5)[4], A[:, 4:])
        y, b = distribute(A, 0, counts), A.copy()
        for target in (y, b):
            target[0] = 5
            target[1:3] = 2
            target[-1, 2] = 8
        y[[4, 3], 1], b[[4, 3], 1] = [1.0, 2.0], [1.0, 2.0]
        y[y > 30], b[b > 30] = np.arange((b > 30).sum()), np.arange((b > 30).sum())
        check(y, b)
    ones = np.full(10000, 0.1, np.float16)
    assert float(ht.sum(ht.array(ones, split=0))) == pytest.approx(float(ones.sum(dtype=np.float64)), rel=1e-3)
    check(ht.mean(ht.array(A + 1e9, split=0)), (A + 1e9).mean())
