# SPDX-License-Identifier: BSD-3-Clause
"""New arrays. Every rank computes or keeps its own block only.

Arguments common to all functions here:

dtype
    Anything ``canonical_heat_type`` understands.
split
    Axis along which the array is split over the ranks; None: the default split (`set_default_split`), which is None
    unless set: every rank holds the array whole.
device
    "cpu", "gpu" or a `Device`; None: the default device.
comm
    The ranks; None: the default communicator.
order
    "C" or "F": order of the axes in each rank's memory. Values and indices do not depend on it.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, cast

import torch

from equiheat import _core, dtypes
from equiheat._base import ArrayBase, unwrap
from equiheat._sanitize import DeviceLike, ShapeLike, ordered, sanitize_shape, sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.construction import asarray
from equiheat.defaults import get_default_split, split_of_new
from equiheat.devices import sanitize_device
from equiheat.promotion import issubdtype

if TYPE_CHECKING:
    from equiheat.array import DNDarray

# fmt: off
__all__ = [
    "arange", "empty", "empty_like", "eye", "full", "full_like", "linspace", "logspace", "ones", "ones_like", "zeros",
    "zeros_like",
]
# fmt: on


def new_array(
    shape: ShapeLike, dtype: Any, split: int | None, device: DeviceLike, comm: Communicator | None, fn: str
) -> _core.NewArray:
    """The checked description of a new array."""
    where, ranks, kind = sanitize_device(device).torch_device, sanitize_comm(comm).core, dtypes.torch_dtype(dtype)
    if split is not None or get_default_split() is None:
        plain = _core.plain_spec(shape, split, kind, where, ranks)
        if plain is not None:
            return plain
    extents = sanitize_shape(shape, fn)
    axis = sanitize_split(split_of_new(split, len(extents)), len(extents), fn)
    return _core.NewArray(extents, axis, kind, where, ranks)


def _filled(
    shape: ShapeLike,
    value: complex,
    dtype: Any,
    split: int | None,
    device: DeviceLike,
    comm: Communicator | None,
    order: str,
    fn: str,
) -> DNDarray:
    """An array of one value; the usual arguments in one native call."""
    if order == "C" and (split is not None or get_default_split() is None):
        where, ranks = sanitize_device(device).torch_device, sanitize_comm(comm).core
        plain = _core.plain_full(shape, split, dtypes.torch_dtype(dtype), where, ranks, value)
        if plain is not None:
            return cast("DNDarray", plain)
    return ordered(_core.full(new_array(shape, dtype, split, device, comm, fn), value), order, fn)


# ---------------------------------------------------------------------- filled arrays
def empty(
    shape: ShapeLike,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    order: str = "C",
) -> DNDarray:
    """Array of undefined values. Local."""
    return ordered(_core.empty(new_array(shape, dtype, split, device, comm, "empty")), order, "empty")


def zeros(
    shape: ShapeLike,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    order: str = "C",
) -> DNDarray:
    """Array of zeros. Local."""
    return _filled(shape, 0, dtype, split, device, comm, order, "zeros")


def ones(
    shape: ShapeLike,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    order: str = "C",
) -> DNDarray:
    """Array of ones. Local."""
    return _filled(shape, 1, dtype, split, device, comm, order, "ones")


def full(
    shape: ShapeLike,
    fill_value: complex,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    order: str = "C",
) -> DNDarray:
    """Array of one value; float32 unless another dtype is given, also for integers, complex64 for complex numbers.

    Heat's rule. A real beyond the range of the dtype is infinite. Local.

    Raises
    ------
    OverflowError
        If an integer dtype does not hold an integer.
    TypeError
        If `fill_value` is no number, or complex and the dtype is neither complex nor the default.
    """
    value = _fill_scalar(fill_value, "full")
    if isinstance(value, complex) and dtype is dtypes.float32:
        dtype = dtypes.complex64
    value = _held(value, dtypes.torch_dtype(dtype), "full")
    return _filled(shape, value, dtype, split, device, comm, order, "full")


def _fill_scalar(value: Any, fn: str) -> Any:
    """A Python number from anything that holds one."""
    if isinstance(value, (bool, int, float, complex)):
        return value
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"{fn}: fill_value must be a number, is {type(value)}")
    return item()


def _held(value: Any, dtype: torch.dtype, fn: str) -> Any:
    """The number as the type holds it; OverflowError for an integer beyond, TypeError for a complex one."""
    if isinstance(value, complex) and not dtype.is_complex:
        raise TypeError(f"{fn}: fill_value {value} is complex, but dtype is {dtypes.from_torch(dtype).__name__}")
    if dtype == torch.bool:
        return bool(value)
    if not isinstance(value, int):
        return value
    if dtype.is_floating_point or dtype.is_complex:
        return value if abs(value) < 2**63 else float(value)
    limits = torch.iinfo(dtype)
    if not limits.min <= value <= limits.max:
        raise OverflowError(f"{fn}: fill_value {value} is out of bounds for {dtypes.from_torch(dtype).__name__}")
    return value


def eye(
    shape: ShapeLike,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    order: str = "C",
    *,
    k: int = 0,
) -> DNDarray:
    """Ones on a diagonal, the k-th above the main one, zeros elsewhere; (n, n) for one extent n, (n, m) for two. Local.

    NumPy's ``eye(n, m)`` is that of two extents.
    """
    if isinstance(dtype, int) and not isinstance(dtype, bool):
        shape, dtype = (*sanitize_shape(shape, "eye"), dtype), dtypes.float32
    extents = sanitize_shape(shape, "eye")
    if len(extents) not in (1, 2):
        raise ValueError(f"eye: shape must have one or two extents, is {extents}")
    extents = extents if len(extents) == 2 else (extents[0], extents[0])
    return ordered(_core.eye(new_array(extents, dtype, split, device, comm, "eye"), operator.index(k)), order, "eye")


# ---------------------------------------------------------------------- like another array
def _like(
    a: Any,
    value: complex | None,
    dtype: Any,
    split: int | None,
    device: DeviceLike,
    comm: Any,
    order: str,
    fn: str,
    shape: ShapeLike | None = None,
) -> DNDarray:
    """A new array with the shape of `a` and, unless asked otherwise, its dtype, distribution and device.

    With another `shape` it is split as `a` where it has that axis.
    """
    if not isinstance(a, ArrayBase):
        a = asarray(a)
    core = unwrap(a)
    target = core.local.dtype if dtype is None else dtypes.torch_dtype(dtype)
    value = None if value is None else _held(value, target, fn)
    where = core.local.device if device is None else sanitize_device(device).torch_device
    extents = core.gshape if shape is None else sanitize_shape(shape, fn)
    split = split_of_new(split, len(extents)) if core.split is None else split
    if split is not None or comm is not None or shape is not None:
        axis = sanitize_split(split, len(extents), fn) if split is not None else core.split
        axis = None if axis is None or axis >= len(extents) else axis
        ranks = core.comm if comm is None else sanitize_comm(comm).core
        spec = _core.NewArray(extents, axis, target, where, ranks)
        new = _core.empty(spec) if value is None else _core.full(spec, value)
    else:
        local = torch.empty(core.local.shape, dtype=target, device=where)
        # As a tensor a real beyond the type is infinite; fill_ refuses the number.
        filling: Any = torch.tensor(value, dtype=target) if isinstance(value, (float, complex)) else value
        new = core.with_local(local if value is None else local.fill_(filling))
    return ordered(new, order, fn)


def empty_like(
    a: Any,
    dtype: Any = None,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    order: str = "C",
    shape: ShapeLike | None = None,
) -> DNDarray:
    """Undefined values in the shape of `a`; dtype, split, extents and device are those of `a` if not given. Local."""
    return _like(a, None, dtype, split, device, comm, order, "empty_like", shape)


def zeros_like(
    a: Any,
    dtype: Any = None,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    order: str = "C",
    shape: ShapeLike | None = None,
) -> DNDarray:
    """Zeros in the shape of `a`; dtype, split, extents and device are those of `a` if not given. Local."""
    return _like(a, 0, dtype, split, device, comm, order, "zeros_like", shape)


def ones_like(
    a: Any,
    dtype: Any = None,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    order: str = "C",
    shape: ShapeLike | None = None,
) -> DNDarray:
    """Ones in the shape of `a`; dtype, split, extents and device are those of `a` if not given. Local."""
    return _like(a, 1, dtype, split, device, comm, order, "ones_like", shape)


def full_like(
    a: Any,
    fill_value: complex,
    dtype: Any = None,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
    order: str = "C",
    shape: ShapeLike | None = None,
) -> DNDarray:
    """One value in the shape of `a`; dtype, split, extents and device are those of `a` if not given. Local.

    Numbers beyond the range of the dtype as for `full`.
    """
    return _like(a, _fill_scalar(fill_value, "full_like"), dtype, split, device, comm, order, "full_like", shape)


# ---------------------------------------------------------------------- ranges
def arange(
    *args: float,
    dtype: Any = None,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """``arange(stop)``, ``arange(start, stop)`` or ``arange(start, stop, step)``: evenly spaced values below `stop`.

    The same values as NumPy's for the same dtype, at any number of ranks. Default dtype: int32 if all arguments are
    integers, else float32. Local.

    Raises
    ------
    ZeroDivisionError
        If `step` is zero.
    """
    if not 1 <= len(args) <= 3:
        raise TypeError(f"arange: takes 1 to 3 positional arguments (start, stop, step), got {len(args)}")
    numbers = [_real(a, "arange") for a in args]
    start, stop, step = (0, numbers[0], 1) if len(args) == 1 else [*numbers, 1][:3]
    if step == 0:
        raise ZeroDivisionError("arange: step must not be zero")
    whole = isinstance(start, int) and isinstance(stop, int) and isinstance(step, int)
    # In integers, where all are: a quotient of floats would be wrong beyond 2**53.
    number = max(0, int(-((start - stop) // step)) if whole else math.ceil((stop - start) / step))
    if whole and dtype is None and (split is not None or get_default_split() is None):
        where, ranks = sanitize_device(device).torch_device, sanitize_comm(comm).core
        plain = _core.plain_arange(number, split, torch.int32, where, ranks, start, step)
        if plain is not None:
            return cast("DNDarray", plain)
    integers = whole if dtype is None else issubdtype(dtype, dtypes.integer) or issubdtype(dtype, dtypes.bool)
    if dtype is None:
        dtype = dtypes.int32 if whole else dtypes.float32
    if whole and dtypes.torch_dtype(dtype) == torch.uint64:
        start = (start + 2**63) % 2**64 - 2**63  # the same bits as int64
        step = (step + 2**63) % 2**64 - 2**63
    spec = new_array((number,), dtype, split, device, comm, "arange")
    if integers:
        first = int(start)
        return ordered(_core.arange_int(spec, first, int(start + step) - first), "C", "arange")
    return ordered(_core.arange_float(spec, start, start + step), "C", "arange")


def _real(value: Any, fn: str) -> float:
    """A Python int or float from anything that holds one."""
    if type(value) is int or type(value) is float:
        return value
    number = _fill_scalar(value, fn)
    if isinstance(number, complex):
        raise TypeError(f"{fn}: arguments must be real numbers, got {number}")
    return int(number) if isinstance(number, bool) else number


def linspace(
    start: float,
    stop: float,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> Any:
    """`num` evenly spaced values from `start` to `stop`, the latter included unless `endpoint` is False.

    Computed in double precision as NumPy does, then cast; default dtype float32. Local.

    Returns
    -------
    DNDarray
        With ``retstep=True`` the pair (array, step).
    """
    number, first, last = (
        _count(num, "linspace"),
        float(_real(start, "linspace")),
        float(_real(stop, "linspace")),
    )
    div = number - 1 if endpoint else number
    delta = last - first
    spec = new_array((number,), dtypes.float32 if dtype is None else dtype, split, device, comm, "linspace")
    end = last if endpoint and number > 1 else None
    # Without a second value there is no step: only the first counts.
    values = ordered(_core.linspace(spec, first, delta if div > 0 else 0.0, max(div, 1), end), "C", "linspace")
    return (values, delta / div if div > 0 else math.nan) if retstep else values


def _count(num: Any, fn: str) -> int:
    try:
        (number,) = sanitize_shape(num, fn)
    except ValueError:
        raise ValueError(f"{fn}: number of samples, {num}, must be a non-negative integer") from None
    return number


def logspace(
    start: float,
    stop: float,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: Any = None,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """`num` values from ``base**start`` to ``base**stop``, evenly spaced in the exponent; default float32. Local."""
    exponents = linspace(start, stop, num, endpoint, False, dtypes.float64, split, device, comm)
    local = torch.pow(float(base), exponents._core.local)
    core = exponents._core.with_local(local.to(dtypes.torch_dtype(dtypes.float32 if dtype is None else dtype)))
    return ordered(core, "C", "logspace")
