# SPDX-License-Identifier: BSD-3-Clause
"""Products, norms and triangles of split arrays against NumPy, at any rank count."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import equiheat as ht
from equiheat.testing import all_layouts, assert_equal, gradcheck, uneven_counts, with_counts
from equiheat.testing import strategies as ehst

SIZE = ht.get_comm().size
PAIRS = list(itertools.product((None, 0, 1), repeat=2))
#: heat.linalg.matmul's table of result splits.
SPLIT = {
    (None, None): None,
    (None, 0): 0,
    (None, 1): 1,
    (0, None): 0,
    (0, 0): 0,
    (0, 1): 0,
    (1, None): 1,
    (1, 0): 1,
    (1, 1): 1,
}
TYPES = (*ehst.ALL, "float16")


def random(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape)


# ---------------------------------------------------------------------- matmul
@given(st.data(), st.tuples(*[st.integers(0, 7)] * 3), st.sampled_from(PAIRS))
def test_matmul_of_matrices(data: st.DataObject, extents: tuple[int, int, int], pair: tuple[Any, Any]) -> None:
    m, k, n = extents
    dtype = data.draw(ehst.dtypes(TYPES))
    x, a = data.draw(ehst.pairs((m, k), (dtype,), split=pair[0]))
    y, b = data.draw(ehst.pairs((k, n), (dtype,), split=pair[1]))
    z = x @ y
    assert_equal(z, a @ b, dtype=dtype, split=SPLIT[pair])


@given(st.data(), ehst.dtypes(TYPES), ehst.dtypes(TYPES))
def test_matmul_of_two_types(data: st.DataObject, left: str, right: str) -> None:
    x, a = data.draw(ehst.pairs((3, 4), (left,)))
    y, b = data.draw(ehst.pairs((4, 2), (right,)))
    dtype = ht.promote_types(getattr(ht, left), getattr(ht, right))
    expected = (
        (a @ b) if np.dtype(dtype.__name__).kind in "ui" else (a.astype(dtype.__name__) @ b.astype(dtype.__name__))
    )
    assert_equal(ht.matmul(x, y), expected.astype(dtype.__name__), dtype=dtype)


@st.composite
def stacks(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes that multiply: batch axes that broadcast, or 1-D operands."""
    m, k, n = draw(st.tuples(*[st.integers(0, 4)] * 3))
    batch = draw(st.lists(st.integers(0, 3), max_size=2))
    left = [draw(st.sampled_from([1, extent])) for extent in batch]
    right = [
        extent if one == 1 else draw(st.sampled_from([1, extent])) for one, extent in zip(left, batch, strict=True)
    ]
    left = left[draw(st.integers(0, len(left))) if left and left[0] == 1 else 0 :]
    right = right if len(left) < len(batch) or not right or right[0] != 1 else right[draw(st.integers(0, 1)) :]
    a = (k,) if draw(st.integers(0, 4)) == 0 else (*left, m, k)
    b = (k,) if draw(st.integers(0, 4)) == 0 else (*right, k, n)
    return a, b


@given(st.data(), stacks(), ehst.dtypes(("int32", "float64", "complex128")))
def test_matmul_of_stacks_and_vectors(data: st.DataObject, shapes: Any, dtype: str) -> None:
    x, a = data.draw(ehst.pairs(shapes[0], (dtype,)))
    y, b = data.draw(ehst.pairs(shapes[1], (dtype,)))
    z = ht.matmul(x, y)
    assert_equal(z, a @ b, dtype=dtype)
    if z.ndim == 1 and 1 in (x.ndim, y.ndim) and max(x.ndim, y.ndim) == 2:
        assert z.split == (None if x.split is None and y.split is None else 0)
    if x.ndim == y.ndim == 1:
        assert z.split is None


def test_matmul_keeps_the_extents_of_its_axis() -> None:
    a, b = random(6, 5), random(5, 6)
    counts = [0] * (SIZE - 1) + [6]
    assert ht.matmul(with_counts(a, 0, counts), with_counts(b, None))._core.counts == counts
    assert ht.matmul(with_counts(a, None), with_counts(b, 1, counts))._core.counts == counts
    assert ht.matmul(with_counts(a, 0, counts), with_counts(b, 1))._core.counts == counts


@pytest.mark.parametrize("extents", [(80, 50, 70), (70, 3, 80), (66, 300, 67), (3, 200, 5)])
@pytest.mark.parametrize("pair", PAIRS)
def test_matmul_by_every_method(pair: tuple[Any, Any], extents: tuple[int, int, int]) -> None:
    """Large enough that results circulate; the extents decide which operand moves. Values and gradients."""
    m, k, n = extents
    a, b = torch.tensor(random(m, k), requires_grad=True), torch.tensor(random(k, n, seed=1), requires_grad=True)
    weight = torch.tensor(random(m, n, seed=2))
    expected = torch.autograd.grad(((a @ b) * weight).sum(), (a, b))
    for seed in range(2):
        blocks = [
            with_counts(t, split, None if split is None else uneven_counts(t.shape[split], SIZE, seed))
            for t, split in zip((a, b), pair, strict=True)
        ]
        z = ht.matmul(*blocks)
        assert_equal(z, (a @ b).detach().numpy(), split=SPLIT[pair])
        got = torch.autograd.grad((z._core.resplit(None).local * weight).sum(), (a, b))
        for ours, theirs in zip(got, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("pair", PAIRS)
def test_small_integers_wrap_as_numpy(bits: int, pair: tuple[Any, Any]) -> None:
    rng = np.random.default_rng(bits)
    info = np.iinfo(f"int{bits}")
    a = rng.integers(info.min, info.max + 1, (5, 40), dtype=info.dtype)
    b = rng.integers(info.min, info.max + 1, (40, 4), dtype=info.dtype)
    assert_equal(with_counts(a, pair[0]) @ with_counts(b, pair[1]), a @ b, dtype=f"int{bits}", rtol=0)


def test_matmul_of_bool_does_not_overflow() -> None:
    ones = np.ones((2, 300), dtype=bool)
    for x in all_layouts(ones):
        assert_equal(x @ x.mT, ones @ ones.T, dtype="bool")


@pytest.mark.parametrize("pair", PAIRS)
def test_half_precision_is_rounded_once(pair: tuple[Any, Any]) -> None:
    a, b = random(3, 64).astype("float16"), random(64, 3, seed=1).astype("float16")
    exact = a.astype("float64") @ b.astype("float64")
    assert_equal(with_counts(a, pair[0]) @ with_counts(b, pair[1]), exact, dtype="float16", rtol=1.5e-3)


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
def test_gradient_of_matmul(pair: tuple[Any, Any], uneven: bool) -> None:
    gradcheck(ht.matmul, random(4, 3), random(3, 5), splits=pair, uneven=uneven)


@pytest.mark.parametrize("pair", [(0, 0), (1, 0), (0, 1)])
def test_gradient_of_complex_matmul(pair: tuple[Any, Any]) -> None:
    gradcheck(ht.matmul, random(3, 2) + 1j * random(3, 2, seed=1), random(2, 2) + 1j * random(2, 2), splits=pair)


@pytest.mark.parametrize(
    "shapes", [((2, 3, 2), (2, 3)), ((3, 2), (2, 2, 3)), ((2, 1, 2, 2), (3, 2, 2)), ((3,), (2, 3, 2)), ((3,), (3,))]
)
def test_gradient_of_stacks(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    pairs = list(itertools.product(*([None, *range(len(s))] for s in shapes)))
    for pair in pairs[:: 1 + len(pairs) // 8]:
        gradcheck(ht.matmul, random(*shapes[0]), random(*shapes[1]), splits=pair)


@pytest.mark.parametrize("pair", PAIRS)
def test_second_derivative_of_matmul(pair: tuple[Any, Any]) -> None:
    a, b = torch.tensor(random(3, 2), requires_grad=True), torch.tensor(random(2, 3), requires_grad=True)

    def slope(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        z = (with_counts(x, pair[0]) @ with_counts(y, pair[1]))._core.resplit(None).local
        (gx,) = torch.autograd.grad((z**3).sum(), x, create_graph=True)
        return gx

    assert torch.autograd.gradcheck(slope, (a, b), nondet_tol=1e-12)


def test_matmul_refuses() -> None:
    a = with_counts(random(4, 3), 0)
    with pytest.raises(ValueError, match=r"matmul: shapes \(4, 3\) and \(4, 3\) do not match: 3 columns .* 4 rows"):
        ht.matmul(a, a)
    with pytest.raises(ValueError, match="operand 1 is 0-dimensional"):
        ht.matmul(a, ht.array(1.0))
    with pytest.raises(ValueError, match="matmul"):
        ht.matmul(with_counts(random(2, 4, 3), 0), with_counts(random(3, 3, 2), 0))
    with pytest.raises(TypeError, match="matmul: b must be a DNDarray, an array or a sequence of numbers"):
        ht.matmul(a, "abc")  # type: ignore[arg-type]


def test_operands_of_other_libraries_count_as_replicated() -> None:
    a, b = random(4, 3), random(3, 2, seed=1)
    x = with_counts(a, 0)
    for other in (b, torch.tensor(b), b.tolist()):
        assert_equal(ht.matmul(x, other), a @ b, split=0)
        assert_equal(x @ other, a @ b, split=0)
    for other in (b.T, torch.tensor(b.T), b.T.tolist()):
        assert_equal(other @ x.mT, b.T @ a.T, split=1)
    assert_equal(ht.dot(x, b), a @ b, split=0)
    assert_equal(ht.linalg.lstsq(x, a[:, 0]).x, np.eye(3)[0], split=None)


# ---------------------------------------------------------------------- other products
@given(st.data(), st.integers(0, 6), st.integers(0, 6), ehst.dtypes(TYPES))
def test_outer(data: st.DataObject, m: int, n: int, dtype: str) -> None:
    x, a = data.draw(ehst.pairs((m,), (dtype,)))
    y, b = data.draw(ehst.pairs((n,), (dtype,)))
    split = 0 if x.split is not None else 1 if y.split is not None else None
    assert_equal(ht.outer(x, y), np.outer(a, b), dtype=dtype, split=split)


@given(st.data(), ehst.dtypes(TYPES))
def test_vdot_and_vecdot(data: st.DataObject, dtype: str) -> None:
    shape = data.draw(ehst.shapes())
    x, a = data.draw(ehst.pairs(shape, (dtype,)))
    y, b = data.draw(ehst.pairs(shape, (dtype,)))
    assert_equal(ht.vdot(x, y), np.vdot(a, b), dtype=dtype, split=None)
    if shape:
        axis = data.draw(st.integers(-len(shape), len(shape) - 1))
        expected = (a.conj() & b).any(axis) if dtype == "bool" else (a.conj() * b).sum(axis, dtype=dtype)
        assert_equal(ht.vecdot(x, y, axis=axis), expected, dtype=dtype)


def test_dot() -> None:
    a, b, c = random(4), random(4, seed=1), random(4, 3)
    assert_equal(ht.dot(with_counts(a, 0), with_counts(b, None)), np.dot(a, b), split=None)
    assert_equal(ht.dot(with_counts(a, 0), with_counts(c, 0)), np.dot(a, c), split=0)
    assert_equal(ht.dot(with_counts(c, 0), ht.array(2.0)), 2 * c, split=0)
    d = random(2, 4, 4)
    assert_equal(ht.dot(with_counts(d, 0), with_counts(a, 0)), np.dot(d, a))
    assert_equal(ht.dot(with_counts(d, 1), with_counts(d, 2)), np.dot(d, d))


@pytest.mark.parametrize("pair", [(None, 0), (0, None), (0, 0)])
def test_gradients_of_products(pair: tuple[Any, Any]) -> None:
    gradcheck(ht.outer, random(3), random(4), splits=pair)
    gradcheck(ht.vdot, random(4), random(4), splits=pair)
    gradcheck(lambda x, y: ht.vecdot(x, y, axis=0), random(3, 2), random(3, 2), splits=pair)


# ---------------------------------------------------------------------- diagonals
@given(st.data(), ehst.shapes(min_ndim=2), st.integers(-4, 4), ehst.dtypes())
def test_trace_and_triangles(data: st.DataObject, shape: tuple[int, ...], k: int, dtype: str) -> None:
    x, a = data.draw(ehst.pairs(shape, (dtype,)))
    axes = data.draw(st.permutations(range(len(shape))))[:2]
    assert_equal(ht.trace(x, k, *axes), np.trace(a, k, *axes))
    assert_equal(ht.tril(x, k), np.tril(a, k), dtype=dtype, split=x.split)
    assert_equal(ht.triu(x, k), np.triu(a, k), dtype=dtype, split=x.split)
    assert_equal(x.mT, np.swapaxes(a, -1, -2), dtype=dtype)


def test_triangle_of_a_vector() -> None:
    for x in all_layouts(random(5)):
        assert_equal(ht.tril(x, -1), np.tril(random(5), -1))
        assert_equal(ht.triu(x, 1), np.triu(random(5), 1))


@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradients_of_diagonals(split: int | None) -> None:
    gradcheck(lambda x: ht.trace(x, 1), random(3, 4), splits=[split])
    gradcheck(lambda x: ht.tril(x, -1), random(3, 4), splits=[split])


def test_diagonals_refuse() -> None:
    with pytest.raises(ValueError, match="trace: axis1 and axis2 are both 1"):
        ht.trace(ht.zeros((2, 2), split=0), 0, 1, -1)
    with pytest.raises(ValueError, match="trace: needs at least 2 dimensions, the array has 1"):
        ht.trace(ht.zeros(2, split=0))


# ---------------------------------------------------------------------- norms
@given(st.data(), ehst.dtypes(("bool", "int32", "float32", "float64", "complex128")))
def test_vector_norms(data: st.DataObject, dtype: str) -> None:
    shape = data.draw(ehst.shapes(min_ndim=1))
    x, a = data.draw(ehst.pairs(shape, (dtype,)))
    order = data.draw(st.sampled_from([None, 0, 1, 2, 3, 0.5, np.inf, -np.inf]))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    keep = data.draw(st.booleans())
    if a.shape[axis] == 0 and order == -np.inf:
        with pytest.raises(ValueError, match="norm"):
            ht.norm(x, axis, keep, order)
        return
    kind = "float64" if dtype in ("float64", "complex128") else "float32"
    expected = np.linalg.norm(a.astype("complex128" if dtype == "complex128" else "float64"), order, axis, keep)
    assert_equal(ht.norm(x, axis, keep, order), expected, rtol=1e-5, dtype=kind)
    assert_equal(ht.norm(x), np.linalg.norm(a.astype(expected.dtype if a.dtype.kind != "c" else a.dtype)), rtol=1e-5)


@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_matrix_norms(order: Any) -> None:
    a = random(2, 5, 4)
    for x in all_layouts(a):
        for axis in [(0, 1), (1, 2), (2, 0), (-1, -2)]:
            assert_equal(ht.norm(x, axis, ord=order), np.linalg.norm(a, order, axis))
            assert_equal(ht.norm(x, axis, True, order), np.linalg.norm(a, order, axis, True))


def test_norms_of_nothing() -> None:
    for shape in ((0, 3), (3, 0), (2, 0, 3), (0, 2, 2)):
        a = np.ones(shape)
        for x in all_layouts(a):
            for order in ("fro", "nuc", 1, 2, np.inf):
                wanted = np.linalg.matrix_norm(a, ord=order, keepdims=True)
                assert_equal(ht.linalg.matrix_norm(x, ord=order, keepdims=True), wanted)
    with pytest.raises(ValueError, match="no elements"):
        ht.linalg.matrix_norm(ht.zeros((0, 3), split=1), ord=-2)


def test_norms_refuse() -> None:
    x = ht.zeros((2, 3), split=0)
    with pytest.raises(ValueError, match="unknown ord 3"):
        ht.norm(x, ord=3)
    with pytest.raises(ValueError, match="over 3 axes"):
        ht.norm(ht.zeros((1, 2, 3)), ord=1)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_gradients_of_norms(split: int | None) -> None:
    for order in (1, 2, 3, np.inf):
        gradcheck(lambda x, order=order: ht.linalg.vector_norm(x, axis=0, ord=order), random(4, 3), splits=[split])
    zero = torch.zeros(3, 2, requires_grad=True)
    ht.norm(with_counts(zero, split))._core.local.backward()
    assert zero.grad is not None and not zero.grad.isnan().any()
