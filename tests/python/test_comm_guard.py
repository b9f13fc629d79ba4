# SPDX-License-Identifier: BSD-3-Clause
"""Checked mode: ranks whose collectives differ all get an error that names the ranks, the calls and their lines."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from launcher import start

import equiheat as ht
from equiheat import _core

COMM = ht.get_comm()
CORE = COMM.core
SUM, MAX = _core.ReduceOp.SUM, _core.ReduceOp.MAX
SIZE, RANK = COMM.size, COMM.rank
several_ranks = pytest.mark.skipif(SIZE == 1, reason="one rank agrees with itself")

Call = Callable[[], object]


def f32(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.float32)


def f64(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.float64)


def only_root(root: int, x: torch.Tensor) -> torch.Tensor | None:
    return x if root == RANK else None


CALLS: dict[str, Call] = {
    "barrier()": CORE.barrier,
    "allreduce(float32, 4 elements, shape (4,), Sum)": lambda: CORE.allreduce(f32(4), f32(4), SUM),
    "allreduce(float32, 4 elements, shape (4,), Max)": lambda: CORE.allreduce(f32(4), f32(4), MAX),
    "allreduce(float32, 4 elements, shape (2, 2), Sum)": lambda: CORE.allreduce(f32(2, 2), f32(2, 2), SUM),
    "allreduce(float32, 5 elements, shape (5,), Sum)": lambda: CORE.allreduce(f32(5), f32(5), SUM),
    "allreduce(float64, 4 elements, shape (4,), Sum)": lambda: CORE.allreduce(f64(4), f64(4), SUM),
    "bcast(float32, 4 elements, shape (4,), root 0)": lambda: CORE.bcast(f32(4), 0),
    "bcast(float32, 4 elements, shape (4,), root 1)": lambda: CORE.bcast(f32(4), 1),
    "reduce(float32, 4 elements, shape (4,), Sum, root 0)": lambda: CORE.reduce(f32(4), f32(4), SUM, 0),
    "scan(float32, 4 elements, shape (4,), Sum)": lambda: CORE.scan(f32(4), f32(4), SUM),
    "exscan(float32, 4 elements, shape (4,), Sum)": lambda: CORE.exscan(f32(4), f32(4), SUM),
    "allgather(float32, 4 elements, shape (4,))": lambda: CORE.allgather(f32(4), f32(4 * SIZE)),
    "gather(float32, 4 elements, shape (4,), root 1)": lambda: CORE.gather(f32(4), only_root(1, f32(4 * SIZE)), 1),
    "scatter(float32, 4 elements, shape (4,), root 0)": lambda: CORE.scatter(only_root(0, f32(4 * SIZE)), f32(4), 0),
    "reduce_scatter(float32, Sum) counts [4": lambda: CORE.reduce_scatter(f32(4 * SIZE), f32(4), [4] * SIZE, SUM),
    "allgatherv(float32) counts [4": lambda: CORE.allgatherv(f32(4), f32(4 * SIZE), [4] * SIZE),
    "allgatherv(float32) counts [3": lambda: CORE.allgatherv(f32(3), f32(3 * SIZE), [3] * SIZE),
}
PAIRS = list(itertools.combinations(CALLS, 2))


def message_of(call: Call) -> str:
    with pytest.raises(ht.CommunicationError) as caught:
        call()
    return str(caught.value)


@several_ranks
def test_every_pair_of_different_calls_is_an_error_on_every_rank() -> None:
    assert len(PAIRS) >= 50
    odd = SIZE - 1
    for usual, other in PAIRS:
        text = message_of(CALLS[other if odd == RANK else usual])
        assert "ranks disagree about collective number" in text
        assert f"rank {odd}: {other}" in text, text
        assert f"{'ranks 0, 1' if SIZE == 3 else 'rank'}" in text
        assert usual in text, text
        assert text.count("test_comm_guard.py:") == 2, text
    # Nothing was sent, so the communicator is still good.
    assert COMM.allreduce(f32(3)).tolist() == [SIZE] * 3


@several_ranks
def test_counts_of_an_all_to_all_must_fit() -> None:
    sends, recvs = [2] * SIZE, [2] * SIZE
    if RANK == 0:
        recvs[1] = 3
    text = message_of(lambda: CORE.alltoallv(f32(sum(sends)), f32(sum(recvs)), sends, recvs))
    assert "rank 0: alltoallv(float32) send_counts [2, 2" in text
    assert "recv_counts [2, 3" in text
    received = torch.empty(2 * SIZE)
    CORE.alltoallv(f32(2 * SIZE), received, [2] * SIZE, [2] * SIZE)
    assert received.tolist() == [1.0] * 2 * SIZE


@several_ranks
def test_different_parts_are_no_disagreement() -> None:
    counts = list(range(SIZE))
    whole = torch.empty(sum(counts))
    CORE.allgatherv(torch.full((RANK,), float(RANK)), whole, counts)
    assert whole.tolist() == [float(r) for r in range(SIZE) for _ in range(r)]
    sends = [RANK + peer for peer in range(SIZE)]
    out = torch.empty(sum(sends))
    CORE.alltoallv(torch.full((sum(sends),), float(RANK)), out, sends, sends)
    assert out.sum().item() == sum(peer * (RANK + peer) for peer in range(SIZE))


@several_ranks
def test_operations_in_flight_are_compared_in_their_order() -> None:
    results = [COMM.iallreduce(torch.tensor([float(i)])) for i in range(40)]
    assert [r.wait().item() for r in reversed(results)] == [float(i * SIZE) for i in reversed(range(40))]
    first, second = COMM.iallreduce(f32(2)), COMM.iallgather(f32(1))
    assert COMM.allreduce(f32(1)).item() == SIZE
    assert second.wait().sum().item() == SIZE
    assert first.wait().tolist() == [SIZE] * 2


@several_ranks
def test_a_communicator_of_some_ranks_has_its_own_order() -> None:
    part = COMM.split(RANK % 2, RANK)
    assert part is not None
    for _ in range(3 if RANK % 2 else 5):
        part.barrier()
    assert part.allreduce(f32(1)).item() == part.size


@pytest.mark.slow
@pytest.mark.ranks(1)
def test_without_shared_memory_messages_compare() -> None:
    """The same cases where ranks share no memory, as between nodes."""
    pytest_again = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__)
    code, output = start(3, *pytest_again, timeout=120, EQUIHEAT_SHM="0", EQUIHEAT_CHECK="1")
    assert code == 0, output
