# SPDX-License-Identifier: BSD-3-Clause
"""Data sets that are read while training: folders, tar shards, arrays, 3DIEBench; fetched ahead."""

from __future__ import annotations

import io
import tarfile
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from mpi4py import MPI
from PIL import Image
from test_ssl_data import folder, pixels, write  # noqa: F401 (a fixture)
from test_ssl_train import losses, recipe

import equiheat as ht
from equiheat.communication import Communicator, get_comm
from equiheat.data import ArrayImages, Batch, LazyImages, Objects3D, load_images, open_images, prefetched
from equiheat.data.bench3d import LATENTS, objects_of
from equiheat.data.gathered import gathered
from equiheat.data.opening import kind_of
from equiheat.data.rotations import from_euler
from equiheat.ssl.methods import SIEConfig
from equiheat.ssl.trainer import Trainer


def messy(root):
    """Ten files of every kind, of which numbers 3 and 4 cannot be read."""
    root.mkdir(exist_ok=True)
    Image.fromarray(pixels(9, 9)).save(root / "0_rgb.jpg")
    Image.fromarray(pixels(9, 9, 1)).save(root / "1_grey.png")
    Image.fromarray(pixels(9, 9, 4)).save(root / "2_alpha.png")
    whole = (root / "2_alpha.png").read_bytes()
    (root / "3_cut.png").write_bytes(whole[: len(whole) // 2])
    (root / "4_text.jpg").write_bytes(b"no image at all")
    Image.fromarray(pixels(9, 9)).convert("CMYK").save(root / "5_cmyk.jpg")
    Image.fromarray(np.full((9, 9), 65535, dtype=np.uint16)).save(root / "6_deep.png")
    Image.fromarray(pixels(1, 1)).save(root / "7_one_pixel.png")
    Image.fromarray(pixels(1500, 2000)).save(root / "8_large.jpg")
    bomb = bytearray((root / "1_grey.png").read_bytes())
    bomb[16:24] = (60000).to_bytes(4, "big") * 2  # the header claims 3.6 thousand million pixels
    (root / "9_huge.png").write_bytes(bomb)


def test_a_messy_folder_is_read_and_the_bad_files_are_named(folder):  # noqa: F811
    write(lambda: messy(folder / "a"))
    lazy = LazyImages.folder(folder / "a", size=8, threads=2)
    images = lazy.batch(torch.arange(10), 0).images
    assert images.shape == (10, 3, 8, 8)
    assert [Path(name.split(" (")[0]).name for name in lazy.skipped] == ["3_cut.png", "4_text.jpg", "9_huge.png"]
    with pytest.warns(UserWarning, match="3 of 10 files") if get_comm().rank == 0 else _nothing():
        kept = load_images(folder / "a", size=8)
    assert torch.equal(images[[0, 1, 2, 5, 6, 7, 8]], kept.images)
    assert torch.equal(images[3], images[5])  # the next one that can be read
    assert torch.equal(images[9], images[0])


class _nothing:
    def __enter__(self):
        return None

    def __exit__(self, *_):
        return None


def test_a_messy_folder_trains_alike_at_any_rank_count_and_says_what_was_skipped(folder, capfd):  # noqa: F811
    write(lambda: messy(folder / "a"))
    config = recipe(folder / "run", image_size=16, batch_size=5, steps=3, tensorboard=False)
    found = []
    for comm in (get_comm(), Communicator(MPI.COMM_SELF)):
        lazy = open_images(folder / "a", size=16, cache="none", threads=2, comm=comm)
        found.append(losses(Trainer(config, lazy, comm=comm), 3))
    assert found[0] == pytest.approx(found[1], rel=1e-3)
    last = Trainer(config, open_images(folder / "a", size=16, cache="none", threads=2, comm=get_comm())).fit()
    assert last["skipped"] == 3
    if get_comm().rank == 0:
        told = " ".join(capfd.readouterr().err.split())
        assert "3 files could not be read" in told
        assert "4_text.jpg" in told.replace(" ", "")


def test_nothing_readable_is_an_error(folder):  # noqa: F811
    write(lambda: (folder / "a.png").write_bytes(b"x"))
    with pytest.raises(ValueError, match="none of the 1 images can be read"):
        LazyImages.folder(folder, size=8).batch(torch.tensor([0]), 0)


def shard(path, names):
    with tarfile.open(path, "w") as tar:
        for number, name in names:
            for suffix, body in ((".png", _png(number)), (".cls", b"1")):
                info = tarfile.TarInfo(name + suffix)
                info.size = len(body)
                tar.addfile(info, io.BytesIO(body))


def _png(number):
    buffer = io.BytesIO()
    Image.fromarray(pixels(8, 8, seed=number)).save(buffer, "PNG")
    return buffer.getvalue()


def test_shards_are_read_at_random(folder):  # noqa: F811
    def make():
        shard(folder / "00.tar", [(0, "b"), (1, "a")])
        shard(folder / "01.tar", [(2, "c")])

    write(make)
    assert kind_of(folder) == "shards"
    images = open_images(folder, size=8, comm=get_comm())
    assert len(images) == 3
    for place, number in enumerate((1, 0, 2)):  # sorted by name in each shard
        found = images.batch(torch.tensor([place]), 0).images[0].permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(found, pixels(8, 8, seed=number))
    assert images.batch(torch.tensor([], dtype=torch.int64), 0).images.shape == (0, 3, 8, 8)
    write(lambda: (folder / "02.tar").write_bytes(b"x" * 600))
    with pytest.raises(ValueError, match="is no uncompressed tar file"):
        LazyImages.shards(folder, size=8)
    with pytest.raises(FileNotFoundError, match=r"there are no \.tar files"):
        LazyImages.shards(folder / "none", size=8)


@pytest.mark.parametrize("layout", ["NHW", "NHWC", "NCHW", "uint16", "float"])
def test_arrays_of_any_layout(layout):
    values = np.stack([pixels(8, 8, seed=n) for n in range(5)])
    wanted = torch.from_numpy(values).permute(0, 3, 1, 2).float() / 255
    given = {
        "NHW": values[..., 0],
        "NHWC": values,
        "NCHW": values.transpose(0, 3, 1, 2),
        "uint16": values.astype(np.uint16) * 257,
        "float": values.astype(np.float32) / 255,
    }[layout]
    numbers = torch.tensor([3, 0, 3])
    found = ArrayImages(given, size=8).batch(numbers, 0).images
    expected = wanted[numbers]
    torch.testing.assert_close(found, expected[:, :1].expand(-1, 3, -1, -1) if layout == "NHW" else expected)
    with pytest.raises(ValueError, match=r"expected \(N, H, W\)"):
        ArrayImages(given[0, 0], size=8)


def test_files_of_arrays_and_dndarrays(folder):  # noqa: F811
    values = np.stack([pixels(8, 8, seed=n) for n in range(5)])

    def make():
        np.save(folder / "x.npy", values)
        with h5py.File(folder / "x.h5", "w") as file:
            file["images"], file["labels"] = values, np.arange(5)

    write(make)
    numbers = torch.tensor([4, 1])
    wanted = torch.from_numpy(values[[4, 1]]).permute(0, 3, 1, 2).float() / 255
    for name in ("x.npy", "x.h5"):
        images = open_images(folder / name, size=8, comm=get_comm())
        torch.testing.assert_close(images.batch(numbers, 0).images, wanted)
    assert len(ArrayImages.file(folder / "x.npy", size=8, limit=2)) == 2
    few = ArrayImages.file(folder / "x.npy", size=8, limit=2).batch(torch.tensor([1]), 0).images
    torch.testing.assert_close(few, torch.from_numpy(values[[2]]).permute(0, 3, 1, 2).float() / 255)
    spread = ArrayImages.of_dndarray(ht.array(values, split=0), size=8)
    torch.testing.assert_close(spread.batch(numbers, 0).images, wanted)
    config = recipe(batch_size=4, image_size=8)
    assert np.isfinite(losses(Trainer(config, spread), 2)).all()


def objects(root, count=6, views=4):
    """3DIEBench's layout: the image's brightness tells its view."""
    for number in range(count):
        place = root / f"class{number % 2}" / f"object{number}"
        place.mkdir(parents=True)
        for view in range(views):
            Image.fromarray(np.full((8, 8, 3), 40 * view + 20, dtype=np.uint8)).save(place / f"image_{view}.jpg")
            np.save(place / f"latent_{view}.npy", np.arange(7.0) / 10 + view / 100)


def test_objects_in_two_views(folder):  # noqa: F811
    write(lambda: objects(folder / "o"))
    assert kind_of(folder / "o") == "3diebench"
    data = Objects3D(folder / "o", size=8, part="all")
    assert (len(data), data.views, data.classes) == (6, 4, ("class0", "class1"))
    numbers = torch.arange(6)
    pairs = data.pairs(numbers, 3)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert torch.equal(data.pairs(numbers[2:4], 3), pairs[2:4])
    assert not torch.equal(data.pairs(numbers, 4), pairs)
    batch = data.batch(numbers, 3)
    for column, (images, latents) in enumerate(((batch.images, batch.parameters1), (batch.partner, batch.parameters2))):
        view = (images.float().mean(dim=(1, 2, 3)) / 40 - 0.5).round().long()
        assert torch.equal(view, pairs[:, column])
        torch.testing.assert_close(latents["floor_hue"], 0.3 + pairs[:, column] / 100)
        angles = torch.stack([latents[name] for name in LATENTS[:3]], dim=1)
        torch.testing.assert_close(latents["quaternion"], from_euler(angles))


def test_some_views_are_left_to_be_judged_on(folder):  # noqa: F811
    write(lambda: objects(folder / "o"))
    late = Objects3D(folder / "o", size=8, part="all", views=(2, 4))
    numbers = torch.arange(6)
    assert late.views == 2
    assert late.pairs(numbers, 0).max() == 1
    images, latents = late.read(numbers, torch.tensor([0, 1, 0, 1, 0, 1]))
    view = (images.float().mean(dim=(1, 2, 3)) / 40 - 0.5).round().long()
    assert view.tolist() == [2, 3, 2, 3, 2, 3]
    torch.testing.assert_close(latents[:, 3], 0.3 + view / 100)
    assert Objects3D(folder / "o", size=8, part="all", views=(0, 4)).views == 4
    for wrong in ((3, 4), (0, 5), (-1, 3), (3, 1)):
        with pytest.raises(ValueError, match="of 2 or more of the 4 views there"):
            Objects3D(folder / "o", size=8, part="all", views=wrong)


def test_splits_by_object(folder):  # noqa: F811
    def make():
        objects(folder / "o", count=12, views=2)
        np.save(folder / "pickled.npy", np.array(["/a/b"], dtype=object), allow_pickle=True)

    write(make)
    train, val = (objects_of(folder / "o", part) for part in ("train", "val"))
    assert sorted(train + val) == objects_of(folder / "o", "all")
    assert len(val) == 2
    write(lambda: [np.save(folder / "o" / f"{n}_images.npy", np.array([f"/class1/{n}"])) for n in ("train", "val")])
    assert objects_of(folder / "o", "val") == ["class1/val"]
    write(lambda: (folder / "pickled.npy").rename(folder / "o" / "val_images.npy"))
    with pytest.raises(ValueError, match="Pickled arrays are never loaded"):
        objects_of(folder / "o", "val")


def test_sie_trains_on_objects_and_is_told_the_rotation(folder):  # noqa: F811
    write(lambda: objects(folder / "o"))
    options = SIEConfig(projector=(8, 8), conditions=("quaternion", "floor_hue", "light_hue"))
    config = recipe(method="sie", sie=options, batch_size=4, image_size=8)
    found = [
        losses(Trainer(config, Objects3D(folder / "o", size=8, part="all", comm=comm), comm=comm), 3)
        for comm in (get_comm(), Communicator(MPI.COMM_SELF))
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-3)


class Slow:
    """Counts what is fetched, and when."""

    skipped = ()

    def __init__(self):
        self.order, self.threads = [], set()

    def __len__(self):
        return 100

    def batch(self, indices, epoch):
        time.sleep(0.01)
        self.order.append(int(indices[0]))
        self.threads.add(threading.get_ident())
        return Batch(indices)


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_batches_come_in_order_and_not_all_at_once(ahead):
    slow = Slow()
    stream = prefetched(slow, (torch.tensor([n]) for n in range(8)), 0, ahead=ahead)
    for n, (numbers, batch) in enumerate(stream):
        assert int(numbers) == int(batch.images) == n
        assert len(slow.order) <= n + 2 + ahead
        if n == 4:
            break
    stream.close()
    assert threading.get_ident() not in slow.threads or ahead == 0


def test_errors_of_a_source_reach_the_trainer():
    class Broken(Slow):
        def batch(self, indices, epoch):
            raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone"):
        list(prefetched(Broken(), [torch.tensor([0])], 0))


def test_a_shard_that_was_cut_off_is_named(folder):  # noqa: F811
    """In the data of a member, in a header, between members: tarfile tells the first case alone."""
    write(lambda: shard(folder / "00.tar", [(0, "a"), (1, "b"), (2, "c")]))
    whole = (folder / "00.tar").read_bytes()
    with tarfile.open(folder / "00.tar") as tar:
        pictures = [member for member in tar if member.name.endswith(".png")]
    second, third = pictures[1], pictures[2]
    assert LazyImages.shards(folder, size=8).skipped == ()
    for stop, count in ((third.offset_data + 20, 2), (third.offset, 2), (third.offset + 100, 2), (second.offset, 1)):
        write(lambda stop=stop: (folder / "00.tar").write_bytes(whole[:stop]))
        with pytest.warns(UserWarning, match="1 shards are cut off") if get_comm().rank == 0 else _nothing():
            images = LazyImages.shards(folder, size=8)
        assert len(images) == count
        assert [Path(name.split(" (")[0]).name for name in images.skipped] == ["00.tar"]
        assert f"cut off after {count} images" in images.skipped[0]
        with pytest.raises(ValueError, match=r"cut off, images are missing: .*00\.tar"):
            LazyImages.shards(folder, size=8, strict=True)


def test_arrays_of_an_unclear_scale_are_refused():
    values = np.stack([pixels(8, 8, seed=n) for n in range(5)])
    wanted = torch.from_numpy(values).permute(0, 3, 1, 2).float() / 255
    numbers = torch.tensor([1, 4])
    for given in (
        values.astype(np.float32),
        values.astype(np.int64),
        values.astype(">f4"),
        torch.from_numpy(values).int(),
    ):
        with pytest.raises(ValueError, match="give the scale"):
            ArrayImages(given, size=8)
        found = ArrayImages(given, size=8, scale=255.0).batch(numbers, 0).images
        torch.testing.assert_close(found, wanted[numbers])
    with pytest.raises(ValueError, match=r"image 0 has values from -2 to 2 .* not 0 to 1"):
        ArrayImages(np.linspace(-2, 2, 64, dtype=np.float32).reshape(1, 8, 8), size=8)
    near = np.linspace(-0.1, 1.1, 64, dtype=np.float32).reshape(1, 8, 8)  # what resizing leaves
    assert ArrayImages(near, size=8).batch(torch.tensor([0]), 0).images.max() == 1
    late = np.zeros((1000, 4, 4), dtype=np.float32)
    late[501] = 200
    images = ArrayImages(late, size=4)  # not among those that are looked at first
    with pytest.raises(ValueError, match="image 501 has values from 200 to 200"):
        images.batch(torch.tensor([501]), 0)
    with pytest.raises(ValueError, match="scale is 0"):
        ArrayImages(values, size=8, scale=0.0)


def test_files_of_arrays_that_cannot_be_read_or_are_unclear(folder):  # noqa: F811
    values = np.stack([pixels(8, 8, seed=n) for n in range(5)])

    def make():
        np.save(folder / "float.npy", values.astype(np.float32))
        with h5py.File(folder / "two.h5", "w") as file:
            file["train"], file["test"], file["deep/images"] = values[:3], values[3:], values[1:]
        whole = (folder / "two.h5").read_bytes()
        (folder / "cut.h5").write_bytes(whole[: len(whole) // 2])
        (folder / "cut.npy").write_bytes((folder / "float.npy").read_bytes()[:300])

    write(make)
    comm = get_comm()
    with pytest.raises(ValueError, match=r"cut\.h5' is damaged or no HDF5 file"):
        open_images(folder / "cut.h5", size=8, comm=comm)
    with pytest.raises(ValueError, match=r"cut\.npy' is no array that can be read"):
        open_images(folder / "cut.npy", size=8, comm=comm)
    with pytest.raises(ValueError, match=r"3 data sets of images .*; name one as two\.h5::NAME"):
        open_images(folder / "two.h5", size=8, comm=comm)
    with pytest.raises(ValueError, match=r"no data set 'val' of images; it has: deep/images, test, train"):
        open_images(folder / "two.h5::val", size=8, comm=comm)
    for name, count in (("train", 3), ("test", 2), ("deep/images", 4)):
        assert len(open_images(Path(f"{folder / 'two.h5'}::{name}"), size=8, comm=comm)) == count
    scaled = open_images(folder / "float.npy", size=8, scale=255.0, comm=comm)
    torch.testing.assert_close(
        scaled.batch(torch.tensor([2]), 0).images[0], torch.from_numpy(values[2]).permute(2, 0, 1).float() / 255
    )
    found = gathered(open_images(folder / "two.h5::train", size=8, comm=comm), comm)
    assert torch.equal(found.images, torch.from_numpy(values[:3]).permute(0, 3, 1, 2))
    assert found.labels.tolist() == [-1] * 3


def test_strict_and_cache_reach_every_kind_of_data_or_are_refused(folder):  # noqa: F811
    def make():
        (folder / "s").mkdir()
        shard(folder / "s" / "00.tar", [(0, "a")])
        with tarfile.open(folder / "s" / "00.tar", "a") as tar:
            info = tarfile.TarInfo("b.png")
            info.size = 8
            tar.addfile(info, io.BytesIO(b"no image"))
        objects(folder / "o")
        (folder / "o" / "class0" / "object0" / "image_0.jpg").write_bytes(b"x")
        np.save(folder / "x.npy", np.zeros((3, 8, 8), dtype=np.uint8))

    write(make)
    comm = get_comm()
    for name in ("s", "o", "x.npy"):
        with pytest.raises(ValueError, match="cache is 'memory', which folders of images have alone"):
            open_images(folder / name, size=8, cache="memory", comm=comm)
    for name in ("s", "o"):
        with pytest.raises(ValueError, match=r"a scale .* is for arrays"):
            open_images(folder / name, size=8, scale=2.0, comm=comm)
    assert len(open_images(folder / "s", size=8, comm=comm).batch(torch.arange(2), 0).images) == 2
    with pytest.raises(ValueError, match=r"b\.png could not be read"):
        open_images(folder / "s", size=8, strict=True, comm=comm).batch(torch.arange(2), 0)
    strict = open_images(folder / "o", size=8, strict=True, comm=comm)
    with pytest.raises(ValueError, match=r"image_0\.jpg' could not be read"):
        strict.read(torch.tensor([0]), torch.tensor([0]))
