# SPDX-License-Identifier: BSD-3-Clause
"""Data sets on the rows of split arrays, with exchange of rows between epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils import data as torch_data

import equiheat as ht
from equiheat.utils.data import partial_dataset
from equiheat.utils.data.sampling import DistributedDataset as DistributedDataset
from equiheat.utils.data.sampling import DistributedSampler as DistributedSampler
from equiheat.utils.data.sampling import create_train_val_split as create_train_val_split

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = [
    "DataLoader", "Dataset", "DistributedDataset", "DistributedSampler", "create_train_val_split", "dataset_irecv",
    "dataset_ishuffle", "dataset_shuffle",
]  # fmt: skip

_TAG = 99


class Dataset(torch_data.Dataset[Any]):
    """This rank's rows of an array as a data set of torch; every rank has equally many.

    Parameters
    ----------
    array : DNDarray
        Split along its rows, ValueError for another axis; rows that other ranks have no counterpart of are left out of
        an epoch. With split None every rank has all of it.
    transforms : callable or list of those, optional
        The first is called on what `__getitem__` gives.
    ishuffle : bool
        `DataLoader` exchanges rows while an epoch runs, instead of between epochs.
    test_set : bool
        Rows are never exchanged.

    Attributes
    ----------
    htdata : DNDarray
        The array; shuffling changes it.
    data : Tensor
        This rank's rows.
    lcl_half : int
        How many rows an exchange moves.

    Examples
    --------
    >>> len(ht.utils.data.Dataset(ht.arange(10, split=0))) == 10 // ht.get_comm().size
    True
    """

    def __init__(
        self,
        array: DNDarray,
        transforms: Callable[[Any], Any] | Sequence[Callable[[Any], Any]] | None = None,
        ishuffle: bool | None = False,
        test_set: bool | None = False,
    ) -> None:
        if not isinstance(array, ht.DNDarray):
            raise TypeError(f"Dataset: array must be a DNDarray, is {type(array)}")
        if array.split not in (None, 0):
            raise ValueError(
                f"Dataset: array must be split along its rows, 0, or be on all ranks; split is {array.split}"
            )
        self.htdata = array
        self.comm = array.comm
        self.test_set = test_set or array.split is None
        self.ishuffle = ishuffle
        self._cut_slice = even_rows(array)
        self.data: Tensor = array.larray[self._cut_slice]
        self.lcl_half = self.data.shape[0] // 2
        single = transforms is not None and not isinstance(transforms, (list, tuple))
        self.transforms: Any = [transforms] if single else transforms

    def __getitem__(self, index: Any) -> Any:
        """What the network is given for an index."""
        entry = self.data[index]
        return self.transforms[0](entry) if self.transforms else entry

    def __len__(self) -> int:
        """Rows on this rank."""
        return int(self.data.shape[0])

    def Shuffle(self) -> None:
        """Exchange and permute rows; see `dataset_shuffle`."""
        if not self.test_set:
            dataset_shuffle(self, [["data", "htdata"]])

    def Ishuffle(self) -> None:
        """Start an exchange; see `dataset_ishuffle`."""
        if not self.test_set:
            dataset_ishuffle(self, [["data", "htdata"]])


def even_rows(array: DNDarray) -> slice:
    """The rows of a block that every rank has, of arrays with any number of axes. Local."""
    return slice(None) if array.split is None else slice(min(array.counts_displs()[0]))


def dataset_shuffle(dataset: Any, attrs: Sequence[Sequence[str | None]]) -> None:
    """Send half of this rank's rows to the next rank, then permute the rows.

    Parameters
    ----------
    dataset
        Has `comm`, `lcl_half`, `_cut_slice` as `Dataset`.
    attrs
        Pairs of names: of the tensor of rows, and of the DNDarray it is the block of (None: there is none). All move
        alike.

    Notes
    -----
    Collective: one message to the next rank per attribute.
    """
    dataset_ishuffle(dataset, attrs)
    dataset_irecv(dataset)


def dataset_ishuffle(dataset: Any, attrs: Sequence[Sequence[str | None]]) -> None:
    """Start `dataset_shuffle`: rows travel until `dataset_irecv` is called.

    Parameters
    ----------
    dataset, attrs
        As `dataset_shuffle`.
    """
    comm, half = dataset.comm, dataset.lcl_half
    started = []
    for local, whole in attrs:
        leaving = getattr(dataset, str(local))[:half].clone()
        arriving = torch.empty_like(leaving)
        receive = comm.irecv(arriving, (comm.rank - 1) % comm.size, _TAG)
        send = comm.isend(leaving, (comm.rank + 1) % comm.size, _TAG)
        started.append(((local, whole), receive, send, arriving))
    dataset.rcv_list = started


def dataset_irecv(dataset: Any) -> None:
    """Complete `dataset_ishuffle`: wait for the rows and permute them with those that stayed.

    Parameters
    ----------
    dataset
        That `dataset_ishuffle` was called on; without that nothing happens.
    """
    started, dataset.rcv_list = getattr(dataset, "rcv_list", None) or [], []
    order = None
    for (local, whole), receive, send, arriving in started:
        receive.wait()
        send.wait()
        rows = getattr(dataset, local) if whole is None else getattr(dataset, whole).larray
        if order is None:
            order = torch.randperm(rows.shape[0])
            dataset.shuffle_prm = order
        rows = torch.cat([arriving, rows[len(arriving) :]])[order]
        if whole is not None:
            getattr(dataset, whole).larray = rows
        setattr(dataset, local, rows if dataset._cut_slice is None else rows[dataset._cut_slice])


class DataLoader:
    """Batches of this rank's rows in random order; rows are exchanged between epochs.

    Parameters
    ----------
    dataset
        A `Dataset`, any data set of torch, a `PartialH5Dataset`, or a DNDarray, which becomes a `Dataset`.
    batch_size, num_workers, collate_fn, pin_memory, drop_last, timeout, worker_init_fn
        As torch's.

    Attributes
    ----------
    DataLoader
        torch's loader of this rank.
    last_epoch : bool
        Set it before the last epoch of a data set with `ishuffle`: no further exchange is started.

    Examples
    --------
    >>> loader = ht.utils.data.DataLoader(ht.zeros((8, 2), split=0), batch_size=2)
    >>> next(iter(loader)).shape
    torch.Size([2, 2])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
    ) -> None:
        if isinstance(dataset, ht.DNDarray):
            dataset = Dataset(dataset)
        if not isinstance(dataset, torch_data.Dataset):
            raise TypeError(f"DataLoader: dataset must be a data set of torch or a DNDarray, is {type(dataset)}")
        self.dataset: Any = dataset
        self.ishuffle = getattr(dataset, "ishuffle", None)
        self.DataLoader: torch_data.DataLoader[Any] = torch_data.DataLoader(
            dataset, batch_size=batch_size, shuffle=True, num_workers=num_workers, collate_fn=collate_fn,
            pin_memory=pin_memory, drop_last=drop_last, timeout=timeout, worker_init_fn=worker_init_fn,
        )  # fmt: skip
        self._first_iter = True
        self.last_epoch = False

    def __iter__(self) -> Iterator[Any]:
        """Batches of one epoch; collective where rows are exchanged."""
        if isinstance(self.dataset, partial_dataset.PartialH5Dataset):
            return partial_dataset.PartialH5DataLoaderIter(self)
        if self.ishuffle is not None:
            self._exchange()
        return iter(self.DataLoader)

    def __len__(self) -> int:
        """Batches of an epoch."""
        if isinstance(self.dataset, partial_dataset.PartialH5Dataset):
            rows, of_a_batch = self.dataset.lcl_full_sz, int(self.DataLoader.batch_size or 1)
            return rows // of_a_batch if self.DataLoader.drop_last else -(-rows // of_a_batch)
        return len(self.DataLoader)

    def _exchange(self) -> None:
        first, self._first_iter = self._first_iter, False
        if not self.ishuffle:
            if not first:
                self.dataset.Shuffle()
            return
        dataset_irecv(self.dataset)  # what the last epoch started
        if not self.last_epoch:
            self.dataset.Ishuffle()
