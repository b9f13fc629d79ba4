# SPDX-License-Identifier: BSD-3-Clause
"""Image folders: every kind of file a user has, and clear words about those that cannot be read."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from equiheat.communication import get_comm
from equiheat.data import load_images


@pytest.fixture
def folder():
    """One temporary folder that all ranks see; rank 0 makes and removes it."""
    comm = get_comm()
    holder = tempfile.TemporaryDirectory() if comm.rank == 0 else None
    name = (holder.name if holder else "").encode().ljust(200)
    path = bytes(comm.bcast(torch.tensor(list(name), dtype=torch.uint8), 0).tolist()).decode().strip()
    yield Path(path)
    comm.barrier()
    if holder:
        holder.cleanup()


def pixels(height, width, channels=3, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return values[:, :, 0] if channels == 1 else values


def write(make):
    """Run on rank 0 when all are done with what was there before, then wait for it."""
    get_comm().barrier()
    if get_comm().rank == 0:
        make()
    get_comm().barrier()


def test_classes_sizes_and_order(folder):
    def make():
        for name, count in (("dog", 3), ("cat", 2)):
            (folder / name).mkdir()
            for number in range(count):
                Image.fromarray(pixels(8, 8, seed=number)).save(folder / name / f"{number}.png")
        (folder / "notes.txt").write_text("no image")

    write(make)
    data = load_images(folder, size=8)
    assert data.classes == ("cat", "dog")
    assert data.labels.tolist() == [0, 0, 1, 1, 1]
    assert data.images.shape == (5, 3, 8, 8)
    assert torch.equal(data.images[0], data.images[2])
    np.testing.assert_array_equal(data.images[1].permute(1, 2, 0).numpy(), pixels(8, 8, seed=1))
    assert len(load_images(folder, size=8, limit=2)) == 2


def test_flat_folder_has_no_labels(folder):
    write(lambda: Image.fromarray(pixels(4, 6)).save(folder / "a.png"))
    data = load_images(folder, size=4)
    assert data.classes == ()
    assert data.labels.tolist() == [-1]
    np.testing.assert_array_equal(data.images[0].permute(1, 2, 0).numpy(), pixels(4, 6)[:, 1:5])


def test_every_kind_of_file(folder):
    def make():
        Image.fromarray(pixels(9, 9)).save(folder / "0_rgb.jpg")
        Image.fromarray(pixels(9, 9, 1)).save(folder / "1_grey.png")
        Image.fromarray(np.full((9, 9, 4), (200, 0, 0, 0), dtype=np.uint8)).save(folder / "2_alpha.png")
        Image.fromarray(pixels(9, 9)).convert("CMYK").save(folder / "3_cmyk.jpg")
        Image.fromarray(np.full((9, 9), 65535, dtype=np.uint16)).save(folder / "4_deep.png")
        Image.fromarray(pixels(9, 9)).convert("P").save(folder / "5_palette.png")
        Image.fromarray(pixels(1, 1)).save(folder / "6_one_pixel.png")
        Image.fromarray(pixels(300, 700)).save(folder / "7_large.jpg")

    write(make)
    data = load_images(folder, size=8)
    assert len(data) == 8
    assert dict(data.converted) == {"grey": 1, "with alpha": 1, "CMYK": 1, "16 bit or float": 1, "palette": 1}
    assert data.images[2].min() == 255  # transparent becomes white
    assert data.images[4].min() == 255
    assert torch.equal(data.images[1][0], data.images[1][2])


def test_corrupt_files_are_left_out_and_named(folder):
    def make():
        for number in range(4):
            Image.fromarray(pixels(8, 8, seed=number)).save(folder / f"{number}.png")
        whole = (folder / "1.png").read_bytes()
        (folder / "1.png").write_bytes(whole[: len(whole) // 2])
        (folder / "2.png").write_bytes(b"no image at all")

    write(make)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = load_images(folder, size=8)
    assert len(data) == 2
    assert [Path(name).name for name in data.skipped] == ["1.png", "2.png"]
    assert torch.equal(data.images[1].permute(1, 2, 0), torch.from_numpy(pixels(8, 8, seed=3)))
    said = [str(w.message) for w in caught if "could not be read" in str(w.message)]
    assert len(said) == (get_comm().rank == 0)
    assert all("2 of 4 files" in text and "1.png" in text for text in said)
    with pytest.raises(ValueError, match=r"2 of 4 files .*1\.png"):
        load_images(folder, size=8, strict=True)


def test_folders_that_give_nothing(folder):
    with pytest.raises(FileNotFoundError, match="nowhere' is not there"):
        load_images(folder / "nowhere", size=8)
    with pytest.raises(FileNotFoundError, match="has no image files below it"):
        load_images(folder, size=8)
    write(lambda: (folder / "bad.jpg").write_bytes(b"x"))
    with pytest.raises(ValueError, match=r"1 of 1 files .* could not be read"):
        load_images(folder, size=8)
    with pytest.raises(ValueError, match="size is 0"):
        load_images(folder, size=0)


def test_values_of_wide_files_do_not_depend_on_what_else_is_there(folder):
    """A dark 16-bit image stays as dark as in a file that has a bright pixel too."""
    deep = {
        "0.png": np.full((8, 8), 200, dtype=np.uint16),
        "1.png": np.full((8, 8), 257 * 100, dtype=np.uint16),
        "2.tif": np.full((8, 8), 257 * 7, dtype=np.uint16),
        "3.tif": np.full((8, 8), 257 * 9, dtype=np.int32),
        "4.tif": np.full((8, 8), 0.5, dtype=np.float32),
        "5.tif": np.full((8, 8), 1.2, dtype=np.float32),
    }

    def make():
        for name, values in deep.items():
            Image.fromarray(values).save(folder / name)

    write(make)
    data = load_images(folder, size=8)
    assert [int(x.unique()) for x in data.images] == [1, 100, 7, 9, 128, 255]
    for number, wrong in enumerate((np.full((8, 8), 90.0), np.full((8, 8), np.nan), np.full((8, 8), -3.0))):
        write(lambda n=number, w=wrong: Image.fromarray(w.astype(np.float32)).save(folder / f"wrong_{n}.tif"))
    with pytest.raises(ValueError, match="3 of 9 files"):
        load_images(folder, size=8, strict=True)


def test_photographs_stand_as_the_camera_was_held(folder):
    def make():
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter
        Image.fromarray(pixels(8, 8)).save(folder / "a.png", exif=exif)

    write(make)
    found = load_images(folder, size=8).images[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(found, np.rot90(pixels(8, 8), -1))


def test_a_stray_file_beside_class_folders_has_no_class(folder):
    def make():
        for name in ("cat/0", "cat/1", "dog/0", "stray"):
            (folder / name).parent.mkdir(exist_ok=True)
            Image.fromarray(pixels(8, 8)).save(folder / f"{name}.png")

    write(make)
    data = load_images(folder, size=8)
    assert data.classes == ("cat", "dog")
    assert data.labels.tolist() == [0, 0, 1, -1]
    write(lambda: [Image.fromarray(pixels(8, 8)).save(folder / f"more_{n}.png") for n in range(4)])
    assert load_images(folder, size=8).classes == ()  # a flat folder with two albums in it
