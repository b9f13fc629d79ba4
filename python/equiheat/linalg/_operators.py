# SPDX-License-Identifier: BSD-3-Clause
"""Powers and exponentials of matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import native
from equiheat.linalg._norms import matrix_norm
from equiheat.linalg._operands import ArrayLike, identity_like
from equiheat.linalg._products import matmul
from equiheat.linalg._systems import inv, solve

if TYPE_CHECKING:
    from equiheat.array import DNDarray

#: Numerators of the diagonal Pade approximant of order 13, and the norm up to which it is exact to rounding in
#: double precision (Higham 2005, tables 2.3 and 2.4).
_PADE = (
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
)
_THETA = 5.37


def matrix_power(a: ArrayLike, n: int) -> DNDarray:
    """The n-th power of square matrices, by repeated squaring; of the inverses for negative n.

    Parameters
    ----------
    a : array
        (..., m, m), any split.
    n : int
        The exponent; 0 gives identities.

    Returns
    -------
    DNDarray
        Shape and split of a; dtype of a for n >= 0.

    Raises
    ------
    TypeError
        n is not an integer.
    LinAlgError
        A matrix is not square, or singular for negative n.

    Notes
    -----
    At most 2 log2(n) products as `matmul`. Differentiable.

    Examples
    --------
    >>> ht.linalg.matrix_power(ht.array([[1, 1], [0, 1]], split=0), 5).tolist()
    [[1, 5], [0, 1]]
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"matrix_power: n must be an integer, is {n!r}")
    power = n.__index__()
    core = native(a, "matrix_power", "a")
    _core.check_square(core, "matrix_power")
    x = wrap(core)
    if power < 0:
        x, power = inv(x), -power
    if power == 0:
        return identity_like(core)
    odd: list[DNDarray] = []  # the product of the squares that count
    while True:
        if power & 1:
            odd = [matmul(odd[0], x) if odd else x]
        power >>= 1
        if power == 0:
            return wrap(core.with_local(core.local.clone())) if odd[0]._core is core else odd[0]
        x = matmul(x, x)


def matrix_exp(A: ArrayLike) -> DNDarray:
    """Exponential of square matrices.

    Parameters
    ----------
    A : array
        (..., n, n), any split; integers and half precision are computed in float32.

    Returns
    -------
    DNDarray
        Shape and split of A.

    Raises
    ------
    LinAlgError
        The matrices are not square.

    Notes
    -----
    A split matrix of more than 2**20 elements (2**18 on more than 3 ranks): scaling and squaring with the Pade
    approximant of order 13 (Higham, SIAM J. Matrix Anal. Appl. 26, 2005), six products, one `solve` and log2 of the
    norm squarings, all distributed. Smaller ones are gathered. Differentiable; through a large split matrix once.

    Examples
    --------
    >>> ht.linalg.matrix_exp(ht.zeros((2, 2), split=0)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    core = native(A, "matrix_exp", "A")
    _core.check_square(core, "matrix_exp")
    if not _core.is_large_matrix(core):
        return wrap(_core.matrix_exp(core))
    return _scaled_and_squared(wrap(_core.to_factorable(core)))


expm = matrix_exp


def _scaled_and_squared(a: DNDarray) -> DNDarray:
    size = matrix_norm(a.detach(), ord=1).item()
    squarings = max(0, math.ceil(math.log2(size / _THETA))) if math.isfinite(size) and size > 0 else 0
    a = a * 2.0**-squarings
    a2 = matmul(a, a)
    a4 = matmul(a2, a2)
    a6 = matmul(a4, a2)
    one = identity_like(a._core)
    b = _PADE
    high = matmul(a6, a6 * b[13] + a4 * b[11] + a2 * b[9])
    odd = matmul(a, high + a6 * b[7] + a4 * b[5] + a2 * b[3] + one * b[1])
    even = matmul(a6, a6 * b[12] + a4 * b[10] + a2 * b[8]) + a6 * b[6] + a4 * b[4] + a2 * b[2] + one * b[0]
    result = solve(even - odd, even + odd)
    for _ in range(squarings):
        result = matmul(result, result)
    return result
