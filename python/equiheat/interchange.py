# SPDX-License-Identifier: BSD-3-Clause
"""Exchange of memory and meaning with other array libraries: DLPack, the array API standard, torch, partitions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core
from equiheat._base import ArrayBase, wrap
from equiheat._dlpack import capsule_of, tensor_on
from equiheat.communication import Communicator, sanitize_comm
from equiheat.construction import asarray
from equiheat.devices import sanitize_device

if TYPE_CHECKING:
    from types import ModuleType

    from equiheat.array import DNDarray

__all__ = ["from_dlpack", "from_partition_dict", "from_partitioned", "whole_interchange"]

#: Versions of the array API standard whose programs run.
_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> DNDarray:
    """An array on the memory of another library's array.

    Parameters
    ----------
    x
        Has ``__dlpack__``; the same values on every rank. A DNDarray gives itself, split as it is.
    device
        "cpu", "gpu" or a `Device`; default: that of x.
    copy
        None: only if needed (another device, read-only memory, negative strides); True: always; False: never.

    Returns
    -------
    DNDarray
        Replicated, or split along the default split (then each rank copies its chunk).

    Raises
    ------
    TypeError
        If x has no ``__dlpack__``.
    BufferError
        With ``copy=False`` where a copy is needed; if the other library cannot export the array.

    Notes
    -----
    A split DNDarray passed to another library's ``from_dlpack`` gives this rank's block, without a copy: the protocol
    must work on one rank alone and cannot communicate. ``x.resplit(None)`` gives the whole array.

    Examples
    --------
    >>> ht.from_dlpack(torch.arange(3)).tolist()
    [0, 1, 2]
    """
    for needed in ("__dlpack__", "__dlpack_device__"):
        if not hasattr(x, needed):
            raise TypeError(f"from_dlpack: x must have {needed}, a {type(x).__name__} has not; asarray(x) may take it")
    source: Any = x if isinstance(x, (ArrayBase, torch.Tensor)) else tensor_on(x, copy)
    here = x._core.local.device if isinstance(x, ArrayBase) else source.device
    where = here if device is None else sanitize_device(device).torch_device
    if copy is False and where != here:
        raise BufferError(f"from_dlpack: copy=False, but moving from {here} to {where} needs a copy")
    return asarray(source, device=device, copy=copy)


_TORCH_NAMES = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "input": "a", "other": "t2", "tensors": "arrays",
                "correction": "ddof", "true_divide": "divide"}  # fmt: skip
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}  # which torch takes, too


def torch_function(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function of torch on arrays: as a layer's rule has it, or the one of that name here; NotImplemented if there is
    none.
    """
    from equiheat.nn.rules import rule_of

    rule = rule_of(func)
    if rule is not None:
        return rule(*args, **kwargs)
    name = func.__name__
    if func is torch.Tensor.where:  # the condition comes second
        return torch_function(torch.where, (args[1], args[0], *args[2:]), kwargs)
    if name.startswith("__"):  # tensor + array
        first, *rest = args
        return getattr(asarray(first), name)(*rest)
    if getattr(func, "__module__", None) == "torch.nn.functional":
        return NotImplemented
    return named_function(name, args, kwargs)


def named_function(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The function that torch calls so, on arrays; NotImplemented if there is none."""
    import equiheat
    from equiheat.torch_functions import FUNCTIONS

    kwargs = {option: value for option, value in kwargs.items() if option != "out" or value is not None}
    if name in FUNCTIONS:
        named = {_NUMPY_NAMES.get(option, option): value for option, value in kwargs.items()}
        return FUNCTIONS[name](*args, **named)
    home: Any = equiheat
    names = _TORCH_NAMES
    for module in ("linalg", "fft"):
        if name.startswith(f"{module}_"):
            home, name = getattr(equiheat, module), name.removeprefix(f"{module}_")
            names = {**names, "dim": "axes" if name.endswith(("n", "2", "shift")) and module == "fft" else "axis"}
    function = getattr(home, name, None)
    if function is None or isinstance(function, type):
        return NotImplemented
    options = {names.get(option, option): value for option, value in kwargs.items()}
    places = [options.pop(given) for given in ("a", "t2", "arrays") if given in options]
    return function(*args, *places, **options)


def from_partitioned(x: Any, comm: Communicator | None = None) -> DNDarray:
    """An array from an object that describes its parts by ``__partitioned__``; see `from_partition_dict`."""
    return from_partition_dict(x.__partitioned__, comm)


def from_partition_dict(parted: dict[str, Any], comm: Communicator | None = None) -> DNDarray:
    """An array from a description of parts on ranks (DPPY's partition protocol).

    Parameters
    ----------
    parted
        "shape" of the whole, "partition_tiling" (parts along each axis, more than one along one axis at most),
        "partitions" from position to {"start", "shape", "data", "location"}, "locals": positions on this rank,
        "get": a function that makes "data" a tensor or NumPy array.
    comm
        The ranks; None: the default communicator.

    Returns
    -------
    DNDarray
        Split along the axis that is cut, with the parts' extents; replicated if none is. Local.

    Raises
    ------
    ValueError
        If more than one axis is cut, or parts do not lie on the ranks in ascending order.
    """
    ranks = sanitize_comm(comm).core
    cut = [axis for axis, parts in enumerate(parted["partition_tiling"]) if parts > 1]
    if len(cut) > 1:
        raise ValueError(f"from_partition_dict: parts must lie along one axis, partition_tiling cuts axes {cut}")
    get = parted.get("get") or (lambda data: data)
    blocks = [torch.as_tensor(get(parted["partitions"][place]["data"])) for place in sorted(parted["locals"])]
    shape = list(parted["shape"])
    if not cut:
        return wrap(_core.Array(blocks[0], shape, None, None, ranks))
    axis, parts = cut[0], [part for _, part in sorted(parted["partitions"].items())]
    owners = [int(part["location"][0]) for part in parts]
    if owners != sorted(owners):
        raise ValueError(f"from_partition_dict: parts must lie on ascending ranks, their locations are {owners}")
    counts = [sum(p["shape"][axis] for p, owner in zip(parts, owners, strict=True) if owner == r)
              for r in range(ranks.size)]  # fmt: skip
    lengths = [*shape[:axis], 0, *shape[axis + 1 :]]
    local = torch.cat(blocks, axis) if blocks else torch.empty(lengths, dtype=parts[0].get("dtype"))
    return wrap(_core.Array(local, shape, axis, counts, ranks))


class _Mode:
    """Whether other libraries get whole arrays."""

    whole = False


@contextmanager
def whole_interchange(whole: bool = True) -> Iterator[None]:
    """In a ``with`` block other libraries get split arrays whole, on every rank, instead of this rank's block.

    ``np.asarray(x)`` and DLPack give the block by default, since they must work on one rank alone. Libraries that
    convert to NumPy in between, the same on all ranks (some metrics of scikit-learn), need the whole: every conversion
    then is collective, an allgather of the array.

    Examples
    --------
    >>> x = ht.arange(4, split=0)
    >>> with ht.whole_interchange():
    ...     np.asarray(x).tolist()
    [0, 1, 2, 3]
    """
    before = _Mode.whole
    _Mode.whole = whole
    try:
        yield
    finally:
        _Mode.whole = before


def given_away(core: _core.Array) -> torch.Tensor:
    """What another library gets of an array: this rank's block, or the whole inside `whole_interchange`."""
    return core.resplit(None).local if _Mode.whole else core.local


def warn_of_part(core: _core.Array) -> None:
    """Say that what NumPy gets is a part, once per line of the program as all warnings. Local."""
    if core.split is None or core.comm.size == 1 or _Mode.whole:
        return
    warnings.warn(
        f"np.asarray of an array of shape {tuple(core.gshape)} that is split over {core.comm.size} ranks gives this "
        "rank's part only. The whole: x.numpy(), or `with equiheat.whole_interchange():` around another library. This "
        "part without the warning: x.larray.numpy()",
        UserWarning,
        stacklevel=3,
    )


class InterchangeMethods:
    """Methods of arrays that other libraries call."""

    __slots__ = ()

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Functions of torch on arrays: the functions of the same name here, ``torch.exp(x)`` is ``ht.exp(x)``."""
        return torch_function(func, args, kwargs or {})

    def dim(self: Any) -> int:
        """Number of axes, as torch calls it. Local."""
        axes: int = self._core.ndim
        return axes

    def flatten(self: Any, order: str | int = "C", end_dim: int = -1) -> DNDarray:
        """As `equiheat.flatten`; of numbers what torch makes of them: axes `order` to `end_dim` become one."""
        import equiheat

        if isinstance(order, str):
            return equiheat.flatten(self, order)
        return torch.flatten(self, order, end_dim)  # type: ignore[return-value]

    def __torch_proxy__(self: Any) -> torch.Tensor:
        """One int8 in the shape of the global array, for checks of shapes; takes no memory. Local."""
        return torch.ones((), dtype=torch.int8, device=self._core.local.device).expand(self._core.gshape)

    @property
    def __partitioned__(self) -> dict[str, Any]:
        """Where the parts of the array lie; see `create_partition_interface`. Local."""
        return self.create_partition_interface()

    def create_partition_interface(self: Any) -> dict[str, Any]:
        """Where the parts of the array lie, for other libraries (DPPY's partition protocol). Local.

        Returns
        -------
        dict
            "shape", "partition_tiling", "partitions", "locals" and "get", as `from_partition_dict` takes them. Only
            this rank's part has "data".
        """
        core, rank = self._core, self.comm.rank
        axis, size = core.split, self.comm.size
        counts = [None] if axis is None else core.counts
        parts, start = {}, [0] * core.ndim
        for number, count in enumerate(counts):
            shape = list(core.gshape)
            if axis is not None:
                shape[axis] = count
            mine = axis is None or number == rank
            place = tuple(number if i == axis else 0 for i in range(core.ndim))
            parts[place] = {
                "start": tuple(start), "shape": tuple(shape), "data": core.local if mine else None,
                "location": list(range(size)) if axis is None else [number],
                "dtype": core.local.dtype, "device": str(core.local.device),
            }  # fmt: skip
            if axis is not None:
                start[axis] += count
        tiling = tuple(size if i == axis else 1 for i in range(core.ndim))
        own = tuple(rank if i == axis else 0 for i in range(core.ndim))
        return {"shape": tuple(core.gshape), "partition_tiling": tiling, "partitions": parts, "locals": [own],
                "get": lambda data: data}  # fmt: skip

    def __array_namespace__(self, /, *, api_version: str | None = None) -> ModuleType:
        """The array API standard on these arrays: `equiheat.array_api`. Local.

        Raises
        ------
        ValueError
            For a version of the standard that is not known.
        """
        if api_version is not None and api_version not in _VERSIONS:
            known = ", ".join(_VERSIONS)
            raise ValueError(f"__array_namespace__: api_version must be one of {known}, is {api_version!r}")
        from equiheat import array_api

        return array_api

    def __dlpack__(
        self: Any,
        /,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """This rank's block for another library, without a copy; the whole array when it is replicated. Local.

        The protocol may run on one rank only, so that it must not communicate: ``x.resplit(None)`` gives the whole of
        a split array first, `equiheat.whole_interchange` that of all arrays.

        Raises
        ------
        BufferError
            If it cannot be exported: to a device that is not there, or with ``copy=False`` to another one.
        ValueError
            For a stream beside memory of the CPU.
        """
        return capsule_of(given_away(self._core), stream, max_version, dl_device, copy)

    def __dlpack_device__(self: Any, /) -> tuple[Any, int]:
        """Kind and number of the device of this rank's block. Local."""
        kind, number = self._core.local.__dlpack_device__()
        return kind, number
