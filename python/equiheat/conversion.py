# SPDX-License-Identifier: BSD-3-Clause
"""From arrays to other types: element types, devices, Python numbers and lists, NumPy arrays, gradients.

Everything that gives one global answer on every rank (`numpy`, `item`, `tolist`, ``bool(x)``, ``float(x)``) is
collective: every rank must call it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from equiheat import _core, dtypes, interchange
from equiheat._base import unwrap, wrap
from equiheat._sanitize import DeviceLike
from equiheat.devices import Device, device_of, sanitize_device
from equiheat.errors import TruthValueError

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["copy"]


# ---------------------------------------------------------------------- element type and device
def dtype(x: DNDarray) -> dtypes.Datatype:
    """Element type. Local."""
    return dtypes.from_torch(x._core.local.dtype)


def device(x: DNDarray) -> Device:
    """Where this rank's block lives. Local."""
    return device_of(x._core.local.device)


def astype(x: DNDarray, dtype: Any, copy: bool = True) -> DNDarray:
    """The array with another element type; with ``copy=False`` itself if it has that type already. Local.

    Parameters
    ----------
    dtype
        Anything ``canonical_heat_type`` understands.
    copy
        Whether to copy also where nothing changes. The array itself never changes its type.
    """
    core = x._core
    target = dtypes.torch_dtype(dtype)
    return x if not copy and core.local.dtype == target else wrap(core.astype(target))


def copy(x: DNDarray, order: str = "C") -> DNDarray:
    """A copy with memory of its own, the same layout and the same place in the autograd graph. Local.

    NumPy's `order` of memory has no meaning here.
    """
    core = unwrap(x, "copy")
    return wrap(core.with_local(core.local.clone()))


def to_device(x: DNDarray, device: DeviceLike, /, *, stream: object = None) -> DNDarray:
    """The array with its blocks on another device; itself if they are there. Local.

    Parameters
    ----------
    device
        "cpu", "gpu" or a `Device`.
    stream
        Must be None: copies are ordered on torch's current stream.
    """
    if stream is not None:
        raise NotImplementedError("to_device: stream must be None; copies are ordered on torch's current stream")
    core = x._core
    local = core.local.to(sanitize_device(device).torch_device)
    return x if local is core.local else wrap(core.with_local(local))


def cpu(x: DNDarray) -> DNDarray:
    """The array in main memory. Local."""
    return to_device(x, "cpu")


def gpu(x: DNDarray) -> DNDarray:
    """The array on this process's GPU; ValueError where there is none. Local."""
    return to_device(x, "gpu")


# ---------------------------------------------------------------------- NumPy and Python
def for_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    """A tensor's values for NumPy, which has no bfloat16; shares memory where it can."""
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def numpy(x: DNDarray) -> np.ndarray[Any, Any]:
    """The whole array as NumPy's, on every rank; bfloat16 becomes float32. Collective: an allgather when split.

    The result of a replicated array on the CPU shares its memory, as torch's ``numpy()`` does.
    """
    return for_numpy(x._core.resplit(None).local)


def __array__(x: DNDarray, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    """This rank's block for ``np.asarray(x)``: the whole array when it is replicated (Heat's rule). Local.

    NumPy calls this behind the scenes, possibly on one rank only, so that it must not communicate. For the whole
    of a split array use ``x.numpy()``, or `whole_interchange` around code of other libraries; for the block without the
    warning ``x.larray.numpy()``.

    Warns
    -----
    UserWarning
        The array is split over several ranks: another library would take the block for the whole.
    """
    interchange.warn_of_part(x._core)
    block = for_numpy(interchange.given_away(x._core))
    if copy is False and dtype is not None and np.dtype(dtype) != block.dtype:
        raise ValueError(f"__array__: copy=False, but a cast from {block.dtype} to {dtype} needs a copy")
    return np.array(block, dtype=dtype, copy=True) if copy else np.asarray(block, dtype=dtype)


def item(x: DNDarray, *index: Any) -> Any:
    """One element as a Python number, on every rank. Collective when split.

    Parameters
    ----------
    *index
        Nothing, for the only element; one integer, into the elements in C order; an integer for each axis, or a tuple
        of them.

    Raises
    ------
    ValueError
        Without an index, if the array has not exactly one element; if there are neither one nor `ndim` integers.
    IndexError
        If there is no such element.

    Examples
    --------
    >>> x = ht.arange(6, split=0).reshape((2, 3))
    >>> x.item(4), x.item(1, 1)
    (4, 4)
    """
    if not index:
        if x._core.size != 1:
            raise ValueError(f"only one-element DNDarrays can be converted to Python scalars, this has {x._core.size}")
        return x._core.resplit(None).local.item()
    place = index[0] if len(index) == 1 and isinstance(index[0], tuple) else index
    if len(place) == 1 and x._core.ndim != 1:
        flat, size = operator.index(place[0]), x._core.size
        if not -size <= flat < size:
            raise IndexError(f"item: index {flat} is out of bounds for size {size}")
        place = tuple(int(i) for i in np.unravel_index(flat % size, tuple(x._core.gshape)))
    if len(place) != x._core.ndim:
        raise ValueError(f"item: one index or {x._core.ndim} are needed, got {len(place)}")
    element: Any = x
    return element[tuple(operator.index(i) for i in place)]._core.resplit(None).local.item()


def tolist(x: DNDarray, keepsplit: bool = False) -> Any:
    """The array as nested lists of Python numbers, on every rank. Collective when split.

    Parameters
    ----------
    keepsplit
        True gives this rank's block only. Local.
    """
    core = x._core if keepsplit else x._core.resplit(None)
    return core.local.tolist()


def _only(x: DNDarray) -> Any:
    if x._core.size != 1:
        raise TypeError("only size-1 arrays can be converted to Python scalars")
    return x._core.resplit(None).local.item()


def __bool__(x: DNDarray) -> bool:
    """Truth value of a one-element array. Collective when split."""
    if x._core.size == 0:
        raise ValueError("The truth value of an empty array is ambiguous. Use `x.size > 0` to check its size")
    if x._core.size != 1:
        raise TruthValueError(
            "The truth value of an array with more than one element is ambiguous. Use x.any() or x.all()"
        )
    return bool(x._core.resplit(None).local.item())


def __int__(x: DNDarray) -> int:
    """Integer part of a one-element array. Collective when split."""
    return int(_only(x))


def __float__(x: DNDarray) -> float:
    """Value of a one-element array. Collective when split."""
    return float(_only(x))


def __complex__(x: DNDarray) -> complex:
    """Value of a one-element array. Collective when split."""
    return complex(_only(x))


def __index__(x: DNDarray) -> int:
    """Value of a 0-d array of integers, for use as an index. Local."""
    local = x._core.local
    if x._core.ndim != 0 or local.is_floating_point() or local.is_complex() or local.dtype == torch.bool:
        raise TypeError("only integer scalar arrays can be converted to a scalar index")
    return int(local.item())


def __len__(x: DNDarray) -> int:
    """Global length of the first axis. Local."""
    if x._core.ndim == 0:
        raise TypeError("len() of unsized object")
    return int(x._core.gshape[0])


def __iter__(x: DNDarray) -> Iterator[DNDarray]:
    """Rows (entries along axis 0) in global order, on every rank. Collective per row when split along axis 0."""
    if x._core.ndim == 0:
        raise TypeError("iteration over a 0-d array")
    rows: Any = x
    return (rows[i] for i in range(x._core.gshape[0]))


def __contains__(x: DNDarray, value: Any) -> bool:
    """Whether any element equals `value`. Collective when split."""
    equal: Any = x == value
    return bool(equal.any())


def __format__(x: DNDarray, spec: str) -> str:
    """As `str`; a one-element array takes the format of its number. Collective when split."""
    return format(item(x), spec) if spec and x._core.size == 1 else format(str(x), spec)


def __copy__(x: DNDarray) -> DNDarray:
    """As `copy`: NumPy's arrays, too, share no memory with what ``copy.copy`` makes of them. Local."""
    return copy(x)


def __deepcopy__(x: DNDarray, memo: dict[int, Any]) -> DNDarray:
    """As `copy`, outside the autograd graph; the copy of a parameter is one, as in torch. Local."""
    block = x._core.local
    is_variable = block.requires_grad and block.is_leaf
    return wrap(x._core.with_local(block.detach().clone().requires_grad_(is_variable)))


# ---------------------------------------------------------------------- sizes
def itemsize(x: DNDarray) -> int:
    """Bytes of one element. Local."""
    return x._core.local.itemsize


def nbytes(x: DNDarray) -> int:
    """Bytes of the global array (each element counted once). Local."""
    return x._core.size * x._core.local.itemsize


def lnbytes(x: DNDarray) -> int:
    """Bytes of this rank's block. Local."""
    return x._core.local.nbytes


def lnumel(x: DNDarray) -> int:
    """Number of elements of this rank's block. Local."""
    return x._core.local.numel()


class Steps(tuple[int, ...]):
    """Steps along the axes; ``x.stride`` and torch's ``x.stride()`` and ``x.stride(axis)`` are the same."""

    __slots__ = ()

    def __call__(self, dim: int | None = None) -> Any:
        """All of them, or one."""
        return tuple(self) if dim is None else self[dim]


def stride(x: DNDarray) -> Steps:
    """Steps of this rank's block along each axis, in elements (torch's meaning). Local."""
    return Steps(x._core.local.stride())


def strides(x: DNDarray) -> tuple[int, ...]:
    """Steps of this rank's block along each axis, in bytes (NumPy's meaning). Local."""
    return tuple(n * x._core.local.itemsize for n in x._core.local.stride())


def set_larray(x: DNDarray, block: Tensor) -> None:
    """Replace this rank's block by another of the same shape. Local; every rank must do the same.

    Raises
    ------
    TypeError, ValueError
        If it is no tensor, or its shape is not the one the layout gives this rank.
    """
    if not isinstance(block, Tensor):
        raise TypeError(f"larray: the block must be a torch.Tensor, is {type(block)}")
    dtypes.from_torch(block.dtype)
    x._core = x._core.with_local(block)
    x._halo_prev = x._halo_next = None  # they belonged to the old block


# ---------------------------------------------------------------------- gradients
def requires_grad(x: DNDarray) -> bool:
    """Whether autograd records operations on the array. The same on every rank. Local."""
    return x._core.local.requires_grad


def requires_grad_(x: DNDarray, requires_grad: bool = True) -> DNDarray:
    """Start (or stop) recording operations on the array; returns it. Local; every rank must do the same."""
    x._core.local.requires_grad_(requires_grad)
    return x


def set_requires_grad(x: DNDarray, requires_grad: bool) -> None:
    """The setter of the property. Local."""
    x._core.local.requires_grad_(requires_grad)


def grad(x: DNDarray) -> DNDarray | None:
    """The gradient accumulated by `backward`, split as the array; None before. Local."""
    gradient = x._core.local.grad
    return None if gradient is None else wrap(x._core.with_local(gradient))


def set_grad(x: DNDarray, gradient: DNDarray | None) -> None:
    """Replace the accumulated gradient; None clears it. Collective where the layouts differ."""
    x._core.local.grad = None if gradient is None else aligned_with(x._core, unwrap(gradient, "grad"))


def backward(
    x: DNDarray, gradient: DNDarray | None = None, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """Gradients of this array with respect to everything it was computed from. Collective.

    Parameters
    ----------
    gradient
        Weights of the elements of `x`, in its shape; not needed for one element.
    retain_graph
        Keep the graph for another backward pass; what `create_graph` says where it is None.
    create_graph
        Record the gradients' own graph, for second derivatives.

    Raises
    ------
    RuntimeError
        If `x` has more than one element and `gradient` is None, or nothing was recorded.
    """
    core = x._core
    if gradient is None and core.size != 1:
        raise RuntimeError(f"backward: the array has shape {tuple(core.gshape)}; give the gradient= of its elements")
    if gradient is None:
        torch.autograd.backward(core.resplit(None).local.sum(), None, retain_graph, create_graph)
        return
    weights = aligned_with(core, unwrap(gradient, "backward", "gradient"))
    torch.autograd.backward(core.local, weights, retain_graph, create_graph)


def aligned_with(core: _core.Array, other: _core.Array) -> Tensor:
    """The block of `other` that belongs to the block of `core`."""
    if tuple(core.gshape) != tuple(other.gshape):
        raise ValueError(f"gradient of shape {tuple(other.gshape)} for an array of shape {tuple(core.gshape)}")
    moved = other.resplit(core.split)
    if core.counts is not None and core.counts != moved.counts:
        moved = moved.redistribute(core.counts)
    return moved.local.to(core.local.dtype)


def detach(x: DNDarray) -> DNDarray:
    """The same values outside the autograd graph; memory is shared. Local."""
    return wrap(x._core.with_local(x._core.local.detach()))
