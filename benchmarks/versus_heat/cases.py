# SPDX-License-Identifier: BSD-3-Clause
"""What is timed: groups of calls that read the same for equiheat and for Heat.

A group is a function of the library's namespace; it makes its arrays and returns calls by name. `TORCH` has the same
names for one process of torch, where torch has such a call. Data are the same for all: NumPy's generator, seed 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

Calls = dict[str, Callable[[], object]]
Group = Callable[[Any], Calls]
GROUPS: list[Group] = []
TORCH: dict[str, Callable[[], Calls]] = {}


def group(function: Group) -> Group:
    """Decorator: time this group."""
    GROUPS.append(function)
    return function


def reference(function: Callable[[], Calls]) -> Callable[[], Calls]:
    """Decorator: torch's calls for the group of this name."""
    TORCH[function.__name__.removesuffix("_torch")] = function
    return function


def normal(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def integers(high: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, high, shape)


def tensor(values: np.ndarray) -> torch.Tensor:
    """In memory of torch's: NumPy's comes in large pages, which the libraries' arrays have not."""
    return torch.from_numpy(values).clone()


def in_place(x: Any, y: Any) -> object:
    x += y
    return x


def assign(x: Any, key: Any, value: Any) -> None:
    x[key] = value


# ---------------------------------------------------------------------- 12 elements: the cost of a call
def _tiny(m: Any, split: int | None) -> Calls:
    a, b = m.array(normal(12), split=split), m.array(normal(12) + 1, split=split)
    c, d = m.array(normal(12), split=split), m.array(normal(12), split=split)
    return {
        "a+b": lambda: a + b,
        "a+1": lambda: a + 1,
        "a*2.5": lambda: a * 2.5,
        "a+=b": lambda: in_place(c, b),
        "a<b": lambda: a < b,
        "exp": lambda: m.exp(a),
        "abs": lambda: m.abs(a),
        "sum": lambda: a.sum(),
        "mean": lambda: a.mean(),
        "max": lambda: a.max(),
        "std": lambda: m.std(a),
        "cumsum": lambda: m.cumsum(a, 0),
        "a[3:5]": lambda: a[3:5],
        "a[3]": lambda: a[3],
        "a[3]=1": lambda: assign(d, 3, 1.0),
        "a[[1,2,7]]": lambda: a[[1, 2, 7]],
        "item(sum)": lambda: a.sum().item(),
        "astype": lambda: a.astype(m.float64),
        "reshape(3,4)": lambda: m.reshape(a, (3, 4)),
        "where": lambda: m.where(a < b, a, b),
        "chain (a+b)*a-b": lambda: (a + b) * a - b,
        "zeros": lambda: m.zeros(12, split=split),
        "arange": lambda: m.arange(12, split=split),
        "array(list)": lambda: m.array([1.0, 2.0, 3.0, 4.0], split=split),
        "rand": lambda: m.random.rand(12, split=split),
        "lshape_map": lambda: a.lshape_map,
        "size": lambda: a.size,
    }


@group
def tiny_none(m: Any) -> Calls:
    return _tiny(m, None)


@group
def tiny_split0(m: Any) -> Calls:
    return _tiny(m, 0)


@reference
def tiny_none_torch() -> Calls:
    a, b, c, d = (tensor(normal(12)) for _ in range(4))
    return {
        "a+b": lambda: a + b,
        "a+1": lambda: a + 1,
        "a*2.5": lambda: a * 2.5,
        "a+=b": lambda: in_place(c, b),
        "a<b": lambda: a < b,
        "exp": lambda: torch.exp(a),
        "abs": lambda: torch.abs(a),
        "sum": lambda: a.sum(),
        "mean": lambda: a.mean(),
        "max": lambda: a.max(),
        "std": lambda: torch.std(a),
        "cumsum": lambda: torch.cumsum(a, 0),
        "a[3:5]": lambda: a[3:5],
        "a[3]": lambda: a[3],
        "a[3]=1": lambda: assign(d, 3, 1.0),
        "a[[1,2,7]]": lambda: a[[1, 2, 7]],
        "astype": lambda: a.to(torch.float64),
        "reshape(3,4)": lambda: a.reshape(3, 4),
        "where": lambda: torch.where(a < b, a, b),
        "chain (a+b)*a-b": lambda: (a + b) * a - b,
        "zeros": lambda: torch.zeros(12),
        "arange": lambda: torch.arange(12),
        "rand": lambda: torch.rand(12),
    }


# ---------------------------------------------------------------------- element-wise and reductions, 2000 x 500
def _elementwise(m: Any, split: int) -> Calls:
    a, b = m.array(normal(2000, 500), split=split), m.array(normal(2000, 500) + 3, split=split)
    row, flat = m.array(normal(500)), m.array(normal(1_000_000), split=0)
    return {
        "a+b": lambda: a + b,
        "exp": lambda: m.exp(a),
        "sqrt": lambda: m.sqrt(b),
        "tanh": lambda: m.tanh(a),
        "pow 2": lambda: a**2,
        "a<b": lambda: a < b,
        "isnan": lambda: m.isnan(a),
        "clip": lambda: m.clip(a, -1, 1),
        "round": lambda: m.round(a),
        "where": lambda: m.where(a > b, a, b),
        "chain": lambda: m.sqrt(m.exp(-a * a) + b * b) / (1 + m.abs(a)),
        "row broadcast": lambda: a + row,
        "astype": lambda: a.astype(m.float64),
        "a[:-1]+a[1:]": lambda: flat[:-1] + flat[1:],
    }


@group
def elementwise_split0(m: Any) -> Calls:
    return _elementwise(m, 0)


@group
def elementwise_split1(m: Any) -> Calls:
    return _elementwise(m, 1)


@reference
def elementwise_split0_torch() -> Calls:
    a, b = tensor(normal(2000, 500)), tensor(normal(2000, 500) + 3)
    row, flat = tensor(normal(500)), tensor(normal(1_000_000))
    return {
        "a+b": lambda: a + b,
        "exp": lambda: torch.exp(a),
        "sqrt": lambda: torch.sqrt(b),
        "tanh": lambda: torch.tanh(a),
        "pow 2": lambda: a**2,
        "a<b": lambda: a < b,
        "isnan": lambda: torch.isnan(a),
        "clip": lambda: torch.clip(a, -1, 1),
        "round": lambda: torch.round(a),
        "where": lambda: torch.where(a > b, a, b),
        "chain": lambda: torch.sqrt(torch.exp(-a * a) + b * b) / (1 + torch.abs(a)),
        "row broadcast": lambda: a + row,
        "astype": lambda: a.to(torch.float64),
        "a[:-1]+a[1:]": lambda: flat[:-1] + flat[1:],
    }


def _reductions(m: Any, split: int) -> Calls:
    a = m.array(normal(2000, 500), split=split)
    calls: Calls = {}
    for axis in (None, 0, 1):
        for name in ("sum", "mean", "var", "std", "max", "argmax"):
            calls[f"{name}({axis})"] = partial(getattr(m, name), a, axis)
    calls["prod(0)"] = lambda: m.prod(a, 0)
    calls["any(1)"] = lambda: m.any(a, 1)
    calls["cumsum(0)"] = lambda: m.cumsum(a, 0)
    calls["cumsum(1)"] = lambda: m.cumsum(a, 1)
    return calls


@group
def reductions_split0(m: Any) -> Calls:
    return _reductions(m, 0)


@group
def reductions_split1(m: Any) -> Calls:
    return _reductions(m, 1)


@reference
def reductions_split0_torch() -> Calls:
    a = tensor(normal(2000, 500))
    calls: Calls = {}
    for axis in (None, 0, 1):
        for name in ("sum", "mean", "var", "std", "max", "argmax"):
            arguments = () if axis is None else (axis,)
            calls[f"{name}({axis})"] = partial(getattr(torch, name), a, *arguments)
    calls["prod(0)"] = lambda: torch.prod(a, 0)
    calls["any(1)"] = lambda: torch.any(a, 1)
    calls["cumsum(0)"] = lambda: torch.cumsum(a, 0)
    calls["cumsum(1)"] = lambda: torch.cumsum(a, 1)
    return calls
