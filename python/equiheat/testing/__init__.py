# SPDX-License-Identifier: BSD-3-Clause
"""Helpers for tests of programs with distributed arrays; `equiheat.testing.strategies` adds hypothesis strategies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import _core, dtypes
from equiheat._base import ArrayBase, wrap
from equiheat.communication import Communicator, get_comm

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["all_layouts", "all_splits", "assert_equal", "gradcheck", "uneven_counts", "with_counts"]

#: Relative tolerance by type where none is given.
_RTOL = {
    "float16": 2e-3,
    "bfloat16": 2e-2,
    "float32": 2e-5,
    "complex64": 2e-5,
    "float64": 1e-10,
    "complex128": 1e-10,
}
_ANY = object()


def to_numpy(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """A tensor's values for NumPy, which has no bfloat16."""
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def assert_equal(
    x: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    *,
    dtype: Any = None,
    split: Any = _ANY,
    balanced: bool | None = None,
) -> None:
    """Check the global value, shape, kind of dtype and layout of an array against NumPy's result. Collective.

    Parameters
    ----------
    x
        DNDarray. Its blocks are put together by mpi4py alone, so that our own movers are not trusted.
    expected
        The whole array, the same on every rank. Its kind (bool, integer, real, complex) must be that of `x`.
    rtol, atol
        Tolerances; default by dtype (exact for integers and bool), both the same number.
    dtype
        The exact dtype `x` must have.
    split, balanced
        What the layout must be; not looked at if not given.
    """
    assert isinstance(x, ArrayBase), f"expected a DNDarray, got {type(x)}"
    array: DNDarray = x  # type: ignore[assignment]
    want = np.asarray(expected)
    _check_layout(array, split, balanced)
    assert tuple(array.shape) == want.shape, f"shape {tuple(array.shape)}, expected {want.shape}"
    name = dtypes.from_torch(array._core.local.dtype).__name__
    if dtype is not None:
        assert name == dtypes.canonical_heat_type(dtype).__name__, f"dtype {name}, expected {dtype}"
    got = _gathered(array)
    assert _kind(got) == _kind(want), f"dtype {name}, expected kind of {want.dtype}"
    tolerance = _RTOL.get(name, 0.0) if rtol is None else rtol
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance if atol is None else atol, equal_nan=True)


def _kind(a: np.ndarray[Any, Any]) -> str:
    return "i" if a.dtype.kind == "u" else a.dtype.kind


def _check_layout(x: DNDarray, split: Any, balanced: bool | None) -> None:
    """Layout known alike on all ranks, and the blocks as it says. Collective."""
    core = x._core
    facts = (tuple(core.gshape), core.split, core.counts, str(core.local.dtype), core.is_balanced)
    everyone = x.comm.handle.allgather(facts)
    assert all(f == facts for f in everyone), f"ranks disagree about the array: {everyone}"
    expected = list(core.gshape)
    if core.split is not None:
        counts = core.counts
        assert counts is not None
        assert len(counts) == x.comm.size
        assert sum(counts) == core.gshape[core.split]
        expected[core.split] = counts[x.comm.rank]
    assert list(core.local.shape) == expected, f"block {tuple(core.local.shape)}, layout says {tuple(expected)}"
    assert split is _ANY or core.split == split, f"split {core.split}, expected {split}"
    assert balanced is None or core.is_balanced == balanced, f"balanced is {core.is_balanced}, expected {balanced}"


def _gathered(x: DNDarray) -> np.ndarray[Any, Any]:
    """The blocks of all ranks, side by side. Collective."""
    block = to_numpy(x._core.local)
    if x._core.split is None or x.comm.size == 1:
        return block
    return np.concatenate(x.comm.handle.allgather(block), axis=x._core.split)


def all_splits(ndim: int) -> list[int | None]:
    """None and every axis."""
    return [None, *range(ndim)]


def uneven_counts(n: int, nranks: int, seed: int = 0) -> list[int]:
    """`nranks` counts that add up to `n`, some of them zero; the same for the same arguments. Local."""
    rng = np.random.default_rng([seed, n, nranks])
    cuts = np.sort(rng.integers(0, n + 1, nranks - 1))
    return [int(c) for c in np.diff([0, *cuts, n])]


def with_counts(
    values: Any,
    split: int | None,
    counts: Sequence[int] | None = None,
    dtype: Any = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """An array whose blocks have the given extents along `split` (None: the balanced ones). Local.

    Parameters
    ----------
    values
        The whole array, the same on every rank: NumPy array or torch tensor (which stays in its graph).
    """
    comm = get_comm() if comm is None else comm
    whole = values if isinstance(values, torch.Tensor) else torch.from_numpy(np.array(values))
    whole = whole if dtype is None else whole.to(dtypes.torch_dtype(dtype))
    x = _core.from_global(whole, split, not whole.requires_grad, comm.core)
    if split is None or counts is None:
        return wrap(x)
    if whole.requires_grad:
        return wrap(x.redistribute(list(counts)))
    start = sum(counts[: comm.rank])
    local = whole.narrow(split, start, counts[comm.rank]).clone(memory_format=torch.contiguous_format)
    return wrap(_core.Array(local, list(whole.shape), split, list(counts), comm.core))


def all_layouts(values: Any, dtype: Any = None, seed: int = 0) -> Iterator[DNDarray]:
    """The array replicated and, along every axis, balanced, uneven, and whole on the last rank. Local."""
    whole = np.asarray(values)
    size = get_comm().size
    for split in all_splits(whole.ndim):
        yield with_counts(whole, split, None, dtype)
        if split is not None and size > 1:
            yield with_counts(whole, split, uneven_counts(whole.shape[split], size, seed), dtype)
            yield with_counts(whole, split, [0] * (size - 1) + [whole.shape[split]], dtype)


def gradcheck(
    fn: Callable[..., Any],
    *inputs: Any,
    splits: Sequence[int | None] | None = None,
    uneven: bool = False,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> bool:
    """Compare the gradient of a program on arrays with finite differences, as torch.autograd.gradcheck. Collective.

    Parameters
    ----------
    fn
        Takes one DNDarray per input; returns a DNDarray or a tuple of them.
    inputs
        The whole arrays, the same on every rank; taken as float64 (complex128 if complex). Keep them small.
    splits
        Split of each input; None: all replicated.
    uneven
        Distribute the split inputs unevenly.
    """
    tensors = [torch.tensor(np.asarray(v)).clone() for v in inputs]
    tensors = [t.to(torch.complex128 if t.is_complex() else torch.float64).requires_grad_() for t in tensors]
    axes = list(splits) if splits is not None else [None] * len(tensors)
    size = get_comm().size

    def program(*given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        arrays = []
        for t, axis in zip(given, axes, strict=True):
            counts = uneven_counts(t.shape[axis], size) if uneven and axis is not None else None
            arrays.append(with_counts(t, axis, counts))
        out = fn(*arrays)
        results = out if isinstance(out, (tuple, list)) else (out,)
        return tuple(r._core.resplit(None).local for r in results)

    return bool(torch.autograd.gradcheck(program, tensors, eps=eps, atol=atol, rtol=rtol, nondet_tol=1e-12))
