# SPDX-License-Identifier: BSD-3-Clause
"""The transforms: one assignment each, with a true signature and docstring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, Any, Protocol, cast

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import native
from equiheat.complex_math import conj
from equiheat.errors import AxisError

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_SCALE = {"backward": {True: 0, False: 2}, "ortho": {True: 1, False: 1}, "forward": {True: 2, False: 0}}


@dataclass(frozen=True)
class _Kind:
    """What a family of transforms does to the data."""

    native: str  # of _core.fft
    forward: bool
    conjugate: str = ""  # "before" or "after": the Hermitian families
    summary: str = ""
    data: str = ""
    lines: str = ""

    def scale(self, norm: str | None, fn: str) -> int:
        """The native code of what results are divided by."""
        try:
            return _SCALE["backward" if norm is None else norm][self.forward]
        except (KeyError, TypeError):
            raise ValueError(f"{fn}: norm must be 'backward', 'ortho' or 'forward', is {norm!r}") from None

    def run(self, x: _core.Array, axes: Sequence[int], lengths: Sequence[int], norm: str | None, fn: str) -> DNDarray:
        """The transform over axes in [0, ndim)."""
        scale = self.scale(norm, fn)
        if self.conjugate == "before":
            x = conj(wrap(x))._core
        # An axis given twice is transformed twice: from the last one on, as NumPy does.
        while len(set(axes[:-1])) < len(axes[:-1]) or axes[-1] in axes[:-1]:
            if self.native != "complex":
                raise ValueError(f"{fn}: axes {tuple(axes)} name an axis twice")
            x = _core.fft(x, "complex", [axes[-1]], [lengths[-1]], scale, self.forward)
            axes, lengths = axes[:-1], lengths[:-1]
        result = wrap(_core.fft(x, self.native, list(axes), list(lengths), scale, self.forward))
        return conj(result) if self.conjugate == "after" else result


_ANY = "Real or complex, any split."
_LAST = "output length along the last axis; default 2 (m - 1) for m input points."
_KINDS = {
    "fft": _Kind("complex", True, "", "Discrete Fourier transform", _ANY, "Points"),
    "ifft": _Kind("complex", False, "", "Inverse discrete Fourier transform", _ANY, "Points"),
    "rfft": _Kind(
        "from_real",
        True,
        "",
        "Discrete Fourier transform of real data: its non-negative frequencies",
        "Real.",
        "Points",
    ),
    "irfft": _Kind(
        "to_real", False, "", "Inverse of `rfft`", "The non-negative half of a Hermitian spectrum.", "Output points"
    ),
    "hfft": _Kind(
        "to_real",
        True,
        "before",
        "Transform of a Hermitian signal, whose spectrum is real",
        "The non-negative half of a Hermitian signal.",
        "Output points",
    ),
    "ihfft": _Kind("from_real", False, "after", "Inverse of `hfft`", "Real.", "Points"),
}


class Transform(Protocol):
    """fft(x)"""

    __name__: str

    def __call__(self, x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> DNDarray: ...


class PlaneTransform(Protocol):
    """fft2(x)"""

    __name__: str

    def __call__(
        self, x: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None
    ) -> DNDarray: ...


class SpaceTransform(Protocol):
    """fftn(x)"""

    __name__: str

    def __call__(
        self, x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None
    ) -> DNDarray: ...


_DOC = """{summary}.

Parameters
----------
x : DNDarray
    {data}
{sizes}
norm : {{"backward", "ortho", "forward"}}, optional
    Which direction is divided by the number of points; "ortho": both by its root. Default "backward".

Returns
-------
DNDarray
    {dtype} The split of x, and its extents unless the split axis changes its length (then balanced).

Raises
------
ValueError
    For an axis out of range (then an IndexError, too), {twice}no points, an unknown norm.{type_error}

Notes
-----
Communication: none along axes that are not split; along the split axis see `equiheat.fft`. Differentiable.

Examples
--------
>>> x = ht.arange(4, dtype=ht.float64, split=0)
>>> ht.fft.{name}({example}).shape
{shape}
"""

_ONE = """n : int, optional
    {lines}: x is cut, or padded with zeros. Default: all there are.
axis : int
    Axis to transform."""
_MANY = """s : sequence of int, optional
    {lines} along each axis; -1 for all there are. Default: all there are.
axes : sequence of int{optional}
    Axes to transform; {default}."""


def _doc(name: str, kind: _Kind, sizes: str, axes: str) -> str:
    half = " (half the points and one along the last axis)" if kind.native == "from_real" else ""
    extent = {"complex": 4, "from_real": 3, "to_real": 6}[kind.native]
    many = name[-1] in "2n"
    return _DOC.format(
        summary=kind.summary + axes,
        data=kind.data,
        sizes=sizes.format(lines=kind.lines),
        dtype="Real." if kind.native == "to_real" else f"Complex{half}.",
        twice="axes given twice, " if many and kind.native != "complex" else "",
        type_error="\nTypeError\n    For complex data." if kind.native == "from_real" else "",
        name=name,
        example="ht.stack([x, x])" if many else "x",
        shape={"complex": "(2, 4)", "from_real": "(2, 3)", "to_real": "(2, 6)"}[kind.native]
        if many
        else f"({extent},)",
    )


def _named(function: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__module__ = "equiheat.fft"
    function.__doc__ = doc
    return function


def _axis(axis: Any, ndim: int, fn: str) -> int:
    try:
        number = index(axis)
    except TypeError:
        raise TypeError(f"{fn}: axis must be int, is {type(axis)}") from None
    if not -ndim <= number < ndim:
        raise AxisError(f"{fn}: axis {number} is out of bounds for {ndim}-dimensional array")
    return number % ndim


def _length(n: Any, present: int, last: bool, kind: _Kind, fn: str) -> int:
    """Points along one axis; `last` is the axis of which there is half a spectrum."""
    if n is None or n == -1:
        n = 2 * (present - 1) if last and kind.native == "to_real" else present
    try:
        number = index(n)
    except TypeError:
        raise TypeError(f"{fn}: the number of points must be int, is {type(n)}") from None
    if number < 1:
        raise ValueError(f"{fn}: invalid number of data points ({number}) along an axis; at least 1 is needed")
    return number


def _over_axes(name: str, kind: _Kind, x: Any, s: Any, axes: Any, norm: str | None) -> DNDarray:
    core = native(x, name)
    ndim = core.ndim
    if axes is None:
        axes = range(ndim) if s is None else range(max(ndim - len(s), 0), ndim)
    if s is not None and len(s) != len(axes):
        raise ValueError(f"{name}: s and axes must have the same length, have {len(s)} and {len(axes)}")
    along = [_axis(a, ndim, name) for a in axes]
    if not along:
        if kind.native != "complex":
            raise ValueError(f"{name}: at least 1 axis must be transformed")
        kind.scale(norm, name)
        return wrap(core)
    sizes = [None] * len(along) if s is None else list(s)
    last = len(along) - 1
    lengths = [
        _length(n, core.gshape[a], i == last, kind, name) for i, (n, a) in enumerate(zip(sizes, along, strict=True))
    ]
    return kind.run(core, along, lengths, norm, name)


def _line(name: str) -> Transform:
    kind = _KINDS[name]

    def function(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> DNDarray:
        core = native(x, name)
        along = _axis(axis, core.ndim, name)
        return kind.run(core, [along], [_length(n, core.gshape[along], True, kind, name)], norm, name)

    return cast(Transform, _named(function, name, _doc(name, kind, _ONE, " along an axis")))


def _plane(family: str) -> PlaneTransform:
    name, kind = family + "2", _KINDS[family]

    def function(
        x: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None
    ) -> DNDarray:
        return _over_axes(name, kind, x, s, axes, norm)

    sizes = _MANY.replace("{optional}", "").replace("{default}", "the last two")
    return cast(PlaneTransform, _named(function, name, _doc(name, kind, sizes, " over two axes")))


def _space(family: str) -> SpaceTransform:
    name, kind = family + "n", _KINDS[family]

    def function(
        x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None
    ) -> DNDarray:
        return _over_axes(name, kind, x, s, axes, norm)

    sizes = _MANY.replace("{optional}", ", optional").replace("{default}", "all, or the last ``len(s)``")
    return cast(SpaceTransform, _named(function, name, _doc(name, kind, sizes, " over several axes")))


fft, ifft, rfft, irfft, hfft, ihfft = (_line(name) for name in _KINDS)
fft2, ifft2, rfft2, irfft2, hfft2, ihfft2 = (_plane(name) for name in _KINDS)
fftn, ifftn, rfftn, irfftn, hfftn, ihfftn = (_space(name) for name in _KINDS)
