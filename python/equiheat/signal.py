# SPDX-License-Identifier: BSD-3-Clause
"""Convolution and correlation of split signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from equiheat import _core
from equiheat._base import ArrayBase, wrap
from equiheat._function import Operand, native
from equiheat.complex_math import conj
from equiheat.conversion import astype
from equiheat.dtypes import bool_, int32, int64, uint16, uint32, uint64
from equiheat.manipulation import broadcast_to, flip, reshape
from equiheat.promotion import promote_types

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["convolve", "convolve2d", "convolve3d", "correlate"]

_MODES = ("full", "same", "valid")
_BOUNDARIES = ("fill", "wrap", "symm")


def _operands(fn: str, a: Operand, v: Operand, axes: int) -> tuple[DNDarray, DNDarray]:
    """Signal and kernel in one dtype, with at least `axes` axes each."""
    like = next((x._core for x in (a, v) if isinstance(x, ArrayBase)), None)
    x, y = (wrap(native(value, fn, name, like)) for name, value in (("a", a), ("v", v)))
    common = promote_types(x.dtype, y.dtype)
    x, y = (astype(z, common, copy=False) for z in (x, y))
    x, y = (reshape(z, (1,) * (axes - z.ndim) + z.shape) if z.ndim < axes and z.size == 1 else z for z in (x, y))
    for name, z in (("a", x), ("v", y)):
        if z.ndim < axes:
            raise ValueError(f"{fn}: {name} must have at least {axes} dimensions, has shape {z.shape}")
        if 0 in z.shape[z.ndim - axes :]:
            raise ValueError(f"{fn}: {name} cannot be empty, has shape {z.shape}")
    return x, y


def _check_batch(fn: str, a: DNDarray, v: DNDarray, axes: int) -> None:
    """The kernel is one for all signals, or there is one for each."""
    if v.ndim > axes and v.shape[: v.ndim - axes] != a.shape[: a.ndim - axes]:
        raise ValueError(f"{fn}: batch dimensions of signal and kernel must match, shapes are {a.shape} and {v.shape}")


def _choice(fn: str, name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{fn}: {name} must be one of {', '.join(choices)}, is {value!r}")


def _place(mode: str, n: int, m: int) -> tuple[int, int]:
    """Offset in the full convolution, and length."""
    if mode == "full":
        return 0, n + m - 1
    return ((m - 1) // 2, n) if mode == "same" else (m - 1, n - m + 1)


def _run(
    a: DNDarray, v: DNDarray, places: list[tuple[int, int]], stride: Sequence[int], boundary: str, fill: float
) -> DNDarray:
    kind = a.dtype
    logical, wide = (
        kind is bool_,
        kind in (uint16, uint32, uint64),
    )  # torch computes nothing with these; int64 wraps alike
    if logical or wide:
        a, v = (astype(x, int64 if wide else int32) for x in (a, v))
    offsets = [offset for offset, _ in places]
    lengths = [-(-length // step) for (_, length), step in zip(places, stride, strict=True)]
    result = wrap(_core.convolve(a._core, v._core, offsets, lengths, list(stride), boundary, fill))
    return result != 0 if logical else astype(result, kind, copy=False)


def _steps(fn: str, stride: Any, axes: int) -> tuple[int, ...]:
    steps = tuple(stride) if isinstance(stride, (tuple, list)) else (stride,) * axes
    if len(steps) != axes or not all(hasattr(s, "__index__") and s >= 1 for s in steps):
        raise ValueError(f"{fn}: stride must be positive integers, {axes} of them or one, is {stride!r}")
    return tuple(s.__index__() for s in steps)


def convolve(a: Operand, v: Operand, mode: str = "full", stride: int = 1) -> DNDarray:
    """Linear convolution along the last axis: ``out[k] = sum(a[i] * v[k - i])``.

    Parameters
    ----------
    a : DNDarray
        Signals, (..., n); any split. NumPy arrays, lists and numbers count as replicated.
    v : DNDarray
        Kernel (m,), or one for each signal (..., m). The longer of a and v counts as the signal.
    mode : {"full", "same", "valid"}
        All n + m - 1 entries with an overlap; the n in their middle; the n - m + 1 with a whole overlap.
    stride : int
        Only every stride-th entry.

    Returns
    -------
    DNDarray
        (..., k) in the common dtype: exact for integers, which wrap as NumPy's; bool is "or" of "and". Split of the
        signal; along it, its extents if the length stays, else balanced.

    Raises
    ------
    ValueError
        For an empty operand, batches that do not match, an unknown mode, a stride that is not positive.

    Notes
    -----
    Communication: none for a split batch; along the signal one alltoallv of m - 1 entries per rank (and the kernel's
    allgather if it is split). A split kernel of more than 65536 entries that is longer than a rank's share of the
    signal is broadcast block by block instead. From 1500 entries on, kernels of real and complex numbers go by
    Fourier transforms of overlapping pieces. Differentiable.

    Examples
    --------
    >>> a = ht.arange(5, split=0)
    >>> ht.convolve(a, ht.array([1, 1]), mode="valid").tolist()
    [1, 3, 5, 7]
    """
    _choice("convolve", "mode", mode, _MODES)
    x, y = _operands("convolve", a, v, 1)
    steps = _steps("convolve", stride, 1)
    if y.shape[-1] > x.shape[-1]:
        x, y = y, x
    if x.ndim == 1 and y.ndim > 1:
        x = broadcast_to(x, y.shape[:-1] + x.shape)
    _check_batch("convolve", x, y, 1)
    if x.split is None and y.split is not None and x.ndim == y.ndim:
        x = x.resplit(y.split)
    return _run(x, y, [_place(mode, x.shape[-1], y.shape[-1])], steps, "fill", 0.0)


def correlate(a: Operand, v: Operand, mode: str = "valid") -> DNDarray:
    """Cross-correlation along the last axis: ``out[k] = sum(a[i + k] * conj(v[i]))``.

    Parameters
    ----------
    a, v : DNDarray
        As for `convolve`, which see for dtype, distribution, cost and errors.
    mode : {"valid", "same", "full"}
        Which k: those with a whole overlap, as many as the longer operand has entries, all.

    Returns
    -------
    DNDarray
        (..., k), from the smallest shift to the largest. Where v is the longer one this is the reverse of the
        correlation of v with a.

    Examples
    --------
    >>> ht.correlate(ht.array([1.0, 2.0, 3.0], split=0), [0.0, 1.0, 0.5], "same").tolist()
    [2.0, 3.5, 3.0]
    """
    x, y = _operands("correlate", a, v, 1)
    if x.dtype is bool_:  # whose conjugate is an integer
        return correlate(astype(x, int32), astype(y, int32), mode) != 0
    if y.shape[-1] > x.shape[-1]:
        return flip(conj(correlate(y, x, mode)), -1)
    return convolve(x, flip(conj(y), -1), mode)


def convolve2d(
    a: Operand,
    v: Operand,
    mode: str = "full",
    stride: int | tuple[int, int] = (1, 1),
    *,
    boundary: str = "fill",
    fillvalue: float = 0,
) -> DNDarray:
    """Linear convolution over the last two axes.

    Parameters
    ----------
    a : DNDarray
        Images, (..., h, w); any split.
    v : DNDarray
        Kernel (p, q), or one for each image (..., p, q).
    mode : {"full", "same", "valid"}
        All h + p - 1 by w + q - 1 entries with an overlap; h by w in their middle; those with a whole overlap.
        "valid" takes the larger operand for the image, as SciPy.
    stride : int or two of them
        Only every stride-th row and column.
    boundary : {"fill", "wrap", "symm"}
        What lies beyond the edges: `fillvalue`, the other side, the image mirrored at its edge.
    fillvalue : float
        For "fill".

    Returns
    -------
    DNDarray
        The batch axes of a, then rows and columns; dtype, split and cost as `convolve`: along a split axis of the
        image the p - 1 rows (or q - 1 columns) a block lacks travel in one alltoallv. Differentiable.

    Raises
    ------
    ValueError
        For fewer than two dimensions, batches that do not match, unknown modes and boundaries; for "valid" if neither
        operand is at least as large as the other along both axes.

    Examples
    --------
    >>> image = ht.ones((3, 3), split=0)
    >>> ht.convolve2d(image, ht.ones((2, 2)), mode="valid").tolist()
    [[4.0, 4.0], [4.0, 4.0]]
    """
    return _images("convolve2d", 2, a, v, mode, stride, boundary, fillvalue)


def convolve3d(
    a: Operand,
    v: Operand,
    mode: str = "full",
    stride: int | tuple[int, int, int] = 1,
    *,
    boundary: str = "fill",
    fillvalue: float = 0,
) -> DNDarray:
    """Linear convolution over the last three axes.

    Parameters
    ----------
    a : DNDarray
        Volumes, (..., d, h, w); any split.
    v : DNDarray
        Kernel (o, p, q), or one for each volume (..., o, p, q).
    mode, stride, boundary, fillvalue
        As for `convolve2d`, whose result, cost and errors are meant here, too.

    Returns
    -------
    DNDarray
        The batch axes of a, then the three others. Differentiable.

    Examples
    --------
    >>> ht.convolve3d(ht.ones((3, 3, 3), split=0), ht.ones((2, 2, 2)), mode="valid").sum().item()
    64.0
    """
    return _images("convolve3d", 3, a, v, mode, stride, boundary, fillvalue)


def _images(
    fn: str, axes: int, a: Operand, v: Operand, mode: str, stride: Any, boundary: str, fillvalue: float
) -> DNDarray:
    _choice(fn, "mode", mode, _MODES)
    _choice(fn, "boundary", boundary, _BOUNDARIES)
    x, y = _operands(fn, a, v, axes)
    steps = _steps(fn, stride, axes)
    if mode == "valid":
        larger = [n >= m for n, m in zip(x.shape[-axes:], y.shape[-axes:], strict=True)]
        if not all(larger):
            if any(n > m for n, m in zip(x.shape[-axes:], y.shape[-axes:], strict=True)):
                raise ValueError(
                    f"{fn}: for mode 'valid' one operand must be at least as large as the other along all {axes} "
                    f"axes, shapes are {x.shape} and {y.shape}"
                )
            x, y = y, x
    if x.ndim == axes and y.ndim > axes:
        x = broadcast_to(x, y.shape[:-axes] + x.shape)
    _check_batch(fn, x, y, axes)
    if x.split is None and y.split is not None and x.ndim == y.ndim:
        x = x.resplit(y.split)
    places = [_place(mode, n, m) for n, m in zip(x.shape[-axes:], y.shape[-axes:], strict=True)]
    return _run(x, y, places, steps, boundary, float(fillvalue))
