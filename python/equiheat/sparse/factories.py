# SPDX-License-Identifier: BSD-3-Clause
"""Sparse matrices from what a user calls one."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from equiheat import _core, dtypes
from equiheat._base import ArrayBase
from equiheat._convert import as_tensor
from equiheat._sanitize import DeviceLike, sanitize_shape
from equiheat.communication import Communicator, sanitize_comm
from equiheat.defaults import get_default_split
from equiheat.devices import sanitize_device
from equiheat.sparse._operators import Operators, check_kind
from equiheat.sparse.dcsx_matrix import DCSC_matrix, DCSR_matrix, check_split, parts_of
from equiheat.sparse.manipulations import to_sparse_csc, to_sparse_csr

__all__ = ["sparse_csc_matrix", "sparse_csr_matrix"]

Shape = tuple[int, int]


def sparse_csr_matrix(
    obj: Any,
    dtype: Any = None,
    split: int | None = None,
    is_split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    *,
    shape: Any = None,
) -> DCSR_matrix:
    """A sparse matrix with compressed rows.

    Parameters
    ----------
    obj
        A torch tensor, sparse in any layout or dense; a SciPy sparse matrix or array in any format; a NumPy array or
        nested sequence; a DNDarray or sparse matrix; ``(data, (rows, columns))``: entries in any order; with `shape`
        also ``(data, indices, indptr)``. Entries at one place are added up.
    dtype : data type, optional
        Of the result.
    split : int, optional
        0: every rank passes the same `obj` and keeps its rows, by the chunk rule. None: every rank keeps everything,
        or the default split if there is one (`set_default_split`).
    is_split : int, optional
        0: every rank passes its own rows. With ``(data, (rows, columns))``: its own entries, wherever in the matrix
        they are; then `shape` is needed and the result is balanced.
    device
        "cpu": sparse matrices live there.
    comm : Communicator, optional
    shape : two integers, optional
        Global shape, for the two forms with indices.

    Returns
    -------
    DCSR_matrix

    Raises
    ------
    ValueError
        For a split other than 0, both splits, other than two dimensions, indices outside the shape, blocks of
        different widths. On all ranks.
    TypeError
        For what has no numbers in it; for uint16, uint32 and uint64, of which there are no sparse matrices.

    Notes
    -----
    Communication: one small message for each pair of ranks with `is_split`, and the entries themselves where those of
    a rank belong elsewhere; one number per rank with `split`; none else. Entries whose data, rows and columns are
    DNDarrays with split 0 are each rank's own.

    Examples
    --------
    >>> a = ht.sparse.sparse_csr_matrix(([1, 2, 3], ([0, 1, 1], [2, 0, 0])), shape=(2, 3), split=0)
    >>> a.to_dense().tolist()
    [[0, 0, 1], [5, 0, 0]]
    """
    return cast(DCSR_matrix, _matrix(DCSR_matrix, obj, dtype, split, is_split, device, comm, shape))


def sparse_csc_matrix(
    obj: Any,
    dtype: Any = None,
    split: int | None = None,
    is_split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    *,
    shape: Any = None,
) -> DCSC_matrix:
    """A sparse matrix with compressed columns; splits are None or 1. Otherwise as `sparse_csr_matrix`.

    Examples
    --------
    >>> a = ht.sparse.sparse_csc_matrix([[0, 0, 1], [5, 0, 0]], split=1)
    >>> a.indptr.tolist(), a.indices.tolist(), a.data.tolist()
    ([0, 1, 1, 2], [1, 0], [5, 1])
    """
    return cast(DCSC_matrix, _matrix(DCSC_matrix, obj, dtype, split, is_split, device, comm, shape))


# ---------------------------------------------------------------------- the parts of every form
class _Block:
    """Begins, indices, values (the caller's memory), and the extents along the compressed axis and across it."""

    def __init__(self, begin: Any, indices: Any, values: Any, extents: Shape) -> None:
        self.begin = begin.to(torch.int64).contiguous()
        self.indices, self.values, self.extents = indices, values, extents
        check_kind(values.dtype)

    def misfit(self) -> str | None:
        """What is wrong but for single indices; None if nothing is."""
        begin, indices = self.begin, self.indices
        if begin.dim() != 1 or indices.dim() != 1 or self.values.dim() != 1:
            return "data and indices must have one dimension"
        if begin.numel() != self.extents[0] + 1 or indices.numel() != self.values.numel():
            return f"{self.values.numel()} values, {indices.numel()} indices and {begin.numel()} begins do not fit"
        good = _core.sparse_are_begins(begin, indices.numel())
        return None if good else "indptr must ascend from 0 to the number of entries"

    def problem(self) -> str | None:
        """Why this is no matrix; None if it is one."""
        return self.misfit() or _outside(self.indices, self.extents[1])

    def own_rows(self, comm: Communicator) -> _core.SparseMatrix:
        """This rank's rows of what all ranks have. Collective."""
        _check(self.misfit())
        core = _core.sparse_from_whole(self.begin, self.indices, self.values, self.extents, comm.core)
        if core is None:
            _check(_outside(self.indices, self.extents[1]) or "another rank's indices lie outside its shape")
        return cast(_core.SparseMatrix, core)

    def matrix(self, extents: Shape, split: int | None, counts: Any, comm: Communicator) -> _core.SparseMatrix:
        """With memory of its own. Collective if split."""
        begin, indices = self.begin.clone(), self.indices.to(torch.int64, copy=True)
        return _core.sparse_from_block(begin, indices, self.values.clone(), extents, split, counts, comm.core)


class _Entries:
    """Places along and across the compressed axis, and values; extents None: as far as the indices go."""

    def __init__(self, rows: Tensor, columns: Tensor, values: Tensor, extents: Shape | None) -> None:
        self.rows, self.columns, self.values = rows, columns, values
        check_kind(values.dtype)
        self.extents = extents or tuple(int(x.max()) + 1 if x.numel() else 0 for x in (rows, columns))

    def problem(self) -> str | None:
        """Why this is no matrix; None if it is one."""
        parts = (self.rows, self.columns, self.values)
        if any(x.dim() != 1 or x.numel() != self.values.numel() for x in parts):
            return f"data, rows and columns must be vectors of one length, have {[tuple(x.shape) for x in parts]}"
        return _outside(self.rows, self.extents[0]) or _outside(self.columns, self.extents[1])


def _outside(indices: Tensor, extent: int) -> str | None:
    if indices.numel() == 0 or _core.sparse_are_within(indices.to(torch.int64).contiguous(), extent):
        return None
    return f"indices reach from {int(indices.min())} to {int(indices.max())}, the extent is {extent}"


def _vector(x: Any) -> Tensor | None:
    """The memory of a NumPy vector as SciPy has it nearly always; None for anything else."""
    plain = type(x) is np.ndarray and x.ndim == 1 and x.dtype.char in "ilfd" and x.dtype.isnative
    return torch.from_numpy(x) if plain and x.flags.writeable and x.strides[0] >= 0 else None


def _indices(x: Any) -> Tensor:
    tensor = _vector(x)
    if tensor is None:
        tensor = as_tensor(x, None, torch.device("cpu"), 0)[0]
    if tensor.numel() and (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool):
        raise TypeError(f"sparse matrix: indices must be integers, are {tensor.dtype}")
    return tensor if tensor.numel() else tensor.to(torch.int64)


def _is_entries(obj: Any) -> bool:
    """``(data, (rows, columns))``, which a nested tuple of numbers is not."""
    if not (isinstance(obj, tuple) and len(obj) == 2 and isinstance(obj[1], tuple) and len(obj[1]) == 2):
        return False
    return all(hasattr(x, "ndim") or isinstance(x, list) for x in (obj[0], *obj[1]))


def _parts(obj: Any, dtype: Any, major: int, shape: Any) -> _Block | _Entries:
    """This rank's object, taken apart. Local."""
    extents = None if shape is None else sanitize_shape(shape, "sparse matrix")
    if extents is not None and len(extents) != 2:
        raise ValueError(f"sparse matrix: shape must have two extents, is {extents}")
    turned: Any = extents if major == 0 or extents is None else extents[::-1]
    cpu = torch.device("cpu")
    if _is_entries(obj):
        places = [_indices(x).to(torch.int64) for x in obj[1]]
        return _Entries(places[major], places[1 - major], as_tensor(obj[0], dtype, cpu, 0)[0], turned)
    if extents is not None and isinstance(obj, tuple) and len(obj) == 3:
        values = as_tensor(obj[0], dtype, cpu, 0)[0]
        return _Block(_indices(obj[2]), _indices(obj[1]), values, turned)
    if extents is not None:
        raise ValueError("sparse matrix: shape is for (data, (rows, columns)) and (data, indices, indptr) only")
    if hasattr(obj, "tocsr") and not isinstance(obj, Operators):  # SciPy's
        obj = obj.tocsr() if major == 0 else obj.tocsc()
        plain = _vector(obj.data) if dtype is None else None
        values = as_tensor(obj.data, dtype, cpu, 0)[0] if plain is None else plain
        turned = obj.shape if major == 0 else obj.shape[::-1]
        return _Block(_indices(obj.indptr), _indices(obj.indices), values, turned)
    return _torch_block(obj, dtype, major)


def _torch_block(obj: Any, dtype: Any, major: int) -> _Block | _Entries:
    if not (isinstance(obj, Tensor) and obj.layout != torch.strided):
        obj = as_tensor(obj, dtype, torch.device("cpu"), 0)[0]
    if obj.dim() != 2:
        raise ValueError(f"sparse matrix: the number of dimensions must be 2, is {obj.dim()}")
    check_kind(obj.dtype)
    obj = obj.detach()
    if obj.layout == torch.sparse_coo:
        places = obj._indices()
        extents = (obj.shape[major], obj.shape[1 - major])
        return _Entries(places[major], places[1 - major], _cast(obj._values(), dtype), extents)
    if obj.layout in (torch.sparse_bsr, torch.sparse_bsc):
        obj = obj.to_dense()
    begin, indices, values = parts_of(obj, major)
    return _Block(begin, indices, _cast(values, dtype), (obj.shape[major], obj.shape[1 - major]))


def _cast(values: Tensor, dtype: Any) -> Tensor:
    return values if dtype is None else values.to(dtypes.torch_dtype(dtype))


# ---------------------------------------------------------------------- one matrix from all ranks' parts
def _matrix(
    cls: type[DCSR_matrix | DCSC_matrix],
    obj: Any,
    dtype: Any,
    split: int | None,
    is_split: int | None,
    device: DeviceLike,
    comm: Communicator | None,
    shape: Any,
) -> DCSR_matrix | DCSC_matrix:
    major = cls._major
    if split is not None and is_split is not None:
        raise ValueError("sparse matrix: split and is_split are mutually exclusive parameters")
    own = check_split(is_split, major, cls.__name__, "is_split") is not None
    if split is None and not own and get_default_split() is not None:
        split = major
    cut = check_split(split, major, cls.__name__) is not None
    if device is not None and sanitize_device(device).torch_device.type != "cpu":
        raise NotImplementedError(f"{cls.__name__}: sparse matrices live on the CPU, device is {device}")
    if isinstance(obj, (ArrayBase, Operators)):
        return _from_distributed(cls, obj, dtype, split, is_split)
    if isinstance(obj, tuple) and _is_entries(obj) and isinstance(obj[0], ArrayBase):
        comm, own, obj = _own_entries(obj)
        if shape is None:
            raise ValueError("sparse matrix: entries in DNDarrays need the global shape")
    comm = sanitize_comm(comm)
    if not own:
        core = _assembled(_parts(obj, dtype, major, shape), cut, comm)
    else:
        core = _from_all_ranks(obj, dtype, major, shape, comm)
    return cls._of(core)


def _check(problem: str | None) -> None:
    if problem is not None:
        raise ValueError(f"sparse matrix: {problem}")


def _assembled(parts: _Block | _Entries, cut: bool, comm: Communicator) -> _core.SparseMatrix:
    """Every rank has the same parts. Collective if cut."""
    if cut and isinstance(parts, _Block):
        return parts.own_rows(comm)
    _check(parts.problem())
    if isinstance(parts, _Block):
        return parts.matrix(parts.extents, None, None, comm)
    at = 0 if cut else None
    return _core.sparse_from_entries(parts.rows, parts.columns, parts.values, parts.extents, at, False, comm.core)


def _from_all_ranks(obj: Any, dtype: Any, major: int, shape: Any, comm: Communicator) -> _core.SparseMatrix:
    """Every rank has parts of its own; what is wrong with one is raised on all. Collective."""
    parts: Any = None
    try:
        parts = _parts(obj, dtype, major, shape)
        _check(parts.problem())
        fact: Any = (isinstance(parts, _Entries), tuple(parts.extents), str(parts.values.dtype))
    except (TypeError, ValueError) as error:
        fact = f"{type(error).__name__}: {error}"
        if comm.size == 1:
            raise
    facts = comm.handle.allgather(fact)
    for rank, other in enumerate(facts):
        if isinstance(other, str):
            raise ValueError(f"on rank {rank}: {other}")
    if any(f[0] != facts[0][0] or f[1][1] != facts[0][1][1] or f[2] != facts[0][2] for f in facts):
        raise ValueError(f"sparse matrix: the ranks' blocks do not fit together (is_split): {[f[1:] for f in facts]}")
    if isinstance(parts, _Entries):
        if shape is None:
            raise ValueError("sparse matrix: every rank's own entries need the global shape")
        return _core.sparse_from_entries(parts.rows, parts.columns, parts.values, parts.extents, 0, True, comm.core)
    counts = [f[1][0] for f in facts]
    extents = (sum(counts), parts.extents[1])
    return cast(_core.SparseMatrix, parts.matrix(extents, 0, counts, comm))


def _own_entries(obj: Any) -> tuple[Communicator, bool, Any]:
    """Blocks of entries given as DNDarrays, brought to the extents of the data. Collective."""
    data, places = obj[0], [x if isinstance(x, ArrayBase) else None for x in obj[1]]
    if any(p is None or cast(Any, p).shape != data.shape or data.ndim != 1 for p in places):
        raise ValueError("sparse matrix: data, rows and columns must all be 1-D DNDarrays of one length")
    counts = data._core.counts
    if counts is None:
        return data.comm, False, (data.larray, tuple(cast(Any, p).resplit(None).larray for p in places))
    aligned = [cast(Any, p).resplit(0)._core.redistribute(counts) for p in places]
    return data.comm, True, (data.larray, tuple(p.local for p in aligned))


def _from_distributed(cls: Any, obj: Any, dtype: Any, split: int | None, is_split: int | None) -> Any:
    """From one of our own arrays or matrices, converted and split as asked for; None keeps its distribution."""
    if isinstance(obj, Operators):
        result: Any = obj.tocsr() if cls is DCSR_matrix else obj.tocsc()
    else:
        dense: Any = obj if dtype is None else cast(Any, obj).astype(dtype)
        result = to_sparse_csr(dense) if cls is DCSR_matrix else to_sparse_csc(dense)
    if is_split is not None and result.split != is_split:
        raise ValueError(f"sparse matrix: is_split is {is_split}, but the array has split {obj.split}")
    if split is not None and result.split != split:
        result = result.resplit(split)
    return result if dtype is None or result.dtype == dtypes.canonical_heat_type(dtype) else result.astype(dtype)
