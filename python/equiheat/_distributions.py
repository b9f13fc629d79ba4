# SPDX-License-Identifier: BSD-3-Clause
"""Distributions of `Generator` beyond the elementary ones: the gamma family, heavy tails, counts, vectors."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat import dtypes, random
from equiheat._base import ArrayBase, unwrap
from equiheat._gamma import log_gamma_quantile
from equiheat._sanitize import ShapeLike, sanitize_shape, sanitize_split
from equiheat.construction import array, asarray
from equiheat.defaults import default_split, get_default_split
from equiheat.gathering import take_along_axis
from equiheat.manipulation import stack
from equiheat.sorting import argsort

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def inside(u: torch.Tensor) -> torch.Tensor:
    """Uniform in the open interval (0, 1): quantiles of 0 may be infinite."""
    return u * (1 - 2.0**-53) + 2.0**-54


def number(value: Any, fn: str, name: str, least: float = -math.inf) -> float:
    """A parameter of a distribution, not below `least`."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{fn}: {name} must be a number, is {type(value)}") from None
    if found < least:
        raise ValueError(f"{fn}: {name} must not be below {least:g}, is {found:g}")
    return found


def positive(value: Any, fn: str, name: str) -> float:
    """A parameter above 0."""
    found = number(value, fn, name)
    if not 0 < found < math.inf:
        raise ValueError(f"{fn}: {name} must be positive and finite, is {found:g}")
    return found


def vector(value: Any, fn: str, name: str) -> np.ndarray:
    """A parameter of one axis, float64, replicated."""
    found = np.asarray(value.numpy() if isinstance(value, ArrayBase) else value, dtype=np.float64)  # type: ignore[attr-defined]
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError(f"{fn}: {name} must be a vector of finite numbers, has shape {found.shape}")
    return found


class MoreDistributions:
    """Methods of `Generator`. Local but where said."""

    # ------------------------------------------------------------------ the gamma family
    def standard_gamma(
        self: Any, shape: float, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Gamma with this shape and scale 1; zeros for shape 0."""
        return self.gamma(shape, 1.0, size, dtype, **where)

    def gamma(
        self: Any, shape: float, scale: float = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.float64,
        **where: Any,
    ) -> DNDarray:  # fmt: skip
        """Gamma with this shape and scale, by its quantiles."""
        shape, scale = number(shape, "gamma", "shape", 0), number(scale, "gamma", "scale", 0)
        if shape == 0:
            return self._mapped(torch.zeros_like, size, dtype, where)
        return self._mapped(lambda u: scale * torch.exp(_log_gamma(shape, u)), size, dtype, where)

    def chisquare(
        self: Any, df: float, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Sum of the squares of `df` standard normal variables; `df` need not be whole."""
        return self.gamma(positive(df, "chisquare", "df") / 2, 2.0, size, dtype, **where)

    def beta(
        self: Any, a: float, b: float, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Beta: the share of one gamma variable in the sum of two."""
        a, b = positive(a, "beta", "a"), positive(b, "beta", "b")
        return self._mapped(lambda u, v: torch.sigmoid(_log_gamma(a, u) - _log_gamma(b, v)), size, dtype, where, 2)

    def f(
        self: Any, dfnum: float, dfden: float, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Ratio of two mean squares (Fisher and Snedecor)."""
        top, bottom = positive(dfnum, "f", "dfnum"), positive(dfden, "f", "dfden")

        def ratio(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
            return torch.exp(_log_gamma(top / 2, u) - _log_gamma(bottom / 2, v)) * (bottom / top)

        return self._mapped(ratio, size, dtype, where, 2)

    def standard_t(
        self: Any, df: float, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Student's t."""
        df = positive(df, "standard_t", "df")

        def ratio(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
            return torch.special.ndtri(inside(u)) * torch.exp(0.5 * (math.log(df / 2) - _log_gamma(df / 2, v)))

        return self._mapped(ratio, size, dtype, where, 2)

    def dirichlet(
        self: Any, alpha: Any, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Shares of gamma variables with shapes `alpha` in their sum: shape (*size, len(alpha)).

        Communication: none but where it is split along the last axis.
        """
        shapes = [positive(a, "dirichlet", "alpha") for a in vector(alpha, "dirichlet", "alpha")]
        if not shapes:
            raise ValueError("dirichlet: alpha is empty; give one or more positive numbers")

        def shares(*u: torch.Tensor) -> list[torch.Tensor]:
            logs = [_log_gamma(shape, v) for shape, v in zip(shapes, u, strict=True)]
            return list(torch.stack(logs).softmax(0))

        place, axis, split = _beside("dirichlet", size, where)
        parts = self._mapped_to_many(shares, size, dtype, place, len(shapes))
        return stack(parts, axis).resplit(split)

    def multivariate_normal(
        self: Any, mean: Any, cov: Any, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Normal vectors with mean (d,) and covariance (d, d): shape (*size, d).

        ``mean + L z`` with L from the eigenvectors of `cov`; up to rounding the same for all numbers of ranks.
        ValueError where `cov` has a negative eigenvalue or is not symmetric. Communication: none but where it is
        split along the last axis.
        """
        centre, factor = vector(mean, "multivariate_normal", "mean"), _root(cov)
        if factor.shape[0] != centre.size:
            raise ValueError(f"multivariate_normal: mean has {centre.size} numbers, cov {factor.shape[0]} rows")

        place, axis, split = _beside("multivariate_normal", size, where)
        z = stack([self.standard_normal(size, dtypes.float64, **place) for _ in range(centre.size)], axis)
        with default_split(None):
            shift, turn = array(centre, comm=z.comm), array(factor.T.copy(), comm=z.comm)
        return (shift + z @ turn).astype(dtype).resplit(split)

    # ------------------------------------------------------------------ heavy tails and simple quantiles
    def pareto(
        self: Any, a: float, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Pareto's second kind (Lomax), which starts at 0, with exponent `a`."""
        a = positive(a, "pareto", "a")
        return self._mapped(lambda u: torch.expm1(-torch.log1p(-u) / a), size, dtype, where)

    def power(
        self: Any, a: float, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Density ``a x^(a - 1)`` on [0, 1]."""
        a = positive(a, "power", "a")
        return self._mapped(lambda u: u ** (1 / a), size, dtype, where)

    def triangular(
        self: Any, left: float, mode: float, right: float, size: ShapeLike | None = None, dtype: Any = dtypes.float64,
        **where: Any,
    ) -> DNDarray:  # fmt: skip
        """Density that rises from `left` to `mode` and falls to `right`."""
        left = number(left, "triangular", "left")
        mode = number(mode, "triangular", "mode", left)
        right = number(right, "triangular", "right", mode)
        if left == right:
            raise ValueError(f"triangular: left and right are both {left:g}")
        width, rise = right - left, mode - left

        def quantile(u: torch.Tensor) -> torch.Tensor:
            up, down = left + torch.sqrt(u * width * rise), right - torch.sqrt((1 - u) * width * (right - mode))
            return torch.where(u * width < rise, up, down)

        return self._mapped(quantile, size, dtype, where)

    # ------------------------------------------------------------------ counts
    def negative_binomial(
        self: Any, n: float, p: float, size: ShapeLike | None = None, dtype: Any = dtypes.int64, **where: Any
    ) -> DNDarray:
        """Failures before the n-th success of probability `p`, by inversion: memory O(n (1 - p) / p)."""
        n = positive(n, "negative_binomial", "n")
        if not 0 < number(p, "negative_binomial", "p") <= 1:
            raise ValueError(f"negative_binomial: p must be in (0, 1], is {p}")
        if p == 1:
            return self._mapped(torch.zeros_like, size, dtype, where)
        mean, deviation = n * (1 - p) / p, math.sqrt(n * (1 - p)) / p
        k = torch.arange(_tabulated_up_to(mean + 14 * deviation - 45 / math.log1p(-p), n, p), dtype=torch.float64)
        ways = torch.lgamma(k + n) - torch.lgamma(k + 1) - math.lgamma(n)
        return self._tabulated(ways + n * math.log(p) + k * math.log1p(-p), size, dtype, where)

    def hypergeometric(
        self: Any, ngood: int, nbad: int, nsample: int, size: ShapeLike | None = None, dtype: Any = dtypes.int64,
        **where: Any,
    ) -> DNDarray:  # fmt: skip
        """Good ones among `nsample` drawn without replacement, by inversion: memory O(nsample)."""
        good, bad, drawn = (random._integer(x, "hypergeometric", name)
                            for x, name in ((ngood, "ngood"), (nbad, "nbad"), (nsample, "nsample")))  # fmt: skip
        if min(good, bad, drawn) < 0 or drawn > good + bad:
            raise ValueError(
                f"hypergeometric: nsample {drawn} of {good} and {bad}; all must be 0 or more and there be enough"
            )
        k = torch.arange(drawn + 1, dtype=torch.float64)
        mass = _log_ways(good, k) + _log_ways(bad, drawn - k)
        return self._tabulated(mass - mass.max(), size, dtype, where)

    def multinomial(
        self: Any, n: int, pvals: Any, size: ShapeLike | None = None, dtype: Any = dtypes.int64, **where: Any
    ) -> DNDarray:
        """How often each outcome of `pvals` occurs in `n` trials: shape (*size, len(pvals)).

        The last probability is what is left of 1. One binomial inversion after the other, in tables as long as their
        standard deviations. Communication: none but where it is split along the last axis. ValueError where `n` is
        negative or `pvals` is empty, has numbers outside [0, 1] or more than 1 in all but the last.
        """
        trials, chances = random._integer(n, "multinomial", "n"), vector(pvals, "multinomial", "pvals")
        if trials < 0:
            raise ValueError(f"multinomial: n must not be negative, is {trials}")
        if not chances.size or chances.min() < 0 or chances.max() > 1 or chances[:-1].sum() > 1 + 1e-12:
            raise ValueError("multinomial: pvals must be one or more probabilities that add up to 1")
        place, axis, split = _beside("multinomial", size, where)

        def counts(*u: torch.Tensor) -> list[torch.Tensor]:
            left, found, rest = torch.full(u[0].shape, trials), [], 1.0
            for v, chance in zip(u, chances[:-1].tolist(), strict=False):
                found.append(binomial_quantile(v, left, min(chance / rest, 1.0) if rest > 0 else 0.0))
                left, rest = left - found[-1], rest - chance
            return [*found, left]

        parts = self._mapped_to_many(counts, size, dtype, place, max(chances.size - 1, 1))
        return stack(parts, axis).resplit(split)

    # ------------------------------------------------------------------ orders and streams
    def permuted(self: Any, x: Any, axis: int | None = None, *, out: DNDarray | None = None) -> DNDarray:
        """A copy whose slices along an axis are permuted independently; all entries where `axis` is None.

        Collective where the array is split along the axis: a sort of random keys.
        """
        with default_split(None):
            array: Any = x if isinstance(x, ArrayBase) else asarray(x)
        if axis is None:
            flat = array.ravel()
            found = self.permutation(flat).reshape(array.shape, new_split=array.split) if array.ndim else array.copy()
        else:
            axis = sanitize_split(axis, array.ndim, "permuted", "axis")
            with default_split(None):  # a replicated array has replicated keys
                keys = self.random(array.shape, split=array.split, comm=array.comm)
            found = take_along_axis(array, argsort(keys, axis), axis)
        if out is None:
            return found
        unwrap(out, "permuted")
        out[...] = found
        return out

    def spawn(self: Any, n_children: int) -> list[Any]:
        """Generators with seeds of their own, from this one's seed and how many were spawned before. Local."""
        count = random._integer(n_children, "spawn", "n_children")
        if count < 0:
            raise ValueError(f"spawn: n_children must not be negative, is {count}")
        first, self._spawned = self._spawned, self._spawned + count
        return [type(self)(_child_seed(self._state[0], k)) for k in range(first, first + count)]


def _log_gamma(shape: float, u: torch.Tensor) -> torch.Tensor:
    return log_gamma_quantile(shape, inside(u))


def binomial_quantile(u: torch.Tensor, trials: torch.Tensor, p: float) -> torch.Tensor:
    """Binomial variables at the quantiles u, of as many trials as each has; a table for each number of trials."""
    found = torch.zeros_like(trials)
    for n in torch.unique(trials).tolist():
        reach = 40 + 14 * math.sqrt(n * p * (1 - p))
        k = torch.arange(max(math.floor(n * p - reach), 0), min(math.ceil(n * p + reach), n) + 1, dtype=torch.float64)
        ways = math.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
        mass = ways + torch.special.xlogy(k, torch.tensor(p)) + torch.special.xlog1py(n - k, torch.tensor(-p))
        cumulative = torch.exp(mass - mass.max()).cumsum(0)
        there = trials == n
        places = torch.searchsorted(cumulative, u[there] * cumulative[-1], right=True)
        found[there] = k[places.clamp_(max=k.numel() - 1)].to(found.dtype)
    return found


def _beside(fn: str, size: Any, where: Any) -> tuple[dict[str, Any], int, int | None]:
    """Where to draw what is laid side by side on a new last axis, that axis, and the split in the end."""
    axis = len(sanitize_shape(() if size is None else size, fn))
    split = sanitize_split(where.get("split", get_default_split()), axis + 1, fn)
    return {**where, "split": None if split == axis else split}, axis, split


def _child_seed(seed: int, child: int) -> int:
    digest = hashlib.sha256(f"equiheat {seed} {child}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def _tabulated_up_to(most: float, n: float, p: float) -> int:
    if not most < 2**28:
        raise ValueError(f"negative_binomial: n {n:g} and p {p:g} give numbers of about {most:.3g}, which is too many")
    return int(most) + 40


def _log_ways(n: int, k: torch.Tensor) -> torch.Tensor:
    """Logarithm of n over k; minus infinity where there are none."""
    possible = (k >= 0) & (k <= n)
    kept = torch.where(possible, k, 0.0)
    ways = math.lgamma(n + 1) - torch.lgamma(kept + 1) - torch.lgamma(n - kept + 1)
    return torch.where(possible, ways, -math.inf)


def _root(cov: Any) -> np.ndarray:
    """L with L L^T = cov."""
    matrix = np.asarray(cov.numpy() if isinstance(cov, ArrayBase) else cov, dtype=np.float64)  # type: ignore[attr-defined]
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"multivariate_normal: cov must be a square matrix, has shape {matrix.shape}")
    scale = float(np.abs(matrix).max(initial=0.0))
    if not np.allclose(matrix, matrix.T, rtol=0.0, atol=1e-8 * scale):
        raise ValueError("multivariate_normal: cov is not symmetric")
    values, vectors = np.linalg.eigh(matrix)
    if values.min(initial=0.0) < -1e-8 * scale:
        raise ValueError(f"multivariate_normal: cov has the negative eigenvalue {values.min():g}")
    root: np.ndarray = vectors * np.sqrt(np.clip(values, 0.0, None))
    return root
