# SPDX-License-Identifier: BSD-3-Clause
"""Discrete Fourier transforms of split arrays, with NumPy's names, shapes and normalisation.

Distribution
------------
The result has the input's split, and its extents unless the split axis changes its length (then they are balanced).

Communication
-------------
None along axes that are not split. Along the split axis, in elements sent per rank of a block of b elements:

- with another axis of at least as many entries as ranks: two alltoallv of b each, one to make the lines whole and one
  to bring them back, in pieces of 4 MiB (so that memory stays near input and result);
- without one (a 1-D array): Bailey's six-step algorithm, three alltoallv of b each, where the length is a product of
  two factors that are at least the number of ranks. Other lengths (primes) go by Bluestein's convolution through three
  transforms of at least twice the length. No rank ever holds the whole axis.

Types
-----
float32 and complex64 transform to complex64, float64 and complex128 to complex128; bool, integers, float16 and
bfloat16 count as float32. All transforms are differentiable.

References
----------
Bailey, FFTs in external or hierarchical memory, J. Supercomputing 4 (1990); Bluestein, A linear filtering approach to
the computation of discrete Fourier transform, IEEE Trans. Audio 18 (1970).
"""

from __future__ import annotations

from equiheat.fft import fft as _module  # noqa: F401  (first: as attribute the name is the function below)
from equiheat.fft._frequencies import fftfreq as fftfreq
from equiheat.fft._frequencies import fftshift as fftshift
from equiheat.fft._frequencies import ifftshift as ifftshift
from equiheat.fft._frequencies import rfftfreq as rfftfreq
from equiheat.fft._transforms import fft as fft
from equiheat.fft._transforms import fft2 as fft2
from equiheat.fft._transforms import fftn as fftn
from equiheat.fft._transforms import hfft as hfft
from equiheat.fft._transforms import hfft2 as hfft2
from equiheat.fft._transforms import hfftn as hfftn
from equiheat.fft._transforms import ifft as ifft
from equiheat.fft._transforms import ifft2 as ifft2
from equiheat.fft._transforms import ifftn as ifftn
from equiheat.fft._transforms import ihfft as ihfft
from equiheat.fft._transforms import ihfft2 as ihfft2
from equiheat.fft._transforms import ihfftn as ihfftn
from equiheat.fft._transforms import irfft as irfft
from equiheat.fft._transforms import irfft2 as irfft2
from equiheat.fft._transforms import irfftn as irfftn
from equiheat.fft._transforms import rfft as rfft
from equiheat.fft._transforms import rfft2 as rfft2
from equiheat.fft._transforms import rfftn as rfftn
