# SPDX-License-Identifier: BSD-3-Clause
"""Functions of NumPy arrays on the blocks of ours: element by element, or along an axis that is not split."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from equiheat import _core, conversion
from equiheat._base import ArrayBase, wrap

__all__: list[str] = []


def _ht() -> Any:
    return importlib.import_module("equiheat")


def as_ours(value: Any) -> Any:
    """A NumPy array as a replicated one; sequences with at least one of our arrays become all ours."""
    ht = _ht()
    with ht.default_split(None):
        if isinstance(value, np.ndarray):
            return ht.asarray(value)
        if isinstance(value, (list, tuple)) and any(isinstance(x, ArrayBase) for x in value):
            return [ht.asarray(x) for x in value]
    return value


def as_type(fn: str, x: Any, dtype: Any, casting: str) -> Any:
    """The array in another type, if NumPy's rule `casting` allows it."""
    if not _ht().can_cast(x.dtype, dtype, casting):
        raise TypeError(f"{fn}: cannot cast from {x.dtype.__name__} to {dtype} by the rule {casting!r}")
    return x.astype(dtype)


def in_type(name: str, x: Any, dtype: Any, casting: str) -> Any:
    """An operand in the type to compute in; Python's numbers are weak: they lose width, but not their kind."""
    ht = _ht()
    weak = isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic)
    operand: Any = x if isinstance(x, ArrayBase) else as_ours(np.asarray(x))
    if not ht.can_cast(operand.dtype, dtype, "same_kind" if weak and casting != "unsafe" else casting):
        raise TypeError(f"{name}: cannot cast {operand.dtype.__name__} to {dtype} by the rule {casting!r}")
    return operand.astype(dtype)


def block_by_block(function: Callable[..., Any], inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """A function of NumPy's that has no counterpart (SciPy's special functions, ...): element by element.

    Operands are brought to one shape and layout, which costs what `equiheat.add` does; no gradients.
    """
    ht = _ht()
    numbers = [isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic) for x in inputs]
    operands = [x for x, number in zip(inputs, numbers, strict=True) if not number]
    given = [x if isinstance(x, ArrayBase) else as_ours(np.asarray(x)) for x in operands]
    arrays = list(ht.broadcast_arrays(*given))
    target = next((x for x in arrays if x.split is not None), arrays[0])
    blocks = iter([conversion.for_numpy(ht.sanitize_distribution(x, target=target)._core.local) for x in arrays])
    results = function(*[x if number else next(blocks) for x, number in zip(inputs, numbers, strict=True)], **options)
    several = results if isinstance(results, tuple) else (results,)
    device = target._core.local.device
    wrapped = tuple(wrap(target._core.with_local(torch.from_numpy(np.asarray(r)).to(device))) for r in several)
    return wrapped if isinstance(results, tuple) else wrapped[0]


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """``np.apply_along_axis``: `func1d` gets NumPy vectors, those of this rank's block.

    An array that is split along `axis` is split along another first, by one alltoall. A vector has no other axis:
    `func1d` gets it as it is, a DNDarray.
    """
    x = _ht().asarray(arr)
    if not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(axis, x.ndim)
    if x.ndim == 1:
        return func1d(x, *args, **kwargs)
    axis %= x.ndim
    if 0 in x.shape:
        raise ValueError("apply_along_axis: Cannot apply_along_axis when any iteration dimensions are 0")
    if x.split is None:
        return _ht().asarray(np.apply_along_axis(func1d, axis, x.numpy(), *args, **kwargs))
    split = x.split if x.split != axis else int(axis == 0)
    core = x._core.resplit(split)
    block = conversion.for_numpy(core.local)
    result, found = None, ""
    if block.size:
        try:
            result = np.asarray(np.apply_along_axis(func1d, axis, block, *args, **kwargs))
            found = json.dumps([result.dtype.name, [*result.shape[axis : axis + 1 + result.ndim - block.ndim]]])
        except Exception as error:  # the other ranks must hear of it
            return _agreed(core, "!", error)
    dtype, extents = json.loads(_agreed(core, found))
    shape = [*x.shape[:axis], *extents, *x.shape[axis + 1 :]]
    place = split if split < axis else split + len(extents) - 1
    if result is None:
        empty = [0 if i == place else n for i, n in enumerate(shape)]
        result = np.empty(empty, dtype)
    local = torch.from_numpy(np.ascontiguousarray(result)).to(core.local.device)
    return wrap(_core.Array(local, shape, place, core.counts, core.comm))


_LONGEST = 256


def _agreed(core: _core.Array, found: str, error: Exception | None = None) -> str:
    """What the ranks with elements found, on all of them; an error on all if one has it. Collective."""
    text = torch.zeros(_LONGEST, dtype=torch.uint8)
    letters = found.encode()[:_LONGEST]  # an error of some ranks alone would leave the others waiting
    text[: len(letters)] = torch.tensor(list(letters), dtype=torch.uint8)
    from equiheat.communication import Communicator

    rows = Communicator._of(core.comm).allgather(text.to(core.local.device)).cpu().numpy()
    if error is not None:
        raise error
    texts = [bytes(row).rstrip(b"\0").decode() for row in rows]
    if "!" in texts:
        raise RuntimeError(f"apply_along_axis: the function failed on rank {texts.index('!')}; its error is there")
    different = sorted({t for t in texts if t})
    if len(different) > 1:
        raise ValueError(f"apply_along_axis: results differ between ranks: {', '.join(different)}")
    return different[0]
