# SPDX-License-Identifier: BSD-3-Clause
"""The distributed array class. Methods are the functions of the topic modules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from equiheat import (
    _core,
    arithmetic,
    complex_math,
    conversion,
    diagonals,
    differences,
    distribution,
    exponential,
    gathering,
    halos,
    heat_methods,
    html,
    in_place,
    indexing,
    interchange,
    linalg,
    logical,
    manipulation,
    numpy_protocols,
    printing,
    reductions,
    repetition,
    rounding,
    selection,
    sets,
    sorting,
    statistics,
    torch_methods,
    trigonometry,
)
from equiheat._base import ArrayBase, SparseBase, set_array_type, wrap
from equiheat._operators import comparison, operator, overwrite, reflected
from equiheat._operators import in_place as written
from equiheat.communication import Communicator
from equiheat.io.dispatch import FileMethods
from equiheat.sparse.manipulations import SparseMethods


@set_array_type
class DNDarray(
    heat_methods.HeatMethods,
    html.NotebookMethods,
    diagonals.DiagonalMethods,
    differences.DifferenceMethods,
    gathering.GatheringMethods,
    repetition.RepetitionMethods,
    in_place.InPlaceMethods,
    interchange.InterchangeMethods,
    numpy_protocols.NumPyMethods,
    linalg.LinalgMethods,
    selection.SelectionMethods,
    sets.SetMethods,
    sorting.SortingMethods,
    FileMethods,
    SparseMethods,
    statistics.StatisticsMethods,
    torch_methods.TorchMethods,
    ArrayBase,
):
    """A global array, split along one axis over the ranks of a communicator, or replicated.

    Not made directly: `ht.array`, `ht.zeros` and the other factories do. Operations keep to NumPy's results; the
    result's split is documented with each.
    """

    __slots__ = ("__weakref__", "_halo_next", "_halo_prev", "_leaf", "_map")
    _map: tuple[_core.Array, Tensor]
    _halo_next: Tensor | None
    _halo_prev: Tensor | None
    __hash__ = (
        object.__hash__
    )  # of the object, as in Heat: == is element-wise, so dictionaries find an array by identity

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
    def size(self) -> torch_methods.ElementCount:
        """Number of elements of the global array; called as in torch, ``x.size(0)``, its shape or an extent. Local."""
        return torch_methods.ElementCount.of(self._core)

    @property
    def gnumel(self) -> int:
        """Number of elements of the global array. Local."""
        return self._core.size

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
        known = getattr(self, "_map", None)
        if known is None or known[0] is not self._core:
            shapes = torch.tensor(self.shape, dtype=torch.int64).repeat(self.comm.size, 1)
            if self.split is not None:
                shapes[:, self.split] = torch.tensor(self._core.counts)
            self._map = known = (self._core, shapes)
        return known[1]

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
    __iter__ = conversion.__iter__
    __contains__ = conversion.__contains__
    __format__ = conversion.__format__
    __copy__ = conversion.__copy__
    __deepcopy__ = conversion.__deepcopy__
    # ------------------------------------------------------------------ gradients
    requires_grad = property(conversion.requires_grad, conversion.set_requires_grad)
    requires_grad_ = conversion.requires_grad_
    grad = property(conversion.grad, conversion.set_grad)
    backward = conversion.backward
    detach = conversion.detach

    # ------------------------------------------------------------------ linear algebra

    def __matmul__(self, other: linalg.ArrayLike) -> DNDarray:
        """`linalg.matmul`."""
        return NotImplemented if isinstance(other, SparseBase) else linalg.matmul(self, other)

    def __rmatmul__(self, other: linalg.ArrayLike) -> DNDarray:
        """`linalg.matmul` of another library's array and this one."""
        return linalg.matmul(other, self)

    def __imatmul__(self, other: linalg.ArrayLike) -> DNDarray:
        """`linalg.matmul` written into this array, which keeps its dtype, shape and split."""
        return overwrite(self, linalg.matmul(self, other), "matmul")

    @property
    def mT(self) -> DNDarray:
        """The last two axes swapped; the split follows its axis. Local."""
        return linalg.matrix_transpose(self)

    # ------------------------------------------------------------------ operators
    __add__, __radd__, __iadd__ = operator("add"), reflected("add"), written("add")
    __sub__, __rsub__, __isub__ = operator("subtract"), reflected("subtract"), written("subtract")
    __mul__, __rmul__, __imul__ = operator("multiply"), reflected("multiply"), written("multiply")
    __truediv__, __rtruediv__, __itruediv__ = operator("divide"), reflected("divide"), written("divide")
    __floordiv__, __rfloordiv__, __ifloordiv__ = (
        operator("floor_divide"),
        reflected("floor_divide"),
        written("floor_divide"),
    )
    __mod__, __rmod__, __imod__ = operator("remainder"), reflected("remainder"), written("remainder")
    __ipow__ = written("power")
    __and__, __rand__, __iand__ = operator("bitwise_and"), reflected("bitwise_and"), written("bitwise_and")
    __or__, __ror__, __ior__ = operator("bitwise_or"), reflected("bitwise_or"), written("bitwise_or")
    __xor__, __rxor__, __ixor__ = operator("bitwise_xor"), reflected("bitwise_xor"), written("bitwise_xor")
    __lshift__, __rlshift__, __ilshift__ = operator("left_shift"), reflected("left_shift"), written("left_shift")
    __rshift__, __rrshift__, __irshift__ = operator("right_shift"), reflected("right_shift"), written("right_shift")
    __eq__ = comparison("eq")  # type: ignore[assignment]
    __ne__ = comparison("ne")  # type: ignore[assignment]
    __lt__ = operator("lt")
    __le__ = operator("le")
    __gt__ = operator("gt")
    __ge__ = operator("ge")
    __neg__, __pos__, __abs__, __invert__ = (
        arithmetic.negative,
        arithmetic.positive,
        rounding.absolute,
        logical.invert,
    )
    __round__ = rounding.round

    # ------------------------------------------------------------------ element-wise
    copysign = arithmetic.copysign
    modf = arithmetic.modf
    nan_to_num = arithmetic.nan_to_num
    sign = arithmetic.sign
    sgn = arithmetic.sgn
    signbit = arithmetic.signbit
    sqrt = arithmetic.sqrt
    square = arithmetic.square
    reciprocal = arithmetic.reciprocal
    exp = exponential.exp
    exp2 = exponential.exp2
    expm1 = exponential.expm1
    log = exponential.log
    log2 = exponential.log2
    log10 = exponential.log10
    log1p = exponential.log1p
    sin = trigonometry.sin
    cos = trigonometry.cos
    tan = trigonometry.tan
    arcsin = trigonometry.arcsin
    asin = trigonometry.asin
    arccos = trigonometry.arccos
    acos = trigonometry.acos
    arctan = trigonometry.arctan
    atan = trigonometry.atan
    arctan2 = trigonometry.arctan2
    atan2 = trigonometry.atan2
    sinh = trigonometry.sinh
    cosh = trigonometry.cosh
    tanh = trigonometry.tanh
    arcsinh = trigonometry.arcsinh
    asinh = trigonometry.asinh
    arccosh = trigonometry.arccosh
    acosh = trigonometry.acosh
    arctanh = trigonometry.arctanh
    atanh = trigonometry.atanh
    degrees = trigonometry.degrees
    rad2deg = trigonometry.rad2deg
    radians = trigonometry.radians
    deg2rad = trigonometry.deg2rad
    absolute = rounding.absolute
    abs = rounding.abs
    fabs = rounding.fabs
    ceil = rounding.ceil
    floor = rounding.floor
    trunc = rounding.trunc
    round = rounding.round
    conj = complex_math.conj
    conjugate = complex_math.conjugate
    angle = complex_math.angle
    isreal = complex_math.isreal
    isfinite = logical.isfinite
    isinf = logical.isinf
    isnan = logical.isnan
    logical_not = logical.logical_not

    @property
    def real(self) -> DNDarray:
        """Real part, which can be written. Local."""
        return complex_math.real(self)

    @real.setter
    def real(self, value: indexing.Value) -> None:
        self.real[...] = value

    @property
    def imag(self) -> DNDarray:
        """Imaginary part, which can be written if the numbers are complex. Local."""
        return complex_math.imag(self)

    @imag.setter
    def imag(self, value: indexing.Value) -> None:
        if not self._core.local.is_complex():
            raise TypeError(f"imag: numbers of type {self.dtype.__name__} have no imaginary part to write")
        self.imag[...] = value

    # ------------------------------------------------------------------ reductions
    sum = reductions.sum
    prod = reductions.prod
    min = reductions.min
    max = reductions.max
    mean = reductions.mean
    var = reductions.var
    std = reductions.std
    any = reductions.any
    all = reductions.all
    argmin = reductions.argmin
    argmax = reductions.argmax
    cumsum = reductions.cumsum
    cumprod = reductions.cumprod
    ptp = reductions.ptp
    nansum = reductions.nansum

    # ------------------------------------------------------------------ distribution
    resplit = distribution.resplit
    resplit_ = distribution.resplit_
    redistribute = distribution.redistribute
    redistribute_ = distribution.redistribute_
    balance = distribution.balance
    balance_ = distribution.balance_
    collect = distribution.collect
    collect_ = distribution.collect_

    # ------------------------------------------------------------------ halos
    get_halo = halos.get_halo
    halo_prev = property(halos.halo_prev)
    halo_next = property(halos.halo_next)
    array_with_halos = property(halos.array_with_halos)

    # ------------------------------------------------------------------ shape and order
    reshape = manipulation.reshape
    ravel = manipulation.ravel
    expand_dims = manipulation.expand_dims
    squeeze = manipulation.squeeze

    def transpose(self, axes: int | Sequence[int] | None = None, *others: int) -> DNDarray:
        """`manipulation.transpose`; axes as one sequence or one by one. Two of three or more change places (torch)."""
        if isinstance(axes, int) and len(others) == 1 and self.ndim > 2:
            return manipulation.swapaxes(self, axes, *others)
        return manipulation.transpose(self, (axes, *others) if isinstance(axes, int) else axes)

    swapaxes = manipulation.swapaxes
    T = property(manipulation.transpose)
    flip = manipulation.flip
    roll = manipulation.roll

    # ------------------------------------------------------------------ indexing
    __getitem__ = indexing.getitem
    __setitem__ = indexing.setitem
    take = indexing.take
    nonzero = indexing.nonzero


def from_local(local: Tensor, gshape: Sequence[int], split: int | None, comm: Communicator) -> DNDarray:
    """An array from blocks that follow the chunk rule. Local."""
    return wrap(_core.Array(local, list(gshape), split, None, comm.core))
