# SPDX-License-Identifier: BSD-3-Clause
"""Morphology of grey-scale and binary images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import _core, logical
from equiheat._base import wrap
from equiheat._function import native
from equiheat.ndimage._arguments import array_of, beyond_of, per_axis
from equiheat.ndimage.order import element, extreme
from equiheat.stencils import whole_number

if TYPE_CHECKING:
    from equiheat.array import DNDarray

Shape = tuple[np.ndarray[Any, Any], "np.ndarray[Any, Any] | None"]


def _structure(fn: str, ndim: int, size: Any, footprint: Any, structure: Any) -> Shape:
    """Places that count, and their heights; heights of 0 are none."""
    if structure is None:
        return element(fn, ndim, size, footprint), None
    heights = array_of(structure)
    places = np.ones(heights.shape, bool) if footprint is None else array_of(footprint).astype(bool)
    if heights.ndim != ndim or places.shape != heights.shape:
        raise ValueError(f"{fn}: structure must have {ndim} axes and the footprint's shape, has shape {heights.shape}")
    return places, heights if heights.any() else None


def _reflected(fn: str, shape: tuple[int, ...], origin: Any) -> list[int]:
    """The origin of an element that is turned round."""
    return [-int(o) - (n % 2 == 0) for n, o in zip(shape, per_axis(fn, "origin", origin, len(shape)), strict=True)]


def grey_erosion(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """Minimum over the structuring element of the entries less its heights.

    Parameters
    ----------
    input
        Array of any real dtype and split.
    size, footprint
        A flat structuring element: extents, or a bool array that says which neighbours count.
    structure
        Heights of the structuring element; with a footprint only those where it is true. Sums beyond
        the ends of an integer type become the end.
    mode, cval, origin
        As for `correlate`.

    Returns
    -------
    DNDarray
        Of the input's dtype, shape and distribution.

    Raises
    ------
    ValueError
        For no structuring element, an unknown mode, an origin outside of it, a cval the dtype has not.

    Notes
    -----
    Communication: along the split the rows a block lacks, while the interior is computed. Differentiable: gradients
    are shared between equals.

    Examples
    --------
    >>> ht.ndimage.grey_erosion(ht.array([3, 1, 2, 5], split=0), 3).tolist()
    [1, 1, 1, 2]
    """
    fn = "grey_erosion"
    core = native(input, fn, "input")
    places, heights = _structure(fn, core.ndim, size, footprint, structure)
    below = None if heights is None else -heights
    return extreme(fn, core, places, below, torch.minimum, beyond_of(fn, core, mode, cval), origin)


def grey_dilation(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """Maximum over the structuring element, turned round, of the entries plus its heights; see `grey_erosion`."""
    fn = "grey_dilation"
    core = native(input, fn, "input")
    places, heights = _structure(fn, core.ndim, size, footprint, structure)
    above = None if heights is None else np.flip(heights)
    shifts = _reflected(fn, places.shape, origin)
    return extreme(fn, core, np.flip(places), above, torch.maximum, beyond_of(fn, core, mode, cval), shifts)


def grey_opening(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """Erosion, then dilation: bright details smaller than the structuring element go; see `grey_erosion`."""
    eroded = grey_erosion(input, size, footprint, structure, mode, cval, origin)
    return grey_dilation(eroded, size, footprint, structure, mode, cval, origin)


def grey_closing(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """Dilation, then erosion: dark details smaller than the structuring element go; see `grey_erosion`."""
    dilated = grey_dilation(input, size, footprint, structure, mode, cval, origin)
    return grey_erosion(dilated, size, footprint, structure, mode, cval, origin)


def morphological_gradient(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """Dilation less erosion; see `grey_erosion`."""
    dilated = grey_dilation(input, size, footprint, structure, mode, cval, origin)
    return dilated - grey_erosion(input, size, footprint, structure, mode, cval, origin)


def morphological_laplace(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """Dilation plus erosion less twice the input; see `grey_erosion`."""
    x = wrap(native(input, "morphological_laplace", "input"))
    both = [f(x, size, footprint, structure, mode, cval, origin) for f in (grey_dilation, grey_erosion)]
    return both[0] + both[1] - x - x


def _difference(a: DNDarray, b: DNDarray) -> DNDarray:
    return logical.bitwise_xor(a, b) if a._core.local.dtype is torch.bool else a - b


def white_tophat(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """The input less its opening; see `grey_erosion`."""
    x = wrap(native(input, "white_tophat", "input"))
    return _difference(x, grey_opening(x, size, footprint, structure, mode, cval, origin))


def black_tophat(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
) -> DNDarray:
    """The closing less the input; see `grey_erosion`."""
    x = wrap(native(input, "black_tophat", "input"))
    return _difference(grey_closing(x, size, footprint, structure, mode, cval, origin), x)


def _binary_structure(fn: str, ndim: int, structure: Any) -> np.ndarray[Any, Any]:
    """The given one, or an entry and its neighbours along the axes."""
    if structure is None:
        return np.abs(np.indices((3,) * ndim) - 1).sum(0) <= 1
    places = array_of(structure).astype(bool)
    if places.ndim != ndim or not places.any():
        raise ValueError(f"{fn}: structure must have {ndim} axes and an entry that is true, has shape {places.shape}")
    return places


def _repeated(fn: str, core: _core.Array, step: Any, iterations: int, mask: Any) -> DNDarray:
    x = wrap(core.with_local(core.local != 0))
    where = None if mask is None else native(mask, fn, "mask", core)
    if where is not None and where.gshape != core.gshape:
        raise ValueError(f"{fn}: mask must have the input's shape {x.shape}, has shape {tuple(where.gshape)}")
    changing = None
    if where is not None:
        changing = wrap(core.with_local(torch.zeros_like(core.local, dtype=torch.bool)))
        _core.assign(changing._core, where.with_local(where.local != 0), None, fn)
    count = whole_number(fn, "iterations", iterations, -1)
    done = 0
    while count < 1 or done < count:
        after = step(x._core)
        after = after if changing is None else (after & changing) | (x & ~changing)
        done += 1
        if count < 1 and bool((after == x).all()):
            break
        x = after
    return x


def binary_erosion(
    input: Any, structure: Any = None, iterations: int = 1, mask: Any = None, *, border_value: int = 0, origin: Any = 0
) -> DNDarray:
    """Where the structuring element lies within the entries that are not 0.

    Parameters
    ----------
    input
        Array of any dtype and split; what is not 0 counts as true.
    structure
        Bool array of the input's number of axes; default: an entry and its neighbours along the axes.
    iterations
        How often; less than 1: until nothing changes.
    mask
        Array of the input's shape, any split: where it is 0 nothing changes.
    border_value
        What lies beyond the array.
    origin
        As for `correlate`.

    Returns
    -------
    DNDarray
        Of bool, with the input's shape and distribution.

    Raises
    ------
    ValueError
        For a structure of another number of axes or without a true entry.

    Notes
    -----
    Communication: along the split the rows a block lacks, each time; until nothing changes one allreduce more.

    Examples
    --------
    >>> ht.ndimage.binary_erosion(ht.array([1, 1, 1, 0], split=0)).tolist()
    [False, True, False, False]
    """
    fn = "binary_erosion"
    core = native(input, fn, "input")
    places = _binary_structure(fn, core.ndim, structure)
    beyond = "constant", float(bool(border_value))
    step = lambda c: extreme(fn, c, places, None, torch.minimum, beyond, origin)  # noqa: E731
    return _repeated(fn, core, step, iterations, mask)


def binary_dilation(
    input: Any, structure: Any = None, iterations: int = 1, mask: Any = None, *, border_value: int = 0, origin: Any = 0
) -> DNDarray:
    """What the structuring element covers from the entries that are not 0; see `binary_erosion`."""
    fn = "binary_dilation"
    core = native(input, fn, "input")
    places = np.flip(_binary_structure(fn, core.ndim, structure))
    shifts = _reflected(fn, places.shape, origin)
    beyond = "constant", float(bool(border_value))
    step = lambda c: extreme(fn, c, places, None, torch.maximum, beyond, shifts)  # noqa: E731
    return _repeated(fn, core, step, iterations, mask)


def binary_propagation(
    input: Any, structure: Any = None, mask: Any = None, *, border_value: int = 0, origin: Any = 0
) -> DNDarray:
    """Dilation within the mask until nothing changes: as many passes as the longest way has steps."""
    return binary_dilation(input, structure, -1, mask, border_value=border_value, origin=origin)


def binary_fill_holes(input: Any, structure: Any = None, *, origin: Any = 0) -> DNDarray:
    """The input, and what cannot be reached from beyond the array without crossing it; see `binary_propagation`."""
    core = native(input, "binary_fill_holes", "input")
    free = wrap(core.with_local(core.local == 0))
    nothing = wrap(core.with_local(torch.zeros_like(core.local, dtype=torch.bool)))
    outside = binary_propagation(nothing, structure, free, border_value=1, origin=origin)
    return logical.logical_not(outside)


def binary_opening(
    input: Any, structure: Any = None, iterations: int = 1, mask: Any = None, *, border_value: int = 0, origin: Any = 0
) -> DNDarray:
    """Erosion, then dilation; see `binary_erosion`."""
    eroded = binary_erosion(input, structure, iterations, mask, border_value=border_value, origin=origin)
    return binary_dilation(eroded, structure, iterations, mask, border_value=border_value, origin=origin)


def binary_closing(
    input: Any, structure: Any = None, iterations: int = 1, mask: Any = None, *, border_value: int = 0, origin: Any = 0
) -> DNDarray:
    """Dilation, then erosion; see `binary_erosion`."""
    dilated = binary_dilation(input, structure, iterations, mask, border_value=border_value, origin=origin)
    return binary_erosion(dilated, structure, iterations, mask, border_value=border_value, origin=origin)
