# SPDX-License-Identifier: BSD-3-Clause
"""Data sets, loaders and samplers of Heat's `utils.data`."""

from __future__ import annotations

import gzip
import io
import queue
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import equiheat as ht
from equiheat.utils.data import _utils, partial_dataset
from equiheat.utils.data.mnist import MNISTDataset, read_idx

data = ht.utils.data


@pytest.fixture
def folder() -> Iterator[Path]:
    """One temporary folder that all ranks see."""
    comm = ht.get_comm()
    holder = tempfile.TemporaryDirectory() if comm.rank == 0 else None
    name = (holder.name if holder else "").encode().ljust(200)
    path = bytes(comm.bcast(torch.tensor(list(name), dtype=torch.uint8), 0).tolist()).decode().strip()
    yield Path(path)
    comm.barrier()
    if holder:
        holder.cleanup()


def everyone(x: torch.Tensor) -> list[Any]:
    """The values of all ranks, sorted."""
    return sorted(ht.get_comm().allgatherv(x.reshape(-1)).tolist())


# ---------------------------------------------------------------------- data sets and loaders
@pytest.mark.parametrize("ishuffle", [False, True])
def test_loader_moves_rows_between_ranks(ishuffle: bool) -> None:
    comm = ht.get_comm()
    x = ht.arange(8 * comm.size + (comm.size > 1), split=0).astype(ht.float32)
    dataset = data.Dataset(x.copy(), transforms=lambda row: row + 0.5, ishuffle=ishuffle)
    loader = data.DataLoader(dataset, batch_size=4)
    assert len(dataset) == 8 and len(loader) == 2
    owned = []
    for epoch in range(3):
        loader.last_epoch = epoch == 2
        batches = list(loader)
        assert [len(b) for b in batches] == [4, 4]
        owned.append(set((torch.cat(batches) - 0.5).tolist()))
        assert everyone(dataset.htdata.larray) == x.numpy().tolist()
        assert owned[-1] <= set(dataset.htdata.larray.tolist())
    if comm.size > 1:
        assert owned[0] != owned[-1]
    still = data.Dataset(x, test_set=True)
    still.Shuffle()
    still.Ishuffle()
    assert still.data.tolist() == x.larray[:8].tolist()


def test_loader_takes_arrays_and_torch_data_sets() -> None:
    x = ht.ones((6, 2), split=None)
    assert sum(len(batch) for batch in data.DataLoader(x, batch_size=4)) == 6
    plain = torch.utils.data.TensorDataset(torch.arange(5))
    assert sorted(int(b[0]) for b in data.DataLoader(plain)) == list(range(5))
    for bad in (3, [1, 2]):
        with pytest.raises(TypeError, match="dataset"):
            data.DataLoader(bad)
    with pytest.raises(TypeError, match="DNDarray"):
        data.Dataset(torch.ones(3))


def test_columns_over_the_ranks_are_refused() -> None:
    """Ranks would exchange parts of rows of different columns."""
    with pytest.raises(ValueError, match="Dataset: array must be split along its rows"):
        data.Dataset(ht.ones((6, 5), split=1))


def test_targets_move_with_their_images() -> None:
    comm = ht.get_comm()
    n = 6 * comm.size
    dataset = data.Dataset(ht.arange(n, split=0).astype(ht.float32))
    dataset.httargets = ht.arange(n, split=0) * 10
    dataset.targets = dataset.httargets.larray
    data.dataset_shuffle(dataset, [["data", "htdata"], ["targets", "httargets"]])
    assert (dataset.data * 10).tolist() == dataset.targets.tolist()
    data.dataset_ishuffle(dataset, [["data", None], ["targets", None]])
    data.dataset_irecv(dataset)
    assert (dataset.data * 10).tolist() == dataset.targets.tolist()
    assert everyone(dataset.data) == list(range(n))


# ---------------------------------------------------------------------- samplers
def test_sampler_shuffles_over_all_ranks_and_keeps_pairs() -> None:
    comm = ht.get_comm()
    n = 5 * comm.size + 3
    x, y = ht.arange(n, split=0), ht.arange(n, split=0) * 2
    one, two = data.DistributedDataset(x), data.DistributedDataset(y)
    first = data.DistributedSampler(one, shuffle=True, seed=3)
    second = data.DistributedSampler(two, shuffle=True, seed=3)
    assert sorted(x.numpy().tolist()) == list(range(n)) and x.numpy().tolist() != list(range(n))
    assert (x.numpy() * 2 == y.numpy()).all()
    order = x.numpy().tolist()
    first.link(second)
    first.set_seed(4)
    assert x.numpy().tolist() != order and (x.numpy() * 2 == y.numpy()).all()
    assert list(first) == list(range(len(x.larray))) and len(first) == len(one) == x.lshape[0]
    loader = torch.utils.data.DataLoader(one, batch_size=2, sampler=first)
    assert torch.cat(list(loader)).tolist() == x.larray.tolist()
    first.set_shuffle_type("local")
    assert second.shuffle_type == "local"
    before = set(x.larray.tolist())
    first.set_seed(None)
    assert set(x.larray.tolist()) == before and sorted(first) == list(range(len(before)))
    first.unlink()
    first.set_shuffle_type("global")
    assert second.shuffle_type == "local"
    assert data.DistributedDataset(x, lambda row: row + 1)[0] == x.larray[0] + 1 or not len(x.larray)


def test_sampler_is_the_same_at_any_rank_count() -> None:
    x = ht.arange(11, split=0)
    data.DistributedSampler(data.DistributedDataset(x), shuffle=True, seed=5)
    assert x.numpy().tolist() == ht.random.default_rng(5).permutation(ht.arange(11)).tolist()


def test_sampler_arguments() -> None:
    dataset = data.DistributedDataset(ht.arange(4, split=0))
    for arguments in ({"shuffle": 1}, {"seed": "a"}, {"shuffle_type": 3}, {"correction": 0}):
        with pytest.raises(TypeError):
            data.DistributedSampler(dataset, **arguments)
    with pytest.raises(TypeError):
        data.DistributedSampler(ht.arange(4, split=0))
    with pytest.raises(ValueError, match="global"):
        data.DistributedSampler(dataset, shuffle_type="both")
    with pytest.raises(TypeError, match="link"):
        data.DistributedSampler(dataset).link(dataset)
    with pytest.raises(TypeError):
        data.DistributedDataset(np.arange(3))
    with pytest.raises(ValueError, match="split"):
        data.DistributedDataset(ht.arange(3))


def test_train_and_validation_parts() -> None:
    x = ht.arange(23, split=0)
    for seed in (2, None):
        parts = data.create_train_val_split(x, x * 3, p=0.7, seed=seed)
        assert [part.shape for part in parts] == [(16,), (16,), (7,), (7,)]
        assert all(part.balanced and part.split == 0 for part in parts)
        train, labels, validate, others = (part.numpy() for part in parts)
        assert (train * 3 == labels).all() and (validate * 3 == others).all()
        assert sorted([*train, *validate]) == list(range(23))
    assert x.numpy().tolist() == list(range(23))
    with pytest.raises(ValueError, match="rows"):
        data.create_train_val_split(x, x[:3])
    with pytest.raises(ValueError, match="share"):
        data.create_train_val_split(x, x, p=1.5)


# ---------------------------------------------------------------------- files
class Rows(data.PartialH5Dataset):
    """Rows of "data" with their numbers."""

    def __getitem__(self, index: int) -> Any:
        return torch.as_tensor(self.data[index]), int(self.number[index])


@pytest.mark.parametrize("validate", [False, True])
def test_partial_data_set_gives_every_row_once(folder: Path, validate: bool) -> None:
    h5py = pytest.importorskip("h5py")
    comm = ht.get_comm()
    n, path = 24 * comm.size, str(folder / "rows.h5")
    if comm.rank == 0:
        with h5py.File(path, "w") as file:
            file["number"] = np.arange(n)
            file["data"] = np.arange(3.0 * n).reshape(n, 3)
            file["short"] = np.arange(3)
    comm.barrier()
    names = ["data", "number"]
    dataset = Rows(path, dataset_names=names, transforms=[lambda row: row * 2, None], validate_set=validate,
                   initial_load=9, load_length=5)  # fmt: skip
    loader = data.DataLoader(dataset, batch_size=4)
    for _ in range(2):
        epoch = list(loader)
        rows, numbers = (torch.cat([batch[i] for batch in epoch]) for i in range(2))
        assert torch.equal(rows, 2.0 * torch.arange(3.0 * n, dtype=torch.float64).reshape(n, 3)[numbers])
        seen = numbers.tolist()
        assert sorted(seen) == (list(range(n)) if validate else sorted(range(24 * comm.rank, 24 * comm.rank + 24)))
        assert seen != sorted(seen)
    assert len(dataset) == n and len(iter(loader)) == len(loader) == len(epoch)
    for drop_last, lengths in ((False, [9, 9, 6]), (True, [9, 9])):
        rest = list(data.DataLoader(dataset, batch_size=9, drop_last=drop_last))
        assert validate or [len(batch[1]) for batch in rest] == lengths
        assert drop_last or sorted(torch.cat([batch[1] for batch in rest]).tolist()) == sorted(seen)
    with pytest.raises(ValueError, match="batches of 10 rows cannot be drawn from the 9 in memory"):
        next(iter(data.DataLoader(Rows(path, dataset_names=names, initial_load=9), batch_size=10)))
    for wrong in ({"initial_load": 0}, {"load_length": -1}, {"dataset_names": []}):
        with pytest.raises(ValueError, match=f"PartialH5Dataset: {next(iter(wrong))}"):
            Rows(path, **{"dataset_names": names, **wrong})
    with pytest.raises(ValueError, match="length"):
        Rows(path, dataset_names=["data", "short"])
    plain = data.PartialH5Dataset(path, dataset_names=names, initial_load=9, load_length=5)
    with pytest.raises(NotImplementedError, match="getitem"):
        next(iter(data.DataLoader(plain, batch_size=2)))


def test_epochs_that_are_left_early(folder: Path) -> None:
    """Their threads went on for ever, and replaced rows under the next epoch."""
    h5py = pytest.importorskip("h5py")
    comm, path = ht.get_comm(), str(folder / "rows.h5")
    if comm.rank == 0:
        with h5py.File(path, "w") as file:
            file["data"] = file["number"] = np.arange(40 * comm.size)
    comm.barrier()
    dataset = Rows(path, dataset_names=["data", "number"], initial_load=5, load_length=1)
    loader, before = data.DataLoader(dataset, batch_size=5), threading.active_count()
    for _ in range(10):
        left = iter(loader)
        next(left)
        numbers = torch.cat([batch[1] for batch in loader]).tolist()
        assert sorted(numbers) == list(range(40 * comm.rank, 40 * comm.rank + 40))
        with pytest.raises(RuntimeError, match="a newer epoch"):
            next(left)
    assert threading.active_count() <= before + 1


def test_queue_thread() -> None:
    jobs: queue.Queue[Any] = queue.Queue()
    done: list[int] = []
    thread = threading.Thread(target=partial_dataset.queue_thread, args=(jobs,))
    thread.start()
    jobs.put((done.append, 1))
    jobs.put(lambda: done.append(2))
    jobs.put(None)
    jobs.join()
    thread.join()
    assert done == [1, 2]


def test_mnist(folder: Path) -> None:
    comm = ht.get_comm()
    n = 6 * comm.size + (comm.size > 1)
    # the first pixel tells one image from all others
    images = (np.arange(n)[:, None, None] + 15 * np.arange(16).reshape(4, 4)).astype(np.uint8)
    labels = (np.arange(n) % 10).astype(np.uint8)
    if comm.rank == 0:
        for name, value in (("train-images-idx3-ubyte.gz", images), ("train-labels-idx1-ubyte", labels)):
            head = struct.pack(f">HBB{value.ndim}I", 0, 8, value.ndim, *value.shape)
            content = head + value.tobytes()
            (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        (folder / "broken").write_bytes(b"\0\0\x08\x01\0\0\0\x09")
    comm.barrier()
    dataset = MNISTDataset(str(folder), target_transform=lambda label: label + 1, download=False)
    assert len(dataset) == 6 and dataset.htdata.shape == (n, 4, 4) and dataset.httargets.split == 0
    image, label = dataset[0]
    assert torch.equal(image, dataset.data[0]) and label == dataset.targets[0] + 1
    for start in (dataset.Shuffle, dataset.Ishuffle):
        start()
        data.dataset_irecv(dataset)
        wanted = torch.from_numpy(images)[:, 0, 0].tolist()
        pairs = dict(zip(wanted, labels.tolist(), strict=True))
        assert all(pairs[int(i[0, 0])] == int(t) for i, t in zip(dataset.data, dataset.targets, strict=True))
    assert len(MNISTDataset(str(folder), download=False, test_set=True)) == n
    if comm.size == 1:
        flat = MNISTDataset(str(folder), transform=lambda picture: np.asarray(picture).sum(), split=None)
        assert flat[1][0] == images[1].sum()
    with pytest.raises(FileNotFoundError, match="t10k"):
        MNISTDataset(str(folder), train=False, download=False)
    with pytest.raises(ValueError, match="split"):
        MNISTDataset(str(folder), split=1)
    for name in ("broken", "train-images-idx3-ubyte.gz"):
        if name == "broken":
            with pytest.raises(ValueError, match="bytes"):
                read_idx(folder / name)
        else:
            assert torch.equal(read_idx(folder / name), torch.from_numpy(images))


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while True:
        value, low = value >> 7, value & 127
        out += bytes([low | (128 if value else 0)])
        if not value:
            return out


def wire(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def record(features: dict[str, Any]) -> bytes:
    """A record of TFRecord with its (unchecked) checksums."""
    entries = b""
    for name, value in features.items():
        if isinstance(value, bytes):
            feature = wire(1, wire(1, value))
        elif isinstance(value, float):
            feature = wire(2, wire(1, struct.pack("<f", value)))
        else:
            feature = wire(3, wire(1, varint(value)))
        entries += wire(1, wire(1, name.encode()) + wire(2, feature))
    body = wire(1, entries)
    return struct.pack("<Q", len(body)) + b"\0" * 4 + body + b"\0" * 4


def test_records_of_imagenet(folder: Path) -> None:
    h5py, image = pytest.importorskip("h5py"), pytest.importorskip("PIL.Image")
    if ht.get_comm().rank:
        return  # one rank prepares files
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    png = io.BytesIO()
    image.fromarray(pixels).save(png, format="PNG")
    plain = {"image/encoded": png.getvalue(), "image/height": 2, "image/width": 3, "image/channels": 3,
             "image/class/label": 7, "image/format": b"PNG", "image/filename": b"a.png", "image/class/synset": b"n1",
             "image/class/text": b"fox"}  # fmt: skip
    boxed = {**plain, "image/object/bbox/xmin": 0.25, "image/object/bbox/xmax": 0.5, "image/object/bbox/ymin": 0.0,
             "image/object/bbox/ymax": 1.0, "image/object/bbox/label": 7}  # fmt: skip
    for name in ("in", "index"):
        (folder / name).mkdir()
    one, two = record(plain), record(boxed)
    (folder / "in" / "train-0").write_bytes(one + two)
    (folder / "in" / "val-0").write_bytes(one)
    _utils.dali_tfrecord2idx(str(folder / "in"), str(folder / "index"), str(folder / "in"), str(folder / "index"))
    assert (folder / "index" / "train-0").read_text() == f"0 {len(one)}\n{len(one)} {len(two)}\n"
    assert _utils.example(record({"x": -5})[12:-4]) == {"x": [-5]}
    _utils.merge_files_imagenet_tfrecord(str(folder / "in"), str(folder))
    import base64

    with h5py.File(folder / "imagenet_merged.h5") as file:
        assert base64.b64decode(file["images"][0]) == pixels.tobytes()
        np.testing.assert_allclose(
            file["metadata"][:], [[2, 3, 3, 6, 0, 3, 0, 2, -2], [2, 3, 3, 6, 0.25, 0.5, 0, 1, 6]]
        )
        assert file["file_info"][1].tolist() == [b"PNG", b"a.png", b"n1", b"fox"]
    with h5py.File(folder / "imagenet_merged_validation.h5") as file:
        assert len(file["images"]) == 1
    (folder / "in" / "train-0").write_bytes(one[:-1])
    with pytest.raises(ValueError, match="TFRecord"):
        list(_utils.records(folder / "in" / "train-0"))
