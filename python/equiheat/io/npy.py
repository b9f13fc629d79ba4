# SPDX-License-Identifier: BSD-3-Clause
"""NumPy's own file format, without pickle: every rank maps its slab, all ranks write at once."""

from __future__ import annotations

import io
import pathlib
import tokenize
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import torch

from equiheat import dtypes
from equiheat.communication import Communicator
from equiheat.io import _raw as raw
from equiheat.io import _slabs as slabs
from equiheat.io._folders import from_folder
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def stored(file: BinaryIO, path: pathlib.Path, base: int, fn: str) -> raw.Stored:
    """Where the array lies whose header `file` is at; `base`: where in `path` the stream begins. Local."""
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        shape, fortran, dtype = read(file) if read is not None else ((), False, None)
    except (ValueError, tokenize.TokenError) as error:  # the latter: of a header that is no Python
        raise ValueError(f"{fn}: {str(path)!r} is no file of NumPy's: {error}") from None
    if dtype is None:
        raise ValueError(f"{fn}: {str(path)!r} is of version {version} of the format, for structured types only")
    if dtype.hasobject:
        raise ValueError(f"{fn}: {str(path)!r} has Python objects, which are never unpickled")
    return raw.Stored(path, base + file.tell(), dtype, tuple(shape), fortran)


def header(piece: raw.Piece) -> bytes:
    """Of the file of an array in C order. Local."""
    head = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(piece.block.dtype)
    np.lib.format.write_array_header_1_0(head, {"descr": descr, "fortran_order": False, "shape": piece.shape})
    return head.getvalue()


def load_npy(
    path: Path,
    dtype: Any = None,
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    *,
    slices: Any = None,
) -> DNDarray:
    """An array from a .npy file, of which each rank reads its own part.

    Parameters are those of `load_hdf5`; files with Python objects are refused.

    Examples
    --------
    >>> ht.load_npy("missing.npy")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_npy: there is no 'missing.npy'
    """

    def find() -> raw.Stored:
        found = slabs.existing(path, "load_npy")
        with found.open("rb") as file:
            return stored(file, found, 0, "load_npy")

    return raw.load(find, split, slices, dtype, device, comm, "load_npy")


def save_npy(data: DNDarray, path: Path, *, append: bool = False) -> None:
    """An array as a .npy file in C order, which takes the place of an old one when it is complete.

    Parameters
    ----------
    data : DNDarray
        Any split. bfloat16 becomes float32.
    path : path
    append : bool
        Adds the rows to those of the file, if there is one, in place. The types must be the same, and the extents but
        the first. The header, which tells how many rows there are, is written last.

    Raises
    ------
    TypeError, ValueError, OSError
        No array, a file whose rows are others, file system. On all ranks.

    Notes
    -----
    Ranks write at once, each at its offset; splits other than 0 are moved there before by one alltoallv.

    Examples
    --------
    >>> import tempfile, os
    >>> folder = tempfile.mkdtemp() if ht.get_comm().rank == 0 else None
    >>> path = os.path.join(ht.get_comm().handle.bcast(folder, 0), "x.npy")
    >>> ht.save_npy(ht.arange(6, split=0).reshape(2, 3), path)
    >>> ht.load_npy(path, split=1).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    x = slabs.blocks(data, "save_npy")
    piece = raw.piece(x, torch.float32 if x.larray.dtype == torch.bfloat16 else None)
    if append and slabs.on_first(x.comm, lambda: slabs.is_file(path, "save_npy")):
        with slabs.writing(path, "save_npy"):
            _append(x, piece, pathlib.Path(path))
        return
    head = header(piece)
    with slabs.replaced(x.comm, path, "save_npy") as temporary:
        slabs.on_first(x.comm, lambda: temporary.write_bytes(head))
        raw.write_all(x.comm, temporary, [(len(head) + piece.begin, piece.block)])


def _append(x: DNDarray, piece: raw.Piece, path: pathlib.Path) -> None:
    def look() -> tuple[int, int, bytes]:
        with path.open("rb") as file:
            old = stored(file, path, 0, "save_npy")
        if old.dtype != piece.block.dtype or old.fortran or not old.shape or old.shape[1:] != piece.shape[1:]:
            raise ValueError(
                f"save_npy: rows of {piece.block.dtype} {piece.shape[1:]} do not go behind those of {str(path)!r}, "
                f"which are {old.dtype} {old.shape[1:]}{' in Fortran order' if old.fortran else ''}"
            )
        head = header(piece._replace(shape=(old.shape[0] + piece.shape[0], *piece.shape[1:])))
        if len(head) != old.offset:
            raise ValueError(f"save_npy: the header of {str(path)!r} has no room for another number of rows")
        return old.offset, piece._replace(shape=old.shape).nbytes, head

    if not piece.shape:
        raise ValueError("save_npy: a single number cannot be appended")
    offset, size, head = slabs.on_first(x.comm, look)
    raw.write_all(x.comm, path, [(offset + size + piece.begin, piece.block)])
    slabs.on_first(x.comm, lambda: raw.write(path, 0, head))


def load_npy_from_path(
    path: Path,
    dtype: Any = dtypes.int32,
    split: int = 0,
    device: Any = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """The arrays of all .npy files of a folder, joined along `split` in the order of their names.

    Files are dealt out to ranks; nothing but shapes is sent.

    Examples
    --------
    >>> ht.load_npy_from_path("missing")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_npy_from_path: there is no 'missing'
    """

    def read(file: pathlib.Path) -> torch.Tensor:
        block = np.load(file, allow_pickle=False)
        return torch.from_numpy(np.array(block, dtype=block.dtype.newbyteorder("="), order="C"))

    return from_folder(path, "*.npy", read, dtype, split, device, comm, "load_npy_from_path")
