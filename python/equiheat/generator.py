# SPDX-License-Identifier: BSD-3-Clause
"""Generators in the style of ``numpy.random.Generator``, with a state of their own.

As in `equiheat.random`, element i of what is drawn depends on the seed, on what was drawn before and on i, never on the
number of ranks or the split. Numbers differ from NumPy's for the same seed. Default types are NumPy's: float64, int64.
Every rank must make the same calls.

All methods take `split`, `device` and `comm` as the factories do, by keyword. Drawing is local.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from equiheat import dtypes, random
from equiheat._base import ArrayBase, unwrap, wrap
from equiheat._distributions import MoreDistributions, inside, number
from equiheat._gamma import in_whole_vectors
from equiheat._parameters import as_parameter
from equiheat._sanitize import ShapeLike, sanitize_shape
from equiheat.construction import array
from equiheat.defaults import default_split, get_default_split

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["Generator", "default_rng"]


def default_rng(seed: int | Generator | None = None) -> Generator:
    """A generator with a seed from 0 to 2**64 - 1; a generator gives itself.

    Without a seed one is taken from the operating system on the first rank and shared (collective).

    Examples
    --------
    >>> ht.random.default_rng(7).integers(0, 10, size=3, split=0).shape
    (3,)
    """
    return seed if isinstance(seed, Generator) else Generator(seed)


def _quantiles(u: torch.Tensor, cumulative: torch.Tensor) -> torch.Tensor:
    """The number of entries of a cumulative distribution that are not above u."""
    return torch.searchsorted(cumulative, u.contiguous(), right=True).clamp_(max=cumulative.numel() - 1)


def _around(mean: float, deviation: float, most: float) -> torch.Tensor:
    """Counts up to `most` that are not out of reach of a mean."""
    reach = 14 * deviation + 40
    first, last = max(math.floor(mean - reach), 0), min(math.ceil(mean + reach), math.floor(most))
    return torch.arange(first, last + 1, dtype=torch.float64)


class Generator(MoreDistributions):
    """A stream of random numbers with its own seed and position.

    Parameters
    ----------
    seed
        From 0 to 2**64 - 1, the same on every rank; None: from the operating system (collective).
    """

    def __init__(self, seed: int | None = None) -> None:
        self._state: tuple[Any, ...] = ()
        self._spawned = 0
        outer = random._State.seed, random._State.counter
        try:
            random.seed(seed)
            self._state = random._State.seed, random._State.counter
        finally:
            random._State.seed, random._State.counter = outer

    def __repr__(self) -> str:
        return f"Generator(Philox, seed={self._state[0]}, counter={self._state[1]})"

    def _draw(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A function of `equiheat.random` on the state of this generator."""
        outer = random._State.seed, random._State.counter
        random._State.seed, random._State.counter = self._state
        try:
            return function(*args, **kwargs)
        finally:
            self._state = random._State.seed, random._State.counter
            random._State.seed, random._State.counter = outer

    def _mapped(self, function: Callable[..., torch.Tensor], size: Any, dtype: Any, where: Any, draws: int = 1) -> Any:
        """A function of uniform numbers in [0, 1), one or several of each element, computed in float64."""
        return self._mapped_to_many(lambda *u: [function(*u)], size, dtype, where, draws)[0]

    def _mapped_to_many(
        self, function: Callable[..., list[torch.Tensor]], size: Any, dtype: Any, where: Any, draws: int
    ) -> list[DNDarray]:
        """Several results of the same numbers; elements do not depend on where blocks end."""
        cores = [self._draw(random.random_sample, size, dtypes.float64, **where)._core for _ in range(draws)]
        found = function(*(in_whole_vectors(core.local, 0.5) for core in cores))
        shape, kind = cores[0].local.shape, dtypes.torch_dtype(dtype)
        return [wrap(cores[0].with_local(x[: shape.numel()].view(shape).to(kind))) for x in found]

    # ------------------------------------------------------------------ uniform and normal
    def random(self, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any) -> DNDarray:
        """Uniform in [0, 1)."""
        return self._draw(random.random_sample, size, dtype, **where)

    def uniform(
        self, low: Any = 0.0, high: Any = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Uniform in [low, high), up to rounding; ValueError for numbers with high below low."""
        low, high = as_parameter(low), as_parameter(high)
        if not isinstance(low, ArrayBase) and not isinstance(high, ArrayBase):
            number(high, "uniform", "high", number(low, "uniform", "low"))
        return self._draw(random.uniform, low, high, size, dtype, **where)

    def standard_normal(self, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any) -> DNDarray:
        """Normal with mean 0 and standard deviation 1."""
        return self._draw(random.standard_normal, size, dtype, **where)

    def normal(
        self, loc: Any = 0.0, scale: Any = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Normal with mean `loc` and standard deviation `scale`; ValueError for a negative one."""
        return self._draw(random.normal, as_parameter(loc), as_parameter(scale), size, dtype, **where)

    def lognormal(
        self, mean: float = 0.0, sigma: float = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.float64,
        **where: Any,
    ) -> DNDarray:  # fmt: skip
        """Exponential of a normal variable."""
        x = self.normal(mean, sigma, size, dtype, **where)
        return wrap(x._core.with_local(x._core.local.exp()))

    # ------------------------------------------------------------------ integers and order
    def integers(
        self, low: int, high: int | None = None, size: ShapeLike | None = None, dtype: Any = dtypes.int64,
        endpoint: bool = False, **where: Any,
    ) -> DNDarray:  # fmt: skip
        """Integers from `low` to below `high` (to `high` with `endpoint`), or from 0 to `low`, equally likely."""
        first, end = (0, low) if high is None else (low, high)
        end = random._integer(end, "integers", "high" if high is not None else "low")
        return self._draw(random.randint, first, end + int(endpoint), size, dtype, **where)

    def permutation(self, x: Any, axis: int = 0, **where: Any) -> DNDarray:
        """0, ..., x - 1, or the entries of an array along an axis, in random order; see `random.permutation`."""
        x = as_parameter(x)
        if not isinstance(x, ArrayBase):
            return self._draw(random.permutation, x, **where)
        array: Any = x
        front = array.swapaxes(0, axis) if axis else array
        shuffled = self._draw(random.permutation, front)
        return shuffled.swapaxes(0, axis) if axis else shuffled

    def shuffle(self, x: DNDarray, axis: int = 0) -> None:
        """Bring the entries along an axis into random order, in place. Collective if split along it."""
        unwrap(x, "shuffle")
        x[...] = self.permutation(x, axis)
        x._halo_prev = x._halo_next = None  # they belonged to the old order

    def choice(
        self, a: Any, size: ShapeLike | None = None, replace: bool = True, p: Any = None, axis: int = 0, **where: Any
    ) -> DNDarray:
        """Random entries of 0, ..., a - 1 or of an array along an axis; `p`: their probabilities.

        Raises
        ------
        ValueError
            If there is nothing to draw from, not enough without replacement, or `p` does not fit.
        """
        a = as_parameter(a)
        if p is None and axis == 0:
            return self._draw(random.choice, a, size, replace, **where)
        source: Any = a
        rows = source.shape[axis] if isinstance(a, ArrayBase) else int(a)
        if p is None:
            entries = self._draw(random.choice, rows, size, replace, **where)
        else:
            entries = self._weighted(rows, size, replace, p, where)
        return source.take(entries, axis) if isinstance(a, ArrayBase) else entries

    def _weighted(self, rows: int, size: ShapeLike | None, replace: bool, p: Any, where: Any) -> DNDarray:
        weights = torch.as_tensor(p.numpy() if isinstance(p, ArrayBase) else p, dtype=torch.float64)  # type: ignore[attr-defined]
        if weights.shape != (rows,) or not bool((weights >= 0).all()) or abs(float(weights.sum()) - 1) > 1e-8:
            raise ValueError(f"choice: p must be {rows} probabilities that add up to 1")
        if not replace:
            return self._without_replacement(weights, size, where)
        cumulative = weights.cumsum(0) / weights.sum()
        return self._mapped(lambda u: _quantiles(u, cumulative), size, dtypes.int64, where)

    def _without_replacement(self, weights: torch.Tensor, size: ShapeLike | None, where: Any) -> DNDarray:
        """The first to arrive of exponential clocks with these rates: as one after the other (Efraimidis, Spirakis)."""
        shape = sanitize_shape(() if size is None else size, "choice")
        count, there = math.prod(shape), int((weights > 0).sum())
        if count > there:
            raise ValueError(f"choice: {count} entries without replacement, but {there} have a probability above 0")
        split = where.pop("split", get_default_split())
        with default_split(None):  # every rank needs all clocks
            clocks = self._mapped(lambda u: -torch.log1p(-u), weights.numel(), dtypes.float64, {})
            order = torch.argsort(clocks._core.local / weights, stable=True)[:count].reshape(shape)
            return array(order, split=split, **where)

    # ------------------------------------------------------------------ other distributions, by their quantiles
    def exponential(
        self, scale: float = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Exponential with mean `scale`, which must not be negative, as the scales below."""
        scale = number(scale, "exponential", "scale", 0)
        return self._mapped(lambda u: -scale * torch.log1p(-u), size, dtype, where)

    def standard_exponential(
        self, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Exponential with mean 1."""
        return self.exponential(1.0, size, dtype, **where)

    def laplace(
        self, loc: float = 0.0, scale: float = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.float64,
        **where: Any,
    ) -> DNDarray:  # fmt: skip
        """Double exponential around `loc`."""
        loc, scale = number(loc, "laplace", "loc"), number(scale, "laplace", "scale", 0)

        def quantile(u: torch.Tensor) -> torch.Tensor:
            centred = inside(u) - 0.5
            return loc - scale * centred.sign() * torch.log1p(-2 * centred.abs())

        return self._mapped(quantile, size, dtype, where)

    def logistic(
        self, loc: float = 0.0, scale: float = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.float64,
        **where: Any,
    ) -> DNDarray:  # fmt: skip
        """Logistic around `loc`."""
        loc, scale = number(loc, "logistic", "loc"), number(scale, "logistic", "scale", 0)
        return self._mapped(lambda u: loc + scale * torch.logit(inside(u)), size, dtype, where)

    def gumbel(
        self, loc: float = 0.0, scale: float = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.float64,
        **where: Any,
    ) -> DNDarray:  # fmt: skip
        """Largest of many: Gumbel's distribution."""
        loc, scale = number(loc, "gumbel", "loc"), number(scale, "gumbel", "scale", 0)
        return self._mapped(lambda u: loc - scale * torch.log(-torch.log(inside(u))), size, dtype, where)

    def rayleigh(
        self, scale: float = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any
    ) -> DNDarray:
        """Length of a vector of two normal variables."""
        scale = number(scale, "rayleigh", "scale", 0)
        return self._mapped(lambda u: scale * torch.sqrt(-2 * torch.log1p(-u)), size, dtype, where)

    def weibull(self, a: float, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any) -> DNDarray:
        """Weibull with shape `a`, zero for 0."""
        power = 1 / (number(a, "weibull", "a", 0) or math.nan)
        return self._mapped(lambda u: ((-torch.log1p(-u)) ** power).nan_to_num_(0.0), size, dtype, where)

    def standard_cauchy(self, size: ShapeLike | None = None, dtype: Any = dtypes.float64, **where: Any) -> DNDarray:
        """Cauchy's distribution."""
        return self._mapped(lambda u: torch.tan(math.pi * (inside(u) - 0.5)), size, dtype, where)

    def geometric(self, p: float, size: ShapeLike | None = None, dtype: Any = dtypes.int64, **where: Any) -> DNDarray:
        """Trials until the first success of probability `p`."""
        if not 0 < number(p, "geometric", "p") <= 1:
            raise ValueError(f"geometric: p must be in (0, 1], is {p}")
        rate = -math.inf if p == 1 else math.log1p(-p)
        most = 2.0**63 - 1024  # of int64, as NumPy's
        return self._mapped(lambda u: (torch.floor(torch.log1p(-u) / rate) + 1).clamp_(max=most), size, dtype, where)

    def poisson(
        self, lam: float = 1.0, size: ShapeLike | None = None, dtype: Any = dtypes.int64, **where: Any
    ) -> DNDarray:
        """Poisson with mean `lam`, by inversion: memory O(sqrt(lam))."""
        if not 0 <= number(lam, "poisson", "lam") < 2**31:
            raise ValueError(f"poisson: lam must be from 0 to 2**31, is {lam}")
        k = _around(lam, math.sqrt(lam), lam + 14 * math.sqrt(lam) + 40)
        mass = torch.special.xlogy(k, lam) - lam - torch.lgamma(k + 1)
        return self._tabulated(mass, size, dtype, where, int(k[0]))

    def binomial(
        self, n: int, p: float, size: ShapeLike | None = None, dtype: Any = dtypes.int64, **where: Any
    ) -> DNDarray:
        """Successes of probability `p` among `n` trials, by inversion: memory O(sqrt(n))."""
        n = random._integer(n, "binomial", "n")
        if n < 0 or not 0 <= number(p, "binomial", "p") <= 1:
            raise ValueError(f"binomial: n must not be negative and p be in [0, 1], are {n} and {p}")
        k = _around(n * p, math.sqrt(n * p * (1 - p)), n)
        ways = math.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
        chance = torch.special.xlogy(k, torch.tensor(p)) + torch.special.xlog1py(n - k, torch.tensor(-p))
        return self._tabulated(ways + chance, size, dtype, where, int(k[0]))

    def _tabulated(self, log_mass: torch.Tensor, size: Any, dtype: Any, where: Any, first: int = 0) -> DNDarray:
        """From the logarithms of the probabilities of `first`, `first` + 1, ..."""
        cumulative = torch.exp(log_mass).cumsum(0)
        cumulative /= cumulative[-1].clone()
        return self._mapped(lambda u: _quantiles(u, cumulative) + first, size, dtype, where)


class _OfModule(Generator):
    """The distributions of generators on the state of `equiheat.random`: ``ht.random.exponential(2.0, 5)``."""

    def __init__(self) -> None:
        self._spawned = 0

    def __repr__(self) -> str:
        return "equiheat.random"

    def _draw(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)


#: What NumPy's module of random numbers has besides its generators, and `equiheat.random` takes from here.
DISTRIBUTIONS = (
    "beta", "binomial", "chisquare", "dirichlet", "exponential", "f", "gamma", "geometric", "gumbel", "hypergeometric",
    "laplace", "logistic", "lognormal", "multinomial", "multivariate_normal", "negative_binomial", "pareto", "poisson",
    "power", "rayleigh", "standard_cauchy", "standard_exponential", "standard_gamma", "standard_t", "triangular",
    "weibull",
)  # fmt: skip
of_module = _OfModule()
