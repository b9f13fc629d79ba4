# SPDX-License-Identifier: BSD-3-Clause
"""The classes of sparse matrices: what they are and what they consist of."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from equiheat import _core, dtypes
from equiheat._base import wrap
from equiheat._sanitize import sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import Device, device_of, sanitize_device
from equiheat.sparse._elements import Elements
from equiheat.sparse._operators import check_kind

if TYPE_CHECKING:
    from typing import Self

    from equiheat.array import DNDarray

__all__ = ["DCSC_matrix", "DCSR_matrix"]


class DCSX_matrix(Elements):
    """What both formats share. `_core` has the rows compressed; of a DCSC_matrix it is the transpose."""

    __slots__ = ("__weakref__", "_array", "_core")
    _major: ClassVar[int]
    _array: Tensor | None

    def __init__(
        self,
        array: Tensor,
        gnnz: int,
        gshape: tuple[int, ...],
        dtype: Any,
        split: int | None,
        device: Any,
        comm: Any,
        balanced: bool,
    ) -> None:
        name, major = type(self).__name__, self._major
        comm = sanitize_comm(comm)
        split = check_split(split, major, name)
        if sanitize_device(device).torch_device.type != "cpu":
            raise NotImplementedError(f"{name}: sparse matrices live on the CPU, device is {device}")
        begin, columns, values = parts_of(array, major)
        shape = (gshape[major], gshape[1 - major])
        counts = None if split is None else comm.allgather(torch.tensor([begin.numel() - 1])).flatten().tolist()
        if sum(counts) != shape[0] if counts is not None else begin.numel() - 1 != shape[0]:
            raise ValueError(f"{name}: gshape is {gshape}, but the blocks add up to {counts or begin.numel() - 1}")
        at = None if split is None else 0
        values = values.to(check_kind(dtypes.torch_dtype(dtype)))
        self._core = _core.sparse_from_block(begin, columns, values, shape, at, counts, comm.core)
        self._array = None
        if self.nnz != gnnz:
            raise ValueError(f"{name}: gnnz is {gnnz}, but the blocks have {self.nnz} entries")

    @classmethod
    def _of(cls, core: _core.SparseMatrix) -> Self:
        """The matrix around a native one. Local."""
        self = cls.__new__(cls)
        self._core = core
        self._array = None
        return self

    # ------------------------------------------------------------------ what it is
    @property
    def shape(self) -> tuple[int, ...]:
        """Global shape. Local."""
        rows, columns = self._core.gshape
        return (rows, columns) if self._major == 0 else (columns, rows)

    gshape = shape

    @property
    def lshape(self) -> tuple[int, ...]:
        """Shape of this rank's block. Local."""
        rows, columns = self._core.begin.numel() - 1, self._core.gshape[1]
        return (rows, columns) if self._major == 0 else (columns, rows)

    @property
    def ndim(self) -> int:
        """2."""
        return 2

    @property
    def split(self) -> int | None:
        """The axis along which the matrix is split, None when every rank holds it whole. Local."""
        return None if self._core.split is None else self._major

    @property
    def dtype(self) -> dtypes.Datatype:
        """Element type. Local."""
        return dtypes.from_torch(self._core.values.dtype)

    @property
    def device(self) -> Device:
        """Where the blocks live. Local."""
        return device_of(self._core.values.device)

    @property
    def comm(self) -> Communicator:
        """The ranks that hold the matrix. Local."""
        return Communicator._of(self._core.comm)

    @property
    def balanced(self) -> bool:
        """True when rows (columns) follow the chunk rule. Local."""
        return self._core.is_balanced

    def is_distributed(self) -> bool:
        """True when split over more than one rank. Local."""
        return self._core.is_distributed

    @property
    def nnz(self) -> int:
        """Number of stored entries on all ranks. Local: it is known everywhere."""
        return sum(self._core.entries)

    gnnz = nnz

    @property
    def lnnz(self) -> int:
        """Number of stored entries on this rank. Local."""
        return self._core.values.numel()

    def counts_displs_nnz(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Entries per rank, and their offsets; ValueError when replicated. Local."""
        if self._core.split is None:
            raise ValueError(
                f"counts_displs_nnz: the {type(self).__name__} has split None; only a split one has counts"
            )
        entries = self._core.entries
        return tuple(entries), tuple(itertools.accumulate(entries[:-1], initial=0))

    # ------------------------------------------------------------------ what it consists of
    @property
    def larray(self) -> Tensor:
        """This rank's block, in torch's sparse layout. Local."""
        if self._array is None:
            make = torch.sparse_csr_tensor if self._major == 0 else torch.sparse_csc_tensor
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that these layouts are in beta
                self._array = make(self.lindptr, self.lindices, self.ldata, size=self.lshape, check_invariants=False)
        return self._array

    @property
    def ldata(self) -> Tensor:
        """Values of this rank's entries. Local."""
        return self._core.values

    @property
    def lindptr(self) -> Tensor:
        """Where this rank's rows (columns) begin among its entries. Local."""
        return self._core.begin

    @property
    def lindices(self) -> Tensor:
        """Column (row) of each of this rank's entries. Local."""
        return self._core.columns

    @property
    def data(self) -> Tensor:
        """Values of all entries, on every rank. Collective: one allgather."""
        return self.ldata if self.split is None else self.comm.allgatherv(self.ldata)

    gdata = data

    @property
    def indices(self) -> Tensor:
        """Column (row) of each entry, on every rank. Collective: one allgather."""
        return self.lindices if self.split is None else self.comm.allgatherv(self.lindices)

    gindices = indices

    @property
    def indptr(self) -> Tensor:
        """Where rows (columns) begin among all entries, on every rank. Collective: one allgather."""
        return self.lindptr if self.split is None else self.global_indptr().resplit(None).larray

    gindptr = indptr

    def global_indptr(self) -> DNDarray:
        """`indptr` as an array split like the rows (columns); the last rank has one number more. Local.

        Raises
        ------
        ValueError
            When the matrix is replicated.
        """
        if self.split is None:
            raise ValueError("global_indptr: the matrix has split None; only a split one has such an array")
        rank, last = self.comm.rank, self.comm.size - 1
        block = self.lindptr + self.counts_displs_nnz()[1][rank]
        counts = self._core.counts
        assert counts is not None
        counts = [*counts[:-1], counts[-1] + 1]
        block = block if rank == last else block[:-1]
        return wrap(_core.Array(block, [sum(counts)], 0, counts, self._core.comm))

    def __repr__(self) -> str:
        block = "" if self.split is None else f"rank {self.comm.rank} of {self.comm.size}, {self.lshape}: "
        return (
            f"({block}indptr: {self.lindptr}, indices: {self.lindices}, data: {self.ldata}, "
            f"dtype=ht.{self.dtype.__name__}, device={self.device}, split={self.split})"
        )

    def __str__(self) -> str:
        """The whole matrix on rank 0, an empty string elsewhere. Collective, with all entries."""
        text = (
            f"(indptr: {self.indptr}, indices: {self.indices}, data: {self.data}, "
            f"dtype=ht.{self.dtype.__name__}, device={self.device}, split={self.split})"
        )
        return text if self.comm.rank == 0 else ""


class DCSR_matrix(DCSX_matrix):
    """Sparse matrix with compressed rows, split along the rows or replicated.

    Parameters
    ----------
    array : torch.Tensor
        This rank's block, in torch's sparse CSR (CSC) layout.
    gnnz : int
        Number of stored entries on all ranks.
    gshape : tuple of int
        Global shape.
    dtype
        Element type; the values are cast to it.
    split : int or None
        0 for DCSR_matrix, 1 for DCSC_matrix, or None: every rank has the whole matrix.
    device
        "cpu".
    comm : Communicator
    balanced : bool
        Accepted for Heat's programs: the extents of all ranks are looked at.

    Raises
    ------
    ValueError
        If `split` is the other axis, or `gnnz` or `gshape` are not what the blocks add up to.

    Notes
    -----
    Collective for a split matrix. `sparse_csr_matrix` and `sparse_csc_matrix` make matrices from anything.
    """

    __slots__ = ()
    _major = 0


class DCSC_matrix(DCSX_matrix):
    """Sparse matrix with compressed columns, split along the columns or replicated. Otherwise as `DCSR_matrix`."""

    __slots__ = ()
    _major = 1


DCSX_matrix._other = {DCSR_matrix: DCSC_matrix, DCSC_matrix: DCSR_matrix}


def check_split(split: int | None, major: int, name: str, argument: str = "split") -> int | None:
    """The split of a matrix of this format; ValueError for the other axis."""
    axis = sanitize_split(split, 2, name, argument)
    if axis not in (None, major):
        raise ValueError(f"{name}: {argument} {split} is not supported, only None and {major} are for this format")
    return axis


def parts_of(array: Tensor, major: int) -> tuple[Tensor, Tensor, Tensor]:
    """Begins, indices and values of a block in torch's layout of this format; others are converted. Local."""
    wanted = torch.sparse_csr if major == 0 else torch.sparse_csc
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that these layouts are in beta
        if array.layout != wanted:
            array = array.to_sparse_csr() if major == 0 else array.to_sparse_csc()
        begin, indices = (
            (array.crow_indices(), array.col_indices()) if major == 0 else (array.ccol_indices(), array.row_indices())
        )
    return begin.to(torch.int64), indices.to(torch.int64), array.values()
