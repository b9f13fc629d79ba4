# SPDX-License-Identifier: BSD-3-Clause
"""safetensors: named arrays behind a JSON header, read slab by slab and written by all ranks at once."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat.communication import Communicator
from equiheat.io import _raw as raw
from equiheat.io import _slabs as slabs
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_NAMES = {
    torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.uint16: "U16", torch.int16: "I16",
    torch.uint32: "U32", torch.int32: "I32", torch.uint64: "U64", torch.int64: "I64", torch.float16: "F16",
    torch.bfloat16: "BF16", torch.float32: "F32", torch.float64: "F64", torch.complex64: "C64",
}  # fmt: skip
_TYPES = {name: kind for kind, name in _NAMES.items()}
#: Longest header that a reader of this format must take.
_HEADER = 100_000_000


def load_safetensors(
    path: Path,
    variable: str | None = None,
    dtype: Any = None,
    split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
    *,
    slices: Any = None,
) -> DNDarray:
    """An array from a .safetensors file, of which each rank reads its own part.

    Parameters
    ----------
    path : path
    variable : str, optional
        Name of the array; may be left out where there is one only.
    dtype, split, device, comm, slices
        As in `load_hdf5`.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError, TypeError
        No such file or array, a header that is none, a type that arrays have not. On all ranks.

    Examples
    --------
    >>> ht.load_safetensors("missing.safetensors")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: load_safetensors: there is no 'missing.safetensors'
    """

    def find() -> raw.Stored:
        found = slabs.existing(path, "load_safetensors")
        with found.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size > _HEADER:
                raise ValueError(f"load_safetensors: {str(path)!r} is no safetensors file: a header of {size} bytes")
            try:
                entries = dict(json.loads(file.read(size)))
            except (TypeError, ValueError) as error:
                raise ValueError(f"load_safetensors: {str(path)!r} is no safetensors file: {error}") from None
        entries.pop("__metadata__", None)
        name = slabs.pick(list(entries), variable, path, "load_safetensors")
        try:
            dtype_name, shape = str(entries[name]["dtype"]), tuple(map(operator.index, entries[name]["shape"]))
            begin, end = map(operator.index, entries[name]["data_offsets"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"load_safetensors: {str(path)!r} does not describe {name!r}: {error!r}") from None
        kind = _TYPES.get(dtype_name)
        if kind is None:
            raise TypeError(f"load_safetensors: {name!r} in {str(path)!r} has elements of type {dtype_name}")
        if begin < 0 or end - begin != math.prod(shape) * kind.itemsize:
            raise ValueError(
                f"load_safetensors: {name!r} of {shape} {kind} in {str(path)!r} cannot be at bytes {begin} to {end}"
            )
        seen = torch.int16 if kind == torch.bfloat16 else kind
        little = np.dtype(torch.empty(0, dtype=seen).numpy().dtype).newbyteorder("<")
        return raw.Stored(found, 8 + size + begin, little, shape, seen_as=kind)

    return raw.load(find, split, slices, dtype, device, comm, "load_safetensors")


def save_safetensors(
    data: DNDarray | Mapping[str, DNDarray],
    path: Path,
    variable: str = "data",
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Arrays as a .safetensors file, which takes the place of an old one when it is complete.

    Parameters
    ----------
    data : DNDarray, or mapping of names to them
        Any splits, on one communicator. All types but complex128.
    path : path
    variable : str
        Name of a single array.
    metadata : mapping of str to str, optional
        Kept in the file's header.

    Raises
    ------
    TypeError, ValueError, OSError
        No arrays, complex128, file system. On all ranks.

    Notes
    -----
    Ranks write at once, each at its offset; splits other than 0 are moved there before by one alltoallv.

    Examples
    --------
    >>> import tempfile, os
    >>> folder = tempfile.mkdtemp() if ht.get_comm().rank == 0 else None
    >>> path = os.path.join(ht.get_comm().handle.bcast(folder, 0), "x.safetensors")
    >>> ht.save_safetensors(ht.arange(4, dtype=ht.bfloat16, split=0), path)
    >>> ht.load_safetensors(path, split=0).dtype.__name__
    'bfloat16'
    """
    arrays = slabs.named(data, variable, "save_safetensors")
    comm = next(iter(arrays.values())).comm
    for name, x in arrays.items():
        if x.larray.dtype not in _NAMES:
            raise TypeError(f"save_safetensors: the format has no {x.dtype.__name__}, of which {name!r} is")
    # Wide elements first: every array then begins where its elements may.
    order = sorted(arrays, key=lambda name: (-arrays[name].larray.element_size(), name))
    entries: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    parts: list[tuple[int, Any]] = []
    offset = 0
    for name in order:
        piece = raw.piece(arrays[name])
        end = offset + piece.nbytes
        entries[name] = {"dtype": _NAMES[piece.kind], "shape": piece.shape, "data_offsets": [offset, end]}
        parts.append((offset + piece.begin, piece.block))
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    head = len(text).to_bytes(8, "little") + text
    with slabs.replaced(comm, path, "save_safetensors") as temporary:
        slabs.on_first(comm, lambda: temporary.write_bytes(head))
        raw.write_all(comm, temporary, [(len(head) + begin, block) for begin, block in parts])
