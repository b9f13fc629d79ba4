# SPDX-License-Identifier: BSD-3-Clause
"""FFT extension of the standard: `equiheat.fft` with the standard's signatures.

Split rules, costs and errors are those of the functions of the same name there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from equiheat.array_api._dtypes import float64
from equiheat.array_api._heat import Array, Device, DType, ht

# fmt: off
__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft",
    "rfftfreq", "rfftn",
]
# fmt: on

Axes = Sequence[int] | None


def fft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Discrete Fourier transform along an axis."""
    return ht.fft.fft(x, n, axis, norm)


def ifft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Inverse of `fft`."""
    return ht.fft.ifft(x, n, axis, norm)


def fftn(x: Array, /, *, s: Axes = None, axes: Axes = None, norm: str = "backward") -> Array:
    """Discrete Fourier transform over several axes."""
    return ht.fft.fftn(x, s, axes, norm)


def ifftn(x: Array, /, *, s: Axes = None, axes: Axes = None, norm: str = "backward") -> Array:
    """Inverse of `fftn`."""
    return ht.fft.ifftn(x, s, axes, norm)


def rfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Half of the transform of real input."""
    return ht.fft.rfft(x, n, axis, norm)


def irfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Inverse of `rfft`."""
    return ht.fft.irfft(x, n, axis, norm)


def rfftn(x: Array, /, *, s: Axes = None, axes: Axes = None, norm: str = "backward") -> Array:
    """Half of the transform of real input over several axes."""
    return ht.fft.rfftn(x, s, axes, norm)


def irfftn(x: Array, /, *, s: Axes = None, axes: Axes = None, norm: str = "backward") -> Array:
    """Inverse of `rfftn`."""
    return ht.fft.irfftn(x, s, axes, norm)


def hfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Transform of a signal with Hermitian symmetry."""
    return ht.fft.hfft(x, n, axis, norm)


def ihfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Inverse of `hfft`."""
    return ht.fft.ihfft(x, n, axis, norm)


def fftfreq(n: int, /, *, d: float = 1.0, dtype: DType = None, device: Device = None) -> Array:
    """Sample frequencies of `fft`; float64 unless another dtype is given."""
    return ht.fft.fftfreq(n, d, dtype=float64 if dtype is None else dtype, device=device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: DType = None, device: Device = None) -> Array:
    """Sample frequencies of `rfft`; float64 unless another dtype is given."""
    return ht.fft.rfftfreq(n, d, dtype=float64 if dtype is None else dtype, device=device)


def fftshift(x: Array, /, *, axes: Any = None) -> Array:
    """The zero frequency moved to the middle."""
    return ht.fft.fftshift(x, axes)


def ifftshift(x: Array, /, *, axes: Any = None) -> Array:
    """Inverse of `fftshift`."""
    return ht.fft.ifftshift(x, axes)
