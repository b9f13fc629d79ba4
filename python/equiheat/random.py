# SPDX-License-Identifier: BSD-3-Clause
"""Random arrays that do not depend on the number of ranks.

Element i of an array is a function of the seed, of how much was drawn before, and of i: every rank count, split and
layout gives the same global array, and each rank computes its own block without messages. The generator is
Philox4x32-10 in the native core; its state is ``("Philox", seed, counter, 0, 0.0)``.

The state belongs to the process and advances alike on all ranks as long as all of them make the same calls. Without
a call of `seed` the first draw takes a seed from the operating system on the first rank (collective, once).

Arguments common to all functions: `dtype`, `split`, `device`, `comm` as for the factories.
"""

from __future__ import annotations

import importlib
import math
import operator
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, dtypes
from equiheat._base import ArrayBase, unwrap, wrap
from equiheat._parameters import as_parameter, shape_of
from equiheat._sanitize import DeviceLike, ShapeLike, sanitize_shape
from equiheat.communication import Communicator, get_comm
from equiheat.conversion import astype
from equiheat.creation import new_array
from equiheat.defaults import default_split
from equiheat.errors import ArgumentError
from equiheat.promotion import iinfo, issubdtype

if TYPE_CHECKING:
    from equiheat.array import DNDarray

# fmt: off
__all__ = [
    "choice", "get_state", "normal", "permutation", "rand", "randint", "randn", "random", "random_integer",
    "random_sample", "randperm", "ranf", "sample", "seed", "set_state", "shuffle", "standard_normal", "uniform",
]
# fmt: on

_MAX = 2**64


class _State:
    """Seed and number of blocks used up; no seed before the first draw."""

    seed: int | None = None
    counter: int = 0


def _stream() -> _core.RandomStream:
    """The stream of the next draw."""
    if _State.seed is None:
        seed()
    assert _State.seed is not None
    return _core.RandomStream(_State.seed, _State.counter)


def _keep(drawn: tuple[_core.Array, int]) -> DNDarray:
    """Wrap what was drawn and move on."""
    core, counter = drawn
    _State.counter = counter % _MAX
    return wrap(core)


# ---------------------------------------------------------------------- state
def seed(seed: int | None = None) -> None:
    """Start the generator anew.

    Parameters
    ----------
    seed
        From 0 to 2**64 - 1, the same on every rank. None: one from the operating system, shared by all ranks of the
        default communicator (collective).

    Raises
    ------
    ValueError
        If it is out of range.
    """
    if seed is None:
        # 63 bits: it goes through a message as int64.
        number = int(get_comm().bcast(torch.tensor(int.from_bytes(os.urandom(8), "little") >> 1, dtype=torch.int64), 0))
    else:
        number = _integer(seed, "seed", "seed")
        if not 0 <= number < _MAX:
            raise ValueError(f"seed: must be from 0 to 2**64 - 1, is {number}")
    _State.seed, _State.counter = number, 0


def get_state() -> tuple[str, int, int, int, float]:
    """The state as ``("Philox", seed, counter, 0, 0.0)`` (the form of NumPy's and Heat's tuples)."""
    _stream()
    assert _State.seed is not None
    return ("Philox", _State.seed, _State.counter, 0, 0.0)


def set_state(state: Sequence[Any]) -> None:
    """Continue from a state that `get_state` gave. Every rank must set the same.

    Parameters
    ----------
    state
        ``(name, seed, counter)`` or with Heat's two further entries, which are not used. The name is "Philox";
        Heat's names "Threefry" and "Batchparallel" are accepted and mean Philox here: the numbers differ from Heat's.
        A counter of None is 0.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """
    if not isinstance(state, (tuple, list)):
        raise TypeError(f"set_state: state must be a tuple, is {type(state)}")
    if len(state) not in (3, 5):
        raise ArgumentError(f"set_state: state must have 3 or 5 entries, has {len(state)}")
    if state[0] not in ("Philox", "Threefry", "Batchparallel"):
        raise ValueError(f"set_state: the generator must be 'Philox', is {state[0]!r}")
    given = (state[1], 0 if state[2] is None else state[2])
    number, counter = (_integer(n, "set_state", "seed and counter") for n in given)
    if not (0 <= number < _MAX and 0 <= counter < _MAX):
        raise ValueError(f"set_state: seed and counter must be from 0 to 2**64 - 1, are {number} and {counter}")
    _State.seed, _State.counter = number, counter


def _integer(value: Any, fn: str, argument: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{fn}: {argument} must be an integer, is {type(value)}") from None


def _real_array(shape: ShapeLike | None, dtype: Any, *place: Any) -> _core.NewArray:
    """The checked description of an array of real numbers; the last of `place` is the function's name."""
    kind = dtypes.canonical_heat_type(dtype)
    if not issubclass(kind, dtypes.floating):
        raise ArgumentError(f"{place[-1]}: dtype {kind.__name__} is not a real floating-point type")
    return new_array(() if shape is None else shape, kind, *place)


# ---------------------------------------------------------------------- uniform
def rand(
    *d: int,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Uniform in [0, 1), shape ``d``. Local.

    Multiples of 2**-24 in float32, 2**-53 in float64, 2**-11 in float16, 2**-8 in bfloat16: never 1.
    """
    return random_sample(d, dtype, split, device, comm)


def random_sample(
    shape: ShapeLike | None = None,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Uniform in [0, 1); 0-d for no shape. Local."""
    spec = _real_array(shape, dtype, split, device, comm, "rand")
    return _keep(_core.random_uniform(spec, _stream()))


random = ranf = sample = random_sample


def uniform(
    low: Any = 0.0,
    high: Any = 1.0,
    size: ShapeLike | None = None,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Uniform in [low, high), up to rounding. Local for numbers; arrays broadcast to `size`."""
    low, high = as_parameter(low), as_parameter(high)
    x = random_sample(shape_of("uniform", size, low, high), dtype, split, device, comm)
    return _scaled(x, low, high - low)


# ---------------------------------------------------------------------- normal
def randn(
    *d: int,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Standard normal, shape ``d``. Local."""
    return standard_normal(d, dtype, split, device, comm)


def standard_normal(
    shape: ShapeLike | None = None,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Standard normal; 0-d for no shape. Local."""
    spec = _real_array(shape, dtype, split, device, comm, "randn")
    return _keep(_core.random_normal(spec, _stream()))


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    shape: ShapeLike | None = None,
    dtype: Any = dtypes.float32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Normal with mean and standard deviation; local for numbers, arrays broadcast to `shape`.

    Raises
    ------
    ValueError
        If `std` is negative, or has negative elements (collective if it is a split array); if arrays do not broadcast
        to `shape`.
    """
    mean, std = as_parameter(mean), as_parameter(std)
    negative = std < 0
    if isinstance(std, ArrayBase):
        if negative.any():
            raise ValueError("normal: std must not be negative, has elements that are")
    elif negative:
        raise ValueError(f"normal: std must not be negative, is {std}")
    return _scaled(standard_normal(shape_of("normal", shape, mean, std), dtype, split, device, comm), mean, std)


def _scaled(x: DNDarray, shift: Any, scale: Any) -> DNDarray:
    """Shift + scale * x, in place for numbers; in the type of x."""
    if isinstance(shift, ArrayBase) or isinstance(scale, ArrayBase):
        result: DNDarray = shift + scale * x
        return astype(result, x.dtype, copy=False)
    if scale != 1.0:
        x._core.local.mul_(scale)
    if shift != 0.0:
        x._core.local.add_(shift)
    return x


# ---------------------------------------------------------------------- integers
def randint(
    low: int,
    high: int | None = None,
    size: ShapeLike | None = None,
    dtype: Any = dtypes.int32,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Integers from `low` to `high` - 1, or from 0 to `low` - 1, each exactly equally likely. Local.

    Raises
    ------
    ValueError
        If the range is empty or does not fit the dtype.
    """
    first, end = (0, low) if high is None else (low, high)
    first, end = _integer(first, "randint", "low"), _integer(end, "randint", "high")
    kind = dtypes.canonical_heat_type(dtype)
    if not issubdtype(kind, dtypes.integer):
        raise TypeError(f"randint: dtype must be an integer type, is {kind.__name__}")
    if first >= end:
        raise ValueError(f"randint: low >= high: the range from {first} to {end} is empty")
    limits = iinfo(kind)
    if first < limits.min or end - 1 > limits.max:
        raise ValueError(f"randint: {first} to {end - 1} does not fit into {kind.__name__}; give a wider dtype")
    spec = new_array(() if size is None else size, kind, split, device, comm, "randint")
    return _keep(_core.random_integers(spec, _stream(), first, end - 1 - first))


random_integer = randint


# ---------------------------------------------------------------------- order
def _permutation(n: int) -> _core.RandomPermutation:
    """The next permutation of n entries."""
    drawn = _core.RandomPermutation(_stream(), n)
    _State.counter = (_State.counter + _core.RandomPermutation.blocks(n)) % _MAX
    return drawn


def randperm(
    n: int,
    dtype: Any = dtypes.int64,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """0, ..., n - 1 in random order. Local: every rank computes its own entries.

    Up to 65,536 entries a shuffle; beyond that a Feistel network with random tables, of memory O(sqrt(n)).
    """
    number = _integer(n, "randperm", "n")
    spec = new_array(number, dtype, split, device, comm, "randperm")
    return wrap(_core.random_permutation(spec, _permutation(number)))


def permutation(x: int | DNDarray, **kwargs: Any) -> DNDarray:
    """`randperm(x)` for an integer; for an array (or list) its rows (axis 0) in random order.

    The result is laid out like `x`. Differentiable. Collective if `x` is split along axis 0: one alltoallv of rows.

    Parameters
    ----------
    x
        Number of entries, or array of at least one axis.
    kwargs
        For an integer: `dtype`, `split`, `device`, `comm` of `randperm`.
    """
    x = as_parameter(x)
    if not isinstance(x, ArrayBase):
        return randperm(x, **kwargs)
    if kwargs:
        raise TypeError(f"permutation: {', '.join(kwargs)} only go with an integer; the result is laid out like x")
    core = unwrap(x)
    if core.ndim == 0:
        raise ValueError("permutation: x is 0-d; it must have at least one axis")
    return wrap(_core.permute_rows(core, _permutation(core.gshape[0])))


def shuffle(x: DNDarray) -> None:
    """Bring the rows of an array into random order, in place. Collective if split along axis 0."""
    x[...] = permutation(x)  # into its memory, which views share
    x._halo_prev = x._halo_next = None  # they belonged to the old rows


def choice(
    a: int | DNDarray, size: ShapeLike | None = None, replace: bool = True, split: int | None = None
) -> DNDarray:
    """Random entries of 0, ..., a - 1, or random rows of an array.

    Parameters
    ----------
    a
        Number of entries, or array (or list).
    size
        Shape of the result (along axis 0 for arrays); one entry for None.
    replace
        Whether an entry may be drawn more than once.
    split
        Split of the drawn entries. Rows of an array come laid out as indexing does.

    Raises
    ------
    ValueError
        If there is nothing to draw from, or not enough without replacement.
    """
    a = as_parameter(a)
    if isinstance(a, ArrayBase) and a._core.ndim == 0:
        raise ValueError("choice: a is 0-d; it must be an integer or have at least one axis")
    rows = a._core.gshape[0] if isinstance(a, ArrayBase) else _integer(a, "choice", "a")
    shape = tuple(sanitize_shape(() if size is None else size, "choice"))
    number = math.prod(shape)
    if rows < 1 and number > 0:
        raise ValueError(f"choice: a must have entries to draw from, has {rows}")
    if not replace and number > rows:
        raise ValueError(f"choice: {number} of {rows} entries cannot be drawn without replacement")
    if replace:
        entries = randint(0, max(rows, 1), shape, dtypes.int64, split)
    else:
        entries = _first_entries(rows, number, shape, split)
    if not isinstance(a, ArrayBase):
        return entries
    rows_of: Any = a
    return rows_of[entries]


def _first_entries(n: int, number: int, shape: tuple[int, ...], split: int | None) -> DNDarray:
    """The first `number` entries of a permutation of n, in `shape`."""
    from equiheat.construction import array

    with default_split(None):
        order = randperm(n)._core.local[:number].reshape(shape)
    return array(order, split=split)


def __getattr__(name: str) -> Any:
    if name in ("Generator", "default_rng"):  # they draw with the functions above
        return getattr(importlib.import_module("equiheat.generator"), name)
    if not name.startswith("_"):
        generator = importlib.import_module("equiheat.generator")
        if name in generator.DISTRIBUTIONS:
            return getattr(generator.of_module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
