# SPDX-License-Identifier: BSD-3-Clause
"""Seconds of a collective: messages one after another, bytes through one rank's link, bytes combined.

The algorithms are those that MPI libraries use between nodes, which is where comm/ leaves a collective to MPI; costs
are those of Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations in MPICH" (2005), with
every rank sending and receiving at a time. `bytes` are those of a rank's longer buffer: the vector of allreduce and
bcast, the input of reduce_scatter, all that allgather collects, all that a rank sends in alltoall; of halo those of one
face.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2

from network import Network

Cost = Callable[[int, float, Network], float]


def steps(p: int) -> int:
    """Rounds of a binomial tree or of recursive doubling."""
    return ceil(log2(p))


def _odd(p: int) -> int:
    """1 where ranks beyond a power of two hand their vector to a neighbour first and get the result at the end."""
    return int(p & (p - 1) != 0)


def _power(p: int) -> int:
    return p.bit_length() - 1


def allreduce_doubling(p: int, n: float, net: Network) -> float:
    rounds = _power(p) * (net.alpha + n * (net.beta + net.gamma))
    return rounds + _odd(p) * (2 * net.alpha + n * (2 * net.beta + net.gamma))


def allreduce_rabenseifner(p: int, n: float, net: Network) -> float:
    core = 1 << _power(p)
    part = (core - 1) / core
    rounds = 2 * _power(p) * net.alpha + part * n * (2 * net.beta + net.gamma)
    return rounds + _odd(p) * (2 * net.alpha + n * (2 * net.beta + net.gamma))


def allreduce_ring(p: int, n: float, net: Network) -> float:
    return 2 * (p - 1) * net.alpha + (p - 1) / p * n * (2 * net.beta + net.gamma)


def reduce_scatter_halving(p: int, n: float, net: Network) -> float:
    extra = _odd(p) * (2 * net.alpha + n * (1 + 1 / p) * net.beta + n * net.gamma)
    return _power(p) * net.alpha + (p - 1) / p * n * (net.beta + net.gamma) + extra


def reduce_scatter_pairwise(p: int, n: float, net: Network) -> float:
    return (p - 1) * net.alpha + (p - 1) / p * n * (net.beta + net.gamma)


def allgather_bruck(p: int, n: float, net: Network) -> float:
    """Recursive doubling has the same cost, where p is a power of two."""
    return steps(p) * net.alpha + (p - 1) / p * n * net.beta


def allgather_ring(p: int, n: float, net: Network) -> float:
    return (p - 1) * net.alpha + (p - 1) / p * n * net.beta


def bcast_binomial(p: int, n: float, net: Network) -> float:
    return steps(p) * (net.alpha + n * net.beta)


def bcast_binomial_sharing(p: int, n: float, net: Network) -> float:
    """The same where short messages are sent without waiting and share a link fairly, as a fluid simulator has it.

    The message to the deepest subtree then gets a share of all that leave the root at a time; adapters send in order.
    """
    return steps(p) * net.alpha + steps(p) * (steps(p) + 1) / 2 * n * net.beta


def bcast_scatter_doubling(p: int, n: float, net: Network) -> float:
    """Scatter along a tree, then allgather (van de Geijn)."""
    return 2 * steps(p) * net.alpha + 2 * (p - 1) / p * n * net.beta


def bcast_scatter_ring(p: int, n: float, net: Network) -> float:
    return (steps(p) + p - 1) * net.alpha + 2 * (p - 1) / p * n * net.beta


def alltoall_bruck(p: int, n: float, net: Network) -> float:
    """Bruck et al. 1997: each round a rank passes on half of what it has, every byte log2(p) / 2 times."""
    return steps(p) * (net.alpha + n / 2 * net.beta)


def alltoall_pairwise(p: int, n: float, net: Network) -> float:
    return (p - 1) * net.alpha + (p - 1) / p * n * net.beta


def resplit_messages(p: int, n: float, net: Network) -> float:
    """comm/message_exchange.cpp: pieces go to four partners at a time."""
    return ceil((p - 1) / 4) * net.alpha + (p - 1) / p * n * net.beta


def halo(p: int, n: float, net: Network) -> float:
    """comm/view_exchange.cpp: a face to each neighbour, both at a time through one link."""
    return net.alpha + min(p - 1, 2) * n * net.beta


def message(p: int, n: float, net: Network) -> float:
    """One message."""
    return net.alpha + n * net.beta


COSTS: dict[str, dict[str, Cost]] = {
    "allreduce": {
        "recursive doubling": allreduce_doubling, "Rabenseifner": allreduce_rabenseifner, "ring": allreduce_ring,
    },
    "reduce_scatter": {"recursive halving": reduce_scatter_halving, "pairwise": reduce_scatter_pairwise},
    "allgather": {"Bruck or recursive doubling": allgather_bruck, "ring": allgather_ring},
    "bcast": {
        "binomial tree": bcast_binomial, "scatter, recursive doubling": bcast_scatter_doubling,
        "scatter, ring": bcast_scatter_ring,
    },
    "alltoall": {"Bruck": alltoall_bruck, "pairwise": alltoall_pairwise},
    "resplit": {"four partners": resplit_messages},
    "halo": {"two neighbours": halo},
    "message": {"one": message},
}  # fmt: skip


def algorithm(kind: str, p: int, n: float) -> str:
    """What MPICH takes for so many bytes, after the same paper."""
    if kind == "allreduce":
        return "recursive doubling" if n <= 2048 else "Rabenseifner"
    if kind == "reduce_scatter":
        return "recursive halving" if n < 512 << 10 else "pairwise"
    if kind == "allgather":
        short = (80 if _odd(p) else 512) << 10
        return "Bruck or recursive doubling" if n < short else "ring"
    if kind == "bcast":
        if n < 12 << 10 or p < 8:
            return "binomial tree"
        return "scatter, recursive doubling" if n < 512 << 10 and not _odd(p) else "scatter, ring"
    if kind == "alltoall":
        return "Bruck" if n / p <= 256 and p >= 8 else "pairwise"
    return next(iter(COSTS[kind]))


def seconds(kind: str, p: int, n: float, net: Network, name: str | None = None) -> float:
    """Of one call on p ranks by the named algorithm, or the one that MPICH takes. One rank sends nothing."""
    if p < 1:
        raise ValueError(f"seconds: {p} ranks; it must be at least 1")
    return 0.0 if p == 1 else COSTS[kind][name or algorithm(kind, p, n)](p, n, net)
