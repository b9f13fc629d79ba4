# SPDX-License-Identifier: BSD-3-Clause
"""Linear filters: weighted sums of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import native
from equiheat._sliding import sliding_sum
from equiheat.ndimage._arguments import around, array_of, axis_of, boundary_of, mapped, per_axis
from equiheat.stencils import inexact, whole_number

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _complex(real: DNDarray, imaginary: DNDarray) -> DNDarray:
    """``real + 1j * imaginary`` of real or complex parts, without products that make NaN of infinity. Local."""
    a, b = real._core.local, imaginary._core.local
    if b.is_complex():
        return wrap(real._core.with_local(a + torch.complex(-b.imag, b.real)))
    return wrap(real._core.with_local(a + torch.complex(torch.zeros_like(b), b)))


def _sum(fn: str, input: Any, weights: np.ndarray[Any, Any], mode: str, cval: Any, origin: Any) -> DNDarray:
    core = inexact(native(input, fn, "input"))
    if np.iscomplexobj(weights):
        return _complex(*(_sum(fn, wrap(core), w, mode, cval, origin) for w in (weights.real, weights.imag)))
    if np.iscomplexobj(cval):
        zeros = core.with_local(torch.zeros_like(core.local.real if core.local.is_complex() else core.local))
        parts = (wrap(core), cval.real), (wrap(zeros), cval.imag)
        return _complex(*(_sum(fn, x, weights, mode, float(c), origin) for x, c in parts))
    if weights.ndim != core.ndim or 0 in weights.shape:
        raise ValueError(
            f"{fn}: weights must have an extent for each of the {core.ndim} axes, have shape {weights.shape}"
        )
    before, behind = around(fn, weights.shape, origin)
    places = np.argwhere(weights != 0)
    offsets = [[int(i) - b for i, b in zip(at, before, strict=True)] for at in places]
    values = [float(weights[tuple(at)]) for at in places]
    beyond = boundary_of(fn, mode), float(cval)
    return wrap(_core.weighted_stencil(core, before, behind, *beyond, offsets, values, None, False, 1))


def _along(weights: np.ndarray[Any, Any], axis: int, ndim: int) -> np.ndarray[Any, Any]:
    if weights.ndim != 1:
        raise ValueError(f"weights along one axis must have one axis, have shape {weights.shape}")
    return weights.reshape([-1 if k == axis else 1 for k in range(ndim)])


def correlate(input: Any, weights: Any, mode: str = "reflect", cval: float = 0.0, origin: Any = 0) -> DNDarray:
    """Weighted sum of every entry's neighbours.

    Parameters
    ----------
    input
        Array of any split; integers become floating point.
    weights
        One extent per axis of the input, complex ones count conjugate; entries of weight 0 cost nothing.
    mode
        What lies beyond the array, as SciPy calls it: "reflect" (d c b a | a b c d | d c b a), "mirror" (d c b |
        a b c d | c b a), "nearest", "wrap", or "constant" (`cval`).
    cval
        For "constant"; a complex one makes the result complex.
    origin
        Moves the window: one number, or one per axis; entry ``n // 2 + origin`` of n lies on the entry computed.

    Returns
    -------
    DNDarray
        Of the input's shape and distribution.

    Raises
    ------
    ValueError
        For an unknown mode, weights of another number of axes, an origin outside of the window.

    Notes
    -----
    Communication: along the split the rows a block lacks, from its neighbours, while the interior is computed.
    Differentiable.

    Examples
    --------
    >>> ht.ndimage.correlate(ht.array([1.0, 2.0, 4.0], split=0), [1.0, 0.0, -1.0]).tolist()
    [-1.0, -3.0, -2.0]
    """
    return _sum("correlate", input, array_of(weights).conj(), mode, cval, origin)


def convolve(input: Any, weights: Any, mode: str = "reflect", cval: float = 0.0, origin: Any = 0) -> DNDarray:
    """`correlate` with the weights turned round along all axes, complex ones as they are."""
    w = array_of(weights)
    shifts = [
        -int(o) - (n % 2 == 0) for n, o in zip(w.shape, per_axis("convolve", "origin", origin, w.ndim), strict=True)
    ]
    return _sum("convolve", input, np.flip(w), mode, cval, shifts)


def correlate1d(
    input: Any, weights: Any, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> DNDarray:
    """`correlate` along one axis."""
    ndim = native(input, "correlate1d", "input").ndim
    k = axis_of("correlate1d", axis, ndim)
    shifts = [origin if j == k else 0 for j in range(ndim)]
    return _sum("correlate1d", input, _along(array_of(weights).conj(), k, ndim), mode, cval, shifts)


def convolve1d(
    input: Any, weights: Any, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> DNDarray:
    """`convolve` along one axis."""
    w = array_of(weights)
    return correlate1d(input, np.flip(w).conj(), axis, mode, cval, -int(origin) - (w.size % 2 == 0))


def uniform_filter1d(
    input: Any, size: int, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> DNDarray:
    """Mean of `size` neighbours along an axis: in as many passes as the size has binary digits.

    Parameters, result and cost as for `correlate`.
    """
    fn = "uniform_filter1d"
    core = inexact(native(input, fn, "input"))
    k, n = axis_of(fn, axis, core.ndim), whole_number(fn, "size", size, 1)
    shape = [n if j == k else 1 for j in range(core.ndim)]
    widths = around(fn, shape, [origin if j == k else 0 for j in range(core.ndim)])
    return mapped(core, widths, (boundary_of(fn, mode), cval), lambda u: sliding_sum(u, k, n) / n)


def uniform_filter(input: Any, size: Any = 3, mode: Any = "reflect", cval: float = 0.0, origin: Any = 0) -> DNDarray:
    """`uniform_filter1d` along all axes, of one size, mode and origin or one per axis."""
    x = wrap(native(input, "uniform_filter", "input"))
    sizes, shifts = (per_axis("uniform_filter", n, v, x.ndim) for n, v in (("size", size), ("origin", origin)))
    modes = per_axis("uniform_filter", "mode", mode, x.ndim)
    for axis, (n, o) in enumerate(zip(sizes, shifts, strict=True)):
        x = uniform_filter1d(x, n, axis, modes[axis], cval, o)
    return x


def _gaussian(sigma: float, order: int, radius: int) -> np.ndarray[Any, Any]:
    """Samples of the Gaussian's derivative: its density times a polynomial that each derivative makes anew."""
    x = np.arange(-radius, radius + 1)
    density = np.exp(-0.5 / sigma**2 * x**2)
    density /= density.sum()
    # (p g)' = (p' - p x / sigma^2) g, on coefficients of p.
    p = np.zeros(order + 1)
    p[0] = 1
    for _ in range(order):
        step = np.append(p[1:] * np.arange(1, order + 1), 0)
        step[1:] -= p[:-1] / sigma**2
        p = step
    return np.asarray((x[:, None] ** np.arange(order + 1)) @ p * density)


def gaussian_filter1d(
    input: Any,
    sigma: float,
    axis: int = -1,
    order: int = 0,
    mode: str = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
) -> DNDarray:
    """Gaussian smoothing along an axis, or the derivative of that order of it.

    Parameters
    ----------
    input
        Array of any split; integers become floating point.
    sigma
        Standard deviation, in entries.
    axis
    order
        0 smooths, 1 is the first derivative, and so on.
    mode, cval
        As for `correlate`.
    truncate
        The window ends at so many standard deviations.
    radius
        Instead: the window has so many entries on both sides.

    Returns
    -------
    DNDarray
        Of the input's shape and distribution.

    Raises
    ------
    ValueError
        For a sigma that is not positive or a negative order.

    Notes
    -----
    Communication: ``truncate * sigma`` rows from each neighbour along the split. Differentiable.

    Examples
    --------
    >>> x = ht.zeros(9, split=0)
    >>> x[4] = 1.0
    >>> round(ht.ndimage.gaussian_filter1d(x, 1.0).max().item(), 3)
    0.399
    """
    if not sigma > 0:
        raise ValueError(f"gaussian_filter1d: sigma must be positive, is {sigma}")
    order = whole_number("gaussian_filter1d", "order", order)
    reach = int(truncate * float(sigma) + 0.5) if radius is None else radius
    weights = _gaussian(float(sigma), order, whole_number("gaussian_filter1d", "radius", reach))
    return correlate1d(input, weights[::-1], axis, mode, cval)


def gaussian_filter(
    input: Any,
    sigma: Any,
    order: Any = 0,
    mode: Any = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    *,
    radius: Any = None,
) -> DNDarray:
    """`gaussian_filter1d` along all axes, of one sigma, order, mode and radius or one per axis; not along sigma 0."""
    x = wrap(inexact(native(input, "gaussian_filter", "input")))
    given = (("sigma", sigma), ("order", order), ("mode", mode), ("radius", radius))
    choices = zip(*(per_axis("gaussian_filter", n, v, x.ndim) for n, v in given), strict=True)
    for axis, (s, k, m, r) in enumerate(choices):
        if s > 1e-15:
            x = gaussian_filter1d(x, s, axis, k, m, cval, truncate, radius=r)
    return x


def _derivative(fn: str, input: Any, axis: int, smooth: Sequence[float], mode: Any, cval: float) -> DNDarray:
    core = native(input, fn, "input")
    k = axis_of(fn, axis, core.ndim)
    weights = np.ones((1,) * core.ndim)
    for j in range(core.ndim):
        weights = weights * _along(np.array([-1.0, 0.0, 1.0] if j == k else smooth), j, core.ndim)
    # One axis after another sees what lies beyond as values of its own: the same but for "constant".
    if isinstance(mode, str) and (mode not in ("constant", "grid-constant") or cval == 0):
        return _sum(fn, input, weights, mode, cval, 0)
    modes = per_axis(fn, "mode", mode, core.ndim)
    x = correlate1d(input, [-1.0, 0.0, 1.0], k, modes[k], cval)
    for j in range(core.ndim):
        if j != k:
            x = correlate1d(x, smooth, j, modes[j], cval)
    return x


def sobel(input: Any, axis: int = -1, mode: Any = "reflect", cval: float = 0.0) -> DNDarray:
    """Sobel's derivative along an axis: central difference there, (1, 2, 1) along the others. See `correlate`."""
    return _derivative("sobel", input, axis, (1.0, 2.0, 1.0), mode, cval)


def prewitt(input: Any, axis: int = -1, mode: Any = "reflect", cval: float = 0.0) -> DNDarray:
    """Prewitt's derivative along an axis: central difference there, (1, 1, 1) along the others. See `correlate`."""
    return _derivative("prewitt", input, axis, (1.0, 1.0, 1.0), mode, cval)


def laplace(input: Any, mode: Any = "reflect", cval: float = 0.0) -> DNDarray:
    """Sum of the second differences along all axes, of one mode or one per axis. Otherwise as `correlate`."""
    ndim = native(input, "laplace", "input").ndim
    if not isinstance(mode, str):
        modes = per_axis("laplace", "mode", mode, ndim)
        parts = [correlate1d(input, [1.0, -2.0, 1.0], axis, modes[axis], cval) for axis in range(ndim)]
        return sum(parts[1:], parts[0])
    weights = np.zeros((3,) * ndim)
    for axis in range(ndim):
        weights += np.pad(_along(np.array([1.0, -2.0, 1.0]), axis, ndim), [(int(k != axis),) * 2 for k in range(ndim)])
    return _sum("laplace", input, weights, mode, cval, 0)


def _of_each_axis(
    fn: str, input: Any, sigma: Any, order: int, mode: Any, cval: float, truncate: float
) -> list[DNDarray]:
    """The smoothed array's derivatives of that order; a mode per axis is that of the axis' derivative, as in SciPy."""
    x = wrap(native(input, fn, "input"))
    return [
        gaussian_filter(x, sigma, [order * (k == axis) for k in range(x.ndim)], m, cval, truncate)
        for axis, m in enumerate(per_axis(fn, "mode", mode, x.ndim))
    ]


def gaussian_laplace(
    input: Any, sigma: Any, mode: Any = "reflect", cval: float = 0.0, truncate: float = 4.0
) -> DNDarray:
    """Sum of the Gaussian's second derivatives along all axes. See `gaussian_filter`."""
    parts = _of_each_axis("gaussian_laplace", input, sigma, 2, mode, cval, truncate)
    return sum(parts[1:], parts[0]) if parts else +wrap(native(input, "gaussian_laplace", "input"))


def gaussian_gradient_magnitude(
    input: Any, sigma: Any, mode: Any = "reflect", cval: float = 0.0, truncate: float = 4.0
) -> DNDarray:
    """Length of the gradient of the smoothed array. See `gaussian_filter`."""
    parts = [d**2 for d in _of_each_axis("gaussian_gradient_magnitude", input, sigma, 1, mode, cval, truncate)]
    return sum(parts[1:], parts[0]) ** 0.5 if parts else +wrap(native(input, "gaussian_gradient_magnitude", "input"))
