# SPDX-License-Identifier: BSD-3-Clause
"""Moving data, indexing, sorting and statistics. See cases.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from cases import Calls, assign, group, integers, normal, reference, tensor


# ---------------------------------------------------------------------- moving data
@group
def moving(m: Any) -> Calls:
    rows, columns = m.array(normal(1500, 1500), split=0), m.array(normal(1500, 1500), split=1)
    whole, cube = m.array(normal(1500, 1500)), m.array(normal(100, 100, 100), split=0)
    flat = m.array(normal(1_000_000), split=0)
    return {
        "resplit 0->1": lambda: m.resplit(rows, 1),
        "resplit 1->0": lambda: m.resplit(columns, 0),
        "resplit 0->None": lambda: m.resplit(rows, None),
        "resplit None->0": lambda: m.resplit(whole, 0),
        "resplit 3-d 0->2": lambda: m.resplit(cube, 2),
        "balance after slice": lambda: m.balance(rows[500:], copy=True),
        "reshape new_split=1": lambda: m.reshape(rows, (750, 3000), new_split=1),
        "reshape 1-d to 2-d": lambda: m.reshape(flat, (1000, 1000)),
        "transpose": lambda: m.transpose(rows),
        "concatenate axis 0": lambda: m.concatenate([rows, rows], 0),
        "concatenate axis 1": lambda: m.concatenate([columns, columns], 1),
        "stack": lambda: m.stack([rows, rows], 0),
        "halo 8": lambda: rows.get_halo(8),
        "roll axis 0": lambda: m.roll(rows, 7, 0),
        "roll axis 1": lambda: m.roll(rows, 7, 1),
        "flip axis 0": lambda: m.flip(rows, 0),
        "flip axis 1": lambda: m.flip(rows, 1),
        "pad": lambda: m.pad(rows, ((2, 2), (2, 2))),
        "tile": lambda: m.tile(rows, (2, 1)),
        "repeat": lambda: m.repeat(flat, 2),
        "diff axis 0": lambda: m.diff(rows, 1, 0),
        "diff axis 1": lambda: m.diff(rows, 1, 1),
        "rot90": lambda: m.rot90(rows),
        "diag": lambda: m.diag(rows),
        "tril": lambda: m.tril(rows),
        "expand_dims": lambda: m.expand_dims(rows, 0),
        "numpy()": lambda: rows.numpy(),
    }


@reference
def moving_torch() -> Calls:
    rows, cube, flat = (tensor(normal(*s)) for s in ((1500, 1500), (100, 100, 100), (1_000_000,)))
    del cube
    return {
        "transpose": lambda: rows.T,
        "concatenate axis 0": lambda: torch.cat([rows, rows], 0),
        "concatenate axis 1": lambda: torch.cat([rows, rows], 1),
        "stack": lambda: torch.stack([rows, rows], 0),
        "roll axis 0": lambda: torch.roll(rows, 7, 0),
        "roll axis 1": lambda: torch.roll(rows, 7, 1),
        "flip axis 0": lambda: torch.flip(rows, (0,)),
        "flip axis 1": lambda: torch.flip(rows, (1,)),
        "pad": lambda: torch.nn.functional.pad(rows, (2, 2, 2, 2)),
        "tile": lambda: torch.tile(rows, (2, 1)),
        "repeat": lambda: flat.repeat_interleave(2),
        "diff axis 0": lambda: torch.diff(rows, 1, 0),
        "diff axis 1": lambda: torch.diff(rows, 1, 1),
        "rot90": lambda: torch.rot90(rows),
        "diag": lambda: torch.diag(rows),
        "tril": lambda: torch.tril(rows),
    }


# ---------------------------------------------------------------------- indexing
@group
def indexing(m: Any) -> Calls:
    a, flat = m.array(normal(2000, 500), split=0), m.array(normal(2_000_000), split=0)
    target, keys = m.array(normal(2_000_000), split=0), integers(2000, 1000).tolist()
    return {
        "mask": lambda: flat[flat > 0],
        "row mask": lambda: a[a[:, 0] > 0],
        "slice step": lambda: flat[::3],
        "1000 rows by list": lambda: a[keys],
        "row": lambda: a[1234],
        "column": lambda: a[:, 123],
        "element": lambda: a[1234, 56],
        "set slice": lambda: assign(target, slice(10, 1_000_000), 1.0),
        "set row": lambda: assign(a, 77, 1.0),
        "set mask": lambda: assign(target, flat > 0, 1.0),
        "nonzero": lambda: m.nonzero(flat),
        "nonzero 2-d": lambda: m.nonzero(a),
    }


@reference
def indexing_torch() -> Calls:
    a, flat = tensor(normal(2000, 500)), tensor(normal(2_000_000))
    target, keys = flat.clone(), integers(2000, 1000).tolist()
    return {
        "mask": lambda: flat[flat > 0],
        "row mask": lambda: a[a[:, 0] > 0],
        "slice step": lambda: flat[::3],
        "1000 rows by list": lambda: a[keys],
        "row": lambda: a[1234],
        "column": lambda: a[:, 123],
        "element": lambda: a[1234, 56],
        "set slice": lambda: assign(target, slice(10, 1_000_000), 1.0),
        "set row": lambda: assign(a, 77, 1.0),
        "set mask": lambda: assign(target, flat > 0, 1.0),
        "nonzero": lambda: torch.nonzero(flat),
        "nonzero 2-d": lambda: torch.nonzero(a),
    }


# ---------------------------------------------------------------------- order
@group
def sorting(m: Any) -> Calls:
    flat, table = m.array(normal(500_000), split=0), m.array(normal(2000, 50), split=0)
    wide, few = m.array(normal(2000, 500), split=0), m.array(integers(1000, 500_000), split=0)
    return {
        "sort 1-d": lambda: m.sort(flat, 0),
        "argsort 1-d": lambda: m.argsort(flat, 0),
        "sort 2-d along split": lambda: m.sort(table, 0),
        "sort 2-d across split": lambda: m.sort(wide, 1),
        "unique": lambda: m.unique(few),
        "topk": lambda: m.topk(flat, 10),
        "percentile 50": lambda: m.percentile(flat, 50.0),
        "median axis 0": lambda: m.median(table, 0),
    }


@reference
def sorting_torch() -> Calls:
    flat, table = tensor(normal(500_000)), tensor(normal(2000, 50))
    wide, few = tensor(normal(2000, 500)), tensor(integers(1000, 500_000))
    return {
        "sort 1-d": lambda: torch.sort(flat, 0),
        "argsort 1-d": lambda: torch.argsort(flat, 0),
        "sort 2-d along split": lambda: torch.sort(table, 0),
        "sort 2-d across split": lambda: torch.sort(wide, 1),
        "unique": lambda: torch.unique(few),
        "topk": lambda: torch.topk(flat, 10),
        "percentile 50": lambda: torch.quantile(flat, 0.5),
        "median axis 0": lambda: torch.quantile(table, 0.5, 0),
    }


# ---------------------------------------------------------------------- statistics
@group
def statistics(m: Any) -> Calls:
    flat, table = m.array(normal(2_000_000), split=0), m.array(normal(2000, 50), split=0)
    counts, weights = m.array(integers(100, 2_000_000), split=0), m.array(np.abs(normal(2000)), split=0)
    edges = m.array(np.linspace(-3, 3, 50, dtype=np.float32))
    return {
        "histc": lambda: m.histc(flat, 100, -4.0, 4.0),
        "bincount": lambda: m.bincount(counts),
        "digitize": lambda: m.digitize(flat, edges),
        "cov": lambda: m.cov(table, rowvar=False),
        "skew axis 0": lambda: m.skew(table, 0),
        "kurtosis axis 0": lambda: m.kurtosis(table, 0),
        "average weighted": lambda: m.average(table, 0, weights),
        "maximum": lambda: m.maximum(flat, -flat),
        "allclose": lambda: m.allclose(flat, flat),
    }


@reference
def statistics_torch() -> Calls:
    flat, table = tensor(normal(2_000_000)), tensor(normal(2000, 50))
    counts, edges = tensor(integers(100, 2_000_000)), torch.linspace(-3, 3, 50)
    return {
        "histc": lambda: torch.histc(flat, 100, -4.0, 4.0),
        "bincount": lambda: torch.bincount(counts),
        "digitize": lambda: torch.bucketize(flat, edges),
        "cov": lambda: torch.cov(table.T),
        "maximum": lambda: torch.maximum(flat, -flat),
        "allclose": lambda: torch.allclose(flat, flat),
    }


# ---------------------------------------------------------------------- random numbers
@group
def random(m: Any) -> Calls:
    a = m.array(normal(2000, 500), split=0)
    return {
        "rand 2e6": lambda: m.random.rand(2_000_000, split=0),
        "randn 2e6": lambda: m.random.randn(2_000_000, split=0),
        "randint 2e6": lambda: m.random.randint(0, 100, (2_000_000,), split=0),
        "randperm 5e5": lambda: m.random.randperm(500_000, split=0),
        "permutation rows": lambda: m.random.permutation(a),
    }


@reference
def random_torch() -> Calls:
    return {
        "rand 2e6": lambda: torch.rand(2_000_000),
        "randn 2e6": lambda: torch.randn(2_000_000),
        "randint 2e6": lambda: torch.randint(0, 100, (2_000_000,)),
        "randperm 5e5": lambda: torch.randperm(500_000),
    }
