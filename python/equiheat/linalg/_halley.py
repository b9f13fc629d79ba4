# SPDX-License-Identifier: BSD-3-Clause
"""The polar decomposition of large split matrices by dynamically weighted Halley iterations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from equiheat import _core, manipulation
from equiheat._base import wrap
from equiheat.linalg._operands import identity_like
from equiheat.linalg._systems import cholesky, solve_triangular

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _size(x: DNDarray) -> float:
    return float(_core.vector_norm(x._core, 2.0, [0, 1], False).local.item())


def polar_factors(a: DNDarray, condition: float, with_h: bool = True) -> tuple[DNDarray, DNDarray]:
    """U and H of a split matrix, m >= n, split as it. Collective."""
    x = a.detach().resplit(1)
    kind = torch.finfo(x.larray.dtype)
    u = _halley(x, kind.eps, max(kind.eps / 4, 1 / condition if condition > 1 else 0.0))
    h = u
    if with_h:
        product = wrap(_core.matmul_to(_core.adjoint(u._core), x._core, 1))
        h = (product + wrap(_core.adjoint(product._core)).resplit(1)) * 0.5
        h = h.resplit(a.split)
    return u.resplit(a.split), h


def _halley(x: DNDarray, eps: float, bound: float) -> DNDarray:
    """The orthonormal factor; `bound`: of the smallest singular value relative to the largest."""
    size = _size(x)
    if size > 0 and math.isfinite(size):
        x = x * (1 / size)
        bound /= math.sqrt(x.shape[1])
    for _ in range(30):
        a, b, c = _weights(bound)
        before = x
        x = _step_by_qr(x, a, b, c) if c > 100 else _step_by_cholesky(x, a, b, c)
        bound = min(1.0, bound * (a + b * bound**2) / (1 + c * bound**2))
        if abs(1 - bound) < 10 * eps and _size(x - before) < eps ** (1 / 3):
            break
    return x


def _weights(bound: float) -> tuple[float, float, float]:
    """Of Halley's iteration, so that singular values in [bound, 1] come as close to 1 as a step allows."""
    square = bound * bound
    d = (4 * (1 - square) / square**2) ** (1 / 3)
    root = math.sqrt(1 + d)
    a = root + 0.5 * math.sqrt(max(0.0, 8 - 4 * d + 8 * (2 - square) / (square * root)))
    b = (a - 1) ** 2 / 4
    return a, b, a + b - 1


def _step_by_qr(x: DNDarray, a: float, b: float, c: float) -> DNDarray:
    m, n = x.shape
    square = wrap(_core.Array(x.larray.new_zeros((n, x.larray.shape[1])), [n, n], 1, x._core.counts, x._core.comm))
    stacked = manipulation.concatenate([x * math.sqrt(c), identity_like(square._core)], 0)
    q, _ = _core.qr(stacked._core, "reduced")
    assert q is not None
    upper = _core.Array(q.local[:m], [m, n], 1, q.counts, q.comm)
    lower = _core.Array(q.local[m:], [n, n], 1, q.counts, q.comm)
    product = wrap(_core.matmul_to(upper, _core.adjoint(lower), 1))
    return x * (b / c) + product * ((a - b / c) / math.sqrt(c))


def _step_by_cholesky(x: DNDarray, a: float, b: float, c: float) -> DNDarray:
    xh = _core.adjoint(x._core)
    gram = wrap(_core.matmul_to(xh, x._core, 1))
    gram = gram * c + identity_like(gram._core)
    low = cholesky(gram)
    half = solve_triangular(low, wrap(xh), lower=True)
    whole = solve_triangular(wrap(_core.adjoint(low._core)), half)
    turned = wrap(_core.adjoint(whole._core)).resplit(1)
    return x * (b / c) + turned * (a - b / c)
