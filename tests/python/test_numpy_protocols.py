# SPDX-License-Identifier: BSD-3-Clause
"""NumPy's and torch's functions on arrays give ours; partitions; generators in NumPy's style."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from layouts import distribute, layouts, size

import equiheat as ht

VALUE = np.arange(12.0).reshape(4, 3)
CALLS: list[tuple[Any, dict[str, Any]]] = [
    (np.sum, {}), (np.sum, {"axis": 0}), (np.mean, {"axis": 1, "keepdims": True}), (np.std, {"ddof": 1}),
    (np.var, {"axis": 0, "correction": 1}), (np.max, {"axis": 1}), (np.prod, {"axis": 0, "dtype": np.float64}),
    (np.cumsum, {"axis": 0}), (np.argmax, {}), (np.all, {}), (np.reshape, {"shape": (3, 4)}), (np.transpose, {}),
    (np.flip, {"axis": 0}), (np.roll, {"shift": 2}), (np.expand_dims, {"axis": 0}), (np.round, {}),
    (np.swapaxes, {"axis1": 0, "axis2": 1}), (np.clip, {"a_min": 2, "a_max": 5}), (np.clip, {"min": 3}),
    (np.sort, {"axis": 0}), (np.argsort, {}), (np.zeros_like, {}), (np.full_like, {"fill_value": 3}), (np.tril, {}),
    (np.copy, {}), (np.ravel, {}), (np.real, {}), (np.isclose, {"b": VALUE}), (np.nan_to_num, {}), (np.trace, {}),
    (np.linalg.norm, {}), (np.average, {"axis": 0}), (np.cov, {}), (np.moveaxis, {"source": 0, "destination": 1}),
    (np.ptp, {}), (np.nansum, {}), (np.count_nonzero, {}), (np.nonzero, {}), (np.take, {"indices": [1, 0], "axis": 0}),
    (np.atleast_2d, {}), (np.dot, {"b": VALUE.T}), (np.outer, {"b": VALUE}), (np.atleast_1d, {}),
    (np.linalg.vector_norm, {}),
]  # fmt: skip


def same(ours: Any, theirs: Any) -> None:
    """A DNDarray with NumPy's values, or several."""
    if isinstance(theirs, (tuple, list)):
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
        return
    assert isinstance(ours, ht.DNDarray), type(ours)
    assert ours.shape == np.shape(theirs)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6)


def arrays() -> list[ht.DNDarray]:
    """The same array in every layout."""
    uneven = [0] * (size() - 1) + [4]
    return [distribute(VALUE, None), distribute(VALUE, 0), distribute(VALUE, 1), distribute(VALUE, 0, uneven)]


@given(data=st.data())
def test_operators_with_numpy_arrays(data: st.DataObject) -> None:
    x = distribute(VALUE, *data.draw(layouts(VALUE.shape)))
    same(VALUE + x, VALUE + VALUE)
    same(x - VALUE, VALUE - VALUE)
    same(VALUE[0] * x, VALUE[0] * VALUE)
    same(np.float64(2) / (x + 1), 2 / (VALUE + 1))
    same(VALUE.T @ x, VALUE.T @ VALUE)
    same(x < VALUE, VALUE > VALUE)
    same(np.where(x > 3, x, 0), np.where(VALUE > 3, VALUE, 0))
    same(np.concatenate([x, VALUE]), np.concatenate([VALUE, VALUE]))
    same(np.stack([x, x], axis=-1), np.stack([VALUE, VALUE], axis=-1))


def test_universal_functions() -> None:
    for x in arrays():
        same(np.exp(x), np.exp(VALUE))
        same(np.add(x, 1), VALUE + 1)
        same(np.equal(x, VALUE), np.equal(VALUE, VALUE))
        same(np.add(x, x, dtype=np.float32), 2 * VALUE)
        assert np.add(x, x, dtype=np.float32).dtype == np.float32
        same(np.exp(x, where=x > 3), np.exp(VALUE, where=VALUE > 3, out=np.zeros_like(VALUE)))
        same(np.modf(x + 0.5), np.modf(VALUE + 0.5))
        same(np.divmod(x, 5), np.divmod(VALUE, 5))
        same(np.add.reduce(x), VALUE.sum(0))
        same(np.maximum.reduce(x, axis=1, keepdims=True, initial=5), np.maximum.reduce(VALUE, 1, None, None, True, 5))
        same(np.multiply.accumulate(x, axis=1), np.multiply.accumulate(VALUE, axis=1))
        same(np.add.outer(x[:, 0], x[0]), np.add.outer(VALUE[:, 0], VALUE[0]))
        out = ht.zeros((4, 3), dtype=ht.float64, split=x.split)
        assert np.exp(x, out=out) is out
        same(out, np.exp(VALUE))
        with pytest.raises(TypeError):
            np.multiply.at(x, 0, 1)
        with pytest.raises(TypeError, match=r"subtract\.reduce"):
            np.subtract.reduce(x)


def test_universal_functions_without_counterpart() -> None:
    special = pytest.importorskip("scipy.special")._ufuncs
    for x in arrays():
        same(special.erf(x), special.erf(VALUE))
        assert special.erf(x).split == x.split
        same(special.xlogy(x, VALUE + 1), special.xlogy(VALUE, VALUE + 1))
        same(special.xlogy(VALUE[0], x), special.xlogy(VALUE[0], VALUE))
        same(special.sici(x + 1), special.sici(VALUE + 1))
        chosen = special.erf(VALUE, out=-VALUE, where=VALUE > 3)
        for where in (x > 3, VALUE > 3):
            same(special.erf(x, out=-x, where=where), chosen)
        same(np.spacing(x), np.spacing(VALUE))


def test_results_for_numpy_arrays() -> None:
    target = VALUE.copy()
    target += ht.array(VALUE)
    np.testing.assert_array_equal(target, 2 * VALUE)
    np.add(VALUE, VALUE, out=target, where=ht.array(VALUE > 3, split=0))
    np.add(VALUE, 1, out=target, where=ht.array(VALUE <= 3))
    np.testing.assert_array_equal(target, np.where(VALUE > 3, 2 * VALUE, VALUE + 1))
    if size() > 1:
        with pytest.raises(TypeError, match="split over"):
            target += ht.array(VALUE, split=0)


@pytest.mark.parametrize(("function", "keywords"), CALLS, ids=lambda c: getattr(c, "__name__", ""))
def test_functions(function: Any, keywords: dict[str, Any]) -> None:
    expected = function(VALUE, **keywords)
    for x in arrays():
        same(function(x, **keywords), expected)


def test_functions_without_counterpart() -> None:
    x = ht.ones((4, 3), split=0)
    with pytest.raises(TypeError, match="no implementation"):
        np.packbits(x)
    with pytest.raises(TypeError, match="hermitian is not supported"):
        np.linalg.svd(x, hermitian=True)
    assert np.nansum(x, where=VALUE > 3).item() == 8
    assert np.shape(x) == (4, 3) and np.size(x) == 12 and np.ndim(x) == 2 and not np.iscomplexobj(x)
    assert np.array_equal(x, x)
    assert np.allclose(x, np.ones((4, 3)))
    y = ht.zeros((4, 3), split=1)
    assert np.may_share_memory(x, x) and not np.may_share_memory(x, y) and not np.may_share_memory(VALUE, x)
    assert np.may_share_memory(x, x.larray.numpy()) == (x.larray.numel() > 0)
    np.copyto(y, x)
    same(y, np.ones((4, 3)))


def test_torch_functions() -> None:
    for x in arrays():
        same(torch.exp(x), np.exp(VALUE))
        same(torch.sum(x, dim=1), VALUE.sum(1))
        same(torch.from_numpy(VALUE) - x, VALUE - VALUE)
        same(torch.matmul(x.T, x), VALUE.T @ VALUE)
        same(torch.linalg.norm(x), np.linalg.norm(VALUE))
        assert x.__torch_proxy__().shape == x.shape


def test_partitions() -> None:
    for x in arrays():
        parts = x.__partitioned__
        assert parts["shape"] == (4, 3)
        assert sum(p["data"] is not None for p in parts["partitions"].values()) == 1
        y = ht.from_partitioned(x)
        same(y, VALUE)
        assert y.split == (x.split if size() > 1 else None)
        assert size() == 1 or x.split is None or y.counts_displs() == x.counts_displs()


# ---------------------------------------------------------------------- generators
DRAWS: dict[str, tuple[Any, ...]] = {
    "random": (), "uniform": (2, 5), "standard_normal": (), "normal": (1, 2), "integers": (0, 100),
    "exponential": (2.0,), "poisson": (5.0,), "binomial": (10, 0.25), "geometric": (0.25,), "laplace": (1, 2),
    "logistic": (1, 2), "gumbel": (0, 1), "rayleigh": (2.0,), "weibull": (2.0,), "lognormal": (0, 0.25),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_distributions(name: str) -> None:
    n = 40000
    ours = getattr(ht.random.default_rng(5), name)(*DRAWS[name], size=n, split=0)
    theirs = getattr(np.random.default_rng(5), name)(*DRAWS[name], size=n)
    assert ours.dtype == theirs.dtype and ours.split == 0
    values = ours.numpy()
    for q in (0.05, 0.25, 0.5, 0.75, 0.95):  # as far as samples of this size may differ
        wanted = np.quantile(theirs, q)
        assert np.mean(values <= wanted) == pytest.approx(np.mean(theirs <= wanted), abs=0.015)
    again = getattr(ht.random.default_rng(5), name)(*DRAWS[name], size=n)
    np.testing.assert_array_equal(again.numpy(), values)


def test_parameters_of_distributions() -> None:
    rng = ht.random.default_rng(1)
    assert rng.normal([0, 100, 200], 0.001, size=(2, 3)).numpy().round().tolist() == [[0, 100, 200]] * 2
    assert rng.weibull(0, 3).tolist() == [0.0] * 3 and rng.exponential(0, 3).numpy().tolist() == [0.0] * 3
    for name, before in {"exponential": [], "rayleigh": [], "laplace": [0], "logistic": [0], "gumbel": [0]}.items():
        with pytest.raises(ValueError, match=f"{name}: scale must not be below 0, is -1"):
            getattr(rng, name)(*before, -1, size=3)
    with pytest.raises(ValueError, match="weibull: a must not"):
        rng.weibull(-1)
    with pytest.raises(ValueError, match="high must not be below 5"):
        rng.uniform(5, 1)
    for name, values in {"exponential": [[1, 2]], "integers": [[1], [3]], "poisson": [[1.0, 2.0]]}.items():
        with pytest.raises(TypeError, match=rf"{name}: .* must be"):
            getattr(rng, name)(*values)
    with pytest.raises(TypeError, match="shuffle"):
        rng.shuffle([1, 2])


def test_generator_state_and_order() -> None:
    ht.random.seed(1)
    expected = ht.random.rand(3).numpy()
    ht.random.seed(1)
    rng = ht.random.default_rng(9)
    first = rng.random(4)
    np.testing.assert_array_equal(ht.random.rand(3).numpy(), expected)
    assert not np.array_equal(rng.random(4).numpy(), first.numpy())
    assert ht.random.default_rng(rng) is rng
    x = ht.array(VALUE, split=0)
    assert sorted(rng.permutation(x)[:, 0].tolist()) == VALUE[:, 0].tolist()
    assert sorted(rng.permutation(x, axis=1)[0].tolist()) == VALUE[0].tolist()
    rng.shuffle(x)
    assert x.split == 0 and sorted(x[:, 0].tolist()) == VALUE[:, 0].tolist()
    assert len(set(rng.choice(9, 5, replace=False).tolist())) == 5
    drawn = rng.choice(3, 20000, p=[0.1, 0.2, 0.7], split=0).numpy()
    np.testing.assert_allclose(np.bincount(drawn) / drawn.size, [0.1, 0.2, 0.7], atol=0.02)
    assert sorted(rng.permutation([3, 1, 2]).tolist()) == [1, 2, 3] and set(rng.choice([5, 7], 9).tolist()) <= {5, 7}
    whole = ht.array(VALUE, split=0)
    rng.shuffle(whole[1:])  # a view: the rows of the whole move
    np.testing.assert_array_equal(whole[0].numpy(), VALUE[0])
    np.testing.assert_array_equal(np.sort(whole.numpy(), 0), np.sort(VALUE, 0))
    with pytest.raises(ValueError, match="p must be"):
        rng.choice(3, 2, p=[0.5, 0.5, 0.5])
