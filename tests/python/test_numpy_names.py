# SPDX-License-Identifier: BSD-3-Clause
"""Names and keywords of NumPy's in the namespace of equiheat: the same text runs with both modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_cases import layouts

import equiheat as ht

RNG = np.random.default_rng(8)
A = RNG.normal(size=(5, 4))
MASK = np.arange(20).reshape(5, 4) % 3 > 0
GAPS = np.where(RNG.random((5, 4)) < 0.3, np.nan, A)
GAPS[0] = A[0]
WHOLE = RNG.integers(-9, 40, (5, 4))
SHORT = (RNG.normal(size=(900, 2)) + 200).astype(np.float16)
LARGE = (RNG.integers(0, 2**62, 9).astype(np.uint64) * np.uint64(4)).astype(np.uint64)
POINTS = np.sort(RNG.random(9))

CASES: dict[str, tuple[Callable[[Any, Any], Any], np.ndarray]] = {
    "ndim": (lambda m, x: m.ndim(x) + m.ndim([1, 2]), A),
    "size": (lambda m, x: (m.size(x), m.size(x, -1), m.size(x, axis=0)), A),
    "iscomplexobj": (lambda m, x: (m.iscomplexobj(x), m.isrealobj(x), m.isscalar(3)), A + 1j),
    "astype": (lambda m, x: m.astype(x, np.float32, copy=False), A),
    "real_if_close": (lambda m, x: m.real_if_close(x), A + 0j),
    "array_equiv": (lambda m, x: (m.array_equiv(x, x[:1]), m.array_equiv(x, x)), A),
    "identity": (lambda m, x: m.identity(3) * x[0, 0], A),
    "geomspace": (lambda m, x: m.geomspace(x, 3 * x, 4), A),
    "fromfunction": (lambda m, x: m.fromfunction(lambda i, j: i * 3 + j, (3, 4), dtype=np.float64) + x[0], A),
    "indices from": (lambda m, x: (*m.tril_indices_from(x, -1), *m.triu_indices_from(x, 1)), A),
    "diag_indices_from": (lambda m, x: m.diag_indices_from(x[:4]), A),
    "mgrid": (lambda m, x: (m.mgrid[0:5:2, 0:3], m.mgrid[1:4], m.mgrid[0:1:5j, 0:3]), A),
    "ogrid": (lambda m, x: (*m.ogrid[0:5, 0:1:3j], m.ogrid[2:4]), A),
    "r_": (lambda m, x: m.r_[x[:, 0], 1, 0:3, x[1]], A),
    "c_": (lambda m, x: m.c_[x[:, 0], x, x[:, 1:2]], A),
    "index expressions": (lambda m, x: (x[m.s_[1:, ::2]], x[m.index_exp[0]]), A),
    "apply_along_axis": (lambda m, x: m.apply_along_axis(lambda v: v[:2], 0, x), A),
    "apply_over_axes": (lambda m, x: m.apply_over_axes(m.sum, x, [0, 1]), A),
    "piecewise": (lambda m, x: m.piecewise(x, [x < 0], [lambda v: 2 * v, 7.0]), A),
    "unwrap": (lambda m, x: m.unwrap(9 * x, axis=0), A),
    "i0": (lambda m, x: m.i0(x), A),
    "polynomials": (lambda m, x: (m.polyval([1.0, 2.0, 3.0], x), m.polyfit(x[:, 0], x[:, 1], 1, w=x[:, 2] ** 2)), A),
    "nanargmax": (lambda m, x: (m.nanargmax(x), m.nanargmin(x, axis=0), m.nanargmax(x, 0, keepdims=True)), GAPS),
    "nancumsum": (lambda m, x: (m.nancumsum(x, axis=0), m.nancumprod(x)), GAPS),
    "sum, where": (lambda m, x: (m.sum(x, 0, where=x > 0), x.sum(where=MASK, initial=2.0, keepdims=True)), A),
    "sum, type": (lambda m, x: m.sum(x, axis=1, where=MASK, dtype=np.float64), WHOLE),
    "prod, initial": (lambda m, x: (m.prod(x, axis=0, initial=5), x.prod(where=x > 9, axis=1)), WHOLE),
    "nansum, where": (lambda m, x: (m.nansum(x, axis=0, where=MASK), m.nanprod(x, where=MASK, initial=2.0)), GAPS),
    "max, where": (lambda m, x: (x.max(axis=0, where=MASK, initial=-9.0), m.min(x, initial=-9.0)), A),
    "max of nothing": (lambda m, x: m.max(x[:0], axis=0, initial=3.0), A),
    "any, where": (lambda m, x: (m.any(x > 1, axis=1, where=MASK), (x > 0).all(where=MASK)), A),
    "mean, where": (lambda m, x: (m.mean(x, axis=0, where=MASK), x.mean(where=x > 0, keepdims=True)), A),
    "var, where": (lambda m, x: (m.var(x, axis=1, where=MASK, ddof=1), x.std(where=MASK), m.std(x, 0, where=MASK)), A),
    "complex std, where": (lambda m, x: m.std(x, axis=0, where=MASK), A + 1j * A[::-1]),
    "nanmean, where": (lambda _, x: (np.nanmean(x, axis=0, where=MASK), np.nanvar(x, where=MASK, ddof=1)), GAPS),
    "nanstd, where": (lambda _, x: np.nanstd(x, axis=1, where=MASK, keepdims=True), GAPS + 1j * A),
    "nanmax, where": (lambda _, x: (np.nanmax(x, 0, where=MASK, initial=-9.0), np.nanmin(x, 1, initial=-9.0)), GAPS),
    "reshape, copy": (lambda _, x: (np.reshape(x, (4, 5), copy=True), np.reshape(x, -1, "F", copy=True)), A),
    "vander": (lambda m, x: m.vander(x[:, 1].astype(np.uint64), 3), abs(WHOLE)),
    "mean of short numbers": (lambda m, x: m.mean(x, axis=0, where=x > 0), SHORT),
    "diag, k": (lambda m, x: (m.diag(x, k=-1), m.diag(x[0], k=1)), A),
    "clip, older names": (lambda m, x: m.clip(x, a_min=-0.5, a_max=x[::-1]), A),
    "einsum, optimize": (lambda m, x: m.einsum("ij,kj,kl->il", x, x, x, optimize="greedy"), A),
    "concatenate, dtype": (lambda m, x: m.concatenate([x, x], axis=1, dtype=np.float32), A),
    "convolve": (lambda m, x: (m.convolve(x, x[:4]), m.correlate(x, x[:3], mode="full")), LARGE),
    "convolve of 16 bits": (lambda m, x: m.convolve(x, x[:4], mode="same"), (LARGE >> np.uint64(48)).astype(np.uint16)),
}  # fmt: skip


def same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, tuple):
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
        return
    got = ours.numpy() if isinstance(ours, ht.DNDarray) else np.asarray(ours)
    wanted = np.asarray(theirs)
    assert got.shape == wanted.shape and got.dtype.kind == wanted.dtype.kind
    tolerance = {2: 2e-3, 4: 1e-5}.get(got.dtype.itemsize if got.dtype.kind == "f" else 0, 1e-9)
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
def test_the_same_text_with_both_modules(name: str) -> None:
    function, values = CASES[name]
    expected = function(np, values)
    for x in layouts(values):
        same(function(ht, x), expected)


def test_writing_keywords() -> None:
    for x in layouts(A):
        joined = ht.zeros((10, 4), dtype=ht.float64, split=x.split)
        assert ht.concatenate([x, -x], out=joined) is joined
        np.testing.assert_array_equal(joined.numpy(), np.concatenate([A, -A]))
        out = np.empty(4)  # an array of NumPy's holds what every rank has
        if x.split != 1 or ht.get_comm().size == 1:
            assert np.sum(x, axis=0, where=MASK, out=out) is out
            np.testing.assert_allclose(out, np.sum(A, axis=0, where=MASK))
        if x.split is None or ht.get_comm().size == 1:
            out = np.empty((10, 4), np.float32)
            assert np.concatenate([x, -x], out=out) is out
            np.testing.assert_array_equal(out, np.concatenate([A, -A]).astype(np.float32))
        wanted = A.copy()
        np.fill_diagonal(wanted, [1, 2, 3], wrap=True)
        ht.fill_diagonal(x, [1, 2, 3], wrap=True)
        np.testing.assert_array_equal(x.numpy(), wanted)
    for x in layouts(GAPS):
        assert ht.nan_to_num(x, nan=3.0, copy=False) is x
        np.testing.assert_array_equal(x.numpy(), np.nan_to_num(GAPS, nan=3.0))


def test_reshaped_copies() -> None:
    for x in layouts(A):
        for order in ("C", "F"):
            copied = np.reshape(x, (5, 2, 2), order, copy=True)
            np.testing.assert_array_equal(copied.numpy(), A.reshape((5, 2, 2), order=order))
            assert not np.may_share_memory(copied, x)
    whole = ht.array(A)
    assert np.may_share_memory(np.reshape(whole, (4, 5), copy=False), whole)
    assert np.may_share_memory(np.reshape(whole.T, (5, 4), "F", copy=False), whole)
    with pytest.raises(ValueError, match="needs a copy"):
        np.reshape(whole, (4, 5), "F", copy=False)
    with pytest.raises(ValueError, match="needs a copy"):
        np.reshape(ht.array(A.T.copy()).T, (4, 5), copy=False)


SEQUENCES: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda m, x: m.sum([x, -2 * x], axis=0),
    "mean": lambda m, x: m.mean([x, -2 * x]),
    "max of rows": lambda m, x: m.max([x[0], x[3]], axis=0),
    "nested": lambda m, x: m.sum([[x, -x], (x, 2 * x)], axis=(0, 1)),
    "operator": lambda m, x: x[0] + [x[1], x[2]],
    "product": lambda m, x: m.dot([x[0], x[1]], x.T),
    "array": lambda m, x: m.array([x[:, 0], x[:, 1]]),
    "array of numbers": lambda m, x: m.array([[x.mean(), 0.0], [x[1, 2], x.max()]]),
    "array of rows": lambda m, x: m.array(list(x), ndmin=3),
    "asarray": lambda m, x: m.asarray((x[0], [1, 2, 3, 4])),
    "concatenate": lambda m, x: m.concatenate([[0], m.cumsum(x[0]), np.ones(2)]),
    "concatenate, flat": lambda m, x: m.concatenate([x, 3], axis=None),
    "hstack": lambda m, x: m.hstack([1, x[0], [2.5, 3]]),
    "vstack": lambda m, x: m.vstack([x[0], [1, 2, 3, 4]]),
    "column_stack": lambda m, x: m.column_stack([x[0], np.ones(4)]),
    "stack": lambda m, x: m.stack([x[1], [1.0, 2.0, 3.0, 4.0]], axis=1),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_with_arrays_in_them(name: str) -> None:
    """Whole arrays, not the blocks that a rank happens to have."""
    for x in layouts(A):
        same(SEQUENCES[name](ht, x), SEQUENCES[name](np, A))


def test_sequences_that_do_not_fit() -> None:
    for x in layouts(A):
        with pytest.raises(ValueError, match="same shape"):
            ht.sum([x, x[0]])
        with pytest.raises(TypeError, match="array of numbers"):
            ht.sum([x, "a"])
        with pytest.raises(ValueError, match="needs a copy"):
            ht.array([x, x], copy=False)
        with pytest.raises(TypeError, match="no block of this rank"):
            ht.array([x, x], is_split=0)


def test_means_of_whole_numbers_under_a_mask() -> None:
    values = WHOLE + 2**40
    for x in layouts(values):
        np.testing.assert_allclose(ht.mean(x, where=MASK).numpy(), values[MASK].mean(), rtol=1e-7)
        np.testing.assert_allclose(ht.var(x, where=MASK).numpy(), values[MASK].var(), rtol=1e-6)


def test_types_to_compute_in() -> None:
    for x in layouts(A):
        assert np.add(x, 1, dtype="f4").dtype == np.float32
        with pytest.raises(TypeError, match="same_kind"):
            np.add(x, x, dtype=np.int64)
        with pytest.raises(TypeError, match="safe"):
            np.add(x, x, dtype=np.float32, casting="safe")
        for kind in (bool, "bool", np.bool_):  # the type of the result, not of operands
            np.testing.assert_array_equal(np.greater(x, 0.2, dtype=kind).numpy(), A > 0.2)
    for x in layouts(WHOLE):
        with pytest.raises(TypeError, match="add: cannot cast float64"):
            np.add(x, 1.5, dtype=np.int64)
        np.testing.assert_array_equal(np.add(x, 1.5, dtype=np.int64, casting="unsafe").numpy(), WHOLE + 1)


def test_refusals() -> None:
    for x in layouts(A):
        with pytest.raises(TypeError, match="directives"):
            ht.r_["0,2", x]
        with pytest.raises(ValueError, match="initial"):
            ht.max(x, where=x > 0)
        with pytest.raises(TypeError, match="mean together"):
            ht.var(x, where=x > 0, mean=0.0)
        with pytest.raises(TypeError, match="real"):
            ht.interp(x + 1j, POINTS, POINTS)
    with pytest.raises(AttributeError):
        ht.random.exponentials  # noqa: B018


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("exponential", (2.0,)), ("poisson", (3.0,)), ("gamma", (1.5,)), ("multivariate_normal", ([0.0, 1.0], np.eye(2)))],
)
def test_distributions_on_the_state_of_the_module(name: str, parameters: tuple[Any, ...]) -> None:
    ht.random.seed(4)
    first = getattr(ht.random, name)(*parameters, size=6, split=0)
    after = ht.random.get_state()
    second = getattr(ht.random, name)(*parameters, size=6)
    generator = ht.random.default_rng(4)
    assert after[2] > 0 and first.split == 0
    np.testing.assert_array_equal(first.numpy(), getattr(generator, name)(*parameters, size=6).numpy())
    np.testing.assert_array_equal(second.numpy(), getattr(generator, name)(*parameters, size=6).numpy())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("beta", (2.0, 3.0)), ("binomial", (9, 0.5)), ("chisquare", (3.0,)), ("dirichlet", ([1.0, 2.0],)), ("f", (3, 9)),
     ("geometric", (0.5,)), ("gumbel", ()), ("hypergeometric", (9, 5, 4)), ("laplace", ()), ("logistic", ()),
     ("lognormal", ()), ("multinomial", (9, [0.5, 0.5])), ("negative_binomial", (3, 0.5)), ("pareto", (3.0,)),
     ("power", (3.0,)), ("rayleigh", ()), ("standard_cauchy", ()), ("standard_exponential", ()),
     ("standard_gamma", (2.0,)), ("standard_t", (5,)), ("triangular", (0, 1, 2)), ("weibull", (2.0,))],
)  # fmt: skip
def test_names_of_distributions(name: str, parameters: tuple[Any, ...]) -> None:
    drawn = getattr(ht.random, name)(*parameters, size=(3,), split=0)
    assert len(drawn) == 3 and bool(ht.isfinite(drawn).all())
