# SPDX-License-Identifier: BSD-3-Clause
"""What estimators check and convert before they compute."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import _core
from equiheat import random as ht_random
from equiheat._base import as_core, wrap
from equiheat.communication import Communicator

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class ComplexDataError(TypeError, ValueError):
    """Complex numbers where only real ones make sense: to us of the wrong type, to scikit-learn of the wrong value."""


def check_real(core: _core.Array, fn: str, argument: str) -> None:
    """ComplexDataError for complex numbers. Local."""
    if core.local.is_complex():
        raise ComplexDataError(f"{fn}: Complex data not supported: {argument} must be real, is {core.local.dtype}")


def numbers(value: Any, comm: _core.Communicator | None, fn: str, argument: str) -> _core.Array:
    """An array of numbers; what NumPy can make one of (a data frame, objects that are numbers) as replicated. Local.

    Raises
    ------
    TypeError
        For anything else.
    """
    core = as_core(value, comm)
    if core is None and hasattr(value, "__array__"):
        array = np.asarray(value)
        core = as_core(array.astype(np.float64) if array.dtype.kind == "O" else array, comm)
    if core is None:
        raise TypeError(f"{fn}: {argument} must be a DNDarray or an array of numbers, is {type(value)}")
    return core


def samples(x: Any, fn: str, argument: str = "x") -> _core.Array:
    """A real matrix (n, f) with at least one row and column; what NumPy makes an array of counts as replicated. Local.

    Raises
    ------
    TypeError
        For what is no array of numbers, a single number among it, and for complex numbers.
    ValueError
        For another number of axes, no rows or no columns.
    """
    if type(x) in (bool, int, float):
        raise TypeError(f"{fn}: {argument} must be a DNDarray or an array of numbers, is {type(x)}")
    core = numbers(x, None, fn, argument)
    shape = tuple(core.gshape)
    if core.ndim != 2:
        hint = "Reshape your data: (n, 1) is one feature, (1, f) one sample"
        raise ValueError(f"{fn}: {argument} must be 2-D, (samples, features), has shape {shape}. {hint}")
    for extent, name in zip(shape, ("sample", "feature"), strict=True):
        if extent == 0:
            raise ValueError(f"{fn}: {argument} has 0 {name}(s) (shape={shape}) while a minimum of 1 is required.")
    check_real(core, fn, argument)
    return core


def vector(v: Any, like: _core.Array, fn: str, argument: str) -> _core.Array:
    """One entry per sample of `like`: (n,) or (n, 1), as (n,). Local.

    Raises
    ------
    TypeError
        For what is no array of numbers.
    ValueError
        For another shape.
    """
    if v is None:
        raise ValueError(f"{fn}: requires y to be passed, but the target y is None")
    core = numbers(v, like.comm, fn, argument)
    n = like.gshape[0]
    if tuple(core.gshape) not in ((n,), (n, 1)):
        raise ValueError(f"{fn}: {argument} must have shape ({n},), one entry per sample, has {tuple(core.gshape)}")
    return core if core.ndim == 1 else wrap(core).flatten()._core


def weights(w: Any, like: _core.Array, fn: str) -> _core.Array | None:
    """Sample weights as a vector; None stays None. Local."""
    return None if w is None else vector(w, like, fn, "sample_weight")


def no_weight(fn: str) -> ValueError:
    """The error of sample weights whose sum is not positive. Local."""
    return ValueError(f"{fn}: all of sample_weight is zero, or it adds up to less")


def check_weights(w: _core.Array | None, fn: str) -> None:
    """ValueError on all ranks unless sample weights have a positive, finite sum. Collective: one allreduce."""
    if w is None:
        return
    total = w.local.detach().sum(dtype=torch.float64).reshape(1)
    if w.is_distributed:
        total = Communicator._of(w.comm).allreduce(total)
    if not math.isfinite(float(total)):
        raise ValueError(f"{fn}: sample_weight contains NaN or infinity")
    if float(total) <= 0:
        raise no_weight(fn)


def check_features(core: _core.Array, features: int, fn: str) -> None:
    """ValueError unless the matrix has as many features as `fit` saw. Local."""
    if core.gshape[1] != features:
        raise ValueError(
            f"{fn}: X has {core.gshape[1]} features, but {fn.split('.')[0]} is expecting {features} features as input"
        )


def positive(value: Any, fn: str, argument: str) -> int:
    """A positive integer; TypeError or ValueError naming the argument otherwise. Local."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{fn}: {argument} must be an integer, is {value!r}") from None
    if number < 1:
        raise ValueError(f"{fn}: {argument} must be positive, is {number}")
    return number


def seed_of(random_state: Any) -> int:
    """A seed from a `random_state`: an integer is its own, a NumPy generator is asked, None draws from `ht.random`,
    which is the same on all ranks. Local.

    Raises
    ------
    TypeError
        For anything else.
    """
    if random_state is None:
        return int(ht_random.randint(0, 2**31 - 1, size=(1,), dtype=torch.int64).item())
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    try:
        return operator.index(random_state) % 2**63
    except TypeError:
        raise TypeError(f"random_state must be None, an integer or a NumPy generator, is {random_state!r}") from None


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """`ht.random` draws from this seed inside, and goes on afterwards where it was. Local."""
    before = ht_random.get_state()
    ht_random.seed(seed)
    try:
        yield
    finally:
        ht_random.set_state(before)


def replicated(tensor: torch.Tensor, like: _core.Array) -> DNDarray:
    """An array that every rank of `like` holds whole. Local."""
    return wrap(_core.Array(tensor, list(tensor.shape), None, None, like.comm))


def rowwise(tensor: torch.Tensor, like: _core.Array) -> DNDarray:
    """Local rows, distributed as those of `like` (split 0 or None). Local."""
    return wrap(_core.Array(tensor, [like.gshape[0], *tensor.shape[1:]], like.split, like.counts, like.comm))


def whole_rows(core: _core.Array) -> _core.Array:
    """The matrix with whole rows on each rank: split 1 becomes split 0. Collective then."""
    return core.resplit(0) if core.split == 1 else core


def check_finite(core: _core.Array, fn: str, what: str = "x") -> None:
    """ValueError that names the argument, on all ranks, if an element on any rank is NaN or infinite. Collective: one
    allreduce of one number.
    """
    local = core.local.detach()
    bad = torch.count_nonzero(~torch.isfinite(local.sum(0, dtype=torch.float64))).reshape(1)
    if int(bad) > 0:  # or finite numbers whose sum is not
        bad = torch.count_nonzero(~torch.isfinite(local)).reshape(1)
    if core.split is not None and core.comm.size > 1:
        bad = Communicator._of(core.comm).allreduce(bad)
    if int(bad) > 0:
        raise ValueError(f"{fn}: {what} contains NaN or infinity")


@contextmanager
def finite(fn: str, **arguments: _core.Array | None) -> Iterator[None]:
    """Inside is one native call that finds NaN and infinity, or weights without a sum, as it goes; its error names the
    function and the argument.
    Collective only after such an error, which is one of all ranks.
    """
    try:
        yield
    except ValueError as error:
        if "sample weights add up" in str(error):
            raise no_weight(fn) from None
        if "NaN or infinity" in str(error):
            for name, core in arguments.items():
                if core is not None:
                    check_finite(core, fn, name)
            check_weights(arguments.get("sample_weight"), fn)
        raise


def subset_rows(arrays: list[_core.Array], size: int, seed: int) -> list[_core.Array]:
    """The same `size` rows of each array, drawn without replacement, where they are. Local; the rows of an array that
    is split along another axis stay as they are distributed.

    Raises
    ------
    ValueError
        Unless 1 <= size <= rows.
    """
    n = arrays[0].gshape[0]
    if not 1 <= size <= n:
        raise ValueError(f"a sample of the rows must have between 1 and {n} of them, not {size}")
    chosen = np.sort(np.random.default_rng(seed).choice(n, size, replace=False))
    return [_subset(array, chosen) for array in arrays]


def _subset(x: _core.Array, chosen: np.ndarray[Any, Any]) -> _core.Array:
    shape = [len(chosen), *x.gshape[1:]]
    if x.split != 0 or x.counts is None:
        return _core.Array(x.local[torch.from_numpy(chosen)], shape, x.split, x.counts, x.comm)
    edges = np.cumsum([0, *x.counts])
    places = np.searchsorted(chosen, edges)
    rank = x.comm.rank
    rows = torch.from_numpy(chosen[places[rank] : places[rank + 1]] - edges[rank])
    return _core.Array(x.local[rows], shape, 0, np.diff(places).tolist(), x.comm)
