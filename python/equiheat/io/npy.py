# SPDX-License-Identifier: BSD-3-Clause
"""NumPy's own file format, without pickle: every rank maps its slab, all ranks write at once."""

from __future__ import annotations

import io
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import dtypes
from equiheat._function import torch_dtype
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device
from equiheat.distribution import resplit
from equiheat.io import _slabs as slabs
from equiheat.io._folders import from_folder
from equiheat.io._slabs import Path
from equiheat.io.csv import write_pieces

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _native(block: Any) -> torch.Tensor:
    """A tensor with memory of its own, in this machine's byte order."""
    block = np.array(block, dtype=block.dtype.newbyteorder("="), order="C")
    return torch.from_numpy(block)


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
    comm, place = sanitize_comm(comm), sanitize_device(device)
    wanted = torch_dtype(dtype)

    def read() -> tuple[torch.Tensor, list[int], int | None]:
        data = np.load(slabs.existing(path, "load_npy"), mmap_mode="r", allow_pickle=False)
        parts = slabs.chosen(data.shape, slices, "load_npy")
        axis = sanitize_split(split, len(parts), "load_npy")
        local = _native(data[slabs.own_part(parts, axis, comm)])
        return local if wanted is None else local.to(wanted), slabs.extents(parts), axis

    local, shape, axis = slabs.together(comm, read)
    return slabs.assembled(local, shape, axis, place, comm)


def save_npy(data: DNDarray, path: Path) -> None:
    """An array as a .npy file in C order, which takes the place of an old one when it is complete.

    bfloat16 becomes float32. Ranks write at once, each at its offset; splits other than 0 are moved there before by
    one alltoallv.

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
    x = resplit(x, 0) if x.split not in (None, 0) else x
    block = slabs.values(x, torch.float32 if x.larray.dtype == torch.bfloat16 else None)
    head = io.BytesIO()
    header = {"descr": np.lib.format.dtype_to_descr(block.dtype), "fortran_order": False, "shape": tuple(x.shape)}
    np.lib.format.write_array_header_1_0(head, header)
    piece = memoryview(block.reshape(-1)).cast("B") if slabs.writes(x) and block.size else b""
    with slabs.replaced(x.comm, path, "save_npy") as temporary:
        write_pieces(x.comm, temporary, head.getvalue(), piece, fresh=True)


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
        return _native(np.load(file, allow_pickle=False))

    return from_folder(path, "*.npy", read, dtype, split, device, comm, "load_npy_from_path")
