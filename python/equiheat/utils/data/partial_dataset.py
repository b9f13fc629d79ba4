# SPDX-License-Identifier: BSD-3-Clause
"""Data sets that are larger than memory: part of an HDF5 file in memory, replaced while batches are drawn from it."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils import data as torch_data

from equiheat.communication import Communicator, get_comm
from equiheat.io.hdf5 import _h5py

__all__ = ["PartialH5DataLoaderIter", "PartialH5Dataset"]


def queue_thread(q: queue.Queue[Any]) -> None:
    """Run what is put into a queue, one after the other: callables, or tuples of one and its arguments; None ends."""
    while True:
        item = q.get()
        try:
            if item is None:
                return
            if isinstance(item, tuple):
                item[0](*item[1:])
            else:
                item()
        finally:
            q.task_done()


class PartialH5Dataset(torch_data.Dataset[Any]):
    """This rank's rows of an HDF5 file, of which only some are in memory at a time.

    A class of the user's defines ``__getitem__(index)``, which makes a sample of row `index` of the attributes that
    are named after the data sets (``self.data[index]``). `DataLoader` draws batches from the rows in memory at random;
    those that were used are replaced by the next rows of the file. In an epoch every row comes once; `drop_last` of the
    loader leaves out the last batch if it is not full.

    Parameters
    ----------
    file : str
        Path of the file.
    comm : Communicator, optional
        Ranks that share the rows, each a contiguous part of n // ranks.
    dataset_names : str or list of str
        Data sets to load.
    transforms : callable or list, optional
        Called on the parts of a sample, None for those to leave alone.
    use_gpu : bool
        Move batches to the GPU where there is one.
    validate_set : bool
        Every rank loads all rows.
    initial_load : int
        Rows in memory. If this rank has fewer, every rank loads the whole file, as in Heat.
    load_length : int
        Rows that are replaced at a time.

    Raises
    ------
    ImportError
        Without h5py.
    ValueError
        If the data sets of the file have different lengths, or there is none; for numbers of rows below one.
    """

    def __init__(
        self,
        file: str,
        comm: Communicator | None = None,
        dataset_names: str | list[str] = "data",
        transforms: Callable[[Any], Any] | Sequence[Callable[[Any], Any] | None] | None = None,
        use_gpu: bool = True,
        validate_set: bool = False,
        initial_load: int = 7000,
        load_length: int = 1000,
    ) -> None:
        self.h5py = _h5py("PartialH5Dataset")
        self.file = file
        self.comm = get_comm() if comm is None else comm
        self.ishuffle = False
        self.transforms: list[Any] = list(transforms) if isinstance(transforms, (list, tuple)) else [transforms]
        self.gpu = use_gpu and torch.cuda.is_available()
        self.torch_device = torch.device("cuda" if self.gpu else "cpu")
        self.dataset_names = [dataset_names] if isinstance(dataset_names, str) else list(dataset_names)
        for what, rows in (("initial_load", initial_load), ("load_length", load_length)):
            if rows < 1:
                raise ValueError(f"PartialH5Dataset: {what} must be a positive number of rows, is {rows}")
        if not self.dataset_names:
            raise ValueError("PartialH5Dataset: dataset_names has no name")
        with self.h5py.File(file, "r") as opened:
            lengths = {name: len(opened[name]) for name in self.dataset_names}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"PartialH5Dataset: data sets of {file} must have one length, have {lengths}")
        self.total_size = next(iter(lengths.values()))
        self.lcl_full_sz = self.total_size // self.comm.size
        self.partial_dataset = not (validate_set or initial_load > self.lcl_full_sz)
        if not self.partial_dataset:
            self.lcl_full_sz = self.total_size
        self.local_data_start = self.comm.rank * self.lcl_full_sz if self.partial_dataset else 0
        self.local_data_end = self.local_data_start + self.lcl_full_sz
        self.load_initial = initial_load if self.partial_dataset else self.total_size
        self.load_len = load_length if self.partial_dataset else 0
        self.used_indices: list[int] = []
        self.rewind()

    def rewind(self) -> None:
        """Load the first rows again: an epoch begins. Local."""
        self.load_start = self.local_data_start
        self.used_indices = []
        for name, rows in self._read(self.load_initial).items():
            setattr(self, name, rows)

    def _read(self, rows: int) -> dict[str, Any]:
        """The next rows of every data set, fewer at the end."""
        stop = min(self.load_start + rows, self.local_data_end)
        with self.h5py.File(self.file, "r") as opened:
            found = {name: opened[name][self.load_start : stop] for name in self.dataset_names}
        self.load_start = stop
        return found

    def thread_replace_converted_batches(self) -> None:
        """Replace the rows of `used_indices` by the next ones of the file, which leave the list. Local.

        Rows for which there is no replacement stay in the list.
        """
        for name, rows in self._read(len(self.used_indices)).items():
            replaced = self.used_indices[: len(rows)]
            getattr(self, name)[replaced] = rows
        self.used_indices = self.used_indices[len(replaced) :]

    def Shuffle(self) -> None:
        """Nothing: batches are drawn at random from what is in memory."""

    def Ishuffle(self) -> None:
        """Nothing, as `Shuffle`."""

    def __getitem__(self, index: Any) -> Any:
        """A sample; to be defined by the user's class."""
        raise NotImplementedError(
            "PartialH5Dataset: define __getitem__(index), which makes a sample of a row in memory"
        )

    def __len__(self) -> int:
        """Rows of the file."""
        return int(self.total_size)

    def sample(self, index: int) -> Any:
        """A sample with its transforms."""
        entry = self[index]
        if isinstance(entry, tuple):
            pairs = zip(entry, [*self.transforms, *[None] * len(entry)], strict=False)
            return tuple(part if change is None else change(part) for part, change in pairs)
        return entry if self.transforms[0] is None else self.transforms[0](entry)


#: The latest epoch of each data set: what ends its thread, and the thread.
_EPOCHS: weakref.WeakKeyDictionary[PartialH5Dataset, tuple[threading.Event, threading.Thread]]
_EPOCHS = weakref.WeakKeyDictionary()


class PartialH5DataLoaderIter:
    """One epoch of a `PartialH5Dataset`: a thread loads rows and makes the next batches while one is worked on.

    A new epoch of a data set ends the one before it, since both would replace the same rows in memory.

    Parameters
    ----------
    loader
        The `DataLoader`.
    """

    def __init__(self, loader: Any) -> None:
        self._stop = threading.Event()
        self.dataset: PartialH5Dataset = loader.dataset
        self.batch_size: int = loader.DataLoader.batch_size
        self._collate_fn = loader.DataLoader.collate_fn
        self.length = len(loader)
        if self.dataset.partial_dataset and self.batch_size > self.dataset.load_initial:
            raise ValueError(
                f"DataLoader: batches of {self.batch_size} rows cannot be drawn from the {self.dataset.load_initial} "
                "in memory; make initial_load of PartialH5Dataset larger"
            )
        self._yielded = 0
        self._random = torch.Generator().manual_seed(int(torch.empty((), dtype=torch.int64).random_()))
        self.ready_batches: queue.Queue[Any] = queue.Queue(maxsize=3)
        thread = threading.Thread(target=self._produce, daemon=True)
        before, _EPOCHS[self.dataset] = _EPOCHS.get(self.dataset), (self._stop, thread)
        if before is not None:
            before[0].set()
            before[1].join()
        thread.start()

    def __len__(self) -> int:
        """Batches of the epoch."""
        return self.length

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._yielded == self.length:
            self._stop.set()
            raise StopIteration
        if self._stop.is_set():
            raise RuntimeError("DataLoader: a newer epoch of this data set has begun")
        self._yielded += 1
        batch = self.ready_batches.get()
        if isinstance(batch, BaseException):
            self._yielded = self.length
            raise batch
        if isinstance(batch, (list, tuple)):
            return [part.to(self.dataset.torch_device) if isinstance(part, torch.Tensor) else part for part in batch]
        return batch.to(self.dataset.torch_device) if isinstance(batch, torch.Tensor) else batch

    def __del__(self) -> None:
        self._stop.set()

    def _put(self, item: Any) -> bool:
        """False if nobody wants it any more."""
        while not self._stop.is_set():
            try:
                self.ready_batches.put(item, timeout=0.05)
            except queue.Full:
                continue
            return True
        return False

    def _produce(self) -> None:
        try:
            for batch in self._batches():
                if not self._put(batch):
                    return
        except BaseException as error:
            self._put(error)

    def _batches(self) -> Iterator[Any]:
        """Rows in memory that were not used yet, in random order; used ones make room for the next of the file."""
        data = self.dataset
        if data.partial_dataset:
            data.rewind()
        fresh = self._shuffled(range(data.load_initial))
        for _ in range(self.length):
            if data.partial_dataset and (len(data.used_indices) >= data.load_len or len(fresh) < self.batch_size):
                used = list(data.used_indices)
                data.thread_replace_converted_batches()
                fresh = self._shuffled([*fresh, *used[: len(used) - len(data.used_indices)]])
            chosen, fresh = fresh[: self.batch_size], fresh[self.batch_size :]
            yield self._collate_fn([data.sample(index) for index in chosen])
            data.used_indices += chosen

    def _shuffled(self, places: Sequence[int]) -> list[int]:
        return [places[i] for i in torch.randperm(len(places), generator=self._random).tolist()]
