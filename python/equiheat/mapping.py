# SPDX-License-Identifier: BSD-3-Clause
"""Functions of torch tensors mapped over the split axis of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from equiheat import _core
from equiheat._base import ArrayBase, wrap

__all__ = ["vmap"]


def vmap(
    func: Callable[..., Any],
    out_dims: int | tuple[int, ...] = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., tuple[Any, ...]]:
    """`func` applied to every entry along the split axes of its arguments.

    Parameters
    ----------
    func
        Takes and returns torch tensors; `torch.func.vmap` maps it over the blocks.
    out_dims
        Axis of each result along which the entries lie: its split.
    randomness
        "error", "different" or "same", as for torch.
    chunk_size
        Entries taken at a time; None: all of a block.

    Returns
    -------
    function
        Of DNDarrays split along the axis to map (replicated ones are passed whole, as are other objects), with their
        entries distributed alike; gives a tuple of DNDarrays. No communication.

    Raises
    ------
    TypeError
        If `func` is no function, or an argument is no array, tensor or number.
    ValueError
        If an option is none of those above, no argument is split, or the split axes differ in extents.
    """
    _check_options(func, out_dims, randomness, chunk_size)

    def mapped(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
        for a in args:
            if not isinstance(a, (ArrayBase, torch.Tensor, int, float, complex)):
                raise TypeError(f"vmap: arguments must be DNDarrays, tensors or numbers, got {type(a)}")
        arrays = [a for a in args if isinstance(a, ArrayBase) and a._core.split is not None]
        if not arrays:
            raise ValueError("vmap: no argument is split; resplit one along the axis to map")
        layouts = {tuple(a._core.counts or ()) for a in arrays}
        if len(layouts) > 1:
            raise ValueError(f"vmap: split axes are distributed differently: {sorted(layouts)}")
        in_dims = tuple(a._core.split if isinstance(a, ArrayBase) else None for a in args)
        blocks = tuple(a._core.local if isinstance(a, ArrayBase) else a for a in args)
        inner = (lambda *given: func(*given, **kwargs)) if kwargs else func
        results = torch.vmap(inner, in_dims, out_dims, randomness, chunk_size=chunk_size)(*blocks)
        results = results if isinstance(results, tuple) else (results,)
        axes = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(results)
        return tuple(_global(r, axis, arrays[0]._core) for r, axis in zip(results, axes, strict=True))

    return mapped


def _check_options(func: Any, out_dims: Any, randomness: Any, chunk_size: Any) -> None:
    if not callable(func):
        raise TypeError(f"vmap: func must be a function, is {type(func)}")
    axes = out_dims if isinstance(out_dims, tuple) else (out_dims,)
    if not all(isinstance(axis, int) for axis in axes):
        raise TypeError(f"vmap: out_dims must be an integer or a tuple of integers, is {out_dims!r}")
    if randomness not in ("error", "different", "same"):
        raise ValueError(f"vmap: randomness must be 'error', 'different' or 'same', is {randomness!r}")
    if chunk_size is not None and not isinstance(chunk_size, int):
        raise TypeError(f"vmap: chunk_size must be an integer or None, is {chunk_size!r}")
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: chunk_size must be positive, is {chunk_size}")


def _global(block: torch.Tensor, axis: int, like: _core.Array) -> Any:
    """The array whose blocks the ranks got, distributed along `axis` as `like` is along its split."""
    counts = like.counts
    assert counts is not None
    shape = list(block.shape)
    shape[axis] = sum(counts)
    return wrap(_core.Array(block, shape, axis % block.dim(), counts, like.comm))
