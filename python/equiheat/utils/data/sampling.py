# SPDX-License-Identifier: BSD-3-Clause
"""Rows of split arrays in random order: over all ranks, or each rank's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch.utils import data as torch_data

import equiheat as ht

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class DistributedDataset(torch_data.Dataset[Any]):
    """This rank's rows of an array that is split along axis 0.

    Parameters
    ----------
    dndarray : DNDarray
        The rows.
    transforms : callable, optional
        Called on every row.

    Raises
    ------
    TypeError, ValueError
        For anything else than a DNDarray with split 0.
    """

    def __init__(self, dndarray: DNDarray, transforms: Callable[[Any], Any] | None = None) -> None:
        if not isinstance(dndarray, ht.DNDarray):
            raise TypeError(f"DistributedDataset: dndarray must be a DNDarray, is {type(dndarray)}")
        if dndarray.split != 0:
            raise ValueError(f"DistributedDataset: dndarray must have split 0, has {dndarray.split}")
        self.dndarray = dndarray
        self.transforms = transforms

    def __len__(self) -> int:
        """Rows on this rank."""
        return int(self.dndarray.lshape[0])

    def __getitem__(self, index: Any) -> Any:
        """A row, transformed."""
        row = self.dndarray.larray[index]
        return row if self.transforms is None else self.transforms(row)

    def __getitems__(self, indices: Sequence[int]) -> tuple[Any, ...]:
        """Several rows, each transformed."""
        return tuple(self[index] for index in indices)


class DistributedSampler(torch_data.Sampler[int]):
    """Which rows of a `DistributedDataset` come when; shuffles them over all ranks.

    Parameters
    ----------
    dataset : DistributedDataset
        Its array is shuffled in place.
    shuffle : bool
        Shuffle now and whenever a seed is set.
    seed : int, optional
        The same seed gives the same order, at any rank count, so that data and labels stay together. None: the stream
        of `equiheat.random`.
    shuffle_type : {"global", "local"}
        Over all ranks, or each rank's rows (a new local order in every epoch).
    correction : bool
        Accepted for Heat's sake: rows always lie in the order of the permutation.

    Raises
    ------
    TypeError, ValueError
        For arguments of another kind.

    Notes
    -----
    Collective when it shuffles globally: one alltoallv of the rows.
    """

    def __init__(
        self,
        dataset: DistributedDataset,
        shuffle: bool = False,
        seed: int | None = None,
        shuffle_type: Literal["global", "local"] = "global",
        correction: bool = False,
    ) -> None:
        if not isinstance(dataset, DistributedDataset):
            raise TypeError(f"DistributedSampler: dataset must be a DistributedDataset, is {type(dataset)}")
        for name, value in (("shuffle", shuffle), ("correction", correction)):
            if not isinstance(value, bool):
                raise TypeError(f"DistributedSampler: {name} must be a bool, is {value!r}")
        self.dataset = dataset
        self.dndarray = dataset.dndarray
        self.shuffle = shuffle
        self.correction = correction
        self.linked_sampler: DistributedSampler | None = None
        self.indices: list[int] = []
        self._local: torch.Generator | None = None
        self.set_shuffle_type(shuffle_type)
        self.set_seed(seed)

    def set_shuffle_type(self, shuffle_type: Literal["global", "local"]) -> None:
        """Shuffle over all ranks ("global") or on each ("local"), here and in a linked sampler. Local.

        Raises
        ------
        TypeError, ValueError
            For anything else.
        """
        if not isinstance(shuffle_type, str):
            raise TypeError(f"DistributedSampler: shuffle_type must be a string, is {shuffle_type!r}")
        if shuffle_type not in ("global", "local"):
            raise ValueError(f"DistributedSampler: shuffle_type must be 'global' or 'local', is {shuffle_type!r}")
        self.shuffle_type = shuffle_type
        if self.linked_sampler is not None:
            self.linked_sampler.set_shuffle_type(shuffle_type)

    def set_seed(self, value: int | None) -> None:
        """Set the seed, here and in a linked sampler, and shuffle if that is asked for. Collective then."""
        if value is not None and not isinstance(value, int):
            raise TypeError(f"DistributedSampler: seed must be an int or None, is {value!r}")
        self._seed = value
        self._local = None if value is None else torch.Generator().manual_seed(value + self.dndarray.comm.rank)
        if self.shuffle:
            self._shuffle()
        if self.linked_sampler is not None:
            self.linked_sampler.set_seed(value)

    def _shuffle(self) -> None:
        x = self.dndarray
        if self.shuffle_type == "local":
            x.larray = x.larray[torch.randperm(len(x.larray), generator=self._local)]
            return
        x._core = _permuted(x, self._seed)._core

    def link(self, sampler: DistributedSampler) -> None:
        """Make another sampler (of the labels) follow seed and kind of this one. TypeError for anything else."""
        if not isinstance(sampler, DistributedSampler):
            raise TypeError(f"DistributedSampler: link needs a DistributedSampler, is {type(sampler)}")
        self.linked_sampler = sampler

    def unlink(self) -> None:
        """End what `link` began."""
        self.linked_sampler = None

    def __iter__(self) -> Iterator[int]:
        """Numbers of this rank's rows: in order, or in a new random one if the shuffling is local."""
        rows = len(self)
        local = self.shuffle_type == "local"
        self.indices = torch.randperm(rows, generator=self._local).tolist() if local else list(range(rows))
        return iter(self.indices)

    def __len__(self) -> int:
        """Rows on this rank."""
        return len(self.dataset)


def _permuted(x: DNDarray, seed: int | None) -> DNDarray:
    """Rows in the random order of a seed, with the extents of x."""
    rows = ht.random.permutation(x) if seed is None else ht.random.default_rng(seed).permutation(x)
    counts = x.lshape_map
    rows.redistribute_(target_map=counts)
    return rows


def create_train_val_split(
    X: DNDarray, y: DNDarray, p: float = 0.95, seed: int | None = None
) -> tuple[DNDarray, DNDarray, DNDarray, DNDarray]:
    """Rows of data and labels in random order, cut into a part to train with and one to validate with.

    Parameters
    ----------
    X, y : DNDarray
        Data and labels, equally many rows, split 0; unchanged.
    p : float
        Share of the rows to train with, 0 to 1.
    seed : int, optional
        Of the order; None: the stream of `equiheat.random`.

    Returns
    -------
    tuple
        Data and labels to train with, then data and labels to validate with: balanced, split 0. The same rows at any
        rank count.

    Raises
    ------
    TypeError
        If X or y is no DNDarray.
    ValueError
        If the rows do not match or p is no share.

    Notes
    -----
    Collective: each array moves twice (alltoallv).

    Examples
    --------
    >>> x, y = ht.arange(20, split=0), ht.arange(20, split=0)
    >>> parts = ht.utils.data.create_train_val_split(x, y, p=0.75, seed=1)
    >>> [part.shape[0] for part in parts], bool((parts[0] == parts[1]).all())
    ([15, 15, 5, 5], True)
    """
    for name, x in (("X", X), ("y", y)):
        if not isinstance(x, ht.DNDarray):
            raise TypeError(f"create_train_val_split: {name} must be a DNDarray, is {type(x)}")
    if X.shape[0] != y.shape[0]:
        raise ValueError(f"create_train_val_split: X has {X.shape[0]} rows, y has {y.shape[0]}; they must match")
    if not 0 <= p <= 1:
        raise ValueError(f"create_train_val_split: p must be a share from 0 to 1, is {p}")
    if seed is None:
        with ht.default_split(None):
            seed = int(ht.random.randint(0, 2**31 - 1, (1,)))
    train = int(X.shape[0] * p)
    shuffled = [_permuted(x, seed) for x in (X, y)]
    parts = [ht.balance(x[rows], copy=True) for rows in (slice(train), slice(train, None)) for x in shuffled]
    return parts[0], parts[1], parts[2], parts[3]
