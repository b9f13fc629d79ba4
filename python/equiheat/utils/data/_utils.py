# SPDX-License-Identifier: BSD-3-Clause
"""Preparation of ImageNet in TFRecord files: indexes of records, and one HDF5 file of many. Needs no TensorFlow.

A TFRecord file is a sequence of records: length (8 bytes, little-endian), its checksum (4), the record, its checksum
(4). A record is a protocol buffer that maps names to lists of bytes, floats or integers.
"""

from __future__ import annotations

import base64
import io
import os
import pathlib
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["dali_tfrecord2idx", "merge_files_imagenet_tfrecord"]

_NUMBERS = ("image/height", "image/width", "image/channels", "image/class/label", "image/object/bbox/xmin",
            "image/object/bbox/xmax", "image/object/bbox/ymin", "image/object/bbox/ymax",
            "image/object/bbox/label")  # fmt: skip
_TEXTS = ("image/format", "image/filename", "image/class/synset", "image/class/text")


def records(path: pathlib.Path) -> Iterator[tuple[int, bytes]]:
    """(offset, record) of a TFRecord file; ValueError if it ends in the middle of one."""
    with path.open("rb") as file:
        while True:
            offset, head = file.tell(), file.read(12)
            if not head:
                return
            length = struct.unpack("<Q", head[:8])[0] if len(head) == 12 else 0
            body = file.read(length + 4)
            if len(head) < 12 or len(body) < length + 4:
                raise ValueError(f"records: {path} is no TFRecord file: it ends within the record at byte {offset}")
            yield offset, body[:-4]


def dali_tfrecord2idx(train_dir: str, train_idx_dir: str, val_dir: str, val_idx_dir: str) -> None:
    """Index files for DALI: a line "offset size" for every record of every TFRecord file of two folders. Local.

    Parameters
    ----------
    train_dir, val_dir : str
        Folders of TFRecord files.
    train_idx_dir, val_idx_dir : str
        Where the index files go, under the same names.

    Raises
    ------
    ValueError
        For a file that is none of TFRecords.
    """
    for source, target in ((train_dir, train_idx_dir), (val_dir, val_idx_dir)):
        for name in sorted(os.listdir(source)):
            lines = [f"{offset} {len(record) + 16}\n" for offset, record in records(pathlib.Path(source, name))]
            pathlib.Path(target, name).write_text("".join(lines))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) of the fields of a protocol buffer."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        length, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        yield key >> 3, data[at : at + length]
        at += length


def _values(feature: bytes) -> list[Any]:
    """The list in a feature: bytes (field 1), floats (2) or integers (3)."""
    found: list[Any] = []
    for kind, content in _fields(feature):
        for _, value in _fields(content):
            if kind == 1:
                found.append(value)
            elif kind == 2:
                found += struct.unpack(f"<{len(value) // 4}f", value)
            elif isinstance(value, int):
                found.append(value - (value >> 63 << 64))
            else:  # packed
                at = 0
                while at < len(value):
                    number, at = _varint(value, at)
                    found.append(number - (number >> 63 << 64))
    return found


def example(record: bytes) -> dict[str, list[Any]]:
    """The features of a record by name."""
    features: dict[str, list[Any]] = {}
    for _, every in _fields(record):
        for _, entry in _fields(every):
            parts = dict(_fields(entry))
            features[parts[1].decode()] = _values(parts.get(2, b""))
    return features


def _row(features: dict[str, list[Any]]) -> tuple[str, list[float], list[bytes]]:
    """Pixels as text, numbers and texts of an image. Without a box the box is the image and its label -2."""
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(features["image/encoded"][0])).convert("RGB"))
    first = {name: values[0] for name, values in features.items() if values}
    missing = dict(zip(_NUMBERS[4:], (0.0, first["image/width"], 0.0, first["image/height"], -1), strict=True))
    numbers = [float(first[name]) for name in _NUMBERS[:4]]
    numbers += [float(first.get(name, missing[name])) for name in _NUMBERS[4:]]
    numbers[3] -= 1
    numbers[8] -= 1
    text = base64.b64encode(pixels.tobytes()).decode("ascii")
    return text, numbers, [first[name] for name in _TEXTS]


def merge_files_imagenet_tfrecord(folder_name: str, output_folder: str | None = None) -> None:
    """Make two HDF5 files of the TFRecord files of ImageNet 2012. Local: one rank should call it.

    Parameters
    ----------
    folder_name : str
        Folder of files whose names begin with "train" and "val".
    output_folder : str, optional
        Where ``imagenet_merged.h5`` and ``imagenet_merged_validation.h5`` go; default: the current folder.

    Notes
    -----
    Each file has "images" (the RGB pixels of an image in base64), "metadata" (height, width, channels, label, box and
    its label, labels from 0) and "file_info" (format, file name, synset, text); attributes name the columns. Needs h5py
    and Pillow.
    """
    import h5py

    folder, target = pathlib.Path(folder_name), pathlib.Path(output_folder or ".")
    for prefix, name in (("train", "imagenet_merged.h5"), ("val", "imagenet_merged_validation.h5")):
        with h5py.File(target / name, "w") as file:
            images = file.create_dataset("images", (0,), maxshape=(None,), dtype=h5py.string_dtype("ascii"))
            metadata = file.create_dataset("metadata", (0, len(_NUMBERS)), maxshape=(None, len(_NUMBERS)), dtype="f4")
            info = file.create_dataset("file_info", (0, len(_TEXTS)), maxshape=(None, len(_TEXTS)), dtype="S64")
            metadata.attrs["column_names"], info.attrs["column_names"] = _NUMBERS, _TEXTS
            for path in sorted(folder.glob(f"{prefix}*")):
                rows = [_row(example(record)) for _, record in records(path)]
                start = len(images)
                for dataset, column in zip((images, metadata, info), zip(*rows, strict=True), strict=True):
                    dataset.resize(start + len(rows), axis=0)
                    dataset[start:] = np.array(column, dtype=dataset.dtype)
