# SPDX-License-Identifier: BSD-3-Clause
"""Frequencies of the points of a spectrum, and its centring."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index
from typing import TYPE_CHECKING, Any

from equiheat._base import wrap
from equiheat._function import native
from equiheat.arithmetic import divide, remainder, subtract
from equiheat.conversion import astype
from equiheat.creation import arange
from equiheat.dtypes import canonical_heat_type, complexfloating, float32, float64, floating
from equiheat.errors import AxisError
from equiheat.manipulation import roll

if TYPE_CHECKING:
    from equiheat._sanitize import DeviceLike
    from equiheat.array import DNDarray
    from equiheat.communication import Communicator


def _frequencies(fn: str, n: Any, d: Any, dtype: Any, first: int, count: int, place: dict[str, Any]) -> DNDarray:
    """Entries 0, ..., count - 1 of 0, 1, ... around n / 2, -n / 2 ..., from -first on; divided by n * d."""
    kind = float32 if dtype is None else canonical_heat_type(dtype)
    if not issubclass(kind, (floating, complexfloating)):
        raise TypeError(f"{fn}: dtype must be real or complex, is {kind.__name__}")
    try:
        step = n * float(d)
    except (TypeError, ValueError):
        raise TypeError(f"{fn}: d must be a real number, is {d!r}") from None
    if step == 0:
        raise ValueError(f"{fn}: the spacing d must not be 0")
    numbers = arange(first, first + count, dtype=float64, **place)
    return astype(divide(subtract(remainder(numbers, float(n)), float(first)), step), kind, copy=False)


def _points(n: Any, fn: str) -> int:
    try:
        number = index(n)
    except TypeError:
        raise ValueError(f"{fn}: n must be an integer, is {n!r}") from None
    if number < 1:
        raise ValueError(f"{fn}: n must be positive, is {number}")
    return number


def fftfreq(
    n: int,
    d: float = 1.0,
    dtype: Any = None,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Frequencies of the points of `fft`, in cycles per unit of the spacing: 0, 1, ..., -2, -1, divided by n d.

    Parameters
    ----------
    n : int
        Points.
    d : float
        Spacing of the samples.
    dtype : data type, optional
        Real or complex; float32 by default. Computed in float64.
    split : int, optional
        0 to split the result, balanced.
    device, comm
        As for other factories.

    Returns
    -------
    DNDarray
        (n,). Local.

    Raises
    ------
    TypeError
        If d is no real number.
    ValueError
        If n is not a positive integer or d is 0.

    Examples
    --------
    >>> ht.fft.fftfreq(5, d=0.1, split=0).tolist()
    [0.0, 2.0, 4.0, -4.0, -2.0]
    """
    points = _points(n, "fftfreq")
    place = {"split": split, "device": device, "comm": comm}
    return _frequencies("fftfreq", points, d, dtype, points // 2, points, place)


def rfftfreq(
    n: int,
    d: float = 1.0,
    dtype: Any = None,
    split: int | None = None,
    device: DeviceLike = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Frequencies of the points of `rfft`: 0, 1, ..., n // 2, divided by n d. Parameters as `fftfreq`. Local.

    Examples
    --------
    >>> ht.fft.rfftfreq(4, d=0.25).tolist()
    [0.0, 1.0, 2.0]
    """
    points = _points(n, "rfftfreq")
    place = {"split": split, "device": device, "comm": comm}
    return _frequencies("rfftfreq", points, d, dtype, 0, points // 2 + 1, place)


def fftshift(x: Any, axes: int | Iterable[int] | None = None) -> DNDarray:
    """The spectrum with frequency 0 in the middle: rolled by half the length along the axes.

    Parameters
    ----------
    x : DNDarray
        Any split.
    axes : int or sequence of int, optional
        Default: all.

    Returns
    -------
    DNDarray
        Layout of x. Collective along the split: one alltoallv, see `roll`. Differentiable.

    Examples
    --------
    >>> ht.fft.fftshift(ht.fft.fftfreq(4, 0.25, split=0)).tolist()
    [-2.0, -1.0, 0.0, 1.0]
    """
    return _shifted(x, axes, 0, "fftshift")


def ifftshift(x: Any, axes: int | Iterable[int] | None = None) -> DNDarray:
    """Inverse of `fftshift`, which see; they differ for odd lengths.

    Examples
    --------
    >>> ht.fft.ifftshift(ht.array([-1.0, 0.0, 1.0], split=0)).tolist()
    [0.0, 1.0, -1.0]
    """
    return _shifted(x, axes, 1, "ifftshift")


def _shifted(x: Any, axes: Any, back: int, fn: str) -> DNDarray:
    array = wrap(native(x, fn))
    along = range(array.ndim) if axes is None else [axes] if hasattr(axes, "__index__") else list(axes)
    numbers = []
    for axis in along:
        if not -array.ndim <= index(axis) < array.ndim:
            raise AxisError(f"{fn}: axis {axis} is out of bounds for {array.ndim}-dimensional array")
        numbers.append(index(axis) % array.ndim)
    if not numbers:
        return array
    shifts = tuple(-(array.shape[a] // 2) if back else array.shape[a] // 2 for a in numbers)
    return roll(array, shifts, tuple(numbers))
