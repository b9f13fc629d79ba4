# SPDX-License-Identifier: BSD-3-Clause
"""Reductions that travel together: the same results, one message, waits only where values are asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import equiheat as ht

NAMES = ["sum", "prod", "min", "max", "any", "all", "count_nonzero", "nansum", "mean", "var", "std"]
DTYPES = [ht.bool, ht.uint8, ht.int32, ht.int64, ht.float16, ht.bfloat16, ht.float32, ht.float64]


def array(shape=(7, 3), split=0, dtype=ht.float32):
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 5
    return ht.array(values, split=split).astype(dtype)


@settings(max_examples=12)
@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=5),
    st.sampled_from(DTYPES),
    st.sampled_from([(7, 3), (1, 2), (4,), (2, 5, 3)]),
    st.sampled_from([None, 0, 1, -1]),
    st.sampled_from([None, 0, -1, (0, 1)]),
    st.booleans(),
)
def test_results_are_those_of_the_calls_outside(names, dtype, shape, split, axis, keepdims):
    axis = 0 if isinstance(axis, tuple) and len(shape) == 1 else axis
    x = array(shape, 0 if split == 1 and len(shape) == 1 else split, dtype)
    expected = [getattr(ht, name)(x, axis, keepdims=keepdims) for name in names]
    with ht.async_() as later:
        found = [getattr(later, name)(x, axis, keepdims=keepdims) for name in names]
    for e, f in zip(expected, [f.wait() for f in found], strict=True):
        assert (f.split, f.shape, f.dtype) == (e.split, e.shape, e.dtype)
        tolerance = 1e-2 if dtype in (ht.float16, ht.bfloat16) else 1e-5
        a, b = (np.asarray(v.astype(ht.float64).numpy()) for v in (f, e))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_reduction(name):
    x = array((5, 2), 0, ht.float64)
    with ht.async_() as later:
        found = getattr(later, name)(x, 0)
    np.testing.assert_allclose(found.wait().numpy(), getattr(ht, name)(x, 0).numpy(), rtol=1e-12)


@pytest.mark.ranks(2, 3, 4)
def test_one_message():
    x, y = array(), array((6,), dtype=ht.float64)
    with ht.profile() as p:
        with ht.async_() as later:
            waiting = [later.mean(x, 0), later.var(x, 0, 1), later.sum(x), later.max(y), later.allreduce(torch.ones(2))]
        results = [w.wait() for w in waiting]
        assert all(w.test() for w in waiting)
    assert {name: t.calls for name, t in p.totals.items()} == {"allgather": 1}
    np.testing.assert_allclose(results[1].numpy(), x.numpy().var(0, ddof=1), rtol=1e-6)
    assert results[4].tolist() == [ht.get_comm().size] * 2


@pytest.mark.ranks(2, 3, 4)
def test_a_result_asked_for_inside_sends_what_is_there():
    x = array()
    with ht.profile() as p:
        with ht.async_() as later:
            total = later.sum(x).wait()
            rest = later.sum(x / total)
        assert rest.wait().item() == pytest.approx(1)
    assert p.totals["allgather"].calls == 2


@pytest.mark.ranks(2, 3)
def test_a_rank_may_wait_alone_behind_the_block():
    x = array()
    with ht.async_() as later:
        total = later.sum(x)
    if ht.get_comm().rank == 0:
        assert total.wait().item() == (np.arange(21) % 5).sum()
    ht.get_comm().barrier()


def test_nothing_collected_and_nothing_asked_for():
    with ht.async_() as later:
        pass
    with later:
        later.max(array())


def test_gradients_are_not_put_off():
    x = array(dtype=ht.float64)
    x.larray.requires_grad_()
    with ht.async_() as later:
        total = later.sum(x * x)
    total.wait().larray.backward()
    torch.testing.assert_close(x.larray.grad, 2 * x.larray.detach())


def test_communicators_have_messages_of_their_own():
    half = ht.get_comm().split(ht.get_comm().rank % 2)
    x, y = array(), ht.ones(4, split=0, comm=half)
    with ht.async_() as later:
        a, b = later.sum(x), later.sum(y)
    assert (a.wait().item(), b.wait().item()) == (x.numpy().sum(), 4)


def test_tensors():
    comm = ht.get_comm()
    values = torch.tensor([comm.rank, 2.5])
    with ht.async_() as later:
        found = {op: later.allreduce(values, op) for op in ("sum", "prod", "min", "max")}
        flag = later.allreduce(torch.tensor([comm.rank == 0, False]))
        half = later.allreduce(torch.ones(1, dtype=torch.bfloat16))
    for op, result in found.items():
        torch.testing.assert_close(result.wait(), comm.allreduce(values, op))
    assert flag.wait().tolist() == [True, False]
    assert half.wait().tolist() == [comm.size] and half.wait().dtype == torch.bfloat16


def test_mistakes():
    with ht.async_() as later:
        with pytest.raises((ValueError, IndexError), match="axis 2 is out of bounds"):
            later.sum(array(), 2)
        with pytest.raises(ValueError, match="op is 'avg'"):
            later.allreduce(torch.ones(1), "avg")
        with pytest.raises(TypeError, match="must be a DNDarray"):
            later.sum(torch.ones(1))


def test_several_tensors_in_one_allreduce():
    comm = ht.get_comm()
    losses = [torch.tensor(1.0), torch.ones(2, 3), torch.tensor([2, 3]), torch.tensor(4.0)]
    with ht.profile() as p:
        found = comm.allreduce_together(losses)
    assert all(torch.equal(f, comm.size * x) for f, x in zip(found, losses, strict=True))
    assert p.totals["allreduce"].calls == 2
    assert comm.allreduce_together([]) == []
