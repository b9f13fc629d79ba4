# SPDX-License-Identifier: BSD-3-Clause
"""Parts of complex numbers, element-wise."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

from equiheat._function import Operand, deliver, unary
from equiheat.arithmetic import multiply

if TYPE_CHECKING:
    from equiheat.array import DNDarray

real = unary("real", "Real part; the input itself if it is real.", dtype="The real dtype of the input.")
imag = unary("imag", "Imaginary part; zeros if the input is real.", dtype="The real dtype of the input.")
conjugate = unary("conjugate", "Complex conjugate, element-wise.", dtype="The dtype of the input.")
conj = conjugate
isreal = unary("isreal", "True where the imaginary part is zero.", dtype="bool.")
iscomplex = unary("iscomplex", "True where the imaginary part is not zero.", dtype="bool.")
_angle = unary("angle", "Angle in the complex plane, in radians.")


def angle(x: Operand, deg: bool = False, out: DNDarray | None = None) -> DNDarray:
    """Angle in the complex plane, in radians or, with `deg`, degrees; the real dtype of the input.

    Distribution: the split and extents of x. Communication: none.
    """
    result = _angle(x)
    return deliver(multiply(result, 180 / pi) if deg else result, out, True, "angle")
