# SPDX-License-Identifier: BSD-3-Clause
"""Rows at random into two parts."""

from __future__ import annotations

import math
from numbers import Integral
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, random, sorting
from equiheat._base import as_core, wrap
from equiheat._labels import codes, distinct
from equiheat._samples import seed_of, seeded, vector
from equiheat.communication import Communicator

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["train_test_split"]


def train_test_split(
    *arrays: Any,
    test_size: float | int | None = None,
    train_size: float | int | None = None,
    random_state: Any = None,
    shuffle: bool = True,
    stratify: Any = None,
) -> list[DNDarray]:
    """The rows of arrays in two parts, the same rows of each array.

    Parameters
    ----------
    *arrays : DNDarray
        Any shapes with equal extents along axis 0, any splits.
    test_size, train_size : float or int, optional
        Shares (between 0 and 1) or numbers of rows; what is not given is the rest, a quarter for the test if neither
        is.
    random_state : int, numpy.random.Generator or None
        Seed; None draws one from `ht.random`. The same seed gives the same parts at any number of ranks and split
        (they are not scikit-learn's, whose permutation every process would have to hold).
    shuffle : bool
        Rows in random order; False: the first rows to learn from, the last ones for the test.
    stratify : array, optional
        (n,) labels: each has the same share in both parts, up to one row.

    Returns
    -------
    list of DNDarray
        Of each array its rows to learn from and its rows for the test, both split as the array is; those of axis 0 are
        balanced.

    Raises
    ------
    ValueError
        No arrays, different numbers of rows, sizes that do not fit, a class of one row with `stratify`.

    Notes
    -----
    A random permutation of the row numbers, of which each rank computes its own part, and one exchange of the rows of
    each array that is split along axis 0. With `stratify` one sort of the labels more.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.arange(10, split=0)
    >>> train, test = ht.model_selection.train_test_split(x, test_size=0.3, random_state=0)
    >>> train.shape, test.shape, sorted(train.tolist() + test.tolist()) == list(range(10))
    ((7,), (3,), True)
    """
    cores = [_rows(array, place) for place, array in enumerate(arrays)]
    if not cores:
        raise ValueError("train_test_split: at least one array is needed")
    n = cores[0].gshape[0]
    different = [c.gshape[0] for c in cores if c.gshape[0] != n]
    if different:
        raise ValueError(f"train_test_split: arrays have {n} and {different[0]} rows; they must have as many")
    train, test = sizes(n, train_size, test_size)
    if not shuffle:
        if stratify is not None:
            raise ValueError("train_test_split: stratify needs shuffle=True")
        return [part for core in cores for part in (_range(core, 0, train), _range(core, train, train + test))]
    with seeded(seed_of(random_state)):
        if stratify is None:
            order = random.randperm(n, split=0, comm=Communicator._of(cores[0].comm))
            chosen = order[:train], order[train : train + test]
        else:
            chosen = _stratified(stratify, cores[0], train, test)
    return [_taken(core, rows) for core in cores for rows in chosen]


def _rows(array: Any, place: int) -> _core.Array:
    core = as_core(array, None)
    if core is None:
        raise TypeError(f"train_test_split: array {place} must be a DNDarray or an array of numbers, is {type(array)}")
    if core.ndim == 0:
        raise ValueError(f"train_test_split: array {place} has no rows")
    return core


def sizes(n: int, train: float | int | None, test: float | int | None) -> tuple[int, int]:
    """Rows of both parts, by scikit-learn's rules. Local.

    Raises
    ------
    ValueError
        Shares not between 0 and 1, numbers not between 1 and n - 1, more than n together, nothing left to learn from.
    """
    for name, size in (("train_size", train), ("test_size", test)):
        fits = size is None or (0 < size < n if isinstance(size, Integral) else 0 < size < 1)
        if not fits:
            raise ValueError(f"train_test_split: {name} = {size} of {n} rows; a share in (0, 1) or from 1 to {n - 1}")
    if test is None and train is None:
        test = 0.25
    for_test = None if test is None else int(test) if isinstance(test, Integral) else math.ceil(test * n)
    for_train = None if train is None else int(train) if isinstance(train, Integral) else math.floor(train * n)
    for_test = n - (for_train or 0) if for_test is None else for_test
    for_train = n - for_test if for_train is None else for_train
    if for_train + for_test > n:
        raise ValueError(f"train_test_split: {for_train} and {for_test} rows of {n}; choose smaller sizes")
    if for_train < 1:
        raise ValueError(f"train_test_split: with test_size = {test} of {n} rows nothing is left to learn from")
    return for_train, for_test


def _range(core: _core.Array, first: int, last: int) -> DNDarray:
    part = wrap(core)[first:last]
    return part.balance() if part.split == 0 else part


def _taken(core: _core.Array, rows: DNDarray) -> DNDarray:
    """These rows, distributed as the array is. Collective."""
    if core.split == 0:
        return wrap(core)[rows.balance()]
    whole = rows.resplit(None).larray.to(core.local.device)
    shape = [len(whole), *core.gshape[1:]]
    return wrap(_core.Array(core.local[whole], shape, core.split, core.counts, core.comm))


def _stratified(stratify: Any, like: _core.Array, train: int, test: int) -> tuple[DNDarray, DNDarray]:
    """Rows of both parts, each class with its share. Collective: one sort of the labels."""
    fn = "train_test_split"
    n = like.gshape[0]
    labels = vector(stratify, like, fn, "stratify")
    labels = labels.resplit(0)
    classes = distinct(wrap(labels), labels, fn)
    which = codes(labels.local, classes, labels, fn)
    counts = torch.bincount(which.larray, minlength=len(classes))
    if labels.comm.size > 1:
        counts = Communicator._of(labels.comm).allreduce(counts)
    if int(counts.min()) < 2:
        raise ValueError(f"{fn}: class {classes[counts.argmin()].item()} of stratify has one row; 2 are needed")
    if min(train, test) < len(classes):
        raise ValueError(
            f"{fn}: {min(train, test)} rows for {len(classes)} classes; one of each is needed in both parts"
        )
    for_test = apportioned(counts, test)
    for_train = apportioned(counts - for_test, train)
    shuffled = random.randperm(n, split=0, comm=Communicator._of(labels.comm))
    by_class = shuffled[sorting.argsort(which[shuffled])]
    starts = (counts.cumsum(0) - counts).tolist()
    place = _places(by_class._core)
    group = torch.bucketize(place, torch.tensor(starts[1:], dtype=torch.int64), right=True)
    offset = place - torch.tensor(starts)[group]
    is_test = offset < for_test[group]
    is_train = ~is_test & (offset < (for_test + for_train)[group])
    parts = []
    for mask, size in ((is_train, train), (is_test, test)):
        chosen = by_class[wrap(by_class._core.with_local(mask))].balance()
        parts.append(chosen[random.randperm(size, split=0, comm=chosen.comm)])
    return parts[0], parts[1]


def _places(core: _core.Array) -> torch.Tensor:
    """Global numbers of this rank's entries. Local."""
    counts = core.counts
    first = 0 if counts is None else sum(counts[: core.comm.rank])
    return torch.arange(first, first + core.local.shape[0])


def apportioned(counts: torch.Tensor, size: int) -> torch.Tensor:
    """`size` rows over classes in proportion to their counts; remainders go to the largest ones. Local."""
    exact = counts.double() * size / counts.sum()
    base = exact.floor().long()
    rest = size - int(base.sum())
    if rest:
        base[torch.argsort(exact - base, descending=True, stable=True)[:rest]] += 1
    return base
