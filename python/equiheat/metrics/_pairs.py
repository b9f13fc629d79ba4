# SPDX-License-Identifier: BSD-3-Clause
"""Two vectors (or tables) of equal length, side by side on every rank, and how often pairs of labels occur."""

from __future__ import annotations

from typing import Any

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._labels import codes, common_type
from equiheat._samples import check_finite, check_real, check_weights, numbers
from equiheat.communication import Communicator


def total(values: torch.Tensor, like: _core.Array) -> torch.Tensor:
    """The sum over ranks where `like` is distributed. Collective then."""
    return Communicator._of(like.comm).allreduce(values) if like.is_distributed else values


def core_of(value: Any, fn: str, argument: str, like: _core.Array | None = None) -> _core.Array:
    """An array of numbers, NumPy's and torch's counting as replicated. Local."""
    core = numbers(value, None if like is None else like.comm, fn, argument)
    check_real(core, fn, argument)
    return core


def column(value: Any, fn: str, argument: str, like: _core.Array | None = None) -> _core.Array:
    """(n,) of (n,) or (n, 1). Local."""
    core = core_of(value, fn, argument, like)
    if core.ndim == 2 and core.gshape[1] == 1:
        core = wrap(core).flatten()._core
    if core.ndim != 1 or core.gshape[0] == 0:
        raise ValueError(f"{fn}: {argument} must be 1-D with at least one entry, has shape {tuple(core.gshape)}")
    return core


def beside(core: _core.Array, like: _core.Array) -> _core.Array:
    """The array, distributed along its first axis as `like` is. Collective where it is not."""
    if core.split == like.split and core.counts == like.counts:
        return core
    return core.resplit(None) if like.counts is None else core.resplit(0).redistribute(like.counts)


def same_length(core: _core.Array, other: _core.Array, fn: str, names: tuple[str, str]) -> None:
    """ValueError unless both have as many entries. Local."""
    if core.gshape[0] != other.gshape[0]:
        raise ValueError(f"{fn}: {names[0]} has {core.gshape[0]} entries, {names[1]} has {other.gshape[0]}")


def weights_beside(w: Any, like: _core.Array, fn: str) -> torch.Tensor | None:
    """This rank's weights, float64; None stays None. Collective: one allreduce where they are split, more where they
    are distributed otherwise.

    Raises
    ------
    ValueError
        Another number of weights, NaN or infinity, a sum that is not positive.
    """
    if w is None:
        return None
    core = column(w, fn, "sample_weight", like)
    same_length(core, like, fn, ("sample_weight", "y_true"))
    check_weights(core, fn)
    return beside(core, like).local.double()


def label_pair(y_true: Any, y_pred: Any, fn: str) -> tuple[_core.Array, _core.Array]:
    """Labels side by side. Collective where they are distributed otherwise."""
    names = ("y_true", "y_pred")
    true = column(y_true, fn, names[0])
    guess = column(y_pred, fn, names[1], true)
    same_length(true, guess, fn, names)
    if true.split is None and guess.split is not None:
        return beside(true, guess), guess
    return true, beside(guess, true)


def classes_of(arrays: list[_core.Array], fn: str) -> torch.Tensor:
    """The distinct labels, ascending, on every rank. Collective: one allgather of the ranks' distinct labels.

    Raises
    ------
    ValueError
        NaN is among them.
    """
    kind = common_type(*(core.local.dtype for core in arrays))
    own = torch.unique(torch.cat([torch.unique(core.local.to(kind)) for core in arrays]))
    if any(core.is_distributed for core in arrays):
        own = torch.unique(Communicator._of(arrays[0].comm).allgatherv(own))
    if own.is_floating_point() and not bool(torch.isfinite(own).all()):
        raise ValueError(f"{fn}: labels contain NaN or infinity")
    return own


def contingency(
    true: _core.Array, guess: _core.Array, rows: torch.Tensor, columns: torch.Tensor, w: torch.Tensor | None, fn: str
) -> torch.Tensor:
    """How often (how heavily) each pair of labels occurs: (rows, columns) float64. Collective: one allreduce."""
    size = len(rows) * len(columns)
    first = codes(true.local, rows, true, fn).larray
    second = codes(guess.local, columns, guess, fn).larray
    counts = torch.bincount(first * len(columns) + second, w, minlength=size).double()
    return total(counts, true).reshape(len(rows), len(columns))


def target_pair(y_true: Any, y_pred: Any, fn: str) -> tuple[_core.Array, _core.Array]:
    """Real targets (n, t) side by side, float64. Collective where they are distributed otherwise.

    Raises
    ------
    ValueError
        Shapes that do not match, NaN or infinity.
    """
    cores: list[_core.Array] = []
    for name, value in (("y_true", y_true), ("y_pred", y_pred)):
        core = core_of(value, fn, name, cores[0] if cores else None)
        if core.ndim not in (1, 2) or 0 in core.gshape:
            raise ValueError(f"{fn}: {name} must have shape (n,) or (n, targets), has {tuple(core.gshape)}")
        core = core.resplit(0) if core.split == 1 else core
        core = core if core.ndim == 2 else wrap(core).expand_dims(1)._core
        cores.append(core.with_local(core.local.detach().double()))
    true, guess = cores
    if tuple(true.gshape) != tuple(guess.gshape):
        raise ValueError(f"{fn}: y_true has shape {tuple(true.gshape)}, y_pred has {tuple(guess.gshape)}")
    if true.split is None and guess.split is not None:
        true = beside(true, guess)
    guess = beside(guess, true)
    for core, name in ((true, "y_true"), (guess, "y_pred")):
        check_finite(core, fn, name)
    return true, guess
