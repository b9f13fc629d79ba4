# SPDX-License-Identifier: BSD-3-Clause
"""One array from the files of a folder, which are dealt out to the ranks."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from equiheat._function import torch_dtype
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.construction import array
from equiheat.devices import sanitize_device
from equiheat.errors import NoDataError
from equiheat.io import _slabs as slabs
from equiheat.io._slabs import Path

if TYPE_CHECKING:
    from equiheat.array import DNDarray

Reader = Callable[[pathlib.Path], torch.Tensor]
Order = Callable[[list[pathlib.Path]], list[pathlib.Path]]


def from_folder(
    path: Path,
    pattern: str,
    read: Reader,
    dtype: Any,
    split: int,
    device: Any,
    comm: Communicator | None,
    fn: str,
    order: Order = sorted,
) -> DNDarray:
    """The tensors of the files that match, joined along `split`, in the distribution the files give. Collective."""
    comm, place = sanitize_comm(comm), sanitize_device(device)
    wanted = torch_dtype(dtype)

    def one(file: pathlib.Path) -> torch.Tensor:
        with slabs.reading(file, fn):
            return read(file)

    def own() -> tuple[torch.Tensor | None, int]:
        files = order(list(slabs.existing(path, fn).glob(pattern)))
        if not files:
            raise NoDataError(f"{fn}: {str(path)!r} has no {pattern}")
        _, _, (part,) = comm.chunk([len(files)], 0)
        tensors = [one(f) for f in files[part]]
        axis = sanitize_split(split, tensors[0].dim(), fn) if tensors else None
        if tensors and axis is None:
            raise ValueError(f"{fn}: split must be an axis, is None")
        return (torch.cat(tensors, axis or 0) if tensors else None), axis or 0

    block, axis = slabs.together(comm, own)
    fact = None if block is None else (tuple(block.shape), block.dtype, axis)
    facts = comm.handle.allgather(fact) if comm.size > 1 else [fact]
    known = [f for f in facts if f is not None]
    shape, _, axis = known[0]
    kind = functools.reduce(torch.promote_types, [f[1] for f in known])
    if block is None:
        block = torch.empty((*shape[:axis], 0, *shape[axis + 1 :]), dtype=kind)
    block = block.to(kind if wanted is None else wanted).to(place.torch_device)
    return array(block, is_split=axis, comm=comm, copy=None)
