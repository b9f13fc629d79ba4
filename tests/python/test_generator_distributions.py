# SPDX-License-Identifier: BSD-3-Clause
"""Generators' distributions beyond the elementary ones, against SciPy; numbers do not depend on ranks and splits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import torch
from scipy import stats

import equiheat as ht
from equiheat._gamma import log_gamma_quantile

N = 20_000
Draw = Callable[..., Any]
CONTINUOUS: dict[str, tuple[Draw, Any]] = {
    "gamma small": (lambda g, **w: g.gamma(0.3, 2.0, **w), stats.gamma(0.3, scale=2)),
    "gamma large": (lambda g, **w: g.gamma(70.5, **w), stats.gamma(70.5)),
    "standard_gamma": (lambda g, **w: g.standard_gamma(2.0, **w), stats.gamma(2)),
    "chisquare": (lambda g, **w: g.chisquare(3, **w), stats.chi2(3)),
    "beta": (lambda g, **w: g.beta(0.5, 3.0, **w), stats.beta(0.5, 3)),
    "beta tiny": (lambda g, **w: g.beta(1e-3, 1e-3, **w), None),
    "f": (lambda g, **w: g.f(4, 9, **w), stats.f(4, 9)),
    "standard_t": (lambda g, **w: g.standard_t(2.5, **w), stats.t(2.5)),
    "pareto": (lambda g, **w: g.pareto(3.0, **w), stats.lomax(3)),
    "power": (lambda g, **w: g.power(0.7, **w), stats.powerlaw(0.7)),
    "triangular": (lambda g, **w: g.triangular(-1, 0.5, 3, **w), stats.triang(0.375, -1, 4)),
}
DISCRETE: dict[str, tuple[Draw, Any]] = {
    "negative_binomial": (lambda g, **w: g.negative_binomial(2.5, 0.2, **w), stats.nbinom(2.5, 0.2)),
    "hypergeometric": (lambda g, **w: g.hypergeometric(9, 14, 7, **w), stats.hypergeom(23, 9, 7)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str) -> None:
    draw, known = CONTINUOUS[name]
    x = draw(ht.random.default_rng(11), size=N, split=0)
    assert x.dtype is ht.float64
    values = x.numpy()
    assert np.isfinite(values).all()
    if known is not None:
        assert stats.kstest(values, known.cdf).pvalue > 1e-3
    else:  # nearly always one of the ends
        assert abs(values.mean() - 0.5) < 0.02
    whole = draw(ht.random.default_rng(11), size=(N // 100, 100), split=None).numpy()
    np.testing.assert_array_equal(whole.ravel(), values)


@pytest.mark.parametrize("name", DISCRETE)
def test_counts(name: str) -> None:
    draw, known = DISCRETE[name]
    x = draw(ht.random.default_rng(5), size=N, split=0)
    assert x.dtype is ht.int64
    values = x.numpy()
    kinds = np.arange(known.ppf(0.001), known.ppf(0.98) + 1)
    expected = N * known.pmf(kinds)
    kept = expected > 5
    found = np.array([(values == k).sum() for k in kinds[kept]])
    others, rest = N - found.sum(), N - expected[kept].sum()
    statistic = ((found - expected[kept]) ** 2 / expected[kept]).sum() + (others - rest) ** 2 / max(rest, 5)
    assert stats.chi2.sf(statistic, kept.sum()) > 1e-3
    np.testing.assert_array_equal(draw(ht.random.default_rng(5), size=N, split=None).numpy(), values)


@pytest.mark.ranks(1)
@pytest.mark.parametrize("shape", [1e-3, 0.1, 0.5, 1.0, 2.5, 10.0, 300.0, 1e6])
def test_gamma_quantiles(shape: float) -> None:
    u = np.concatenate([np.random.default_rng(0).random(500), 10.0 ** -np.arange(1, 17), 1 - 10.0 ** -np.arange(1, 13)])
    found = log_gamma_quantile(shape, torch.from_numpy(u)).numpy()
    x = scipy.special.gammaincinv(shape, u)
    series = (np.log(u) + scipy.special.gammaln(shape + 1)) / shape
    expected = np.where(x > 1e-290, np.log(np.maximum(x, 1e-300)), series)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    alone = torch.cat([log_gamma_quantile(shape, torch.tensor([p])) for p in u[:20]])
    np.testing.assert_array_equal(found[:20], alone.numpy())


@pytest.mark.parametrize("split", [None, 0, 1])
def test_dirichlet(split: int | None) -> None:
    alpha = [0.5, 2.0, 4.0]
    x = ht.random.default_rng(3).dirichlet(alpha, size=N // 4, split=split)
    assert (x.shape, x.split) == ((N // 4, 3), split)
    values = x.numpy()
    np.testing.assert_allclose(values.sum(1), 1.0)
    for k, a in enumerate(alpha):
        assert stats.kstest(values[:, k], stats.beta(a, sum(alpha) - a).cdf).pvalue > 1e-3
    one = ht.random.default_rng(3).dirichlet(ht.array(alpha), split=None)
    assert one.shape == (3,)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_multivariate_normal(split: int | None) -> None:
    mean, cov = [1.0, -2.0, 0.5], np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])
    x = ht.random.default_rng(8).multivariate_normal(mean, cov, N, split=split)
    assert (x.shape, x.split) == ((N, 3), split)
    values = x.numpy()
    np.testing.assert_allclose(values.mean(0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(values.T), cov, atol=0.06)
    flat = ht.random.default_rng(8).multivariate_normal(mean, np.zeros((3, 3)))
    np.testing.assert_allclose(flat.numpy(), mean)


def test_weighted_choice_without_replacement() -> None:
    p = np.array([0.1, 0.0, 0.4, 0.5])
    g = ht.random.default_rng(2)
    pairs = np.array([g.choice(4, 2, replace=False, p=p, split=0).numpy() for _ in range(1500)])
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert not (pairs == 1).any()
    first = np.bincount(pairs[:, 0], minlength=4) / len(pairs)
    np.testing.assert_allclose(first, p, atol=0.04)
    after = p[2] * p[3] / (1 - p[2])  # 2, then 3
    assert abs(((pairs == [2, 3]).all(1)).mean() - after) < 0.04
    with pytest.raises(ValueError, match="but 3 have a probability above 0"):
        g.choice(4, 4, replace=False, p=p)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_permuted(split: int | None) -> None:
    values = np.arange(60.0).reshape(12, 5)
    x = ht.array(values, split=split)
    rows = ht.random.default_rng(1).permuted(x, axis=1)
    assert rows.split == split
    np.testing.assert_array_equal(np.sort(rows.numpy(), 1), values)
    assert len({tuple(row % 5) for row in rows.numpy()}) > 3  # each in an order of its own
    columns = ht.random.default_rng(1).permuted(x, axis=0)
    np.testing.assert_array_equal(np.sort(columns.numpy(), 0), values)
    every = ht.random.default_rng(1).permuted(x)
    assert every.shape == x.shape
    np.testing.assert_array_equal(np.sort(every.numpy().ravel()), values.ravel())
    out = ht.zeros_like(x)
    assert ht.random.default_rng(1).permuted(x, 1, out=out) is out
    np.testing.assert_array_equal(out.numpy(), rows.numpy())


def test_under_a_default_split() -> None:
    p = [0.1, 0.0, 0.4, 0.2, 0.3]
    values = np.arange(35.0).reshape(7, 5)
    plain = ht.random.default_rng(6)
    picks, rows = plain.choice(5, 3, replace=False, p=p).numpy(), plain.permuted(ht.array(values), 1).numpy()
    with ht.default_split(0):
        split = ht.random.default_rng(6)
        chosen = split.choice(5, 3, replace=False, p=p)
        assert chosen.split == 0
        np.testing.assert_array_equal(chosen.numpy(), picks)
        np.testing.assert_array_equal(split.permuted(ht.array(values), 1).numpy(), rows)
        vectors = split.dirichlet([1.0, 2.0], size=9)
        assert (vectors.shape, vectors.split) == ((9, 2), 0)


def test_spawned_generators_differ() -> None:
    parent = ht.random.default_rng(4)
    first, second = parent.spawn(2)
    (third,) = parent.spawn(1)
    drawn = [g.random(50, split=0).numpy() for g in (parent, first, second, third)]
    for i in range(4):
        for j in range(i):
            assert not np.allclose(drawn[i], drawn[j])
    again = ht.random.default_rng(4).spawn(3)[2].random(50).numpy()
    np.testing.assert_array_equal(again, drawn[3])


def test_bad_parameters() -> None:
    g = ht.random.default_rng(0)
    for call, words in (
        (lambda: g.gamma(-1.0), "gamma: shape must not be below 0"),
        (lambda: g.beta(0.0, 1.0), "beta: a must be positive"),
        (lambda: g.standard_t(float("nan")), "standard_t: df must be positive"),
        (lambda: g.triangular(1, 0, 2), "triangular: mode must not be below 1"),
        (lambda: g.negative_binomial(3, 0.0), r"negative_binomial: p must be in \(0, 1\]"),
        (lambda: g.hypergeometric(2, 2, 5), "hypergeometric: nsample 5 of 2 and 2"),
        (lambda: g.dirichlet([]), "dirichlet: alpha is empty"),
        (lambda: g.dirichlet([[1.0]]), "dirichlet: alpha must be a vector"),
        (lambda: g.multivariate_normal([0.0], [[1.0, 0.0], [0.0, 1.0]]), "mean has 1 numbers, cov 2 rows"),
        (lambda: g.multivariate_normal([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), "negative eigenvalue"),
        (lambda: g.multivariate_normal([0.0, 0.0], [[1.0, 2.0], [0.0, 1.0]]), "not symmetric"),
        (lambda: g.spawn(-1), "spawn: n_children must not be negative"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(TypeError, match="gamma: shape must be a number"):
        g.gamma(ht.ones(3))


@pytest.mark.parametrize(
    ("n", "p"),
    [(0, [0.5, 0.5]), (20, [0.2, 0.3, 0.5]), (10**6, [0.1, 0.6, 0.3]), (7, [0.0, 0.0, 1.0]), (7, [1.0, 0.0])],
)
def test_multinomial(n: int, p: list[float]) -> None:
    wanted = None
    for split in (None, 0, 1):
        drawn = ht.random.default_rng(3).multinomial(n, p, size=2000, split=split)
        assert (drawn.shape, drawn.split, drawn.dtype) == ((2000, len(p)), split, ht.int64)
        counts = drawn.numpy()
        np.testing.assert_array_equal(counts, counts if wanted is None else wanted)
        wanted = counts
    assert (counts.sum(1) == n).all()
    assert (counts >= 0).all()
    deviation = np.sqrt(n * np.multiply(p, np.subtract(1, p)))
    assert (abs(counts.mean(0) - np.multiply(n, p)) <= 5 * deviation / np.sqrt(2000)).all()
    np.testing.assert_allclose(counts.std(0), deviation, rtol=0.1)


def test_multinomial_refuses() -> None:
    g = ht.random.default_rng(0)
    for n, p in ((-1, [1.0]), (2, []), (2, [0.7, 0.7, 0.1]), (2, [-0.1, 1.1])):
        with pytest.raises(ValueError, match="multinomial"):
            g.multinomial(n, p)


def test_large_counts_and_small_chances() -> None:
    """Tables as long as the deviation, not the mean; results that int64 has not end at its end."""
    rng = ht.random.default_rng(0)
    for x, mean, deviation in (
        (rng.poisson(2e9, 1000, split=0), 2e9, 2e9**0.5),
        (rng.binomial(10**12, 0.25, 1000, split=0), 2.5e11, (1e12 * 0.25 * 0.75) ** 0.5),
    ):
        scaled = (x.numpy() - mean) / deviation
        assert abs(scaled.mean()) < 0.15 and abs(scaled.std() - 1) < 0.15
    assert (rng.binomial(60, 1.0, 5).numpy() == 60).all() and (rng.binomial(60, 0.0, 5).numpy() == 0).all()
    assert (rng.geometric(1e-30, 10).numpy() > 2**62).all()
    with pytest.raises(ValueError, match="probabilities that add up to 1"):
        rng.choice(2, 3, p=[float("nan"), 1.0])
