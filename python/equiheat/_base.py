# SPDX-License-Identifier: BSD-3-Clause
"""What topic modules need of the array class without importing it: wrapping and unwrapping the native object."""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from equiheat import _core
from equiheat.communication import get_comm

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class ArrayBase:
    """Holds the native array; `equiheat.array.DNDarray` adds everything else."""

    __slots__ = ("_core",)
    _core: _core.Array


_array_type: type[DNDarray] = ArrayBase  # type: ignore[assignment]
_new = object.__new__


class SparseBase:
    """What a DNDarray leaves operators with to the other operand."""

    __slots__ = ()


def set_array_type(cls: type[DNDarray]) -> type[DNDarray]:
    """Class decorator: results of operations become `cls`."""
    global _array_type
    _array_type = cls
    _core.set_array_class(cls, ArrayBase, as_core)
    return cls


def wrap(core: _core.Array) -> DNDarray:
    """The public array around a native one. Local."""
    x = _new(_array_type)
    x._core = core
    return x


def as_core(value: Any, comm: _core.Communicator | None) -> _core.Array | None:
    """The native array of a DNDarray; of numbers, NumPy and torch arrays and sequences one that is replicated over
    `comm` (default: the default communicator). None for anything else. Local, but for sequences of DNDarrays, which
    are stacked.
    """
    if isinstance(value, ArrayBase):
        return value._core
    if isinstance(value, (list, tuple)) and holds_arrays(value):
        return _stacked(value, comm)
    tensor = _tensor_of(value)
    if tensor is None:
        return None
    if comm is None:
        comm = get_comm().core
    return _core.Array(tensor, list(tensor.shape), None, None, comm)


def holds_arrays(value: Sequence[Any]) -> bool:
    """Whether there is a DNDarray in nested sequences."""
    return any(isinstance(x, ArrayBase) or (isinstance(x, (list, tuple)) and holds_arrays(x)) for x in value)


def _stacked(value: Sequence[Any], comm: _core.Communicator | None) -> _core.Array | None:
    """What a sequence means to NumPy, which would look at this rank's blocks alone. Collective where splits differ."""
    ranks = next((x._core.comm for x in value if isinstance(x, ArrayBase)), comm)
    cores = [as_core(x, ranks) for x in value]
    return None if None in cores else _core.stack([core for core in cores if core is not None], 0)


def _tensor_of(value: Any) -> Tensor | None:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic):
        return torch.tensor(value)
    if not isinstance(value, (np.ndarray, np.generic, list, tuple)):
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        return None
    if array.dtype.char in "qQ":  # C's long long, which torch does not know beside long
        array = array.view(array.dtype.str)
    plain = array.flags.writeable and array.dtype.isnative and all(stride >= 0 for stride in array.strides)
    try:
        return torch.from_numpy(array if plain else np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))
    except TypeError:  # a width torch has not
        return None


def unwrap(x: Any, fn: str = "array", argument: str = "x") -> _core.Array:
    """The native array inside a DNDarray; TypeError for anything else. Local."""
    if isinstance(x, ArrayBase):
        return x._core
    raise TypeError(f"{fn}: {argument} must be a DNDarray, is {type(x)}; ht.array(...) makes one")


def _restored(
    tensor: Tensor, shape: list[int], split: int | None, counts: list[int] | None, is_variable: bool = False
) -> _core.Array:
    comm = get_comm().core
    if counts is not None and split is not None and len(counts) != comm.size:
        raise ValueError(f"pickle: this array was split over {len(counts)} ranks, there are {comm.size}")
    return _core.Array(tensor.requires_grad_(is_variable), shape, split, counts, comm)


def _reduced(core: _core.Array) -> tuple[Any, ...]:
    """This rank's part, for a program with as many ranks. Local."""
    own = get_comm().core
    if (core.comm.size, core.comm.rank) != (own.size, own.rank):
        raise TypeError("pickle: only arrays over the default communicator can be pickled; resplit(None).numpy() can")
    block = core.local
    is_variable = block.requires_grad and block.is_leaf  # a copy of a parameter is one, as in torch
    return _restored, (block.detach().clone(), list(core.gshape), core.split, core.counts, is_variable)


copyreg.pickle(_core.Array, _reduced)
