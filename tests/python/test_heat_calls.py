# SPDX-License-Identifier: BSD-3-Clause
"""Forms of calls that programs written for Heat use and NumPy has not, or has otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import check, distribute

import equiheat as ht

A = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("split", [None, 0])
def test_where_of_two_numbers(split: int | None) -> None:
    x = ht.arange(4, split=split) > 1
    for first, second, dtype in ((1.5, 2, ht.float32), (1, 2.5, ht.float32), (1, 0, ht.int64), (True, False, ht.bool)):
        result = ht.where(x, first, second)
        assert result.dtype is dtype and result.split == split
        assert result.tolist() == [second, second, first, first]
    assert ht.where(x, 1j, 2).dtype is ht.complex64
    assert ht.where(x, 1.5, ht.ones(4, dtype=ht.float64)).dtype is ht.float64
    with pytest.raises(TypeError, match="both x and y"):
        ht.where(x, x)


def test_complex_fill() -> None:
    x = ht.full((2,), 1 + 2j, split=0)
    assert x.dtype is ht.complex64 and x.tolist() == [1 + 2j] * 2
    with pytest.raises(TypeError, match="is complex"):
        ht.full((2,), 1j, dtype=ht.float64)
    assert ht.full_like(ht.arange(3), 3.5).dtype is ht.int32  # NumPy's rule, not Heat's


@pytest.mark.parametrize("split", [None, 0, 1])
def test_bessel(split: int | None) -> None:
    x = distribute(A[0], split)
    check(ht.var(x, 0, bessel=True), A[0].var(0, ddof=1))
    check(x.std(bessel=True), A[0].std(ddof=1))
    check(x.var(1, bessel=False), A[0].var(1))
    check(x.var(1, 1, bessel=False), A[0].var(1, ddof=1))
    for function in (ht.var, ht.std):
        with pytest.raises(TypeError, match="ddof must be a number"):
            function(x, ddof="a")


@pytest.mark.parametrize("split", [None, 0, 1, 2])
def test_diagonal_of_more_axes(split: int | None) -> None:
    x = distribute(A, split)
    check(ht.diag(x), np.diagonal(A))
    check(ht.diag(x, 1), np.diagonal(A, 1))
    with pytest.raises(ValueError, match="has none"):
        ht.diag(ht.array(1.0))


def test_weights_of_bincount_keep_single_precision() -> None:
    x = ht.array([0, 1, 3, 2, 1], split=0)
    result = ht.bincount(x, weights=ht.array([0, 0.5, 1, 1.5, 2], split=0))
    assert result.dtype is ht.float32 and result.tolist() == [0.0, 2.5, 1.5, 1.0]
    assert ht.bincount(x, weights=ht.ones(5, dtype=ht.float64)).dtype is ht.float64


def test_states_of_heats_generators() -> None:
    before = ht.random.get_state()
    draws = []
    for state in (("Batchparallel", 12, None), ("Threefry", 12, 0), ("Batchparallel", 12, None, 0, 0.0)):
        ht.random.set_state(state)
        draws.append(ht.random.rand(5, split=0).numpy())
    assert np.array_equal(draws[0], draws[1]) and np.array_equal(draws[0], draws[2])
    ht.random.set_state(before)
    with pytest.raises(TypeError):
        ht.random.set_state(("Batchparallel", None, 12))


@pytest.mark.parametrize("split", [None, 0])
def test_what_is_no_number_equals_nothing(split: int | None) -> None:
    x = ht.arange(4, split=split)
    for other in (None, "a", b"a", slice(None), object()):
        # The operators as NumPy's; a slice says itself what equals it.
        assert not np.any((x == other) if isinstance(other, slice) else (x == other).numpy())
        assert ht.eq(x, other) is False and ht.ne(x, other) is True and ht.eq(other, x) is False
        with pytest.raises(TypeError):
            ht.lt(x, other)
    assert (x == 1).tolist() == ht.eq(x, 1).tolist() == ht.eq(1, x).tolist() == [False, True, False, False]
    with pytest.raises(ValueError, match="broadcast"):
        ht.eq(x, ht.ones(3))
    assert ht.eq(x, 1, out=ht.zeros(4, dtype=ht.bool)).tolist() == [False, True, False, False]


def test_arrays_in_sets() -> None:
    x, y = ht.arange(4, split=0), ht.arange(4, split=0)
    assert len({x, y, x}) == 2 and {x: "x", y: "y"}[y] == "y"
    before = hash(x)
    x += 1
    assert hash(x) == before


@pytest.mark.parametrize("name", ["add_", "mul_", "sub_", "div_", "pow_", "bitwise_and_", "left_shift_"])
def test_methods_in_place_refuse(name: str) -> None:
    x = ht.arange(4, split=0)
    for wrong in ("a", None, slice(None)):
        with pytest.raises(TypeError, match="operand must be"):
            getattr(x, name)(wrong)
    with pytest.raises(TypeError):
        x += "a"


def test_errors_of_two_kinds() -> None:
    x = ht.ones((6, 4), split=0)
    for kind in (TypeError, ValueError):
        with pytest.raises(kind, match="ambiguous"):
            bool(x)
    for kind in (RuntimeError, np.linalg.LinAlgError):
        with pytest.raises(kind, match="Singular"):
            ht.linalg.inv(ht.zeros((3, 3), split=0))
        with pytest.raises(kind, match="square"):
            ht.linalg.det(x)
    for kind in (RuntimeError, ValueError, AttributeError):
        with pytest.raises(kind, match="call fit first"):
            ht.decomposition.DMD(svd_solver="full", svd_rank=2).predict_next(x)


def test_arguments_of_a_wrong_type() -> None:
    A = ht.eye(4, split=0)
    for call in (
        lambda: ht.linalg.cg(A, 5, ht.ones(4)),
        lambda: ht.linalg.lanczos(A, "a"),
        lambda: ht.linalg.qr(A, procs_to_merge="a"),  # type: ignore[arg-type]
        lambda: ht.cluster.KMeans(2).fit(5),
        lambda: ht.preprocessing.StandardScaler().fit(3),
        lambda: ht.load_csv(__file__, sep=11),
        lambda: ht.load_csv(__file__, header_lines="3"),
    ):
        with pytest.raises(TypeError):
            call()
    assert ht.clip(A, None, None).tolist() == A.tolist()
    x = ht.ones(3, split=0)
    assert x.astype(ht.float64, copy=False).dtype is ht.float64 and x.dtype is ht.float32


def test_axes_of_ndmin() -> None:
    for split in (None, 0):
        x = ht.array([1, 2], split=split)
        assert ht.array(x, ndmin=-3).shape == ht.array(x, ndmin=3).shape == (1, 1, 2)
    assert ht.array([1, 2], ndmin=-3, split=2).shape == (*ht.array(3, ndmin=-2).shape, 2) == (1, 1, 2)


def test_arguments_of_random() -> None:
    for kind in (TypeError, ValueError):
        for function in (ht.random.rand, ht.random.randn):
            with pytest.raises(kind, match="int32 is not a real"):
                function(3, dtype=ht.int32)
        with pytest.raises(kind, match="3 or 5 entries"):
            ht.random.set_state(("Threefry", 12))
    with pytest.raises(ValueError, match="has elements that are"):
        ht.random.normal(0.0, ht.array([1.0, -1.0], split=0), (2,))


@pytest.mark.parametrize("split", [None, 0, 1])
def test_lists_of_axes(split: int | None) -> None:
    x = distribute(A[0], split)
    check(ht.var(x, [0, 1], 1), A[0].var(ddof=1))
    check(x.std([1]), A[0].std(1))
    check(ht.mean(x, [0, 1]), A[0].mean())
    check(x.mean(axis=[-1]), A[0].mean(1))


def test_splits_of_arrays_without_axes() -> None:
    x = ht.array(3.0, split=0)
    for y in (
        x, ht.zeros((), split=1), ht.full((), 2, split=-1), ht.empty((), split=0), ht.random.rand(split=0),
        ht.zeros_like(x, split=0), ht.array(x, split=0), ht.resplit(x, 0), ht.array(3.0).resplit_(0),
        x.sum().resplit(0),
    ):  # fmt: skip
        assert y.shape == () and y.split is None
    with pytest.raises(TypeError, match="split must be"):
        ht.zeros((), split="a")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="split 1 is out of bounds"):
        ht.zeros(3, split=1)
    with pytest.raises(ValueError, match="is_split 0 is out of bounds"):
        ht.array(3.0, is_split=0)


def test_spellings_of_releases() -> None:
    x = ht.array(A[0], split=0)
    for normal_is_zero in (True, False):
        expected = ht.kurtosis(x, 0, fischer=normal_is_zero).numpy()
        np.testing.assert_array_equal(ht.kurtosis(x, 0, Fischer=normal_is_zero).numpy(), expected)
    y = ht.array([np.nan, np.inf, 2.0], split=0)
    assert ht.nan_to_num(y, None, 5.0).tolist() == y.nan_to_num(nan=None, posinf=5.0).tolist() == [0.0, 5.0, 2.0]


def test_equal_of_what_is_no_number() -> None:
    x = ht.arange(4, split=0)
    for other in (None, "a", slice(None), object()):
        assert ht.equal(x, other) is False and ht.equal(other, x) is False
    assert ht.equal(x, [0, 1, 2, 3]) and not ht.equal(x, np.arange(1, 5))


@pytest.mark.parametrize("split", [0, 1])
def test_splits_of_factors_are_those_of_many_ranks(split: int) -> None:
    tall = ht.array(A.reshape(8, 3) + 9 * np.eye(8, 3), split=split)
    u, s, vh = ht.linalg.svd(tall)
    assert (u.split, s.split, vh.split) == (split, None, None)
    u, s, vh = ht.linalg.svd(tall.T)
    assert (u.split, s.split, vh.split) == (None, None, 1 - split)
    q, h = ht.linalg.polar(tall)
    assert q.split == split
    np.testing.assert_allclose((q @ h).numpy(), tall.numpy(), atol=1e-9)


@pytest.mark.parametrize("split", [None, 0])
def test_broadcast_arrays_gives_a_tuple(split: int | None) -> None:
    x, y = distribute(A[0], split), ht.arange(4.0, dtype=ht.float64)
    pair = ht.broadcast_arrays(x, y)
    assert isinstance(pair, tuple)
    check(pair[1], np.broadcast_to(np.arange(4.0), (3, 4)))


@pytest.mark.parametrize("split", [None, 0, 1])
def test_two_results(split: int | None) -> None:
    x = distribute(A[0], split)
    pair = ht.empty_like(x), ht.empty_like(x)
    for call, expected in (
        (lambda out: ht.modf(x / 2, out), np.modf(A[0] / 2)),
        (lambda out: ht.divmod(x, 3, out=out), np.divmod(A[0], 3)),
        (lambda out: ht.topk(x, 4, 1, out=out), (A[0][:, ::-1], [[3.0, 2.0, 1.0, 0.0]] * 3)),
    ):
        call(pair)
        for result, values in zip(pair, expected, strict=True):
            check(result, values, split)
        with pytest.raises(ValueError, match="a pair of DNDarrays, has 3 entries"):
            call((*pair, None))
        with pytest.raises(TypeError, match="a pair of DNDarrays, is"):
            call(x)
    with pytest.raises(TypeError, match="by place and by name"):
        ht.divmod(x, 3, *pair, out=pair)


def test_float_and_int_as_types() -> None:
    x = ht.array(A[0], dtype=ht.float32, split=0)
    for function in (ht.sum, ht.mean, ht.round, ht.abs, lambda x, dtype: ht.cumsum(x, 0, dtype)):
        assert function(x, dtype=float).dtype is ht.float32
    for function in (ht.sum, ht.round, ht.abs, lambda x, dtype: ht.cumsum(x, 0, dtype)):
        assert function(x, dtype=int).dtype is ht.int32
    assert np.sum(x, dtype=float).dtype is ht.float64  # NumPy's function, NumPy's meaning
    with pytest.raises(TypeError, match="not understood"):
        ht.round(x, dtype=np)


def test_flags_and_numbers() -> None:
    x = ht.array(A[0], split=0)
    for call in (
        lambda: ht.cov(x, rowvar="no"),  # type: ignore[arg-type]
        lambda: ht.cov(x, bias="no"),  # type: ignore[arg-type]
        lambda: ht.percentile(x, 5, sketched="no"),  # type: ignore[arg-type]
        lambda: ht.median(x, sketched="no"),  # type: ignore[arg-type]
        lambda: ht.topk(x, 1.5),  # type: ignore[arg-type]
        lambda: ht.topk(x, 1, dim="a"),  # type: ignore[arg-type]
        lambda: ht.bincount(ht.arange(3, split=0), minlength="a"),  # type: ignore[arg-type]
        lambda: ht.histc(x, bins="a"),  # type: ignore[arg-type]
        lambda: ht.pad(x, 1, mode=5),  # type: ignore[arg-type]
        lambda: ht.fft.fftfreq(4, d=1j),  # type: ignore[arg-type]
        lambda: ht.fft.rfftfreq(4, d="a"),  # type: ignore[arg-type]
        lambda: ht.optim.DataParallelOptimizer("sgd"),
        lambda: ht.utils.data.create_train_val_split(x, A),
        lambda: ht.tiling.SplitTiles(A),
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="rtol must not be negative"):
        ht.linalg.hsvd_rtol(x, -1.0)
