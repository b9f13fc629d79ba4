# SPDX-License-Identifier: BSD-3-Clause
"""The distributed array class. Methods are the functions of the topic modules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from equiheat import _core, conversion, linalg, printing
from equiheat._base import ArrayBase, set_array_type, wrap
from equiheat.communication import Communicator


@set_array_type
class DNDarray(ArrayBase):
    """A global array, split along one axis over the ranks of a communicator, or replicated.

    Not made directly: `ht.array`, `ht.zeros` and the other factories do. Operations keep to NumPy's results; the
    result's split is documented with each.
    """

    __slots__ = ("__weakref__", "_halo_next", "_halo_prev", "_leaf")
    __hash__ = None  # type: ignore[assignment]

    # ------------------------------------------------------------------ what it is
    @property
    def shape(self) -> tuple[int, ...]:
        """Global shape. Local."""
        return self._core.gshape

    gshape = shape

    @property
    def split(self) -> int | None:
        """Axis along which the array is split, None when every rank holds it whole. Local."""
        return self._core.split

    @property
    def ndim(self) -> int:
        """Number of axes. Local."""
        return self._core.ndim

    @property
    def size(self) -> int:
        """Number of elements of the global array. Local."""
        return self._core.size

    gnumel = size

    @property
    def comm(self) -> Communicator:
        """The ranks that hold the array. Local."""
        return Communicator._of(self._core.comm)

    larray = property(
        lambda self: self._core.local, conversion.set_larray, doc="This rank's block; a write changes the array. Local."
    )

    @property
    def lshape(self) -> tuple[int, ...]:
        """Shape of this rank's block. Local."""
        return tuple(self._core.local.shape)

    @property
    def balanced(self) -> bool:
        """True when the extents follow the chunk rule (the first n mod p ranks own one more). Local."""
        return self._core.is_balanced

    def is_balanced(self, force_check: bool = False) -> bool:
        """As `balanced`; the layout is known everywhere, so nothing needs checking. Local."""
        return self._core.is_balanced

    def is_distributed(self) -> bool:
        """True when split over more than one rank. Local."""
        return self._core.is_distributed

    @property
    def lshape_map(self) -> Tensor:
        """(ranks, ndim) int64: the block shape of every rank. Local."""
        shapes = torch.tensor(self.shape, dtype=torch.int64).repeat(self.comm.size, 1)
        if self.split is not None:
            shapes[:, self.split] = torch.tensor(self._core.counts)
        return shapes

    def counts_displs(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Extents along the split per rank, and their offsets; ValueError when replicated. Local."""
        counts = self._core.counts
        if counts is None:
            raise ValueError("counts_displs: the array has split None; only a split array has counts")
        return tuple(counts), tuple(np.cumsum([0, *counts[:-1]]).tolist())

    def create_lshape_map(self, force_check: bool = False) -> Tensor:
        """As `lshape_map`: the layout is known everywhere, so nothing needs checking. Local."""
        return self.lshape_map

    # ------------------------------------------------------------------ types, devices, sizes
    dtype = property(conversion.dtype)
    device = property(conversion.device)
    astype = conversion.astype
    copy = conversion.copy
    to_device = conversion.to_device
    cpu = conversion.cpu
    gpu = conversion.gpu
    itemsize = property(conversion.itemsize)
    nbytes = gnbytes = property(conversion.nbytes)
    lnbytes = property(conversion.lnbytes)
    lnumel = property(conversion.lnumel)
    stride = property(conversion.stride)
    strides = property(conversion.strides)
    # ------------------------------------------------------------------ out of the distributed world
    __str__ = printing.__str__
    __repr__ = printing.__repr__
    numpy = conversion.numpy
    item = conversion.item
    tolist = conversion.tolist
    __array__ = conversion.__array__
    __bool__ = conversion.__bool__
    __int__ = conversion.__int__
    __float__ = conversion.__float__
    __complex__ = conversion.__complex__
    __index__ = conversion.__index__
    __len__ = conversion.__len__
    # ------------------------------------------------------------------ gradients
    requires_grad = property(conversion.requires_grad, conversion.set_requires_grad)
    requires_grad_ = conversion.requires_grad_
    grad = property(conversion.grad, conversion.set_grad)
    backward = conversion.backward
    detach = conversion.detach

    # ------------------------------------------------------------------ linear algebra
    dot = linalg.dot
    matmul = linalg.matmul
    norm = linalg.norm
    outer = linalg.outer
    qr = linalg.qr
    trace = linalg.trace
    tril = linalg.tril
    triu = linalg.triu

    def __matmul__(self, other: DNDarray) -> DNDarray:
        """`linalg.matmul`."""
        return linalg.matmul(self, other) if isinstance(other, ArrayBase) else NotImplemented

    @property
    def mT(self) -> DNDarray:
        """The last two axes swapped; the split follows its axis. Local."""
        return linalg.matrix_transpose(self)

    # ------------------------------------------------------------------ distribution
    def resplit(self, axis: int | None = None) -> DNDarray:
        """The same array, balanced along `axis`, or replicated for None. Collective.

        One alltoallv from axis to axis, one allgather to None, nothing from None. Differentiable.
        """
        return wrap(self._core.resplit(axis))

    def resplit_(self, axis: int | None = None) -> DNDarray:
        """`resplit` in place; returns the array itself. Collective."""
        self._core = self._core.resplit(axis)
        return self

    def redistribute(self, counts: Sequence[int]) -> DNDarray:
        """The same array with these extents along its split, one per rank. Collective: one alltoallv."""
        return wrap(self._core.redistribute(list(counts)))

    def balance(self) -> DNDarray:
        """The same array under the chunk rule along its split. Collective: one alltoallv if anything moves."""
        return wrap(self._core.resplit(self._core.split))

    def balance_(self) -> None:
        """`balance` in place. Collective."""
        self._core = self._core.resplit(self._core.split)


def from_local(local: Tensor, gshape: Sequence[int], split: int | None, comm: Communicator) -> DNDarray:
    """An array from blocks that follow the chunk rule. Local."""
    return wrap(_core.Array(local, list(gshape), split, None, comm.core))
