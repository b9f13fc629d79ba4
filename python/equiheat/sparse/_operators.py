# SPDX-License-Identifier: BSD-3-Clause
"""What sparse matrices can do: operators, products, sums, conversions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import torch

from equiheat import _core, dtypes
from equiheat._base import SparseBase, wrap
from equiheat._function import deliver, native
from equiheat._sanitize import ordered, sanitize_split
from equiheat.conversion import astype as astype_dense
from equiheat.linalg import matrix_transpose as transpose
from equiheat.promotion import heat_type_is_inexact, promote_types, result_type

if TYPE_CHECKING:
    from typing import Self

    from equiheat._core import SparseMatrix
    from equiheat.array import DNDarray
    from equiheat.sparse.dcsx_matrix import DCSC_matrix, DCSR_matrix, DCSX_matrix


def is_scalar(x: Any) -> bool:
    """True for numbers of Python, NumPy and torch."""
    if isinstance(x, (torch.Tensor, np.ndarray)):
        return x.ndim == 0
    return isinstance(x, (bool, int, float, complex, np.number, np.bool_))


def check_kind(dtype: torch.dtype) -> torch.dtype:
    """The element type, if there are sparse matrices of it; TypeError for unsigned integers beyond uint8. Local."""
    if dtype in (torch.uint16, torch.uint32, torch.uint64):
        name = dtypes.from_torch(dtype).__name__
        raise TypeError(f"sparse matrix: there are none of {name}; give a signed integer type, as dtype=ht.int64")
    return dtype


def _common(a: Any, b: Any) -> torch.dtype:
    """The type of results of two types, for sparse matrices. Local."""
    return check_kind(promote_types(a, b).torch_type())


class Operators(SparseBase):
    """Methods of sparse matrices. Their costs are in the package's docstring."""

    __slots__ = ()
    __array_ufunc__ = None  # NumPy leaves operators to us
    _core: SparseMatrix
    _major: ClassVar[int]
    _other: ClassVar[dict[type, type]] = {}

    # ------------------------------------------------------------------ of one matrix
    def _map(self, values: torch.Tensor) -> Self:
        """Other values at the same places. Local."""
        return cast("Self", type(self)._of(self._core.with_values(values)))  # type: ignore[attr-defined]

    def _made(self, core: SparseMatrix, major: int) -> Any:
        """A matrix of the format whose compressed axis is `major`. Local."""
        cls: Any = type(self) if major == self._major else self._other[type(self)]
        return cls._of(core)

    def astype(self, dtype: Any, copy: bool = True) -> Self:
        """A matrix with another element type; with ``copy=False`` this one, changed in place (as in Heat). Local."""
        values = self._core.values.to(check_kind(dtypes.torch_dtype(dtype)), copy=copy)
        if copy:
            return self._map(values)
        this = cast("DCSX_matrix", self)
        this._core = self._core.with_values(values)
        this._array = None
        return self

    def copy(self) -> Self:
        """A copy with values of its own. Local."""
        return self._map(self._core.values.clone())

    def conj(self) -> Self:
        """Complex conjugate. Local."""
        return self._map(self._core.values.conj().resolve_conj())

    def transpose(self) -> DCSR_matrix | DCSC_matrix:
        """The transpose, in the other format around the same memory. Local."""
        return cast("DCSR_matrix | DCSC_matrix", self._made(self._core, 1 - self._major))

    @property
    def T(self) -> DCSR_matrix | DCSC_matrix:
        """As `transpose`. Local."""
        return self.transpose()

    def tocsr(self) -> DCSR_matrix:
        """With compressed rows; balanced if it was split otherwise. Collective: one alltoallv of the entries."""
        return cast("DCSR_matrix", self if self._major == 0 else self._made(self._core.transposed(), 0))

    def tocsc(self) -> DCSC_matrix:
        """With compressed columns; balanced if it was split otherwise. Collective: one alltoallv of the entries."""
        return cast("DCSC_matrix", self if self._major == 1 else self._made(self._core.transposed(), 1))

    def resplit(self, axis: int | None = None) -> Self:
        """Split along the compressed axis in balanced parts, or replicated. Collective: alltoallv or allgather.

        Raises
        ------
        ValueError
            For the other axis: `tocsr` and `tocsc` change the format.
        """
        from equiheat.sparse.dcsx_matrix import check_split

        at = None if check_split(axis, self._major, "resplit", "axis") is None else 0
        return cast("Self", self._made(self._core.redistribute(at, None), self._major))

    def balance(self) -> Self:
        """The chunk rule along the split. Collective: one alltoallv."""
        return cast("Self", self._made(self._core.redistribute(self._core.split, None), self._major))

    def to_dense(self, order: str = "C", out: DNDarray | None = None) -> DNDarray:
        """As an array of the same distribution. See `sparse.to_dense`."""
        shape: tuple[int, ...] = cast(Any, self).shape
        split = None if self._core.split is None else self._major
        if out is not None and (out.shape, out.split) != (shape, split):
            given = f"shape {out.shape} and split {out.split}"
            raise ValueError(f"to_dense: out must have shape {shape} and split {split}, has {given}")
        dense = wrap(self._core.to_dense())
        dense = ordered((dense if self._major == 0 else transpose(dense))._core, order, "to_dense")
        if order == "C":
            dense = wrap(dense._core.with_local(dense._core.local.contiguous()))
        return deliver(dense, out, True, "to_dense")

    todense = to_dense

    def to_scipy(self) -> Any:
        """As SciPy's csr_array or csc_array, whole on every rank. Collective: allgathers of all entries."""
        import scipy.sparse

        whole = self.resplit(None)._core
        make = scipy.sparse.csr_array if self._major == 0 else scipy.sparse.csc_array
        parts = (whole.values.numpy(), whole.columns.numpy(), whole.begin.numpy())
        return make(parts, shape=cast(Any, self).shape)

    # ------------------------------------------------------------------ sums
    def sum(self, axis: int | None = None, dtype: Any = None) -> DNDarray:
        """Sum of all entries, or along an axis.

        Parameters
        ----------
        axis : int, optional
            0 gives the sums of columns, 1 those of rows; all without.
        dtype : data type, optional
            To compute in; int64 for bool and integers unless given.

        Returns
        -------
        DNDarray
            () replicated, or (n,): split 0 if the matrix is split. Collective: one allreduce, or along the compressed
            axis one alltoallv of the sums each rank has a part in; none across it.
        """
        at = sanitize_split(axis, 2, "sum", "axis")
        own = dtypes.from_torch(self._core.values.dtype)
        target = dtypes.torch_dtype(dtype) if dtype is not None else torch.int64
        if dtype is None and heat_type_is_inexact(own):
            target = own.torch_type()
        core = self._core.with_values(self._core.values.to(target))
        if at is None:
            count, counts = core.values.numel(), None if core.split is None else list(core.entries)
            size = count if counts is None else sum(counts)
            return wrap(_core.Array(core.values, [size], core.split, counts, core.comm)).sum()
        along_rows = at != self._major  # of the compressed axis
        n = core.gshape[1 if along_rows else 0]
        ones = _core.Array(torch.ones(n, dtype=target), [n], None, None, core.comm)
        return wrap(core.times_dense(ones, not along_rows))

    def mean(self, axis: int | None = None) -> DNDarray:
        """Sum by the number of places, stored or not. Otherwise as `sum`."""
        shape = cast(Any, self).shape
        return self.sum(axis) / (shape[0] * shape[1] if axis is None else shape[axis])

    # ------------------------------------------------------------------ with numbers and other sparse matrices
    def _scaled(self, fn: str, scalar: Any) -> Self:
        """A number added to, subtracted from, or multiplied with, the stored entries, or their divisor. Local."""
        scalar = scalar.item() if isinstance(scalar, (torch.Tensor, np.ndarray)) else scalar
        own: Any = dtypes.from_torch(self._core.values.dtype)
        target = check_kind(result_type(own, scalar).torch_type())
        if fn == "divide" and not (target.is_floating_point or target.is_complex):
            target = torch.float32
        values = self._core.values.to(target)
        number = torch.tensor(scalar).to(target)
        return self._map(getattr(torch, fn)(values, number))

    def _combined(self, fn: str, other: Any) -> Any:
        if is_scalar(other):
            return self._scaled(fn, other)
        if not isinstance(other, Operators):
            return NotImplemented
        a, b = cast(Any, self), cast(Any, other)
        if a.shape != b.shape:
            raise ValueError(f"{fn}: matrices must have one shape, have {a.shape} and {b.shape}")
        b = b.tocsr() if self._major == 0 else b.tocsc()
        x, y = _in_one_type(a._core, b._core)
        if fn == "subtract":
            if y.values.dtype == torch.bool:
                raise TypeError("subtract: booleans have no differences; take `astype` of one operand")
            fn, y = "add", y.with_values(-y.values)
        return self._made(x.add(y) if fn == "add" else x.multiply(y), self._major)

    def __add__(self, other: Any) -> Self:
        return cast("Self", self._combined("add", other))

    __radd__ = __add__

    def __mul__(self, other: Any) -> Self:
        return cast("Self", self._combined("multiply", other))

    __rmul__ = __mul__

    def __neg__(self) -> Self:
        return self._map(-self._core.values)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        values = self._core.values
        return self._map(values.clone() if values.dtype == torch.bool else values.abs())

    def __sub__(self, other: Any) -> Self:
        return cast("Self", self._combined("subtract", other))

    def __rsub__(self, other: Any) -> Self:
        return (-self) + other

    def __truediv__(self, other: Any) -> Self:
        return self._scaled("divide", other) if is_scalar(other) else NotImplemented

    # ------------------------------------------------------------------ products
    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, Operators):
            return self._times_sparse(other)
        return self._times_dense(other)

    def __rmatmul__(self, other: Any) -> DNDarray:
        """``x @ a`` is the transpose of ``a.T @ x.T``."""
        x = wrap(native(other, "matmul", "x1", cast(Any, self._core)))
        if x.ndim == 1:
            return cast(Any, self.transpose())._times_dense(x)
        if x.ndim != 2 or x.shape[1] != cast(Any, self).shape[0]:
            raise ValueError(f"matmul: shapes {x.shape} and {cast(Any, self).shape} do not match")
        return transpose(cast(Any, self.transpose())._times_dense(transpose(x)))

    def _times_sparse(self, other: Operators) -> Any:
        a, b = cast(Any, self), cast(Any, other)
        if a.shape[1] != b.shape[0]:
            raise ValueError(f"matmul: shapes {a.shape} and {b.shape} do not match")
        b = b.tocsr() if self._major == 0 else b.tocsc()
        x, y = _in_one_type(a._core, b._core)
        return self._made(x.times(y) if self._major == 0 else y.times(x), self._major)

    def _times_dense(self, other: Any) -> DNDarray:
        x = wrap(native(other, "matmul", "x2", cast(Any, self._core)))
        shape = cast(Any, self).shape
        if x.ndim not in (1, 2) or x.shape[0] != shape[1]:
            raise ValueError(f"matmul: shapes {shape} and {x.shape} do not match")
        common = _common(self._core.values.dtype, x.dtype)
        core = _in_type(self._core, common)
        return wrap(core.times_dense(astype_dense(x, common, copy=False)._core, self._major == 1))


def _in_type(a: SparseMatrix, dtype: torch.dtype) -> SparseMatrix:
    return a if a.values.dtype == dtype else a.with_values(a.values.to(dtype))


def _in_one_type(a: SparseMatrix, b: SparseMatrix) -> tuple[SparseMatrix, SparseMatrix]:
    common = _common(a.values.dtype, b.values.dtype)
    return _in_type(a, common), _in_type(b, common)
