# SPDX-License-Identifier: BSD-3-Clause
"""The polar decomposition of large split matrices by dynamically weighted Halley iterations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from equiheat import _core, manipulation
from equiheat._base import wrap
from equiheat.linalg._operands import check_finite, identity_like
from equiheat.linalg._systems import cholesky, solve_triangular

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _size(x: DNDarray) -> float:
    return float(_core.vector_norm(x._core, 2.0, [0, 1], False).local.item())


def unitary_factor(a: DNDarray, condition: float) -> DNDarray:
    """U of a = U @ H, a split matrix, m >= n; split as it, zero on the null space of a. Collective."""
    x = a.detach().resplit(1)
    kind = torch.finfo(x.larray.dtype)
    return _halley(_scaled(x), kind.eps, max(kind.eps / 4, 1 / condition if condition > 1 else 0.0)).resplit(a.split)


def hermitian_factor(u: DNDarray, a: DNDarray) -> DNDarray:
    """H of a = U @ H, split as a. Collective."""
    x = a.detach().resplit(1)
    product = wrap(_core.matmul_to(_core.adjoint(u.resplit(1)._core), x._core, 1))
    return ((product + wrap(_core.adjoint(product._core)).resplit(1)) * 0.5).resplit(a.split)


def _scaled(x: DNDarray) -> DNDarray:
    """Times a power of two, in halves that are in range themselves, so that squares neither over- nor underflow."""
    check_finite(x._core, "polar decomposition")
    most = float(_core.vector_norm(x._core, math.inf, [0, 1], False).local.item()) if x.size else 0.0
    power = -math.frexp(most)[1]
    return x * 2.0 ** (power // 2) * 2.0 ** (power - power // 2)


def _halley(x: DNDarray, eps: float, least: float, sort: bool = True) -> DNDarray:
    """The orthonormal factor; `least`: of the smallest singular value relative to the largest."""
    size = _size(x)
    if size > 0:
        x = x * (1 / size)
    bound = least / math.sqrt(max(1, x.shape[1]))
    for _ in range(30):
        a, b, c = _weights(bound)
        before = x
        if c > 100:
            x, sizes = _step_by_qr(x, a, b, c)
            if sort and _depend_early(sizes):
                order = torch.argsort(sizes, descending=True, stable=True)
                return _halley(before[:, order], eps, least, sort=False)[:, torch.argsort(order)]
            sort = False
        else:
            x = _step_by_cholesky(x, a, b, c)
        bound = min(1.0, bound * (a + b * bound**2) / (1 + c * bound**2))
        if abs(1 - bound) < 10 * eps and _size(x - before) < eps ** (1 / 3):
            break
    return x


def _depend_early(sizes: torch.Tensor) -> bool:
    """Columns that depend on those before them have others behind them: a QR without pivots is not stable by rows."""
    behind = sizes.flip(0).cummax(0).values.flip(0)
    return bool((sizes < 1e-3 * behind).any())


def _weights(bound: float) -> tuple[float, float, float]:
    """Of Halley's iteration, so that singular values in [bound, 1] come as close to 1 as a step allows."""
    square = bound * bound
    d = (4 * (1 - square) / square**2) ** (1 / 3)
    root = math.sqrt(1 + d)
    a = root + 0.5 * math.sqrt(max(0.0, 8 - 4 * d + 8 * (2 - square) / (square * root)))
    b = (a - 1) ** 2 / 4
    return a, b, a + b - 1


def _step_by_qr(x: DNDarray, a: float, b: float, c: float) -> tuple[DNDarray, torch.Tensor]:
    """A step, and the distances of the columns from those before them."""
    m, n = x.shape
    square = wrap(_core.Array(x.larray.new_zeros((n, x.larray.shape[1])), [n, n], 1, x._core.counts, x._core.comm))
    stacked = manipulation.concatenate([x * math.sqrt(c), identity_like(square._core)], 0)
    q, r = _core.qr(stacked._core, "reduced")
    assert q is not None
    upper = _core.Array(q.local[:m], [m, n], 1, q.counts, q.comm)
    lower = _core.Array(q.local[m:], [n, n], 1, q.counts, q.comm)
    product = wrap(_core.matmul_to(upper, _core.adjoint(lower), 1))
    sizes = wrap(_core.matrix_diagonal(r, 0)).resplit(None).larray.abs()
    return x * (b / c) + product * ((a - b / c) / math.sqrt(c)), sizes


def _step_by_cholesky(x: DNDarray, a: float, b: float, c: float) -> DNDarray:
    xh = _core.adjoint(x._core)
    gram = wrap(_core.matmul_to(xh, x._core, 1))
    gram = gram * c + identity_like(gram._core)
    low = cholesky(gram)
    half = solve_triangular(low, wrap(xh), lower=True)
    whole = solve_triangular(wrap(_core.adjoint(low._core)), half)
    turned = wrap(_core.adjoint(whole._core)).resplit(1)
    return x * (b / c) + turned * (a - b / c)
